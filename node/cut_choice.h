/* Where feeds end: what is held here, or what people say by --at. */
#ifndef HT_NODE_CUT_CHOICE_H
#define HT_NODE_CUT_CHOICE_H

#include "node/args.h"
#include "node/context.h"

/* --at SPACE:SEQ, or REPLICA/SPACE:SEQ where a node wrote in one space under several
 * replica ids: of the cuts given, let this one end there; 0 drops it. SPACE as
 * space_find(). ERR_INVALID, ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_LIMIT for a seq beyond
 * what is held: nobody could say which changeset it is. */
MUST_CHECK enum err cut_choose(struct context *ctx, const char *text, struct cut *cuts,
			       size_t *count, struct errmsg *msg);

/* All options --at of the command line. */
MUST_CHECK enum err cut_choose_all(struct context *ctx, const struct args *args, struct cut *cuts,
				   size_t *count, struct errmsg *msg);

#endif
