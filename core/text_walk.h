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

#include "core/text_history.h"
#include "core/text_items.h"

/* Takes the changes, each relative to what those before it have made. Either function
 * may fail, and ends the walk. */
struct text_sink {
	enum err (*insert)(void *ctx, uint32_t pos, struct bytes text, uint32_t count);
	enum err (*remove)(void *ctx, uint32_t pos, uint32_t count);
	void *ctx;
};

struct text_walk {
	struct text_history *h;
	uint32_t base, end; /* edits that were replayed are from and before these */
	uint32_t first_run; /* its first run */
	uint32_t replayed;  /* edits */
	struct text_items items;
	uint32_t last_at_end;   /* the item that was last inserted before the end, if any was */
	struct walk_trace {     /* what a run did */
		uint32_t first; /* INSERT: the item, else its first span */
		uint32_t count; /* code points, or spans */
	} * traces;             /* by run, from first_run on */
	size_t trace_cap;
	struct walk_span { /* what was deleted: so many code points from an item on, by ids */
		uint32_t item, count;
	} * spans;
	uint32_t span_count;
	size_t span_cap;
	uint32_t version; /* the prepare version's head; TEXT_NONE: that of the base */
	bool *is_in;      /* the prepare version: by edit, from base on */
	size_t is_in_cap;
	uint32_t *moves; /* edits to advance over */
	uint32_t move_count;
	size_t move_cap;
	struct text_queue queue;
	struct walk_seen { /* ids that were met while a place was looked for: a hash table */
		uint32_t id, search;
	} * seen;
	uint32_t seen_cap, seen_count, search;
};

#define TEXT_WALK_EMPTY ((struct text_walk){ .items = TEXT_ITEMS_EMPTY })

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

/* What the effect version has, from the beginning: so many code points of an edit, or,
 * of the text before the base, of TEXT_NONE. False ends it. */
typedef bool text_walk_visit(void *ctx, uint32_t count, uint32_t edit);
void text_walk_each(const struct text_walk *w, text_walk_visit *visit, void *ctx);

/* What the edits that were replayed have deleted: where it would stand in the effect version,
 * so many code points, who deleted them, and whose they were (as above). By edit; what
 * several have deleted comes once for each. All from the base on were replayed. */
typedef bool text_walk_loss(void *ctx, uint32_t pos, uint32_t count, uint32_t edit, uint32_t of);
void text_walk_each_loss(const struct text_walk *w, text_walk_loss *visit, void *ctx);

#endif
