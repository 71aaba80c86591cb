/* sync/engine: strangers at the door, and the members that they must not keep out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sync/engine_impl.h"
#include "sync/link.h"
#include "tests/sync/offices.h"

/* Somebody who opens connections and says the same words on each. */
struct intruder {
	unsigned host;
	struct port port;
	struct bytes words;
	unsigned closed_count;
};

static void intruder_connected(void *ctx, struct conn_id conn)
{
	struct intruder *i = ctx;

	if (i->words.size)
		i->port.send(i->port.ctx, conn, i->words);
}

static void intruder_received(void *ctx, struct conn_id conn, struct bytes data)
{
}

static void intruder_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static void intruder_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct intruder *i = ctx;

	i->closed_count++;
}

static void intruder_init(struct intruder *i, struct world *w, const char *words)
{
	*i = (struct intruder){ .words = bytes_of_str(words) };
	i->host = loopnet_add(w->net, &(struct loopnet_events){ .ctx = i,
								.connected = intruder_connected,
								.received = intruder_received,
								.sent = intruder_sent,
								.closed = intruder_closed });
	i->port = loopnet_port(w->net, i->host);
}

static void intruder_dials(struct intruder *i, const struct site *to, unsigned count)
{
	char address[LOOPNET_ADDRESS_BYTES];
	struct conn_id id;

	loopnet_address(to->host, address);
	while (count--)
		OFFICE_MUST(i->port.dial(i->port.ctx, address, &id, &msg));
}

static void garbage_is_refused_and_bothers_nobody(void **state)
{
	struct intruder intruder;
	struct two t;

	two_init(&t);
	intruder_init(&intruder, &t.world, "GET / HTTP/1.1\r\n\r\n");
	world_start(&t.world);
	world_run(&t.world);
	intruder_dials(&intruder, t.sha, 100);
	world_run(&t.world);
	assert_int_equal(intruder.closed_count, 100);
	assert_int_equal(site_logged(t.sha, "WARN stranger-refused host2:1: format"), 1);
	assert_in_sync(t.sha, "FRA");
	world_release(&t.world);
}

static void strangers_can_hold_few_connections_for_a_short_time(void **state)
{
	struct intruder intruder;
	struct two t;

	two_init(&t);
	intruder_init(&intruder, &t.world, "");
	site_start(t.sha);
	intruder_dials(&intruder, t.sha, HALF_OPEN_MAX + 8);
	world_run(&t.world);
	assert_int_equal(intruder.closed_count, 8);
	assert_int_equal(site_logged(t.sha, "WARN stranger-refused host2:1: limit"), 1);
	world_pass(&t.world, ACCEPT_MS_MAX - 1);
	assert_int_equal(intruder.closed_count, 8);
	world_pass(&t.world, 1);
	assert_int_equal(intruder.closed_count, HALF_OPEN_MAX + 8);
	assert_int_equal(engine_deadline(t.sha->engine), UINT64_MAX);
	world_release(&t.world);
}

static void member_gets_in_while_strangers_hold_every_place(void **state)
{
	struct intruder intruder;
	struct two t;

	two_init(&t);
	intruder_init(&intruder, &t.world, "");
	site_start(t.sha);
	intruder_dials(&intruder, t.sha, 3 * HALF_OPEN_MAX);
	world_run(&t.world);
	site_start(t.fra);
	world_run(&t.world);
	assert_in_sync(t.sha, "FRA");
	intruder_dials(&intruder, t.sha, 3 * HALF_OPEN_MAX);
	world_run(&t.world);
	assert_in_sync(t.sha, "FRA");
	world_release(&t.world);
}

static void crowd_from_one_place_displaces_only_itself(void **state)
{
	struct intruder quiet, crowd;
	struct two t;

	two_init(&t);
	intruder_init(&quiet, &t.world, "");
	intruder_init(&crowd, &t.world, "");
	site_start(t.sha);
	intruder_dials(&quiet, t.sha, 2);
	intruder_dials(&crowd, t.sha, 3 * HALF_OPEN_MAX);
	world_run(&t.world);
	assert_int_equal(quiet.closed_count, 0);
	assert_int_equal(crowd.closed_count, 2 * HALF_OPEN_MAX + 2);
	world_release(&t.world);
}

static void places_are_shared_between_many_sources(void **state)
{
	enum { CROWD = 30 };
	struct intruder crowd[CROWD];
	struct two t;

	two_init(&t);
	site_start(t.sha);
	for (size_t i = 0; i < CROWD; i++) {
		intruder_init(&crowd[i], &t.world, "");
		intruder_dials(&crowd[i], t.sha, 10);
	}
	world_run(&t.world);
	for (size_t i = 0; i < CROWD; i++)
		assert_in_range(10 - crowd[i].closed_count, HALF_OPEN_MAX / CROWD,
				HALF_OPEN_MAX / CROWD + 1);
	world_release(&t.world);
}

/* ---- Strangers with a key -------------------------------------------------------- */

/* Completes the handshake with a key that nobody knows, says that it knows the other, and begins
 * to show why: what it could make us hold is large. */
struct presenter {
	struct port port;
	struct noise_keypair key;
	struct prng prng;
	struct dice dice;
	struct link link;
	const uint8_t *org;
	bool is_closed;
};

static void presenter_flush(struct presenter *p, struct conn_id conn)
{
	if (p->link.out.size)
		p->port.send(p->port.ctx, conn, buf_bytes(&p->link.out));
	buf_clear(&p->link.out);
}

static void presenter_connected(void *ctx, struct conn_id conn)
{
	struct presenter *p = ctx;

	OFFICE_MUST(link_init(&p->link, &(struct link_config){ .is_dialler = true,
							       .org = p->org,
							       .static_key = &p->key,
							       .dice = &p->dice,
							       .purpose = PREAMBLE_SYNC }));
	presenter_flush(p, conn);
}

static void presenter_speaks(struct presenter *p)
{
	struct message m = { .type = MESSAGE_TRUST };
	struct buf encoded = BUF_EMPTY;

	m.u.trust.is_known = true;
	message_encode(&encoded, &m);
	OFFICE_MUST(link_send(&p->link, buf_bytes(&encoded)));
	buf_release(&encoded);
}

static void presenter_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct presenter *p = ctx;
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes message;

	do {
		OFFICE_MUST(link_read(&p->link, &data, &event, &message, &msg));
		if (event == LINK_KEY) {
			OFFICE_MUST(link_accept(&p->link));
			presenter_speaks(p);
		}
	} while (event != LINK_NEEDS_INPUT && event != LINK_END);
	presenter_flush(p, conn);
}

static void presenter_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct presenter *p = ctx;

	p->is_closed = true;
}

static void presenter_comes(struct presenter *p, struct world *w, const struct site *to, uint64_t n)
{
	uint8_t secret[NOISE_DH_BYTES];
	char address[LOOPNET_ADDRESS_BYTES];
	struct conn_id id;

	*p = (struct presenter){ .org = replica_org(to->office.replica) };
	prng_init(&p->prng, 5000 + n);
	p->dice = prng_dice(&p->prng);
	prng_fill(&p->prng, secret, sizeof(secret));
	noise_keypair_from_secret(&p->key, secret);
	p->port = loopnet_port(
		w->net,
		loopnet_add(w->net, &(struct loopnet_events){ p, NULL, presenter_connected,
							      presenter_received, intruder_sent,
							      presenter_closed }));
	loopnet_address(to->host, address);
	OFFICE_MUST(p->port.dial(p->port.ctx, address, &id, &msg));
	world_run(w);
}

static void few_strangers_may_present_statements_at_a_time(void **state)
{
	enum { CROWD = PRESENTING_MAX + 10 };
	static struct presenter crowd[CROWD];
	struct two t;

	two_init(&t);
	site_start(t.sha);
	for (size_t i = 0; i < CROWD; i++) {
		presenter_comes(&crowd[i], &t.world, t.sha, i);
		assert_true(link_is_open(&crowd[i].link));
		for (size_t j = 0; j <= i; j++)
			assert_int_equal(crowd[j].is_closed, j + PRESENTING_MAX <= i);
	}
	site_start(t.fra);
	world_run(&t.world);
	assert_in_sync(t.sha, "FRA");
	world_pass(&t.world, ACCEPT_MS_MAX);
	for (size_t i = 0; i < CROWD; i++) {
		assert_true(crowd[i].is_closed);
		link_release(&crowd[i].link);
	}
	world_release(&t.world);
}

/* Who has many addresses must not fill the disk with lines about them. */
static void log_names_few_strangers_a_minute(void **state)
{
	enum { CROWD = 30 };
	struct intruder crowd[CROWD];
	struct two t;

	two_init(&t);
	site_start(t.sha);
	for (size_t i = 0; i < CROWD; i++) {
		intruder_init(&crowd[i], &t.world, "garbage");
		intruder_dials(&crowd[i], t.sha, 3);
	}
	world_run(&t.world);
	assert_int_equal(site_logged(t.sha, "WARN stranger-refused"), STRANGERS_MAX);
	world_pass(&t.world, MINUTE_MS);
	for (size_t i = 0; i < CROWD; i++)
		intruder_dials(&crowd[i], t.sha, 1);
	world_run(&t.world);
	assert_int_equal(site_logged(t.sha, "WARN stranger-refused"), CROWD);
	world_release(&t.world);
}

static void source_is_an_address_or_a_network(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{ "192.0.2.1:1", "192.0.2.1:65535", true },
		{ "192.0.2.1:1", "192.0.2.2:1", false },
		{ "[2001:db8::1]:1", "[2001:db8::ffff:1]:2", true },
		{ "[2001:db8:0:1::1]:1", "[2001:db8:0:1:8000::]:1", true },
		{ "[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false },
		{ "[fe80::1%eth0]:1", "[fe80::1%eth0]:2", true },
		{ "?", "192.0.2.1:1", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(engine_source(cases[i].a) == engine_source(cases[i].b),
				 cases[i].is_same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage_is_refused_and_bothers_nobody),
		cmocka_unit_test(strangers_can_hold_few_connections_for_a_short_time),
		cmocka_unit_test(member_gets_in_while_strangers_hold_every_place),
		cmocka_unit_test(crowd_from_one_place_displaces_only_itself),
		cmocka_unit_test(places_are_shared_between_many_sources),
		cmocka_unit_test(few_strangers_may_present_statements_at_a_time),
		cmocka_unit_test(log_names_few_strangers_a_minute),
		cmocka_unit_test(source_is_an_address_or_a_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
