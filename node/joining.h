/* Becoming a node: enrolment by a ticket, then the first sync, in one loop.
 *
 *   dial -> enrol -> member -> sync -> everything granted is here
 *
 * Progress goes to stderr. Repeating it after a failure is safe. */
#ifndef HT_NODE_JOINING_H
#define HT_NODE_JOINING_H

#include "node/context.h"
#include "sync/ticket.h"

enum {
	JOINING_IDLE_MS = 30000, /* without anything new, the rest is left to the daemon */
};

struct joining_config {
	struct context *ctx; /* replica open to write, identity loaded */
	const struct ticket *ticket;
	const char *office_name; /* if the office is new */
	const char *person_name; /* NULL: none */
	const char *address;     /* NULL: can't be dialled */
};

/* *complete: all that this node may have is here; else the first sync broke
 * off. Errors are those before membership, by enrol_error(). */
MUST_CHECK enum err joining_run(const struct joining_config *config, bool *complete,
				struct errmsg *msg);

#endif
