/* Between core/membership*.c only.
 *
 *   membership          statements taken, made, folded, and what follows from them
 *   membership_parents  what one that is made here has seen
 *   membership_hear     taken from whom we need not trust: refusals and quotas */
#ifndef HT_CORE_MEMBERSHIP_IMPL_H
#define HT_CORE_MEMBERSHIP_IMPL_H

#include "core/aside.h"
#include "core/replica_impl.h"

/* Statements on their way in. `held` is read when it is needed: most that come have
 * seen all the others and can be judged without them. */
struct intake {
	struct replica *r;
	struct statement_set held;
	bool has_held;
	struct statement_set fresh;
	uint64_t serial;     /* of the fold before */
	size_t mended;       /* statements that were damaged here */
	struct aside *aside; /* NULL: everything is taken, or nothing */
	bool needs_others;   /* what was looked at last needs what is marked there */
	struct errmsg *msg;
};

/* A transaction begins. */
MUST_CHECK enum err intake_begin(struct intake *in);
/* It ends: what was kept is folded and stored, unless `rc` is an error, which is returned. */
MUST_CHECK enum err intake_end(struct intake *in, enum err rc, uint64_t now_ms,
			       struct statements_receipt *receipt);

/* Look at one; *is_news: intake_keep() may follow, before anything else is looked at. Refused
 * in words: ERR_FORMAT, ERR_CAUSAL, ERR_AUTHORITY, ERR_SIGNATURE and the like. */
MUST_CHECK enum err intake_check(struct intake *in, struct bytes encoded, struct statement **out,
				 bool *is_news);
MUST_CHECK enum err intake_keep(struct intake *in);

/* A statement that is held, or kept, names the key. */
MUST_CHECK enum err intake_knows(struct intake *in, const struct sign_key *key, bool *out);
/* Fill in->held, once. */
MUST_CHECK enum err intake_read_held(struct intake *in);
/* The parents of one that is made here, ascending (core/membership_parents.c). */
MUST_CHECK enum err intake_parents(struct intake *in, struct statement_id out[PARENTS_MAX],
				   size_t *count);
/* How many are held and kept. */
size_t intake_total(const struct intake *in);

#endif
