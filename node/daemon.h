/* The daemon: one thread, one loop, one replica, one engine.
 *
 *   wait -> read the clocks once -> signals, control requests, at most
 *   DAEMON_EVENTS_MAX of the transport -> the engine -> then send
 *
 * The engine may change the replica in a turn; what it sends leaves at the
 * turn's end, so only what is durable is sent. Other processes write to the
 * same replica: their nudge, or else a look every DAEMON_REFRESH_MS, makes the
 * engine send it. */
#ifndef HT_NODE_DAEMON_H
#define HT_NODE_DAEMON_H

#include "node/config.h"
#include "node/identity.h"

enum {
	DAEMON_EVENTS_MAX = 64,
	DAEMON_REFRESH_MS = 1000,
	DAEMON_STOP_MS = 2000, /* for peers to hear that we leave */
};

struct daemon_options {
	const char *folder;      /* the data folder; its lock is held */
	struct replica *replica; /* to write; part of an organisation */
	const struct identity *identity;
	const char *tzdata; /* the version of the machine's time zones, or "" */
	/* The settings, now and at each SIGHUP: fill *out, which is initialised. */
	enum err (*settings)(void *ctx, struct config *out, struct errmsg *msg);
	void *settings_ctx;
};

/* Serve until SIGTERM or SIGINT; blocks these and SIGHUP for good. SIGHUP reads the
 * settings again: peers, dial and log level take effect at once. Logs to
 * stderr. ERR_IO (the port is taken, say), ERR_INVALID (the settings), and what
 * the engine returns. */
MUST_CHECK enum err daemon_run(const struct daemon_options *options, struct errmsg *msg);

#endif
