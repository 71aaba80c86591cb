/* core/rope, core/sumtree: against a flat array of code points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/rope.h"
#include "core/utf8.h"
#include "tests/support/prng.h"

/* Each code point by its UTF-8. */
struct flat {
	const char **points;
	size_t count, cap;
};

static const char *const alphabet[] = { "a", "b", "\n", "é", "م", "会", "\xef\xbf\xbd", "😀" };

enum { ALPHABET = sizeof(alphabet) / sizeof(alphabet[0]) };

static void flat_insert(struct flat *f, size_t pos, const char *const *points, size_t count)
{
	if (f->count + count > f->cap) {
		f->cap = 2 * (f->count + count);
		f->points = realloc(f->points, f->cap * sizeof(*f->points));
		assert_non_null(f->points);
	}
	memmove(f->points + pos + count, f->points + pos, (f->count - pos) * sizeof(*f->points));
	memcpy(f->points + pos, points, count * sizeof(*points));
	f->count += count;
}

static void flat_delete(struct flat *f, size_t pos, size_t count)
{
	if (count == 0)
		return;
	memmove(f->points + pos, f->points + pos + count,
		(f->count - pos - count) * sizeof(*f->points));
	f->count -= count;
}

static void flat_read(const struct flat *f, size_t pos, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		buf_append_str(out, f->points[pos + i]);
}

static uint32_t flat_place(const struct flat *f, size_t pos, enum rope_unit unit)
{
	uint32_t place = 0;

	for (size_t i = 0; i < pos; i++) {
		size_t size = strlen(f->points[i]);

		place += unit == ROPE_POINTS  ? 1
			 : unit == ROPE_BYTES ? (uint32_t)size
					      : 1 + (size == 4);
	}
	return place;
}

static void assert_same(const struct rope *r, const struct flat *f, size_t pos, size_t count)
{
	struct buf got = BUF_EMPTY, expected = BUF_EMPTY;

	rope_read(r, (uint32_t)pos, (uint32_t)count, &got);
	flat_read(f, pos, count, &expected);
	assert_int_equal(got.size, expected.size);
	if (got.size)
		assert_memory_equal(got.data, expected.data, got.size);
	buf_release(&got);
	buf_release(&expected);
}

static void insert(struct rope *r, struct flat *f, struct prng *prng, size_t pos, size_t count)
{
	const char **points = calloc(count + 1, sizeof(*points));
	struct flat part = { points, count, count };
	struct buf text = BUF_EMPTY;
	uint64_t first = prng_chance(prng, 50) ? 3 : ALPHABET; /* ASCII alone, or all */

	assert_non_null(points);
	for (size_t i = 0; i < count; i++)
		points[i] = alphabet[prng_below(prng, first)];
	flat_read(&part, 0, count, &text);
	assert_int_equal(rope_insert(r, (uint32_t)pos, buf_bytes(&text)), OK);
	flat_insert(f, pos, points, count);
	buf_release(&text);
	free(points);
}

/* Keys near each other, pastes, and cuts. */
static void edit(struct rope *r, struct flat *f, struct prng *prng, size_t *at)
{
	size_t count = prng_chance(prng, 3) ? prng_below(prng, 5000) : 1 + prng_below(prng, 3);

	if (*at > f->count || prng_chance(prng, 10))
		*at = prng_below(prng, f->count + 1);
	if (prng_chance(prng, f->count > 20000 ? 30 : 60)) {
		insert(r, f, prng, *at, count);
		*at += count;
		return;
	}
	if (prng_chance(prng, 50))
		*at -= *at < count ? *at : count;
	if (count > f->count - *at)
		count = f->count - *at;
	rope_delete(r, (uint32_t)*at, (uint32_t)count);
	flat_delete(f, *at, count);
}

static void edits_read_as_in_an_array(void **state)
{
	struct rope r = ROPE_EMPTY;
	struct flat f = { 0 };
	struct prng prng;
	size_t at = 0;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (unsigned i = 0; i < 20000; i++) {
		size_t pos;

		edit(&r, &f, &prng, &at);
		assert_int_equal(rope_size(&r, ROPE_POINTS), f.count);
		pos = prng_below(&prng, f.count + 1);
		assert_same(&r, &f, pos, prng_below(&prng, f.count - pos + 1) % 100);
		if (i % 500 == 0) {
			rope_check(&r);
			assert_same(&r, &f, 0, f.count);
		}
	}
	rope_delete(&r, 0, (uint32_t)f.count);
	assert_int_equal(rope_size(&r, ROPE_BYTES), 0);
	rope_check(&r);
	rope_release(&r);
	free(f.points);
}

static void places_convert_between_all_units(void **state)
{
	struct rope r = ROPE_EMPTY;
	struct flat f = { 0 };
	struct prng prng;
	size_t at = 0;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (unsigned i = 0; i < 2000; i++) {
		size_t pos;

		edit(&r, &f, &prng, &at);
		pos = prng_below(&prng, f.count + 1);
		for (unsigned from = 0; from < ROPE_UNIT_COUNT; from++)
			for (unsigned to = 0; to < ROPE_UNIT_COUNT; to++)
				assert_int_equal(
					rope_convert(&r, flat_place(&f, pos, from), from, to),
					flat_place(&f, pos, to));
	}
	rope_release(&r);
	free(f.points);
}

static void place_inside_a_code_point_is_its_beginning(void **state)
{
	struct rope r = ROPE_EMPTY;

	(void)state;
	assert_int_equal(rope_insert(&r, 0, bytes_of_str("a😀会")), OK);
	assert_int_equal(rope_convert(&r, 2, ROPE_UTF16, ROPE_POINTS), 1);
	assert_int_equal(rope_convert(&r, 3, ROPE_UTF16, ROPE_POINTS), 2);
	for (uint32_t byte = 1; byte < 5; byte++)
		assert_int_equal(rope_convert(&r, byte, ROPE_BYTES, ROPE_POINTS), 1);
	assert_int_equal(rope_convert(&r, 7, ROPE_BYTES, ROPE_UTF16), 3);
	rope_release(&r);
}

/* ---- The tree alone -------------------------------------------------------- */

enum { BLOCKS = 3000 };

struct row {
	uint32_t block[BLOCKS];
	struct widths widths[BLOCKS];
	size_t count;
};

static struct widths draw_widths(struct prng *prng)
{
	struct widths w;

	for (unsigned i = 0; i < SUMTREE_WIDTHS; i++)
		w.of[i] = (uint32_t)prng_below(prng, 3);
	return w;
}

static void assert_row(const struct sumtree *t, const struct row *row)
{
	struct widths sum = { { 0 } }, before;

	for (size_t i = 0; i < row->count; i++) {
		before = sumtree_before(t, row->block[i]);
		assert_memory_equal(&before, &sum, sizeof(sum));
		for (unsigned w = 0; w < SUMTREE_WIDTHS; w++)
			for (uint32_t k = 0; k < row->widths[i].of[w]; k++) {
				assert_int_equal(sumtree_find(t, w, sum.of[w] + k, &before),
						 row->block[i]);
				assert_memory_equal(&before, &sum, sizeof(sum));
			}
		if (i)
			assert_true(sumtree_cmp(t, row->block[i - 1], row->block[i]) < 0);
		for (unsigned w = 0; w < SUMTREE_WIDTHS; w++)
			sum.of[w] += row->widths[i].of[w];
	}
	assert_memory_equal(&t->total, &sum, sizeof(sum));
}

static void put(struct sumtree *t, struct row *row, size_t at, uint32_t block, struct widths w)
{
	size_t rest = row->count - at;

	assert_int_equal(sumtree_insert(t, at ? row->block[at - 1] : SUMTREE_NONE, block, &w), OK);
	memmove(row->block + at + 1, row->block + at, rest * sizeof(row->block[0]));
	memmove(row->widths + at + 1, row->widths + at, rest * sizeof(row->widths[0]));
	row->block[at] = block;
	row->widths[at] = w;
	row->count++;
}

static void take(struct sumtree *t, struct row *row, size_t at)
{
	size_t rest = row->count - at - 1;

	sumtree_remove(t, row->block[at]);
	memmove(row->block + at, row->block + at + 1, rest * sizeof(row->block[0]));
	memmove(row->widths + at, row->widths + at + 1, rest * sizeof(row->widths[0]));
	row->count--;
}

static void change(struct sumtree *t, struct row *row, size_t at, struct widths w)
{
	struct widths delta;

	for (unsigned i = 0; i < SUMTREE_WIDTHS; i++)
		delta.of[i] = w.of[i] - row->widths[at].of[i];
	sumtree_add(t, row->block[at], &delta);
	row->widths[at] = w;
}

static void sums_are_those_of_the_row(void **state)
{
	struct row *row = calloc(1, sizeof(*row));
	struct sumtree t = SUMTREE_EMPTY;
	struct prng prng;
	uint32_t next = 0;

	(void)state;
	assert_non_null(row);
	prng_init(&prng, prng_seed_from_environment());
	for (unsigned i = 0; i < 6000; i++) {
		bool grows = i % 2000 < 1200; /* and then shrinks, down to nothing */

		if (row->count == 0 || (next < BLOCKS && prng_chance(&prng, grows ? 60 : 10)))
			put(&t, row,
			    prng_chance(&prng, 30) ? row->count : prng_below(&prng, row->count + 1),
			    next++ % BLOCKS, draw_widths(&prng));
		else if (prng_chance(&prng, grows ? 20 : 80))
			take(&t, row, prng_below(&prng, row->count));
		else
			change(&t, row, prng_below(&prng, row->count), draw_widths(&prng));
		if (i % 50 == 0)
			assert_row(&t, row);
	}
	while (row->count)
		take(&t, row, row->count - 1);
	assert_row(&t, row);
	sumtree_release(&t);
	free(row);
}

/* Of a leaf that is split, half of the code points may be most of the bytes. */
static void leaf_of_uneven_code_points_is_split_until_there_is_room(void **state)
{
	struct rope r = ROPE_EMPTY;
	struct buf wide = BUF_EMPTY;
	char narrow[400];

	(void)state;
	memset(narrow, 'a', sizeof(narrow));
	for (int i = 0; i < 250; i++)
		buf_append_str(&wide, "会");
	assert_int_equal(rope_insert(&r, 0, buf_bytes(&wide)), OK);
	assert_int_equal(rope_insert(&r, 250, bytes_of(narrow, 200)), OK);
	assert_int_equal(rope_insert(&r, 100, bytes_of(narrow, 400)), OK);
	rope_check(&r);
	assert_int_equal(rope_size(&r, ROPE_BYTES), 750 + 200 + 400);
	buf_release(&wide);
	rope_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_read_as_in_an_array),
		cmocka_unit_test(places_convert_between_all_units),
		cmocka_unit_test(place_inside_a_code_point_is_its_beginning),
		cmocka_unit_test(leaf_of_uneven_code_points_is_split_until_there_is_room),
		cmocka_unit_test(sums_are_those_of_the_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
