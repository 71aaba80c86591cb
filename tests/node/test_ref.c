/* node/ref: which record people mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/ref.h"
#include "tests/support/office.h"

struct world {
	struct office office;
	struct context ctx;
	struct space_id space;
	struct record_id first, second, voided; /* action items */
	struct record_id lei, lan;              /* people beside the founder 李雷 */
};

static struct record_id person(struct world *w, const char *name)
{
	struct space_id directory = replica_directory(w->office.replica);
	struct value value = value_str(name);

	return office_create(&w->office, &directory, KIND_PERSON, PERSON_NAME, &value);
}

static struct record_id action(struct world *w, const char *number)
{
	struct value value = value_str(number);

	return office_create(&w->office, &w->space, KIND_ACTION, ACTION_NUMBER, &value);
}

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .ctx.arena = ARENA_EMPTY };
	office_open(&w.office, NULL, 1);
	office_found(&w.office, "SHA");
	w.space = office_share(&w.office);
	w.lei = person(&w, "Lei");
	w.lan = person(&w, "Lan");
	w.first = action(&w, "AI-SHA-2026-0001");
	w.second = action(&w, "AI-SHA-2026-0012");
	w.voided = action(&w, "AI-SHA-2026-0003");
	office_void(&w.office, &w.space, KIND_ACTION, &w.voided);
	w.ctx.replica = w.office.replica;
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	arena_release(&w->ctx.arena);
	office_close(&w->office);
	return 0;
}

static void assert_found(struct world *w, uint16_t kind, const char *text,
			 const struct record_id *id)
{
	struct errmsg msg = { .text = "" };
	struct ref ref;

	if (ref_find(&w->ctx, kind, text, &ref, &msg) != OK)
		fail_msg("%s: %s", text, msg.text);
	assert_memory_equal(&ref.id, id, sizeof(*id));
}

static void assert_refused(struct world *w, uint16_t kind, const char *text, enum err code)
{
	struct ref ref = { .kind = 77 };

	assert_int_equal(ref_find(&w->ctx, kind, text, &ref, NULL), code);
	assert_int_equal(ref.kind, 77);
}

static void numbers_are_found_in_any_case(void **state)
{
	struct world *w = *state;

	assert_found(w, KIND_ACTION, "AI-SHA-2026-0012", &w->second);
	assert_found(w, 0, "ai-sha-2026-0012", &w->second);
	assert_found(w, KIND_ACTION, "Ai-Sha-2026-0003", &w->voided);
	assert_refused(w, KIND_ACTION, "AI-SHA-2026-00", ERR_NOT_FOUND);
	assert_refused(w, KIND_MEETING, "AI-SHA-2026-0001", ERR_NOT_FOUND);
}

static void beginning_of_an_id_is_found(void **state)
{
	struct world *w = *state;
	char id[ID_TEXT_SIZE];

	id_text(w->lan.bytes, id);
	assert_found(w, 0, id, &w->lan);
	id[30] = 0;
	assert_found(w, KIND_PERSON, id, &w->lan);
	id[3] = 0;
	assert_refused(w, 0, id, ERR_NOT_FOUND);
}

static void names_are_found_by_a_beginning_that_one_has(void **state)
{
	struct world *w = *state;

	assert_found(w, KIND_PERSON, "Lei", &w->lei);
	assert_found(w, KIND_PERSON, "la", &w->lan);
	assert_refused(w, KIND_PERSON, "L", ERR_AMBIGUOUS);
	assert_refused(w, KIND_PERSON, "%", ERR_NOT_FOUND);
	assert_refused(w, KIND_PERSON, "", ERR_NOT_FOUND);
	assert_refused(w, 0, "Lei", ERR_NOT_FOUND);
}

static void whole_name_wins_over_a_longer_one(void **state)
{
	struct world *w = *state;

	person(w, "Leila");
	assert_found(w, KIND_PERSON, "Lei", &w->lei);
	assert_refused(w, KIND_PERSON, "le", ERR_AMBIGUOUS);
}

static void candidates_are_told_apart(void **state)
{
	struct world *w = *state;
	struct record_id other = person(w, "Lan");
	struct errmsg msg = { .text = "" };
	char id[ID_TEXT_SIZE];
	char *told;
	struct ref ref;

	assert_int_equal(ref_find(&w->ctx, KIND_PERSON, "Lan", &ref, &msg), ERR_AMBIGUOUS);
	told = strrchr(msg.text, '(');
	assert_non_null(told);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(told + 1, ")"), told + 1);
	assert_found(w, KIND_PERSON, id, record_id_cmp(&other, &w->lan) > 0 ? &other : &w->lan);
}

/* Of whatever kinds they are, in whatever order they are told. */
static void each_candidate_is_found_by_what_is_told_of_it(void **state)
{
	struct world *w = *state;
	struct errmsg msg = { .text = "" };
	char id[ID_TEXT_SIZE];
	struct ref ref;
	int count = 0;

	id_text(w->lei.bytes, id);
	id[4] = 0;
	assert_int_equal(ref_find(&w->ctx, 0, id, &ref, &msg), ERR_AMBIGUOUS);
	for (char *at = msg.text; (at = strchr(at, '(')); count++) {
		assert_true(at[-2] != ' ' && at[-2] != ','); /* it has a name */
		snprintf(id, sizeof(id), "%.*s", (int)strcspn(at + 1, ")"), at + 1);
		assert_int_equal(ref_find(&w->ctx, 0, id, &ref, NULL), OK);
		at++;
	}
	assert_true(count > 2);
}

static void office_is_known_by_its_code(void **state)
{
	struct world *w = *state;
	const struct member *self = replica_self(w->office.replica);

	assert_found(w, KIND_OFFICE, "sha", &self->office);
	assert_refused(w, KIND_OFFICE, "FRA", ERR_NOT_FOUND);
}

static void labels_are_numbers_names_or_ids(void **state)
{
	struct world *w = *state;
	struct value text = value_str("x");
	struct record_id block =
		office_create(&w->office, &w->space, KIND_BLOCK, BLOCK_TEXT, &text);
	struct buf out = BUF_EMPTY;

	assert_int_equal(ref_label(&w->ctx, KIND_ACTION, &w->second, &out, NULL), OK);
	buf_append_byte(&out, '|');
	assert_int_equal(ref_label(&w->ctx, KIND_PERSON, &w->lan, &out, NULL), OK);
	buf_append_byte(&out, 0);
	assert_string_equal((char *)out.data, "AI-SHA-2026-0012|Lan");
	buf_clear(&out);
	assert_int_equal(ref_label(&w->ctx, KIND_BLOCK, &block, &out, NULL), OK);
	assert_int_equal(out.size, 12);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_are_found_in_any_case, set_up, tear_down),
		cmocka_unit_test_setup_teardown(beginning_of_an_id_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_found_by_a_beginning_that_one_has, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(whole_name_wins_over_a_longer_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(candidates_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_candidate_is_found_by_what_is_told_of_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(office_is_known_by_its_code, set_up, tear_down),
		cmocka_unit_test_setup_teardown(labels_are_numbers_names_or_ids, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
