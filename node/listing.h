/* Records of one kind, row by row: the registers that show. For lists, where
 * sets, logs and the values of a conflict would be too much. */
#ifndef HT_NODE_LISTING_H
#define HT_NODE_LISTING_H

#include <jansson.h>

#include "node/context.h"

/* Rows of records that were not taken back. */
#define NOT_VOID "r.life <> 1"
_Static_assert(RECORD_VOID == 1, "NOT_VOID must say the same");

struct listing {
	struct context *ctx;
	const struct kind *kind;
	struct rows *rows;
	struct arena row; /* texts of the current row */
};

/* `rest` follows FROM: "WHERE r.life <> 1 ORDER BY r.due"; the kind's table is
 * r, its space s. Close in any case but a failure here. */
MUST_CHECK enum err listing_open(struct listing *out, struct context *ctx, uint16_t kind,
				 const char *rest, const struct value *args, size_t arg_count,
				 struct errmsg *msg);
bool listing_next(struct listing *l);
MUST_CHECK enum err listing_close(struct listing *l, struct errmsg *msg);

struct record_id listing_id(struct listing *l);
struct record_id listing_space(struct listing *l);
enum record_life listing_life(struct listing *l);
bool listing_has_conflict(struct listing *l);

/* A register; borrowed until the next row. */
struct value listing_value(struct listing *l, uint8_t field);

/* The same for people, borrowed likewise; "" for nil. */
MUST_CHECK enum err listing_text(struct listing *l, uint8_t field, const char **out,
				 struct errmsg *msg);

/* A text of one's own, terminated, that lives as long as the row's. */
MUST_CHECK enum err listing_keep(struct listing *l, const struct buf *text, const char **out,
				 struct errmsg *msg);

/* The row as docs/DATA_MODEL.md describes it: "type", "id", "space", "life",
 * "conflict", and a key for each register. */
MUST_CHECK enum err listing_json(struct listing *l, json_t **out, struct errmsg *msg);

#endif
