/* Two nodes in two processes: SHA serves what it has, FRA dials it.
 *
 *   pair_prepare -> pair_listen -> (pair_join -> pair_catch_up -> pair_leave)* -> pair_end
 */
#ifndef HT_TESTS_BENCH_PAIR_H
#define HT_TESTS_BENCH_PAIR_H

#include <stdint.h>

#include "tests/bench/bench.h"
#include "tests/bench/process.h"

struct pair {
	struct process sha, fra;
	char address[32];    /* of SHA */
	uint64_t changesets; /* that SHA has written */
};

/* Files for both: SHA with all rows, `batch` a changeset; FRA without any. */
void pair_prepare(const struct bench *b, size_t batch);

void pair_listen(struct pair *p, const struct bench *b, size_t batch);
void pair_end(struct pair *p);

/* FRA starts, with a fresh copy of its empty replica. */
void pair_join(struct pair *p, const struct bench *b);
void pair_leave(struct pair *p);

/* FRA dials; seconds until everything is durable there. */
double pair_catch_up(struct pair *p);

/* SHA writes `count` changesets in one transaction. */
struct pair_times {
	uint64_t begun_ns, written_ns; /* at SHA: before, and durable there */
	uint64_t held_ns;              /* durable at FRA */
};
struct pair_times pair_edit(struct pair *p, size_t count);

/* FRA asks SHA whether there is news, though there is none: seconds. */
double pair_ask(struct pair *p);

/* Bytes that FRA has sent and received since it started. */
uint64_t pair_traffic(struct pair *p);

/* Resident memory of FRA, and of SHA. */
struct pair_memory {
	size_t now_kib, peak_kib;
};
struct pair_memory pair_memory(struct pair *p);
struct pair_memory pair_listener_memory(struct pair *p);

#endif
