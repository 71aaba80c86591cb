/* How many columns a text takes on a terminal, and how to make it fit.
 *
 * Chinese characters and most emoji take two, accents and format characters none. The table is
 * our own (Unicode's East Asian Width): the C library's depends on the locale. Text here may
 * come from anybody, so what could steer the terminal or forge its look (control characters,
 * changes of writing direction) and bytes that are not UTF-8 show as U+FFFD, one column each. */
#ifndef HT_NODE_WIDTH_H
#define HT_NODE_WIDTH_H

#include "core/bytes.h"

#define WIDTH_UNLIMITED SIZE_MAX

/* Columns of one line; line breaks and tabs count as the blank that width_append() makes of
 * them. */
size_t width_of(struct bytes text);

/* The width for printf's %-*s, which counts bytes, that makes `text` take so many columns. */
int width_for_printf(const char *text, int columns);

/* Append `text` as one safe line of at most `columns_max`: what is too long ends in an ellipsis,
 * after a whole character. Returns the columns it takes. */
size_t width_append(struct buf *out, struct bytes text, size_t columns_max);

#endif
