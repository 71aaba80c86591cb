/* What staff do all day, by dice: edits of every kind of field, in every space
 * that the node takes part in, drawn from the schema's own table, so that a new
 * kind or field is exercised from its first day. Hot records are favoured, so
 * that concurrent edits meet. Every changeset is compared with what was asked
 * for (W-14). */
#ifndef HT_TESTS_SIM_WORKLOAD_H
#define HT_TESTS_SIM_WORKLOAD_H

#include "tests/sim/world.h"

/* One transaction of a few edits; false when it was refused. */
bool workload_edit(struct node *n);

/* So many new action items of eight fields in one changeset. */
bool workload_actions(struct node *n, unsigned count);

/* Grant a neighbour of a space's offices that space. */
bool workload_grant(struct node *n);

#endif
