/* A wall time: when something will happen, as the clock on the wall of a zone will show it.
 *
 * The date, the time and the IANA zone are the truth; an offset is never kept, because laws
 * change it. UTC is derived, by core/tz.h, when it is needed. The canonical text is
 *     2026-11-30[Asia/Shanghai]            a date alone
 *     2026-11-30T17:00[Asia/Shanghai]
 * as in RFC 9557, with no offset. Pure: whether the zone exists is not known here. */
#ifndef HT_CORE_WALLTIME_H
#define HT_CORE_WALLTIME_H

#include "core/civil.h"

#define WALLTIME_YEAR_MIN       1970
#define WALLTIME_YEAR_MAX       9999
#define WALLTIME_ZONE_BYTES_MAX 64
/* The longest canonical text and its end. */
#define WALLTIME_TEXT_BYTES (sizeof("2026-11-30T17:00[]") + WALLTIME_ZONE_BYTES_MAX)

struct walltime {
	struct civil_date date;
	bool has_time;
	int32_t minute; /* after midnight, 0..1439; 0 without a time */
	char zone[WALLTIME_ZONE_BYTES_MAX + 1];
};

/* Only the canonical text; ERR_INVALID otherwise. */
MUST_CHECK enum err walltime_parse(struct walltime *out, struct bytes text);

/* Asserts what walltime_parse() checks. The order of the texts, by which SQL sorts, is by date,
 * then by time with a date alone last, then by zone; across zones not that in which they come to
 * pass. */
void walltime_format(char out[static WALLTIME_TEXT_BYTES], const struct walltime *w);

/* Whether a zone may bear this name: at most 64 of [A-Za-z0-9_+-], in parts between slashes that
 * each begin with a letter; so it never is a path that leads elsewhere. */
bool walltime_zone_is_valid(struct bytes name);

/* Seconds of its own zone (see core/civil.h); `minute` is the time that a date alone means. */
int64_t walltime_local_s(const struct walltime *w, int32_t minute);

#endif
