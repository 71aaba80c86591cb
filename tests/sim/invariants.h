/* What must hold in every world, checked after every event:
 *
 *   W-1  acknowledged  what a commit acknowledged its replica holds for ever after
 *   W-2  one content   a dot has one body and one signature, wherever it is held
 *   W-3  origin first  nobody holds what its author has not made durable
 *   W-4  growth        what a replica holds only grows, over crashes too
 *   W-5  causality     with a changeset a replica holds all that its author held
 *   W-6  dependencies  what a changeset names, followed to the end, is exactly
 *                      what its author held
 *   W-7  clocks        stamps grow along every feed and every dependency, and run
 *                      ahead of all clocks seen by no more than a tick
 *   W-8  future        nothing more than a day ahead of one's clock is taken
 *   W-9  grants        a replica holds only spaces that its office takes part in
 *   W-10 bounds        a connection's queue stays below its limit
 *   W-11 state         a record is what the oracle says (oracle.h)
 *   W-14 edits         a changeset says what its author was asked to write
 *   W-15 service       local work and a start fail only for the disk's sake
 *   W-16 peace         honest nodes over honest links refuse nothing
 *
 * and once the world is at rest (rest.h), all of W-11, and:
 *
 *   W-12 convergence   all who take part in a space hold all of it
 *   W-13 one state     equal holdings have equal state hashes, which verify
 *   W-17 numbers       no readable number was issued twice
 *   W-18 views         the tables for people show what the oracle says
 *   W-19 rest          every engine says that it is idle, and none has dialled
 *                      more often than its back-off allows
 *
 * and where clocks are wrong:
 *
 *   W-20 clocks        peers say how far apart their clocks are, and what waits */
#ifndef HT_TESTS_SIM_INVARIANTS_H
#define HT_TESTS_SIM_INVARIANTS_H

#include "tests/sim/world.h"

/* Everything about one node, after an event: W-1 to W-11. */
void audit_node(struct node *n);

#endif
