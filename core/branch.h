/* Branches: changesets that were moved out of the log (M-16, M-19). Nobody sends them again, so
 * one that is damaged there stays so: it is named, and not written again as it is. */
#ifndef HT_CORE_BRANCH_H
#define HT_CORE_BRANCH_H

#include "core/replica_impl.h"

/* More contents of one dot than this are not told apart. */
enum { BRANCHES_MAX = 16 };

/* Which of the rows, all of one seq, `next` continues; NULL: none. */
const struct stored *branch_before(const struct stored *rows, size_t count,
				   const struct space_id *space, const struct feed *feed,
				   const struct stored *next);

/* The row is as it was signed, as far as can be told: it continues one that is here, of the log
 * or of a branch; or none is here (core/salvage.c has left it out), and its signature and its
 * form are right. */
MUST_CHECK enum err branch_is_sound(struct replica *r, const struct feed *feed,
				    const struct stored *row, bool *out, struct errmsg *msg);

/* Look at all that the branches have of one seq. */
MUST_CHECK enum err branch_check(struct replica *r, const struct feed *feed, uint64_t seq,
				 bool *is_sound, struct errmsg *msg);

/* Note that what they have of it is damaged. */
void branch_note_damage(struct replica *r, const struct feed *feed, uint64_t seq);

#endif
