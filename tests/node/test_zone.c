/* node/zone: a database of our own in a folder, made from zones that are installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/zone.h"
#include "tests/support/tempdir.h"

struct world {
	char dir[TEMPDIR_BYTES_MAX];
	struct zone_db *db;
	struct errmsg msg;
};

/* Replaced by renaming, as package managers do. */
static void put_file(const struct world *w, const char *name, const void *data, size_t size)
{
	char path[512], fresh[sizeof(path) + 4];
	FILE *file;

	tempdir_path(path, sizeof(path), w->dir, name);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	file = fopen(fresh, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static void put_text(const struct world *w, const char *name, const char *text)
{
	put_file(w, name, text, strlen(text));
}

/* The installed zone `from` under the name `name`. */
static void put_zone(const struct world *w, const char *name, const char *from)
{
	static uint8_t data[TZ_FILE_BYTES_MAX];
	char path[256];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", ZONE_DIR, from);
	file = fopen(path, "rb");
	assert_non_null(file);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	put_file(w, name, data, size);
}

static void put_dir(const struct world *w, const char *name)
{
	char path[512];

	assert_int_equal(mkdir(tempdir_path(path, sizeof(path), w->dir, name), 0700), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	tempdir_new(w->dir, sizeof(w->dir));
	put_dir(w, "Asia");
	put_dir(w, "America");
	put_dir(w, "Etc");
	put_zone(w, "Asia/Shanghai", "Asia/Shanghai");
	put_zone(w, "Asia/Tokyo", "Asia/Tokyo");
	put_zone(w, "America/New_York", "America/New_York");
	put_zone(w, "Etc/UTC", "Etc/UTC");
	put_text(w, "tzdata.zi",
		 "# version 2026f-test\nZ Asia/Shanghai 8\nZ Asia/Tokyo 9\nZ Asia/Shangri 9\n"
		 "Z America/New_York -5\nL Asia/Tokyo Etc/UTC\n");
	assert_int_equal(zone_db_new(&w->db, w->dir, &w->msg), OK);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	zone_db_free(w->db);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static int32_t offset_of(struct world *w, const char *name)
{
	const struct tz *tz = NULL;

	if (zone_db_get(w->db, name, &tz, &w->msg) != OK)
		fail_msg("%s", w->msg.text);
	return tz_from_utc(tz, INT64_C(1796029200))->offset_s;
}

static void a_zone_is_loaded_once(void **state)
{
	struct world *w = *state;
	const struct tz *first = NULL, *again = NULL, *other = NULL;

	assert_int_equal(zone_db_get(w->db, "Asia/Shanghai", &first, NULL), OK);
	assert_int_equal(zone_db_get(w->db, "Asia/Tokyo", &other, NULL), OK);
	assert_int_equal(zone_db_get(w->db, "Asia/Shanghai", &again, NULL), OK);
	assert_ptr_equal(first, again);
	assert_ptr_not_equal(first, other);
	assert_int_equal(offset_of(w, "Asia/Shanghai"), 8 * 3600);
	assert_int_equal(offset_of(w, "Asia/Tokyo"), 9 * 3600);
}

static void a_name_is_never_a_path_out_of_the_database(void **state)
{
	static const char *const names[] = { "../secret",
					     "Asia/../../secret",
					     "/etc/localtime",
					     "./Asia/Tokyo",
					     "Asia//Tokyo",
					     "Asia/Tokyo/",
					     "Asia",
					     "",
					     "Asia/Tokyo/Tokyo",
					     "Asia/Nowhere",
					     "Asia/Tokyo\nAsia/" };
	struct world *w = *state;
	const struct tz *tz = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (zone_db_get(w->db, names[i], &tz, &w->msg) != ERR_NOT_FOUND)
			fail_msg("'%s' was accepted", names[i]);
	assert_null(tz);
}

static void an_unknown_name_is_told_with_names_that_are_close(void **state)
{
	static const struct {
		const char *wrong, *says;
	} cases[] = {
		{ "Asia/Shangai", "there is no time zone 'Asia/Shangai'; did you mean "
				  "Asia/Shanghai?" },
		{ "asia/tokyo", "did you mean Asia/Tokyo?" },
		{ "tokyo", "did you mean Asia/Tokyo?" },
		{ "Europe/Tokyo", "did you mean Asia/Tokyo?" },
		{ "new york", "did you mean America/New_York?" },
		{ "Asia/Beijing", "did you mean Asia/Shanghai?" },
		{ "北京", "did you mean Asia/Shanghai?" },
		{ "Bostn", "did you mean America/New_York?" },
	};
	struct world *w = *state;
	const struct tz *tz = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(zone_db_get(w->db, cases[i].wrong, &tz, &w->msg), ERR_NOT_FOUND);
		if (!strstr(w->msg.text, cases[i].says))
			fail_msg("%s: %s", cases[i].wrong, w->msg.text);
	}
	/* Spoken of in the database but not installed; not close to anything. */
	assert_int_equal(zone_db_get(w->db, "Asia/Shangri", &tz, &w->msg), ERR_NOT_FOUND);
	assert_null(strstr(w->msg.text, "Shangri?"));
	assert_int_equal(zone_db_get(w->db, "Moon/Copernicus", &tz, &w->msg), ERR_NOT_FOUND);
	assert_string_equal(w->msg.text, "there is no time zone 'Moon/Copernicus'");
}

static void the_closest_name_is_proposed_first(void **state)
{
	struct world *w = *state;
	const struct tz *tz = NULL;

	put_zone(w, "Asia/Tomyo", "Asia/Tokyo");
	put_text(w, "tzdata.zi", "Z Asia/Tomyo 9\nZ Asia/Tokyo 9\n");
	assert_int_equal(zone_db_get(w->db, "Asia/Tokyoo", &tz, &w->msg), ERR_NOT_FOUND);
	assert_non_null(strstr(w->msg.text, "did you mean Asia/Tokyo, Asia/Tomyo?"));
}

static void a_file_that_is_no_zone_is_refused_by_name(void **state)
{
	struct world *w = *state;
	const struct tz *tz = NULL;

	put_text(w, "leapseconds", "# not a zone\n");
	assert_int_equal(zone_db_get(w->db, "leapseconds", &tz, &w->msg), ERR_FORMAT);
	assert_non_null(strstr(w->msg.text, "/leapseconds: not a TZif file"));
}

static void a_file_too_long_is_refused(void **state)
{
	static const uint8_t huge[TZ_FILE_BYTES_MAX + 10];
	struct world *w = *state;
	const struct tz *tz = NULL;

	put_file(w, "Huge", huge, sizeof(huge));
	assert_int_equal(zone_db_get(w->db, "Huge", &tz, &w->msg), ERR_LIMIT);
}

static void the_version_is_told(void **state)
{
	struct world *w = *state;
	char version[ZONE_VERSION_BYTES], path[512];

	zone_db_version(w->db, version);
	assert_string_equal(version, "2026f-test");
	put_text(w, "+VERSION", "2025b\n");
	zone_db_version(w->db, version);
	assert_string_equal(version, "2026f-test");
	assert_int_equal(unlink(tempdir_path(path, sizeof(path), w->dir, "tzdata.zi")), 0);
	zone_db_version(w->db, version);
	assert_string_equal(version, "2025b");
	assert_int_equal(unlink(tempdir_path(path, sizeof(path), w->dir, "+VERSION")), 0);
	zone_db_version(w->db, version);
	assert_string_equal(version, "");
}

static void the_local_zone_comes_from_the_first_source_that_tells(void **state)
{
	static const struct {
		const char *variable, *link, *file, *want;
	} cases[] = {
		{ "Asia/Tokyo", "/usr/share/zoneinfo/Asia/Shanghai", NULL, "Asia/Tokyo" },
		{ ":Asia/Tokyo", NULL, NULL, "Asia/Tokyo" },
		{ "/usr/share/zoneinfo/Asia/Tokyo", NULL, NULL, "Asia/Tokyo" },
		{ "", "/usr/share/zoneinfo/Asia/Shanghai", NULL, "Etc/UTC" },
		{ NULL, "/usr/share/zoneinfo/Asia/Shanghai", "Asia/Tokyo\n", "Asia/Shanghai" },
		{ NULL, "../usr/share/zoneinfo/posix/Asia/Shanghai", NULL, "Asia/Shanghai" },
		{ NULL, "/somewhere/else", "Asia/Tokyo\n", "Asia/Tokyo" },
		{ NULL, NULL, "Asia/Tokyo", "Asia/Tokyo" },
		{ NULL, NULL, "Moon/Copernicus\n", "Etc/UTC" },
		{ NULL, NULL, "\n", "Etc/UTC" },
		{ NULL, NULL, NULL, "Etc/UTC" },
	};
	struct world *w = *state;
	char link[512], file[512], zone[ZONE_NAME_BYTES];

	tempdir_path(link, sizeof(link), w->dir, "localtime");
	tempdir_path(file, sizeof(file), w->dir, "timezone");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zone_sources from = { cases[i].variable, link, file };

		unlink(link);
		unlink(file);
		if (cases[i].link)
			assert_int_equal(symlink(cases[i].link, link), 0);
		if (cases[i].file)
			put_text(w, "timezone", cases[i].file);
		assert_int_equal(zone_db_local(w->db, &from, zone, &w->msg), OK);
		assert_string_equal(zone, cases[i].want);
	}
}

static void a_variable_that_names_no_zone_is_not_taken_for_utc(void **state)
{
	struct zone_sources from = { .variable = "CST-8" };
	struct world *w = *state;
	char zone[ZONE_NAME_BYTES] = "untouched";

	assert_int_equal(zone_db_local(w->db, &from, zone, &w->msg), ERR_NOT_FOUND);
	assert_non_null(strstr(w->msg.text, "TZ is 'CST-8'"));
	assert_string_equal(zone, "untouched");
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_zone_is_loaded_once),
		IN_WORLD(a_name_is_never_a_path_out_of_the_database),
		IN_WORLD(an_unknown_name_is_told_with_names_that_are_close),
		IN_WORLD(the_closest_name_is_proposed_first),
		IN_WORLD(a_file_that_is_no_zone_is_refused_by_name),
		IN_WORLD(a_file_too_long_is_refused),
		IN_WORLD(the_version_is_told),
		IN_WORLD(the_local_zone_comes_from_the_first_source_that_tells),
		IN_WORLD(a_variable_that_names_no_zone_is_not_taken_for_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
