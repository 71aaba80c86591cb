/* The bench: what is measured, how often, and where the databases are.
 *
 * A measurement runs the thing and its physical floor in turns, `runs` times,
 * so that both see the same drift of the machine, and reports the medians. */
#ifndef HT_TESTS_BENCH_BENCH_H
#define HT_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "tests/bench/samples.h"
#include "tests/support/tempdir.h"

enum { BENCH_PATH_MAX = TEMPDIR_BYTES_MAX + 64, BATCH = 1000 };

struct action_row;

struct bench {
	unsigned runs;
	size_t n;                /* records that the replica holds */
	struct action_row *rows; /* `n` of the workload */
	const char *only;        /* the one figure wanted, or NULL for all */
	bool is_json;
	const char *trace;  /* whose figures these are, or NULL */
	const char *folder; /* for the databases; removed at the end */
};

/* A folder for the databases, removed however the program ends. Once. */
void bench_make_folder(struct bench *b);

/* This figure is not left out. */
bool bench_wants(const struct bench *b, const char *name);
/* Print a figure, if it is wanted: medians of the samples. No floor: NULL, 0. */
void bench_report(const struct bench *b, const char *name, struct samples *values,
		  struct samples *floors);
void bench_report_one(const struct bench *b, const char *name, double value, double floor);

/* `folder`/`name` of the bench, in `out`. */
const char *bench_path(const struct bench *b, const char *name, char out[BENCH_PATH_MAX]);
/* A database with what SQLite keeps beside it; harmless when absent. */
void bench_remove(const char *path);
void bench_copy(const char *from, const char *to);
size_t bench_file_bytes(const char *path);

/* CLOCK_MONOTONIC, which all processes of a machine share. */
uint64_t clock_ns(void);
uint64_t clock_wall_ms(void);
double seconds_since(uint64_t start_ns);

/* End the program with a reason: a bench has nothing to recover. */
_Noreturn void bench_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
void must(enum err rc, const struct errmsg *msg, const char *what);

#endif
