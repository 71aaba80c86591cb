/* The transport: struct port of sync/port.h over TCP, by nng's byte streams.
 *
 * nng's threads only post mails that an operation has ended; everything else
 * happens on the caller's thread, inside the functions below. A turn of the
 * caller's loop:
 *
 *   poll(transport_fd) -> transport_turn (events) -> ... -> transport_flush (sends)
 *
 * Bounded: a connection has one receive buffer, and is not read again before
 * its bytes were handed on; so a slow reader slows its peers down by TCP. What
 * was queued for sending is bounded by whoever queues it. */
#ifndef HT_SYNC_TRANSPORT_H
#define HT_SYNC_TRANSPORT_H

#include "sync/port.h"

enum {
	TRANSPORT_CONNS_MAX = 1024,   /* dialled ones included; beyond, accepting waits */
	TRANSPORT_ACCEPTED_MAX = 768, /* the rest is kept for dialling */
	TRANSPORT_CROWDED = 704,      /* accepted ones from which on nobody may linger */
	TRANSPORT_LISTENERS_MAX = 8,
	TRANSPORT_RECV_BYTES_MIN = 4 << 10, /* the receive buffer at first, */
	TRANSPORT_RECV_BYTES = 256 << 10,   /* and of one that was always full */
	TRANSPORT_KEPT_BYTES = 256 << 10,   /* of an idle connection's send queue */
	TRANSPORT_DIAL_MS = 15000,          /* for each address family tried */
	TRANSPORT_SEND_MS = 60000,       /* without any progress; then the peer is taken for dead */
	TRANSPORT_LINGER_MS = 1000,      /* after a flushing close, for the peer to close too */
	TRANSPORT_ACCEPT_PAUSE_MS = 100, /* after an error, e.g. no file descriptors */
};

struct transport;

/* What comes of it, from transport_turn() and transport_flush() only. Any call on
 * the port is allowed inside. Borrowed arguments live for the call. */
struct transport_events {
	void *ctx;
	void (*accepted)(void *ctx, struct conn_id conn, const char *from);
	void (*connected)(void *ctx, struct conn_id conn);
	void (*received)(void *ctx, struct conn_id conn, struct bytes data);
	void (*sent)(void *ctx, struct conn_id conn, size_t bytes);
	/* Not after the port's close(). The last event of a connection. */
	void (*closed)(void *ctx, struct conn_id conn, const char *reason);
	/* Accepting failed or had to wait; it goes on by itself. For the log. */
	void (*trouble)(void *ctx, const char *what);
};

/* Signals that the caller wants for itself must be blocked before the first of
 * these: nng's threads inherit the mask. */
MUST_CHECK enum err transport_new(struct transport **out, const struct transport_events *events,
				  struct errmsg *msg);
/* NULL-safe. Closes everything at once, without events; waits for nng's threads. */
void transport_free(struct transport *t);

/* Accept on "host:port" ("*:7420", "[::1]:0"). *port (may be NULL) is the bound
 * one. ERR_INVALID, ERR_LIMIT, ERR_IO (in use, not ours). */
MUST_CHECK enum err transport_listen(struct transport *t, const char *address, uint16_t *port,
				     struct errmsg *msg);

/* The engine's view; valid as long as the transport. */
struct port transport_port(struct transport *t);

/* Readable when transport_turn() has something to do. */
int transport_fd(const struct transport *t);

/* Hand out at most `count_max` things that happened. True: there are more now. */
bool transport_turn(struct transport *t, size_t count_max);

/* Start what was asked for since the last call: what was queued for one
 * connection leaves in one piece. At the end of a turn. */
void transport_flush(struct transport *t);

/* Connections that exist, those that are closing included. */
size_t transport_conn_count(const struct transport *t);

/* End nng's threads once all transports of the process are freed, at its end. */
void transport_library_release(void);

#endif
