#include "sync/transport.h"

#include <stdio.h>
#include <stdlib.h>

#include "sync/transport_stream.h"

struct listener {
	struct transport *transport;
	nng_stream_listener *nng;
	nng_aio *aio;
	struct mail mail;
	bool is_pausing; /* the operation that is out is a pause */
	bool is_out;
};

struct transport {
	struct stream_hub hub;
	struct stream *streams[TRANSPORT_CONNS_MAX];
	size_t stream_count;
	size_t accepted_count;
	uint64_t generation; /* makes the ids of a slot differ */
	struct listener listeners[TRANSPORT_LISTENERS_MAX];
	size_t listener_count;
};

/* ---- The table of streams ------------------------------------------------ */

static bool has_room(const struct transport *t)
{
	return t->stream_count < TRANSPORT_CONNS_MAX;
}

/* The id of the next stream, whose slot is free. */
static struct conn_id next_id(struct transport *t)
{
	size_t slot = 0;

	while (t->streams[slot])
		slot++;
	t->generation++;
	return (struct conn_id){ t->generation * TRANSPORT_CONNS_MAX + slot };
}

static struct stream **slot_of(struct transport *t, struct conn_id id)
{
	return &t->streams[id.id % TRANSPORT_CONNS_MAX];
}

static void add(struct transport *t, struct stream *s)
{
	*slot_of(t, s->id) = s;
	t->stream_count++;
	t->accepted_count += s->is_accepted;
}

static void remove_and_free(struct transport *t, struct stream *s)
{
	*slot_of(t, s->id) = NULL;
	t->stream_count--;
	t->accepted_count -= s->is_accepted;
	stream_free(s);
}

/* NULL when it has ended, as the owner may not know yet. */
static struct stream *find(struct transport *t, struct conn_id id)
{
	struct stream *s = *slot_of(t, id);

	return s && s->id.id == id.id ? s : NULL;
}

/* ---- Accepting ----------------------------------------------------------- */

static void post(void *mail)
{
	struct mail *m = mail;
	struct listener *l = m->owner;

	mailbox_post(&l->transport->hub.mailbox, m);
}

static void accept_or_pause(struct listener *l, bool pause)
{
	l->is_out = true;
	l->is_pausing = pause;
	if (pause)
		nng_sleep_aio(TRANSPORT_ACCEPT_PAUSE_MS, l->aio);
	else
		nng_stream_listener_accept(l->nng, l->aio);
}

/* Who is refused may linger to read why, but must not keep others out by it. */
static void hurry_oldest(struct transport *t)
{
	struct stream *oldest = NULL;

	for (size_t i = 0; i < TRANSPORT_CONNS_MAX; i++) {
		struct stream *s = t->streams[i];

		if (s && stream_is_lingering(s) && (!oldest || s->id.id < oldest->id.id))
			oldest = s;
	}
	if (oldest)
		stream_hurry(oldest);
}

static void take_in(struct transport *t, nng_stream *nng)
{
	const struct transport_events *events = &t->hub.events;
	char from[STREAM_PEER_TEXT_MAX];
	struct errmsg why;
	struct stream *s;

	if (t->accepted_count >= TRANSPORT_CROWDED)
		hurry_oldest(t);
	if (!has_room(t)) { /* several listeners, one place */
		nng_stream_free(nng);
		return;
	}
	if (stream_accept(&s, &t->hub, next_id(t), nng, &why) != OK) {
		nng_stream_free(nng);
		events->trouble(events->ctx, why.text);
		return;
	}
	add(t, s);
	stream_peer_text(s, from);
	events->accepted(events->ctx, s->id, from);
}

static void open_accepted(void *owner)
{
	struct listener *l = owner;
	struct transport *t = l->transport;
	const struct transport_events *events = &t->hub.events;
	int error = nng_aio_result(l->aio);
	bool is_full;

	l->is_out = false;
	if (!l->is_pausing && error)
		events->trouble(events->ctx, nng_strerror(error));
	else if (!l->is_pausing)
		take_in(t, nng_aio_get_output(l->aio, 0));

	is_full = t->accepted_count >= TRANSPORT_ACCEPTED_MAX || !has_room(t);
	if (is_full && !l->is_pausing)
		events->trouble(events->ctx, "too many connections, accepting waits");
	accept_or_pause(l, is_full || (error && !l->is_pausing));
}

static int listen_on(struct listener *l, const struct address *a, int *port)
{
	char url[ADDRESS_URL_MAX];
	int error;

	address_url(a, "tcp", url);
	error = nng_stream_listener_alloc(&l->nng, url);
	if (!error)
		error = nng_stream_listener_set_bool(l->nng, NNG_OPT_TCP_NODELAY, true);
	if (!error)
		error = nng_stream_listener_listen(l->nng);
	if (!error)
		error = nng_stream_listener_get_int(l->nng, NNG_OPT_TCP_BOUND_PORT, port);
	if (error) {
		nng_stream_listener_free(l->nng);
		l->nng = NULL;
	}
	return error;
}

static int start_listening(struct listener *l, const struct address *a, int *port)
{
	/* On Linux this takes IPv4 too; where there is no IPv6, it fails. */
	struct address any = { .kind = HOST_IPV6, .host = "::", .port = a->port };
	int error = nng_aio_alloc(&l->aio, post, &l->mail);

	if (error)
		return error;
	if (a->kind == HOST_ANY && listen_on(l, &any, port) == 0)
		return 0;
	return listen_on(l, a, port);
}

static void listener_stop(struct listener *l)
{
	if (l->nng)
		nng_stream_listener_close(l->nng);
	if (l->aio)
		nng_aio_stop(l->aio);
}

static void listener_release(struct listener *l)
{
	listener_stop(l);
	/* A peer that came and nobody heard of. */
	if (l->is_out && !l->is_pausing && nng_aio_result(l->aio) == 0)
		nng_stream_free(nng_aio_get_output(l->aio, 0));
	nng_stream_listener_free(l->nng);
	nng_aio_free(l->aio);
	*l = (struct listener){ 0 };
}

enum err transport_listen(struct transport *t, const char *address, uint16_t *port,
			  struct errmsg *msg)
{
	struct listener *l;
	struct address a;
	int bound_port;
	int error;
	enum err rc = address_parse_listen(&a, address, msg);

	if (rc)
		return rc;
	if (t->listener_count == TRANSPORT_LISTENERS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "listen on %s: more than %d addresses", address,
				  TRANSPORT_LISTENERS_MAX);
	l = &t->listeners[t->listener_count];
	l->transport = t;
	l->mail = (struct mail){ .open = open_accepted, .owner = l };
	error = start_listening(l, &a, &bound_port);
	if (error) {
		listener_release(l);
		return errmsg_set(msg, ERR_IO, "listen on %s: %s", address, nng_strerror(error));
	}
	t->listener_count++;
	accept_or_pause(l, false);
	if (port)
		*port = (uint16_t)bound_port;
	return OK;
}

/* ---- The port ------------------------------------------------------------ */

static enum err port_dial(void *ctx, const char *address, struct conn_id *out, struct errmsg *msg)
{
	struct transport *t = ctx;
	struct stream *s;
	enum err rc;

	if (!has_room(t))
		return errmsg_set(msg, ERR_LIMIT, "dial %s: more than %d connections", address,
				  TRANSPORT_CONNS_MAX);
	rc = stream_dial(&s, &t->hub, next_id(t), address, msg);
	if (rc)
		return rc;
	add(t, s);
	*out = s->id;
	return OK;
}

static void port_send(void *ctx, struct conn_id id, struct bytes data)
{
	struct stream *s = find(ctx, id);

	if (s)
		stream_send(s, data);
}

static void port_close(void *ctx, struct conn_id id, bool flush)
{
	struct stream *s = find(ctx, id);

	if (s)
		stream_close(s, flush);
}

struct port transport_port(struct transport *t)
{
	return (struct port){ .ctx = t, .dial = port_dial, .send = port_send, .close = port_close };
}

/* ---- Turns --------------------------------------------------------------- */

int transport_fd(const struct transport *t)
{
	return t->hub.mailbox.fd;
}

bool transport_turn(struct transport *t, size_t count_max)
{
	struct mail *mail;

	while (count_max-- && (mail = mailbox_take(&t->hub.mailbox)))
		mail->open(mail->owner);
	return mailbox_has_taken(&t->hub.mailbox);
}

void transport_flush(struct transport *t)
{
	struct stream *s;

	/* The owner's answer to a closed connection may make others unsettled. */
	while ((s = t->hub.unsettled)) {
		t->hub.unsettled = s->next_unsettled;
		s->is_unsettled = false;
		if (stream_settle(s))
			remove_and_free(t, s);
	}
}

size_t transport_conn_count(const struct transport *t)
{
	return t->stream_count;
}

enum err transport_new(struct transport **out, const struct transport_events *events,
		       struct errmsg *msg)
{
	struct transport *t = calloc(1, sizeof(*t));
	enum err rc;

	if (!t)
		return errmsg_set(msg, ERR_NOMEM, "transport: out of memory");
	rc = mailbox_init(&t->hub.mailbox, msg);
	if (rc) {
		free(t);
		return rc;
	}
	t->hub.events = *events;
	*out = t;
	return OK;
}

void transport_free(struct transport *t)
{
	if (!t)
		return;
	/* No mail is freed before the last one is posted: the mailbox links them. */
	for (size_t i = 0; i < t->listener_count; i++)
		listener_stop(&t->listeners[i]);
	for (size_t i = 0; i < TRANSPORT_CONNS_MAX; i++)
		if (t->streams[i])
			stream_stop(t->streams[i]);
	for (size_t i = 0; i < t->listener_count; i++)
		listener_release(&t->listeners[i]);
	for (size_t i = 0; i < TRANSPORT_CONNS_MAX; i++)
		stream_free(t->streams[i]);
	mailbox_release(&t->hub.mailbox);
	free(t);
}

void transport_library_release(void)
{
	nng_fini();
}
