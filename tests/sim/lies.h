/* Lies: a member with a valid key says what it must not. Its own replica and engine are
 * honest; now and then another program takes the engine's place and speaks with its keys
 * (mouth.h): changesets that are ill-typed, out of bounds, out of order, dated in the far
 * future or in another's name, for spaces where it has no part; statements that it may not
 * make, or that others never made.
 *
 * None of it may be held by anybody (W-2, W-3), or change what is shown (W-11, W-21).
 * Without engines the peer's replica gets them at once. */
#ifndef HT_TESTS_SIM_LIES_H
#define HT_TESTS_SIM_LIES_H

#include "tests/sim/world.h"

/* One of any kind, to somebody of whom dice decide. */
void lie_strike(struct world *w);

/* W-3: nobody ever held a statement that its signer never made. */
void lie_check(struct world *w);

/* An admin takes the admin rights of the hostile member; then, that it is one at all. */
void lie_demote(struct world *w);
void lie_expel(struct world *w);

#endif
