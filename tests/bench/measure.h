/* The measurements: each reports the figures that main.c names beside it. */
#ifndef HT_TESTS_BENCH_MEASURE_H
#define HT_TESTS_BENCH_MEASURE_H

#include "tests/bench/bench.h"

void measure_commit(struct bench *b);
void measure_insert(struct bench *b);
void measure_disk(struct bench *b);
void measure_open(struct bench *b);

/* Processes that a measurement starts: `huitong-bench NAME ARGUMENT...`. */
int serve_open(int argc, char **argv);
int serve_open_raw(int argc, char **argv);

#endif
