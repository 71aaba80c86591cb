/* A text as it stands, while edits go into it: pieces of a few kilobytes, in order.
 *
 * Of a text that is stored in pieces (core/store_body.c) only those are read in which
 * something changes, and only they are written again: an edit costs what it changes and
 * not what the text has. Next to the place of the edit before, it costs next to nothing.
 *
 * Positions and lengths are code points; what goes in is valid UTF-8. Pure but for the reader.
 * After a failure the body is only good for its release. */
#ifndef HT_CORE_TEXT_BODY_H
#define HT_CORE_TEXT_BODY_H

#include "core/bytes.h"

struct text_piece {
	uint64_t place; /* where it is stored; 0: nowhere yet */
	uint32_t points;
	bool is_here;    /* in `text`; else it is to be read */
	bool is_changed; /* since it was stored */
	struct buf text;
};

struct text_body {
	struct text_piece *pieces;
	uint32_t count, cap;
	uint32_t points;     /* of all */
	uint32_t from, to;   /* what is in memory lies in this range of pieces */
	uint32_t at, before; /* the piece of the last edit, and the code points before it */
	struct {
		uint32_t points, bytes;
	} cursor; /* a place within that piece */
	/* Appends a piece to an empty buffer. ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
	enum err (*read)(void *ctx, uint64_t place, struct buf *out);
	void *ctx;
};

#define TEXT_BODY_EMPTY ((struct text_body){ 0 })

void text_body_release(struct text_body *b);

/* To begin with, in order: a piece that is stored, or a text that is not. ERR_NOMEM. */
MUST_CHECK enum err text_body_add(struct text_body *b, uint64_t place, uint32_t points);
MUST_CHECK enum err text_body_append(struct text_body *b, struct bytes text);

/* ERR_CORRUPT: there is no such place, so what was read is not what was stored. What the reader
 * says; ERR_NOMEM. */
MUST_CHECK enum err text_body_insert(struct text_body *b, uint32_t pos, struct bytes text,
				     uint32_t count);
MUST_CHECK enum err text_body_remove(struct text_body *b, uint32_t pos, uint32_t count);

/* Have a piece in memory; have none there any more, when all are stored. */
MUST_CHECK enum err text_body_need(struct text_body *b, uint32_t piece);
void text_body_forget(struct text_body *b);

/* Before it is stored: pieces without anything go, all but one, and thin ones into a neighbour;
 * `gone` is told of places that are no more. */
typedef enum err text_body_gone(void *ctx, uint64_t place);
MUST_CHECK enum err text_body_tidy(struct text_body *b, text_body_gone *gone, void *ctx);

#endif
