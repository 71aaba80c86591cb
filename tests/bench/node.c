/* A node of one office in a process of its own: the engine on the transport,
 * in a loop as the daemon's, told by the bench what to do and when:
 *
 *   node OFFICE PATH [ADDRESS]
 *
 *   -> dial            start the engine, and with it dialling ADDRESS
 *   <- dialled NS
 *   -> edit COUNT      new titles, a changeset each, one transaction
 *   <- edited NS NS    before it began, after it was durable
 *   -> await COUNT     of changesets in the space
 *   <- held NS         when they are durable here
 *   -> ask             compare with the other office
 *   <- answered NS NS
 *   -> traffic         <- traffic SENT RECEIVED    bytes
 *   -> memory          <- memory NOW PEAK          KiB, resident
 *
 * Without ADDRESS it listens and starts the engine at once: "listening PORT". */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sync/engine.h"
#include "sync/transport.h"
#include "tests/bench/host.h"
#include "tests/bench/measure.h"
#include "tests/support/prng.h"

enum { EVENTS_A_TURN = 256 };

#define LEAVE_NS_MAX UINT64_C(2000000000)

struct node {
	struct host host;
	struct transport *transport;
	struct engine *engine;
	const char *address; /* to dial; NULL: we listen */
	struct now now;
	bool has_more;
	bool is_ending;

	char line[64]; /* of the command that is coming in */
	size_t line_size;

	uint64_t awaited;  /* 0 = nothing */
	uint64_t asked_ns; /* 0 = no question is open */
	uint64_t received; /* bytes when it was asked */

	struct record_id *records; /* all action items, for editing */
	size_t record_count;
	size_t edit_count;
	struct prng dice;
};

static struct now read_clocks(void)
{
	return (struct now){ .wall_ms = clock_wall_ms(), .mono_ms = clock_ns() / 1000000 };
}

static struct peer_status peer(const struct node *n)
{
	struct peer_status status = { 0 };

	if (engine_peer_count(n->engine))
		engine_peer_status(n->engine, 0, &status);
	return status;
}

/* The transport's events. */

static void on_accepted(void *ctx, struct conn_id conn, const char *from)
{
	struct node *n = ctx;

	if (n->engine)
		engine_accepted(n->engine, n->now, conn, from);
}

static void on_connected(void *ctx, struct conn_id conn)
{
	struct node *n = ctx;

	if (n->engine)
		engine_connected(n->engine, n->now, conn);
}

static void on_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct node *n = ctx;

	if (n->engine)
		engine_received(n->engine, n->now, conn, data);
}

static void on_sent(void *ctx, struct conn_id conn, size_t bytes)
{
	struct node *n = ctx;

	if (n->engine)
		engine_sent(n->engine, n->now, conn, bytes);
}

static void on_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct node *n = ctx;

	if (n->engine)
		engine_closed(n->engine, n->now, conn, reason);
}

static void on_trouble(void *ctx, const char *what)
{
	fprintf(stderr, "huitong-bench: %s\n", what);
}

static void on_log(void *ctx, enum log_level level, const char *event, const char *who,
		   const char *detail)
{
	/* Strangers are part of what is measured. */
	if (level >= LOG_WARN && strcmp(event, "stranger-refused") != 0)
		fprintf(stderr, "huitong-bench: %s %s: %s\n", event, who, detail);
}

static void start_engine(struct node *n)
{
	const char *const peers[] = { n->address, NULL };
	struct engine_config config = { .replica = n->host.replica,
					.port = transport_port(n->transport),
					.dice = host_dice(),
					.noise_secret = n->host.noise_secret,
					.sign_secret = n->host.sign_secret,
					.peers = peers,
					.log = on_log };
	struct errmsg msg = { 0 };

	n->now = read_clocks();
	must(engine_new(&n->engine, &config, n->now.wall_ms, &msg), &msg, "start the engine");
}

/* Commands. */

static void do_dial(struct node *n, const char *argument)
{
	printf("dialled %llu\n", (unsigned long long)clock_ns());
	start_engine(n);
}

static void load_records(struct node *n)
{
	struct rows *rows;
	struct errmsg msg = { 0 };

	must(rows_open(&rows, n->host.replica, "SELECT id FROM r_action_item", NULL, 0, &msg), &msg,
	     "read the records");
	while (rows_next(rows)) {
		if ((n->record_count & (n->record_count - 1)) == 0)
			n->records =
				realloc(n->records, (n->record_count ? 2 * n->record_count : 1) *
							    sizeof(*n->records));
		if (!n->records)
			bench_fail("out of memory");
		n->records[n->record_count++] = rows_id(rows, 0);
	}
	must(rows_close(rows, &msg), &msg, "read the records");
}

static void do_edit(struct node *n, const char *argument)
{
	size_t count = strtoul(argument, NULL, 10);
	uint64_t begun, durable;
	char title[96];

	if (n->record_count == 0)
		load_records(n);
	begun = clock_ns();
	host_begin(&n->host);
	for (size_t i = 0; i < count; i++) {
		workload_title(title, sizeof(title), n->edit_count++);
		host_retitle(&n->host, &n->records[prng_below(&n->dice, n->record_count)], title);
	}
	host_commit(&n->host);
	durable = clock_ns();
	n->now = read_clocks();
	engine_changed(n->engine, n->now);
	transport_flush(n->transport);
	printf("edited %llu %llu\n", (unsigned long long)begun, (unsigned long long)durable);
}

static void do_await(struct node *n, const char *argument)
{
	n->awaited = strtoull(argument, NULL, 10);
}

static void do_ask(struct node *n, const char *argument)
{
	n->received = peer(n).bytes_received;
	n->asked_ns = clock_ns();
	n->now = read_clocks();
	engine_sync_now(n->engine, n->now);
}

static void do_traffic(struct node *n, const char *argument)
{
	struct peer_status status = peer(n);

	printf("traffic %llu %llu\n", (unsigned long long)status.bytes_sent,
	       (unsigned long long)status.bytes_received);
}

static size_t memory_kib(const char *what)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t size = strlen(what), kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, what, size) == 0)
			kib = strtoul(line + size, NULL, 10);
	if (!kib)
		bench_fail("/proc/self/status: no %s", what);
	fclose(file);
	return kib;
}

static void do_memory(struct node *n, const char *argument)
{
	printf("memory %zu %zu\n", memory_kib("VmRSS:"), memory_kib("VmHWM:"));
}

static const struct {
	const char *name;
	void (*run)(struct node *n, const char *argument);
} commands[] = {
	{ "dial", do_dial }, { "edit", do_edit },       { "await", do_await },
	{ "ask", do_ask },   { "traffic", do_traffic }, { "memory", do_memory },
};

static void run_command(struct node *n, char *line)
{
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, line) == 0) {
			commands[i].run(n, argument ? argument : "");
			return;
		}
	}
	bench_fail("a node was told \"%s\"", line);
}

static void take_commands(struct node *n)
{
	ssize_t got =
		read(STDIN_FILENO, n->line + n->line_size, sizeof(n->line) - n->line_size - 1);
	char *end;

	if (got <= 0) {
		n->is_ending = true;
		return;
	}
	n->line_size += (size_t)got;
	n->line[n->line_size] = 0;
	while ((end = strchr(n->line, '\n'))) {
		*end = 0;
		run_command(n, n->line);
		n->line_size -= (size_t)(end + 1 - n->line);
		memmove(n->line, end + 1, n->line_size + 1);
	}
}

/* What somebody waits for has come. */
static void tell(struct node *n)
{
	if (n->awaited && host_held(&n->host) >= n->awaited) {
		printf("held %llu\n", (unsigned long long)clock_ns());
		n->awaited = 0;
	}
	if (n->asked_ns && peer(n).bytes_received > n->received && engine_is_idle(n->engine)) {
		printf("answered %llu %llu\n", (unsigned long long)n->asked_ns,
		       (unsigned long long)clock_ns());
		n->asked_ns = 0;
	}
}

static int timeout_ms(const struct node *n)
{
	uint64_t deadline_ms;

	if (n->has_more)
		return 0;
	if (!n->engine)
		return -1;
	deadline_ms = engine_deadline(n->engine);
	if (deadline_ms == UINT64_MAX)
		return -1;
	return deadline_ms > n->now.mono_ms ? (int)(deadline_ms - n->now.mono_ms) : 0;
}

static void turn(struct node *n)
{
	struct pollfd polls[] = { { .fd = transport_fd(n->transport), .events = POLLIN },
				  { .fd = STDIN_FILENO, .events = POLLIN } };

	poll(polls, 2, timeout_ms(n));
	n->now = read_clocks();
	n->has_more = transport_turn(n->transport, EVENTS_A_TURN);
	if (polls[1].revents)
		take_commands(n);
	if (n->engine) {
		if (engine_deadline(n->engine) <= n->now.mono_ms)
			engine_tick(n->engine, n->now);
		tell(n);
	}
	transport_flush(n->transport);
}

static void start(struct node *n)
{
	struct transport_events events = { .ctx = n,
					   .accepted = on_accepted,
					   .connected = on_connected,
					   .received = on_received,
					   .sent = on_sent,
					   .closed = on_closed,
					   .trouble = on_trouble };
	struct errmsg msg = { 0 };
	uint16_t port = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	prng_init(&n->dice, 1);
	must(transport_new(&n->transport, &events, &msg), &msg, "start the transport");
	if (n->address)
		return;
	start_engine(n);
	must(transport_listen(n->transport, "127.0.0.1:0", &port, &msg), &msg, "listen");
	printf("listening %u\n", port);
}

/* Say goodbye, and wait until it has left. */
static void leave(struct node *n)
{
	uint64_t end_ns = clock_ns() + LEAVE_NS_MAX;

	engine_free(n->engine);
	n->engine = NULL;
	do {
		struct pollfd poll_fd = { .fd = transport_fd(n->transport), .events = POLLIN };

		transport_flush(n->transport);
		poll(&poll_fd, 1, 10);
		while (transport_turn(n->transport, EVENTS_A_TURN))
			;
	} while (transport_conn_count(n->transport) && clock_ns() < end_ns);
	transport_free(n->transport);
	transport_library_release();
	host_close(&n->host);
	free(n->records);
}

int serve_node(int argc, char **argv)
{
	struct node n = { 0 };

	if (argc != 3 && argc != 4)
		bench_fail("node OFFICE PATH [ADDRESS]");
	n.address = argv[3];
	host_open(&n.host, (unsigned)strtoul(argv[1], NULL, 10), argv[2], false);
	start(&n);
	while (!n.is_ending)
		turn(&n);
	leave(&n);
	return 0;
}
