/* The replica on a disk that runs full at any write, and on one that fails at any sync: a clear
 * error, reading goes on, nothing acknowledged is lost, and work goes on once the disk is well.
 * ctest: labels=slow timeout=600 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "tests/sim/drill.h"

enum {
	PIECES = 8, /* of work, in each of which every write and sync has its turn */
	CUTS = 2,   /* looks at what a power cut would leave */
	TRIES = 8,  /* until an edit gets through again */
	SYNC_FAILS_MAX = 4,
	LONG_EDITS = 24, /* enough for a checkpoint */
};

static void must(enum err rc, const struct errmsg *msg)
{
	if (rc != OK)
		fail_msg("%s: %s", err_name(rc), msg->text);
}

static void look_whole(struct drill *d, struct memdisk *disk)
{
	struct errmsg why = { 0 };

	if (drill_inspect(d, disk, &why) != FOUND_WHOLE)
		fail_msg("%s", why.text);
}

static void survives_power_cuts(struct drill *d)
{
	for (int i = 0; i < CUTS; i++) {
		struct memdisk *copy = memdisk_copy(d->disk);

		memdisk_crash(copy, &d->dice);
		memdisk_on(copy);
		look_whole(d, copy);
		memdisk_free(copy);
	}
}

static void can_be_read(struct drill *d)
{
	uint8_t hash[STATE_HASH_BYTES];
	struct errmsg msg = { 0 };
	bool changed;

	must(replica_refresh(d->ours.replica, &changed, &msg), &msg);
	must(replica_state_hash(d->ours.replica, hash, &msg), &msg);
	assert_true(office_count(&d->ours, "SELECT count(*) FROM action_item") >= 0);
	for (int i = 0; i < 2; i++)
		assert_true(vv_dominates(replica_vv(d->ours.replica, &d->spaces[i]), &d->acked[i]));
}

static void works_again(struct drill *d)
{
	struct errmsg msg = { 0 };

	for (int i = 0; i < PIECES / 2; i++)
		must(drill_work(d, &msg), &msg);
	survives_power_cuts(d);
}

static void begin(struct drill *d, uint64_t seed)
{
	drill_init(d, seed);
	drill_prepare(d);
}

/* Work until something is refused. */
static enum err work(struct drill *d, struct errmsg *msg)
{
	enum err rc = OK;

	for (int i = 0; rc == OK && i < PIECES; i++)
		rc = drill_work(d, msg);
	return rc;
}

/* The process ends, as it does when a command fails, or is killed; another starts. */
static void start_anew(struct drill *d, bool is_killed)
{
	struct errmsg msg = { 0 };

	if (is_killed)
		memdisk_kill(d->disk);
	office_close(&d->ours);
	if (is_killed)
		memdisk_on(d->disk);
	must(drill_open(d, &msg), &msg);
}

/* ---- No space -------------------------------------------------------------------- */

/* False: the work needs no more than `writes`. */
static bool run_full_after(uint64_t seed, uint64_t writes)
{
	struct drill d;
	struct errmsg msg = { 0 };
	enum err rc;

	begin(&d, seed);
	memdisk_fill_after(d.disk, writes);
	rc = work(&d, &msg);
	if (rc != OK) {
		assert_int_equal(rc, ERR_FULL);
		assert_non_null(strstr(msg.text, "the disk is full"));
	}
	can_be_read(&d);
	survives_power_cuts(&d);
	start_anew(&d, writes % 2);
	can_be_read(&d);
	memdisk_fill_after(d.disk, UINT64_MAX);
	works_again(&d);
	drill_release(&d);
	return rc != OK;
}

static void a_disk_that_is_full_at_any_write_refuses_and_loses_nothing(void **state)
{
	uint64_t seed = prng_seed_from_environment(), writes = 0;

	while (run_full_after(seed, writes))
		writes++;
	print_message("%u writes in turn\n", (unsigned)writes);
	assert_true(writes > PIECES);
}

/* ---- A sync that fails ----------------------------------------------------------- */

/* Each try may come upon a sync that fails. */
static void edit_until_it_succeeds(struct drill *d)
{
	struct errmsg msg = { 0 };
	enum err rc = ERR_IO;

	for (int i = 0; rc == ERR_IO && i < TRIES; i++) {
		rc = drill_edit(d, DRILL_TITLE_BYTES, &msg);
		can_be_read(d);
	}
	must(rc, &msg);
}

enum then { GO_ON, END, BE_KILLED, THEN_COUNT };

/* False: the work has no more than `syncs`. */
static bool run_failing_after(uint64_t seed, uint64_t syncs, uint64_t fails, enum then then)
{
	struct drill d;
	struct errmsg msg = { 0 };
	uint64_t before;
	bool has_come;
	enum err rc;

	begin(&d, seed);
	before = memdisk_stats(d.disk).syncs;
	memdisk_fail_sync_after(d.disk, syncs, fails);
	rc = work(&d, &msg);
	has_come = memdisk_stats(d.disk).syncs - before > syncs;
	if (rc != OK) {
		assert_int_equal(rc, ERR_IO);
		assert_non_null(strstr(msg.text, "the disk failed"));
	}
	can_be_read(&d);
	survives_power_cuts(&d);
	if (then != GO_ON)
		start_anew(&d, then == BE_KILLED);
	edit_until_it_succeeds(&d);
	survives_power_cuts(&d);
	assert_int_equal(memdisk_stats(d.disk).blind, 0);
	works_again(&d);
	drill_release(&d);
	return has_come;
}

static void run_failing(enum then then)
{
	uint64_t seed = prng_seed_from_environment();

	for (uint64_t fails = 1; fails <= SYNC_FAILS_MAX; fails *= 2) {
		uint64_t syncs = 0;

		while (run_failing_after(seed, syncs, fails, then))
			syncs++;
		print_message("%u syncs in turn, %u failing in a row\n", (unsigned)syncs,
			      (unsigned)fails);
		assert_true(syncs > 1);
	}
}

static void after_a_failed_sync_nothing_is_written_before_the_store_is_opened_anew(void **state)
{
	run_failing(GO_ON);
}

static void a_failed_sync_leaves_no_trap_for_the_next_process(void **state)
{
	run_failing(END);
	run_failing(BE_KILLED);
}

/* A checkpoint follows a commit that stands: nobody would be told. */
static void a_sync_that_fails_in_a_checkpoint_is_noticed(void **state)
{
	uint64_t seed = prng_seed_from_environment();
	bool was_noticed = false;

	/* A checkpoint syncs twice: no need to try each. */
	for (uint64_t syncs = 0; syncs < LONG_EDITS; syncs += 2) {
		struct drill d;
		struct errmsg msg = { 0 };

		begin(&d, seed);
		memdisk_fail_sync_after(d.disk, syncs, 1);
		for (int i = 0; i < LONG_EDITS; i++) {
			bool is_refused = drill_edit(&d, DRILL_TEXT_MAX, &msg) != OK;

			was_noticed |= !is_refused && replica_disk(d.ours.replica) == DISK_FAILED;
		}
		assert_int_equal(memdisk_stats(d.disk).blind, 0);
		survives_power_cuts(&d);
		drill_release(&d);
	}
	assert_true(was_noticed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_is_full_at_any_write_refuses_and_loses_nothing),
		cmocka_unit_test(
			after_a_failed_sync_nothing_is_written_before_the_store_is_opened_anew),
		cmocka_unit_test(a_sync_that_fails_in_a_checkpoint_is_noticed),
		cmocka_unit_test(a_failed_sync_leaves_no_trap_for_the_next_process),
	};

	return cmocka_run_group_tests_name("sim/disk_faults", tests, NULL, NULL);
}
