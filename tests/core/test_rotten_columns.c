/* What lies in the database, column by column: one value of one row becomes another one. Whatever
 * it is, nothing crashes, and no other office ends in a wrong state; what verify does not find is
 * harmless. Tables and columns are read from the database, so new ones have their turn.
 *
 * HUITONG_ROT=1000 for a thousand random ones; case n of seed s alone: HUITONG_ROT=1
 * HUITONG_SEED=s+n. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/scrub.h"
#include "core/text_doc.h"
#include "core/text_reread.h"
#include "tests/support/meeting.h"
#include "tests/support/rot.h"

enum {
	ROT_COUNT = 24,
	FIRST_SEED = 1,
	RECORDS_MAX = 64,
	TRIES_MAX = 1000,
	TEXT_EDITS = 530, /* two packs' worth and more: core/store_text_pack.c */
	LONG_TEXT = 9000, /* bytes: lies in pieces */
	WORK_COUNT = 8,
	HISTORY_MAX = 50,
	WORD_BYTES = 64,
};

struct subject {
	uint16_t kind;
	struct record_id id;
};

struct world {
	struct rot rot;
	bool has_packs; /* a text with a long history; it takes its time */
	struct subject records[RECORDS_MAX];
	size_t record_count;
	struct record_id block, person;
	char case_words[512]; /* what has been done to the copy */
};

/* ---- A database with something in every table --------------------------------- */

static struct value value_of(const struct world *w, const struct field *f, unsigned n,
			     char word[WORD_BYTES])
{
	switch (f->format) {
	case FORMAT_INT: return value_int(f->min + n % 2);
	case FORMAT_CLOCK: return value_int(600 + n);
	case FORMAT_CHOICE: return value_int(n % names_count(f->choices));
	case FORMAT_REF: return value_ref(f->ref == KIND_PERSON ? &w->person : &w->block);
	case FORMAT_WALLTIME:
		snprintf(word, WORD_BYTES, "2026-04-%02u[Asia/Shanghai]", 1 + n % 28);
		return value_str(word);
	case FORMAT_ZONE: return value_str(n % 2 ? "Asia/Shanghai" : "Europe/Berlin");
	case FORMAT_POSITION:
	case FORMAT_BYTES:
		snprintf(word, WORD_BYTES, "a%ub", n);
		return value_bytes(bytes_of(word, strlen(word)));
	default: snprintf(word, WORD_BYTES, "what %u of us wrote", n); return value_str(word);
	}
}

static const struct space_id *space_of(const struct world *w, const struct kind *kind,
				       struct space_id *directory)
{
	*directory = replica_directory(w->rot.a.replica);
	return kind->directory ? directory : &w->rot.space;
}

/* Not all that is right for a field is right for this record: what is refused stays out. */
static bool write_field(struct world *w, struct office *o, const struct subject *s,
			const struct field *f, unsigned n)
{
	const struct kind *kind = schema_kind(s->kind);
	char word[WORD_BYTES];
	struct value value = value_of(w, f, n, word);
	struct space_id directory;
	struct errmsg why = { .text = "" };
	struct edit *e;
	enum err rc = replica_begin(o->replica, &why);

	if (rc == OK)
		rc = edit_open(&e, o->replica, space_of(w, kind, &directory), &w->person,
			       o->now_ms++, &why);
	if (rc == OK) {
		if (f->format == FORMAT_STATE)
			rc = edit_step(e, s->kind, &s->id, f->number, n % 3, &why);
		else if (merge_is_register(f->merge))
			rc = edit_set(e, s->kind, &s->id, f->number, &value, &why);
		else
			rc = edit_add(e, s->kind, &s->id, f->number, &value, &why);
		if (rc == OK)
			rc = edit_seal(e, &why);
		else
			edit_drop(e);
	}
	if (rc == OK)
		rc = replica_commit(o->replica, &why);
	assert_true(rc == OK || why.text[0] != '\0');
	if (rc != OK)
		replica_rollback(o->replica);
	return rc == OK;
}

static void add_record(struct world *w, struct office *o, const struct kind *kind, unsigned n)
{
	struct subject *s = &w->records[w->record_count];

	assert_true(w->record_count < RECORDS_MAX);
	s->kind = kind->number;
	prng_fill(&w->rot.prng, s->id.bytes, ID_BYTES);
	for (size_t i = 0; i < kind->field_count; i++)
		write_field(w, o, s, &kind->fields[i], n + (unsigned)i);
	w->record_count++;
}

static void add_records(struct world *w)
{
	struct office *a = &w->rot.a, *b = &w->rot.b;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	for (size_t i = 0; i < count; i++)
		for (unsigned n = 0; n < 2; n++)
			add_record(w, n ? a : b, &kinds[i], n);
	office_sync(a, b);
	/* Side by side: values beside each other, in the inbox. */
	for (size_t i = 0; i < w->record_count; i++) {
		const struct kind *kind = schema_kind(w->records[i].kind);

		for (size_t f = 0; f < kind->field_count; f++) {
			write_field(w, a, &w->records[i], &kind->fields[f], 5);
			write_field(w, b, &w->records[i], &kind->fields[f], 6 + i % 2);
		}
	}
	office_sync(a, b);
}

static void write_text(struct world *w, struct office *o, const char *text)
{
	struct value value = value_str(text);

	office_set(o, &w->rot.space, KIND_BLOCK, &w->block, BLOCK_TEXT, &value);
}

/* One text with a long history, and one that is long. */
static void add_texts(struct world *w)
{
	struct office *a = &w->rot.a, *b = &w->rot.b;
	char *text = calloc(LONG_TEXT + 1, 1);
	struct value value;
	struct record_id id;

	assert_non_null(text);
	for (int i = 0; i < LONG_TEXT; i++)
		text[i] = i % 61 ? (char)('a' + i % 26) : '\n';
	value = value_str(text);
	id = office_create(b, &w->rot.space, KIND_BLOCK, BLOCK_TEXT, &value);
	w->records[w->record_count++] = (struct subject){ KIND_BLOCK, id };
	office_sync(a, b);
	for (int i = 0; i < 4; i++) {
		text[(size_t)i * 2000] = 'X';
		office_set(i % 2 ? a : b, &w->rot.space, KIND_BLOCK, &id, BLOCK_TEXT, &value);
		if (i % 2)
			office_sync(a, b);
	}
	free(text);
	for (int i = 0; i < (w->has_packs ? TEXT_EDITS : 20); i++) {
		char words[WORD_BYTES];

		snprintf(words, sizeof(words), "We agreed on %d. Then we went home.", i * 7);
		write_text(w, i % 10 > 7 ? a : b, words);
		if (i % 10 == 9)
			office_sync(a, b);
	}
	office_sync(a, b);
}

/* Work of a node that is revoked before all of it is known. */
static void add_quarantine(struct world *w)
{
	struct statement s = { .type = STATEMENT_REVOKE };
	struct arena arena = ARENA_EMPTY;
	struct office *a = &w->rot.a, c;
	struct cut *cuts;

	office_open(&c, NULL, 3);
	office_join(&c, a, "NYC");
	office_grant(a, &w->rot.space, "NYC", ROLE_EDITOR);
	office_sync(a, &c);
	office_item(&c, &w->rot.space, "counts");
	office_sync(a, &c);
	s.u.revoke.node = replica_self(c.replica)->node;
	OFFICE_MUST(replica_cuts_of(a->replica, &s.u.revoke.node, NULL, &arena, &cuts,
				    &s.u.revoke.cut_count, &msg));
	s.u.revoke.cuts = cuts;
	office_item(&c, &w->rot.space, "does not");
	office_pull(&w->rot.b, &c);
	OFFICE_MUST(replica_state(a->replica, &s, NULL, 0, a->now_ms++, &msg));
	office_sync(a, &w->rot.b);
	arena_release(&arena);
	office_close(&c);
}

/* FRA goes back to a backup, goes on from there, and hears of what it had written. */
static void add_branch(struct world *w)
{
	struct office *a = &w->rot.a, *b = &w->rot.b;

	OFFICE_MUST(replica_backup(b->replica, w->rot.copy, NULL, NULL, &msg));
	office_item(b, &w->rot.space, "was shared");
	office_sync(a, b);
	office_close(b);
	assert_int_equal(rename(w->rot.copy, w->rot.path), 0);
	office_reopen(b);
	office_item(b, &w->rot.space, "was not");
	office_meet(a, b);
	office_meet(a, b);
}

static void add_settings(struct world *w)
{
	struct replica *r = w->rot.b.replica;
	char number[NUMBER_TEXT_MAX], id[ID_TEXT_SIZE];
	struct scrub *s;

	OFFICE_MUST(replica_setting_put(r, "person", id_text(w->person.bytes, id), &msg));
	OFFICE_MUST(replica_begin(r, &msg));
	OFFICE_MUST(replica_number(r, KIND_ACTION, 2026, number, &msg));
	OFFICE_MUST(replica_commit(r, &msg));
	OFFICE_MUST(scrub_new(&s, r, &msg));
	OFFICE_MUST(scrub_slice(s, w->rot.b.now_ms, 1, &msg));
	scrub_free(s);
}

static struct world *build_world(uint64_t seed, bool has_packs)
{
	struct world *w = calloc(1, sizeof(*w));
	struct space_id directory;
	struct value name = value_str("李雷"), text = value_str("We agreed.");

	assert_non_null(w);
	w->has_packs = has_packs;
	rot_open(&w->rot, seed);
	directory = replica_directory(w->rot.a.replica);
	w->person = office_create(&w->rot.a, &directory, KIND_PERSON, PERSON_NAME, &name);
	w->block = office_create(&w->rot.a, &w->rot.space, KIND_BLOCK, BLOCK_TEXT, &text);
	w->records[w->record_count++] = (struct subject){ KIND_BLOCK, w->block };
	office_sync(&w->rot.a, &w->rot.b);
	add_branch(w);
	add_quarantine(w);
	add_records(w);
	add_texts(w);
	add_settings(w);
	office_void(&w->rot.a, &w->rot.space, w->records[w->record_count - 2].kind,
		    &w->records[w->record_count - 2].id);
	office_sync(&w->rot.a, &w->rot.b);
	assert_true(office_agrees(&w->rot.a, &w->rot.b));
	rot_take_image(&w->rot);
	return w;
}

static void free_world(struct world *w)
{
	rot_close(&w->rot);
	free(w);
}

/* ---- Damage ------------------------------------------------------------------ */

struct column {
	char table[WORD_BYTES], name[WORD_BYTES], key[256]; /* the columns that say which row */
};

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	return stmt;
}

static sqlite3_int64 ask_int(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = prepare(db, sql);
	sqlite3_int64 out;

	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return out;
}

static const char columns_sql[] =
	"SELECT t.name, c.name, (SELECT group_concat('\"' || k.name || '\"') FROM "
	"pragma_table_info(t.name) k WHERE k.pk > 0) FROM sqlite_schema t, "
	"pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1, c.cid";

/* Any of all columns; of the texts' tables or of the others. */
static void draw_column(struct world *w, sqlite3 *db, struct column *out)
{
	sqlite3_stmt *stmt = prepare(db, columns_sql);
	uint64_t count = 0;

	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *table = (const char *)sqlite3_column_text(stmt, 0);

		if (w->has_packs && strncmp(table, "text_", 5) != 0)
			continue;
		if (prng_below(&w->rot.prng, ++count) != 0)
			continue;
		snprintf(out->table, sizeof(out->table), "%s", table);
		snprintf(out->name, sizeof(out->name), "%s", sqlite3_column_text(stmt, 1));
		snprintf(out->key, sizeof(out->key), "%s", sqlite3_column_text(stmt, 2));
	}
	sqlite3_finalize(stmt);
	assert_true(count > 0);
}

/* A value in SQL's four types. */
struct cell {
	int type;
	sqlite3_int64 number;
	uint8_t *data;
	int size;
};

static struct cell read_cell(sqlite3 *db, const struct column *c, sqlite3_int64 row)
{
	char sql[512];
	sqlite3_stmt *stmt;
	struct cell out = { 0 };

	snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM \"%s\" ORDER BY %s LIMIT 1 OFFSET %lld",
		 c->name, c->table, c->key, row);
	stmt = prepare(db, sql);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	out.type = sqlite3_column_type(stmt, 0);
	out.number = sqlite3_column_int64(stmt, 0);
	if (out.type == SQLITE_TEXT || out.type == SQLITE_BLOB) {
		const void *data = sqlite3_column_blob(stmt, 0);

		out.size = sqlite3_column_bytes(stmt, 0);
		out.data = malloc((size_t)out.size + 1);
		assert_non_null(out.data);
		if (out.size)
			memcpy(out.data, data, (size_t)out.size);
	}
	sqlite3_finalize(stmt);
	return out;
}

/* False: a table that does not take it. */
static bool write_cell(sqlite3 *db, const struct column *c, sqlite3_int64 row,
		       const struct cell *cell)
{
	char sql[1200];
	sqlite3_stmt *stmt;
	int result;

	snprintf(sql, sizeof(sql),
		 "UPDATE \"%s\" SET \"%s\" = ?1 WHERE (%s) = (SELECT %s FROM \"%s\" ORDER BY %s "
		 "LIMIT 1 OFFSET %lld)",
		 c->table, c->name, c->key, c->key, c->table, c->key, row);
	stmt = prepare(db, sql);
	if (cell->type == SQLITE_INTEGER)
		sqlite3_bind_int64(stmt, 1, cell->number);
	else if (cell->type == SQLITE_FLOAT)
		sqlite3_bind_double(stmt, 1, 1e300);
	else if (cell->type == SQLITE_TEXT)
		sqlite3_bind_text(stmt, 1, (const char *)cell->data, cell->size, SQLITE_STATIC);
	else if (cell->type == SQLITE_BLOB)
		sqlite3_bind_blob(stmt, 1, cell->data, cell->size, SQLITE_STATIC);
	result = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE && sqlite3_changes(db) == 1;
}

/* As bytes: its digits, if it is a number. */
static void make_bytes(struct cell *cell, int type)
{
	char digits[24];

	if (!cell->data) {
		cell->size = snprintf(digits, sizeof(digits), "%lld", cell->number);
		cell->data = malloc(sizeof(digits));
		assert_non_null(cell->data);
		memcpy(cell->data, digits, sizeof(digits));
	}
	cell->type = type;
}

static void change_byte(struct prng *prng, struct cell *cell)
{
	uint64_t other = 1 + prng_below(prng, 255);

	if (cell->size)
		cell->data[prng_below(prng, (uint64_t)cell->size)] ^= (uint8_t)other;
	else
		cell->number ^= (sqlite3_int64)(other << 8 * prng_below(prng, 8));
}

static void make_empty(struct prng *prng, struct cell *cell)
{
	cell->size = 0;
	cell->number = 0;
}

static void make_null(struct prng *prng, struct cell *cell)
{
	cell->type = SQLITE_NULL;
}

static void make_other_type(struct prng *prng, struct cell *cell)
{
	static const int types[] = { SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB };
	int type = types[prng_below(prng, 4)];

	if (type == SQLITE_TEXT || type == SQLITE_BLOB)
		make_bytes(cell, type);
	cell->type = type;
}

static void make_huge(struct prng *prng, struct cell *cell)
{
	static const unsigned bits[] = { 8, 16, 31, 32, 40, 41, 62, 63 };

	cell->type = SQLITE_INTEGER;
	cell->number =
		(sqlite3_int64)((UINT64_C(1) << bits[prng_below(prng, 8)]) - prng_below(prng, 2));
	if (cell->number < 0)
		cell->number = INT64_MAX;
}

static void make_negative(struct prng *prng, struct cell *cell)
{
	static const sqlite3_int64 numbers[] = { -1, INT32_MIN, INT64_MIN };

	cell->type = SQLITE_INTEGER;
	cell->number = numbers[prng_below(prng, 3)];
}

static void make_near(struct prng *prng, struct cell *cell)
{
	cell->number += prng_chance(prng, 50) && cell->number < INT64_MAX ? 1 : -1;
	if (cell->size)
		cell->size--;
}

static void make_longer(struct prng *prng, struct cell *cell)
{
	size_t more = 1 + prng_below(prng, prng_chance(prng, 50) ? 4 : 6000);

	make_bytes(cell, cell->type == SQLITE_TEXT ? SQLITE_TEXT : SQLITE_BLOB);
	cell->data = realloc(cell->data, (size_t)cell->size + more);
	assert_non_null(cell->data);
	prng_fill(prng, cell->data + cell->size, more);
	cell->size += (int)more;
}

static void make_shorter(struct prng *prng, struct cell *cell)
{
	cell->number /= 2;
	cell->size = cell->size ? (int)prng_below(prng, (uint64_t)cell->size) : 0;
}

static const struct {
	const char *words;
	void (*make)(struct prng *prng, struct cell *cell); /* NULL: the value of another row */
} changes[] = {
	{ "with a byte changed", change_byte },
	{ "empty", make_empty },
	{ "null", make_null },
	{ "of another type", make_other_type },
	{ "huge", make_huge },
	{ "negative", make_negative },
	{ "one more or less", make_near },
	{ "longer", make_longer },
	{ "shorter", make_shorter },
	{ "another row's", NULL },
};

static bool damage_column(struct world *w, sqlite3 *db, const struct column *c)
{
	struct prng *prng = &w->rot.prng;
	size_t which = prng_below(prng, sizeof(changes) / sizeof(changes[0]));
	sqlite3_int64 rows, row;
	struct cell cell;
	char sql[128];
	bool is_done;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", c->table);
	rows = ask_int(db, sql);
	if (rows == 0)
		return false;
	row = (sqlite3_int64)prng_below(prng, (uint64_t)rows);
	cell = read_cell(db, c, changes[which].make ? row : (row + 1) % rows);
	if (changes[which].make)
		changes[which].make(prng, &cell);
	is_done = write_cell(db, c, row, &cell);
	snprintf(w->case_words, sizeof(w->case_words), "%s.%s of row %lld %s (type %d, %lld)",
		 c->table, c->name, row, changes[which].words, cell.type, cell.number);
	free(cell.data);
	return is_done;
}

static bool damage_something(struct world *w, sqlite3 *db)
{
	bool is_done = false;

	for (int i = 0; i < TRIES_MAX && !is_done; i++) {
		struct column column;

		draw_column(w, db, &column);
		is_done = damage_column(w, db, &column);
	}
	return is_done;
}

static bool damage_by(struct world *w, sqlite3 *db, const char *sql)
{
	snprintf(w->case_words, sizeof(w->case_words), "%s", sql);
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK && sqlite3_changes(db) > 0;
}

/* The same every time for the same dice. sql: what is done; NULL: anything. */
static void damage_copy(struct world *w, struct prng dice, const char *sql)
{
	sqlite3 *db;

	w->rot.prng = dice;
	rot_write_copy(&w->rot);
	assert_int_equal(sqlite3_open(w->rot.copy, &db), SQLITE_OK);
	if (!(sql ? damage_by(w, db, sql) : damage_something(w, db)))
		fail_msg("nothing was damaged: %s", sql ? sql : sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* ---- Whatever may be done with it --------------------------------------------- */

static bool pass_note(void *ctx, const struct reread_note *note)
{
	return true;
}

static enum err pass_insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	return OK;
}

static enum err pass_remove(void *ctx, uint32_t pos, uint32_t count)
{
	return OK;
}

/* As an editor and `huitong minutes show, history, diff, blame` do. */
static void read_text(struct replica *r, const struct subject *s, const struct field *f)
{
	struct text_sink sink = { pass_insert, pass_remove, NULL };
	struct buf text = BUF_EMPTY, version = BUF_EMPTY;
	struct text_doc *doc = NULL;
	struct text whole;
	struct errmsg why;

	if (replica_text(r, s->kind, &s->id, f->number, &whole, &why) == OK) {
		assert_true(text_reread(&whole, pass_note, NULL) != ERR_IO);
		text_release(&whole);
	}
	if (replica_text_tail(r, s->kind, &s->id, f->number, &whole, &why) == OK) {
		assert_true(text_reread(&whole, pass_note, NULL) != ERR_IO);
		text_release(&whole);
	}
	if (text_doc_open(&doc, r, s->kind, &s->id, f->number, &why) != OK)
		return;
	if (text_doc_read(doc, &text, &why) == OK && text_doc_version(doc, &version, &why) == OK)
		assert_true(text_doc_since(doc, buf_bytes(&version), ROPE_UTF16, &sink, &why) !=
			    ERR_IO);
	text_doc_close(doc);
	buf_release(&text);
	buf_release(&version);
}

static void read_record(struct replica *r, const struct subject *s)
{
	const struct kind *kind = schema_kind(s->kind);
	struct arena arena = ARENA_EMPTY;
	struct element *list;
	struct space_id space;
	struct record rec;
	struct errmsg why = { .text = "" };
	size_t count;

	if (replica_record(r, s->kind, &s->id, &arena, &rec, &space, &why) != OK)
		assert_true(why.text[0] != '\0');
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];

		if (f->merge == MERGE_TEXT)
			read_text(r, s, f);
		else if (!merge_is_register(f->merge))
			assert_true(replica_elements(r, s->kind, &s->id, f->number, &arena, &list,
						     &count, &why) != ERR_IO);
	}
	arena_release(&arena);
}

static void read_view(struct replica *r, const char *view)
{
	char sql[WORD_BYTES + 32];
	struct rows *rows;
	struct errmsg why;

	snprintf(sql, sizeof(sql), "SELECT * FROM %s", view);
	if (rows_open(&rows, r, sql, NULL, 0, &why) != OK)
		return;
	while (rows_next(rows))
		rows_text(rows, 0);
	assert_true(rows_close(rows, &why) != ERR_IO);
}

static bool pass_item(void *ctx, const struct space_id *space, const struct history_item *item)
{
	return true;
}

static bool read_quarantined(void *ctx, const struct quarantined *q)
{
	struct errmsg why;

	return replica_each_in_quarantine(ctx, q, pass_item, NULL, &why) != ERR_IO;
}

static void read_all(struct world *w)
{
	struct replica_config config = rot_config(&w->rot, w->rot.copy);
	struct replica_stats stats;
	struct replica *r;
	struct errmsg why = { .text = "" };
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	config.read_only = true;
	if (replica_open(&r, &config, &why) != OK) {
		assert_true(why.text[0] != '\0');
		return;
	}
	for (size_t i = 0; i < w->record_count; i++)
		read_record(r, &w->records[i]);
	for (size_t i = 0; i < count; i++)
		read_view(r, kinds[i].name);
	assert_true(replica_history(r, NULL, HISTORY_MAX, pass_item, NULL, &why) != ERR_IO);
	assert_true(replica_each_quarantined(r, read_quarantined, r, &why) != ERR_IO);
	assert_true(replica_stats(r, &stats, &why) != ERR_IO);
	replica_close(r);
}

/* An editor hands in a word. */
static void type_word(struct world *w, struct office *o, const struct subject *s, uint8_t field)
{
	struct text_splice typed = { 0, 0, bytes_of_str("meanwhile") };
	struct buf version = BUF_EMPTY;
	struct text_doc *doc = NULL;
	struct errmsg why = { .text = "" };

	if (text_doc_open(&doc, o->replica, s->kind, &s->id, field, &why) != OK)
		return;
	if (text_doc_version(doc, &version, &why) == OK &&
	    text_doc_splice(doc, buf_bytes(&version), ROPE_POINTS, &typed, 1, &w->person,
			    o->now_ms++, &version, &why) != OK)
		assert_true(why.text[0] != '\0');
	text_doc_close(doc);
	buf_release(&version);
}

static void edit_some(struct world *w, struct office *o)
{
	char number[NUMBER_TEXT_MAX];
	struct errmsg why = { .text = "" };

	for (int i = 0; i < WORK_COUNT; i++) {
		size_t which = prng_below(&w->rot.prng, w->record_count);
		const struct subject *s = &w->records[which];
		const struct kind *kind = schema_kind(s->kind);
		const struct field *f = &kind->fields[prng_below(&w->rot.prng, kind->field_count)];

		write_field(w, o, s, f, 9);
		if (f->merge == MERGE_TEXT)
			type_word(w, o, s, f->number);
	}
	write_field(w, o, &w->records[0], kind_field(schema_kind(KIND_BLOCK), BLOCK_TEXT), 10);
	if (replica_begin(o->replica, &why) != OK)
		return;
	if (replica_number(o->replica, KIND_ACTION, 2026, number, &why) != OK ||
	    replica_commit(o->replica, &why) != OK)
		replica_rollback(o->replica);
}

/* What a session does; either side may refuse. */
static void exchange(struct world *w, struct replica *to, struct replica *from, uint64_t now_ms)
{
	struct statements_receipt taken;
	struct statement_list l;
	struct errmsg why = { .text = "" };
	size_t count;

	if (statement_list_read(&l, from, &why) != OK)
		return;
	if (l.count && replica_take_statements(to, l.list, l.count, now_ms, &taken, &why) != OK)
		assert_true(why.text[0] != '\0');
	statement_list_release(&l);
	replica_spaces(from, &count);
	for (size_t i = 0; i < count; i++) {
		struct space_id space = replica_spaces(from, &count)[i];
		struct arena arena = ARENA_EMPTY;
		struct receipt receipt;
		struct sealed *list;
		size_t got;
		bool more;

		if (replica_missing(from, &space, replica_vv(to, &space), SIZE_MAX, 100000, &arena,
				    &list, &got, &more, &why) != OK ||
		    replica_receive(to, &space, list, got, now_ms, &receipt, &why) != OK)
			assert_true(why.text[0] != '\0');
		arena_release(&arena);
		replica_spaces(from, &count);
	}
}

/* Its owner goes on working with it, and meets somebody who holds all there was: whatever comes
 * of it there is what the log says there, and the same with the next one. */
static void work_on(struct world *w, bool is_damaged)
{
	struct replica_config config = rot_config(&w->rot, w->rot.copy);
	struct verify_report report;
	struct errmsg why = { .text = "" };
	struct office rotten = w->rot.b, peer, next;

	if (replica_open(&rotten.replica, &config, &why) != OK) {
		assert_true(why.text[0] != '\0');
		assert_true(is_damaged);
		return;
	}
	rot_open_newcomer(&w->rot, &peer, 11);
	office_pull(&peer, &w->rot.a);
	edit_some(w, &rotten);
	exchange(w, peer.replica, rotten.replica, peer.now_ms);
	exchange(w, rotten.replica, peer.replica, rotten.now_ms);
	rot_open_newcomer(&w->rot, &next, 12);
	office_pull(&next, &peer);
	assert_true(office_agrees(&peer, &next));
	if (!is_damaged) {
		OFFICE_MUST(replica_verify(rotten.replica, &report, NULL, NULL, &msg));
		assert_true(office_agrees(&peer, &rotten));
	}
	office_close(&next);
	office_close(&peer);
	office_close(&rotten);
}

/* ---- Cases ------------------------------------------------------------------- */

struct tally {
	long harmless, in_place, repaired, named;
};

static void try_case(struct world *w, struct prng dice, const char *sql, struct tally *t)
{
	uint8_t hash[STATE_HASH_BYTES];
	bool is_damaged;

	damage_copy(w, dice, sql);
	if (getenv("HUITONG_VERBOSE"))
		fprintf(stderr, "%s\n", w->case_words);
	is_damaged = rot_verify(&w->rot, hash) != OK;
	if (!is_damaged)
		assert_memory_equal(hash, w->rot.before, sizeof(hash));
	read_all(w);
	rot_assert_not_spread(&w->rot);
	work_on(w, is_damaged);
	damage_copy(w, dice, sql);
	if (rot_is_healed_in_place(&w->rot, is_damaged)) {
		t->harmless += !is_damaged;
		t->in_place += is_damaged;
		return;
	}
	damage_copy(w, dice, sql);
	if (rot_is_healed(&w->rot))
		t->repaired++;
	else
		t->named++;
}

/* The same values in each test run; others when they are asked for. */
static uint64_t draw_seed(const char *wanted)
{
	return wanted || getenv("HUITONG_SEED") ? prng_seed_from_environment() : FIRST_SEED;
}

static void changed_values_do_no_harm(void **state)
{
	const char *wanted = getenv("HUITONG_ROT");
	long count = wanted ? strtol(wanted, NULL, 10) : ROT_COUNT;
	uint64_t seed = draw_seed(wanted);
	struct world *worlds[] = { build_world(1, false), build_world(2, true) };
	struct tally t = { 0 };

	for (long i = 0; i < count; i++) {
		struct prng dice;

		prng_init(&dice, seed + (uint64_t)i);
		if (getenv("HUITONG_VERBOSE"))
			fprintf(stderr,
				"HUITONG_SEED=%llu: ", (unsigned long long)(seed + (uint64_t)i));
		try_case(worlds[prng_chance(&dice, 25)], dice, NULL, &t);
	}
	printf("%ld values: %ld harmless, %ld found; of these %ld healed in place, %ld by repair, "
	       "%ld named as beyond it\n",
	       count, t.harmless, count - t.harmless, t.in_place, t.repaired, t.named);
	free_world(worlds[0]);
	free_world(worlds[1]);
}

/* Each of these once crashed, never ended, was not found, or was refused without a word. */
static void what_once_did_harm_does_none(void **state)
{
	static const char *const damages[] = {
		/* Numbers that were cut off to 32 bits, or shifted. */
		"UPDATE r_space SET space = 1 << 41",
		"UPDATE r_collaboration SET space = CAST('2' AS BLOB)",
		"UPDATE r_block SET text = -1 WHERE typeof(text) = 'integer'",
		"UPDATE r_block SET text = 1 << 40 WHERE typeof(text) = 'integer'",
		"UPDATE text_piece SET key = 0x7fffffffffffffff WHERE key = (SELECT max(key) FROM "
		"text_piece)",
		"UPDATE text_piece SET key = key >> 40 << 40 WHERE key = (SELECT min(key) FROM "
		"text_piece)",
		"UPDATE text_piece SET points = -1 WHERE key = (SELECT min(key) FROM text_piece)",
		/* A quarantine without end. */
		"UPDATE branch SET seq = 9288674231451649",
		"UPDATE branch SET seq = 1e300",
		/* A gap in the log that is looked at number by number. */
		"UPDATE changeset SET key = key | (1 << 38) WHERE key = (SELECT max(key) FROM "
		"changeset)",
		"UPDATE changeset SET key = key | (1 << 13) WHERE key = (SELECT min(key) + 5 FROM "
		"changeset)",
		/* Histories that don't fit each other, or the text. */
		"UPDATE text_edit SET at = 0x7fffffff WHERE at = (SELECT max(at) FROM text_edit)",
		"UPDATE text_edit SET at = 0xfffffffe WHERE at = 3",
		"UPDATE text_edit SET after = 5, before = 7 WHERE at = (SELECT max(at) FROM "
		"text_edit)",
		"UPDATE text_edit SET reach = 0 WHERE at = (SELECT max(at) FROM text_edit)",
		"UPDATE r_block SET text = '' WHERE typeof(text) = 'text'",
		/* Values that read the same, and are not found any more. */
		"UPDATE conflict SET kind = CAST(CAST(kind AS TEXT) AS BLOB)",
		"UPDATE r_action_item SET id = CAST(id AS TEXT)",
		/* What nobody names is sent before what it depends on. */
		"UPDATE feed SET dep_seq = 1 << 39",
		"UPDATE counter SET next = 0x7fffffffffffffff",
		"UPDATE counter SET next = -1",
	};
	struct world *w = build_world(1, false);
	struct tally t = { 0 };

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct prng dice;

		prng_init(&dice, i);
		if (getenv("HUITONG_VERBOSE"))
			fprintf(stderr, "%s\n", damages[i]);
		try_case(w, dice, damages[i], &t);
	}
	free_world(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_once_did_harm_does_none),
		cmocka_unit_test(changed_values_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
