/* Finding the node that people mean, and saying which one is meant.
 *
 * A node is named by the beginning of its id or of one of its replica ids in hex, by
 * its name in the directory, or by its office's code when that has one node. This
 * node is "self". Nodes that were removed are found by their ids, and by their office's code
 * when no member is left there. */
#ifndef HT_NODE_MEMBER_REF_H
#define HT_NODE_MEMBER_REF_H

#include "node/context.h"

enum { MEMBER_LABEL_MAX = OFFICE_CODE_MAX + 1 + ID_TEXT_SIZE };

/* Borrowed until the replica's next change. ERR_NOT_FOUND, ERR_AMBIGUOUS. */
MUST_CHECK enum err member_find(struct context *ctx, const char *text, const struct member **out,
				struct errmsg *msg);

/* The same, or all members of an office, or all its former ones if it has no other: into the
 * context's arena. */
MUST_CHECK enum err member_find_all(struct context *ctx, const char *text, struct record_id **out,
				    size_t *count, struct errmsg *msg);

/* Former members, too: the i-th by node id, NULL after the last one. Borrowed likewise. */
const struct member *member_nth(struct context *ctx, size_t i);

const struct member *member_by_node(struct context *ctx, const struct record_id *node);

/* "FRA", or "FRA 0193a5c7" when the office has or had several nodes: as much of its id as
 * tells it from those. */
const char *member_label(struct context *ctx, char out[MEMBER_LABEL_MAX], const char *office_code,
			 const struct record_id *node);

#endif
