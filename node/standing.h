/* How this node stands in its organisation, and what its replica leaves out. */
#ifndef HT_NODE_STANDING_H
#define HT_NODE_STANDING_H

#include "node/context.h"

struct standing {
	enum err member;     /* replica_check_member() */
	struct errmsg why;   /* its words, if it is not OK */
	size_t cut_feeds;    /* of which something is in quarantine */
	uint64_t cut;        /* changesets in quarantine */
	size_t branches;     /* moved out of the log */
	size_t forked_feeds; /* that wrote a dot twice, as far as is proved */
};

MUST_CHECK enum err standing_look(struct standing *out, struct context *ctx, struct errmsg *msg);

#endif
