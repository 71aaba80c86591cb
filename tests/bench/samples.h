/* Samples of one figure and what statistics make of them. */
#ifndef HT_TESTS_BENCH_SAMPLES_H
#define HT_TESTS_BENCH_SAMPLES_H

#include <stddef.h>

struct samples {
	double *list;
	size_t count, cap;
};

#define SAMPLES_EMPTY ((struct samples){ 0 })

void samples_release(struct samples *s);
void samples_add(struct samples *s, double value);

/* The smallest sample that `percent` of all don't exceed; 50 is the median (of
 * an even number the mean of the middle two). Asserts that there are samples. */
double samples_percentile(struct samples *s, unsigned percent);
double samples_median(struct samples *s);

#endif
