/* sync without memory: whichever allocation fails, no peer is taken for a wrong
 * one, nothing is left behind, and all is made up for when there is memory again.
 *
 * ctest: timeout=600 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/shortage.h"
#include "tests/sync/admission.h"

enum { MINUTE_MS = 60000, LOG_BYTES = 64 << 10 };

/* ---- The network does not suffer ------------------------------------------------ */

static enum err spared_dial(void *ctx, const char *address, struct conn_id *out, struct errmsg *msg)
{
	struct site *s = ctx;
	struct port port = loopnet_port(s->world->net, s->host);
	enum err rc;

	shortage_pause(true);
	rc = port.dial(port.ctx, address, out, msg);
	shortage_pause(false);
	return rc;
}

static void spared_send(void *ctx, struct conn_id id, struct bytes data)
{
	struct site *s = ctx;
	struct port port = loopnet_port(s->world->net, s->host);

	shortage_pause(true);
	port.send(port.ctx, id, data);
	shortage_pause(false);
}

static void spared_close(void *ctx, struct conn_id id, bool flush)
{
	struct site *s = ctx;
	struct port port = loopnet_port(s->world->net, s->host);

	shortage_pause(true);
	port.close(port.ctx, id, flush);
	shortage_pause(false);
}

/* Nor does its log, which a test reads. */
static void spare(struct site *s)
{
	s->port = (struct port){ s, spared_dial, spared_send, spared_close };
	buf_grow(&s->log, LOG_BYTES);
	buf_clear(&s->log);
}

static void expect_one_state(struct site *a, struct site *b)
{
	uint8_t of_a[STATE_HASH_BYTES], of_b[STATE_HASH_BYTES];

	OFFICE_MUST(replica_state_hash(a->office.replica, of_a, &msg));
	OFFICE_MUST(replica_state_hash(b->office.replica, of_b, &msg));
	assert_memory_equal(of_a, of_b, STATE_HASH_BYTES);
}

/* ---- Two engines ------------------------------------------------------------------ */

struct meeting {
	struct world world;
	struct site *sha, *fra;
	struct space_id space;
	long blocks; /* before all */
};

static void meeting_init(struct meeting *m)
{
	m->blocks = shortage_blocks();
	world_init(&m->world);
	m->sha = world_add_office(&m->world, "SHA");
	m->fra = world_add_office(&m->world, "FRA");
	m->space = office_share(&m->sha->office);
	office_pull(&m->fra->office, &m->sha->office);
	site_dials(m->fra, m->sha);
	site_write(m->sha, &m->space, 30);
	site_write(m->fra, &m->space, 3);
	spare(m->sha);
	spare(m->fra);
}

static void meeting_end(struct meeting *m)
{
	world_release(&m->world);
	assert_int_equal(shortage_blocks(), m->blocks);
}

static enum err start_both(struct meeting *m)
{
	enum err rc = OK;

	if (!m->sha->engine)
		rc = site_try_start(m->sha);
	if (rc == OK && !m->fra->engine)
		rc = site_try_start(m->fra);
	return rc;
}

static enum err start_and_meet(void *ctx)
{
	struct meeting *m = ctx;
	enum err rc = start_both(m);

	if (rc == OK)
		world_run(&m->world);
	return rc;
}

/* Both have everything, and believe so. Who had been taken for a wrong one would not
 * be dialled for an hour. The daemon looks at the replica in each turn, too. */
static void expect_all_made_up_for(struct meeting *m)
{
	engine_changed(m->sha->engine, site_now(m->sha));
	engine_changed(m->fra->engine, site_now(m->fra));
	world_pass(&m->world, 15 * MINUTE_MS);
	assert_true(engine_is_idle(m->sha->engine));
	assert_true(engine_is_idle(m->fra->engine));
	assert_int_equal(site_peer(m->fra, "SHA").state, PEER_IN_SYNC);
	assert_int_equal(site_held(m->sha, &m->space), site_held(m->fra, &m->space));
	expect_one_state(m->sha, m->fra);
}

static void check_meeting(void *ctx, enum err rc)
{
	struct meeting *m = ctx;

	OFFICE_MUST(start_both(m));
	expect_all_made_up_for(m);
	meeting_end(m);
	meeting_init(m);
}

static void a_first_conversation_is_made_up_for(void **state)
{
	struct meeting m;
	const struct shortage_trial trial = { start_and_meet, check_meeting, &m, 60 };

	meeting_init(&m);
	assert_true(shortage_try(&trial) > 200);
	meeting_end(&m);
}

/* In the middle of a session that has been open for long. */
static enum err tell_each_other(void *ctx)
{
	struct meeting *m = ctx;

	engine_changed(m->sha->engine, site_now(m->sha));
	engine_changed(m->fra->engine, site_now(m->fra));
	engine_sync_now(m->fra->engine, site_now(m->fra));
	world_run(&m->world);
	return OK;
}

static void write_on_both(struct meeting *m)
{
	struct site *sites[] = { m->sha, m->fra };

	for (size_t i = 0; i < 2; i++) {
		sites[i]->office.now_ms = site_now(sites[i]).wall_ms;
		office_item(&sites[i]->office, &m->space, "nobody is told yet");
	}
}

static void check_talk(void *ctx, enum err rc)
{
	struct meeting *m = ctx;

	expect_all_made_up_for(m);
	write_on_both(m);
}

static void a_long_session_is_made_up_for(void **state)
{
	struct meeting m;
	const struct shortage_trial trial = { tell_each_other, check_talk, &m, 60 };

	meeting_init(&m);
	OFFICE_MUST(start_both(&m));
	check_talk(&m, OK);
	assert_true(shortage_try(&trial) > 50);
	meeting_end(&m);
}

/* A third office is written into the directory: sessions and lists of peers follow. */
static enum err tell_of_a_member(void *ctx)
{
	struct meeting *m = ctx;

	engine_changed(m->sha->engine, site_now(m->sha));
	world_run(&m->world);
	return OK;
}

static void admit_third(struct meeting *m)
{
	struct site *nbo = world_add(&m->world);

	office_join(&nbo->office, &m->sha->office, "NBO");
}

static void check_members(void *ctx, enum err rc)
{
	struct meeting *m = ctx;

	expect_all_made_up_for(m);
	assert_int_equal(engine_peer_count(m->sha->engine), 2);
	assert_int_equal(engine_peer_count(m->fra->engine), 2);
	meeting_end(m);
	meeting_init(m);
	OFFICE_MUST(start_both(m));
	world_pass(&m->world, MINUTE_MS);
	admit_third(m);
}

static void a_new_member_becomes_known(void **state)
{
	struct meeting m;
	const struct shortage_trial trial = { tell_of_a_member, check_members, &m, 60 };

	meeting_init(&m);
	OFFICE_MUST(start_both(&m));
	admit_third(&m);
	assert_true(shortage_try(&trial) > 50);
	meeting_end(&m);
}

/* ---- Enrolment ---------------------------------------------------------------------- */

struct enrolment {
	struct admission_world world;
	struct ticket ticket; /* issued while there was memory, or the attempt's */
	struct buf line;      /* as text */
	bool has_joined;
	long blocks;
};

static void enrolment_init(struct enrolment *n)
{
	*n = (struct enrolment){ .blocks = shortage_blocks() };
	aw_init(&n->world);
	n->ticket = n->world.ticket;
	site_stop(n->world.sha);
	spare(n->world.sha);
	spare(n->world.fra);
	site_start(n->world.sha);
}

static void enrolment_end(struct enrolment *n)
{
	buf_release(&n->line);
	world_release(&n->world.world);
	assert_int_equal(shortage_blocks(), n->blocks);
}

static enum err pass_ticket(struct enrolment *n)
{
	struct site *sha = n->world.sha;
	struct dice dice = prng_dice(&sha->dice);
	struct ticket *t = &n->world.ticket;
	enum err rc = ticket_issue(sha->office.replica, t, false, &dice, NULL);

	if (rc == OK)
		rc = ticket_encode(&n->line, t, NULL);
	buf_append_byte(&n->line, 0);
	if (rc == OK)
		rc = buf_check(&n->line);
	return rc == OK ? ticket_decode(&n->ticket, (const char *)n->line.data, NULL) : rc;
}

static enum err join(void *ctx)
{
	struct enrolment *n = ctx;
	struct site *fra = n->world.fra;
	enum err rc = pass_ticket(n);

	if (rc == OK)
		rc = enrol_try(fra, &n->ticket);
	if (rc != OK)
		return rc;
	world_run(&n->world.world);
	/* The issuer's lack of memory shows as a connection that ends. */
	if (enrol_state(fra->enrol) != ENROL_DONE)
		return ERR_NOMEM;
	rc = enrol_finish(fra->enrol, fra->office.replica, OFFICE_NOW_MS, NULL);
	n->has_joined = rc == OK;
	return rc;
}

/* Who did not get in asks again, with the same ticket if it has one. */
static void check_join(void *ctx, enum err rc)
{
	struct enrolment *n = ctx;
	struct site *fra = n->world.fra;
	bool changed;

	if (!n->has_joined) {
		assert_int_equal(enrol_with(fra, &n->ticket), ENROL_DONE);
		OFFICE_MUST(enrol_finish(fra->enrol, fra->office.replica, OFFICE_NOW_MS, &msg));
	}
	OFFICE_MUST(replica_refresh(fra->office.replica, &changed, &msg));
	engine_changed(n->world.sha->engine, site_now(n->world.sha)); /* as the daemon */
	enrol_free(fra->enrol);
	fra->enrol = NULL;
	site_start(fra);
	world_pass(&n->world.world, 15 * MINUTE_MS);
	assert_int_equal(member_count(n->world.sha), 2);
	assert_non_null(replica_self(fra->office.replica));
	expect_one_state(n->world.sha, fra);
	enrolment_end(n);
	enrolment_init(n);
}

static void an_enrolment_is_made_up_for(void **state)
{
	struct enrolment n;
	const struct shortage_trial trial = { join, check_join, &n, 60 };

	enrolment_init(&n);
	assert_true(shortage_try(&trial) > 100);
	enrolment_end(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_conversation_is_made_up_for),
		cmocka_unit_test(a_long_session_is_made_up_for),
		cmocka_unit_test(a_new_member_becomes_known),
		cmocka_unit_test(an_enrolment_is_made_up_for),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
