/* huitong-sim: put worlds through scenarios until something does not hold.
 *
 *     huitong-sim --count 1000                 a thousand random worlds
 *     huitong-sim --minutes 30                 random seeds over all scenarios
 *     huitong-sim --scenario partition --seed 7
 *     huitong-sim --cuts 100000                power cuts of one disk, no worlds
 *
 * Exit status: 0 everything held, 1 a violation, 2 a wrong argument. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/absence.h"
#include "tests/sim/bench.h"
#include "tests/sim/marathon.h"
#include "tests/sim/powercut.h"
#include "tests/sim/scenario.h"
#include "tests/sim/stats.h"

struct arguments {
	const struct scenario *scenario;
	uint64_t seed, count;
	uint64_t cuts;    /* 0: worlds */
	uint64_t absence; /* likewise */
	struct scenario_wish wish;
	struct marathon marathon;
	bool bench, json;
};

static const struct {
	const char *name;
	enum world_plant plant;
} plants[] = {
	{ "lying-disk", PLANT_LYING_DISK },
	{ "early-push", PLANT_EARLY_PUSH },
};

static void print_help(void)
{
	size_t count;
	const struct scenario *all = scenario_all(&count);

	puts("usage: huitong-sim [OPTION]...\n"
	     "  --seed N          the first seed (1)\n"
	     "  --count N         how many seeds (1)\n"
	     "  --scenario NAME   one of those below (random)\n"
	     "  --replicas N      how many nodes\n"
	     "  --minutes N       random seeds over all scenarios, for so long\n"
	     "  --events N        the same, until the worlds had so many events\n"
	     "  --span N          minutes of virtual time, of a random world\n"
	     "  --steps N         at most so many events, of a random world\n"
	     "  --direct          without engines: deltas are handed over in one step\n"
	     "  --plant NAME      a bug to be found: lying-disk, early-push\n"
	     "  --verbose         every event, as it happens\n"
	     "  --cuts N          instead, cut the power of one replica's disk N times\n"
	     "  --absence N       instead, 1,000 days without a link, N changes on each side\n"
	     "  --bench           measure changeset applications a second\n"
	     "  --json            the measure as one JSON object\n");
	for (size_t i = 0; i < count; i++)
		printf("  %-14s %s\n", all[i].name, all[i].what);
}

static enum world_plant plant_named(const char *name)
{
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
		if (strcmp(plants[i].name, name) == 0)
			return plants[i].plant;
	return PLANT_NONE;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || end == text) {
		fprintf(stderr, "huitong-sim: %s is not a number\n", text);
		exit(2);
	}
	return value;
}

static void refuse(const char *what, const char *name)
{
	fprintf(stderr, "huitong-sim: no %s %s; see --help\n", what, name);
	exit(2);
}

static const struct option options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'c' },
	{ "scenario", required_argument, NULL, 'o' },
	{ "replicas", required_argument, NULL, 'r' },
	{ "minutes", required_argument, NULL, 'm' },
	{ "events", required_argument, NULL, 'n' },
	{ "span", required_argument, NULL, 't' },
	{ "steps", required_argument, NULL, 'e' },
	{ "absence", required_argument, NULL, 'a' },
	{ "direct", no_argument, NULL, 'd' },
	{ "plant", required_argument, NULL, 'p' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "cuts", required_argument, NULL, 'u' },
	{ "bench", no_argument, NULL, 'b' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void take_option(struct arguments *a, int option)
{
	switch (option) {
	case 's': a->seed = a->marathon.seed = number(optarg); break;
	case 'a': a->absence = number(optarg); break;
	case 'c': a->count = number(optarg); break;
	case 'r': a->wish.nodes = (unsigned)number(optarg); break;
	case 'm': a->marathon.wall_ms = number(optarg) * MINUTE_MS; break;
	case 'n': a->marathon.events_min = number(optarg); break;
	case 't': a->wish.run_ms = number(optarg) * MINUTE_MS; break;
	case 'e': a->wish.events_max = number(optarg); break;
	case 'd': a->wish.direct = true; break;
	case 'v': a->wish.verbose = true; break;
	case 'u': a->cuts = number(optarg); break;
	case 'b': a->bench = true; break;
	case 'j': a->json = true; break;
	case 'h': print_help(); exit(0);
	case 'o':
		a->scenario = scenario_named(optarg);
		if (!a->scenario)
			refuse("scenario", optarg);
		break;
	case 'p':
		a->wish.plant = plant_named(optarg);
		if (a->wish.plant == PLANT_NONE)
			refuse("plant", optarg);
		break;
	default: exit(2);
	}
}

static void how_to_repeat(char *out, size_t size, const struct arguments *a, uint64_t seed)
{
	int used = snprintf(out, size, "huitong-sim --scenario %s --seed %" PRIu64,
			    a->scenario->name, seed);
	const struct scenario_wish *w = &a->wish;

	if (w->nodes)
		used += snprintf(out + used, size - (size_t)used, " --replicas %u", w->nodes);
	if (w->run_ms)
		used += snprintf(out + used, size - (size_t)used, " --span %" PRIu64,
				 w->run_ms / MINUTE_MS);
	if (w->events_max)
		used += snprintf(out + used, size - (size_t)used, " --steps %" PRIu64,
				 w->events_max);
	if (w->direct)
		used += snprintf(out + used, size - (size_t)used, " --direct");
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
		if (w->plant == plants[i].plant)
			snprintf(out + used, size - (size_t)used, " --plant %s", plants[i].name);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_seeds(const struct arguments *a)
{
	struct world_stats sum = { 0 };
	uint64_t events = 0, virtual_ms = 0;
	double start = seconds(), took;
	char repeat[256];

	for (uint64_t seed = a->seed; seed < a->seed + a->count; seed++) {
		struct world *w = scenario_run(a->scenario, seed, &a->wish);
		bool failed = w->rule != NULL;

		how_to_repeat(repeat, sizeof(repeat), a, seed);
		if (failed)
			world_explain(w, repeat);
		stats_add(&sum, &w->stats);
		events += w->timeline.fired;
		virtual_ms += w->timeline.now_ms;
		world_free(w);
		if (failed)
			return 1;
	}
	took = seconds() - start;
	printf("%" PRIu64 " worlds held: %" PRIu64 " edits, %" PRIu64
	       " changesets applied, %" PRIu64 " faults, %" PRIu64 " crashes, %" PRIu64
	       " events, %.1f virtual days in %.1f s "
	       "(%.0f applied a second, audited)\n",
	       a->count, sum.edits, sum.applied, sum.faults, sum.crashes + sum.kills, events,
	       (double)virtual_ms / (double)DAY_MS, took, (double)sum.applied / took);
	stats_tell(&sum);
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments a = { .scenario = scenario_named("random"), .seed = 1, .count = 1 };
	int option;

	a.marathon.seed = (uint64_t)time(NULL) * 1000; /* others each time */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(&a, option);
	if (optind < argc)
		refuse("argument", argv[optind]);
	if (a.cuts)
		return powercut_tell(a.seed, a.cuts) ? 0 : 1;
	if (a.absence)
		return absence_tell(a.absence);
	if (a.bench)
		return sim_bench(a.json);
	if (a.marathon.wall_ms || a.marathon.events_min)
		return marathon_run(&a.marathon);
	return run_seeds(&a);
}
