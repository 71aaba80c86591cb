/* Cells of a database that are damaged as bytes say, as by a disk or by somebody with a SQLite
 * client: up to 8 times
 *
 *   byte 0   which column
 *   byte 1   which row of its table; beyond the last: counted from the first again
 *   byte 2   bits 0-2: its value becomes nothing, an integer, a text, bytes, or what it was, with
 *                      the bytes added by xor; or the row goes away
 *   byte 3   so many bytes follow for it */
#ifndef HT_TESTS_SUPPORT_SPOIL_H
#define HT_TESTS_SUPPORT_SPOIL_H

#include <sqlite3.h>

#include "core/bytes.h"

struct spoil_column {
	const char *table, *column, *key; /* `key` is one value a row */
};

/* What a table does not allow is no damage. */
void spoil_cells(sqlite3 *db, const struct spoil_column *columns, size_t count, struct bytes input);

#endif
