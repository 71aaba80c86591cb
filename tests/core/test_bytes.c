/* core/bytes, core/arena, core/err: memory and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "tests/support/prng.h"

static void prefixes_come_first(void **state)
{
	static const char *const ascending[] = { "", "a", "aa", "ab", "b" };

	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			int order =
				bytes_cmp(bytes_of_str(ascending[i]), bytes_of_str(ascending[k]));

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of("", 0)));
	assert_true(bytes_cmp(bytes_of("a\0", 2), bytes_of("a", 1)) > 0);
}

static void buffers_grow_and_give_back(void **state)
{
	struct buf b = BUF_EMPTY;
	struct buf expected = BUF_EMPTY;

	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%d,", i);
		buf_append_str(&b, "x");
		buf_append_byte(&b, ';');
	}
	assert_int_equal(buf_check(&b), OK);
	assert_memory_equal(b.data, "0,x;1,x;", 8);
	buf_append(&expected, b.data + 8, b.size - 8);
	buf_consume(&b, 8);
	assert_true(bytes_equal(buf_bytes(&b), buf_bytes(&expected)));
	buf_consume(&b, b.size);
	assert_int_equal(b.size, 0);
	buf_release(&expected);
	buf_wipe(&b);
	assert_null(b.data);
}

static void failed_buffer_swallows_what_follows(void **state)
{
	struct buf b = BUF_EMPTY;

	buf_append_str(&b, "kept");
	b.failed = true; /* as after an allocation that failed */
	buf_append_str(&b, "lost");
	assert_int_equal(b.size, 4);
	assert_int_equal(buf_check(&b), ERR_NOMEM);
	buf_clear(&b);
	assert_int_equal(buf_check(&b), OK);
	buf_release(&b);
}

static void hex_goes_both_ways(void **state)
{
	const uint8_t data[] = { 0x00, 0x1f, 0xab, 0xff };
	uint8_t back[4] = { 9, 9, 9, 9 };
	char text[9];

	hex_encode(text, bytes_of(data, 4));
	assert_string_equal(text, "001fabff");
	assert_int_equal(hex_decode(back, 4, "001FabFF"), OK);
	assert_memory_equal(back, data, 4);
	memset(back, 9, 4);
	assert_int_equal(hex_decode(back, 4, "001fabf"), ERR_FORMAT);
	assert_int_equal(hex_decode(back, 4, "001fabff0"), ERR_FORMAT);
	assert_int_equal(hex_decode(back, 4, "001fabfg"), ERR_FORMAT);
	assert_int_equal(back[0], 9);
}

static void arena_gives_aligned_zeros_that_do_not_overlap(void **state)
{
	struct arena a = ARENA_EMPTY;
	struct prng prng;
	struct {
		uint8_t *at;
		size_t size;
	} blocks[200];

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 200; i++) {
			blocks[i].size = prng_below(&prng, prng_chance(&prng, 5) ? 200000 : 300);
			blocks[i].at = arena_alloc(&a, blocks[i].size);
			assert_non_null(blocks[i].at);
			assert_int_equal((uintptr_t)blocks[i].at % 16, 0);
			for (size_t k = 0; k < blocks[i].size; k++)
				assert_int_equal(blocks[i].at[k], 0);
			memset(blocks[i].at, i + 1, blocks[i].size);
		}
		for (int i = 0; i < 200; i++)
			for (size_t k = 0; k < blocks[i].size; k++)
				assert_int_equal(blocks[i].at[k], (uint8_t)(i + 1));
		arena_reset(&a);
		assert_in_range(a.total, 0, 4 << 20);
	}
	arena_release(&a);
	assert_int_equal(a.total, 0);
}

static void arena_refuses_what_does_not_exist(void **state)
{
	struct arena a = ARENA_EMPTY;

	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, SIZE_MAX - 3));
	assert_non_null(arena_array(&a, 0, 16));
	assert_non_null(arena_copy(&a, bytes_of(NULL, 0)).data);
	arena_release(&a);
}

static void every_error_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < ERR_COUNT; i++)
		assert_int_equal(err_from_name(err_name((enum err)i)), i);
	assert_int_equal(err_from_name("no such name"), ERR_PROTOCOL);
	assert_string_equal(err_name((enum err)999), "unknown");
	assert_string_equal(err_name((enum err) - 1), "unknown");
}

static void messages_are_cut_not_overrun(void **state)
{
	struct errmsg msg;
	char text[2 * ERRMSG_BYTES_MAX];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(errmsg_set(&msg, ERR_IO, "%s", text), ERR_IO);
	assert_int_equal(strlen(msg.text), ERRMSG_BYTES_MAX - 1);
	assert_int_equal(errmsg_prefix(&msg, ERR_FULL, "%s: ", "before"), ERR_FULL);
	assert_int_equal(msg.code, ERR_FULL);
	assert_memory_equal(msg.text, "before: xxx", 11);
	assert_int_equal(strlen(msg.text), ERRMSG_BYTES_MAX - 1);
	assert_int_equal(errmsg_prefix(&msg, ERR_FULL, "%s", text), ERR_FULL);
	assert_int_equal(errmsg_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
	assert_int_equal(errmsg_prefix(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_come_first),
		cmocka_unit_test(buffers_grow_and_give_back),
		cmocka_unit_test(failed_buffer_swallows_what_follows),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(arena_gives_aligned_zeros_that_do_not_overlap),
		cmocka_unit_test(arena_refuses_what_does_not_exist),
		cmocka_unit_test(every_error_has_a_name_of_its_own),
		cmocka_unit_test(messages_are_cut_not_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
