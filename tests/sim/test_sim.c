/* sim: worlds hold under everything that the scenarios do to them.
 *
 * A handful of seeds; `huitong-sim --count 1000` looks further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/absence.h"
#include "tests/sim/bench.h"
#include "tests/sim/scenario.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SLOW 1
#elif defined(__has_feature)
#define IS_SLOW (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define IS_SLOW 0
#endif

enum { RANDOM_SEEDS = IS_SLOW ? 2 : 8, CONTESTED_SEEDS = IS_SLOW ? 3 : 12 };

static struct world *play(const char *name, uint64_t seed, const struct scenario_wish *wish)
{
	struct world *w = scenario_run(scenario_named(name), seed, wish);
	char repeat[128];

	snprintf(repeat, sizeof(repeat), "huitong-sim --scenario %s --seed %" PRIu64 "%s", name,
		 seed, wish->direct ? " --direct" : "");
	if (w->rule)
		world_explain(w, repeat);
	return w;
}

static void expect_holds(const char *name, uint64_t seed, bool direct)
{
	struct world *w = play(name, seed, &(struct scenario_wish){ .direct = direct });
	bool holds = w->rule == NULL;

	world_free(w);
	assert_true(holds);
}

/* One test a scenario: its name is the test's. */
static void scenario_holds(void **state)
{
	const struct scenario *s = *state;

	expect_holds(s->name, 1, false);
}

static void random_worlds_hold(void **state)
{
	for (uint64_t seed = 1; seed <= RANDOM_SEEDS; seed++)
		expect_holds("random", seed, false);
}

static void random_worlds_hold_without_engines(void **state)
{
	for (uint64_t seed = 1; seed <= RANDOM_SEEDS; seed++)
		expect_holds("random", seed, true);
}

/* `huitong-sim --scenario revoke --count 10000 --direct` is the figure. */
static void contested_worlds_hold_without_engines(void **state)
{
	static const char *const scenarios[] = { "revoke", "restore", "rollback",
						 "twins",  "hostile", "everything" };

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		for (uint64_t seed = 1; seed <= CONTESTED_SEEDS; seed++)
			expect_holds(scenarios[i], seed, true);
}

static void a_seed_gives_the_same_run_again(void **state)
{
	struct scenario_wish wish = { .run_ms = 10 * MINUTE_MS };
	struct world *a = play("random", 3, &wish), *b = play("random", 3, &wish);

	assert_int_equal(a->trace_hash, b->trace_hash);
	assert_int_equal(a->timeline.fired, b->timeline.fired);
	assert_int_equal(a->timeline.now_ms, b->timeline.now_ms);
	assert_memory_equal(&a->stats, &b->stats, sizeof(a->stats));
	assert_int_equal(a->ledger.entry_count, b->ledger.entry_count);
	world_free(a);
	world_free(b);
}

static void the_measure_comes_to_an_end(void **state)
{
	double per_second = 0;

	assert_true(sim_measure(4, 5, &per_second));
	assert_true(per_second > 0);
}

/* `huitong-sim --absence 100000` is the figure. */
static void a_long_absence_is_made_up_for(void **state)
{
	struct absence a;

	assert_true(absence_run(IS_SLOW ? 200 : 5000, IS_SLOW ? 10 : 1000, &a));
	assert_true(a.bytes > 0);
}

/* Seeds that once found something. */
static const struct {
	const char *what;
	const char *scenario;
	uint64_t seed;
	bool direct;
} regressions[] = {
	{ "a newcomer whose clock was behind wrote before its admission came", "random", 11,
	  false },
	{ "what was held back kept a session from rest", "random", 57, false },
	{ "a newcomer's disk was full in the middle of joining", "random", 1103, false },
	{ "what named the other branch of a fork ended each session", "rollback", 16, false },
	{ "what was written again was older than what came in the same event", "rollback",
	  22178300380016, false },
	{ "what was dropped before its grant came left a gap", "revoke", 513, false },
	{ "a void beside an addition, of what did not count", "revoke", 803, false },
	{ "a cut named another branch than ours, and nothing said where they part", "everything",
	  13, true },
	{ "a disk failed while feeds were compared", "everything", 41, true },
	{ "a meeting went on with a feed that was held back", "everything", 67, true },
	{ "an adoption put a branch back that could be read no more", "everything", 70, true },
	{ "an edit came after a branch that it knows had left the log", "everything",
	  28292180810150, true },
	{ "what only engines see was asked of a world without them", "tampered", 1, true },
	{ "copies displaced each other before either knew that it was one", "everything",
	  2660627103, false },
	{ "a clone wrote again what it had in common with its node", "everything", 90000020,
	  false },
	{ "nobody but three copies of one node may read a space", "everything", 90000080, false },
	{ "the one address that a copy knew was that of its node, which was out", "everything",
	  90001461, false },
	{ "what a cut names was lost with a disk", "everything", 90000161, false },
	{ "a snapshot was of a machine with another clock", "everything", 91000128, false },
};

static void what_was_found_stays_fixed(void **state)
{
	for (size_t i = 0; i < sizeof(regressions) / sizeof(regressions[0]); i++)
		expect_holds(regressions[i].scenario, regressions[i].seed, regressions[i].direct);
}

int main(void)
{
	struct CMUnitTest tests[40] = {
		cmocka_unit_test(a_seed_gives_the_same_run_again),
		cmocka_unit_test(random_worlds_hold),
		cmocka_unit_test(random_worlds_hold_without_engines),
		cmocka_unit_test(contested_worlds_hold_without_engines),
		cmocka_unit_test(the_measure_comes_to_an_end),
		cmocka_unit_test(a_long_absence_is_made_up_for),
		cmocka_unit_test(what_was_found_stays_fixed),
	};
	size_t count = 7, scenarios;
	const struct scenario *all = scenario_all(&scenarios);

	for (size_t i = 0; i < scenarios; i++)
		if (strcmp(all[i].name, "random") != 0)
			tests[count++] = (struct CMUnitTest){ .name = all[i].name,
							      .test_func = scenario_holds,
							      .initial_state = (void *)&all[i] };
	return _cmocka_run_group_tests("sim", tests, count, NULL, NULL);
}
