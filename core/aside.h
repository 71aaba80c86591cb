/* Statements that were set aside for a quota (M-22). When another one that is taken turns
 * out to need them, they are taken after all: so two offices that have taken different
 * parts of a flood can agree on what has seen either. Private to core/membership*.c, but
 * for what core/replica.h says. */
#ifndef HT_CORE_ASIDE_H
#define HT_CORE_ASIDE_H

#include "core/statement_set.h"

struct aside {
	struct statement_set set; /* each after those of its parents that are here */
	bool *is_gone;            /* taken since; by place in the set */
	bool *is_marked;
	uint32_t *order; /* places, by id */
	size_t bytes;
	size_t count; /* that are not gone */
	bool is_full; /* some were dropped */
};

#define ASIDE_NONE SIZE_MAX

/* The bytes are copied. Over ASIDE_MAX or ASIDE_BYTES_MAX it is dropped. ERR_NOMEM. */
MUST_CHECK enum err aside_add(struct aside *a, const struct statement *s, struct bytes encoded,
			      struct errmsg *msg);

/* The place of a statement; of one that names the key; ASIDE_NONE: no such here. */
size_t aside_find(const struct aside *a, const struct statement_id *id);
size_t aside_naming(const struct aside *a, const struct sign_key *key);

void aside_clear_marks(struct aside *a);
/* Mark also what those that are marked need, if that is here: their parents, and what names
 * a key that `knows` does not. */
void aside_mark_needs(struct aside *a, bool (*knows)(void *ctx, const struct sign_key *key),
		      void *ctx);

#endif
