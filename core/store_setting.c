/* Settings and counters: local, never replicated. */
#include "core/store_impl.h"

enum err store_setting_get(struct store *s, const char *key, struct buf *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_SETTING_GET, &rc, msg);
	struct bytes value;
	int result;

	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW && !row_is_whole(stmt)) {
		rc = errmsg_set(msg, ERR_CORRUPT, "%s: the setting %s is damaged", s->path, key);
	} else if (result == SQLITE_ROW) {
		value = column_bytes(stmt, 1);
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
		stmt = store_query(s, value ? QUERY_SETTING_PUT : QUERY_SETTING_DELETE, &rc, msg);
	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	if (value)
		bind_bytes(stmt, 2, *value);
	return store_run(s, stmt, "write a setting", msg);
}

static enum err step_counter(struct store *s, enum query which, const char *name, uint64_t *out,
			     struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, which, &rc, msg);
	int64_t next = 0;

	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = store_step_int(s, stmt, "count", &next, msg);
	if (rc == OK)
		*out = (uint64_t)next;
	return rc;
}

enum err store_counter_next(struct store *s, const char *name, uint64_t *out, struct errmsg *msg)
{
	return step_counter(s, QUERY_COUNTER_NEXT, name, out, msg);
}

enum err store_counter_get(struct store *s, const char *name, uint64_t *out, struct errmsg *msg)
{
	return step_counter(s, QUERY_COUNTER_GET, name, out, msg);
}

enum err store_counter_set(struct store *s, const char *name, uint64_t next, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_COUNTER_SET, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, (int64_t)next);
	return store_run(s, stmt, "count", msg);
}
