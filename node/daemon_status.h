/* What a running daemon says of itself, as in node/control.h. */
#ifndef HT_NODE_DAEMON_STATUS_H
#define HT_NODE_DAEMON_STATUS_H

#include <jansson.h>

#include "node/ballast.h"
#include "sync/engine.h"

struct daemon_facts {
	const struct engine *engine;
	const struct ballast *ballast;
	struct now now;
	uint64_t started_ms;
	const char *listen; /* "" if it does not */
	uint16_t port;
};

/* New objects; NULL when out of memory. */
json_t *daemon_status_json(const struct daemon_facts *facts);
json_t *daemon_peers_json(const struct daemon_facts *facts);

#endif
