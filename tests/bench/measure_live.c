/* Two offices that are connected and in step: what a change takes to arrive. */
#include <stdlib.h>
#include <time.h>

#include "tests/bench/measure.h"
#include "tests/bench/pair.h"
#include "tests/bench/raw_link.h"
#include "tests/bench/raw_store.h"

enum { WARM_UP = 5, SAMPLES_A_RUN = 40, EDITS = 100 };

/* The pair and its floor, side by side. */
struct live {
	struct bench *b;
	struct pair pair;
	struct raw_store raw; /* this side's; the link has the other */
	struct raw_link link;
	size_t next_row;
};

static void live_start(struct live *l, struct bench *b)
{
	char path[BENCH_PATH_MAX];

	*l = (struct live){ .b = b, .next_row = b->n };
	pair_prepare(b, BATCH);
	pair_listen(&l->pair, b, BATCH);
	pair_join(&l->pair, b);
	pair_catch_up(&l->pair);
	raw_new(&l->raw, bench_path(b, "raw-there.db", path));
	raw_fill(&l->raw, b->rows, b->n);
	raw_close(&l->raw);
	raw_link_start(&l->link, path);
	raw_new(&l->raw, bench_path(b, "raw.db", path));
	raw_fill(&l->raw, b->rows, b->n);
}

static void live_end(struct live *l)
{
	raw_link_end(&l->link);
	raw_close(&l->raw);
	pair_leave(&l->pair);
	pair_end(&l->pair);
}

/* Let both sides come to rest: no sample begins in the wake of another. */
static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static double incremental_ms(struct live *l)
{
	struct pair_times times = pair_edit(&l->pair, EDITS);

	return (double)(times.held_ns - times.written_ns) / 1e6;
}

static double raw_incremental_ms(struct live *l)
{
	uint64_t start = clock_ns();

	raw_link_retitle(&l->link, EDITS, l->b->n);
	return seconds_since(start) * 1e3;
}

static double noop_ms(struct live *l)
{
	return pair_ask(&l->pair) * 1e3;
}

static double raw_noop_ms(struct live *l)
{
	uint64_t start = clock_ns();

	raw_link_echo(&l->link);
	return seconds_since(start) * 1e3;
}

static double propagation_ms(struct live *l)
{
	struct pair_times times = pair_edit(&l->pair, 1);

	return (double)(times.held_ns - times.begun_ns) / 1e6;
}

static double raw_propagation_ms(struct live *l)
{
	struct action_row row;
	uint64_t start, end;

	workload_row(&row, l->next_row);
	start = clock_ns();
	raw_insert(&l->raw, l->next_row, &row);
	end = raw_link_insert(&l->link, l->next_row, &row);
	l->next_row++;
	return (double)(end - start) / 1e6;
}

/* Samples of both in turns, the first few thrown away. */
static void sample(struct live *l, double (*ours)(struct live *), double (*floor)(struct live *),
		   struct samples *values, struct samples *floors)
{
	struct samples warm_up = SAMPLES_EMPTY;

	for (unsigned i = 0; i < WARM_UP + l->b->runs * SAMPLES_A_RUN; i++) {
		rest();
		samples_add(i < WARM_UP ? &warm_up : values, ours(l));
		rest();
		samples_add(i < WARM_UP ? &warm_up : floors, floor(l));
	}
	samples_release(&warm_up);
}

static void measure_edits(struct live *l)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

	sample(l, incremental_ms, raw_incremental_ms, &values, &floors);
	bench_report(l->b, "incremental", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
}

static void measure_noop(struct live *l)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	uint64_t before;

	sample(l, noop_ms, raw_noop_ms, &values, &floors);
	before = pair_traffic(&l->pair);
	pair_ask(&l->pair);
	rest();
	bench_report(l->b, "noop", &values, &floors);
	bench_report_one(l->b, "noop_bytes", (double)(pair_traffic(&l->pair) - before), 0);
	samples_release(&values);
	samples_release(&floors);
}

static void measure_propagation(struct live *l)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

	sample(l, propagation_ms, raw_propagation_ms, &values, &floors);
	bench_report_one(l->b, "propagation_p50", samples_percentile(&values, 50),
			 samples_percentile(&floors, 50));
	bench_report_one(l->b, "propagation_p99", samples_percentile(&values, 99),
			 samples_percentile(&floors, 99));
	samples_release(&values);
	samples_release(&floors);
}

void measure_live(struct bench *b)
{
	struct live live;

	live_start(&live, b);
	measure_edits(&live);
	measure_noop(&live);
	measure_propagation(&live);
	live_end(&live);
}
