/* Time zones: the offset of an instant, and the instant of a local time.
 *
 * Reads the TZif files of the time zone database (RFC 9636, versions 1 to 4), whose bytes the
 * caller brings; after a file's last transition the rule in its footer goes on for ever. Pure
 * and immutable: many threads may ask one struct tz at once.
 *
 * Instants are seconds since the Unix epoch; a local time is the same count as read off a wall
 * clock (core/civil.h). Both must lie within TZ_RANGE_S of 0, which is asserted. */
#ifndef HT_CORE_TZ_H
#define HT_CORE_TZ_H

#include "core/bytes.h"

#define TZ_FILE_BYTES_MAX   ((size_t)64 << 10)
#define TZ_TRANSITIONS_MAX  2048 /* the fullest zone has 236 */
#define TZ_ABBREVIATION_MAX 15
#define TZ_OFFSET_S_MAX     93599 /* of RFC 9636: less than 26 h either way */
#define TZ_RANGE_S          (INT64_C(1) << 40)

/* What a clock does for a while ("local time type"). */
struct tz_type {
	int32_t offset_s; /* local time minus UTC */
	bool is_dst;
	char abbreviation[TZ_ABBREVIATION_MAX + 1];
};

struct tz;

/* Takes nothing: `file` may go afterwards. ERR_VERSION for a version we don't know, ERR_LIMIT
 * over a limit above, ERR_FORMAT for anything else that is wrong; counted leap seconds (the
 * "right/" zones) are, since our instants have none. */
MUST_CHECK enum err tz_new(struct tz **out, struct bytes file, struct errmsg *msg);
void tz_free(struct tz *tz);

/* Never NULL; borrowed from `tz`. */
const struct tz_type *tz_from_utc(const struct tz *tz, int64_t utc_s);

enum tz_fit {
	TZ_UNIQUE,
	TZ_GAP,     /* clocks skip it: taken with the offset before the gap, so it ends up later */
	TZ_OVERLAP, /* clocks show it twice: the first is taken */
};

enum tz_fit tz_to_utc(const struct tz *tz, int64_t local_s, int64_t *utc_s);

#endif
