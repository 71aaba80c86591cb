/* Finding the record that people mean.
 *
 * A record is named by its readable number, in any case (ai-sha-2026-0001); by
 * a name or title, or a beginning of one that only one record has; by an
 * office's code; or by the beginning of its id in hex. A block of minutes also
 * by its place as shown: MN-SHA-2026-0001/3. This node is "self". */
#ifndef HT_NODE_REF_H
#define HT_NODE_REF_H

#include "node/context.h"

struct ref {
	uint16_t kind;
	struct record_id id;
};

/* kind 0: any that has a number, or any id. ERR_NOT_FOUND, and ERR_AMBIGUOUS
 * with the candidates. */
MUST_CHECK enum err ref_find(struct context *ctx, uint16_t kind, const char *text, struct ref *out,
			     struct errmsg *msg);

/* The same where the kind is known. */
MUST_CHECK enum err ref_find_id(struct context *ctx, uint16_t kind, const char *text,
				struct record_id *out, struct errmsg *msg);

/* How people know the record: its number, else its name, else its id's
 * beginning. Appends to `out`. */
MUST_CHECK enum err ref_label(struct context *ctx, uint16_t kind, const struct record_id *id,
			      struct buf *out, struct errmsg *msg);

#endif
