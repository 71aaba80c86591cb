/* One changeset written by a command: a transaction, its edit, and the nudge
 * that lets a running daemon send it at once. */
#ifndef HT_NODE_CHANGE_H
#define HT_NODE_CHANGE_H

#include "node/args.h"
#include "node/context.h"

struct change {
	struct context *ctx;
	struct record_id author;
	struct edit *edit; /* NULL outside begin .. end */
};

/* Begin in a space, in the author's name (context_author). Read what has to be
 * read from people before: other processes wait from here on. */
MUST_CHECK enum err change_begin(struct change *c, struct context *ctx,
				 const struct space_id *space, struct errmsg *msg);

/* This office may record in the space: else what is typed is typed in vain. ERR_GRANT. */
MUST_CHECK enum err change_check_grant(struct context *ctx, const struct space_id *space,
				       struct errmsg *msg);

/* Seal what was written so far and go on in another space, in the same transaction. */
MUST_CHECK enum err change_continue(struct change *c, const struct space_id *space,
				    struct errmsg *msg);

/* With OK: seal, commit, nudge. With an error: undo everything and return it. */
MUST_CHECK enum err change_end(struct change *c, enum err rc, struct errmsg *msg);

/* The next number of the kind, written to its field. */
MUST_CHECK enum err change_number(struct change *c, uint16_t kind, const struct record_id *id,
				  struct errmsg *msg);

/* ---- Fields that a command line writes ---------------------------------- */

struct assignment {
	const struct field *field;
	struct value value; /* in the context's arena */
	bool is_removal;
	const struct text_version *seen; /* of a text: from which it was changed; NULL: from now */
};

struct assignments {
	struct assignment list[ARGS_MAX];
	size_t count;
};

/* All options of the command line that write fields, parsed. */
MUST_CHECK enum err assignments_parse(struct assignments *out, struct context *ctx,
				      const struct args *args, struct errmsg *msg);

/* One more, from text. */
MUST_CHECK enum err assignments_add(struct assignments *a, struct context *ctx,
				    const struct field *field, const char *typed,
				    struct errmsg *msg);

/* Write them all: registers are set, elements added or removed. */
MUST_CHECK enum err change_assign(struct change *c, uint16_t kind, const struct record_id *id,
				  const struct assignments *a, struct errmsg *msg);

#endif
