/* Branches: what was moved out of the log (M-16). */
#include "core/store_impl.h"

#include "core/limits.h"

enum err store_branch_off(struct store *s, uint32_t feed, uint64_t seq, uint64_t done_to,
			  struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *add = store_query(s, QUERY_BRANCH_ADD, &rc, msg), *cut = NULL;

	if (rc == OK)
		cut = store_query(s, QUERY_CUT_OFF, &rc, msg);
	if (rc != OK)
		return rc;
	sqlite3_bind_int64(add, 1, changeset_key(feed, seq));
	sqlite3_bind_int64(add, 2, changeset_key(feed, SEQ_MAX));
	sqlite3_bind_int64(add, 3, (int64_t)SEQ_MAX);
	sqlite3_bind_int64(add, 4, (int64_t)done_to);
	sqlite3_bind_int64(cut, 1, changeset_key(feed, seq));
	sqlite3_bind_int64(cut, 2, changeset_key(feed, SEQ_MAX));
	rc = store_run(s, add, "keep a branch", msg);
	return rc == OK ? store_run(s, cut, "cut a branch off", msg) : rc;
}

enum err store_branch_put(struct store *s, uint32_t feed, const struct stored *row,
			  struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_BRANCH_PUT, &rc, msg);

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

static bool is_seq(int64_t number)
{
	return number >= 0 && number <= (int64_t)SEQ_MAX;
}

/* Rows that are damaged may claim any seq; nobody counts up to those. */
static uint64_t column_seq(sqlite3_stmt *row, int column)
{
	int64_t number = sqlite3_column_int64(row, column);

	return is_seq(number) ? (uint64_t)number : number < 0 ? 0 : SEQ_MAX;
}

static enum err visit_branch(void *ctx, sqlite3_stmt *row)
{
	struct branch_visit *v = ctx;

	return v->each(v->ctx, (uint32_t)sqlite3_column_int64(row, 0), column_seq(row, 1),
		       column_seq(row, 2));
}

enum err store_each_branch(struct store *s,
			   enum err (*each)(void *ctx, uint32_t feed, uint64_t first,
					    uint64_t last),
			   void *ctx, struct errmsg *msg)
{
	struct branch_visit v = { each, ctx };

	return store_each(s, QUERY_BRANCHES, "read branches", visit_branch, &v, msg);
}

/* A figure of a branch by a query whose arguments are the feed and a seq, or the feed alone. */
static enum err figure(struct store *s, enum query which, uint32_t feed, uint64_t seq,
		       uint64_t *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, which, &rc, msg);
	int64_t value = 0;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	if (which != QUERY_BRANCH_WAITING)
		sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	rc = store_step_int(s, stmt, "look at a branch", &value, msg);
	if (rc == OK)
		*out = (uint64_t)value;
	return rc;
}

enum err store_branch_waiting(struct store *s, uint32_t feed, uint64_t *out, struct errmsg *msg)
{
	return figure(s, QUERY_BRANCH_WAITING, feed, 0, out, msg);
}

enum err store_branch_next(struct store *s, uint32_t feed, uint64_t seq, uint64_t *out,
			   struct errmsg *msg)
{
	enum err rc = figure(s, QUERY_BRANCH_NEXT, feed, seq, out, msg);

	/* One that is no integer comes after all that are, for ever. */
	if (rc == OK && *out <= seq)
		*out = 0;
	return rc;
}

enum err store_branch_count(struct store *s, uint32_t feed, uint64_t seq, uint64_t *out,
			    struct errmsg *msg)
{
	return figure(s, QUERY_BRANCH_COUNT, feed, seq, out, msg);
}

/* Rows of a branch by a query whose arguments are the feed and a seq. */
static enum err read_branch(struct store *s, enum query which, uint32_t feed, uint64_t seq,
			    size_t count_max, struct arena *arena, struct stored *out,
			    size_t *count, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, which, &rc, msg);
	size_t got = 0;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	while (rc == OK && got < count_max && (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = is_seq(sqlite3_column_int64(stmt, 0))
			     ? store_copy_row(s, stmt, arena, &out[got], NULL)
			     : ERR_CORRUPT;
		got += rc == OK;
		if (rc == ERR_CORRUPT)
			rc = OK;
	}
	if (rc == OK && result != SQLITE_ROW && result != SQLITE_DONE)
		rc = store_error(s, result, "read a branch", msg);
	sqlite3_reset(stmt);
	if (rc == OK)
		*count = got;
	return rc;
}

enum err store_read_branch(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
			   struct arena *arena, struct stored *out, size_t *count,
			   struct errmsg *msg)
{
	return read_branch(s, QUERY_BRANCH_READ, feed, seq, count_max, arena, out, count, msg);
}

enum err store_read_branch_from(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
				struct arena *arena, struct stored *out, size_t *count,
				struct errmsg *msg)
{
	return read_branch(s, QUERY_BRANCH_FROM, feed, seq, count_max, arena, out, count, msg);
}

enum err store_read_branch_at(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
			      struct arena *arena, struct stored *out, size_t *count,
			      struct errmsg *msg)
{
	return read_branch(s, QUERY_BRANCH_AT, feed, seq, count_max, arena, out, count, msg);
}

enum err store_branch_back(struct store *s, uint32_t feed, uint64_t seq,
			   const uint8_t link[LINK_BYTES], struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_BRANCH_BACK, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	bind_bytes(stmt, 3, bytes_of(link, LINK_BYTES));
	sqlite3_bind_int64(stmt, 4, changeset_key(feed, seq));
	return store_run(s, stmt, "put a branch back", msg);
}

enum err store_branch_done(struct store *s, uint32_t feed, const struct stored *row,
			   struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_BRANCH_DONE, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)row->seq);
	bind_bytes(stmt, 3, bytes_of(row->link, LINK_BYTES));
	return store_run(s, stmt, "note what was written again", msg);
}

enum err store_branch_pass(struct store *s, uint32_t feed, uint64_t seq, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_BRANCH_PASS, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)seq);
	return store_run(s, stmt, "pass over a branch", msg);
}
