/* A few offices with engines on a loopback network, in virtual time. */
#ifndef HT_TESTS_SYNC_WORLD_H
#define HT_TESTS_SYNC_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "proto/noise.h"
#include "sync/engine.h"
#include "sync/enrol.h"
#include "tests/support/loopnet.h"
#include "tests/support/office.h"

enum { SITES_MAX = 8, STEPS_MAX = 1000000 };

struct world;

struct site {
	struct world *world;
	struct office office;
	uint8_t noise_secret[32];
	struct prng dice;
	unsigned host;
	struct port port;
	struct engine *engine; /* NULL: not running */
	struct enrol *enrol;   /* likewise */
	bool dial_members;
	char peers[SITES_MAX][LOOPNET_ADDRESS_BYTES];
	size_t peer_count;
	int64_t skew_ms; /* of its wall clock */
	struct buf log;  /* "WARN event peer: detail\n" ... */
};

struct world {
	struct loopnet *net;
	uint64_t now_ms; /* since the beginning */
	struct site sites[SITES_MAX];
	size_t count;
	size_t flight_bytes_max; /* that was ever on its way */
	uint64_t step_count;
};

static inline struct now site_now(const struct site *s)
{
	uint64_t wall_ms = OFFICE_NOW_MS + s->world->now_ms + (uint64_t)s->skew_ms;

	return (struct now){ .wall_ms = wall_ms, .mono_ms = 1000 + s->world->now_ms };
}

/* ---- Events ------------------------------------------------------------------- */

static inline void site_accepted(void *ctx, struct conn_id conn, const char *from)
{
	struct site *s = ctx;

	if (s->engine)
		engine_accepted(s->engine, site_now(s), conn, from);
}

static inline void site_connected(void *ctx, struct conn_id conn)
{
	struct site *s = ctx;

	if (s->engine)
		engine_connected(s->engine, site_now(s), conn);
	if (s->enrol)
		enrol_connected(s->enrol, site_now(s), conn);
}

static inline void site_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct site *s = ctx;

	if (s->engine)
		engine_received(s->engine, site_now(s), conn, data);
	if (s->enrol)
		enrol_received(s->enrol, site_now(s), conn, data);
}

static inline void site_sent(void *ctx, struct conn_id conn, size_t bytes)
{
	struct site *s = ctx;

	if (s->engine)
		engine_sent(s->engine, site_now(s), conn, bytes);
}

static inline void site_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct site *s = ctx;

	if (s->engine)
		engine_closed(s->engine, site_now(s), conn, reason);
	if (s->enrol)
		enrol_closed(s->enrol, site_now(s), conn, reason);
}

static inline void site_log(void *ctx, enum log_level level, const char *event, const char *peer,
			    const char *detail)
{
	static const char *const levels[] = { "DEBUG", "INFO", "WARN", "ERROR" };
	struct site *s = ctx;

	buf_printf(&s->log, "%s %s %s: %s\n", levels[level], event, peer, detail);
}

/* ---- Making ------------------------------------------------------------------- */

static inline void world_init(struct world *w)
{
	*w = (struct world){ .net = loopnet_new() };
}

/* A machine with keys and an empty replica. */
static inline struct site *world_add(struct world *w)
{
	struct site *s = &w->sites[w->count];
	struct noise_keypair key;

	*s = (struct site){ .world = w };
	office_open(&s->office, NULL, 1000 + w->count);
	prng_init(&s->dice, 2000 + w->count);
	prng_fill(&s->dice, s->noise_secret, sizeof(s->noise_secret));
	noise_keypair_from_secret(&key, s->noise_secret);
	memcpy(s->office.identity.noise_key, key.public_key, NOISE_KEY_BYTES);
	s->host = loopnet_add(w->net,
			      &(struct loopnet_events){ s, site_accepted, site_connected,
							site_received, site_sent, site_closed });
	s->port = loopnet_port(w->net, s->host);
	w->count++;
	return s;
}

/* An office: the first founds the organisation, the others join by the first,
 * and everybody is given the directory. */
static inline struct site *world_add_office(struct world *w, const char *code)
{
	struct site *s = world_add(w);

	if (s == &w->sites[0]) {
		office_found(&s->office, code);
		return s;
	}
	office_join(&s->office, &w->sites[0].office, code);
	for (size_t i = 1; i + 1 < w->count; i++)
		if (replica_has_org(w->sites[i].office.replica))
			office_pull(&w->sites[i].office, &w->sites[0].office);
	return s;
}

static inline void site_dials(struct site *s, const struct site *other)
{
	loopnet_address(other->host, s->peers[s->peer_count++]);
}

MUST_CHECK static inline enum err site_try_start(struct site *s)
{
	const char *peers[SITES_MAX + 1] = { NULL };
	struct engine_config config = { .replica = s->office.replica,
					.port = s->port,
					.dice = prng_dice(&s->dice),
					.noise_secret = s->noise_secret,
					.sign_secret = s->office.sign_secret,
					.peers = peers,
					.dial_members = s->dial_members,
					.log = site_log,
					.log_ctx = s,
					.tzdata = "2025b" };

	for (size_t i = 0; i < s->peer_count; i++)
		peers[i] = s->peers[i];
	return engine_new(&s->engine, &config, site_now(s).wall_ms, NULL);
}

static inline void site_start(struct site *s)
{
	OFFICE_MUST(site_try_start(s));
}

static inline void site_stop(struct site *s)
{
	engine_free(s->engine);
	s->engine = NULL;
	enrol_free(s->enrol);
	s->enrol = NULL;
}

static inline void world_start(struct world *w)
{
	for (size_t i = 0; i < w->count; i++)
		site_start(&w->sites[i]);
}

static inline void world_release(struct world *w)
{
	for (size_t i = 0; i < w->count; i++) {
		site_stop(&w->sites[i]);
		office_close(&w->sites[i].office);
		buf_release(&w->sites[i].log);
	}
	loopnet_free(w->net);
}

/* ---- Running ------------------------------------------------------------------ */

static inline uint64_t site_deadline(const struct site *s)
{
	uint64_t at = s->engine ? engine_deadline(s->engine) : UINT64_MAX;
	uint64_t other = s->enrol ? enrol_deadline(s->enrol) : UINT64_MAX;

	return other < at ? other : at;
}

/* Tick whoever is due; false if nobody is. */
static inline bool world_tick(struct world *w)
{
	bool any = false;

	for (size_t i = 0; i < w->count; i++) {
		struct site *s = &w->sites[i];

		if (site_deadline(s) > site_now(s).mono_ms)
			continue;
		if (s->engine)
			engine_tick(s->engine, site_now(s));
		if (s->enrol)
			enrol_tick(s->enrol, site_now(s));
		any = true;
	}
	return any;
}

/* One event, or the ticks that are due; false when all is quiet. Invariants are
 * checked after each. */
static inline bool world_step(struct world *w)
{
	bool any = loopnet_step(w->net) || world_tick(w);
	size_t flight = loopnet_flight_bytes(w->net);

	for (size_t i = 0; i < w->count; i++)
		if (w->sites[i].engine)
			engine_check(w->sites[i].engine);
	if (flight > w->flight_bytes_max)
		w->flight_bytes_max = flight;
	if (++w->step_count > STEPS_MAX) {
		fprintf(stderr, "the world does not come to rest\n");
		abort();
	}
	return any;
}

/* Until all is quiet, without any time passing. */
static inline void world_run(struct world *w)
{
	while (world_step(w))
		;
}

static inline uint64_t world_next_ms(const struct world *w)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < w->count; i++) {
		uint64_t at = site_deadline(&w->sites[i]);

		if (at != UINT64_MAX && at - 1000 < next)
			next = at - 1000;
	}
	return next;
}

/* Let time pass, from deadline to deadline. */
static inline void world_pass(struct world *w, uint64_t ms)
{
	uint64_t end_ms = w->now_ms + ms;

	world_run(w);
	while (world_next_ms(w) <= end_ms) {
		w->now_ms = world_next_ms(w);
		world_run(w);
	}
	w->now_ms = end_ms;
}

/* ---- Looking ------------------------------------------------------------------ */

static inline unsigned site_logged(const struct site *s, const char *text)
{
	unsigned count = 0;
	struct bytes log = buf_bytes(&s->log);
	const uint8_t *at;

	while (log.size && (at = memmem(log.data, log.size, text, strlen(text)))) {
		count++;
		log = bytes_of(at + 1, (size_t)(log.data + log.size - at - 1));
	}
	return count;
}

/* What the site says of the peer with this office code. */
static inline struct peer_status site_peer(const struct site *s, const char *code)
{
	struct peer_status status;

	for (size_t i = 0; i < engine_peer_count(s->engine); i++) {
		engine_peer_status(s->engine, i, &status);
		if (strcmp(status.office_code, code) == 0)
			return status;
	}
	fprintf(stderr, "no peer %s\n", code);
	abort();
}

/* `count` changesets in a space, and the engine is told. */
static inline void site_write(struct site *s, const struct space_id *space, unsigned count)
{
	s->office.now_ms = site_now(s).wall_ms;
	for (unsigned i = 0; i < count; i++)
		office_item(&s->office, space,
			    "把会议纪要发给各办公室 / send the minutes to all offices");
	if (s->engine)
		engine_changed(s->engine, site_now(s));
}

static inline uint64_t site_held(const struct site *s, const struct space_id *space)
{
	const struct vv *vv = replica_vv(s->office.replica, space);
	uint64_t count = 0;

	for (size_t i = 0; i < vv->count; i++)
		count += vv->entries[i].seq;
	return count;
}

#endif
