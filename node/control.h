/* The control protocol: how a command talks to the daemon of the same data folder.
 *
 * A unix socket, CONTROL_SOCKET_NAME in the folder, mode 0600. One request and
 * one reply a connection, each one line of JSON:
 *
 *   {"do":"sync-now"}
 *   {"ok":true, ...}  or  {"ok":false,"error":"invalid","message":"..."}
 *
 * What the replies hold beside "ok":
 *
 *   status     "pid", "version", "started_ms", "listen" (address, "" if none),
 *              "port" (0 if none), "paused", "idle" (nothing is under way with
 *              any peer), "disk": {"free_bytes", "room": ample, low, none
 *              (node/ballast.h), "has_ballast"}, and "peers" as below
 *   peers      "peers": a list of
 *              {"office", "address", "state", "inbound", "changesets_sent",
 *               "changesets_received", "bytes_sent", "bytes_received", "to_send",
 *               "last_seen_ms", "skew_ms", "next_dial_in_ms", "last_error"}
 *              state: down, dialling, handshake, syncing, in-sync, refused;
 *              last_seen_ms and next_dial_in_ms are null when there is none,
 *              to_send when no session since the start told it
 *   others     nothing more: the wish was passed on
 *
 * Fields may be added; a reader ignores what it does not know. */
#ifndef HT_NODE_CONTROL_H
#define HT_NODE_CONTROL_H

#include <jansson.h>

#include "core/bytes.h"

#define CONTROL_SOCKET_NAME "control.sock"

enum {
	CONTROL_REQUEST_BYTES_MAX = 4096,
	CONTROL_REPLY_BYTES_MAX = 4 << 20,
	CONTROL_TIMEOUT_MS = 10000, /* how long one conversation may take */
	CONTROL_LOOK_MS = 3000,     /* who only looks has something to show without the daemon */
};

enum control_verb {
	CONTROL_NUDGE,    /* the replica has new changesets: look now */
	CONTROL_STATUS,   /* what the daemon does */
	CONTROL_PEERS,    /* only the peers */
	CONTROL_SYNC_NOW, /* dial everybody, compare everything */
	CONTROL_PAUSE,    /* end all sessions until resumed; forgotten at the next start */
	CONTROL_RESUME,
	CONTROL_VERB_COUNT
};

/* The verb as it stands in a request. */
const char *control_verb_name(enum control_verb verb);

/* ---- The client's side --------------------------------------------------- */

/* Ask the daemon that serves `folder`. *reply is the reply's object ("ok" is
 * true); the caller drops it with json_decref().
 * ERR_NOT_FOUND: no daemon is running; ERR_BUSY: it is silent, CONTROL_LOOK_MS
 * where the verb only looks, else CONTROL_TIMEOUT_MS; ERR_FORMAT; or the error
 * of a refusal. */
MUST_CHECK enum err control_ask(const char *folder, enum control_verb verb, json_t **reply,
				struct errmsg *msg);

/* Tell a daemon, if one is running, that the replica changed. Returns at once:
 * it waits for no reply, and a lost nudge costs the daemon's next look only. */
void control_nudge(const char *folder);

/* ---- The socket ---------------------------------------------------------- */

/* The address of a folder's socket. The path of a folder may be longer than
 * such an address: then it leads through *folder_fd, which the caller closes
 * after use (-1 otherwise). ERR_NOT_FOUND, ERR_READONLY, ERR_IO. */
struct sockaddr_un;
MUST_CHECK enum err control_address(const char *folder, struct sockaddr_un *out, int *folder_fd,
				    struct errmsg *msg);

/* ---- The bytes ----------------------------------------------------------- */

/* Read a request, a line without its end. ERR_FORMAT: not a request;
 * ERR_INVALID: a verb we don't know. */
MUST_CHECK enum err control_request_parse(struct bytes line, enum control_verb *out,
					  struct errmsg *msg);

/* Append the line that refuses a request. */
void control_refusal_encode(struct buf *out, const struct errmsg *why);

/* Append `reply` as a line; sets its "ok". Takes the reference. */
void control_reply_encode(struct buf *out, json_t *reply);

#endif
