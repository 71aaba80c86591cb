/* A stretch of a text's history in few bytes: the edits as columns, compressed.
 *
 * Edits are numbered from 0 in the order in which they were applied here, as in the store; a
 * join (text_history.h) has no number of its own. A pack has `count` of them from `first` on:
 * their parents may be in an older one.
 *
 *   [columns, text]      each an encoded array that pack_shrink() has gone over
 *   columns              [count, [replica, ...], column, ...], columns being integers in a row:
 *     authors   by edit  whose it is, by place among the replicas, which are in the order of
 *                        their first edits
 *     codes     by edit  how many of its parents are not its author's edit before << 3, and bits
 *     others    of those, the newest first: how far before the edit, or the last one, less 1
 *     seqs      by edit  how much more than one after its author's before
 *     lengths   of edits that don't follow one in the pack: stated, over what is to be expected
 *     sizes     author by author, by edit: code points inserted and deleted
 *     heads     author by author, by run: count << 3 | is moved << 2 | step
 *     moves     of runs that are moved: how far from the cursor, where the author's run before
 *               ended, or as far from the end of the text, if others wrote before it
 *     strays    of edits that are adrift: what they state, over what is to be expected; the
 *               length as found, over that; whether a parent was not here
 *   text                 [what is inserted, author by author]
 *
 * What somebody types on is one run, whatever edits it is cut into. After the columns of
 * diamond-types (Gentle), Automerge and Apache Parquet. Pure. */
#ifndef HT_CORE_TEXT_PACK_H
#define HT_CORE_TEXT_PACK_H

#include "core/dot.h"
#include "core/text_edit.h"

/* One edit in its history. */
struct text_event {
	struct dot dot;
	struct text_edit edit;   /* validated (text_edit_validate) */
	const uint32_t *parents; /* by number, ascending */
	size_t parent_count;
	uint32_t before; /* the length of the text at its parents' version, as found */
	bool sees_all;   /* edits before it */
	bool is_adrift;  /* a parent is not here */
};

/* The length with the edit done. */
uint32_t text_event_after(const struct text_event *e);

/* How many of the events, from the first on, one pack can take. At least one. */
size_t text_pack_fit(const struct text_event *events, size_t count);

/* Appended to `out`; the same for the same events. ERR_INVALID: a replica's seqs don't ascend;
 * ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err text_pack_encode(struct buf *out, uint32_t first,
				     const struct text_event *events, size_t count);

/* Events, in the arena, that are in themselves as an edit must be; not whether a version is as
 * long as it says. `packed` is not needed any more. ERR_FORMAT, ERR_LIMIT, ERR_INVALID with what
 * is wrong; ERR_NOMEM. */
MUST_CHECK enum err text_pack_decode(struct bytes packed, uint32_t first, struct arena *arena,
				     const struct text_event **events, size_t *count,
				     struct errmsg *msg);

#endif
