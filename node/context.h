/* What a command works with: one invocation's folder, replica, time and reader. */
#ifndef HT_NODE_CONTEXT_H
#define HT_NODE_CONTEXT_H

#include <stdio.h>

#include "core/arena.h"
#include "core/replica.h"
#include "node/command.h"
#include "node/folder.h"
#include "node/identity.h"
#include "node/machine.h"
#include "node/mark_file.h"
#include "node/when.h"

struct context {
	struct folder folder;
	struct identity identity; /* with NEEDS_EDITING, else empty */
	struct mark_file mark;
	char machine[MACHINE_TEXT_MAX]; /* "" when only reading */
	struct replica *replica;        /* with NEEDS_REPLICA and NEEDS_EDITING, else NULL */
	uint64_t now_ms;                /* wall time, read once */
	bool is_json;                   /* --json */
	const char *as;                 /* --as PERSON, or NULL */
	struct zone_db *zones;
	struct when_reader reader; /* by context_reader() only */
	struct arena arena;        /* lives as long as the command */
	struct buf advice;         /* lines for people, under the error that ends the command */
	bool is_misused;           /* that error is the command line's: EXIT_USAGE */
};

/* The system's dice, as core/ wants them. */
struct dice system_dice(void);

/* Wall time, ms since the Unix epoch. */
uint64_t system_now_ms(void);

/* Ready what the command needs; first finish what a process that was killed has begun
 * (node/swap.h, node/rotation.h). ERR_NOT_FOUND without a replica, ERR_KEY,
 * ERR_CLOCK, and what opening returns. Close it in any case. */
MUST_CHECK enum err context_open(struct context *ctx, const struct args *args, struct errmsg *msg);
void context_close(struct context *ctx);

/* Open the replica, as a part of context_open(); for commands that make one.
 * The identity must have been loaded for editing. */
MUST_CHECK enum err context_open_replica(struct context *ctx, bool create, bool read_only,
					 struct errmsg *msg);

/* Give the replica up while something long goes on, and take it again as it is then: with the
 * time, the key and the database of now. Between the two ctx->replica is NULL, and
 * nothing that was borrowed from it is left. Errors as of context_open(). */
void context_let_go(struct context *ctx);
MUST_CHECK enum err context_take_again(struct context *ctx, struct errmsg *msg);

/* One more line under the error that the command will end with: what to do. */
void context_advise(struct context *ctx, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* How far the replica's stamps run ahead of the machine's clock, in days, when
 * that is so far that other offices hold back what is recorded here; else 0. */
unsigned context_days_ahead(const struct context *ctx);

/* Whose clock dates are shown and understood by: $TZ, else the author's zone,
 * else this office's, else the machine's. Borrowed. ERR_NOT_FOUND for a zone
 * that this machine does not know. */
MUST_CHECK enum err context_reader(struct context *ctx, const struct when_reader **out,
				   struct errmsg *msg);

/* Who acts: --as, else $HUITONG_PERSON, else the setting "person"; nil when
 * nobody is named. ERR_NOT_FOUND or ERR_AMBIGUOUS for a name that fits nobody
 * or several. */
MUST_CHECK enum err context_author(struct context *ctx, struct record_id *out, struct errmsg *msg);

#define SETTING_PERSON "person" /* the author's id in hex */

#endif
