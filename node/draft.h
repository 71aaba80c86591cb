/* A text that somebody writes in an editor, and that must not be lost whatever becomes of
 * the editor, of us or of the machine: it stands in the data folder until it is stored.
 *
 *     drafts/RECORD-WORD.XXXXXX/    mode 0700
 *         version                   what it was begun with, and from which version; locked while
 *                                   it is open
 *         NAME.txt                  the text, mode 0600
 *
 * Whatever else an editor puts beside its file goes with it. The lock is held by the editor,
 * too: a draft is open until both it and we have ended, even when we were killed. */
#ifndef HT_NODE_DRAFT_H
#define HT_NODE_DRAFT_H

#include <limits.h>

#include "core/bytes.h"
#include "core/dot.h"
#include "node/folder.h"

enum {
	DRAFT_WORD_MAX = 32,
	DRAFT_NAME_MAX = 128,
	DRAFT_COMMAND_MAX = 512,
	DRAFT_FOLDER_MAX = FOLDER_FILE_MAX + NAME_MAX + 2,
	DRAFT_PATH_MAX = DRAFT_FOLDER_MAX + DRAFT_NAME_MAX + 8,
};

/* Which text: of a record, a word for which one. */
struct draft_of {
	struct record_id record;
	const char *word; /* letters, '_' and '-', shorter than DRAFT_WORD_MAX */
};

struct draft {
	char folder[DRAFT_FOLDER_MAX];   /* "": there is none */
	char path[DRAFT_PATH_MAX];       /* of the text */
	char command[DRAFT_COMMAND_MAX]; /* line of the shell that began it */
	int lock;
	struct dot *heads; /* of the version it was begun from */
	size_t head_count;
};

#define DRAFT_NONE ((struct draft){ .lock = -1 })

/* Begin one. name: for people, what they see in their editor's title. command: likewise, one
 * line. */
MUST_CHECK enum err draft_new(struct draft *out, const struct folder *folder,
			      const struct draft_of *of, const char *name, const char *command,
			      struct bytes text, const struct dot *heads, size_t head_count,
			      struct errmsg *msg);

/* The newest that was left over and that nobody has open now. ERR_NOT_FOUND. */
MUST_CHECK enum err draft_find(struct draft *out, const struct folder *folder,
			       const struct draft_of *of, struct errmsg *msg);

/* All that were left over and that nobody has open now, in no order; whose version makes no sense
 * has no path (""). `of` is borrowed; so is the draft, unless it is taken by leaving DRAFT_NONE in
 * its place. */
typedef void draft_visit(void *ctx, const struct draft_of *of, struct draft *d);
void draft_each(const struct folder *folder, draft_visit *visit, void *ctx);

/* Append the text. ERR_NOT_FOUND when the editor has left none. */
MUST_CHECK enum err draft_read(const struct draft *d, struct buf *out, struct errmsg *msg);
/* When it was last written, seconds since the Unix epoch; 0: not known. */
int64_t draft_time_s(const struct draft *d);

/* There is more in its folder than the text: editors keep there what they could not save. */
bool draft_has_more(const struct draft *d);

/* Forget it: the text is stored, or nobody wants it. */
void draft_remove(struct draft *d);
/* Let go of it; the text stays. Safe when there is none. */
void draft_close(struct draft *d);

#endif
