/* core/text: stories of several who write at once, against the tree of tests/support/text_model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text_reread.h"
#include "tests/core/typing.h"
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

static size_t made_number(const struct world *w, const struct dot *dot)
{
	size_t i = 0;

	while (dot_cmp(&w->made[i].dot, dot) != 0)
		i++;
	assert_true(i < w->count);
	return i;
}

/* ---- Writing --------------------------------------------------------------- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_delivery_gives_the_text_of_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
