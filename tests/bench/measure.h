/* The measurements: each reports the figures that main.c names beside it. */
#ifndef HT_TESTS_BENCH_MEASURE_H
#define HT_TESTS_BENCH_MEASURE_H

#include "tests/bench/bench.h"

void measure_commit(struct bench *b);
void measure_insert(struct bench *b);
void measure_disk(struct bench *b);
void measure_open(struct bench *b);
void measure_catchup(struct bench *b);
void measure_catchup_batched(struct bench *b);
void measure_live(struct bench *b);
void measure_strangers(struct bench *b);
void measure_handshake(struct bench *b);
void measure_simulator(struct bench *b);
void measure_trust(struct bench *b);

/* `huitong-bench text`: texts, by recorded editing. */
int bench_text(int argc, char **argv);

void measure_text_saved(struct bench *b, const char *folder, const char *file);
void measure_text_store(struct bench *b, const char *folder, const char *file);
void measure_text_keystroke(struct bench *b);

/* Processes that a measurement starts: `huitong-bench NAME ARGUMENT...`. */
int serve_open(int argc, char **argv);
int serve_open_raw(int argc, char **argv);
int serve_node(int argc, char **argv);
int serve_raw_link(int argc, char **argv);
int serve_strangers(int argc, char **argv);

#endif
