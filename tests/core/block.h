/* Three offices that share one block of minutes, and write its text. Include it after cmocka.h. */
#ifndef HT_TESTS_CORE_BLOCK_H
#define HT_TESTS_CORE_BLOCK_H

#include <stdlib.h>

#include "core/limits.h"
#include "core/schema.h"
#include "core/text_reread.h"
#include "core/utf8.h"
#include "tests/support/office.h"

enum { OFFICES = 3 };

struct world {
	struct office offices[OFFICES];
	struct space_id space;
	struct record_id block;
};

static inline struct record_id new_block(struct world *w, const char *text)
{
	struct value value = value_str(text);

	return office_create(&w->offices[0], &w->space, KIND_BLOCK, BLOCK_TEXT, &value);
}

static inline void sync_all(struct world *w)
{
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < OFFICES; i++)
			office_sync(&w->offices[i], &w->offices[(i + 1) % OFFICES]);
}

static inline void begin(struct world *w, uint64_t seed, const char *text)
{
	for (unsigned i = 0; i < OFFICES; i++)
		office_open(&w->offices[i], NULL, seed + i);
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	w->block = new_block(w, text);
	sync_all(w);
}

static inline void end(struct world *w)
{
	for (unsigned i = 0; i < OFFICES; i++)
		office_close(&w->offices[i]);
}

/* A text as somebody read it; of the arena. */
static inline struct text_version read_block(struct world *w, unsigned office, struct arena *arena)
{
	struct text_version out;
	const struct entry *heads;
	struct record rec;
	struct dot *dots;

	OFFICE_MUST(replica_record(w->offices[office].replica, KIND_BLOCK, &w->block, arena, &rec,
				   NULL, &msg));
	heads = record_values(&rec, BLOCK_TEXT, &out.head_count);
	dots = arena_array(arena, out.head_count, sizeof(*dots));
	assert_non_null(dots);
	for (size_t i = 0; i < out.head_count; i++)
		dots[i] = heads[i].stamp.dot;
	out.heads = dots;
	out.text = heads[0].value.bytes;
	return out;
}

static inline void assert_block(struct world *w, unsigned office, const char *expected)
{
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, office, &arena);

	assert_int_equal(now.text.size, strlen(expected));
	assert_memory_equal(now.text.data, expected, now.text.size);
	arena_release(&arena);
}

static inline void write_block(struct world *w, unsigned office, const char *text)
{
	struct value value = value_str(text);

	office_set(&w->offices[office], &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &value);
}

static inline void assert_all(struct world *w, const char *expected)
{
	sync_all(w);
	for (unsigned i = 0; i < OFFICES; i++) {
		assert_block(w, i, expected);
		assert_true(office_agrees(&w->offices[0], &w->offices[i]));
	}
}

/* ---- Sentences to be reread ------------------------------------------------ */

static inline bool put_note(void *ctx, const struct reread_note *note)
{
	struct buf *out = ctx;

	buf_printf(out, "%u ", note->from);
	return true;
}

/* Where they begin, as the office tells them; and whether it has the record in its inbox. */
static inline void notes_of(struct world *w, unsigned office, struct buf *out)
{
	struct replica *r = w->offices[office].replica;
	struct text t;

	buf_clear(out);
	OFFICE_MUST(replica_text_tail(r, KIND_BLOCK, &w->block, BLOCK_TEXT, &t, &msg));
	assert_int_equal(text_reread(&t, put_note, out), OK);
	assert_int_equal(office_count(&w->offices[office], "SELECT count(*) FROM conflict"),
			 out->size > 0);
	buf_append_byte(out, 0);
	text_release(&t);
}

static inline void assert_notes(struct world *w, const char *expected)
{
	struct buf notes = BUF_EMPTY;

	for (unsigned i = 0; i < OFFICES; i++) {
		notes_of(w, i, &notes);
		assert_string_equal((const char *)notes.data, expected);
	}
	buf_release(&notes);
}

/* ---- Large texts ----------------------------------------------------------- */

/* So many letters, at most 3,000. */
static inline const char *words_of(size_t count)
{
	static const char line[] = "words that somebody has written without any end of them, and ";
	static char words[3001];

	for (size_t i = 0; i < 3000; i++)
		words[i] = line[i % (sizeof(line) - 1)];
	return words + 3000 - count;
}

/* A kilobyte of them a line. */
static inline void put_lines(struct buf *out, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		for (unsigned k = 0; k < 16; k++)
			buf_printf(out, "Line %04u 会议 of the minutes that all wrote at once. %s",
				   i, k == 15 ? "\n" : "");
}

static inline void begin_large(struct world *w, uint64_t seed, const char *path)
{
	struct buf text = BUF_EMPTY;

	for (unsigned i = 0; i < OFFICES; i++)
		office_open(&w->offices[i], i ? NULL : path, seed + i);
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	put_lines(&text, 30);
	buf_append_byte(&text, 0);
	w->block = new_block(w, (const char *)text.data);
	sync_all(w);
	buf_release(&text);
}

/* At code point `pos` of the text as it is; `text` of ASCII. */
static inline void splice_block(struct world *w, struct office *o, uint32_t pos, const char *text,
				uint32_t deleted)
{
	struct text_run runs[2];
	struct text_edit splice = { .runs = runs, .text = bytes_of_str(text) };
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, (unsigned)(o - w->offices), &arena);
	struct edit *e;

	if (deleted)
		runs[splice.run_count++] = (struct text_run){ pos, deleted, TEXT_DELETE };
	if (splice.text.size)
		runs[splice.run_count++] =
			(struct text_run){ pos, (uint32_t)splice.text.size, TEXT_INSERT };
	splice.length = (uint32_t)utf8_count(now.text);
	e = office_edit(o, &w->space);
	OFFICE_MUST(edit_splice(e, KIND_BLOCK, &w->block, BLOCK_TEXT, now.heads, now.head_count,
				&splice, &msg));
	office_seal(o, e);
	arena_release(&arena);
}

/* What the history says that all edits together come to. */
static inline void assert_history_agrees(struct world *w, unsigned office)
{
	struct arena arena = ARENA_EMPTY;
	struct text_version now = read_block(w, office, &arena);
	struct buf expected = BUF_EMPTY;
	struct text t;

	OFFICE_MUST(replica_text(w->offices[office].replica, KIND_BLOCK, &w->block, BLOCK_TEXT, &t,
				 &msg));
	assert_int_equal(text_at(&t, t.history.heads, t.history.head_count, &expected), OK);
	assert_true(bytes_equal(buf_bytes(&expected), now.text));
	buf_release(&expected);
	text_release(&t);
	arena_release(&arena);
}

static inline void assert_all_agree(struct world *w)
{
	sync_all(w);
	for (unsigned i = 0; i < OFFICES; i++) {
		assert_history_agrees(w, i);
		assert_true(office_agrees(&w->offices[0], &w->offices[i]));
	}
}

#endif
