/* Sums: what is stored and nobody signs has a sum of its row beside it, so that a changed byte of
 * it shows before anything is made of it. Not against an attacker, who would write another sum. */
#include "core/store_impl.h"

#include <sodium.h>

/* A row's values, gathered in a block; each block's sum is in the key of the next one's. */
struct summing {
	uint8_t key[crypto_shorthash_KEYBYTES];
	uint8_t block[256];
	size_t used;
};

static void close_block(struct summing *s)
{
	uint8_t sum[crypto_shorthash_BYTES];

	crypto_shorthash(sum, s->block, s->used, s->key);
	memcpy(s->key, sum, sizeof(sum));
	s->used = 0;
}

static void add(struct summing *s, const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size) {
		size_t room = sizeof(s->block) - s->used, part = size < room ? size : room;

		memcpy(s->block + s->used, from, part);
		s->used += part;
		from += part;
		size -= part;
		if (s->used == sizeof(s->block))
			close_block(s);
	}
}

/* With its type and size, so that no two rows read the same. */
static void add_value(struct summing *s, sqlite3_value *value)
{
	struct {
		int64_t type, number;
	} head = { sqlite3_value_type(value), 0 };
	const void *data = NULL;

	if (head.type == SQLITE_TEXT || head.type == SQLITE_BLOB) {
		data = sqlite3_value_blob(value);
		head.number = sqlite3_value_bytes(value);
	} else if (head.type == SQLITE_INTEGER) {
		head.number = sqlite3_value_int64(value);
	}
	add(s, &head, sizeof(head));
	if (data)
		add(s, data, (size_t)head.number);
}

static void row_sum(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	struct summing s = { .used = 0 };
	sqlite3_int64 sum;

	for (int i = 0; i < count; i++)
		add_value(&s, values[i]);
	close_block(&s);
	memcpy(&sum, s.key, sizeof(sum));
	sqlite3_result_int64(ctx, sum);
}

enum err store_know_sums(struct store *s, struct errmsg *msg)
{
	int result = sqlite3_create_function_v2(
		s->db, "row_sum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
		row_sum, NULL, NULL, NULL);

	return result == SQLITE_OK ? OK : store_error(s, result, "open", msg);
}

bool column_is_whole(sqlite3_stmt *row, int column)
{
	return sqlite3_column_int64(row, column) == 1;
}

/* The table's columns but the sum, as they stand in it; none: it has no sum. */
static enum err list_columns(struct store *s, const char *table, struct buf *out,
			     struct errmsg *msg)
{
	static const char sql[] =
		"SELECT group_concat('\"' || name || '\"') FROM pragma_table_info(?1) WHERE name "
		"<> "
		"'sum' AND EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = 'sum')";
	struct value name = value_str(table);
	struct rows *rows;
	enum err rc = store_rows_open(&rows, s, sql, &name, 1, msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows))
		buf_append_str(out, rows_text(rows, 0));
	return rows_close(rows, msg);
}

/* What the statements say together is compared with them, and made anew (membership_check.h). */
static const char *left_out(const char *table)
{
	return strcmp(table, "setting") == 0 ? " AND key <> 'trust'" : "";
}

enum err store_check_sums(struct store *s, const char *table, struct errmsg *msg)
{
	struct buf columns = BUF_EMPTY, sql = BUF_EMPTY;
	int64_t count = 0;
	enum err rc = list_columns(s, table, &columns, msg);

	if (rc == OK && columns.size) {
		buf_append_byte(&columns, 0);
		buf_printf(&sql, "SELECT count(*) FROM \"%s\" WHERE row_sum(%s) IS NOT sum%s",
			   table, (const char *)columns.data, left_out(table));
		buf_append_byte(&sql, 0);
		rc = buf_check(&columns) || buf_check(&sql) ? ERR_NOMEM : OK;
		if (rc == OK)
			rc = store_pragma_int(s, (const char *)sql.data, &count, msg);
	}
	buf_release(&columns);
	buf_release(&sql);
	if (rc == OK && count)
		rc = errmsg_set(msg, ERR_CORRUPT, "%s: rows of %s that are damaged: %lld", s->path,
				table, (long long)count);
	return rc;
}
