/* A live editor, as simple as can be: a buffer that is an array of its unit, and the name of
 * the version that it holds. What it converts it converts by a table of its own.
 *
 * A change that does not fit ends the program. */
#ifndef HT_TESTS_SUPPORT_EDITOR_H
#define HT_TESTS_SUPPORT_EDITOR_H

#include "core/text_doc.h"
#include "tests/support/prng.h"

enum { EDITOR_CELLS_MAX = 1 << 13, EDITOR_CHANGES_MAX = 16 };

struct editor {
	enum rope_unit unit;
	uint32_t cells[EDITOR_CELLS_MAX]; /* bytes, code points or UTF-16 units */
	uint32_t count;
	struct buf version;
	/* Typed, and not handed in yet. */
	struct text_splice changes[EDITOR_CHANGES_MAX];
	size_t change_count;
	size_t told; /* changes that the last pull brought */
};

/* Show what the document says. */
void editor_open(struct editor *e, struct text_doc *doc, enum rope_unit unit);
void editor_close(struct editor *e);

/* Take so many units out and put a text in, which is borrowed until it is handed in. */
void editor_type(struct editor *e, uint32_t pos, uint32_t removed, const char *text);
/* Somewhere. */
void editor_type_at_random(struct editor *e, struct prng *prng);

/* Hand in what was typed. */
MUST_CHECK enum err editor_push(struct editor *e, struct text_doc *doc, uint64_t now_ms,
				struct errmsg *msg);
/* What has changed since; nothing is typed and not handed in. */
MUST_CHECK enum err editor_pull(struct editor *e, struct text_doc *doc, struct errmsg *msg);

/* The buffer is this text. */
bool editor_shows(const struct editor *e, struct bytes text);

#endif
