#include "core/wire.h"

#include <msgpack.h>

#include "core/limits.h"
#include "core/utf8.h"

/* The first byte of each msgpack form that is legal here. */
enum tag {
	TAG_POSITIVE_MAX = 0x7f,
	TAG_FIXARRAY = 0x90,
	TAG_FIXSTR = 0xa0,
	TAG_NIL = 0xc0,
	TAG_FALSE = 0xc2,
	TAG_TRUE = 0xc3,
	TAG_BIN8 = 0xc4,
	TAG_BIN16 = 0xc5,
	TAG_BIN32 = 0xc6,
	TAG_UINT8 = 0xcc,
	TAG_UINT64 = 0xcf,
	TAG_INT8 = 0xd0,
	TAG_INT64 = 0xd3,
	TAG_STR8 = 0xd9,
	TAG_STR16 = 0xda,
	TAG_STR32 = 0xdb,
	TAG_ARRAY16 = 0xdc,
	TAG_ARRAY32 = 0xdd,
	TAG_NEGATIVE_MIN = 0xe0,
};

struct wire_reader wire_reader_of(struct bytes input)
{
	/* An empty span may have no address, and NULL + 0 is not defined. */
	const uint8_t *data = input.data ? input.data : (const uint8_t *)"";

	return (struct wire_reader){ data, data + input.size, OK };
}

void wire_fail(struct wire_reader *r, enum err rc)
{
	if (r->rc == OK)
		r->rc = rc;
	r->at = r->end;
}

static size_t wire_left(const struct wire_reader *r)
{
	return (size_t)(r->end - r->at);
}

/* The next byte without consuming it; TAG_NIL's impossible neighbour 0xc1 at the end. */
static uint8_t wire_peek(const struct wire_reader *r)
{
	return r->at < r->end ? *r->at : 0xc1;
}

static uint8_t wire_tag(struct wire_reader *r)
{
	uint8_t tag = wire_peek(r);

	if (r->at < r->end)
		r->at++;
	return tag;
}

/* `size` big-endian bytes, 1, 2, 4 or 8 of them. */
static uint64_t wire_big_endian(struct wire_reader *r, size_t size)
{
	uint64_t value = 0;

	if (wire_left(r) < size) {
		wire_fail(r, ERR_FORMAT);
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		value = value << 8 | *r->at++;
	return value;
}

/* As wire_big_endian(), refusing what a shorter form could hold. */
static uint64_t wire_shortest(struct wire_reader *r, size_t size, uint64_t least)
{
	uint64_t value = wire_big_endian(r, size);

	if (value < least) {
		wire_fail(r, ERR_FORMAT);
		return 0;
	}
	return value;
}

static uint64_t wire_unsigned_body(struct wire_reader *r, uint8_t tag)
{
	static const uint64_t least[] = { 0x80, 0x100, 0x10000, UINT64_C(0x100000000) };
	unsigned width = tag - TAG_UINT8;

	return wire_shortest(r, (size_t)1 << width, least[width]);
}

uint64_t wire_uint(struct wire_reader *r, uint64_t max)
{
	uint8_t tag = wire_tag(r);
	uint64_t value = tag;

	if (tag >= TAG_UINT8 && tag <= TAG_UINT64) {
		value = wire_unsigned_body(r, tag);
	} else if (tag > TAG_POSITIVE_MAX) {
		wire_fail(r, ERR_FORMAT);
		return 0;
	}
	if (value > max) {
		wire_fail(r, ERR_LIMIT);
		return 0;
	}
	return value;
}

static int64_t wire_signed_body(struct wire_reader *r, uint8_t tag)
{
	static const int64_t most[] = { -33, INT8_MIN - 1, INT16_MIN - 1, (int64_t)INT32_MIN - 1 };
	unsigned width = tag - TAG_INT8;
	size_t size = (size_t)1 << width;
	uint64_t bits = wire_big_endian(r, size);
	unsigned shift = 64 - 8 * (unsigned)size;
	int64_t value = (int64_t)(bits << shift) >> shift;

	if (value > most[width]) {
		wire_fail(r, ERR_FORMAT);
		return 0;
	}
	return value;
}

int64_t wire_int(struct wire_reader *r)
{
	uint8_t tag = wire_peek(r);

	if (tag >= TAG_NEGATIVE_MIN) {
		r->at++;
		return (int8_t)tag;
	}
	if (tag >= TAG_INT8 && tag <= TAG_INT64) {
		r->at++;
		return wire_signed_body(r, tag);
	}
	return (int64_t)wire_uint(r, INT64_MAX);
}

bool wire_bool(struct wire_reader *r)
{
	uint8_t tag = wire_tag(r);

	if (tag != TAG_TRUE && tag != TAG_FALSE)
		wire_fail(r, ERR_FORMAT);
	return tag == TAG_TRUE;
}

bool wire_is_nil(struct wire_reader *r)
{
	if (wire_next_type(r) != WIRE_NIL)
		return false;
	r->at++;
	return true;
}

enum wire_type wire_next_type(const struct wire_reader *r)
{
	uint8_t tag = wire_peek(r);

	if (tag <= TAG_POSITIVE_MAX || tag >= TAG_NEGATIVE_MIN ||
	    (tag >= TAG_UINT8 && tag <= TAG_INT64))
		return WIRE_INT;
	if ((tag & 0xf0) == TAG_FIXARRAY || tag == TAG_ARRAY16 || tag == TAG_ARRAY32)
		return WIRE_ARRAY;
	if ((tag & 0xe0) == TAG_FIXSTR || (tag >= TAG_STR8 && tag <= TAG_STR32))
		return WIRE_STR;
	if (tag >= TAG_BIN8 && tag <= TAG_BIN32)
		return WIRE_BIN;
	if (tag == TAG_TRUE || tag == TAG_FALSE)
		return WIRE_BOOL;
	return tag == TAG_NIL ? WIRE_NIL : WIRE_OTHER;
}

uint32_t wire_array(struct wire_reader *r, uint32_t count_max)
{
	uint8_t tag = wire_tag(r);
	uint64_t count = 0;

	if ((tag & 0xf0) == TAG_FIXARRAY)
		count = tag & 0x0f;
	else if (tag == TAG_ARRAY16)
		count = wire_shortest(r, 2, 0x10);
	else if (tag == TAG_ARRAY32)
		count = wire_shortest(r, 4, 0x10000);
	else
		wire_fail(r, ERR_FORMAT);

	if (count > count_max)
		wire_fail(r, ERR_LIMIT);
	else if (count > wire_left(r))
		wire_fail(r, ERR_FORMAT);
	return wire_is_ok(r) ? (uint32_t)count : 0;
}

static struct bytes wire_span(struct wire_reader *r, uint64_t size, size_t size_max)
{
	struct bytes span;

	if (size > size_max)
		wire_fail(r, ERR_LIMIT);
	else if (size > wire_left(r))
		wire_fail(r, ERR_FORMAT);
	if (!wire_is_ok(r))
		return bytes_of(NULL, 0);
	span = bytes_of(r->at, (size_t)size);
	r->at += size;
	return span;
}

static uint64_t wire_str_size(struct wire_reader *r, uint8_t tag)
{
	if ((tag & 0xe0) == TAG_FIXSTR)
		return tag & 0x1f;
	if (tag == TAG_STR8)
		return wire_shortest(r, 1, 0x20);
	if (tag == TAG_STR16)
		return wire_shortest(r, 2, 0x100);
	if (tag == TAG_STR32)
		return wire_shortest(r, 4, 0x10000);
	wire_fail(r, ERR_FORMAT);
	return 0;
}

struct bytes wire_str(struct wire_reader *r, size_t size_max)
{
	struct bytes text = wire_span(r, wire_str_size(r, wire_tag(r)), size_max);

	if (!utf8_is_valid(text)) {
		wire_fail(r, ERR_FORMAT);
		return bytes_of(NULL, 0);
	}
	return text;
}

static uint64_t wire_bin_size(struct wire_reader *r, uint8_t tag)
{
	if (tag == TAG_BIN8)
		return wire_big_endian(r, 1);
	if (tag == TAG_BIN16)
		return wire_shortest(r, 2, 0x100);
	if (tag == TAG_BIN32)
		return wire_shortest(r, 4, 0x10000);
	wire_fail(r, ERR_FORMAT);
	return 0;
}

struct bytes wire_bin(struct wire_reader *r, size_t size_max)
{
	return wire_span(r, wire_bin_size(r, wire_tag(r)), size_max);
}

void wire_bin_exact(struct wire_reader *r, uint8_t *out, size_t size)
{
	struct bytes data = wire_bin(r, size);

	if (wire_is_ok(r) && data.size == size)
		memcpy(out, data.data, size);
	else
		wire_fail(r, ERR_FORMAT);
}

/* An integer of either sign, also beyond what wire_int() can return. */
static void wire_skip_int(struct wire_reader *r)
{
	uint8_t tag = wire_peek(r);

	if (tag >= TAG_INT8)
		wire_int(r);
	else
		wire_uint(r, UINT64_MAX);
}

/* One value that is not an array, or an array's header: then its count. */
static uint32_t wire_skip_one(struct wire_reader *r)
{
	switch (wire_next_type(r)) {
	case WIRE_ARRAY: return wire_array(r, UINT32_MAX);
	case WIRE_STR: wire_str(r, SIZE_MAX); break;
	case WIRE_BIN: wire_bin(r, SIZE_MAX); break;
	case WIRE_BOOL: wire_bool(r); break;
	case WIRE_NIL: wire_is_nil(r); break;
	case WIRE_INT: wire_skip_int(r); break;
	case WIRE_OTHER: wire_fail(r, ERR_FORMAT); break;
	}
	return 0;
}

struct bytes wire_skip(struct wire_reader *r)
{
	uint32_t open[NESTING_MAX]; /* elements still to come, per level */
	const uint8_t *start = r->at;
	unsigned depth = 0;

	for (;;) {
		uint32_t count;

		if (depth == NESTING_MAX && wire_next_type(r) == WIRE_ARRAY)
			wire_fail(r, ERR_LIMIT);
		count = wire_skip_one(r);
		if (!wire_is_ok(r))
			return bytes_of(NULL, 0);
		if (count)
			open[depth++] = count;
		else
			while (depth && --open[depth - 1] == 0)
				depth--;
		if (depth == 0)
			return bytes_of(start, (size_t)(r->at - start));
	}
}

enum err wire_end(const struct wire_reader *r)
{
	if (r->rc != OK)
		return r->rc;
	return r->at == r->end ? OK : ERR_FORMAT;
}

static int wire_write(void *out, const char *data, size_t size)
{
	buf_append(out, data, size);
	return 0;
}

static msgpack_packer wire_packer(struct buf *out)
{
	return (msgpack_packer){ .data = out, .callback = wire_write };
}

void wire_put_array(struct buf *out, uint32_t count)
{
	msgpack_packer packer = wire_packer(out);

	msgpack_pack_array(&packer, count);
}

void wire_put_uint(struct buf *out, uint64_t value)
{
	msgpack_packer packer = wire_packer(out);

	msgpack_pack_uint64(&packer, value);
}

void wire_put_int(struct buf *out, int64_t value)
{
	msgpack_packer packer = wire_packer(out);

	msgpack_pack_int64(&packer, value);
}

void wire_put_bool(struct buf *out, bool value)
{
	msgpack_packer packer = wire_packer(out);

	if (value)
		msgpack_pack_true(&packer);
	else
		msgpack_pack_false(&packer);
}

void wire_put_nil(struct buf *out)
{
	msgpack_packer packer = wire_packer(out);

	msgpack_pack_nil(&packer);
}

void wire_put_str(struct buf *out, struct bytes text)
{
	msgpack_packer packer = wire_packer(out);

	msgpack_pack_str(&packer, text.size);
	msgpack_pack_str_body(&packer, text.data, text.size);
}

void wire_put_bin(struct buf *out, struct bytes data)
{
	msgpack_packer packer = wire_packer(out);

	msgpack_pack_bin(&packer, data.size);
	msgpack_pack_bin_body(&packer, data.data, data.size);
}
