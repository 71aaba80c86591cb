/* Eg-walker: what edits that were made side by side mean one after the other.
 *
 * A walk replays part of a history, edit by edit. What every edit in it has seen is one
 * text, of which only the length is known. For each code point beyond it keeps
 * whether it is there in the *prepare* version, that to which the next edit's
 * positions refer, and in the *effect* version, of all edits replayed so far. To go
 * from one edit to another the prepare version retreats and advances; what comes out
 * are changes of the effect version.
 *
 * What is inserted at one place at once is ordered as by FugueMax: sequences of
 * different authors are not interleaved, whether written forwards or backwards.
 *
 * After Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025), and
 * Weidner and Kleppmann, "The Art of the Fugue" (IEEE TPDS 2025). Pure. */
#ifndef HT_CORE_TEXT_WALK_H
#define HT_CORE_TEXT_WALK_H

#include "core/sumtree.h"
#include "core/text_history.h"

/* Takes the changes, each relative to what those before it have made. Either function
 * may fail, and ends the walk. */
struct text_sink {
	enum err (*insert)(void *ctx, uint32_t pos, struct bytes text, uint32_t count);
	enum err (*remove)(void *ctx, uint32_t pos, uint32_t count);
	void *ctx;
};

struct walk_item;
struct walk_block;
struct walk_trace;

struct text_walk {
	struct text_history *h;
	uint32_t base;        /* the first edit that may be replayed */
	uint32_t first_run;   /* its first run */
	uint32_t replayed;    /* edits */
	struct sumtree place; /* blocks of items in the order of the text: prepare, effect */
	struct sumtree ids;   /* items in the order of their ids: count */
	struct walk_block *blocks;
	uint32_t block_count, block_cap, first_block;
	struct walk_item *items;
	uint32_t item_count, item_cap;
	uint32_t last_item;        /* by id */
	uint32_t next_id;          /* ids number code points in the order of the walk */
	struct walk_trace *traces; /* by run, from first_run on: what it did */
	uint32_t trace_cap;
	struct walk_span { /* of ids that runs have deleted */
		uint32_t id, count;
	} * spans;
	uint32_t span_count, span_cap;
	struct walk_origin { /* whose edit an id is of: ascending by id */
		uint32_t id, edit;
	} * origins;
	uint32_t origin_count, origin_cap;
	uint32_t *version; /* heads of the prepare version, from base on */
	uint32_t version_count, version_cap;
	uint32_t *moves; /* edits to advance over */
	uint32_t move_count, move_cap;
	struct text_heap heap;
};

#define TEXT_WALK_EMPTY ((struct text_walk){ .place = SUMTREE_EMPTY, .ids = SUMTREE_EMPTY })

void text_walk_release(struct text_walk *w);

/* Begin anew: edits before `base` have all been seen by all others, and make a text
 * of this length. ERR_NOMEM. */
MUST_CHECK enum err text_walk_begin(struct text_walk *w, struct text_history *h, uint32_t base,
				    uint32_t length);

/* Replay an edit whose parents were replayed, and note its length in the history, a
 * join's only if all before it are replayed and nothing else.
 * sink: where changes of the effect version go, or NULL. ERR_NOMEM, or what the sink
 * says: the walk can only be released or begun anew. */
MUST_CHECK enum err text_walk_edit(struct text_walk *w, uint32_t edit,
				   const struct text_sink *sink);

/* Edits [from, to) in an order in which little is retreated over: branch by branch.
 * is_wanted: by number from `from` on, which ones; NULL: all. out[to - from]. ERR_NOMEM. */
MUST_CHECK enum err text_walk_order(const struct text_history *h, uint32_t from, uint32_t to,
				    const bool *is_wanted, uint32_t *out, size_t *count);

/* What the effect version has, from the beginning: so many code points of an edit, or,
 * of the text before the base, of TEXT_NONE. False ends it. */
typedef bool text_walk_visit(void *ctx, uint32_t count, uint32_t edit);
void text_walk_check(const struct text_walk *w); /* asserts that sums and items agree */
void text_walk_each(const struct text_walk *w, text_walk_visit *visit, void *ctx);

/* What the edits that were replayed have deleted: where it would stand in the effect version,
 * so many code points, who deleted them, and whose they were (as above). By edit; what
 * several have deleted comes once for each. All from the base on were replayed. */
typedef bool text_walk_loss(void *ctx, uint32_t pos, uint32_t count, uint32_t edit, uint32_t of);
void text_walk_each_loss(const struct text_walk *w, text_walk_loss *visit, void *ctx);

#endif
