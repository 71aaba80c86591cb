/* core without memory: whichever allocation fails, the call says so, changes
 * nothing and leaves nothing behind, and works when there is memory again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/scrub.h"
#include "tests/core/memory.h"

/* ---- Editing -------------------------------------------------------------------- */

static void edits_fail_whole(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { edit_once, check_edit, w };

	OFFICE_MUST(edit_once(w));
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 20);
	expect_agreement(w);
}

static enum err put_setting(void *ctx)
{
	struct world *w = ctx;
	struct buf value = BUF_EMPTY;
	enum err rc = replica_setting_put(w->a.replica, "key", "value", NULL);

	if (rc == OK)
		rc = replica_setting(w->a.replica, "key", &value, NULL);
	if (rc == OK)
		assert_int_equal(value.size, 5);
	buf_release(&value);
	return rc == OK ? replica_setting_put(w->a.replica, "key", NULL, NULL) : rc;
}

static void settings_fail_whole(void **state)
{
	assert_true(try_reading(*state, put_setting) > 0);
}

/* ---- Reading --------------------------------------------------------------------- */

static bool count_item(void *ctx, const struct space_id *space, const struct history_item *item)
{
	++*(size_t *)ctx;
	return true;
}

static enum err read_records(struct world *w, struct arena *arena)
{
	struct replica *r = w->a.replica;
	struct space_id space;
	struct element *elements;
	struct sealed *list;
	struct record rec;
	size_t count, seen = 0;
	bool more;
	enum err rc = replica_missing(r, &w->space, &VV_EMPTY, SIZE_MAX, 100, arena, &list, &count,
				      &more, NULL);

	if (rc == OK)
		rc = replica_record(r, KIND_BLOCK, &w->block, arena, &rec, &space, NULL);
	if (rc == OK)
		rc = replica_elements(r, KIND_ACTION, &w->action, ACTION_HELPERS, arena, &elements,
				      &count, NULL);
	if (rc == OK)
		rc = replica_history(r, &w->action, 100, count_item, &seen, NULL);
	if (rc == OK)
		assert_true(seen > 0);
	return rc;
}

static enum err read_rows(struct world *w)
{
	struct rows *rows;
	size_t size = 0;
	enum err rc = rows_open(&rows, w->a.replica, "SELECT text, kind FROM block", NULL, 0, NULL);

	if (rc != OK)
		return rc;
	while (rows_next(rows))
		size += strlen(rows_text(rows, 0)) + strlen(rows_text(rows, 1));
	rc = rows_close(rows, NULL);
	if (rc == OK)
		assert_true(size >= 4000);
	return rc;
}

static enum err read_all(void *ctx)
{
	struct world *w = ctx;
	struct arena arena = ARENA_EMPTY;
	enum err rc = read_records(w, &arena);

	if (rc == OK)
		rc = read_rows(w);
	arena_release(&arena);
	return rc;
}

static void reading_says_so(void **state)
{
	struct world *w = *state;

	OFFICE_MUST(edit_once(w));
	assert_true(try_reading(w, read_all) > 20);
}

static enum err check_all(void *ctx)
{
	struct world *w = ctx;
	struct replica *r = w->a.replica;
	uint8_t hash[STATE_HASH_BYTES];
	struct replica_stats stats;
	enum err rc = replica_state_hash(r, hash, NULL);

	if (rc == OK)
		assert_memory_equal(hash, w->before.state, sizeof(hash));
	if (rc == OK)
		rc = replica_stats(r, &stats, NULL);
	return rc == OK ? replica_quick_check(r, NULL) : rc;
}

static void checks_and_figures_say_so(void **state)
{
	struct world *w = *state;

	OFFICE_MUST(edit_once(w));
	assert_true(try_reading(w, check_all) > 20);
}

static enum err verify_once(void *ctx)
{
	struct world *w = ctx;
	struct verify_report report;

	return replica_verify(w->a.replica, &report, NULL, NULL, NULL);
}

/* A round of the scrub, from its beginning or from where it was left. */
static enum err scrub_once(void *ctx)
{
	struct world *w = ctx;
	struct scrub *s;
	enum err rc = scrub_new(&s, w->a.replica, NULL);

	if (rc != OK)
		return rc;
	do
		rc = scrub_slice(s, w->a.now_ms, 64, NULL);
	while (rc == OK && scrub_is_due(s, w->a.now_ms, UINT64_MAX));
	scrub_free(s);
	return rc;
}

static void check_no_damage(void *ctx, enum err rc)
{
	struct world *w = ctx;

	assert_int_equal(replica_damage(w->a.replica)->serial, 0);
	check_unchanged(ctx, rc);
}

static void scrubbing_takes_no_shortage_for_damage(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { scrub_once, check_no_damage, w, 100 };

	OFFICE_MUST(edit_once(w));
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 100);
}

static void verifying_says_so(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { verify_once, check_unchanged, w, 100 };

	OFFICE_MUST(edit_once(w));
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 100);
}

/* A backup is whole or is not there. */
static enum err back_up(void *ctx)
{
	struct world *w = ctx;

	return replica_backup(w->a.replica, world_path(w, "backup.db"), NULL, NULL, NULL);
}

static void check_backup(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct office copy = w->a;

	assert_int_equal(access(world_path(w, "backup.db"), F_OK) == 0, rc == OK);
	if (rc != OK)
		return;
	copy.replica = NULL;
	snprintf(copy.path, sizeof(copy.path), "%s", world_path(w, "backup.db"));
	office_reopen(&copy);
	expect_same(w, &copy);
	office_close(&copy);
	unlink(world_path(w, "backup.db"));
}

static void a_backup_is_whole_or_absent(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { back_up, check_backup, w, 100 };

	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(edits_fail_whole),
		TEST(settings_fail_whole),
		TEST(reading_says_so),
		TEST(checks_and_figures_say_so),
		TEST(scrubbing_takes_no_shortage_for_damage),
		TEST(verifying_says_so),
		TEST(a_backup_is_whole_or_absent),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
