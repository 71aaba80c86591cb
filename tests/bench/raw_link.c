#include "tests/bench/raw_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/bench/raw_store.h"

/* Three kinds of message: a header, then `count` bodies of the kind's size. */
enum message { MESSAGE_ECHO, MESSAGE_RETITLE, MESSAGE_INSERT };

enum { TITLES_MAX = 100, ECHO_BYTES = 100 };

struct header {
	uint32_t message;
	uint32_t count;
};

struct new_title {
	uint64_t i;
	char title[40];
};

struct new_row {
	uint64_t i;
	struct action_row row;
};

/* A message goes out in one piece. */
struct packet {
	struct header header;
	union {
		uint8_t echo[ECHO_BYTES - sizeof(struct header)];
		struct new_title titles[TITLES_MAX];
		struct new_row row;
	};
};

static size_t body_bytes(const struct header *header)
{
	switch (header->message) {
	case MESSAGE_ECHO: return ECHO_BYTES - sizeof(*header);
	case MESSAGE_RETITLE: return header->count * sizeof(struct new_title);
	case MESSAGE_INSERT: return sizeof(struct new_row);
	default: bench_fail("raw link: what is message %u?", header->message);
	}
}

static void send_all(int fd, const void *data, size_t size)
{
	if (send(fd, data, size, MSG_NOSIGNAL) != (ssize_t)size)
		bench_fail("raw link: send: %s", strerror(errno));
}

/* False at the end of the stream. */
static bool receive_all(int fd, void *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static void no_delay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

/* The other side. */

static uint64_t serve_packet(struct raw_store *raw, const struct packet *packet)
{
	switch (packet->header.message) {
	case MESSAGE_RETITLE:
		raw_begin(raw);
		for (uint32_t i = 0; i < packet->header.count; i++)
			raw_update_title(raw, packet->titles[i].i, packet->titles[i].title);
		raw_commit(raw);
		break;
	case MESSAGE_INSERT: raw_insert(raw, packet->row.i, &packet->row.row); break;
	default: break;
	}
	return clock_ns();
}

static void serve_connection(struct raw_store *raw, int fd)
{
	static const uint8_t pad[ECHO_BYTES];
	struct packet packet;

	while (receive_all(fd, &packet.header, sizeof(packet.header)) &&
	       receive_all(fd, packet.echo, body_bytes(&packet.header))) {
		uint64_t done_ns = serve_packet(raw, &packet);

		if (packet.header.message == MESSAGE_ECHO)
			send_all(fd, pad, sizeof(pad));
		else
			send_all(fd, &done_ns, sizeof(done_ns));
	}
}

int serve_raw_link(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	struct raw_store raw;

	if (argc != 2)
		bench_fail("raw-link PATH");
	raw_open(&raw, argv[1]);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		bench_fail("raw link: listen: %s", strerror(errno));
	printf("listening %u\n", ntohs(address.sin_port));
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	no_delay(fd);
	serve_connection(&raw, fd);
	close(fd);
	close(listener);
	raw_close(&raw);
	return 0;
}

/* This side. */

void raw_link_start(struct raw_link *link, const char *path)
{
	const char *argv[] = { "raw-link", path, NULL };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char port[PROCESS_LINE_MAX];

	process_start(&link->process, argv);
	process_hear(&link->process, "listening", port);
	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(link->fd, (struct sockaddr *)&address, sizeof(address)))
		bench_fail("raw link: connect: %s", strerror(errno));
	no_delay(link->fd);
}

void raw_link_end(struct raw_link *link)
{
	close(link->fd);
	process_end(&link->process);
}

static void ask(struct raw_link *link, const struct packet *packet, void *reply, size_t size)
{
	send_all(link->fd, packet, sizeof(packet->header) + body_bytes(&packet->header));
	if (!receive_all(link->fd, reply, size))
		bench_fail("raw link: the other side has gone");
}

void raw_link_echo(struct raw_link *link)
{
	struct packet packet = { .header = { MESSAGE_ECHO, 1 } };
	uint8_t reply[ECHO_BYTES];

	ask(link, &packet, reply, sizeof(reply));
}

void raw_link_retitle(struct raw_link *link, size_t count, size_t below)
{
	struct packet packet = { .header = { MESSAGE_RETITLE, (uint32_t)count } };
	uint64_t done_ns;

	for (size_t i = 0; i < count && i < TITLES_MAX; i++) {
		/* Scattered, as the edits of a day are. */
		packet.titles[i].i = (uint64_t)rand() % below;
		workload_title(packet.titles[i].title, sizeof(packet.titles[i].title), i);
	}
	ask(link, &packet, &done_ns, sizeof(done_ns));
}

uint64_t raw_link_insert(struct raw_link *link, size_t i, const struct action_row *row)
{
	struct packet packet = { .header = { MESSAGE_INSERT, 1 }, .row = { i, *row } };
	uint64_t done_ns;

	ask(link, &packet, &done_ns, sizeof(done_ns));
	return done_ns;
}
