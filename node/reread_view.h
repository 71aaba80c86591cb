/* Sentences that somebody is to reread (docs/DATA_MODEL.md, I-21), for people. */
#ifndef HT_NODE_REREAD_VIEW_H
#define HT_NODE_REREAD_VIEW_H

#include <jansson.h>

#include "node/context.h"
#include "node/text_view.h"

/* What one person did to a sentence at one office, in edits that the same ones have read. */
struct reread_writer {
	uint64_t readers;
	struct written newest;
	char version[VERSION_NAME_BYTES]; /* of the newest edit */
	struct bytes *inserted;
	size_t inserted_count;
	uint32_t deleted; /* code points */
};

struct reread_sentence {
	struct bytes text;
	uint32_t pos; /* code points of the text before it */
	struct reread_writer *writers;
	size_t writer_count; /* by when they wrote last */
};

struct reread_list {
	struct reread_sentence *sentences;
	size_t count;
};

/* Those of a text as it stands, in the context's arena; none: *out is empty. */
MUST_CHECK enum err reread_load(struct reread_list *out, struct context *ctx, uint16_t kind,
				const struct record_id *id, uint8_t field, struct errmsg *msg);

/* Each with its number, and below it who wrote what and when. */
MUST_CHECK enum err reread_print(struct context *ctx, const struct reread_list *list, int indent,
				 struct errmsg *msg);
/* [{"sentence", "pos", "writers": [{"version", "at", "office", "author", "inserted", "deleted"}]}],
 * places in code points. */
MUST_CHECK enum err reread_json(struct context *ctx, const struct reread_list *list, json_t **out,
				struct errmsg *msg);

#endif
