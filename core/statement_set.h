/* Decoded statements with their bytes and verdicts: those that a store holds, or those
 * on their way in. Private to core/membership*.c. */
#ifndef HT_CORE_STATEMENT_SET_H
#define HT_CORE_STATEMENT_SET_H

#include "core/store.h"

struct statement_set {
	struct arena arena; /* everything below but the arrays */
	struct statement **list;
	struct bytes *encoded;
	uint8_t *verdicts;
	bool *is_changed; /* the verdict is another than before */
	int64_t *idx;     /* the store's number, 0 if it has none */
	size_t count, cap;
};

void statement_set_release(struct statement_set *set);

/* All that the store holds, each after its parents. */
MUST_CHECK enum err statement_set_load(struct statement_set *set, struct store *store,
				       struct errmsg *msg);

/* Decode and append; the bytes are copied. */
MUST_CHECK enum err statement_set_add(struct statement_set *set, struct bytes encoded,
				      struct statement **out, struct errmsg *msg);

/* Take over set->count verdicts. */
void statement_set_judge(struct statement_set *set, const uint8_t *verdicts);

void statement_set_remove(struct statement_set *set, size_t at);

bool statement_set_has(const struct statement_set *set, const struct statement_id *id);

/* The statement names the key: as a root's or as a node's. */
bool statement_names(const struct statement *s, const struct sign_key *key);
/* As an epoch of a node. */
bool statement_names_replica(const struct statement *s, const struct replica_id *replica);
/* Some statement of the set does. */
bool statement_set_names(const struct statement_set *set, const struct sign_key *key);

#endif
