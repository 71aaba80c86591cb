#include "core/bytes.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int bytes_cmp(struct bytes a, struct bytes b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;

	if (order)
		return order;
	return (a.size > b.size) - (a.size < b.size);
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = BUF_EMPTY;
}

void buf_clear(struct buf *b)
{
	b->size = 0;
	b->failed = false;
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		sodium_memzero(b->data, b->cap);
	buf_release(b);
}

uint8_t *buf_grow(struct buf *b, size_t size)
{
	uint8_t *at;

	assert(size > 0); /* an empty buf has no address to return */
	if (b->failed)
		return NULL;
	if (size > b->cap - b->size) {
		size_t cap = b->cap ? b->cap : 64;
		uint8_t *data;

		while (cap - b->size < size)
			cap *= 2;
		data = realloc(b->data, cap);
		if (!data) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	at = b->data + b->size;
	b->size += size;
	return at;
}

void buf_append(struct buf *b, const void *data, size_t size)
{
	uint8_t *at;

	if (size == 0)
		return;
	at = buf_grow(b, size);
	if (at)
		memcpy(at, data, size);
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
	buf_append(b, &byte, 1);
}

void buf_append_str(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	uint8_t *at;
	int size;

	va_start(args, fmt);
	va_copy(again, args);
	size = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	assert(size >= 0);
	/* vsnprintf terminates what it writes: make room, then give it back. */
	at = buf_grow(b, (size_t)size + 1);
	if (at) {
		vsnprintf((char *)at, (size_t)size + 1, fmt, again);
		b->size--;
	}
	va_end(again);
}

void buf_consume(struct buf *b, size_t size)
{
	assert(size <= b->size);
	if (size && size < b->size)
		memmove(b->data, b->data + size, b->size - size);
	b->size -= size;
}

enum err buf_check(const struct buf *b)
{
	return b->failed ? ERR_NOMEM : OK;
}

void hex_encode(char *out, struct bytes in)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.size; i++) {
		*out++ = digits[in.data[i] >> 4];
		*out++ = digits[in.data[i] & 15];
	}
	*out = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err hex_decode(uint8_t *out, size_t size, const char *text)
{
	if (strlen(text) != 2 * size)
		return ERR_FORMAT;
	for (size_t i = 0; i < 2 * size; i++)
		if (hex_digit(text[i]) < 0)
			return ERR_FORMAT;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return OK;
}
