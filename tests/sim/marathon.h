/* A marathon: random seeds over all scenarios, for a while. */
#ifndef HT_TESTS_SIM_MARATHON_H
#define HT_TESTS_SIM_MARATHON_H

#include <stdint.h>

struct marathon {
	uint64_t seed;       /* of the first world; the next ones count up from it */
	uint64_t wall_ms;    /* stop when so much time has passed; 0 = no limit */
	uint64_t events_min; /* stop when the worlds had so many events; 0 = no limit */
};

/* Half of the worlds are random ones, every fifth of these without engines; the others
 * are of any other scenario. Which one follows from the seed. Each violation is
 * explained, and the marathon goes on. Prints the events, seeds and failures, by
 * scenario and in total: an event is one that the simulator's queue fired.
 * Returns the exit status. */
int marathon_run(const struct marathon *m);

#endif
