/* Texts: what a member with a valid key must not say of them is refused by name, and what can only
 * be found wrong when it is merged destroys nothing (docs/DATA_MODEL.md, I-20). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/schema.h"
#include "core/text_edit.h"
#include "tests/support/forge.h"

/* Two honest offices share a block that says "abcd", and a member forges. */
struct world {
	struct office a, b;
	struct space_id space;
	struct record_id block;
	struct dot written; /* "abcd" */
	struct forge f;
};

static struct dot newest_dot(struct world *w)
{
	const struct replica_id *a = replica_id(w->a.replica);

	return (struct dot){ *a, vv_get(replica_vv(w->a.replica, &w->space), a) };
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct value text = value_str("abcd");

	assert_non_null(w);
	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	w->block = office_create(&w->a, &w->space, KIND_BLOCK, BLOCK_TEXT, &text);
	w->written = newest_dot(w);
	forge_open(&w->f, &w->a, &w->space, "EVE", 3);
	office_sync(&w->a, &w->b);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	forge_close(&w->f);
	office_close(&w->a);
	office_close(&w->b);
	free(w);
	return 0;
}

/* ---- Saying ---------------------------------------------------------------- */

static struct op splice(const struct world *w, struct bytes edit, struct value value)
{
	return (struct op){ .record = w->block,
			    .kind = KIND_BLOCK,
			    .field = BLOCK_TEXT,
			    .verb = VERB_SPLICE,
			    .edit = edit,
			    .value = value };
}

static enum err say(struct world *w, struct op op, struct errmsg *why)
{
	struct sealed s = forge_ops(&w->f, w->a.now_ms + 1000, NULL, 0, &op, 1);
	struct receipt receipt;

	return replica_receive(w->a.replica, &w->space, &s, 1, w->a.now_ms + 2000, &receipt, why);
}

static enum err say_edit_of(struct world *w, const struct text_edit *e,
			    const struct target *parents, size_t count, struct errmsg *why)
{
	struct buf encoded = BUF_EMPTY;
	struct op op;
	enum err rc;

	text_edit_encode(&encoded, e);
	op = splice(w, buf_bytes(&encoded), value_text(e->text));
	op.targets = parents;
	op.target_count = count;
	rc = say(w, op, why);
	buf_release(&encoded);
	return rc;
}

static enum err say_edit(struct world *w, const struct text_edit *e, const struct dot *parent,
			 struct errmsg *why)
{
	struct target target = { *parent, 0 };

	return say_edit_of(w, e, &target, 1, why);
}

/* ---- What comes of it ------------------------------------------------------ */

static void assert_refused(struct world *w, enum err rc, enum err expected, const struct errmsg *is,
			   const char *why)
{
	if (rc != expected || !strstr(is->text, why))
		fail_msg("'%s' and %s, not '%s' and %s", is->text, err_name(rc), why,
			 err_name(expected));
	assert_true(office_agrees(&w->a, &w->b));
	assert_int_equal(vv_get(replica_vv(w->a.replica, &w->space), &w->f.identity.replica), 0);
	w->f.head = (struct feed_head){ 0 };
}

static void assert_reads(struct world *w, const char *expected)
{
	struct arena arena = ARENA_EMPTY;
	struct record rec;

	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
	OFFICE_MUST(replica_record(w->b.replica, KIND_BLOCK, &w->block, &arena, &rec, NULL, &msg));
	assert_true(
		bytes_equal(record_shown(&rec, BLOCK_TEXT)->value.bytes, bytes_of_str(expected)));
	arena_release(&arena);
}

static void write_on(struct world *w, const char *text)
{
	struct value value = value_str(text);

	office_sync(&w->a, &w->b);
	w->b.now_ms = w->a.now_ms += 5000;
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &value);
	assert_reads(w, text);
}

/* ---- Refused at the door ----------------------------------------------------- */

#define RUNS(...)                                 \
	(const struct text_run[]){ __VA_ARGS__ }, \
		sizeof((const struct text_run[]){ __VA_ARGS__ }) / sizeof(struct text_run)

static void edits_that_can_not_be_are_refused_by_name(void **state)
{
	const uint32_t max = TEXT_POINTS_MAX;
	const struct {
		struct text_edit edit;
		const char *text;
		enum err rc;
		const char *why;
	} cases[] = {
		{ { 4, RUNS({ 5, 1, TEXT_INSERT }) },
		  "x",
		  ERR_INVALID,
		  "block.text: run 0 of a text's edit, 1 at 5, does not lie within the text" },
		{ { 4, RUNS({ 4, 1, TEXT_INSERT }, { 3, 3, TEXT_DELETE }) },
		  "x",
		  ERR_INVALID,
		  "run 1 of a text's edit, 3 at 3" },
		{ { 4, RUNS({ 4, 1, TEXT_DELETE }) }, "", ERR_INVALID, "1 at 4" },
		{ { 4, RUNS({ 4, 2, TEXT_BACKSPACE }) }, "", ERR_INVALID, "2 at 4" },
		{ { 4, RUNS({ 0, 3, TEXT_DELETE }, { 0, 2, TEXT_DELETE }) },
		  "",
		  ERR_INVALID,
		  "2 at 0" },
		{ { 4, RUNS({ 0, max, TEXT_DELETE }) }, "", ERR_INVALID, "67108864 at 0" },
		{ { 4, RUNS({ max, 1, TEXT_INSERT }) }, "x", ERR_INVALID, "1 at 67108864" },
		{ { 0, RUNS({ 0, max, TEXT_INSERT }) },
		  "x",
		  ERR_INVALID,
		  "inserts 67108864 code points and has 1" },
		{ { 4, RUNS({ 0, max, TEXT_INSERT }) }, "x", ERR_LIMIT, "67108864 code points" },
		{ { max, RUNS({ 0, 1, TEXT_INSERT }) }, "x", ERR_LIMIT, "67108864 code points" },
		{ { 4, RUNS({ 0, 1, TEXT_INSERT }) }, "xy", ERR_INVALID, "and has 2" },
		{ { 4, RUNS({ 0, 2, TEXT_INSERT }) }, "x", ERR_INVALID, "and has 1" },
		{ { 4, NULL, 0 }, "x", ERR_INVALID, "inserts 0 code points and has 1" },
		{ { 4, RUNS({ 0, 1, TEXT_INSERT }) }, "\xc3", ERR_FORMAT, "malformed body" },
		{ { 4, RUNS({ 0, 1, TEXT_INSERT }) },
		  "\xed\xa0\x80",
		  ERR_FORMAT,
		  "malformed body" },
		{ { 4, RUNS({ 0, 1, TEXT_INSERT }) }, "\xc0\x80", ERR_FORMAT, "malformed body" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_edit e = cases[i].edit;
		struct errmsg why = { .text = "" };
		enum err rc;

		e.text = bytes_of_str(cases[i].text);
		rc = say_edit(w, &e, &w->written, &why);
		assert_refused(w, rc, cases[i].rc, &why, cases[i].why);
	}
	write_on(w, "abcde");
}

static void u_0000_is_refused_by_name(void **state)
{
	struct world *w = *state;
	struct text_run run = { 0, 3, TEXT_INSERT };
	struct text_edit e = { 4, &run, 1, bytes_of("x\0y", 3) };
	struct op whole = splice(w, bytes_of(NULL, 0), value_text(e.text));
	struct errmsg why = { .text = "" };
	enum err rc = say_edit(w, &e, &w->written, &why);

	assert_refused(w, rc, ERR_INVALID, &why, "contains a NUL byte");
	whole.verb = VERB_SET;
	rc = say(w, whole, &why);
	assert_refused(w, rc, ERR_INVALID, &why, "contains a NUL byte");
}

/* Counts that the bytes don't have, that do not fit, that add up to more than there can be. */
static void edits_of_no_shape_are_refused_by_name(void **state)
{
	static const char malformed[] = "the edit of a text is not well formed";
	static const char body[] = "changeset: a malformed body";
	const struct {
		const char *bytes;
		size_t size;
		enum err rc;
		const char *why;
	} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ BYTES("\x90"), ERR_FORMAT, malformed },              /* no length */
		{ BYTES("\x92\x04\x04"), ERR_FORMAT, malformed },      /* half a run */
		{ BYTES("\x93\x04\x07\x00"), ERR_FORMAT, malformed },  /* no such step */
		{ BYTES("\x93\x04\x00\x00"), ERR_FORMAT, malformed },  /* of nothing */
		{ BYTES("\x93\x04\x04\xff"), ERR_FORMAT, malformed },  /* at -1 */
		{ BYTES("\x93\x04\x0a\x01"), ERR_FORMAT, malformed },  /* back past 0 */
		{ BYTES("\x93\xff\x04\x00"), ERR_FORMAT, malformed },  /* of -1 */
		{ BYTES("\x93\x04\xa1x\x00"), ERR_FORMAT, malformed }, /* a string */
		{ BYTES("\x93\xce\x04\x00\x00\x01\x04\x00"), ERR_LIMIT, malformed },
		{ BYTES("\x93\x04\xcf\xff\xff\xff\xff\xff\xff\xff\xfc\x00"), ERR_LIMIT, malformed },
		{ BYTES("\x93\x04\xce\x10\x00\x00\x04\x00"), ERR_LIMIT, malformed },
		{ BYTES("\x93\x04\x04\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), ERR_FORMAT,
		  malformed },
		{ BYTES("\x95\x04\x04\x00\x04\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), ERR_FORMAT,
		  malformed },
		{ BYTES("\x95\x04\x04\x04\x04\xce\x03\xff\xff\xff"), ERR_FORMAT, malformed },
		{ BYTES("\x93\x04\x04\xcc\x01"), ERR_FORMAT, body }, /* not the shortest */
		{ BYTES("\x04"), ERR_FORMAT, malformed },
		{ BYTES("\xdd\xff\xff\xff\xff\x04"), ERR_FORMAT, body },
		{ BYTES("\x95\x04\x04\x00"), ERR_FORMAT, body },
		{ BYTES(""), ERR_FORMAT, body },
#undef BYTES
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errmsg why = { .text = "" };
		struct bytes edit = bytes_of(cases[i].bytes, cases[i].size);
		enum err rc = say(w, splice(w, edit, value_str("x")), &why);

		assert_refused(w, rc, cases[i].rc, &why, cases[i].why);
	}
	write_on(w, "abcde");
}

static void more_runs_than_an_edit_may_have_are_refused_by_name(void **state)
{
	struct world *w = *state;
	struct buf edit = BUF_EMPTY;
	struct errmsg why = { .text = "" };
	enum err rc;

	wire_put_array(&edit, 1 + 2 * (TEXT_RUNS_MAX + 1));
	wire_put_uint(&edit, 4);
	for (uint32_t i = 0; i <= TEXT_RUNS_MAX; i++) {
		wire_put_uint(&edit, 1 << 2 | (i % 2 ? TEXT_DELETE : TEXT_INSERT));
		wire_put_int(&edit, i % 2 ? -1 : 0);
	}
	rc = say(w, splice(w, buf_bytes(&edit), value_str("x")), &why);
	assert_refused(w, rc, ERR_LIMIT, &why, "the edit of a text is not well formed");
	buf_release(&edit);
}

static void what_is_no_edit_of_a_text_is_refused_by_name(void **state)
{
	struct world *w = *state;
	struct bytes edit = bytes_of("\x93\x00\x04\x00", 4);
	struct op ops[] = {
		splice(w, edit, value_str("x")),              /* of a choice */
		splice(w, edit, value_str("x")),              /* in place of a text */
		splice(w, edit, (struct value){ VALUE_NIL }), /* nothing */
		splice(w, edit, value_int(1)),
	};
	const char *const why[] = { "block.kind: a verb that does not fit",
				    "block.text: a verb that does not fit",
				    "block.text: a value of the wrong type",
				    "block.text: a value of the wrong type" };

	ops[0].field = BLOCK_KIND;
	ops[1].verb = VERB_REPLACE;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct errmsg is = { .text = "" };
		enum err rc = say(w, ops[i], &is);

		assert_refused(w, rc, ERR_INVALID, &is, why[i]);
	}
}

/* One edit of a text a changeset: its dot names it. */
static void second_edit_in_one_changeset_is_refused_by_name(void **state)
{
	struct world *w = *state;
	struct bytes edit = bytes_of("\x93\x00\x04\x00", 4);
	const enum verb first[] = { VERB_SPLICE, VERB_SET };

	for (size_t i = 0; i < 2; i++) {
		struct op ops[] = { splice(w, edit, value_str("x")),
				    splice(w, edit, value_str("y")) };
		struct errmsg why = { .text = "" };
		struct receipt receipt;
		struct sealed s;
		enum err rc;

		ops[0].verb = first[i];
		s = forge_ops(&w->f, w->a.now_ms + 1000, NULL, 0, ops, 2);
		rc = replica_receive(w->a.replica, &w->space, &s, 1, w->a.now_ms + 2000, &receipt,
				     &why);
		assert_refused(w, rc, ERR_FORMAT, &why, "changeset: a malformed body");
	}
}

static void parent_of_nobody_is_refused_by_name(void **state)
{
	struct world *w = *state;
	struct text_run run = { 4, 1, TEXT_INSERT };
	struct text_edit e = { 4, &run, 1, bytes_of_str("x") };
	struct dot nobody = { .seq = 1 }, not_yet = w->written;
	struct errmsg why = { .text = "" };
	enum err rc;

	memset(nobody.replica.bytes, 0x42, ID_BYTES);
	rc = say_edit(w, &e, &nobody, &why);
	assert_refused(w, rc, ERR_CAUSAL, &why, "what it depends on is missing: 42424242/1");
	not_yet.seq += 100;
	rc = say_edit(w, &e, &not_yet, &why);
	assert_refused(w, rc, ERR_CAUSAL, &why, "what it depends on is missing");
}

/* ---- Adrift ------------------------------------------------------------------ */

/* Of which nobody can know before it is merged: what it inserts is kept, and deletes nothing. */
static void edit_of_a_text_that_never_was_deletes_nothing(void **state)
{
	struct world *w = *state;
	struct text_run runs[] = { { 0, 90, TEXT_DELETE }, { 10, 1, TEXT_INSERT } };
	struct text_edit e = { 100, runs, 2, bytes_of_str("!") };
	struct errmsg why = { .text = "" };

	assert_int_equal(say_edit(w, &e, &w->written, &why), OK);
	assert_reads(w, "abcd!");
	e = (struct text_edit){ 5, runs, 1, bytes_of_str("") };
	runs[0].count = 5;
	w->a.now_ms += 5000;
	assert_int_equal(say_edit(w, &e, &w->written, &why), OK); /* it was four long */
	assert_reads(w, "abcd!");
	write_on(w, "ab!cde");
}

/* Everything is there, once, on whatever side of it the dots put what came without a place. */
static void assert_has_both(struct world *w, const char *beside)
{
	struct buf sql = BUF_EMPTY;

	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
	buf_printf(&sql, "SELECT count(*) FROM block WHERE text = 'abcd%s' OR text = '%sabcd'",
		   beside, beside);
	buf_append_byte(&sql, 0);
	assert_int_equal(office_count(&w->b, (const char *)sql.data), 1);
	buf_release(&sql);
}

/* It is held and counts, and is no edit of this text. */
static void parent_that_is_no_edit_of_the_text_deletes_nothing(void **state)
{
	struct world *w = *state;
	struct text_run runs[] = { { 0, 4, TEXT_DELETE }, { 0, 1, TEXT_INSERT } };
	struct text_edit e = { 4, runs, 2, bytes_of_str("!") };
	struct value kind = value_int(1);
	struct errmsg why = { .text = "" };
	struct dot parent;

	office_set(&w->a, &w->space, KIND_BLOCK, &w->block, BLOCK_KIND, &kind);
	parent = newest_dot(w);
	w->a.now_ms += 1000;
	assert_int_equal(say_edit(w, &e, &parent, &why), OK);
	assert_has_both(w, "!");
	write_on(w, "ab!cde");
}

/* What it says of the text's length is right, as far as that is known. */
static void parent_beside_what_is_no_edit_of_the_text_deletes_nothing(void **state)
{
	struct world *w = *state;
	struct text_run runs[] = { { 0, 4, TEXT_DELETE }, { 0, 1, TEXT_INSERT } };
	struct text_edit e = { 4, runs, 2, bytes_of_str("!") };
	struct value kind = value_int(1);
	struct target parents[2] = { { w->written, 0 } };
	struct errmsg why = { .text = "" };

	office_set(&w->a, &w->space, KIND_BLOCK, &w->block, BLOCK_KIND, &kind);
	parents[1].dot = newest_dot(w);
	w->a.now_ms += 1000;
	assert_int_equal(say_edit_of(w, &e, parents, 2, &why), OK);
	assert_has_both(w, "!");
	write_on(w, "ab!cde");
}

/* As if the block were new: beside what is there, not in its place. */
static void second_beginning_of_a_text_stands_beside_the_first(void **state)
{
	struct world *w = *state;
	struct op op = splice(w, bytes_of(NULL, 0), value_str("mine"));
	struct errmsg why = { .text = "" };

	op.verb = VERB_SET;
	assert_int_equal(say(w, op, &why), OK);
	assert_has_both(w, "mine");
	write_on(w, "abcd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(edits_that_can_not_be_are_refused_by_name),
		TEST(u_0000_is_refused_by_name),
		TEST(edits_of_no_shape_are_refused_by_name),
		TEST(more_runs_than_an_edit_may_have_are_refused_by_name),
		TEST(what_is_no_edit_of_a_text_is_refused_by_name),
		TEST(second_edit_in_one_changeset_is_refused_by_name),
		TEST(parent_of_nobody_is_refused_by_name),
		TEST(edit_of_a_text_that_never_was_deletes_nothing),
		TEST(parent_that_is_no_edit_of_the_text_deletes_nothing),
		TEST(parent_beside_what_is_no_edit_of_the_text_deletes_nothing),
		TEST(second_beginning_of_a_text_stands_beside_the_first),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
