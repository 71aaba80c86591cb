/* Times of a list, told by the offices' places: a time of Shanghai is marked
 * "SHA" when an office of that code keeps Shanghai's time. Texts live in
 * the arena given. */
#ifndef HT_NODE_PLACE_H
#define HT_NODE_PLACE_H

#include "node/context.h"

/* A wall time or nil ("") as when_short() writes it. */
MUST_CHECK enum err place_when(struct context *ctx, struct arena *arena, struct value when,
			       const char **out, struct errmsg *msg);

/* What clocks of a zone show now: "Mon 17:02". "" for an unknown zone. */
MUST_CHECK enum err place_time(struct context *ctx, struct arena *arena, const char *zone,
			       const char **out, struct errmsg *msg);

#endif
