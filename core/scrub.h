/* The scrub: all that replica_verify() looks at, in slices that nobody has to wait for, again
 * and again. Sans-I/O but for the replica: the time and how much to do come in.
 *
 *   RESTING --due--> STRUCTURE --> STATEMENTS --> LOG --> BRANCHES --> STATE --> RESTING
 *                    a table       some, then     some    likewise     replayed into a shadow,
 *                    a slice       the fold       rows                 compared in some rows
 *
 * What it finds is noted (core/damage.h). Records and indexes are made anew from the log, once
 * that is sound; changesets come from peers (sync/session_mend.h); the rest is named
 * as beyond. Where the round stands, and what is damaged, is kept in the replica's
 * settings: after a restart it goes on, the shadow from its beginning. */
#ifndef HT_CORE_SCRUB_H
#define HT_CORE_SCRUB_H

#include "core/damage.h"

struct scrub;

/* What is kept, and told to people. */
struct scrub_state {
	uint64_t began_ms, ended_ms; /* wall: of this round or the last one; 0: never */
	bool is_at_work;
	uint64_t mended; /* things put back since the round began */
	struct damage_list damage;
};

/* Goes on where the last one stopped; notes the damage of then. ERR_NOMEM. */
MUST_CHECK enum err scrub_new(struct scrub **out, struct replica *r, struct errmsg *msg);
void scrub_free(struct scrub *s); /* NULL-safe; keeps the state if it can */

/* There is something to do, if a round shall begin every `period_ms`. */
bool scrub_is_due(const struct scrub *s, uint64_t now_ms, uint64_t period_ms);

/* One slice of about `row_count` rows; begins a round if none is under way. ERR_BUSY and other
 * troubles that are none of the bytes': try again later. */
MUST_CHECK enum err scrub_slice(struct scrub *s, uint64_t now_ms, size_t row_count,
				struct errmsg *msg);

/* Keep what has been noted or put back since by others; if that fails, the next slice does. */
void scrub_keep(struct scrub *s, uint64_t now_ms);

/* As it was kept last. ERR_NOT_FOUND: never. */
MUST_CHECK enum err scrub_look(struct replica *r, struct scrub_state *out, struct errmsg *msg);

#endif
