/* What commands print: safe on a terminal, whoever wrote the text. */
#ifndef HT_NODE_OUTPUT_H
#define HT_NODE_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

#include "core/bytes.h"
#include "node/table.h"

/* As they are, on no terminal unless they are safe. */
void output_bytes(FILE *out, struct bytes text);

/* Several lines, each safe and indented; ends the last one. */
void output_lines(FILE *out, int indent, struct bytes text);

/* It is a terminal, and $NO_COLOR and $TERM have nothing against it (no-color.org). */
bool output_has_colour(FILE *out);

/* Fitted to the terminal if `out` is one, else to $COLUMNS if set. */
MUST_CHECK enum err output_table(FILE *out, const struct table *t, struct errmsg *msg);

/* One JSON value and the end of the line. Takes the reference; NULL is
 * ERR_NOMEM, since jansson fails for nothing else. */
MUST_CHECK enum err output_json(FILE *out, json_t *value, struct errmsg *msg);

/* One safe line from a format; its end is added. */
void output_line(FILE *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
