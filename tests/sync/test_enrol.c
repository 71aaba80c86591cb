/* sync/enrol: newcomers with good tickets and with others, and their first session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "proto/message.h"
#include "proto/proof.h"
#include "sync/link.h"
#include "sync/session.h"
#include "tests/sync/admission.h"

static void assert_fails(struct site *s, const struct ticket *ticket, enum err rc)
{
	assert_int_equal(enrol_with(s, ticket), ENROL_FAILED);
	assert_int_equal(enrol_error(s->enrol)->code, rc);
	assert_true(enrol_error(s->enrol)->text[0]);
	assert_int_equal(enrol_deadline(s->enrol), UINT64_MAX);
}

static void newcomer_joins_and_gets_everything(void **state)
{
	struct admission_world a;
	struct space_id directory;
	const struct member *self;

	aw_init(&a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	assert_int_equal(member_count(a.sha), 2);
	assert_int_equal(site_logged(a.sha, "INFO enrolled"), 1);
	OFFICE_MUST(enrol_finish(a.fra->enrol, a.fra->office.replica, OFFICE_NOW_MS, &msg));
	/* It is a member in its own eyes, and knows where to dial. */
	assert_non_null(replica_self(a.fra->office.replica));
	site_start(a.fra);
	world_run(&a.world);
	directory = replica_directory(a.sha->office.replica);
	assert_int_equal(site_held(a.fra, &directory), site_held(a.sha, &directory));
	self = replica_self(a.fra->office.replica);
	assert_non_null(self);
	assert_string_equal(self->office_code, "FRA");
	assert_string_equal(self->address, "host1:1");
	assert_true(office_agrees(&a.sha->office, &a.fra->office));
	assert_int_equal(site_peer(a.fra, "SHA").state, PEER_IN_SYNC);
	world_release(&a.world);
}

/* It is cut off between the two steps of enrol_finish(). */
static void newcomer_without_statements_is_shown_them_again(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	OFFICE_MUST(replica_join(a.fra->office.replica, a.ticket.org, &msg));
	assert_null(replica_self(a.fra->office.replica));
	site_dials(a.fra, a.sha);
	site_start(a.fra);
	world_run(&a.world);
	assert_non_null(replica_self(a.fra->office.replica));
	assert_int_equal(site_peer(a.fra, "SHA").state, PEER_IN_SYNC);
	world_release(&a.world);
}

static void ticket_is_good_for_one_node(void **state)
{
	struct admission_world a;
	struct site *nyc;

	aw_init(&a);
	nyc = world_add(&a.world);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	assert_fails(nyc, &a.ticket, ERR_EXISTS);
	assert_int_equal(member_count(a.sha), 2);
	assert_int_equal(site_logged(a.sha, "WARN stranger-refused host2:1: exists"), 1);
	world_release(&a.world);
}

/* Both are told that the ticket is good before either has used it. */
static void ticket_is_good_for_one_node_of_two_at_once(void **state)
{
	struct admission_world a;
	struct site *nyc;

	aw_init(&a);
	nyc = world_add(&a.world);
	enrol_begin(a.fra, &a.ticket);
	enrol_begin(nyc, &a.ticket);
	world_run(&a.world);
	assert_int_equal(enrol_state(a.fra->enrol), ENROL_DONE);
	assert_int_equal(enrol_state(nyc->enrol), ENROL_FAILED);
	assert_int_equal(enrol_error(nyc->enrol)->code, ERR_EXISTS);
	assert_int_equal(member_count(a.sha), 2);
	world_release(&a.world);
}

static void same_node_may_ask_again(void **state)
{
	struct admission_world a;

	aw_init(&a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	assert_int_equal(member_count(a.sha), 2);
	world_release(&a.world);
}

static void expired_ticket_is_named(void **state)
{
	struct admission_world a;

	aw_init(&a);
	a.world.now_ms = VALID_S * 1000;
	assert_fails(a.fra, &a.ticket, ERR_TIMEOUT);
	assert_int_equal(member_count(a.sha), 1);
	world_release(&a.world);
}

static void unknown_ticket_is_named(void **state)
{
	struct admission_world a;

	aw_init(&a);
	a.ticket.id[0] ^= 1;
	assert_fails(a.fra, &a.ticket, ERR_NOT_FOUND);
	assert_int_equal(site_logged(a.sha, "WARN stranger-refused host1:1: not-found"), 1);
	world_release(&a.world);
}

static void wrong_secret_is_named(void **state)
{
	struct admission_world a;

	aw_init(&a);
	a.ticket.secret[0] ^= 1;
	assert_fails(a.fra, &a.ticket, ERR_NOT_FOUND);
	assert_int_equal(site_logged(a.sha, "WARN stranger-refused host1:1: handshake"), 1);
	assert_int_equal(member_count(a.sha), 1);
	world_release(&a.world);
}

static void ticket_of_another_organisation_is_named(void **state)
{
	struct admission_world a;

	aw_init(&a);
	a.ticket.org[0] ^= 1;
	assert_fails(a.fra, &a.ticket, ERR_ORG);
	assert_int_equal(site_logged(a.sha, "WARN stranger-refused host1:1: organisation"), 1);
	world_release(&a.world);
}

static void addresses_are_tried_in_turn(void **state)
{
	struct admission_world a;

	aw_init(&a);
	a.ticket.address_count = 3;
	strcpy(a.ticket.addresses[2], a.ticket.addresses[0]);
	strcpy(a.ticket.addresses[0], "not an address");
	loopnet_address(a.fra->host, a.ticket.addresses[1]); /* nobody answers there */
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_RUNNING);
	world_pass(&a.world, DIAL_MS_MAX);
	assert_int_equal(enrol_state(a.fra->enrol), ENROL_DONE);
	world_release(&a.world);
}

static void what_the_issuer_said_is_final(void **state)
{
	struct admission_world a;
	struct ticket_stub stub;

	aw_init(&a);
	a.ticket.address_count = 2;
	strcpy(a.ticket.addresses[1], a.ticket.addresses[0]);
	a.world.now_ms = VALID_S * 1000;
	assert_fails(a.fra, &a.ticket, ERR_TIMEOUT);
	OFFICE_MUST(ticket_stub_load(a.sha->office.replica, a.ticket.id, &stub, &msg));
	assert_int_equal(stub.tries, 1);
	world_release(&a.world);
}

static void error_of_the_furthest_attempt_is_told(void **state)
{
	struct admission_world a;

	aw_init(&a);
	a.ticket.secret[0] ^= 1;
	a.ticket.address_count = 2;
	strcpy(a.ticket.addresses[1], "not-an-address");
	assert_fails(a.fra, &a.ticket, ERR_NOT_FOUND);
	world_release(&a.world);
}

static void nobody_there_is_named(void **state)
{
	struct admission_world a;

	aw_init(&a);
	loopnet_listen(a.world.net, a.sha->host, false);
	assert_fails(a.fra, &a.ticket, ERR_IO);
	world_release(&a.world);
}

/* ---- A newcomer that lies ---------------------------------------------------------- */

struct liar {
	struct link link;
	struct port port;
	struct conn_id conn;
	struct noise_keypair key;
	struct dice dice;
	struct site *site;
	const struct ticket *ticket;
	void (*lie)(struct message_enrol *m);
	struct arena arena;
	char answer[REASON_NAME_MAX + 1];
};

static void liar_flush(struct liar *l)
{
	if (l->link.out.size)
		l->port.send(l->port.ctx, l->conn, buf_bytes(&l->link.out));
	buf_clear(&l->link.out);
}

static void liar_enrols(struct liar *l)
{
	struct message m = { .type = MESSAGE_ENROL };
	struct message_enrol *e = &m.u.enrol;
	struct buf encoded = BUF_EMPTY;

	memcpy(e->sign_key, l->site->office.identity.sign_key, SIGN_PUBLIC_BYTES);
	memcpy(e->noise_key, l->key.public_key, NOISE_DH_BYTES);
	memcpy(e->nonce, l->site->office.identity.nonce, ID_BYTES);
	e->office_name = bytes_of_str("FRA");
	proof_sign(e->proof, link_handshake_hash(&l->link), l->site->office.sign_secret);
	l->lie(e);
	message_encode(&encoded, &m);
	OFFICE_MUST(link_send(&l->link, buf_bytes(&encoded)));
	buf_release(&encoded);
}

static void liar_connected(void *ctx, struct conn_id conn)
{
	struct liar *l = ctx;

	l->conn = conn;
	OFFICE_MUST(link_init(
		&l->link,
		&(struct link_config){ .is_dialler = true,
				       .org = l->ticket->org,
				       .static_key = &l->key,
				       .dice = &l->dice,
				       .purpose = PREAMBLE_ENROL,
				       .remote_key = l->ticket->issuer_key,
				       .psk = l->ticket->secret,
				       .ticket_id = bytes_of(l->ticket->id, TICKET_ID_BYTES) }));
	liar_flush(l);
}

static void liar_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct liar *l = ctx;
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes encoded = bytes_of(NULL, 0);
	struct message m;

	do {
		OFFICE_MUST(link_read(&l->link, &data, &event, &encoded, &msg));
		if (event == LINK_OPEN)
			liar_enrols(l);
		if (event == LINK_MESSAGE) {
			OFFICE_MUST(message_decode(&m, encoded, &l->arena, &msg));
			assert_int_equal(m.type, MESSAGE_BYE);
			snprintf(l->answer, sizeof(l->answer), "%.*s", (int)m.u.bye.name.size,
				 (const char *)m.u.bye.name.data);
		}
	} while (event != LINK_NEEDS_INPUT && event != LINK_END);
	liar_flush(l);
}

static void liar_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static void liar_closed(void *ctx, struct conn_id conn, const char *reason)
{
}

static void assert_lie_fails(void (*lie)(struct message_enrol *m), const char *answer)
{
	struct admission_world a;
	struct conn_id id;
	struct liar l;

	aw_init(&a);
	l = (struct liar){ .site = a.fra, .ticket = &a.ticket, .lie = lie };
	l.dice = prng_dice(&a.fra->dice);
	noise_keypair_from_secret(&l.key, a.fra->noise_secret);
	l.port = loopnet_port(
		a.world.net,
		loopnet_add(a.world.net,
			    &(struct loopnet_events){ &l, NULL, liar_connected, liar_received,
						      liar_sent, liar_closed }));
	OFFICE_MUST(l.port.dial(l.port.ctx, a.ticket.addresses[0], &id, &msg));
	world_run(&a.world);
	assert_string_equal(l.answer, answer);
	assert_int_equal(member_count(a.sha), 1);
	/* The ticket is not lost to whoever it was for. */
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	link_release(&l.link);
	arena_release(&l.arena);
	world_release(&a.world);
}

static void lie_about_sign_key(struct message_enrol *m)
{
	m->sign_key[0] ^= 1;
}

static void lie_about_noise_key(struct message_enrol *m)
{
	m->noise_key[0] ^= 1;
}

static void lie_about_proof(struct message_enrol *m)
{
	m->proof[0] ^= 1;
}

static void newcomer_must_hold_the_keys_it_names(void **state)
{
	assert_lie_fails(lie_about_sign_key, "signature");
	assert_lie_fails(lie_about_proof, "signature");
	assert_lie_fails(lie_about_noise_key, "handshake");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newcomer_joins_and_gets_everything),
		cmocka_unit_test(newcomer_without_statements_is_shown_them_again),
		cmocka_unit_test(ticket_is_good_for_one_node),
		cmocka_unit_test(ticket_is_good_for_one_node_of_two_at_once),
		cmocka_unit_test(same_node_may_ask_again),
		cmocka_unit_test(expired_ticket_is_named),
		cmocka_unit_test(unknown_ticket_is_named),
		cmocka_unit_test(wrong_secret_is_named),
		cmocka_unit_test(ticket_of_another_organisation_is_named),
		cmocka_unit_test(addresses_are_tried_in_turn),
		cmocka_unit_test(what_the_issuer_said_is_final),
		cmocka_unit_test(error_of_the_furthest_attempt_is_told),
		cmocka_unit_test(nobody_there_is_named),
		cmocka_unit_test(newcomer_must_hold_the_keys_it_names),
	};

	return cmocka_run_group_tests_name("sync/enrol", tests, NULL, NULL);
}
