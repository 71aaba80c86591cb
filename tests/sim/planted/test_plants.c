/* sim: the simulator finds bugs that were planted for it to find. Each plant
 * must be found within a few seeds; the same seeds without it hold.
 *
 * ctest: timeout=300 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/planted/plants.h"
#include "tests/sim/scenario.h"

enum { SEEDS = 12, RUN_MINUTES = 15, VIOLATED = 1 };

struct planted_case {
	enum plant linked;
	enum world_plant world;
};

/* Play seeds until something does not hold. Its exit status is the child's. */
static int hunt(const struct planted_case *c, bool direct)
{
	const struct scenario *s = scenario_named("random");
	struct scenario_wish wish = { .run_ms = RUN_MINUTES * MINUTE_MS,
				      .direct = direct,
				      .plant = c->world };
	const char *rule = NULL;

	plant_choose(c->linked);
	for (uint64_t seed = 1; seed <= SEEDS && !rule; seed++) {
		struct world *w = scenario_run(s, seed, &wish);

		rule = w->rule;
		if (rule)
			printf("seed %u: %s: %s\n", (unsigned)seed, rule, w->violation);
		world_free(w);
	}
	fflush(stdout);
	return rule ? VIOLATED : 0;
}

/* In a process of its own: a bug may well end it. */
static int hunt_apart(const struct planted_case *c, bool direct)
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(hunt(c, direct));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect_found(enum plant linked, enum world_plant world)
{
	struct planted_case c = { linked, world };

	assert_int_equal(hunt_apart(&c, true), VIOLATED);
	assert_int_equal(hunt_apart(&c, false), VIOLATED);
}

static void without_a_plant_everything_holds(void **state)
{
	struct planted_case c = { PLANTED_NOTHING, PLANT_NONE };

	assert_int_equal(hunt_apart(&c, true), 0);
}

static void a_dot_shared_before_it_is_durable_is_found(void **state)
{
	expect_found(PLANTED_NOTHING, PLANT_EARLY_PUSH);
}

static void a_disk_that_lies_about_syncs_is_found(void **state)
{
	expect_found(PLANTED_NOTHING, PLANT_LYING_DISK);
}

static void application_out_of_causal_order_is_found(void **state)
{
	expect_found(PLANTED_DISORDER, PLANT_NONE);
}

static void a_tie_broken_by_order_of_arrival_is_found(void **state)
{
	expect_found(PLANTED_ARRIVAL_TIE, PLANT_NONE);
}

static void a_resurrected_element_is_found(void **state)
{
	expect_found(PLANTED_RESURRECTION, PLANT_NONE);
}

static void a_concurrent_value_lost_in_silence_is_found(void **state)
{
	expect_found(PLANTED_LOST_VALUE, PLANT_NONE);
}

static void stamps_of_the_wall_clock_alone_are_found(void **state)
{
	expect_found(PLANTED_WALL_CLOCK, PLANT_NONE);
}

static void spaces_sent_to_everybody_are_found(void **state)
{
	expect_found(PLANTED_NO_GRANTS, PLANT_NONE);
}

static void changesets_reported_and_not_kept_are_found(void **state)
{
	expect_found(PLANTED_DEAF_RECEIPT, PLANT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_plant_everything_holds),
		cmocka_unit_test(a_dot_shared_before_it_is_durable_is_found),
		cmocka_unit_test(a_disk_that_lies_about_syncs_is_found),
		cmocka_unit_test(application_out_of_causal_order_is_found),
		cmocka_unit_test(a_tie_broken_by_order_of_arrival_is_found),
		cmocka_unit_test(a_resurrected_element_is_found),
		cmocka_unit_test(a_concurrent_value_lost_in_silence_is_found),
		cmocka_unit_test(stamps_of_the_wall_clock_alone_are_found),
		cmocka_unit_test(spaces_sent_to_everybody_are_found),
		cmocka_unit_test(changesets_reported_and_not_kept_are_found),
	};

	return cmocka_run_group_tests_name("sim/plants", tests, NULL, NULL);
}
