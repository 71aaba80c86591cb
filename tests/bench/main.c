/* huitong-bench: the figures of docs/BENCHMARKS.md. */
#include <argp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/measure.h"
#include "tests/bench/report.h"
#include "tests/bench/workload.h"

enum { FIGURES_A_MEASUREMENT = 5, SIZES_MAX = 8 };

struct measurement {
	void (*run)(struct bench *b);
	const char *figures[FIGURES_A_MEASUREMENT];
};

static const struct measurement measurements[] = {
	{ measure_commit, { "commit_durable" } },
	{ measure_insert, { "insert_batch", "disk_bytes_batched" } },
	{ measure_disk, { "disk_bytes" } },
	{ measure_open, { "open" } },
	{ measure_catchup, { "catchup", "wire_bytes", "rss_catchup" } },
	{ measure_catchup_batched, { "catchup_batched", "wire_bytes_batched" } },
	{ measure_live,
	  { "incremental", "noop", "noop_bytes", "propagation_p50", "propagation_p99" } },
	{ measure_strangers, { "stranger_p50", "stranger_p99", "stranger_rss", "stranger_rate" } },
};

/* Have a size of their own. */
static const struct measurement without_records[] = {
	{ measure_handshake, { "handshake" } },
	{ measure_simulator, { "sim_applies" } },
	{ measure_trust, { "trust_fold", "trust_fold_branches", "trust_extend" } },
};

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} servers[] = {
	{ "open", serve_open },         { "open-raw", serve_open_raw },   { "node", serve_node },
	{ "raw-link", serve_raw_link }, { "strangers", serve_strangers }, { "text", bench_text },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct options {
	struct bench bench;
	size_t sizes[SIZES_MAX];
	size_t size_count;
};

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "One JSON object a line", 0 },
	{ "only", 'o', "NAME", 0, "Measure this figure alone", 0 },
	{ "n", 'n', "COUNT", 0, "Records in the replica (10000 and 100000); repeatable", 0 },
	{ "runs", 'r', "COUNT", 0, "Runs of each, of which the median counts (5)", 0 },
	{ 0 },
};

static size_t parse_count(struct argp_state *state, const char *text, size_t most)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*end || count == 0 || count > most)
		argp_error(state, "%s: a number from 1 to %zu is wanted", text, most);
	return count;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j': o->bench.is_json = true; break;
	case 'o':
		if (!figure_exists(arg))
			argp_error(state, "%s: no such figure", arg);
		o->bench.only = arg;
		break;
	case 'n':
		if (o->size_count == SIZES_MAX)
			argp_error(state, "too many sizes");
		o->sizes[o->size_count++] = parse_count(state, arg, 10000000);
		break;
	case 'r': o->bench.runs = (unsigned)parse_count(state, arg, 1000); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp parser = {
	option_table,
	parse_option,
	NULL,
	"Measure huitong beside its physical floors; docs/BENCHMARKS.md says how.",
};

static void run_if_wanted(const struct measurement *m, struct bench *b)
{
	bool is_wanted = b->only == NULL;

	for (size_t i = 0; i < FIGURES_A_MEASUREMENT && m->figures[i]; i++)
		is_wanted = is_wanted || strcmp(m->figures[i], b->only) == 0;
	if (is_wanted)
		m->run(b);
}

static void measure_size(struct bench *b, size_t n)
{
	b->n = n;
	b->rows = workload_rows(0, n);
	for (size_t i = 0; i < ARRAY_SIZE(measurements); i++)
		run_if_wanted(&measurements[i], b);
	free(b->rows);
	b->rows = NULL;
}

int main(int argc, char **argv)
{
	struct options options = { .bench = { .runs = 5 } };
	struct bench *b = &options.bench;

	if (sodium_init() < 0)
		bench_fail("libsodium does not start");
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(servers); i++)
		if (strcmp(argv[1], servers[i].name) == 0)
			return servers[i].main(argc - 1, argv + 1);
	argp_parse(&parser, argc, argv, 0, NULL, &options);
	if (options.size_count == 0) {
		options.sizes[options.size_count++] = 10000;
		options.sizes[options.size_count++] = 100000;
	}
	if (!b->is_json)
		report_heading();
	bench_make_folder(b);
	for (size_t i = 0; i < options.size_count; i++)
		measure_size(b, options.sizes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(without_records); i++)
		run_if_wanted(&without_records[i], b);
	if (!b->is_json && !b->only)
		report_floors();
	return 0;
}
