/* sync/enrol: somebody who saw a ticket being used, or a part of it, and has not got its
 * secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/link.h"
#include "tests/sync/admission.h"

/* Begins an enrolment with a secret, and hangs up once it is answered. */
struct thief {
	struct port port;
	const struct ticket *ticket;
	const uint8_t *secret;
	struct noise_keypair key;
	struct dice dice;
	struct link link;
	struct conn_id conn;
	bool is_answered;
};

static void thief_flush(struct thief *t)
{
	t->port.send(t->port.ctx, t->conn, buf_bytes(&t->link.out));
	buf_clear(&t->link.out);
}

static void thief_connected(void *ctx, struct conn_id conn)
{
	struct thief *t = ctx;

	t->conn = conn;
	OFFICE_MUST(link_init(
		&t->link,
		&(struct link_config){ .is_dialler = true,
				       .org = t->ticket->org,
				       .static_key = &t->key,
				       .dice = &t->dice,
				       .purpose = PREAMBLE_ENROL,
				       .remote_key = t->ticket->issuer_key,
				       .psk = t->secret,
				       .ticket_id = bytes_of(t->ticket->id, TICKET_ID_BYTES) }));
	thief_flush(t);
}

static void thief_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct bytes message = bytes_of(NULL, 0);
	enum link_event event = LINK_NEEDS_INPUT;
	struct thief *t = ctx;

	OFFICE_MUST(link_read(&t->link, &data, &event, &message, &msg));
	if (event != LINK_OPEN)
		return;
	t->is_answered = true;
	t->port.close(t->port.ctx, conn, false);
}

static void thief_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static void thief_closed(void *ctx, struct conn_id conn, const char *reason)
{
}

/* Whether it was answered, the last time. */
static bool steal(struct admission_world *a, const uint8_t *secret, int times)
{
	struct thief t = { .ticket = &a->ticket, .secret = secret };
	struct conn_id id;

	t.dice = prng_dice(&a->fra->dice);
	noise_keypair_from_secret(&t.key, a->fra->noise_secret);
	t.port = loopnet_port(
		a->world.net,
		loopnet_add(a->world.net,
			    &(struct loopnet_events){ &t, NULL, thief_connected, thief_received,
						      thief_sent, thief_closed }));
	for (int i = 0; i < times; i++) {
		t.is_answered = false;
		OFFICE_MUST(t.port.dial(t.port.ctx, a->ticket.addresses[0], &id, &msg));
		world_run(&a->world);
		link_release(&t.link);
	}
	return t.is_answered;
}

static uint64_t wrong_tries(struct admission_world *a)
{
	struct ticket_stub stub;

	OFFICE_MUST(ticket_stub_load(a->sha->office.replica, a->ticket.id, &stub, &msg));
	return stub.wrong_tries;
}

static const uint8_t guess[TICKET_SECRET_BYTES] = { 1, 2, 3 };

static void five_wrong_tries_burn_a_ticket(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_false(steal(&a, guess, TICKET_WRONG_MAX));
	assert_int_equal(wrong_tries(&a), TICKET_WRONG_MAX);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_FAILED);
	assert_int_equal(enrol_error(a.fra->enrol)->code, ERR_LIMIT);
	assert_int_equal(member_count(a.sha), 1);
	world_release(&a.world);
}

static void fewer_do_not(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_false(steal(&a, guess, TICKET_WRONG_MAX - 1));
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	world_release(&a.world);
}

static void connections_that_break_do_not(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_true(steal(&a, a.ticket.secret, 2 * TICKET_WRONG_MAX));
	assert_int_equal(wrong_tries(&a), 0);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	world_release(&a.world);
}

static void a_hundred_of_them_do(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_true(steal(&a, a.ticket.secret, TICKET_TRIES_MAX));
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_FAILED);
	assert_int_equal(enrol_error(a.fra->enrol)->code, ERR_LIMIT);
	world_release(&a.world);
}

static void who_was_let_in_stays(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	assert_false(steal(&a, guess, 2 * TICKET_WRONG_MAX));
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	assert_int_equal(member_count(a.sha), 2);
	world_release(&a.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_wrong_tries_burn_a_ticket),
		cmocka_unit_test(fewer_do_not),
		cmocka_unit_test(connections_that_break_do_not),
		cmocka_unit_test(a_hundred_of_them_do),
		cmocka_unit_test(who_was_let_in_stays),
	};

	return cmocka_run_group_tests_name("sync/enrol_thief", tests, NULL, NULL);
}
