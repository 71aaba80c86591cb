/* Power cuts at every write, truncation and sync of a drill (tests/sim/drill.h).
 *
 * While the work goes on, each change of the disk is preceded by a cut of a copy:
 * unsynced sectors are kept or lost by dice, somebody starts the replica there,
 * and everything that was acknowledged by then must be found, and sound. Some
 * cuts are of the disk itself, and the work goes on where it was cut off. */
#ifndef HT_TESTS_SIM_POWERCUT_H
#define HT_TESTS_SIM_POWERCUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

enum powercut_disk {
	POWERCUT_HONEST,
	/* Controls, in which the same test must find something: */
	POWERCUT_NORMAL, /* the store with synchronous=NORMAL */
	POWERCUT_LYING,  /* a sync that says it is done, and is not */
	POWERCUT_DISK_COUNT
};

struct powercut_plan {
	enum powercut_disk disk;
	uint64_t seed;
	uint64_t cuts;
};

struct powercut_report {
	uint64_t cuts;
	uint64_t acknowledged; /* changesets, in all drills */
	uint64_t lossy;        /* cuts after which something acknowledged was missing */
	uint64_t damaging;     /* cuts after which the replica was not sound */
	uint64_t drills;
	struct errmsg first; /* what the first of these was, and where; or "" */
};

void powercut_run(const struct powercut_plan *plan, struct powercut_report *out);

/* Cut so often on an honest disk, a tenth as often on each control, and print the
 * figures. False: something was lost or damaged, or a control showed nothing. */
bool powercut_tell(uint64_t seed, uint64_t cuts);

#endif
