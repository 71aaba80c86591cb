/* A secured link: one connection from its first byte to its end. Bytes in,
 * messages out.
 *
 *   PREAMBLE --> HANDSHAKE --> DECIDE --> CHANNEL --> (end)
 *
 * In DECIDE the handshake has told who or what the peer is, and the owner says
 * whether it goes on. No application byte is taken or sent before that. */
#ifndef HT_SYNC_LINK_H
#define HT_SYNC_LINK_H

#include "core/dice.h"
#include "proto/channel.h"
#include "proto/noise.h"
#include "proto/preamble.h"

struct link_config {
	bool is_dialler;
	const uint8_t *org;                     /* ORG_ID_BYTES */
	const struct noise_keypair *static_key; /* borrowed while the link lives */
	const struct dice *dice;                /* likewise */
	/* The dialler's; a listener serves what the dialler asks for. */
	enum preamble_purpose purpose;
	/* A dialler for enrolment: from the ticket. */
	const uint8_t *remote_key;
	const uint8_t *psk;
	struct bytes ticket_id;
};

enum link_stage { LINK_PREAMBLE, LINK_HANDSHAKE, LINK_DECIDE, LINK_CHANNEL };

struct link {
	bool is_dialler;
	uint8_t org[ORG_ID_BYTES];
	const struct noise_keypair *static_key;
	const struct dice *dice;
	enum link_stage stage;
	struct preamble preamble; /* ours, with the purpose that both agree on */
	struct preamble_reader preamble_reader;
	struct frame_reader frames; /* of the handshake */
	struct noise noise;
	struct channel channel;
	struct buf payload; /* of the handshake message read last */
	struct buf out;     /* to be sent, in this order; the owner consumes it */
};

enum link_event {
	LINK_NEEDS_INPUT, /* the input is used up */
	LINK_KEY,         /* sync: the peer's key is proved; link_accept() or give up */
	LINK_TICKET,      /* enrolment: *message is a ticket's id and the proof of its secret;
			   * link_use_psk() or give up */
	LINK_OPEN,        /* the enrolling dialler only: messages may be sent */
	LINK_MESSAGE,
	LINK_END, /* the peer has said all */
};

/* A dialler's link has something to send at once. ERR_HANDSHAKE (a bad key in a
 * ticket), ERR_NOMEM: the link is released. */
MUST_CHECK enum err link_init(struct link *l, const struct link_config *config);
void link_release(struct link *l); /* wipes */

/* Take the next event from the front of `input`. *message is borrowed until the
 * next call. After an error the link can only be released, or say why and end
 * when it is open:
 * ERR_FORMAT, ERR_VERSION, ERR_ORG, ERR_PROTOCOL, ERR_LIMIT, ERR_HANDSHAKE,
 * ERR_CLOSED (bytes after the end), ERR_NOMEM. */
MUST_CHECK enum err link_read(struct link *l, struct bytes *input, enum link_event *event,
			      struct bytes *message, struct errmsg *msg);

/* Go on after LINK_KEY, LINK_TICKET: the link is open then. */
MUST_CHECK enum err link_accept(struct link *l);
MUST_CHECK enum err link_use_psk(struct link *l, const uint8_t psk[NOISE_PSK_BYTES]);

bool link_is_open(const struct link *l);
/* NULL before the handshake has told. Borrowed from the link. */
const uint8_t *link_remote_key(const struct link *l);
const uint8_t *link_handshake_hash(const struct link *l); /* asserts that it is open */
/* Frames of the peer that have opened so far. */
uint64_t link_frames_opened(const struct link *l);

/* Receive no greater messages than that from now on. Asserts that the link is open. */
void link_limit(struct link *l, size_t message_bytes_max);

/* Queue a message, or the end. Assert that the link is open and not ended. */
MUST_CHECK enum err link_send(struct link *l, struct bytes message);
MUST_CHECK enum err link_end(struct link *l);

#endif
