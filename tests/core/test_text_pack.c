/* core/text_pack: histories that several wrote, there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text_pack_format.h"
#include "core/utf8.h"
#include "tests/support/prng.h"
#include "tests/support/text_events.h"

enum { AUTHORS_MAX = 40, EDITS_MAX = 1000 };

struct made {
	struct dot dot, *parents;
	size_t parent_count;
	struct text_edit edit;
};

struct author {
	struct text text;
	struct dot dot; /* of the edit made last */
	bool has[EDITS_MAX];
};

struct world {
	struct prng prng;
	struct made made[EDITS_MAX];
	size_t made_count;
	struct author authors[AUTHORS_MAX];
	size_t author_count;
	struct arena arena;
	struct buf packed;
};

static struct world *begin(uint64_t seed, size_t authors)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	prng_init(&w->prng, seed);
	w->author_count = authors;
	for (size_t i = 0; i < authors; i++) {
		w->authors[i].text = TEXT_EMPTY;
		prng_fill(&w->prng, w->authors[i].dot.replica.bytes, ID_BYTES);
	}
	return w;
}

static void end(struct world *w)
{
	for (size_t i = 0; i < w->author_count; i++)
		text_release(&w->authors[i].text);
	arena_release(&w->arena);
	buf_release(&w->packed);
	free(w);
}

/* ---- Writing --------------------------------------------------------------- */

static void type(struct prng *prng, struct text_edit_builder *b, uint32_t *at)
{
	static const struct {
		const char *text;
		uint32_t count;
	} keys[] = { { "a", 1 }, { "会", 1 }, { "😀", 1 }, { "minutes", 7 }, { "é ", 2 } };
	uint64_t key = prng_below(prng, 5);

	if (*at > b->now || prng_chance(prng, 20))
		*at = (uint32_t)prng_below(prng, b->now + 1);
	if (b->now == 0 || prng_chance(prng, 60)) {
		assert_int_equal(
			text_edit_insert(b, *at, bytes_of_str(keys[key].text), keys[key].count),
			OK);
		*at += keys[key].count;
	} else if (*at > 0 && prng_chance(prng, 60)) {
		assert_int_equal(text_edit_delete(b, --*at, 1), OK);
	} else if (*at < b->now) {
		assert_int_equal(text_edit_delete(b, *at, 1), OK);
	}
}

/* An edit of a version with this text, under the author's next dot. */
static void make_edit(struct world *w, struct author *a, uint32_t length, const struct dot *parents,
		      size_t parent_count)
{
	struct made *m = &w->made[w->made_count];
	struct text_edit_builder b = { 0 };
	uint32_t at = (uint32_t)prng_below(&w->prng, length + 1);
	struct text_edit e;
	struct text_run *runs;

	text_edit_begin(&b, length);
	for (uint64_t keys = prng_below(&w->prng, 8); keys > 0; keys--)
		type(&w->prng, &b, &at);
	e = text_edit_built(&b);
	a->dot.seq += 1 + prng_below(&w->prng, 3);
	runs = arena_array(&w->arena, e.run_count, sizeof(*runs));
	m->parents = arena_array(&w->arena, parent_count, sizeof(*parents));
	assert_true(w->made_count < EDITS_MAX && runs && m->parents);
	if (e.run_count)
		memcpy(runs, e.runs, e.run_count * sizeof(*runs));
	if (parent_count)
		memcpy(m->parents, parents, parent_count * sizeof(*parents));
	m->parent_count = parent_count;
	m->dot = a->dot;
	m->edit = e;
	m->edit.runs = runs;
	m->edit.text = arena_copy(&w->arena, e.text);
	text_edit_release(&b);
	a->has[w->made_count++] = true;
	assert_int_equal(text_take(&a->text, &m->dot, &m->edit, m->parents, parent_count), OK);
	assert_int_equal(text_merge(&a->text, NULL), OK);
}

static uint32_t length_of(const struct text *t)
{
	return rope_size(&t->rope, ROPE_POINTS);
}

static void write_on(struct world *w, struct author *a, uint32_t lie)
{
	struct dot parents[EDITS_MAX];
	const struct text_history *h = &a->text.history;

	for (uint32_t i = 0; i < h->head_count; i++)
		parents[i] = text_history_dot(h, h->heads[i]);
	make_edit(w, a, length_of(&a->text) + lie, parents, h->head_count);
}

/* With an editor that was open for long. */
static void write_late(struct world *w, struct author *a)
{
	struct text_history *h = &a->text.history;
	struct buf then = BUF_EMPTY;
	struct dot parent;
	uint32_t head;

	if (h->count == 0)
		return;
	parent = text_history_dot(h, (uint32_t)prng_below(&w->prng, h->count));
	head = text_history_find(h, &parent);
	assert_int_equal(text_at(&a->text, &head, 1, &then), OK);
	make_edit(w, a, (uint32_t)utf8_count(buf_bytes(&then)), &parent, 1);
	buf_release(&then);
}

/* After what somebody here never had. */
static void write_adrift(struct world *w, struct author *a)
{
	struct dot parent = { .seq = 77 };

	make_edit(w, a, (uint32_t)prng_below(&w->prng, 50), &parent, 1);
}

static void send(struct world *w, const struct author *from, struct author *to)
{
	for (size_t i = 0; i < w->made_count; i++) {
		const struct made *m = &w->made[i];

		if (!from->has[i] || to->has[i])
			continue;
		to->has[i] = true;
		assert_int_equal(
			text_take(&to->text, &m->dot, &m->edit, m->parents, m->parent_count), OK);
	}
	assert_int_equal(text_merge(&to->text, NULL), OK);
}

static void write_all(struct world *w, unsigned steps)
{
	while (steps--) {
		struct author *a = &w->authors[prng_below(&w->prng, w->author_count)];
		struct author *b = &w->authors[prng_below(&w->prng, w->author_count)];

		if (prng_chance(&w->prng, 3))
			write_adrift(w, a);
		else if (prng_chance(&w->prng, 6))
			write_late(w, a);
		else if (prng_chance(&w->prng, 60))
			write_on(w, a, prng_chance(&w->prng, 3));
		else if (a != b)
			send(w, a, b);
	}
	for (size_t i = 1; i < w->author_count; i++)
		send(w, &w->authors[i], &w->authors[0]);
}

/* ---- Comparing ------------------------------------------------------------- */

static void assert_same_edit(const struct text_edit *a, const struct text_edit *b)
{
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->run_count, b->run_count);
	for (size_t i = 0; i < a->run_count; i++) {
		assert_int_equal(a->runs[i].step, b->runs[i].step);
		assert_int_equal(a->runs[i].pos, b->runs[i].pos);
		assert_int_equal(a->runs[i].count, b->runs[i].count);
	}
	assert_true(bytes_equal(a->text, b->text));
}

static void assert_same_event(const struct text_event *a, const struct text_event *b)
{
	assert_int_equal(dot_cmp(&a->dot, &b->dot), 0);
	assert_same_edit(&a->edit, &b->edit);
	assert_int_equal(a->parent_count, b->parent_count);
	for (size_t i = 0; i < a->parent_count; i++)
		assert_int_equal(a->parents[i], b->parents[i]);
	assert_int_equal(a->before, b->before);
	assert_int_equal(a->sees_all, b->sees_all);
	assert_int_equal(a->is_adrift, b->is_adrift);
	assert_int_equal(text_edit_validate(&b->edit, NULL), OK);
}

/* w->packed is what the events become. */
static void assert_packs(struct world *w, uint32_t first, const struct text_event *events,
			 size_t count)
{
	const struct text_event *back = NULL;
	struct buf again = BUF_EMPTY;
	size_t back_count = 0;

	buf_clear(&w->packed);
	assert_int_equal(text_pack_encode(&w->packed, first, events, count), OK);
	assert_int_equal(
		text_pack_decode(buf_bytes(&w->packed), first, &w->arena, &back, &back_count, NULL),
		OK);
	assert_int_equal(back_count, count);
	for (size_t i = 0; i < count; i++)
		assert_same_event(&events[i], &back[i]);
	assert_int_equal(text_pack_encode(&again, first, back, count), OK);
	assert_true(bytes_equal(buf_bytes(&w->packed), buf_bytes(&again)));
	buf_release(&again);
}

static struct text_event *history_of(struct world *w, size_t *count)
{
	struct text_event *events = text_events_of(&w->authors[0].text.history, &w->arena, count);

	assert_non_null(events);
	return events;
}

static void any_history_comes_back_as_it_was(void **state)
{
	uint64_t seed = prng_seed_from_environment();

	(void)state;
	for (uint64_t i = 0; i < 60; i++) {
		struct world *w = begin(seed + i, 1 + (size_t)(i * 7 % AUTHORS_MAX));
		size_t count, cut;
		struct text_event *events;

		write_all(w, 10 * (unsigned)i);
		events = history_of(w, &count);
		assert_packs(w, 0, events, count);
		cut = count ? (size_t)prng_below(&w->prng, count) : 0;
		assert_packs(w, 0, events, cut);
		assert_packs(w, (uint32_t)cut, events + cut, count - cut);
		end(w);
	}
}

/* What a text that was read from packs says with one more edit beside all the others. */
static void assert_merges_as_before(struct world *w, struct text *was, struct text *is)
{
	struct text_run run = { 0, 3, TEXT_INSERT };
	struct text_edit e = { 0, &run, 1, bytes_of_str("new") };
	struct dot dot = { .seq = 9 };
	struct buf x = BUF_EMPTY, y = BUF_EMPTY;

	assert_int_equal(text_take(was, &dot, &e, NULL, 0), OK);
	assert_int_equal(text_take(is, &dot, &e, NULL, 0), OK);
	assert_int_equal(text_merge(was, NULL), OK);
	assert_int_equal(text_merge(is, NULL), OK);
	rope_read(&was->rope, 0, length_of(was), &x);
	rope_read(&is->rope, 0, length_of(is), &y);
	assert_true(x.size > 3 && bytes_equal(buf_bytes(&x), buf_bytes(&y)));
	buf_release(&x);
	buf_release(&y);
}

static void old_branches_merge_into_what_was_packed(void **state)
{
	struct world *w = begin(prng_seed_from_environment(), 5);
	struct text *was = &w->authors[0].text, is = TEXT_EMPTY;
	const struct text_event *back = NULL;
	struct buf now = BUF_EMPTY;
	uint32_t numbers[EDITS_MAX];
	struct text_event *events;
	size_t count, cut, back_count = 0;

	(void)state;
	write_all(w, 400);
	events = history_of(w, &count);
	rope_read(&was->rope, 0, length_of(was), &now);
	assert_int_equal(rope_insert(&is.rope, 0, buf_bytes(&now)), OK);
	cut = count / 3;
	for (size_t at = 0; at < count; at += back_count, cut = count - at) {
		buf_clear(&w->packed);
		assert_int_equal(text_pack_encode(&w->packed, (uint32_t)at, events + at, cut), OK);
		assert_int_equal(text_pack_decode(buf_bytes(&w->packed), (uint32_t)at, &w->arena,
						  &back, &back_count, NULL),
				 OK);
		assert_int_equal(text_events_recall(&is, back, back_count, (uint32_t)at, numbers),
				 OK);
	}
	assert_int_equal(is.history.count, was->history.count);
	assert_merges_as_before(w, was, &is);
	buf_release(&now);
	text_release(&is);
	end(w);
}

/* ---- One by one ------------------------------------------------------------ */

/* The same key again and again, an edit each, costs next to nothing. */
static void what_is_typed_on_is_one_run_whatever_edits_it_is_cut_into(void **state)
{
	struct world *w = begin(1, 1);
	struct text *t = &w->authors[0].text;
	struct dot dot = { .seq = 0 };
	struct text_edit e;
	size_t count;

	(void)state;
	for (uint32_t i = 0; i < 2000; i++) {
		dot.seq++;
		if (i < 1500)
			assert_int_equal(text_insert(t, i, bytes_of_str("x"), 1), OK);
		else
			assert_int_equal(text_delete(t, 2999 - i, 1), OK);
		assert_int_equal(text_commit(t, &dot, &e), OK);
	}
	assert_packs(w, 0, history_of(w, &count), 2000);
	assert_true(w->packed.size < 250);
	end(w);
}

/* Two who type at once in two places, each seeing the other's keys, are two runs. */
static void places_are_told_by_what_others_write_before_them(void **state)
{
	struct world *w = begin(1, 2);
	struct text *t = &w->authors[0].text;
	struct text_edit e;
	size_t count;

	(void)state;
	for (uint32_t i = 0, first = 0; i < 2000; i++) {
		bool is_last = prng_chance(&w->prng, 50);
		uint32_t pos = is_last ? length_of(t) : first++;
		struct author *a = &w->authors[is_last];

		a->dot.seq++;
		assert_int_equal(text_insert(t, pos, bytes_of_str("x"), 1), OK);
		assert_int_equal(text_commit(t, &a->dot, &e), OK);
	}
	assert_packs(w, 0, history_of(w, &count), 2000);
	assert_true(w->packed.size < 1000);
	end(w);
}

/* A builder would have made one of them. */
static void runs_of_one_edit_stay_as_they_are(void **state)
{
	struct world *w = begin(1, 1);
	struct text_run runs[] = {
		{ 0, 2, TEXT_INSERT }, { 2, 3, TEXT_INSERT }, { 1, 1, TEXT_DELETE },
		{ 1, 1, TEXT_DELETE }, { 0, 1, TEXT_DELETE }, { 0, 2, TEXT_DELETE },
	};
	struct text_event e = { .dot = { .seq = 1 },
				.edit = { 0, runs, 6, bytes_of_str("abcde") } };

	(void)state;
	assert_packs(w, 0, &e, 1);
	end(w);
}

static void packs_that_take_too_much_are_refused(void **state)
{
	struct world *w = begin(1, 1);
	enum { COUNT = TEXT_PACK_EDITS_MAX + 1 };
	struct text_event *events = calloc(COUNT, sizeof(*events));

	(void)state;
	assert_non_null(events);
	assert_int_equal(text_pack_encode(&w->packed, 0, events, 1), ERR_INVALID); /* no seq */
	for (size_t i = 0; i < COUNT; i++)
		events[i].dot.seq = i + 1;
	assert_int_equal(text_pack_fit(events, COUNT), COUNT - 1);
	assert_int_equal(text_pack_encode(&w->packed, 0, events, COUNT), ERR_LIMIT);
	assert_int_equal(w->packed.size, 0);
	assert_packs(w, 0, events, COUNT - 1);
	free(events);
	end(w);
}

/* Refused, with nothing said, or what a history may be. */
static void try_damaged(struct world *w, struct bytes damaged)
{
	const struct text_event *events = NULL;
	struct buf again = BUF_EMPTY;
	struct arena arena = ARENA_EMPTY;
	struct errmsg msg = { 0 };
	size_t count = 1234;

	(void)w;
	if (text_pack_decode(damaged, 7, &arena, &events, &count, &msg) != OK) {
		assert_null(events);
		assert_int_equal(count, 1234);
		assert_true(msg.text[0] != '\0');
	} else {
		for (size_t i = 0; i < count; i++)
			assert_int_equal(text_edit_validate(&events[i].edit, NULL), OK);
		assert_int_equal(text_pack_encode(&again, 7, events, count), OK);
	}
	buf_release(&again);
	arena_release(&arena);
}

static void damaged_packs_are_refused_or_histories(void **state)
{
	for (uint64_t size = 1; size < 100; size += 12) {
		struct world *w = begin(size, 3);
		struct text_event *events;
		struct buf good = BUF_EMPTY;
		size_t count;

		(void)state;
		write_all(w, (unsigned)size);
		events = history_of(w, &count);
		assert_int_equal(text_pack_encode(&good, 7, events, 0), OK);
		buf_clear(&good);
		for (size_t i = 0; i < count; i++) /* as if seven were in an older pack */
			for (size_t k = 0; k < events[i].parent_count; k++)
				((uint32_t *)events[i].parents)[k] += 7;
		assert_int_equal(text_pack_encode(&good, 7, events, count), OK);
		for (size_t at = 0; at < good.size; at++)
			assert_int_not_equal(text_pack_decode(bytes_of(good.data, at), 7, &w->arena,
							      &(const struct text_event *){ NULL },
							      &count, NULL),
					     OK);
		for (size_t bit = 0; bit < 8 * good.size; bit++) {
			good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			try_damaged(w, buf_bytes(&good));
			good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		buf_release(&good);
		end(w);
	}
}

/* ---- What a pack says -------------------------------------------------------- */

#define B(s)                                        \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

/* Columns of one edit that inserts "ab", but for one or two. */
static const struct parts {
	enum err rc;
	struct {
		enum text_column column;
		struct bytes bytes;
	} other[2];
	struct bytes text;
} parts_list[] = {
	{ OK, { { COLUMN_AUTHORS, B("\0") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_AUTHORS, B("\1") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_AUTHORS, B("") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_AUTHORS, B("\0\0") } }, B("ab") },
	{ OK, { { COLUMN_CODES, B("\3") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_CODES, B("\0") } }, B("ab") },   /* after its author's own */
	{ ERR_FORMAT, { { COLUMN_CODES, B("\x09") } }, B("ab") }, /* after another */
	{ ERR_FORMAT, { { COLUMN_CODES, B("\x09") }, { COLUMN_OTHERS, B("\7") } }, B("ab") },
	{ OK, { { COLUMN_CODES, B("\x09") }, { COLUMN_OTHERS, B("\6") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_OTHERS, B("\0") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_SEQS, B("") } }, B("ab") },
	{ ERR_LIMIT, { { COLUMN_SEQS, B("\xcf\0\0\1\0\0\0\0\0") } }, B("ab") },
	{ OK, { { COLUMN_LENGTHS, B("\1") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_LENGTHS, B("\xff") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_SIZES, B("\1") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_SIZES, B("\3") } }, B("abc") },
	{ ERR_FORMAT, { { COLUMN_HEADS, B("\x13") } }, B("ab") },   /* a fourth kind of step */
	{ ERR_FORMAT, { { COLUMN_HEADS, B("\0\x10") } }, B("ab") }, /* of nothing */
	{ ERR_INVALID, { { COLUMN_HEADS, B("\x11") } }, B("") },    /* beyond the text */
	{ ERR_FORMAT, { { COLUMN_HEADS, B("\x14") } }, B("ab") },
	{ ERR_INVALID, { { COLUMN_HEADS, B("\x14") }, { COLUMN_MOVES, B("\1") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_MOVES, B("\1") } }, B("ab") },
	{ OK, { { COLUMN_CODES, B("\5") }, { COLUMN_STRAYS, B("\3\xff\1") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_CODES, B("\5") }, { COLUMN_STRAYS, B("\0\xff\1") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_CODES, B("\5") }, { COLUMN_STRAYS, B("\3\xff\2") } }, B("ab") },
	{ ERR_FORMAT, { { COLUMN_STRAYS, B("\0") } }, B("ab") },
	{ ERR_INVALID, { { COLUMN_AUTHORS, B("\0") } }, B("a") },
	{ ERR_INVALID, { { COLUMN_AUTHORS, B("\0") } }, B("abc") },
	{ ERR_FORMAT, { { COLUMN_AUTHORS, B("\0") } }, B("a\0") },
	{ ERR_FORMAT, { { COLUMN_AUTHORS, B("\0") } }, B("a\xff") },
};

static enum err decode_parts(struct world *w, const struct parts *p, uint32_t replicas)
{
	static const struct bytes usual[COLUMN_COUNT] = {
		[COLUMN_AUTHORS] = B("\0"), [COLUMN_CODES] = B("\1"), [COLUMN_SEQS] = B("\0"),
		[COLUMN_LENGTHS] = B("\0"), [COLUMN_SIZES] = B("\2"), [COLUMN_HEADS] = B("\x10"),
	};
	const struct text_event *events;
	struct buf all = BUF_EMPTY, text = BUF_EMPTY;
	size_t count;

	wire_put_array(&all, COLUMNS_BEFORE + COLUMN_COUNT);
	wire_put_uint(&all, 1);
	wire_put_array(&all, replicas);
	for (uint32_t i = 0; i < replicas; i++)
		wire_put_bin(&all, bytes_of(&"0123456789abcdefg"[i], ID_BYTES));
	for (int i = 0; i < COLUMN_COUNT; i++) {
		struct bytes column = usual[i];

		for (int k = 0; k < 2; k++)
			if (p->other[k].bytes.data && (int)p->other[k].column == i)
				column = p->other[k].bytes;
		wire_put_bin(&all, column);
	}
	wire_put_array(&text, 1);
	wire_put_str(&text, p->text);
	buf_clear(&w->packed);
	wire_put_array(&w->packed, 2);
	wire_put_bin(&w->packed, buf_bytes(&all));
	wire_put_bin(&w->packed, buf_bytes(&text));
	buf_release(&all);
	buf_release(&text);
	return text_pack_decode(buf_bytes(&w->packed), 7, &w->arena, &events, &count, NULL);
}

static void packs_that_say_too_much_or_too_little_are_refused(void **state)
{
	struct world *w = begin(1, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(parts_list) / sizeof(parts_list[0]); i++)
		if (decode_parts(w, &parts_list[i], 1) != parts_list[i].rc)
			fail_msg("case %zu: %s", i, err_name(decode_parts(w, &parts_list[i], 1)));
	assert_int_equal(decode_parts(w, &parts_list[0], 0), ERR_FORMAT);
	assert_int_equal(decode_parts(w, &parts_list[0], 2), ERR_FORMAT);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_history_comes_back_as_it_was),
		cmocka_unit_test(old_branches_merge_into_what_was_packed),
		cmocka_unit_test(what_is_typed_on_is_one_run_whatever_edits_it_is_cut_into),
		cmocka_unit_test(places_are_told_by_what_others_write_before_them),
		cmocka_unit_test(runs_of_one_edit_stay_as_they_are),
		cmocka_unit_test(packs_that_take_too_much_are_refused),
		cmocka_unit_test(packs_that_say_too_much_or_too_little_are_refused),
		cmocka_unit_test(damaged_packs_are_refused_or_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
