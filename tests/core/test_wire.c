/* core/wire: one encoding for one value, and nothing trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <msgpack.h>

#include "core/limits.h"
#include "core/wire.h"
#include "tests/support/prng.h"

#define BYTES(s)                                    \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define READER(s) wire_reader_of((struct bytes)BYTES(s))

static void unsigned_integers_have_one_form(void **state)
{
	static const struct {
		struct bytes in;
		uint64_t value;
		enum err rc;
	} cases[] = {
		{ BYTES("\x00"), 0, OK },
		{ BYTES("\x7f"), 127, OK },
		{ BYTES("\xcc\x80"), 128, OK },
		{ BYTES("\xcc\xff"), 255, OK },
		{ BYTES("\xcd\x01\x00"), 256, OK },
		{ BYTES("\xcd\xff\xff"), 65535, OK },
		{ BYTES("\xce\x00\x01\x00\x00"), 65536, OK },
		{ BYTES("\xce\xff\xff\xff\xff"), UINT32_MAX, OK },
		{ BYTES("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"), UINT64_C(1) << 32, OK },
		{ BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX, OK },
		{ BYTES("\xcc\x7f"), 0, ERR_FORMAT },
		{ BYTES("\xcd\x00\xff"), 0, ERR_FORMAT },
		{ BYTES("\xce\x00\x00\xff\xff"), 0, ERR_FORMAT },
		{ BYTES("\xcf\x00\x00\x00\x00\xff\xff\xff\xff"), 0, ERR_FORMAT },
		{ BYTES("\xd0\x01"), 0, ERR_FORMAT },
		{ BYTES("\xff"), 0, ERR_FORMAT },
		{ BYTES("\xcc"), 0, ERR_FORMAT },
		{ BYTES("\xcf\x01\x01\x01\x01\x01\x01\x01"), 0, ERR_FORMAT },
		{ BYTES(""), 0, ERR_FORMAT },
		{ BYTES("\xc0"), 0, ERR_FORMAT },
		{ BYTES("\xca\x00\x00\x00\x00"), 0, ERR_FORMAT },
		{ BYTES("\x01\x01"), 0, ERR_FORMAT }, /* left over */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_reader r = wire_reader_of(cases[i].in);
		uint64_t value = wire_uint(&r, UINT64_MAX);

		assert_int_equal(wire_end(&r), cases[i].rc);
		if (cases[i].rc == OK)
			assert_int_equal(value, cases[i].value);
	}
}

static void signed_integers_have_one_form(void **state)
{
	static const struct {
		struct bytes in;
		int64_t value;
		enum err rc;
	} cases[] = {
		{ BYTES("\x05"), 5, OK },
		{ BYTES("\xff"), -1, OK },
		{ BYTES("\xe0"), -32, OK },
		{ BYTES("\xd0\xdf"), -33, OK },
		{ BYTES("\xd0\x80"), -128, OK },
		{ BYTES("\xd1\xff\x7f"), -129, OK },
		{ BYTES("\xd1\x80\x00"), INT16_MIN, OK },
		{ BYTES("\xd2\xff\xff\x7f\xff"), INT16_MIN - 1, OK },
		{ BYTES("\xd2\x80\x00\x00\x00"), INT32_MIN, OK },
		{ BYTES("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"), (int64_t)INT32_MIN - 1, OK },
		{ BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN, OK },
		{ BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX, OK },
		{ BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), 0, ERR_LIMIT },
		{ BYTES("\xd0\xe0"), 0, ERR_FORMAT },
		{ BYTES("\xd0\x7f"), 0, ERR_FORMAT },
		{ BYTES("\xd1\xff\x80"), 0, ERR_FORMAT },
		{ BYTES("\xd1\x00\x80"), 0, ERR_FORMAT },
		{ BYTES("\xd2\xff\xff\x80\x00"), 0, ERR_FORMAT },
		{ BYTES("\xd3\xff\xff\xff\xff\x80\x00\x00\x00"), 0, ERR_FORMAT },
		{ BYTES("\xd3\xff\xff\xff"), 0, ERR_FORMAT },
		{ BYTES("\xd0"), 0, ERR_FORMAT },
		{ BYTES(""), 0, ERR_FORMAT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_reader r = wire_reader_of(cases[i].in);
		int64_t value = wire_int(&r);

		assert_int_equal(wire_end(&r), cases[i].rc);
		if (cases[i].rc == OK)
			assert_int_equal(value, cases[i].value);
	}
}

/* Strings, byte strings and arrays of this length have this head and no other. */
static void lengths_have_one_form(void **state)
{
	static const struct {
		enum wire_type type;
		struct bytes head;
		uint32_t size;
		enum err rc;
	} cases[] = {
		{ WIRE_STR, BYTES("\xa0"), 0, OK },
		{ WIRE_STR, BYTES("\xbf"), 31, OK },
		{ WIRE_STR, BYTES("\xd9\x1f"), 31, ERR_FORMAT },
		{ WIRE_STR, BYTES("\xd9\x20"), 32, OK },
		{ WIRE_STR, BYTES("\xd9\xff"), 255, OK },
		{ WIRE_STR, BYTES("\xda\x00\xff"), 255, ERR_FORMAT },
		{ WIRE_STR, BYTES("\xda\x01\x00"), 256, OK },
		{ WIRE_STR, BYTES("\xda\xff\xff"), 65535, OK },
		{ WIRE_STR, BYTES("\xdb\x00\x00\xff\xff"), 65535, ERR_FORMAT },
		{ WIRE_STR, BYTES("\xdb\x00\x01\x00\x00"), 65536, OK },
		{ WIRE_BIN, BYTES("\xc4\x00"), 0, OK },
		{ WIRE_BIN, BYTES("\xc4\xff"), 255, OK },
		{ WIRE_BIN, BYTES("\xc5\x00\xff"), 255, ERR_FORMAT },
		{ WIRE_BIN, BYTES("\xc5\x01\x00"), 256, OK },
		{ WIRE_BIN, BYTES("\xc6\x00\x00\xff\xff"), 65535, ERR_FORMAT },
		{ WIRE_BIN, BYTES("\xc6\x00\x01\x00\x00"), 65536, OK },
		{ WIRE_ARRAY, BYTES("\x90"), 0, OK },
		{ WIRE_ARRAY, BYTES("\x9f"), 15, OK },
		{ WIRE_ARRAY, BYTES("\xdc\x00\x0f"), 15, ERR_FORMAT },
		{ WIRE_ARRAY, BYTES("\xdc\x00\x10"), 16, OK },
		{ WIRE_ARRAY, BYTES("\xdc\xff\xff"), 65535, OK },
		{ WIRE_ARRAY, BYTES("\xdd\x00\x00\xff\xff"), 65535, ERR_FORMAT },
		{ WIRE_ARRAY, BYTES("\xdd\x00\x01\x00\x00"), 65536, OK },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = cases[i].head.size + cases[i].size;
		uint8_t *input = calloc(1, size ? size : 1);
		struct wire_reader r = wire_reader_of(bytes_of(input, size));
		struct bytes skipped;

		memcpy(input, cases[i].head.data, cases[i].head.size);
		assert_int_equal(wire_next_type(&r), cases[i].type);
		skipped = wire_skip(&r);
		assert_int_equal(wire_end(&r), cases[i].rc);
		assert_int_equal(skipped.size, cases[i].rc == OK ? size : 0);
		free(input);
	}
}

static void other_forms_of_msgpack_are_refused(void **state)
{
	static const struct bytes cases[] = {
		BYTES("\x80"), /* maps */
		BYTES("\xde\x00\x10"),
		BYTES("\xdf\x00\x01\x00\x00"),
		BYTES("\xc1"),                 /* never used */
		BYTES("\xca\x00\x00\x00\x00"), /* floats */
		BYTES("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"),
		BYTES("\xc7\x01\x01\x01"), /* extensions */
		BYTES("\xd4\x01\x01"),
		BYTES("\xd8\x01"),
		BYTES("\xa1\xff"),         /* not UTF-8 */
		BYTES("\xa3\xed\xa0\x80"), /* a surrogate */
		BYTES("\xa2\xc0\x80"),     /* an overlong form */
		BYTES("\x91\x80"),
		BYTES("\x92\xc0"), /* one element is missing */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_reader r = wire_reader_of(cases[i]);

		wire_skip(&r);
		assert_int_equal(wire_end(&r), ERR_FORMAT);
	}
}

static void claims_beyond_the_input_are_refused_at_once(void **state)
{
	static const struct bytes cases[] = {
		BYTES("\xdd\xff\xff\xff\xff"),
		BYTES("\xdd\x04\x00\x00\x00\xc0\xc0"),
		BYTES("\xdb\xff\xff\xff\xff"),
		BYTES("\xdb\x04\x00\x00\x00xx"),
		BYTES("\xc6\xff\xff\xff\xff"),
		BYTES("\xc5\x01\x00"),
		BYTES("\x92\xdd\x04\x00\x00\x00\xc0\xc0"),
		BYTES("\xbfx"),
		BYTES("\x9f\xc0"),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_reader r = wire_reader_of(cases[i]);

		assert_int_equal(wire_skip(&r).size, 0);
		assert_int_equal(wire_end(&r), ERR_FORMAT);
		assert_ptr_equal(r.at, r.end);
	}
}

static void counts_are_bounded_by_what_is_left(void **state)
{
	struct wire_reader r = READER("\xdd\xff\xff\xff\xff");

	assert_int_equal(wire_array(&r, UINT32_MAX), 0);
	assert_int_equal(r.rc, ERR_FORMAT);
	r = READER("\x93\xc0\xc0");
	assert_int_equal(wire_array(&r, UINT32_MAX), 0);
	r = READER("\x93\xc0\xc0\xc0");
	assert_int_equal(wire_array(&r, UINT32_MAX), 3);
}

static void limits_of_the_caller_hold(void **state)
{
	struct wire_reader r = READER("\x93\x01\x02\x03");

	assert_int_equal(wire_array(&r, 2), 0);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
	r = READER("\x93\x01\x02\x03");
	assert_int_equal(wire_array(&r, 3), 3);
	r = READER("\xa3xyz");
	assert_int_equal(wire_str(&r, 2).size, 0);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
	r = READER("\xc4\x03xyz");
	assert_int_equal(wire_bin(&r, 2).size, 0);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
	r = READER("\x07");
	assert_int_equal(wire_uint(&r, 6), 0);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
}

static void exact_byte_strings_are_exact(void **state)
{
	uint8_t out[3] = { 9, 9, 9 };
	struct wire_reader r = READER("\xc4\x02xy");

	wire_bin_exact(&r, out, 3);
	assert_int_equal(wire_end(&r), ERR_FORMAT);
	assert_int_equal(out[0], 9);
	r = READER("\xc4\x03xyz");
	wire_bin_exact(&r, out, 3);
	assert_int_equal(wire_end(&r), OK);
	assert_memory_equal(out, "xyz", 3);
}

static void first_error_stays(void **state)
{
	struct wire_reader r = READER("\x07\xc1\x01");

	wire_uint(&r, 6);
	wire_uint(&r, UINT64_MAX);
	wire_fail(&r, ERR_FORMAT);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
	assert_int_equal(wire_int(&r), 0);
	assert_int_equal(wire_array(&r, 10), 0);
	assert_int_equal(wire_str(&r, 10).size, 0);
	assert_int_equal(wire_bin(&r, 10).size, 0);
	assert_false(wire_bool(&r));
	assert_false(wire_is_nil(&r));
	assert_int_equal(wire_next_type(&r), WIRE_OTHER);
	assert_int_equal(wire_skip(&r).size, 0);
}

static struct bytes nested(uint8_t *out, size_t depth, uint8_t innermost)
{
	memset(out, 0x91, depth);
	out[depth] = innermost;
	return bytes_of(out, depth + 1);
}

static void nesting_ends_at_its_limit(void **state)
{
	uint8_t input[100001];
	struct wire_reader r = wire_reader_of(nested(input, NESTING_MAX, 0xc0));

	assert_int_equal(wire_skip(&r).size, NESTING_MAX + 1);
	assert_int_equal(wire_end(&r), OK);
	r = wire_reader_of(nested(input, NESTING_MAX + 1, 0xc0));
	wire_skip(&r);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
	/* An empty array is an array, too. */
	r = wire_reader_of(nested(input, NESTING_MAX - 1, 0x90));
	assert_int_equal(wire_skip(&r).size, NESTING_MAX);
	r = wire_reader_of(nested(input, NESTING_MAX, 0x90));
	wire_skip(&r);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
	r = wire_reader_of(nested(input, 100000, 0xc0));
	wire_skip(&r);
	assert_int_equal(wire_end(&r), ERR_LIMIT);
}

static void skipping_takes_one_value_of_any_shape(void **state)
{
	static const struct bytes value =
		BYTES("\x95\xc0\xc3\x92\x90\x91\xa1x\xc4\x01y\xd1\xff\x7f");
	struct buf input = BUF_EMPTY;
	struct wire_reader r;

	buf_append(&input, value.data, value.size);
	buf_append_byte(&input, 0x05);
	r = wire_reader_of(buf_bytes(&input));
	assert_true(bytes_equal(wire_skip(&r), value));
	assert_int_equal(wire_uint(&r, 9), 5);
	assert_int_equal(wire_end(&r), OK);
	buf_release(&input);
}

static void nil_and_booleans(void **state)
{
	struct wire_reader r = READER("\xc0\xc3\xc2\x01");

	assert_true(wire_is_nil(&r));
	assert_false(wire_is_nil(&r));
	assert_true(wire_bool(&r));
	assert_false(wire_bool(&r));
	assert_true(wire_is_ok(&r));
	assert_false(wire_bool(&r));
	assert_int_equal(wire_end(&r), ERR_FORMAT);
}

/* The writer against the reader of msgpack-c, and against our own. */

static void put_random(struct buf *out, struct prng *prng, unsigned depth)
{
	static const unsigned sizes[] = { 0, 1, 31, 32, 255, 256, 300 };
	static uint8_t zeros[300];
	unsigned size = sizes[prng_below(prng, 7)];
	uint64_t bits = prng_next(prng) >> prng_below(prng, 64);

	switch (prng_below(prng, depth ? 7 : 6)) {
	case 0: wire_put_nil(out); break;
	case 1: wire_put_bool(out, prng_chance(prng, 50)); break;
	case 2: wire_put_uint(out, bits); break;
	case 3:
		wire_put_int(out, prng_chance(prng, 50) ? (int64_t)bits : -(int64_t)(bits >> 1));
		break;
	case 4: wire_put_str(out, bytes_of(zeros, size)); break;
	case 5: wire_put_bin(out, bytes_of(zeros, size)); break;
	default:
		size %= 40;
		wire_put_array(out, size);
		for (unsigned i = 0; i < size; i++)
			put_random(out, prng, depth - 1);
	}
}

static void compare(struct wire_reader *r, const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL: assert_true(wire_is_nil(r)); break;
	case MSGPACK_OBJECT_BOOLEAN: assert_int_equal(wire_bool(r), o->via.boolean); break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		assert_int_equal(wire_uint(r, UINT64_MAX), o->via.u64);
		break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER: assert_int_equal(wire_int(r), o->via.i64); break;
	case MSGPACK_OBJECT_STR:
		assert_true(bytes_equal(wire_str(r, SIZE_MAX),
					bytes_of(o->via.str.ptr, o->via.str.size)));
		break;
	case MSGPACK_OBJECT_BIN:
		assert_true(bytes_equal(wire_bin(r, SIZE_MAX),
					bytes_of(o->via.bin.ptr, o->via.bin.size)));
		break;
	case MSGPACK_OBJECT_ARRAY:
		assert_int_equal(wire_array(r, UINT32_MAX), o->via.array.size);
		for (uint32_t i = 0; i < o->via.array.size; i++)
			compare(r, &o->via.array.ptr[i]);
		break;
	default: fail();
	}
}

static void what_is_written_reads_back_here_and_elsewhere(void **state)
{
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 2000; round++) {
		struct buf out = BUF_EMPTY;
		msgpack_unpacked theirs;
		struct wire_reader r;

		put_random(&out, &prng, 3);
		r = wire_reader_of(buf_bytes(&out));
		wire_skip(&r);
		assert_int_equal(wire_end(&r), OK);

		msgpack_unpacked_init(&theirs);
		assert_int_equal(
			msgpack_unpack_next(&theirs, (const char *)out.data, out.size, NULL),
			MSGPACK_UNPACK_SUCCESS);
		r = wire_reader_of(buf_bytes(&out));
		compare(&r, &theirs.data);
		assert_int_equal(wire_end(&r), OK);
		msgpack_unpacked_destroy(&theirs);
		buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unsigned_integers_have_one_form),
		cmocka_unit_test(signed_integers_have_one_form),
		cmocka_unit_test(lengths_have_one_form),
		cmocka_unit_test(other_forms_of_msgpack_are_refused),
		cmocka_unit_test(claims_beyond_the_input_are_refused_at_once),
		cmocka_unit_test(counts_are_bounded_by_what_is_left),
		cmocka_unit_test(limits_of_the_caller_hold),
		cmocka_unit_test(exact_byte_strings_are_exact),
		cmocka_unit_test(first_error_stays),
		cmocka_unit_test(nesting_ends_at_its_limit),
		cmocka_unit_test(skipping_takes_one_value_of_any_shape),
		cmocka_unit_test(nil_and_booleans),
		cmocka_unit_test(what_is_written_reads_back_here_and_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
