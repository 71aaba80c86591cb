/* The time as an argument. */
#ifndef HT_SYNC_NOW_H
#define HT_SYNC_NOW_H

#include <stdint.h>

/* wall_ms is wall time, mono_ms a clock that never steps back: deadlines use
 * only the latter. */
struct now {
	uint64_t wall_ms;
	uint64_t mono_ms;
};

#endif
