#include "sync/transport_stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* nng tries one address only of those that a name has: try the families in turn. */
static const char *const schemes_of_a_name[] = { "tcp4", "tcp6", NULL };
static const char *const schemes_of_an_address[] = { "tcp", NULL };

/* A callback runs on a thread of nng: it must not block, nor change the stream. */
static void post(void *mail)
{
	struct mail *m = mail;
	struct stream *s = m->owner;

	mailbox_post(&s->hub->mailbox, m);
}

static void unsettle(struct stream *s)
{
	if (s->is_unsettled)
		return;
	s->is_unsettled = true;
	s->next_unsettled = s->hub->unsettled;
	s->hub->unsettled = s;
}

/* Stop everything; what is out comes home with an error. Idempotent. */
static void shut(struct stream *s, const char *reason)
{
	if (s->state == STREAM_CLOSING)
		return;
	s->state = STREAM_CLOSING;
	s->reason = reason;
	if (s->dialer)
		nng_stream_dialer_close(s->dialer);
	if (s->nng)
		nng_stream_close(s->nng);
	nng_aio_cancel(s->send_aio); /* a linger is not the stream's */
	unsettle(s);
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

/* Who fills the buffer gets a larger one: those who only knock cost little. */
static bool size_buffer(struct stream *s)
{
	size_t cap = s->recv_cap ? s->recv_cap : TRANSPORT_RECV_BYTES_MIN;
	uint8_t *buffer;

	if (s->recv_count == s->recv_cap && s->recv_cap && !s->is_disowned)
		cap *= 2;
	if (cap > TRANSPORT_RECV_BYTES)
		cap = TRANSPORT_RECV_BYTES;
	if (cap == s->recv_cap)
		return true;
	buffer = malloc(cap); /* nothing of the old one is wanted any more */
	if (!buffer)
		return s->recv_cap > 0;
	free(s->recv_buffer);
	s->recv_buffer = buffer;
	s->recv_cap = cap;
	return true;
}

static void receive(struct stream *s)
{
	nng_iov iov;

	if (!size_buffer(s)) {
		shut(s, reason_of(NNG_ENOMEM));
		return;
	}
	iov = (nng_iov){ .iov_buf = s->recv_buffer, .iov_len = s->recv_cap };
	if (nng_aio_set_iov(s->recv_aio, 1, &iov) != 0) {
		shut(s, reason_of(NNG_ENOMEM));
		return;
	}
	s->is_receiving = true;
	nng_stream_recv(s->nng, s->recv_aio);
}

static void open_received(void *owner)
{
	struct stream *s = owner;
	int error = nng_aio_result(s->recv_aio);
	struct bytes data = bytes_of(s->recv_buffer, nng_aio_count(s->recv_aio));

	s->is_receiving = false;
	s->recv_count = data.size;
	unsettle(s);
	if (s->state == STREAM_CLOSING)
		return;
	if (error) {
		shut(s, reason_of(error));
		return;
	}
	if (!s->is_disowned)
		s->hub->events.received(s->hub->events.ctx, s->id, data);
}

static void send_flight(struct stream *s)
{
	nng_iov iov = { .iov_buf = s->flight.data + s->flight_sent,
			.iov_len = s->flight.size - s->flight_sent };

	if (nng_aio_set_iov(s->send_aio, 1, &iov) != 0) {
		shut(s, reason_of(NNG_ENOMEM));
		return;
	}
	nng_aio_set_timeout(s->send_aio, TRANSPORT_SEND_MS);
	s->is_sending = true;
	nng_stream_send(s->nng, s->send_aio);
}

static void open_sent(void *owner)
{
	struct stream *s = owner;
	int error = nng_aio_result(s->send_aio);
	size_t size = nng_aio_count(s->send_aio);

	s->is_sending = false;
	unsettle(s);
	if (s->state == STREAM_CLOSING)
		return;
	if (s->state == STREAM_LINGERING || error == NNG_ETIMEDOUT) {
		shut(s, reason_of(error));
	} else if (error) {
		/* The peer has gone. Receiving will end too, after its last words. */
		s->is_mute = true;
		buf_clear(&s->queue);
		buf_clear(&s->flight);
		s->flight_sent = 0;
	} else {
		s->flight_sent += size;
		if (!s->is_disowned)
			s->hub->events.sent(s->hub->events.ctx, s->id, size);
	}
}

static void begin(struct stream *s, nng_stream *nng)
{
	s->nng = nng;
	s->state = STREAM_OPEN;
	s->recv_mail.open = open_received;
	nng_aio_set_timeout(s->recv_aio, NNG_DURATION_INFINITE);
	unsettle(s);
}

static int dial(struct stream *s);

static void open_dialled(void *owner)
{
	struct stream *s = owner;
	int error = nng_aio_result(s->recv_aio);
	nng_stream *nng = error ? NULL : nng_aio_get_output(s->recv_aio, 0);

	s->is_receiving = false;
	unsettle(s);
	if (s->state == STREAM_CLOSING) {
		nng_stream_free(nng);
		return;
	}
	if (error && s->scheme[1]) {
		s->scheme++;
		error = dial(s);
		if (!error)
			return;
	}
	if (error) {
		shut(s, reason_of(error));
		return;
	}
	nng_stream_dialer_free(s->dialer);
	s->dialer = NULL;
	begin(s, nng);
	s->hub->events.connected(s->hub->events.ctx, s->id);
}

static struct stream *stream_new(struct stream_hub *hub, struct conn_id id)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->hub = hub;
	s->id = id;
	s->send_mail = (struct mail){ .open = open_sent, .owner = s };
	s->recv_mail = (struct mail){ .open = open_dialled, .owner = s };
	if (nng_aio_alloc(&s->recv_aio, post, &s->recv_mail) != 0 ||
	    nng_aio_alloc(&s->send_aio, post, &s->send_mail) != 0) {
		stream_free(s);
		return NULL;
	}
	return s;
}

static int dial(struct stream *s)
{
	char url[ADDRESS_URL_MAX];
	int error;

	address_url(&s->address, *s->scheme, url);
	nng_stream_dialer_free(s->dialer);
	s->dialer = NULL;
	error = nng_stream_dialer_alloc(&s->dialer, url);
	if (!error)
		error = nng_stream_dialer_set_bool(s->dialer, NNG_OPT_TCP_NODELAY, true);
	if (error)
		return error;
	nng_aio_set_timeout(s->recv_aio, TRANSPORT_DIAL_MS);
	s->is_receiving = true;
	nng_stream_dialer_dial(s->dialer, s->recv_aio);
	return 0;
}

enum err stream_dial(struct stream **out, struct stream_hub *hub, struct conn_id id,
		     const char *address, struct errmsg *msg)
{
	struct address parsed;
	struct stream *s;
	enum err rc = address_parse(&parsed, address, msg);
	int error;

	if (rc)
		return rc;
	s = stream_new(hub, id);
	if (!s)
		return errmsg_set(msg, ERR_NOMEM, "dial %s: out of memory", address);
	s->address = parsed;
	s->scheme = parsed.kind == HOST_NAME ? schemes_of_a_name : schemes_of_an_address;
	s->state = STREAM_DIALLING;
	error = dial(s);
	if (error) {
		stream_free(s);
		return errmsg_set(msg, ERR_IO, "dial %s: %s", address, nng_strerror(error));
	}
	*out = s;
	return OK;
}

enum err stream_accept(struct stream **out, struct stream_hub *hub, struct conn_id id,
		       nng_stream *nng, struct errmsg *msg)
{
	struct stream *s = stream_new(hub, id);

	if (!s)
		return errmsg_set(msg, ERR_NOMEM, "accept: out of memory");
	s->is_accepted = true;
	begin(s, nng);
	*out = s;
	return OK;
}

void stream_peer_text(const struct stream *s, char out[STREAM_PEER_TEXT_MAX])
{
	static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char host[INET6_ADDRSTRLEN] = "";
	const uint8_t *ipv4 = NULL;
	nng_sockaddr sa;

	if (nng_stream_get_addr(s->nng, NNG_OPT_REMADDR, &sa) != 0) {
		snprintf(out, STREAM_PEER_TEXT_MAX, "?"); /* gone already */
		return;
	}
	if (sa.s_family == NNG_AF_INET)
		ipv4 = (const uint8_t *)&sa.s_in.sa_addr;
	else if (memcmp(sa.s_in6.sa_addr, mapped, sizeof(mapped)) == 0)
		ipv4 = sa.s_in6.sa_addr + sizeof(mapped);

	if (ipv4) {
		inet_ntop(AF_INET, ipv4, host, sizeof(host));
		snprintf(out, STREAM_PEER_TEXT_MAX, "%s:%u", host, ntohs(sa.s_in.sa_port));
	} else {
		inet_ntop(AF_INET6, sa.s_in6.sa_addr, host, sizeof(host));
		snprintf(out, STREAM_PEER_TEXT_MAX, "[%s]:%u", host, ntohs(sa.s_in6.sa_port));
	}
}

void stream_send(struct stream *s, struct bytes data)
{
	if (s->is_mute || (s->state != STREAM_OPEN && s->state != STREAM_DIALLING))
		return;
	buf_append(&s->queue, data.data, data.size);
	if (buf_check(&s->queue))
		shut(s, reason_of(NNG_ENOMEM));
	unsettle(s);
}

void stream_close(struct stream *s, bool flush)
{
	s->is_disowned = true;
	if (s->state == STREAM_CLOSING)
		return;
	if (flush && s->state == STREAM_OPEN)
		s->state = STREAM_FLUSHING;
	else
		shut(s, NULL);
	unsettle(s);
}

bool stream_is_lingering(const struct stream *s)
{
	return s->state == STREAM_FLUSHING || s->state == STREAM_LINGERING;
}

void stream_hurry(struct stream *s)
{
	shut(s, NULL);
}

/* Put what was queued in the air, all in one piece. */
static void take_off(struct stream *s)
{
	struct buf landed = s->flight;

	s->flight = s->queue;
	s->flight_sent = 0;
	s->queue = landed;
	if (s->queue.cap > TRANSPORT_KEPT_BYTES)
		buf_release(&s->queue);
	buf_clear(&s->queue);
}

static void settle_open(struct stream *s)
{
	if (!s->is_receiving)
		receive(s);
	if (s->is_sending || s->state == STREAM_LINGERING)
		return;
	if (s->flight_sent == s->flight.size)
		take_off(s);
	if (s->flight.size) {
		send_flight(s);
	} else if (s->state == STREAM_FLUSHING) {
		s->state = STREAM_LINGERING;
		s->is_sending = true;
		nng_sleep_aio(TRANSPORT_LINGER_MS, s->send_aio);
	}
}

bool stream_settle(struct stream *s)
{
	if (s->state != STREAM_DIALLING && s->state != STREAM_CLOSING)
		settle_open(s);
	if (s->state != STREAM_CLOSING || s->is_receiving || s->is_sending)
		return false;
	if (!s->is_disowned)
		s->hub->events.closed(s->hub->events.ctx, s->id, s->reason);
	s->is_disowned = true;
	return true;
}

void stream_stop(struct stream *s)
{
	if (s->dialer)
		nng_stream_dialer_close(s->dialer);
	if (s->nng)
		nng_stream_close(s->nng);
	/* For what is out, and for the tail of a callback that has posted. */
	nng_aio_stop(s->recv_aio);
	nng_aio_stop(s->send_aio);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	stream_stop(s);
	/* A dial that succeeded and nobody heard of. */
	if (s->is_receiving && !s->nng && nng_aio_result(s->recv_aio) == 0)
		s->nng = nng_aio_get_output(s->recv_aio, 0);
	nng_stream_dialer_free(s->dialer);
	nng_stream_free(s->nng);
	nng_aio_free(s->recv_aio);
	nng_aio_free(s->send_aio);
	free(s->recv_buffer);
	buf_release(&s->queue);
	buf_release(&s->flight);
	free(s);
}
