/* Texts in pieces: what stands there after any edits, and that only what they touch is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text_body.h"
#include "core/utf8.h"
#include "tests/support/prng.h"

/* Where pieces are stored: a place is an index. */
enum { PLACES = 20000 };

struct shelf {
	struct buf texts[PLACES];
	uint64_t next;
	size_t read, written;
	uint64_t order[PLACES]; /* of the text */
	uint32_t points[PLACES];
	size_t count;
};

static enum err read_shelf(void *ctx, uint64_t place, struct buf *out)
{
	struct shelf *s = ctx;

	s->read++;
	buf_append(out, s->texts[place].data, s->texts[place].size);
	return buf_check(out);
}

static enum err clear_shelf(void *ctx, uint64_t place)
{
	struct shelf *s = ctx;

	buf_release(&s->texts[place]);
	return OK;
}

static void take_from_shelf(struct shelf *s, struct text_body *b)
{
	*b = (struct text_body){ .read = read_shelf, .ctx = s };
	for (size_t i = 0; i < s->count; i++)
		assert_int_equal(text_body_add(b, s->order[i], s->points[i]), OK);
}

static void put_on_shelf(struct shelf *s, struct text_body *b)
{
	assert_int_equal(text_body_tidy(b, clear_shelf, s), OK);
	s->count = b->count;
	for (uint32_t i = 0; i < b->count; i++) {
		struct text_piece *p = &b->pieces[i];

		if (p->is_changed) {
			assert_true(i >= b->from && i < b->to);
			if (!p->place)
				p->place = ++s->next;
			assert_true(p->place < PLACES);
			buf_clear(&s->texts[p->place]);
			buf_append(&s->texts[p->place], p->text.data, p->text.size);
			p->is_changed = false;
			s->written++;
		}
		s->order[i] = p->place;
		s->points[i] = p->points;
	}
}

static void release_shelf(struct shelf *s)
{
	for (size_t i = 0; i < PLACES; i++)
		buf_release(&s->texts[i]);
	free(s);
}

static void fill(struct shelf *s, size_t size)
{
	struct text_body b;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, 'a', size);
	take_from_shelf(s, &b);
	assert_int_equal(text_body_append(&b, bytes_of(text, size)), OK);
	put_on_shelf(s, &b);
	text_body_release(&b);
	free(text);
	s->read = s->written = 0;
}

static void assert_text(struct text_body *b, struct bytes expected)
{
	struct buf text = BUF_EMPTY;
	uint32_t points = 0;

	for (uint32_t i = 0; i < b->count; i++) {
		assert_int_equal(text_body_need(b, i), OK);
		assert_true(b->pieces[i].text.size <= 4096);
		buf_append(&text, b->pieces[i].text.data, b->pieces[i].text.size);
		points += b->pieces[i].points;
	}
	assert_int_equal(points, b->points);
	assert_true(bytes_equal(buf_bytes(&text), expected));
	buf_release(&text);
}

/* ---- What is read and written ---------------------------------------------- */

static void key_pressed_reads_and_writes_one_piece(void **state)
{
	struct shelf *s = calloc(1, sizeof(*s));
	struct text_body b;

	(void)state;
	fill(s, 1 << 20);
	take_from_shelf(s, &b);
	assert_int_equal(text_body_insert(&b, 500000, bytes_of_str("b"), 1), OK);
	put_on_shelf(s, &b);
	assert_int_equal(s->read, 1);
	assert_int_equal(s->written, 1);
	text_body_release(&b);
	release_shelf(s);
}

static void what_goes_as_a_whole_is_not_read(void **state)
{
	struct shelf *s = calloc(1, sizeof(*s));
	struct text_body b;
	uint32_t before;

	(void)state;
	fill(s, 1 << 20);
	take_from_shelf(s, &b);
	before = b.count;
	assert_int_equal(text_body_remove(&b, 1000, (1 << 20) - 2000), OK);
	assert_int_equal(b.points, 2000);
	put_on_shelf(s, &b);
	assert_true(s->read <= 2);
	assert_true(b.count <= 2 && before > 250);
	text_body_release(&b);
	release_shelf(s);
}

static void places_that_are_not_there_are_told(void **state)
{
	struct shelf *s = calloc(1, sizeof(*s));
	struct text_body b;

	(void)state;
	fill(s, 10000);
	take_from_shelf(s, &b);
	assert_int_equal(text_body_insert(&b, 10001, bytes_of_str("b"), 1), ERR_CORRUPT);
	assert_int_equal(text_body_remove(&b, 9999, 2), ERR_CORRUPT);
	text_body_release(&b);
	/* Another one has come to stand in a place. */
	buf_append_str(&s->texts[s->order[0]], "more");
	take_from_shelf(s, &b);
	assert_int_equal(text_body_insert(&b, 1, bytes_of_str("b"), 1), ERR_CORRUPT);
	text_body_release(&b);
	release_shelf(s);
}

/* ---- At random ------------------------------------------------------------- */

static size_t byte_of(struct bytes text, uint32_t points)
{
	return utf8_span(text.data, points);
}

static void edit_at_random(struct prng *prng, struct text_body *b, struct buf *model,
			   uint32_t *near)
{
	static const char *const words[] = { "x", "会议", "😀!", "e\xcc\x81", "Minutes " };
	struct buf word = BUF_EMPTY, rest = BUF_EMPTY;
	uint32_t pos = prng_chance(prng, 70) && *near <= b->points
			       ? *near
			       : (uint32_t)prng_below(prng, b->points + 1);
	size_t byte = byte_of(buf_bytes(model), pos);

	if (b->points > pos && prng_chance(prng, b->points > 40000 ? 60 : 40)) {
		uint32_t most = prng_chance(prng, 3) ? b->points : 20;
		uint32_t left = b->points - pos;
		uint32_t count = 1 + (uint32_t)prng_below(prng, most < left ? most : left);
		size_t end = byte + utf8_span(model->data + byte, count);

		assert_int_equal(text_body_remove(b, pos, count), OK);
		memmove(model->data + byte, model->data + end, model->size - end);
		model->size -= end - byte;
		*near = pos;
		return;
	}
	for (uint64_t n = prng_chance(prng, 5) ? prng_below(prng, 5000) : 0; n + 1 > 0; n--)
		buf_append_str(&word, words[prng_below(prng, 5)]);
	if (byte < model->size)
		buf_append(&rest, model->data + byte, model->size - byte);
	model->size = byte;
	buf_append(model, word.data, word.size);
	buf_append(model, rest.data, rest.size);
	*near = pos + (uint32_t)utf8_count(buf_bytes(&word));
	assert_int_equal(text_body_insert(b, pos, buf_bytes(&word), *near - pos), OK);
	buf_release(&word);
	buf_release(&rest);
}

static void pieces_say_what_one_text_would(void **state)
{
	uint64_t seed = prng_seed_from_environment();
	struct shelf *s = calloc(1, sizeof(*s));
	struct buf model = BUF_EMPTY;
	struct text_body b;
	struct prng prng;
	uint32_t near = 0;

	(void)state;
	prng_init(&prng, seed);
	buf_append_str(&model, "");
	take_from_shelf(s, &b);
	for (int i = 0; i < 3000; i++) {
		edit_at_random(&prng, &b, &model, &near);
		if (!prng_chance(&prng, 10))
			continue;
		put_on_shelf(s, &b);
		if (prng_chance(&prng, 50)) {
			text_body_forget(&b);
		} else {
			text_body_release(&b);
			take_from_shelf(s, &b);
		}
		if (prng_chance(&prng, 10)) {
			assert_text(&b, buf_bytes(&model));
			text_body_forget(&b);
		}
	}
	assert_text(&b, buf_bytes(&model));
	text_body_release(&b);
	buf_release(&model);
	release_shelf(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_pressed_reads_and_writes_one_piece),
		cmocka_unit_test(what_goes_as_a_whole_is_not_read),
		cmocka_unit_test(places_that_are_not_there_are_told),
		cmocka_unit_test(pieces_say_what_one_text_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
