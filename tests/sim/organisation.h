/* The organisation that every world begins with: node 0 founds it, admits the
 * others, but for the newcomers, and makes the collaborations; everybody starts
 * with that directory, as enrolment gives it to them. */
#ifndef HT_TESTS_SIM_ORGANISATION_H
#define HT_TESTS_SIM_ORGANISATION_H

#include "tests/sim/world.h"

/* Draw the topology's edges. */
void organisation_connect(struct world *w);

/* All nodes have been created; afterwards all can be started. */
void organisation_found(struct world *w);

#endif
