/* Statements of membership for people, and as JSON. */
#ifndef HT_NODE_STATEMENT_VIEW_H
#define HT_NODE_STATEMENT_VIEW_H

#include <jansson.h>

#include "node/context.h"

/* Append what it says, in one line: "FRA 0193a5c7 is a node". */
void statement_say(struct context *ctx, const struct statement *s, struct buf *out);

/* Append who signed it: offices and nodes, roots as "root 3fa9c2d1". */
void statement_say_signers(struct context *ctx, const struct statement *s, struct buf *out);

/* "id", "type", "at", "verdict", "parents", "signers", and what it says: "node", "cuts"
 * and so on. NULL: out of memory. */
json_t *statement_json(struct context *ctx, const struct statement *s, enum verdict verdict);

/* {"replica", "space", "seq"}, the latter null for all of the feed. */
json_t *cut_json(const struct replica_id *replica, const struct space_id *space, uint64_t seq);

#endif
