/* Changesets: the atomic, signed, hash-chained batch of ops of one transaction.
 *
 * A changeset's place (space, replica, seq) and its predecessor are known to
 * whoever holds the feed, so they are not repeated in the body: they go into
 * the link, which is what gets signed.
 *
 *   link(n) = BLAKE2b-256("huitong-link-1" ‖ space ‖ replica ‖ seq as u64 BE ‖
 *                         link(n-1) ‖ signature(n-1) ‖ BLAKE2b-256(body(n)))
 *   signature(n) = Ed25519(link(n))        link(0), signature(0) = zeros
 *
 * One valid signature therefore vouches for every body and every signature
 * before it in the feed. The body is canonical msgpack, kept verbatim:
 *
 *   [version, hlc, author, replicas, deps, ids, groups]
 *     author    0, or 1 + index into ids
 *     replicas  [bin16, ...] ascending: replicas named below, from index 1 on;
 *               index 0 is the feed's own replica
 *     deps      [index, seq, ...] ascending by index, never 0: the newest
 *               changeset of each other feed that was new to the author
 *     ids       [bin16 | step, ...] ascending: records named below; a step is
 *               the distance from the one before (record_id_next() that often)
 *     groups    [group, ...] ascending by (id, kind)
 *     group     [id index, kind, (key, argument ...) ...], fields ascending
 *     key       field << 3 | verb
 *     value     nil, int, str, bin, [id index] for a ref, or what is newer
 *     targets   [index, seq, n, ...]: earlier writes, n = 0 for registers
 *     edit      of a text: its runs (core/text_edit.h); what they insert is the value
 *
 * docs/DATA_MODEL.md has the reasons, docs/PROTOCOL.md an example in hex. */
#ifndef HT_CORE_CHANGESET_H
#define HT_CORE_CHANGESET_H

#include "core/arena.h"
#include "core/dot.h"
#include "core/value.h"

#define CHANGESET_VERSION 1
#define LINK_BYTES        32
#define SIGNATURE_BYTES   64
#define SIGN_PUBLIC_BYTES 32
#define SIGN_SECRET_BYTES 64

/* What an op does. The arguments follow its key in this order. */
enum verb {
	VERB_SET = 0, /* value; replaces nothing: the field's first write */
	VERB_REPLACE, /* targets, value: register, in place of these writes */
	VERB_ADD,     /* value: element of a set, entry of a log */
	VERB_REMOVE,  /* targets: elements of a set */
	VERB_VOID,    /* targets observed, targets replaced: field 0 */
	VERB_REVIVE,  /* targets: the voids to take back, field 0 */
	VERB_SPLICE,  /* targets, edit, value: a text, as who has seen these edits sees it */
	VERB_COUNT,
};

static inline bool verb_is_on_elements(enum verb verb)
{
	return verb == VERB_ADD || verb == VERB_REMOVE;
}

static inline bool verb_is_on_record(enum verb verb)
{
	return verb == VERB_VOID || verb == VERB_REVIVE;
}

/* An earlier write that an op speaks of. */
struct target {
	struct dot dot;
	uint32_t n; /* which ADD of that changeset; 0 for registers and voids */
};

struct op {
	struct record_id record;
	uint16_t kind;
	uint8_t field;
	uint8_t verb;
	uint32_t n;      /* ADD: its ordinal among the changeset's ADDs, from 0 */
	bool is_ignored; /* changeset_validate(): stays in the log, changes nothing yet */
	struct value value;
	const struct target *targets; /* replaced, removed, taken back */
	size_t target_count;
	struct bytes edit;             /* SPLICE: for text_edit_decode() */
	const struct target *observed; /* VOID only */
	size_t observed_count;
};

/* Arrays live in the arena of the decode, values in the body's bytes. */
struct changeset {
	struct hlc_stamp hlc;
	struct record_id author; /* nil: the node itself */
	const struct dot *deps;
	size_t dep_count;
	struct op *ops; /* grouped by (record, kind) */
	size_t op_count;
};

/* A changeset in its feed, as stored and sent. Borrowed. */
struct sealed {
	struct replica_id replica;
	uint64_t seq;
	struct bytes body;
	const uint8_t *signature; /* SIGNATURE_BYTES */
};

/* The head of a feed: what the next link continues. Zero = an empty feed. */
struct feed_head {
	uint64_t seq;
	struct hlc_stamp hlc;
	uint8_t link[LINK_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
};

/* Encode the body. Ops must be sorted by op_cmp(), ADDs numbered from 0 in that
 * order, and `replica` is whose feed it is. ERR_LIMIT names the limit. */
MUST_CHECK enum err changeset_encode(struct buf *out, const struct changeset *cs,
				     const struct replica_id *replica, struct arena *arena,
				     struct errmsg *msg);

/* Decode arbitrary bytes; checks the shape, the order and the limits, not the
 * schema. ERR_FORMAT, ERR_LIMIT, ERR_VERSION, ERR_NOMEM. */
MUST_CHECK enum err changeset_decode(struct changeset *out, struct bytes body,
				     const struct replica_id *replica, struct arena *arena,
				     struct errmsg *msg);

/* Only the stamp: the first fields of a body that was decoded before. */
MUST_CHECK enum err changeset_peek_hlc(struct bytes body, struct hlc_stamp *out);

enum validity {
	VALIDITY_RECEIVED, /* refuse what the schema does not allow */
	VALIDITY_HELD,     /* it is in the log: leave out what the schema does not allow */
};

/* Compare the ops with the schema: field, verb, value. Unknown kinds and fields
 * pass, and so do choices and states beyond those that this schema has: they are
 * a newer one's, and are ignored until we know them. ERR_INVALID or ERR_LIMIT. */
MUST_CHECK enum err changeset_validate(struct changeset *cs, bool directory, enum validity validity,
				       struct errmsg *msg);

/* (record, kind, field, verb); equal ones keep their order. */
int op_cmp(const struct op *a, const struct op *b);

/* BLAKE2b-256 of the body, by which the link covers it: whoever must show what was
 * signed needs no body (core/statement.h: struct witness). */
void changeset_body_hash(uint8_t out[LINK_BYTES], struct bytes body);

/* The link of the changeset after `head`, by its body or by the hash of that. */
void changeset_link(uint8_t out[LINK_BYTES], const struct space_id *space,
		    const struct replica_id *replica, const struct feed_head *head,
		    struct bytes body);
void changeset_link_over(uint8_t out[LINK_BYTES], const struct space_id *space,
			 const struct replica_id *replica, const struct feed_head *head,
			 const uint8_t body_hash[LINK_BYTES]);

void changeset_sign(uint8_t out[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES],
		    const uint8_t secret[SIGN_SECRET_BYTES]);

bool changeset_is_signed_by(const uint8_t signature[SIGNATURE_BYTES],
			    const uint8_t link[LINK_BYTES],
			    const uint8_t public_key[SIGN_PUBLIC_BYTES]);

#endif
