/* What goes wrong, by dice: links, connections, bytes, power, processes, disks,
 * clocks, strangers. Everything heals by itself after a while, or when the
 * world settles. */
#ifndef HT_TESTS_SIM_FAULTS_H
#define HT_TESTS_SIM_FAULTS_H

#include "tests/sim/world.h"

/* One fault of any kind. */
void fault_strike(struct world *w);

/* Give every link a character: near, far, slow, unsteady. */
void fault_draw_links(struct world *w);

/* The end of all faults: links, disks and clocks are right, everybody is up. */
void fault_heal_all(struct world *w);

/* Cut or join everything between the nodes of `part` and the others. */
void fault_partition(struct world *w, const bool *part, bool cut);

#endif
