/* Hybrid logical clock (HLC): stamps that order writes across replicas.
 *
 * A stamp packs 48 bits of wall time (ms since the Unix epoch) above a 16-bit
 * counter, so integer order is HLC order. Ties: replica_id_cmp().
 * Whoever has seen a stamp issues only greater ones, whatever the clocks say.
 * Pure: no I/O, no allocation, no locks; the caller supplies wall time.
 * After Kulkarni et al., "Logical Physical Clocks" (OPODIS 2014). */
#ifndef HT_CORE_HLC_H
#define HT_CORE_HLC_H

#include <stdbool.h>
#include <stdint.h>

struct hlc_stamp {
	uint64_t bits; /* wall_ms << 16 | counter */
};

struct hlc {
	struct hlc_stamp last; /* greatest stamp issued or observed */
};

static inline int hlc_cmp(struct hlc_stamp a, struct hlc_stamp b)
{
	return (a.bits > b.bits) - (a.bits < b.bits);
}

static inline uint64_t hlc_wall_ms(struct hlc_stamp stamp)
{
	return stamp.bits >> 16;
}

/* Issue a stamp for a local write, strictly greater than all before, even if
 * the wall clock stepped back. Cannot fail. */
struct hlc_stamp hlc_now(struct hlc *clock, uint64_t wall_ms);

/* Take note of a stamp that another replica issued. */
void hlc_observe(struct hlc *clock, struct hlc_stamp seen);

/* More than HLC_AHEAD_MS_MAX ahead of our wall clock: not to be observed. */
bool hlc_is_future(struct hlc_stamp stamp, uint64_t wall_ms);

#endif
