#include "tests/support/strangers.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/prng.h"

/* The wire's own figures, as a stranger knows them (docs/PROTOCOL.md). */
enum { PREAMBLE_BYTES = 16, TAG_AT = 6, MESSAGE_1_BYTES = 2 + 32, MESSAGE_3_BYTES = 2 + 64 };

enum {
	WORDS_MAX = 4096,
	DRIP_MS = 50, /* between two bytes of who is slow */
	EVENTS_MAX = 64,
};

/* What one of a kind says, from its first byte on. */
struct words {
	uint8_t bytes[WORDS_MAX];
	size_t size;
};

struct stranger {
	int fd; /* -1: away */
	unsigned kind;
	struct words words;
	size_t said;
	uint64_t due_ms; /* to speak next, or to come back */
};

struct strangers {
	struct strangers_config config;
	struct prng prng;
	uint8_t preamble[PREAMBLE_BYTES]; /* the node's own */
	int epoll;
	struct stranger *list;
	struct strangers_tally tally;
};

static void die(const char *what)
{
	fprintf(stderr, "strangers: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- What they say --------------------------------------------------------- */

static void add(struct words *w, const void *bytes, size_t size)
{
	memcpy(w->bytes + w->size, bytes, size);
	w->size += size;
}

/* A frame of this size, header included, with anything in it. */
static void add_frame(struct strangers *s, struct words *w, size_t size)
{
	uint8_t frame[128];

	prng_fill(&s->prng, frame, size);
	frame[0] = 0;
	frame[1] = (uint8_t)(size - 2);
	add(w, frame, size);
}

static void say_nothing(struct strangers *s, struct words *w)
{
}

static void say_preamble(struct strangers *s, struct words *w)
{
	add(w, s->preamble, PREAMBLE_BYTES);
}

/* Any 32 bytes are a key: the node computes its answer. */
static void say_message_1(struct strangers *s, struct words *w)
{
	say_preamble(s, w);
	add_frame(s, w, MESSAGE_1_BYTES);
}

/* Refused only when the node has done all its work. */
static void say_message_3(struct strangers *s, struct words *w)
{
	say_message_1(s, w);
	add_frame(s, w, MESSAGE_3_BYTES);
}

/* Answered, and then waited for, so that the reason arrives. */
static void say_other_organisation(struct strangers *s, struct words *w)
{
	say_message_1(s, w);
	w->bytes[TAG_AT] ^= 0xff;
}

static void say_garbage(struct strangers *s, struct words *w)
{
	w->size = 1 + prng_below(&s->prng, WORDS_MAX);
	prng_fill(&s->prng, w->bytes, w->size);
}

/* The right beginning, and then more than a handshake may have. */
static void say_large_frame(struct strangers *s, struct words *w)
{
	static const uint8_t header[] = { 0xff, 0xff };

	say_preamble(s, w);
	add(w, header, sizeof(header));
	prng_fill(&s->prng, w->bytes + w->size, WORDS_MAX - w->size);
	w->size = WORDS_MAX;
}

static const struct {
	void (*say)(struct strangers *s, struct words *w);
	bool is_slow; /* one byte at a time */
} kinds[] = {
	{ say_nothing },
	{ say_preamble },
	{ say_message_1 },
	{ say_message_1, .is_slow = true },
	{ say_message_3 },
	{ say_message_3, .is_slow = true },
	{ say_other_organisation },
	{ say_garbage },
	{ say_large_frame },
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

/* ---- Coming, speaking, going ----------------------------------------------- */

static struct sockaddr_in door(const struct strangers *s)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(s->config.port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void leave(struct strangers *s, struct stranger *x, uint64_t now)
{
	close(x->fd);
	x->fd = -1;
	x->due_ms = now + 1 + prng_below(&s->prng, 2 * s->config.back_ms);
	s->tally.closed++;
	s->tally.standing--;
}

static void come(struct strangers *s, struct stranger *x, uint64_t now)
{
	struct sockaddr_in to = door(s);
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = x };

	x->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		die("socket");
	if (connect(x->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, x->fd, &event) != 0)
		die("epoll");
	x->said = x->words.size = 0;
	kinds[x->kind].say(s, &x->words);
	x->due_ms = now + 1;
	s->tally.opened++;
	s->tally.standing++;
}

static void speak(struct strangers *s, struct stranger *x, uint64_t now)
{
	bool is_slow = kinds[x->kind].is_slow;
	size_t size = x->words.size - x->said;
	ssize_t said;

	if (is_slow && size > 1)
		size = 1;
	said = send(x->fd, x->words.bytes + x->said, size, MSG_NOSIGNAL);
	if (said < 0 && errno != EAGAIN && errno != ENOTCONN) {
		leave(s, x, now);
		return;
	}
	if (said > 0) {
		x->said += (size_t)said;
		s->tally.bytes_sent += (uint64_t)said;
	}
	x->due_ms = x->said == x->words.size ? UINT64_MAX : now + (is_slow ? DRIP_MS : 1);
}

static void listen_to(struct strangers *s, struct stranger *x, uint64_t now)
{
	uint8_t bytes[4096];
	ssize_t got = recv(x->fd, bytes, sizeof(bytes), 0);

	if (got > 0)
		s->tally.bytes_received += (uint64_t)got;
	else if (got == 0 || errno != EAGAIN)
		leave(s, x, now);
}

void strangers_turn(struct strangers *s, int wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t now = now_ms();
	int count;

	for (size_t i = 0; i < s->config.count; i++) {
		struct stranger *x = &s->list[i];

		if (x->due_ms > now)
			continue;
		if (x->fd < 0)
			come(s, x, now);
		else
			speak(s, x, now);
	}
	count = epoll_wait(s->epoll, events, EVENTS_MAX, wait_ms);
	for (int i = 0; i < count; i++)
		listen_to(s, events[i].data.ptr, now);
}

/* ---- Life -------------------------------------------------------------------- */

static void say_all(int fd, const uint8_t *bytes, size_t size)
{
	if (send(fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
		die("send");
}

/* The node answers another organisation with its own preamble. */
static void learn_preamble(struct strangers *s)
{
	static const uint8_t question[PREAMBLE_BYTES] = { 0xe4, 0xbc, 0x9a, 0x00, 1, 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = door(s);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	say_all(fd, question, sizeof(question));
	if (recv(fd, s->preamble, PREAMBLE_BYTES, MSG_WAITALL) != PREAMBLE_BYTES)
		die("no preamble came");
	close(fd);
}

static void raise_limit(size_t count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("getrlimit");
	if (limit.rlim_cur < count + 64) {
		limit.rlim_cur = count + 64 < limit.rlim_max ? count + 64 : limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			die("setrlimit");
	}
}

struct strangers *strangers_new(const struct strangers_config *config)
{
	struct strangers *s = calloc(1, sizeof(*s));
	uint64_t now = now_ms();

	if (!s)
		die("memory");
	s->config = *config;
	prng_init(&s->prng, config->seed);
	raise_limit(config->count);
	learn_preamble(s);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->list = calloc(config->count, sizeof(*s->list));
	if (s->epoll < 0 || !s->list)
		die("memory");
	for (size_t i = 0; i < config->count; i++) {
		s->list[i].fd = -1;
		s->list[i].kind = (unsigned)(i % KIND_COUNT);
		s->list[i].due_ms = now + prng_below(&s->prng, 1 + config->back_ms);
	}
	return s;
}

void strangers_free(struct strangers *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->config.count; i++)
		if (s->list[i].fd >= 0)
			close(s->list[i].fd);
	close(s->epoll);
	free(s->list);
	free(s);
}

struct strangers_tally strangers_tally(const struct strangers *s)
{
	return s->tally;
}
