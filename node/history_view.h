/* Who wrote something, and how to say so. */
#ifndef HT_NODE_HISTORY_VIEW_H
#define HT_NODE_HISTORY_VIEW_H

#include <jansson.h>

#include "node/context.h"

/* A write whose author is wanted: fill in the dot. */
struct authorship {
	struct dot dot;
	struct record_id author; /* nil: unknown, or the node itself */
	bool is_found;
};

/* Search the record's history. What is not found stays as it is. */
MUST_CHECK enum err authorship_find(struct context *ctx, const struct record_id *record,
				    struct authorship *list, size_t count, struct errmsg *msg);

/* What a removal took out: the value of the record's element that it aims at, in the
 * context's arena. Nil when the log does not have it. */
MUST_CHECK enum err history_removed(struct context *ctx, const struct op *removal,
				    struct value *out, struct errmsg *msg);

/* Append "王芳 (SHA)"; the office is that of the replica that wrote. */
MUST_CHECK enum err author_show(struct context *ctx, const struct record_id *author,
				const struct replica_id *replica, struct buf *out,
				struct errmsg *msg);

/* {"id", "name"} or null. */
MUST_CHECK enum err author_json(struct context *ctx, const struct record_id *author, json_t **out,
				struct errmsg *msg);

/* The office code of a replica; "" when the directory does not tell. */
const char *office_of(struct context *ctx, const struct replica_id *replica);

#endif
