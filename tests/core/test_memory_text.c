/* core without memory: a text that an editor has open, what is to be reread, a history's pack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/text_pack.h"
#include "core/text_reread.h"
#include "tests/core/memory.h"
#include "tests/support/editor.h"

/* ---- A text that an editor has open ---------------------------------------------- */

/* In the other office, without what is new here; it comes over. */
static void write_elsewhere(struct world *w)
{
	struct arena arena = ARENA_EMPTY;
	struct record rec;
	struct value text;

	OFFICE_MUST(replica_record(w->b.replica, KIND_BLOCK, &w->block, &arena, &rec, NULL, &msg));
	text = record_shown(&rec, BLOCK_TEXT)->value;
	text.bytes.size -= text.bytes.size > 100; /* each time a character less */
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &text);
	office_sync(&w->a, &w->b);
	arena_release(&arena);
}

struct open_text {
	struct world *w;
	struct text_doc *doc;
	struct editor editor;
};

/* Another office writes, the editor hands in what was typed, and looks. */
static enum err edit_open_text(void *ctx)
{
	struct open_text *o = ctx;
	bool changed;
	enum err rc = text_doc_refresh(o->doc, &changed, NULL);

	if (rc == OK)
		rc = editor_push(&o->editor, o->doc, o->w->a.now_ms++, NULL);
	return rc == OK ? editor_pull(&o->editor, o->doc, NULL) : rc;
}

static void check_open_text(void *ctx, enum err rc)
{
	enum { ROOM = EDITOR_CELLS_MAX / 2 };
	struct open_text *o = ctx;
	struct buf text = BUF_EMPTY;
	bool changed;

	OFFICE_MUST(replica_refresh(o->w->a.replica, &changed, &msg));
	OFFICE_MUST(edit_open_text(o)); /* what was handed in is not again */
	OFFICE_MUST(text_doc_read(o->doc, &text, &msg));
	assert_true(editor_shows(&o->editor, buf_bytes(&text)));
	buf_release(&text);
	write_elsewhere(o->w);
	editor_type(&o->editor, 2, 0, "é");
	editor_type(&o->editor, 0, o->editor.count > ROOM ? ROOM / 2 : 1, "");
}

static void an_open_text_is_whole(void **state)
{
	struct open_text o = { .w = *state };
	const struct shortage_trial trial = { edit_open_text, check_open_text, &o, 0 };

	OFFICE_MUST(
		text_doc_open(&o.doc, o.w->a.replica, KIND_BLOCK, &o.w->block, BLOCK_TEXT, &msg));
	editor_open(&o.editor, o.doc, ROPE_UTF16);
	check_open_text(&o, OK);
	assert_true(shortage_try(&trial) > 50);
	editor_close(&o.editor);
	text_doc_close(o.doc);
	expect_agreement(o.w);
}

/* ---- A sentence into which two have written ---------------------------------------- */

static bool count_note(void *ctx, const struct reread_note *note)
{
	unsigned *count = ctx;

	*count += note->touch_count == 2;
	return true;
}

static enum err find_notes(void *ctx)
{
	struct world *w = ctx;
	unsigned count = 0;
	struct text t;
	enum err rc = replica_text_tail(w->a.replica, KIND_BLOCK, &w->block, BLOCK_TEXT, &t, NULL);

	if (rc != OK)
		return rc;
	rc = text_reread(&t, count_note, &count);
	text_release(&t);
	assert_true(rc != OK || count == 1);
	return rc;
}

static void sentences_to_reread_are_all_found_or_none(void **state)
{
	struct world *w = *state;
	struct value left = long_text(), right = long_text();

	left.bytes.size--;
	right.bytes.data++;
	right.bytes.size--;
	office_set(&w->a, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &left);
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &right);
	office_sync(&w->a, &w->b);
	assert_true(try_reading(w, find_notes) > 20);
}

/* ---- Packs of a text's history ------------------------------------------------ */

static enum err pack_once(void *ctx)
{
	struct text_run run = { 0, 1000, TEXT_INSERT };
	uint8_t text[1000];
	struct text_event e = { .dot = { .seq = 1 },
				.edit = { 0, &run, 1, bytes_of(text, sizeof(text)) } };
	const struct text_event *back;
	struct arena arena = ARENA_EMPTY;
	struct buf packed = BUF_EMPTY;
	size_t count;
	enum err rc;

	(void)ctx;
	memset(text, 'x', sizeof(text));
	rc = text_pack_encode(&packed, 0, &e, 1);
	if (rc)
		assert_int_equal(packed.size, 0);
	if (rc == OK)
		rc = text_pack_decode(buf_bytes(&packed), 0, &arena, &back, &count, NULL);
	if (rc == OK)
		assert_true(count == 1 && bytes_equal(back->edit.text, e.edit.text));
	buf_release(&packed);
	arena_release(&arena);
	return rc;
}

static void packing_leaves_nothing(void **state)
{
	const struct shortage_trial trial = { pack_once, check_blocks, *state, 500 };

	assert_true(shortage_try(&trial) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(an_open_text_is_whole),
		TEST(sentences_to_reread_are_all_found_or_none),
		TEST(packing_leaves_nothing),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
