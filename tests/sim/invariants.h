/* What must hold in every world, checked after every event:
 *
 *   W-1  acknowledged  what a commit acknowledged its replica holds for ever after
 *   W-2  one content   a dot has one body and one signature, wherever it is held
 *   W-3  origin first  nobody holds what its author has not made durable, nor a
 *                      statement that its signer never made
 *   W-4  growth        what a replica holds only grows, over crashes too
 *   W-5  causality     with a changeset a replica holds all that its author held
 *   W-6  dependencies  what a changeset names, followed to the end, is exactly
 *                      what its author held
 *   W-7  clocks        stamps grow along every feed and every dependency, and run
 *                      ahead of all clocks seen by no more than a tick
 *   W-8  future        nothing more than a day ahead of one's clock is taken
 *   W-9  grants        a replica takes of a space only what its office may read
 *   W-10 bounds        a connection's queue stays below its limit
 *   W-11 state         a record is what the oracle says (oracle.h) of what counts
 *   W-14 edits         a changeset says what its author was asked to write
 *   W-15 service       local work and a start fail only for the disk's sake
 *   W-16 peace         honest nodes over honest links refuse nothing
 *   W-21 one fold      equal sets of statements say the same, byte for byte, and
 *                      what the rules say that were read once more (views.h)
 *   W-22 removed       nobody takes what was written by somebody who knew that it
 *                      is no member, or may not read the space, unless somebody
 *                      who knew that, too, has let it in again
 *   W-23 membership    with a changeset a replica holds the statements that its
 *        first         author held
 *
 * and once the world is at rest (rest.h, fate.h), all of W-11, and:
 *
 *   W-12 convergence   all who take part in a space hold all of it, and all
 *                      members the same statements
 *   W-13 one state     equal holdings have equal state hashes, which verify
 *   W-17 numbers       no readable number was issued twice
 *   W-18 views         the tables for people show what the oracle says
 *   W-19 rest          every engine says that it is idle, and none has dialled
 *                      more often than its back-off allows
 *   W-24 fate          whatever was acknowledged counts, or was written again and
 *                      counts so, or is readable in quarantine for a reason that
 *                      the membership gives
 *
 * and where clocks are wrong:
 *
 *   W-20 clocks        peers say how far apart their clocks are, and what waits
 *
 * Where disks are put back or copied on purpose, and where people are removed:
 *
 *   - W-1 begins anew with the disk that was put back.
 *   - W-2: an id that is in use twice, or went back without any means to know it,
 *     may issue a dot again (ledger.h). No other may.
 *   - W-4: of a feed that has forked, what lies from the fork on may leave the log, and
 *     all of it where a cut names the other branch (M-16).
 *   - W-5, W-6, W-7: what does not count where it is missing, or lies beyond a fork,
 *     is not waited for (M-21).
 *   - W-16: of two copies, and of what names a dot that was issued twice, nobody asks
 *     that they be welcome before the fork is proved.
 *   - W-12: "all of it" is what any of the members holds; "all" are those who can meet,
 *     directly or through others who may read the space (rest.h). */
#ifndef HT_TESTS_SIM_INVARIANTS_H
#define HT_TESTS_SIM_INVARIANTS_H

#include "tests/sim/world.h"

/* Everything about one node, after an event: W-1 to W-11, W-21 to W-23. */
void audit_node(struct node *n);

/* What counts of what the node held of the space at the last audit, as a frontier. */
void audit_counted(const struct node *n, uint32_t space, uint32_t *out);
/* How far the feed counts there; UINT32_MAX: all of it. */
uint32_t audit_limit(const struct node *n, uint32_t space, uint32_t author);

#endif
