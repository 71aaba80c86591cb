/* A world: nodes with replicas and engines, a network, virtual time, and the
 * book of what must hold. A run follows from its config; nothing else enters.
 *
 *   world_new -> (world_run | a change by the caller)* -> world_settle -> world_free
 *
 * After every event the nodes it touched are audited (invariants.h). The first
 * violation ends the run. Ends the program when memory runs out. */
#ifndef HT_TESTS_SIM_WORLD_H
#define HT_TESTS_SIM_WORLD_H

#include "core/attrs.h"
#include "sync/engine.h"
#include "sync/enrol.h"
#include "tests/sim/ledger.h"
#include "tests/sim/memvfs.h"
#include "tests/sim/net.h"
#include "tests/sim/oracle.h"
#include "tests/sim/stats.h"
#include "tests/sim/timeline.h"
#include "tests/sim/views.h"

/* 2026-03-01T00:00:00Z: when every world begins. */
#define WORLD_EPOCH_MS UINT64_C(1772323200000)

#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define YEAR_MS   (365 * DAY_MS)

/* What can happen to a disk (copies.h). */
enum copy { COPY_BACKUP, COPY_RESTORE, COPY_PUT_BACK, COPY_ROLL_BACK, COPY_CLONE, COPY_COUNT };

enum { WORLD_SNAPSHOTS = 6 };

enum topology {
	TOPOLOGY_MESH,
	TOPOLOGY_LINE,
	TOPOLOGY_STAR, /* node 0 in the middle */
	TOPOLOGY_RING,
	TOPOLOGY_TREE,
	TOPOLOGY_COUNT
};

/* Bugs that a world can have without touching the code under test. Others are
 * linked in (plants.h). */
enum world_plant {
	PLANT_NONE,
	PLANT_LYING_DISK, /* "synced" is said of what is not */
	PLANT_EARLY_PUSH, /* peers are told before the transaction is committed */
};

struct world_config {
	uint64_t seed;
	unsigned nodes;
	unsigned newcomers; /* of them; they join by ticket, later */
	enum topology topology;
	unsigned spaces;   /* collaborations; each a connected part of the topology */
	bool all_granted;  /* every node takes part in every space */
	bool both_dial;    /* along each edge; otherwise only its first node */
	bool dial_members; /* addresses come from the directory, not from the config */
	bool is_honest;    /* the links' bytes are never spoilt */
	bool direct;       /* no engines: changesets are handed over in one step */
	bool no_audit;     /* only count: for measuring */
	bool verbose;
	enum world_plant plant;

	uint64_t edit_mean_ms;  /* between two edits anywhere; 0 = none */
	uint64_t fault_mean_ms; /* between two faults; 0 = none */
	uint64_t act_mean_ms;   /* between two acts of membership (acts.h); 0 = none */
	uint64_t copy_mean_ms;  /* between two copies of a disk (copies.h); 0 = none */
	uint64_t lie_mean_ms;   /* between two lies of node 1 (lies.h); 0 = none */
	unsigned copy_kinds;    /* bits of enum copy */
	unsigned copies;        /* nodes that are not there until a disk is copied to them */
	uint64_t run_ms;        /* of a random run */
	uint64_t events_max;    /* of a random run; 0 = no limit */
};

struct edge {
	unsigned a, b;
};

enum { NODE_CODE_SIZE = OFFICE_CODE_MAX + 1 };

/* The high-water mark beside a database, where a node has one. */
struct mark_file {
	struct mark_port port;
	struct mark mark;
	bool is_there;
};

struct mouth;

struct node {
	struct world *world;
	unsigned index;
	char code[NODE_CODE_SIZE];   /* its own, and its office's unless it is a copy */
	char office[NODE_CODE_SIZE]; /* its office's */
	char address[16];

	struct memdisk *disk;
	bool disk_is_limited;
	struct replica *replica; /* NULL while it does not run */
	struct engine *engine;   /* NULL likewise, in a direct world, or before it has joined */
	struct enrol *enrol;     /* while it joins */
	struct mouth *mouth;     /* while it lies, instead of the engine */
	uint64_t mouth_count;
	struct ticket ticket;
	bool has_ticket;
	bool is_coming_back;     /* it was a member, and asks to be one again */
	const struct view *view; /* what the audit has seen that it knows; NULL = nothing */
	struct mark_file mark;
	struct prng dice;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	uint8_t noise_secret[NOISE_KEY_BYTES];
	struct node_identity identity;
	/* What it is about to go on with, once that is durable. */
	uint8_t next_sign_secret[SIGN_SECRET_BYTES];
	uint8_t next_noise_secret[NOISE_KEY_BYTES];
	bool has_next_keys;
	uint32_t author; /* of its epoch, in the ledger */
	uint32_t owner;  /* its index, or that of the node that it is a copy of */
	bool is_there;   /* not a place for a copy */

	int64_t clock_offset_ms; /* of its wall clock */
	int32_t clock_drift_ppm;
	uint64_t touched_wall_ms; /* what it said at its last event */
	uint64_t died_wall_ms;    /* and at the last one before it stopped */
	uint64_t mono_base_ms;    /* of its monotonic clock, anew with each start */
	uint64_t tick_due_ms;     /* when on_tick() is planned; UINT64_MAX = not */
	unsigned idle_ticks;      /* in a row, at one instant */

	bool is_touched; /* by the event at hand: to be audited */
	bool restart_planned;
	bool ignores_mark;
	bool is_writing; /* an edit: what it has written else, it wrote again */
	/* By space of the ledger: what was held at the last audit, and how far the feed
	 * of each of the first `limit_count` authors counts, then and before. */
	uint32_t *held[LEDGER_SPACES_MAX];
	uint32_t *limits[LEDGER_SPACES_MAX], *limits_before[LEDGER_SPACES_MAX];
	uint32_t limit_count[LEDGER_SPACES_MAX];
	bool could_read[LEDGER_SPACES_MAX];       /* it was granted to its office */
	uint32_t acknowledged[LEDGER_SPACES_MAX]; /* the newest of its own */
	uint64_t greatest_hlc_ms;                 /* of all that it holds */
};

struct collaboration {
	struct space_id id;
	uint32_t space;          /* in the ledger; the directory is 0 */
	bool has[NET_NODES_MAX]; /* nodes that were granted it, anywhere */
};

struct snapshot;

enum { TRACE_LINES = 48, TRACE_LINE_BYTES = 200 };

struct world {
	struct world_config config;
	struct timeline timeline;
	struct net *net;
	struct prng dice;
	struct ledger ledger;
	struct views views;
	struct oracle oracle;
	struct signer root; /* of the organisation */
	uint8_t root_secret[SIGN_SECRET_BYTES];
	uint64_t mark_count; /* of unique values written */
	/* What the hostile member signed in the name of others. */
	struct statement_id *forged;
	size_t forged_count;
	struct snapshot *snapshots, *no_snapshot;
	struct node *nodes;
	unsigned node_count;
	struct edge *edges;
	unsigned edge_count;
	struct collaboration *spaces;
	unsigned space_count;
	struct record_id *offices; /* by node */
	struct world_stats stats;
	bool is_settling; /* no more edits and faults */

	const char *rule; /* the violated one, or NULL */
	char violation[768];
	char trace[TRACE_LINES][TRACE_LINE_BYTES];
	uint64_t trace_count;
	uint64_t trace_hash; /* of all lines: two equal runs have the same */
};

/* Feeds may end, fork and go on under other ids: the second reading of the rules. */
static inline bool world_is_contested(const struct world *w)
{
	return w->config.act_mean_ms || w->config.copy_mean_ms || w->config.lie_mean_ms;
}

/* Who is out may be so on purpose, and stays out unless somebody wants it back. */
static inline bool world_removes(const struct world *w)
{
	return w->config.act_mean_ms || w->config.lie_mean_ms;
}

/* The hostile member, or NULL. */
static inline struct node *world_liar(const struct world *w)
{
	return w->config.lie_mean_ms ? &w->nodes[1] : NULL;
}

/* Never NULL; look at world->rule. */
struct world *world_new(const struct world_config *config);
void world_free(struct world *w); /* NULL-safe */

/* Run for so much virtual time or so many events (0: no limit); false after a
 * violation. */
bool world_run(struct world *w, uint64_t for_ms, uint64_t events_max);

/* Heal and start everything, then run until all hold the same, check that, and
 * see that it stays so. False after a violation. */
bool world_settle(struct world *w);

/* Like world_settle(), as far as the network and the clocks as they are allow:
 * wait until nothing moves any more for a while. */
bool world_quieten(struct world *w);

/* The first one counts. */
void world_fail(struct world *w, const char *rule, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Into the trace of the last events. node may be NULL. */
void world_note(struct world *w, const struct node *node, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The violation, the last events and how to repeat the run. */
void world_explain(const struct world *w, const char *how_to_repeat);

#endif
