/* Acts of membership, by dice: somebody revokes, grants, takes roles, adopts, rotates
 * keys, begins an epoch, lets somebody in again; as an admin, a manager, as itself or
 * with the root key, by what it knows, wherever it is. What it may not do is refused,
 * and that is no failure. */
#ifndef HT_TESTS_SIM_ACTS_H
#define HT_TESTS_SIM_ACTS_H

#include "tests/sim/world.h"

const char *act_name(enum act act); /* "revoke" */

/* One of any kind, by a node of which dice decide. */
void act_strike(struct world *w);

/* A certain one, by a certain node; true if it has come to pass. */
bool act_by(struct node *n, enum act act);

#endif
