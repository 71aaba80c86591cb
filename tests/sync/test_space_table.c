/* sync/space_table: finding among thousands, and whose turn it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/space_table.h"

static struct space_id id_of(uint32_t number)
{
	struct space_id id = { 0 };

	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

static void spaces_are_found_where_they_were_put(void **state)
{
	enum { COUNT = 10000 };
	struct space_table t = { 0 };
	struct space_id id = id_of(0);

	assert_null(space_table_find(&t, &id));
	/* Ids that all hash alike: slow, and right. */
	for (uint32_t i = 0; i < 300; i++) {
		id = id_of(i);
		assert_non_null(space_table_add(&t, &id));
		assert_ptr_equal(space_table_add(&t, &id), t.entries + i);
	}
	for (uint32_t i = 300; i < COUNT; i++) {
		id = id_of(i);
		memcpy(id.bytes + 8, &i, sizeof(i));
		assert_non_null(space_table_add(&t, &id));
	}
	assert_int_equal(t.count, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		id = t.entries[i].id;
		assert_ptr_equal(space_table_find(&t, &id), &t.entries[i]);
	}
	id = id_of(COUNT);
	assert_null(space_table_find(&t, &id));
	space_table_release(&t);
}

static void directory_goes_first_and_the_others_take_turns(void **state)
{
	struct space_table t = { 0 };
	unsigned turns[4] = { 0 };

	for (uint32_t i = 0; i < 4; i++) {
		struct space_id id = id_of(i);

		space_table_add(&t, &id);
	}
	assert_null(space_table_next_dirty(&t));
	space_table_mark(&t, &t.entries[0], true);
	space_table_mark(&t, &t.entries[0], true);
	assert_int_equal(t.dirty_count, 1);
	space_table_mark(&t, &t.entries[1], true);
	space_table_mark(&t, &t.entries[3], true);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(space_table_next_dirty(&t), &t.entries[0]);
	space_table_mark(&t, &t.entries[0], false);
	for (int i = 0; i < 10; i++)
		turns[space_table_next_dirty(&t) - t.entries]++;
	assert_true(turns[0] == 0 && turns[1] == 5 && turns[2] == 0 && turns[3] == 5);
	space_table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spaces_are_found_where_they_were_put),
		cmocka_unit_test(directory_goes_first_and_the_others_take_turns),
	};

	return cmocka_run_group_tests_name("sync/space_table", tests, NULL, NULL);
}
