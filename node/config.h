/* The daemon's settings: huitong.conf in the data folder, then the command line.
 *
 *   # a comment
 *   listen = *:7420               where to accept peers, or "none"
 *   peer = fra.example.org:7420   dial this address, too; may repeat
 *   dial = yes                    dial the addresses that the directory has
 *   ballast = 32                  MiB to be given up on a full disk (node/ballast.h)
 *   low-water = 64                MiB left, under which nothing is taken from peers
 *   scrub = 7d                    how often the whole database is looked at; 0: never
 *   log-level = info              debug, info, warn, error
 */
#ifndef HT_NODE_CONFIG_H
#define HT_NODE_CONFIG_H

#include "core/bytes.h"
#include "core/replica.h"
#include "sync/engine.h"

enum {
	CONFIG_BYTES_MAX = 64 << 10,
	CONFIG_PEERS_MAX = 500,
	CONFIG_BALLAST_MIB = 32,
	CONFIG_LOW_WATER_MIB = 64,
	CONFIG_MIB_MAX = 1 << 20,
	CONFIG_SCRUB_S = 7 * 24 * 3600,
};

struct config {
	char listen[ADDRESS_TEXT_MAX + 1]; /* "" until said; "none" */
	char *peers[CONFIG_PEERS_MAX + 1]; /* owned; NULL after the last */
	size_t peer_count;
	bool dial;
	unsigned ballast_mib;   /* 0: none */
	unsigned low_water_mib; /* 0: none */
	uint64_t scrub_s;       /* 0: never */
	enum log_level log_level;
};

#define CONFIG_LISTEN_NONE "none"

void config_init(struct config *c); /* the defaults */
void config_release(struct config *c);

/* Set what one key says; a later value replaces, a peer is added. ERR_INVALID for
 * an unknown key or a value that it can't have; ERR_LIMIT; ERR_NOMEM. */
MUST_CHECK enum err config_set(struct config *c, const char *key, const char *value,
			       struct errmsg *msg);

/* Read the text of a file; the message names the line. On failure *c is as before. */
MUST_CHECK enum err config_parse(struct config *c, struct bytes text, struct errmsg *msg);

/* Read a file; one that is absent says nothing. ERR_IO, ERR_LIMIT and as above. */
MUST_CHECK enum err config_load(struct config *c, const char *path, struct errmsg *msg);

#endif
