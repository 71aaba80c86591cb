#include "tests/sim/copies.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/invariants.h"
#include "tests/sim/node.h"

enum { TRIES = 8 };

static void *must(void *memory)
{
	if (!memory) {
		perror("copies");
		abort();
	}
	return memory;
}

static uint32_t *copy_frontier(const struct world *w, const uint32_t *frontier)
{
	size_t bytes = w->ledger.author_max * sizeof(*frontier);

	return frontier ? memcpy(must(malloc(bytes)), frontier, bytes) : NULL;
}

void snapshot_release(struct snapshot *s)
{
	memdisk_free(s->disk);
	for (unsigned i = 0; i < LEDGER_SPACES_MAX; i++)
		free(s->held[i]);
	*s = (struct snapshot){ .disk = NULL };
}

/* ---- What was there --------------------------------------------------------------- */

static void take(struct snapshot *s, const struct node *n)
{
	snapshot_release(s);
	*s = (struct snapshot){ .disk = memdisk_copy(n->disk),
				.machine = n->index,
				.owner = n->owner,
				.author = n->author,
				.identity = n->identity,
				.mark = n->mark.mark,
				.has_mark = n->mark.is_there,
				.is_coming_back = n->is_coming_back,
				.view = n->view,
				.greatest_hlc_ms = n->greatest_hlc_ms };
	memcpy(s->sign_secret, n->sign_secret, sizeof(s->sign_secret));
	memcpy(s->noise_secret, n->noise_secret, sizeof(s->noise_secret));
	for (unsigned i = 0; i < LEDGER_SPACES_MAX; i++)
		s->held[i] = copy_frontier(n->world, n->held[i]);
}

static bool is_elsewhere(const struct world *w, const struct node *n, const struct ledger_entry *e)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (i != n->index && w->nodes[i].is_there && w->nodes[i].held[e->space] &&
		    w->nodes[i].held[e->space][e->author] >= e->seq)
			return true;
	return false;
}

static bool has(uint32_t *const *held, const struct ledger_entry *e)
{
	return held[e->space] && held[e->space][e->author] >= e->seq;
}

/* What goes with the disk of `n`, and is nowhere else: nobody can help it. Of what lies
 * beyond forks nobody keeps account. */
static void excuse(struct node *n, uint32_t *const *held_then)
{
	struct ledger *l = &n->world->ledger;

	for (uint32_t s = 0; s < l->space_count; s++)
		for (uint32_t a = 0; a < l->author_count; a++)
			for (uint32_t i = 0; i < l->feeds[s][a].count; i++) {
				struct ledger_entry *e = l->feeds[s][a].entries[i];
				bool is_here = has(n->held, e) || entry_is_forked(l, e);

				e->is_excused |= is_here && !has(held_then, e) &&
						 !is_elsewhere(n->world, n, e);
			}
}

/* The book goes back as the disk does. */
static void go_back(struct node *n, const struct snapshot *s)
{
	for (unsigned i = 0; i < LEDGER_SPACES_MAX; i++) {
		free(n->held[i]);
		n->held[i] = copy_frontier(n->world, s->held[i]);
		n->limit_count[i] = 0;
	}
	memset(n->acknowledged, 0, sizeof(n->acknowledged));
	n->author = s->author;
	n->identity.replica = s->identity.replica;
	memcpy(n->identity.nonce, s->identity.nonce, ID_BYTES);
	n->view = s->view;
	n->is_coming_back = s->is_coming_back;
	n->disk_is_limited = false;
	/* It may be another machine's, with another clock. */
	if (n->greatest_hlc_ms < s->greatest_hlc_ms)
		n->greatest_hlc_ms = s->greatest_hlc_ms;
}

static void go_back_with_keys(struct node *n, const struct snapshot *s)
{
	go_back(n, s);
	n->identity = s->identity;
	memcpy(n->sign_secret, s->sign_secret, sizeof(n->sign_secret));
	memcpy(n->noise_secret, s->noise_secret, sizeof(n->noise_secret));
	n->has_next_keys = false;
	n->mark.mark = s->mark;
	n->mark.is_there = s->has_mark;
	/* Nothing tells that it has gone back, or is there twice. */
	n->world->ledger.authors[s->author].may_fork = true;
}

static void replace_disk(struct node *n, const struct snapshot *s)
{
	memdisk_free(n->disk);
	n->disk = memdisk_copy(s->disk);
}

/* ---- What happens to it --------------------------------------------------------------- */

static bool back_up(struct node *n, struct snapshot *s)
{
	take(s, n);
	return true;
}

static bool has_keys_of(const struct node *n, const struct snapshot *s)
{
	return memcmp(n->sign_secret, s->sign_secret, sizeof(n->sign_secret)) == 0;
}

/* The calls of `huitong restore`: the copy begins an epoch before it is anybody's. */
static bool begin_epoch(struct node *n)
{
	struct errmsg msg = { 0 };
	enum err rc;

	memdisk_on(n->disk);
	n->ignores_mark = true;
	rc = node_open_replica(n, false, &n->replica, &msg);
	n->ignores_mark = false;
	if (rc == OK)
		rc = replica_check_member(n->replica, &msg);
	if (rc == OK)
		rc = replica_new_epoch(n->replica, EPOCH_RESTORED, NULL, NULL, node_now(n).wall_ms,
				       &msg);
	replica_close(n->replica);
	n->replica = NULL;
	if (rc != OK)
		world_note(n->world, n, "is not restored: %s", msg.text);
	memdisk_kill(n->disk);
	return rc == OK;
}

static bool restore(struct node *n, struct snapshot *s)
{
	struct memdisk *before = n->disk;
	bool is_done;

	if (!s->disk || !has_keys_of(n, s))
		return false;
	node_stop(n, ENDING_KILL);
	n->disk = memdisk_copy(s->disk);
	is_done = begin_epoch(n);
	if (is_done) {
		excuse(n, s->held);
		go_back(n, s);
		memdisk_free(before);
	} else {
		memdisk_free(n->disk);
		n->disk = before;
	}
	n->world->stats.restores += is_done;
	node_start(n);
	return is_done;
}

/* Somebody copies a file over the database; what stands beside it stays. */
static bool put_back(struct node *n, struct snapshot *s)
{
	if (!s->disk || !has_keys_of(n, s))
		return false;
	node_stop(n, ENDING_KILL);
	excuse(n, s->held);
	replace_disk(n, s);
	go_back(n, s);
	/* The mark beside it says nothing of a database from another machine, which may run. */
	n->world->ledger.authors[s->author].may_fork |= s->machine != n->index;
	n->world->stats.restores++;
	node_start(n);
	return true;
}

static bool roll_back(struct node *n, struct snapshot *s)
{
	if (!s->disk)
		return false;
	node_stop(n, ENDING_POWER);
	excuse(n, s->held);
	replace_disk(n, s);
	go_back_with_keys(n, s);
	n->world->stats.rollbacks++;
	node_start(n);
	return true;
}

static struct node *free_place(struct world *w)
{
	for (unsigned i = w->config.nodes; i < w->node_count; i++)
		if (!w->nodes[i].is_there)
			return &w->nodes[i];
	return NULL;
}

/* A disk of now, or a backup. */
static bool clone(struct node *n, struct snapshot *s)
{
	struct world *w = n->world;
	struct node *twin = free_place(w);
	struct snapshot now = { .disk = NULL };

	if (!twin)
		return false;
	if (!s->disk || prng_chance(&w->dice, 50)) {
		take(&now, n);
		s = &now;
	}
	node_become_copy(twin, n);
	replace_disk(twin, s);
	go_back_with_keys(twin, s);
	snapshot_release(&now);
	world_note(w, twin, "is a copy of %s", n->code);
	w->stats.twins++;
	node_start(twin);
	return true;
}

static const struct {
	const char *name;
	unsigned weight;
	bool (*happen)(struct node *n, struct snapshot *s);
} copies[COPY_COUNT] = {
	[COPY_BACKUP] = { "is backed up", 40, back_up },
	[COPY_RESTORE] = { "is restored", 25, restore },
	[COPY_PUT_BACK] = { "has its database put back", 15, put_back },
	[COPY_ROLL_BACK] = { "goes back to a snapshot", 20, roll_back },
	[COPY_CLONE] = { "is cloned", 20, clone },
};

/* One of its own, or an empty one. */
static struct snapshot *draw_snapshot(struct node *n, bool is_free)
{
	struct world *w = n->world;
	struct snapshot *s = NULL;

	for (int i = 0; i < TRIES; i++) {
		s = &w->snapshots[prng_below(&w->dice, WORLD_SNAPSHOTS)];
		if (is_free || (s->disk && s->owner == n->owner))
			return s;
	}
	return w->no_snapshot;
}

bool copy_of(struct node *n, enum copy copy)
{
	struct world *w = n->world;
	struct snapshot *s = draw_snapshot(n, copy == COPY_BACKUP);
	bool is_done;

	/* Of every epoch and branch the book needs room. */
	if (!node_is_running(n) || !node_disk_is_good(n) || !replica_has_org(n->replica) ||
	    w->ledger.author_count > w->ledger.author_max / 2)
		return false;
	audit_node(n);
	if (w->rule)
		return false;
	if (s->disk || copy == COPY_BACKUP)
		world_note(w, n, "%s", copies[copy].name);
	is_done = copies[copy].happen(n, s);
	audit_node(n);
	return is_done;
}

void copy_strike(struct world *w)
{
	struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];
	unsigned sum = 0, pick;
	size_t at = 0;

	for (size_t i = 0; i < COPY_COUNT; i++)
		sum += w->config.copy_kinds >> i & 1 ? copies[i].weight : 0;
	pick = (unsigned)prng_below(&w->dice, sum);
	for (;; at++) {
		unsigned weight = w->config.copy_kinds >> at & 1 ? copies[at].weight : 0;

		if (pick < weight)
			break;
		pick -= weight;
	}
	copy_of(n, (enum copy)at);
}
