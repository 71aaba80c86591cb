/* A network of a few hosts in one process, for tests of the engine: struct port
 * on one side, events on the other, in the order in which they were caused.
 * There is no time in it; who wants links with latency takes tests/sim/net.h.
 *
 * What a test takes for granted ends the program when it fails. */
#ifndef HT_TESTS_SUPPORT_LOOPNET_H
#define HT_TESTS_SUPPORT_LOOPNET_H

#include "sync/port.h"

enum { LOOPNET_HOSTS_MAX = 40, LOOPNET_ADDRESS_BYTES = 16 };

/* Of one host; NULL where nobody listens. */
struct loopnet_events {
	void *ctx;
	void (*accepted)(void *ctx, struct conn_id conn, const char *from);
	void (*connected)(void *ctx, struct conn_id conn);
	void (*received)(void *ctx, struct conn_id conn, struct bytes data);
	void (*sent)(void *ctx, struct conn_id conn, size_t bytes);
	void (*closed)(void *ctx, struct conn_id conn, const char *reason);
};

struct loopnet;

struct loopnet *loopnet_new(void);
void loopnet_free(struct loopnet *n);

/* The next host: 0, 1, ... */
unsigned loopnet_add(struct loopnet *n, const struct loopnet_events *events);
struct port loopnet_port(struct loopnet *n, unsigned host);
/* "host3:1" */
void loopnet_address(unsigned host, char out[LOOPNET_ADDRESS_BYTES]);

/* Hand out the oldest event; false if there is none. */
bool loopnet_step(struct loopnet *n);

/* Dials between the two fail from now on, connections are reset. */
void loopnet_cut(struct loopnet *n, unsigned a, unsigned b, bool is_cut);
/* What is sent between the two vanishes, and nobody is told. */
void loopnet_mute(struct loopnet *n, unsigned a, unsigned b, bool is_mute);
/* Whether dials to the host succeed. */
void loopnet_listen(struct loopnet *n, unsigned host, bool listens);

/* Called with what is about to arrive; may change it. */
void loopnet_tap(struct loopnet *n, void (*tap)(void *ctx, unsigned to, struct buf *data),
		 void *ctx);

/* Bytes on their way, of all connections. */
size_t loopnet_flight_bytes(const struct loopnet *n);

/* Connections between the two that neither side has closed. */
size_t loopnet_conn_count(const struct loopnet *n, unsigned a, unsigned b);

#endif
