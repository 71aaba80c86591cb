/* A long absence: two offices without a link for 1,000 days, both at work. */
#ifndef HT_TESTS_SIM_ABSENCE_H
#define HT_TESTS_SIM_ABSENCE_H

#include "tests/sim/world.h"

struct absence {
	uint64_t changes; /* changesets that each side wrote meanwhile */
	uint64_t days;
	uint64_t bytes;      /* that travelled when they met again, both ways together */
	uint64_t virtual_ms; /* until both had everything: 20 ms away, 100 Mbit/s */
	double cpu_seconds;  /* of both together, for that */
	uint8_t state[STATE_HASH_BYTES]; /* that both have */
};

/* Half of the changes are new action items of eight fields, half new titles of items
 * that both know, so that what is concurrent meets. Afterwards the states must be the
 * same byte for byte, and what the logs say. False, with the reason on stderr, if not. */
bool absence_run(uint64_t changes, uint64_t days, struct absence *out);

/* The same with the figures on stdout; returns the exit status. */
int absence_tell(uint64_t changes);

#endif
