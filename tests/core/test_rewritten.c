/* core/rewritten: which dot stands for which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/rewritten.h"
#include "tests/support/office.h"

static const struct replica_id old = { "old" }, fresh = { "fresh" }, other = { "other" };
static const struct space_id space = { "space" };

/* 5 .. 7 became fresh/1 .. 3, 8 was left out, 9 is other/4, 10 fresh/4. */
static struct rewritten sample(void)
{
	static const struct {
		uint64_t seq;
		struct dot to;
	} notes[] = { { 5, { { "fresh" }, 1 } },
		      { 6, { { "fresh" }, 2 } },
		      { 7, { { "fresh" }, 3 } },
		      { 9, { { "other" }, 4 } },
		      { 10, { { "fresh" }, 4 } } };
	struct rewritten w = { .replica = old, .space = space };

	for (uint64_t seq = 5; seq <= 10; seq++)
		rewritten_see(&w, seq);
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		OFFICE_MUST(rewritten_note(&w, notes[i].seq, &notes[i].to));
	w.log_seq = 10;
	return w;
}

static void assert_became(const struct rewritten *w, uint64_t seq, const struct replica_id *to,
			  uint64_t to_seq)
{
	struct dot dot;

	assert_true(rewritten_find(w, seq, &dot));
	assert_int_equal(replica_id_cmp(&dot.replica, to), 0);
	assert_int_equal(dot.seq, to_seq);
}

static void what_was_noted_is_found(void **state)
{
	struct rewritten w = sample();
	struct dot dot;

	assert_became(&w, 6, &fresh, 2);
	assert_became(&w, 9, &other, 4);
	assert_became(&w, 10, &fresh, 4);
	assert_false(rewritten_find(&w, 4, &dot));
	assert_false(rewritten_find(&w, 8, &dot));
	assert_int_equal(w.count, 3);
	rewritten_release(&w);
}

static void of_two_notes_the_later_holds(void **state)
{
	struct rewritten w = sample();

	OFFICE_MUST(rewritten_note(&w, 6, &(struct dot){ other, 9 }));
	assert_became(&w, 6, &other, 9);
	assert_became(&w, 5, &fresh, 1);
	rewritten_release(&w);
}

static void who_has_seen_the_old_has_seen_the_new(void **state)
{
	struct rewritten w = sample();
	struct dot seen[8];

	assert_int_equal(rewritten_seen(&w, 3, seen), 1);
	assert_int_equal(seen[0].seq, 3);
	assert_int_equal(rewritten_seen(&w, 6, seen), 2);
	assert_int_equal(replica_id_cmp(&seen[0].replica, &old), 0);
	assert_int_equal(seen[0].seq, 4);
	assert_int_equal(replica_id_cmp(&seen[1].replica, &fresh), 0);
	assert_int_equal(seen[1].seq, 2);
	assert_int_equal(rewritten_seen(&w, 99, seen), 3);
	assert_int_equal(seen[1].seq, 4);
	assert_int_equal(seen[2].seq, 4);
	rewritten_release(&w);
}

static void it_is_there_again_after_it_was_saved(void **state)
{
	struct rewritten w = sample(), again;
	struct store *store;

	OFFICE_MUST(store_open(&store, ":memory:", NULL, true, false, &msg));
	OFFICE_MUST(rewritten_load(&again, store, &old, &space, &msg));
	assert_int_equal(again.first + again.log_seq + again.count, 0);
	OFFICE_MUST(rewritten_save(&w, store, &msg));
	OFFICE_MUST(rewritten_load(&again, store, &old, &space, &msg));
	assert_int_equal(again.first, 5);
	assert_int_equal(again.log_seq, 10);
	assert_int_equal(again.count, w.count);
	assert_memory_equal(again.runs, w.runs, w.count * sizeof(*w.runs));
	rewritten_release(&again);
	rewritten_release(&w);
	store_close(store);
}

static void damaged_note_is_refused(void **state)
{
	struct bytes value = bytes_of("\x93\x01\x01\x91\x01", 5);
	struct rewritten w = sample();
	struct store *store;
	struct errmsg why;

	OFFICE_MUST(store_open(&store, ":memory:", NULL, true, false, &msg));
	OFFICE_MUST(store_setting_put(store,
				      "rewritten:6f6c6400000000000000000000000000:"
				      "73706163650000000000000000000000",
				      &value, &msg));
	assert_int_equal(rewritten_load(&w, store, &old, &space, &why), ERR_CORRUPT);
	rewritten_release(&w);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_noted_is_found),
		cmocka_unit_test(of_two_notes_the_later_holds),
		cmocka_unit_test(who_has_seen_the_old_has_seen_the_new),
		cmocka_unit_test(it_is_there_again_after_it_was_saved),
		cmocka_unit_test(damaged_note_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
