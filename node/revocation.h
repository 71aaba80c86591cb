/* The removal of one node: where its feeds end, and the statements that say so. */
#ifndef HT_NODE_REVOCATION_H
#define HT_NODE_REVOCATION_H

#include "node/args.h"
#include "node/stating.h"

struct revocation {
	struct record_id node;
	char office_code[OFFICE_CODE_MAX + 1];
	struct cut *cuts; /* in the context's arena */
	size_t cut_count;
	bool is_done; /* it was removed before, and no other cut is asked for */
};

/* Its feeds end with what is held of them here, or where the options --at say
 * (node/cut_choice.h). */
MUST_CHECK enum err revocation_prepare(struct revocation *out, struct context *ctx,
				       const struct record_id *node, const struct args *args,
				       struct errmsg *msg);

/* Nothing, if it is done. */
MUST_CHECK enum err revocation_state(const struct revocation *rev, struct stating *st,
				     struct errmsg *msg);

#endif
