/* core/hlc: stamps increase, whatever the clocks do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/hlc.h"
#include "core/limits.h"

static void stamps_follow_the_wall(void **state)
{
	struct hlc clock = { { 0 } };

	assert_int_equal(hlc_wall_ms(hlc_now(&clock, 1000)), 1000);
	assert_int_equal(hlc_wall_ms(hlc_now(&clock, 2000)), 2000);
}

static void stamps_increase_when_the_wall_stands_or_steps_back(void **state)
{
	struct hlc clock = { { 0 } };
	struct hlc_stamp last = hlc_now(&clock, 5000);

	for (uint64_t wall_ms = 5000; wall_ms > 4000; wall_ms -= 10) {
		struct hlc_stamp next = hlc_now(&clock, wall_ms);

		assert_true(hlc_cmp(last, next) < 0);
		assert_int_equal(hlc_wall_ms(next), 5000);
		last = next;
	}
}

static void full_counter_carries_into_the_milliseconds(void **state)
{
	struct hlc clock = { { UINT64_C(5000) << 16 | 0xffff } };
	struct hlc_stamp next = hlc_now(&clock, 5000);

	assert_int_equal(hlc_wall_ms(next), 5001);
	assert_int_equal(next.bits & 0xffff, 0);
}

static void what_was_seen_is_exceeded(void **state)
{
	struct hlc clock = { { 0 } };
	struct hlc_stamp seen = { UINT64_C(9000) << 16 | 7 };

	hlc_now(&clock, 5000);
	hlc_observe(&clock, seen);
	assert_true(hlc_cmp(hlc_now(&clock, 5001), seen) > 0);
	hlc_observe(&clock, (struct hlc_stamp){ 1 }); /* older: no effect */
	assert_true(hlc_cmp(hlc_now(&clock, 5001), seen) > 0);
}

static void future_begins_after_its_limit(void **state)
{
	uint64_t wall_ms = UINT64_C(1800000000000);
	struct hlc_stamp edge = { (wall_ms + HLC_AHEAD_MS_MAX) << 16 | 0xffff };

	assert_false(hlc_is_future(edge, wall_ms));
	edge.bits++;
	assert_true(hlc_is_future(edge, wall_ms));
	assert_true(hlc_is_future((struct hlc_stamp){ UINT64_MAX }, wall_ms));
	assert_false(hlc_is_future((struct hlc_stamp){ 0 }, wall_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_follow_the_wall),
		cmocka_unit_test(stamps_increase_when_the_wall_stands_or_steps_back),
		cmocka_unit_test(full_counter_carries_into_the_milliseconds),
		cmocka_unit_test(what_was_seen_is_exceeded),
		cmocka_unit_test(future_begins_after_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
