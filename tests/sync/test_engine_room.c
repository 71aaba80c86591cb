/* sync/engine: an office that is short of room takes nothing from its peers, and goes on sending.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/engine_impl.h"
#include "tests/sync/offices.h"

enum { BACKLOG = 5000 };

/* Both hold the same. */
static void begin(struct two *t)
{
	two_init(t);
	world_start(&t->world);
	site_write(t->sha, &t->space, 1);
	world_pass(&t->world, MINUTE_MS);
	assert_int_equal(site_held(t->fra, &t->space), 1);
}

static void runs_short_and_recovers(struct two *t, struct site *full, struct site *other)
{
	const char *code = other == t->sha ? "SHA" : "FRA";
	uint64_t before = site_held(full, &t->space), bytes;

	engine_take(full->engine, site_now(full), false);
	site_write(other, &t->space, BACKLOG);
	world_pass(&t->world, MINUTE_MS);
	bytes = site_peer(full, code).bytes_received;
	world_pass(&t->world, 20 * MINUTE_MS);
	assert_int_equal(site_held(full, &t->space), before);
	/* The peer waits; it does not offer the same again and again. */
	assert_true(site_peer(full, code).bytes_received < bytes + 10 * BACKLOG);

	site_write(full, &t->space, 3);
	world_pass(&t->world, 10 * MINUTE_MS);
	assert_int_equal(site_held(full, &t->space), before + 3);
	assert_int_equal(site_held(other, &t->space), before + BACKLOG + 3);

	engine_take(full->engine, site_now(full), true);
	world_pass(&t->world, MINUTE_MS);
	assert_int_equal(site_held(full, &t->space), before + BACKLOG + 3);
	assert_true(engine_is_idle(full->engine));
	assert_int_equal(site_logged(full, "WARN"), 0);
	assert_int_equal(site_logged(other, "WARN"), 0);
}

static void who_dials_can_be_short_of_room(void **state)
{
	struct two t;

	begin(&t);
	runs_short_and_recovers(&t, t.fra, t.sha);
	world_release(&t.world);
}

static void who_listens_can_be_short_of_room(void **state)
{
	struct two t;

	begin(&t);
	runs_short_and_recovers(&t, t.sha, t.fra);
	world_release(&t.world);
}

static void a_new_session_takes_nothing_either(void **state)
{
	struct two t;

	begin(&t);
	engine_take(t.fra->engine, site_now(t.fra), false);
	loopnet_cut(t.world.net, t.sha->host, t.fra->host, true);
	site_write(t.sha, &t.space, 10);
	world_pass(&t.world, MINUTE_MS);
	loopnet_cut(t.world.net, t.sha->host, t.fra->host, false);
	world_pass(&t.world, 10 * MINUTE_MS);
	assert_int_equal(site_held(t.fra, &t.space), 1);
	assert_true(site_logged(t.fra, "INFO session-open") > 1);
	world_release(&t.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_dials_can_be_short_of_room),
		cmocka_unit_test(who_listens_can_be_short_of_room),
		cmocka_unit_test(a_new_session_takes_nothing_either),
	};

	return cmocka_run_group_tests_name("sync/engine_room", tests, NULL, NULL);
}
