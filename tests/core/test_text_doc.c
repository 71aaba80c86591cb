/* Texts that editors have open: splices in at a version, splices out since a version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/limits.h"
#include "core/schema.h"
#include "core/text_doc.h"
#include "tests/support/editor.h"
#include "tests/support/office.h"
#include "tests/support/tempdir.h"

enum { OFFICES = 3 };

struct world {
	char folder[TEMPDIR_BYTES_MAX];
	struct office offices[OFFICES];
	struct text_doc *docs[OFFICES]; /* one in each */
	struct space_id space;
	struct record_id block;
};

static void open_doc(struct world *w, unsigned office)
{
	OFFICE_MUST(text_doc_open(&w->docs[office], w->offices[office].replica, KIND_BLOCK,
				  &w->block, BLOCK_TEXT, &msg));
}

static void sync_all(struct world *w)
{
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < OFFICES; i++)
			office_sync(&w->offices[i], &w->offices[(i + 1) % OFFICES]);
}

static bool refresh(struct world *w, unsigned office)
{
	bool changed = false;

	OFFICE_MUST(text_doc_refresh(w->docs[office], &changed, &msg));
	return changed;
}

static void begin(struct world *w, uint64_t seed, const char *text)
{
	struct value value = value_str(text);
	char path[TEMPDIR_BYTES_MAX + 16], name[16];

	tempdir_new(w->folder, sizeof(w->folder));
	for (unsigned i = 0; i < OFFICES; i++) {
		snprintf(name, sizeof(name), "%u.db", i);
		office_open(&w->offices[i], tempdir_path(path, sizeof(path), w->folder, name),
			    seed + i);
	}
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	w->block = office_create(&w->offices[0], &w->space, KIND_BLOCK, BLOCK_TEXT, &value);
	sync_all(w);
	for (unsigned i = 0; i < OFFICES; i++)
		open_doc(w, i);
}

static void end(struct world *w)
{
	for (unsigned i = 0; i < OFFICES; i++) {
		text_doc_close(w->docs[i]);
		office_close(&w->offices[i]);
	}
	tempdir_remove(w->folder);
}

/* Everything that is in memory is gone. */
static void restart(struct world *w, unsigned office)
{
	text_doc_close(w->docs[office]);
	office_reopen(&w->offices[office]);
	open_doc(w, office);
}

static void push(struct world *w, unsigned office, struct editor *e)
{
	OFFICE_MUST(editor_push(e, w->docs[office], w->offices[office].now_ms++, &msg));
}

/* The record's text, of the arena. */
static struct bytes stored_text(struct world *w, unsigned office, struct arena *arena)
{
	const struct entry *shown;
	struct record rec;

	OFFICE_MUST(replica_record(w->offices[office].replica, KIND_BLOCK, &w->block, arena, &rec,
				   NULL, &msg));
	shown = record_shown(&rec, BLOCK_TEXT);
	return shown ? shown->value.bytes : bytes_of("", 0);
}

static void assert_shows_all(struct world *w, unsigned office, const struct editor *e)
{
	struct arena arena = ARENA_EMPTY;
	struct bytes stored = stored_text(w, office, &arena);
	struct buf text = BUF_EMPTY;

	OFFICE_MUST(text_doc_read(w->docs[office], &text, &msg));
	assert_true(bytes_equal(buf_bytes(&text), stored));
	assert_true(editor_shows(e, stored));
	buf_release(&text);
	arena_release(&arena);
}

static void pull(struct world *w, unsigned office, struct editor *e)
{
	refresh(w, office);
	OFFICE_MUST(editor_pull(e, w->docs[office], &msg));
	assert_shows_all(w, office, e);
}

static void assert_text(struct world *w, unsigned office, const char *expected)
{
	struct arena arena = ARENA_EMPTY;
	struct bytes text = stored_text(w, office, &arena);

	assert_int_equal(text.size, strlen(expected));
	assert_memory_equal(text.data, expected, text.size);
	arena_release(&arena);
}

/* What it holds has no name that a changeset could use. */
static bool is_alone(const struct editor *e)
{
	return e->version.size && memchr(e->version.data, '~', e->version.size);
}

/* ---- The cycle ------------------------------------------------------------- */

static void editors_in_three_units_write_one_text(void **state)
{
	struct world w;
	struct editor bytes, points, utf16;

	(void)state;
	begin(&w, 1, "会议 😀.");
	editor_open(&bytes, w.docs[0], ROPE_BYTES);
	editor_open(&points, w.docs[1], ROPE_POINTS);
	editor_open(&utf16, w.docs[2], ROPE_UTF16);
	editor_type(&bytes, 11, 0, " yes"); /* after the emoji */
	editor_type(&points, 3, 1, "🎉");    /* in its place */
	editor_type(&utf16, 5, 1, " no.");  /* the full stop */
	editor_type(&utf16, 2, 0, "纪要");
	push(&w, 0, &bytes);
	push(&w, 1, &points);
	push(&w, 2, &utf16);
	sync_all(&w);
	pull(&w, 0, &bytes);
	pull(&w, 1, &points);
	pull(&w, 2, &utf16);
	assert_text(&w, 0, "会议纪要 🎉 yes no.");
	editor_close(&bytes);
	editor_close(&points);
	editor_close(&utf16);
	end(&w);
}

static void two_editors_in_one_office_may_be_behind_each_other(void **state)
{
	struct world w;
	struct editor a, b;
	struct errmsg why;

	(void)state;
	begin(&w, 2, "one three");
	editor_open(&a, w.docs[0], ROPE_UTF16);
	editor_open(&b, w.docs[0], ROPE_BYTES);
	editor_type(&a, 4, 0, "two ");
	push(&w, 0, &a);
	editor_type(&b, 9, 0, " four");
	push(&w, 0, &b);
	assert_text(&w, 0, "one two three four");
	assert_true(is_alone(&b));
	editor_type(&b, 0, 0, "zero ");
	assert_int_equal(editor_push(&b, w.docs[0], w.offices[0].now_ms, &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "first read what has changed"));
	editor_type(&b, 0, 5, "");
	b.change_count = 0;

	pull(&w, 0, &b);
	editor_type(&b, 0, 0, "zero ");
	push(&w, 0, &b);
	editor_type(&b, 0, 1, "Z"); /* and on, without looking */
	push(&w, 0, &b);
	pull(&w, 0, &a);
	assert_text(&w, 0, "Zero one two three four");
	editor_close(&a);
	editor_close(&b);
	end(&w);
}

static void nothing_typed_is_no_changeset(void **state)
{
	struct world w;
	struct editor e;
	uint64_t before;

	(void)state;
	begin(&w, 3, "text");
	editor_open(&e, w.docs[0], ROPE_POINTS);
	before = vv_get(replica_vv(w.offices[0].replica, &w.space),
			replica_id(w.offices[0].replica));
	push(&w, 0, &e);
	editor_type(&e, 2, 0, "");
	push(&w, 0, &e);
	assert_int_equal(vv_get(replica_vv(w.offices[0].replica, &w.space),
				replica_id(w.offices[0].replica)),
			 before);
	assert_false(refresh(&w, 0));
	pull(&w, 0, &e);
	assert_int_equal(e.told, 0);
	editor_close(&e);
	end(&w);
}

static void what_came_and_went_is_not_told(void **state)
{
	static const char *const keys[] = { "t", "h", "r", "e", "e", " " };
	struct world w;
	struct editor typist, reader, watcher;

	(void)state;
	begin(&w, 4, "We buy ships.");
	editor_open(&typist, w.docs[0], ROPE_BYTES);
	editor_open(&reader, w.docs[0], ROPE_UTF16);
	editor_open(&watcher, w.docs[0], ROPE_POINTS);
	for (uint32_t i = 0; i < 6; i++) {
		editor_type(&typist, 7 + i, 0, keys[i]);
		push(&w, 0, &typist);
	}
	pull(&w, 0, &watcher);
	assert_int_equal(watcher.told, 1);
	editor_type(&typist, 7, 6, "");
	push(&w, 0, &typist);
	pull(&w, 0, &reader);
	assert_int_equal(reader.told, 0);
	editor_type(&typist, 7, 0, "two ");
	push(&w, 0, &typist);
	editor_type(&typist, 9, 1, "elve");
	push(&w, 0, &typist);
	pull(&w, 0, &reader);
	assert_int_equal(reader.told, 1);
	assert_text(&w, 0, "We buy twelve ships.");
	for (unsigned i = 0; i < 3; i++) { /* "W", " ", and what was between them */
		editor_type(&typist, i == 1, 1, "");
		push(&w, 0, &typist);
	}
	pull(&w, 0, &reader);
	assert_int_equal(reader.told, 1);
	assert_text(&w, 0, "buy twelve ships.");
	editor_close(&typist);
	editor_close(&reader);
	editor_close(&watcher);
	end(&w);
}

/* A command on the same machine, while a page is open. */
static void another_process_may_write_beside_it(void **state)
{
	struct value value = value_str("one two, three");
	struct office beside;
	struct world w;
	struct editor e;
	bool changed;

	(void)state;
	begin(&w, 12, "one two three");
	editor_open(&e, w.docs[0], ROPE_UTF16);
	office_open_again(&beside, &w.offices[0]);
	office_set(&beside, &w.space, KIND_BLOCK, &w.block, BLOCK_TEXT, &value);
	w.offices[0].now_ms = beside.now_ms;
	editor_type(&e, 0, 3, "1");
	push(&w, 0, &e);
	assert_true(is_alone(&e));
	OFFICE_MUST(replica_refresh(w.offices[0].replica, &changed, &msg));
	pull(&w, 0, &e);
	assert_text(&w, 0, "1 two, three");
	assert_false(is_alone(&e));
	office_close(&beside);
	editor_close(&e);
	end(&w);
}

/* A version outlives the document, the process, and is known in every office. */
static void version_is_good_wherever_its_edits_are(void **state)
{
	struct world w;
	struct editor e;
	struct errmsg why;

	(void)state;
	begin(&w, 5, "one");
	editor_open(&e, w.docs[0], ROPE_POINTS);
	editor_type(&e, 3, 0, " two");
	push(&w, 0, &e);
	assert_int_equal(editor_pull(&e, w.docs[1], &why), ERR_NOT_FOUND);
	sync_all(&w);
	for (unsigned i = 0; i < 3; i++) {
		struct value value = value_str(i % 2 ? "zero one two" : "one two three");

		office_set(&w.offices[2], &w.space, KIND_BLOCK, &w.block, BLOCK_TEXT, &value);
	}
	sync_all(&w);
	restart(&w, 1);
	editor_type(&e, 0, 3, "1");
	push(&w, 1, &e);
	pull(&w, 1, &e);
	assert_text(&w, 1, "1 two three");
	sync_all(&w);
	refresh(&w, 0);
	assert_text(&w, 0, "1 two three");
	pull(&w, 0, &e);
	assert_int_equal(e.told, 0);
	editor_close(&e);
	end(&w);
}

static void text_that_nobody_has_written_begins_empty(void **state)
{
	struct world w;
	struct editor a, b;
	struct value kind = { .type = VALUE_INT, .number = 0 };

	(void)state;
	begin(&w, 6, "elsewhere");
	w.block = office_create(&w.offices[0], &w.space, KIND_BLOCK, BLOCK_KIND, &kind);
	sync_all(&w);
	restart(&w, 0);
	restart(&w, 1);
	editor_open(&a, w.docs[0], ROPE_UTF16);
	editor_open(&b, w.docs[1], ROPE_BYTES);
	assert_int_equal(a.version.size, 0);
	editor_type(&a, 0, 0, "会");
	editor_type(&a, 1, 0, "议");
	push(&w, 0, &a);
	assert_false(is_alone(&a));
	pull(&w, 0, &a);
	editor_type(&b, 0, 0, "x. ");
	push(&w, 1, &b);
	sync_all(&w);
	pull(&w, 0, &a);
	pull(&w, 1, &b);
	assert_int_equal(a.count + 4, b.count);
	assert_true(bytes_equal(buf_bytes(&a.version), buf_bytes(&b.version)));
	editor_close(&a);
	editor_close(&b);
	end(&w);
}

/* ---- Refused --------------------------------------------------------------- */

static void what_does_not_fit_is_refused_by_name(void **state)
{
	/* a é 会 😀: bytes 0 1 3 6 10, points 0 1 2 3 4, UTF-16 0 1 2 3 5 */
	static const struct {
		enum rope_unit unit;
		uint32_t pos, removed;
		const char *inserted, *words;
	} cases[] = {
		{ ROPE_BYTES, 2, 0, "x", "position 2 is in the middle of a character" },
		{ ROPE_BYTES, 1, 1, "x", "position 2 is in the middle of a character" },
		{ ROPE_BYTES, 9, 0, "", "position 9 is in the middle of a character" },
		{ ROPE_BYTES, 11, 0, "x", "position 11 is past the end of the text, 10" },
		{ ROPE_BYTES, 6, 5, "", "position 11 is past the end of the text, 10" },
		{ ROPE_POINTS, 5, 0, "x", "position 5 is past the end of the text, 4" },
		{ ROPE_POINTS, 1, UINT32_MAX, "x", "past the end of the text, 4" },
		{ ROPE_UTF16, 4, 0, "x", "position 4 is in the middle of a character" },
		{ ROPE_UTF16, 3, 1, "x", "position 4 is in the middle of a character" },
		{ ROPE_UTF16, 6, 0, "x", "position 6 is past the end of the text, 5" },
		{ ROPE_POINTS, 0, 0, "\xed\xa0\x80", "is not UTF-8" }, /* a surrogate */
		{ ROPE_POINTS, 0, 0, "abc\xe4\xbc", "is not UTF-8" },
	};
	struct world w;
	struct buf version = BUF_EMPTY, after = BUF_EMPTY;
	struct errmsg why;

	(void)state;
	begin(&w, 7, "aé会😀");
	OFFICE_MUST(text_doc_version(w.docs[0], &version, &msg));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_splice list[] = { { 0, 0, bytes_of_str("") },
					      { cases[i].pos, cases[i].removed,
						bytes_of_str(cases[i].inserted) } };

		assert_int_equal(text_doc_splice(w.docs[0], buf_bytes(&version), cases[i].unit,
						 list, 2, NULL, w.offices[0].now_ms, &after, &why),
				 ERR_INVALID);
		assert_non_null(strstr(why.text, "change 1"));
		assert_non_null(strstr(why.text, cases[i].words));
	}
	assert_int_equal(after.size, 0);
	assert_false(refresh(&w, 0));
	assert_text(&w, 0, "aé会😀");
	buf_release(&version);
	buf_release(&after);
	end(&w);
}

static enum err try_splice(struct world *w, const char *version, struct bytes text,
			   struct errmsg *msg)
{
	struct text_splice splice = { 0, 0, text };
	struct buf after = BUF_EMPTY;
	enum err rc = text_doc_splice(w->docs[0], bytes_of_str(version), ROPE_BYTES, &splice, 1,
				      NULL, w->offices[0].now_ms++, &after, msg);

	buf_release(&after);
	return rc;
}

static void limits_and_bad_names_are_refused(void **state)
{
	static const char *const names[] = {
		"/1",  "x",    "00/",       "12345678901234567890123456789012/1",
		",,,", "/~",   "~",         "0/99999999999999999999999",
		"1/1", "zz/1", "00/1,,00/1"
	};
	static char huge[TEXT_BYTES_MAX + 1];
	struct world w;
	struct buf version = BUF_EMPTY;
	struct errmsg why;
	struct record_id none = { { 1 } };
	struct text_doc *doc;

	(void)state;
	begin(&w, 8, "");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(try_splice(&w, names[i], bytes_of_str("x"), &why), ERR_NOT_FOUND);
	memset(huge, 'x', sizeof(huge));
	assert_int_equal(try_splice(&w, "", bytes_of(huge, sizeof(huge)), &why), ERR_LIMIT);
	assert_int_equal(try_splice(&w, "", bytes_of("a\0b", 3), &why), ERR_INVALID);
	assert_non_null(strstr(why.text, "U+0000"));
	OFFICE_MUST(try_splice(&w, "", bytes_of(huge, TEXT_BYTES_MAX), &msg));
	OFFICE_MUST(text_doc_version(w.docs[0], &version, &msg));
	buf_append_byte(&version, 0);
	assert_int_equal(try_splice(&w, (const char *)version.data, bytes_of_str("x"), &why),
			 ERR_LIMIT);
	buf_release(&version);
	assert_int_equal(
		text_doc_open(&doc, w.offices[0].replica, KIND_BLOCK, &none, BLOCK_TEXT, &why),
		ERR_NOT_FOUND);
	assert_int_equal(
		text_doc_open(&doc, w.offices[0].replica, KIND_BLOCK, &w.block, BLOCK_KIND, &why),
		ERR_INVALID);
	end(&w);
}

/* ---- What it costs --------------------------------------------------------- */

static void run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* What it has read it does not read again: it may be gone. */
static void open_document_reads_only_what_is_new(void **state)
{
	struct world w;
	struct editor here, there;

	(void)state;
	begin(&w, 9, "one");
	editor_open(&there, w.docs[1], ROPE_BYTES);
	for (uint32_t i = 0; i < 5; i++) {
		editor_type(&there, 3 + i, 0, "+");
		push(&w, 1, &there);
	}
	sync_all(&w);
	refresh(&w, 0);
	editor_open(&here, w.docs[0], ROPE_UTF16);
	run_sql(w.offices[0].path, "DELETE FROM text_edit WHERE at < 4");
	editor_type(&there, 0, 0, "zero ");
	push(&w, 1, &there);
	sync_all(&w);
	pull(&w, 0, &here);
	assert_int_equal(here.told, 1);
	editor_type(&here, 0, 5, "");
	push(&w, 0, &here);
	assert_text(&w, 0, "one+++++");
	editor_close(&here);
	editor_close(&there);
	end(&w);
}

/* How far back changes can be taken back is bounded; older versions are found all the same. */
static void much_may_happen_between_two_looks(void **state)
{
	enum { CHANGES = 3000 };
	static const char *const texts[] = { "é", "x", "会", "😀" };
	static struct text_splice list[CHANGES];
	struct world w;
	struct editor first, second, third;
	struct buf after = BUF_EMPTY;

	(void)state;
	begin(&w, 10, "会议😀");
	editor_open(&first, w.docs[0], ROPE_UTF16);
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < CHANGES; i++)
			list[i] = (struct text_splice){ 1, i % 2, bytes_of_str(texts[round]) };
		for (uint32_t i = 1; i + 1 < CHANGES; i += 2)
			list[i].inserted = bytes_of_str("");
		buf_clear(&after);
		OFFICE_MUST(text_doc_version(w.docs[0], &after, &msg));
		OFFICE_MUST(text_doc_splice(w.docs[0], buf_bytes(&after), ROPE_POINTS, list,
					    CHANGES, NULL, w.offices[0].now_ms++, &after, &msg));
		if (round < 2)
			editor_open(round ? &third : &second, w.docs[0], ROPE_BYTES);
	}
	pull(&w, 0, &second);
	pull(&w, 0, &third);
	editor_type(&first, 4, 0, "!");
	push(&w, 0, &first);
	pull(&w, 0, &first);
	pull(&w, 0, &second);
	buf_release(&after);
	editor_close(&first);
	editor_close(&second);
	editor_close(&third);
	end(&w);
}

/* ---- What counts no more --------------------------------------------------- */

static void revoke(struct office *by, const struct office *whom, const struct cut *cuts,
		   size_t count)
{
	struct statement s = { .type = STATEMENT_REVOKE };

	s.u.revoke.node = trust_epoch(replica_trust(by->replica), replica_id(whom->replica))->node;
	s.u.revoke.cuts = cuts;
	s.u.revoke.cut_count = count;
	OFFICE_MUST(replica_state(by->replica, &s, NULL, 0, by->now_ms++, &msg));
}

static void text_without_what_counts_no_more_is_shown(void **state)
{
	struct world w;
	struct arena arena = ARENA_EMPTY;
	struct editor here, there;
	struct errmsg why;
	struct record_id node;
	struct cut *cuts;
	size_t count;

	(void)state;
	begin(&w, 11, "one");
	node = trust_epoch(replica_trust(w.offices[0].replica), replica_id(w.offices[2].replica))
		       ->node;
	OFFICE_MUST(
		replica_cuts_of(w.offices[0].replica, &node, NULL, &arena, &cuts, &count, &msg));
	editor_open(&here, w.docs[0], ROPE_POINTS);
	editor_open(&there, w.docs[2], ROPE_POINTS);
	editor_type(&there, 3, 0, " two");
	push(&w, 2, &there);
	editor_type(&here, 0, 0, "zero ");
	push(&w, 0, &here);
	sync_all(&w);
	pull(&w, 0, &here);
	editor_type(&here, 12, 0, "!"); /* the newest edit will be the same */
	push(&w, 0, &here);
	assert_text(&w, 0, "zero one two!");
	revoke(&w.offices[0], &w.offices[2], cuts, count);
	assert_true(refresh(&w, 0));
	assert_text(&w, 0, "zero one!");
	assert_int_equal(editor_pull(&here, w.docs[0], &why), ERR_NOT_FOUND);
	editor_close(&here);
	editor_open(&here, w.docs[0], ROPE_POINTS);
	assert_shows_all(&w, 0, &here);
	editor_type(&here, 8, 1, ".");
	push(&w, 0, &here);
	assert_text(&w, 0, "zero one.");
	editor_close(&here);
	editor_close(&there);
	arena_release(&arena);
	end(&w);
}

/* ---- At random ------------------------------------------------------------- */

enum { EDITORS = 6 };

struct desk {
	struct editor editor;
	unsigned office;
	unsigned looks; /* in so many of 100 rounds it asks what is new */
};

static void exchange(struct world *w, struct prng *prng)
{
	office_pull(&w->offices[prng_below(prng, OFFICES)], &w->offices[prng_below(prng, OFFICES)]);
}

static void work(struct world *w, struct desk *d, struct prng *prng)
{
	if (is_alone(&d->editor) || prng_chance(prng, d->looks))
		pull(w, d->office, &d->editor);
	for (uint64_t i = prng_below(prng, 4); i > 0; i--)
		editor_type_at_random(&d->editor, prng);
	if (prng_chance(prng, 30))
		exchange(w, prng);
	if (prng_chance(prng, 10))
		restart(w, d->office);
	else if (prng_chance(prng, 30))
		refresh(w, d->office);
	push(w, d->office, &d->editor);
	if (prng_chance(prng, d->looks))
		pull(w, d->office, &d->editor);
}

/* Whoever has seen all stands in place of all. */
static void say_the_last_word(struct world *w, struct desk *d)
{
	struct arena arena = ARENA_EMPTY;
	struct record rec;
	size_t count;

	pull(w, d->office, &d->editor);
	editor_type(&d->editor, 0, 0, "The end: ");
	push(w, d->office, &d->editor);
	sync_all(w);
	OFFICE_MUST(replica_record(w->offices[d->office].replica, KIND_BLOCK, &w->block, &arena,
				   &rec, NULL, &msg));
	record_values(&rec, BLOCK_TEXT, &count);
	assert_int_equal(count, 1);
	arena_release(&arena);
}

static void editors_show_what_the_replicas_hold(void **state)
{
	static struct desk desks[EDITORS];
	uint64_t seed = prng_seed_from_environment();

	(void)state;
	for (uint64_t story = 0; story < 3; story++) {
		struct prng prng;
		struct world w;

		prng_init(&prng, seed + story);
		begin(&w, seed + story, "会议: 😀\r\n");
		for (unsigned i = 0; i < EDITORS; i++) {
			desks[i].office = (unsigned)prng_below(&prng, OFFICES);
			desks[i].looks = i < 3 ? 70 : 5;
			editor_open(&desks[i].editor, w.docs[desks[i].office],
				    (enum rope_unit)(i % 3));
		}
		for (int i = 0; i < 80; i++) {
			work(&w, &desks[prng_below(&prng, EDITORS)], &prng);
			if (prng_chance(&prng, 40))
				exchange(&w, &prng);
		}
		sync_all(&w);
		say_the_last_word(&w, &desks[0]);
		for (unsigned i = 0; i < EDITORS; i++) {
			pull(&w, desks[i].office, &desks[i].editor);
			assert_true(office_agrees(&w.offices[0], &w.offices[desks[i].office]));
			editor_close(&desks[i].editor);
		}
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(editors_in_three_units_write_one_text),
		cmocka_unit_test(two_editors_in_one_office_may_be_behind_each_other),
		cmocka_unit_test(nothing_typed_is_no_changeset),
		cmocka_unit_test(what_came_and_went_is_not_told),
		cmocka_unit_test(another_process_may_write_beside_it),
		cmocka_unit_test(version_is_good_wherever_its_edits_are),
		cmocka_unit_test(text_that_nobody_has_written_begins_empty),
		cmocka_unit_test(what_does_not_fit_is_refused_by_name),
		cmocka_unit_test(limits_and_bad_names_are_refused),
		cmocka_unit_test(open_document_reads_only_what_is_new),
		cmocka_unit_test(much_may_happen_between_two_looks),
		cmocka_unit_test(text_without_what_counts_no_more_is_shown),
		cmocka_unit_test(editors_show_what_the_replicas_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
