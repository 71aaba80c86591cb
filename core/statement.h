/* Statements of membership: who belongs to the organisation, who may say so, which
 * changesets count. Each is signed on its own and names the statements that its
 * author knew (`parents`), so that it means the same whoever brings it and in
 * whatever order. What a set of them says together: core/trust.h.
 *
 *   statement  [content (bin), [signature, ...]]
 *   content    [1, type, parents, signers, wall_ms, argument ...]
 *   id         BLAKE2b-256("huitong-statement-1" ‖ content)
 *   signature  Ed25519("huitong-statement-1" ‖ id), one a signer, in their order
 *
 * All in canonical msgpack (core/wire.h), the arguments by type:
 *
 *   GENESIS  1  nonce, roots, node          no parents; its id is the organisation's
 *   ADMIT    2  node
 *   ADMIN    3  node id, bool
 *   REVOKE   4  node id, cuts
 *   EPOCH    5  node id, identity, reason, cuts or nil
 *   ADOPT    6  cuts
 *   SPACE    7  nonce, [office code, role, ...]    its id names the space
 *   GRANT    8  space, office code, role, cuts
 *   ROOTS    9  roots
 *   FORK    10  space, epoch, seq, witness, witness    no parents, signers nor time
 *
 *   roots    [threshold, key, ...]                 keys ascending
 *   identity [sign key, noise key, epoch nonce]
 *   epoch    [sign key, epoch nonce]
 *   node     [node id, office code, block, is admin, identity]
 *   cuts     [[replica, space, seq, link], ...]    ascending, one a feed
 *   witness  [link before, signature before, body hash, signature]
 *
 * docs/DATA_MODEL.md has the meaning, M-1 and following; docs/PROTOCOL.md an example
 * of each in hex. Pure. */
#ifndef HT_CORE_STATEMENT_H
#define HT_CORE_STATEMENT_H

#include "core/arena.h"
#include "core/changeset.h"

#define STATEMENT_ID_BYTES 32
#define NOISE_KEY_BYTES    32

enum {
	OFFICE_CODE_MAX = 8,
	ROOTS_MAX = 16,
	PARENTS_MAX = 64,
	SIGNERS_MAX = ROOTS_MAX,
	CUTS_MAX = 2048, /* of one statement; more feeds take several */
	SPACE_OFFICES_MAX = 512,
	BLOCK_MAX = 26 * 26 * 26 - 1, /* three letters in a readable number */
	STATEMENT_BYTES_MAX = 256 << 10,
};

struct statement_id {
	uint8_t bytes[STATEMENT_ID_BYTES];
};

static inline int statement_id_cmp(const struct statement_id *a, const struct statement_id *b)
{
	return memcmp(a->bytes, b->bytes, STATEMENT_ID_BYTES);
}

struct sign_key {
	uint8_t bytes[SIGN_PUBLIC_BYTES];
};

static inline int sign_key_cmp(const struct sign_key *a, const struct sign_key *b)
{
	return memcmp(a->bytes, b->bytes, SIGN_PUBLIC_BYTES);
}

enum statement_type {
	STATEMENT_GENESIS = 1,
	STATEMENT_ADMIT,
	STATEMENT_ADMIN,
	STATEMENT_REVOKE,
	STATEMENT_EPOCH,
	STATEMENT_ADOPT,
	STATEMENT_SPACE,
	STATEMENT_GRANT,
	STATEMENT_ROOTS,
	STATEMENT_FORK,
	STATEMENT_TYPE_COUNT /* one more than the last */
};

/* What an office may do in a space; each may do what the one before may. */
enum role { ROLE_NONE, ROLE_READER, ROLE_EDITOR, ROLE_MANAGER, ROLE_COUNT };

const char *role_name(enum role role); /* "editor" */
/* ROLE_COUNT for a name that is none. */
enum role role_named(const char *name);

/* The keys of one incarnation of a node. The replica's id follows from them, so
 * that nobody can claim another's id with a key of their own:
 *     replica = first 16 bytes of BLAKE2b-256("huitong-epoch-1" ‖ sign key ‖ nonce) */
struct node_identity {
	uint8_t sign_key[SIGN_PUBLIC_BYTES];
	uint8_t noise_key[NOISE_KEY_BYTES];
	uint8_t nonce[ID_BYTES];
	struct replica_id replica; /* derived; decoding fills it in */
};

struct replica_id epoch_replica(const uint8_t sign_key[SIGN_PUBLIC_BYTES],
				const uint8_t nonce[ID_BYTES]);

/* An office is its code: two admissions of one office that don't know of each
 * other mean the same record.
 *     first 16 bytes of BLAKE2b-256("huitong-office-1" ‖ organisation ‖ code), as
 *     UUIDv8 (RFC 9562 §5.8) */
struct record_id office_record(const uint8_t org[ORG_ID_BYTES], const char *code);
/* 2 to OFFICE_CODE_MAX of A-Z and 0-9. */
bool office_code_is_valid(const char *code);

struct roots {
	unsigned threshold; /* 1 .. count */
	const struct sign_key *keys;
	size_t count;
};

struct node_entry {
	struct record_id node;
	char office_code[OFFICE_CODE_MAX + 1];
	uint32_t block; /* of readable numbers: 0 none, 1 "B", ... BLOCK_MAX */
	bool is_admin;
	struct node_identity identity;
};

/* Of this feed nothing counts after the changeset `seq`, whose link this is; seq 0
 * (and a zero link): nothing counts at all. */
struct cut {
	struct replica_id replica;
	struct space_id space;
	uint64_t seq;
	uint8_t link[LINK_BYTES];
};

/* (replica, space). */
int cut_cmp(const struct cut *a, const struct cut *b);
void cuts_sort(struct cut *list, size_t count);

struct office_role {
	char office_code[OFFICE_CODE_MAX + 1];
	enum role role;
};

/* Why a node goes on under another replica id. */
enum epoch_reason {
	EPOCH_RESTORED, /* from a backup */
	EPOCH_BEHIND,   /* the database is older than its high-water mark, or than a peer says */
	EPOCH_MOVED,    /* another machine, or a copy of the file */
	EPOCH_FORKED,   /* one dot, two contents */
	EPOCH_ROTATED,  /* new keys */
	EPOCH_REASON_COUNT
};

/* All that shows which link a changeset has, without its body (core/changeset.h). */
struct witness {
	uint8_t link_before[LINK_BYTES];
	uint8_t signature_before[SIGNATURE_BYTES];
	uint8_t body_hash[LINK_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
};

/* The witness of a changeset with this body and signature, the next after `before`. */
struct witness witness_of(const struct feed_head *before, struct bytes body,
			  const uint8_t signature[SIGNATURE_BYTES]);

void witness_link(uint8_t out[LINK_BYTES], const struct witness *w, const struct space_id *space,
		  const struct replica_id *replica, uint64_t seq);
/* Signed by this key, as this changeset. */
bool witness_is_valid(const struct witness *w, const struct space_id *space,
		      const struct replica_id *replica, uint64_t seq,
		      const uint8_t sign_key[SIGN_PUBLIC_BYTES]);

/* Pointers borrow: from the arena when decoded, from the caller when encoded. */
struct statement {
	struct statement_id id; /* when decoded or signed */
	enum statement_type type;
	const struct statement_id *parents; /* ascending */
	size_t parent_count;
	const struct sign_key *signers; /* ascending */
	size_t signer_count;
	/* When it was made, for people; orders nothing. 0 in a FORK, of which whoever
	 * finds the same two changesets makes the same bytes. */
	uint64_t wall_ms;
	union {
		struct {
			uint8_t nonce[ID_BYTES];
			struct roots roots;
			struct node_entry node; /* the first one, an admin */
		} genesis;
		struct node_entry admit;
		struct {
			struct record_id node;
			bool is_admin;
		} admin;
		struct {
			struct record_id node;
			const struct cut *cuts; /* feeds that are not named: nothing counts */
			size_t cut_count;
		} revoke;
		struct {
			struct record_id node;
			struct node_identity identity;
			enum epoch_reason reason;
			/* The node's epochs so far end here, feeds that are not named with
			 * nothing; or it doesn't know where they end: they stay open. */
			bool is_closing;
			const struct cut *cuts;
			size_t cut_count;
		} epoch;
		struct {
			const struct cut *cuts; /* up to here they count all the same; seq > 0 */
			size_t cut_count;
		} adopt;
		struct {
			uint8_t nonce[ID_BYTES];
			const struct office_role *offices; /* ascending by code */
			size_t office_count;
		} space;
		struct {
			struct space_id space;
			char office_code[OFFICE_CODE_MAX + 1];
			enum role role;
			/* When the office may not write any more: where the feeds of its
			 * nodes end in this space, those that are not named with nothing.
			 * None for an editor or a manager. */
			const struct cut *cuts;
			size_t cut_count;
		} grant;
		struct roots roots;
		struct {
			struct space_id space;
			uint8_t sign_key[SIGN_PUBLIC_BYTES]; /* of the epoch that forked */
			uint8_t nonce[ID_BYTES];
			struct replica_id replica;   /* derived; decoding fills it in */
			uint64_t seq;                /* > 0 */
			struct witness witnesses[2]; /* ascending by their links, which differ */
		} fork;
	} u;
};

const char *statement_type_name(enum statement_type type); /* "revoke"; "unknown" */

/* The space that a SPACE statement makes, and the directory, which the GENESIS makes:
 * the first 16 bytes of the statement's id. */
struct space_id statement_space(const struct statement_id *id);

/* About how long it is, in KiB begun. */
uint32_t statement_weight(const struct statement *s);

/* BLAKE2b-256("huitong-statement-1" ‖ content). */
struct statement_id statement_id_of(struct bytes content);

/* Append the content, byte for byte what was decoded. */
void statement_put_content(struct buf *out, const struct statement *s);

/* A key that signs. */
struct signer {
	struct sign_key key;
	const uint8_t *secret; /* SIGN_SECRET_BYTES */
};

/* Encode with these signers (any order; s->signers is not looked at), append to
 * `out` and set s->id. ERR_LIMIT, ERR_NOMEM: `out` is as before; asserts what only
 * a caller can get wrong (order, missing arguments). */
MUST_CHECK enum err statement_sign(struct buf *out, struct statement *s,
				   const struct signer *signers, size_t signer_count,
				   struct errmsg *msg);

/* Decode arbitrary bytes: shape, canonical form, order, limits, codes and roles
 * in range. ERR_FORMAT, ERR_LIMIT, ERR_NOMEM; ERR_VERSION also for a type that
 * a newer version may have. */
MUST_CHECK enum err statement_decode(struct statement *out, struct bytes input, struct arena *arena,
				     struct errmsg *msg);

/* Every signature verifies; a GENESIS is signed by its node, an EPOCH by the key
 * that it names; of a FORK both witnesses are its replica's. `input` is what was
 * decoded. ERR_SIGNATURE. */
MUST_CHECK enum err statement_verify(const struct statement *s, struct bytes input,
				     struct errmsg *msg);

#endif
