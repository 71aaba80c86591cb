/* One connection of the transport, over a stream of nng.
 *
 *   DIALLING --> OPEN --close(flush)--> FLUSHING --all sent--> LINGERING
 *       |          |                        |                     |
 *       +----------+-------- error, close --+-- peer closed ------+--> CLOSING
 *
 * CLOSING waits until both operations (receive or dial; send or linger) have come
 * home through the mailbox: only then may they and the stream be freed. nng does
 * not forgive an operation that is submitted again before it ended: `is_receiving`
 * and `is_sending` say which are out.
 *
 * LINGERING keeps reading: closing with unread bytes makes the kernel send a
 * reset, which would overtake our last words. */
#ifndef HT_SYNC_TRANSPORT_STREAM_H
#define HT_SYNC_TRANSPORT_STREAM_H

#include <nng/nng.h>

#include "sync/address.h"
#include "sync/transport.h"
#include "sync/transport_mailbox.h"

enum stream_state {
	STREAM_DIALLING,
	STREAM_OPEN,
	STREAM_FLUSHING,
	STREAM_LINGERING,
	STREAM_CLOSING
};

/* What the streams of a transport share. */
struct stream_hub {
	struct mailbox mailbox;
	struct transport_events events;
	struct stream *unsettled; /* stream_settle() is due */
};

struct stream {
	struct stream_hub *hub;
	struct conn_id id;
	enum stream_state state;
	bool is_accepted;
	bool is_mute;       /* sending has failed; what is queued is dropped */
	bool is_disowned;   /* closed by its owner: no more events */
	const char *reason; /* why it is closing; static */

	struct address address; /* dialled; with the scheme that is being tried */
	const char *const *scheme;
	nng_stream_dialer *dialer;

	nng_stream *nng;   /* from OPEN on */
	nng_aio *recv_aio; /* dials, then receives */
	nng_aio *send_aio; /* sends, in the end lingers */
	struct mail recv_mail;
	struct mail send_mail;
	bool is_receiving;
	bool is_sending;
	uint8_t *recv_buffer;        /* `recv_cap` bytes; NULL before the first receive */
	size_t recv_cap, recv_count; /* ... and what the last receive filled of them */
	struct buf queue;            /* to be sent after `flight` */
	struct buf flight;           /* being sent; nng reads it */
	size_t flight_sent;

	bool is_unsettled;
	struct stream *next_unsettled;
};

/* Start dialling. ERR_INVALID, ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err stream_dial(struct stream **out, struct stream_hub *hub, struct conn_id id,
				const char *address, struct errmsg *msg);

/* Take a stream that a peer opened; on failure it stays the caller's. Receiving starts
 * with the first stream_settle(), so that the owner hears of the connection first. */
MUST_CHECK enum err stream_accept(struct stream **out, struct stream_hub *hub, struct conn_id id,
				  nng_stream *nng, struct errmsg *msg);

/* The other side's address as text. */
enum { STREAM_PEER_TEXT_MAX = 64 };
void stream_peer_text(const struct stream *s, char out[STREAM_PEER_TEXT_MAX]);

void stream_send(struct stream *s, struct bytes data);

/* The owner's close: no more events. */
void stream_close(struct stream *s, bool flush);
/* Closed by the owner, and there only for the peer to read our last words. */
bool stream_is_lingering(const struct stream *s);
/* Give up what a flushing close waits for. */
void stream_hurry(struct stream *s);

/* Do what is due at the end of a turn. True: the connection has ended and can be freed. */
bool stream_settle(struct stream *s);

/* End everything at once and wait until no mail of it will be posted any more. */
void stream_stop(struct stream *s);
/* Stop and free. No mail of it may be in the mailbox. NULL-safe. */
void stream_free(struct stream *s);

#endif
