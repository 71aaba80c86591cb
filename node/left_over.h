/* Texts that were typed and are not stored: the drafts (node/draft.h) that hold something which is
 * nowhere else, and which nobody has open now. */
#ifndef HT_NODE_LEFT_OVER_H
#define HT_NODE_LEFT_OVER_H

#include "node/context.h"

struct left_over {
	const char *path;    /* of the text, or of the folder where it may be */
	const char *command; /* goes on with it, with --resume behind it; or throws it away; "":
			      * none does, for what it was begun from is not known any more */
	int64_t written_s;   /* since the Unix epoch */
};

/* The newest first, in the context's arena. Needs the replica. */
MUST_CHECK enum err left_over_list(struct context *ctx, const struct left_over **out, size_t *count,
				   struct errmsg *msg);

#endif
