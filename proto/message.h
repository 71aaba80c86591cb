/* The messages of a channel: what two nodes say to each other once the handshake
 * has told who each is. One canonical msgpack array each, [type, field ...].
 *
 *   TRUST       1  is known, digest, [id16 ...]
 *   STATEMENTS  2  [statement ...]
 *   HELLO       3  version, org, replica, wall_ms, program, tzdata
 *   DIGESTS     4  round, flags, [space, digest ...]
 *   HAVE        5  space, flags, [replica, seq, tag ...]
 *   CHANGES     6  space, [run ...],
 *                  run = [replica, first seq, tag before, (body, signature) ...]
 *   HELD        7  space, [replica ...]
 *   ASK         8  space, replica, seq
 *   TELL        9  space, replica, seq, link before, signature before,
 *                  body or nil, signature
 *   PING       10  nonce
 *   PONG       11  nonce
 *   BYE        12  name, text
 *   ENROL      13  sign key, noise key, nonce, office name, person or nil,
 *                  address or nil, proof
 *   ENROLLED   14  sign key, replica
 *
 * docs/PROTOCOL.md says what each means and has an example of each in hex.
 * Which is legal when is the session's business (sync/session.h). Pure. */
#ifndef HT_PROTO_MESSAGE_H
#define HT_PROTO_MESSAGE_H

#include "core/arena.h"
#include "core/replica.h"
#include "core/trust.h"
#include "proto/limits.h"
#include "proto/noise.h"
#include "proto/preamble.h"

enum message_type {
	MESSAGE_TRUST = 1,
	MESSAGE_STATEMENTS,
	MESSAGE_HELLO,
	MESSAGE_DIGESTS,
	MESSAGE_HAVE,
	MESSAGE_CHANGES,
	MESSAGE_HELD,
	MESSAGE_ASK,
	MESSAGE_TELL,
	MESSAGE_PING,
	MESSAGE_PONG,
	MESSAGE_BYE,
	MESSAGE_ENROL,
	MESSAGE_ENROLLED,
	MESSAGE_TYPE_COUNT /* one more than the last */
};

/* Text and bytes below borrow: from the message when it was decoded, from the
 * caller when it is to be encoded. Arrays of a decoded one live in the arena. */

/* ---- Membership (proto/message_member.c) ---------------------------------- */

enum { SHORT_ID_BYTES = 16 };

/* The first bytes of a statement's id. */
struct short_id {
	uint8_t bytes[SHORT_ID_BYTES];
};

static inline int short_id_cmp(const struct short_id *a, const struct short_id *b)
{
	return memcmp(a->bytes, b->bytes, SHORT_ID_BYTES);
}

/* What the sender thinks of the receiver, and which statements it holds. */
struct message_trust {
	bool is_known;                      /* as a member, by its key; else the rest is empty */
	uint8_t digest[STATEMENT_ID_BYTES]; /* core/trust.h */
	const struct short_id *ids;         /* all that are held, ascending; or none are said */
	size_t count;
};

/* Each after its parents. */
struct message_statements {
	const struct bytes *list; /* encoded, core/statement.h */
	size_t count;             /* 0: that was all */
};

struct message_enrol {
	uint8_t sign_key[SIGN_PUBLIC_BYTES];
	uint8_t noise_key[NOISE_DH_BYTES];
	uint8_t nonce[ID_BYTES]; /* of its epoch: core/statement.h, epoch_replica() */
	struct bytes office_name;
	struct bytes person_name;       /* data NULL: none */
	struct bytes address;           /* data NULL: can't be dialled */
	uint8_t proof[SIGNATURE_BYTES]; /* proto/proof.h */
};

/* STATEMENTS follow. */
struct message_enrolled {
	uint8_t sign_key[SIGN_PUBLIC_BYTES]; /* of the issuer */
	struct replica_id replica;
};

/* ---- Feeds (proto/message_feed.c) ------------------------------------------- */

struct space_digest {
	struct space_id space;
	uint8_t digest[VV_DIGEST_BYTES]; /* replica_digest() */
};

/* What the sender holds of the spaces that both have a part in. */
struct message_digests {
	uint64_t round; /* 0: no answer is asked for */
	bool is_reply;  /* to the DIGESTS of the same round */
	const struct space_digest *entries;
	size_t count;
};

/* The sender holds this much of the space, durably. Never less than before. */
struct message_have {
	struct space_id space;
	bool is_full; /* all feeds; otherwise those that have grown */
	bool is_ack;  /* answers one CHANGES */
	const struct tip *entries;
	size_t count;
};

/* Changesets that follow each other in one feed. */
struct run {
	uint8_t tag_before[TAG_BYTES]; /* of the link that the first continues */
	const struct sealed *list;
	size_t count; /* at least 1 */
};

struct message_changes {
	struct space_id space;
	const struct run *runs; /* in causal order, as are the changesets in them */
	size_t run_count;
};

/* The sender doesn't take these feeds now: they are too far in the future, follow
 * such, or have forked. */
struct message_held {
	struct space_id space;
	const struct replica_id *replicas;
	size_t count;
};

/* One changeset, to be told by itself. */
struct message_ask {
	struct space_id space;
	struct dot dot;
};

struct message_tell {
	struct space_id space;
	struct dot dot;
	struct told told; /* body.data NULL: it isn't here */
};

/* ---- The conversation (proto/message.c) ------------------------------------- */

struct message_hello {
	uint64_t version; /* PROTOCOL_VERSION */
	uint8_t org[ORG_ID_BYTES];
	struct replica_id replica;
	uint64_t wall_ms;
	struct bytes program; /* "0.1.0" */
	struct bytes tzdata;  /* "2025b" */
};

struct message_ping { /* and PONG */
	uint64_t nonce;
};

/* The last message: why the sender closes. */
struct message_bye {
	struct bytes name; /* err_name(), or one of the words below */
	struct bytes text;
};

#define BYE_RENEW     "renew"     /* a new handshake is due: dial again at once */
#define BYE_DUPLICATE "duplicate" /* the other connection between us stays */
#define BYE_PAUSED    "paused"    /* people have paused the sender */
#define BYE_STOPPED   "stopped"   /* the sender's program ends */
#define BYE_ENROLLED  "enrolled"  /* nothing more to say */

struct message {
	enum message_type type;
	union {
		struct message_trust trust;
		struct message_statements statements;
		struct message_hello hello;
		struct message_digests digests;
		struct message_have have;
		struct message_changes changes;
		struct message_held held;
		struct message_ask ask;
		struct message_tell tell;
		struct message_ping ping;
		struct message_ping pong;
		struct message_bye bye;
		struct message_enrol enrol;
		struct message_enrolled enrolled;
	} u;
};

/* "changes"; "unknown" for what is no type. */
const char *message_name(enum message_type type);

/* The encoded size over which a message of this type is refused unread. */
size_t message_bytes_max(enum message_type type);

/* The type of an encoded message, from its first bytes. ERR_FORMAT. */
MUST_CHECK enum err message_peek(struct bytes input, enum message_type *out);

/* Decode arbitrary bytes: shape, order and limits, not meaning. ERR_FORMAT,
 * ERR_LIMIT, ERR_NOMEM, with the message's name in words. */
MUST_CHECK enum err message_decode(struct message *out, struct bytes input, struct arena *arena,
				   struct errmsg *msg);

/* Append the encoding. Asserts that the message is within its limits, which the
 * caller sees to. Failed memory shows in buf_check(out). */
void message_encode(struct buf *out, const struct message *message);

#endif
