#include "core/text_edit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/utf8.h"

/* ---- Building -------------------------------------------------------------- */

void text_edit_begin(struct text_edit_builder *b, uint32_t length)
{
	b->length = b->now = length;
	b->run_count = 0;
	buf_clear(&b->text);
}

void text_edit_release(struct text_edit_builder *b)
{
	free(b->runs);
	buf_release(&b->text);
	*b = (struct text_edit_builder){ 0 };
}

static enum err add_run(struct text_edit_builder *b, uint32_t pos, uint32_t count,
			enum text_step step)
{
	if (array_reserve(&b->runs, &b->run_cap, b->run_count + 1, sizeof(*b->runs)))
		return ERR_NOMEM;
	b->runs[b->run_count++] = (struct text_run){ pos, count, (uint8_t)step };
	return OK;
}

static struct text_run *last_run(struct text_edit_builder *b)
{
	return b->run_count ? &b->runs[b->run_count - 1] : NULL;
}

enum err text_edit_insert(struct text_edit_builder *b, uint32_t pos, struct bytes text,
			  uint32_t count)
{
	struct text_run *last = last_run(b);

	assert(pos <= b->now);
	if (count == 0)
		return OK;
	buf_append(&b->text, text.data, text.size);
	if (buf_check(&b->text))
		return ERR_NOMEM;
	if (last && last->step == TEXT_INSERT && pos == text_run_end(last))
		last->count += count;
	else if (add_run(b, pos, count, TEXT_INSERT))
		return ERR_NOMEM;
	b->now += count;
	return OK;
}

enum err text_edit_delete(struct text_edit_builder *b, uint32_t pos, uint32_t count)
{
	struct text_run *last = last_run(b);
	enum text_step step = TEXT_DELETE;

	assert(pos + count <= b->now);
	if (count == 0)
		return OK;
	b->now -= count;
	if (last && last->step != TEXT_INSERT) {
		bool goes_on = last->step == TEXT_DELETE && pos == last->pos;
		bool goes_back = (last->step == TEXT_BACKSPACE || last->count == 1) &&
				 pos + count == text_run_end(last);

		if (goes_back && !goes_on)
			last->step = TEXT_BACKSPACE;
		if (goes_back || goes_on) {
			last->count += count;
			return OK;
		}
	}
	return add_run(b, pos, count, step);
}

struct text_edit text_edit_built(const struct text_edit_builder *b)
{
	return (struct text_edit){ b->length, b->runs, b->run_count, buf_bytes(&b->text) };
}

/* ---- Checking -------------------------------------------------------------- */

int64_t text_edit_growth(const struct text_edit *e)
{
	int64_t growth = 0;

	for (size_t i = 0; i < e->run_count; i++)
		growth += e->runs[i].step == TEXT_INSERT ? (int64_t)e->runs[i].count
							 : -(int64_t)e->runs[i].count;
	return growth;
}

int64_t text_run_apply(const struct text_run *run, int64_t length)
{
	if (run->count == 0)
		return -1;
	switch ((enum text_step)run->step) {
	case TEXT_INSERT: return run->pos <= length ? length + run->count : -1;
	case TEXT_DELETE: return length - run->count >= run->pos ? length - run->count : -1;
	case TEXT_BACKSPACE:
		return run->pos < length && run->count > 1 && run->count <= run->pos + UINT64_C(1)
			       ? length - run->count
			       : -1;
	default: return -1;
	}
}

/* Code points; or UINT64_MAX when one may not be in a text. */
static uint64_t count_points(struct bytes text)
{
	uint64_t count = 0;
	uint32_t cp;

	for (; utf8_next(&text, &cp); count++)
		if (cp == 0)
			return UINT64_MAX;
	return text.size ? UINT64_MAX : count;
}

enum err text_edit_validate(const struct text_edit *e, struct errmsg *msg)
{
	int64_t length = e->length;
	uint64_t inserted = 0, points;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct text_run *run = &e->runs[i];

		length = text_run_apply(run, length);
		if (length < 0)
			return errmsg_set(msg, ERR_INVALID,
					  "run %zu of a text's edit, %" PRIu32 " at %" PRIu32
					  ", does not lie within the text",
					  i, run->count, run->pos);
		if (length > TEXT_POINTS_MAX)
			return errmsg_set(msg, ERR_LIMIT, "a text has at most %d code points",
					  TEXT_POINTS_MAX);
		if (run->step == TEXT_INSERT)
			inserted += run->count;
	}
	points = count_points(e->text);
	if (points == UINT64_MAX)
		return errmsg_set(msg, ERR_INVALID, "a text's edit inserts U+0000 or no UTF-8");
	if (points != inserted)
		return errmsg_set(msg, ERR_INVALID,
				  "a text's edit inserts %" PRIu64 " code points and has %" PRIu64,
				  inserted, points);
	return OK;
}

/* ---- Encoding -------------------------------------------------------------- */

void text_edit_encode(struct buf *out, const struct text_edit *e)
{
	uint32_t cursor = 0;

	wire_put_array(out, (uint32_t)(1 + 2 * e->run_count));
	wire_put_uint(out, e->length);
	for (size_t i = 0; i < e->run_count; i++) {
		const struct text_run *run = &e->runs[i];

		wire_put_uint(out, (uint64_t)run->count << 2 | run->step);
		wire_put_int(out, (int64_t)text_run_start(run) - cursor);
		cursor = text_run_end(run);
	}
}

static void decode_run(struct wire_reader *r, struct text_run *run, uint32_t *cursor)
{
	uint64_t head = wire_uint(r, (uint64_t)TEXT_POINTS_MAX << 2 | 3);
	int64_t place = wire_int(r);

	run->count = (uint32_t)(head >> 2);
	run->step = head & 3;
	if (place < -TEXT_POINTS_MAX || place > TEXT_POINTS_MAX || run->step >= TEXT_STEP_COUNT ||
	    run->count == 0) {
		wire_fail(r, ERR_FORMAT);
		return;
	}
	place += (int64_t)*cursor - (run->step == TEXT_BACKSPACE);
	if (place < 0 || place > TEXT_POINTS_MAX ||
	    (run->step == TEXT_BACKSPACE && run->count > place + 1)) {
		wire_fail(r, ERR_FORMAT);
		return;
	}
	run->pos = (uint32_t)place;
	*cursor = text_run_end(run);
}

enum err text_edit_decode(struct text_edit *e, struct bytes input, struct arena *arena,
			  struct errmsg *msg)
{
	struct wire_reader r = wire_reader_of(input);
	uint32_t parts = wire_array(&r, 1 + 2 * TEXT_RUNS_MAX);
	uint32_t length = (uint32_t)wire_uint(&r, TEXT_POINTS_MAX);
	size_t count = parts / 2;
	struct text_run *runs;
	uint32_t cursor = 0;
	enum err rc;

	if (wire_is_ok(&r) && parts % 2 == 0)
		wire_fail(&r, ERR_FORMAT);
	runs = arena_array(arena, count, sizeof(*runs));
	if (!runs)
		return ERR_NOMEM;
	for (size_t i = 0; i < count && wire_is_ok(&r); i++)
		decode_run(&r, &runs[i], &cursor);
	rc = wire_end(&r);
	if (rc)
		return errmsg_set(msg, rc, "the edit of a text is not well formed");
	e->length = length;
	e->runs = runs;
	e->run_count = count;
	return OK;
}
