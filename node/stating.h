/* Making statements of membership from commands: one transaction, the nudge that lets a
 * running daemon send them at once, and what they say, printed. */
#ifndef HT_NODE_STATING_H
#define HT_NODE_STATING_H

#include <jansson.h>

#include "node/context.h"

struct stating {
	struct context *ctx;
	const struct signer *roots; /* NULL: signed by this node */
	size_t root_count;
	json_t *made; /* what was stated so far */
	/* Print before it counts: what would be lost with a print that does not come. */
	bool shows_first;
};

/* Begin; in any case end. */
MUST_CHECK enum err stating_begin(struct stating *st, struct context *ctx,
				  const struct signer *roots, size_t root_count,
				  struct errmsg *msg);

/* One statement, as replica_state(). */
MUST_CHECK enum err stating_add(struct stating *st, struct statement *s, struct errmsg *msg);

/* With OK: commit, nudge and print; one statement as itself, several as a list. With
 * an error: undo all and return it. */
MUST_CHECK enum err stating_end(struct stating *st, enum err rc, struct errmsg *msg);

/* All of it for one. */
MUST_CHECK enum err stating_one(struct context *ctx, struct statement *s,
				const struct signer *roots, size_t root_count, struct errmsg *msg);

#endif
