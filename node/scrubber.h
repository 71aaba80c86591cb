/* The scrub's timer (core/scrub.h): some milliseconds of work, then a pause, as long as a round
 * lasts; and what is found, in the log. */
#ifndef HT_NODE_SCRUBBER_H
#define HT_NODE_SCRUBBER_H

#include "core/scrub.h"
#include "sync/engine.h"

enum {
	SCRUBBER_ROWS = 32,        /* a slice: as many signatures take about 2 ms */
	SCRUBBER_PAUSE_MS = 50,    /* between slices */
	SCRUBBER_LOOK_MS = 1000,   /* whether a round is due */
	SCRUBBER_START_MS = 60000, /* after the daemon's; sooner if the period is shorter */
	SCRUBBER_RETRY_MS = 60000, /* after trouble that is none of the bytes' */
};

struct scrubber {
	struct replica *replica;
	struct scrub *scrub;
	uint64_t period_ms;                /* 0: no rounds */
	uint64_t start_ms, next_ms;        /* monotonic */
	uint64_t said_serial, said_mended; /* of the damage */
	void (*say)(void *ctx, enum log_level level, const char *event, const char *detail);
	void *ctx;
};

/* What is known of before is said at the first turn. ERR_NOMEM. */
MUST_CHECK enum err scrubber_open(struct scrubber *s, struct replica *r, struct now now,
				  struct errmsg *msg);
void scrubber_close(struct scrubber *s); /* safe when it is empty */
void scrubber_set(struct scrubber *s, uint64_t period_s);

/* A slice, if its time has come. True: something is damaged, or put back, that was not when this
 * was called last, by whomever it was noticed: sessions should look. */
bool scrubber_turn(struct scrubber *s, struct now now);
uint64_t scrubber_deadline(const struct scrubber *s); /* monotonic; UINT64_MAX: none */

#endif
