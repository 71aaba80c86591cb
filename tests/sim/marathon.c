#include "tests/sim/marathon.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/sim/scenario.h"
#include "tests/sim/stats.h"

enum { SCENARIOS_MAX = 64, REPORT_MS = 60000 };

struct tally {
	uint64_t worlds, events, virtual_ms, failures;
	struct world_stats stats;
};

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const struct scenario *draw_scenario(struct prng *dice)
{
	size_t count;
	const struct scenario *all = scenario_all(&count);
	const struct scenario *random = scenario_named("random");

	return prng_chance(dice, 50) ? random : &all[prng_below(dice, count)];
}

static void add(struct tally *t, const struct world *w)
{
	t->worlds++;
	t->events += w->timeline.fired;
	stats_add(&t->stats, &w->stats);
	t->virtual_ms += w->timeline.now_ms;
	t->failures += w->rule != NULL;
}

/* One world, into the tally of its scenario and the sum. */
static void run_one(uint64_t seed, struct tally *tallies, struct tally *sum)
{
	const struct scenario *all = scenario_all(&(size_t){ 0 }), *s;
	struct prng dice;
	struct scenario_wish wish = { 0 };
	char repeat[128];
	struct world *w;

	prng_init(&dice, seed);
	s = draw_scenario(&dice);
	wish.direct = s == scenario_named("random") && prng_chance(&dice, 20);
	w = scenario_run(s, seed, &wish);
	snprintf(repeat, sizeof(repeat), "huitong-sim --scenario %s --seed %" PRIu64 "%s", s->name,
		 seed, wish.direct ? " --direct" : "");
	if (w->rule)
		world_explain(w, repeat);
	add(&tallies[s - all], w);
	add(sum, w);
	world_free(w);
}

static void print_progress(const struct tally *sum, uint64_t seed)
{
	fprintf(stderr,
		"%" PRIu64 " worlds, %" PRIu64 " events, up to seed %" PRIu64 ", %" PRIu64
		" failures\n",
		sum->worlds, sum->events, seed, sum->failures);
}

static void print_tallies(const struct tally *tallies, const struct tally *sum, double seconds)
{
	size_t count;
	const struct scenario *all = scenario_all(&count);

	for (size_t i = 0; i < count; i++)
		printf("%-14s %6" PRIu64 " worlds %10" PRIu64 " events %4" PRIu64 " failures\n",
		       all[i].name, tallies[i].worlds, tallies[i].events, tallies[i].failures);
	printf("%" PRIu64 " worlds: %" PRIu64 " events, %" PRIu64 " edits, %" PRIu64
	       " changesets applied, %" PRIu64 " faults, %" PRIu64 " crashes, %.1f virtual days in "
	       "%.0f s of one core (%.1f million events a minute), %" PRIu64 " failures\n",
	       sum->worlds, sum->events, sum->stats.edits, sum->stats.applied, sum->stats.faults,
	       sum->stats.crashes + sum->stats.kills, (double)sum->virtual_ms / (double)DAY_MS,
	       seconds, (double)sum->events * 60 / 1e6 / seconds, sum->failures);
	stats_tell(&sum->stats);
}

int marathon_run(const struct marathon *m)
{
	struct tally tallies[SCENARIOS_MAX] = { 0 }, sum = { 0 };
	uint64_t start_ms = clock_ms(CLOCK_MONOTONIC), told_ms = start_ms, now_ms = start_ms;
	uint64_t cpu_ms = clock_ms(CLOCK_PROCESS_CPUTIME_ID), seed = m->seed;

	printf("seeds from %" PRIu64 "\n", seed);
	fflush(stdout);
	while ((m->wall_ms == 0 || now_ms - start_ms < m->wall_ms) &&
	       (m->events_min == 0 || sum.events < m->events_min)) {
		run_one(seed++, tallies, &sum);
		now_ms = clock_ms(CLOCK_MONOTONIC);
		if (now_ms - told_ms < REPORT_MS)
			continue;
		print_progress(&sum, seed - 1);
		told_ms = now_ms;
	}
	print_tallies(tallies, &sum, (double)(clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu_ms) / 1000);
	return sum.failures ? 1 : 0;
}
