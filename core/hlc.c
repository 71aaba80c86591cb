#include "core/hlc.h"

#include "core/limits.h"

struct hlc_stamp hlc_now(struct hlc *clock, uint64_t wall_ms)
{
	struct hlc_stamp wall = { wall_ms << 16 };

	/* A full counter carries into the milliseconds: the clock runs ahead of
	 * wall time for a moment instead of failing a local write. */
	clock->last.bits++;
	if (hlc_cmp(wall, clock->last) > 0)
		clock->last = wall;
	return clock->last;
}

void hlc_observe(struct hlc *clock, struct hlc_stamp seen)
{
	if (hlc_cmp(seen, clock->last) > 0)
		clock->last = seen;
}

bool hlc_is_future(struct hlc_stamp stamp, uint64_t wall_ms)
{
	return hlc_wall_ms(stamp) > wall_ms + HLC_AHEAD_MS_MAX;
}
