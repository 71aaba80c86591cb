/* A simulated node: its process (replica and engine), host, clock and disk. */
#ifndef HT_TESTS_SIM_NODE_H
#define HT_TESTS_SIM_NODE_H

#include "tests/sim/world.h"

struct mouth_config;

/* How a process ends. */
enum ending {
	ENDING_KILL,  /* kill -9: what was written stays */
	ENDING_POWER, /* the host as well: what was not synced may be lost */
};

/* Keys, a disk and an empty replica; not yet part of the organisation. */
void node_create(struct world *w, unsigned index);
void node_destroy(struct node *n);

void node_start(struct node *n); /* no effect when it runs */
void node_stop(struct node *n, enum ending how);
void node_restart_in(struct node *n, uint64_t in_ms);

static inline bool node_is_running(const struct node *n)
{
	return n->replica != NULL;
}

/* What its clocks say. */
struct now node_now(const struct node *n);

/* Whether its replica says that it is a member in good standing; not while it does not run. */
bool node_is_member(const struct node *n);
/* And that its office may do so much in a space of the ledger. */
bool node_may(const struct node *n, uint32_t space, enum role role);

/* New keys that no replica knows yet, in next_sign_secret and next_noise_secret, and
 * from now on to be its own. */
void node_draw_keys(struct node *n);
void node_take_keys(struct node *n);
void node_public_noise_key(const uint8_t secret[NOISE_KEY_BYTES], uint8_t out[NOISE_KEY_BYTES]);

/* End the process in order, as a supervisor does, and start it again. */
void node_restart(struct node *n);

/* A place for a copy of another node's disk begins to be one. */
void node_become_copy(struct node *n, const struct node *of);

/* Somebody who runs prints a ticket for it, and it joins by that: now, and again
 * until it succeeds. No effect once it belongs to the organisation. */
void node_invite(struct node *n);
/* It was removed, or is a copy that others have overtaken: it asks to be let in as
 * another node. False if its disk stands in the way. */
bool node_enrol_anew(struct node *n);

/* Run what the node must do after somebody changed its replica. */
void node_changed(struct node *n);

/* It was part of an event: audit it and plan its next tick. */
void node_touch(struct node *n);
void node_plan_tick(struct node *n);

/* For a while another program speaks with its keys, instead of its engine. */
void node_lie(struct node *n, const struct mouth_config *config);
/* The node has refused what the hostile member said. */
void node_refuses(struct node *n, const char *why);

/* The events of the network, for net_new(). */
struct net_up node_net_up(struct world *w);

/* Another handle on the same replica, as a second process has. Closed by the caller. */
MUST_CHECK enum err node_open_replica(struct node *n, bool create, struct replica **out,
				      struct errmsg *msg);

/* Hand over what `to` lacks and may have, without engines, as long as nothing forks. */
void node_hand_over(struct node *from, struct node *to);
/* All statements that `from` has; *added: so many were new. False: a disk failed. */
bool node_hand_over_statements(struct node *from, struct node *to, size_t *added);
static inline bool node_disk_is_good(const struct node *n)
{
	return !n->disk_is_limited && !memdisk_has_failed(n->disk);
}

#endif
