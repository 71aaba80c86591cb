/* Figures of the replica alone: writing, and what it takes on disk. */
#include <stdlib.h>

#include "tests/bench/host.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw_store.h"

enum { COMMITS_A_RUN = 1000, COMMITS_A_TURN = 50 };

static void open_pair(const struct bench *b, struct host *sha, struct raw_store *raw)
{
	char path[BENCH_PATH_MAX];

	hosts_new(b, sha);
	raw_new(raw, bench_path(b, "raw.db", path));
}

/* One turn of durable commits on each side; the one that begins changes. */
static void commit_turn(struct host *sha, struct raw_store *raw, size_t from, double *ours,
			double *floor)
{
	struct action_row *rows = workload_rows(from, COMMITS_A_TURN);

	for (size_t half = 0; half < 2; half++) {
		bool is_ours = (half + from / COMMITS_A_TURN) % 2 == 0;
		uint64_t start = clock_ns();

		for (size_t i = 0; i < COMMITS_A_TURN; i++) {
			if (is_ours)
				host_insert(sha, &rows[i]);
			else
				raw_insert(raw, from + i, &rows[i]);
		}
		*(is_ours ? ours : floor) += seconds_since(start);
	}
	free(rows);
}

void measure_commit(struct bench *b)
{
	struct samples ours = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	struct host sha;
	struct raw_store raw;
	size_t next = b->n;

	open_pair(b, &sha, &raw);
	host_fill(&sha, b->rows, b->n, BATCH);
	raw_fill(&raw, b->rows, b->n);
	for (unsigned run = 0; run < b->runs; run++) {
		double our_s = 0, floor_s = 0;

		for (size_t i = 0; i < COMMITS_A_RUN; i += COMMITS_A_TURN) {
			commit_turn(&sha, &raw, next, &our_s, &floor_s);
			next += COMMITS_A_TURN;
		}
		samples_add(&ours, our_s / COMMITS_A_RUN * 1e6);
		samples_add(&floors, floor_s / COMMITS_A_RUN * 1e6);
	}
	host_close(&sha);
	raw_close(&raw);
	bench_report(b, "commit_durable", &ours, &floors);
	samples_release(&ours);
	samples_release(&floors);
}

/* Both fill a fresh file; the order changes from run to run. */
static void insert_run(struct bench *b, unsigned run, struct samples *ours, struct samples *floors)
{
	struct host sha;
	struct raw_store raw;

	open_pair(b, &sha, &raw);
	for (unsigned half = 0; half < 2; half++) {
		bool is_ours = (half + run) % 2 == 0;
		uint64_t start = clock_ns();

		if (is_ours)
			host_fill(&sha, b->rows, b->n, BATCH);
		else
			raw_fill(&raw, b->rows, b->n);
		samples_add(is_ours ? ours : floors, (double)b->n / seconds_since(start));
	}
	host_close(&sha);
	raw_close(&raw);
}

/* Of the files that closed replicas left: nothing is in a log beside them. */
static void report_disk(const struct bench *b, const char *name)
{
	char ours[BENCH_PATH_MAX], floor[BENCH_PATH_MAX];
	double count = (double)b->n;

	bench_report_one(b, name, (double)bench_file_bytes(bench_path(b, "sha.db", ours)) / count,
			 (double)bench_file_bytes(bench_path(b, "raw.db", floor)) / count);
}

void measure_insert(struct bench *b)
{
	struct samples ours = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

	for (unsigned run = 0; run < b->runs; run++)
		insert_run(b, run, &ours, &floors);
	bench_report(b, "insert_batch", &ours, &floors);
	report_disk(b, "disk_bytes_batched");
	samples_release(&ours);
	samples_release(&floors);
}

void measure_disk(struct bench *b)
{
	struct host sha;
	struct raw_store raw;

	open_pair(b, &sha, &raw);
	host_fill(&sha, b->rows, b->n, 1);
	raw_fill(&raw, b->rows, b->n);
	host_close(&sha);
	raw_close(&raw);
	report_disk(b, "disk_bytes");
}
