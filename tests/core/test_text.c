/* core/text: texts that several write at once, against the tree of tests/support/text_model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text.h"
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

struct world {
	struct prng prng;
	struct text_model model;
	struct made made[EDITS_MAX];
	size_t count;
	struct author *authors;
	unsigned author_count;
};

static void world_init(struct world *w, uint64_t seed, unsigned authors)
{
	memset(w, 0, sizeof(*w));
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
	static const char *const points[] = {
		"a", "b", " ", "é", "会", "同", "😀", "\xcc\x81", "م"
	};
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
}

static size_t heads_of(const struct text *t, struct dot *out)
{
	for (size_t i = 0; i < t->history.head_count; i++)
		out[i] = text_history_dot(&t->history, t->history.heads[i]);
	return t->history.head_count;
}

static void write_here(struct world *w, struct author *a)
{
	struct dot dot = { a->replica, ++a->seq }, parents[EDITS_MAX];
	size_t parent_count = heads_of(&a->text, parents);
	struct text_edit_builder b = { 0 };
	uint64_t keys = 1 + prng_below(&w->prng, 6);
	uint32_t at = UINT32_MAX;
	struct text_edit e;

	text_edit_begin(&b, rope_size(&a->text.rope, ROPE_POINTS));
	for (uint64_t i = 0; i < keys; i++)
		type(&w->prng, &b, &at);
	e = text_edit_built(&b);
	if (e.run_count == 0) {
		a->seq--;
	} else {
		a->has[w->count] = true;
		note_made(w, &dot, &e, parents, parent_count, false);
		assert_int_equal(text_take(&a->text, &dot, &e, parents, parent_count), OK);
		assert_int_equal(text_merge(&a->text, NULL), OK);
	}
	text_edit_release(&b);
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
}

/* ---- Sending --------------------------------------------------------------- */

/* What one has and the other has not, or its beginning, in the order of writing. */
static void send(struct world *w, const struct author *from, struct author *to, bool one_by_one)
{
	size_t left = prng_chance(&w->prng, 70) ? w->count : prng_below(&w->prng, 10);

	for (size_t i = 0; i < w->count && left; i++) {
		const struct made *m = &w->made[i];

		if (!from->has[i] || to->has[i])
			continue;
		to->has[i] = true;
		left--;
		assert_int_equal(
			text_take(&to->text, &m->dot, &m->edit, m->parents, m->parent_count), OK);
		if (one_by_one)
			assert_int_equal(text_merge(&to->text, NULL), OK);
	}
	assert_int_equal(text_merge(&to->text, NULL), OK);
	assert_as_the_model(w, to);
}

static void one_story(uint64_t seed, unsigned steps)
{
	struct world *w = malloc(sizeof(*w));
	struct prng prng;

	assert_non_null(w);
	prng_init(&prng, seed);
	world_init(w, seed, 2 + (unsigned)prng_below(&prng, AUTHORS_MAX - 1));
	for (unsigned i = 0; i < steps; i++) {
		struct author *a = &w->authors[prng_below(&w->prng, w->author_count)];
		struct author *b = &w->authors[prng_below(&w->prng, w->author_count)];

		if (prng_chance(&w->prng, 70))
			write_here(w, a);
		else if (prng_chance(&w->prng, 10))
			write_late(w, a);
		else if (a != b)
			send(w, a, b, prng_chance(&w->prng, 50));
		assert_as_the_model(w, a);
	}
	for (unsigned i = 0; i < w->author_count; i++)
		for (unsigned k = 0; k < w->author_count; k++)
			while (i != k && memcmp(w->authors[i].has, w->authors[k].has,
						sizeof(w->authors[i].has)) != 0) {
				send(w, &w->authors[i], &w->authors[k], false);
				send(w, &w->authors[k], &w->authors[i], true);
			}
	world_release(w);
	free(w);
}

static void any_order_of_delivery_gives_the_text_of_the_model(void **state)
{
	const char *wanted = getenv("HUITONG_TEXTS");
	uint64_t seed = prng_seed_from_environment();
	uint64_t count = wanted ? strtoull(wanted, NULL, 10) : 300;

	(void)state;
	for (uint64_t i = 0; i < count; i++)
		one_story(seed + i, 20 + (unsigned)(i % 120));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_delivery_gives_the_text_of_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
