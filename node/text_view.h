/* The history of a text, for people: its versions by name (core/text_version.h), and what was
 * changed. */
#ifndef HT_NODE_TEXT_VIEW_H
#define HT_NODE_TEXT_VIEW_H

#include <jansson.h>

#include "core/text.h"
#include "core/text_version.h"
#include "node/context.h"

/* Whatever core/text.h or core/text_reread.h failed with, in words; OK stays OK. */
MUST_CHECK enum err text_failure(enum err rc, struct errmsg *msg);

enum { VERSION_NAME_BYTES = TEXT_EDIT_NAME_BYTES };

const char *version_name(const struct text *t, uint32_t edit, char out[VERSION_NAME_BYTES]);

/* When and by whom. */
struct written {
	struct hlc_stamp hlc;
	struct record_id author; /* nil: the node itself */
	struct replica_id replica;
};
MUST_CHECK enum err version_written(struct context *ctx, const struct space_id *space,
				    const struct text *t, uint32_t edit, struct written *out,
				    struct errmsg *msg);
/* Append "2026-11-30 17:00  王芳 (SHA)". */
MUST_CHECK enum err written_show(struct context *ctx, const struct written *w, struct buf *out,
				 struct errmsg *msg);
/* {"version", "at", "office", "author"}. */
MUST_CHECK enum err version_json(struct context *ctx, const struct text *t, uint32_t edit,
				 const struct written *w, json_t **out, struct errmsg *msg);

/* Append what differs, for people, safe on a terminal: what was taken out as [-...-] and what
 * was put in as {+...+}, or lines with "- " and "+ " in front of them. Long parts that are the
 * same are left out. */
enum difference_style { DIFFERENCE_WORDS, DIFFERENCE_LINES };
MUST_CHECK enum err difference_show(struct bytes from, struct bytes to, enum difference_style style,
				    bool has_colour, struct buf *out);
/* The same in some words, on one line. */
MUST_CHECK enum err difference_brief(struct bytes from, struct bytes to, struct buf *out);
/* To the character: [{"at", "deleted", "inserted"}, ...], places in code points of `from`. */
MUST_CHECK enum err difference_json(struct bytes from, struct bytes to, json_t **out);

#endif
