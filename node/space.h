/* Which collaboration a command is about. */
#ifndef HT_NODE_SPACE_H
#define HT_NODE_SPACE_H

#include "node/args.h"
#include "node/context.h"

/* --collab REF, else the only one there is. ERR_NOT_FOUND when there is none,
 * ERR_AMBIGUOUS when there are several: the message lists them. */
MUST_CHECK enum err space_chosen(struct context *ctx, const struct args *args, struct space_id *out,
				 struct errmsg *msg);

/* The space of a record. */
MUST_CHECK enum err space_of(struct context *ctx, uint16_t kind, const struct record_id *id,
			     struct space_id *out, struct errmsg *msg);

/* The space that people mean: "directory", or a collaboration as node/ref.h finds it, or
 * the beginning of a space's id in hex, which is all that offices without a part in it
 * have. */
MUST_CHECK enum err space_find(struct context *ctx, const char *text, struct space_id *out,
			       struct errmsg *msg);

/* Append how people know it: "directory", its collaboration's number, the name that the
 * directory has for it, or its id's beginning. */
void space_label(struct context *ctx, const struct space_id *space, struct buf *out);

/* Append the codes of the offices that take part: "FRA SHA"; nothing for the
 * directory, which is everybody's. */
MUST_CHECK enum err space_offices(struct context *ctx, const uint8_t space[ID_BYTES],
				  struct buf *out, struct errmsg *msg);

#endif
