#include "core/rope.h"

#include <assert.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/utf8.h"

enum {
	LEAF_BYTES = 1024 - 20,
	LEAF_FILL = LEAF_BYTES / 4 * 3, /* of leaves that are made in a row: edits find room */
	LEAF_THIN = LEAF_BYTES / 4,     /* below, it may go into its neighbour */
};

struct rope_leaf {
	uint32_t next, prev;
	uint16_t gap, gap_size; /* bytes before it, and in it */
	uint16_t gap_points;    /* code points before it */
	uint16_t points, utf16;
	uint16_t unused;
	uint8_t text[LEAF_BYTES];
};

void rope_release(struct rope *r)
{
	sumtree_release(&r->tree);
	free(r->leaves);
	*r = ROPE_EMPTY;
}

void rope_clear(struct rope *r)
{
	sumtree_clear(&r->tree);
	r->leaf_count = 0;
	r->free = r->first = r->at = SUMTREE_NONE;
}

uint32_t rope_size(const struct rope *r, enum rope_unit unit)
{
	return r->tree.total.of[unit] + (r->at == SUMTREE_NONE ? 0 : r->pending.of[unit]);
}

bool rope_has(const struct rope *r, uint32_t pos, uint32_t count)
{
	uint32_t size = rope_size(r, ROPE_POINTS);

	return pos <= size && count <= size - pos;
}

/* ---- UTF-8 that is known to be valid --------------------------------------- */

/* Counted in steps that a compiler makes wide. */
static struct widths measure(const uint8_t *text, size_t size)
{
	struct widths w = { { 0 } };

	for (size_t i = 0; i < size; i++) {
		w.of[ROPE_POINTS] += utf8_begins(text[i]);
		w.of[ROPE_UTF16] += text[i] >= 0xf0;
	}
	w.of[ROPE_UTF16] += w.of[ROPE_POINTS];
	w.of[ROPE_BYTES] = (uint32_t)size;
	return w;
}

/* How many bytes so many code points take. */
static size_t points_forward(const uint8_t *text, uint32_t count)
{
	const uint8_t *at = text;

	while (count--)
		at += utf8_size(*at);
	return (size_t)(at - text);
}

/* How many bytes so many code points take that end before `end`. */
static size_t points_back(const uint8_t *end, uint32_t count)
{
	const uint8_t *at = end;

	while (count--)
		do
			at--;
		while (!utf8_begins(*at));
	return (size_t)(end - at);
}

/* ---- Leaves ---------------------------------------------------------------- */

static uint32_t leaf_bytes(const struct rope_leaf *l)
{
	return LEAF_BYTES - l->gap_size;
}

static struct widths leaf_widths(const struct rope_leaf *l)
{
	return (struct widths){ { l->points, leaf_bytes(l), l->utf16 } };
}

static const uint8_t *after_gap(const struct rope_leaf *l)
{
	return l->text + l->gap + l->gap_size;
}

static void move_gap(struct rope_leaf *l, uint32_t point)
{
	bool is_ascii = l->points == leaf_bytes(l);

	if (point < l->gap_points) {
		uint32_t count = l->gap_points - point;
		size_t size = is_ascii ? count : points_back(l->text + l->gap, count);

		/* From the front when that is nearer. */
		if (!is_ascii && point < count)
			size = l->gap - points_forward(l->text, point);
		l->gap = (uint16_t)(l->gap - size);
		memmove(l->text + l->gap + l->gap_size, l->text + l->gap, size);
	} else if (point > l->gap_points) {
		uint32_t count = point - l->gap_points;
		size_t size = is_ascii ? count : points_forward(after_gap(l), count);

		memmove(l->text + l->gap, after_gap(l), size);
		l->gap = (uint16_t)(l->gap + size);
	}
	l->gap_points = (uint16_t)point;
}

static void insert_at_gap(struct rope_leaf *l, struct bytes text, const struct widths *w)
{
	memcpy(l->text + l->gap, text.data, text.size);
	l->gap = (uint16_t)(l->gap + text.size);
	l->gap_size = (uint16_t)(l->gap_size - text.size);
	l->gap_points = (uint16_t)(l->gap_points + w->of[ROPE_POINTS]);
	l->points = (uint16_t)(l->points + w->of[ROPE_POINTS]);
	l->utf16 = (uint16_t)(l->utf16 + w->of[ROPE_UTF16]);
}

static enum err take_leaf(struct rope *r, uint32_t *out)
{
	struct rope_leaf *l;

	if (r->free != SUMTREE_NONE) {
		*out = r->free;
		r->free = r->leaves[r->free].next;
	} else {
		if (r->leaf_count == r->leaf_cap) {
			uint32_t cap = r->leaf_cap ? r->leaf_cap + r->leaf_cap / 2 + 1 : 1;

			if (array_resize(&r->leaves, cap, sizeof(*r->leaves)))
				return ERR_NOMEM;
			r->leaf_cap = cap;
		}
		*out = r->leaf_count++;
	}
	l = &r->leaves[*out];
	*l = (struct rope_leaf){ .next = SUMTREE_NONE, .prev = SUMTREE_NONE };
	l->gap_size = LEAF_BYTES;
	return OK;
}

static void give_leaf(struct rope *r, uint32_t leaf)
{
	r->leaves[leaf].next = r->free;
	r->free = leaf;
}

static void link_leaf(struct rope *r, uint32_t after, uint32_t leaf)
{
	struct rope_leaf *l = &r->leaves[leaf];

	l->prev = after;
	l->next = after == SUMTREE_NONE ? r->first : r->leaves[after].next;
	if (l->next != SUMTREE_NONE)
		r->leaves[l->next].prev = leaf;
	if (after == SUMTREE_NONE)
		r->first = leaf;
	else
		r->leaves[after].next = leaf;
}

static void unlink_leaf(struct rope *r, uint32_t leaf)
{
	const struct rope_leaf *l = &r->leaves[leaf];

	if (l->next != SUMTREE_NONE)
		r->leaves[l->next].prev = l->prev;
	if (l->prev != SUMTREE_NONE)
		r->leaves[l->prev].next = l->next;
	else
		r->first = l->next;
}

/* A new leaf with this text after another. */
static enum err add_leaf(struct rope *r, uint32_t after, struct bytes text, uint32_t *out)
{
	struct widths w = measure(text.data, text.size);
	uint32_t leaf;

	if (take_leaf(r, &leaf))
		return ERR_NOMEM;
	insert_at_gap(&r->leaves[leaf], text, &w);
	if (sumtree_insert(&r->tree, after, leaf, &w)) {
		give_leaf(r, leaf);
		return ERR_NOMEM;
	}
	link_leaf(r, after, leaf);
	*out = leaf;
	return OK;
}

static void drop_leaf(struct rope *r, uint32_t leaf)
{
	sumtree_remove(&r->tree, leaf);
	unlink_leaf(r, leaf);
	give_leaf(r, leaf);
}

/* ---- The leaf at hand ------------------------------------------------------ */

static void settle(struct rope *r)
{
	if (r->at == SUMTREE_NONE)
		return;
	sumtree_add(&r->tree, r->at, &r->pending);
	r->at = SUMTREE_NONE;
}

static void turn_to(struct rope *r, uint32_t leaf, const struct widths *before)
{
	r->at = leaf;
	r->before = *before;
	r->pending = (struct widths){ { 0 } };
}

static bool is_at_hand(const struct rope *r, uint32_t pos, uint32_t count)
{
	return r->at != SUMTREE_NONE && pos >= r->before.of[ROPE_POINTS] &&
	       pos + count <= r->before.of[ROPE_POINTS] + r->leaves[r->at].points;
}

/* The leaf that has the position inside or at its end. */
static void turn_to_position(struct rope *r, uint32_t pos)
{
	struct widths before;
	uint32_t leaf;

	settle(r);
	leaf = sumtree_find(&r->tree, ROPE_POINTS, pos ? pos - 1 : 0, &before);
	turn_to(r, leaf, &before);
}

static void note(struct rope *r, const struct widths *w, bool is_gone)
{
	for (unsigned u = 0; u < ROPE_UNIT_COUNT; u++)
		r->pending.of[u] += is_gone ? 0 - w->of[u] : w->of[u];
}

/* ---- Inserting ------------------------------------------------------------- */

/* What of the text goes into one leaf of a row: whole code points. */
static size_t leaf_portion(struct bytes text)
{
	size_t size = text.size < LEAF_FILL ? text.size : LEAF_FILL;

	while (size < text.size && !utf8_begins(text.data[size]))
		size--;
	return size;
}

static enum err add_leaves(struct rope *r, uint32_t after, struct bytes text)
{
	enum err rc = OK;

	while (text.size && rc == OK) {
		size_t size = leaf_portion(text);

		rc = add_leaf(r, after, bytes_of(text.data, size), &after);
		text = bytes_of(text.data + size, text.size - size);
	}
	return rc;
}

/* What stands after the gap goes to a leaf of its own. */
static enum err split_at_gap(struct rope *r, uint32_t leaf)
{
	struct rope_leaf *l = &r->leaves[leaf];
	uint8_t tail[LEAF_BYTES];
	size_t size = leaf_bytes(l) - l->gap;
	struct widths was = leaf_widths(l), w;
	uint32_t right;

	if (size == 0)
		return OK;
	memcpy(tail, after_gap(l), size);
	if (add_leaf(r, leaf, bytes_of(tail, size), &right))
		return ERR_NOMEM;
	l = &r->leaves[leaf];
	l->gap_size = (uint16_t)(LEAF_BYTES - l->gap);
	l->utf16 = (uint16_t)(l->utf16 - r->leaves[right].utf16);
	l->points = l->gap_points;
	w = leaf_widths(l);
	for (unsigned u = 0; u < ROPE_UNIT_COUNT; u++)
		w.of[u] -= was.of[u];
	sumtree_add(&r->tree, leaf, &w);
	return OK;
}

/* It does not fit where it belongs. */
static enum err insert_and_split(struct rope *r, uint32_t pos, struct bytes text)
{
	uint32_t leaf = r->at, start = r->before.of[ROPE_POINTS];
	struct rope_leaf *l = &r->leaves[leaf];

	settle(r);
	if (text.size > LEAF_BYTES / 2) {
		move_gap(l, pos - start);
		if (split_at_gap(r, leaf))
			return ERR_NOMEM;
		return add_leaves(r, leaf, text);
	}
	/* In the middle, unless it is typed at the end. */
	move_gap(l, pos == start + l->points ? pos - start : l->points / 2u);
	if (l->gap + (size_t)l->gap_size == LEAF_BYTES)
		return add_leaves(r, leaf, text);
	if (split_at_gap(r, leaf))
		return ERR_NOMEM;
	/* Half of the code points may be most of the bytes: then it is split once more. */
	return rope_insert(r, pos, text);
}

enum err rope_insert(struct rope *r, uint32_t pos, struct bytes text)
{
	struct rope_leaf *l;
	struct widths w;

	assert(pos <= rope_size(r, ROPE_POINTS));
	if (text.size == 0)
		return OK;
	if (!is_at_hand(r, pos, 0))
		turn_to_position(r, pos);
	if (r->at == SUMTREE_NONE)
		return add_leaves(r, SUMTREE_NONE, text);
	l = &r->leaves[r->at];
	if (text.size > l->gap_size)
		return insert_and_split(r, pos, text);
	w = text.size == 1 ? (struct widths){ { 1, 1, 1 } } : measure(text.data, text.size);
	move_gap(l, pos - r->before.of[ROPE_POINTS]);
	insert_at_gap(l, text, &w);
	note(r, &w, false);
	return OK;
}

/* ---- Deleting -------------------------------------------------------------- */

/* Code points before or after the gap go. */
static void delete_at_gap(struct rope *r, uint32_t before, uint32_t after)
{
	struct rope_leaf *l = &r->leaves[r->at];
	bool is_ascii = l->points == leaf_bytes(l);
	size_t back = is_ascii ? before : points_back(l->text + l->gap, before);
	size_t forward = is_ascii ? after : points_forward(after_gap(l), after);
	struct widths w = { { before + after, (uint32_t)(back + forward), before + after } };

	if (!is_ascii)
		w.of[ROPE_UTF16] = measure(l->text + l->gap - back, back).of[ROPE_UTF16] +
				   measure(after_gap(l), forward).of[ROPE_UTF16];
	l->gap = (uint16_t)(l->gap - back);
	l->gap_size = (uint16_t)(l->gap_size + back + forward);
	l->gap_points = (uint16_t)(l->gap_points - before);
	l->points = (uint16_t)(l->points - before - after);
	l->utf16 = (uint16_t)(l->utf16 - w.of[ROPE_UTF16]);
	note(r, &w, true);
}

/* Into the leaf before it, if there is much room. */
static void join_thin(struct rope *r)
{
	uint32_t leaf = r->at, into;
	const struct rope_leaf *l = &r->leaves[leaf];
	struct widths w = leaf_widths(l);

	if (leaf_bytes(l) >= LEAF_THIN)
		return;
	into = l->prev;
	if (leaf_bytes(l) > 0 &&
	    (into == SUMTREE_NONE || leaf_bytes(&r->leaves[into]) + leaf_bytes(l) > LEAF_FILL))
		return;
	settle(r);
	if (leaf_bytes(l) > 0) {
		struct rope_leaf *to = &r->leaves[into];

		move_gap(to, to->points);
		move_gap(&r->leaves[leaf], l->points);
		insert_at_gap(to, bytes_of(l->text, l->gap), &w);
		sumtree_add(&r->tree, into, &w);
	}
	drop_leaf(r, leaf);
}

void rope_delete(struct rope *r, uint32_t pos, uint32_t count)
{
	assert(pos + count <= rope_size(r, ROPE_POINTS));
	while (count) {
		struct rope_leaf *l;
		uint32_t offset, here;

		if (!is_at_hand(r, pos, 1))
			turn_to_position(r, pos + 1);
		l = &r->leaves[r->at];
		offset = pos - r->before.of[ROPE_POINTS];
		here = l->points - offset < count ? l->points - offset : count;
		if (offset + here == l->gap_points) {
			delete_at_gap(r, here, 0);
		} else {
			move_gap(l, offset);
			delete_at_gap(r, 0, here);
		}
		join_thin(r);
		count -= here;
	}
}

/* ---- Reading --------------------------------------------------------------- */

static struct widths whole_before(const struct rope *r, uint32_t leaf)
{
	struct widths before = sumtree_before(&r->tree, leaf);

	/* The tree may not know yet what was done to an earlier leaf. */
	if (r->at != SUMTREE_NONE && r->at != leaf && sumtree_cmp(&r->tree, r->at, leaf) < 0)
		for (unsigned u = 0; u < ROPE_UNIT_COUNT; u++)
			before.of[u] += r->pending.of[u];
	return before;
}

/* The leaf in which the place lies, or at whose end; SUMTREE_NONE in an empty rope. */
static uint32_t leaf_at(const struct rope *r, enum rope_unit unit, uint32_t place,
			struct widths *before)
{
	uint32_t leaf;

	*before = (struct widths){ { 0 } };
	if (r->at != SUMTREE_NONE) {
		uint32_t start = r->before.of[unit];
		uint32_t end = start + leaf_widths(&r->leaves[r->at]).of[unit];

		if (place >= start && place <= end) {
			*before = r->before;
			return r->at;
		}
		if (place > end) /* as the tree counts */
			place -= r->pending.of[unit];
	}
	leaf = sumtree_find(&r->tree, unit, place, before);
	if (leaf != SUMTREE_NONE)
		*before = whole_before(r, leaf);
	return leaf;
}

/* Bytes in the leaf before so many of a unit; whole code points. */
static struct widths leaf_place(const struct rope_leaf *l, enum rope_unit unit, uint32_t place)
{
	struct widths w = { { 0 } };

	for (uint32_t at = 0; at < leaf_bytes(l);) {
		uint8_t lead = at < l->gap ? l->text[at] : l->text[at + l->gap_size];
		struct widths next = w;

		next.of[ROPE_POINTS]++;
		next.of[ROPE_BYTES] += (uint32_t)utf8_size(lead);
		next.of[ROPE_UTF16] += lead < 0xf0 ? 1 : 2;
		if (next.of[unit] > place)
			break;
		w = next;
		at = w.of[ROPE_BYTES];
	}
	return w;
}

uint32_t rope_convert(const struct rope *r, uint32_t place, enum rope_unit from, enum rope_unit to)
{
	struct widths before;
	uint32_t leaf;

	assert(place <= rope_size(r, from));
	leaf = leaf_at(r, from, place, &before);
	if (leaf == SUMTREE_NONE)
		return 0;
	return before.of[to] + leaf_place(&r->leaves[leaf], from, place - before.of[from]).of[to];
}

uint32_t rope_measure(const struct rope *r, uint32_t pos, uint32_t count, enum rope_unit unit)
{
	if (count == 0)
		return 0;
	return rope_convert(r, pos + count, ROPE_POINTS, unit) -
	       rope_convert(r, pos, ROPE_POINTS, unit);
}

static void read_leaf(const struct rope_leaf *l, uint32_t from, uint32_t to, struct buf *out)
{
	if (from < l->gap)
		buf_append(out, l->text + from, (to < l->gap ? to : l->gap) - from);
	if (to > l->gap) {
		uint32_t start = from > l->gap ? from : l->gap;

		buf_append(out, l->text + l->gap_size + start, to - start);
	}
}

void rope_read(const struct rope *r, uint32_t pos, uint32_t count, struct buf *out)
{
	struct widths before;
	uint32_t leaf;

	assert(pos + count <= rope_size(r, ROPE_POINTS));
	leaf = leaf_at(r, ROPE_POINTS, pos, &before);
	pos -= before.of[ROPE_POINTS];
	while (count) {
		const struct rope_leaf *l = &r->leaves[leaf];
		uint32_t here = l->points - pos < count ? l->points - pos : count;
		uint32_t from = pos ? leaf_place(l, ROPE_POINTS, pos).of[ROPE_BYTES] : 0;
		uint32_t to = pos + here == l->points
				      ? leaf_bytes(l)
				      : leaf_place(l, ROPE_POINTS, pos + here).of[ROPE_BYTES];

		read_leaf(l, from, to, out);
		count -= here;
		leaf = l->next;
		pos = 0;
	}
}

void rope_check(const struct rope *r)
{
	struct widths all = { { 0 } };

	for (uint32_t leaf = r->first; leaf != SUMTREE_NONE; leaf = r->leaves[leaf].next) {
		const struct rope_leaf *l = &r->leaves[leaf];
		struct widths head = measure(l->text, l->gap);
		struct widths tail = measure(after_gap(l), leaf_bytes(l) - l->gap);
		struct widths before = leaf == r->at ? r->before : whole_before(r, leaf);

		assert(memcmp(&before, &all, sizeof(all)) == 0);
		assert(head.of[ROPE_POINTS] == l->gap_points);
		assert(head.of[ROPE_POINTS] + tail.of[ROPE_POINTS] == l->points);
		assert(head.of[ROPE_UTF16] + tail.of[ROPE_UTF16] == l->utf16);
		for (unsigned u = 0; u < ROPE_UNIT_COUNT; u++)
			all.of[u] += head.of[u] + tail.of[u];
	}
	for (unsigned u = 0; u < ROPE_UNIT_COUNT; u++)
		assert(all.of[u] == rope_size(r, (enum rope_unit)u));
}
