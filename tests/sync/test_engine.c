/* sync/engine: several offices, their sessions and what happens to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "proto/limits.h"
#include "sync/schedule.h"
#include "sync/session.h"
#include "tests/sync/offices.h"
#include "tests/sync/revoke.h"

enum { BACKLOG = 3000 };

static void offices_converge(void **state)
{
	struct two t;

	two_init(&t);
	site_write(t.sha, &t.space, 10);
	world_start(&t.world);
	world_run(&t.world);
	site_write(t.fra, &t.space, 5);
	world_run(&t.world);
	assert_int_equal(site_held(t.sha, &t.space), 15);
	assert_true(office_agrees(&t.sha->office, &t.fra->office));
	assert_in_sync(t.sha, "FRA");
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

static void push_takes_no_time(void **state)
{
	struct two t;

	two_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	for (unsigned i = 1; i <= 20; i++) {
		site_write(i % 2 ? t.sha : t.fra, &t.space, 1);
		world_run(&t.world);
		assert_int_equal(site_held(t.sha, &t.space), i);
		assert_int_equal(site_held(t.fra, &t.space), i);
	}
	assert_int_equal(t.world.now_ms, 0);
	world_release(&t.world);
}

static void newcomer_gets_the_directory_before_anything_else(void **state)
{
	struct space_id directory;
	struct two t;

	two_init(&t);
	directory = replica_directory(t.sha->office.replica);
	for (int i = 0; i < 3000; i++) {
		struct value name = value_str("韩梅梅");

		office_create(&t.sha->office, &directory, KIND_PERSON, PERSON_NAME, &name);
	}
	site_write(t.sha, &t.space, 10);
	world_start(&t.world);
	while (site_held(t.fra, &t.space) == 0)
		assert_true(world_step(&t.world));
	assert_int_equal(site_held(t.fra, &directory), site_held(t.sha, &directory));
	world_release(&t.world);
}

static void cut_catch_up_goes_on_where_it_ended(void **state)
{
	struct two t;
	uint64_t held;

	two_init(&t);
	site_write(t.sha, &t.space, BACKLOG);
	world_start(&t.world);
	while (site_held(t.fra, &t.space) < BACKLOG / 3)
		assert_true(world_step(&t.world));
	held = site_held(t.fra, &t.space);
	loopnet_cut(t.world.net, 0, 1, true);
	world_run(&t.world);
	assert_true(held < BACKLOG && site_held(t.fra, &t.space) == held);
	assert_int_equal(site_peer(t.fra, "SHA").state, PEER_DOWN);
	loopnet_cut(t.world.net, 0, 1, false);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(site_held(t.fra, &t.space), BACKLOG);
	assert_in_sync(t.fra, "SHA");
	/* What was in flight at the cut went twice, and no more than that. */
	assert_true(site_peer(t.sha, "FRA").changesets_sent <
		    BACKLOG + 10 + WINDOW_BYTES / 200 + CHANGES_COUNT_MAX);
	world_release(&t.world);
}

static void memory_is_bounded_whatever_the_backlog(void **state)
{
	struct two t;

	two_init(&t);
	site_write(t.sha, &t.space, 12000);
	world_start(&t.world);
	world_run(&t.world);
	assert_int_equal(site_held(t.fra, &t.space), 12000);
	/* The next chunk is on its way while one is applied. */
	assert_true(t.world.flight_bytes_max > CHANGES_BYTES_CLOSE);
	assert_true(t.world.flight_bytes_max < WINDOW_BYTES + CHANGES_BYTES_MAX);
	world_release(&t.world);
}

static void changes_pass_through_a_third_office(void **state)
{
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	site_write(t.sha, &t.space, 100);
	world_run(&t.world);
	assert_int_equal(site_held(t.nyc, &t.space), 100);
	site_write(t.nyc, &t.space, 50);
	world_run(&t.world);
	assert_int_equal(site_held(t.sha, &t.space), 150);
	assert_int_equal(loopnet_conn_count(t.world.net, t.sha->host, t.nyc->host), 0);
	/* Nothing goes back to whoever it came from. */
	assert_int_equal(site_peer(t.fra, "SHA").changesets_sent, 50);
	assert_true(office_agrees(&t.sha->office, &t.nyc->office));
	world_release(&t.world);
}

static void offices_that_take_no_part_get_nothing(void **state)
{
	struct world w;
	struct site *sha, *fra, *nyc;
	struct space_id space;

	world_init(&w);
	sha = world_add_office(&w, "SHA");
	fra = world_add_office(&w, "FRA");
	space = office_share(&sha->office);
	nyc = world_add_office(&w, "NYC");
	site_dials(fra, sha);
	site_dials(nyc, sha);
	site_dials(nyc, fra);
	world_start(&w);
	site_write(sha, &space, 10);
	world_run(&w);
	assert_int_equal(site_held(fra, &space), 10);
	assert_int_equal(site_held(nyc, &space), 0);
	assert_in_sync(nyc, "SHA");
	assert_in_sync(sha, "NYC");
	world_release(&w);
}

static void new_space_appears_in_an_open_session(void **state)
{
	struct two t;
	struct space_id space;

	two_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	space = office_share(&t.fra->office);
	site_write(t.fra, &space, 7);
	world_run(&t.world);
	assert_int_equal(site_held(t.sha, &space), 7);
	assert_in_sync(t.sha, "FRA");
	world_release(&t.world);
}

/* ---- Connections --------------------------------------------------------------- */

static void two_dials_end_in_one_connection(void **state)
{
	struct two t;

	two_init(&t);
	site_dials(t.sha, t.fra);
	site_write(t.sha, &t.space, 10);
	world_start(&t.world);
	world_run(&t.world);
	assert_int_equal(loopnet_conn_count(t.world.net, 0, 1), 1);
	assert_int_equal(site_held(t.fra, &t.space), 10);
	assert_in_sync(t.sha, "FRA");
	assert_in_sync(t.fra, "SHA");
	/* The one whose dialler has the smaller key, on both sides. */
	assert_int_equal(site_peer(t.sha, "FRA").inbound,
			 memcmp(t.sha->office.identity.noise_key, t.fra->office.identity.noise_key,
				NOISE_KEY_BYTES) > 0);
	assert_true(site_peer(t.sha, "FRA").inbound != site_peer(t.fra, "SHA").inbound);
	assert_int_equal(engine_peer_count(t.sha->engine), 1);
	world_release(&t.world);
}

static void peer_that_lost_its_connection_comes_back_at_once(void **state)
{
	struct two t;

	two_init(&t);
	world_start(&t.world);
	world_pass(&t.world, MINUTE_MS);
	/* Its host was switched off: nobody was told, and Shanghai still waits. */
	loopnet_mute(t.world.net, 0, 1, true);
	site_stop(t.fra);
	loopnet_mute(t.world.net, 0, 1, false);
	site_start(t.fra);
	world_run(&t.world);
	assert_in_sync(t.fra, "SHA");
	assert_in_sync(t.sha, "FRA");
	assert_int_equal(loopnet_conn_count(t.world.net, 0, 1), 1);
	world_release(&t.world);
}

static void settled_connection_gives_way_to_whoever_dials_again(void **state)
{
	struct two t;
	struct site *small, *large;

	two_init(&t);
	site_dials(t.sha, t.fra);
	world_start(&t.world);
	world_pass(&t.world, MINUTE_MS);
	small = site_peer(t.sha, "FRA").inbound ? t.fra : t.sha; /* its connection stayed */
	large = small == t.sha ? t.fra : t.sha;
	loopnet_mute(t.world.net, 0, 1, true);
	site_stop(large);
	loopnet_mute(t.world.net, 0, 1, false);
	site_start(large);
	world_run(&t.world);
	assert_in_sync(t.sha, "FRA");
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

static void members_are_dialled_by_the_directory(void **state)
{
	struct two t;
	struct value address;
	char text[LOOPNET_ADDRESS_BYTES];
	struct space_id directory;

	two_init(&t);
	t.sha->dial_members = true;
	directory = replica_directory(t.sha->office.replica);
	loopnet_address(t.fra->host, text);
	address = value_str(text);
	t.fra->peer_count = 0;
	world_start(&t.world);
	world_run(&t.world);
	assert_int_equal(site_peer(t.sha, "FRA").state, PEER_DOWN);
	office_add(&t.sha->office, &directory, KIND_NODE,
		   &replica_member_by_noise_key(t.sha->office.replica,
						t.fra->office.identity.noise_key)
			    ->node,
		   NODE_ADDRESSES, &address);
	engine_changed(t.sha->engine, site_now(t.sha));
	world_run(&t.world);
	assert_in_sync(t.sha, "FRA");
	assert_string_equal(site_peer(t.sha, "FRA").address, text);
	world_release(&t.world);
}

static void own_address_is_dialled_once(void **state)
{
	struct two t;

	two_init(&t);
	site_dials(t.sha, t.sha);
	world_start(&t.world);
	world_pass(&t.world, HOUR_MS / 2);
	assert_int_equal(site_logged(t.sha, "DEBUG dial"), 1);
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

static void silent_peer_is_given_up_after_a_minute(void **state)
{
	struct two t;

	two_init(&t);
	world_start(&t.world);
	world_pass(&t.world, HOUR_MS / 4);
	assert_int_equal(site_logged(t.fra, "session-lost"), 0); /* pings keep it up */
	loopnet_mute(t.world.net, 0, 1, true);
	world_pass(&t.world, DEAD_AFTER_MS - PING_AFTER_MS - 1);
	assert_int_equal(site_logged(t.fra, "session-lost"), 0);
	world_pass(&t.world, PING_AFTER_MS + 1);
	assert_int_equal(site_logged(t.fra, "session-lost SHA: timeout"), 1);
	loopnet_mute(t.world.net, 0, 1, false);
	world_pass(&t.world, 2 * MINUTE_MS);
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

static void keys_are_renewed_every_hour(void **state)
{
	struct two t;

	two_init(&t);
	world_start(&t.world);
	world_pass(&t.world, HOUR_MS + 1);
	assert_int_equal(site_logged(t.fra, "session-closed SHA: renew"), 1);
	assert_int_equal(site_logged(t.fra, "session-open"), 2);
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

static void paused_engine_talks_to_nobody(void **state)
{
	struct two t;

	two_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	engine_pause(t.sha->engine, site_now(t.sha));
	assert_true(engine_is_paused(t.sha->engine));
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(loopnet_conn_count(t.world.net, 0, 1), 0);
	assert_int_equal(site_logged(t.fra, "the peer says paused"), 1);
	site_write(t.sha, &t.space, 3);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(site_held(t.fra, &t.space), 0);
	engine_resume(t.sha->engine, site_now(t.sha));
	world_pass(&t.world, 2 * MINUTE_MS);
	assert_int_equal(site_held(t.fra, &t.space), 3);
	world_release(&t.world);
}

static void sync_now_dials_who_is_waited_for(void **state)
{
	struct two t;

	two_init(&t);
	loopnet_listen(t.world.net, t.sha->host, false);
	world_start(&t.world);
	world_pass(&t.world, HOUR_MS);
	assert_int_equal(site_peer(t.fra, "SHA").state, PEER_DOWN);
	loopnet_listen(t.world.net, t.sha->host, true);
	engine_sync_now(t.fra->engine, site_now(t.fra));
	assert_false(engine_is_idle(t.fra->engine));
	world_run(&t.world);
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

static void comparing_what_is_equal_costs_one_small_round_trip(void **state)
{
	struct two t;
	uint64_t sent, received, steps;

	two_init(&t);
	site_write(t.sha, &t.space, 10);
	world_start(&t.world);
	world_run(&t.world);
	sent = site_peer(t.fra, "SHA").bytes_sent;
	received = site_peer(t.fra, "SHA").bytes_received;
	engine_sync_now(t.fra->engine, site_now(t.fra));
	assert_false(engine_is_idle(t.fra->engine));
	steps = t.world.step_count;
	world_run(&t.world);
	assert_in_sync(t.fra, "SHA");
	assert_true(site_peer(t.fra, "SHA").bytes_sent - sent < 128);
	assert_true(site_peer(t.fra, "SHA").bytes_received - received < 128);
	/* Each of the two messages is sent and received; then it is quiet. */
	assert_int_equal(t.world.step_count - steps, 4 + 1);
	world_release(&t.world);
}

static void attempts_become_rare_and_start_over_after_success(void **state)
{
	struct two t;
	unsigned count;

	two_init(&t);
	loopnet_listen(t.world.net, t.sha->host, false);
	world_start(&t.world);
	world_pass(&t.world, HOUR_MS);
	count = site_logged(t.fra, "DEBUG dial SHA") + site_logged(t.fra, "DEBUG dial host0");
	assert_in_range(count, HOUR_MS / (2 * RETRY_MS_MAX), HOUR_MS / (RETRY_MS_MAX / 2) + 10);
	assert_int_equal(site_logged(t.fra, "WARN dial-failed"), 1); /* said once */
	loopnet_listen(t.world.net, t.sha->host, true);
	world_pass(&t.world, 2 * MINUTE_MS);
	assert_in_sync(t.fra, "SHA");
	loopnet_cut(t.world.net, 0, 1, true);
	world_pass(&t.world, HOUR_MS);
	loopnet_cut(t.world.net, 0, 1, false);
	world_pass(&t.world, 2 * MINUTE_MS);
	assert_in_sync(t.fra, "SHA");
	loopnet_cut(t.world.net, 0, 1, true);
	world_run(&t.world);
	loopnet_cut(t.world.net, 0, 1, false);
	world_pass(&t.world, 2 * RETRY_MS_MIN);
	assert_in_sync(t.fra, "SHA");
	world_release(&t.world);
}

/* ---- Bad peers -------------------------------------------------------------------- */

static void other_organisation_is_named_on_both_sides(void **state)
{
	struct two t;
	struct site *stranger;

	two_init(&t);
	stranger = world_add(&t.world);
	office_found(&stranger->office, "SHA");
	site_dials(stranger, t.sha);
	world_start(&t.world);
	world_pass(&t.world, 10 * MINUTE_MS);
	assert_int_equal(site_logged(stranger, "WARN session-refused host0:1: organisation"), 1);
	assert_int_equal(site_logged(t.sha, "WARN stranger-refused host2:1: organisation"), 1);
	/* Long waits, said once. */
	assert_in_range(site_logged(stranger, "DEBUG dial"), 2, 8);
	assert_in_sync(t.sha, "FRA");
	world_release(&t.world);
}

static void node_that_is_no_member_is_refused(void **state)
{
	struct two t;
	struct site *stranger;

	two_init(&t);
	stranger = world_add(&t.world);
	OFFICE_MUST(
		replica_join(stranger->office.replica, replica_org(t.sha->office.replica), &msg));
	office_pull(&stranger->office, &t.sha->office); /* it got hold of a directory */
	site_dials(stranger, t.sha);
	world_start(&t.world);
	site_write(t.sha, &t.space, 1);
	world_pass(&t.world, MINUTE_MS);
	assert_true(site_logged(stranger, "the peer says handshake: the other side's key"));
	assert_int_equal(site_logged(t.sha, "WARN stranger-refused host2:1: handshake"), 1);
	assert_int_equal(site_held(stranger, &t.space), 0);
	assert_in_sync(t.sha, "FRA");
	world_release(&t.world);
}

/* Frankfurt has not heard of New York, and can't reach who admitted it. */
static void member_that_is_news_shows_that_it_is_one(void **state)
{
	struct world w;
	struct site *sha, *fra, *nyc;

	world_init(&w);
	sha = world_add_office(&w, "SHA");
	fra = world_add_office(&w, "FRA");
	site_dials(fra, sha);
	loopnet_cut(w.net, 0, 1, true);
	nyc = world_add(&w);
	office_join(&nyc->office, &sha->office, "NYC");
	site_dials(nyc, fra);
	world_start(&w);
	world_run(&w);
	assert_int_equal(site_peer(nyc, "FRA").state, PEER_IN_SYNC);
	assert_int_equal(site_peer(fra, "NYC").state, PEER_IN_SYNC);
	world_release(&w);
}

/* Two newcomers, admitted in two places that don't talk: neither can know the other. */
static void who_was_unknown_is_dialled_when_statements_come(void **state)
{
	struct world w;
	struct site *sha, *lon, *fra, *nyc;

	world_init(&w);
	sha = world_add_office(&w, "SHA");
	lon = world_add_office(&w, "LON");
	fra = world_add(&w);
	office_join(&fra->office, &sha->office, "FRA");
	nyc = world_add(&w);
	office_join(&nyc->office, &lon->office, "NYC");
	site_dials(fra, lon);
	site_dials(fra, nyc);
	loopnet_cut(w.net, fra->host, lon->host, true);
	world_start(&w);
	world_pass(&w, HOUR_MS);
	assert_int_equal(site_logged(fra, "WARN session-refused host3:1: handshake"), 1);
	loopnet_cut(w.net, fra->host, lon->host, false);
	while (site_peer(fra, "LON").state != PEER_IN_SYNC)
		world_pass(&w, 100);
	world_pass(&w, 100);
	assert_in_sync(fra, "NYC");
	world_release(&w);
}

static void former_member_is_sent_away(void **state)
{
	struct two t;

	two_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	revoke(&t.sha->office, t.fra->office.identity.noise_key);
	engine_changed(t.sha->engine, site_now(t.sha));
	site_write(t.sha, &t.space, 3);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(loopnet_conn_count(t.world.net, 0, 1), 0);
	assert_true(site_logged(t.sha, "no longer a member"));
	assert_true(site_logged(t.fra, "the peer says revoked"));
	assert_int_equal(site_held(t.fra, &t.space), 0);
	world_release(&t.world);
}

/* Shanghai sends New York away; Frankfurt hears of it and does the same at once. */
static void revocation_reaches_who_talks_to_the_revoked(void **state)
{
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	assert_int_equal(loopnet_conn_count(t.world.net, t.fra->host, t.nyc->host), 1);
	revoke(&t.sha->office, t.nyc->office.identity.noise_key);
	engine_changed(t.sha->engine, site_now(t.sha));
	world_run(&t.world);
	assert_int_equal(loopnet_conn_count(t.world.net, t.fra->host, t.nyc->host), 0);
	assert_true(site_logged(t.nyc, "the peer says revoked"));
	assert_in_sync(t.sha, "FRA");
	world_release(&t.world);
}

/* It is out at once, and nobody else can say so. */
static void who_revokes_himself_tells_the_others(void **state)
{
	struct row t;

	row_init(&t);
	world_start(&t.world);
	world_run(&t.world);
	revoke(&t.sha->office, t.sha->office.identity.noise_key);
	engine_changed(t.sha->engine, site_now(t.sha));
	world_run(&t.world);
	assert_null(replica_member_by_noise_key(t.fra->office.replica,
						t.sha->office.identity.noise_key));
	assert_null(replica_member_by_noise_key(t.nyc->office.replica,
						t.sha->office.identity.noise_key));
	assert_int_equal(loopnet_conn_count(t.world.net, t.fra->host, t.sha->host), 0);
	world_release(&t.world);
}

/* Damages one piece of what goes to a host. */
struct damage {
	unsigned to;
	unsigned wait; /* for that many pieces */
	bool is_double;
};

static void damage(void *ctx, unsigned to, struct buf *data)
{
	struct damage *d = ctx;

	if (to != d->to || d->wait == 0 || --d->wait > 0)
		return;
	if (d->is_double) {
		struct buf copy = BUF_EMPTY;

		buf_append(&copy, data->data, data->size);
		buf_append(data, copy.data, copy.size);
		buf_release(&copy);
	} else {
		data->data[data->size / 2] ^= 1;
	}
}

static void assert_survives(bool is_double)
{
	struct damage d = { .to = 1, .wait = 5, .is_double = is_double };
	struct two t;

	two_init(&t);
	loopnet_tap(t.world.net, damage, &d);
	site_write(t.sha, &t.space, BACKLOG);
	world_start(&t.world);
	world_run(&t.world);
	assert_int_equal(d.wait, 0);
	assert_int_equal(site_logged(t.fra, "a frame is damaged, repeated or out of its order"), 1);
	assert_true(site_held(t.fra, &t.space) < BACKLOG);
	world_pass(&t.world, MINUTE_MS);
	assert_int_equal(site_held(t.fra, &t.space), BACKLOG);
	assert_true(office_agrees(&t.sha->office, &t.fra->office));
	world_release(&t.world);
}

static void damaged_frame_ends_the_session_only(void **state)
{
	assert_survives(false);
}

static void replayed_frames_end_the_session_only(void **state)
{
	assert_survives(true);
}

/* ---- Feeds from the future -------------------------------------------------------- */

static void feed_from_the_future_waits_and_others_go_on(void **state)
{
	struct row t;

	row_init(&t);
	/* Shanghai's and Frankfurt's clocks are two days ahead of New York's. */
	t.sha->skew_ms = t.fra->skew_ms = 2 * (int64_t)DAY_MS;
	t.sha->office.now_ms = t.fra->office.now_ms = OFFICE_NOW_MS + 2 * DAY_MS;
	site_write(t.sha, &t.space, 20);
	world_start(&t.world);
	world_run(&t.world);
	assert_int_equal(site_held(t.fra, &t.space), 20);
	assert_int_equal(site_held(t.nyc, &t.space), 0);
	assert_true(strstr(site_peer(t.nyc, "FRA").last_error, "held back") != NULL);
	assert_true(strstr(site_peer(t.fra, "NYC").last_error, "holds back") != NULL);
	/* New York's own changes get out, and what waits does not come again. */
	site_write(t.nyc, &t.space, 5);
	world_run(&t.world);
	assert_int_equal(site_held(t.sha, &t.space), 25);
	assert_int_equal(site_peer(t.nyc, "FRA").state, PEER_SYNCING);
	site_write(t.sha, &t.space, 5);
	world_pass(&t.world, HOUR_MS / 2);
	assert_int_equal(site_held(t.nyc, &t.space), 5);
	assert_int_equal(site_logged(t.nyc, "WARN warning"), 1);
	assert_true(site_peer(t.fra, "NYC").changesets_sent <= 40);
	/* Two days later the date has come. */
	world_pass(&t.world, 2 * DAY_MS);
	assert_int_equal(site_held(t.nyc, &t.space), 30);
	assert_true(office_agrees(&t.sha->office, &t.nyc->office));
	world_release(&t.world);
}

static void feed_from_the_future_is_taken_when_its_date_has_come(void **state)
{
	struct world w;
	struct site *sha, *fra;
	struct space_id space;

	world_init(&w);
	sha = world_add_office(&w, "SHA");
	fra = world_add_office(&w, "FRA");
	space = office_share(&sha->office);
	office_pull(&fra->office, &sha->office);
	site_dials(sha, fra);
	sha->skew_ms = (int64_t)(DAY_MS + 10 * MINUTE_MS);
	site_write(sha, &space, 5);
	world_start(&w);
	world_pass(&w, 9 * MINUTE_MS);
	assert_int_equal(site_held(fra, &space), 0);
	world_pass(&w, 2 * MINUTE_MS);
	assert_int_equal(site_held(fra, &space), 5);
	/* A clock that was wrong is corrected. */
	sha->skew_ms = 400 * (int64_t)DAY_MS;
	site_write(sha, &space, 5);
	world_pass(&w, 5 * MINUTE_MS);
	assert_int_equal(site_held(fra, &space), 5);
	fra->skew_ms = sha->skew_ms;
	world_pass(&w, MINUTE_MS);
	assert_int_equal(site_held(fra, &space), 10);
	assert_string_equal(site_peer(fra, "SHA").last_error, "");
	world_release(&w);
}

static void feed_that_depends_on_one_that_waits_waits_too(void **state)
{
	struct world w;
	struct site *sha, *fra, *nyc;
	struct space_id space;

	world_init(&w);
	sha = world_add_office(&w, "SHA");
	fra = world_add_office(&w, "FRA");
	nyc = world_add_office(&w, "NYC");
	space = office_share(&sha->office);
	office_pull(&fra->office, &sha->office);
	office_pull(&nyc->office, &sha->office);
	site_dials(nyc, fra);
	sha->skew_ms = fra->skew_ms = 2 * (int64_t)DAY_MS;
	sha->office.now_ms = fra->office.now_ms = OFFICE_NOW_MS + 2 * DAY_MS;
	site_write(sha, &space, 20);
	office_pull(&fra->office, &sha->office);
	world_start(&w);
	world_run(&w);
	/* Frankfurt's clock was set right; its stamps go on after what it has seen. */
	fra->skew_ms = 0;
	site_write(fra, &space, 3);
	world_run(&w);
	assert_int_equal(site_held(nyc, &space), 0);
	assert_int_equal(site_logged(nyc, "session-refused"), 0);
	assert_int_equal(site_peer(nyc, "FRA").state, PEER_SYNCING);
	world_release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offices_converge),
		cmocka_unit_test(push_takes_no_time),
		cmocka_unit_test(newcomer_gets_the_directory_before_anything_else),
		cmocka_unit_test(cut_catch_up_goes_on_where_it_ended),
		cmocka_unit_test(memory_is_bounded_whatever_the_backlog),
		cmocka_unit_test(changes_pass_through_a_third_office),
		cmocka_unit_test(offices_that_take_no_part_get_nothing),
		cmocka_unit_test(new_space_appears_in_an_open_session),
		cmocka_unit_test(two_dials_end_in_one_connection),
		cmocka_unit_test(peer_that_lost_its_connection_comes_back_at_once),
		cmocka_unit_test(settled_connection_gives_way_to_whoever_dials_again),
		cmocka_unit_test(members_are_dialled_by_the_directory),
		cmocka_unit_test(own_address_is_dialled_once),
		cmocka_unit_test(silent_peer_is_given_up_after_a_minute),
		cmocka_unit_test(keys_are_renewed_every_hour),
		cmocka_unit_test(paused_engine_talks_to_nobody),
		cmocka_unit_test(sync_now_dials_who_is_waited_for),
		cmocka_unit_test(comparing_what_is_equal_costs_one_small_round_trip),
		cmocka_unit_test(attempts_become_rare_and_start_over_after_success),
		cmocka_unit_test(other_organisation_is_named_on_both_sides),
		cmocka_unit_test(node_that_is_no_member_is_refused),
		cmocka_unit_test(member_that_is_news_shows_that_it_is_one),
		cmocka_unit_test(who_was_unknown_is_dialled_when_statements_come),
		cmocka_unit_test(former_member_is_sent_away),
		cmocka_unit_test(revocation_reaches_who_talks_to_the_revoked),
		cmocka_unit_test(who_revokes_himself_tells_the_others),
		cmocka_unit_test(damaged_frame_ends_the_session_only),
		cmocka_unit_test(replayed_frames_end_the_session_only),
		cmocka_unit_test(feed_from_the_future_waits_and_others_go_on),
		cmocka_unit_test(feed_from_the_future_is_taken_when_its_date_has_come),
		cmocka_unit_test(feed_that_depends_on_one_that_waits_waits_too),
	};

	return cmocka_run_group_tests_name("sync/engine", tests, NULL, NULL);
}
