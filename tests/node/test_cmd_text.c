/* Commands about texts of two offices that write at the same time, of any record. */
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
	char meeting[NUMBER_TEXT_MAX];
};

static int set_up(void **state)
{
	static struct world w;
	json_t *meeting;

	w.space = open_two_offices(&w.sha, &w.fra);
	assert_int_equal(run(&w.sha, &meeting, "meeting", "new", "Weekly", "--goal",
			     "To agree on a date.", NULL),
			 OK);
	snprintf(w.meeting, sizeof(w.meeting), "%s", text(meeting, "number"));
	json_decref(meeting);
	office_sync(&w.sha, &w.fra);
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

static void edit_goal(struct world *w, struct office *o, const char *goal)
{
	assert_int_equal(run(o, NULL, "text", "edit", w->meeting, "--text", goal, NULL), OK);
}

static void assert_goal(struct world *w, struct office *o, const char *expected)
{
	json_t *shown;

	assert_int_equal(run(o, &shown, "text", "show", w->meeting, "goal", NULL), OK);
	assert_string_equal(text(shown, "text"), expected);
	assert_string_equal(text(shown, "field"), "goal");
	json_decref(shown);
}

static void an_option_writes_what_differs(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(&w->sha, NULL, "meeting", "edit", w->meeting, "--goal",
			     "To agree on a date and a place.", NULL),
			 OK);
	edit_goal(w, &w->fra, "To finally agree on a date.");
	office_sync(&w->sha, &w->fra);
	assert_goal(w, &w->sha, "To finally agree on a date and a place.");
	assert_goal(w, &w->fra, "To finally agree on a date and a place.");
}

static void what_was_changed_from_an_older_version_is_merged(void **state)
{
	struct world *w = *state;
	char seen[64];
	json_t *shown;

	assert_int_equal(run(&w->sha, &shown, "text", "show", w->meeting, NULL), OK);
	snprintf(seen, sizeof(seen), "%s",
		 json_string_value(json_array_get(json_object_get(shown, "versions"), 0)));
	json_decref(shown);
	edit_goal(w, &w->sha, "To agree on a date. And a place.");
	assert_int_equal(run(&w->sha, NULL, "text", "edit", w->meeting, "--from", seen, "--text",
			     "Not to agree on a date.", NULL),
			 OK);
	assert_goal(w, &w->sha, "Not to agree on a date. And a place.");
	assert_int_equal(run(&w->sha, NULL, "text", "restore", w->meeting, seen, NULL), OK);
	assert_goal(w, &w->sha, "To agree on a date.");
}

static void what_did_not_change_makes_no_version(void **state)
{
	struct world *w = *state;
	json_t *versions;

	edit_goal(w, &w->sha, "To agree on a date.");
	assert_int_equal(run(&w->sha, &versions, "text", "history", w->meeting, NULL), OK);
	assert_int_equal(json_array_size(versions), 1);
	json_decref(versions);
}

static void versions_have_one_order_everywhere(void **state)
{
	struct world *w = *state;
	json_t *here, *there;

	for (int i = 0; i < 3; i++) {
		edit_goal(w, &w->sha, i % 2 ? "To agree on a day." : "To agree on a date.");
		edit_goal(w, &w->fra, i % 2 ? "To meet." : "To agree on a date or two.");
	}
	office_sync(&w->sha, &w->fra);
	assert_int_equal(run(&w->sha, &here, "text", "history", w->meeting, NULL), OK);
	assert_int_equal(run(&w->fra, &there, "text", "history", w->meeting, NULL), OK);
	assert_true(json_array_size(here) > 3);
	assert_true(json_equal(here, there));
	json_decref(here);
	json_decref(there);
	assert_int_equal(run(&w->sha, &here, "text", "history", w->meeting, "--limit", "2", NULL),
			 OK);
	assert_int_equal(json_array_size(here), 2);
	json_decref(here);
}

static void which_text_must_be_clear(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(&w->sha, NULL, "text", "show", w->meeting, "title", NULL),
			 ERR_INVALID);
	assert_int_equal(run(&w->sha, NULL, "text", "diff", w->meeting, "1234/9", NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(run(&w->sha, NULL, "text", "restore", w->meeting, "goal", NULL),
			 ERR_INVALID);
}

/* Steps through all states to the last one. */
static void finish(struct world *w, const struct record_id *minutes)
{
	static const unsigned steps[] = { 1, 2, 4 };
	struct record_id nobody = { 0 };
	struct edit *edit;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		OFFICE_MUST(replica_begin(w->sha.replica, &msg));
		OFFICE_MUST(
			edit_open(&edit, w->sha.replica, &w->space, &nobody, w->sha.now_ms, &msg));
		OFFICE_MUST(edit_step(edit, KIND_MINUTES, minutes, MINUTES_STATE, steps[i], &msg));
		OFFICE_MUST(edit_seal(edit, &msg));
		OFFICE_MUST(replica_commit(w->sha.replica, &msg));
	}
}

static void final_minutes_are_not_written_any_more(void **state)
{
	struct world *w = *state;
	struct record_id minutes;
	json_t *block;
	const char *id;

	assert_int_equal(run(&w->sha, &block, "minutes", "add", w->meeting, "Done.", NULL), OK);
	id = text(json_object_get(block, "minutes"), "id");
	assert_int_equal(hex_decode(minutes.bytes, ID_BYTES, id), OK);
	finish(w, &minutes);
	assert_int_equal(
		run(&w->sha, NULL, "minutes", "edit", text(block, "id"), "--text", "x", NULL),
		ERR_INVALID);
	assert_int_equal(run(&w->sha, NULL, "minutes", "add", w->meeting, "More.", NULL),
			 ERR_INVALID);
	json_decref(block);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_option_writes_what_differs),
		TEST(what_was_changed_from_an_older_version_is_merged),
		TEST(what_did_not_change_makes_no_version),
		TEST(versions_have_one_order_everywhere),
		TEST(which_text_must_be_clear),
		TEST(final_minutes_are_not_written_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
