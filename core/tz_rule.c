#include "core/tz_rule.h"

#include "core/civil.h"

#define HOUR_S 3600

bool tz_type_set_abbreviation(struct tz_type *type, struct bytes text)
{
	if (text.size > TZ_ABBREVIATION_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return false;
	memset(type->abbreviation, 0, sizeof(type->abbreviation));
	memcpy(type->abbreviation, text.data, text.size);
	return true;
}

static void advance(struct bytes *rest)
{
	*rest = bytes_of(rest->data + 1, rest->size - 1);
}

static bool skip(struct bytes *rest, char what)
{
	if (!rest->size || rest->data[0] != (uint8_t)what)
		return false;
	advance(rest);
	return true;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool read_number(struct bytes *rest, int32_t min, int32_t max, int32_t *out)
{
	int32_t number = 0;

	if (!rest->size || !is_digit(rest->data[0]))
		return false;
	for (; rest->size && is_digit(rest->data[0]); advance(rest)) {
		number = number * 10 + (rest->data[0] - '0');
		if (number > max)
			return false;
	}
	*out = number;
	return number >= min;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(struct bytes *rest, int32_t hour_max, int32_t *out_s)
{
	bool negative = skip(rest, '-');
	int32_t hour, minute = 0, second = 0;

	if (!negative)
		skip(rest, '+');
	if (!read_number(rest, 0, hour_max, &hour))
		return false;
	if (skip(rest, ':')) {
		if (!read_number(rest, 0, 59, &minute))
			return false;
		if (skip(rest, ':') && !read_number(rest, 0, 59, &second))
			return false;
	}
	*out_s = hour * HOUR_S + minute * 60 + second;
	if (negative)
		*out_s = -*out_s;
	return true;
}

/* Letters, or anything between < and >. */
static bool read_abbreviation(struct bytes *rest, struct tz_type *type)
{
	bool quoted = skip(rest, '<');
	struct bytes text = bytes_of(rest->data, 0);

	for (; rest->size && (quoted ? rest->data[0] != '>' : is_letter(rest->data[0]));
	     advance(rest))
		text.size++;
	return text.size > 0 && (!quoted || skip(rest, '>')) &&
	       tz_type_set_abbreviation(type, text);
}

/* The offset is written as UTC minus local time. */
static bool read_offset(struct bytes *rest, struct tz_type *type)
{
	int32_t west_s;

	if (!read_time(rest, 24, &west_s))
		return false;
	type->offset_s = -west_s;
	return true;
}

static bool read_date(struct bytes *rest, struct tz_rule_date *date)
{
	bool ok;

	if (!skip(rest, ','))
		return false;
	if (skip(rest, 'J')) {
		date->form = TZ_DAY_OF_YEAR_SANS_LEAP;
		ok = read_number(rest, 1, 365, &date->day);
	} else if (skip(rest, 'M')) {
		date->form = TZ_WEEKDAY_OF_MONTH;
		ok = read_number(rest, 1, 12, &date->month) && skip(rest, '.') &&
		     read_number(rest, 1, 5, &date->week) && skip(rest, '.') &&
		     read_number(rest, 0, 6, &date->day);
	} else {
		date->form = TZ_DAY_OF_YEAR;
		ok = read_number(rest, 0, 365, &date->day);
	}
	date->time_s = 2 * HOUR_S;
	return ok && (!skip(rest, '/') || read_time(rest, 167, &date->time_s));
}

static bool read_dst(struct bytes *rest, struct tz_rule *rule)
{
	if (!read_abbreviation(rest, &rule->dst))
		return false;
	rule->dst.is_dst = true;
	rule->dst.offset_s = rule->standard.offset_s + HOUR_S;
	if (rest->size && rest->data[0] != ',' && !read_offset(rest, &rule->dst))
		return false;
	return read_date(rest, &rule->dst_begins) && read_date(rest, &rule->dst_ends);
}

enum err tz_rule_parse(struct tz_rule *out, struct bytes text)
{
	struct tz_rule rule = { 0 };

	if (!read_abbreviation(&text, &rule.standard) || !read_offset(&text, &rule.standard))
		return ERR_FORMAT;
	rule.has_dst = text.size > 0;
	if (rule.has_dst && (!read_dst(&text, &rule) || text.size > 0))
		return ERR_FORMAT;
	*out = rule;
	return OK;
}

/* The day of `year` that a rule names. */
static int64_t rule_day(const struct tz_rule_date *date, int32_t year)
{
	int64_t new_year = civil_days_from_date((struct civil_date){ year, 1, 1 });
	int64_t first, day;
	int32_t month_days;

	if (date->form == TZ_DAY_OF_YEAR)
		return new_year + date->day;
	if (date->form == TZ_DAY_OF_YEAR_SANS_LEAP)
		return new_year + date->day - 1 + (date->day >= 60 && civil_is_leap(year));
	first = civil_days_from_date((struct civil_date){ year, date->month, 1 });
	month_days = civil_days_in_month(year, date->month);
	/* civil_weekday() begins on Monday, the rule on Sunday. */
	day = (date->day + 6 - (int)civil_weekday(first) + 7) % 7 + 7 * (date->week - 1);
	return first + (day < month_days ? day : day - 7);
}

struct switching {
	int64_t at_s;
	const struct tz_type *to;
};

static struct switching rule_switching(const struct tz_rule *rule, bool to_dst, int32_t year)
{
	const struct tz_rule_date *date = to_dst ? &rule->dst_begins : &rule->dst_ends;
	const struct tz_type *before = to_dst ? &rule->standard : &rule->dst;

	return (struct switching){
		.at_s = civil_s_from_days(rule_day(date, year)) + date->time_s - before->offset_s,
		.to = to_dst ? &rule->dst : &rule->standard,
	};
}

/* A rule's time may lie a week outside its day, so a year's switchings may belong to the year
 * before or after, and those next to them have to be known too. */
#define YEARS_AROUND 2

struct tz_span tz_rule_span(const struct tz_rule *rule, int64_t utc_s)
{
	struct tz_span span = { INT64_MIN, INT64_MAX, &rule->standard };
	struct switching all[2 * (2 * YEARS_AROUND + 1)];
	size_t count = 0;
	int32_t year;

	if (!rule->has_dst)
		return span;
	year = civil_date_from_days(civil_days_from_s(utc_s)).year;
	for (int32_t y = year - YEARS_AROUND; y <= year + YEARS_AROUND; y++) {
		for (int to_dst = 1; to_dst >= 0; to_dst--) {
			struct switching s = rule_switching(rule, to_dst, y);
			size_t at = count++;

			/* Of two at once the later year's comes last and so prevails: that is
			 * how a footer says "daylight-saving time all year". */
			for (; at > 0 && all[at - 1].at_s > s.at_s; at--)
				all[at] = all[at - 1];
			all[at] = s;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (all[i].at_s > utc_s) {
			span.until_s = all[i].at_s;
			break;
		}
		span.from_s = all[i].at_s;
		span.type = all[i].to;
	}
	return span;
}
