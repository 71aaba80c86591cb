/* One changeset for people, and as JSON: who changed what and when. */
#ifndef HT_NODE_CHANGESET_VIEW_H
#define HT_NODE_CHANGESET_VIEW_H

#include <jansson.h>

#include "node/context.h"

/* `record` NULL: all that it changed; else only what it did to that record. */
MUST_CHECK enum err changeset_print(struct context *ctx, const struct record_id *record,
				    const struct history_item *item, struct errmsg *msg);
MUST_CHECK enum err changeset_json(struct context *ctx, const struct record_id *record,
				   const struct space_id *space, const struct history_item *item,
				   json_t **out, struct errmsg *msg);

#endif
