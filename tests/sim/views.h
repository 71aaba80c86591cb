/* Views: what somebody knows of the membership, each set of statements once.
 *
 * Equal sets must say the same, byte for byte, whoever holds them and in whatever
 * order they came (W-21); small ones are compared with the rules read once more
 * (tests/support/trust_model.h). A view lives until views_release(). Ends the
 * program without memory. */
#ifndef HT_TESTS_SIM_VIEWS_H
#define HT_TESTS_SIM_VIEWS_H

#include "core/replica.h"

/* Sets up to this size are always compared with the model, up to its own limit at
 * times: it takes time that grows fast. */
enum { VIEW_MODEL_ALWAYS = 16, VIEW_MODEL_ONE_IN = 8 };

struct view {
	uint8_t digest[STATEMENT_ID_BYTES];
	struct buf encoded; /* the fold, as trust_encode() has it */
	struct trust *trust;
	/* Which of the statements that anybody ever held, by their numbers; FORKs are
	 * left out: a better proof takes the place of another. */
	uint64_t *bits;
	size_t words;
};

struct views {
	struct view **list;
	size_t count, cap;
	struct statement_id *ids; /* by number */
	size_t id_count, id_cap;
	uint64_t modelled;
};

void views_release(struct views *v);

/* What the replica knows, which must have statements. ERR_CORRUPT with what is wrong,
 * and what reading says; *out may be the same as before. */
MUST_CHECK enum err views_of(struct views *v, struct replica *r, const struct view **out,
			     struct errmsg *msg);

/* `later` has every statement of `earlier` (NULL: none). */
bool view_includes(const struct view *later, const struct view *earlier);

/* The node of this replica id is a member and its office may read the space. */
bool view_lets_in(const struct view *view, const struct replica_id *replica,
		  const struct space_id *space);

/* Somebody knew, or came to know on top of `earlier`, that it may read the space. */
bool views_ever_let_in(const struct views *v, const struct view *earlier,
		       const struct replica_id *replica, const struct space_id *space);

#endif
