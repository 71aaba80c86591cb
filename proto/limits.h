/* Every limit of the bytes between peers, in one place. docs/PROTOCOL.md states
 * the same figures; what is over a limit is refused with ERR_LIMIT. */
#ifndef HT_PROTO_LIMITS_H
#define HT_PROTO_LIMITS_H

#include "core/limits.h"

enum proto_limit {
	/* A frame without its two length bytes: what u16 can say, and what the
	 * Noise specification allows a message. */
	FRAME_BYTES_MAX = 65535,
	/* A frame of a peer that has not proved who it is: the longest handshake
	 * message is 96 bytes without its payload. It bounds what a stranger can
	 * make us hold. */
	HANDSHAKE_FRAME_BYTES_MAX = 1024,
	/* An application message, put together from its frames. */
	PROTO_MESSAGE_BYTES_MAX = 8 << 20,
	/* What a channel keeps allocated between two messages; a larger buffer is
	 * given back, so that one large message does not cost memory for good. */
	CHANNEL_KEPT_BYTES_MAX = 1 << 20,
	/* Frames and frame bytes that one key of a channel protects; whichever
	 * comes first, and the key is replaced. */
	REKEY_FRAMES = 1 << 16,
	REKEY_BYTES = 1 << 30,
};

enum message_limit {
	/* Entries of a version vector: there are no more replicas than statements. */
	HAVE_ENTRIES_MAX = STATEMENTS_MAX,
	/* Changesets of one CHANGES, and the bytes (bodies and signatures) at which
	 * a sender closes it: what a receiver applies in one transaction. The last
	 * changeset may exceed that by its own size. */
	CHANGES_COUNT_MAX = 2000,
	CHANGES_BYTES_CLOSE = 256 << 10,
	CHANGES_BYTES_MAX = 2 << 20, /* of the whole message */
	/* Statements of one STATEMENTS, and the bytes at which a sender closes it;
	 * the last one may exceed that by its own size. */
	STATEMENTS_COUNT_MAX = 1024,
	STATEMENTS_BYTES_CLOSE = 32 << 10,
	STATEMENTS_BYTES_MAX = 320 << 10, /* of the whole message */
	/* One message, and all together, of a peer whose key is not known: it may show
	 * by statements that it is a member. The second is the greatest organisation
	 * several times over. */
	STRANGER_MESSAGE_BYTES_MAX = STATEMENTS_BYTES_MAX,
	STRANGER_BYTES_MAX = 16 << 20,
	/* CHANGES that the peer has not acknowledged yet. They bound what a session
	 * keeps in flight, whatever the backlog. */
	WINDOW_BYTES = 1 << 20,
	WINDOW_COUNT = 64,
	/* Said and not yet taken by the link. Answers to one who asks and does not
	 * read, or who asks for everything at once, must end somewhere; vectors of
	 * the greatest organisation fit. */
	OUTGOING_BYTES_MAX = 32 << 20,
	VERSION_TEXT_MAX = 64,
	REASON_NAME_MAX = 32,  /* of BYE */
	REASON_TEXT_MAX = 512, /* of BYE; core/err.h cuts there too */
};

#endif
