/* sync/session_mend: what is damaged in one office comes back from another within the open session,
 * and until then goes nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/scrub.h"
#include "core/trust.h"
#include "tests/support/tempdir.h"
#include "tests/sync/world.h"

enum { MINUTE_MS = 60 * 1000, WRITTEN = 40, SLICE_ROWS = 64 };

/* Shanghai listens, Frankfurt dials it; both are in files. */
struct offices {
	struct world world;
	char dir[TEMPDIR_BYTES_MAX];
	struct site *sha, *fra;
	struct space_id space;
	struct scrub *scrub; /* Frankfurt's */
};

/* A machine whose replica is in a file. */
static struct site *add_in_file(struct offices *o, const char *name)
{
	struct site *s = world_add(&o->world);
	struct node_identity identity = s->office.identity;
	char path[TEMPDIR_BYTES_MAX + 16];

	office_close(&s->office);
	office_open(&s->office, tempdir_path(path, sizeof(path), o->dir, name),
		    1500 + o->world.count);
	memcpy(s->office.identity.noise_key, identity.noise_key, NOISE_KEY_BYTES);
	return s;
}

static void offices_init(struct offices *o)
{
	*o = (struct offices){ 0 };
	tempdir_new(o->dir, sizeof(o->dir));
	world_init(&o->world);
	o->sha = add_in_file(o, "sha.db");
	o->fra = add_in_file(o, "fra.db");
	office_found(&o->sha->office, "SHA");
	office_join(&o->fra->office, &o->sha->office, "FRA");
	site_dials(o->fra, o->sha);
	o->space = office_share(&o->sha->office);
	world_start(&o->world);
	site_write(o->sha, &o->space, WRITTEN);
	world_pass(&o->world, MINUTE_MS);
	site_write(o->fra, &o->space, WRITTEN);
	world_pass(&o->world, MINUTE_MS);
	assert_int_equal(site_held(o->sha, &o->space), 2 * WRITTEN);
	OFFICE_MUST(scrub_new(&o->scrub, o->fra->office.replica, &msg));
}

static void offices_release(struct offices *o)
{
	scrub_free(o->scrub);
	world_release(&o->world);
	tempdir_remove(o->dir);
}

enum { IN_TAG = 5, IN_CONTENT = 40 };

/* The n-th byte of `column`, of a changeset of `whose` feed in that file. */
static void damage_file(const char *path, const struct site *whose, uint64_t seq,
			const char *column, int n)
{
	char sql[512], id[ID_TEXT_SIZE];
	sqlite3 *db;

	snprintf(sql, sizeof(sql),
		 "UPDATE changeset SET %s = CAST(substr(%s, 1, %d) || CASE substr(%s, %d, 1) WHEN "
		 "x'41' THEN x'42' ELSE x'41' END || substr(%s, %d) AS BLOB) WHERE key = (SELECT "
		 "f.idx << 40 | %llu FROM feed f JOIN replica_index r ON r.idx = f.replica WHERE "
		 "r.id = x'%s' AND f.space = (SELECT max(idx) FROM space_index))",
		 column, column, n - 1, column, n, column, n + 1, (unsigned long long)seq,
		 id_text(replica_id(whose->office.replica)->bytes, id));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	sqlite3_close(db);
}

/* Frankfurt's. */
static void damage(struct offices *o, const struct site *whose, uint64_t seq, const char *column,
		   int n)
{
	damage_file(o->fra->office.path, whose, seq, column, n);
}

/* As the daemon does: a round, then the engine is told. */
static void scrub_all(struct offices *o)
{
	uint64_t now_ms = site_now(o->fra).wall_ms;

	do
		OFFICE_MUST(scrub_slice(o->scrub, now_ms, SLICE_ROWS, &msg));
	while (scrub_is_due(o->scrub, now_ms, UINT64_MAX));
	engine_changed(o->fra->engine, site_now(o->fra));
}

static size_t damage_count(const struct offices *o)
{
	return replica_damage(o->fra->office.replica)->count;
}

static void assert_whole(struct offices *o)
{
	struct verify_report report;

	assert_int_equal(damage_count(o), 0);
	OFFICE_MUST(replica_verify(o->fra->office.replica, &report, NULL, NULL, &msg));
	assert_true(office_agrees(&o->sha->office, &o->fra->office));
	assert_true(engine_is_idle(o->fra->engine));
	assert_int_equal(site_logged(o->sha, "WARN"), 0);
	assert_int_equal(site_logged(o->fra, "WARN"), 0);
}

static void damaged_changesets_come_back_within_the_session(void **state)
{
	struct offices o;

	offices_init(&o);
	damage(&o, o.sha, 7, "body", IN_CONTENT);
	damage(&o, o.sha, 30, "signature", IN_CONTENT);
	damage(&o, o.fra, 11, "link", IN_TAG);
	scrub_all(&o);
	assert_int_equal(damage_count(&o), 3);
	world_run(&o.world);
	assert_int_equal(replica_damage(o.fra->office.replica)->mended, 3);
	scrub_all(&o);
	world_pass(&o.world, MINUTE_MS);
	assert_whole(&o);
	assert_int_equal(site_logged(o.fra, "session-open"), 1);
	offices_release(&o);
}

static void peer_without_it_is_asked_once(void **state)
{
	struct offices o;
	uint64_t bytes;

	offices_init(&o);
	engine_pause(o.sha->engine, site_now(o.sha));
	site_write(o.fra, &o.space, 1);
	damage(&o, o.fra, WRITTEN + 1, "body", IN_CONTENT);
	scrub_all(&o);
	engine_resume(o.sha->engine, site_now(o.sha));
	world_pass(&o.world, 2 * MINUTE_MS);
	assert_int_equal(damage_count(&o), 1);
	assert_int_equal(site_held(o.sha, &o.space), 2 * WRITTEN); /* it is not passed on */
	bytes = site_peer(o.fra, "SHA").bytes_sent;
	world_pass(&o.world, 10 * MINUTE_MS);
	assert_true(site_peer(o.fra, "SHA").bytes_sent < bytes + 20000);
	assert_int_equal(site_logged(o.sha, "signature"), 0);
	offices_release(&o);
}

static void damaged_statement_comes_back_in_a_new_session(void **state)
{
	struct offices o;
	sqlite3 *db;

	offices_init(&o);
	assert_int_equal(sqlite3_open(o.fra->office.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "UPDATE statement SET bytes = CAST(substr(bytes, 1, 59) || "
				      "CASE substr(bytes, 60, 1) WHEN x'41' THEN x'42' ELSE x'41' "
				      "END || substr(bytes, 61) AS BLOB) WHERE idx = 2",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	scrub_all(&o);
	assert_int_equal(damage_count(&o), 1);
	world_pass(&o.world, MINUTE_MS);
	assert_int_equal(replica_damage(o.fra->office.replica)->mended, 1);
	scrub_all(&o);
	world_pass(&o.world, MINUTE_MS);
	assert_int_equal(site_logged(o.fra, "session-open"), 2);
	assert_whole(&o);
	offices_release(&o);
}

/* It says that it has it not; world_run() would not come to an end. */
static void peer_whose_own_is_damaged_is_asked_once(void **state)
{
	struct offices o;

	offices_init(&o);
	damage(&o, o.sha, 7, "body", IN_CONTENT);
	damage_file(o.sha->office.path, o.sha, 7, "body", IN_CONTENT);
	scrub_all(&o);
	world_pass(&o.world, 10 * MINUTE_MS);
	assert_int_equal(damage_count(&o), 1);
	assert_int_equal(replica_damage(o.sha->office.replica)->count, 1);
	assert_int_equal(site_logged(o.fra, "session-open"), 1);
	offices_release(&o);
}

/* Somebody new comes while Frankfurt is alone with its damage. */
static void newcomer_gets_what_is_sound_then_the_rest(void **state)
{
	struct offices o;
	struct site *lis;

	offices_init(&o);
	lis = world_add_office(&o.world, "LIS");
	office_pull(&o.fra->office, &o.sha->office);
	office_grant(&o.sha->office, &o.space, "LIS", ROLE_EDITOR);
	site_write(o.sha, &o.space, WRITTEN);
	world_pass(&o.world, MINUTE_MS);
	engine_pause(o.sha->engine, site_now(o.sha));
	damage(&o, o.sha, WRITTEN + 7, "body", IN_CONTENT);
	site_dials(lis, o.fra);
	site_start(lis);
	world_pass(&o.world, MINUTE_MS);
	assert_int_equal(site_held(lis, &o.space), 2 * WRITTEN + 6);
	assert_int_equal(damage_count(&o), 1); /* who reads it to pass it on finds it */
	assert_int_equal(site_logged(lis, "WARN"), 0);
	engine_resume(o.sha->engine, site_now(o.sha));
	world_pass(&o.world, 3 * MINUTE_MS);
	assert_int_equal(damage_count(&o), 0);
	assert_int_equal(site_held(lis, &o.space), 3 * WRITTEN);
	assert_true(office_agrees(&o.sha->office, &lis->office));
	offices_release(&o);
}

/* Read anew, the end of a feed shows another tag than the peer's. */
static void damaged_end_of_a_feed_is_no_fork(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct offices o;
		struct replica_id before;

		offices_init(&o);
		before = *replica_id(o.fra->office.replica);
		site_stop(o.fra);
		scrub_free(o.scrub);
		o.scrub = NULL;
		damage(&o, i ? o.fra : o.sha, WRITTEN, "link", IN_TAG);
		office_reopen(&o.fra->office);
		site_start(o.fra);
		world_pass(&o.world, 10 * MINUTE_MS); /* the feed's own node has its minute first */
		assert_int_equal(replica_damage(o.fra->office.replica)->mended, 1);
		assert_int_equal(replica_trust(o.fra->office.replica)->cut_count, 0);
		assert_int_equal(replica_id_cmp(replica_id(o.fra->office.replica), &before), 0);
		site_write(o.sha, &o.space, 1);
		site_write(o.fra, &o.space, 1);
		world_pass(&o.world, 5 * MINUTE_MS);
		assert_int_equal(site_held(o.sha, &o.space), 2 * WRITTEN + 2);
		assert_whole(&o);
		offices_release(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_changesets_come_back_within_the_session),
		cmocka_unit_test(peer_without_it_is_asked_once),
		cmocka_unit_test(damaged_statement_comes_back_in_a_new_session),
		cmocka_unit_test(peer_whose_own_is_damaged_is_asked_once),
		cmocka_unit_test(newcomer_gets_what_is_sound_then_the_rest),
		cmocka_unit_test(damaged_end_of_a_feed_is_no_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
