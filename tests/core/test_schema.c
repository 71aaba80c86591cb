/* core/schema: the table is sound, and values are checked by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/schema.h"

/* What code relies on when it reads the table. */
static void table_keeps_its_rules(void **state)
{
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	for (size_t i = 0; i < count; i++) {
		const struct kind *kind = &kinds[i];

		assert_true(i == 0 || kinds[i - 1].number < kind->number);
		assert_ptr_equal(schema_kind(kind->number), kind);
		assert_int_equal(schema_kind_index(kind), i);
		assert_true(kind->field_count > 0);
		for (size_t k = 0; k < kind->field_count; k++) {
			const struct field *f = &kind->fields[k];

			assert_ptr_equal(kind_field(kind, f->number), f);
			assert_ptr_equal(kind_field_named(kind, f->name), f);
			assert_in_range(f->number, 1,
					merge_is_register(f->merge) ? 64 : FIELD_NUMBER_MAX);
			assert_int_equal(f->format == FORMAT_STATE, f->merge == MERGE_STATE);
			assert_int_equal(f->format == FORMAT_STATE, f->machine != NULL);
			assert_int_equal(f->format == FORMAT_INT, f->min < f->max);
			assert_true(!f->required || f->format == FORMAT_NAME);
			assert_int_equal(f->format == FORMAT_CHOICE, f->choices != NULL);
			assert_true(f->ref == 0 || schema_kind(f->ref) != NULL);
			assert_true(!f->indexed || merge_is_register(f->merge));
		}
	}
	assert_null(schema_kind(0));
	assert_null(kind_field(&kinds[0], 0));
	assert_null(kind_field_named(&kinds[0], "no such field"));
}

static void assert_sound_machine(const struct machine *m)
{
	unsigned count = names_count(m->states);

	assert_in_range(count, 2, STATES_MAX);
	for (unsigned from = 0; from < STATES_MAX; from++) {
		assert_true(from < count || m->next[from] == 0);
		assert_true(m->next[from] >> count == 0);
		assert_false(m->next[from] >> from & 1); /* no step that goes nowhere */
	}
	assert_true(m->final != 0 && m->final >> count == 0);
}

static void machines_stay_within_their_states(void **state)
{
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < kinds[i].field_count; k++)
			if (kinds[i].fields[k].machine)
				assert_sound_machine(kinds[i].fields[k].machine);
}

static void steps_of_an_action(void **state)
{
	const struct machine *m = kind_field(schema_kind(KIND_ACTION), ACTION_STATE)->machine;
	struct value step = state_step(3, 4);

	assert_true(machine_is_legal(m, ACTION_OPEN, ACTION_DOING));
	assert_true(machine_is_legal(m, ACTION_DOING, ACTION_BLOCKED));
	assert_true(machine_is_legal(m, ACTION_BLOCKED, ACTION_DOING));
	assert_true(machine_is_legal(m, ACTION_DONE, ACTION_OPEN));
	assert_false(machine_is_legal(m, ACTION_DONE, ACTION_DOING));
	assert_false(machine_is_legal(m, ACTION_OPEN, ACTION_OPEN));
	assert_false(machine_is_legal(m, 99, ACTION_OPEN));
	assert_false(machine_is_legal(m, ACTION_OPEN, 99));
	assert_int_equal(state_from(&step), 3);
	assert_int_equal(state_to(&step), 4);
}

static enum err check(uint16_t kind, uint8_t field, struct value value)
{
	struct errmsg why = { .text = "" };
	const struct field *f = kind_field(schema_kind(kind), field);
	enum err rc = field_validate(f, &value, &why);

	if (rc != OK)
		assert_non_null(strstr(why.text, f->name));
	return rc;
}

struct valued {
	uint16_t kind;
	uint8_t field;
	struct value value;
	enum err rc;
};

static void assert_checked(const struct valued *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (check(cases[i].kind, cases[i].field, cases[i].value) != cases[i].rc)
			fail_msg("case %zu", i);
}

static void values_are_checked_by_their_format(void **state)
{
	static const char text[257];
	const struct record_id id = { { 1 } };
	const struct valued cases[] = {
		{ KIND_MEETING, MEETING_DURATION, value_int(1), OK },
		{ KIND_MEETING, MEETING_DURATION, value_int(7 * 24 * 60), OK },
		{ KIND_MEETING, MEETING_DURATION, value_int(7 * 24 * 60 + 1), ERR_INVALID },
		{ KIND_MEETING, MEETING_DURATION, value_int(0), ERR_INVALID },
		{ KIND_MEETING, MEETING_DURATION, value_int(INT64_MAX), ERR_INVALID },
		{ KIND_MEETING, MEETING_DURATION, value_nil(), OK },
		{ KIND_TOPIC, TOPIC_MINUTES, value_int(0), OK },
		{ KIND_TOPIC, TOPIC_MINUTES, value_int(-1), ERR_INVALID },
		{ KIND_OFFICE, OFFICE_CLOSES, value_int(0), OK },
		{ KIND_OFFICE, OFFICE_CLOSES, value_int(24 * 60 - 1), OK },
		{ KIND_OFFICE, OFFICE_CLOSES, value_int(24 * 60), ERR_INVALID },
		{ KIND_OFFICE, OFFICE_CLOSES, value_int(-1), ERR_INVALID },
		{ KIND_PERSON, PERSON_ACTIVE, value_int(2), ERR_INVALID },
		{ KIND_ACTION, ACTION_PRIORITY, value_int(2), OK },
		{ KIND_ACTION, ACTION_PRIORITY, value_int(3), ERR_INVALID },
		{ KIND_ACTION, ACTION_PRIORITY, value_int(INT64_MIN), ERR_INVALID },
		{ KIND_ACTION, ACTION_OWNER, value_ref(&id), OK },
		{ KIND_ACTION, ACTION_OWNER, value_int(1), ERR_INVALID },
		{ KIND_ACTION, ACTION_STATE, state_step(4, 0), OK },
		{ KIND_ACTION, ACTION_STATE, state_step(5, 0), ERR_INVALID },
		{ KIND_ACTION, ACTION_STATE, value_int(-1), ERR_INVALID },
		{ KIND_ACTION, ACTION_STATE, value_int(0x10000), ERR_INVALID },
		{ KIND_ACTION, ACTION_STATE, value_nil(), ERR_INVALID },
		{ KIND_ACTION, ACTION_DUE, value_str("2026-11-30[Asia/Shanghai]"), OK },
		{ KIND_ACTION, ACTION_DUE, value_str("2026-02-30[Asia/Shanghai]"), ERR_INVALID },
		{ KIND_ACTION, ACTION_CC, value_nil(), ERR_INVALID },
		{ KIND_OFFICE, OFFICE_ZONE, value_str("Asia/Shanghai"), OK },
		{ KIND_OFFICE, OFFICE_ZONE, value_str("../etc/passwd"), ERR_INVALID },
		{ KIND_OFFICE, OFFICE_CLOSES, value_int(1080), OK },
		{ KIND_SPACE, SPACE_ID, value_bytes(bytes_of(text, 16)), OK },
		{ KIND_SPACE, SPACE_ID, value_bytes(bytes_of(text, 257)), ERR_LIMIT },
		{ KIND_TOPIC, TOPIC_POSITION, value_bytes(bytes_of("a", 1)), OK },
		{ KIND_TOPIC, TOPIC_POSITION, value_bytes(bytes_of("a\0", 2)), ERR_INVALID },
	};

	assert_checked(cases, sizeof(cases) / sizeof(cases[0]));
}

static void texts_are_checked_by_their_format(void **state)
{
	static char text[TEXT_BYTES_MAX + 1];
	const struct valued cases[] = {
		{ KIND_ACTION, ACTION_TITLE, value_str("会议"), OK },
		{ KIND_ACTION, ACTION_TITLE, value_str(""), OK },
		{ KIND_ACTION, ACTION_TITLE, value_nil(), OK },
		{ KIND_ACTION, ACTION_TITLE, value_str("a\tb"), ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE, value_str("a\x7f"), ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE,
		  value_str("a\xc2\x9b"
			    "31m"),
		  ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE,
		  value_str("a\xc2\xa0"
			    "b"),
		  OK },
		{ KIND_ACTION, ACTION_TITLE,
		  value_str("a\xe2\x80\xa8"
			    "b"),
		  ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE, value_text(bytes_of("a\0b", 3)), ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE, value_str("\xe4\xbc"), ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE, value_bytes(bytes_of("a", 1)), ERR_INVALID },
		{ KIND_ACTION, ACTION_TITLE, value_text(bytes_of(text, NAME_BYTES_MAX)), OK },
		{ KIND_ACTION, ACTION_TITLE, value_text(bytes_of(text, NAME_BYTES_MAX + 1)),
		  ERR_LIMIT },
		{ KIND_ACTION, ACTION_DELIVERABLE, value_str("a\nb\tc"), OK },
		{ KIND_ACTION, ACTION_DELIVERABLE, value_text(bytes_of("a\0", 2)), ERR_INVALID },
		{ KIND_ACTION, ACTION_DELIVERABLE, value_text(bytes_of(text, TEXT_BYTES_MAX)), OK },
		{ KIND_ACTION, ACTION_DELIVERABLE, value_text(bytes_of(text, TEXT_BYTES_MAX + 1)),
		  ERR_LIMIT },
	};

	memset(text, 'x', sizeof(text));
	assert_checked(cases, sizeof(cases) / sizeof(cases[0]));
}

static void kinds_have_their_place(void **state)
{
	struct errmsg why = { .text = "" };

	assert_int_equal(kind_check_place(schema_kind(KIND_ACTION), false, &why), OK);
	assert_int_equal(kind_check_place(schema_kind(KIND_PERSON), true, &why), OK);
	assert_int_equal(kind_check_place(schema_kind(KIND_ACTION), true, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "action_item"));
	assert_int_equal(kind_check_place(schema_kind(KIND_PERSON), false, &why), ERR_INVALID);
}

static void names_are_found_in_their_list(void **state)
{
	static const char *const names[] = { "a", "b", NULL };

	assert_int_equal(names_find(names, "b"), 1);
	assert_int_equal(names_find(names, "c"), -1);
	assert_int_equal(names_count(names), 2);
}

/* All its epochs together (M-14). */
static void one_node_fills_no_record(void **state)
{
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	for (size_t i = 0; i < count; i++) {
		size_t registers = 0;

		for (size_t f = 0; f < kinds[i].field_count; f++)
			registers += merge_is_register(kinds[i].fields[f].merge);
		assert_true(EPOCHS_MAX * registers <= RECORD_ENTRIES_MAX / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_keeps_its_rules),
		cmocka_unit_test(machines_stay_within_their_states),
		cmocka_unit_test(one_node_fills_no_record),
		cmocka_unit_test(steps_of_an_action),
		cmocka_unit_test(values_are_checked_by_their_format),
		cmocka_unit_test(texts_are_checked_by_their_format),
		cmocka_unit_test(kinds_have_their_place),
		cmocka_unit_test(names_are_found_in_their_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
