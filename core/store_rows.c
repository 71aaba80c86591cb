/* Rows of any query, for readers. */
#include "core/store_impl.h"

#include <stdlib.h>

struct rows {
	struct store *store;
	sqlite3_stmt *stmt;
	int result;
};

enum err store_rows_open(struct rows **out, struct store *s, const char *sql,
			 const struct value *args, size_t arg_count, struct errmsg *msg)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return ERR_NOMEM;
	rows->store = s;
	rows->result = sqlite3_prepare_v2(s->db, sql, -1, &rows->stmt, NULL);
	if (rows->result != SQLITE_OK)
		return rows_close(rows, msg);
	if (!sqlite3_stmt_readonly(rows->stmt)) {
		rows->result = SQLITE_OK;
		return rows_close(rows, NULL) == OK
			       ? errmsg_set(msg, ERR_INVALID, "not a query: %s", sql)
			       : ERR_INVALID;
	}
	for (size_t i = 0; i < arg_count; i++)
		bind_value(rows->stmt, (int)i + 1, &args[i]);
	*out = rows;
	return OK;
}

bool rows_next(struct rows *rows)
{
	/* After the end SQLite would begin again. */
	if (rows->result == SQLITE_OK || rows->result == SQLITE_ROW)
		rows->result = sqlite3_step(rows->stmt);
	return rows->result == SQLITE_ROW;
}

int64_t rows_int(struct rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

const char *rows_text(struct rows *rows, int column)
{
	const char *text = (const char *)sqlite3_column_text(rows->stmt, column);

	return text ? text : "";
}

bool rows_is_null(struct rows *rows, int column)
{
	return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

struct bytes rows_bytes(struct rows *rows, int column)
{
	return column_bytes(rows->stmt, column);
}

struct record_id rows_id(struct rows *rows, int column)
{
	struct bytes data = column_bytes(rows->stmt, column);
	struct record_id id = { 0 };

	if (data.size == ID_BYTES)
		memcpy(id.bytes, data.data, ID_BYTES);
	return id;
}

enum err rows_close(struct rows *rows, struct errmsg *msg)
{
	enum err rc = OK;

	if (rows->result != SQLITE_ROW && rows->result != SQLITE_DONE && rows->result != SQLITE_OK)
		rc = store_error(rows->store, rows->result, "query", msg);
	sqlite3_finalize(rows->stmt);
	free(rows);
	return rc;
}
