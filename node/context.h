/* What a command works with: one invocation's folder, replica, time and reader. */
#ifndef HT_NODE_CONTEXT_H
#define HT_NODE_CONTEXT_H

#include <stdio.h>

#include "core/arena.h"
#include "core/replica.h"
#include "node/command.h"
#include "node/folder.h"
#include "node/identity.h"
#include "node/zone.h"

struct context {
	struct folder folder;
	struct identity identity; /* with NEEDS_EDITING, else empty */
	struct replica *replica;  /* with NEEDS_REPLICA and NEEDS_EDITING, else NULL */
	uint64_t now_ms;          /* wall time, read once */
	bool is_json;             /* --json */
	const char *as;           /* --as PERSON, or NULL */
	FILE *out;                /* results; what is in between goes to stderr */
	struct arena arena;       /* lives as long as the command */
};

/* The system's dice, as core/ wants them. */
struct dice system_dice(void);

/* Wall time, ms since the Unix epoch. */
uint64_t system_now_ms(void);

/* Ready what the command needs. ERR_NOT_FOUND without a replica, ERR_KEY,
 * ERR_CLOCK, and what opening returns. Close it in any case. */
MUST_CHECK enum err context_open(struct context *ctx, const struct args *args, struct errmsg *msg);
void context_close(struct context *ctx);

#endif
