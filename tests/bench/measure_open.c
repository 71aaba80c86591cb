/* What a command pays: start a process, open the replica, answer one query. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/host.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/raw_store.h"

enum { OPENS_A_RUN = 20 };

/* open PATH NUMBER: read-only, as the commands that only read. */
int serve_open(int argc, char **argv)
{
	struct value number;
	struct host sha;
	struct rows *rows;
	struct errmsg msg = { 0 };

	if (argc != 3)
		bench_fail("open PATH NUMBER");
	number = value_str(argv[2]);
	host_open(&sha, OFFICE_SHA, argv[1], true);
	must(rows_open(&rows, sha.replica, "SELECT title FROM action_item WHERE number = ?1",
		       &number, 1, &msg),
	     &msg, "query");
	if (!rows_next(rows) || !*rows_text(rows, 0))
		bench_fail("no action item %s", argv[2]);
	must(rows_close(rows, &msg), &msg, "query");
	host_close(&sha);
	return 0;
}

/* open-raw PATH ROW */
int serve_open_raw(int argc, char **argv)
{
	struct raw_store raw;

	if (argc != 3)
		bench_fail("open-raw PATH ROW");
	raw_open(&raw, argv[1]);
	if (raw_query(&raw, strtoul(argv[2], NULL, 10)) == 0)
		bench_fail("no row %s", argv[2]);
	raw_close(&raw);
	return 0;
}

static void prepare(const struct bench *b, const char *ours, const char *floor)
{
	struct host sha;
	struct raw_store raw;

	hosts_new(b, &sha);
	host_fill(&sha, b->rows, b->n, BATCH);
	host_close(&sha);
	raw_new(&raw, floor);
	raw_fill(&raw, b->rows, b->n);
	raw_close(&raw);
}

void measure_open(struct bench *b)
{
	struct samples ours = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	char path[BENCH_PATH_MAX], raw_path[BENCH_PATH_MAX], place[24];
	const char *our_argv[] = { "open", path, NULL, NULL };
	const char *raw_argv[] = { "open-raw", raw_path, place, NULL };

	bench_path(b, "sha.db", path);
	bench_path(b, "raw.db", raw_path);
	prepare(b, path, raw_path);
	for (unsigned i = 0; i < b->runs * OPENS_A_RUN; i++) {
		size_t wanted = (i * 7919) % b->n;
		uint64_t start;

		our_argv[2] = b->rows[wanted].number;
		snprintf(place, sizeof(place), "%zu", wanted);
		start = clock_ns();
		process_run(our_argv);
		samples_add(&ours, seconds_since(start) * 1e3);
		start = clock_ns();
		process_run(raw_argv);
		samples_add(&floors, seconds_since(start) * 1e3);
	}
	bench_report(b, "open", &ours, &floors);
	samples_release(&ours);
	samples_release(&floors);
}
