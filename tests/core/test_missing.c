/* core/missing, core/history: the log forwards for peers, backwards for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/office.h"

enum { OFFICES = 3, EDITS = 90 };

/* Three offices that have edited in turn, out of step with each other. */
struct world {
	struct office offices[OFFICES];
	struct space_id space;
	struct record_id records[2];
	struct arena arena;
};

static void set_title(struct world *w, unsigned office, unsigned record)
{
	struct value value = value_str("edited");

	office_set(&w->offices[office], &w->space, KIND_ACTION, &w->records[record], ACTION_TITLE,
		   &value);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct prng prng;

	prng_init(&prng, 1);
	for (unsigned i = 0; i < OFFICES; i++)
		office_open(&w->offices[i], NULL, i + 1);
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	for (unsigned i = 0; i < 2; i++)
		w->records[i] = office_item(&w->offices[0], &w->space, "Review the contract");
	for (unsigned i = 1; i < OFFICES; i++)
		office_pull(&w->offices[i], &w->offices[0]);
	for (int i = 0; i < EDITS; i++) {
		unsigned who = (unsigned)prng_below(&prng, OFFICES);

		set_title(w, who, i % 10 == 0);
		w->offices[who].now_ms += prng_below(&prng, 1000);
		if (prng_chance(&prng, 30))
			office_pull(&w->offices[who], &w->offices[prng_below(&prng, OFFICES)]);
	}
	for (unsigned i = 1; i < OFFICES; i++)
		office_pull(&w->offices[0], &w->offices[i]);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < OFFICES; i++)
		office_close(&w->offices[i]);
	arena_release(&w->arena);
	free(w);
	return 0;
}

static struct changeset decode(struct world *w, const struct sealed *s)
{
	struct changeset cs;

	OFFICE_MUST(changeset_decode(&cs, s->body, &s->replica, &w->arena, &msg));
	return cs;
}

/* Each one's predecessor and dependencies come before it, or are held. */
static void assert_causal(struct world *w, const struct vv *has, const struct sealed *list,
			  size_t count)
{
	struct vv seen = VV_EMPTY;

	assert_int_equal(vv_copy(&seen, has), OK);
	for (size_t i = 0; i < count; i++) {
		struct changeset cs = decode(w, &list[i]);

		assert_int_equal(list[i].seq, vv_get(&seen, &list[i].replica) + 1);
		for (size_t k = 0; k < cs.dep_count; k++)
			assert_true(vv_covers(&seen, &cs.deps[k]));
		assert_int_equal(vv_raise(&seen, &list[i].replica, list[i].seq), OK);
	}
	vv_release(&seen);
}

static size_t missing(struct world *w, const struct vv *has, size_t bytes_max, size_t count_max,
		      struct sealed **list, bool *more)
{
	size_t count;

	OFFICE_MUST(replica_missing(w->offices[0].replica, &w->space, has, bytes_max, count_max,
				    &w->arena, list, &count, more, &msg));
	return count;
}

static size_t log_size(struct world *w)
{
	const struct vv *vv = replica_vv(w->offices[0].replica, &w->space);
	size_t size = 0;

	for (size_t i = 0; i < vv->count; i++)
		size += vv->entries[i].seq;
	return size;
}

static void all_of_it_comes_in_causal_order(void **state)
{
	struct world *w = *state;
	struct sealed *list;
	bool more;
	size_t count = missing(w, &VV_EMPTY, SIZE_MAX, 1000, &list, &more);

	assert_false(more);
	assert_int_equal(count, log_size(w));
	assert_causal(w, &VV_EMPTY, list, count);
}

static void pieces_of_any_size_add_up(void **state)
{
	struct world *w = *state;

	for (size_t piece = 1; piece < 40; piece += 3) {
		struct vv has = VV_EMPTY;
		bool more = true;
		size_t total = 0;

		while (more) {
			struct sealed *list;
			size_t count = missing(w, &has, SIZE_MAX, piece, &list, &more);

			assert_in_range(count, 1, piece);
			assert_causal(w, &has, list, count);
			for (size_t i = 0; i < count; i++)
				assert_int_equal(vv_raise(&has, &list[i].replica, list[i].seq), OK);
			total += count;
		}
		assert_int_equal(total, log_size(w));
		vv_release(&has);
	}
}

static void bytes_end_a_piece_but_one_always_goes(void **state)
{
	struct world *w = *state;
	struct sealed *list;
	bool more;
	size_t one = missing(w, &VV_EMPTY, 1, 1000, &list, &more);
	size_t size = list[0].body.size + SIGNATURE_BYTES;

	assert_int_equal(one, 1);
	assert_true(more);
	assert_int_equal(missing(w, &VV_EMPTY, size, 1000, &list, &more), 1);
	assert_int_equal(missing(w, &VV_EMPTY, size + 1, 1000, &list, &more), 2);
}

static void who_has_all_or_more_lacks_nothing(void **state)
{
	struct world *w = *state;
	const struct vv *vv = replica_vv(w->offices[0].replica, &w->space);
	struct replica_id stranger = { { 1 } };
	struct vv has = VV_EMPTY;
	struct space_id unknown = { { 1 } };
	struct sealed *list;
	size_t count;
	bool more;

	assert_int_equal(missing(w, vv, SIZE_MAX, 1000, &list, &more), 0);
	assert_false(more);
	for (size_t i = 0; i < vv->count; i++)
		assert_int_equal(vv_raise(&has, &vv->entries[i].replica, UINT64_MAX), OK);
	assert_int_equal(vv_raise(&has, &stranger, 3), OK);
	assert_int_equal(missing(w, &has, SIZE_MAX, 1000, &list, &more), 0);
	vv_release(&has);
	OFFICE_MUST(replica_missing(w->offices[0].replica, &unknown, &VV_EMPTY, SIZE_MAX, 1000,
				    &w->arena, &list, &count, &more, &msg));
	assert_int_equal(count, 0);
}

/* History. */

struct seen {
	struct world *w;
	const struct record_id *record;
	struct stamp last;
	size_t count, stop_after;
};

static bool note_item(void *ctx, const struct space_id *space, const struct history_item *item)
{
	struct seen *s = ctx;
	bool touched = s->record == NULL;

	/* Newest first; two offices may have written at the same instant. */
	assert_true(s->count == 0 || hlc_cmp(item->stamp.hlc, s->last.hlc) <= 0);
	for (size_t i = 0; !touched && i < item->changeset->op_count; i++)
		touched = record_id_cmp(&item->changeset->ops[i].record, s->record) == 0;
	assert_true(touched);
	assert_int_equal(item->changeset->hlc.bits, item->stamp.hlc.bits);
	s->last = item->stamp;
	return ++s->count != s->stop_after;
}

static size_t history(struct world *w, const struct record_id *record, size_t count_max,
		      size_t stop_after)
{
	struct seen seen = { .w = w, .record = record, .stop_after = stop_after };

	OFFICE_MUST(
		replica_history(w->offices[0].replica, record, count_max, note_item, &seen, &msg));
	return seen.count;
}

static void history_comes_newest_first(void **state)
{
	struct world *w = *state;
	size_t all = (size_t)office_count(&w->offices[0], "SELECT count(*) FROM changeset");

	assert_int_equal(history(w, NULL, 10000, 0), all);
	assert_int_equal(history(w, &w->records[1], 10000, 0), EDITS / 10 + 1);
	assert_int_equal(history(w, &w->records[0], 10000, 0), EDITS - EDITS / 10 + 1);
	assert_int_equal(history(w, &(struct record_id){ { 1 } }, 10000, 0), 0);
}

static void history_ends_when_told(void **state)
{
	struct world *w = *state;

	assert_int_equal(history(w, NULL, 7, 0), 7);
	assert_int_equal(history(w, NULL, 10000, 5), 5);
	assert_int_equal(history(w, NULL, 0, 0), 0);
}

/* Feeds are read backwards in pieces: those must join without a seam. */
static void history_of_a_long_feed_has_no_gaps(void **state)
{
	struct world *w = *state;
	size_t before = history(w, &w->records[1], 10000, 0);

	for (int i = 0; i < 200; i++)
		set_title(w, 0, 1);
	assert_int_equal(history(w, &w->records[1], 10000, 0), before + 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(all_of_it_comes_in_causal_order),
		TEST(pieces_of_any_size_add_up),
		TEST(bytes_end_a_piece_but_one_always_goes),
		TEST(who_has_all_or_more_lacks_nothing),
		TEST(history_comes_newest_first),
		TEST(history_ends_when_told),
		TEST(history_of_a_long_feed_has_no_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
