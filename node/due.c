#include "node/due.h"

#include <stdio.h>
#include <strings.h>

#include "node/i18n.h"

#define WEEK_DAYS 7

/* A text being read, and the day on which it was typed. */
struct reading {
	const char *at;
	int64_t today;
};

/* --- the pieces --- */

/* Move past `word` in any case; false and unmoved if something else stands there. */
static bool skip(struct reading *in, const char *word)
{
	size_t size = strlen(word);

	if (strncasecmp(in->at, word, size) != 0)
		return false;
	in->at += size;
	return true;
}

static void skip_blanks(struct reading *in)
{
	while (skip(in, " ") || skip(in, "\t") || skip(in, "\u3000"))
		;
}

/* How many digits were read; 0 and unmoved unless 1..digits_max stand there. */
static int read_number(struct reading *in, int digits_max, int32_t *out)
{
	int32_t number = 0;
	int count = 0;

	while (in->at[count] >= '0' && in->at[count] <= '9') {
		if (count == digits_max)
			return 0;
		number = number * 10 + (in->at[count++] - '0');
	}
	in->at += count;
	*out = number;
	return count;
}

/* --- the forms of a day: each moves past what it read, or returns NOT_MINE --- */

enum form { NOT_MINE, READ, NO_SUCH_DAY };

/* 2026-11-30, 2026/11/30, 2026年11月30日 */
static enum form read_date(struct reading *in, int64_t *day)
{
	static const struct {
		const char *after_year, *after_month, *after_day;
	} styles[] = { { "-", "-", "" }, { "/", "/", "" }, { "年", "月", "日" } };

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		struct reading try = *in;
		struct civil_date date;

		if (read_number(&try, 4, &date.year) != 4 || !skip(&try, styles[i].after_year) ||
		    !read_number(&try, 2, &date.month) || !skip(&try, styles[i].after_month) ||
		    !read_number(&try, 2, &date.day) || !skip(&try, styles[i].after_day))
			continue;
		if (!civil_date_is_valid(date))
			return NO_SUCH_DAY;
		*day = civil_days_from_date(date);
		in->at = try.at;
		return READ;
	}
	return NOT_MINE;
}

/* The first such day from today on; 29 February may be eight years away. */
static enum form next_such_day(int64_t today, struct civil_date date, int64_t *day)
{
	int32_t year = civil_date_from_days(today).year;

	for (date.year = year; date.year <= year + 8; date.year++) {
		if (!civil_date_is_valid(date) || civil_days_from_date(date) < today)
			continue;
		*day = civil_days_from_date(date);
		return READ;
	}
	return NO_SUCH_DAY;
}

/* 11-30, 11月30日; not 11/30, which is a day in November here and in no month there */
static enum form read_day_of_year(struct reading *in, int64_t *day)
{
	static const struct {
		const char *after_month, *after_day;
	} styles[] = { { "-", "" }, { "月", "日" }, { "月", "号" } };

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		struct reading try = *in;
		struct civil_date date = { 0 };

		if (!read_number(&try, 2, &date.month) || !skip(&try, styles[i].after_month) ||
		    !read_number(&try, 2, &date.day) || !skip(&try, styles[i].after_day))
			continue;
		in->at = try.at;
		return next_such_day(in->today, date, day);
	}
	return NOT_MINE;
}

/* +3d, +2w */
static enum form read_distance(struct reading *in, int64_t *day)
{
	static const struct {
		const char *unit;
		int32_t days;
	} units[] = { { "d", 1 }, { "天", 1 }, { "w", WEEK_DAYS }, { "周", WEEK_DAYS } };
	struct reading try = *in;
	int32_t count;

	if (!skip(&try, "+") || !read_number(&try, 4, &count))
		return NOT_MINE;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!skip(&try, units[i].unit))
			continue;
		in->at = try.at;
		*day = in->today + (int64_t)count * units[i].days;
		return READ;
	}
	return NOT_MINE;
}

static enum form read_near_day(struct reading *in, int64_t *day)
{
	static const struct {
		const char *word;
		int32_t days;
	} words[] = {
		{ "today", 0 }, { "tomorrow", 1 }, { "今天", 0 }, { "今日", 0 },
		{ "明天", 1 },  { "明日", 1 },     { "后天", 2 },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!skip(in, words[i].word))
			continue;
		*day = in->today + words[i].days;
		return READ;
	}
	return NOT_MINE;
}

/* The weekday after today: typed on a Friday, Friday is a week away. */
static int64_t coming_weekday(int64_t today, enum civil_weekday weekday)
{
	int64_t days = ((int64_t)weekday - civil_weekday(today) + WEEK_DAYS) % WEEK_DAYS;

	return today + (days ? days : WEEK_DAYS);
}

static enum form read_weekday(struct reading *in, int64_t *day)
{
	/* The longer of two with one beginning comes first. */
	static const struct {
		const char *word;
		enum civil_weekday weekday;
	} words[] = {
		{ "monday", CIVIL_MONDAY },       { "mon", CIVIL_MONDAY },
		{ "tuesday", CIVIL_TUESDAY },     { "tue", CIVIL_TUESDAY },
		{ "wednesday", CIVIL_WEDNESDAY }, { "wed", CIVIL_WEDNESDAY },
		{ "thursday", CIVIL_THURSDAY },   { "thu", CIVIL_THURSDAY },
		{ "friday", CIVIL_FRIDAY },       { "fri", CIVIL_FRIDAY },
		{ "saturday", CIVIL_SATURDAY },   { "sat", CIVIL_SATURDAY },
		{ "sunday", CIVIL_SUNDAY },       { "sun", CIVIL_SUNDAY },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!skip(in, words[i].word))
			continue;
		*day = coming_weekday(in->today, words[i].weekday);
		return READ;
	}
	return NOT_MINE;
}

/* 周五 is the coming Friday, 本周五 and 下周五 are those of this week and the next, from Monday. */
static enum form read_chinese_weekday(struct reading *in, int64_t *day)
{
	static const struct {
		const char *word;
		enum { COMING, THIS_WEEK, NEXT_WEEK } which;
	} prefixes[] = {
		{ "周", COMING },      { "星期", COMING },      { "本周", THIS_WEEK },
		{ "这周", THIS_WEEK }, { "本星期", THIS_WEEK }, { "这星期", THIS_WEEK },
		{ "下周", NEXT_WEEK }, { "下星期", NEXT_WEEK },
	};
	static const struct {
		const char *word;
		enum civil_weekday weekday;
	} names[] = {
		{ "一", CIVIL_MONDAY },   { "二", CIVIL_TUESDAY }, { "三", CIVIL_WEDNESDAY },
		{ "四", CIVIL_THURSDAY }, { "五", CIVIL_FRIDAY },  { "六", CIVIL_SATURDAY },
		{ "日", CIVIL_SUNDAY },   { "天", CIVIL_SUNDAY },
	};
	int64_t monday = in->today - civil_weekday(in->today);
	struct reading try = *in;
	size_t p = 0, n = 0;

	while (p < sizeof(prefixes) / sizeof(prefixes[0]) && !skip(&try, prefixes[p].word))
		p++;
	if (p == sizeof(prefixes) / sizeof(prefixes[0]))
		return NOT_MINE;
	while (n < sizeof(names) / sizeof(names[0]) && !skip(&try, names[n].word))
		n++;
	if (n == sizeof(names) / sizeof(names[0]))
		return NOT_MINE;
	in->at = try.at;
	if (prefixes[p].which == COMING)
		*day = coming_weekday(in->today, names[n].weekday);
	else
		*day = monday + names[n].weekday + WEEK_DAYS * (prefixes[p].which == NEXT_WEEK);
	return READ;
}

static bool is_in_range(struct civil_date date)
{
	return date.year >= WALLTIME_YEAR_MIN && date.year <= WALLTIME_YEAR_MAX;
}

static enum form read_day(struct reading *in, int64_t *day)
{
	static enum form (*const forms[])(struct reading *, int64_t *) = {
		read_date,     read_day_of_year, read_distance,
		read_near_day, read_weekday,     read_chinese_weekday,
	};
	enum form form = NOT_MINE;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && form == NOT_MINE; i++)
		form = forms[i](in, day);
	if (form == READ && !is_in_range(civil_date_from_days(*day)))
		return NO_SUCH_DAY;
	return form;
}

/* 17:00, 9:30, or the end of the text; `minute` stays as it is without a time. */
static bool read_end(struct reading *in, bool *has_time, int32_t *minute)
{
	int32_t hour, rest;

	/* After a T as ISO 8601 has it, or a blank; after a Chinese day also at once. */
	if (!skip(in, "T"))
		skip_blanks(in);
	*has_time = *in->at != '\0';
	if (!*has_time)
		return true;
	if (!read_number(in, 2, &hour) || (!skip(in, ":") && !skip(in, "：")) ||
	    read_number(in, 2, &rest) != 2 || hour > 23 || rest > 59)
		return false;
	*minute = hour * 60 + rest;
	skip_blanks(in);
	return *in->at == '\0';
}

/* --- what was typed --- */

#define TYPED_BYTES 128

/* Take a [zone] off the end of `text`, or leave the reader's; the rest goes to `day`. */
static enum err split_zone(const struct when_reader *r, const char *text,
			   char day[static TYPED_BYTES], struct walltime *w, struct errmsg *msg)
{
	size_t size = strlen(text), day_size = size;
	const char *zone = r->zone, *open = strchr(text, '[');
	size_t zone_size = strlen(zone);
	const struct tz *tz;

	while (size > 0 && text[size - 1] == ' ')
		size--;
	if (open && size > 0 && text[size - 1] == ']') {
		zone = open + 1;
		zone_size = size - 1 - (size_t)(zone - text);
		day_size = (size_t)(open - text);
	}
	if (day_size >= TYPED_BYTES || zone_size >= sizeof(w->zone))
		return errmsg_set(msg, ERR_INVALID, _("this is too long for a due"));
	memcpy(day, text, day_size);
	day[day_size] = '\0';
	memcpy(w->zone, zone, zone_size);
	w->zone[zone_size] = '\0';
	return zone_db_get(r->zones, w->zone, &tz, msg);
}

static bool is_vague(const char *text)
{
	static const char *const words[] = {
		"asap", "soon", "later", "tbd",  "urgent", "eventually", "尽快", "尽早", "近期",
		"近日", "马上", "立即",  "待定", "以后",   "回头",       "有空", "抓紧",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

/* What to propose instead of a vague word: some working days, where no calendar is known. */
static int64_t proposed_day(int64_t today)
{
	int64_t day = today + 3;

	while (civil_weekday(day) >= CIVIL_SATURDAY)
		day++;
	return day;
}

static enum err refuse(enum form form, int64_t today, const char *text, struct errmsg *msg)
{
	char date[CIVIL_DATE_BYTES];

	if (form == NO_SUCH_DAY)
		return errmsg_set(msg, ERR_INVALID,
				  _("there is no such day as '%s' in the calendar (%d to %d)"),
				  text, WALLTIME_YEAR_MIN, WALLTIME_YEAR_MAX);
	civil_date_format(date, civil_date_from_days(proposed_day(today)));
	if (is_vague(text))
		return errmsg_set(msg, ERR_INVALID,
				  _("this needs a date, and '%s' is none: say for instance %s"),
				  text, date);
	return errmsg_set(msg, ERR_INVALID,
			  _("'%s' is not understood as a date: write %s, '%s 17:00', 11-30, "
			    "tomorrow, fri or +3d, and [Asia/Shanghai] behind it for another zone"),
			  text, date, date);
}

enum err due_parse(struct walltime *out, const struct when_reader *r, const char *text,
		   struct errmsg *msg)
{
	struct walltime w = { 0 };
	char typed[TYPED_BYTES];
	struct reading in = { .at = typed };
	enum form form;
	int64_t day;
	enum err rc;

	rc = split_zone(r, text, typed, &w, msg);
	if (rc)
		return rc;
	in.today = civil_days_from_s(when_local_s(r, w.zone, r->now_s));
	skip_blanks(&in);
	form = read_day(&in, &day);
	if (form != READ || !read_end(&in, &w.has_time, &w.minute))
		return refuse(form, in.today, text, msg);
	w.date = civil_date_from_days(day);
	*out = w;
	return OK;
}

/* --- how late it is --- */

enum err due_of(struct due *out, const struct when_reader *r, const struct walltime *w,
		struct errmsg *msg)
{
	struct due due;
	enum tz_fit fit;
	int64_t days;
	enum err rc;

	rc = when_to_utc(r, w, &due.utc_s, &fit, msg);
	if (rc)
		return rc;
	days = civil_days_from_s(when_local_s(r, r->zone, due.utc_s)) -
	       civil_days_from_s(when_local_s(r, r->zone, r->now_s));
	due.is_overdue = due.utc_s < r->now_s;
	due.days = (int32_t)(days < 0 ? -days : days);
	*out = due;
	return OK;
}

void due_format(const struct due *due, const struct when_reader *r,
		char out[static WHEN_TEXT_BYTES])
{
	int64_t here_s = when_local_s(r, r->zone, due->utc_s);
	char clock[CIVIL_CLOCK_BYTES];

	civil_clock_format(clock, civil_minute_from_s(here_s));
	if (due->days == 0)
		snprintf(out, WHEN_TEXT_BYTES,
			 due->is_overdue ? _("overdue since %s") : _("due today at %s"), clock);
	else if (due->is_overdue)
		snprintf(out, WHEN_TEXT_BYTES,
			 P_("overdue by %d day", "overdue by %d days", due->days), due->days);
	else
		snprintf(out, WHEN_TEXT_BYTES, P_("due in %d day", "due in %d days", due->days),
			 due->days);
}
