#include "core/text_body.h"

#include <stdlib.h>

#include "core/array.h"
#include "core/utf8.h"

enum {
	PIECE_MAX = 4000,               /* a row of the store fits into a page of 4 KiB */
	PIECE_FILL = PIECE_MAX / 4 * 3, /* of pieces that are made in a row: edits find room */
	PIECE_THIN = PIECE_MAX / 4,     /* below, it goes into its neighbour */
};

static void release_piece(struct text_piece *p)
{
	buf_release(&p->text);
}

void text_body_release(struct text_body *b)
{
	for (uint32_t i = 0; i < b->count; i++)
		release_piece(&b->pieces[i]);
	free(b->pieces);
	*b = TEXT_BODY_EMPTY;
}

/* ---- Pieces ---------------------------------------------------------------- */

static void widen(struct text_body *b, uint32_t piece)
{
	if (b->from == b->to) {
		b->from = piece;
		b->to = piece + 1;
	}
	b->from = piece < b->from ? piece : b->from;
	b->to = piece < b->to ? b->to : piece + 1;
}

/* Room for more pieces, empty ones, before the one with this number. */
static enum err make_room(struct text_body *b, uint32_t at, uint32_t more)
{
	if (more > b->cap - b->count) {
		uint32_t cap = b->count + more + (b->count + more) / 2;

		if (array_resize(&b->pieces, cap, sizeof(*b->pieces)))
			return ERR_NOMEM;
		b->cap = cap;
	}
	memmove(b->pieces + at + more, b->pieces + at, (b->count - at) * sizeof(*b->pieces));
	memset(b->pieces + at, 0, more * sizeof(*b->pieces));
	b->count += more;
	if (b->to > at) {
		b->from += b->from >= at ? more : 0;
		b->to += more;
	}
	return OK;
}

static enum err fill_piece(struct text_piece *p, struct bytes text)
{
	buf_clear(&p->text);
	buf_append(&p->text, text.data, text.size);
	p->points = (uint32_t)utf8_count(text);
	p->is_here = p->is_changed = true;
	return buf_check(&p->text);
}

/* How many pieces so many bytes make. */
static uint32_t pieces_of(size_t size)
{
	return size > PIECE_MAX ? (uint32_t)((size + PIECE_FILL - 1) / PIECE_FILL) : 1;
}

/* The first of so many parts of a text, about equal. */
static struct bytes first_part(struct bytes text, uint32_t parts)
{
	size_t size = text.size / parts;

	while (size < text.size && !utf8_begins(text.data[size]))
		size++;
	return bytes_of(text.data, size);
}

/* Into so many pieces from this one on, which are there and empty. */
static enum err spread(struct text_body *b, uint32_t from, uint32_t count, struct bytes text)
{
	enum err rc = OK;

	for (uint32_t i = 0; i < count && rc == OK; i++) {
		struct bytes part = first_part(text, count - i);

		widen(b, from + i);
		rc = fill_piece(&b->pieces[from + i], part);
		text = bytes_of(text.data + part.size, text.size - part.size);
	}
	return rc;
}

static void rewind_cursor(struct text_body *b)
{
	b->cursor.points = b->cursor.bytes = 0;
}

/* A piece that has grown too large. It keeps its place. */
static enum err split(struct text_body *b, uint32_t piece)
{
	uint32_t count = pieces_of(b->pieces[piece].text.size);
	struct buf text;
	enum err rc;

	if (count == 1)
		return OK;
	rc = make_room(b, piece + 1, count - 1);
	if (rc)
		return rc;
	text = b->pieces[piece].text;
	b->pieces[piece].text = BUF_EMPTY;
	rewind_cursor(b);
	rc = spread(b, piece, count, buf_bytes(&text));
	buf_release(&text);
	return rc;
}

enum err text_body_add(struct text_body *b, uint64_t place, uint32_t points)
{
	enum err rc = make_room(b, b->count, 1);

	if (rc)
		return rc;
	b->pieces[b->count - 1] = (struct text_piece){ .place = place, .points = points };
	b->points += points;
	return OK;
}

enum err text_body_append(struct text_body *b, struct bytes text)
{
	uint32_t from = b->count, count = pieces_of(text.size);
	enum err rc;

	if (text.size == 0)
		return OK;
	rc = make_room(b, from, count);
	if (rc == OK)
		rc = spread(b, from, count, text);
	for (uint32_t i = from; i < b->count; i++)
		b->points += b->pieces[i].points;
	return rc;
}

enum err text_body_need(struct text_body *b, uint32_t piece)
{
	struct text_piece *p = &b->pieces[piece];
	enum err rc;

	if (p->is_here)
		return OK;
	widen(b, piece);
	rc = b->read(b->ctx, p->place, &p->text);
	if (rc == OK)
		rc = buf_check(&p->text);
	if (rc == OK && utf8_count(buf_bytes(&p->text)) != p->points)
		rc = ERR_CORRUPT;
	p->is_here = rc == OK;
	return rc;
}

void text_body_forget(struct text_body *b)
{
	for (uint32_t i = b->from; i < b->to; i++) {
		release_piece(&b->pieces[i]);
		b->pieces[i].is_here = false;
	}
	b->from = b->to = 0;
	rewind_cursor(b);
}

/* ---- Edits ----------------------------------------------------------------- */

/* Turn to the piece in which a place is; is_behind: and what stands behind the place. */
static void turn_to(struct text_body *b, uint32_t pos, bool is_behind)
{
	uint32_t at = b->at;

	while (pos < b->before)
		b->before -= b->pieces[--at].points;
	while (pos >= b->before + b->pieces[at].points + !is_behind)
		b->before += b->pieces[at++].points;
	if (at != b->at)
		rewind_cursor(b);
	b->at = at;
}

/* The byte at which a code point of the piece begins. The cursor goes there. */
static uint32_t find_byte(struct text_body *b, uint32_t points)
{
	const struct text_piece *p = &b->pieces[b->at];
	const uint8_t *text = p->text.data;
	uint32_t at = b->cursor.points, byte = b->cursor.bytes;

	if (p->text.size == p->points) {
		at = byte = points;
	} else if (points < at / 2) {
		at = byte = 0;
	}
	if (at < points) {
		byte += (uint32_t)utf8_span(text + byte, points - at);
		at = points;
	}
	for (; at > points; at--)
		do
			byte--;
		while (!utf8_begins(text[byte]));
	b->cursor.points = at;
	b->cursor.bytes = byte;
	return byte;
}

enum err text_body_insert(struct text_body *b, uint32_t pos, struct bytes text, uint32_t count)
{
	struct text_piece *p;
	uint32_t byte;
	uint8_t *room;
	enum err rc;

	if (pos > b->points)
		return ERR_CORRUPT;
	if (b->count == 0 || text.size == 0)
		return text.size ? text_body_append(b, text) : OK;
	turn_to(b, pos, false);
	rc = text_body_need(b, b->at);
	if (rc)
		return rc;
	p = &b->pieces[b->at];
	byte = find_byte(b, pos - b->before);
	room = buf_grow(&p->text, text.size);
	if (!room)
		return ERR_NOMEM;
	memmove(p->text.data + byte + text.size, p->text.data + byte,
		p->text.size - text.size - byte);
	memcpy(p->text.data + byte, text.data, text.size);
	p->points += count;
	p->is_changed = true;
	b->points += count;
	b->cursor.points += count;
	b->cursor.bytes += (uint32_t)text.size;
	return split(b, b->at);
}

/* All of a piece: it need not be read. */
static void empty_piece(struct text_body *b)
{
	struct text_piece *p = &b->pieces[b->at];

	widen(b, b->at);
	b->points -= p->points;
	p->points = 0;
	p->is_here = p->is_changed = true;
	buf_clear(&p->text);
	rewind_cursor(b);
}

static enum err remove_part(struct text_body *b, uint32_t from, uint32_t count)
{
	struct text_piece *p = &b->pieces[b->at];
	enum err rc = text_body_need(b, b->at);
	uint32_t begin, end;

	if (rc)
		return rc;
	end = find_byte(b, from + count);
	begin = find_byte(b, from);
	memmove(p->text.data + begin, p->text.data + end, p->text.size - end);
	p->text.size -= end - begin;
	p->points -= count;
	p->is_changed = true;
	b->points -= count;
	return OK;
}

enum err text_body_remove(struct text_body *b, uint32_t pos, uint32_t count)
{
	enum err rc = OK;

	if (pos > b->points || count > b->points - pos)
		return ERR_CORRUPT;
	while (count && rc == OK) {
		uint32_t from, part;

		turn_to(b, pos, true);
		from = pos - b->before;
		part = b->pieces[b->at].points - from;
		part = part < count ? part : count;
		if (part == b->pieces[b->at].points)
			empty_piece(b);
		else
			rc = remove_part(b, from, part);
		count -= part;
	}
	return rc;
}

/* ---- Tidying --------------------------------------------------------------- */

/* Stand before what may be moved. */
static void step_back(struct text_body *b)
{
	uint32_t to = b->from ? b->from - 1 : 0;

	while (b->at > to)
		b->before -= b->pieces[--b->at].points;
	while (b->at < to)
		b->before += b->pieces[b->at++].points;
	rewind_cursor(b);
}

static void close_up(struct text_body *b, uint32_t from, uint32_t to)
{
	memmove(b->pieces + from, b->pieces + to, (b->count - to) * sizeof(*b->pieces));
	b->count -= to - from;
	b->to -= to - from;
}

static enum err drop_empty(struct text_body *b, text_body_gone *gone, void *ctx)
{
	uint32_t kept = b->from;
	enum err rc = OK;

	for (uint32_t i = b->from; i < b->to; i++) {
		struct text_piece p = b->pieces[i];
		bool is_only = kept == 0 && i + 1 == b->count;

		if (p.points || is_only || rc) {
			b->pieces[kept++] = p;
			continue;
		}
		release_piece(&p);
		if (p.place)
			rc = gone(ctx, p.place);
	}
	close_up(b, kept, b->to);
	return rc;
}

/* A piece and the next one. */
static enum err join(struct text_body *b, uint32_t piece, text_body_gone *gone, void *ctx)
{
	struct text_piece *p = &b->pieces[piece], next;
	enum err rc = text_body_need(b, piece);

	if (rc == OK)
		rc = text_body_need(b, piece + 1);
	if (rc)
		return rc;
	next = b->pieces[piece + 1];
	buf_append(&p->text, next.text.data, next.text.size);
	p->points += next.points;
	p->is_changed = true;
	close_up(b, piece + 1, piece + 2);
	release_piece(&next);
	rc = buf_check(&p->text);
	if (rc == OK && next.place)
		rc = gone(ctx, next.place);
	return rc == OK ? split(b, piece) : rc;
}

enum err text_body_tidy(struct text_body *b, text_body_gone *gone, void *ctx)
{
	enum err rc;

	step_back(b);
	rc = drop_empty(b, gone, ctx);
	for (uint32_t i = b->from; i < b->to && rc == OK; i++) {
		const struct text_piece *p = &b->pieces[i];

		if (b->count > 1 && p->is_changed && p->text.size < PIECE_THIN)
			rc = join(b, i + 1 < b->count ? i : i - 1, gone, ctx);
	}
	return rc;
}
