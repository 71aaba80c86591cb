/* sim: the simulator finds bugs that were planted for it to find. Each plant
 * must be found within a few seeds; the first ones hold without it.
 *
 * ctest: labels=slow timeout=600 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/planted/plants.h"
#include "tests/sim/scenario.h"

enum { SOUND_SEEDS = 12, HUNT_SEEDS = 24, RUN_MINUTES = 15, VIOLATED = 1 };

struct planted_case {
	enum plant linked;
	enum world_plant world;
	const char *scenario;
};

/* Play seeds until something does not hold. Its exit status is the child's. */
static int hunt(const struct planted_case *c, bool direct)
{
	const struct scenario *s = scenario_named(c->scenario);
	bool is_random = strcmp(c->scenario, "random") == 0;
	struct scenario_wish wish = { .run_ms = is_random ? RUN_MINUTES * MINUTE_MS : 0,
				      .direct = direct,
				      .plant = c->world };
	bool is_sound = c->linked == PLANTED_NOTHING && c->world == PLANT_NONE;
	uint64_t seeds = is_sound ? SOUND_SEEDS : HUNT_SEEDS;
	const char *rule = NULL;

	plant_choose(c->linked);
	for (uint64_t seed = 1; seed <= seeds && !rule; seed++) {
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

static void expect_found_in(const char *scenario, enum plant linked, enum world_plant world)
{
	struct planted_case c = { linked, world, scenario };

	assert_int_equal(hunt_apart(&c, true), VIOLATED);
	assert_int_equal(hunt_apart(&c, false), VIOLATED);
}

static void expect_found(enum plant linked, enum world_plant world)
{
	expect_found_in("random", linked, world);
}

static void without_a_plant_everything_holds(void **state)
{
	static const char *const scenarios[] = { "random", "revoke", "restore", "rollback",
						 "hostile" };

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct planted_case c = { PLANTED_NOTHING, PLANT_NONE, scenarios[i] };

		assert_int_equal(hunt_apart(&c, true), 0);
	}
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

static void a_cut_that_is_ignored_for_what_comes_late_is_found(void **state)
{
	expect_found_in("revoke", PLANTED_LATE_TAIL, PLANT_NONE);
}

static void a_removed_peer_that_is_still_served_is_found(void **state)
{
	expect_found_in("revoke", PLANTED_HOSPITALITY, PLANT_NONE);
}

/* With engines most forks are healed by their owner first, and it takes more seeds. */
static void a_fork_that_nobody_proves_is_found(void **state)
{
	struct planted_case c = { PLANTED_NO_PROOF, PLANT_NONE, "rollback" };

	assert_int_equal(hunt_apart(&c, true), VIOLATED);
}

static void a_restored_database_that_keeps_its_id_is_found(void **state)
{
	expect_found_in("restore", PLANTED_SAME_EPOCH, PLANT_NONE);
}

static void a_fold_that_depends_on_the_order_of_arrival_is_found(void **state)
{
	expect_found_in("revoke", PLANTED_LAST_GRANT, PLANT_NONE);
}

static void changesets_in_anothers_name_are_found(void **state)
{
	expect_found_in("hostile", PLANTED_ANY_AUTHOR, PLANT_NONE);
}

static void statements_in_anothers_name_are_found(void **state)
{
	expect_found_in("hostile", PLANTED_ANY_SIGNER, PLANT_NONE);
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
		cmocka_unit_test(a_cut_that_is_ignored_for_what_comes_late_is_found),
		cmocka_unit_test(a_removed_peer_that_is_still_served_is_found),
		cmocka_unit_test(a_fork_that_nobody_proves_is_found),
		cmocka_unit_test(a_restored_database_that_keeps_its_id_is_found),
		cmocka_unit_test(a_fold_that_depends_on_the_order_of_arrival_is_found),
		cmocka_unit_test(changesets_in_anothers_name_are_found),
		cmocka_unit_test(statements_in_anothers_name_are_found),
	};

	return cmocka_run_group_tests_name("sim/plants", tests, NULL, NULL);
}
