#include "node/table.h"

#include <assert.h>

#include "node/width.h"

#define GAP_COLUMNS      2  /* between columns */
#define LAST_COLUMNS_MIN 24 /* in less it says nothing: let the terminal break lines */

void table_init(struct table *t, const struct table_column *columns, size_t column_count)
{
	assert(column_count >= 1 && column_count <= TABLE_COLUMNS_MAX);
	*t = (struct table){ .columns = columns, .column_count = column_count };
}

void table_release(struct table *t)
{
	buf_release(&t->cells);
}

void table_add(struct table *t, const char *const *cells)
{
	for (size_t i = 0; i < t->column_count; i++) {
		buf_append_str(&t->cells, cells[i] ? cells[i] : "");
		buf_append_byte(&t->cells, '\0');
	}
}

/* The cell at the front of *rest, which moves past it. */
static struct bytes next_cell(struct bytes *rest)
{
	struct bytes cell = bytes_of_str((const char *)rest->data);

	*rest = bytes_of(rest->data + cell.size + 1, rest->size - cell.size - 1);
	return cell;
}

static void measure(const struct table *t, size_t widths[TABLE_COLUMNS_MAX])
{
	struct bytes rest = buf_bytes(&t->cells);

	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = width_of(bytes_of_str(t->columns[i].title));
	for (size_t i = 0; rest.size; i = (i + 1) % t->column_count) {
		size_t width = width_of(next_cell(&rest));

		if (width > widths[i])
			widths[i] = width;
	}
}

static void limit_last(const struct table *t, size_t widths[TABLE_COLUMNS_MAX],
		       size_t terminal_columns)
{
	size_t last = t->column_count - 1, before = 0, room;

	for (size_t i = 0; i < last; i++)
		before += widths[i] + GAP_COLUMNS;
	room = terminal_columns > before ? terminal_columns - before : 0;
	if (room >= LAST_COLUMNS_MIN && widths[last] > room)
		widths[last] = room;
}

static void put_blanks(struct buf *out, size_t count)
{
	while (count--)
		buf_append_byte(out, ' ');
}

static void put_cell(struct buf *out, struct bytes cell, size_t width, enum table_align align)
{
	size_t taken = width_of(cell);
	size_t blanks = taken < width ? width - taken : 0;

	if (align == TABLE_RIGHT)
		put_blanks(out, blanks);
	width_append(out, cell, width);
	if (align == TABLE_LEFT)
		put_blanks(out, blanks);
}

static void end_line(struct buf *out, size_t line_from)
{
	while (out->size > line_from && out->data[out->size - 1] == ' ')
		out->size--;
	buf_append_byte(out, '\n');
}

/* One line, of titles or of the cells at the front of *rest. */
static void put_line(const struct table *t, const size_t *widths, struct bytes *rest,
		     struct buf *out)
{
	size_t line_from = out->size;

	for (size_t i = 0; i < t->column_count; i++) {
		struct bytes cell = rest ? next_cell(rest) : bytes_of_str(t->columns[i].title);

		if (i > 0)
			put_blanks(out, GAP_COLUMNS);
		put_cell(out, cell, widths[i], t->columns[i].align);
	}
	end_line(out, line_from);
}

enum err table_render(const struct table *t, size_t terminal_columns, struct buf *out)
{
	struct bytes rest = buf_bytes(&t->cells);
	size_t widths[TABLE_COLUMNS_MAX];

	if (buf_check(&t->cells))
		return ERR_NOMEM;
	measure(t, widths);
	limit_last(t, widths, terminal_columns);
	put_line(t, widths, NULL, out);
	while (rest.size)
		put_line(t, widths, &rest, out);
	return buf_check(out);
}
