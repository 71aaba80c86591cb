/* What the statements of membership say together: a deterministic fold of the
 * *set*, whatever the order of arrival (docs/DATA_MODEL.md, M-1 to M-22).
 *
 * In short: a statement stands if its signers had the authority in what stands of
 * its own causal past, and if no removal that stands beside it, concurrent, takes
 * that away. Two that take from each other: root before admin, then the lower id.
 * After: Matrix state resolution (room version 2), Keyhive's strong removal, and
 * the grounded semantics of Dung, "On the acceptability of arguments" (AI 1995).
 *
 * The result is a plain value: arrays that are sorted and only read. Pure. */
#ifndef HT_CORE_TRUST_H
#define HT_CORE_TRUST_H

#include "core/limits.h"
#include "core/statement.h"

enum verdict {
	VERDICT_STANDS,
	VERDICT_NO_AUTHORITY, /* who signed it may not say that */
	VERDICT_OVERRULED,    /* a concurrent removal, or its rival, stands */
	VERDICT_MEANINGLESS,  /* speaks of what does not exist, or says it again */
	VERDICT_COUNT
};

const char *verdict_name(enum verdict verdict); /* "stands" */

/* A node that was ever admitted by a statement that stands. */
struct trust_node {
	struct record_id node;
	char office_code[OFFICE_CODE_MAX + 1];
	uint32_t block;
	bool is_admin; /* never of a revoked one */
	bool is_revoked;
	struct replica_id current; /* its newest epoch */
	uint32_t epoch_count;      /* that stand, that of its admission included */
	uint32_t weight;           /* of what its keys signed, and of FORKs of its feeds (M-22) */
	uint64_t since_ms;         /* wall_ms of its admission */
};

/* Why a feed does not count beyond some point. */
enum cut_cause {
	CUT_NONE,
	CUT_REVOKED, /* its node */
	CUT_CLOSED,  /* its node went on under another epoch and said where this one ends */
	CUT_FORKED,  /* one dot, two contents */
	CUT_ROLE,    /* its office may not write in the space */
	CUT_VOID,    /* its admission or epoch does not stand */
	CUT_SURPLUS, /* its node has gone on under too many replica ids */
	CUT_CAUSE_COUNT
};

const char *cut_cause_name(enum cut_cause cause); /* "revoked" */

/* An incarnation of a node, by every statement that names one, standing or not:
 * what it signed stays signed. */
struct trust_epoch {
	struct replica_id replica;
	struct record_id node;
	char office_code[OFFICE_CODE_MAX + 1];
	struct node_identity identity;
	bool is_void;         /* its ADMIT or EPOCH does not stand: nothing of it counts */
	bool is_surplus;      /* of a node that had EPOCHS_MAX before it: likewise */
	enum cut_cause cause; /* why nothing counts in a space that no cut names; CUT_NONE */
};

struct trust_grant {
	struct space_id space;
	char office_code[OFFICE_CODE_MAX + 1];
	enum role role; /* never ROLE_NONE */
};

struct trust_cut {
	struct replica_id replica;
	struct space_id space;
	uint64_t seq; /* UINT64_MAX: counts as a whole */
	/* The changeset at `seq` must have this link; if not, what we hold is another
	 * branch of a fork. Only if seq is neither 0 nor UINT64_MAX, and not of a
	 * fork that nobody has settled: there the branches are equal up to `seq`. */
	bool has_link;
	uint8_t link[LINK_BYTES];
	enum cut_cause cause;
};

struct trust {
	uint8_t org[ORG_ID_BYTES];
	unsigned root_threshold;
	struct sign_key roots[ROOTS_MAX]; /* ascending */
	size_t root_count;
	struct trust_node *nodes; /* by node id */
	size_t node_count;
	struct trust_epoch *epochs; /* by replica */
	size_t epoch_count;
	uint32_t epochs_max;        /* of one node that count: EPOCHS_MAX */
	struct trust_grant *grants; /* by space, office code */
	size_t grant_count;
	struct trust_cut *cuts; /* by replica, space: where they are not the default */
	size_t cut_count;
	struct space_id *spaces; /* that SPACE statements made, ascending */
	size_t space_count;
	struct statement_id *heads; /* what is nobody's parent but FORKs, ascending */
	size_t head_count;
	struct statement_id *ids; /* all, ascending */
	size_t statement_count;
	uint32_t stray_weight; /* of those that neither root nor any node in `nodes` signed */
	bool has_other_roots;  /* than those of the GENESIS, or had: a ROOTS is held */
	/* BLAKE2b-256 over all ids in ascending order: equal sets have equal digests. */
	uint8_t digest[STATEMENT_ID_BYTES];
};

/* Fold statements, decoded and verified, each after its parents; the GENESIS is
 * list[0]. Writes verdicts[count]. All memory of the result is its own.
 * ERR_NOMEM; ERR_LIMIT over STATEMENTS_MAX; ERR_INVALID if a parent is missing or a
 * FORK, one is there twice, or there is not one GENESIS: what M-1 and M-2 keep out.
 * Takes below 50 ms for 5,000 statements of 500 offices. */
MUST_CHECK enum err trust_fold(struct trust **out, const struct statement *const *list,
			       size_t count, uint8_t *verdicts, struct errmsg *msg);
void trust_free(struct trust *t); /* NULL-safe */

/* One more statement that has seen all the others (its parents are t->heads): the
 * same result as folding anew, in time that does not grow with their number but
 * for the digest. ERR_INVALID and `t` unchanged if it has not seen all, or is a
 * FORK, or needs the past for another reason: fold anew. */
MUST_CHECK enum err trust_extend(struct trust *t, const struct statement *s, enum verdict *verdict,
				 struct errmsg *msg);

/* The result as bytes, for the store: opening a replica folds nothing. */
void trust_encode(struct buf *out, const struct trust *t);
/* ERR_FORMAT, ERR_LIMIT, ERR_VERSION: fold anew; ERR_NOMEM. */
MUST_CHECK enum err trust_decode(struct trust **out, struct bytes input, struct errmsg *msg);

/* NULL when absent. Borrowed from `t`. */
const struct trust_node *trust_node(const struct trust *t, const struct record_id *node);
const struct trust_epoch *trust_epoch(const struct trust *t, const struct replica_id *replica);
/* The member whose current epoch has this key; not a revoked one. */
const struct trust_node *trust_node_by_noise_key(const struct trust *t,
						 const uint8_t key[NOISE_KEY_BYTES]);
const struct trust_node *trust_node_by_sign_key(const struct trust *t,
						const uint8_t key[SIGN_PUBLIC_BYTES]);
bool trust_is_root(const struct trust *t, const struct sign_key *key);
/* Signed by enough keys that are root now, and of a type that root may sign. */
bool trust_is_roots(const struct trust *t, const struct statement *s);
/* The node to which the statement is put down: of the first signer whose key is or was a
 * node's; of a FORK that whose feed it is. NULL: no such node. */
const struct trust_node *trust_author(const struct trust *t, const struct statement *s);

/* The directory is ROLE_EDITOR for every office that has a member. */
enum role trust_role(const struct trust *t, const struct space_id *space, const char *office_code);

/* How far the feed counts; seq UINT64_MAX: all of it. An epoch that no statement
 * names: seq 0, CUT_VOID. */
struct trust_cut trust_cut(const struct trust *t, const struct replica_id *replica,
			   const struct space_id *space);

#endif
