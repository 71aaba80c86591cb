/* How people see times: in their own zone, with the origin's beside it.
 *
 *     11-30 17:00                  a time of the reader's own zone, this year
 *     11-30 10:00 (SHA 17:00)      one of another zone
 *     11-29 17:00 (SHA 06:00 +1d)  there it is the day after
 *     11-30 11:00 (SHA 11-30)      a date alone, which lasts until closing time there
 *
 * Texts are for people and translated. A zone that this machine's database does not have is no
 * reason to show nothing: such a time is shown as it was written, with its zone. */
#ifndef HT_NODE_WHEN_H
#define HT_NODE_WHEN_H

#include "node/zone.h"

#define WHEN_TEXT_BYTES     256
#define WHEN_CLOSING_MINUTE (18 * 60)

/* Who reads, and when. */
struct when_reader {
	struct zone_db *zones; /* borrowed */
	char zone[ZONE_NAME_BYTES];
	int64_t now_s;
	int32_t closing_minute; /* when the day of a date alone ends, in minutes after midnight */
};

/* `zone` NULL is this machine's own; ERR_NOT_FOUND for one that does not exist. Closing time is
 * WHEN_CLOSING_MINUTE until it is set. */
MUST_CHECK enum err when_reader_init(struct when_reader *r, struct zone_db *zones, const char *zone,
				     int64_t now_s, struct errmsg *msg);

/* The clock of `zone` at an instant (core/civil.h); UTC's if there is no such zone. */
int64_t when_local_s(const struct when_reader *r, const char *zone, int64_t utc_s);

/* The instant of a wall time; of a date alone, closing time in its zone. */
MUST_CHECK enum err when_to_utc(const struct when_reader *r, const struct walltime *w,
				int64_t *utc_s, enum tz_fit *fit, struct errmsg *msg);

/* For a column of a list, as above. `place` stands for the origin's zone ("SHA"); NULL makes it
 * from the zone's name ("Shanghai"). */
void when_short(const struct when_reader *r, const struct walltime *w, const char *place,
		char out[static WHEN_TEXT_BYTES]);

/* For one record: "2026-11-30 17:00 (Asia/Shanghai) = 10:00 Europe/Berlin". */
void when_full(const struct when_reader *r, const struct walltime *w,
	       char out[static WHEN_TEXT_BYTES]);

/* What happened, in the reader's zone: "2026-11-30 17:00". `wall_ms` is that of an HLC stamp. */
void when_instant(const struct when_reader *r, uint64_t wall_ms, char out[static WHEN_TEXT_BYTES]);

/* Whether clocks skip or repeat this time, which is then said in `out` with what is meant. */
bool when_caution(const struct when_reader *r, const struct walltime *w,
		  char out[static WHEN_TEXT_BYTES]);

#endif
