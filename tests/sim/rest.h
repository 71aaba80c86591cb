/* What must hold once nothing moves any more: W-11 to W-13, W-17 to W-19 and W-24 of
 * invariants.h. */
#ifndef HT_TESTS_SIM_REST_H
#define HT_TESTS_SIM_REST_H

#include "tests/sim/world.h"

/* W-12: everybody holds all that there is and that they take part in; in a contested
 * world all members the same. */
bool audit_has_converged(struct world *w, struct errmsg *why_not);

/* The nodes of `part` hold the same of every space that they share. */
bool audit_agrees(struct world *w, const bool *part, struct errmsg *why_not);

/* In a contested world: a member, that may read the space. */
bool audit_is_reader(const struct node *n, uint32_t space);
/* Who can be reached from this one by readers of the space that dial and let in each other.
 * part[NET_NODES_MAX] is set. */
void audit_acquaintance(const struct world *w, const struct node *n, uint32_t space, bool *part);

/* A cut that the node knows names what no reader of the space has any more (M-16). */
bool audit_waits_in_vain(const struct world *w, const struct node *n, uint32_t space);

/* All of it. Of `verify_count` nodes every record, and the log replayed. */
void audit_rest(struct world *w, unsigned verify_count);

#endif
