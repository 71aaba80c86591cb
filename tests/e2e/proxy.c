/* A TCP link between two nodes, on loopback, that a test can spoil.
 *
 *     proxy [OPTION...] PORT-FILE TARGET-PORT
 *
 * Forwards each connection to TARGET-PORT; "up" is from the dialer to the target,
 * "down" the way back. Writes the port on which it listens into PORT-FILE, which is
 * there as long as it listens: who sends a signal looks there whether it was obeyed.
 *
 *     --cut-after N[,N...]  reset the first connection after N bytes of both ways,
 *                           the second after the second N; "0" cuts it at once; those
 *                           after the last N are left alone
 *     --stall up|down       accept and read, but forward nothing that way
 *     --delay MS            everything arrives so much later
 *     --corrupt-at N        flip a bit of byte N (from 0) of each way down
 *
 *     SIGUSR1  cut: reset all connections, refuse new ones
 *     SIGUSR2  heal
 *     SIGTERM  end; so does the end of the parent
 *
 * Prints a line for each connection that ended: its number, the bytes forwarded up
 * and down, and how: "3 120 40960 cut". */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	LINKS_MAX = 256, /* connections at once; the rest waits to be accepted */
	CHUNKS_MAX = 8,  /* under way in one direction */
	CHUNK_BYTES = 16 << 10,
	CUTS_MAX = 256,
	PARENT_CHECK_MS = 500,
	CUT_LOOK_MS = 10, /* is what was let through read? a reset would take it */
};

enum { UP, DOWN, WAYS };

struct chunk {
	uint64_t due_ms;
	size_t size, sent;
	uint8_t data[CHUNK_BYTES];
};

/* One direction: a queue of chunks from one socket to the other. */
struct way {
	int from, to;
	struct chunk *chunks; /* CHUNKS_MAX, owned */
	size_t first, count;
	uint64_t bytes; /* read so far */
	bool at_end;    /* nothing more will be read */
	bool is_shut;   /* and the reader was told */
};

struct link {
	unsigned number;
	int fds[WAYS]; /* the dialer's socket, the target's */
	struct way ways[WAYS];
	uint64_t cut_after; /* bytes of both ways */
	uint64_t look_ms;   /* when to look, once they have passed, whether they were read */
};

struct proxy {
	const char *port_file; /* there while we listen */
	uint16_t target, port;
	int reserved; /* bound, never listening: keeps the port ours while cut */
	int listener; /* -1 while cut */
	uint64_t cuts[CUTS_MAX];
	size_t cut_count;
	bool is_stalled[WAYS];
	uint64_t delay_ms;
	uint64_t corrupt_at; /* UINT64_MAX: never */
	struct link *links[LINKS_MAX];
	size_t link_count;
	unsigned accepted;
};

static volatile sig_atomic_t last_signal; /* SIGUSR1, SIGUSR2, SIGTERM or 0 */

static void on_signal(int number)
{
	last_signal = number;
}

static void die(const char *what)
{
	fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- Sockets ------------------------------------------------------------- */

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Bound to the port; 0: to any, which *port receives. */
static int bound_socket(uint16_t *port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = loopback(*port);
	socklen_t size = sizeof(address);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&address, size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		die("bind");
	*port = ntohs(address.sin_port);
	return fd;
}

static int connected_socket(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = loopback(port);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t port_of(int (*name)(int, struct sockaddr *, socklen_t *), int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t size = sizeof(address);

	return name(fd, (struct sockaddr *)&address, &size) == 0 ? ntohs(address.sin_port) : 0;
}

/* What the other end of a socket, on this machine, has not read yet. */
static uint64_t unread_bytes(int fd)
{
	unsigned ours = port_of(getsockname, fd), theirs = port_of(getpeername, fd);
	unsigned local, remote;
	unsigned long unread, found = 0;
	FILE *table = fopen("/proc/net/tcp", "re");
	char line[512];
	int unsent;

	if (!table || ioctl(fd, SIOCOUTQ, &unsent) != 0)
		die("/proc/net/tcp");
	while (fgets(line, sizeof(line), table))
		if (sscanf(line, "%*u: %*x:%x %*x:%x %*x %*x:%lx", &local, &remote, &unread) == 3 &&
		    local == theirs && remote == ours)
			found = unread;
	fclose(table);
	return found + (uint64_t)unsent;
}

/* With an RST, as when a machine vanishes and comes back. */
static void reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

/* ---- Links --------------------------------------------------------------- */

/* Whole as soon as it is there. */
static void write_port(uint16_t port, const char *path)
{
	char draft[4096];
	FILE *file;

	snprintf(draft, sizeof(draft), "%s.new", path);
	file = fopen(draft, "we");
	if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file) != 0 ||
	    rename(draft, path) != 0)
		die(path);
}

static void start_listening(struct proxy *p)
{
	p->listener = bound_socket(&p->port);
	if (listen(p->listener, SOMAXCONN) != 0 || fcntl(p->listener, F_SETFL, O_NONBLOCK) != 0)
		die("listen");
	write_port(p->port, p->port_file);
}

static void end_link(struct proxy *p, size_t at, const char *how)
{
	struct link *l = p->links[at];
	bool is_clean = strcmp(how, "closed") == 0;

	printf("%u %llu %llu %s\n", l->number, (unsigned long long)l->ways[UP].bytes,
	       (unsigned long long)l->ways[DOWN].bytes, how);
	fflush(stdout);
	for (int w = 0; w < WAYS; w++) {
		if (is_clean)
			close(l->fds[w]);
		else
			reset(l->fds[w]);
		free(l->ways[w].chunks);
	}
	free(l);
	p->links[at] = p->links[--p->link_count];
}

static void cut(struct proxy *p)
{
	if (p->listener >= 0)
		close(p->listener);
	p->listener = -1;
	while (p->link_count)
		end_link(p, 0, "cut");
	unlink(p->port_file);
}

static void heal(struct proxy *p)
{
	if (p->listener < 0)
		start_listening(p);
}

static void init_way(struct way *w, int from, int to)
{
	*w = (struct way){ .from = from,
			   .to = to,
			   .chunks = calloc(CHUNKS_MAX, sizeof(struct chunk)) };
	if (!w->chunks)
		die("calloc");
}

static void accept_link(struct proxy *p)
{
	int dialer = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct link *l;
	int target;

	if (dialer < 0)
		return;
	target = connected_socket(p->target);
	if (target < 0) {
		reset(dialer);
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l || fcntl(target, F_SETFL, O_NONBLOCK) != 0)
		die("accept");
	l->number = p->accepted++;
	l->cut_after = l->number < p->cut_count ? p->cuts[l->number] : UINT64_MAX;
	l->fds[UP] = dialer;
	l->fds[DOWN] = target;
	init_way(&l->ways[UP], dialer, target);
	init_way(&l->ways[DOWN], target, dialer);
	p->links[p->link_count++] = l;
}

/* ---- Forwarding ---------------------------------------------------------- */

static bool has_room(const struct way *w)
{
	return !w->at_end && w->count < CHUNKS_MAX;
}

static bool is_due(const struct way *w, uint64_t now)
{
	return w->count && w->chunks[w->first].due_ms <= now;
}

static uint64_t left_before_cut(const struct link *l)
{
	uint64_t passed = l->ways[UP].bytes + l->ways[DOWN].bytes;

	return l->cut_after > passed ? l->cut_after - passed : 0;
}

/* False: the connection is broken. */
static bool read_chunk(const struct proxy *p, struct link *l, int which, uint64_t now)
{
	struct way *w = &l->ways[which];
	struct chunk *c = &w->chunks[(w->first + w->count) % CHUNKS_MAX];
	uint64_t left = left_before_cut(l);
	ssize_t got = read(w->from, c->data, left < CHUNK_BYTES ? left : CHUNK_BYTES);

	if (got < 0)
		return errno == EAGAIN;
	if (got == 0) {
		w->at_end = true;
		return true;
	}
	if (which == DOWN && p->corrupt_at - w->bytes < (uint64_t)got)
		c->data[p->corrupt_at - w->bytes] ^= 1;
	w->bytes += (uint64_t)got;
	if (p->is_stalled[which])
		return true;
	c->size = (size_t)got;
	c->sent = 0;
	c->due_ms = now + p->delay_ms;
	w->count++;
	return true;
}

/* False: the connection is broken. */
static bool write_chunks(struct way *w, uint64_t now)
{
	while (is_due(w, now)) {
		struct chunk *c = &w->chunks[w->first];
		ssize_t put = send(w->to, c->data + c->sent, c->size - c->sent, MSG_NOSIGNAL);

		if (put < 0)
			return errno == EAGAIN;
		c->sent += (size_t)put;
		if (c->sent == c->size) {
			w->first = (w->first + 1) % CHUNKS_MAX;
			w->count--;
		}
	}
	return true;
}

static bool move(const struct proxy *p, struct link *l, int which, uint64_t now)
{
	struct way *w = &l->ways[which];

	if (has_room(w) && left_before_cut(l) && !read_chunk(p, l, which, now))
		return false;
	if (!write_chunks(w, now))
		return false;
	if (w->at_end && !w->count && !w->is_shut) {
		shutdown(w->to, SHUT_WR);
		w->is_shut = true;
	}
	return true;
}

/* All that may pass has been passed on. */
static bool is_used_up(const struct link *l)
{
	return !left_before_cut(l) && !l->ways[UP].count && !l->ways[DOWN].count;
}

/* Why the link ends now, or NULL. */
static const char *turn_link(const struct proxy *p, struct link *l, uint64_t now)
{
	for (int w = 0; w < WAYS; w++)
		if (!move(p, l, w, now))
			return "broken";
	if (is_used_up(l) && l->look_ms <= now) {
		if (unread_bytes(l->fds[UP]) + unread_bytes(l->fds[DOWN]) == 0)
			return "cut";
		l->look_ms = now + CUT_LOOK_MS;
	}
	return l->ways[UP].is_shut && l->ways[DOWN].is_shut ? "closed" : NULL;
}

/* ---- The loop ------------------------------------------------------------ */

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What to wait for, and until when. */
static size_t gather(const struct proxy *p, struct pollfd *polls, uint64_t now, uint64_t *until)
{
	size_t count = 0;

	*until = now + PARENT_CHECK_MS;
	if (p->listener >= 0 && p->link_count < LINKS_MAX)
		polls[count++] = (struct pollfd){ .fd = p->listener, .events = POLLIN };
	for (size_t i = 0; i < p->link_count; i++) {
		const struct link *l = p->links[i];

		if (is_used_up(l))
			*until = earliest(*until, l->look_ms > now ? l->look_ms : now);
		for (int which = 0; which < WAYS; which++) {
			const struct way *w = &l->ways[which];

			if (has_room(w) && left_before_cut(l))
				polls[count++] = (struct pollfd){ .fd = w->from, .events = POLLIN };
			if (is_due(w, now))
				polls[count++] = (struct pollfd){ .fd = w->to, .events = POLLOUT };
			else if (w->count)
				*until = earliest(*until, w->chunks[w->first].due_ms);
		}
	}
	return count;
}

static void wait_for(struct proxy *p, const sigset_t *while_waiting)
{
	static struct pollfd polls[1 + 2 * WAYS * LINKS_MAX];
	uint64_t now = now_ms(), until;
	size_t count = gather(p, polls, now, &until);
	struct timespec timeout = { .tv_sec = (time_t)((until - now) / 1000),
				    .tv_nsec = (long)((until - now) % 1000) * 1000000 };

	if (ppoll(polls, count, &timeout, while_waiting) < 0 && errno != EINTR)
		die("poll");
}

static void run(struct proxy *p, const sigset_t *while_waiting)
{
	pid_t parent = getppid();

	while (last_signal != SIGTERM && getppid() == parent) {
		uint64_t now;

		wait_for(p, while_waiting);
		if (last_signal == SIGUSR1)
			cut(p);
		if (last_signal == SIGUSR2)
			heal(p);
		if (last_signal != SIGTERM)
			last_signal = 0;
		if (p->listener >= 0 && p->link_count < LINKS_MAX)
			accept_link(p);
		now = now_ms();
		for (size_t i = p->link_count; i-- > 0;) {
			const char *how = turn_link(p, p->links[i], now);

			if (how)
				end_link(p, i, how);
		}
	}
	cut(p);
}

/* Signals arrive only while waiting. */
static void take_signals(sigset_t *while_waiting)
{
	static const int numbers[] = { SIGUSR1, SIGUSR2, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaddset(&blocked, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, while_waiting);
}

/* ---- The command line ---------------------------------------------------- */

static void usage(void)
{
	fprintf(stderr, "usage: proxy [--cut-after N[,N...]] [--stall up|down] [--delay MS] "
			"[--corrupt-at N] PORT-FILE TARGET-PORT\n");
	exit(2);
}

static uint64_t number_of(const char *text, char **end)
{
	uint64_t number;

	errno = 0;
	number = strtoull(text, end, 10);
	if (errno || *end == text)
		usage();
	return number;
}

static void read_cuts(struct proxy *p, const char *text)
{
	char *end;

	do {
		if (p->cut_count == CUTS_MAX)
			usage();
		p->cuts[p->cut_count++] = number_of(text, &end);
		text = end + 1;
	} while (*end == ',');
}

static void read_options(struct proxy *p, int argc, char *argv[])
{
	static const struct option options[] = { { "cut-after", required_argument, NULL, 'c' },
						 { "stall", required_argument, NULL, 's' },
						 { "delay", required_argument, NULL, 'd' },
						 { "corrupt-at", required_argument, NULL, 'x' },
						 { NULL } };
	char *end;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'c': read_cuts(p, optarg); break;
		case 's': p->is_stalled[strcmp(optarg, "down") == 0 ? DOWN : UP] = true; break;
		case 'd': p->delay_ms = number_of(optarg, &end); break;
		case 'x': p->corrupt_at = number_of(optarg, &end); break;
		default: usage();
		}
	}
	if (argc - optind != 2)
		usage();
	p->port_file = argv[optind];
	p->target = (uint16_t)number_of(argv[optind + 1], &end);
}

int main(int argc, char *argv[])
{
	static struct proxy p = { .listener = -1, .corrupt_at = UINT64_MAX };
	sigset_t while_waiting;

	read_options(&p, argc, argv);
	take_signals(&while_waiting);
	p.reserved = bound_socket(&p.port);
	start_listening(&p);
	run(&p, &while_waiting);
	close(p.reserved);
	return 0;
}
