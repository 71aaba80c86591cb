/* sync/transport: bytes over loopback, whole, in order and bounded, whatever the
 * other side does. The dialling and the listening end live in one process.
 * ctest: labels=threads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sync/transport.h"
#include "tests/support/prng.h"

/* nng frees on a thread of its own what it counts by atomics. The package is not
 * built for the thread sanitizer, which therefore sees no order there. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:pthread_mutex_destroy\n";
}

enum { ENDS_MAX = 4096, HANG_MS = 30000 };

/* What one end of a connection has seen. */
struct end {
	struct conn_id id;
	bool is_accepted, is_connected, is_closed;
	char reason[128];
	char from[64];
	struct buf received;
	size_t received_max; /* in one event */
	size_t sent, first_sent;
};

/* One transport and all its ends. */
struct world {
	struct transport *transport;
	struct port port;
	char address[32];
	struct end ends[ENDS_MAX];
	size_t end_count;
	size_t accepted_count, closed_count, trouble_count;
	bool echoes;
};

static struct end *end_of(struct world *w, struct conn_id id)
{
	for (size_t i = 0; i < w->end_count; i++)
		if (w->ends[i].id.id == id.id)
			return &w->ends[i];
	fail_msg("an event of a connection that is not there");
	return NULL;
}

static struct end *new_end(struct world *w, struct conn_id id)
{
	assert_true(w->end_count < ENDS_MAX);
	assert_int_not_equal(id.id, 0);
	for (size_t i = 0; i < w->end_count; i++)
		assert_int_not_equal(w->ends[i].id.id, id.id); /* ids are never used again */
	w->ends[w->end_count].id = id;
	return &w->ends[w->end_count++];
}

static void on_accepted(void *ctx, struct conn_id id, const char *from)
{
	struct world *w = ctx;
	struct end *e = new_end(w, id);

	e->is_accepted = true;
	snprintf(e->from, sizeof(e->from), "%s", from);
	w->accepted_count++;
}

static void on_connected(void *ctx, struct conn_id id)
{
	end_of(ctx, id)->is_connected = true;
}

static void on_received(void *ctx, struct conn_id id, struct bytes data)
{
	struct world *w = ctx;
	struct end *e = end_of(w, id);

	assert_false(e->is_closed);
	assert_true(data.size > 0);
	if (data.size > e->received_max)
		e->received_max = data.size;
	buf_append(&e->received, data.data, data.size);
	if (w->echoes && e->is_accepted)
		w->port.send(w->port.ctx, id, data);
}

static void on_sent(void *ctx, struct conn_id id, size_t bytes)
{
	struct end *e = end_of(ctx, id);

	assert_false(e->is_closed);
	if (e->sent == 0)
		e->first_sent = bytes;
	e->sent += bytes;
}

static void on_closed(void *ctx, struct conn_id id, const char *reason)
{
	struct world *w = ctx;
	struct end *e = end_of(w, id);

	assert_false(e->is_closed); /* told once */
	e->is_closed = true;
	snprintf(e->reason, sizeof(e->reason), "%s", reason);
	w->closed_count++;
}

static void on_trouble(void *ctx, const char *what)
{
	struct world *w = ctx;

	w->trouble_count++;
}

static struct world *world_new(const char *listen)
{
	struct world *w = calloc(1, sizeof(*w));
	struct transport_events events = {
		.ctx = w,
		.accepted = on_accepted,
		.connected = on_connected,
		.received = on_received,
		.sent = on_sent,
		.closed = on_closed,
		.trouble = on_trouble,
	};
	struct errmsg msg = { 0 };
	uint16_t port;

	assert_non_null(w);
	assert_int_equal(transport_new(&w->transport, &events, &msg), OK);
	w->port = transport_port(w->transport);
	if (transport_listen(w->transport, listen, &port, &msg) != OK)
		fail_msg("%s", msg.text);
	snprintf(w->address, sizeof(w->address), "127.0.0.1:%u", port);
	return w;
}

static void world_free(struct world *w)
{
	transport_free(w->transport);
	for (size_t i = 0; i < w->end_count; i++)
		buf_release(&w->ends[i].received);
	free(w);
}

static bool pump_once(struct world *w, int wait_ms)
{
	struct pollfd fd = { .fd = transport_fd(w->transport), .events = POLLIN };
	bool has_more;

	poll(&fd, 1, wait_ms);
	has_more = transport_turn(w->transport, 16);
	transport_flush(w->transport);
	return has_more || (fd.revents & POLLIN);
}

/* Turn until the condition holds; the limit only ends a hung test. */
#define PUMP_UNTIL(w, condition)                                           \
	do {                                                               \
		for (int left_ms = HANG_MS; !(condition); left_ms -= 10) { \
			if (left_ms <= 0)                                  \
				fail_msg("hangs: %s", #condition);         \
			while (pump_once(w, 10) && !(condition))           \
				;                                          \
		}                                                          \
	} while (0)

static struct end *dial(struct world *w, const char *address)
{
	struct errmsg msg = { 0 };
	struct conn_id id;

	if (w->port.dial(w->port.ctx, address, &id, &msg) != OK)
		fail_msg("%s", msg.text);
	return new_end(w, id);
}

/* Dial ourselves; *accepted is the other end. */
static struct end *connect_ends(struct world *w, struct end **accepted)
{
	size_t count = w->accepted_count;
	struct end *e = dial(w, w->address);

	PUMP_UNTIL(w, e->is_connected && w->accepted_count > count);
	*accepted = &w->ends[w->end_count - 1];
	return e;
}

static void send_bytes(struct world *w, struct end *e, struct bytes data)
{
	w->port.send(w->port.ctx, e->id, data);
}

static struct buf random_bytes(struct prng *p, size_t size)
{
	struct buf b = BUF_EMPTY;

	prng_fill(p, buf_grow(&b, size), size);
	return b;
}

static void assert_received(const struct end *e, const struct buf *data)
{
	assert_int_equal(e->received.size, data->size);
	assert_memory_equal(e->received.data, data->data, data->size);
}

/* A client that can do what no transport does. */
static int raw_connect(const struct world *w)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(strchr(w->address, ':') + 1));
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void raw_reset(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static size_t open_fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void what_is_sent_in_pieces_comes_back_whole(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct prng p;
	struct end *dialled, *accepted;
	struct buf data;

	prng_init(&p, prng_seed_from_environment());
	data = random_bytes(&p, 24 << 20);
	w->echoes = true;
	dialled = connect_ends(w, &accepted);
	for (size_t at = 0; at < data.size;) {
		size_t size = 1 + (size_t)prng_below(&p, 300000);

		if (size > data.size - at)
			size = data.size - at;
		send_bytes(w, dialled, bytes_of(data.data + at, size));
		at += size;
		if (prng_chance(&p, 50))
			pump_once(w, 0);
	}
	PUMP_UNTIL(w, dialled->received.size == data.size && dialled->sent == data.size);
	assert_received(accepted, &data);
	assert_received(dialled, &data);
	assert_true(accepted->received_max <= TRANSPORT_RECV_BYTES);
	assert_int_equal(strncmp(accepted->from, "127.0.0.1:", 10), 0);
	buf_release(&data);
	world_free(w);
}

static void what_one_turn_queues_leaves_in_one_piece(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct end *dialled, *accepted;

	dialled = connect_ends(w, &accepted);
	for (int i = 0; i < 100; i++)
		send_bytes(w, dialled, bytes_of_str("0123456789"));
	PUMP_UNTIL(w, accepted->received.size == 1000);
	PUMP_UNTIL(w, dialled->sent == 1000);
	assert_int_equal(dialled->first_sent, 1000);
	world_free(w);
}

static void reader_who_pauses_stops_the_sender_and_loses_nothing(void **state)
{
	struct world *sender = world_new("127.0.0.1:0");
	struct world *reader = world_new("127.0.0.1:0");
	struct end *e = dial(sender, reader->address);
	struct prng p;
	struct buf data;

	prng_init(&p, prng_seed_from_environment());
	data = random_bytes(&p, 64 << 20);
	PUMP_UNTIL(sender, e->is_connected);
	PUMP_UNTIL(reader, reader->accepted_count == 1);
	send_bytes(sender, e, buf_bytes(&data));
	/* The reader does not turn: the kernel takes what it will, then nothing moves. */
	PUMP_UNTIL(sender, e->sent > 0);
	while (pump_once(sender, 300))
		;
	assert_true(e->sent < data.size);
	assert_true(reader->ends[0].received.size <= TRANSPORT_RECV_BYTES);

	while (e->sent < data.size || reader->ends[0].received.size < data.size) {
		pump_once(sender, 1);
		pump_once(reader, 1);
	}
	assert_received(&reader->ends[0], &data);
	buf_release(&data);
	world_free(sender);
	world_free(reader);
}

static void flushing_close_delivers_the_last_word(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct end *dialled, *accepted;
	struct prng p;
	struct buf data;

	prng_init(&p, prng_seed_from_environment());
	data = random_bytes(&p, 9 << 20);
	dialled = connect_ends(w, &accepted);
	send_bytes(w, dialled, buf_bytes(&data));
	w->port.close(w->port.ctx, dialled->id, true);
	send_bytes(w, dialled, bytes_of_str("too late"));
	PUMP_UNTIL(w, accepted->received.size == data.size);
	w->port.close(w->port.ctx, accepted->id, false);
	PUMP_UNTIL(w, transport_conn_count(w->transport) == 0);
	assert_received(accepted, &data);
	assert_false(dialled->is_closed); /* who closes is not told */
	assert_false(accepted->is_closed);
	buf_release(&data);
	world_free(w);
}

/* A socket that is closed with unread bytes resets the connection. */
static void last_word_survives_what_the_closer_has_not_read(void **state)
{
	enum { UNREAD_BYTES = 4 * TRANSPORT_RECV_BYTES_MIN };
	struct world *closer = world_new("127.0.0.1:0");
	struct world *reader = world_new("127.0.0.1:0");
	struct end *e = dial(closer, reader->address);
	struct buf data = BUF_EMPTY;

	memset(buf_grow(&data, 1 << 20), 1, 1 << 20);
	PUMP_UNTIL(closer, e->is_connected);
	PUMP_UNTIL(reader, reader->accepted_count == 1);
	/* More than the closer has read by itself, and no more than it reads at leisure. */
	send_bytes(reader, &reader->ends[0], bytes_of(data.data, UNREAD_BYTES));
	PUMP_UNTIL(reader, reader->ends[0].sent == UNREAD_BYTES);

	send_bytes(closer, e, buf_bytes(&data)); /* more than the reader has read by itself */
	closer->port.close(closer->port.ctx, e->id, true);
	PUMP_UNTIL(closer, transport_conn_count(closer->transport) == 0);
	PUMP_UNTIL(reader, reader->ends[0].is_closed);
	assert_received(&reader->ends[0], &data);
	buf_release(&data);
	world_free(closer);
	world_free(reader);
}

static void flushing_close_ends_though_the_peer_stays(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	int fd = raw_connect(w);
	char last[4];

	PUMP_UNTIL(w, w->accepted_count == 1);
	send_bytes(w, &w->ends[0], bytes_of_str("bye"));
	w->port.close(w->port.ctx, w->ends[0].id, true);
	PUMP_UNTIL(w, transport_conn_count(w->transport) == 0);
	assert_int_equal(recv(fd, last, sizeof(last), MSG_WAITALL), 3);
	close(fd);
	world_free(w);
}

static void close_tells_the_other_side_only(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct end *dialled, *accepted;

	dialled = connect_ends(w, &accepted);
	w->port.close(w->port.ctx, dialled->id, false);
	w->port.close(w->port.ctx, dialled->id, false);
	PUMP_UNTIL(w, accepted->is_closed && transport_conn_count(w->transport) == 0);
	assert_string_equal(accepted->reason, "closed by the peer");
	assert_false(dialled->is_closed);
	send_bytes(w, dialled, bytes_of_str("nobody")); /* ids that have ended are ignored */
	w->port.close(w->port.ctx, accepted->id, true);
	world_free(w);
}

static void refused_dial_is_told(void **state)
{
	/* Too long for a name: no server is asked, which might take its time to answer. */
	static const char no_name[] =
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.invalid:7420";
	struct world *w = world_new("127.0.0.1:0");
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, but does not listen */
	socklen_t size = sizeof(at);
	char address[32];
	struct end *e;

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(at.sin_port));
	e = dial(w, address);
	PUMP_UNTIL(w, e->is_closed);
	assert_string_equal(e->reason, "Connection refused");
	e = dial(w, no_name);
	PUMP_UNTIL(w, e->is_closed);
	assert_false(e->is_connected);
	assert_int_equal(transport_conn_count(w->transport), 0);
	close(fd);
	world_free(w);
}

static void dial_can_be_given_up(void **state)
{
	struct world *w = world_new("127.0.0.1:0");

	for (int i = 0; i < 50; i++) {
		struct end *e = dial(w, w->address);

		if (i % 2)
			pump_once(w, 0);
		w->port.close(w->port.ctx, e->id, i % 3 == 0);
	}
	PUMP_UNTIL(w, transport_conn_count(w->transport) == 0);
	world_free(w);
}

static void what_is_no_address_is_refused_at_once(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct errmsg msg = { 0 };
	struct conn_id id = { 7 };

	assert_int_equal(w->port.dial(w->port.ctx, "nowhere", &id, &msg), ERR_INVALID);
	assert_int_equal(id.id, 7);
	assert_int_equal(transport_listen(w->transport, "nowhere", NULL, &msg), ERR_INVALID);
	assert_int_equal(transport_listen(w->transport, w->address, NULL, &msg), ERR_IO);
	assert_non_null(strstr(msg.text, w->address));
	world_free(w);
}

static bool has_ipv6_name(const char *name)
{
	struct addrinfo hints = { .ai_family = AF_INET6 };
	struct addrinfo *found;

	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool found = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	if (fd >= 0)
		close(fd);
	return found;
}

static void names_and_both_families_are_dialled(void **state)
{
	enum { WITHOUT_IPV6 = 3 };
	static const struct {
		const char *listen, *dial, *from;
	} cases[] = {
		{ "127.0.0.1:0", "localhost", "127.0.0.1:" },
		{ "localhost:0", "localhost", "127.0.0.1:" },
		{ "*:0", "127.0.0.1", "127.0.0.1:" },
		{ "[::1]:0", "[::1]", "[::1]:" },
		{ "*:0", "[::1]", "[::1]:" },
		{ "[::1]:0", "localhost", "[::1]:" },
	};
	size_t count = sizeof(cases) / sizeof(cases[0]);

	if (!has_ipv6())
		count = WITHOUT_IPV6;
	else if (!has_ipv6_name("localhost"))
		count--;
	for (size_t i = 0; i < count; i++) {
		struct world *w = world_new(cases[i].listen);
		char address[64];
		struct end *e;

		snprintf(address, sizeof(address), "%s%s", cases[i].dial, strchr(w->address, ':'));
		e = dial(w, address);
		PUMP_UNTIL(w, (e->is_connected && w->accepted_count == 1) || e->is_closed);
		if (e->is_closed)
			fail_msg("%s from %s: %s", cases[i].listen, address, e->reason);
		assert_int_equal(strncmp(w->ends[1].from, cases[i].from, strlen(cases[i].from)), 0);
		world_free(w);
	}
}

static void thousand_peers_who_come_and_go_leave_nothing_behind(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct end *dialled, *accepted;
	size_t fd_count;

	w->echoes = true;
	dialled = connect_ends(w, &accepted);
	fd_count = open_fd_count();
	for (int i = 0; i < 1000; i++) {
		int fd = raw_connect(w);

		if (i % 3 == 0)
			assert_int_equal(send(fd, "x", 1, 0), 1);
		if (i % 2)
			raw_reset(fd);
		else
			close(fd);
		if (i % 64 == 0) /* the kernel's backlog is short */
			PUMP_UNTIL(w, w->accepted_count == (size_t)i + 2);
	}
	PUMP_UNTIL(w, w->accepted_count == 1001 && w->closed_count == 1000);
	assert_int_equal(transport_conn_count(w->transport), 2);
	PUMP_UNTIL(w, open_fd_count() <= fd_count); /* nng's reaper closes them */
	send_bytes(w, dialled, bytes_of_str("still there"));
	PUMP_UNTIL(w, dialled->received.size == 11);
	world_free(w);
}

static void reset_while_sending_is_told_once(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct buf data = BUF_EMPTY;

	memset(buf_grow(&data, 8 << 20), 1, 8 << 20);
	for (size_t i = 0; i < 20; i++) {
		int fd = raw_connect(w);

		PUMP_UNTIL(w, w->accepted_count == i + 1);
		send_bytes(w, &w->ends[i], buf_bytes(&data));
		pump_once(w, 0);
		raw_reset(fd);
		send_bytes(w, &w->ends[i], buf_bytes(&data));
		PUMP_UNTIL(w, w->ends[i].is_closed);
	}
	PUMP_UNTIL(w, transport_conn_count(w->transport) == 0);
	buf_release(&data);
	world_free(w);
}

static void end_amid_traffic_waits_for_what_is_out(void **state)
{
	struct buf data = BUF_EMPTY;

	memset(buf_grow(&data, 1 << 20), 1, 1 << 20);
	for (int i = 0; i < 30; i++) {
		struct world *w = world_new("127.0.0.1:0");
		struct end *dialled, *accepted;

		dialled = connect_ends(w, &accepted);
		w->echoes = true;
		for (int k = 0; k < 8; k++) {
			send_bytes(w, dialled, buf_bytes(&data));
			send_bytes(w, accepted, buf_bytes(&data));
			dial(w, w->address);
		}
		for (int k = 0; k < i; k++)
			pump_once(w, 0);
		if (i % 4 == 0)
			w->port.close(w->port.ctx, dialled->id, i % 8 == 0);
		world_free(w);
	}
	buf_release(&data);
}

static void accepting_goes_on_after_descriptors_ran_out(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct rlimit before, tight;
	int fd = raw_connect(w);

	PUMP_UNTIL(w, w->accepted_count == 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	PUMP_UNTIL(w, transport_conn_count(w->transport) == 0);
	close(fd);
	tight = before;
	fd = raw_connect(w); /* nng may take this one before the limit falls */
	tight.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	tight.rlim_cur = before.rlim_cur;
	PUMP_UNTIL(w, w->trouble_count > 0 || w->accepted_count == 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	PUMP_UNTIL(w, w->accepted_count == 2);
	close(fd);
	world_free(w);
}

/* Raise the limit of descriptors for both ends of so many connections, or skip the test. The
 * limit that was. */
static struct rlimit make_room_for(size_t conn_count)
{
	struct rlimit before, wide;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	wide = before;
	wide.rlim_cur = wide.rlim_max;
	if (wide.rlim_max < 2 * conn_count + 64 || setrlimit(RLIMIT_NOFILE, &wide) != 0)
		skip();
	return before;
}

static void accepting_waits_at_the_limit(void **state)
{
	enum { MORE = 20 };
	int fds[TRANSPORT_ACCEPTED_MAX + MORE];
	size_t count = sizeof(fds) / sizeof(fds[0]);
	struct rlimit before = make_room_for(count);
	struct world *w = world_new("127.0.0.1:0");

	for (size_t i = 0; i < count; i++) {
		fds[i] = raw_connect(w);
		if (i % 64 == 0 && i < TRANSPORT_ACCEPTED_MAX)
			PUMP_UNTIL(w, w->accepted_count == i + 1);
	}
	PUMP_UNTIL(w, w->accepted_count == TRANSPORT_ACCEPTED_MAX && w->trouble_count > 0);
	for (int i = 0; i < 20; i++)
		pump_once(w, 10);
	assert_int_equal(transport_conn_count(w->transport), TRANSPORT_ACCEPTED_MAX);
	for (size_t i = 0; i < MORE; i++)
		close(fds[i]);
	PUMP_UNTIL(w, w->accepted_count == count);
	for (size_t i = MORE; i < count; i++)
		close(fds[i]);
	world_free(w);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* Each is refused with a last word, and stays to read it. */
static void accepting_does_not_wait_for_who_lingers(void **state)
{
	enum { COUNT = TRANSPORT_ACCEPTED_MAX + 200 };
	struct rlimit before = make_room_for(COUNT);
	struct world *w = world_new("127.0.0.1:0");
	static int fds[COUNT];

	for (size_t i = 0; i < COUNT; i++) {
		fds[i] = raw_connect(w);
		PUMP_UNTIL(w, w->accepted_count == i + 1);
		send_bytes(w, &w->ends[i], bytes_of_str("no"));
		w->port.close(w->port.ctx, w->ends[i].id, true);
	}
	assert_int_equal(w->trouble_count, 0);
	for (size_t i = 0; i < COUNT; i++) {
		char word[2];

		PUMP_UNTIL(w, recv(fds[i], word, sizeof(word), MSG_PEEK | MSG_DONTWAIT) == 2);
		close(fds[i]);
	}
	world_free(w);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* Who sends little costs little, who sends much is read in large pieces. */
static void pieces_grow_with_what_comes(void **state)
{
	struct world *w = world_new("127.0.0.1:0");
	struct prng prng;
	struct buf data;
	struct end *dialled, *accepted;

	prng_init(&prng, 1);
	data = random_bytes(&prng, 8 << 20);
	dialled = connect_ends(w, &accepted);
	send_bytes(w, dialled, buf_bytes(&data));
	PUMP_UNTIL(w, accepted->received_max >= TRANSPORT_RECV_BYTES_MIN);
	assert_int_equal(accepted->received_max, TRANSPORT_RECV_BYTES_MIN);
	PUMP_UNTIL(w, accepted->received.size == data.size);
	assert_received(accepted, &data);
	assert_true(accepted->received_max > 16 * TRANSPORT_RECV_BYTES_MIN);
	buf_release(&data);
	world_free(w);
}

static int end_library(void **state)
{
	transport_library_release();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_in_pieces_comes_back_whole),
		cmocka_unit_test(what_one_turn_queues_leaves_in_one_piece),
		cmocka_unit_test(reader_who_pauses_stops_the_sender_and_loses_nothing),
		cmocka_unit_test(flushing_close_delivers_the_last_word),
		cmocka_unit_test(last_word_survives_what_the_closer_has_not_read),
		cmocka_unit_test(flushing_close_ends_though_the_peer_stays),
		cmocka_unit_test(close_tells_the_other_side_only),
		cmocka_unit_test(refused_dial_is_told),
		cmocka_unit_test(dial_can_be_given_up),
		cmocka_unit_test(what_is_no_address_is_refused_at_once),
		cmocka_unit_test(names_and_both_families_are_dialled),
		cmocka_unit_test(thousand_peers_who_come_and_go_leave_nothing_behind),
		cmocka_unit_test(reset_while_sending_is_told_once),
		cmocka_unit_test(end_amid_traffic_waits_for_what_is_out),
		cmocka_unit_test(accepting_goes_on_after_descriptors_ran_out),
		cmocka_unit_test(accepting_waits_at_the_limit),
		cmocka_unit_test(accepting_does_not_wait_for_who_lingers),
		cmocka_unit_test(pieces_grow_with_what_comes),
	};

	/* Where "localhost" has no IPv6, servers are asked, which may not be there. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
	return cmocka_run_group_tests(tests, NULL, end_library);
}
