/* Commands of two offices that work apart and then meet: minutes begun twice,
 * conflicts and their choice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/node/run.h"

struct world {
	struct office sha, fra;
	struct space_id space;
};

static int set_up(void **state)
{
	static struct world w;

	w.space = open_two_offices(&w.sha, &w.fra);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->sha);
	office_close(&w->fra);
	return 0;
}

/* A new action item, known to both; its number is written to `out`. */
static void share_action(struct world *w, char out[NUMBER_TEXT_MAX])
{
	json_t *item = NULL;

	assert_int_equal(run(&w->sha, &item, "action", "add", "Report", NULL), OK);
	snprintf(out, NUMBER_TEXT_MAX, "%s", text(item, "number"));
	json_decref(item);
	office_sync(&w->sha, &w->fra);
}

/* "kind" of a meeting is weekly or monthly: what all records have must be called otherwise. */
static void keys_of_all_records_are_no_fields(void **state)
{
	static const char *const keys[] = { "type",      "id",       "space",
					    "life",      "conflict", "overdue",
					    "days_late", "blocks",   "action_items" };
	struct world *w = *state;
	json_t *meeting = NULL;
	size_t count;
	const struct kind *all = schema_kinds(&count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			assert_null(kind_field_named(&all[i], keys[k]));
	assert_int_equal(
		run(&w->sha, &meeting, "meeting", "new", "Weekly", "--kind", "weekly", NULL), OK);
	assert_string_equal(text(meeting, "type"), "meeting");
	assert_string_equal(text(meeting, "kind"), "weekly");
	json_decref(meeting);
}

static void minutes_begun_in_two_offices_are_one_document(void **state)
{
	struct world *w = *state;
	json_t *meeting = NULL, *minutes = NULL;
	char number[NUMBER_TEXT_MAX];

	assert_int_equal(run(&w->sha, &meeting, "meeting", "new", "Weekly", NULL), OK);
	snprintf(number, sizeof(number), "%s", text(meeting, "number"));
	json_decref(meeting);
	office_sync(&w->sha, &w->fra);
	assert_int_equal(run(&w->sha, NULL, "minutes", "add", number, "from SHA", NULL), OK);
	assert_int_equal(run(&w->fra, NULL, "minutes", "add", number, "from FRA", NULL), OK);
	office_sync(&w->sha, &w->fra);
	assert_true(office_agrees(&w->sha, &w->fra));
	assert_int_equal(office_count(&w->sha, "SELECT count(*) FROM minutes"), 1);
	assert_int_equal(run(&w->fra, &minutes, "minutes", "show", number, NULL), OK);
	assert_int_equal(json_array_size(json_object_get(minutes, "blocks")), 2);
	json_decref(minutes);
}

/* Both titles, with who wrote them where; the one that shows first. */
static void conflict_shows_both_values_and_a_choice_ends_it(void **state)
{
	struct world *w = *state;
	char number[NUMBER_TEXT_MAX];
	const json_t *field, *values;
	json_t *list = NULL, *shown = NULL;

	share_action(w, number);
	assert_int_equal(run(&w->sha, NULL, "action", "edit", number, "--title", "A", NULL), OK);
	assert_int_equal(run(&w->fra, NULL, "action", "edit", number, "--title", "B", NULL), OK);
	office_sync(&w->sha, &w->fra);

	assert_int_equal(run(&w->fra, &list, "conflicts", NULL), OK);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(text(json_array_get(list, 0), "name"), number);
	json_decref(list);

	assert_int_equal(run(&w->fra, &shown, "conflicts", "show", number, NULL), OK);
	field = json_array_get(json_object_get(shown, "fields"), 0);
	values = json_object_get(field, "values");
	assert_string_equal(text(field, "field"), "title");
	assert_int_equal(json_array_size(values), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *value = json_array_get(values, i);
		bool is_from_sha = strcmp(text(value, "value"), "A") == 0;

		assert_string_equal(text(value, "office"), is_from_sha ? "SHA" : "FRA");
		assert_int_equal(json_is_true(json_object_get(value, "shown")), i == 0);
	}
	json_decref(shown);

	assert_int_equal(run(&w->fra, NULL, "conflicts", "pick", number, "title", "3", NULL),
			 ERR_INVALID);
	assert_int_equal(run(&w->fra, NULL, "conflicts", "pick", number, "title", "2", NULL), OK);
	office_sync(&w->sha, &w->fra);
	assert_int_equal(run(&w->sha, &list, "conflicts", NULL), OK);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void record_with_two_conflicts_stands_in_the_inbox_once(void **state)
{
	struct world *w = *state;
	char number[NUMBER_TEXT_MAX];
	json_t *list = NULL;

	share_action(w, number);
	assert_int_equal(run(&w->sha, NULL, "action", "edit", number, "--title", "A", "--priority",
			     "low", NULL),
			 OK);
	assert_int_equal(run(&w->fra, NULL, "action", "edit", number, "--title", "B", "--priority",
			     "high", NULL),
			 OK);
	office_sync(&w->sha, &w->fra);
	assert_int_equal(run(&w->sha, &list, "conflicts", NULL), OK);
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "fields")), 2);
	json_decref(list);
}

static void number_is_nothing_to_pick(void **state)
{
	struct world *w = *state;
	char number[NUMBER_TEXT_MAX];

	share_action(w, number);
	assert_int_equal(run(&w->sha, NULL, "conflicts", "pick", number, "number", "--value",
			     "AI-SHA-2027-0777", NULL),
			 ERR_INVALID);
}

/* What was done in one office and cancelled in the other: either may be chosen. */
static void two_ends_of_an_item_are_a_conflict(void **state)
{
	struct world *w = *state;
	char number[NUMBER_TEXT_MAX];
	json_t *item = NULL, *shown = NULL;
	const json_t *values;
	char n[8];

	share_action(w, number);
	assert_int_equal(run(&w->sha, NULL, "action", "done", number, NULL), OK);
	assert_int_equal(run(&w->fra, NULL, "action", "cancel", number, NULL), OK);
	office_sync(&w->sha, &w->fra);
	assert_int_equal(run(&w->sha, &shown, "conflicts", "show", number, NULL), OK);
	values = json_object_get(json_array_get(json_object_get(shown, "fields"), 0), "values");
	snprintf(n, sizeof(n), "%d",
		 strcmp(text(json_array_get(values, 0), "value"), "cancelled") == 0 ? 1 : 2);
	json_decref(shown);
	assert_int_equal(run(&w->sha, &item, "conflicts", "pick", number, "state", n, NULL), OK);
	assert_string_equal(text(item, "state"), "cancelled");
	assert_true(json_is_false(json_object_get(item, "conflict")));
	json_decref(item);
}

static void voided_and_changed_item_waits_for_keep_or_void(void **state)
{
	static const char *const choices[] = { "keep", "void" };
	static const char *const lives[] = { "live", "void" };
	struct world *w = *state;

	for (size_t i = 0; i < 2; i++) {
		char number[NUMBER_TEXT_MAX];
		json_t *item = NULL;

		share_action(w, number);
		assert_int_equal(run(&w->sha, NULL, "action", "void", number, NULL), OK);
		assert_int_equal(run(&w->fra, NULL, "action", "edit", number, "--title", "B", NULL),
				 OK);
		office_sync(&w->sha, &w->fra);
		assert_int_equal(run(&w->sha, &item, "action", "show", number, NULL), OK);
		assert_string_equal(text(item, "life"), "revived");
		assert_true(json_is_true(json_object_get(item, "conflict")));
		json_decref(item);
		assert_int_equal(
			run(&w->sha, NULL, "conflicts", "pick", number, "life", choices[i], NULL),
			OK);
		office_sync(&w->sha, &w->fra);
		assert_int_equal(run(&w->fra, &item, "action", "show", number, NULL), OK);
		assert_string_equal(text(item, "life"), lives[i]);
		assert_true(json_is_false(json_object_get(item, "conflict")));
		json_decref(item);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_of_all_records_are_no_fields, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(minutes_begun_in_two_offices_are_one_document,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(record_with_two_conflicts_stands_in_the_inbox_once,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(number_is_nothing_to_pick, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conflict_shows_both_values_and_a_choice_ends_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_ends_of_an_item_are_a_conflict, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(voided_and_changed_item_waits_for_keep_or_void,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
