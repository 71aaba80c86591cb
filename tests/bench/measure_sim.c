/* The simulator measures itself; its floor is what SQLite in memory takes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/raw_store.h"

/* huitong-sim beside our own program; false when it was not built. */
static bool simulator_path(char *out, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (length < 0)
		bench_fail("/proc/self/exe: %s", strerror(errno));
	out[length] = 0;
	slash = strrchr(out, '/');
	snprintf(slash + 1, size - (size_t)(slash + 1 - out), "huitong-sim");
	return access(out, X_OK) == 0;
}

struct simulated {
	size_t n;
	double rate; /* 0 = the line was not there */
};

/* From the line of JSON that speaks of sim_applies. */
static struct simulated run_simulator(const char *program)
{
	struct simulated got = { 0 };
	char command[4200], line[512];
	FILE *out;

	snprintf(command, sizeof(command), "'%s' --bench --json", program);
	out = popen(command, "re");
	while (out && fgets(line, sizeof(line), out))
		sscanf(line, "{\"name\":\"sim_applies\",\"n\":%zu,\"value\":%lf", &got.n,
		       &got.rate);
	if (!out || pclose(out) != 0 || got.rate <= 0)
		bench_fail("%s did not give a figure", command);
	return got;
}

static double raw_rate(size_t count)
{
	struct action_row *rows = workload_rows(0, count);
	struct raw_store raw;
	uint64_t start;
	double rate;

	raw_new(&raw, ":memory:");
	start = clock_ns();
	raw_fill(&raw, rows, count);
	rate = (double)count / seconds_since(start);
	raw_close(&raw);
	free(rows);
	return rate;
}

void measure_simulator(struct bench *b)
{
	struct samples floors = SAMPLES_EMPTY;
	struct simulated simulated;
	char program[4096];

	if (!simulator_path(program, sizeof(program))) {
		fprintf(stderr, "huitong-bench: no sim_applies: huitong-sim is not built\n");
		return;
	}
	simulated = run_simulator(program); /* the median of its own runs */
	b->n = simulated.n;
	for (unsigned run = 0; run < b->runs; run++)
		samples_add(&floors, raw_rate(b->n));
	bench_report_one(b, "sim_applies", simulated.rate, samples_median(&floors));
	samples_release(&floors);
}
