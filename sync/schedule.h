/* When to dial a peer again: exponential back-off with jitter, so that offices
 * that lost the same link don't all come back at the same instant.
 *
 *   lost       0.5 s doubling to 60 s
 *   refused    30 s doubling to 10 min: trying again soon would change nothing
 *
 * each ± 50 %. A good session forgets the failures before it. Pure. */
#ifndef HT_SYNC_SCHEDULE_H
#define HT_SYNC_SCHEDULE_H

#include <stdbool.h>

#include "core/dice.h"

enum schedule_time {
	RETRY_MS_MIN = 500,
	RETRY_MS_MAX = 60000,
	REFUSED_MS_MIN = 30000,
	REFUSED_MS_MAX = 600000,
};

struct schedule {
	unsigned lost_count;
	unsigned refused_count;
	uint64_t next_ms; /* mono; dial not before */
};

/* Due at once. */
void schedule_init(struct schedule *s, uint64_t now_ms);

/* The peer answered and we understood each other: failures are forgotten. */
void schedule_succeeded(struct schedule *s);

/* Connecting failed, or the session ended: plan the next attempt. */
void schedule_lost(struct schedule *s, uint64_t now_ms, const struct dice *dice);
void schedule_refused(struct schedule *s, uint64_t now_ms, const struct dice *dice);

/* Somebody wants it now, or there is reason to hope. */
void schedule_hurry(struct schedule *s, uint64_t now_ms);

#endif
