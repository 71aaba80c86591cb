#include "tests/support/text_model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOT = 0, END = -1 };

struct model_point {
	size_t edit, n;    /* the edit's n-th insertion */
	struct bytes text; /* of one code point */
	size_t parent;
	bool is_left; /* of its parent */
	size_t left;  /* what it was typed after */
	long right;   /* and before, or END */
	size_t *gone; /* edits that deleted it */
	size_t gone_count;
};

static void *must(void *memory)
{
	if (!memory) {
		perror("text_model");
		abort();
	}
	return memory;
}

static size_t add_point(struct text_model *m, const struct model_point *p)
{
	if (m->point_count == m->point_cap) {
		m->point_cap = m->point_cap ? 2 * m->point_cap : 64;
		m->points = must(realloc(m->points, m->point_cap * sizeof(*m->points)));
		m->order = must(realloc(m->order, m->point_cap * sizeof(*m->order)));
	}
	m->points[m->point_count] = *p;
	return m->point_count++;
}

void text_model_init(struct text_model *m)
{
	*m = (struct text_model){ 0 };
	add_point(m, &(struct model_point){ .right = END });
}

void text_model_release(struct text_model *m)
{
	for (size_t i = 0; i < m->point_count; i++) {
		free(m->points[i].gone);
		free((void *)m->points[i].text.data);
	}
	for (size_t i = 0; i < m->edit_count; i++) {
		free(m->seen[i]);
		free(m->read[i]);
	}
	free(m->points);
	free(m->order);
	free(m->dots);
	free(m->seen);
	free(m->read);
}

/* ---- The order of all ------------------------------------------------------ */

static int by_dot(const struct text_model *m, size_t a, size_t b)
{
	int order = dot_cmp(&m->dots[m->points[a].edit], &m->dots[m->points[b].edit]);

	return order ? order
		     : (m->points[a].n > m->points[b].n) - (m->points[a].n < m->points[b].n);
}

static bool is_ancestor(const struct text_model *m, size_t above, size_t below)
{
	while (below != ROOT && below != above)
		below = m->points[below].parent;
	return below == above;
}

static int place_cmp(const struct text_model *m, size_t a, size_t b);

/* Siblings on one side. */
static int sibling_cmp(const struct text_model *m, size_t a, size_t b)
{
	long x = m->points[a].right, y = m->points[b].right;

	if (m->points[a].is_left || x == y)
		return by_dot(m, a, b);
	if (x == END || y == END)
		return x == END ? -1 : 1;
	return place_cmp(m, (size_t)y, (size_t)x);
}

/* The child of `above` on the way to `below`. */
static size_t branch(const struct text_model *m, size_t above, size_t below)
{
	while (m->points[below].parent != above)
		below = m->points[below].parent;
	return below;
}

static int place_cmp(const struct text_model *m, size_t a, size_t b)
{
	size_t up = a, x, y;

	if (a == b)
		return 0;
	if (is_ancestor(m, a, b))
		return m->points[branch(m, a, b)].is_left ? 1 : -1;
	if (is_ancestor(m, b, a))
		return m->points[branch(m, b, a)].is_left ? -1 : 1;
	while (!is_ancestor(m, up, b))
		up = m->points[up].parent;
	x = branch(m, up, a);
	y = branch(m, up, b);
	if (m->points[x].is_left != m->points[y].is_left)
		return m->points[x].is_left ? -1 : 1;
	return sibling_cmp(m, x, y);
}

/* Put the newest point into `order`. */
static void place(struct text_model *m)
{
	size_t point = m->point_count - 1, low = 0, high = m->point_count - 2;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (place_cmp(m, m->order[middle], point) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	memmove(m->order + low + 1, m->order + low, (m->point_count - 2 - low) * sizeof(*m->order));
	m->order[low] = (uint32_t)point;
}

/* Whether `b`, the next one in the order, hangs on `a` or on one on whom that hangs. */
static bool goes_on_from(const struct text_model *m, size_t a, size_t b)
{
	while (a != ROOT && a != m->points[b].left)
		a = m->points[a].left;
	return a == m->points[b].left;
}

/* What it was typed before, if that was typed after the same one. */
static size_t above(const struct text_model *m, size_t point)
{
	long right = m->points[point].right;

	return right != END && m->points[right].left == m->points[point].left ? (size_t)right
									      : ROOT;
}

/* Whether `a` may stand before `b`, the next one that was typed after the same one. */
static bool are_in_order(const struct text_model *m, const size_t *place, size_t a, size_t b)
{
	size_t up = above(m, a);
	long x = m->points[a].right, y;

	while (b != ROOT && b != up && above(m, b) != up)
		b = above(m, b);
	if (b == ROOT || b == up)
		return b == up;
	y = m->points[b].right;
	if (x == y)
		return by_dot(m, a, b) < 0;
	return x == END || (y != END && place[y] < place[x]);
}

void text_model_check(const struct text_model *m)
{
	size_t *place = must(calloc(m->point_count, sizeof(*place)));
	size_t *last = must(calloc(m->point_count, sizeof(*last))); /* typed after this one */
	size_t before = ROOT;

	for (size_t i = 0; i + 1 < m->point_count; i++)
		place[m->order[i]] = i;
	for (size_t i = 0; i + 1 < m->point_count; i++) {
		size_t point = m->order[i], left = m->points[point].left;

		assert(goes_on_from(m, before, point));
		assert(last[left] == ROOT || are_in_order(m, place, last[left], point));
		last[left] = before = point;
	}
	free(place);
	free(last);
}

/* ---- Versions -------------------------------------------------------------- */

static bool *version_of(const struct text_model *m, const size_t *heads, size_t count)
{
	bool *has = must(calloc(m->edit_count + 1, sizeof(*has)));

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k <= heads[i]; k++)
			has[k] |= m->seen[heads[i]][k];
	return has;
}

static bool is_there(const struct model_point *p, const bool *has)
{
	if (!has[p->edit])
		return false;
	for (size_t i = 0; i < p->gone_count; i++)
		if (has[p->gone[i]])
			return false;
	return true;
}

static size_t length_of(const struct text_model *m, const bool *has)
{
	size_t count = 0;

	for (size_t i = 0; i + 1 < m->point_count; i++)
		count += is_there(&m->points[m->order[i]], has);
	return count;
}

/* The place in `order` of what is there at a position. */
static size_t find(const struct text_model *m, const bool *has, size_t pos)
{
	size_t i = 0;

	for (;; i++) {
		assert(i + 1 < m->point_count);
		if (is_there(&m->points[m->order[i]], has) && pos-- == 0)
			return i;
	}
}

/* ---- Edits ----------------------------------------------------------------- */

static bool has_right_child(const struct text_model *m, const bool *has, size_t point)
{
	for (size_t i = 1; i < m->point_count; i++)
		if (m->points[i].parent == point && !m->points[i].is_left && has[m->points[i].edit])
			return true;
	return false;
}

static void insert(struct text_model *m, const bool *has, size_t edit, size_t n, size_t pos,
		   struct bytes text)
{
	struct model_point p = { .edit = edit, .n = n, .right = END };
	size_t at = pos ? find(m, has, pos - 1) + 1 : 0;
	size_t left = pos ? m->order[at - 1] : ROOT;
	uint8_t *copy = must(malloc(text.size));

	memcpy(copy, text.data, text.size);
	p.text = bytes_of(copy, text.size);
	for (; at + 1 < m->point_count && p.right == END; at++)
		if (has[m->points[m->order[at]].edit])
			p.right = m->order[at];
	p.left = left;
	p.is_left = has_right_child(m, has, left);
	p.parent = p.is_left ? (size_t)p.right : left;
	add_point(m, &p);
	place(m);
}

static void delete (struct text_model *m, const bool *has, size_t edit, size_t pos)
{
	struct model_point *p = &m->points[m->order[find(m, has, pos)]];

	p->gone = must(realloc(p->gone, (p->gone_count + 1) * sizeof(*p->gone)));
	p->gone[p->gone_count++] = edit;
}

static struct bytes next_point(struct bytes *text)
{
	size_t size = 1;
	struct bytes point;

	while (size < text->size && (text->data[size] & 0xc0) == 0x80)
		size++;
	point = bytes_of(text->data, size);
	*text = bytes_of(text->data + size, text->size - size);
	return point;
}

static void do_edit(struct text_model *m, const bool *has, size_t edit, const struct text_edit *e,
		    bool is_adrift)
{
	struct bytes text = e->text;
	size_t n = 0;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct text_run *run = &e->runs[i];

		for (size_t k = 0; k < run->count; k++) {
			size_t length = length_of(m, has), pos = run->pos + k;

			if (run->step == TEXT_INSERT)
				insert(m, has, edit, n++, pos < length ? pos : length,
				       next_point(&text));
			else if (!is_adrift)
				delete (m, has, edit,
					run->step == TEXT_DELETE ? run->pos : run->pos - k);
		}
	}
}

size_t text_model_add(struct text_model *m, const struct dot *dot, const struct text_edit *e,
		      const size_t *parents, size_t parent_count, bool is_adrift)
{
	size_t edit = m->edit_count;
	bool *has;

	if (edit == m->edit_cap) {
		m->edit_cap = edit ? 2 * edit : 16;
		m->dots = must(realloc(m->dots, m->edit_cap * sizeof(*m->dots)));
		m->seen = must(realloc(m->seen, m->edit_cap * sizeof(*m->seen)));
		m->read = must(realloc(m->read, m->edit_cap * sizeof(*m->read)));
	}
	has = version_of(m, parents, parent_count);
	has[edit] = true;
	m->dots[edit] = *dot;
	m->seen[edit] = has;
	m->read[edit] = must(malloc(edit + 1));
	memcpy(m->read[edit], has, edit + 1);
	m->edit_count++;
	do_edit(m, has, edit, e, is_adrift);
	/* Who sees it has seen all that its replica wrote before. */
	for (size_t i = 0; i < edit; i++)
		for (size_t k = 0;
		     replica_id_cmp(&m->dots[i].replica, &dot->replica) == 0 && k <= i; k++)
			has[k] |= m->seen[i][k];
	return edit;
}

size_t text_model_read(const struct text_model *m, const size_t *heads, size_t head_count,
		       struct buf *out)
{
	bool *has = version_of(m, heads, head_count);
	size_t length = length_of(m, has);

	for (size_t i = 0; out && i + 1 < m->point_count; i++) {
		const struct model_point *p = &m->points[m->order[i]];

		if (is_there(p, has))
			buf_append(out, p->text.data, p->text.size);
	}
	free(has);
	return length;
}

void text_model_blame(const struct text_model *m, const size_t *heads, size_t head_count,
		      size_t *out)
{
	bool *has = version_of(m, heads, head_count);

	for (size_t i = 0; i + 1 < m->point_count; i++)
		if (is_there(&m->points[m->order[i]], has))
			*out++ = m->points[m->order[i]].edit;
	free(has);
}

/* ---- Sentences ------------------------------------------------------------- */

static bool is_one_of(struct bytes point, const char *list)
{
	struct bytes rest = bytes_of_str(list);

	while (rest.size)
		if (bytes_equal(next_point(&rest), point))
			return true;
	return false;
}

static bool is_end(struct bytes point)
{
	return is_one_of(point, "。！？；…");
}

static bool is_stop(struct bytes point)
{
	return is_one_of(point, ".!?");
}

static bool is_close(struct bytes point)
{
	return is_one_of(point, "\"')]}»’”›〉》」』】）");
}

static bool is_blank(struct bytes point)
{
	return is_one_of(point, " \t\n\v\f\r\xc2\x85\u00a0\u2028\u2029\u3000");
}

/* Nothing but blanks up to the end of the line. */
static bool is_rest_blank(const struct bytes *points, size_t count, size_t at)
{
	while (at < count && is_blank(points[at]))
		if (is_one_of(points[at++], "\n\v\f\r\xc2\x85\u2028\u2029"))
			return true;
	return at == count;
}

/* The code point, no blank, is the last one of its sentence. */
static bool is_last(const struct bytes *points, size_t count, size_t at)
{
	bool ends = false, stops = false;
	const struct bytes *next = &points[at + 1];

	if (is_rest_blank(points, count, at + 1))
		return true;
	for (size_t i = at + 1; i-- > 0;) {
		if (!is_end(points[i]) && !is_stop(points[i]) && !is_close(points[i]))
			break;
		ends |= is_end(points[i]);
		stops |= is_stop(points[i]);
	}
	if (ends)
		return !is_end(*next) && !is_stop(*next) && !is_close(*next);
	return stops && is_blank(*next);
}

/* ---- Rereading ------------------------------------------------------------- */

struct reading {
	const struct text_model *m;
	const bool *has;
	bool *touched; /* by edit: one sentence */
	bool *is_old;  /* every edit has read it which no other one has */
};

static void find_touched(struct reading *r, size_t from, size_t to)
{
	const struct text_model *m = r->m;
	size_t pos = 0;

	memset(r->touched, 0, m->edit_count);
	for (size_t i = 0; i + 1 < m->point_count; i++) {
		const struct model_point *p = &m->points[m->order[i]];
		bool there = is_there(p, r->has);

		if (there && from <= pos && pos < to)
			r->touched[p->edit] = true;
		for (size_t k = 0; r->has[p->edit] && k < p->gone_count; k++)
			if (r->has[p->gone[k]] && p->gone[k] != p->edit && from <= pos && pos <= to)
				r->touched[p->gone[k]] = true;
		pos += there;
	}
}

static bool has_read(const struct text_model *m, size_t reader, size_t edit)
{
	return edit <= reader && m->read[reader][edit];
}

static bool was_read_by_one(const struct reading *r)
{
	for (size_t reader = 0; reader < r->m->edit_count; reader++) {
		bool all = r->has[reader];

		for (size_t edit = 0; edit < r->m->edit_count; edit++)
			all &= !r->touched[edit] || has_read(r->m, reader, edit);
		if (all)
			return true;
	}
	return false;
}

static bool is_newest(const struct reading *r, size_t edit)
{
	for (size_t later = edit + 1; later < r->m->edit_count; later++)
		if (r->has[later] && has_read(r->m, later, edit))
			return false;
	return r->has[edit];
}

static void find_old(struct reading *r)
{
	memset(r->is_old, true, r->m->edit_count);
	for (size_t reader = 0; reader < r->m->edit_count; reader++)
		for (size_t edit = 0; is_newest(r, reader) && edit < r->m->edit_count; edit++)
			r->is_old[edit] &= has_read(r->m, reader, edit);
}

static void read_sentence(struct reading *r, size_t from, size_t to, text_model_note *visit,
			  void *ctx)
{
	find_touched(r, from, to);
	if (was_read_by_one(r))
		return;
	for (size_t edit = 0; edit < r->m->edit_count; edit++)
		r->touched[edit] &= !r->is_old[edit];
	visit(ctx, from, to, r->touched);
}

void text_model_reread(const struct text_model *m, const size_t *heads, size_t head_count,
		       text_model_note *visit, void *ctx)
{
	bool *has = version_of(m, heads, head_count);
	struct reading r = { m, has, must(malloc(m->edit_count + 1)),
			     must(malloc(m->edit_count + 1)) };
	struct bytes *points = must(malloc(m->point_count * sizeof(*points)));
	size_t count = 0, from;

	find_old(&r);
	for (size_t i = 0; i + 1 < m->point_count; i++)
		if (is_there(&m->points[m->order[i]], has))
			points[count++] = m->points[m->order[i]].text;
	for (size_t at = from = 0; at < count; at++)
		if (is_blank(points[at])) {
			from += from == at;
		} else if (is_last(points, count, at)) {
			read_sentence(&r, from, at + 1, visit, ctx);
			from = at + 1;
		}
	free(points);
	free(r.touched);
	free(r.is_old);
	free(has);
}
