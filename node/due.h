/* Dues: what people type for one, and how late it is.
 *
 *     2026-11-30   11-30   2026年11月30日   11月30日     a day; without a year, the next such day
 *     today   tomorrow   今天   明天   后天   +3d   +2w    a day counted from today
 *     fri   friday   周五   星期五   下周五              the next Friday, not today; that of next
 * week
 *     ... 17:00                                      with a time of that day
 *     ... [Asia/Shanghai]                            of another zone than the reader's
 *
 * A due needs a date: vague words ("ASAP", 尽快) are refused with a proposal. */
#ifndef HT_NODE_DUE_H
#define HT_NODE_DUE_H

#include "node/when.h"

/* ERR_INVALID, with what may be written, for anything else; what zone_db_get() says of a zone
 * that isn't there. */
MUST_CHECK enum err due_parse(struct walltime *out, const struct when_reader *r, const char *text,
			      struct errmsg *msg);

struct due {
	int64_t utc_s;   /* the instant; of a date alone, closing time */
	bool is_overdue; /* the instant has passed */
	int32_t days;    /* from or to today by the reader's calendar, never negative */
};

/* ERR_NOT_FOUND for a zone that this machine does not know. */
MUST_CHECK enum err due_of(struct due *out, const struct when_reader *r, const struct walltime *w,
			   struct errmsg *msg);

/* "overdue by 3 days", "overdue since 18:00", "due today at 18:00", "due in 2 days". */
void due_format(const struct due *due, const struct when_reader *r,
		char out[static WHEN_TEXT_BYTES]);

#endif
