/* The tables: whose they are, made, made anew. Those of the kinds: store_schema.c. */
#include "core/store_impl.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	STORE_FORMAT = 5,           /* PRAGMA user_version: the tables below */
	STORE_APPLICATION = 0x4854, /* PRAGMA application_id: "HT" */
};

static const char create_log[] =
	"CREATE TABLE setting(key TEXT PRIMARY KEY, value, sum INTEGER NOT NULL) "
	"WITHOUT ROWID;\n"
	"CREATE TABLE counter(name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;\n"
	"CREATE TABLE space_index(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
	"sum INTEGER NOT NULL);\n"
	"CREATE TABLE replica_index(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
	"sum INTEGER NOT NULL);\n"
	"CREATE TABLE feed(idx INTEGER PRIMARY KEY, space INTEGER NOT NULL, "
	"replica INTEGER NOT NULL, dep_seq INTEGER NOT NULL, named_seq INTEGER NOT NULL, "
	"sum INTEGER NOT NULL, "
	"UNIQUE(space, replica));\n"
	"CREATE TABLE changeset(key INTEGER PRIMARY KEY, body BLOB NOT NULL, "
	"signature BLOB NOT NULL, link BLOB NOT NULL);\n"
	"CREATE TABLE branch(feed INTEGER, seq INTEGER, link BLOB, body BLOB NOT NULL, "
	"signature BLOB NOT NULL, is_done INTEGER NOT NULL, PRIMARY KEY(feed, seq, link)) "
	"WITHOUT ROWID;\n"
	"CREATE INDEX branch_waiting ON branch(feed, seq, link) WHERE NOT is_done;\n"
	"CREATE TABLE statement(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
	"bytes BLOB NOT NULL, verdict INTEGER NOT NULL);\n";

/* Columns in the order of the key: with another one the quick_check of SQLite
 * 3.40 sees NULLs that are not there. */
static const char create_state[] =
	"CREATE TABLE element(record BLOB, kind INTEGER, field INTEGER, space INTEGER, "
	"replica INTEGER, seq INTEGER, n INTEGER, hlc INTEGER NOT NULL, author BLOB, value, sum "
	"INTEGER NOT NULL, "
	"PRIMARY KEY(record, kind, field, space, replica, seq, n)) WITHOUT ROWID;\n"
	"CREATE TABLE conflict(record BLOB, kind INTEGER, field INTEGER, space INTEGER, "
	"sum INTEGER NOT NULL, PRIMARY KEY(record, kind, field, space)) WITHOUT ROWID;\n"
	"CREATE TABLE text_edit(record BLOB, kind INTEGER, field INTEGER, space INTEGER, "
	"at INTEGER, replica INTEGER NOT NULL, seq INTEGER NOT NULL, flags INTEGER NOT NULL, "
	"reach INTEGER NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL, "
	"parents BLOB NOT NULL, edit BLOB NOT NULL, text BLOB NOT NULL, "
	"PRIMARY KEY(record, kind, field, space, at)) WITHOUT ROWID;\n"
	"CREATE TABLE text_pack(record BLOB, kind INTEGER, field INTEGER, space INTEGER, "
	"last INTEGER, first INTEGER NOT NULL, size INTEGER NOT NULL, hash BLOB NOT NULL, "
	"pack BLOB NOT NULL, PRIMARY KEY(record, kind, field, space, last)) WITHOUT ROWID;\n"
	"CREATE TABLE text_piece(key INTEGER PRIMARY KEY, space INTEGER NOT NULL, "
	"points INTEGER NOT NULL, text TEXT NOT NULL);\n";

static const char drop_state[] = "DROP TABLE IF EXISTS element;\nDROP TABLE IF EXISTS conflict;\n"
				 "DROP TABLE IF EXISTS text_edit;\n"
				 "DROP TABLE IF EXISTS text_pack;\n"
				 "DROP TABLE IF EXISTS text_piece;\n";

static enum err create_state_tables(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	buf_append_str(&sql, create_state);
	for (size_t i = 0; i < count; i++)
		schema_sql_create(&sql, &kinds[i]);
	return store_exec_buf(s, &sql, msg);
}

bool store_needs_replay(const struct store *s)
{
	return s->needs_replay;
}

enum err store_schema_done(struct store *s, struct errmsg *msg)
{
	char version[24];
	struct bytes value;

	snprintf(version, sizeof(version), "%d", SCHEMA_VERSION);
	value = bytes_of_str(version);
	s->needs_replay = false;
	return store_setting_put(s, "schema_version", &value, msg);
}

static enum err create_tables(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	enum err rc = store_exec(s, create_log, msg);

	if (rc == OK)
		rc = create_state_tables(s, msg);
	if (rc != OK)
		return rc;
	buf_printf(&sql, "PRAGMA user_version = %d; PRAGMA application_id = %d;", STORE_FORMAT,
		   STORE_APPLICATION);
	rc = store_exec_buf(s, &sql, msg);
	return rc == OK ? store_schema_done(s, msg) : rc;
}

/* Of how often the state was made anew. */
static const char state_counter[] = "state";

enum err store_state_serial(struct store *s, uint64_t *out, struct errmsg *msg)
{
	return store_counter_get(s, state_counter, out, msg);
}

/* Rows of the state go: what is known of them is void. */
static enum err drop_rows(struct store *s, struct buf *sql, struct errmsg *msg)
{
	uint64_t serial;
	enum err rc;

	store_forget_texts(s);
	rc = store_exec_buf(s, sql, msg);
	return rc == OK ? store_counter_next(s, state_counter, &serial, msg) : rc;
}

enum err store_clear_state(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	enum err rc;

	store_forget_kind_queries(s);
	buf_append_str(&sql, drop_state);
	for (size_t i = 0; i < count; i++)
		schema_sql_drop(&sql, &kinds[i]);
	rc = drop_rows(s, &sql, msg);
	return rc == OK ? create_state_tables(s, msg) : rc;
}

enum err store_empty_state(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	/* Without a condition SQLite drops whole trees, whatever their rows say. */
	buf_append_str(&sql, "DELETE FROM element; DELETE FROM conflict; DELETE FROM text_edit; "
			     "DELETE FROM text_pack; DELETE FROM text_piece; ");
	for (size_t i = 0; i < count; i++)
		buf_printf(&sql, "DELETE FROM r_%s; ", kinds[i].name);
	return drop_rows(s, &sql, msg);
}

static void put_clear(struct buf *out, const char *prefix, const char *table,
		      const uint32_t *spaces, size_t count)
{
	buf_printf(out, "DELETE FROM %s%s WHERE space IN (", prefix, table);
	for (size_t i = 0; i < count; i++)
		buf_printf(out, i ? ",%u" : "%u", spaces[i]);
	buf_append_str(out, ");");
}

enum err store_clear_spaces(struct store *s, const uint32_t *spaces, size_t count,
			    struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	size_t kind_count;
	const struct kind *kinds = schema_kinds(&kind_count);

	put_clear(&sql, "", "element", spaces, count);
	put_clear(&sql, "", "conflict", spaces, count);
	put_clear(&sql, "", "text_edit", spaces, count);
	put_clear(&sql, "", "text_pack", spaces, count);
	put_clear(&sql, "", "text_piece", spaces, count);
	for (size_t i = 0; i < kind_count; i++)
		put_clear(&sql, "r_", kinds[i].name, spaces, count);
	return drop_rows(s, &sql, msg);
}

static enum err check_schema_version(struct store *s, struct errmsg *msg)
{
	struct buf value = BUF_EMPTY;
	enum err rc = store_setting_get(s, "schema_version", &value, msg);
	long version;

	buf_append_byte(&value, 0);
	if (rc == OK)
		rc = buf_check(&value);
	version = rc == OK ? strtol((const char *)value.data, NULL, 10) : 0;
	buf_release(&value);
	if (rc != OK)
		return rc;
	if (version > SCHEMA_VERSION)
		return errmsg_set(
			msg, ERR_VERSION,
			"%s was written by a newer program (schema %ld, this one knows %d)",
			s->path, version, SCHEMA_VERSION);
	s->needs_replay = version < SCHEMA_VERSION;
	return OK;
}

enum err store_check_owner(struct store *s, bool create, bool *is_empty, struct errmsg *msg)
{
	int64_t application = 0, tables = 0;
	enum err rc = store_pragma_int(s, "PRAGMA application_id", &application, msg);

	if (rc == OK)
		rc = store_pragma_int(s, "SELECT count(*) FROM sqlite_schema", &tables, msg);
	if (rc != OK)
		return rc;
	*is_empty = application == 0 && tables == 0;
	if (application != STORE_APPLICATION && !(*is_empty && create))
		return errmsg_set(msg, ERR_CORRUPT, "%s is not a replica of ours", s->path);
	return OK;
}

static enum err migrate(struct store *s, bool create, struct errmsg *msg)
{
	int64_t format = 0;
	bool is_empty;
	enum err rc = store_check_owner(s, create, &is_empty, msg);

	if (rc == OK && is_empty)
		return create_tables(s, msg);
	if (rc == OK)
		rc = store_pragma_int(s, "PRAGMA user_version", &format, msg);
	if (rc != OK)
		return rc;
	if (format != STORE_FORMAT)
		return errmsg_set(msg, ERR_VERSION,
				  "%s has store format %lld, this program knows %d", s->path,
				  (long long)format, STORE_FORMAT);
	return check_schema_version(s, msg);
}

/* Two processes may create or migrate at once: look again under the lock. */
enum err store_migrate(struct store *s, bool create, struct errmsg *msg)
{
	int64_t application = 0;
	enum err rc = store_pragma_int(s, "PRAGMA application_id", &application, msg);

	/* What is ours already is only looked at: nobody waits for a writer. */
	if (rc != OK || s->read_only || application == STORE_APPLICATION)
		return rc == OK ? migrate(s, false, msg) : rc;
	rc = store_begin(s, msg);
	if (rc == OK)
		rc = migrate(s, create, msg);
	return rc == OK ? store_commit(s, msg) : rc;
}

/* ---- Whether they are as we define them -------------------------------------- */

static enum err check_definition(struct store *s, struct rows *ours, struct errmsg *msg)
{
	static const char sql[] = "SELECT 1 FROM sqlite_schema WHERE name = ?1 AND type = ?2 AND "
				  "tbl_name = ?3 AND sql IS ?4";
	enum { COLUMNS = 4 };
	struct value columns[COLUMNS];
	char what[TABLE_NAME_BYTES + 32];
	struct rows *rows;
	bool is_there;
	enum err rc;

	for (int i = 0; i < COLUMNS; i++)
		columns[i] = rows_is_null(ours, i) ? value_nil() : value_text(rows_bytes(ours, i));
	rc = store_rows_open(&rows, s, sql, columns, COLUMNS, msg);
	if (rc != OK)
		return rc;
	is_there = rows_next(rows);
	rc = rows_close(rows, msg);
	if (rc == OK && !is_there) {
		snprintf(what, sizeof(what), "the definition of %s", rows_text(ours, 0));
		rc = store_damaged(s, what, msg);
	}
	return rc;
}

enum err store_check_definitions(struct store *s, struct errmsg *msg)
{
	static const char sql[] = "SELECT name, type, tbl_name, sql FROM sqlite_schema";
	struct store *ours = NULL;
	struct rows *rows = NULL;
	enum err ended, rc = store_open(&ours, ":memory:", NULL, true, false, msg);

	if (rc == OK)
		rc = store_rows_open(&rows, ours, sql, NULL, 0, msg);
	while (rc == OK && rows_next(rows))
		rc = check_definition(s, rows, msg);
	ended = rows ? rows_close(rows, rc == OK ? msg : NULL) : OK;
	store_close(ours);
	return rc == OK ? ended : rc;
}
