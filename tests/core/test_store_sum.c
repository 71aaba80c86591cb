/* core/store_sum: the sum of a row is the same however it is made, and no bit of the row can
 * change beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/store_impl.h"

enum { COLUMNS = 5, LONG_BYTES = 300 };

struct world {
	struct store store;
	char path[8];
	uint8_t bytes[LONG_BYTES];
	struct value row[COLUMNS];
};

static void run(struct world *w, const char *sql)
{
	assert_int_equal(sqlite3_exec(w->store.db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3_stmt *prepare(struct world *w, const char *sql)
{
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_prepare_v2(w->store.db, sql, -1, &stmt, NULL), SQLITE_OK);
	return stmt;
}

static void write_row(struct world *w, const struct value row[COLUMNS])
{
	struct summed_row out = { .stmt = prepare(w, "INSERT INTO t VALUES(?, ?, ?, ?, ?, ?)") };

	for (size_t i = 0; i < COLUMNS; i++)
		summed_bind(&out, &row[i]);
	summed_end(&out);
	assert_int_equal(sqlite3_step(out.stmt), SQLITE_DONE);
	sqlite3_finalize(out.stmt);
}

static bool is_whole(struct world *w)
{
	sqlite3_stmt *stmt = prepare(w, "SELECT * FROM t");
	bool is_whole;

	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	is_whole = row_is_whole(stmt);
	sqlite3_finalize(stmt);
	return is_whole;
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	memcpy(w->path, "memory", sizeof("memory"));
	w->store.path = w->path;
	assert_int_equal(sqlite3_open(":memory:", &w->store.db), SQLITE_OK);
	assert_int_equal(store_know_sums(&w->store, NULL), OK);
	run(w, "CREATE TABLE t(a, b, c, d, e, sum INTEGER NOT NULL)");
	for (size_t i = 0; i < LONG_BYTES; i++)
		w->bytes[i] = (uint8_t)(7 * i);
	w->row[0] = value_int(-(INT64_C(1) << 40));
	w->row[1] = value_str("什么 was said");
	w->row[2] = value_nil();
	w->row[3] = value_ref(&(struct record_id){ { 1, 2, 3 } });
	w->row[4] = value_bytes(bytes_of(w->bytes, LONG_BYTES));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	assert_int_equal(sqlite3_close(w->store.db), SQLITE_OK);
	free(w);
	return 0;
}

static void what_is_bound_has_the_sum_of_what_is_stored(void **state)
{
	struct world *w = *state;
	struct value raw = w->row[4], rows[][COLUMNS] = {
		{ value_int(0), value_str(""), value_bytes(bytes_of(NULL, 0)), raw, raw },
		{ value_int(1), value_int(INT64_MIN), value_int(INT64_MAX), value_nil(), raw },
	};

	rows[0][3].type = VALUE_RAW;
	write_row(w, w->row);
	write_row(w, rows[0]);
	write_row(w, rows[1]);
	assert_int_equal(store_check_sums(&w->store, "t", NULL), OK);
	run(w, "UPDATE t SET sum = sum + 1 WHERE a = 0");
	assert_int_equal(store_check_sums(&w->store, "t", NULL), ERR_CORRUPT);
}

static void write_column(struct world *w, size_t column, const struct value *value)
{
	char sql[32];
	sqlite3_stmt *stmt;

	snprintf(sql, sizeof(sql), "UPDATE t SET %c = ?", (char)('a' + column));
	stmt = prepare(w, sql);
	bind_value(stmt, 1, value);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
}

static size_t value_size(const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL: return 0;
	case VALUE_INT: return sizeof(value->number);
	case VALUE_REF: return ID_BYTES;
	default: return value->bytes.size;
	}
}

/* Of a copy of the value in `bytes`, if it has any. */
static void flip(struct value *value, size_t bit, uint8_t bytes[LONG_BYTES])
{
	if (value->type == VALUE_INT) {
		value->number ^= (int64_t)(UINT64_C(1) << bit);
	} else if (value->type == VALUE_REF) {
		value->ref.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	} else {
		memcpy(bytes, value->bytes.data, value->bytes.size);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		value->bytes.data = bytes;
	}
}

static void each_changed_bit_shows(void **state)
{
	struct world *w = *state;
	uint8_t bytes[LONG_BYTES];

	write_row(w, w->row);
	for (size_t column = 0; column < COLUMNS; column++) {
		const struct value *was = &w->row[column];

		for (size_t bit = 0; bit < 8 * value_size(was); bit++) {
			struct value changed = *was;

			flip(&changed, bit, bytes);
			write_column(w, column, &changed);
			assert_false(is_whole(w));
		}
		write_column(w, column, was);
		assert_true(is_whole(w));
	}
}

static void the_same_bytes_elsewhere_or_as_something_else_show(void **state)
{
	static const char *const changes[] = {
		"UPDATE t SET b = CAST(b AS BLOB)",
		"UPDATE t SET d = CAST(d AS TEXT)",
		"UPDATE t SET a = CAST(a AS TEXT)",
		"UPDATE t SET a = CAST(a AS REAL)",
		"UPDATE t SET c = 0",
		"UPDATE t SET c = ''",
		"UPDATE t SET c = x''",
		"UPDATE t SET a = NULL",
		"UPDATE t SET b = NULL",
		"UPDATE t SET b = b || char(0)",
		"UPDATE t SET d = d || x'00'",
		"UPDATE t SET b = d, d = b",
		"UPDATE t SET b = '', c = b",
		"UPDATE t SET b = substr(b, 1, 3), c = substr(b, 4)",
		"UPDATE t SET e = substr(e, 1, 299)",
		"UPDATE t SET sum = NULL",
		"UPDATE t SET sum = CAST(sum AS TEXT)",
		"UPDATE t SET sum = 0",
	};
	struct world *w = *state;

	run(w, "DROP TABLE t; CREATE TABLE t(a, b, c, d, e, sum)");
	write_row(w, w->row);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		run(w, "BEGIN");
		run(w, changes[i]);
		assert_false(is_whole(w));
		run(w, "ROLLBACK");
		assert_true(is_whole(w));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_bound_has_the_sum_of_what_is_stored, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(each_changed_bit_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_same_bytes_elsewhere_or_as_something_else_show,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
