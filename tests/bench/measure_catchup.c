/* An empty office catches up with a full one: two processes, Noise over TCP,
 * replicas on disk. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/host.h"
#include "tests/bench/measure.h"
#include "tests/bench/pair.h"
#include "tests/bench/raw_store.h"

static const struct names {
	size_t batch;
	const char *seconds, *wire, *memory;
} singles = { 1, "catchup", "wire_bytes", "rss_catchup" },
  batches = { BATCH, "catchup_batched", "wire_bytes_batched", NULL };

static double raw_seconds(const struct bench *b)
{
	char path[BENCH_PATH_MAX];
	struct raw_store raw;
	uint64_t start;
	double seconds;

	raw_new(&raw, bench_path(b, "raw.db", path));
	start = clock_ns();
	raw_fill(&raw, b->rows, b->n);
	seconds = seconds_since(start);
	raw_close(&raw);
	return seconds;
}

static double mean_row_bytes(const struct bench *b)
{
	size_t sum = 0;

	for (size_t i = 0; i < b->n; i++)
		sum += workload_bytes(&b->rows[i]);
	return (double)sum / (double)b->n;
}

static void catch_up(struct bench *b, const struct names *names)
{
	struct samples seconds = SAMPLES_EMPTY, floors = SAMPLES_EMPTY, wire = SAMPLES_EMPTY;
	struct samples peak = SAMPLES_EMPTY, before = SAMPLES_EMPTY;
	struct pair pair;

	pair_prepare(b, names->batch);
	pair_listen(&pair, b, names->batch);
	for (unsigned run = 0; run < b->runs; run++) {
		samples_add(&floors, raw_seconds(b));
		pair_join(&pair, b);
		samples_add(&before, (double)pair_memory(&pair).now_kib / 1024);
		samples_add(&seconds, pair_catch_up(&pair));
		samples_add(&wire, (double)pair_traffic(&pair) / (double)b->n);
		samples_add(&peak, (double)pair_memory(&pair).peak_kib / 1024);
		pair_leave(&pair);
	}
	pair_end(&pair);
	bench_report(b, names->seconds, &seconds, &floors);
	bench_report_one(b, names->wire, samples_median(&wire), mean_row_bytes(b));
	if (names->memory)
		bench_report(b, names->memory, &peak, &before);
	samples_release(&seconds);
	samples_release(&floors);
	samples_release(&wire);
	samples_release(&peak);
	samples_release(&before);
}

void measure_catchup(struct bench *b)
{
	catch_up(b, &singles);
}

void measure_catchup_batched(struct bench *b)
{
	catch_up(b, &batches);
}
