/* core/text: texts that several write at once, against the tree of tests/support/text_model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/text.h"
#include "core/text_reread.h"
#include "tests/support/prng.h"
#include "tests/support/text_model.h"

enum { AUTHORS_MAX = 5, EDITS_MAX = 4096 };

/* Everything that was ever written, and who has what. */
struct made {
	struct dot dot;
	struct text_edit edit; /* its own memory */
	struct dot *parents;
	size_t parent_count;
	size_t *numbers; /* the parents' */
};

struct author {
	struct text text;
	bool has[EDITS_MAX];
	uint64_t seq;
	struct replica_id replica;
};

/* What all stories came to. */
struct tally {
	uint64_t edits, beside; /* of them beside others, not after all of them or before */
	uint64_t taken, compared;
};

struct world {
	struct prng prng;
	struct tally *tally;
	struct text_model model;
	struct made made[EDITS_MAX];
	size_t count;
	struct author *authors;
	unsigned author_count;
};

static void world_init(struct world *w, struct tally *tally, uint64_t seed, unsigned authors)
{
	memset(w, 0, sizeof(*w));
	w->tally = tally;
	prng_init(&w->prng, seed);
	text_model_init(&w->model);
	w->author_count = authors;
	w->authors = calloc(authors, sizeof(*w->authors));
	assert_non_null(w->authors);
	for (unsigned i = 0; i < authors; i++) {
		w->authors[i].text = TEXT_EMPTY;
		prng_fill(&w->prng, w->authors[i].replica.bytes,
			  sizeof(w->authors[i].replica.bytes));
	}
}

static void world_release(struct world *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free((void *)w->made[i].edit.runs);
		free((void *)w->made[i].edit.text.data);
		free(w->made[i].parents);
		free(w->made[i].numbers);
	}
	for (unsigned i = 0; i < w->author_count; i++)
		text_release(&w->authors[i].text);
	free(w->authors);
	text_model_release(&w->model);
}

static void *copy_of(const void *data, size_t size)
{
	void *copy = malloc(size + 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

static size_t made_number(const struct world *w, const struct dot *dot)
{
	size_t i = 0;

	while (dot_cmp(&w->made[i].dot, dot) != 0)
		i++;
	assert_true(i < w->count);
	return i;
}

/* ---- Writing --------------------------------------------------------------- */

static uint32_t draw_text(struct prng *prng, struct buf *out)
{
	static const char *const points[] = { "a",  "b",  " ", ".",        "é", "会",
					      "。", "\n", "😀", "\xcc\x81", "م" };
	uint32_t count = 1 + (uint32_t)prng_below(prng, prng_chance(prng, 10) ? 30 : 4);

	buf_clear(out);
	for (uint32_t i = 0; i < count; i++)
		buf_append_str(out, points[prng_below(prng, sizeof(points) / sizeof(*points))]);
	return count;
}

/* Keys as people press them: mostly near the last. */
static void type(struct prng *prng, struct text_edit_builder *b, uint32_t *at)
{
	struct buf text = BUF_EMPTY;
	uint32_t count;

	if (*at > b->now || prng_chance(prng, 30))
		*at = (uint32_t)prng_below(prng, b->now + 1);
	if (prng_chance(prng, 60) || b->now == 0) {
		count = draw_text(prng, &text);
		assert_int_equal(text_edit_insert(b, *at, buf_bytes(&text), count), OK);
		*at += prng_chance(prng, 80) ? count : 0;
	} else {
		count = 1 + (uint32_t)prng_below(prng, 4);
		if (prng_chance(prng, 50) && *at >= count)
			*at -= count;
		count = count < b->now - *at ? count : b->now - *at;
		assert_int_equal(text_edit_delete(b, *at, count), OK);
	}
	buf_release(&text);
}

static void note_made(struct world *w, const struct dot *dot, const struct text_edit *e,
		      const struct dot *parents, size_t parent_count, bool is_adrift)
{
	struct made *m = &w->made[w->count];

	assert_true(w->count < EDITS_MAX);
	m->dot = *dot;
	m->edit = *e;
	m->edit.runs = copy_of(e->runs, e->run_count * sizeof(*e->runs));
	m->edit.text.data = copy_of(e->text.data, e->text.size);
	m->parents = copy_of(parents, parent_count * sizeof(*parents));
	m->parent_count = parent_count;
	m->numbers = copy_of(NULL, 0);
	m->numbers = realloc(m->numbers, (parent_count + 1) * sizeof(*m->numbers));
	assert_non_null(m->numbers);
	for (size_t i = 0; i < parent_count; i++)
		m->numbers[i] = made_number(w, &parents[i]);
	assert_int_equal(text_model_add(&w->model, dot, e, m->numbers, parent_count, is_adrift),
			 w->count);
	w->count++;
	w->tally->edits++;
}

static size_t heads_of(const struct text *t, struct dot *out)
{
	for (size_t i = 0; i < t->history.head_count; i++)
		out[i] = text_history_dot(&t->history, t->history.heads[i]);
	return t->history.head_count;
}

/* is_lying: about the text that it refers to. */
static void write_here(struct world *w, struct author *a, bool is_lying)
{
	struct dot dot = { a->replica, ++a->seq }, parents[EDITS_MAX];
	size_t parent_count = heads_of(&a->text, parents);
	struct text_edit_builder b = { 0 };
	uint64_t keys = 1 + prng_below(&w->prng, 6);
	uint32_t at = UINT32_MAX;
	struct text_edit e;

	text_edit_begin(&b, rope_size(&a->text.rope, ROPE_POINTS) + (is_lying ? 2 : 0));
	for (uint64_t i = 0; i < keys; i++)
		type(&w->prng, &b, &at);
	e = text_edit_built(&b);
	if (e.run_count == 0) {
		a->seq--;
	} else {
		a->has[w->count] = true;
		note_made(w, &dot, &e, parents, parent_count, is_lying);
		assert_int_equal(text_take(&a->text, &dot, &e, parents, parent_count), OK);
		assert_int_equal(text_merge(&a->text, NULL), OK);
	}
	text_edit_release(&b);
}

/* Straight into the text, as a live editor does. */
static void write_live(struct world *w, struct author *a)
{
	struct dot dot = { a->replica, ++a->seq }, parents[EDITS_MAX];
	size_t parent_count = heads_of(&a->text, parents);
	uint64_t keys = 1 + prng_below(&w->prng, 4);
	struct buf text = BUF_EMPTY;
	struct text_edit e;

	for (uint64_t i = 0; i < keys; i++) {
		uint32_t length = rope_size(&a->text.rope, ROPE_POINTS);
		uint32_t at = (uint32_t)prng_below(&w->prng, length + 1), count;

		if (at < length && prng_chance(&w->prng, 40)) {
			assert_int_equal(text_delete(&a->text, at, 1), OK);
			continue;
		}
		count = draw_text(&w->prng, &text);
		assert_int_equal(text_insert(&a->text, at, buf_bytes(&text), count), OK);
	}
	assert_int_equal(text_commit(&a->text, &dot, &e), OK);
	a->has[w->count] = true;
	note_made(w, &dot, &e, parents, parent_count, false);
	buf_release(&text);
}

/* Against a version from before, as somebody does whose editor was open for long. */
static void write_late(struct world *w, struct author *a)
{
	struct text *t = &a->text;
	struct text_edit_builder b = { 0 };
	uint32_t head, at = UINT32_MAX;
	size_t number;
	struct dot dot, parent;
	struct buf then = BUF_EMPTY;
	struct text_edit e;

	if (t->history.count == 0)
		return;
	head = (uint32_t)prng_below(&w->prng, t->history.count);
	parent = text_history_dot(&t->history, head);
	number = made_number(w, &parent);
	text_edit_begin(&b, (uint32_t)text_model_read(&w->model, &number, 1, NULL));
	type(&w->prng, &b, &at);
	e = text_edit_built(&b);
	if (e.run_count) {
		dot = (struct dot){ a->replica, ++a->seq };
		a->has[w->count] = true;
		note_made(w, &dot, &e, &parent, 1, false);
		assert_int_equal(text_take(t, &dot, &e, &parent, 1), OK);
		assert_int_equal(text_merge(t, NULL), OK);
	}
	buf_release(&then);
	text_edit_release(&b);
}

/* ---- Reading --------------------------------------------------------------- */

static void assert_reads(const struct text *t, struct bytes expected)
{
	struct buf text = BUF_EMPTY;

	rope_check(&t->rope);
	rope_read(&t->rope, 0, rope_size(&t->rope, ROPE_POINTS), &text);
	assert_int_equal(text.size, expected.size);
	if (expected.size)
		assert_memory_equal(text.data, expected.data, expected.size);
	buf_release(&text);
}

static void assert_as_the_model(struct world *w, const struct author *a)
{
	size_t heads[EDITS_MAX], count = 0;
	struct buf expected = BUF_EMPTY;

	for (size_t i = 0; i < w->count; i++)
		if (a->has[i])
			heads[count++] = i;
	text_model_read(&w->model, heads, count, &expected);
	assert_reads(&a->text, buf_bytes(&expected));
	buf_release(&expected);
	w->tally->compared++;
}

/* ---- Sending --------------------------------------------------------------- */

/* The author has all that the edit's own had seen. */
static bool is_ready(const struct world *w, const struct author *to, size_t edit)
{
	for (size_t i = 0; i < edit; i++)
		if (w->model.seen[edit][i] && !to->has[i])
			return false;
	return true;
}

static void deliver(struct world *w, struct author *to, size_t edit, bool one_by_one)
{
	const struct made *m = &w->made[edit];

	assert_int_equal(text_take(&to->text, &m->dot, &m->edit, m->parents, m->parent_count), OK);
	to->has[edit] = true;
	w->tally->taken++;
	if (!one_by_one)
		return;
	assert_int_equal(text_merge(&to->text, NULL), OK);
	assert_as_the_model(w, to);
}

/* What one has and the other has not, or some of it, in any order that is causal. */
static void send(struct world *w, const struct author *from, struct author *to, bool one_by_one)
{
	size_t left = prng_chance(&w->prng, 70) ? SIZE_MAX : prng_below(&w->prng, 10);
	unsigned hurry = (unsigned)prng_below(&w->prng, 100);
	bool has_all = false;

	while (!has_all && left) {
		has_all = true;
		for (size_t i = 0; i < w->count && left; i++) {
			if (!from->has[i] || to->has[i])
				continue;
			has_all = false;
			if (!prng_chance(&w->prng, 1 + hurry) || !is_ready(w, to, i))
				continue;
			deliver(w, to, i, one_by_one);
			left--;
		}
	}
	assert_int_equal(text_merge(&to->text, NULL), OK);
	assert_as_the_model(w, to);
}

/* As somebody who opens the text anew: what it says, and its history as it was stored. */
static void open_again(struct author *a)
{
	const struct text_history *h = &a->text.history;
	uint32_t *numbers = calloc(h->count + 1, sizeof(*numbers));
	struct text again = TEXT_EMPTY;
	struct buf now = BUF_EMPTY;

	assert_non_null(numbers);
	rope_read(&a->text.rope, 0, rope_size(&a->text.rope, ROPE_POINTS), &now);
	assert_int_equal(rope_insert(&again.rope, 0, buf_bytes(&now)), OK);
	for (uint32_t i = 0; i < h->count; i++) {
		const struct text_node *n = &h->nodes[i];
		struct text_edit e = text_history_edit(h, i);
		struct dot dot = text_history_dot(h, i);
		uint32_t parents[EDITS_MAX];

		for (uint32_t k = 0; k < n->parent_count; k++)
			parents[k] = numbers[text_node_parents(h, i)[k]];
		if (!n->is_join)
			assert_int_equal(text_recall(&again, &dot, &e, parents, n->parent_count,
						     n->is_adrift, n->length),
					 OK);
		numbers[i] = n->is_join ? again.history.count - 1
					: text_history_find(&again.history, &dot);
	}
	text_release(&a->text);
	a->text = again;
	buf_release(&now);
	free(numbers);
}

/* ---- Versions -------------------------------------------------------------- */

struct heads {
	uint32_t here[8]; /* numbers in the author's history */
	size_t model[8];
	size_t count;
};

/* An edit with all that its author had seen, not the bare one. */
static void draw_heads(struct world *w, const struct author *a, struct heads *out)
{
	const struct text_history *h = &a->text.history;

	out->count = h->count ? prng_below(&w->prng, 4) : 0;
	for (size_t i = 0; i < out->count; i++) {
		struct dot dot;

		out->here[i] = (uint32_t)prng_below(&w->prng, h->count);
		dot = text_history_dot(h, out->here[i]);
		out->here[i] = text_history_find(h, &dot);
		out->model[i] = made_number(w, &dot);
	}
}

static enum err insert_into(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	struct rope *r = ctx;
	uint32_t before = rope_size(r, ROPE_POINTS);
	enum err rc = rope_insert(r, pos, text);

	assert_int_equal(rope_size(r, ROPE_POINTS), before + count);
	return rc;
}

static enum err remove_from(void *ctx, uint32_t pos, uint32_t count)
{
	rope_delete(ctx, pos, count);
	return OK;
}

static void assert_rope(const struct rope *r, const struct buf *expected)
{
	struct buf text = BUF_EMPTY;

	rope_read(r, 0, rope_size(r, ROPE_POINTS), &text);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(expected)));
	buf_release(&text);
}

/* From the text of the first edits over the version to now. */
static void assert_way(struct world *w, struct author *a, const struct heads *over,
		       const struct buf *then, const struct buf *now)
{
	struct buf before = BUF_EMPTY;
	struct rope r = ROPE_EMPTY;
	struct text_sink into = { insert_into, remove_from, &r };
	uint32_t prefix[EDITS_MAX * 2], first, count;

	assert_int_equal(text_first_lacking(&a->text, over->here, over->count, &first), OK);
	if (first == TEXT_NONE)
		return;
	count = (uint32_t)prng_below(&w->prng, first + 1);
	for (uint32_t i = 0; i < count; i++)
		prefix[i] = i;
	assert_int_equal(text_at(&a->text, prefix, count, &before), OK);
	for (int goes_on = 0; goes_on < 2; goes_on++) {
		rope_clear(&r);
		assert_int_equal(rope_insert(&r, 0, buf_bytes(&before)), OK);
		assert_int_equal(text_replay(&a->text, count, over->here, over->count, &into,
					     goes_on ? &into : NULL),
				 OK);
		assert_rope(&r, goes_on ? now : then);
	}
	rope_release(&r);
	buf_release(&before);
}

static void assert_old_versions(struct world *w, struct author *a)
{
	struct buf then = BUF_EMPTY, expected = BUF_EMPTY, now = BUF_EMPTY;
	struct rope r = ROPE_EMPTY;
	struct text_sink into = { insert_into, remove_from, &r };
	struct heads heads;

	draw_heads(w, a, &heads);
	assert_int_equal(text_at(&a->text, heads.here, heads.count, &then), OK);
	text_model_read(&w->model, heads.model, heads.count, &expected);
	assert_true(bytes_equal(buf_bytes(&then), buf_bytes(&expected)));
	assert_int_equal(rope_insert(&r, 0, buf_bytes(&then)), OK);
	assert_int_equal(text_since(&a->text, heads.here, heads.count, &into), OK);
	rope_read(&r, 0, rope_size(&r, ROPE_POINTS), &now);
	assert_reads(&a->text, buf_bytes(&now));
	assert_way(w, a, &heads, &then, &now);
	rope_release(&r);
	buf_release(&then);
	buf_release(&expected);
	buf_release(&now);
}

struct blame {
	const struct world *w;
	const struct author *a;
	const size_t *expected;
	size_t at;
};

static bool compare_blame(void *ctx, uint32_t count, uint32_t edit)
{
	struct blame *b = ctx;
	struct dot dot = text_history_dot(&b->a->text.history, edit);
	size_t number = made_number(b->w, &dot);

	while (count--)
		assert_int_equal(b->expected[b->at++], number);
	return true;
}

static void assert_blame(struct world *w, struct author *a)
{
	size_t heads[EDITS_MAX], count = 0, length = rope_size(&a->text.rope, ROPE_POINTS);
	size_t *expected = calloc(length + 1, sizeof(*expected));
	struct blame b = { w, a, expected, 0 };

	assert_non_null(expected);
	for (size_t i = 0; i < w->count; i++)
		if (a->has[i])
			heads[count++] = i;
	text_model_blame(&w->model, heads, count, expected);
	assert_int_equal(text_blame(&a->text, compare_blame, &b), OK);
	assert_int_equal(b.at, length);
	free(expected);
}

/* What each of two says of one sentence. */
struct comparison {
	const struct world *w;
	const struct author *a;
	struct noted {
		size_t from, to;
		bool by[EDITS_MAX];
	} noted[64], *next;
};

static void note_expected(void *ctx, size_t from, size_t to, const bool *touched)
{
	struct comparison *c = ctx;

	assert_true(from < to && c->next < c->noted + 64);
	c->next->from = from;
	c->next->to = to;
	memcpy(c->next->by, touched, c->w->count);
	c->next++;
}

static bool compare_note(void *ctx, const struct reread_note *note)
{
	struct comparison *c = ctx;
	bool by[EDITS_MAX] = { false };

	for (size_t i = 0; i < note->touch_count; i++) {
		struct dot dot = text_history_dot(&c->a->text.history, note->touches[i].edit);

		by[made_number(c->w, &dot)] = true;
	}
	assert_int_equal(note->from, c->next->from);
	assert_int_equal(note->to, c->next->to);
	assert_memory_equal(by, c->next->by, c->w->count);
	c->next++;
	return true;
}

static void assert_reread(struct world *w, struct author *a)
{
	struct comparison *c = calloc(1, sizeof(*c));
	struct noted *end;
	size_t heads[EDITS_MAX], count = 0;

	assert_non_null(c);
	c->w = w;
	c->a = a;
	c->next = c->noted;
	for (size_t i = 0; i < w->count; i++)
		if (a->has[i])
			heads[count++] = i;
	text_model_reread(&w->model, heads, count, note_expected, c);
	end = c->next;
	c->next = c->noted;
	assert_int_equal(text_reread(&a->text, compare_note, c), OK);
	assert_ptr_equal(c->next, end);
	free(c);
}

/* ---- Stories --------------------------------------------------------------- */

static void count_beside(const struct world *w)
{
	bool *is_beside = calloc(w->count + 1, sizeof(*is_beside));

	assert_non_null(is_beside);
	for (size_t i = 0; i < w->count; i++)
		for (size_t k = 0; k < i; k++)
			if (!w->model.seen[i][k])
				is_beside[i] = is_beside[k] = true;
	for (size_t i = 0; i < w->count; i++)
		w->tally->beside += is_beside[i];
	free(is_beside);
}

static void one_story(struct tally *tally, uint64_t seed, unsigned steps)
{
	struct world *w = malloc(sizeof(*w));
	struct prng prng;

	assert_non_null(w);
	prng_init(&prng, seed);
	world_init(w, tally, seed, 2 + (unsigned)prng_below(&prng, AUTHORS_MAX - 1));
	for (unsigned i = 0; i < steps; i++) {
		struct author *a = &w->authors[prng_below(&w->prng, w->author_count)];
		struct author *b = &w->authors[prng_below(&w->prng, w->author_count)];

		if (prng_chance(&w->prng, 30))
			write_live(w, a);
		else if (prng_chance(&w->prng, 60))
			write_here(w, a, prng_chance(&w->prng, 2));
		else if (prng_chance(&w->prng, 30))
			write_late(w, a);
		else if (a != b)
			send(w, a, b, prng_chance(&w->prng, 50));
		if (prng_chance(&w->prng, 10))
			open_again(a);
		assert_as_the_model(w, a);
		if (prng_chance(&w->prng, 10)) {
			assert_old_versions(w, a);
			assert_blame(w, a);
			assert_reread(w, a);
		}
	}
	for (unsigned i = 0; i < w->author_count; i++)
		for (unsigned k = 0; k < w->author_count; k++)
			while (i != k && memcmp(w->authors[i].has, w->authors[k].has,
						sizeof(w->authors[i].has)) != 0) {
				send(w, &w->authors[i], &w->authors[k], false);
				send(w, &w->authors[k], &w->authors[i], true);
			}
	for (unsigned i = 0; i < w->author_count; i++)
		assert_reread(w, &w->authors[i]);
	text_model_check(&w->model);
	count_beside(w);
	world_release(w);
	free(w);
}

static void any_order_of_delivery_gives_the_text_of_the_model(void **state)
{
	const char *wanted = getenv("HUITONG_TEXTS");
	uint64_t seed = prng_seed_from_environment();
	uint64_t count = wanted ? strtoull(wanted, NULL, 10) : 60;
	struct tally tally = { 0 };

	(void)state;
	for (uint64_t i = 0; i < count; i++)
		one_story(&tally, seed + i, 20 + (unsigned)(i % 120));
	printf("%llu stories, %llu edits, %llu of them beside others, taken %llu times; %llu texts "
	       "compared\n",
	       (unsigned long long)count, (unsigned long long)tally.edits,
	       (unsigned long long)tally.beside, (unsigned long long)tally.taken,
	       (unsigned long long)tally.compared);
}

/* ---- One by one ------------------------------------------------------------ */

static struct dot dot_of(uint8_t replica, uint64_t seq)
{
	struct dot dot = { .seq = seq };

	dot.replica.bytes[0] = replica;
	return dot;
}

static void type_at(struct text *t, uint32_t pos, const char *text)
{
	assert_int_equal(text_insert(t, pos, bytes_of_str(text), (uint32_t)strlen(text)), OK);
}

/* Commit, and what others need of it; `e` is borrowed from the text. */
static void commit(struct text *t, struct dot dot, struct text_edit *e)
{
	assert_int_equal(text_commit(t, &dot, e), OK);
}

static void take(struct text *t, struct dot dot, const struct text_edit *e,
		 const struct dot *parents, size_t parent_count)
{
	assert_int_equal(text_take(t, &dot, e, parents, parent_count), OK);
	assert_int_equal(text_merge(t, NULL), OK);
}

static void two_who_type_at_one_place_are_not_interleaved(void **state)
{
	struct text ann = TEXT_EMPTY, bob = TEXT_EMPTY;
	struct text_edit base, of_ann, of_bob;
	struct dot first = dot_of(1, 1);

	(void)state;
	type_at(&ann, 0, "()");
	commit(&ann, first, &base);
	take(&bob, first, &base, NULL, 0);
	type_at(&ann, 1, "one ");
	type_at(&ann, 5, "two");
	type_at(&bob, 1, "two"); /* backwards */
	type_at(&bob, 1, "one ");
	commit(&ann, dot_of(1, 2), &of_ann);
	commit(&bob, dot_of(2, 1), &of_bob);
	take(&ann, dot_of(2, 1), &of_bob, &first, 1);
	take(&bob, dot_of(1, 2), &of_ann, &first, 1);
	assert_reads(&ann, bytes_of_str("(one twoone two)"));
	assert_reads(&bob, bytes_of_str("(one twoone two)"));
	text_release(&ann);
	text_release(&bob);
}

/* One code point at a place, not merged yet. */
static void take_key(struct text *t, struct dot dot, uint32_t length, uint32_t pos, const char *key,
		     const struct dot *parents, size_t parent_count)
{
	struct text_run run = { pos, 1, TEXT_INSERT };
	struct text_edit e = { length, &run, 1, bytes_of_str(key) };

	assert_int_equal(text_take(t, &dot, &e, parents, parent_count), OK);
}

static void a_walk_begins_where_all_has_been_seen(void **state)
{
	const struct dot first = dot_of(1, 1), both[] = { dot_of(1, 2), dot_of(2, 1) },
			 seen = dot_of(1, 3);
	struct text t = TEXT_EMPTY;

	(void)state;
	take_key(&t, first, 0, 0, "a", NULL, 0);
	take_key(&t, both[0], 1, 0, "b", &first, 1);
	take_key(&t, both[1], 1, 1, "c", &first, 1);
	take_key(&t, seen, 3, 1, "d", both, 2);
	take_key(&t, dot_of(1, 4), 4, 0, "e", &seen, 1);
	take_key(&t, dot_of(2, 2), 4, 4, "f", &seen, 1);
	assert_int_equal(text_merge(&t, NULL), OK);
	assert_reads(&t, bytes_of_str("ebdacf"));
	assert_int_equal(t.walk.base, 4);
	/* Somebody was away all the while. */
	take_key(&t, dot_of(3, 1), 1, 1, "g", &first, 1);
	assert_int_equal(text_merge(&t, NULL), OK);
	assert_reads(&t, bytes_of_str("ebdacfg"));
	assert_int_equal(t.walk.base, 1);
	text_release(&t);
}

/* ---- People at one place ----------------------------------------------------- */

enum { PEOPLE_MAX = 5, GAPS_MAX = 4, KEYS_MAX = 40, LETTERS = 5, TYPED_MAX = 2 * KEYS_MAX };

/* Each has letters of his own, and types into gaps between digits, which stay. */
struct person {
	struct text text;
	struct dot dots[KEYS_MAX];
	struct text_edit edits[KEYS_MAX]; /* their own memory */
	struct dot parents[KEYS_MAX];
	size_t edit_count;
	uint32_t gap, at; /* where he types: in which gap, after how many letters of it */
};

static void read_gaps(const struct text *t, char gaps[GAPS_MAX][PEOPLE_MAX * TYPED_MAX])
{
	struct buf text = BUF_EMPTY;
	uint32_t gap = 0, size = 0;

	rope_read(&t->rope, 0, rope_size(&t->rope, ROPE_POINTS), &text);
	memset(gaps, 0, GAPS_MAX * sizeof(gaps[0]));
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= 'a')
			gaps[gap][size++] = (char)text.data[i];
		else
			gap++, size = 0;
	}
	buf_release(&text);
}

static void commit_of(struct person *p, uint8_t replica)
{
	struct text_edit e, *kept = &p->edits[p->edit_count];
	const struct text_history *h = &p->text.history;

	p->parents[p->edit_count] = text_history_dot(h, h->heads[0]);
	p->dots[p->edit_count] = dot_of(replica, 2 + p->edit_count);
	commit(&p->text, p->dots[p->edit_count], &e);
	if (e.run_count == 0)
		return;
	*kept = e;
	kept->runs = copy_of(e.runs, e.run_count * sizeof(*e.runs));
	kept->text.data = copy_of(e.text.data, e.text.size);
	p->edit_count++;
}

/* One key: forwards, backwards, somewhere in what he has typed, or a letter taken back. */
static void press(struct prng *prng, struct person *p, unsigned who)
{
	char gaps[GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	uint32_t pos = p->gap, typed;
	char letter[2] = { (char)('a' + LETTERS * who + prng_below(prng, LETTERS)) };

	read_gaps(&p->text, gaps);
	for (uint32_t i = 0; i < p->gap; i++)
		pos += (uint32_t)strlen(gaps[i]);
	typed = (uint32_t)strlen(gaps[p->gap]);
	if (prng_chance(prng, 10))
		p->at = (uint32_t)prng_below(prng, typed + 1);
	if (p->at > 0 && prng_chance(prng, 10)) {
		assert_int_equal(text_delete(&p->text, pos + --p->at, 1), OK);
		return;
	}
	type_at(&p->text, pos + p->at, letter);
	p->at += who % 2; /* every other one types backwards */
}

static void write_alone(struct prng *prng, struct person *p, unsigned who, uint32_t gaps)
{
	uint64_t keys = 1 + prng_below(prng, KEYS_MAX);

	for (uint64_t i = 0; i < keys; i++) {
		if (i == 0 || prng_chance(prng, 5)) {
			p->gap = (uint32_t)prng_below(prng, gaps);
			p->at = 0;
		}
		press(prng, p, who);
		if (prng_chance(prng, 20) || i + 1 == keys)
			commit_of(p, (uint8_t)(1 + who));
	}
}

/* From everybody else, one after the other or all mixed. */
static void take_all(struct prng *prng, struct person *people, unsigned count, unsigned to)
{
	size_t done[PEOPLE_MAX] = { 0 }, left = 0;
	bool in_turn = prng_chance(prng, 50);
	struct text *t = &people[to].text;

	for (unsigned i = 0; i < count; i++)
		left += i == to ? 0 : people[i].edit_count;
	while (left) {
		unsigned from = (unsigned)prng_below(prng, count);
		const struct person *p = &people[from];
		size_t batch = in_turn ? SIZE_MAX : 1;

		for (; from != to && batch-- && done[from] < p->edit_count; left--) {
			size_t i = done[from]++;

			assert_int_equal(text_take(t, &p->dots[i], &p->edits[i], &p->parents[i], 1),
					 OK);
		}
		if (prng_chance(prng, 50))
			assert_int_equal(text_merge(t, NULL), OK);
	}
	assert_int_equal(text_merge(t, NULL), OK);
}

/* What each has typed there is there, in one piece, and nothing else. */
static void assert_pieces(char (*alone)[GAPS_MAX][PEOPLE_MAX * TYPED_MAX], unsigned count,
			  char together[GAPS_MAX][PEOPLE_MAX * TYPED_MAX])
{
	for (unsigned gap = 0; gap < GAPS_MAX; gap++) {
		const char *rest = together[gap];

		while (*rest) {
			unsigned who = (unsigned)(*rest - 'a') / LETTERS;
			size_t size;

			assert_true(who < count);
			size = strlen(alone[who][gap]);
			assert_true(size > 0 && strncmp(rest, alone[who][gap], size) == 0);
			rest += size;
			alone[who][gap][0] = '\0'; /* once */
		}
		for (unsigned i = 0; i < count; i++)
			assert_int_equal(alone[i][gap][0], '\0');
	}
}

static void meet_at_one_place(struct prng *prng)
{
	char alone[PEOPLE_MAX][GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	char copy[PEOPLE_MAX][GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	char together[GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	unsigned count = 2 + (unsigned)prng_below(prng, PEOPLE_MAX - 1);
	uint32_t gaps = 1 + (uint32_t)prng_below(prng, GAPS_MAX);
	struct person *people = calloc(count, sizeof(*people));
	struct text_run run = { 0, gaps - 1, TEXT_INSERT };
	struct text_edit digits = { 0, &run, gaps > 1, bytes_of("012", gaps - 1) };
	struct dot first = dot_of(9, 1);

	assert_non_null(people);
	for (unsigned i = 0; i < count; i++) {
		people[i].text = TEXT_EMPTY;
		take(&people[i].text, first, &digits, NULL, 0);
		write_alone(prng, &people[i], i, gaps);
		read_gaps(&people[i].text, alone[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		take_all(prng, people, count, i);
		read_gaps(&people[i].text, together);
		memcpy(copy, alone, sizeof(copy));
		assert_pieces(copy, count, together);
	}
	for (unsigned i = 0; i < count; i++) {
		text_release(&people[i].text);
		for (size_t k = 0; k < people[i].edit_count; k++) {
			free((void *)people[i].edits[k].runs);
			free((void *)people[i].edits[k].text.data);
		}
	}
	free(people);
}

static void what_each_types_at_one_place_stays_together(void **state)
{
	const char *wanted = getenv("HUITONG_TEXTS");
	uint64_t count = wanted ? strtoull(wanted, NULL, 10) : 300;
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (uint64_t i = 0; i < count; i++)
		meet_at_one_place(&prng);
}

static void what_is_typed_goes_on_in_one_run(void **state)
{
	struct text t = TEXT_EMPTY;
	struct text_edit e;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		type_at(&t, i, "x");
	for (uint32_t i = 10; i-- > 5;)
		assert_int_equal(text_delete(&t, i, 1), OK);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(text_delete(&t, 1, 1), OK);
	commit(&t, dot_of(1, 1), &e);
	assert_int_equal(e.run_count, 3);
	assert_int_equal(e.runs[0].step, TEXT_INSERT);
	assert_int_equal(e.runs[1].step, TEXT_BACKSPACE);
	assert_int_equal(e.runs[2].step, TEXT_DELETE);
	assert_reads(&t, bytes_of_str("xx"));
	text_release(&t);
}

static void edit_that_misses_a_parent_loses_nothing(void **state)
{
	struct text t = TEXT_EMPTY;
	struct text_run runs[] = { { 9, 2, TEXT_DELETE }, { 9, 3, TEXT_INSERT } };
	struct text_edit e = { 12, runs, 2, bytes_of_str("new") }, base;
	struct dot parents[] = { dot_of(1, 1), dot_of(3, 7) };

	(void)state;
	type_at(&t, 0, "old");
	commit(&t, parents[0], &base);
	take(&t, dot_of(2, 1), &e, parents, 2);
	assert_reads(&t, bytes_of_str("oldnew"));
	text_release(&t);
}

/* What the history has noted of them moves while it grows. */
static void edit_after_many_at_once_has_seen_them_all(void **state)
{
	struct text_run run = { 0, 1, TEXT_INSERT };
	struct text_edit one = { 0, &run, 1, bytes_of_str("x") }, last;

	(void)state;
	for (uint8_t count = 1; count <= TEXT_READERS_MAX; count++) {
		struct text t = TEXT_EMPTY;
		const struct text_node *n;

		for (uint8_t i = 0; i < count; i++)
			take(&t, dot_of(i, 1), &one, NULL, 0);
		type_at(&t, 0, "y");
		commit(&t, dot_of(count, 1), &last);
		n = &t.history.nodes[count];
		assert_int_equal(n->parent_count, count);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(text_node_parents(&t.history, count)[i], i);
		text_release(&t);
	}
}

static void edits_survive_their_encoding(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (int i = 0; i < 200; i++) {
		struct text_edit_builder b = { 0 };
		struct buf bytes = BUF_EMPTY;
		struct text_edit e, back = { 0 };
		uint32_t at = UINT32_MAX;

		text_edit_begin(&b, (uint32_t)prng_below(&prng, 1000));
		for (uint64_t keys = prng_below(&prng, 30); keys > 0; keys--)
			type(&prng, &b, &at);
		e = text_edit_built(&b);
		assert_int_equal(text_edit_validate(&e, NULL), OK);
		text_edit_encode(&bytes, &e);
		assert_int_equal(text_edit_decode(&back, buf_bytes(&bytes), &arena, NULL), OK);
		assert_int_equal(back.length, e.length);
		assert_int_equal(back.run_count, e.run_count);
		for (size_t k = 0; k < e.run_count; k++) {
			assert_int_equal(back.runs[k].pos, e.runs[k].pos);
			assert_int_equal(back.runs[k].count, e.runs[k].count);
			assert_int_equal(back.runs[k].step, e.runs[k].step);
		}
		arena_reset(&arena);
		buf_release(&bytes);
		text_edit_release(&b);
	}
	arena_release(&arena);
}

/* As they may lie on a disk: what comes from elsewhere is cut out of its changeset as one value. */
static void bytes_that_are_no_edit_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		enum err rc;
	} cases[] = {
		{ "\x93\x04\x04\x00", 4, OK },
		{ "\x93\x04\x04\x00\x00", 5, ERR_FORMAT }, /* and then something */
		{ "\x93\x04\x04", 3, ERR_FORMAT },
		{ "\x92\x04\x04\x00", 4, ERR_FORMAT }, /* half a run, and the other half */
		{ "\x94\x04\x04\x00\x04\x00", 6, ERR_FORMAT },
		{ "", 0, ERR_FORMAT },
	};
	struct arena arena = ARENA_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes input = bytes_of(cases[i].bytes, cases[i].size);
		struct text_edit e = { 0 };

		assert_int_equal(text_edit_decode(&e, input, &arena, NULL), cases[i].rc);
	}
	arena_release(&arena);
}

static void u_0000_in_an_edit_is_refused(void **state)
{
	struct text_run run = { 0, 3, TEXT_INSERT };
	struct text_edit e = { 0, &run, 1, bytes_of("x\0y", 3) };

	(void)state;
	assert_int_equal(text_edit_validate(&e, NULL), ERR_INVALID);
	e.text = bytes_of_str("x y");
	assert_int_equal(text_edit_validate(&e, NULL), OK);
}

static void edits_beyond_the_text_are_refused(void **state)
{
	static const struct {
		uint32_t length;
		struct text_run run;
		const char *text;
		enum err rc;
	} cases[] = {
		{ 3, { 3, 1, TEXT_INSERT }, "x", OK },
		{ 3, { 4, 1, TEXT_INSERT }, "x", ERR_INVALID },
		{ 3, { 3, 2, TEXT_INSERT }, "x", ERR_INVALID },
		{ 3, { 3, 1, TEXT_INSERT }, "xx", ERR_INVALID },
		{ 3, { 3, 1, TEXT_INSERT }, "\xff", ERR_INVALID },
		{ 3, { 0, 0, TEXT_INSERT }, "", ERR_INVALID },
		{ 3, { 0, 3, TEXT_DELETE }, "", OK },
		{ 3, { 1, 3, TEXT_DELETE }, "", ERR_INVALID },
		{ 3, { 3, 1, TEXT_DELETE }, "", ERR_INVALID },
		{ 3, { 0, UINT32_MAX, TEXT_DELETE }, "", ERR_INVALID },
		{ 3, { 2, 3, TEXT_BACKSPACE }, "", OK },
		{ 3, { 2, 1, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { 3, 2, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { 1, 3, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { UINT32_MAX, UINT32_MAX, TEXT_BACKSPACE }, "", ERR_INVALID },
		{ 3, { 0, 1, TEXT_STEP_COUNT }, "", ERR_INVALID },
		{ TEXT_POINTS_MAX, { 0, 1, TEXT_INSERT }, "x", ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_edit e = { cases[i].length, &cases[i].run, 1,
				       bytes_of_str(cases[i].text) };

		assert_int_equal(text_edit_validate(&e, NULL), cases[i].rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_delivery_gives_the_text_of_the_model),
		cmocka_unit_test(two_who_type_at_one_place_are_not_interleaved),
		cmocka_unit_test(a_walk_begins_where_all_has_been_seen),
		cmocka_unit_test(what_each_types_at_one_place_stays_together),
		cmocka_unit_test(what_is_typed_goes_on_in_one_run),
		cmocka_unit_test(edit_that_misses_a_parent_loses_nothing),
		cmocka_unit_test(edit_after_many_at_once_has_seen_them_all),
		cmocka_unit_test(edits_survive_their_encoding),
		cmocka_unit_test(bytes_that_are_no_edit_are_refused),
		cmocka_unit_test(u_0000_in_an_edit_is_refused),
		cmocka_unit_test(edits_beyond_the_text_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
