/* Statements of membership, and what forks leave behind. */
#include <stdio.h>

#include "core/limits.h"
#include "core/store_impl.h"

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

enum err store_statement_add(struct store *s, const struct statement_id *id, struct bytes encoded,
			     enum verdict verdict, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_STATEMENT_ADD, &rc, msg);

	if (rc != OK)
		return rc;
	bind_bytes(stmt, 1, bytes_of(id->bytes, STATEMENT_ID_BYTES));
	bind_bytes(stmt, 2, encoded);
	sqlite3_bind_int(stmt, 3, (int)verdict);
	return store_run(s, stmt, "add a statement", msg);
}

enum err store_statement_has(struct store *s, const struct statement_id *id, bool *has,
			     struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_STATEMENT_HAS, &rc, msg);
	int result;

	if (rc != OK)
		return rc;
	bind_bytes(stmt, 1, bytes_of(id->bytes, STATEMENT_ID_BYTES));
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW || result == SQLITE_DONE)
		*has = result == SQLITE_ROW;
	else
		rc = store_error(s, result, "look for a statement", msg);
	sqlite3_reset(stmt);
	return rc;
}

enum err store_statement_judge(struct store *s, int64_t idx, enum verdict verdict,
			       struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_STATEMENT_JUDGE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, idx);
	sqlite3_bind_int(stmt, 2, (int)verdict);
	return store_run(s, stmt, "judge a statement", msg);
}

enum err store_statement_delete(struct store *s, int64_t idx, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_STATEMENT_DELETE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, idx);
	return store_run(s, stmt, "drop a statement", msg);
}

struct statement_visit {
	enum err (*each)(void *ctx, int64_t idx, struct bytes encoded, enum verdict verdict);
	void *ctx;
};

static enum err visit_statement(void *ctx, sqlite3_stmt *row)
{
	struct statement_visit *v = ctx;
	int verdict = sqlite3_column_int(row, 2);

	if (verdict < 0 || verdict >= VERDICT_COUNT)
		return ERR_CORRUPT;
	return v->each(v->ctx, sqlite3_column_int64(row, 0), column_bytes(row, 1),
		       (enum verdict)verdict);
}

enum err store_each_statement(struct store *s,
			      enum err (*each)(void *ctx, int64_t idx, struct bytes encoded,
					       enum verdict verdict),
			      void *ctx, struct errmsg *msg)
{
	struct statement_visit v = { each, ctx };
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_STATEMENTS, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, 0);
	return store_each_row(s, stmt, "read statements", visit_statement, &v, msg);
}

static enum err run_on_tail(struct store *s, enum query which, uint32_t feed, uint64_t seq,
			    const char *what, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, which, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, changeset_key(feed, seq));
	sqlite3_bind_int64(stmt, 2, changeset_key(feed, SEQ_MAX));
	if (which == STMT_BRANCH_ADD)
		sqlite3_bind_int64(stmt, 3, (int64_t)SEQ_MAX);
	return store_run(s, stmt, what, msg);
}

enum err store_branch_off(struct store *s, uint32_t feed, uint64_t seq, struct errmsg *msg)
{
	enum err rc = run_on_tail(s, STMT_BRANCH_ADD, feed, seq, "keep a branch", msg);

	return rc == OK ? run_on_tail(s, STMT_CUT_OFF, feed, seq, "cut a branch off", msg) : rc;
}

enum err store_branch_put(struct store *s, uint32_t feed, const struct stored *row,
			  struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_BRANCH_PUT, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)row->seq);
	bind_bytes(stmt, 3, bytes_of(row->link, LINK_BYTES));
	bind_bytes(stmt, 4, row->body);
	bind_bytes(stmt, 5, bytes_of(row->signature, SIGNATURE_BYTES));
	return store_run(s, stmt, "keep a changeset", msg);
}

struct branch_visit {
	enum err (*each)(void *ctx, uint32_t feed, uint64_t first, uint64_t last);
	void *ctx;
};

static enum err visit_branch(void *ctx, sqlite3_stmt *row)
{
	struct branch_visit *v = ctx;

	return v->each(v->ctx, (uint32_t)sqlite3_column_int64(row, 0),
		       (uint64_t)sqlite3_column_int64(row, 1),
		       (uint64_t)sqlite3_column_int64(row, 2));
}

enum err store_each_branch(struct store *s,
			   enum err (*each)(void *ctx, uint32_t feed, uint64_t first,
					    uint64_t last),
			   void *ctx, struct errmsg *msg)
{
	struct branch_visit v = { each, ctx };
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_BRANCHES, &rc, msg);

	return rc == OK ? store_each_row(s, stmt, "read branches", visit_branch, &v, msg) : rc;
}

/* Rows of a branch by a query whose arguments are the feed and a seq. */
static enum err read_branch(struct store *s, enum query which, uint32_t feed, uint64_t seq,
			    size_t count_max, struct arena *arena, struct stored *out,
			    size_t *count, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, which, &rc, msg);
	size_t got = 0;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	if (which != STMT_BRANCH_READ)
		sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	while (rc == OK && got < count_max && (result = sqlite3_step(stmt)) == SQLITE_ROW)
		rc = store_copy_row(s, stmt, arena, &out[got++], msg);
	if (rc == OK && result != SQLITE_ROW && result != SQLITE_DONE)
		rc = store_error(s, result, "read a branch", msg);
	sqlite3_reset(stmt);
	if (rc == OK)
		*count = got;
	return rc;
}

enum err store_read_branch(struct store *s, uint32_t feed, size_t count_max, struct arena *arena,
			   struct stored *out, size_t *count, struct errmsg *msg)
{
	return read_branch(s, STMT_BRANCH_READ, feed, 0, count_max, arena, out, count, msg);
}

enum err store_read_branch_from(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
				struct arena *arena, struct stored *out, size_t *count,
				struct errmsg *msg)
{
	return read_branch(s, STMT_BRANCH_FROM, feed, seq, count_max, arena, out, count, msg);
}

enum err store_read_branch_at(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
			      struct arena *arena, struct stored *out, size_t *count,
			      struct errmsg *msg)
{
	return read_branch(s, STMT_BRANCH_AT, feed, seq, count_max, arena, out, count, msg);
}

enum err store_branch_back(struct store *s, uint32_t feed, uint64_t seq,
			   const uint8_t link[LINK_BYTES], struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_BRANCH_BACK, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	bind_bytes(stmt, 3, bytes_of(link, LINK_BYTES));
	sqlite3_bind_int64(stmt, 4, changeset_key(feed, seq));
	return store_run(s, stmt, "put a branch back", msg);
}

enum err store_branch_done(struct store *s, uint32_t feed, uint64_t seq, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_statement(s, STMT_BRANCH_DONE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	return store_run(s, stmt, "note what was written again", msg);
}

static enum err clear_table(struct store *s, const char *table, uint32_t space, struct errmsg *msg)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE space = %u", table, space);
	return store_exec(s, sql, msg);
}

enum err store_clear_space(struct store *s, uint32_t space, struct errmsg *msg)
{
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	enum err rc = clear_table(s, "element", space, msg);
	char table[64];

	if (rc == OK)
		rc = clear_table(s, "conflict", space, msg);
	for (size_t i = 0; rc == OK && i < count; i++) {
		snprintf(table, sizeof(table), "r_%s", kinds[i].name);
		rc = clear_table(s, table, space, msg);
	}
	return rc;
}
