/* core/tz: known facts about real zones, and files that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/civil.h"
#include "core/tz.h"

/* --- real zones, from the installed database --- */

static struct bytes read_zone(const char *name, uint8_t *into)
{
	char path[256];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(into, 1, TZ_FILE_BYTES_MAX, file);
	fclose(file);
	return bytes_of(into, size);
}

static struct tz *load(const char *name)
{
	static uint8_t file[TZ_FILE_BYTES_MAX];
	struct errmsg msg = { 0 };
	struct tz *tz = NULL;

	if (tz_new(&tz, read_zone(name, file), &msg) != OK)
		fail_msg("%s: %s", name, msg.text);
	return tz;
}

/* "2026-11-30 17:00" in seconds. */
static int64_t seconds(const char *text)
{
	struct civil_date date;
	int32_t minute;

	assert_int_equal(civil_date_parse(&date, bytes_of(text, 10)), OK);
	assert_int_equal(civil_clock_parse(&minute, bytes_of(text + 11, 5)), OK);
	return civil_s_from_days(civil_days_from_date(date)) + minute * 60;
}

static void local_times_become_utc(void **state)
{
	static const struct {
		const char *zone, *local;
		enum tz_fit fit;
		const char *utc;
	} cases[] = {
		{ "Asia/Shanghai", "2026-11-30 17:00", TZ_UNIQUE, "2026-11-30 09:00" },
		{ "Asia/Shanghai", "1991-07-01 12:00", TZ_UNIQUE, "1991-07-01 03:00" },
		{ "Asia/Shanghai", "9999-12-31 23:59", TZ_UNIQUE, "9999-12-31 15:59" },
		{ "UTC", "2026-03-29 02:30", TZ_UNIQUE, "2026-03-29 02:30" },

		{ "Europe/Berlin", "2026-01-15 12:00", TZ_UNIQUE, "2026-01-15 11:00" },
		{ "Europe/Berlin", "2026-07-15 12:00", TZ_UNIQUE, "2026-07-15 10:00" },
		{ "Europe/Berlin", "2026-03-29 01:59", TZ_UNIQUE, "2026-03-29 00:59" },
		{ "Europe/Berlin", "2026-03-29 02:00", TZ_GAP, "2026-03-29 01:00" },
		{ "Europe/Berlin", "2026-03-29 02:30", TZ_GAP, "2026-03-29 01:30" },
		{ "Europe/Berlin", "2026-03-29 03:00", TZ_UNIQUE, "2026-03-29 01:00" },
		{ "Europe/Berlin", "2026-10-25 01:59", TZ_UNIQUE, "2026-10-24 23:59" },
		{ "Europe/Berlin", "2026-10-25 02:00", TZ_OVERLAP, "2026-10-25 00:00" },
		{ "Europe/Berlin", "2026-10-25 02:59", TZ_OVERLAP, "2026-10-25 00:59" },
		{ "Europe/Berlin", "2026-10-25 03:00", TZ_UNIQUE, "2026-10-25 02:00" },

		{ "America/New_York", "2026-03-08 02:30", TZ_GAP, "2026-03-08 07:30" },
		{ "America/New_York", "2026-07-04 09:00", TZ_UNIQUE, "2026-07-04 13:00" },
		{ "America/New_York", "2026-11-01 01:30", TZ_OVERLAP, "2026-11-01 05:30" },
		{ "America/New_York", "2026-11-01 02:00", TZ_UNIQUE, "2026-11-01 07:00" },

		/* Half an hour of daylight-saving time. */
		{ "Australia/Lord_Howe", "2026-04-05 01:45", TZ_OVERLAP, "2026-04-04 14:45" },
		{ "Australia/Lord_Howe", "2026-04-05 01:15", TZ_UNIQUE, "2026-04-04 14:15" },
		{ "Australia/Lord_Howe", "2026-10-04 02:15", TZ_GAP, "2026-10-03 15:45" },
		{ "Australia/Lord_Howe", "2026-10-04 02:30", TZ_UNIQUE, "2026-10-03 15:30" },

		/* There is no midnight. */
		{ "Africa/Cairo", "2026-04-24 00:00", TZ_GAP, "2026-04-23 22:00" },
		{ "Africa/Cairo", "2026-04-24 01:00", TZ_UNIQUE, "2026-04-23 22:00" },

		/* There is no such day: the date line moved. */
		{ "Pacific/Apia", "2011-12-30 12:00", TZ_GAP, "2011-12-30 22:00" },
		{ "Pacific/Apia", "2011-12-31 00:00", TZ_UNIQUE, "2011-12-30 10:00" },

		/* Winter time is the daylight-saving time, and it is negative. */
		{ "Europe/Dublin", "2026-07-01 12:00", TZ_UNIQUE, "2026-07-01 11:00" },
		{ "Europe/Dublin", "2026-12-01 12:00", TZ_UNIQUE, "2026-12-01 12:00" },

		/* Beyond the file's last transition: the rule in its footer. */
		{ "Europe/Berlin", "2500-07-01 12:00", TZ_UNIQUE, "2500-07-01 10:00" },
		{ "Europe/Berlin", "2500-03-28 02:30", TZ_GAP, "2500-03-28 01:30" },
		{ "Europe/Berlin", "2500-10-31 02:30", TZ_OVERLAP, "2500-10-31 00:30" },
		{ "Australia/Lord_Howe", "2500-12-31 23:00", TZ_UNIQUE, "2500-12-31 12:00" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tz *tz = load(cases[i].zone);
		int64_t utc_s = 0;
		enum tz_fit fit = tz_to_utc(tz, seconds(cases[i].local), &utc_s);

		if (fit != cases[i].fit || utc_s != seconds(cases[i].utc))
			fail_msg("%s %s: fit %d, %+lld s off", cases[i].zone, cases[i].local, fit,
				 (long long)(utc_s - seconds(cases[i].utc)));
		tz_free(tz);
	}
}

static void instants_have_offset_and_abbreviation(void **state)
{
	static const struct {
		const char *zone, *utc;
		int32_t offset_s;
		bool is_dst;
		const char *abbreviation;
	} cases[] = {
		{ "Asia/Shanghai", "2026-11-30 09:00", 28800, false, "CST" },
		{ "Asia/Shanghai", "1991-07-01 03:00", 32400, true, "CDT" },
		{ "Asia/Shanghai", "1900-12-31 15:54", 29143, false, "LMT" },
		{ "Europe/Berlin", "2026-03-29 00:59", 3600, false, "CET" },
		{ "Europe/Berlin", "2026-03-29 01:00", 7200, true, "CEST" },
		{ "Europe/Berlin", "2500-07-01 00:00", 7200, true, "CEST" },
		{ "America/New_York", "2026-11-01 05:59", -14400, true, "EDT" },
		{ "America/New_York", "2026-11-01 06:00", -18000, false, "EST" },
		{ "Asia/Kathmandu", "2026-01-01 00:00", 20700, false, "+0545" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tz *tz = load(cases[i].zone);
		const struct tz_type *type = tz_from_utc(tz, seconds(cases[i].utc));

		assert_int_equal(type->offset_s, cases[i].offset_s);
		assert_int_equal(type->is_dst, cases[i].is_dst);
		assert_string_equal(type->abbreviation, cases[i].abbreviation);
		tz_free(tz);
	}
}

/* What is shown for an instant leads back to it, or to the first of two that show the same. */
static void showing_and_reading_agree(void **state)
{
	static const char *const zones[] = { "Asia/Shanghai", "Europe/Berlin",
					     "Africa/Cairo",  "Australia/Lord_Howe",
					     "Pacific/Apia",  "Africa/Casablanca" };

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		struct tz *tz = load(zones[i]);

		for (int64_t utc_s = seconds("1900-01-01 00:00");
		     utc_s < seconds("2100-01-01 00:00"); utc_s += 9973 * 7) {
			int64_t local_s = utc_s + tz_from_utc(tz, utc_s)->offset_s;
			int64_t back_s = 0;
			enum tz_fit fit = tz_to_utc(tz, local_s, &back_s);

			assert_int_not_equal(fit, TZ_GAP);
			assert_int_equal(back_s + tz_from_utc(tz, back_s)->offset_s, local_s);
			if (fit == TZ_UNIQUE)
				assert_int_equal(back_s, utc_s);
			else
				assert_true(back_s <= utc_s);
		}
		tz_free(tz);
	}
}

/* --- files of our own --- */

#define TYPE_COUNT 2
#define CHARS      "AAA\0BBB"

static void put_be(struct buf *b, int64_t number, size_t size)
{
	for (size_t i = size; i-- > 0;)
		buf_append_byte(b, (uint8_t)((uint64_t)number >> 8 * i));
}

static void put_header(struct buf *b, char version, size_t transition_count)
{
	const int64_t counts[] = { 0, 0, 0, (int64_t)transition_count, TYPE_COUNT, sizeof(CHARS) };

	buf_append(b, "TZif", 4);
	buf_append_byte(b, (uint8_t)version);
	buf_append(b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15); /* reserved */
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		put_be(b, counts[i], 4);
}

/* Types 0 (AAA, UTC) and 1 (BBB, UTC+1 in summer); transitions at 1000, 2000, ... to 1, 0, ... */
static void put_block(struct buf *b, size_t transition_count, size_t time_bytes)
{
	for (size_t i = 0; i < transition_count; i++)
		put_be(b, 1000 * (int64_t)(i + 1), time_bytes);
	for (size_t i = 0; i < transition_count; i++)
		buf_append_byte(b, (i + 1) % 2);
	put_be(b, 0, 4);
	put_be(b, 0x0000, 2);
	put_be(b, 3600, 4);
	put_be(b, 0x0104, 2);
	buf_append(b, CHARS, sizeof(CHARS));
}

/* Where things are in what make_file() makes. */
enum {
	HEADER = 44,
	EMPTY_BLOCK = 6 * TYPE_COUNT + sizeof(CHARS),
	SECOND_HEADER = HEADER + EMPTY_BLOCK,
	SECOND_BLOCK = SECOND_HEADER + HEADER,
};

static struct buf make_file(char version, size_t transition_count, const char *footer)
{
	struct buf b = BUF_EMPTY;

	put_header(&b, version, version == '\0' ? transition_count : 0);
	put_block(&b, version == '\0' ? transition_count : 0, 4);
	if (version == '\0')
		return b;
	put_header(&b, version, transition_count);
	put_block(&b, transition_count, 8);
	buf_printf(&b, "\n%s\n", footer);
	return b;
}

static struct tz *made(char version, size_t transition_count, const char *footer)
{
	struct buf b = make_file(version, transition_count, footer);
	struct errmsg msg = { 0 };
	struct tz *tz = NULL;

	if (tz_new(&tz, buf_bytes(&b), &msg) != OK)
		fail_msg("%s", msg.text);
	buf_release(&b);
	return tz;
}

static void all_four_versions_are_read(void **state)
{
	static const char versions[] = { '\0', '2', '3', '4' };

	for (size_t i = 0; i < sizeof(versions); i++) {
		struct tz *tz = made(versions[i], 2, "AAA0");

		assert_int_equal(tz_from_utc(tz, -TZ_RANGE_S)->offset_s, 0);
		assert_int_equal(tz_from_utc(tz, 999)->offset_s, 0);
		assert_int_equal(tz_from_utc(tz, 1000)->offset_s, 3600);
		assert_int_equal(tz_from_utc(tz, 1999)->offset_s, 3600);
		assert_int_equal(tz_from_utc(tz, 2000)->offset_s, 0);
		assert_int_equal(tz_from_utc(tz, TZ_RANGE_S)->offset_s, 0);
		tz_free(tz);
	}
}

static void the_footer_rules_after_the_last_transition_only(void **state)
{
	struct tz *tz = made('2', 2, "CCC-5");

	assert_int_equal(tz_from_utc(tz, 1999)->offset_s, 3600);
	assert_int_equal(tz_from_utc(tz, 2000)->offset_s, 5 * 3600);
	tz_free(tz);

	tz = made('2', 0, "CCC-5");
	assert_int_equal(tz_from_utc(tz, 0)->offset_s, 5 * 3600);
	tz_free(tz);

	tz = made('2', 1, "");
	assert_int_equal(tz_from_utc(tz, TZ_RANGE_S)->offset_s, 3600);
	tz_free(tz);

	tz = made('2', 0, "");
	assert_int_equal(tz_from_utc(tz, 0)->offset_s, 0);
	tz_free(tz);
}

/* Transitions so close that several lie between a local time's candidates. */
static void crowded_transitions_are_answered(void **state)
{
	struct tz *tz = made('2', TZ_TRANSITIONS_MAX, "AAA0");
	int64_t utc_s = 0;

	/* Type 1 shows 4700 at 1100; so does type 0 at 4700, three spans later. */
	assert_int_equal(tz_to_utc(tz, 4700, &utc_s), TZ_OVERLAP);
	assert_int_equal(utc_s, 1100);
	/* At 5100 it is no longer type 0. */
	assert_int_equal(tz_to_utc(tz, 5100, &utc_s), TZ_UNIQUE);
	assert_int_equal(utc_s, 1500);
	/* Type 0 ended before it showed 1500, and type 1 began after. */
	assert_int_equal(tz_to_utc(tz, 1500, &utc_s), TZ_GAP);
	assert_int_equal(utc_s, 1500);
	tz_free(tz);
}

static void files_that_lie_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		const char *bytes;
		size_t size;
		enum err want;
		const char *says;
	} cases[] = {
		{ "magic", 0, "T", 1, OK, "" },
		{ "other magic", 0, "t", 1, ERR_FORMAT, "not a TZif" },
		{ "version 5", 4, "5", 1, ERR_VERSION, "0x35" },
		{ "other magic later", SECOND_HEADER, "X", 1, ERR_FORMAT, "not a TZif" },
		{ "version 5 later", SECOND_HEADER + 4, "5", 1, ERR_VERSION, "0x35" },
		{ "version 1 later", SECOND_HEADER + 4, "\0", 1, ERR_FORMAT, "of version 1" },
		{ "1 leap second", SECOND_HEADER + 28, "\0\0\0\1", 4, ERR_FORMAT, "leap" },
		{ "2^32-1 times", SECOND_HEADER + 32, "\377\377\377\377", 4, ERR_FORMAT, "count" },
		{ "2049 times", SECOND_HEADER + 32, "\0\0\10\1", 4, ERR_LIMIT, "2048" },
		{ "2048 times", SECOND_HEADER + 32, "\0\0\10\0", 4, ERR_FORMAT, "cut short" },
		{ "no types", SECOND_HEADER + 36, "\0\0\0\0", 4, ERR_FORMAT, " 0 types" },
		{ "257 types", SECOND_HEADER + 36, "\0\0\1\1", 4, ERR_FORMAT, "257 types" },
		{ "time twice", SECOND_BLOCK + 14, "\3\350", 2, ERR_FORMAT, "transition 1" },
		{ "type 2 of 2", SECOND_BLOCK + 16, "\2", 1, ERR_FORMAT, "transition 0" },
		{ "26 h east", SECOND_BLOCK + 18, "\0\1\155\240", 4, ERR_FORMAT, "type 0" },
		{ "1 s less", SECOND_BLOCK + 18, "\0\1\155\237", 4, OK, "" },
		{ "26 h west", SECOND_BLOCK + 18, "\377\376\222\140", 4, ERR_FORMAT, "type 0" },
		{ "1 s less", SECOND_BLOCK + 18, "\377\376\222\141", 4, OK, "" },
		{ "is_dst 2", SECOND_BLOCK + 22, "\2", 1, ERR_FORMAT, "type 0" },
		{ "abbreviation 255", SECOND_BLOCK + 23, "\377", 1, ERR_FORMAT, "type 0" },
		{ "ESC in it", SECOND_BLOCK + 30, "\33", 1, ERR_FORMAT, "type 0" },
		{ "no end of it", SECOND_BLOCK + 37, "B", 1, ERR_FORMAT, "type 1" },
		{ "x for newline", SECOND_BLOCK + 38, "x", 1, ERR_FORMAT, "no footer" },
		{ "? for A", SECOND_BLOCK + 39, "?", 1, ERR_FORMAT, "rule in the footer" },
		{ "footer without end", SECOND_BLOCK + 43, "1", 1, ERR_FORMAT, "no footer" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = make_file('2', 2, "AAA0");
		struct errmsg msg = { 0 };
		struct tz *tz = NULL;
		enum err rc;

		memcpy(b.data + cases[i].at, cases[i].bytes, cases[i].size);
		rc = tz_new(&tz, buf_bytes(&b), &msg);
		if (rc != cases[i].want || !strstr(msg.text, cases[i].says))
			fail_msg("%s: %s: %s", cases[i].what, err_name(rc), msg.text);
		assert_int_equal(tz != NULL, rc == OK);
		tz_free(tz);
		buf_release(&b);
	}
}

static void files_cut_short_are_refused(void **state)
{
	struct buf b = make_file('3', 3, "AAA0BBB,M3.5.0,M10.5.0/3");
	struct tz *tz = NULL;

	for (size_t size = 0; size < b.size; size++) {
		uint8_t *cut = memcpy(malloc(size + !size), b.data, size);

		if (tz_new(&tz, bytes_of(cut, size), NULL) != ERR_FORMAT)
			fail_msg("the first %zu bytes were read", size);
		free(cut);
	}
	buf_release(&b);
	assert_null(tz);
}

static void files_too_long_are_refused(void **state)
{
	static uint8_t file[TZ_FILE_BYTES_MAX + 1];
	struct tz *tz = NULL;

	assert_int_equal(tz_new(&tz, bytes_of(file, sizeof(file)), NULL), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_times_become_utc),
		cmocka_unit_test(instants_have_offset_and_abbreviation),
		cmocka_unit_test(showing_and_reading_agree),
		cmocka_unit_test(all_four_versions_are_read),
		cmocka_unit_test(the_footer_rules_after_the_last_transition_only),
		cmocka_unit_test(crowded_transitions_are_answered),
		cmocka_unit_test(files_that_lie_are_refused),
		cmocka_unit_test(files_cut_short_are_refused),
		cmocka_unit_test(files_too_long_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
