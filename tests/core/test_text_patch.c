/* Changes of a text taken back, made again and added up, compared with arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/text_log.h"
#include "core/text_patch.h"
#include "tests/support/prng.h"

enum { POINTS_MAX = 4000, OLD = 60, CHANGES = 80 };

static const char *const points[] = { "a", "é", "会", "😀" };
static const uint32_t units[][4] = { { 1, 1, 1, 1 }, { 1, 2, 3, 4 }, { 1, 1, 1, 2 } };

/* A code point, and where it was in the old text, or NEW. */
struct point {
	uint8_t which;
	uint32_t old;
};
enum { NEW = UINT32_MAX };

struct world {
	struct prng prng;
	struct rope rope;
	struct text_log log;
	struct text_patch patch;
	struct point old[OLD], now[POINTS_MAX];
	uint32_t count;
};

static void begin(struct world *w, uint64_t seed, enum rope_unit unit)
{
	*w = (struct world){ .rope = ROPE_EMPTY, .log = TEXT_LOG_EMPTY, .count = OLD };
	prng_init(&w->prng, seed);
	text_patch_init(&w->patch, unit);
	for (uint32_t i = 0; i < OLD; i++) {
		w->old[i] = (struct point){ (uint8_t)prng_below(&w->prng, 4), i };
		assert_int_equal(rope_insert(&w->rope, i, bytes_of_str(points[w->old[i].which])),
				 OK);
	}
	memcpy(w->now, w->old, sizeof(w->old));
}

static void end(struct world *w)
{
	rope_release(&w->rope);
	text_log_release(&w->log);
	text_patch_release(&w->patch);
}

static void insert(struct world *w, uint32_t pos)
{
	uint8_t which = (uint8_t)prng_below(&w->prng, 4);
	struct bytes text = bytes_of_str(points[which]);

	assert_int_equal(text_patch_insert(&w->patch, pos, 1), OK);
	assert_int_equal(text_log_insert(&w->log, &w->rope, pos, text, 1), OK);
	memmove(w->now + pos + 1, w->now + pos, (w->count - pos) * sizeof(*w->now));
	w->now[pos] = (struct point){ which, NEW };
	w->count++;
}

static void take_out(struct world *w, uint32_t pos, uint32_t count)
{
	assert_int_equal(text_patch_remove(&w->patch, &w->rope, pos, count), OK);
	assert_int_equal(text_log_remove(&w->log, &w->rope, pos, count), OK);
	memmove(w->now + pos, w->now + pos + count, (w->count - pos - count) * sizeof(*w->now));
	w->count -= count;
}

/* Where one changes mostly somebody else has changed before. */
static void change(struct world *w)
{
	uint32_t pos = (uint32_t)prng_below(&w->prng, w->count + 1);
	uint32_t gone = (uint32_t)prng_below(&w->prng, 6);

	if (prng_chance(&w->prng, 50))
		insert(w, pos);
	else
		take_out(w, pos, gone < w->count - pos ? gone : w->count - pos);
}

/* What stands between two code points that were there before and still are. */
static void expect_hunks(struct world *w)
{
	enum rope_unit unit = w->patch.unit;
	uint32_t old = 0;
	size_t hunk = 0;

	for (uint32_t i = 0; i <= w->count;) {
		struct text_hunk expected = { .at = old };

		while (i < w->count && w->now[i].old == NEW) {
			expected.come++;
			i++;
		}
		for (; old < (i < w->count ? w->now[i].old : OLD); old++) {
			expected.gone++;
			expected.gone_units += units[unit][w->old[old].which];
		}
		while (hunk < w->patch.count && w->patch.hunks[hunk].gone == 0 &&
		       w->patch.hunks[hunk].come == 0)
			hunk++; /* it has healed */
		if (expected.come || expected.gone) {
			assert_true(hunk < w->patch.count);
			assert_memory_equal(&w->patch.hunks[hunk++], &expected, sizeof(expected));
		}
		old++;
		i++;
	}
	assert_int_equal(hunk, w->patch.count);
}

static void patch_is_what_the_changes_come_to(void **state)
{
	uint64_t seed = prng_seed_from_environment();

	(void)state;
	for (uint64_t story = 0; story < 300; story++) {
		struct world w;

		begin(&w, seed + story, (enum rope_unit)(story % 3));
		for (unsigned i = 0; i < CHANGES; i++) {
			change(&w);
			expect_hunks(&w);
		}
		end(&w);
	}
}

static void assert_reads(const struct rope *r, const struct buf *expected)
{
	struct buf text = BUF_EMPTY;

	rope_check(r);
	rope_read(r, 0, rope_size(r, ROPE_POINTS), &text);
	assert_true(bytes_equal(buf_bytes(&text), buf_bytes(expected)));
	buf_release(&text);
}

static void log_leads_back_and_forth(void **state)
{
	uint64_t seed = prng_seed_from_environment();

	(void)state;
	for (uint64_t story = 0; story < 30; story++) {
		struct buf then[CHANGES + 1] = { BUF_EMPTY };
		size_t items[CHANGES + 1] = { 0 }, forgotten = 0;
		struct world w;

		begin(&w, seed + story, ROPE_POINTS);
		rope_read(&w.rope, 0, w.count, &then[0]);
		for (unsigned i = 1; i <= CHANGES; i++) {
			change(&w);
			items[i] = w.log.count;
			rope_read(&w.rope, 0, w.count, &then[i]);
		}
		for (unsigned i = 0; i < 20; i++) {
			unsigned to = (unsigned)prng_below(&w.prng, CHANGES + 1);

			if (items[to] < forgotten)
				continue;
			assert_int_equal(text_log_undo(&w.log, &w.rope, items[to] - forgotten), OK);
			assert_reads(&w.rope, &then[to]);
			assert_int_equal(text_log_redo(&w.log, &w.rope, items[to] - forgotten), OK);
			assert_reads(&w.rope, &then[CHANGES]);
			if (i % 5 == 4) {
				text_log_forget(&w.log, items[to / 2] < forgotten
								? 0
								: items[to / 2] - forgotten);
				forgotten = items[CHANGES] - w.log.count;
			}
		}
		for (unsigned i = 0; i <= CHANGES; i++)
			buf_release(&then[i]);
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patch_is_what_the_changes_come_to),
		cmocka_unit_test(log_leads_back_and_forth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
