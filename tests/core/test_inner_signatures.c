/* core: a member signs changesets with rubbish and what follows them rightly. A later signature
 * vouches for them (I-6), so they are taken together; honest nodes pass them on and hold them as
 * sound ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/scrub.h"
#include "tests/support/forge.h"

enum { RUN = 5, CYCLES = 6, SLICES_MAX = 1000, HOUR_MS = 3600 * 1000 };

/* `a` has the feed from its owner; `b` has it from `a`. */
struct world {
	struct office a, b;
	struct space_id space;
	struct forge forge;
	struct record_id item;
	uint64_t wall_ms;
	struct sealed list[64];
	size_t count;
	struct arena arena;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	forge_open(&w->forge, &w->a, &w->space, "NYC", 5);
	w->item = office_item(&w->a, &w->space, "Review the contract");
	office_sync(&w->a, &w->b);
	w->wall_ms = w->a.now_ms;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	forge_close(&w->forge);
	arena_release(&w->arena);
	free(w);
	return 0;
}

static void write_next(struct world *w, bool is_signed)
{
	struct op op = { .record = { { 1, (uint8_t)w->forge.head.seq } },
			 .kind = KIND_ACTION,
			 .field = ACTION_TITLE,
			 .verb = VERB_SET,
			 .value = value_str("a title of some length, as people write them") };
	struct sealed sealed = forge_ops(&w->forge, w->wall_ms++, NULL, 0, &op, 1);
	uint8_t rubbish[SIGNATURE_BYTES] = { 7 };

	if (!is_signed) {
		sealed.signature =
			arena_copy(&w->forge.arena, bytes_of(rubbish, SIGNATURE_BYTES)).data;
		memcpy(w->forge.head.signature, rubbish, SIGNATURE_BYTES);
	}
	w->list[w->count++] = sealed;
}

/* So many with rubbish, and one that is signed. */
static void write_run(struct world *w, unsigned rubbish)
{
	while (rubbish--)
		write_next(w, false);
	write_next(w, true);
}

static struct receipt deliver(struct world *w, struct office *to)
{
	struct receipt receipt;

	OFFICE_MUST(replica_receive(to->replica, &w->space, w->list, w->count, to->now_ms, &receipt,
				    &msg));
	w->count = 0;
	return receipt;
}

/* Runs of several lengths, between which `a` edits. */
static void write_history(struct world *w)
{
	struct value value = value_str("meanwhile");

	for (unsigned i = 0; i < CYCLES; i++) {
		write_run(w, i % RUN);
		w->a.now_ms = w->wall_ms;
		deliver(w, &w->a);
		office_set(&w->a, &w->space, KIND_ACTION, &w->item, ACTION_TITLE, &value);
		w->wall_ms = w->a.now_ms;
	}
}

/* All that `b` lacks, in chunks; how many it took. */
static size_t relay(struct world *w, size_t bytes_max, size_t count_max)
{
	size_t chunks = 0, count;
	bool more = true;

	w->b.now_ms = w->a.now_ms;
	for (;; chunks++) {
		struct receipt receipt;
		struct sealed *list;

		arena_reset(&w->arena);
		OFFICE_MUST(replica_missing(w->a.replica, &w->space,
					    replica_vv(w->b.replica, &w->space), bytes_max,
					    count_max, &w->arena, &list, &count, &more, &msg));
		if (count == 0)
			break;
		OFFICE_MUST(replica_receive(w->b.replica, &w->space, list, count, w->b.now_ms,
					    &receipt, &msg));
		assert_int_equal(receipt.held_back, 0);
		assert_int_equal(receipt.applied, count);
	}
	assert_false(more);
	return chunks;
}

static void assert_sound(struct office *o)
{
	struct verify_report report;
	struct scrub *scrub;
	struct scrub_state seen = { .is_at_work = true };

	OFFICE_MUST(replica_verify(o->replica, &report, NULL, NULL, &msg));
	OFFICE_MUST(scrub_new(&scrub, o->replica, &msg));
	for (unsigned i = 0; seen.is_at_work && i < SLICES_MAX; i++) {
		OFFICE_MUST(scrub_slice(scrub, o->now_ms, 1 + i % 3, &msg));
		OFFICE_MUST(scrub_look(o->replica, &seen, &msg));
	}
	scrub_free(scrub);
	assert_false(seen.is_at_work);
	assert_int_equal(replica_damage(o->replica)->count, 0);
}

static void assert_relayed(struct world *w)
{
	assert_int_equal(vv_get(replica_vv(w->b.replica, &w->space), &w->forge.identity.replica),
			 w->forge.head.seq);
	assert_true(office_agrees(&w->a, &w->b));
}

static void relayed_in_chunks_of_every_size_they_arrive(void **state)
{
	for (size_t size = 1; size < 2 * RUN + 4; size++) {
		struct world *w;

		set_up((void **)&w);
		write_history(w);
		relay(w, SIZE_MAX, size);
		assert_relayed(w);
		tear_down((void **)&w);
	}
	for (size_t bytes = 1; bytes < 2500; bytes += 149) {
		struct world *w;

		set_up((void **)&w);
		write_history(w);
		relay(w, bytes, 1000);
		assert_relayed(w);
		tear_down((void **)&w);
	}
}

static void verify_and_the_scrub_see_no_damage(void **state)
{
	struct world *w = *state;

	write_history(w);
	relay(w, SIZE_MAX, 3);
	assert_sound(&w->a);
	assert_sound(&w->b);
}

/* Asked for one, a node has nothing to tell, and nothing is wrong with it. */
static void one_is_not_told_and_no_damage(void **state)
{
	struct world *w = *state;
	struct dot dot = { w->forge.identity.replica, 2 };
	struct told told;

	write_run(w, 3);
	deliver(w, &w->a);
	assert_int_equal(replica_tell(w->a.replica, &w->space, &dot, &w->arena, &told, NULL),
			 ERR_CORRUPT);
	assert_int_equal(replica_damage(w->a.replica)->count, 0);
}

/* Others' changes between those of a run do not make it too long. */
static void a_run_goes_by_itself_if_others_lie_between(void **state)
{
	struct world *w = *state;
	struct value value = value_str("meanwhile");

	write_next(w, false);
	w->a.now_ms = w->wall_ms;
	for (int i = 0; i < 20; i++)
		office_set(&w->a, &w->space, KIND_ACTION, &w->item, ACTION_TITLE, &value);
	w->wall_ms = w->a.now_ms + 1;
	write_run(w, 1);
	w->a.now_ms = w->wall_ms;
	deliver(w, &w->a);
	assert_int_equal(relay(w, SIZE_MAX, 10), 3);
	assert_relayed(w);
}

/* The signature that vouches stands on what is dated too far ahead: nobody is to blame. */
static void what_vouches_may_have_to_wait(void **state)
{
	struct world *w = *state;
	uint64_t now_ms = w->a.now_ms;
	struct receipt receipt;

	write_run(w, 0);
	write_next(w, false);
	w->wall_ms = now_ms + HLC_AHEAD_MS_MAX + HOUR_MS;
	write_next(w, true);
	receipt = deliver(w, &w->a);
	assert_int_equal(receipt.applied, 0);
	assert_int_equal(receipt.held_back, 3);
	assert_true(hlc_is_future(receipt.held_hlc, now_ms));
	w->count = 3;
	w->a.now_ms += 2 * HOUR_MS;
	assert_int_equal(deliver(w, &w->a).applied, 3);
}

/* `b` holds another branch: it parts after one that is signed with rubbish, so what vouched for
 * that leaves the log. The proof vouches for it now. */
static void a_proof_vouches_for_what_is_before_the_fork(void **state)
{
	struct world *w = *state;
	struct dot dot = { w->forge.identity.replica, 4 };
	struct forge common;
	struct told told;
	struct witness theirs;
	struct office c;

	office_pull_statements(&w->b, &w->a);
	write_run(w, 0);
	write_next(w, false);
	write_next(w, false);
	common = w->forge;
	write_next(w, true);
	deliver(w, &w->a);
	w->count = 3;
	common.arena = w->forge.arena;
	w->forge = common;
	w->wall_ms++;
	write_next(w, true);
	w->b.now_ms = w->wall_ms;
	deliver(w, &w->b);
	OFFICE_MUST(replica_tell(w->b.replica, &w->space, &dot, &w->arena, &told, &msg));
	told_witness(&theirs, &told);
	OFFICE_MUST(replica_prove_fork(w->a.replica, &w->space, &dot, &theirs, w->wall_ms, &msg));
	office_pull(&w->b, &w->a);
	assert_int_equal(vv_get(replica_vv(w->a.replica, &w->space), &dot.replica), 3);
	assert_sound(&w->a);
	assert_sound(&w->b);
	office_open(&c, NULL, 3);
	office_join(&c, &w->a, "PAR");
	office_grant(&w->a, &w->space, "PAR", ROLE_READER);
	c.now_ms = w->wall_ms + HOUR_MS;
	office_pull(&c, &w->a);
	assert_int_equal(vv_get(replica_vv(c.replica, &w->space), &dot.replica), 3);
	assert_sound(&c);
	office_close(&c);
}

/* Nothing follows that vouches for it. */
static void at_the_end_it_is_refused(void **state)
{
	struct world *w = *state;
	struct receipt receipt;

	write_run(w, 0);
	write_next(w, false);
	assert_int_equal(replica_receive(w->a.replica, &w->space, w->list, w->count, w->a.now_ms,
					 &receipt, NULL),
			 ERR_SIGNATURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		cmocka_unit_test(relayed_in_chunks_of_every_size_they_arrive),
		TEST(verify_and_the_scrub_see_no_damage),
		TEST(one_is_not_told_and_no_damage),
		TEST(a_run_goes_by_itself_if_others_lie_between),
		TEST(what_vouches_may_have_to_wait),
		TEST(a_proof_vouches_for_what_is_before_the_fork),
		TEST(at_the_end_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
