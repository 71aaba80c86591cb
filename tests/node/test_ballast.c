/* node/ballast: room that is taken while there is plenty and given up when there is none. What
 * needs a disk that really runs full is in tests/e2e/test_disk_full.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "node/ballast.h"
#include "tests/support/tempdir.h"

enum { MIB = 1 << 20, MINUTE_MS = 60000 };

static const uint64_t more_than_any_disk = UINT64_C(1) << 60;

struct fixture {
	char folder[TEMPDIR_BYTES_MAX];
	struct ballast ballast;
	uint64_t now_ms;
};

static void fixture_init(struct fixture *f, uint64_t size_bytes, uint64_t low_water_bytes)
{
	*f = (struct fixture){ .now_ms = 1 };
	tempdir_new(f->folder, sizeof(f->folder));
	ballast_init(&f->ballast, f->folder);
	ballast_set(&f->ballast, size_bytes, low_water_bytes);
}

static void fixture_release(struct fixture *f)
{
	tempdir_remove(f->folder);
}

static void look(struct fixture *f, bool is_full)
{
	struct errmsg msg = { 0 };

	if (ballast_look(&f->ballast, f->now_ms, is_full, &msg) != OK)
		fail_msg("%s", msg.text);
}

/* Bytes of the file, which must be taken from the disk and not only promised. */
static uint64_t file_bytes(const struct fixture *f)
{
	struct stat st;

	if (stat(f->ballast.path, &st) != 0)
		return 0;
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(st.st_blocks * 512 >= st.st_size);
	return (uint64_t)st.st_size;
}

static void it_is_made_where_there_is_room(void **state)
{
	struct fixture f;

	fixture_init(&f, MIB, 0);
	look(&f, false);
	assert_int_equal(f.ballast.room, ROOM_AMPLE);
	assert_true(f.ballast.is_there);
	assert_int_equal(file_bytes(&f), MIB);
	fixture_release(&f);
}

static void under_the_mark_room_is_low_and_none_is_made(void **state)
{
	struct fixture f;

	fixture_init(&f, MIB, more_than_any_disk);
	look(&f, false);
	assert_int_equal(f.ballast.room, ROOM_LOW);
	assert_false(f.ballast.is_there);
	assert_int_equal(file_bytes(&f), 0);
	assert_string_equal(room_name(f.ballast.room), "low");
	fixture_release(&f);
}

static void what_it_ought_to_take_is_not_counted_as_free(void **state)
{
	struct fixture f;

	fixture_init(&f, more_than_any_disk, 0);
	look(&f, false);
	assert_int_equal(f.ballast.room, ROOM_LOW);
	fixture_release(&f);
}

static void it_is_given_up_when_something_was_refused_and_does_not_come_back_at_once(void **state)
{
	struct fixture f;

	fixture_init(&f, MIB, 0);
	look(&f, false);
	look(&f, true);
	assert_int_equal(file_bytes(&f), 0);
	f.now_ms += MINUTE_MS - 1;
	look(&f, false);
	assert_int_equal(file_bytes(&f), 0);
	f.now_ms += 1;
	look(&f, false);
	assert_int_equal(file_bytes(&f), MIB);
	fixture_release(&f);
}

static void it_follows_the_settings(void **state)
{
	struct fixture f;

	fixture_init(&f, MIB, 0);
	look(&f, false);
	ballast_set(&f.ballast, 2 * MIB, 0);
	look(&f, false);
	assert_int_equal(file_bytes(&f), 2 * MIB);
	ballast_set(&f.ballast, 0, 0);
	look(&f, false);
	assert_int_equal(file_bytes(&f), 0);
	assert_int_equal(f.ballast.room, ROOM_AMPLE);
	fixture_release(&f);
}

static void a_folder_that_is_gone_is_an_error(void **state)
{
	struct fixture f;
	struct errmsg msg = { 0 };

	fixture_init(&f, MIB, 0);
	fixture_release(&f);
	assert_int_equal(ballast_look(&f.ballast, f.now_ms, false, &msg), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_made_where_there_is_room),
		cmocka_unit_test(under_the_mark_room_is_low_and_none_is_made),
		cmocka_unit_test(what_it_ought_to_take_is_not_counted_as_free),
		cmocka_unit_test(
			it_is_given_up_when_something_was_refused_and_does_not_come_back_at_once),
		cmocka_unit_test(it_follows_the_settings),
		cmocka_unit_test(a_folder_that_is_gone_is_an_error),
	};

	return cmocka_run_group_tests_name("node/ballast", tests, NULL, NULL);
}
