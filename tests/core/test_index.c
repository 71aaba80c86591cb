/* core/store_record: indexes keep up with the fields that they are on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/office.h"

struct world {
	struct office a;
	struct space_id space;
	struct record_id action;
};

static void set(struct world *w, uint8_t field, const char *text)
{
	struct value value = value_str(text);

	office_set(&w->a, &w->space, KIND_ACTION, &w->action, field, &value);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct value number = value_str("AI-SHA-2027-0001");

	office_open(&w->a, NULL, 1);
	office_found(&w->a, "SHA");
	w->space = office_share(&w->a);
	w->action = office_create(&w->a, &w->space, KIND_ACTION, ACTION_NUMBER, &number);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	free(w);
	return 0;
}

/* Through the index, which SQLite would take for such a query anyway. */
static void assert_found(struct world *w, const char *number, int64_t count)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM r_action_item INDEXED BY r_action_item_number "
		 "WHERE number = '%s'",
		 number);
	assert_int_equal(office_count(&w->a, sql), count);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM r_action_item WHERE +number = '%s'",
		 number);
	assert_int_equal(office_count(&w->a, sql), count);
}

static void change_of_another_field_leaves_the_index_alone(void **state)
{
	struct world *w = *state;

	set(w, ACTION_TITLE, "Review the contract");
	set(w, ACTION_TITLE, "Review it again");
	assert_found(w, "AI-SHA-2027-0001", 1);
	assert_true(office_agrees(&w->a, &w->a));
}

static void change_of_the_field_moves_the_entry(void **state)
{
	struct world *w = *state;

	set(w, ACTION_NUMBER, "AI-SHA-2027-0002");
	assert_found(w, "AI-SHA-2027-0001", 0);
	assert_found(w, "AI-SHA-2027-0002", 1);
	assert_true(office_agrees(&w->a, &w->a));
}

static void change_of_both_in_one_edit_moves_the_entry(void **state)
{
	struct world *w = *state;
	struct value number = value_str("AI-SHA-2027-0003"), title = value_str("Both");
	struct edit *edit = office_edit(&w->a, &w->space);

	OFFICE_MUST(edit_set(edit, KIND_ACTION, &w->action, ACTION_TITLE, &title, &msg));
	OFFICE_MUST(edit_set(edit, KIND_ACTION, &w->action, ACTION_NUMBER, &number, &msg));
	office_seal(&w->a, edit);
	assert_found(w, "AI-SHA-2027-0001", 0);
	assert_found(w, "AI-SHA-2027-0003", 1);
	assert_true(office_agrees(&w->a, &w->a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(change_of_another_field_leaves_the_index_alone),
		TEST(change_of_the_field_moves_the_entry),
		TEST(change_of_both_in_one_edit_moves_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
