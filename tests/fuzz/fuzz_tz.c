/* TZif files of any bytes: whatever is accepted answers every question consistently. */
#include "core/tz.h"
#include "tests/fuzz/target.h"

static void ask(const struct tz *tz, int64_t local_s)
{
	int64_t utc_s;
	enum tz_fit fit = tz_to_utc(tz, local_s, &utc_s);
	int64_t shown_s = utc_s + tz_from_utc(tz, utc_s)->offset_s;

	require((fit == TZ_GAP) != (shown_s == local_s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tz *tz;

	if (tz_new(&tz, bytes_of(data, size), NULL) != OK)
		return 0;
	for (int64_t day = -60000; day <= 100000; day += 4999)
		for (int64_t minute = 0; minute < 1440; minute += 475)
			ask(tz, day * 86400 + minute * 60);
	ask(tz, TZ_RANGE_S / 2);
	ask(tz, -TZ_RANGE_S / 2);
	tz_free(tz);
	return 0;
}
