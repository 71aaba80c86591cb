#include "node/place.h"

#include "node/i18n.h"
#include "node/sys_error.h"

/* The first office that keeps this zone's time; "" when none does. */
static enum err office_in(struct context *ctx, const char *zone, char out[OFFICE_CODE_MAX + 1],
			  struct errmsg *msg)
{
	struct value arg = value_str(zone);
	struct rows *rows;
	enum err rc = rows_open(&rows, ctx->replica,
				"SELECT code FROM r_office WHERE zone = ? ORDER BY code LIMIT 1",
				&arg, 1, msg);

	out[0] = 0;
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		snprintf(out, OFFICE_CODE_MAX + 1, "%s", rows_text(rows, 0));
	return rows_close(rows, msg);
}

static enum err keep(struct arena *arena, const char *text, const char **out, struct errmsg *msg)
{
	struct bytes copy = arena_copy(arena, bytes_of(text, strlen(text) + 1));

	if (!copy.data)
		return no_memory(msg);
	*out = (const char *)copy.data;
	return OK;
}

enum err place_when(struct context *ctx, struct arena *arena, struct value when, const char **out,
		    struct errmsg *msg)
{
	const struct when_reader *reader;
	char place[OFFICE_CODE_MAX + 1] = "";
	char text[WHEN_TEXT_BYTES];
	struct walltime w;
	enum err rc = context_reader(ctx, &reader, msg);

	*out = "";
	if (rc != OK || when.type != VALUE_TEXT || walltime_parse(&w, when.bytes) != OK)
		return rc;
	if (strcmp(w.zone, reader->zone) != 0)
		rc = office_in(ctx, w.zone, place, msg);
	if (rc != OK)
		return rc;
	when_short(reader, &w, *place ? place : NULL, text);
	return keep(arena, text, out, msg);
}

enum err place_time(struct context *ctx, struct arena *arena, const char *zone, const char **out,
		    struct errmsg *msg)
{
	static const char *const days[] = { N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"),
					    N_("Fri"), N_("Sat"), N_("Sun") };
	int64_t local_s = (int64_t)(ctx->now_ms / 1000);
	char clock[CIVIL_CLOCK_BYTES];
	char text[WHEN_TEXT_BYTES];
	const struct tz *tz;
	int64_t day;

	*out = "";
	if (zone_db_get(ctx->zones, zone, &tz, NULL) != OK)
		return OK;
	local_s += tz_from_utc(tz, local_s)->offset_s;
	day = civil_days_from_s(local_s);
	civil_clock_format(clock, (int32_t)((local_s - civil_s_from_days(day)) / 60));
	snprintf(text, sizeof(text), "%s %s", _(days[civil_weekday(day)]), clock);
	return keep(arena, text, out, msg);
}
