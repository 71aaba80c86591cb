#include "core/text_diff.h"

#include <limits.h>
#include <stdlib.h>

#include "core/utf8.h"

/* A text by code points. */
struct points {
	uint32_t *at;
	long count;
	const uint8_t *bytes; /* the next code point that was not given out yet */
};

struct diff {
	struct points a, b;
	/* By diagonal x - y: how far the furthest path on it has come, from the beginning
	 * and from the end. */
	long *forward, *backward, *memory;
	struct text_edit_builder *out;
	long shift; /* how many more code points the text has by now than it had */
	enum err rc;
};

static enum err points_of(struct points *out, struct bytes text)
{
	long count = 0;

	out->bytes = text.data;
	out->count = (long)utf8_count(text);
	out->at = malloc(((size_t)out->count + 1) * sizeof(*out->at));
	if (!out->at)
		return ERR_NOMEM;
	while (utf8_next(&text, &out->at[count]))
		count++;
	return OK;
}

/* ---- What differs, from the beginning to the end ---------------------------- */

static struct bytes next_bytes(struct points *p, long count)
{
	const uint8_t *start = p->bytes;

	while (count--)
		p->bytes += utf8_size(*p->bytes);
	return bytes_of(start, (size_t)(p->bytes - start));
}

static void same(struct diff *d, long count)
{
	next_bytes(&d->b, count);
}

static void differ(struct diff *d, long a, long a_count, long b_count)
{
	uint32_t pos = (uint32_t)(a + d->shift);
	struct bytes text = next_bytes(&d->b, b_count);

	if (d->rc == OK)
		d->rc = text_edit_delete(d->out, pos, (uint32_t)a_count);
	if (d->rc == OK)
		d->rc = text_edit_insert(d->out, pos, text, (uint32_t)b_count);
	d->shift += b_count - a_count;
}

/* ---- The middle of the shortest path --------------------------------------- */

/* [a, a_end) of the one and [b, b_end) of the other. */
struct box {
	long a, a_end, b, b_end;
};

struct point {
	long x, y;
};

/* Diagonals on which paths are, every second one, out of those that cross the box. */
struct fan {
	long least, most, low, high;
};

static struct fan fan_at(const struct box *box, long diagonal)
{
	return (struct fan){ box->a - box->b_end, box->a_end - box->b, diagonal, diagonal };
}

/* One step wider, where the box goes on; beyond the edge nothing is reached. */
static void widen(struct fan *f, long *row, long nowhere)
{
	if (f->low > f->least)
		row[--f->low - 1] = nowhere;
	else
		f->low++;
	if (f->high < f->most)
		row[++f->high + 1] = nowhere;
	else
		f->high--;
}

static bool step_forward(struct diff *d, const struct box *box, struct fan *f,
			 const struct fan *other, struct point *meet)
{
	widen(f, d->forward, -1);
	for (long k = f->high; k >= f->low; k -= 2) {
		long below = d->forward[k - 1], above = d->forward[k + 1];
		long x = below < above ? above : below + 1, y = x - k;

		while (x < box->a_end && y < box->b_end && d->a.at[x] == d->b.at[y]) {
			x++;
			y++;
		}
		d->forward[k] = x;
		if (other && other->low <= k && k <= other->high && d->backward[k] <= x) {
			*meet = (struct point){ x, y };
			return true;
		}
	}
	return false;
}

static bool step_backward(struct diff *d, const struct box *box, struct fan *f,
			  const struct fan *other, struct point *meet)
{
	widen(f, d->backward, LONG_MAX);
	for (long k = f->high; k >= f->low; k -= 2) {
		long below = d->backward[k - 1], above = d->backward[k + 1];
		long x = below < above ? below : above - 1, y = x - k;

		while (x > box->a && y > box->b && d->a.at[x - 1] == d->b.at[y - 1]) {
			x--;
			y--;
		}
		d->backward[k] = x;
		if (other && other->low <= k && k <= other->high && x <= d->forward[k]) {
			*meet = (struct point){ x, y };
			return true;
		}
	}
	return false;
}

/* Where the paths from the beginning have come furthest. */
static struct point furthest(const struct diff *d, const struct box *box, const struct fan *f)
{
	struct point best = { box->a, box->b };

	for (long k = f->high; k >= f->low; k -= 2) {
		long x = d->forward[k] < box->a_end ? d->forward[k] : box->a_end;
		long y = x - k;

		if (y > box->b_end) {
			y = box->b_end;
			x = y + k;
		}
		if (x + y > best.x + best.y)
			best = (struct point){ x, y };
	}
	return best;
}

/* A point on a shortest path, or, where that would cost too much, on a good one. The
 * box begins and ends with what differs, so the point is at neither corner. */
static struct point find_middle(struct diff *d, const struct box *box)
{
	long begin = box->a - box->b, end = box->a_end - box->b_end;
	struct fan f = fan_at(box, begin), g = fan_at(box, end);
	bool is_odd = (begin - end) % 2 != 0;
	struct point meet;

	d->forward[begin] = box->a;
	d->backward[end] = box->a_end;
	for (int cost = 0; cost < TEXT_DIFF_COST; cost++) {
		if (step_forward(d, box, &f, is_odd ? &g : NULL, &meet) ||
		    step_backward(d, box, &g, is_odd ? NULL : &f, &meet))
			return meet;
	}
	return furthest(d, box, &f);
}

/* ---- All ------------------------------------------------------------------- */

static void compare(struct diff *d, struct box box)
{
	while (d->rc == OK) {
		struct point middle;
		long common = 0;

		while (box.a < box.a_end && box.b < box.b_end && d->a.at[box.a] == d->b.at[box.b]) {
			box.a++;
			box.b++;
			common++;
		}
		same(d, common);
		common = 0;
		while (box.a < box.a_end && box.b < box.b_end &&
		       d->a.at[box.a_end - 1] == d->b.at[box.b_end - 1]) {
			box.a_end--;
			box.b_end--;
			common++;
		}
		if (box.a == box.a_end || box.b == box.b_end) {
			differ(d, box.a, box.a_end - box.a, box.b_end - box.b);
			same(d, common);
			return;
		}
		middle = find_middle(d, &box);
		compare(d, (struct box){ box.a, middle.x, box.b, middle.y });
		/* What is the same at the end belongs to the second part. */
		box = (struct box){ middle.x, box.a_end + common, middle.y, box.b_end + common };
	}
}

enum err text_diff(struct bytes from, struct bytes to, struct text_edit_builder *out)
{
	struct diff d = { .out = out };
	enum err rc = points_of(&d.a, from);
	size_t diagonals;

	if (rc == OK)
		rc = points_of(&d.b, to);
	if (rc == OK) {
		diagonals = (size_t)(d.a.count + d.b.count) + 3;
		d.memory = malloc(2 * diagonals * sizeof(*d.memory));
		rc = d.memory ? OK : ERR_NOMEM;
	}
	if (rc == OK) {
		d.forward = d.memory + d.b.count + 1;
		d.backward = d.forward + diagonals;
		compare(&d, (struct box){ 0, d.a.count, 0, d.b.count });
		rc = d.rc;
	}
	free(d.memory);
	free(d.a.at);
	free(d.b.at);
	return rc;
}
