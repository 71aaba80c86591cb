#include "sync/transport_conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* nng tries one address only of those that a name has: try the families in turn. */
static const char *const schemes_of_a_name[] = { "tcp4", "tcp6", NULL };
static const char *const schemes_of_an_address[] = { "tcp", NULL };

/* A callback runs on a thread of nng: it must not block, nor touch the connection. */
static void post(void *mail)
{
	struct mail *m = mail;
	struct conn *c = m->owner;

	mailbox_post(&c->hub->mailbox, m);
}

static void unsettle(struct conn *c)
{
	if (c->is_unsettled)
		return;
	c->is_unsettled = true;
	c->next_unsettled = c->hub->unsettled;
	c->hub->unsettled = c;
}

/* Stop everything; what is out comes home with an error. Idempotent. */
static void shut(struct conn *c, const char *reason)
{
	if (c->state == CONN_CLOSING)
		return;
	c->state = CONN_CLOSING;
	c->reason = reason;
	if (c->dialer)
		nng_stream_dialer_close(c->dialer);
	if (c->stream)
		nng_stream_close(c->stream);
	nng_aio_cancel(c->send_aio); /* a linger is not the stream's */
	unsettle(c);
}

static const char *reason_of(int error)
{
	switch (error) {
	case NNG_ECONNSHUT:
	case NNG_ECLOSED: return "closed by the peer";
	case NNG_EADDRINVAL: return "no such host or address";
	default: return nng_strerror(error);
	}
}

static void receive(struct conn *c)
{
	nng_iov iov = { .iov_buf = c->recv_buffer, .iov_len = TRANSPORT_RECV_BYTES };

	if (nng_aio_set_iov(c->recv_aio, 1, &iov) != 0) {
		shut(c, reason_of(NNG_ENOMEM));
		return;
	}
	c->is_receiving = true;
	nng_stream_recv(c->stream, c->recv_aio);
}

static void open_received(void *owner)
{
	struct conn *c = owner;
	int error = nng_aio_result(c->recv_aio);
	struct bytes data = bytes_of(c->recv_buffer, nng_aio_count(c->recv_aio));

	c->is_receiving = false;
	unsettle(c);
	if (c->state == CONN_CLOSING)
		return;
	if (error) {
		shut(c, reason_of(error));
		return;
	}
	if (!c->is_disowned)
		c->hub->events.received(c->hub->events.ctx, c->id, data);
}

static void send_flight(struct conn *c)
{
	nng_iov iov = { .iov_buf = c->flight.data + c->flight_sent,
			.iov_len = c->flight.size - c->flight_sent };

	if (nng_aio_set_iov(c->send_aio, 1, &iov) != 0) {
		shut(c, reason_of(NNG_ENOMEM));
		return;
	}
	nng_aio_set_timeout(c->send_aio, TRANSPORT_SEND_MS);
	c->is_sending = true;
	nng_stream_send(c->stream, c->send_aio);
}

static void open_sent(void *owner)
{
	struct conn *c = owner;
	int error = nng_aio_result(c->send_aio);
	size_t size = nng_aio_count(c->send_aio);

	c->is_sending = false;
	unsettle(c);
	if (c->state == CONN_CLOSING)
		return;
	if (c->state == CONN_LINGERING || error == NNG_ETIMEDOUT) {
		shut(c, reason_of(error));
	} else if (error) {
		/* The peer has gone. Receiving will end too, after its last words. */
		c->is_mute = true;
		buf_clear(&c->queue);
		buf_clear(&c->flight);
		c->flight_sent = 0;
	} else {
		c->flight_sent += size;
		if (!c->is_disowned)
			c->hub->events.sent(c->hub->events.ctx, c->id, size);
	}
}

static void begin_stream(struct conn *c, nng_stream *stream)
{
	c->stream = stream;
	c->state = CONN_OPEN;
	c->recv_mail.open = open_received;
	nng_aio_set_timeout(c->recv_aio, NNG_DURATION_INFINITE);
	unsettle(c);
}

static int dial(struct conn *c);

static void open_dialled(void *owner)
{
	struct conn *c = owner;
	int error = nng_aio_result(c->recv_aio);
	nng_stream *stream = error ? NULL : nng_aio_get_output(c->recv_aio, 0);

	c->is_receiving = false;
	unsettle(c);
	if (c->state == CONN_CLOSING) {
		nng_stream_free(stream);
		return;
	}
	if (error && c->scheme[1]) {
		c->scheme++;
		error = dial(c);
		if (!error)
			return;
	}
	if (error) {
		shut(c, reason_of(error));
		return;
	}
	nng_stream_dialer_free(c->dialer);
	c->dialer = NULL;
	begin_stream(c, stream);
	c->hub->events.connected(c->hub->events.ctx, c->id);
}

static struct conn *conn_new(struct conn_hub *hub, struct conn_id id)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->hub = hub;
	c->id = id;
	c->send_mail = (struct mail){ .open = open_sent, .owner = c };
	c->recv_mail = (struct mail){ .open = open_dialled, .owner = c };
	/* Untouched pages of a large buffer cost nothing. */
	c->recv_buffer = malloc(TRANSPORT_RECV_BYTES);
	if (!c->recv_buffer || nng_aio_alloc(&c->recv_aio, post, &c->recv_mail) != 0 ||
	    nng_aio_alloc(&c->send_aio, post, &c->send_mail) != 0) {
		conn_free(c);
		return NULL;
	}
	return c;
}

static int dial(struct conn *c)
{
	char url[ADDRESS_URL_MAX];
	int error;

	address_url(&c->address, *c->scheme, url);
	nng_stream_dialer_free(c->dialer);
	c->dialer = NULL;
	error = nng_stream_dialer_alloc(&c->dialer, url);
	if (!error)
		error = nng_stream_dialer_set_bool(c->dialer, NNG_OPT_TCP_NODELAY, true);
	if (error)
		return error;
	nng_aio_set_timeout(c->recv_aio, TRANSPORT_DIAL_MS);
	c->is_receiving = true;
	nng_stream_dialer_dial(c->dialer, c->recv_aio);
	return 0;
}

enum err conn_dial(struct conn **out, struct conn_hub *hub, struct conn_id id, const char *address,
		   struct errmsg *msg)
{
	struct address parsed;
	struct conn *c;
	enum err rc = address_parse(&parsed, address, msg);
	int error;

	if (rc)
		return rc;
	c = conn_new(hub, id);
	if (!c)
		return errmsg_set(msg, ERR_NOMEM, "dial %s: out of memory", address);
	c->address = parsed;
	c->scheme = parsed.kind == HOST_NAME ? schemes_of_a_name : schemes_of_an_address;
	c->state = CONN_DIALLING;
	error = dial(c);
	if (error) {
		conn_free(c);
		return errmsg_set(msg, ERR_IO, "dial %s: %s", address, nng_strerror(error));
	}
	*out = c;
	return OK;
}

enum err conn_accept(struct conn **out, struct conn_hub *hub, struct conn_id id, nng_stream *stream,
		     struct errmsg *msg)
{
	struct conn *c = conn_new(hub, id);

	if (!c)
		return errmsg_set(msg, ERR_NOMEM, "accept: out of memory");
	c->is_accepted = true;
	begin_stream(c, stream);
	*out = c;
	return OK;
}

void conn_peer_text(const struct conn *c, char out[CONN_PEER_TEXT_MAX])
{
	static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char host[INET6_ADDRSTRLEN] = "";
	const uint8_t *ipv4 = NULL;
	nng_sockaddr sa;

	if (nng_stream_get_addr(c->stream, NNG_OPT_REMADDR, &sa) != 0) {
		snprintf(out, CONN_PEER_TEXT_MAX, "?"); /* gone already */
		return;
	}
	if (sa.s_family == NNG_AF_INET)
		ipv4 = (const uint8_t *)&sa.s_in.sa_addr;
	else if (memcmp(sa.s_in6.sa_addr, mapped, sizeof(mapped)) == 0)
		ipv4 = sa.s_in6.sa_addr + sizeof(mapped);

	if (ipv4) {
		inet_ntop(AF_INET, ipv4, host, sizeof(host));
		snprintf(out, CONN_PEER_TEXT_MAX, "%s:%u", host, ntohs(sa.s_in.sa_port));
	} else {
		inet_ntop(AF_INET6, sa.s_in6.sa_addr, host, sizeof(host));
		snprintf(out, CONN_PEER_TEXT_MAX, "[%s]:%u", host, ntohs(sa.s_in6.sa_port));
	}
}

void conn_send(struct conn *c, struct bytes data)
{
	if (c->is_mute || (c->state != CONN_OPEN && c->state != CONN_DIALLING))
		return;
	buf_append(&c->queue, data.data, data.size);
	if (buf_check(&c->queue))
		shut(c, reason_of(NNG_ENOMEM));
	unsettle(c);
}

void conn_close(struct conn *c, bool flush)
{
	c->is_disowned = true;
	if (c->state == CONN_CLOSING)
		return;
	if (flush && c->state == CONN_OPEN)
		c->state = CONN_FLUSHING;
	else
		shut(c, NULL);
	unsettle(c);
}

/* Put what was queued in the air, all in one piece. */
static void take_off(struct conn *c)
{
	struct buf landed = c->flight;

	c->flight = c->queue;
	c->flight_sent = 0;
	c->queue = landed;
	if (c->queue.cap > TRANSPORT_KEPT_BYTES)
		buf_release(&c->queue);
	buf_clear(&c->queue);
}

static void settle_open(struct conn *c)
{
	if (!c->is_receiving)
		receive(c);
	if (c->is_sending || c->state == CONN_LINGERING)
		return;
	if (c->flight_sent == c->flight.size)
		take_off(c);
	if (c->flight.size) {
		send_flight(c);
	} else if (c->state == CONN_FLUSHING) {
		c->state = CONN_LINGERING;
		c->is_sending = true;
		nng_sleep_aio(TRANSPORT_LINGER_MS, c->send_aio);
	}
}

bool conn_settle(struct conn *c)
{
	if (c->state != CONN_DIALLING && c->state != CONN_CLOSING)
		settle_open(c);
	if (c->state != CONN_CLOSING || c->is_receiving || c->is_sending)
		return false;
	if (!c->is_disowned)
		c->hub->events.closed(c->hub->events.ctx, c->id, c->reason);
	c->is_disowned = true;
	return true;
}

void conn_stop(struct conn *c)
{
	if (c->dialer)
		nng_stream_dialer_close(c->dialer);
	if (c->stream)
		nng_stream_close(c->stream);
	/* For what is out, and for the tail of a callback that has posted. */
	nng_aio_stop(c->recv_aio);
	nng_aio_stop(c->send_aio);
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	conn_stop(c);
	/* A dial that succeeded and nobody heard of. */
	if (c->is_receiving && !c->stream && nng_aio_result(c->recv_aio) == 0)
		c->stream = nng_aio_get_output(c->recv_aio, 0);
	nng_stream_dialer_free(c->dialer);
	nng_stream_free(c->stream);
	nng_aio_free(c->recv_aio);
	nng_aio_free(c->send_aio);
	free(c->recv_buffer);
	buf_release(&c->queue);
	buf_release(&c->flight);
	free(c);
}
