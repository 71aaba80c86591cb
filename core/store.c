#include "core/store_impl.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STORE_FORMAT = 3,           /* PRAGMA user_version: the tables below */
	STORE_APPLICATION = 0x4854, /* PRAGMA application_id: "HT" */
	BUSY_TIMEOUT_MS = 5000,
	BUSY_PAUSE_MS = 20,
	CACHE_KIB = 8192,
};

/* Of a row of a branch: it was not put back. */
#define IS_OUT_OF_LOG                                                                             \
	"NOT EXISTS(SELECT 1 FROM changeset AS c WHERE c.key = (branch.feed << 40 | branch.seq) " \
	"AND c.link = branch.link)"

static const char *const statement_sql[STMT_COUNT] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_BEGIN_READ] = "BEGIN DEFERRED",
	[STMT_COMMIT] = "COMMIT",
	[STMT_ROLLBACK] = "ROLLBACK",
	[STMT_DATA_VERSION] = "PRAGMA data_version",
	[STMT_SETTING_GET] = "SELECT value FROM setting WHERE key = ?1",
	[STMT_SETTING_PUT] = "INSERT INTO setting VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET "
			     "value = excluded.value",
	[STMT_SETTING_DELETE] = "DELETE FROM setting WHERE key = ?1",
	[STMT_COUNTER_SET] = "UPDATE counter SET next = ?2 WHERE name = ?1",
	[STMT_COUNTER] = "INSERT INTO counter VALUES(?1, 2) ON CONFLICT(name) DO UPDATE SET "
			 "next = next + 1 RETURNING next - 1",
	[STMT_REPLICA_ADD] = "INSERT INTO replica_index VALUES(?1, ?2)",
	[STMT_SPACE_ADD] = "INSERT INTO space_index(id) VALUES(?1)",
	[STMT_FEED_ADD] = "INSERT INTO feed VALUES(NULL, ?1, ?2, 0, 0)",
	[STMT_FEED_SET_DEP] = "UPDATE feed SET dep_seq = ?2 WHERE idx = ?1",
	[STMT_FEED_SET_NAMED] = "UPDATE feed SET named_seq = ?2 WHERE idx = ?1",
	[STMT_FEED_HEAD] = "SELECT key, body, signature, link FROM changeset WHERE key > ?1 AND "
			   "key <= ?2 ORDER BY key DESC LIMIT 1",
	[STMT_APPEND] = "INSERT INTO changeset VALUES(?1, ?2, ?3, ?4)",
	[STMT_READ] = "SELECT key, body, signature, link FROM changeset WHERE key >= ?1 AND "
		      "key <= ?2 ORDER BY key",
	[STMT_STATEMENT_ADD] = "INSERT INTO statement(id, bytes, verdict) VALUES(?1, ?2, ?3)",
	[STMT_STATEMENT_HAS] = "SELECT 1 FROM statement WHERE id = ?1",
	[STMT_STATEMENT_JUDGE] = "UPDATE statement SET verdict = ?2 WHERE idx = ?1 AND "
				 "verdict <> ?2",
	[STMT_STATEMENTS] = "SELECT idx, bytes, verdict FROM statement WHERE idx > ?1 ORDER BY idx",
	[STMT_BRANCH_ADD] = "INSERT OR IGNORE INTO branch SELECT key >> 40, key & ?3, link, body, "
			    "signature, 0 FROM changeset WHERE key >= ?1 AND key <= ?2",
	[STMT_BRANCH_PUT] = "INSERT OR IGNORE INTO branch VALUES(?1, ?2, ?3, ?4, ?5, 0)",
	[STMT_CUT_OFF] = "DELETE FROM changeset WHERE key >= ?1 AND key <= ?2",
	[STMT_BRANCH_READ] = "SELECT seq, body, signature, link FROM branch WHERE feed = ?1 AND "
			     "NOT is_done AND " IS_OUT_OF_LOG " ORDER BY seq, link",
	[STMT_BRANCH_AT] = "SELECT seq, body, signature, link FROM branch WHERE feed = ?1 AND "
			   "seq = ?2 ORDER BY link",
	[STMT_BRANCH_BACK] = "INSERT INTO changeset SELECT ?4, body, signature, link FROM branch "
			     "WHERE feed = ?1 AND seq = ?2 AND link = ?3",
	[STMT_BRANCH_DONE] = "UPDATE branch SET is_done = 1 WHERE feed = ?1 AND seq <= ?2",
	[STMT_BRANCHES] =
		"SELECT feed, min(seq), max(seq) FROM branch WHERE " IS_OUT_OF_LOG " GROUP BY feed",
	[STMT_BRANCH_FROM] = "SELECT seq, body, signature, link FROM branch WHERE feed = ?1 AND "
			     "seq >= ?2 AND " IS_OUT_OF_LOG " ORDER BY seq, link",
	[STMT_STATEMENT_DELETE] = "DELETE FROM statement WHERE idx = ?1",
	[STMT_ELEMENT_ADD] = "INSERT INTO element(space, record, kind, field, replica, seq, n, "
			     "hlc, author, value) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[STMT_ELEMENT_REMOVE] =
		"DELETE FROM element WHERE space = ?1 AND record = ?2 AND kind = ?3 "
		"AND field = ?4 AND replica = ?5 AND seq = ?6 AND n = ?7",
	[STMT_ELEMENTS] =
		"SELECT replica, seq, n, hlc, author, value FROM element WHERE space = ?1 "
		"AND record = ?2 AND kind = ?3 AND field = ?4",
	[STMT_ELEMENT_DOTS] =
		"SELECT replica, max(seq) FROM element WHERE record = ?1 AND kind = ?2 "
		"AND space = ?3 GROUP BY replica",
	[STMT_CONFLICT_PUT] = "INSERT OR IGNORE INTO conflict(space, record, kind, field) "
			      "VALUES(?1, ?2, ?3, ?4)",
	[STMT_CONFLICT_DELETE] = "DELETE FROM conflict WHERE space = ?1 AND record = ?2 AND "
				 "kind = ?3 AND field = ?4",
};

static const char create_log[] =
	"CREATE TABLE setting(key TEXT PRIMARY KEY, value) WITHOUT ROWID;\n"
	"CREATE TABLE counter(name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;\n"
	"CREATE TABLE space_index(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);\n"
	"CREATE TABLE replica_index(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);\n"
	"CREATE TABLE feed(idx INTEGER PRIMARY KEY, space INTEGER NOT NULL, "
	"replica INTEGER NOT NULL, dep_seq INTEGER NOT NULL, named_seq INTEGER NOT NULL, "
	"UNIQUE(space, replica));\n"
	"CREATE TABLE changeset(key INTEGER PRIMARY KEY, body BLOB NOT NULL, "
	"signature BLOB NOT NULL, link BLOB NOT NULL);\n"
	"CREATE TABLE branch(feed INTEGER, seq INTEGER, link BLOB, body BLOB NOT NULL, "
	"signature BLOB NOT NULL, is_done INTEGER NOT NULL, PRIMARY KEY(feed, seq, link)) "
	"WITHOUT ROWID;\n"
	"CREATE TABLE statement(idx INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, "
	"bytes BLOB NOT NULL, verdict INTEGER NOT NULL);\n";

/* Columns in the order of the key: with another one the quick_check of SQLite
 * 3.40 sees NULLs that are not there. */
static const char create_state[] =
	"CREATE TABLE element(record BLOB, kind INTEGER, field INTEGER, space INTEGER, "
	"replica INTEGER, seq INTEGER, n INTEGER, hlc INTEGER NOT NULL, author BLOB, value, "
	"PRIMARY KEY(record, kind, field, space, replica, seq, n)) WITHOUT ROWID;\n"
	"CREATE TABLE conflict(record BLOB, kind INTEGER, field INTEGER, space INTEGER, "
	"PRIMARY KEY(record, kind, field, space)) WITHOUT ROWID;\n";

static const char drop_state[] = "DROP TABLE IF EXISTS element;\nDROP TABLE IF EXISTS conflict;\n";

/* Errors. */

static const struct {
	int result;
	enum err rc;
	const char *words; /* NULL: SQLite's own */
} results[] = {
	{ SQLITE_FULL, ERR_FULL, "the disk is full" },
	{ SQLITE_BUSY, ERR_BUSY, "another process is writing" },
	{ SQLITE_LOCKED, ERR_BUSY, "another process is writing" },
	{ SQLITE_READONLY, ERR_READONLY, NULL },
	{ SQLITE_PERM, ERR_READONLY, NULL },
	{ SQLITE_AUTH, ERR_READONLY, NULL },
	{ SQLITE_CORRUPT, ERR_CORRUPT, NULL },
	{ SQLITE_NOTADB, ERR_CORRUPT, "not a database" },
	{ SQLITE_NOMEM, ERR_NOMEM, NULL },
	{ SQLITE_TOOBIG, ERR_LIMIT, NULL },
};

enum err store_error(struct store *s, int result, const char *what, struct errmsg *msg)
{
	const char *words = sqlite3_errmsg(s->db);
	enum err rc = ERR_IO;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (results[i].result != (result & 0xff))
			continue;
		rc = results[i].rc;
		if (results[i].words)
			words = results[i].words;
	}
	if (store_is_failure(result))
		words = "the disk failed; it will be checked before anything else is written";
	store_note_result(s, result);
	return errmsg_set(msg, rc, "%s: %s: %s", s->path, what, words);
}

/* Statements. */

static sqlite3_stmt *prepare(struct store *s, const char *sql, enum err *rc, struct errmsg *msg)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

	*rc = result == SQLITE_OK ? OK : store_error(s, result, "prepare", msg);
	return stmt;
}

sqlite3_stmt *store_statement(struct store *s, enum query which, enum err *rc, struct errmsg *msg)
{
	*rc = OK;
	if (!s->statements[which])
		s->statements[which] = prepare(s, statement_sql[which], rc, msg);
	return s->statements[which];
}

sqlite3_stmt *store_kind_statement(struct store *s, const struct kind *kind,
				   enum kind_statement which, enum err *rc, struct errmsg *msg)
{
	sqlite3_stmt **slot = &s->kinds[schema_kind_index(kind)][which];
	struct buf sql = BUF_EMPTY;

	*rc = OK;
	if (*slot)
		return *slot;
	schema_sql_statement(&sql, kind, which);
	buf_append_byte(&sql, 0);
	*rc = buf_check(&sql);
	if (*rc == OK)
		*slot = prepare(s, (const char *)sql.data, rc, msg);
	buf_release(&sql);
	return *slot;
}

enum err store_run(struct store *s, sqlite3_stmt *stmt, const char *what, struct errmsg *msg)
{
	int result = sqlite3_step(stmt);
	enum err rc = OK;

	if (result != SQLITE_DONE && result != SQLITE_ROW)
		rc = store_error(s, result, what, msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_exec(struct store *s, const char *sql, struct errmsg *msg)
{
	int result = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK ? OK : store_error(s, result, "execute", msg);
}

static enum err exec_buf(struct store *s, struct buf *sql, struct errmsg *msg)
{
	enum err rc;

	buf_append_byte(sql, 0);
	rc = buf_check(sql);
	if (rc == OK)
		rc = store_exec(s, (const char *)sql->data, msg);
	buf_release(sql);
	return rc;
}

void bind_bytes(sqlite3_stmt *stmt, int index, struct bytes data)
{
	/* A NULL pointer would bind NULL; an empty blob is not nothing. */
	sqlite3_bind_blob64(stmt, index, data.size ? (const void *)data.data : "", data.size,
			    SQLITE_STATIC);
}

void bind_id(sqlite3_stmt *stmt, int index, const uint8_t id[ID_BYTES])
{
	sqlite3_bind_blob(stmt, index, id, ID_BYTES, SQLITE_STATIC);
}

void bind_value(sqlite3_stmt *stmt, int index, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL: sqlite3_bind_null(stmt, index); break;
	case VALUE_INT: sqlite3_bind_int64(stmt, index, value->number); break;
	case VALUE_TEXT:
		sqlite3_bind_text64(stmt, index,
				    value->bytes.size ? (const char *)value->bytes.data : "",
				    value->bytes.size, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case VALUE_REF: bind_id(stmt, index, value->ref.bytes); break;
	case VALUE_BYTES:
	case VALUE_RAW: bind_bytes(stmt, index, value->bytes); break;
	}
}

struct bytes column_bytes(sqlite3_stmt *stmt, int column)
{
	const void *data = sqlite3_column_blob(stmt, column);

	return bytes_of(data, (size_t)sqlite3_column_bytes(stmt, column));
}

/* Opening and migrating. */

/* Step a statement that returns one row of one integer, and reset it. */
static enum err step_int(struct store *s, sqlite3_stmt *stmt, const char *what, int64_t *out,
			 struct errmsg *msg)
{
	int result = sqlite3_step(stmt);
	enum err rc = OK;

	if (result == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	else
		rc = store_error(s, result, what, msg);
	sqlite3_reset(stmt);
	return rc;
}

static enum err pragma_int(struct store *s, const char *sql, int64_t *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = prepare(s, sql, &rc, msg);

	if (rc == OK)
		rc = step_int(s, stmt, sql, out, msg);
	sqlite3_finalize(stmt);
	return rc;
}

static enum err configure(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;

	sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
	store_watch_log(s);
	sqlite3_extended_result_codes(s->db, 1);
	buf_printf(&sql,
		   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
		   "PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY; "
		   "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;",
		   CACHE_KIB);
	return exec_buf(s, &sql, msg);
}

/* The first thing that writes to the file. Of two processes that do it at once
 * SQLite sends one away without waiting. */
static enum err switch_to_wal(struct store *s, struct errmsg *msg)
{
	static const char sql[] = "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 8388608;";
	enum err rc = s->read_only ? OK : store_exec(s, sql, msg);

	for (int waited = 0; rc == ERR_BUSY && waited < BUSY_TIMEOUT_MS; waited += BUSY_PAUSE_MS) {
		sqlite3_sleep(BUSY_PAUSE_MS);
		rc = store_exec(s, sql, msg);
	}
	return rc;
}

static enum err create_state_tables(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	buf_append_str(&sql, create_state);
	for (size_t i = 0; i < count; i++)
		schema_sql_create(&sql, &kinds[i]);
	return exec_buf(s, &sql, msg);
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
	rc = exec_buf(s, &sql, msg);
	return rc == OK ? store_schema_done(s, msg) : rc;
}

static void finalize_kinds(struct store *s)
{
	size_t count;

	schema_kinds(&count);
	for (size_t i = 0; s->kinds && i < count; i++) {
		for (int k = 0; k < KIND_STATEMENT_COUNT; k++) {
			sqlite3_finalize(s->kinds[i][k]);
			s->kinds[i][k] = NULL;
		}
	}
}

enum err store_clear_state(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	enum err rc;

	finalize_kinds(s);
	buf_append_str(&sql, drop_state);
	for (size_t i = 0; i < count; i++)
		schema_sql_drop(&sql, &kinds[i]);
	rc = exec_buf(s, &sql, msg);
	return rc == OK ? create_state_tables(s, msg) : rc;
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

/* Refuse what somebody else made; *is_empty tells that nobody made anything. */
static enum err check_owner(struct store *s, bool create, bool *is_empty, struct errmsg *msg)
{
	int64_t application = 0, tables = 0;
	enum err rc = pragma_int(s, "PRAGMA application_id", &application, msg);

	if (rc == OK)
		rc = pragma_int(s, "SELECT count(*) FROM sqlite_schema", &tables, msg);
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
	enum err rc = check_owner(s, create, &is_empty, msg);

	if (rc == OK && is_empty)
		return create_tables(s, msg);
	if (rc == OK)
		rc = pragma_int(s, "PRAGMA user_version", &format, msg);
	if (rc != OK)
		return rc;
	if (format != STORE_FORMAT)
		return errmsg_set(msg, ERR_VERSION,
				  "%s has store format %lld, this program knows %d", s->path,
				  (long long)format, STORE_FORMAT);
	return check_schema_version(s, msg);
}

/* The file's disk is mounted read-only, and no writer left a log beside it: there
 * SQLite can't make the files by which readers and writers meet. */
static bool is_frozen(const char *path)
{
	char wal[PATH_MAX];

	if (access(path, W_OK) == 0 || errno != EROFS)
		return false;
	return snprintf(wal, sizeof(wal), "%s-wal", path) < (int)sizeof(wal) &&
	       access(wal, F_OK) != 0;
}

/* Nobody can change the file: SQLite need not watch out. */
static int open_frozen(struct store *s)
{
	struct buf uri = BUF_EMPTY;
	int result = SQLITE_NOMEM;

	buf_append_str(&uri, "file:");
	for (const char *c = s->path; *c; c++)
		buf_printf(&uri, strchr("%?#", *c) ? "%%%02x" : "%c", (unsigned char)*c);
	buf_append_str(&uri, "?immutable=1");
	buf_append_byte(&uri, 0);
	if (buf_check(&uri) == OK)
		result = sqlite3_open_v2(
			(const char *)uri.data, &s->db,
			SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	buf_release(&uri);
	return result;
}

static enum err open_database(struct store *s, bool create, struct errmsg *msg)
{
	int flags = s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	bool on_disk = !s->vfs && strcmp(s->path, ":memory:") != 0;
	int result;

	if (on_disk && !create && access(s->path, F_OK) != 0)
		return errmsg_set(msg, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", s->path,
				  strerror(errno));
	if (create)
		flags |= SQLITE_OPEN_CREATE;
	if (on_disk && s->read_only && is_frozen(s->path))
		result = open_frozen(s);
	else
		result = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, s->vfs);
	return result == SQLITE_OK ? OK : store_error(s, result, "open", msg);
}

enum err store_connect(struct store *s, bool create, struct errmsg *msg)
{
	bool is_empty;
	enum err rc = open_database(s, create, msg);

	if (rc == OK)
		rc = configure(s, msg);
	if (rc == OK)
		rc = check_owner(s, create, &is_empty, msg);
	return rc == OK ? switch_to_wal(s, msg) : rc;
}

/* Two processes may create or migrate at once: look again under the lock. On
 * failure the transaction stays open: closing ends it. */
static enum err migrate_locked(struct store *s, bool create, struct errmsg *msg)
{
	int64_t application = 0;
	enum err rc = pragma_int(s, "PRAGMA application_id", &application, msg);

	/* What is ours already is only looked at: nobody waits for a writer. */
	if (rc != OK || s->read_only || application == STORE_APPLICATION)
		return rc == OK ? migrate(s, false, msg) : rc;
	rc = store_begin(s, msg);
	if (rc == OK)
		rc = migrate(s, create, msg);
	return rc == OK ? store_commit(s, msg) : rc;
}

enum err store_open(struct store **out, const char *path, const char *vfs, bool create,
		    bool read_only, struct errmsg *msg)
{
	struct store *s = calloc(1, sizeof(*s));
	size_t kind_count;
	enum err rc = ERR_NOMEM;

	schema_kinds(&kind_count);
	if (!s)
		return ERR_NOMEM;
	s->read_only = read_only;
	s->path = strdup(path);
	s->vfs = vfs ? strdup(vfs) : NULL;
	s->kinds = calloc(kind_count, sizeof(*s->kinds));
	if (!s->path || (vfs && !s->vfs) || !s->kinds)
		goto out;
	rc = store_connect(s, create, msg);
	if (rc == OK)
		rc = migrate_locked(s, create, msg);
	if (rc == OK)
		rc = store_load_replicas(s, msg);
	if (rc != OK)
		goto out;
	*out = s;
	return OK;
out:
	store_close(s);
	return rc;
}

void store_forget_statements(struct store *s)
{
	for (int i = 0; i < STMT_COUNT; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	finalize_kinds(s);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_forget_statements(s);
	store_leave(s);
	sqlite3_close(s->db);
	intern_release(&s->replicas);
	buf_release(&s->scratch);
	pack_release(&s->pack);
	arena_release(&s->head);
	free(s->kinds);
	free(s->path);
	free(s->vfs);
	free(s);
}

bool store_needs_replay(const struct store *s)
{
	return s->needs_replay;
}

/* Transactions. */

static enum err run_statement(struct store *s, enum query which, const char *what,
			      struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, which, &rc, msg);

	return rc == OK ? store_run(s, stmt, what, msg) : rc;
}

/* No way in without the way out: a rollback must not need memory. Prepared anew,
 * for a change of the schema outdates what was prepared before. Who changes the
 * schema can end the transaction for sure only by closing. */
static enum err begin(struct store *s, enum query which, const char *what, struct errmsg *msg)
{
	enum err rc;

	sqlite3_finalize(s->statements[STMT_ROLLBACK]);
	s->statements[STMT_ROLLBACK] = NULL;
	store_statement(s, STMT_ROLLBACK, &rc, msg);
	return rc == OK ? run_statement(s, which, what, msg) : rc;
}

enum err store_begin(struct store *s, struct errmsg *msg)
{
	enum err rc = store_ready(s, msg);

	return rc == OK ? begin(s, STMT_BEGIN, "begin", msg) : rc;
}

enum err store_begin_read(struct store *s, struct errmsg *msg)
{
	return begin(s, STMT_BEGIN_READ, "begin to read", msg);
}

enum err store_commit(struct store *s, struct errmsg *msg)
{
	return run_statement(s, STMT_COMMIT, "commit", msg);
}

void store_rollback(struct store *s)
{
	/* SQLite may have rolled back by itself already: then this is an error
	 * of no consequence. */
	if (store_in_transaction(s) && run_statement(s, STMT_ROLLBACK, "rollback", NULL) != OK)
		assert(!store_in_transaction(s));
}

bool store_in_transaction(const struct store *s)
{
	return !sqlite3_get_autocommit(s->db);
}

enum err store_data_version(struct store *s, uint64_t *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_DATA_VERSION, &rc, msg);
	int64_t version = 0;

	if (rc == OK)
		rc = step_int(s, stmt, "data_version", &version, msg);
	/* SQLite counts for each connection anew. */
	if (rc == OK)
		*out = (uint64_t)s->openings << 32 | (uint64_t)version;
	return rc;
}

/* Settings and counters. */

enum err store_setting_get(struct store *s, const char *key, struct buf *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_SETTING_GET, &rc, msg);
	struct bytes value;
	int result;

	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW) {
		value = column_bytes(stmt, 0);
		buf_append(out, value.data, value.size);
		rc = buf_check(out);
	} else if (result == SQLITE_DONE) {
		rc = errmsg_set(msg, ERR_NOT_FOUND, "no setting %s", key);
	} else {
		rc = store_error(s, result, "read a setting", msg);
	}
	sqlite3_reset(stmt);
	return rc;
}

enum err store_setting_put(struct store *s, const char *key, const struct bytes *value,
			   struct errmsg *msg)
{
	enum err rc = store_in_transaction(s) ? OK : store_ready(s, msg);
	sqlite3_stmt *stmt = NULL;

	if (rc == OK)
		stmt = store_statement(s, value ? STMT_SETTING_PUT : STMT_SETTING_DELETE, &rc, msg);
	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	if (value)
		bind_bytes(stmt, 2, *value);
	return store_run(s, stmt, "write a setting", msg);
}

enum err store_counter_next(struct store *s, const char *name, uint64_t *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_COUNTER, &rc, msg);
	int64_t next = 0;

	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = step_int(s, stmt, "count", &next, msg);
	if (rc == OK)
		*out = (uint64_t)next;
	return rc;
}

enum err store_counter_set(struct store *s, const char *name, uint64_t next, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_COUNTER_SET, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)next);
	return store_run(s, stmt, "count", msg);
}
