#include "node/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "node/ballast.h"
#include "node/context.h"
#include "node/control_server.h"
#include "node/daemon_status.h"
#include "node/i18n.h"
#include "node/log.h"
#include "node/notify.h"
#include "node/scrubber.h"
#include "node/sys_error.h"
#include "sync/transport.h"

enum { POLL_TRANSPORT, POLL_SIGNALS, POLL_CONTROL, POLL_COUNT = POLL_CONTROL + CONTROL_POLLS_MAX };

struct daemon {
	const struct daemon_options *options;
	struct config config;
	struct log log;
	struct transport *transport;
	struct control_server control; /* valid if has_control */
	bool has_control;
	int signal_fd;
	struct engine *engine; /* NULL before the start and while leaving */

	char listen[ADDRESS_TEXT_MAX + 1]; /* "" if we don't */
	uint16_t port;
	uint64_t started_ms; /* wall */

	struct now now; /* this turn's */
	bool has_more;  /* the transport has more than a turn took */
	bool is_nudged;
	bool wants_settings;
	bool is_stopping;
	uint64_t refresh_ms; /* monotonic: when to look at the replica */
	uint64_t reloads;    /* of the replica, when the engine was last told */
	struct scrubber scrubber;
	struct ballast ballast;
	bool was_full;    /* the replica had no room, at the last turn */
	uint64_t disk_ms; /* monotonic: when to look at the disk */
};

static struct now read_clocks(void)
{
	struct timespec mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (struct now){ .wall_ms = system_now_ms(),
			     .mono_ms = (uint64_t)mono.tv_sec * 1000 +
					(uint64_t)mono.tv_nsec / 1000000 };
}

static void say(struct daemon *d, enum log_level level, const char *event, const char *detail)
{
	log_write(&d->log, d->now, level, event, "", detail);
}

static void on_engine_log(void *ctx, enum log_level level, const char *event, const char *peer,
			  const char *detail)
{
	struct daemon *d = ctx;

	log_write(&d->log, d->now, level, event, peer, detail);
}

/* ---- The transport's events ---------------------------------------------- */

static void on_accepted(void *ctx, struct conn_id conn, const char *from)
{
	struct daemon *d = ctx;

	if (d->engine)
		engine_accepted(d->engine, d->now, conn, from);
	else
		transport_port(d->transport).close(d->transport, conn, false);
}

static void on_connected(void *ctx, struct conn_id conn)
{
	struct daemon *d = ctx;

	if (d->engine)
		engine_connected(d->engine, d->now, conn);
}

static void on_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct daemon *d = ctx;

	if (d->engine)
		engine_received(d->engine, d->now, conn, data);
}

static void on_sent(void *ctx, struct conn_id conn, size_t bytes)
{
	struct daemon *d = ctx;

	if (d->engine)
		engine_sent(d->engine, d->now, conn, bytes);
}

static void on_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct daemon *d = ctx;

	if (d->engine)
		engine_closed(d->engine, d->now, conn, reason);
}

static void on_scrub(void *ctx, enum log_level level, const char *event, const char *detail)
{
	say(ctx, level, event, detail);
}

static void on_trouble(void *ctx, const char *what)
{
	say(ctx, LOG_WARN, "accept-failed", what);
}

/* ---- Control requests ---------------------------------------------------- */

static void wish_nudge(struct daemon *d)
{
	d->is_nudged = true;
}

static void wish_sync_now(struct daemon *d)
{
	d->is_nudged = true;
	engine_sync_now(d->engine, d->now);
}

static void wish_pause(struct daemon *d)
{
	engine_pause(d->engine, d->now);
}

static void wish_resume(struct daemon *d)
{
	engine_resume(d->engine, d->now);
}

static const struct {
	json_t *(*report)(const struct daemon_facts *facts);
	void (*wish)(struct daemon *d);
} verbs[CONTROL_VERB_COUNT] = {
	[CONTROL_NUDGE] = { .wish = wish_nudge },
	[CONTROL_STATUS] = { .report = daemon_status_json },
	[CONTROL_PEERS] = { .report = daemon_peers_json },
	[CONTROL_SYNC_NOW] = { .wish = wish_sync_now },
	[CONTROL_PAUSE] = { .wish = wish_pause },
	[CONTROL_RESUME] = { .wish = wish_resume },
};

static void answer(void *ctx, enum control_verb verb, struct buf *reply)
{
	struct daemon *d = ctx;
	struct daemon_facts facts = { .engine = d->engine,
				      .ballast = &d->ballast,
				      .now = d->now,
				      .started_ms = d->started_ms,
				      .listen = d->listen,
				      .port = d->port };

	if (verb != CONTROL_NUDGE)
		say(d, LOG_DEBUG, "control", control_verb_name(verb));
	if (verbs[verb].report) {
		control_reply_encode(reply, verbs[verb].report(&facts));
	} else {
		verbs[verb].wish(d);
		control_reply_encode(reply, json_object());
	}
}

/* ---- Signals ------------------------------------------------------------- */

static enum err open_signals(struct daemon *d, struct errmsg *msg)
{
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, NULL);
	signal(SIGPIPE, SIG_IGN); /* stderr may be a pipe that somebody closed */
	d->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signal_fd < 0 ? sys_error("signalfd", msg) : OK;
}

static void take_signals(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			d->wants_settings = true;
		} else {
			d->is_stopping = true;
			say(d, LOG_INFO, "stopping", strsignal((int)info.ssi_signo));
		}
	}
}

/* ---- The disk ------------------------------------------------------------ */

static void tell_room(struct daemon *d)
{
	enum room room = d->ballast.room;
	char text[256];

	snprintf(text, sizeof(text),
		 room == ROOM_AMPLE ? _("%llu MB free: what peers send is taken again")
				    : _("%llu MB free, less than ballast and low-water mark: what "
					"peers send waits with them"),
		 (unsigned long long)d->ballast.free_bytes >> 20);
	say(d, room == ROOM_AMPLE ? LOG_INFO : LOG_WARN, "disk", text);
}

static void take_if_ample(struct daemon *d)
{
	engine_take(d->engine, d->now, d->ballast.room == ROOM_AMPLE);
}

/* A full disk is met by whoever writes, the daemon or a command. */
static void look_at_disk(struct daemon *d)
{
	bool is_full = replica_disk(d->options->replica) == DISK_FULL;
	bool is_news = is_full && !d->was_full;
	struct ballast before = d->ballast;
	struct errmsg why = { 0 };

	d->was_full = is_full;
	if (!is_news && d->now.mono_ms < d->disk_ms)
		return;
	d->disk_ms = d->now.mono_ms + DAEMON_REFRESH_MS;
	if (ballast_look(&d->ballast, d->now.mono_ms, is_news, &why) != OK)
		say(d, LOG_WARN, "disk", why.text);
	if (before.is_there && !d->ballast.is_there)
		say(d, LOG_WARN, "disk", _("full: the ballast is given up for the last edits"));
	if (d->ballast.room == before.room)
		return;
	tell_room(d);
	take_if_ample(d);
}

/* ---- Start and settings -------------------------------------------------- */

/* Each connection is a descriptor, and the replica's files must find some left. */
static void raise_descriptor_limit(struct daemon *d)
{
	enum { OTHERS = 256 };
	const rlim_t wanted = TRANSPORT_CONNS_MAX + OTHERS;
	struct rlimit limit;
	char detail[160];

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted)
		return;
	snprintf(detail, sizeof(detail),
		 _("only %llu files may be open, %llu are wanted: strangers can keep members out"),
		 (unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
	say(d, LOG_WARN, "descriptors", detail);
}

static enum err start_engine(struct daemon *d, struct errmsg *msg)
{
	const struct daemon_options *o = d->options;
	struct engine_config config = {
		.replica = o->replica,
		.port = transport_port(d->transport),
		.dice = system_dice(),
		.noise_secret = o->identity->noise_secret,
		.sign_secret = o->identity->sign_secret,
		.peers = (const char *const *)d->config.peers,
		.dial_members = d->config.dial,
		.tzdata = o->tzdata,
		.log = on_engine_log,
		.log_ctx = d,
	};

	return engine_new(&d->engine, &config, d->now.wall_ms, msg);
}

/* Where to listen: what the settings say, else the port under which the directory
 * tells the others to dial us, else nowhere. */
static enum err start_listening(struct daemon *d, struct errmsg *msg)
{
	const struct member *self = replica_self(d->options->replica);
	const char *colon = self ? strrchr(self->address, ':') : NULL;

	if (strcmp(d->config.listen, CONFIG_LISTEN_NONE) == 0)
		return OK;
	if (d->config.listen[0])
		snprintf(d->listen, sizeof(d->listen), "%s", d->config.listen);
	else if (colon)
		snprintf(d->listen, sizeof(d->listen), "*%s", colon);
	if (!d->listen[0])
		return OK;
	return transport_listen(d->transport, d->listen, &d->port, msg);
}

static enum err start(struct daemon *d, struct errmsg *msg)
{
	struct transport_events events = {
		.ctx = d,
		.accepted = on_accepted,
		.connected = on_connected,
		.received = on_received,
		.sent = on_sent,
		.closed = on_closed,
		.trouble = on_trouble,
	};
	enum err rc = d->options->settings(d->options->settings_ctx, &d->config, msg);

	d->log.level = d->config.log_level;
	ballast_set(&d->ballast, (uint64_t)d->config.ballast_mib << 20,
		    (uint64_t)d->config.low_water_mib << 20);
	scrubber_set(&d->scrubber, d->config.scrub_s);
	raise_descriptor_limit(d);
	if (rc == OK)
		rc = open_signals(d, msg); /* before nng's threads inherit the mask */
	if (rc == OK)
		rc = transport_new(&d->transport, &events, msg);
	if (rc == OK)
		rc = start_engine(d, msg);
	if (rc == OK)
		rc = start_listening(d, msg);
	if (rc == OK)
		rc = control_server_open(&d->control, d->options->folder, msg);
	d->has_control = rc == OK;
	return rc;
}

/* The engine takes its peers when it is made: make another. Sessions open again
 * within moments, and go on where they were. */
static enum err renew(struct daemon *d, struct errmsg *msg)
{
	bool was_paused = engine_is_paused(d->engine);
	struct config config;
	enum err rc;

	config_init(&config);
	rc = d->options->settings(d->options->settings_ctx, &config, msg);
	if (rc) {
		config_release(&config);
		return rc;
	}
	if (strcmp(config.listen, d->config.listen) != 0)
		say(d, LOG_WARN, "settings", _("listen takes effect at the next start"));
	config_release(&d->config);
	d->config = config;
	d->log.level = config.log_level;
	ballast_set(&d->ballast, (uint64_t)config.ballast_mib << 20,
		    (uint64_t)config.low_water_mib << 20);
	scrubber_set(&d->scrubber, config.scrub_s);
	engine_free(d->engine);
	d->engine = NULL;
	rc = start_engine(d, msg);
	if (rc == OK)
		take_if_ample(d);
	if (rc == OK && was_paused)
		engine_pause(d->engine, d->now);
	return rc;
}

/* ERR only when there is no engine any more. */
static enum err take_settings(struct daemon *d, struct errmsg *msg)
{
	enum err rc = renew(d, msg);

	d->wants_settings = false;
	if (rc)
		say(d, LOG_ERROR, "settings", msg->text);
	else
		say(d, LOG_INFO, "settings", _("read again"));
	return d->engine ? OK : rc;
}

/* ---- The loop ------------------------------------------------------------ */

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int timeout_ms(const struct daemon *d)
{
	uint64_t deadline_ms = d->refresh_ms;

	if (d->engine)
		deadline_ms = earliest(earliest(deadline_ms, engine_deadline(d->engine)),
				       scrubber_deadline(&d->scrubber));
	if (d->has_control)
		deadline_ms = earliest(deadline_ms, control_server_deadline(&d->control));
	if (d->has_more || deadline_ms <= d->now.mono_ms)
		return 0;
	return (int)earliest(deadline_ms - d->now.mono_ms, DAEMON_REFRESH_MS);
}

static void wait_and_take(struct daemon *d)
{
	const struct control_handler handler = { .ctx = d, .answer = answer };
	struct pollfd polls[POLL_COUNT] = {
		[POLL_TRANSPORT] = { .fd = transport_fd(d->transport), .events = POLLIN },
		[POLL_SIGNALS] = { .fd = d->signal_fd, .events = POLLIN },
	};
	size_t count = POLL_CONTROL;

	if (d->has_control)
		count += control_server_polls(&d->control, polls + POLL_CONTROL);
	poll(polls, count, timeout_ms(d));
	d->now = read_clocks();
	if (polls[POLL_SIGNALS].revents)
		take_signals(d);
	d->has_more = transport_turn(d->transport, DAEMON_EVENTS_MAX);
	if (d->has_control)
		control_server_turn(&d->control, d->now.mono_ms, &handler);
}

/* Whether another process changed the replica. Receiving from a peer may have
 * seen it first, and said it to nobody. */
static void look_at_replica(struct daemon *d)
{
	struct replica *r = d->options->replica;
	struct errmsg why = { 0 };
	bool ignored;

	if (!d->is_nudged && d->now.mono_ms < d->refresh_ms)
		return;
	d->refresh_ms = d->now.mono_ms + DAEMON_REFRESH_MS;
	d->is_nudged = false;
	if (replica_refresh(r, &ignored, &why) != OK)
		say(d, LOG_ERROR, "replica", why.text);
	if (replica_reloads(r) == d->reloads)
		return;
	d->reloads = replica_reloads(r);
	engine_changed(d->engine, d->now);
}

/* Only when nothing else waits. What was found is asked of the peers at once. */
static void scrub(struct daemon *d)
{
	if (!d->has_more && scrubber_turn(&d->scrubber, d->now))
		engine_changed(d->engine, d->now);
}

static enum err turn(struct daemon *d, struct errmsg *msg)
{
	enum err rc = OK;

	wait_and_take(d);
	if (d->wants_settings)
		rc = take_settings(d, msg);
	if (rc == OK) {
		look_at_disk(d);
		look_at_replica(d);
		scrub(d);
		if (engine_deadline(d->engine) <= d->now.mono_ms)
			engine_tick(d->engine, d->now);
	}
	transport_flush(d->transport);
	return rc;
}

/* Say goodbye: the engine closes its sessions, the transport sends what is left.
 * A second signal makes it short. */
static void leave(struct daemon *d)
{
	uint64_t end_ms = d->now.mono_ms + DAEMON_STOP_MS;

	if (d->has_control)
		control_server_close(&d->control);
	d->has_control = false;
	engine_free(d->engine);
	d->engine = NULL;
	d->is_stopping = false;
	transport_flush(d->transport);
	while (transport_conn_count(d->transport) && d->now.mono_ms < end_ms && !d->is_stopping) {
		d->refresh_ms = end_ms;
		wait_and_take(d);
		transport_flush(d->transport);
	}
}

static void announce(struct daemon *d)
{
	const char *asked = strrchr(d->listen, ':');
	char detail[ADDRESS_TEXT_MAX + 160];
	char port[16] = "";

	if (asked && strcmp(asked, ":0") == 0)
		snprintf(port, sizeof(port), ", port %u", d->port);
	if (d->listen[0])
		snprintf(detail, sizeof(detail), "version %s, process %ld, listening on %s%s",
			 HUITONG_VERSION, (long)getpid(), d->listen, port);
	else
		snprintf(detail, sizeof(detail), "version %s, process %ld, not listening",
			 HUITONG_VERSION, (long)getpid());
	say(d, LOG_INFO, "started", detail);
	notify_send("READY=1");
}

enum err daemon_run(const struct daemon_options *options, struct errmsg *msg)
{
	struct daemon d = { .options = options,
			    .signal_fd = -1,
			    .now = read_clocks(),
			    .scrubber = { .say = on_scrub } };
	enum err rc;

	config_init(&d.config);
	ballast_init(&d.ballast, options->folder);
	log_init(&d.log, STDERR_FILENO);
	d.started_ms = d.now.wall_ms;
	d.scrubber.ctx = &d;
	rc = scrubber_open(&d.scrubber, options->replica, d.now, msg);
	if (rc == OK)
		rc = start(&d, msg);
	if (rc == OK)
		announce(&d);
	while (rc == OK && !d.is_stopping)
		rc = turn(&d, msg);
	notify_send("STOPPING=1");
	if (d.transport)
		leave(&d);
	scrubber_close(&d.scrubber);
	transport_free(d.transport);
	transport_library_release();
	if (d.signal_fd >= 0)
		close(d.signal_fd);
	config_release(&d.config);
	if (rc == OK)
		say(&d, LOG_INFO, "stopped", "");
	return rc;
}
