/* A text that is being written in the user's editor: opened at a version, and what differs from
 * that is stored, so that what others wrote meanwhile is merged. It is never lost: it stands in
 * a draft (node/draft.h) until it is stored, and is offered again the next time.
 *
 * While the editor is open nothing of the replica is: it may be restored, moved to other keys,
 * brought up to date. */
#ifndef HT_NODE_WRITING_H
#define HT_NODE_WRITING_H

#include "node/args.h"
#include "node/draft.h"
#include "node/text_subject.h"

/* Options of the commands that write in an editor. */
#define WRITING_RESUME  "resume"
#define WRITING_DISCARD "discard"

struct writing {
	const struct text_subject *of;
	const char *word; /* which text of the record, for its drafts: the field's name, "new" */
	const struct args *args;
	struct draft draft;
	struct text_version seen; /* from which it is changed, in the context's arena */
};

#define WRITING_NONE ((struct writing){ .draft = DRAFT_NONE })

/* Find what was left over of this text (--resume), or begin anew from `now`, after what was left
 * over is thrown away (--discard); run the editor; take what it left: w->seen.text when nothing
 * was changed, else something acceptable for the subject's field, in the context's arena.
 * ERR_EXISTS: something was left over and nobody said what to do with it. ERR_INVALID, ERR_LIMIT,
 * and what the editor comes to. Call writing_end() in any case. */
MUST_CHECK enum err writing_run(struct writing *w, const struct text_subject *of, const char *word,
				const struct args *args, const struct text_version *now,
				struct bytes *out, struct errmsg *msg);

/* Its draft holds something that is nowhere else: neither empty nor what it was begun from. Needs
 * w->of, w->draft and w->seen. */
bool writing_is_worth_keeping(const struct writing *w);

/* With OK: it is stored, or nothing was changed: forget the draft. With an error: keep what was
 * typed, advise how to go on with it, and return the error. */
enum err writing_end(struct writing *w, enum err rc);

#endif
