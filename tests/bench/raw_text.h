/* The floor of editing: a gap buffer over code points, and a log of runs. */
#ifndef HT_TESTS_BENCH_RAW_TEXT_H
#define HT_TESTS_BENCH_RAW_TEXT_H

#include "tests/bench/trace.h"

/* Seconds for all patches of a trace in order. */
double raw_text_edit(const struct trace *t);

#endif
