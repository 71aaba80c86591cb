#include "node/when.h"

#include <stdio.h>

#include "node/i18n.h"

#define DAY_MARK_BYTES 32

/* A local time as it is shown, with room for whatever the numbers may be. */
struct shown {
	char date[40];
	char day[24]; /* the date without its year */
	char clock[CIVIL_CLOCK_BYTES];
};

enum err when_reader_init(struct when_reader *r, struct zone_db *zones, const char *zone,
			  int64_t now_s, struct errmsg *msg)
{
	struct when_reader fresh = { .zones = zones,
				     .now_s = now_s,
				     .closing_minute = WHEN_CLOSING_MINUTE };
	const struct tz *tz;
	enum err rc;

	if (zone) {
		rc = zone_db_get(zones, zone, &tz, msg);
		if (!rc)
			memcpy(fresh.zone, zone, strlen(zone) + 1);
	} else {
		struct zone_sources sources = zone_sources_of_system();

		rc = zone_db_local(zones, &sources, fresh.zone, msg);
	}
	if (!rc)
		*r = fresh;
	return rc;
}

enum err when_to_utc(const struct when_reader *r, const struct walltime *w, int64_t *utc_s,
		     enum tz_fit *fit, struct errmsg *msg)
{
	const struct tz *tz;
	enum err rc = zone_db_get(r->zones, w->zone, &tz, msg);

	if (rc)
		return rc;
	*fit = tz_to_utc(tz, walltime_local_s(w, r->closing_minute), utc_s);
	return OK;
}

int64_t when_local_s(const struct when_reader *r, const char *zone, int64_t utc_s)
{
	const struct tz *tz;

	if (zone_db_get(r->zones, zone, &tz, NULL))
		return utc_s;
	return utc_s + tz_from_utc(tz, utc_s)->offset_s;
}

static struct civil_date date_of(int64_t local_s)
{
	return civil_date_from_days(civil_days_from_s(local_s));
}

static struct shown show(int64_t local_s)
{
	struct civil_date d = date_of(local_s);
	struct shown shown;

	snprintf(shown.date, sizeof(shown.date), "%04d-%02d-%02d", d.year, d.month, d.day);
	snprintf(shown.day, sizeof(shown.day), "%02d-%02d", d.month, d.day);
	civil_clock_format(shown.clock, civil_minute_from_s(local_s));
	return shown;
}

/* Without the year if it is the one that is now. */
static struct shown show_short(const struct when_reader *r, int64_t local_s)
{
	struct civil_date d = date_of(local_s);
	struct shown shown = show(local_s);

	if (d.year == date_of(when_local_s(r, r->zone, r->now_s)).year)
		snprintf(shown.date, sizeof(shown.date), "%s", shown.day);
	return shown;
}

/* " +1d" when `local_s` falls on the day after `than_s`, "" on the same. */
static void put_day_mark(char out[static DAY_MARK_BYTES], int64_t local_s, int64_t than_s)
{
	int days = (int)(civil_days_from_s(local_s) - civil_days_from_s(than_s));

	out[0] = '\0';
	if (days)
		snprintf(out, DAY_MARK_BYTES, _(" %+dd"), days);
}

/* "New York" of America/New_York. */
static void put_place(char out[static ZONE_NAME_BYTES], const char *zone)
{
	const char *slash = strrchr(zone, '/');

	snprintf(out, ZONE_NAME_BYTES, "%s", slash ? slash + 1 : zone);
	for (char *at = out; *at; at++)
		if (*at == '_')
			*at = ' ';
}

/* The reader's local time of `w`; false if this machine does not know its zone. */
static bool here_of(const struct when_reader *r, const struct walltime *w, int64_t *here_s)
{
	enum tz_fit fit;
	int64_t utc_s;

	if (when_to_utc(r, w, &utc_s, &fit, NULL))
		return false;
	*here_s = when_local_s(r, r->zone, utc_s);
	return true;
}

/* "2026-11-30" or "2026-11-30 17:00" */
static void put_own(char out[static WHEN_TEXT_BYTES], const struct walltime *w,
		    const struct shown *shown)
{
	snprintf(out, WHEN_TEXT_BYTES, "%s%s%s", shown->date, w->has_time ? " " : "",
		 w->has_time ? shown->clock : "");
}

void when_short(const struct when_reader *r, const struct walltime *w, const char *place,
		char out[static WHEN_TEXT_BYTES])
{
	int64_t there_s = walltime_local_s(w, r->closing_minute), here_s;
	char name[ZONE_NAME_BYTES], own[WHEN_TEXT_BYTES], mark[DAY_MARK_BYTES];
	struct shown there = show_short(r, there_s), here;

	put_own(own, w, &there);
	put_place(name, w->zone);
	if (!place)
		place = name;
	if (!here_of(r, w, &here_s)) {
		snprintf(out, WHEN_TEXT_BYTES, "%.64s (%.64s)", own, place);
		return;
	}
	here = show_short(r, here_s);
	put_day_mark(mark, there_s, here_s);
	if (here_s == there_s)
		put_own(out, w, &here);
	else
		snprintf(out, WHEN_TEXT_BYTES, "%s %s (%.64s %s%s)", here.date, here.clock, place,
			 w->has_time ? there.clock : there.day, w->has_time ? mark : "");
}

void when_full(const struct when_reader *r, const struct walltime *w,
	       char out[static WHEN_TEXT_BYTES])
{
	int64_t there_s = walltime_local_s(w, r->closing_minute), here_s;
	struct shown there = show(there_s), here;
	char own[WHEN_TEXT_BYTES], mark[DAY_MARK_BYTES];

	put_own(own, w, &there);
	if (!here_of(r, w, &here_s) || here_s == there_s) {
		snprintf(out, WHEN_TEXT_BYTES, "%.64s (%s)", own, w->zone);
		return;
	}
	here = show(here_s);
	put_day_mark(mark, here_s, there_s);
	snprintf(out, WHEN_TEXT_BYTES,
		 w->has_time ? _("%.64s (%s) = %s%s %s") : _("%.64s (%s) = until %s%s %s"), own,
		 w->zone, here.clock, mark, r->zone);
}

void when_instant(const struct when_reader *r, uint64_t wall_ms, char out[static WHEN_TEXT_BYTES])
{
	struct shown shown = show(when_local_s(r, r->zone, (int64_t)(wall_ms / 1000)));

	snprintf(out, WHEN_TEXT_BYTES, "%s %s", shown.date, shown.clock);
}

bool when_caution(const struct when_reader *r, const struct walltime *w,
		  char out[static WHEN_TEXT_BYTES])
{
	int64_t local_s = walltime_local_s(w, r->closing_minute), utc_s;
	struct shown asked = show(local_s), meant;
	const struct tz *tz;
	enum tz_fit fit;

	if (zone_db_get(r->zones, w->zone, &tz, NULL))
		return false;
	fit = tz_to_utc(tz, local_s, &utc_s);
	meant = show(utc_s + tz_from_utc(tz, utc_s)->offset_s);
	if (fit == TZ_GAP)
		snprintf(out, WHEN_TEXT_BYTES, _("%s: clocks skip %s on %s; taken as %s"), w->zone,
			 asked.clock, asked.date, meant.clock);
	else if (fit == TZ_OVERLAP)
		snprintf(out, WHEN_TEXT_BYTES,
			 _("%s: clocks show %s twice on %s; the first is taken"), w->zone,
			 asked.clock, asked.date);
	return fit != TZ_UNIQUE;
}
