/* The workload: action items of 8 fields, the same for every contestant.
 *
 * Row i is a pure function of i, so that a floor writes the very bytes that we
 * write. Texts are as in the field: half English, a third Chinese, the rest
 * German; due dates are in the zones of three offices; there are 24 owners; ten
 * items come from one meeting, four from one of its topics. A row has about 149
 * bytes of values (workload_bytes()). */
#ifndef HT_TESTS_BENCH_WORKLOAD_H
#define HT_TESTS_BENCH_WORKLOAD_H

#include "core/id.h"

struct action_row {
	struct record_id owner, meeting, topic;
	char number[24];
	char title[96];
	char due[48];
	char deliverable[64];
	int priority;
};

void workload_row(struct action_row *out, size_t i);

/* Rows [from, from + count), made before a clock runs; freed by the caller. */
struct action_row *workload_rows(size_t from, size_t count);

/* The title that edit number `edit` gives to any item. */
void workload_title(char *out, size_t size, size_t edit);

/* Bytes of all values of a row, its id included: what memcpy would move. */
size_t workload_bytes(const struct action_row *row);

#endif
