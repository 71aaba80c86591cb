#include "tests/sim/net.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct segment {
	struct segment *next;
	uint64_t at_ms;
	bool is_end; /* nothing follows: an orderly close */
	bool resets; /* the connection is reset after this */
	size_t size;
	uint8_t data[];
};

enum end_state {
	END_DIALLING,
	END_OPEN,
	END_FLUSHING, /* closed by its node, the queue still drains */
	END_GONE,
};

/* One end of a connection, with the stream that it sends. */
struct end {
	unsigned node;
	enum end_state state;
	struct buf queue;
	struct segment *flight, **flight_tail;
	size_t flight_bytes;
	bool pump_planned, is_stalled, end_sent;
	const char *reason; /* of a reset that is on its way to this end */
};

struct conn {
	uint64_t number;
	struct end ends[2];
};

struct host {
	struct net *net;
	unsigned node;
	struct buf heard; /* the beginning of what its last dialler said */
	uint64_t heard_conn;
	bool listens, has_power;
};

struct net {
	unsigned nodes;
	struct timeline *timeline;
	struct prng dice;
	struct net_up up;
	struct link *links; /* nodes x nodes */
	struct link good;   /* strangers' */
	struct host hosts[NET_NODES_MAX + 1];
	struct conn **conns; /* by number, NULL once gone */
	size_t conn_count, conn_cap;
	struct net_stats stats;
};

static void *must(void *memory)
{
	if (!memory) {
		perror("net");
		abort();
	}
	return memory;
}

static struct conn *find_conn(struct net *n, uint64_t arg)
{
	uint64_t number = arg >> 1;

	return number < n->conn_count ? n->conns[number] : NULL;
}

static struct conn_id id_of(const struct conn *c, int side)
{
	return (struct conn_id){ c->number << 1 | (uint64_t)side };
}

static struct link *link_of(struct net *n, unsigned from, unsigned to)
{
	if (from == NET_NOBODY || to == NET_NOBODY)
		return &n->good;
	return &n->links[from * n->nodes + to];
}

static struct link *link_from(struct net *n, const struct conn *c, int side)
{
	return link_of(n, c->ends[side].node, c->ends[1 - side].node);
}

static uint64_t delay_ms(struct net *n, const struct link *l)
{
	return l->latency_ms + (l->jitter_ms ? prng_below(&n->dice, l->jitter_ms + 1) : 0);
}

static void plan(struct net *n, uint64_t in_ms, void (*fire)(void *, uint64_t),
		 const struct conn *c, int side)
{
	timeline_at(n->timeline, n->timeline->now_ms + in_ms, fire, n, id_of(c, side).id);
}

static void clear_flight(struct end *e)
{
	while (e->flight) {
		struct segment *s = e->flight;

		e->flight = s->next;
		free(s);
	}
	e->flight_tail = &e->flight;
	e->flight_bytes = 0;
}

static void free_conn(struct net *n, struct conn *c)
{
	for (int side = 0; side < 2; side++) {
		clear_flight(&c->ends[side]);
		buf_release(&c->ends[side].queue);
	}
	n->conns[c->number] = NULL;
	free(c);
}

/* The end neither sends nor hears any more; may free the connection. */
static void end_gone(struct net *n, struct conn *c, int side)
{
	struct end *e = &c->ends[side];

	e->state = END_GONE;
	clear_flight(e);
	buf_clear(&e->queue);
	if (c->ends[1 - side].state == END_GONE)
		free_conn(n, c);
}

/* The end is gone and its node, unless it closed it itself, is told. */
static void close_end(struct net *n, struct conn *c, int side, const char *reason)
{
	struct conn_id id = id_of(c, side);
	unsigned node = c->ends[side].node;
	bool hears = c->ends[side].state != END_FLUSHING && node != NET_NOBODY;

	end_gone(n, c, side);
	if (hears)
		n->up.closed(n->up.ctx, node, id, reason);
}

/* A reset has reached this end, or its dial has failed. */
static void on_reset(void *ctx, uint64_t arg)
{
	struct net *n = ctx;
	struct conn *c = find_conn(n, arg);
	int side = (int)(arg & 1);

	if (c && c->ends[side].state != END_GONE)
		close_end(n, c, side, c->ends[side].reason);
}

/* Tell an end that the connection is no more; a cut link swallows the news. */
static void send_reset(struct net *n, struct conn *c, int to_side, const char *reason)
{
	struct link *l = link_from(n, c, 1 - to_side);

	if (c->ends[to_side].state == END_GONE || l->is_cut)
		return;
	c->ends[to_side].reason = reason;
	plan(n, delay_ms(n, l), on_reset, c, to_side);
}

static void pump_soon(struct net *n, struct conn *c, int side, uint64_t in_ms);

/* Segments. */

static void swap_halves(struct segment *s)
{
	size_t half = s->size / 2;

	for (size_t i = 0; i < half; i++) {
		uint8_t kept = s->data[i];

		s->data[i] = s->data[half + i];
		s->data[half + i] = kept;
	}
}

/* Returns how many copies arrive. */
static int do_damage(struct net *n, struct segment *s, enum spoiling damage)
{
	if (damage == DAMAGE_NONE || s->size == 0)
		return 1;
	n->stats.damaged++;
	switch (damage) {
	case DAMAGE_FLIP:
		s->data[prng_below(&n->dice, s->size)] ^= (uint8_t)(1 << prng_below(&n->dice, 8));
		return 1;
	case DAMAGE_DROP: return 0;
	case DAMAGE_DOUBLE: return 2;
	case DAMAGE_SWAP: swap_halves(s); return 1;
	case DAMAGE_RESET:
		s->size = prng_below(&n->dice, s->size + 1);
		s->resets = true;
		return 1;
	default: return 1;
	}
}

static enum spoiling draw_damage(struct net *n, struct link *l)
{
	enum spoiling damage = l->next_damage;

	l->next_damage = DAMAGE_NONE;
	if (damage == DAMAGE_NONE && l->damage_percent && prng_chance(&n->dice, l->damage_percent))
		damage = (enum spoiling)(1 + prng_below(&n->dice, DAMAGE_COUNT - 1));
	return damage;
}

static struct segment *segment_new(struct bytes data)
{
	struct segment *s = must(calloc(1, sizeof(*s) + data.size));

	s->size = data.size;
	if (data.size)
		memcpy(s->data, data.data, data.size);
	return s;
}

static void on_arrival(void *ctx, uint64_t arg);

static void launch(struct net *n, struct conn *c, int side, struct segment *s)
{
	struct end *e = &c->ends[side];
	uint64_t at = n->timeline->now_ms + delay_ms(n, link_from(n, c, side));

	s->at_ms = at;
	*e->flight_tail = s;
	e->flight_tail = &s->next;
	e->flight_bytes += s->size;
	/* Those behind it follow one after the other: land(). */
	if (e->flight == s && !e->is_stalled)
		timeline_at(n->timeline, at, on_arrival, n, id_of(c, side).id);
}

static size_t draw_segment_size(struct net *n, const struct link *l, size_t waiting)
{
	size_t most = NET_SEGMENT_BYTES_MAX;

	/* A slow link carries about a tenth of a second at once. */
	if (l->bytes_per_ms && most > l->bytes_per_ms * 100u)
		most = l->bytes_per_ms * 100u;
	if (waiting < most)
		most = waiting;
	/* Mostly all there is; at times a cut at any byte. */
	return prng_chance(&n->dice, 75) ? most : 1 + prng_below(&n->dice, most);
}

/* An orderly close follows the last byte. */
static void send_end(struct net *n, struct conn *c, int side)
{
	struct segment *end = segment_new(bytes_of(NULL, 0));

	end->is_end = true;
	c->ends[side].end_sent = true;
	launch(n, c, side, end);
}

static void record(struct net *n, const struct conn *c, struct bytes data)
{
	struct host *listener = &n->hosts[c->ends[1].node];
	size_t left;

	if (listener->heard_conn != c->number)
		buf_clear(&listener->heard);
	listener->heard_conn = c->number;
	left = NET_RECORD_BYTES - listener->heard.size;
	buf_append(&listener->heard, data.data, data.size < left ? data.size : left);
}

static void send_segment(struct net *n, struct conn *c, int side, struct bytes data)
{
	struct segment *s = segment_new(data);
	int copies = do_damage(n, s, draw_damage(n, link_from(n, c, side)));

	if (side == 0 && c->ends[0].node != NET_NOBODY)
		record(n, c, data);
	if (copies == 2)
		launch(n, c, side, segment_new(data));
	if (copies > 0)
		launch(n, c, side, s);
	else
		free(s);
}

static void on_pump(void *ctx, uint64_t arg)
{
	struct net *n = ctx;
	struct conn *c = find_conn(n, arg);
	int side = (int)(arg & 1);
	struct end *e = c ? &c->ends[side] : NULL;
	uint32_t rate;
	size_t size;

	if (!e || e->state == END_GONE)
		return;
	e->pump_planned = false;
	if (e->queue.size == 0 && e->state == END_FLUSHING && !e->end_sent)
		send_end(n, c, side);
	/* When too much is in flight, on_arrival() goes on. */
	if (e->queue.size == 0 || e->flight_bytes >= NET_FLIGHT_BYTES_MAX)
		return;
	size = draw_segment_size(n, link_from(n, c, side), e->queue.size);
	send_segment(n, c, side, bytes_of(e->queue.data, size));
	buf_consume(&e->queue, size);
	n->stats.bytes += size;
	rate = link_from(n, c, side)->bytes_per_ms;
	pump_soon(n, c, side, rate ? (size + rate - 1) / rate : 0);
	if (e->state == END_OPEN && e->node != NET_NOBODY)
		n->up.sent(n->up.ctx, e->node, (struct conn_id){ arg }, size);
}

static void pump_soon(struct net *n, struct conn *c, int side, uint64_t in_ms)
{
	if (c->ends[side].pump_planned)
		return;
	c->ends[side].pump_planned = true;
	plan(n, in_ms, on_pump, c, side);
}

/* The receiving side gets a segment; the connection may be gone after. */
static void deliver(struct net *n, struct conn *c, int to, const struct segment *s)
{
	struct conn_id id = id_of(c, to);
	unsigned node = c->ends[to].node;

	if (s->is_end) {
		end_gone(n, c, 1 - to);
		close_end(n, c, to, "closed by the peer");
		return;
	}
	if (s->size && c->ends[to].state == END_OPEN && node != NET_NOBODY)
		n->up.received(n->up.ctx, node, id, bytes_of(s->data, s->size));
	c = find_conn(n, id.id);
	if (c && s->resets) {
		send_reset(n, c, 0, "connection reset");
		send_reset(n, c, 1, "connection reset");
	}
}

/* Take the first segment out of the flight and plan the next one's arrival. */
static struct segment *land(struct net *n, struct conn *c, int side)
{
	struct end *e = &c->ends[side];
	struct segment *s = e->flight, *next = s->next;
	uint64_t now_ms = n->timeline->now_ms;

	e->flight = next;
	if (next)
		timeline_at(n->timeline, next->at_ms > now_ms ? next->at_ms : now_ms, on_arrival, n,
			    id_of(c, side).id);
	else
		e->flight_tail = &e->flight;
	e->flight_bytes -= s->size;
	if (e->queue.size || e->state == END_FLUSHING)
		pump_soon(n, c, side, 0);
	return s;
}

/* The first segment in flight is due. */
static void on_arrival(void *ctx, uint64_t arg)
{
	struct net *n = ctx;
	struct conn *c = find_conn(n, arg);
	int side = (int)(arg & 1), to = 1 - side;
	struct end *e = c ? &c->ends[side] : NULL;
	struct segment *s;

	if (!e || !e->flight || e->flight->at_ms > n->timeline->now_ms)
		return;
	if (link_from(n, c, side)->is_cut) {
		e->is_stalled = true;
		return;
	}
	s = land(n, c, side);
	if (c->ends[to].state != END_GONE)
		deliver(n, c, to, s);
	else if (n->hosts[c->ends[to].node].has_power)
		send_reset(n, c, side, "connection reset");
	free(s);
}

/* Dialling. */

static struct conn *conn_new(struct net *n, unsigned from, unsigned to)
{
	struct conn *c = must(calloc(1, sizeof(*c)));

	if (n->conn_count == n->conn_cap) {
		n->conn_cap = n->conn_cap ? 2 * n->conn_cap : 64;
		n->conns = must(realloc(n->conns, n->conn_cap * sizeof(struct conn *)));
	}
	c->number = n->conn_count;
	n->conns[n->conn_count++] = c;
	c->ends[0].node = from;
	c->ends[1].node = to;
	c->ends[1].state = END_GONE;
	for (int side = 0; side < 2; side++) {
		c->ends[side].queue = BUF_EMPTY;
		c->ends[side].flight_tail = &c->ends[side].flight;
	}
	return c;
}

/* The acceptance has come back to who dialled. */
static void on_connected(void *ctx, uint64_t arg)
{
	struct net *n = ctx;
	struct conn *c = find_conn(n, arg);

	if (!c || c->ends[0].state != END_DIALLING)
		return;
	c->ends[0].state = END_OPEN;
	if (c->ends[0].queue.size)
		pump_soon(n, c, 0, 0);
	if (c->ends[0].node != NET_NOBODY)
		n->up.connected(n->up.ctx, c->ends[0].node, id_of(c, 0));
}

/* The dial has reached the other host. */
static void on_dial(void *ctx, uint64_t arg)
{
	struct net *n = ctx;
	struct conn *c = find_conn(n, arg);
	const struct host *host = c ? &n->hosts[c->ends[1].node] : NULL;
	const struct link *there = c ? link_from(n, c, 0) : NULL;
	const struct link *back = c ? link_from(n, c, 1) : NULL;
	char from[16];

	if (!c)
		return;
	c->ends[0].reason = "timed out";
	if (there->is_cut || back->is_cut || !host->has_power) {
		plan(n, NET_DIAL_MS_MAX, on_reset, c, 0);
		return;
	}
	if (!host->listens) {
		c->ends[0].reason = "connection refused";
		plan(n, delay_ms(n, back), on_reset, c, 0);
		return;
	}
	n->stats.conns++;
	c->ends[1].state = END_OPEN;
	net_address(c->ends[0].node, from);
	plan(n, delay_ms(n, back), on_connected, c, 0);
	n->up.accepted(n->up.ctx, c->ends[1].node, id_of(c, 1), from);
}

void net_address(unsigned node, char out[16])
{
	snprintf(out, 16, "n%u:7", node);
}

static struct conn *dial(struct net *n, unsigned from, unsigned to)
{
	struct conn *c = conn_new(n, from, to);

	n->stats.dials++;
	plan(n, delay_ms(n, link_from(n, c, 0)), on_dial, c, 0);
	return c;
}

static enum err port_dial(void *ctx, const char *address, struct conn_id *out, struct errmsg *msg)
{
	const struct host *host = ctx;
	unsigned to;
	int end = 0;

	if (sscanf(address, "n%u:7%n", &to, &end) != 1 || end == 0 || address[end] ||
	    to >= host->net->nodes)
		return errmsg_set(msg, ERR_INVALID, "%s: not an address", address);
	*out = id_of(dial(host->net, host->node, to), 0);
	return OK;
}

static void port_send(void *ctx, struct conn_id id, struct bytes data)
{
	const struct host *host = ctx;
	struct net *n = host->net;
	struct conn *c = find_conn(n, id.id);
	int side = (int)(id.id & 1);
	struct end *e = c ? &c->ends[side] : NULL;

	/* Lost on the way: the news of the close is still coming. */
	if (!e || e->state == END_GONE || e->state == END_FLUSHING)
		return;
	assert(e->node == host->node);
	buf_append(&e->queue, data.data, data.size);
	if (e->queue.size > n->stats.queue_bytes_max)
		n->stats.queue_bytes_max = e->queue.size;
	if (e->state == END_OPEN)
		pump_soon(n, c, side, 0);
}

static void port_close(void *ctx, struct conn_id id, bool flush)
{
	const struct host *host = ctx;
	struct net *n = host->net;
	struct conn *c = find_conn(n, id.id);
	int side = (int)(id.id & 1);

	if (!c || c->ends[side].state == END_GONE || c->ends[side].state == END_FLUSHING)
		return;
	assert(c->ends[side].node == host->node);
	if (flush && c->ends[side].state == END_OPEN) {
		c->ends[side].state = END_FLUSHING;
		pump_soon(n, c, side, 0);
		return;
	}
	send_reset(n, c, 1 - side, "connection reset");
	end_gone(n, c, side);
}

/* The world. */

struct net *net_new(unsigned nodes, struct timeline *timeline, uint64_t seed,
		    const struct net_up *up)
{
	struct net *n = must(calloc(1, sizeof(*n)));

	assert(nodes <= NET_NODES_MAX);
	n->nodes = nodes;
	n->timeline = timeline;
	n->up = *up;
	prng_init(&n->dice, seed);
	n->good.latency_ms = 1;
	n->links = must(calloc((size_t)nodes * nodes, sizeof(*n->links)));
	for (unsigned i = 0; i <= NET_NODES_MAX; i++)
		n->hosts[i] = (struct host){ .net = n, .node = i, .has_power = true };
	for (unsigned i = 0; i < nodes * nodes; i++)
		n->links[i].latency_ms = 1;
	/* Number 0 belongs to nobody: an id is never 0. */
	dial(n, NET_NOBODY, 0);
	free_conn(n, n->conns[0]);
	return n;
}

void net_free(struct net *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->conn_count; i++)
		if (n->conns[i])
			free_conn(n, n->conns[i]);
	for (unsigned i = 0; i <= NET_NODES_MAX; i++)
		buf_release(&n->hosts[i].heard);
	free(n->conns);
	free(n->links);
	free(n);
}

struct port net_port(struct net *n, unsigned node)
{
	return (struct port){ &n->hosts[node], port_dial, port_send, port_close };
}

const struct link *net_link(const struct net *n, unsigned from, unsigned to)
{
	return &n->links[from * n->nodes + to];
}

/* The cut has healed: what is waiting goes on, unless TCP had given up. */
static void resume(struct net *n, struct conn *c, int side, bool has_patience)
{
	c->ends[side].is_stalled = false;
	if (has_patience) {
		plan(n, 200 + prng_below(&n->dice, 3000), on_arrival, c, side);
		return;
	}
	for (int end = 0; end < 2; end++) {
		c->ends[end].reason = "connection timed out";
		plan(n, 1, on_reset, c, end);
	}
}

static void resume_link(struct net *n, unsigned from, unsigned to, bool has_patience)
{
	for (size_t i = 0; i < n->conn_count; i++)
		for (int side = 0; n->conns[i] && side < 2; side++) {
			const struct end *e = n->conns[i]->ends;

			if (e[side].is_stalled && e[side].node == from && e[1 - side].node == to)
				resume(n, n->conns[i], side, has_patience);
		}
}

void net_set_link(struct net *n, unsigned from, unsigned to, const struct link *link)
{
	struct link *l = link_of(n, from, to);
	bool heals = l->is_cut && !link->is_cut, begins = !l->is_cut && link->is_cut;
	uint64_t since = l->cut_at_ms;

	*l = *link;
	l->cut_at_ms = begins ? n->timeline->now_ms : since;
	if (heals)
		resume_link(n, from, to, n->timeline->now_ms - since < NET_PATIENCE_MS);
}

void net_cut(struct net *n, unsigned from, unsigned to, bool cut)
{
	struct link link = *net_link(n, from, to);

	link.is_cut = cut;
	net_set_link(n, from, to, &link);
}

void net_listen(struct net *n, unsigned node, bool listens)
{
	n->hosts[node].listens = listens;
	n->hosts[node].has_power |= listens;
}

void net_drop_node(struct net *n, unsigned node, bool power)
{
	n->hosts[node].listens = false;
	n->hosts[node].has_power = !power;
	for (size_t i = 0; i < n->conn_count; i++)
		for (int side = 0; side < 2; side++) {
			struct conn *c = n->conns[i];

			if (!c || c->ends[side].node != node || c->ends[side].state == END_GONE)
				continue;
			if (!power)
				send_reset(n, c, 1 - side, "connection reset");
			end_gone(n, c, side);
		}
}

void net_reset_any(struct net *n)
{
	size_t live = 0, pick;

	for (size_t i = 0; i < n->conn_count; i++)
		live += n->conns[i] != NULL;
	if (live == 0)
		return;
	pick = prng_below(&n->dice, live);
	for (size_t i = 0; i < n->conn_count; i++) {
		struct conn *c = n->conns[i];

		if (!c || pick-- > 0)
			continue;
		send_reset(n, c, 0, "connection reset");
		send_reset(n, c, 1, "connection reset");
		return;
	}
}

void net_stranger(struct net *n, unsigned node, struct bytes data)
{
	struct conn *c = dial(n, NET_NOBODY, node);

	buf_append(&c->ends[0].queue, data.data, data.size);
}

void net_replay(struct net *n, unsigned node)
{
	net_stranger(n, node, buf_bytes(&n->hosts[node].heard));
}

size_t net_conn_count(const struct net *n, unsigned a, unsigned b)
{
	size_t count = 0;

	for (size_t i = 0; i < n->conn_count; i++) {
		const struct conn *c = n->conns[i];

		if (!c || c->ends[0].state != END_OPEN || c->ends[1].state != END_OPEN)
			continue;
		for (int side = 0; side < 2; side++)
			count += c->ends[side].node == a &&
				 (b == NET_NOBODY || c->ends[1 - side].node == b);
	}
	return count;
}

const struct net_stats *net_stats(const struct net *n)
{
	return &n->stats;
}
