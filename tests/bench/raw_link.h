/* The floor of everything that travels: bare TCP over loopback, blocking, with
 * TCP_NODELAY, to a process that keeps a raw store. */
#ifndef HT_TESTS_BENCH_RAW_LINK_H
#define HT_TESTS_BENCH_RAW_LINK_H

#include "tests/bench/process.h"
#include "tests/bench/workload.h"

struct raw_link {
	struct process process;
	int fd;
};

/* The other side opens the raw store at `path`, which exists. */
void raw_link_start(struct raw_link *link, const char *path);
void raw_link_end(struct raw_link *link);

/* 100 bytes and back. */
void raw_link_echo(struct raw_link *link);

/* `count` new titles for rows below `below` in one message; returns when they
 * are durable, in one transaction, on the other side. */
void raw_link_retitle(struct raw_link *link, size_t count, size_t below);

/* Row i, durable by itself; returns the clock when it was. */
uint64_t raw_link_insert(struct raw_link *link, size_t i, const struct action_row *row);

#endif
