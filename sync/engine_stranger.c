/* Connections whose peer has not proved who it is. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "sync/engine_impl.h"

/* ---- Where they come from -------------------------------------------------------- */

static uint64_t fnv1a(uint64_t hash, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t load_be(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* An IPv4 address, or the /64 of an IPv6 one: whoever has one address of it has
 * them all. Ports don't count. */
uint64_t engine_source(const char *from)
{
	const char *port = strrchr(from, ':');
	size_t size = port ? (size_t)(port - from) : strlen(from);
	bool is_bracketed = size > 2 && from[0] == '[' && from[size - 1] == ']';
	char host[ADDRESS_TEXT_MAX + 1];
	uint8_t ip[16];

	snprintf(host, sizeof(host), "%.*s", (int)(is_bracketed ? size - 2 : size),
		 is_bracketed ? from + 1 : from);
	if (inet_pton(AF_INET6, host, ip) == 1)
		return load_be(ip, 8);
	if (inet_pton(AF_INET, host, ip) == 1)
		return load_be(ip, 4);
	return fnv1a(UINT64_C(0xcbf29ce484222325), host, strlen(host));
}

bool conn_is_stranger(const struct conn *c)
{
	return c->is_inbound && !c->is_established;
}

/* ---- How many --------------------------------------------------------------------- */

struct waiting {
	struct conn *conns[HALF_OPEN_MAX]; /* oldest first */
	uint64_t sources[HALF_OPEN_MAX];
	size_t count;
};

static bool is_any(const struct conn *c)
{
	return true;
}

/* It has a key, and may send large messages to show that it is a member's. */
static bool is_presenting(const struct conn *c)
{
	return session_state(c->session) == SESSION_TRUST;
}

static void list_waiting(const struct engine *e, bool (*is_meant)(const struct conn *c),
			 struct waiting *w)
{
	w->count = 0;
	for (size_t i = 0; i < e->conn_count && w->count < HALF_OPEN_MAX; i++) {
		struct conn *c = e->conns[i];

		if (!conn_is_stranger(c) || !is_meant(c))
			continue;
		w->sources[w->count] = c->source;
		w->conns[w->count++] = c;
	}
}

static size_t count_from(const struct waiting *w, uint64_t source)
{
	size_t count = 0;

	for (size_t i = 0; i < w->count; i++)
		count += w->sources[i] == source;
	return count;
}

/* A newcomer is never turned away: then whoever holds all places would keep
 * everybody out. The oldest of the source that has most goes: a crowd from one
 * place displaces itself, and nobody else. */
static struct conn *who_gives_way(const struct waiting *w, const uint64_t *newcomer)
{
	struct conn *found = w->conns[0];
	size_t most = 0;

	for (size_t i = 0; i < w->count; i++) {
		size_t count = count_from(w, w->sources[i]);

		if (newcomer && w->sources[i] == *newcomer)
			count++; /* it is not in the list yet */

		if (count > most) {
			most = count;
			found = w->conns[i];
		}
	}
	return found;
}

static void send_away(struct engine *e, struct conn *c, struct now now)
{
	session_close(c->session, err_name(ERR_LIMIT), "too many connections without a proof");
	conn_ended(e, c, now);
}

void engine_make_room(struct engine *e, uint64_t source, struct now now)
{
	struct waiting w;

	list_waiting(e, is_any, &w);
	if (w.count >= HALF_OPEN_MAX)
		send_away(e, who_gives_way(&w, &source), now);
}

void engine_limit_presenting(struct engine *e, struct now now)
{
	struct waiting w;

	list_waiting(e, is_presenting, &w);
	if (w.count > PRESENTING_MAX)
		send_away(e, who_gives_way(&w, NULL), now);
}

/* ---- The log ---------------------------------------------------------------------- */

/* Each reason of each source once; and whoever has many sources fills no disk. */
static bool is_news(struct engine *e, uint64_t hash, struct now now)
{
	size_t at = e->stranger_at;

	for (size_t i = 0; i < STRANGERS_MAX; i++)
		if (e->strangers[i].hash == hash)
			return false;
	if (e->strangers[at].hash && now.mono_ms - e->strangers[at].said_ms < STRANGERS_MS)
		return false;
	e->strangers[at].hash = hash;
	e->strangers[at].said_ms = now.mono_ms;
	e->stranger_at = (at + 1) % STRANGERS_MAX;
	return true;
}

void engine_log_stranger(struct engine *e, const struct conn *c, const struct session_end *end,
			 struct now now)
{
	enum log_level level = LOG_DEBUG;
	char text[ERRMSG_BYTES_MAX];

	if (end->code == OK) {
		engine_log(e, LOG_INFO, end->name, c->from, end->text);
		return;
	}
	/* Anybody may connect and leave. */
	if (end->code != ERR_CLOSED &&
	    is_news(e, fnv1a(c->source, end->name, strlen(end->name)), now))
		level = LOG_WARN;
	snprintf(text, sizeof(text), "%s: %.400s", end->name, end->text);
	engine_log(e, level, "stranger-refused", c->from, text);
}
