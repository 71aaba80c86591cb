/* Texts as they are kept: their history packed, read again, and open in memory. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/pack.h"
#include "core/utf8.h"
#include "tests/bench/measure.h"
#include "tests/bench/trace.h"
#include "tests/support/text_events.h"

enum { KEYSTROKES = 100, PART_BYTES_MAX = 64 << 20 };

/* A whole history: as many packs as it takes. */
struct saved {
	struct buf *packs;
	uint32_t *firsts; /* the number of each one's first edit; and of all */
	size_t count, edit_count;
	double kb;
};

static const struct errmsg nothing;

static void *room_for(size_t count, size_t size)
{
	void *room = calloc(count + 1, size);

	if (!room)
		bench_fail("out of memory");
	return room;
}

/* ---- Saving ---------------------------------------------------------------- */

static void save(struct saved *s, const struct trace *t)
{
	struct text text = TEXT_EMPTY;
	struct arena arena = ARENA_EMPTY;
	struct text_event *events;

	for (size_t i = 0; i < t->edit_count; i++) {
		const struct trace_edit *e = &t->edits[i];

		must(text_take(&text, &e->dot, &e->edit, e->parents, e->parent_count), &nothing,
		     t->name);
	}
	must(text_merge(&text, NULL), &nothing, t->name);
	events = text_events_of(&text.history, &arena, &s->edit_count);
	if (!events)
		bench_fail("out of memory");
	s->packs = room_for(s->edit_count, sizeof(*s->packs));
	s->firsts = room_for(s->edit_count, sizeof(*s->firsts));
	for (size_t at = 0; at < s->edit_count;) {
		size_t count = text_pack_fit(events + at, s->edit_count - at);
		struct buf *pack = &s->packs[s->count];

		must(text_pack_encode(pack, (uint32_t)at, events + at, count), &nothing, t->name);
		s->kb += 1e-3 * (double)pack->size;
		at += count;
		s->firsts[++s->count] = (uint32_t)at;
	}
	arena_release(&arena);
	text_release(&text);
}

static void saved_release(struct saved *s)
{
	for (size_t i = 0; i < s->count; i++)
		buf_release(&s->packs[i]);
	free(s->packs);
	free(s->firsts);
}

/* ---- Loading ---------------------------------------------------------------- */

static void load(const struct saved *s, const struct trace *t, struct text *text)
{
	uint32_t *numbers = room_for(s->edit_count, sizeof(*numbers));
	struct arena arena = ARENA_EMPTY;
	struct errmsg msg = { 0 };

	must(rope_insert(&text->rope, 0, t->end), &nothing, t->name);
	for (size_t i = 0; i < s->count; i++) {
		const struct text_event *events;
		size_t count;

		must(text_pack_decode(buf_bytes(&s->packs[i]), s->firsts[i], &arena, &events,
				      &count, &msg),
		     &msg, t->name);
		must(text_events_recall(text, events, count, s->firsts[i], numbers), &nothing,
		     t->name);
		arena_reset(&arena);
	}
	arena_release(&arena);
	free(numbers);
}

/* The end of the program unless the history makes the text, and an edit beside its first
 * half can be merged. */
static void check_loaded(const struct trace *t, struct text *text)
{
	struct rope replayed = ROPE_EMPTY;
	struct buf now = BUF_EMPTY;
	struct dot middle, dot = { .seq = 1 };
	struct text_run run = { 0, 1, TEXT_INSERT };
	struct text_edit e = { 0, &run, 1, bytes_of_str("x") };
	struct text_node *n;

	must(text_at(text, text->history.heads, text->history.head_count, &now), &nothing, t->name);
	must(rope_insert(&replayed, 0, buf_bytes(&now)), &nothing, t->name);
	trace_check(t, &replayed);
	n = &text->history.nodes[text->history.count / 2];
	middle = text_history_dot(&text->history, text->history.count / 2);
	e.length = text_history_length_after(&text->history, (uint32_t)(n - text->history.nodes));
	dot.replica.bytes[0] = 200;
	must(text_take(text, &dot, &e, &middle, 1), &nothing, t->name);
	must(text_merge(text, NULL), &nothing, t->name);
	if (rope_size(&text->rope, ROPE_BYTES) != t->end.size + 1)
		bench_fail("%s: an old branch is not merged as it should", t->name);
	rope_release(&replayed);
	buf_release(&now);
}

/* ---- The floors: the same bytes without what they mean ------------------------- */

/* Columns or text of a pack, as they are before packing. */
static struct bytes unpack(struct wire_reader *r, struct pack *pack, struct arena *arena,
			   const char *name)
{
	struct bytes part = wire_bin(r, PART_BYTES_MAX);

	if (pack_is_frame(part))
		must(pack_restore(pack, part, PART_BYTES_MAX, arena, &part), &nothing, name);
	return part;
}

static double unpack_ms(const struct saved *s, const struct trace *t)
{
	uint8_t *copy = room_for(t->end.size, 1);
	struct arena arena = ARENA_EMPTY;
	uint64_t start = clock_ns();
	double seconds;

	memcpy(copy, t->end.data, t->end.size);
	for (size_t i = 0; i < s->count; i++) {
		struct wire_reader r = wire_reader_of(buf_bytes(&s->packs[i]));
		struct pack pack = PACK_EMPTY;

		if (wire_array(&r, 2) == 2)
			for (int part = 0; part < 2; part++) {
				struct bytes from = unpack(&r, &pack, &arena, t->name);

				if (!arena_copy(&arena, from).data)
					bench_fail("out of memory");
			}
		pack_release(&pack);
	}
	seconds = seconds_since(start);
	arena_release(&arena);
	free(copy);
	return 1e3 * seconds;
}

static double deflated_kb(struct bytes from)
{
	uLongf size = compressBound(from.size);
	uint8_t *out = room_for(size, 1);

	if (compress2(out, &size, from.data, from.size, Z_BEST_COMPRESSION) != Z_OK)
		bench_fail("deflate: out of memory");
	free(out);
	return 1e-3 * (double)size;
}

/* The parts of the packs by zlib in place of Zstandard. */
static double saved_deflated_kb(const struct saved *s, const char *name)
{
	struct arena arena = ARENA_EMPTY;
	double kb = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct wire_reader r = wire_reader_of(buf_bytes(&s->packs[i]));
		struct pack pack = PACK_EMPTY;

		if (wire_array(&r, 2) == 2)
			for (int part = 0; part < 2; part++)
				kb += deflated_kb(unpack(&r, &pack, &arena, name));
		pack_release(&pack);
	}
	arena_release(&arena);
	return kb;
}

/* What was typed, and nothing else. */
static void measure_typed(const struct trace *t, double *packed_kb, double *deflated)
{
	struct pack pack = { .is_thorough = true };
	struct buf typed = BUF_EMPTY, array = BUF_EMPTY;
	struct bytes packed;

	for (size_t i = 0; i < t->edit_count; i++)
		buf_append(&typed, t->edits[i].edit.text.data, t->edits[i].edit.text.size);
	wire_put_array(&array, 1);
	wire_put_str(&array, buf_bytes(&typed));
	must(buf_check(&array), &nothing, t->name);
	must(pack_shrink(&pack, buf_bytes(&array), &packed), &nothing, t->name);
	*packed_kb = 1e-3 * (double)packed.size;
	*deflated = deflated_kb(buf_bytes(&typed));
	pack_release(&pack);
	buf_release(&typed);
	buf_release(&array);
}

/* ---- Figures ---------------------------------------------------------------- */

static void measure_size(struct bench *b, const struct saved *s, const struct trace *t)
{
	double packed, deflated;

	measure_typed(t, &packed, &deflated);
	bench_report_one(b, "text_size", s->kb, packed);
	bench_report_one(b, "text_size_deflated", saved_deflated_kb(s, t->name), deflated);
}

static void measure_load(struct bench *b, const struct saved *s, const struct trace *t)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

	for (unsigned i = 0; i < b->runs; i++) {
		struct text text = TEXT_EMPTY;
		uint64_t start = clock_ns();

		load(s, t, &text);
		samples_add(&values, 1e3 * seconds_since(start));
		samples_add(&floors, unpack_ms(s, t));
		if (i == 0)
			check_loaded(t, &text);
		text_release(&text);
	}
	bench_report(b, "text_load", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
}

static double allocated_kb(void)
{
	struct mallinfo2 info = mallinfo2();

	return 1e-3 * (double)(info.uordblks + info.hblkhd);
}

static void measure_memory(struct bench *b, const struct saved *s, const struct trace *t)
{
	struct text text = TEXT_EMPTY;
	double before = allocated_kb(), floor = 1e-3 * (double)t->end.size;

	must(text_begin(&text, t->end, (uint32_t)utf8_count(t->end)), &nothing, t->name);
	bench_report_one(b, "text_rss", allocated_kb() - before, floor);
	text_release(&text);
	before = allocated_kb();
	load(s, t, &text);
	bench_report_one(b, "text_rss_history", allocated_kb() - before, floor);
	text_release(&text);
}

void measure_text_saved(struct bench *b, const char *folder, const char *file)
{
	struct trace t;
	struct saved s = { 0 };

	trace_load(&t, folder, file, KEYSTROKES);
	b->trace = t.name;
	b->n = t.patch_count;
	save(&s, &t);
	measure_size(b, &s, &t);
	measure_load(b, &s, &t);
	measure_memory(b, &s, &t);
	saved_release(&s);
	trace_release(&t);
	b->trace = NULL;
}
