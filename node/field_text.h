/* One field's value between people, programs and the replica, by its format. */
#ifndef HT_NODE_FIELD_TEXT_H
#define HT_NODE_FIELD_TEXT_H

#include <jansson.h>

#include "core/schema.h"
#include "node/context.h"

/* What may be typed: "WHEN", "low|medium|high". */
void field_placeholder(const struct field *field, char *out, size_t size);
/* One line about it for help, translated; "" when the placeholder says all. */
const char *field_hint(const struct field *field);

/* What was typed, as a value; "" is nil, which clears a register, or an empty text, unless it is
 * required. A text "-" is read from stdin, "@FILE" from a file. Memory is the context's arena.
 * ERR_INVALID names the field; ERR_NOT_FOUND and ERR_AMBIGUOUS for references. */
MUST_CHECK enum err field_parse(struct context *ctx, const struct field *field, const char *typed,
				struct value *out, struct errmsg *msg);

/* Append what people read: names, not ids; may have several lines. */
MUST_CHECK enum err field_show(struct context *ctx, const struct field *field,
			       const struct value *value, struct buf *out, struct errmsg *msg);

/* What programs read: null, numbers, texts, names of choices and states, hex
 * for bytes, {"id", "name"} for references. *out is a new reference. */
MUST_CHECK enum err field_json(struct context *ctx, const struct field *field,
			       const struct value *value, json_t **out, struct errmsg *msg);

/* The value in a row of a kind's table (r_...), as the store keeps it; a state
 * that was never stepped is the initial one. Texts are borrowed from the row. */
struct value field_of_row(const struct field *field, struct rows *rows, int column);

#endif
