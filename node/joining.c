#include "node/joining.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "node/i18n.h"
#include "sync/engine.h"
#include "sync/enrol.h"
#include "sync/transport.h"

enum { TURN_EVENTS_MAX = 64, TURN_MS_MAX = 200 };

/* First `enrol` is set, then `engine`; events go to whichever is. */
struct joining {
	const struct joining_config *config;
	struct replica *replica;
	struct transport *transport;
	struct enrol *enrol;
	struct engine *engine;
	struct now now;
	uint64_t changesets;   /* held at the last look */
	uint64_t news_mono_ms; /* when something new was seen last */
	bool shows_progress;
};

static struct now read_clocks(void)
{
	struct timespec mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (struct now){ system_now_ms(),
			     (uint64_t)mono.tv_sec * 1000 + (uint64_t)mono.tv_nsec / 1000000 };
}

/* ---- Events of the transport --------------------------------------------- */

static void on_connected(void *ctx, struct conn_id conn)
{
	struct joining *j = ctx;

	if (j->engine)
		engine_connected(j->engine, j->now, conn);
	else
		enrol_connected(j->enrol, j->now, conn);
}

static void on_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct joining *j = ctx;

	if (j->engine)
		engine_received(j->engine, j->now, conn, data);
	else
		enrol_received(j->enrol, j->now, conn, data);
}

static void on_sent(void *ctx, struct conn_id conn, size_t bytes)
{
	struct joining *j = ctx;

	if (j->engine)
		engine_sent(j->engine, j->now, conn, bytes);
}

static void on_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct joining *j = ctx;

	if (j->engine)
		engine_closed(j->engine, j->now, conn, reason);
	else
		enrol_closed(j->enrol, j->now, conn, reason);
}

static void ignore(void *ctx, const char *what)
{
}

static void accept_nobody(void *ctx, struct conn_id conn, const char *from)
{
	/* We do not listen. */
}

/* What goes wrong in a session, people who wait should see. */
static void log_line(void *ctx, enum log_level level, const char *event, const char *peer,
		     const char *detail)
{
	if (level >= LOG_WARN)
		fprintf(stderr, "huitong: %s %s %s\n", event, peer, detail);
}

/* ---- One turn ------------------------------------------------------------ */

static int wait_ms(const struct joining *j)
{
	uint64_t deadline = j->engine ? engine_deadline(j->engine) : enrol_deadline(j->enrol);

	if (deadline <= j->now.mono_ms)
		return 0;
	return deadline - j->now.mono_ms < TURN_MS_MAX ? (int)(deadline - j->now.mono_ms)
						       : TURN_MS_MAX;
}

static void turn(struct joining *j)
{
	struct pollfd wake = { .fd = transport_fd(j->transport), .events = POLLIN };

	transport_flush(j->transport);
	poll(&wake, 1, wait_ms(j));
	j->now = read_clocks();
	transport_turn(j->transport, TURN_EVENTS_MAX);
	if (j->engine)
		engine_tick(j->engine, j->now);
	else
		enrol_tick(j->enrol, j->now);
}

/* ---- Enrolment ----------------------------------------------------------- */

static enum err enrol(struct joining *j, struct errmsg *msg)
{
	const struct joining_config *config = j->config;
	const struct identity *id = &config->ctx->identity;
	struct enrol_config enrolment = { .port = transport_port(j->transport),
					  .dice = system_dice(),
					  .ticket = config->ticket,
					  .noise_secret = id->noise_secret,
					  .sign_secret = id->sign_secret,
					  .replica = j->replica,
					  .office_name = config->office_name,
					  .person_name = config->person_name,
					  .address = config->address };
	enum err rc = enrol_new(&j->enrol, &enrolment, j->now, msg);

	if (rc != OK)
		return rc;
	while (enrol_state(j->enrol) == ENROL_RUNNING)
		turn(j);
	if (enrol_state(j->enrol) == ENROL_DONE)
		return enrol_finish(j->enrol, j->replica, j->now.wall_ms, msg);
	*msg = *enrol_error(j->enrol);
	return msg->code;
}

/* ---- The first sync ------------------------------------------------------ */

/* The network is asked by those addresses only that the ticket has: the way is
 * known to work. */
static enum err start_engine(struct joining *j, struct errmsg *msg)
{
	const struct identity *id = &j->config->ctx->identity;
	struct engine_config engine = { .replica = j->replica,
					.port = transport_port(j->transport),
					.dice = system_dice(),
					.noise_secret = id->noise_secret,
					.sign_secret = id->sign_secret,
					.log = log_line };

	enrol_free(j->enrol);
	j->enrol = NULL;
	return engine_new(&j->engine, &engine, j->now.wall_ms, msg);
}

static void look(struct joining *j)
{
	struct replica_stats stats;

	if (replica_stats(j->replica, &stats, NULL) != OK || stats.changesets == j->changesets)
		return;
	j->changesets = stats.changesets;
	j->news_mono_ms = j->now.mono_ms;
	if (j->shows_progress)
		fprintf(stderr, "\r%llu %s", (unsigned long long)stats.changesets, _("changesets"));
}

static bool is_complete(const struct joining *j)
{
	struct peer_status peer;

	if (!replica_self(j->replica) || !engine_is_idle(j->engine))
		return false;
	for (size_t i = 0; i < engine_peer_count(j->engine); i++) {
		engine_peer_status(j->engine, i, &peer);
		if (peer.state == PEER_IN_SYNC)
			return true;
	}
	return false;
}

static bool sync_all(struct joining *j)
{
	bool complete;

	j->news_mono_ms = j->now.mono_ms;
	do {
		turn(j);
		look(j);
		complete = is_complete(j);
	} while (!complete && j->now.mono_ms - j->news_mono_ms < JOINING_IDLE_MS);
	if (j->shows_progress)
		fputc('\n', stderr);
	return complete;
}

enum err joining_run(const struct joining_config *config, bool *complete, struct errmsg *msg)
{
	struct joining j = { .config = config,
			     .replica = config->ctx->replica,
			     .now = read_clocks(),
			     .shows_progress = isatty(STDERR_FILENO) };
	struct transport_events events = { .ctx = &j,
					   .accepted = accept_nobody,
					   .connected = on_connected,
					   .received = on_received,
					   .sent = on_sent,
					   .closed = on_closed,
					   .trouble = ignore };
	enum err rc = transport_new(&j.transport, &events, msg);

	/* It may have been killed when this was done. */
	if (rc == OK && replica_check_member(j.replica, NULL) != OK)
		rc = enrol(&j, msg);
	if (rc == OK)
		fprintf(stderr, "%s\n", _("enrolled; fetching what is there"));
	if (rc == OK)
		rc = start_engine(&j, msg);
	if (rc == OK)
		*complete = sync_all(&j);
	engine_free(j.engine);
	enrol_free(j.enrol);
	if (j.transport)
		transport_flush(j.transport);
	transport_free(j.transport);
	return rc;
}
