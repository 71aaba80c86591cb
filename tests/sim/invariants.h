/* What must hold in every world, checked after every event:
 *
 *   S-1  acknowledged  what a commit acknowledged its replica holds for ever after
 *   S-2  one content   a dot has one body and one signature, wherever it is held
 *   S-3  origin first  nobody holds what its author has not made durable
 *   S-4  growth        what a replica holds only grows, over crashes too
 *   S-5  causality     with a changeset a replica holds all that its author held
 *   S-6  dependencies  what a changeset names, followed to the end, is exactly
 *                      what its author held
 *   S-7  clocks        stamps grow along every feed and every dependency, and run
 *                      ahead of all clocks seen by no more than a tick
 *   S-8  future        nothing more than a day ahead of one's clock is taken
 *   S-9  grants        a replica holds only spaces that its office takes part in
 *   S-10 bounds        a connection's queue stays below its limit
 *   S-11 state         a record is what the oracle says (oracle.h)
 *   S-14 edits         a changeset says what its author was asked to write
 *   S-15 service       local work and a start fail only for the disk's sake
 *   S-16 peace         honest nodes over honest links refuse nothing
 *
 * and once the world is at rest:
 *
 *   S-12 convergence   all who take part in a space hold all of it
 *   S-13 one state     equal holdings have equal state hashes, which verify */
#ifndef HT_TESTS_SIM_INVARIANTS_H
#define HT_TESTS_SIM_INVARIANTS_H

#include "tests/sim/world.h"

/* Everything about one node, after an event: S-1 to S-11. */
void audit_node(struct node *n);

/* S-12: everybody holds all that there is and that they take part in. */
bool audit_has_converged(struct world *w, struct errmsg *why_not);

/* The nodes of `part` hold the same of every space that they share. */
bool audit_agrees(struct world *w, const bool *part, struct errmsg *why_not);

/* S-11 to S-13 in full, at rest. `verify_count` nodes replay their whole log. */
void audit_rest(struct world *w, unsigned verify_count);

#endif
