/* A table for the terminal: a header, aligned columns, one record a line.
 *
 *     NUMBER            OWNER   DUE          TITLE
 *     AI-SHA-2026-0001  李雷    11-30 17:00  提交验收…
 *
 * Columns are as wide as their widest cell; the last one gives way when the line would be wider
 * than the terminal. Lines end without blanks. Cells are shown as width_append() does. */
#ifndef HT_NODE_TABLE_H
#define HT_NODE_TABLE_H

#include "core/bytes.h"

#define TABLE_COLUMNS_MAX 16

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title; /* as shown: already translated */
	enum table_align align;
};

struct table {
	const struct table_column *columns; /* borrowed */
	size_t column_count;
	struct buf cells; /* each ends in '\0', row after row */
};

/* Asserts 1..TABLE_COLUMNS_MAX columns. */
void table_init(struct table *t, const struct table_column *columns, size_t column_count);
void table_release(struct table *t);

/* Copies one cell for each column; NULL is an empty cell. */
void table_add(struct table *t, const char *const *cells);

/* Append header and rows to `out`; ERR_NOMEM if either buffer ran out of memory. */
MUST_CHECK enum err table_render(const struct table *t, size_t terminal_columns, struct buf *out);

#endif
