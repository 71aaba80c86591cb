/* Interned replica ids: small integers that stand for them inside one store.
 *
 * The number of a replica is local to the store and never leaves it. */
#ifndef HT_CORE_INTERN_H
#define HT_CORE_INTERN_H

#include "core/id.h"

struct intern {
	struct replica_id *ids; /* by number */
	uint32_t *order;        /* numbers sorted by id */
	uint32_t count, cap;
	uint32_t last; /* the number found last: runs of one replica are common */
};

void intern_release(struct intern *in);

/* Add the id as the next number; it must not be there yet. */
MUST_CHECK enum err intern_add(struct intern *in, const struct replica_id *id);

/* The number, or UINT32_MAX. */
uint32_t intern_find(struct intern *in, const struct replica_id *id);

#endif
