/* What the encoder, the decoder and the validation of changesets share. Private
 * to core/changeset*.c. */
#ifndef HT_CORE_CHANGESET_FORMAT_H
#define HT_CORE_CHANGESET_FORMAT_H

#include "core/changeset.h"

/* Which arguments follow a key, in this order. */
struct verb_shape {
	bool observed, targets, edit, value;
};

extern const struct verb_shape verb_shapes[VERB_COUNT];

/* How many elements of its group an op takes, its key included. */
static inline uint32_t op_elements(const struct op *op)
{
	const struct verb_shape *shape = &verb_shapes[op->verb];

	return 1u + shape->observed + shape->targets + shape->edit + shape->value;
}

static inline bool op_same_group(const struct op *a, const struct op *b)
{
	return a->kind == b->kind && record_id_cmp(&a->record, &b->record) == 0;
}

/* ERR_LIMIT, naming what there is too much of. */
MUST_CHECK enum err changeset_check_size(const char *what, size_t size, size_t max,
					 struct errmsg *msg);

#endif
