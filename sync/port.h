/* The network as the engine sees it: a few calls down, a few events up.
 *
 * The node implements it with nng streams, the simulator in memory. Calls only
 * queue work and return; what becomes of it comes back as an event:
 *
 *   dial ----------> engine_connected | engine_closed
 *   (a peer dials)-> engine_accepted
 *   send ----------> engine_sent (bytes left the queue)
 *   (bytes arrive)-> engine_received
 *   close ---------> nothing more; the id is never used again
 */
#ifndef HT_SYNC_PORT_H
#define HT_SYNC_PORT_H

#include "core/bytes.h"

/* Names one connection for its whole life; the port chooses it, never 0. */
struct conn_id {
	uint64_t id;
};

struct port {
	void *ctx;
	/* Start connecting to "host:port". ERR_INVALID: not an address. */
	enum err (*dial)(void *ctx, const char *address, struct conn_id *out, struct errmsg *msg);
	/* Queue bytes; copied. */
	void (*send)(void *ctx, struct conn_id conn, struct bytes data);
	/* Close once what was queued has been sent, or at once. */
	void (*close)(void *ctx, struct conn_id conn, bool flush);
};

#endif
