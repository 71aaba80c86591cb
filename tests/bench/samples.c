#include "tests/bench/samples.h"

#include <assert.h>
#include <stdlib.h>

void samples_release(struct samples *s)
{
	free(s->list);
	*s = SAMPLES_EMPTY;
}

void samples_add(struct samples *s, double value)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 64;
		s->list = realloc(s->list, s->cap * sizeof(*s->list));
		assert(s->list);
	}
	s->list[s->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_percentile(struct samples *s, unsigned percent)
{
	size_t place = (s->count * percent + 99) / 100;

	assert(s->count > 0);
	qsort(s->list, s->count, sizeof(*s->list), compare);
	return s->list[place ? place - 1 : 0];
}

double samples_median(struct samples *s)
{
	double low = samples_percentile(s, 50);

	return s->count % 2 ? low : (low + s->list[s->count / 2]) / 2;
}
