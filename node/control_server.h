/* The daemon's side of the control protocol (node/control.h), for a loop that
 * polls: requests are small and answered at once, slow clients wait or are
 * dropped, and nobody keeps the loop waiting. */
#ifndef HT_NODE_CONTROL_SERVER_H
#define HT_NODE_CONTROL_SERVER_H

#include <poll.h>

#include "node/control.h"

enum {
	CONTROL_CLIENTS_MAX = 16, /* at once; more wait in the kernel's queue */
	CONTROL_POLLS_MAX = CONTROL_CLIENTS_MAX + 1,
};

struct control_client {
	int fd; /* -1: free */
	uint64_t deadline_ms;
	struct buf request;
	struct buf reply;
	size_t replied;
};

struct control_server {
	const char *folder; /* borrowed */
	int fd;
	struct control_client clients[CONTROL_CLIENTS_MAX];
};

/* Who answers: append the reply line to `reply`. */
struct control_handler {
	void *ctx;
	void (*answer)(void *ctx, enum control_verb verb, struct buf *reply);
};

/* Create the socket, over one that a killed daemon left; the caller holds the
 * folder's lock, so no other daemon owns it. ERR_READONLY, ERR_FULL, ERR_IO. */
MUST_CHECK enum err control_server_open(struct control_server *s, const char *folder,
					struct errmsg *msg);
/* Removes the socket. */
void control_server_close(struct control_server *s);

/* What to poll for; returns how many. */
size_t control_server_polls(const struct control_server *s, struct pollfd out[CONTROL_POLLS_MAX]);

/* When a client's time is up; UINT64_MAX: none waits. Monotonic ms. */
uint64_t control_server_deadline(const struct control_server *s);

/* Serve whoever is ready; call when poll() named one of the above or the
 * deadline passed. */
void control_server_turn(struct control_server *s, uint64_t mono_ms,
			 const struct control_handler *handler);

#endif
