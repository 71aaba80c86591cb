/* Queries, prepared on first use and kept; and SQLite's errors as ours. */
#include "core/store_impl.h"

#include <errno.h>

/* Of a row of a branch: it was not put back. */
#define IS_OUT_OF_LOG                                                                             \
	"NOT EXISTS(SELECT 1 FROM changeset AS c WHERE c.key = (branch.feed << 40 | branch.seq) " \
	"AND c.link = branch.link)"

#define OF_PACK         "SELECT first, last, hash, pack FROM text_pack"
#define OF_FIELD        "record = ?1 AND kind = ?2 AND field = ?3 AND space = ?4"
#define NEXT_IDX(table) "(SELECT coalesce(max(idx), 0) + 1 AS n FROM " table ")"

#define ELEMENT_SUM "row_sum(record, kind, field, space, replica, seq, n, hlc, author, value)"

static const char *const query_sql[QUERY_COUNT] = {
	[QUERY_BEGIN] = "BEGIN IMMEDIATE",
	[QUERY_BEGIN_READ] = "BEGIN DEFERRED",
	[QUERY_COMMIT] = "COMMIT",
	[QUERY_ROLLBACK] = "ROLLBACK",
	[QUERY_DATA_VERSION] = "PRAGMA data_version",
	[QUERY_SETTING_GET] = "SELECT * FROM setting WHERE key = ?1",
	[QUERY_SETTING_PUT] = "REPLACE INTO setting VALUES(?1, ?2, row_sum(?1, ?2))",
	[QUERY_SETTING_DELETE] = "DELETE FROM setting WHERE key = ?1",
	[QUERY_COUNTER_GET] = "SELECT coalesce(max(next), 1) FROM counter WHERE name = ?1",
	[QUERY_COUNTER_SET] = "UPDATE counter SET next = ?2 WHERE name = ?1",
	[QUERY_COUNTER_NEXT] = "INSERT INTO counter VALUES(?1, 2) ON CONFLICT(name) DO UPDATE SET "
			       "next = next + 1 RETURNING next - 1",
	[QUERY_REPLICAS] = "SELECT * FROM replica_index WHERE idx >= ?1 ORDER BY idx",
	[QUERY_REPLICA_ADD] = "INSERT INTO replica_index VALUES(?1, ?2, row_sum(?1, ?2))",
	[QUERY_SPACES] = "SELECT * FROM space_index ORDER BY idx",
	[QUERY_SPACE_ADD] = "INSERT INTO space_index SELECT n, ?1, row_sum(n, ?1) FROM " NEXT_IDX(
		"space_index"),
	[QUERY_FEEDS] = "SELECT * FROM feed ORDER BY idx",
	[QUERY_FEED_ADD] =
		"INSERT INTO feed SELECT n, ?1, ?2, 0, 0, row_sum(n, ?1, ?2, 0, 0) FROM " NEXT_IDX(
			"feed"),
	[QUERY_FEED_SET_DEP] =
		"UPDATE feed SET dep_seq = ?2, sum = row_sum(idx, space, replica, ?2, named_seq) "
		"WHERE idx = ?1",
	[QUERY_FEED_SET_NAMED] =
		"UPDATE feed SET named_seq = ?2, sum = row_sum(idx, space, replica, dep_seq, ?2) "
		"WHERE idx = ?1",
	[QUERY_FEED_HEAD] = "SELECT key, body, signature, link FROM changeset WHERE key > ?1 AND "
			    "key <= ?2 ORDER BY key DESC LIMIT 1",
	[QUERY_APPEND] = "INSERT INTO changeset VALUES(?1, ?2, ?3, ?4)",
	[QUERY_PUT_BACK] = "INSERT OR REPLACE INTO changeset VALUES(?1, ?2, ?3, ?4)",
	[QUERY_READ] = "SELECT key, body, signature, link FROM changeset WHERE key >= ?1 AND "
		       "key <= ?2 ORDER BY key",
	[QUERY_STATEMENT_ADD] = "INSERT INTO statement(id, bytes, verdict) VALUES(?1, ?2, ?3)",
	[QUERY_STATEMENT_HAS] = "SELECT 1 FROM statement WHERE id = ?1",
	[QUERY_STATEMENT_PUT_BACK] =
		"UPDATE statement SET bytes = ?2 WHERE id = ?1 AND bytes <> ?2",
	[QUERY_STATEMENT_JUDGE] = "UPDATE statement SET verdict = ?2 WHERE idx = ?1 AND "
				  "verdict <> ?2",
	[QUERY_STATEMENTS] = "SELECT idx, bytes, verdict FROM statement ORDER BY idx",
	[QUERY_BRANCH_ADD] =
		"INSERT OR IGNORE INTO branch SELECT key >> 40, key & ?3, link, body, "
		"signature, (key & ?3) <= ?4 FROM changeset WHERE key >= ?1 AND key <= ?2",
	[QUERY_BRANCH_PUT] = "INSERT OR IGNORE INTO branch VALUES(?1, ?2, ?3, ?4, ?5, 0)",
	[QUERY_CUT_OFF] = "DELETE FROM changeset WHERE key >= ?1 AND key <= ?2",
	[QUERY_BRANCH_WAITING] = "SELECT coalesce(min(seq), 0) FROM branch WHERE feed = ?1 AND "
				 "NOT is_done AND " IS_OUT_OF_LOG,
	[QUERY_BRANCH_READ] = "SELECT seq, body, signature, link FROM branch WHERE feed = ?1 AND "
			      "seq = ?2 AND NOT is_done AND " IS_OUT_OF_LOG " ORDER BY link",
	[QUERY_BRANCH_PASS] = "UPDATE branch SET is_done = 1 WHERE feed = ?1 AND seq = ?2",
	[QUERY_BRANCH_NEXT] = "SELECT coalesce(min(seq), 0) FROM branch WHERE feed = ?1 AND "
			      "seq > ?2",
	[QUERY_BRANCH_COUNT] = "SELECT count(*) FROM branch WHERE feed = ?1 AND seq = ?2",
	[QUERY_BRANCH_AT] = "SELECT seq, body, signature, link FROM branch WHERE feed = ?1 AND "
			    "seq = ?2 ORDER BY link",
	[QUERY_BRANCH_BACK] = "INSERT INTO changeset SELECT ?4, body, signature, link FROM branch "
			      "WHERE feed = ?1 AND seq = ?2 AND link = ?3",
	[QUERY_BRANCH_DONE] = "UPDATE branch SET is_done = 1 WHERE feed = ?1 AND seq = ?2 "
			      "AND link = ?3",
	[QUERY_BRANCHES] =
		"SELECT feed, min(seq), max(seq) FROM branch WHERE " IS_OUT_OF_LOG " GROUP BY feed",
	[QUERY_BRANCH_FROM] = "SELECT seq, body, signature, link FROM branch WHERE feed = ?1 AND "
			      "seq >= ?2 AND " IS_OUT_OF_LOG " ORDER BY seq, link",
	[QUERY_STATEMENT_DELETE] = "DELETE FROM statement WHERE idx = ?1",
	[QUERY_ELEMENT_ADD] = "INSERT INTO element VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
			      "row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))",
	[QUERY_ELEMENT_REMOVE] =
		"DELETE FROM element WHERE " OF_FIELD " AND replica = ?5 AND seq = ?6 AND n = ?7",
	[QUERY_ELEMENTS] = "SELECT * FROM element WHERE " OF_FIELD,
	[QUERY_ELEMENT_DOTS] = "SELECT replica, max(seq), min(" ELEMENT_SUM " = sum) FROM element "
			       "WHERE record = ?1 AND kind = ?2 AND space = ?3 GROUP BY replica",
	[QUERY_ELEMENTS_NEWEST] =
		"SELECT space, replica, max(seq) FROM element GROUP BY space, replica",
	[QUERY_TEXT_ADD] = "INSERT INTO text_edit VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
			   "?11, ?12, ?13, ?14)",
	[QUERY_TEXT_FIND] = "SELECT at FROM text_edit WHERE " OF_FIELD " AND replica = ?5 AND "
			    "seq = ?6 ORDER BY at DESC LIMIT 1",
	[QUERY_TEXT_NEWEST] =
		"SELECT at FROM text_edit WHERE " OF_FIELD " ORDER BY at DESC LIMIT 1",
	[QUERY_TEXT_BACK] =
		"SELECT at, flags, reach, after FROM text_edit WHERE " OF_FIELD " ORDER BY at DESC",
	[QUERY_TEXT_ROWS] =
		"SELECT at, replica, seq, flags, reach, before, after, parents, edit, "
		"text FROM text_edit WHERE " OF_FIELD " AND at BETWEEN ?5 AND ?6 ORDER BY at",
	[QUERY_TEXT_SIZES] =
		"SELECT at, at, length(parents) + length(edit) + length(text) "
		"FROM text_edit WHERE " OF_FIELD " AND at BETWEEN ?5 AND ?6 ORDER BY at",
	[QUERY_TEXT_DELETE] = "DELETE FROM text_edit WHERE " OF_FIELD " AND at BETWEEN ?5 AND ?6",
	[QUERY_PACK_ADD] = "INSERT INTO text_pack VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[QUERY_PACKS] = OF_PACK " WHERE " OF_FIELD " AND last >= ?5 ORDER BY last",
	[QUERY_PACKS_BACK] = OF_PACK " WHERE " OF_FIELD " ORDER BY last DESC",
	[QUERY_PACK_SIZES] = "SELECT first, last, size FROM text_pack WHERE " OF_FIELD
			     " AND last BETWEEN ?5 AND ?6 ORDER BY last",
	[QUERY_PACK_DELETE] = "DELETE FROM text_pack WHERE " OF_FIELD " AND last BETWEEN ?5 AND ?6",
	[QUERY_PIECES] =
		"SELECT key, points FROM text_piece WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
	[QUERY_PIECE_TEXTS] =
		"SELECT text, points FROM text_piece WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
	[QUERY_PIECE_PUT] = "REPLACE INTO text_piece VALUES(?1, ?2, ?3, ?4)",
	[QUERY_PIECE_DELETE] = "DELETE FROM text_piece WHERE key = ?1",
	[QUERY_PIECE_NEWEST] = "SELECT coalesce(max(key), 0) FROM text_piece",
	[QUERY_CONFLICT_PUT] = "INSERT OR IGNORE INTO conflict VALUES(?1, ?2, ?3, ?4, "
			       "row_sum(?1, ?2, ?3, ?4))",
	[QUERY_CONFLICT_DELETE] = "DELETE FROM conflict WHERE " OF_FIELD,
};

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
	{ SQLITE_CONSTRAINT, ERR_CORRUPT, NULL },
	{ SQLITE_MISMATCH, ERR_CORRUPT, NULL },
	{ SQLITE_NOMEM, ERR_NOMEM, NULL },
	{ SQLITE_TOOBIG, ERR_LIMIT, NULL },
};

/* With nothing left not even the file beside the log can be made that all its readers share. */
static int cause_of(struct store *s, int result)
{
	bool is_full = (result & 0xff) == SQLITE_IOERR && !store_is_failure(result) &&
		       sqlite3_system_errno(s->db) == ENOSPC;

	return is_full ? SQLITE_FULL : result & 0xff;
}

enum err store_error(struct store *s, int result, const char *what, struct errmsg *msg)
{
	const char *words = sqlite3_errmsg(s->db);
	int cause = cause_of(s, result);
	enum err rc = ERR_IO;

	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (results[i].result != cause)
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

enum err store_damaged(const struct store *s, const char *what, struct errmsg *msg)
{
	return errmsg_set(msg, ERR_CORRUPT, "%s: %s is damaged", s->path, what);
}

static sqlite3_stmt *prepare(struct store *s, const char *sql, enum err *rc, struct errmsg *msg)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

	*rc = result == SQLITE_OK ? OK : store_error(s, result, "prepare", msg);
	return stmt;
}

sqlite3_stmt *store_query(struct store *s, enum query which, enum err *rc, struct errmsg *msg)
{
	*rc = OK;
	if (!s->queries[which])
		s->queries[which] = prepare(s, query_sql[which], rc, msg);
	return s->queries[which];
}

sqlite3_stmt *store_kind_query(struct store *s, const struct kind *kind, enum kind_query which,
			       enum err *rc, struct errmsg *msg)
{
	sqlite3_stmt **slot = &s->kinds[schema_kind_index(kind)][which];
	struct buf sql = BUF_EMPTY;

	*rc = OK;
	if (*slot)
		return *slot;
	schema_sql_query(&sql, kind, which);
	buf_append_byte(&sql, 0);
	*rc = buf_check(&sql);
	if (*rc == OK)
		*slot = prepare(s, (const char *)sql.data, rc, msg);
	buf_release(&sql);
	return *slot;
}

void store_forget_kind_queries(struct store *s)
{
	size_t count;

	schema_kinds(&count);
	for (size_t i = 0; s->kinds && i < count; i++) {
		for (int k = 0; k < KIND_QUERY_COUNT; k++) {
			sqlite3_finalize(s->kinds[i][k]);
			s->kinds[i][k] = NULL;
		}
	}
}

void store_forget_queries(struct store *s)
{
	for (int i = 0; i < QUERY_COUNT; i++) {
		sqlite3_finalize(s->queries[i]);
		s->queries[i] = NULL;
	}
	store_forget_kind_queries(s);
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

enum err store_run_query(struct store *s, enum query which, const char *what, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, which, &rc, msg);

	return rc == OK ? store_run(s, stmt, what, msg) : rc;
}

enum err store_each_row(struct store *s, sqlite3_stmt *stmt, const char *what,
			enum err (*each)(void *ctx, sqlite3_stmt *row), void *ctx,
			struct errmsg *msg)
{
	enum err rc = OK;
	int result = SQLITE_DONE;

	while (rc == OK && (result = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = each(ctx, stmt);
	if (rc == OK && result != SQLITE_DONE)
		rc = store_error(s, result, what, msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_each(struct store *s, enum query which, const char *what,
		    enum err (*each)(void *ctx, sqlite3_stmt *row), void *ctx, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, which, &rc, msg);

	return rc == OK ? store_each_row(s, stmt, what, each, ctx, msg) : rc;
}

enum err store_step_int(struct store *s, sqlite3_stmt *stmt, const char *what, int64_t *out,
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

enum err store_pragma_int(struct store *s, const char *sql, int64_t *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = prepare(s, sql, &rc, msg);

	if (rc == OK)
		rc = store_step_int(s, stmt, sql, out, msg);
	sqlite3_finalize(stmt);
	return rc;
}

enum err store_exec(struct store *s, const char *sql, struct errmsg *msg)
{
	int result = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK ? OK : store_error(s, result, "execute", msg);
}

enum err store_exec_buf(struct store *s, struct buf *sql, struct errmsg *msg)
{
	enum err rc;

	buf_append_byte(sql, 0);
	rc = buf_check(sql);
	if (rc == OK)
		rc = store_exec(s, (const char *)sql->data, msg);
	buf_release(sql);
	return rc;
}
