/* sync/enrol: somebody who saw a ticket being used, or a part of it, and has not got its
 * secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/link.h"
#include "tests/sync/admission.h"

/* Goes through the handshake with a wrong secret, and then says something all the same,
 * or hangs up. */
struct thief {
	struct port port;
	const struct ticket *ticket;
	struct noise_keypair key;
	struct dice dice;
	struct link link;
	struct conn_id conn;
	bool hangs_up;
};

static void thief_flush(struct thief *t)
{
	t->port.send(t->port.ctx, t->conn, buf_bytes(&t->link.out));
	buf_clear(&t->link.out);
}

static void thief_connected(void *ctx, struct conn_id conn)
{
	static const uint8_t guess[TICKET_SECRET_BYTES] = { 1, 2, 3 };
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
				       .psk = guess,
				       .ticket_id = bytes_of(t->ticket->id, TICKET_ID_BYTES) }));
	thief_flush(t);
}

static void thief_received(void *ctx, struct conn_id conn, struct bytes data)
{
	static const uint8_t frame[2 + 32] = { 0, 32 };
	struct bytes message = bytes_of(NULL, 0);
	enum link_event event = LINK_NEEDS_INPUT;
	struct thief *t = ctx;

	if (link_read(&t->link, &data, &event, &message, NULL) != ERR_HANDSHAKE)
		return;
	if (t->hangs_up)
		t->port.close(t->port.ctx, conn, false);
	else
		t->port.send(t->port.ctx, conn, bytes_of(frame, sizeof(frame)));
}

static void thief_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static void thief_closed(void *ctx, struct conn_id conn, const char *reason)
{
}

static void steal(struct admission_world *a, bool hangs_up, int times)
{
	struct thief t = { .ticket = &a->ticket, .hangs_up = hangs_up };
	struct conn_id id;

	t.dice = prng_dice(&a->fra->dice);
	noise_keypair_from_secret(&t.key, a->fra->noise_secret);
	t.port = loopnet_port(
		a->world.net,
		loopnet_add(a->world.net,
			    &(struct loopnet_events){ &t, NULL, thief_connected, thief_received,
						      thief_sent, thief_closed }));
	for (int i = 0; i < times; i++) {
		OFFICE_MUST(t.port.dial(t.port.ctx, a->ticket.addresses[0], &id, &msg));
		world_run(&a->world);
		link_release(&t.link);
	}
}

static uint64_t wrong_tries(struct admission_world *a)
{
	struct ticket_stub stub;

	OFFICE_MUST(ticket_stub_load(a->sha->office.replica, a->ticket.id, &stub, &msg));
	return stub.wrong_tries;
}

static void five_wrong_tries_burn_a_ticket(void **state)
{
	struct admission_world a;

	aw_init(&a);
	steal(&a, false, TICKET_WRONG_MAX);
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
	steal(&a, false, TICKET_WRONG_MAX - 1);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	world_release(&a.world);
}

static void connections_that_break_do_not(void **state)
{
	struct admission_world a;

	aw_init(&a);
	steal(&a, true, 2 * TICKET_WRONG_MAX);
	assert_int_equal(wrong_tries(&a), 0);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	world_release(&a.world);
}

static void who_was_let_in_stays(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	steal(&a, false, 2 * TICKET_WRONG_MAX);
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
		cmocka_unit_test(who_was_let_in_stays),
	};

	return cmocka_run_group_tests_name("sync/enrol_thief", tests, NULL, NULL);
}
