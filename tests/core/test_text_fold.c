/* core/store_text, core/store_text_pack: however many edits a text has, they lie in few rows, and
 * are read as they were written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/store.h"
#include "core/text_pack.h"
#include "tests/support/prng.h"

enum { EDITS_MAX = 17000, AUTHORS = 3, ROWS_MAX = 511 };

struct written {
	struct dot dot;
	struct text_edit edit;
	struct text_run run;
	uint32_t parents[3];
	struct text_row row;
};

struct world {
	struct store *store;
	struct text_ref text, other;
	struct prng prng;
	struct arena arena;
	struct written *edits;
	uint32_t count;
	uint64_t seqs[AUTHORS];
	uint32_t at; /* of the next row that is read */
};

#define STORE_MUST(call)                                     \
	do {                                                 \
		struct errmsg msg = { .text = "" };          \
		if ((call) != OK)                            \
			fail_msg("%s: %s", #call, msg.text); \
	} while (0)

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->edits = calloc(EDITS_MAX, sizeof(*w->edits));
	w->text = (struct text_ref){ 1, 2, 3, { { 4 } } };
	w->other = (struct text_ref){ 1, 2, 3, { { 5 } } };
	prng_init(&w->prng, prng_seed_from_environment());
	STORE_MUST(store_open(&w->store, ":memory:", NULL, true, false, &msg));
	STORE_MUST(store_begin(w->store, &msg));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	store_rollback(w->store);
	store_close(w->store);
	arena_release(&w->arena);
	free(w->edits);
	free(w);
	return 0;
}

/* ---- Writing --------------------------------------------------------------- */

/* After few of the newest edits, mostly the last one; in the order of dots, not of numbers. */
static void draw_parents(struct world *w, struct written *e)
{
	uint64_t far = prng_chance(&w->prng, 1) ? w->count : 40;
	uint32_t newest = w->count;

	e->row.parents = e->parents;
	for (int i = 0; i < 3 && newest > 0; i++) {
		uint64_t back = prng_chance(&w->prng, 97) ? 1 : 1 + prng_below(&w->prng, far);

		if (back > newest || (i > 0 && prng_chance(&w->prng, 90)))
			break;
		newest -= (uint32_t)back;
		e->parents[e->row.parent_count++] = newest;
	}
	if (e->row.parent_count > 1) {
		uint32_t first = e->parents[0];

		e->parents[0] = e->parents[1];
		e->parents[1] = first;
	}
}

static uint32_t reach_of(const struct text_row *row)
{
	uint32_t reach = row->parent_count ? UINT32_MAX : 0;

	for (size_t i = 0; i < row->parent_count; i++)
		reach = row->parents[i] + 1 < reach ? row->parents[i] + 1 : reach;
	return reach;
}

static void encode(struct world *w, struct written *e)
{
	struct buf bytes = BUF_EMPTY;

	text_edit_encode(&bytes, &e->edit);
	e->row.edit = arena_copy(&w->arena, buf_bytes(&bytes));
	e->row.text = e->edit.text;
	buf_release(&bytes);
}

/* Of a text that was `length` long. */
static void write_edit(struct world *w, struct bytes text, uint32_t length)
{
	struct written *e = &w->edits[w->count];
	uint64_t author = prng_below(&w->prng, AUTHORS);

	w->seqs[author] += 1 + prng_below(&w->prng, 2);
	e->run = (struct text_run){ length / 2, (uint32_t)text.size, TEXT_INSERT };
	e->edit = (struct text_edit){ length, &e->run, 1, text };
	e->row.at = w->count;
	e->row.dot = (struct dot){ { { (uint8_t)author } }, w->seqs[author] };
	e->row.sees_all = prng_chance(&w->prng, 50);
	e->row.is_adrift = prng_chance(&w->prng, 1);
	e->row.before = prng_chance(&w->prng, 1) ? length + 5 : length;
	e->row.after = e->row.before + e->run.count;
	draw_parents(w, e);
	e->row.reach = reach_of(&e->row);
	encode(w, e);
	STORE_MUST(store_text_add(w->store, &w->text, &e->row, &msg));
	w->count++;
}

static void write_to(struct world *w, uint32_t count)
{
	while (w->count < count)
		write_edit(w, bytes_of_str("word"), 1000 + w->count);
}

/* ---- Reading --------------------------------------------------------------- */

static bool has_parent(const struct text_row *row, uint32_t parent)
{
	for (size_t i = 0; i < row->parent_count; i++)
		if (row->parents[i] == parent)
			return true;
	return false;
}

static enum err compare_row(void *ctx, const struct text_row *row)
{
	struct world *w = ctx;
	const struct text_row *was = &w->edits[w->at].row;

	assert_int_equal(row->at, w->at++);
	assert_int_equal(dot_cmp(&row->dot, &was->dot), 0);
	assert_true(bytes_equal(row->edit, was->edit) && bytes_equal(row->text, was->text));
	assert_int_equal(row->before, was->before);
	assert_int_equal(row->after, was->after);
	assert_int_equal(row->reach, was->reach);
	assert_true(row->sees_all == was->sees_all && row->is_adrift == was->is_adrift);
	assert_int_equal(row->parent_count, was->parent_count);
	for (size_t i = 0; i < was->parent_count; i++)
		assert_true(has_parent(row, was->parents[i]));
	return OK;
}

static void assert_rows(struct world *w, uint32_t from)
{
	w->at = from;
	STORE_MUST(store_each_text_row(w->store, &w->text, from, &w->arena, compare_row, w, &msg));
	assert_int_equal(w->at, w->count);
}

static void assert_found(struct world *w, uint32_t number)
{
	uint32_t at = 0;

	STORE_MUST(store_text_find(w->store, &w->text, &w->edits[number].row.dot, 1, &at, &msg));
	assert_int_equal(at, number);
}

/* Edits before the base have been seen by all others, and they are the most. */
static void assert_base(struct world *w, uint32_t least)
{
	uint32_t base, length, expected = 0, expected_length = 0, limit = least;

	for (uint32_t i = w->count; i-- > 0 && limit && !expected;) {
		if (w->edits[i].row.sees_all && i + 1 <= limit) {
			expected = i + 1;
			expected_length = w->edits[i].row.after;
		}
		limit = w->edits[i].row.reach < limit ? w->edits[i].row.reach : limit;
	}
	STORE_MUST(store_text_base(w->store, &w->text, least, &base, &length, &msg));
	assert_int_equal(base, expected);
	assert_int_equal(length, expected_length);
}

static int64_t count_rows(struct world *w, const char *sql)
{
	struct rows *rows;
	int64_t count;

	STORE_MUST(store_rows_open(&rows, w->store, sql, NULL, 0, &msg));
	assert_true(rows_next(rows));
	count = rows_int(rows, 0);
	STORE_MUST(rows_close(rows, &msg));
	return count;
}

static void assert_all(struct world *w)
{
	const struct dot nobody = { .seq = 1000000 };
	uint32_t count = 0, at;

	STORE_MUST(store_text_count(w->store, &w->text, &count, &msg));
	assert_int_equal(count, w->count);
	assert_true(
		count_rows(w,
			   "SELECT count(*) FROM text_edit WHERE substr(record, 1, 1) = x'04'") <=
		ROWS_MAX);
	assert_rows(w, 0);
	for (int i = 0; i < 10; i++) {
		assert_rows(w, (uint32_t)prng_below(&w->prng, w->count));
		assert_found(w, (uint32_t)prng_below(&w->prng, w->count));
		assert_base(w, (uint32_t)prng_below(&w->prng, w->count + 1));
	}
	assert_base(w, w->count);
	STORE_MUST(store_text_find(w->store, &w->text, &nobody, 1, &at, &msg));
	assert_int_equal(at, UINT32_MAX);
}

static void edits_are_read_as_they_were_written(void **state)
{
	static const uint32_t counts[] = { 1, 300, 511, 512, 600, 2304, 2560, 5000, EDITS_MAX };
	struct world *w = *state;
	struct written other = { .row = { .text = bytes_of_str("") } };

	encode(w, &other);
	STORE_MUST(store_text_add(w->store, &w->other, &other.row, &msg));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		write_to(w, counts[i]);
		assert_all(w);
	}
	assert_true(count_rows(w, "SELECT count(*) FROM text_pack") <= 2 + 7);
	assert_int_equal(count_rows(w, "SELECT sum(last - first + 1) FROM text_pack"),
			 EDITS_MAX / 256 * 256 - 256);
}

static void large_edits_are_not_packed_together(void **state)
{
	struct world *w = *state;
	struct bytes large = { arena_alloc(&w->arena, 200 << 10), 200 << 10 };

	memset((uint8_t *)large.data, 'x', large.size);
	for (uint32_t i = 0; i < 2600; i++)
		write_edit(w, i % 100 == 50 ? large : bytes_of_str("x"), 10);
	assert_all(w);
	assert_int_equal(count_rows(w, "SELECT count(*) FROM text_pack WHERE size > 256 << 10"), 0);
	assert_true(count_rows(w, "SELECT count(*) FROM text_pack") > 20);
}

static void texts_are_cleared_with_their_space(void **state)
{
	struct world *w = *state;
	const uint32_t space = w->text.space;

	write_to(w, 600);
	STORE_MUST(store_clear_spaces(w->store, &space, 1, &msg));
	assert_int_equal(count_rows(w, "SELECT count(*) FROM text_pack"), 0);
	w->count = 0;
	memset(w->edits, 0, EDITS_MAX * sizeof(*w->edits));
	write_to(w, 600);
	assert_all(w);
	STORE_MUST(store_empty_state(w->store, &msg));
	assert_int_equal(count_rows(w, "SELECT count(*) FROM text_pack"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(edits_are_read_as_they_were_written),
		TEST(large_edits_are_not_packed_together),
		TEST(texts_are_cleared_with_their_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
