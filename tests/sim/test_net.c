/* sim/net and sim/timeline: connections behave as TCP's do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/net.h"

enum { A, B, NODES = 2, MINUTE = 60 * 1000 };

/* What the two nodes have seen. */
struct seen {
	struct conn_id accepted, connected;
	struct buf received[NODES];
	size_t sent;
	char closed[NODES][64];
};

static void on_accepted(void *ctx, unsigned node, struct conn_id conn, const char *from)
{
	((struct seen *)ctx)->accepted = conn;
}

static void on_connected(void *ctx, unsigned node, struct conn_id conn)
{
	((struct seen *)ctx)->connected = conn;
}

static void on_received(void *ctx, unsigned node, struct conn_id conn, struct bytes data)
{
	buf_append(&((struct seen *)ctx)->received[node], data.data, data.size);
}

static void on_sent(void *ctx, unsigned node, struct conn_id conn, size_t bytes)
{
	((struct seen *)ctx)->sent += bytes;
}

static void on_closed(void *ctx, unsigned node, struct conn_id conn, const char *reason)
{
	snprintf(((struct seen *)ctx)->closed[node], 64, "%s", reason);
}

struct pair {
	struct timeline timeline;
	struct net *net;
	struct seen seen;
	struct port a, b;
};

static int set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct net_up up = { &p->seen, on_accepted, on_connected, on_received, on_sent, on_closed };

	timeline_init(&p->timeline);
	p->net = net_new(NODES, &p->timeline, 1, &up);
	p->a = net_port(p->net, A);
	p->b = net_port(p->net, B);
	net_listen(p->net, B, true);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;

	net_free(p->net);
	timeline_release(&p->timeline);
	buf_release(&p->seen.received[A]);
	buf_release(&p->seen.received[B]);
	free(p);
	return 0;
}

static void run(struct pair *p, uint64_t ms)
{
	uint64_t end = p->timeline.now_ms + ms;

	while (timeline_due_ms(&p->timeline) <= end)
		timeline_step(&p->timeline);
	p->timeline.now_ms = end;
}

static struct conn_id dial(struct pair *p)
{
	struct conn_id conn;

	assert_int_equal(p->a.dial(p->a.ctx, "n1:7", &conn, NULL), OK);
	return conn;
}

static struct conn_id connect_pair(struct pair *p)
{
	struct conn_id conn = dial(p);

	run(p, 1000);
	assert_int_equal(p->seen.connected.id, conn.id);
	assert_int_not_equal(p->seen.accepted.id, 0);
	return conn;
}

static void expect_received(struct pair *p, unsigned node, const char *text)
{
	assert_int_equal(p->seen.received[node].size, strlen(text));
	assert_memory_equal(p->seen.received[node].data, text, strlen(text));
}

static void bytes_arrive_whole_and_in_order(void **state)
{
	struct pair *p = *state;
	struct conn_id conn = connect_pair(p);
	struct link slow = { .latency_ms = 50, .jitter_ms = 200, .bytes_per_ms = 10 };
	struct buf all = BUF_EMPTY;

	net_set_link(p->net, A, B, &slow);
	for (int i = 0; i < 2000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d,", i);
		buf_append_str(&all, text);
		p->a.send(p->a.ctx, conn, bytes_of_str(text));
	}
	run(p, 10 * MINUTE);
	assert_int_equal(p->seen.received[B].size, all.size);
	assert_memory_equal(p->seen.received[B].data, all.data, all.size);
	assert_int_equal(p->seen.sent, all.size);
	buf_release(&all);
}

static void a_cut_delays_and_a_long_one_resets(void **state)
{
	struct pair *p = *state;
	struct conn_id conn = connect_pair(p);

	net_cut(p->net, A, B, true);
	p->a.send(p->a.ctx, conn, bytes_of_str("late"));
	p->b.send(p->b.ctx, p->seen.accepted, bytes_of_str("other way"));
	run(p, MINUTE);
	expect_received(p, B, "");
	expect_received(p, A, "other way");
	net_cut(p->net, A, B, false);
	run(p, MINUTE);
	expect_received(p, B, "late");

	net_cut(p->net, A, B, true);
	p->a.send(p->a.ctx, conn, bytes_of_str("never"));
	run(p, NET_PATIENCE_MS + MINUTE);
	net_cut(p->net, A, B, false);
	run(p, MINUTE);
	expect_received(p, B, "late");
	assert_string_equal(p->seen.closed[A], "connection timed out");
	assert_string_equal(p->seen.closed[B], "connection timed out");
}

static void dials_are_refused_or_time_out(void **state)
{
	struct pair *p = *state;

	net_listen(p->net, B, false);
	dial(p);
	run(p, MINUTE);
	assert_string_equal(p->seen.closed[A], "connection refused");

	net_listen(p->net, B, true);
	net_cut(p->net, B, A, true);
	dial(p);
	run(p, MINUTE);
	assert_string_equal(p->seen.closed[A], "timed out");
	assert_int_equal(p->seen.accepted.id, 0);
}

static void a_flushing_close_delivers_what_was_queued(void **state)
{
	struct pair *p = *state;
	struct conn_id conn = connect_pair(p);

	p->a.send(p->a.ctx, conn, bytes_of_str("last words"));
	p->a.close(p->a.ctx, conn, true);
	run(p, MINUTE);
	expect_received(p, B, "last words");
	assert_string_equal(p->seen.closed[B], "closed by the peer");
	assert_string_equal(p->seen.closed[A], "");
}

static void a_lost_host_is_noticed_when_it_is_back(void **state)
{
	struct pair *p = *state;
	struct conn_id conn = connect_pair(p);

	net_drop_node(p->net, B, true);
	p->a.send(p->a.ctx, conn, bytes_of_str("hello?"));
	run(p, MINUTE);
	assert_string_equal(p->seen.closed[A], "");
	net_listen(p->net, B, true);
	p->a.send(p->a.ctx, conn, bytes_of_str("hello?"));
	run(p, MINUTE);
	assert_string_equal(p->seen.closed[A], "connection reset");
	expect_received(p, B, "");
}

static void a_killed_process_resets_at_once(void **state)
{
	struct pair *p = *state;

	connect_pair(p);
	net_drop_node(p->net, B, false);
	run(p, MINUTE);
	assert_string_equal(p->seen.closed[A], "connection reset");
}

static void events_of_one_instant_keep_their_order(void **state)
{
	struct pair *p = *state;
	struct conn_id first = dial(p), second = dial(p);

	run(p, 1000);
	assert_true(first.id < second.id);
	assert_int_equal(p->seen.connected.id, second.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_arrive_whole_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_delays_and_a_long_one_resets, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(dials_are_refused_or_time_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flushing_close_delivers_what_was_queued, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_lost_host_is_noticed_when_it_is_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_killed_process_resets_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_of_one_instant_keep_their_order, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("sim/net", tests, NULL, NULL);
}
