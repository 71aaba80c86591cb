#include "core/walltime.h"

#include <assert.h>
#include <stdio.h>

#define DATE_SIZE  (CIVIL_DATE_BYTES - 1)
#define CLOCK_SIZE (CIVIL_CLOCK_BYTES - 1)

static struct bytes part(struct bytes text, size_t from, size_t size)
{
	return bytes_of(text.data + from, size);
}

static bool is_at(struct bytes text, size_t at, char what)
{
	return at < text.size && text.data[at] == (uint8_t)what;
}

enum err walltime_parse(struct walltime *out, struct bytes text)
{
	struct walltime w = { 0 };
	size_t at = DATE_SIZE;
	struct bytes zone;

	if (text.size < DATE_SIZE || civil_date_parse(&w.date, part(text, 0, DATE_SIZE)) ||
	    w.date.year < WALLTIME_YEAR_MIN)
		return ERR_INVALID;
	if (is_at(text, at, 'T')) {
		at++;
		if (text.size - at < CLOCK_SIZE ||
		    civil_clock_parse(&w.minute, part(text, at, CLOCK_SIZE)))
			return ERR_INVALID;
		w.has_time = true;
		at += CLOCK_SIZE;
	}
	if (!is_at(text, at, '[') || !is_at(text, text.size - 1, ']'))
		return ERR_INVALID;
	zone = part(text, at + 1, text.size - at - 2);
	if (!walltime_zone_is_valid(zone))
		return ERR_INVALID;
	memcpy(w.zone, zone.data, zone.size);
	*out = w;
	return OK;
}

void walltime_format(char out[static WALLTIME_TEXT_BYTES], const struct walltime *w)
{
	char date[CIVIL_DATE_BYTES], clock[CIVIL_CLOCK_BYTES] = "";

	assert(w->date.year >= WALLTIME_YEAR_MIN && walltime_zone_is_valid(bytes_of_str(w->zone)));
	civil_date_format(date, w->date);
	if (w->has_time)
		civil_clock_format(clock, w->minute);
	snprintf(out, WALLTIME_TEXT_BYTES, "%s%s%s[%s]", date, w->has_time ? "T" : "", clock,
		 w->zone);
}

int64_t walltime_local_s(const struct walltime *w, int32_t minute)
{
	return civil_s_from_days(civil_days_from_date(w->date)) +
	       INT64_C(60) * (w->has_time ? w->minute : minute);
}

static bool is_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_name_byte(uint8_t c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
}

bool walltime_zone_is_valid(struct bytes name)
{
	bool begins = true;

	if (name.size > WALLTIME_ZONE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < name.size; i++) {
		bool slash = name.data[i] == '/';

		if (begins ? !is_letter(name.data[i]) : !slash && !is_name_byte(name.data[i]))
			return false;
		begins = slash;
	}
	return !begins;
}
