#include "tests/support/spoil.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMES_MAX = 8 };

enum change { TO_NULL, TO_INTEGER, TO_TEXT, TO_BYTES, TO_XOR, TO_NOTHING, CHANGE_COUNT };

struct spoiling {
	size_t column, row;
	enum change change;
	struct bytes bytes;
};

static void must(int result)
{
	if (result != SQLITE_OK)
		abort();
}

static bool take_one(struct bytes *input, size_t column_count, struct spoiling *out)
{
	size_t size;

	if (input->size < 4)
		return false;
	*out = (struct spoiling){ .column = input->data[0] % column_count,
				  .row = input->data[1],
				  .change = (enum change)((input->data[2] & 7) % CHANGE_COUNT) };
	size = input->data[3];
	*input = bytes_of(input->data + 4, input->size - 4);
	if (size > input->size)
		size = input->size;
	out->bytes = bytes_of(input->data, size);
	*input = bytes_of(input->data + size, input->size - size);
	return true;
}

/* Big-endian. */
static int64_t integer_of(struct bytes bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes.size && i < 8; i++)
		value = value << 8 | bytes.data[i];
	return (int64_t)value;
}

/* SQL function spoil(old, new, is_xor): new, or old with the bytes of new added by xor. */
static void spoil(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	const uint8_t *mask = sqlite3_value_blob(values[1]);
	const uint8_t *old = sqlite3_value_blob(values[0]);
	int size = sqlite3_value_bytes(values[0]), mask_size = sqlite3_value_bytes(values[1]);
	struct buf out = BUF_EMPTY;

	if (!sqlite3_value_int(values[2])) {
		sqlite3_result_value(ctx, values[1]);
		return;
	}
	if (size)
		buf_append(&out, old, (size_t)size);
	for (int i = 0; i < size && i < mask_size; i++)
		out.data[i] ^= mask[i];
	sqlite3_result_blob(ctx, out.size ? (void *)out.data : "", size, SQLITE_TRANSIENT);
	buf_release(&out);
}

static void bind_change(sqlite3_stmt *stmt, const struct spoiling *d)
{
	const void *data = d->bytes.size ? (const void *)d->bytes.data : "";
	int size = (int)d->bytes.size;

	switch (d->change) {
	case TO_INTEGER: sqlite3_bind_int64(stmt, 2, integer_of(d->bytes)); break;
	case TO_TEXT: sqlite3_bind_text(stmt, 2, data, size, SQLITE_STATIC); break;
	case TO_BYTES:
	case TO_XOR: sqlite3_bind_blob(stmt, 2, data, size, SQLITE_STATIC); break;
	default: break;
	}
}

static void spoil_one(sqlite3 *db, const struct spoil_column *c, const struct spoiling *d)
{
	char sql[512], row[256];
	sqlite3_stmt *stmt;

	snprintf(row, sizeof(row),
		 "WHERE %s = (SELECT %s FROM %s ORDER BY %s LIMIT 1 OFFSET ?1 %% (SELECT "
		 "max(1, count(*)) FROM %s))",
		 c->key, c->key, c->table, c->key, c->table);
	if (d->change == TO_NOTHING)
		snprintf(sql, sizeof(sql), "DELETE FROM %s %s", c->table, row);
	else
		snprintf(sql, sizeof(sql), "UPDATE OR IGNORE %s SET %s = spoil(%s, ?2, %d) %s",
			 c->table, c->column, c->column, d->change == TO_XOR, row);
	must(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
	sqlite3_bind_int64(stmt, 1, (int64_t)d->row);
	bind_change(stmt, d);
	sqlite3_step(stmt);
	sqlite3_finalize(stmt);
}

void spoil_cells(sqlite3 *db, const struct spoil_column *columns, size_t count, struct bytes input)
{
	struct spoiling d;

	must(sqlite3_create_function(db, "spoil", 3, SQLITE_UTF8, NULL, spoil, NULL, NULL));
	for (int i = 0; i < TIMES_MAX && take_one(&input, count, &d); i++)
		spoil_one(db, &columns[d.column], &d);
}
