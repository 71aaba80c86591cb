/* The figures and how they are printed: a table for people, or one JSON object
 * a line: {"name","n","value","unit","floor","ratio"}, of texts with "trace".
 *
 * The ratio is how many times the floor's cost ours is: value : floor, and of a
 * rate floor : value. Less is better. */
#ifndef HT_TESTS_BENCH_REPORT_H
#define HT_TESTS_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct figure {
	const char *name;
	const char *unit;
	bool is_rate;       /* more is better */
	double reach;       /* what is wanted: the most, of a rate the least; 0 = not said */
	double reach_ratio; /* the highest ratio wanted; 0 = not said */
	const char *floor;  /* what the floor is */
};

const struct figure *figure_named(const char *name); /* asserts that there is one */
bool figure_exists(const char *name);

/* floor <= 0: it has none. */
void report_heading(void);
/* trace: NULL but for texts. */
void report_line(const struct figure *f, const char *trace, size_t n, double value, double floor);
void report_json(const struct figure *f, const char *trace, size_t n, double value, double floor);
void report_floors(void);

#endif
