/* sync/schedule: delays grow, stay in bounds, differ, and are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/schedule.h"
#include "tests/support/prng.h"

enum { NOW_MS = 1000000, ROUNDS = 200 };

static struct prng prng;

static uint64_t lost_ms(struct schedule *s)
{
	struct dice dice = prng_dice(&prng);

	schedule_lost(s, NOW_MS, &dice);
	return s->next_ms - NOW_MS;
}

static uint64_t refused_ms(struct schedule *s)
{
	struct dice dice = prng_dice(&prng);

	schedule_refused(s, NOW_MS, &dice);
	return s->next_ms - NOW_MS;
}

static void delays_double_up_to_a_limit(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct schedule s;
		uint64_t mean = RETRY_MS_MIN;

		schedule_init(&s, NOW_MS);
		for (int k = 0; k < 40; k++) {
			assert_in_range(lost_ms(&s), mean / 2, mean + mean / 2);
			mean = 2 * mean < RETRY_MS_MAX ? 2 * mean : RETRY_MS_MAX;
		}
	}
}

static void refusals_wait_longer(void **state)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct schedule s;
		uint64_t mean = REFUSED_MS_MIN;

		schedule_init(&s, NOW_MS);
		for (int k = 0; k < 40; k++) {
			assert_in_range(refused_ms(&s), mean / 2, mean + mean / 2);
			mean = 2 * mean < REFUSED_MS_MAX ? 2 * mean : REFUSED_MS_MAX;
		}
	}
}

static void delays_differ(void **state)
{
	struct schedule a, b;
	int equal_count = 0;

	for (int i = 0; i < ROUNDS; i++) {
		schedule_init(&a, NOW_MS);
		schedule_init(&b, NOW_MS);
		equal_count += lost_ms(&a) == lost_ms(&b);
	}
	assert_true(equal_count < ROUNDS / 10);
}

static void success_forgets_failures(void **state)
{
	struct schedule s;

	schedule_init(&s, NOW_MS);
	for (int i = 0; i < 20; i++) {
		lost_ms(&s);
		refused_ms(&s);
	}
	schedule_succeeded(&s);
	assert_in_range(lost_ms(&s), RETRY_MS_MIN / 2, RETRY_MS_MIN * 3 / 2);
	assert_in_range(refused_ms(&s), REFUSED_MS_MIN / 2, REFUSED_MS_MIN * 3 / 2);
}

static void hurry_never_delays(void **state)
{
	struct schedule s;

	schedule_init(&s, NOW_MS);
	schedule_hurry(&s, NOW_MS + 5);
	assert_int_equal(s.next_ms, NOW_MS);
	lost_ms(&s);
	schedule_hurry(&s, NOW_MS + 5);
	assert_int_equal(s.next_ms, NOW_MS + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_double_up_to_a_limit),
		cmocka_unit_test(refusals_wait_longer),
		cmocka_unit_test(delays_differ),
		cmocka_unit_test(success_forgets_failures),
		cmocka_unit_test(hurry_never_delays),
	};

	prng_init(&prng, prng_seed_from_environment());
	return cmocka_run_group_tests_name("sync/schedule", tests, NULL, NULL);
}
