/* The rule that a time zone follows after its last known transition: the POSIX TZ string in the
 * footer of a TZif file, as RFC 9636 extends it ("CET-1CEST,M3.5.0,M10.5.0/3"). For core/tz.c. */
#ifndef HT_CORE_TZ_RULE_H
#define HT_CORE_TZ_RULE_H

#include "core/tz.h"

/* When a rule switches, each year. */
struct tz_rule_date {
	enum {
		TZ_DAY_OF_YEAR,           /* n: 0..365 */
		TZ_DAY_OF_YEAR_SANS_LEAP, /* Jn: 1..365, 29 February is never counted */
		TZ_WEEKDAY_OF_MONTH,      /* Mm.w.d: week 5 is the last, day 0 is Sunday */
	} form;
	int32_t month, week, day;
	int32_t time_s; /* after local midnight; may be negative or beyond the day */
};

struct tz_rule {
	struct tz_type standard;
	struct tz_type dst;
	bool has_dst;
	struct tz_rule_date dst_begins; /* in standard time */
	struct tz_rule_date dst_ends;   /* in daylight-saving time */
};

/* A stretch of time with one type: [from_s, until_s). `type` is borrowed. */
struct tz_span {
	int64_t from_s, until_s;
	const struct tz_type *type;
};

/* ERR_FORMAT unless all of `text` is a rule; daylight-saving time must say when. */
MUST_CHECK enum err tz_rule_parse(struct tz_rule *out, struct bytes text);

/* The span around an instant, as if the rule had always been in force. */
struct tz_span tz_rule_span(const struct tz_rule *rule, int64_t utc_s);

/* False, with `type` untouched, for a text too long or with bytes beyond visible ASCII. */
bool tz_type_set_abbreviation(struct tz_type *type, struct bytes text);

#endif
