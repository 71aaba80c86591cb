/* core without memory: statements and changesets that come from elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/memory.h"

/* A replica of its own each time, so that it is always the same work. */
static void renew_b(struct world *w)
{
	office_close(&w->b);
	office_open(&w->b, NULL, 20); /* not the one that wrote: that would need a new epoch */
	OFFICE_MUST(replica_join(w->b.replica, replica_org(w->a.replica), &msg));
	if (!w->has_no_statements)
		office_pull_statements(&w->b, &w->a);
}

/* ---- Statements ------------------------------------------------------------------- */

static enum err take_statements(void *ctx)
{
	struct world *w = ctx;
	struct statements_receipt receipt;

	return replica_take_statements(w->b.replica, w->statements.list, w->statements.count,
				       w->b.now_ms, &receipt, NULL);
}

static void check_statements(void *ctx, enum err rc)
{
	struct world *w = ctx;
	bool changed;

	OFFICE_MUST(replica_refresh(w->b.replica, &changed, &msg));
	assert_int_equal(replica_trust(w->b.replica) != NULL, rc == OK);
	if (rc != OK)
		OFFICE_MUST(take_statements(w));
	assert_memory_equal(replica_trust(w->b.replica)->digest,
			    replica_trust(w->a.replica)->digest, STATEMENT_ID_BYTES);
	renew_b(w);
}

static void taking_statements_fails_whole(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { take_statements, check_statements, w };

	w->statements = office_statements(&w->a);
	w->has_no_statements = true;
	renew_b(w);
	assert_true(shortage_try(&trial) > 30);
}

/* ---- Receiving ------------------------------------------------------------------ */

static enum err receive_space(struct world *w, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	struct receipt receipt;
	struct sealed *list;
	size_t count;
	bool more;
	enum err rc = replica_missing(w->a.replica, space, replica_vv(w->b.replica, space),
				      SIZE_MAX, 1000, &arena, &list, &count, &more, NULL);

	if (rc == OK && count)
		rc = replica_receive(w->b.replica, space, list, count, w->b.now_ms, &receipt, NULL);
	arena_release(&arena);
	return rc;
}

static enum err receive_all(void *ctx)
{
	struct world *w = ctx;
	struct space_id directory = replica_directory(w->a.replica);
	enum err rc = receive_space(w, &directory);

	return rc == OK ? receive_space(w, &w->space) : rc;
}

/* It is whole as it stands, and takes the rest. */
static void check_received(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct verify_report report;
	struct snapshot after;

	OFFICE_MUST(replica_verify(w->b.replica, &report, NULL, NULL, &msg));
	OFFICE_MUST(receive_all(w));
	after = snapshot_of(w, &w->b);
	assert_memory_equal(&after, &w->before, sizeof(after));
	renew_b(w);
}

static void receiving_fails_whole(void **state)
{
	struct world *w = *state;
	struct value value = value_str("concurrent");
	const struct shortage_trial trial = { receive_all, check_received, w, 100 };

	office_set(&w->b, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_set(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &value);
	office_void(&w->a, &w->space, KIND_ACTION, &w->action);
	OFFICE_MUST(edit_once(w));
	office_sync(&w->a, &w->b);
	w->before = snapshot_of(w, &w->a);
	renew_b(w);
	assert_true(shortage_try(&trial) > 100);
}

static enum err receive_the_future(void *ctx)
{
	struct world *w = ctx;
	struct receipt receipt;

	return replica_receive(w->b.replica, &w->space, w->log, w->log_count,
			       w->a.now_ms - 2 * HLC_AHEAD_MS_MAX, &receipt, NULL);
}

static void check_held_back(void *ctx, enum err rc)
{
	struct world *w = ctx;

	expect_same(w, &w->b);
}

static void holding_back_fails_whole(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { receive_the_future, check_held_back, w };

	w->a.now_ms += 2 * HLC_AHEAD_MS_MAX;
	OFFICE_MUST(edit_once(w));
	w->log = office_log(&w->a, &w->space, &w->arena, &w->log_count);
	w->before = snapshot_of(w, &w->b);
	assert_true(shortage_try(&trial) > 5);
	w->b.now_ms = w->a.now_ms;
	expect_agreement(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(taking_statements_fails_whole),
		TEST(receiving_fails_whole),
		TEST(holding_back_fails_whole),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
