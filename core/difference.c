#include "core/difference.h"

#include <stdlib.h>

#include "core/text_diff.h"
#include "core/utf8.h"

/* ---- Pieces ------------------------------------------------------------------- */

/* A text as pieces; equal ones of both texts have the same letter. */
struct pieces {
	struct bytes text;
	uint32_t *start; /* of each in the text, and where the text ends */
	size_t count;
	struct buf letters; /* one code point a piece */
};

static enum err cut(struct pieces *p, struct bytes text, segment_size *segment)
{
	struct bytes rest = text;

	p->text = text;
	p->start = malloc((text.size + 1) * sizeof(*p->start));
	if (!p->start)
		return ERR_NOMEM;
	while (rest.size) {
		size_t size = segment(rest);

		p->start[p->count++] = (uint32_t)(text.size - rest.size);
		rest = bytes_of(rest.data + size, rest.size - size);
	}
	p->start[p->count] = (uint32_t)text.size;
	return OK;
}

/* An empty one, too, is somewhere. */
static struct bytes span(const struct pieces *p, size_t from, size_t to)
{
	return bytes_of(p->text.data + p->start[from], p->start[to] - p->start[from]);
}

static void pieces_release(struct pieces *p)
{
	free(p->start);
	buf_release(&p->letters);
}

/* ---- Letters: so that what compares texts by code points compares pieces -------- */

struct piece {
	struct bytes text;
	uint32_t at; /* in both texts, one after the other */
};

static int compare_pieces(const void *a, const void *b)
{
	return bytes_cmp(((const struct piece *)a)->text, ((const struct piece *)b)->text);
}

/* The nth code point that a text may have; false when there are no more. */
static bool nth_letter(uint32_t n, uint32_t *cp)
{
	*cp = n + 1;
	if (*cp >= 0xd800)
		*cp += 0x800; /* surrogates are none */
	return *cp <= 0x10ffff;
}

static void put_letter(struct buf *out, uint32_t cp)
{
	uint8_t bytes[4];
	size_t size = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t i = size; i-- > 1; cp >>= 6)
		bytes[i] = (uint8_t)(0x80 | (cp & 0x3f));
	bytes[0] = (uint8_t)(size == 1 ? cp : (0xf00 >> size) | cp);
	buf_append(out, bytes, size);
}

/* letters[]: of all pieces, in the order of `all`. */
static enum err number_pieces(struct piece *all, size_t count, uint32_t *letters)
{
	uint32_t distinct = 0;

	qsort(all, count, sizeof(*all), compare_pieces);
	for (size_t i = 0; i < count; i++) {
		distinct += i && compare_pieces(&all[i - 1], &all[i]) != 0;
		if (!nth_letter(distinct, &letters[all[i].at]))
			return ERR_LIMIT;
	}
	return OK;
}

static enum err spell(struct pieces *a, struct pieces *b)
{
	size_t count = a->count + b->count;
	struct piece *all = malloc((count + 1) * sizeof(*all));
	uint32_t *letters = malloc((count + 1) * sizeof(*letters));
	enum err rc = all && letters ? OK : ERR_NOMEM;

	for (size_t i = 0; rc == OK && i < count; i++)
		all[i] = (struct piece){ i < a->count ? span(a, i, i + 1)
						      : span(b, i - a->count, i - a->count + 1),
					 (uint32_t)i };
	if (rc == OK)
		rc = number_pieces(all, count, letters);
	for (size_t i = 0; rc == OK && i < count; i++)
		put_letter(i < a->count ? &a->letters : &b->letters, letters[i]);
	if (rc == OK)
		rc = buf_check(&a->letters);
	if (rc == OK)
		rc = buf_check(&b->letters);
	free(all);
	free(letters);
	return rc;
}

/* ---- The difference ------------------------------------------------------------ */

/* Runs say where in the text as the runs before left it; the text is read once. */
struct reader {
	const struct text_run *run, *end;
	const struct pieces *from, *to;
	size_t at, to_at; /* pieces that were read */
	size_t points;    /* of `from` */
};

static bool next_change(struct reader *r, struct difference_part *out)
{
	const struct text_run *run = r->run;
	size_t same;

	if (run == r->end)
		return false;
	/* What is at `to_at` pieces of the new text is where the run is. */
	same = run->pos - r->to_at;
	*out = (struct difference_part){ .same = span(r->from, r->at, r->at + same) };
	r->at += same;
	r->to_at += same;
	r->points += utf8_count(out->same);
	out->at = r->points;
	out->gone = span(r->from, r->at, r->at);
	out->come = span(r->to, r->to_at, r->to_at);
	if (run->step != TEXT_INSERT) {
		out->gone = span(r->from, r->at, r->at + run->count);
		r->at += run->count;
		r->points += utf8_count(out->gone);
		run++;
	}
	if (run != r->end && run->step == TEXT_INSERT && run->pos == r->to_at) {
		out->come = span(r->to, r->to_at, r->to_at + run->count);
		r->to_at += run->count;
		run++;
	}
	r->run = run;
	return true;
}

static enum err collect(struct difference *d, const struct pieces *from, const struct pieces *to,
			const struct text_edit_builder *b)
{
	struct reader r = { b->runs, b->runs, from, to, 0, 0, 0 };

	if (b->run_count) /* else there may be no array */
		r.end += b->run_count;
	d->list = malloc((b->run_count + 1) * sizeof(*d->list));
	if (!d->list)
		return ERR_NOMEM;
	while (next_change(&r, &d->list[d->count]))
		d->count++;
	d->rest = span(from, r.at, from->count);
	return OK;
}

/* What is the same in front, to the beginning of a line: no piece goes over that. */
static size_t same_in_front(struct bytes a, struct bytes b)
{
	size_t most = a.size < b.size ? a.size : b.size, size = 0;

	while (size < most && a.data[size] == b.data[size])
		size++;
	while (size && a.data[size - 1] != '\n')
		size--;
	return size;
}

/* And at the end, from the beginning of a line on. */
static size_t same_at_end(struct bytes a, struct bytes b)
{
	size_t most = a.size < b.size ? a.size : b.size, size = 0;

	while (size < most && a.data[a.size - size - 1] == b.data[b.size - size - 1])
		size++;
	while (size && a.data[a.size - size] != '\n')
		size--;
	return size ? size - 1 : 0;
}

/* What the same lines around it have to do with it. */
static void put_back(struct difference *d, struct bytes from, size_t front, size_t end)
{
	size_t points = utf8_count(bytes_of(from.data, front));

	for (size_t i = 0; i < d->count; i++)
		d->list[i].at += points;
	if (d->count)
		d->list[0].same = bytes_of(from.data, front + d->list[0].same.size);
	if (d->count == 0)
		d->rest = from;
	else
		d->rest.size += end;
}

static enum err compare(struct difference *d, struct bytes from, struct bytes to,
			segment_size *segment)
{
	struct text_edit_builder builder = { 0 };
	struct pieces a = { 0 }, b = { 0 };
	enum err rc = cut(&a, from, segment);

	if (rc == OK)
		rc = cut(&b, to, segment);
	if (rc == OK)
		rc = spell(&a, &b);
	text_edit_begin(&builder, (uint32_t)a.count);
	if (rc == OK)
		rc = text_diff(buf_bytes(&a.letters), buf_bytes(&b.letters), &builder);
	if (rc == OK)
		rc = collect(d, &a, &b, &builder);
	text_edit_release(&builder);
	pieces_release(&a);
	pieces_release(&b);
	return rc;
}

enum err difference_make(struct difference *out, struct bytes from, struct bytes to,
			 segment_size *segment)
{
	struct difference d = DIFFERENCE_EMPTY;
	struct bytes a, b;
	size_t front, end;
	enum err rc;

	/* An empty one has an address, too, so that all parts are somewhere. */
	from = from.data ? from : bytes_of("", 0);
	to = to.data ? to : bytes_of("", 0);
	front = same_in_front(from, to);
	a = bytes_of(from.data + front, from.size - front);
	b = bytes_of(to.data + front, to.size - front);
	end = same_at_end(a, b);
	rc = compare(&d, bytes_of(a.data, a.size - end), bytes_of(b.data, b.size - end), segment);
	if (rc == OK) {
		put_back(&d, from, front, end);
		*out = d;
	} else {
		difference_release(&d);
	}
	return rc;
}

void difference_release(struct difference *d)
{
	free(d->list);
	*d = DIFFERENCE_EMPTY;
}

/* ---- Joining --------------------------------------------------------------------- */

static size_t weight(const struct difference_part *c)
{
	size_t gone = utf8_count(c->gone), come = utf8_count(c->come);

	return gone > come ? gone : come;
}

/* Of what is the same this much is chance. */
enum { CHANCE_POINTS = 2 };

static bool belong_together(const struct difference_part *a, const struct difference_part *b)
{
	size_t between = utf8_count(b->same);

	if (between > CHANCE_POINTS || memchr(b->same.data, '\n', b->same.size))
		return false;
	return between == 0 || segment_is_blank(b->same) ||
	       (2 * between < weight(a) && 2 * between < weight(b));
}

static struct bytes through(struct bytes first, struct bytes last)
{
	return bytes_of(first.data, (size_t)(last.data + last.size - first.data));
}

/* Words that now begin both belong to what is the same before them. */
static void trim_front(struct difference_part *p)
{
	while (p->gone.size && p->come.size) {
		struct bytes word = bytes_of(p->gone.data, segment_word(p->gone));

		if (!bytes_equal(word, bytes_of(p->come.data, segment_word(p->come))))
			return;
		p->same.size += word.size;
		p->at += utf8_count(word);
		p->gone = bytes_of(p->gone.data + word.size, p->gone.size - word.size);
		p->come = bytes_of(p->come.data + word.size, p->come.size - word.size);
	}
}

/* What now ends both belongs to what is the same behind it. */
static void trim_blanks(struct difference_part *p, struct bytes *behind)
{
	while (p->gone.size && p->come.size && p->gone.data[p->gone.size - 1] == ' ' &&
	       p->come.data[p->come.size - 1] == ' ') {
		p->gone.size--;
		p->come.size--;
		*behind = bytes_of(behind->data - 1, behind->size + 1);
	}
}

static bool is_lines(struct bytes text)
{
	return text.size && (text.data[0] == '\n' || text.data[text.size - 1] == '\n');
}

static void slide(struct difference_part *p, struct bytes *behind, size_t size)
{
	p->at += utf8_count(bytes_of(behind->data, size));
	p->same.size += size;
	p->gone.data += size;
	p->come.data += size;
	*behind = bytes_of(behind->data + size, behind->size - size);
}

/* Where only something was put in, or taken out, and what follows is the same as its beginning, it
 * may as well be further back: ".{+\n3. More.+}" and not "{+.\n3. More+}." */
static void slide_to_line(struct difference_part *p, struct bytes *behind)
{
	struct difference_part to = *p;
	struct bytes rest = *behind;

	if (p->gone.size && p->come.size)
		return;
	for (;;) {
		struct bytes text = to.gone.size ? to.gone : to.come;
		size_t size = text.size ? segment_word(text) : 0;

		if (is_lines(text))
			break;
		if (size == 0 || size > rest.size || memcmp(text.data, rest.data, size) != 0)
			return;
		slide(&to, &rest, size);
	}
	*p = to;
	*behind = rest;
}

static void join(struct difference *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct difference_part one = d->list[i];

		if (i && belong_together(&d->list[i - 1], &one)) {
			struct difference_part *joined = &d->list[kept - 1];

			joined->gone = through(joined->gone, one.gone);
			joined->come = through(joined->come, one.come);
		} else {
			d->list[kept++] = one;
		}
	}
	d->count = kept;
}

void difference_tidy(struct difference *d)
{
	join(d);
	for (size_t i = 0; i < d->count; i++) {
		struct bytes *behind = i + 1 < d->count ? &d->list[i + 1].same : &d->rest;

		trim_front(&d->list[i]);
		trim_blanks(&d->list[i], behind);
		slide_to_line(&d->list[i], behind);
	}
}
