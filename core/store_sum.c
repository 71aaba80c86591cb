/* Sums: what is stored and nobody signs has a sum of its row beside it, so that a changed byte of
 * it shows before anything is made of it. Not against an attacker, who would write another sum. */
#include "core/store_impl.h"

#include <endian.h>

/* MurmurHash64A (Austin Appleby), of whole words. With either side fixed each step is a bijection
 * of the other: what changes within one word always shows. */
static const uint64_t multiplier = 0xc6a4a7935bd1e995;

static uint64_t add_word(uint64_t sum, uint64_t word)
{
	word *= multiplier;
	word ^= word >> 47;
	word *= multiplier;
	return (sum ^ word) * multiplier;
}

static uint64_t add_bytes(uint64_t sum, struct bytes data)
{
	uint64_t word;

	for (; data.size >= sizeof(word); data.data += sizeof(word), data.size -= sizeof(word)) {
		memcpy(&word, data.data, sizeof(word));
		sum = add_word(sum, le64toh(word));
	}
	if (data.size == 0)
		return sum;
	word = 0;
	memcpy(&word, data.data, data.size);
	return add_word(sum, le64toh(word));
}

/* With its type, and its size if it has bytes, so that no two rows read the same. */
static uint64_t add_value(uint64_t sum, int type, int64_t number, struct bytes data)
{
	sum = add_word(sum, (uint64_t)type);
	sum = add_word(sum, (uint64_t)number);
	return add_bytes(sum, data);
}

static uint64_t add_number(uint64_t sum, int type, int64_t number)
{
	return add_value(sum, type, number, bytes_of(NULL, 0));
}

static uint64_t add_data(uint64_t sum, int type, struct bytes data)
{
	return add_value(sum, type, (int64_t)data.size, data);
}

/* As SQLite has it. */
static uint64_t add_stored(uint64_t sum, sqlite3_value *value)
{
	int type = sqlite3_value_type(value);
	const void *data;

	if (type == SQLITE_INTEGER)
		return add_number(sum, type, sqlite3_value_int64(value));
	data = type == SQLITE_TEXT || type == SQLITE_BLOB ? sqlite3_value_blob(value) : NULL;
	/* Also where there is no memory for it: then SQLite says so. */
	if (!data)
		return add_number(sum, type, 0);
	return add_data(sum, type, bytes_of(data, (size_t)sqlite3_value_bytes(value)));
}

/* As bind_value() hands it to SQLite. */
static uint64_t add_bound(uint64_t sum, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL: break;
	case VALUE_INT: return add_number(sum, SQLITE_INTEGER, value->number);
	case VALUE_TEXT: return add_data(sum, SQLITE_TEXT, value->bytes);
	case VALUE_REF: return add_data(sum, SQLITE_BLOB, bytes_of(value->ref.bytes, ID_BYTES));
	case VALUE_BYTES:
	case VALUE_RAW: return add_data(sum, SQLITE_BLOB, value->bytes);
	}
	return add_number(sum, SQLITE_NULL, 0);
}

static int64_t finish(uint64_t sum)
{
	sum ^= sum >> 47;
	sum *= multiplier;
	return (int64_t)(sum ^ sum >> 47);
}

void summed_bind(struct summed_row *row, const struct value *value)
{
	bind_value(row->stmt, ++row->bound, value);
	row->sum = add_bound(row->sum, value);
}

void summed_end(struct summed_row *row)
{
	sqlite3_bind_int64(row->stmt, ++row->bound, finish(row->sum));
}

bool row_is_whole(sqlite3_stmt *row)
{
	int last = sqlite3_column_count(row) - 1;
	uint64_t sum = 0;

	for (int i = 0; i < last; i++)
		sum = add_stored(sum, sqlite3_column_value(row, i));
	return sqlite3_column_type(row, last) == SQLITE_INTEGER &&
	       sqlite3_column_int64(row, last) == finish(sum);
}

static void row_sum(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	uint64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum = add_stored(sum, values[i]);
	sqlite3_result_int64(ctx, finish(sum));
}

enum err store_know_sums(struct store *s, struct errmsg *msg)
{
	int result = sqlite3_create_function_v2(
		s->db, "row_sum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
		row_sum, NULL, NULL, NULL);

	return result == SQLITE_OK ? OK : store_error(s, result, "open", msg);
}

/* The table's columns but the sum, as they stand in it; none: it has no sum. */
static enum err list_columns(struct store *s, const char *table, struct buf *out,
			     struct errmsg *msg)
{
	static const char sql[] =
		"SELECT group_concat('\"' || name || '\"') FROM pragma_table_info(?1) "
		"WHERE name <> 'sum' AND EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = "
		"'sum')";
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
