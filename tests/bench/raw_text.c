#include "tests/bench/raw_text.h"

#include <stdlib.h>

#include "core/utf8.h"
#include "tests/bench/bench.h"

struct raw_run {
	uint32_t pos, count;
	bool is_insert;
};

struct raw_text {
	uint32_t *points;
	size_t gap, gap_end, size; /* elements before it, up to its end, in all */
	struct raw_run *runs;
	size_t run_count;
	struct buf inserted;
};

static void move_gap(struct raw_text *r, size_t pos)
{
	size_t count;

	if (pos < r->gap) {
		count = r->gap - pos;
		memmove(r->points + r->gap_end - count, r->points + pos, count * 4);
		r->gap -= count;
		r->gap_end -= count;
	} else {
		count = pos - r->gap;
		memmove(r->points + r->gap, r->points + r->gap_end, count * 4);
		r->gap += count;
		r->gap_end += count;
	}
}

static void log_run(struct raw_text *r, uint32_t pos, uint32_t count, bool is_insert)
{
	struct raw_run *last = &r->runs[r->run_count];

	if (last->is_insert == is_insert && pos == last->pos + (is_insert ? last->count : 0)) {
		last->count += count;
		return;
	}
	r->runs[++r->run_count] = (struct raw_run){ pos, count, is_insert };
}

static void apply(struct raw_text *r, const struct trace_patch *p)
{
	struct bytes rest = p->text;

	move_gap(r, p->pos);
	if (p->deleted) {
		r->gap_end += p->deleted;
		log_run(r, p->pos, p->deleted, false);
	}
	if (p->inserted) {
		while (utf8_next(&rest, &r->points[r->gap]))
			r->gap++;
		buf_append(&r->inserted, p->text.data, p->text.size);
		log_run(r, p->pos, p->inserted, true);
	}
}

double raw_text_edit(const struct trace *t)
{
	struct raw_text r = { 0 };
	uint64_t start = clock_ns();
	double seconds;

	for (size_t i = 0; i < t->patch_count; i++)
		r.size += t->patches[i].inserted;
	r.gap_end = r.size;
	r.points = malloc((r.size + 1) * sizeof(*r.points));
	r.runs = calloc(2 * t->patch_count + 2, sizeof(*r.runs));
	if (!r.points || !r.runs)
		bench_fail("out of memory");
	for (size_t i = 0; i < t->patch_count; i++)
		apply(&r, &t->patches[i]);
	seconds = seconds_since(start);
	free(r.points);
	free(r.runs);
	buf_release(&r.inserted);
	return seconds;
}
