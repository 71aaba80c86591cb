/* What became of everything that was ever acknowledged: W-24 of invariants.h.
 *
 *   counts     held by the members, below its feed's cut; or
 *   again      another changeset with the same meaning counts: the same author, which
 *              contested worlds draw for each edit anew, and the same ops but for
 *              what they name; or
 *   excused    no disk had it any more when the one that had it was put back; or
 *   cut off    held, and above a cut that somebody made: REVOKE, EPOCH, GRANT; or
 *              under an id that no statement that stands names
 *   branch     of a feed that has forked, moved out of the log, readable there; or
 *   outside    only those have it who are no members any more, or may not read the
 *              space: nobody takes anything from them
 *
 * Cut off or in a branch, where it is an accident and not somebody's will (a fork, an epoch that
 * lost to a rival), only as long as nobody is there to write it again: no member that
 * goes on from that node has it, or its office may not write there; or somebody has cut off
 * what it was written again as, say of a clone that enrolled anew and was removed then. */
#ifndef HT_TESTS_SIM_FATE_H
#define HT_TESTS_SIM_FATE_H

#include "tests/sim/world.h"

/* Of a world at rest in which all members agree; of the spaces whose readers can meet. */
void fate_check(struct world *w);

#endif
