/* Values of ours as parameters and columns of SQLite's. */
#include "core/store_impl.h"

#include "core/utf8.h"

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

static struct value row_bytes(struct row *row, int column, enum value_type type)
{
	struct bytes data = arena_copy(row->arena, column_bytes(row->stmt, column));

	if (!data.data)
		row->rc = ERR_NOMEM;
	return (struct value){ .type = type, .bytes = data };
}

/* Whatever a text is used for counts on it: SQLite lets any bytes be one. */
static struct value row_text(struct row *row, int column)
{
	struct value value = row_bytes(row, column, VALUE_TEXT);

	if (row->rc == OK && !utf8_is_valid(value.bytes))
		row->rc = ERR_CORRUPT;
	return value;
}

struct value row_value(struct row *row, int column, const struct field *field)
{
	struct bytes id;
	struct value value = { .type = VALUE_REF };

	switch (sqlite3_column_type(row->stmt, column)) {
	case SQLITE_INTEGER: return value_int(sqlite3_column_int64(row->stmt, column));
	case SQLITE_TEXT: return row_text(row, column);
	case SQLITE_BLOB: break;
	default: return value_nil();
	}
	if (field->format != FORMAT_REF)
		return row_bytes(row, column, VALUE_BYTES);
	id = column_bytes(row->stmt, column);
	if (id.size == ID_BYTES)
		memcpy(value.ref.bytes, id.data, ID_BYTES);
	else
		row->rc = ERR_CORRUPT;
	return value;
}
