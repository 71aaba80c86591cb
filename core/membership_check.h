/* Checking the statements of membership, all at once or some at a time. */
#ifndef HT_CORE_MEMBERSHIP_CHECK_H
#define HT_CORE_MEMBERSHIP_CHECK_H

#include "core/statement_set.h"

struct membership_check {
	struct statement_set set;
	size_t at; /* so many are verified */
};

/* Read them. ERR_CORRUPT and what decoding says. */
MUST_CHECK enum err membership_check_begin(struct membership_check *c, struct replica *r,
					   struct errmsg *msg);
void membership_check_release(struct membership_check *c);
/* Verify `count` more; after the last, in a step of its own, compare what they say together with
 * what is stored: then *is_done. ERR_SIGNATURE, ERR_CORRUPT. */
MUST_CHECK enum err membership_check_step(struct membership_check *c, const struct replica *r,
					  size_t count, bool *is_done, struct errmsg *msg);

/* Fold them anew and store the result, in a transaction of its own. */
MUST_CHECK enum err membership_refold(struct replica *r, struct errmsg *msg);

#endif
