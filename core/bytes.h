/* Byte spans and growable buffers.
 *
 * struct bytes borrows: whoever hands one out says how long it lives.
 * struct buf owns. A buf that could not grow turns `failed` and swallows all
 * further writes, so that a long encoding is checked once, at its end. */
#ifndef HT_CORE_BYTES_H
#define HT_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/err.h"

struct bytes {
	const uint8_t *data;
	size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size)
{
	return (struct bytes){ data, size };
}

static inline struct bytes bytes_of_str(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* Order as memcmp, a prefix before what it begins. */
int bytes_cmp(struct bytes a, struct bytes b);

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

struct buf {
	uint8_t *data;
	size_t size;
	size_t cap;
	bool failed;
};

#define BUF_EMPTY ((struct buf){ 0 })

void buf_release(struct buf *b); /* frees; the buf is empty and usable again */
void buf_clear(struct buf *b);   /* size 0, `failed` off, memory kept */
void buf_wipe(struct buf *b);    /* as buf_release, overwriting secrets first */

/* Room for `size` > 0 more bytes at the end, uninitialised, or NULL (and `failed`). */
uint8_t *buf_grow(struct buf *b, size_t size);
void buf_append(struct buf *b, const void *data, size_t size);
void buf_append_byte(struct buf *b, uint8_t byte);
void buf_append_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Drop `size` bytes from the front; asserts size <= b->size. */
void buf_consume(struct buf *b, size_t size);

/* ERR_NOMEM if any write since the last clear failed. */
MUST_CHECK enum err buf_check(const struct buf *b);

/* Borrowed until the next write to or release of `b`. */
static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->data, b->size };
}

/* Lower-case hex; `out` has room for 2 * size + 1 and is terminated. */
void hex_encode(char *out, struct bytes in);
/* `text` must be exactly 2 * size hex digits of either case. */
MUST_CHECK enum err hex_decode(uint8_t *out, size_t size, const char *text);

#endif
