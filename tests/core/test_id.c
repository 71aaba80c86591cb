/* core/id, core/id_index: ids that follow each other, and tables of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/id_index.h"
#include "tests/support/prng.h"

static struct record_id random_id(struct prng *prng)
{
	struct dice dice = prng_dice(prng);

	return record_id_new(prng_next(prng) >> 16, &dice);
}

static void new_ids_are_uuids_of_their_instant(void **state)
{
	struct prng prng;
	struct dice dice = prng_dice(&prng);
	struct record_id early, late;

	prng_init(&prng, 1);
	early = record_id_new(UINT64_C(0x0123456789ab), &dice);
	late = record_id_new(UINT64_C(0x0123456789ac), &dice);
	assert_memory_equal(early.bytes, "\x01\x23\x45\x67\x89\xab", 6);
	assert_int_equal(early.bytes[6] >> 4, 7);
	assert_int_equal(early.bytes[8] >> 6, 2);
	assert_true(record_id_cmp(&early, &late) < 0);
}

static void next_ids_ascend_over_every_carry(void **state)
{
	struct record_id id = { { 1, [8] = 0x80 } }, next;

	memset(id.bytes + 9, 0xff, 6);
	id.bytes[15] = 0xf0;
	for (int i = 0; i < 100; i++) {
		next = record_id_next(&id);
		assert_true(record_id_cmp(&id, &next) < 0);
		assert_int_equal(record_id_distance(&id, &next), 1);
		id = next;
	}
	assert_int_equal(id.bytes[8], 0x81);
	/* At the very end the count starts again, still a UUID. */
	memset(id.bytes + 8, 0xff, 8);
	id.bytes[8] = 0xbf;
	next = record_id_next(&id);
	assert_int_equal(next.bytes[8], 0x80);
	assert_int_equal(record_id_distance(&id, &next), 0);
}

static void distances_and_steps_agree(void **state)
{
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 5000; round++) {
		struct record_id a = random_id(&prng), b = a, c = random_id(&prng);
		uint64_t step = 1 + prng_below(&prng, UINT64_C(1) << (1 + prng_below(&prng, 32)));

		if (step <= UINT32_MAX && record_id_add(&b, step)) {
			assert_int_equal(record_id_distance(&a, &b), step);
			assert_int_equal(record_id_distance(&b, &a), 0);
		}
		assert_int_equal(record_id_distance(&a, &a), 0);
		assert_int_equal(record_id_distance(&a, &c), 0); /* other instants */
	}
}

static void steps_stay_in_their_half(void **state)
{
	struct record_id id = { { 0 } };

	memset(id.bytes + 8, 0xff, 8);
	assert_false(record_id_add(&id, 1)); /* over 64 bits */
	memset(id.bytes + 8, 0xff, 8);
	id.bytes[8] = 0xbf;
	assert_false(record_id_add(&id, 1)); /* into the variant */
	memset(id.bytes, 0, ID_BYTES);
	assert_true(record_id_add(&id, UINT32_MAX));
}

static void nil_is_all_zeros(void **state)
{
	struct record_id id = { { 0 } };

	assert_true(record_id_is_nil(&id));
	id.bytes[15] = 1;
	assert_false(record_id_is_nil(&id));
}

static void index_is_the_sorted_set(void **state)
{
	enum { COUNT = 500 };
	struct arena arena = ARENA_EMPTY;
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 50; round++) {
		struct record_id ids[COUNT];
		struct id_index x;

		arena_reset(&arena);
		assert_int_equal(id_index_init(&x, COUNT, &arena), OK);
		for (size_t i = 0; i < COUNT; i++) {
			/* Runs of neighbours, repeats, and ids that share most bytes. */
			if (i && prng_chance(&prng, 60))
				ids[i] = record_id_next(&ids[i - 1]);
			else if (i && prng_chance(&prng, 50))
				ids[i] = ids[prng_below(&prng, i)];
			else
				ids[i] = random_id(&prng);
			id_index_add(&x, ids[i].bytes);
		}
		id_index_sort(&x);
		for (uint32_t i = 1; i < x.count; i++)
			assert_true(memcmp(x.ids[i - 1], x.ids[i], ID_BYTES) < 0);
		for (size_t i = 0; i < COUNT; i++) {
			uint32_t place = id_index_find(&x, ids[i].bytes);

			assert_in_range(place, 0, x.count - 1);
			assert_memory_equal(x.ids[place], ids[i].bytes, ID_BYTES);
		}
	}
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ids_are_uuids_of_their_instant),
		cmocka_unit_test(next_ids_ascend_over_every_carry),
		cmocka_unit_test(distances_and_steps_agree),
		cmocka_unit_test(steps_stay_in_their_half),
		cmocka_unit_test(nil_is_all_zeros),
		cmocka_unit_test(index_is_the_sorted_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
