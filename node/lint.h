/* Advice about wording and shape: printed to stderr, never refused. */
#ifndef HT_NODE_LINT_H
#define HT_NODE_LINT_H

#include "node/context.h"

/* An action item wants an owner and a due date. */
MUST_CHECK enum err lint_action(struct context *ctx, const struct record_id *id,
				struct errmsg *msg);

/* Clocks show a time that is meant once on each day. */
void lint_when(const struct when_reader *r, const struct walltime *w);

/* Minutes are worded objectively: no "I think". */
void lint_minutes(struct bytes text);

#endif
