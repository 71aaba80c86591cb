/* Virtual time: what happens when. The next event is the least by (time, order
 * of planning), so a run has one order only. */
#ifndef HT_TESTS_SIM_TIMELINE_H
#define HT_TESTS_SIM_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event {
	uint64_t at_ms;
	uint64_t id;
	void (*fire)(void *ctx, uint64_t arg);
	void *ctx;
	uint64_t arg;
};

struct timeline {
	uint64_t now_ms; /* since the world began */
	uint64_t planned, fired;
	struct event *heap;
	size_t count, cap;
};

void timeline_init(struct timeline *t);
void timeline_release(struct timeline *t);

/* Call fire(ctx, arg) at a time that is not before now. */
void timeline_at(struct timeline *t, uint64_t at_ms, void (*fire)(void *ctx, uint64_t arg),
		 void *ctx, uint64_t arg);

/* When the next event is due; UINT64_MAX when nothing is planned. */
uint64_t timeline_due_ms(const struct timeline *t);

/* Move the time to the next event and fire it; false when there is none. Who
 * moves now_ms by hand finds what it passed by still to come, at once. */
bool timeline_step(struct timeline *t);

#endif
