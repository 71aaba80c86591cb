/* A text that many write: what it says now, and its history, from which edits that
 * were made elsewhere, side by side, are merged into it.
 *
 *   local      text_insert/_delete on the text as it is -> text_commit: an edit
 *   elsewhere  text_take: edits with their parents, in causal order -> text_merge
 *
 * The text is the same in every replica that has the same edits, whatever the order
 * in which they came; no character is lost or doubled; what two write at one place
 * stands one after the other. Pure: a function of the calls.
 *
 * An edit without anything at its side goes straight into the text. Only what is
 * concurrent is walked (text_walk.h), from the last version that all have seen. */
#ifndef HT_CORE_TEXT_H
#define HT_CORE_TEXT_H

#include "core/rope.h"
#include "core/text_walk.h"

struct text {
	struct rope rope;
	struct text_history history;
	uint32_t merged; /* edits that are in the rope */
	struct text_walk walk;
	bool is_walking;
	uint32_t walked; /* `walk` has replayed the edits from its base up to this one */
	struct text_edit_builder local; /* done here, not committed yet */
};

#define TEXT_EMPTY ((struct text){ .rope = ROPE_EMPTY, .walk = TEXT_WALK_EMPTY })

void text_release(struct text *t);

/* Local edits, code points. Asserts that they lie within the text, and that all that
 * was taken is merged. The text is valid UTF-8 of `count` code points. ERR_NOMEM. */
MUST_CHECK enum err text_insert(struct text *t, uint32_t pos, struct bytes text, uint32_t count);
MUST_CHECK enum err text_delete(struct text *t, uint32_t pos, uint32_t count);

/* What was done here since the last commit as one edit with this dot, which all
 * others have been seen by; *out borrows from the history until it changes. Nothing was
 * done: *out has no runs and there is no edit. ERR_NOMEM. */
MUST_CHECK enum err text_commit(struct text *t, const struct dot *dot, struct text_edit *out);

/* An edit from elsewhere, validated. Parents as dots; one that is not here makes it
 * adrift (text_history.h). Nothing is uncommitted. ERR_EXISTS, ERR_NOMEM. */
MUST_CHECK enum err text_take(struct text *t, const struct dot *dot, const struct text_edit *e,
			      const struct dot *parents, size_t parent_count);

/* Begin with a text that is known, and the newest part of its history, which `now` has
 * already: an edit that all others have seen stands for what was before, with number 0
 * and the text's length then; the others are recalled, validated, each after its parents, by
 * their numbers here. length: of the text at their version. Whether all that is true shows later:
 * with ERR_CORRUPT where the text is not what its history makes. ERR_NOMEM. */
MUST_CHECK enum err text_begin(struct text *t, struct bytes now, uint32_t base_length);
MUST_CHECK enum err text_recall(struct text *t, const struct dot *dot, const struct text_edit *e,
				const uint32_t *parents, size_t parent_count, bool is_adrift,
				uint32_t length);

/* Bring all that was taken into the text. sink: told of each change before it is made, in
 * order; may be NULL. ERR_NOMEM, ERR_CORRUPT of what was recalled, or what the sink says: then
 * the text is of no use any more. */
MUST_CHECK enum err text_merge(struct text *t, const struct text_sink *sink);

/* Have t->walk replay every edit that some head has not seen, and what it needs. All that
 * was taken is merged. *base: what came before this number has been seen by all from it on.
 * ERR_NOMEM; ERR_CORRUPT of what was recalled. */
MUST_CHECK enum err text_replay_tail(struct text *t, uint32_t *base);

/* One edit alone, which has seen all of a text of this length: what it does goes to the sink.
 * is_adrift: a parent of it is not here. What the sink says. */
MUST_CHECK enum err text_apply(const struct text_edit *e, uint32_t length, bool is_adrift,
			       const struct text_sink *sink);

/* ---- Versions: edits by their numbers in t->history ------------------------ */

/* The text as it was, appended. ERR_NOMEM. */
MUST_CHECK enum err text_at(const struct text *t, const uint32_t *heads, size_t head_count,
			    struct buf *out);

/* What has changed since, as changes to the text as it was. ERR_NOMEM, or the sink's. */
MUST_CHECK enum err text_since(struct text *t, const uint32_t *heads, size_t head_count,
			       const struct text_sink *sink);

/* The first edit that the version lacks; TEXT_NONE: it has all. ERR_NOMEM. */
MUST_CHECK enum err text_first_lacking(const struct text *t, const uint32_t *heads,
				       size_t head_count, uint32_t *out);

/* The way from the text that the first `first` edits make, all of which the version has, to
 * the version, and on to now. Either sink may be NULL; without the last one it ends at the
 * version. The cost follows what came after the first, and what is concurrent with it.
 * ERR_NOMEM, or the sink's. */
MUST_CHECK enum err text_replay(struct text *t, uint32_t first, const uint32_t *heads,
				size_t head_count, const struct text_sink *to_then,
				const struct text_sink *to_now);

/* Whose the text is: so many code points of an edit, from the beginning. ERR_NOMEM; ERR_CORRUPT
 * of what was recalled. */
MUST_CHECK enum err text_blame(struct text *t, text_walk_visit *visit, void *ctx);

#endif
