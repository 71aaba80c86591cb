#include "tests/bench/raw_store.h"

#include "tests/bench/bench.h"

static const char settings[] =
	"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;";

static const char schema[] =
	"CREATE TABLE action_item(id BLOB PRIMARY KEY, number, title, owner, due, deliverable, "
	"priority, meeting, topic) WITHOUT ROWID;";

static const char *const statement_sql[RAW_COUNT] = {
	[RAW_BEGIN] = "BEGIN IMMEDIATE",
	[RAW_COMMIT] = "COMMIT",
	[RAW_INSERT] = "INSERT INTO action_item VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[RAW_UPDATE] = "UPDATE action_item SET title = ?2 WHERE id = ?1",
	[RAW_QUERY] = "SELECT title FROM action_item WHERE id = ?1",
};

static void check(struct raw_store *raw, int result, const char *what)
{
	if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
		bench_fail("raw SQLite: %s: %s", what, sqlite3_errmsg(raw->db));
}

static sqlite3_stmt *statement(struct raw_store *raw, enum raw_statement which)
{
	sqlite3_stmt **slot = &raw->statements[which];

	if (!*slot)
		check(raw,
		      sqlite3_prepare_v3(raw->db, statement_sql[which], -1,
					 SQLITE_PREPARE_PERSISTENT, slot, NULL),
		      statement_sql[which]);
	return *slot;
}

static void run(struct raw_store *raw, enum raw_statement which)
{
	sqlite3_stmt *stmt = statement(raw, which);

	check(raw, sqlite3_step(stmt), statement_sql[which]);
	sqlite3_reset(stmt);
}

static void exec(struct raw_store *raw, const char *sql)
{
	check(raw, sqlite3_exec(raw->db, sql, NULL, NULL, NULL), sql);
}

void raw_open(struct raw_store *raw, const char *path)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	*raw = (struct raw_store){ 0 };
	check(raw, sqlite3_open_v2(path, &raw->db, flags, NULL), path);
	exec(raw, settings);
}

void raw_new(struct raw_store *raw, const char *path)
{
	bench_remove(path);
	raw_open(raw, path);
	exec(raw, schema);
}

void raw_close(struct raw_store *raw)
{
	for (int i = 0; i < RAW_COUNT; i++)
		sqlite3_finalize(raw->statements[i]);
	check(raw, sqlite3_close(raw->db), "close");
}

void raw_begin(struct raw_store *raw)
{
	run(raw, RAW_BEGIN);
}

void raw_commit(struct raw_store *raw)
{
	run(raw, RAW_COMMIT);
}

static struct record_id id_of(size_t i)
{
	struct record_id id = { { 0x01, 0x93 } };

	for (size_t at = ID_BYTES; at > ID_BYTES - sizeof(i); i >>= 8)
		id.bytes[--at] = (uint8_t)i;
	return id;
}

static void bind_id(sqlite3_stmt *stmt, int index, const struct record_id *id)
{
	sqlite3_bind_blob(stmt, index, id->bytes, ID_BYTES, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

void raw_insert(struct raw_store *raw, size_t i, const struct action_row *row)
{
	sqlite3_stmt *stmt = statement(raw, RAW_INSERT);
	struct record_id id = id_of(i);

	bind_id(stmt, 1, &id);
	bind_text(stmt, 2, row->number);
	bind_text(stmt, 3, row->title);
	bind_id(stmt, 4, &row->owner);
	bind_text(stmt, 5, row->due);
	bind_text(stmt, 6, row->deliverable);
	sqlite3_bind_int(stmt, 7, row->priority);
	bind_id(stmt, 8, &row->meeting);
	bind_id(stmt, 9, &row->topic);
	run(raw, RAW_INSERT);
}

void raw_update_title(struct raw_store *raw, size_t i, const char *title)
{
	sqlite3_stmt *stmt = statement(raw, RAW_UPDATE);
	struct record_id id = id_of(i);

	bind_id(stmt, 1, &id);
	bind_text(stmt, 2, title);
	run(raw, RAW_UPDATE);
}

void raw_fill(struct raw_store *raw, const struct action_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i % BATCH == 0)
			raw_begin(raw);
		raw_insert(raw, i, &rows[i]);
		if ((i + 1) % BATCH == 0 || i + 1 == count)
			raw_commit(raw);
	}
}

size_t raw_query(struct raw_store *raw, size_t i)
{
	sqlite3_stmt *stmt = statement(raw, RAW_QUERY);
	struct record_id id = id_of(i);
	size_t size;

	bind_id(stmt, 1, &id);
	check(raw, sqlite3_step(stmt), statement_sql[RAW_QUERY]);
	size = (size_t)sqlite3_column_bytes(stmt, 0);
	sqlite3_reset(stmt);
	return size;
}
