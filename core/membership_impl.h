/* Between core/membership*.c only.
 *
 *   membership          what they say together, as it is stored; those made here
 *   membership_intake   those that come: looked at, folded, and what follows from them
 *   membership_check    those that are held, verified again
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

/* Nobody signs it, and it decides who is let in: the setting's sum tells a changed byte of it. */
#define SETTING_TRUST "trust"
/* Of what is held, each verified. ERR_CORRUPT and what membership_check_step() says. */
MUST_CHECK enum err membership_fold(struct trust **out, struct replica *r, struct errmsg *msg);

/* Serials count up from 1; 0: nothing is stored. */
#define SERIAL_NONE UINT64_MAX

/* Store what they say together, under this serial. */
MUST_CHECK enum err membership_store(struct replica *r, uint64_t serial, struct errmsg *msg);

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

/* The steps of the end, for such as are made here. First all are judged, `fresh` with what is
 * known or, in _all, all that is held anew; until they are stored the replica's fold is ahead
 * of the store. */
MUST_CHECK enum err intake_fold(struct intake *in);
MUST_CHECK enum err intake_fold_all(struct intake *in);
MUST_CHECK enum err intake_store(struct intake *in);
/* What follows from the fold for forks, the quarantine and the directory. */
MUST_CHECK enum err intake_settle(struct replica *r, bool has_fresh_forks,
				  struct statements_receipt *receipt, struct errmsg *msg);
/* Of one fork the least proof stays. */
MUST_CHECK enum err intake_drop_worse_forks(struct intake *in, const struct statement *s);
void intake_release(struct intake *in);

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
