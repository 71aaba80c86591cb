#include "tests/sim/timeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void timeline_init(struct timeline *t)
{
	*t = (struct timeline){ 0 };
}

void timeline_release(struct timeline *t)
{
	free(t->heap);
	timeline_init(t);
}

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->id < b->id;
}

static void swap(struct event *a, struct event *b)
{
	struct event kept = *a;

	*a = *b;
	*b = kept;
}

void timeline_at(struct timeline *t, uint64_t at_ms, void (*fire)(void *ctx, uint64_t arg),
		 void *ctx, uint64_t arg)
{
	size_t at = t->count++;

	assert(at_ms >= t->now_ms);
	if (t->count > t->cap) {
		t->cap = t->cap ? 2 * t->cap : 256;
		t->heap = realloc(t->heap, t->cap * sizeof(*t->heap));
		if (!t->heap) {
			perror("timeline");
			abort();
		}
	}
	t->heap[at] = (struct event){ at_ms, t->planned++, fire, ctx, arg };
	for (; at > 0 && is_before(&t->heap[at], &t->heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&t->heap[at], &t->heap[(at - 1) / 2]);
}

uint64_t timeline_due_ms(const struct timeline *t)
{
	return t->count ? t->heap[0].at_ms : UINT64_MAX;
}

bool timeline_step(struct timeline *t)
{
	struct event next;
	size_t at = 0;

	if (t->count == 0)
		return false;
	next = t->heap[0];
	t->heap[0] = t->heap[--t->count];
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < t->count; child++)
			if (is_before(&t->heap[child], &t->heap[least]))
				least = child;
		if (least == at)
			break;
		swap(&t->heap[at], &t->heap[least]);
		at = least;
	}
	if (next.at_ms > t->now_ms)
		t->now_ms = next.at_ms;
	t->fired++;
	next.fire(next.ctx, next.arg);
	return true;
}
