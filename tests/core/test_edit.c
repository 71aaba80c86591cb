/* core/edit: what is written here reads back, is refused by name when it must
 * be, and is always something that the other offices take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/support/office.h"

struct world {
	struct office a, b;
	struct space_id space, directory;
	struct record_id action;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	w->directory = replica_directory(w->a.replica);
	w->action = office_item(&w->a, &w->space, "Review the contract");
	office_sync(&w->a, &w->b);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	free(w);
	return 0;
}

/* Whatever the test did: the other office takes it and both logs replay. */
static void assert_others_take_it(struct world *w)
{
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

static void assert_title(struct office *o, const struct record_id *id, const char *expected)
{
	struct arena arena = ARENA_EMPTY;
	struct errmsg why = { 0 };
	struct record rec;

	assert_int_equal(replica_record(o->replica, KIND_ACTION, id, &arena, &rec, NULL, &why), OK);
	assert_true(
		bytes_equal(record_shown(&rec, ACTION_TITLE)->value.bytes, bytes_of_str(expected)));
	arena_release(&arena);
}

static void set_title(struct edit *e, const struct record_id *id, const char *text)
{
	struct value value = value_str(text);

	OFFICE_MUST(edit_set(e, KIND_ACTION, id, ACTION_TITLE, &value, &msg));
}

static void second_write_of_a_field_replaces_the_first(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);

	set_title(e, &w->action, "first");
	set_title(e, &w->action, "second");
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_title(&w->b, &w->action, "second");
}

static void second_write_holds_with_another_record_between(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	struct record_id one = edit_create(e), two = edit_create(e);

	set_title(e, &one, "first");
	set_title(e, &w->action, "old, first");
	set_title(e, &two, "between");
	set_title(e, &w->action, "old, second");
	set_title(e, &one, "second");
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_title(&w->b, &one, "second");
	assert_title(&w->b, &two, "between");
	assert_title(&w->b, &w->action, "old, second");
}

static void several_elements_leave_a_set_in_one_edit(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	struct record_id people[4];

	for (size_t i = 0; i < 4; i++) {
		struct value value;

		people[i] = edit_create(e);
		value = value_ref(&people[i]);
		OFFICE_MUST(edit_add(e, KIND_ACTION, &w->action, ACTION_CC, &value, &msg));
	}
	office_seal(&w->a, e);

	e = office_edit(&w->a, &w->space);
	for (size_t i = 0; i < 3; i++) {
		struct value value = value_ref(&people[i]);

		OFFICE_MUST(edit_remove(e, KIND_ACTION, &w->action, ACTION_CC, &value, &msg));
	}
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_elements(&w->b, &w->action, ACTION_CC), 1);
}

static void removing_twice_in_one_edit_is_removing(void **state)
{
	struct world *w = *state;
	struct value value = value_ref(&w->action);
	struct edit *e;

	office_add(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_CC, &value);
	e = office_edit(&w->a, &w->space);
	OFFICE_MUST(edit_remove(e, KIND_ACTION, &w->action, ACTION_CC, &value, &msg));
	OFFICE_MUST(edit_remove(e, KIND_ACTION, &w->action, ACTION_CC, &value, &msg));
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_elements(&w->b, &w->action, ACTION_CC), 0);
}

static void voiding_twice_in_one_edit_is_voiding(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);

	OFFICE_MUST(edit_void(e, KIND_ACTION, &w->action, &msg));
	OFFICE_MUST(edit_void(e, KIND_ACTION, &w->action, &msg));
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_count(&w->b, "SELECT life FROM r_action_item"), RECORD_VOID);

	e = office_edit(&w->a, &w->space);
	OFFICE_MUST(edit_revive(e, KIND_ACTION, &w->action, &msg));
	OFFICE_MUST(edit_revive(e, KIND_ACTION, &w->action, &msg));
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_count(&w->b, "SELECT life FROM r_action_item"), RECORD_LIVE);
}

/* An element that 300 offline edits added: the removal names them all. */
static void element_added_very_often_can_be_removed(void **state)
{
	struct world *w = *state;
	struct value value = value_ref(&w->action);
	struct edit *e = office_edit(&w->a, &w->space);

	for (int i = 0; i < OP_REPLACED_MAX + 50; i++)
		OFFICE_MUST(edit_add(e, KIND_ACTION, &w->action, ACTION_CC, &value, &msg));
	office_seal(&w->a, e);
	office_remove(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_CC, &value);
	assert_others_take_it(w);
	assert_int_equal(office_elements(&w->b, &w->action, ACTION_CC), 0);
}

static void batch_of_the_greatest_size_travels(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	struct value value = value_str("one of many");
	struct errmsg why = { 0 };
	struct record_id id;

	for (int i = 0; i < CHANGESET_OPS_MAX; i++) {
		id = edit_create(e);
		OFFICE_MUST(edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &value, &msg));
	}
	id = edit_create(e);
	assert_int_equal(edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &value, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "10000"));
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_items(&w->b), CHANGESET_OPS_MAX + 1);
}

static void ops_may_come_in_any_order(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	struct record_id ids[3];
	struct value value = value_str("from the end");

	for (size_t i = 0; i < 3; i++)
		ids[i] = edit_create(e);
	for (size_t i = 3; i-- > 0;) {
		struct value step = value_str("step");

		OFFICE_MUST(edit_add(e, KIND_ACTION, &ids[i], ACTION_PROGRESS, &step, &msg));
		OFFICE_MUST(edit_set(e, KIND_ACTION, &ids[i], ACTION_DELIVERABLE, &value, &msg));
		set_title(e, &ids[i], "in any order");
		OFFICE_MUST(edit_add(e, KIND_ACTION, &ids[i], ACTION_PROGRESS, &step, &msg));
	}
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_elements(&w->b, &ids[1], ACTION_PROGRESS), 2);
}

static void longest_text_fits(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	char *text = malloc(TEXT_BYTES_MAX);
	struct value value = value_text(bytes_of(text, TEXT_BYTES_MAX));

	memset(text, 'x', TEXT_BYTES_MAX);
	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_DELIVERABLE, &value, &msg));
	office_seal(&w->a, e);
	assert_others_take_it(w);
	free(text);
}

static void changeset_over_its_size_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct edit *e;
	struct record_id other;
	struct errmsg why = { 0 };
	uint8_t before[STATE_HASH_BYTES], after[STATE_HASH_BYTES];
	uint64_t seq = vv_get(replica_vv(w->a.replica, &w->space), replica_id(w->a.replica));
	char *text = malloc(TEXT_BYTES_MAX);
	struct value value = value_text(bytes_of(text, TEXT_BYTES_MAX));

	memset(text, 'x', TEXT_BYTES_MAX);
	OFFICE_MUST(replica_state_hash(w->a.replica, before, &msg));
	e = office_edit(&w->a, &w->space);
	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_DELIVERABLE, &value, &msg));
	other = edit_create(e);
	OFFICE_MUST(edit_set(e, KIND_ACTION, &other, ACTION_DELIVERABLE, &value, &msg));
	assert_int_equal(edit_seal(e, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "bytes"));
	replica_rollback(w->a.replica);
	OFFICE_MUST(replica_state_hash(w->a.replica, after, &msg));
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(vv_get(replica_vv(w->a.replica, &w->space), replica_id(w->a.replica)),
			 seq);

	e = office_edit(&w->a, &w->space);
	set_title(e, &w->action, "and work goes on");
	office_seal(&w->a, e);
	assert_others_take_it(w);
	free(text);
}

static void edit_without_ops_leaves_no_trace(void **state)
{
	struct world *w = *state;
	int64_t before = office_count(&w->a, "SELECT count(*) FROM changeset");

	office_seal(&w->a, office_edit(&w->a, &w->space));
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM changeset"), before);
}

static void rolled_back_edit_leaves_no_trace(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	uint64_t seq = vv_get(replica_vv(w->a.replica, &w->space), replica_id(w->a.replica));

	set_title(e, &w->action, "never");
	OFFICE_MUST(edit_seal(e, &msg));
	replica_rollback(w->a.replica);
	/* At once: what is not durable must not be told to anybody. */
	assert_int_equal(vv_get(replica_vv(w->a.replica, &w->space), replica_id(w->a.replica)),
			 seq);
	assert_title(&w->a, &w->action, "Review the contract");

	e = office_edit(&w->a, &w->space);
	set_title(e, &w->action, "this time");
	office_seal(&w->a, e);
	assert_int_equal(vv_get(replica_vv(w->a.replica, &w->space), replica_id(w->a.replica)),
			 seq + 1);
	assert_others_take_it(w);
}

static void values_are_copied(void **state)
{
	struct world *w = *state;
	struct edit *e = office_edit(&w->a, &w->space);
	char text[] = "as it was";
	struct value value = value_str(text);

	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_TITLE, &value, &msg));
	memset(text, '!', sizeof(text) - 1);
	office_seal(&w->a, e);
	assert_title(&w->a, &w->action, "as it was");
}

static void empty_and_absent_values_differ(void **state)
{
	struct world *w = *state;
	struct value empty = value_str(""), nil = value_nil();
	struct record_id meeting =
		office_create(&w->a, &w->space, KIND_MEETING, MEETING_PLACE, &empty);

	assert_others_take_it(w);
	assert_int_equal(office_count(&w->b, "SELECT count(*) FROM meeting WHERE place = ''"), 1);
	office_set(&w->b, &w->space, KIND_MEETING, &meeting, MEETING_PLACE, &nil);
	assert_others_take_it(w);
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM meeting WHERE place IS NULL"),
			 1);
}

enum attempt { SET, ADD, REMOVE, STEP, VOID, REVIVE };

static enum err attempt(struct edit *e, const struct record_id *id, enum attempt what,
			uint16_t kind, uint8_t field, const struct value *value, struct errmsg *why)
{
	switch (what) {
	case SET: return edit_set(e, kind, id, field, value, why);
	case ADD: return edit_add(e, kind, id, field, value, why);
	case REMOVE: return edit_remove(e, kind, id, field, value, why);
	case STEP: return edit_step(e, kind, id, field, (unsigned)value->number, why);
	case VOID: return edit_void(e, kind, id, why);
	case REVIVE: return edit_revive(e, kind, id, why);
	}
	return OK;
}

static void what_does_not_fit_is_refused_by_name(void **state)
{
	struct world *w = *state;
	static char long_name[NAME_BYTES_MAX + 2];
	const struct {
		enum attempt what;
		uint16_t kind;
		uint8_t field;
		struct value value;
		enum err rc;
		const char *name;
	} cases[] = {
		{ SET, 999, 1, value_int(1), ERR_INVALID, "999" },
		{ SET, KIND_ACTION, 99, value_int(1), ERR_INVALID, "99" },
		{ SET, KIND_ACTION, 0, value_int(1), ERR_INVALID, "0" },
		{ SET, KIND_ACTION, ACTION_TITLE, value_int(1), ERR_INVALID, "title" },
		{ SET, KIND_ACTION, ACTION_TITLE, value_str("a\nb"), ERR_INVALID, "title" },
		{ SET, KIND_ACTION, ACTION_TITLE, value_str("\xff"), ERR_INVALID, "title" },
		{ SET, KIND_ACTION, ACTION_TITLE, value_str(long_name), ERR_LIMIT, "title" },
		{ SET, KIND_ACTION, ACTION_PRIORITY, value_int(3), ERR_INVALID, "priority" },
		{ SET, KIND_ACTION, ACTION_PRIORITY, value_int(-1), ERR_INVALID, "priority" },
		{ SET, KIND_ACTION, ACTION_DUE, value_str("soon"), ERR_INVALID, "due" },
		{ SET, KIND_ACTION, ACTION_STATE, value_nil(), ERR_INVALID, "state" },
		{ SET, KIND_ACTION, ACTION_STATE, state_step(0, 5), ERR_INVALID, "state" },
		{ SET, KIND_ACTION, ACTION_STATE, value_int(1 << 20), ERR_INVALID, "state" },
		{ SET, KIND_ACTION, ACTION_CC, value_ref(&w->action), ERR_INVALID, "cc" },
		{ SET, KIND_TOPIC, TOPIC_POSITION, value_bytes(bytes_of("\1\0", 2)), ERR_INVALID,
		  "position" },
		{ ADD, KIND_ACTION, ACTION_TITLE, value_str("x"), ERR_INVALID, "title" },
		{ ADD, KIND_ACTION, ACTION_CC, value_nil(), ERR_INVALID, "cc" },
		{ REMOVE, KIND_ACTION, ACTION_CC, value_ref(&w->action), ERR_NOT_FOUND, "cc" },
		{ REMOVE, KIND_ACTION, ACTION_PROGRESS, value_str("x"), ERR_INVALID, "progress" },
		{ STEP, KIND_ACTION, ACTION_TITLE, value_int(1), ERR_INVALID, "title" },
		{ STEP, KIND_ACTION, ACTION_STATE, value_int(0), ERR_INVALID, "open" },
		{ STEP, KIND_ACTION, ACTION_STATE, value_int(99), ERR_INVALID, "unknown state" },
		{ REVIVE, KIND_ACTION, 0, value_nil(), ERR_INVALID, "not void" },
		{ VOID, KIND_MEETING, 0, value_nil(), ERR_NOT_FOUND, "meeting" },
	};
	struct edit *e = office_edit(&w->a, &w->space);

	memset(long_name, 'x', NAME_BYTES_MAX + 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value value = cases[i].value;
		struct errmsg why = { .text = "" };

		if (cases[i].rc == ERR_LIMIT)
			value = value_str(long_name);
		assert_int_equal(attempt(e, &w->action, cases[i].what, cases[i].kind,
					 cases[i].field, &value, &why),
				 cases[i].rc);
		if (!strstr(why.text, cases[i].name))
			fail_msg("case %zu: \"%s\" does not name %s", i, why.text, cases[i].name);
	}
	office_seal(&w->a, e);
	assert_others_take_it(w);
}

static void illegal_step_names_both_states(void **state)
{
	struct world *w = *state;
	struct errmsg why = { 0 };
	struct edit *e;

	office_step(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_STATE, ACTION_DONE);
	e = office_edit(&w->a, &w->space);
	assert_int_equal(edit_step(e, KIND_ACTION, &w->action, ACTION_STATE, ACTION_DOING, &why),
			 ERR_INVALID);
	assert_non_null(strstr(why.text, "done"));
	assert_non_null(strstr(why.text, "doing"));
	OFFICE_MUST(edit_step(e, KIND_ACTION, &w->action, ACTION_STATE, ACTION_OPEN, &msg));
	office_seal(&w->a, e);
	assert_int_equal(
		office_count(&w->a, "SELECT count(*) FROM action_item WHERE state = 'open'"), 1);
}

static void clock_before_2020_is_refused(void **state)
{
	struct world *w = *state;
	struct errmsg why = { 0 };
	struct edit *e = NULL;

	OFFICE_MUST(replica_begin(w->a.replica, &msg));
	assert_int_equal(edit_open(&e, w->a.replica, &w->space, NULL, WALL_MS_MIN - 1, &why),
			 ERR_CLOCK);
	assert_null(e);
	replica_rollback(w->a.replica);
}

/* A clock that steps back must not stop work, nor the others' merging. */
static void edits_go_on_when_the_clock_steps_back(void **state)
{
	struct world *w = *state;
	struct value value = value_str("written in the past");

	w->a.now_ms -= UINT64_C(400) * 24 * 3600 * 1000;
	office_set(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	assert_others_take_it(w);
	assert_title(&w->b, &w->action, "written in the past");
}

static void several_edits_become_durable_together(void **state)
{
	struct world *w = *state;
	struct value value = value_str("Jo");
	struct edit *e = office_edit(&w->a, &w->directory);
	struct record_id person = edit_create(e);

	OFFICE_MUST(edit_set(e, KIND_PERSON, &person, PERSON_NAME, &value, &msg));
	OFFICE_MUST(edit_seal(e, &msg));
	OFFICE_MUST(edit_open(&e, w->a.replica, &w->space, &person, w->a.now_ms++, &msg));
	value = value_ref(&person);
	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_OWNER, &value, &msg));
	OFFICE_MUST(edit_seal(e, &msg));
	/* The second edit of a record sees what the first one sealed. */
	OFFICE_MUST(edit_open(&e, w->a.replica, &w->space, &person, w->a.now_ms++, &msg));
	OFFICE_MUST(edit_set(e, KIND_ACTION, &w->action, ACTION_OWNER, &value, &msg));
	office_seal(&w->a, e);
	assert_others_take_it(w);
	assert_int_equal(office_count(&w->b, "SELECT count(*) FROM conflict"), 0);
}

/* The dependencies of the newest changeset of `o` in the space. */
static size_t deps_of_newest(struct world *w, struct office *o, struct arena *arena,
			     struct changeset *cs)
{
	size_t count;
	struct sealed *list = office_log(o, &w->space, arena, &count);

	while (replica_id_cmp(&list[count - 1].replica, replica_id(o->replica)) != 0)
		count--;
	OFFICE_MUST(
		changeset_decode(cs, list[count - 1].body, replica_id(o->replica), arena, &msg));
	return cs->dep_count;
}

static void what_arrived_is_named_once_as_a_dependency(void **state)
{
	struct world *w = *state;
	struct arena arena = ARENA_EMPTY;
	struct value value = value_str("x");
	struct changeset cs;
	struct office c;

	office_open(&c, NULL, 4);
	office_join(&c, &w->a, "NYC");
	office_grant(&w->a, &w->space, "NYC", ROLE_EDITOR);
	office_pull(&c, &w->a);
	for (int i = 0; i < 3; i++)
		office_set(&w->b, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_sync(&c, &w->b);
	office_set(&c, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	assert_int_equal(deps_of_newest(w, &c, &arena, &cs), 2); /* a's and the newest of b */
	for (size_t i = 0; i < 2; i++) {
		bool is_b = replica_id_cmp(&cs.deps[i].replica, replica_id(w->b.replica)) == 0;

		assert_int_equal(cs.deps[i].seq, is_b ? 3 : 1);
	}
	office_set(&c, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	assert_int_equal(deps_of_newest(w, &c, &arena, &cs), 0);
	arena_release(&arena);
	office_close(&c);
}

static void kinds_are_refused_outside_their_space(void **state)
{
	struct world *w = *state;
	struct value value = value_str("x");
	struct errmsg why = { 0 };
	struct record_id id;
	struct edit *e = office_edit(&w->a, &w->directory);

	id = edit_create(e);
	assert_int_equal(edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &value, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "action_item"));
	edit_drop(e);
	replica_rollback(w->a.replica);

	e = office_edit(&w->a, &w->space);
	assert_int_equal(edit_set(e, KIND_PERSON, &id, PERSON_NAME, &value, &why), ERR_INVALID);
	edit_drop(e);
	replica_rollback(w->a.replica);
	assert_others_take_it(w);
}

static void replica_of_nobody_takes_no_edits(void **state)
{
	struct world *w = *state;
	struct errmsg why = { 0 };
	struct office nobody;
	struct edit *e = NULL;

	office_open(&nobody, NULL, 3);
	OFFICE_MUST(replica_begin(nobody.replica, &msg));
	assert_int_equal(edit_open(&e, nobody.replica, &w->space, NULL, OFFICE_NOW_MS, &why),
			 ERR_ORG);
	assert_null(e);
	replica_rollback(nobody.replica);
	assert_false(replica_has_org(nobody.replica));
	office_close(&nobody);
}

static void newcomer_writes_once_its_admission_has_arrived(void **state)
{
	struct world *w = *state;
	struct admission admission = { .office_code = "NYC",
				       .office_name = "New York",
				       .zone = "America/New_York" };
	struct errmsg why = { 0 };
	struct office newcomer;
	struct edit *e = NULL;

	office_open(&newcomer, NULL, 4);
	admission.node = newcomer.identity;
	OFFICE_MUST(replica_admit(w->a.replica, &admission, w->a.now_ms++, &msg));
	OFFICE_MUST(replica_join(newcomer.replica, replica_org(w->a.replica), &msg));
	OFFICE_MUST(replica_begin(newcomer.replica, &msg));
	assert_int_equal(edit_open(&e, newcomer.replica, &w->directory, NULL, OFFICE_NOW_MS, &why),
			 ERR_ORG);
	assert_null(e);
	replica_rollback(newcomer.replica);

	office_pull(&newcomer, &w->a);
	office_seal(&newcomer, office_edit(&newcomer, &w->directory));
	office_close(&newcomer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(second_write_of_a_field_replaces_the_first),
		TEST(second_write_holds_with_another_record_between),
		TEST(several_elements_leave_a_set_in_one_edit),
		TEST(removing_twice_in_one_edit_is_removing),
		TEST(voiding_twice_in_one_edit_is_voiding),
		TEST(element_added_very_often_can_be_removed),
		TEST(batch_of_the_greatest_size_travels),
		TEST(ops_may_come_in_any_order),
		TEST(longest_text_fits),
		TEST(changeset_over_its_size_leaves_nothing),
		TEST(edit_without_ops_leaves_no_trace),
		TEST(rolled_back_edit_leaves_no_trace),
		TEST(values_are_copied),
		TEST(empty_and_absent_values_differ),
		TEST(what_does_not_fit_is_refused_by_name),
		TEST(illegal_step_names_both_states),
		TEST(clock_before_2020_is_refused),
		TEST(edits_go_on_when_the_clock_steps_back),
		TEST(several_edits_become_durable_together),
		TEST(what_arrived_is_named_once_as_a_dependency),
		TEST(kinds_are_refused_outside_their_space),
		TEST(replica_of_nobody_takes_no_edits),
		TEST(newcomer_writes_once_its_admission_has_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
