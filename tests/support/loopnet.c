#include "tests/support/loopnet.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIECE_BYTES = 64 * 1024 };

enum event_kind { ACCEPTED, CONNECTED, RECEIVED, SENT, CLOSED };

struct event {
	enum event_kind kind;
	unsigned host;
	struct conn_id conn;
	struct buf data;
	size_t bytes;
	struct event *next;
};

/* Ids: number << 1 | side; side 0 dialled. */
struct conn {
	unsigned hosts[2];
	bool is_closed[2]; /* by this side, or told so */
	bool is_open;
};

struct side {
	struct loopnet *net;
	struct loopnet_events events;
	bool listens;
};

struct loopnet {
	struct side hosts[LOOPNET_HOSTS_MAX];
	unsigned host_count;
	bool is_cut[LOOPNET_HOSTS_MAX][LOOPNET_HOSTS_MAX];
	bool is_mute[LOOPNET_HOSTS_MAX][LOOPNET_HOSTS_MAX];
	struct conn *conns;
	size_t conn_count;
	struct event *first, **last;
	void (*tap)(void *ctx, unsigned to, struct buf *data);
	void *tap_ctx;
};

struct loopnet *loopnet_new(void)
{
	struct loopnet *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->last = &n->first;
	return n;
}

static struct event *take_event(struct loopnet *n)
{
	struct event *event = n->first;

	if (!event)
		return NULL;
	n->first = event->next;
	if (!n->first)
		n->last = &n->first;
	return event;
}

static void event_free(struct event *event)
{
	buf_release(&event->data);
	free(event);
}

void loopnet_free(struct loopnet *n)
{
	struct event *event;

	if (!n)
		return;
	while ((event = take_event(n)))
		event_free(event);
	free(n->conns);
	free(n);
}

unsigned loopnet_add(struct loopnet *n, const struct loopnet_events *events)
{
	if (n->host_count == LOOPNET_HOSTS_MAX)
		abort();
	n->hosts[n->host_count] = (struct side){ n, *events, true };
	return n->host_count++;
}

void loopnet_address(unsigned host, char out[LOOPNET_ADDRESS_BYTES])
{
	snprintf(out, LOOPNET_ADDRESS_BYTES, "host%u:1", host);
}

static struct event *put_event(struct loopnet *n, enum event_kind kind, struct conn_id id)
{
	struct event *event = calloc(1, sizeof(*event));

	if (!event)
		abort();
	event->kind = kind;
	event->conn = id;
	event->host = n->conns[id.id >> 1].hosts[id.id & 1];
	*n->last = event;
	n->last = &event->next;
	return event;
}

static struct conn *conn_of(struct loopnet *n, struct conn_id id)
{
	return &n->conns[id.id >> 1];
}

static struct conn_id other_side(struct conn_id id)
{
	return (struct conn_id){ id.id ^ 1 };
}

/* ---- The port ----------------------------------------------------------------- */

static enum err dial(void *ctx, const char *address, struct conn_id *out, struct errmsg *msg)
{
	struct side *from = ctx;
	struct loopnet *n = from->net;
	unsigned a = (unsigned)(from - n->hosts), b;

	if (sscanf(address, "host%u:1", &b) != 1 || b >= n->host_count)
		return errmsg_set(msg, ERR_INVALID, "%s is not an address", address);
	n->conns = realloc(n->conns, (n->conn_count + 2) * sizeof(*n->conns));
	if (!n->conns)
		abort();
	if (n->conn_count == 0)
		n->conn_count = 1; /* 0 is no id */
	n->conns[n->conn_count] = (struct conn){ .hosts = { a, b } };
	out->id = n->conn_count++ << 1;
	if (n->is_cut[a][b] || !n->hosts[b].listens) {
		put_event(n, CLOSED, *out);
		return OK;
	}
	conn_of(n, *out)->is_open = true;
	put_event(n, ACCEPTED, other_side(*out));
	put_event(n, CONNECTED, *out);
	return OK;
}

static void send_bytes(void *ctx, struct conn_id id, struct bytes data)
{
	struct side *from = ctx;
	struct loopnet *n = from->net;
	const struct conn *c = conn_of(n, id);

	if (c->is_closed[id.id & 1])
		abort();
	put_event(n, SENT, id)->bytes = data.size;
	if (n->is_mute[c->hosts[0]][c->hosts[1]])
		return;
	while (data.size) {
		size_t size = data.size < PIECE_BYTES ? data.size : PIECE_BYTES;

		buf_append(&put_event(n, RECEIVED, other_side(id))->data, data.data, size);
		data = bytes_of(data.data + size, data.size - size);
	}
}

static void close_conn(void *ctx, struct conn_id id, bool flush)
{
	struct side *from = ctx;
	struct loopnet *n = from->net;
	struct conn *c = conn_of(n, id);

	c->is_closed[id.id & 1] = true;
	if (c->is_open && !n->is_mute[c->hosts[0]][c->hosts[1]])
		put_event(n, CLOSED, other_side(id));
}

struct port loopnet_port(struct loopnet *n, unsigned host)
{
	return (struct port){
		.ctx = &n->hosts[host], .dial = dial, .send = send_bytes, .close = close_conn
	};
}

/* ---- Delivery ------------------------------------------------------------------ */

static void deliver(struct loopnet *n, struct event *event)
{
	const struct loopnet_events *up = &n->hosts[event->host].events;
	struct conn *c = conn_of(n, event->conn);
	char from[LOOPNET_ADDRESS_BYTES];

	if (c->is_closed[event->conn.id & 1])
		return;
	switch (event->kind) {
	case ACCEPTED:
		loopnet_address(c->hosts[0], from);
		up->accepted(up->ctx, event->conn, from);
		break;
	case CONNECTED: up->connected(up->ctx, event->conn); break;
	case RECEIVED:
		if (n->tap)
			n->tap(n->tap_ctx, event->host, &event->data);
		if (event->data.size)
			up->received(up->ctx, event->conn, buf_bytes(&event->data));
		break;
	case SENT: up->sent(up->ctx, event->conn, event->bytes); break;
	case CLOSED:
		c->is_closed[event->conn.id & 1] = true;
		up->closed(up->ctx, event->conn, "closed by the other side");
		break;
	}
}

bool loopnet_step(struct loopnet *n)
{
	struct event *event = take_event(n);

	if (!event)
		return false;
	deliver(n, event);
	event_free(event);
	return true;
}

/* ---- Faults ---------------------------------------------------------------------- */

static bool is_between(const struct conn *c, unsigned a, unsigned b)
{
	return (c->hosts[0] == a && c->hosts[1] == b) || (c->hosts[0] == b && c->hosts[1] == a);
}

void loopnet_cut(struct loopnet *n, unsigned a, unsigned b, bool is_cut)
{
	n->is_cut[a][b] = n->is_cut[b][a] = is_cut;
	for (size_t i = 1; is_cut && i < n->conn_count; i++) {
		struct conn *c = &n->conns[i];

		if (!is_between(c, a, b) || !c->is_open)
			continue;
		c->is_open = false;
		/* What is on its way is lost with it. */
		for (struct event *event = n->first; event; event = event->next)
			if (event->conn.id >> 1 == i && event->kind == RECEIVED)
				buf_clear(&event->data);
		for (unsigned side = 0; side < 2; side++)
			if (!c->is_closed[side])
				put_event(n, CLOSED, (struct conn_id){ i << 1 | side });
	}
}

void loopnet_mute(struct loopnet *n, unsigned a, unsigned b, bool is_mute)
{
	n->is_mute[a][b] = n->is_mute[b][a] = is_mute;
}

void loopnet_listen(struct loopnet *n, unsigned host, bool listens)
{
	n->hosts[host].listens = listens;
}

void loopnet_tap(struct loopnet *n, void (*tap)(void *ctx, unsigned to, struct buf *data),
		 void *ctx)
{
	n->tap = tap;
	n->tap_ctx = ctx;
}

size_t loopnet_flight_bytes(const struct loopnet *n)
{
	size_t bytes = 0;

	for (const struct event *event = n->first; event; event = event->next)
		bytes += event->data.size;
	return bytes;
}

size_t loopnet_conn_count(const struct loopnet *n, unsigned a, unsigned b)
{
	size_t count = 0;

	for (size_t i = 1; i < n->conn_count; i++)
		count += n->conns[i].is_open && is_between(&n->conns[i], a, b) &&
			 !n->conns[i].is_closed[0] && !n->conns[i].is_closed[1];
	return count;
}
