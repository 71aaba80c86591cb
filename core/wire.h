/* The bounded reader and writer of canonical msgpack: the only code that
 * touches encoded bytes, stored or sent.
 *
 * Canonical means one encoding for one value: shortest integers and lengths,
 * str for UTF-8 text, bin for bytes, no maps, floats or extensions. The reader
 * refuses everything else, never allocates, and borrows from its input.
 * Format: msgpack specification of 2013 (str/bin/ext). */
#ifndef HT_CORE_WIRE_H
#define HT_CORE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"

/* Errors are sticky: after the first one every read returns 0 or empty, and
 * wire_end() tells. A decoder reads straight through and asks once. */
struct wire_reader {
	const uint8_t *at;
	const uint8_t *end;
	enum err rc; /* OK, ERR_FORMAT or ERR_LIMIT */
};

struct wire_reader wire_reader_of(struct bytes input);

/* An array's element count; more than count_max is ERR_LIMIT, and more than
 * there are bytes left is ERR_FORMAT, so a count bounds what follows. */
uint32_t wire_array(struct wire_reader *r, uint32_t count_max);
uint64_t wire_uint(struct wire_reader *r, uint64_t max);
int64_t wire_int(struct wire_reader *r);
bool wire_bool(struct wire_reader *r);
struct bytes wire_str(struct wire_reader *r, size_t size_max); /* valid UTF-8 */
struct bytes wire_bin(struct wire_reader *r, size_t size_max);
void wire_bin_exact(struct wire_reader *r, uint8_t *out, size_t size);

/* The next value is nil: consumes it and returns true. Otherwise false. */
bool wire_is_nil(struct wire_reader *r);

enum wire_type {
	WIRE_OTHER, /* the end of input, or a form that isn't canonical */
	WIRE_NIL,
	WIRE_BOOL,
	WIRE_INT, /* of either sign */
	WIRE_STR,
	WIRE_BIN,
	WIRE_ARRAY,
};

/* What comes next, not consumed. */
enum wire_type wire_next_type(const struct wire_reader *r);

/* Step over one value of any shape that is canonical and nested no deeper
 * than NESTING_MAX, and return its bytes. */
struct bytes wire_skip(struct wire_reader *r);

/* Turn a semantic violation that the caller found into the sticky error. */
void wire_fail(struct wire_reader *r, enum err rc);

static inline bool wire_is_ok(const struct wire_reader *r)
{
	return r->rc == OK;
}

/* The sticky error, or ERR_FORMAT when input is left over. */
MUST_CHECK enum err wire_end(const struct wire_reader *r);

void wire_put_array(struct buf *out, uint32_t count);
void wire_put_uint(struct buf *out, uint64_t value);
void wire_put_int(struct buf *out, int64_t value);
void wire_put_bool(struct buf *out, bool value);
void wire_put_nil(struct buf *out);
void wire_put_str(struct buf *out, struct bytes text);
void wire_put_bin(struct buf *out, struct bytes data);

#endif
