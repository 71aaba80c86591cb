/* The event graph of one text: every edit, and which ones its author had seen.
 *
 * Edits are numbered from 0 in the order in which they came here, parents before
 * children; numbers mean nothing elsewhere, dots do. A *version* is the set of edits
 * that some edits, its *heads*, have seen or are.
 *
 * Whoever has seen an edit has seen all that its replica wrote of the text before.
 * The edit itself may still refer to a version without that: somebody had the editor
 * open for long. Then there are two nodes: the edit, and one that joins it with what
 * came before, for which the dot stands from then on.
 *
 * After Gentle and Kleppmann, "Collaborative Text Editing with Eg-walker" (EuroSys 2025). */
#ifndef HT_CORE_TEXT_HISTORY_H
#define HT_CORE_TEXT_HISTORY_H

#include "core/dot.h"
#include "core/text_edit.h"
#include "core/text_queue.h"

#define TEXT_NONE UINT32_MAX

/* One edit. */
struct text_node {
	uint32_t first_run, run_count;
	uint32_t first_byte;            /* of what it inserts */
	uint32_t parents, parent_count; /* in parent_pool, ascending */
	uint32_t author;
	uint32_t stated; /* the text's length at its parents' version, as it says */
	uint32_t length; /* and as it was found; TEXT_NONE: not known yet */
	uint32_t growth; /* what it adds to that, modulo 2^32, by its runs */
	uint64_t seq;
	bool is_join;  /* of an edit and its replica's earlier ones: no runs */
	bool sees_all; /* all edits before it */
	bool is_head;
	bool is_adrift; /* a parent is not here: see text_node_is_adrift() */
};

struct text_author {
	struct replica_id replica;
	uint32_t *edits; /* ascending, and so are their seqs */
	uint32_t count;
	size_t cap;
};

struct text_history {
	struct text_node *nodes;
	uint32_t count;
	size_t cap;
	struct text_run *runs;
	uint32_t run_count;
	size_t run_cap;
	uint32_t *parent_pool;
	uint32_t parent_count;
	size_t parent_cap;
	struct buf inserted;
	struct text_author *authors; /* in the order of coming */
	uint32_t author_count;
	size_t author_cap;
	uint32_t *slots; /* their numbers, and one: a hash table by replica; 0: free */
	uint32_t slot_cap;
	uint32_t *heads; /* ascending: what no edit has seen */
	uint32_t head_count;
	size_t head_cap;
	struct text_queue queue; /* empty between calls */
};

#define TEXT_HISTORY_EMPTY ((struct text_history){ 0 })

void text_history_release(struct text_history *h);

/* One more edit, validated (text_edit_validate). `parents` in any order, or the heads; those that
 * are ancestors of others are left out, if that shows soon. is_adrift: some parent counts no more,
 * or never was. A dot is added once, and a replica's in the order of their seqs. ERR_NOMEM,
 * ERR_LIMIT; nothing changed. */
MUST_CHECK enum err text_history_add(struct text_history *h, const struct dot *dot,
				     const struct text_edit *e, const uint32_t *parents,
				     size_t parent_count, bool is_adrift);

/* The edit's number, its join's if it has one, or TEXT_NONE. */
uint32_t text_history_find(const struct text_history *h, const struct dot *dot);
struct dot text_history_dot(const struct text_history *h, uint32_t edit);

/* An edit whose author saw another text than its parents' version is here: somebody's
 * changes have ceased to count since (M-14), or it lies. Its positions mean nothing, so
 * what it inserts is kept, as near as may be, and it deletes nothing. Known when it was
 * merged. */
static inline bool text_node_is_adrift(const struct text_node *n)
{
	return !n->is_join && (n->is_adrift || n->length != n->stated);
}

static inline const uint32_t *text_node_parents(const struct text_history *h, uint32_t edit)
{
	return h->parent_pool + h->nodes[edit].parents;
}

/* The edit as it was added, borrowed until the next one is. */
struct text_edit text_history_edit(const struct text_history *h, uint32_t edit);
/* What an INSERT of an edit inserts; moves *at, first the node's first_byte, past it.
 * Other runs: nothing. */
struct bytes text_history_text(const struct text_history *h, const struct text_run *run,
			       uint32_t *at);
/* The text's length with the edit done, when its own `length` is known. */
uint32_t text_history_length_after(const struct text_history *h, uint32_t edit);

/* The order of edits that insert at the same place without knowing of each other. */
int text_history_cmp(const struct text_history *h, uint32_t a, uint32_t b);

/* What edits are in one version (a) and not in another (b), and the reverse; only such as
 * are numbered from `base` on, both versions holding all before. */
enum text_side { TEXT_ONLY_A = 1, TEXT_ONLY_B = 2 };
typedef void text_side_visit(void *ctx, uint32_t edit, enum text_side side);
/* Descending. Working memory is the caller's: it grows, and is empty between calls. ERR_NOMEM. */
MUST_CHECK enum err text_history_diff(const struct text_history *h, uint32_t base,
				      const uint32_t *a, size_t a_count, const uint32_t *b,
				      size_t b_count, struct text_queue *queue,
				      text_side_visit *visit, void *ctx);

#endif
