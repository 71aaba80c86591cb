/* Statements of membership. */
#include "core/store_impl.h"

enum err store_statement_add(struct store *s, const struct statement_id *id, struct bytes encoded,
			     enum verdict verdict, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_STATEMENT_ADD, &rc, msg);

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
	sqlite3_stmt *stmt = store_query(s, QUERY_STATEMENT_HAS, &rc, msg);
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

enum err store_statement_put_back(struct store *s, const struct statement_id *id,
				  struct bytes encoded, bool *was_other, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_STATEMENT_PUT_BACK, &rc, msg);

	if (rc != OK)
		return rc;
	bind_bytes(stmt, 1, bytes_of(id->bytes, STATEMENT_ID_BYTES));
	bind_bytes(stmt, 2, encoded);
	rc = store_run(s, stmt, "put a statement back", msg);
	if (rc == OK)
		*was_other = sqlite3_changes(s->db) > 0;
	return rc;
}

enum err store_statement_judge(struct store *s, int64_t idx, enum verdict verdict,
			       struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_STATEMENT_JUDGE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, idx);
	sqlite3_bind_int(stmt, 2, (int)verdict);
	return store_run(s, stmt, "judge a statement", msg);
}

enum err store_statement_delete(struct store *s, int64_t idx, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_STATEMENT_DELETE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, idx);
	return store_run(s, stmt, "drop a statement", msg);
}

struct statement_visit {
	const struct store *store;
	enum err (*each)(void *ctx, int64_t idx, struct bytes encoded, enum verdict verdict);
	void *ctx;
	struct errmsg *msg;
};

static enum err visit_statement(void *ctx, sqlite3_stmt *row)
{
	struct statement_visit *v = ctx;
	int verdict = sqlite3_column_int(row, 2);

	if (verdict < 0 || verdict >= VERDICT_COUNT)
		return store_damaged(v->store, "a verdict", v->msg);
	return v->each(v->ctx, sqlite3_column_int64(row, 0), column_bytes(row, 1),
		       (enum verdict)verdict);
}

enum err store_each_statement(struct store *s,
			      enum err (*each)(void *ctx, int64_t idx, struct bytes encoded,
					       enum verdict verdict),
			      void *ctx, struct errmsg *msg)
{
	struct statement_visit v = { s, each, ctx, msg };

	return store_each(s, QUERY_STATEMENTS, "read statements", visit_statement, &v, msg);
}
