/* Texts in replicas, written at random, against the tree of tests/support/text_model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/block.h"
#include "tests/support/text_model.h"

static void draw_edit(struct prng *prng, struct bytes from, struct buf *out)
{
	static const char *const points[] = { "x", "y", "会", "😀", ". ", "\n" };
	size_t count = utf8_count(from), at = prng_below(prng, count + 1);
	size_t gone = prng_chance(prng, 40) ? prng_below(prng, count - at + 1) % 5 : 0;
	size_t i = 0, place = 0;

	for (; place < at && i < from.size; place++)
		i += utf8_size(from.data[i]);
	buf_append(out, from.data, i);
	for (uint64_t k = prng_below(prng, 6); k > 0; k--)
		buf_append_str(out, points[prng_below(prng, 6)]);
	for (; gone > 0 && i < from.size; gone--)
		i += utf8_size(from.data[i]);
	buf_append(out, from.data + i, from.size - i);
}

/* From what is there, or from what was there a while ago. */
static void write_at_random(struct world *w, struct prng *prng, struct arena *arena,
			    struct text_version *old)
{
	unsigned office = (unsigned)prng_below(prng, OFFICES);
	struct text_version seen = read_block(w, office, arena);
	struct edit *e = office_edit(&w->offices[office], &w->space);
	struct buf text = BUF_EMPTY;

	if (prng_chance(prng, 10) && old[office].head_count)
		seen = old[office];
	else if (prng_chance(prng, 20))
		old[office] = seen;
	draw_edit(prng, seen.text, &text);
	OFFICE_MUST(edit_text(e, KIND_BLOCK, &w->block, BLOCK_TEXT, &seen, buf_bytes(&text), &msg));
	office_seal(&w->offices[office], e);
	buf_release(&text);
}

struct known {
	struct dot dots[1000];
	size_t count;
};

static size_t number_of(const struct known *k, const struct dot *dot)
{
	size_t i = 0;

	while (i < k->count && dot_cmp(&k->dots[i], dot) != 0)
		i++;
	assert_true(i < k->count);
	return i;
}

static void learn(struct text_model *m, struct known *k, const struct op *op,
		  const struct sealed *s, struct arena *arena)
{
	struct dot dot = { s->replica, s->seq };
	struct text_run whole = { 0, (uint32_t)utf8_count(op->value.bytes), TEXT_INSERT };
	struct text_edit e = { 0, &whole, whole.count > 0, op->value.bytes };
	size_t parents[64];

	if (op->verb == VERB_SPLICE)
		OFFICE_MUST(text_edit_decode(&e, op->edit, arena, &msg));
	for (size_t i = 0; i < op->target_count; i++)
		parents[i] = number_of(k, &op->targets[i].dot);
	text_model_add(m, &dot, &e, parents, op->target_count, false);
	k->dots[k->count++] = dot;
}

static void put_model_note(void *ctx, size_t from, size_t to, const bool *touched)
{
	assert_true(from < to);
	buf_printf(ctx, "%zu ", from);
	(void)touched;
}

/* What the log says by the model. */
static void read_model(struct world *w, struct buf *out, struct buf *notes)
{
	struct arena arena = ARENA_EMPTY;
	struct text_model m;
	struct known known = { .count = 0 };
	size_t count, heads[1000];
	struct sealed *log = office_log(&w->offices[0], &w->space, &arena, &count);

	text_model_init(&m);
	for (size_t i = 0; i < count; i++) {
		struct changeset cs;

		OFFICE_MUST(changeset_decode(&cs, log[i].body, &log[i].replica, &arena, &msg));
		for (size_t k = 0; k < cs.op_count; k++)
			if (cs.ops[k].kind == KIND_BLOCK && cs.ops[k].field == BLOCK_TEXT)
				learn(&m, &known, &cs.ops[k], &log[i], &arena);
	}
	for (size_t i = 0; i < known.count; i++)
		heads[i] = i;
	text_model_read(&m, heads, known.count, out);
	text_model_reread(&m, heads, known.count, put_model_note, notes);
	text_model_release(&m);
	arena_release(&arena);
}

static void offices_read_what_the_model_says(void **state)
{
	uint64_t seed = prng_seed_from_environment();

	(void)state;
	for (uint64_t story = 0; story < 4; story++) {
		struct text_version old[OFFICES] = { { .head_count = 0 } };
		struct arena arena = ARENA_EMPTY;
		struct buf expected = BUF_EMPTY, notes = BUF_EMPTY;
		struct prng prng;
		struct world w;

		prng_init(&prng, seed + story);
		begin(&w, seed + story, "Begin.");
		for (int i = 0; i < 60; i++)
			if (prng_chance(&prng, 70))
				write_at_random(&w, &prng, &arena, old);
			else
				office_pull(&w.offices[prng_below(&prng, OFFICES)],
					    &w.offices[prng_below(&prng, OFFICES)]);
		sync_all(&w);
		read_model(&w, &expected, &notes);
		buf_append_byte(&expected, 0);
		buf_append_byte(&notes, 0);
		assert_all(&w, (const char *)expected.data);
		assert_notes(&w, (const char *)notes.data);
		buf_release(&expected);
		buf_release(&notes);
		arena_release(&arena);
		end(&w);
	}
}

static void offices_agree_on_large_texts(void **state)
{
	uint64_t seed = prng_seed_from_environment();
	struct prng prng;
	struct world w;

	(void)state;
	prng_init(&prng, seed);
	begin_large(&w, seed, NULL);
	for (int i = 0; i < 150; i++) {
		struct office *o = &w.offices[prng_below(&prng, OFFICES)];
		uint32_t pos = (uint32_t)prng_below(&prng, 20000);
		uint32_t count = (uint32_t)prng_below(&prng, prng_chance(&prng, 5) ? 3000 : 10);

		if (prng_chance(&prng, 40))
			office_pull(o, &w.offices[prng_below(&prng, OFFICES)]);
		if (office_count(o, "SELECT length(text) FROM block") >= pos + count)
			splice_block(&w, o, pos, words_of(prng_below(&prng, 300)), count);
	}
	assert_all_agree(&w);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offices_read_what_the_model_says),
		cmocka_unit_test(offices_agree_on_large_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
