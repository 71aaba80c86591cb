/* The network between simulated nodes: connections as TCP gives them, over
 * links that are slow, cut in one direction or both, or tampered with.
 *
 * A connection is two ordered streams of bytes. What is sent waits in a queue,
 * leaves it in segments at the link's rate (net_up.sent), flies, and arrives.
 * Behind a cut nothing arrives; it arrives late when the cut heals soon, and
 * both ends are reset when it took longer than NET_PATIENCE_MS. A process that
 * ends resets its connections, a host that loses power says nothing: its peers
 * learn it when they send something after it is back.
 *
 * Conn ids are never used twice: number << 1 | side, side 0 = who dialled. */
#ifndef HT_TESTS_SIM_NET_H
#define HT_TESTS_SIM_NET_H

#include "sync/port.h"
#include "tests/sim/timeline.h"
#include "tests/support/prng.h"

enum {
	NET_NODES_MAX = 128,
	NET_FLIGHT_BYTES_MAX = 256 * 1024, /* sent and not arrived, of one stream */
	NET_SEGMENT_BYTES_MAX = 64 * 1024,
	NET_DIAL_MS_MAX = 20000,      /* a dial that nobody answers */
	NET_PATIENCE_MS = 900 * 1000, /* how long TCP repeats itself */
	NET_RECORD_BYTES = 8192,      /* of each dialler's stream, for net_replay() */
	NET_NOBODY = NET_NODES_MAX,   /* a stranger without a process */
};

/* What happens to the next segment of a link. */
enum spoiling {
	DAMAGE_NONE,
	DAMAGE_FLIP,   /* a bit changes */
	DAMAGE_DROP,   /* it is missing, what follows arrives */
	DAMAGE_DOUBLE, /* it arrives twice */
	DAMAGE_SWAP,   /* its halves change places */
	DAMAGE_RESET,  /* some of it arrives, then the connection is reset */
	DAMAGE_COUNT
};

struct link {
	bool is_cut;
	uint32_t latency_ms, jitter_ms;
	uint32_t bytes_per_ms;  /* 0 = no limit */
	uint8_t damage_percent; /* of segments, by any damage */
	enum spoiling next_damage;
	uint64_t cut_at_ms;
};

/* Events for nodes, as sync/port.h describes them. */
struct net_up {
	void *ctx;
	void (*accepted)(void *ctx, unsigned node, struct conn_id conn, const char *from);
	void (*connected)(void *ctx, unsigned node, struct conn_id conn);
	void (*received)(void *ctx, unsigned node, struct conn_id conn, struct bytes data);
	void (*sent)(void *ctx, unsigned node, struct conn_id conn, size_t bytes);
	void (*closed)(void *ctx, unsigned node, struct conn_id conn, const char *reason);
};

struct net_stats {
	uint64_t dials, conns, bytes, damaged;
	size_t queue_bytes_max; /* the longest queue that ever was */
};

struct net;

struct net *net_new(unsigned nodes, struct timeline *timeline, uint64_t seed,
		    const struct net_up *up);
void net_free(struct net *n);

/* The port of a node, whose address is net_address(). */
struct port net_port(struct net *n, unsigned node);
void net_address(unsigned node, char out[16]); /* "n7:7" */

/* The direction from -> to. Change it through net_set_link() only. */
const struct link *net_link(const struct net *n, unsigned from, unsigned to);
void net_set_link(struct net *n, unsigned from, unsigned to, const struct link *link);
void net_cut(struct net *n, unsigned from, unsigned to, bool cut);

/* Whether dials are answered. */
void net_listen(struct net *n, unsigned node, bool listens);

/* The node's process is gone; with `power` its host as well, so that nobody is told. */
void net_drop_node(struct net *n, unsigned node, bool power);

/* Reset a connection picked by dice, if there is any: both ends are told. */
void net_reset_any(struct net *n);

/* A stranger dials the node, sends the bytes and stays; or a peer's dial comes twice. */
void net_stranger(struct net *n, unsigned node, struct bytes data);

/* A stranger says again to the node what somebody who dialled it said before. */
void net_replay(struct net *n, unsigned node);

/* Live connections between two nodes (NET_NOBODY: of one node with any). */
size_t net_conn_count(const struct net *n, unsigned a, unsigned b);

const struct net_stats *net_stats(const struct net *n);

#endif
