/* What must hold once nothing moves any more: W-11 to W-13, W-17 and W-18 of
 * invariants.h. */
#ifndef HT_TESTS_SIM_REST_H
#define HT_TESTS_SIM_REST_H

#include "tests/sim/world.h"

/* W-12: everybody holds all that there is and that they take part in. */
bool audit_has_converged(struct world *w, struct errmsg *why_not);

/* The nodes of `part` hold the same of every space that they share. */
bool audit_agrees(struct world *w, const bool *part, struct errmsg *why_not);

/* All of it. Of `verify_count` nodes every record, and the log replayed. */
void audit_rest(struct world *w, unsigned verify_count);

#endif
