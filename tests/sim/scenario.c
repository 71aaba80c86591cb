#include "tests/sim/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/faults.h"
#include "tests/sim/lies.h"
#include "tests/sim/node.h"
#include "tests/sim/rest.h"
#include "tests/sim/workload.h"

/* Chaos: the seed decides everything. */

static void draw_chaos(struct world_config *c)
{
	struct prng dice;

	prng_init(&dice, ~c->seed);
	c->nodes = 2 + (unsigned)prng_below(&dice, 7);
	c->newcomers = (unsigned)prng_below(&dice, c->nodes < 4 ? c->nodes : 4);
	c->topology = (enum topology)prng_below(&dice, TOPOLOGY_COUNT);
	c->spaces = 1 + (unsigned)prng_below(&dice, 3);
	c->all_granted = prng_chance(&dice, 30);
	c->both_dial = prng_chance(&dice, 50);
	c->dial_members = prng_chance(&dice, 20);
	c->is_honest = prng_chance(&dice, 50);
	c->edit_mean_ms = 500 + prng_below(&dice, 20000);
	c->fault_mean_ms = 5000 + prng_below(&dice, 120000);
}

/* People are removed and disks copied, too. Everybody may reach everybody: who was a
 * relay may be none any more. */
static void draw_everything(struct world_config *c)
{
	struct prng dice;

	draw_chaos(c);
	prng_init(&dice, c->seed + UINT64_C(0x616c6c));
	c->nodes = 3 + (unsigned)prng_below(&dice, 4);
	c->newcomers = (unsigned)prng_below(&dice, 2);
	c->topology = TOPOLOGY_MESH;
	c->both_dial = true;
	c->all_granted = prng_chance(&dice, 70);
	c->copies = (unsigned)prng_below(&dice, 3);
	c->copy_kinds = (1 << COPY_COUNT) - 1;
	c->edit_mean_ms = 1000 + prng_below(&dice, 9 * SECOND_MS);
	c->copy_mean_ms = 10 * SECOND_MS + prng_below(&dice, 80 * SECOND_MS);
	c->act_mean_ms = 10 * SECOND_MS + prng_below(&dice, 80 * SECOND_MS);
	if (prng_chance(&dice, 30))
		c->lie_mean_ms = 10 * SECOND_MS + prng_below(&dice, 80 * SECOND_MS);
}

static void play_chaos(struct world *w)
{
	fault_draw_links(w);
	world_run(w, w->config.run_ms, w->config.events_max);
}

/* No faults at all. */
static void play_calm(struct world *w)
{
	world_run(w, 30 * MINUTE_MS, 0);
}

static void play_partition(struct world *w)
{
	bool part[NET_NODES_MAX] = { false };

	for (unsigned i = 0; i < w->node_count; i += 2)
		part[i] = true;
	world_run(w, 5 * MINUTE_MS, 0);
	world_note(w, NULL, "the organisation is in two halves");
	fault_partition(w, part, true);
	world_run(w, 3 * DAY_MS, 0);
	world_note(w, NULL, "the halves meet again");
	fault_partition(w, part, false);
	world_run(w, 10 * MINUTE_MS, 0);
}

static void play_one_way(struct world *w)
{
	world_run(w, MINUTE_MS, 0);
	for (unsigned i = 0; i < w->edge_count && !w->rule; i++) {
		const struct edge *e = &w->edges[i];
		bool back = prng_chance(&w->dice, 50);

		net_cut(w->net, back ? e->b : e->a, back ? e->a : e->b, true);
		world_run(w, 20 * MINUTE_MS, 0);
		net_cut(w->net, back ? e->b : e->a, back ? e->a : e->b, false);
	}
}

/* A node that was away for long loses power again and again while it catches up. */
static void play_catch_up(struct world *w)
{
	struct node *n = &w->nodes[1];

	node_stop(n, ENDING_KILL);
	for (int i = 0; i < 300 && !w->rule; i++)
		workload_edit(&w->nodes[0]);
	for (int i = 0; i < 12 && !w->rule; i++) {
		node_start(n);
		memdisk_fail_after(n->disk, 5 + prng_below(&w->dice, 200));
		world_run(w, 2 * MINUTE_MS, 0);
		node_stop(n, ENDING_POWER);
	}
}

/* Killed in the middle of a commit, back, and then without power: what came back
 * after the kill was perhaps never synced, and must not be lost once it is known. */
static void play_torn_commit(struct world *w)
{
	struct node *n = &w->nodes[1];

	for (unsigned i = 0; i < 120 && !w->rule; i++) {
		memdisk_fail_after(n->disk, i % 60);
		workload_edit(n);
		node_stop(n, ENDING_KILL);
		node_start(n);
		world_run(w, 10 * SECOND_MS, 0);
		node_stop(n, ENDING_POWER);
		node_start(n);
		world_run(w, 10 * SECOND_MS, 0);
	}
}

/* Half of the offices join one after the other, on bad links, with losses of power. */
static void play_newcomers(struct world *w)
{
	fault_draw_links(w);
	for (unsigned i = w->config.nodes - w->config.newcomers; i < w->config.nodes && !w->rule;
	     i++) {
		struct node *n = &w->nodes[i];

		node_invite(n);
		world_run(w, prng_below(&w->dice, 4 * SECOND_MS), 0);
		node_stop(n, prng_chance(&w->dice, 50) ? ENDING_POWER : ENDING_KILL);
		node_restart_in(n, prng_below(&w->dice, MINUTE_MS));
		world_run(w, 5 * MINUTE_MS, 0);
		workload_grant(&w->nodes[0]);
	}
}

/* Those of `part` hold the same of every space that they share. */
static void expect_agreement(struct world *w, const bool *part)
{
	struct errmsg why = { 0 };

	if (!w->rule && !audit_agrees(w, part, &why))
		world_fail(w, "W-12", "%s", why.text);
}

static void play_clock_behind(struct world *w)
{
	struct node *n = &w->nodes[1];
	bool others[NET_NODES_MAX];

	for (unsigned i = 0; i < w->node_count; i++)
		others[i] = i != 1;
	n->clock_offset_ms = -(int64_t)YEAR_MS;
	world_run(w, 20 * MINUTE_MS, 0);
	w->is_settling = true;
	world_quieten(w);
	expect_agreement(w, others);
}

/* To the newcomer everything is from the future, even how the organisation began. */
static void play_late_newcomer(struct world *w)
{
	struct node *n = &w->nodes[w->node_count - 1];

	n->clock_offset_ms = -(int64_t)YEAR_MS;
	node_restart_in(n, 0);
	world_run(w, 5 * MINUTE_MS, 0);
	node_invite(n);
	world_run(w, 20 * MINUTE_MS, 0);
}

/* One segment in fifty is not what was sent. */
static void play_tampered(struct world *w)
{
	for (unsigned a = 0; a < w->node_count; a++)
		for (unsigned b = 0; b < w->node_count; b++) {
			struct link link = { .latency_ms = 20,
					     .jitter_ms = 20,
					     .damage_percent = 2 };

			if (a != b)
				net_set_link(w->net, a, b, &link);
		}
	world_run(w, 20 * MINUTE_MS, 0);
	if (!w->rule && !w->config.direct && net_stats(w->net)->damaged == 0)
		world_fail(w, "W-15", "nothing was tampered with: the scenario is too small");
}

/* What the node writes is from the future: nobody takes it, all else goes on. */
static void play_clock_ahead(struct world *w)
{
	struct node *n = &w->nodes[1];
	bool others[NET_NODES_MAX];
	uint32_t before[LEDGER_SPACES_MAX];

	for (unsigned i = 0; i < w->node_count; i++)
		others[i] = i != 1;
	for (uint32_t s = 0; s < w->ledger.space_count; s++)
		before[s] = ledger_top(&w->ledger, s, n->author);
	n->clock_offset_ms = (int64_t)YEAR_MS;
	world_run(w, 20 * MINUTE_MS, 0);
	w->is_settling = true;
	world_quieten(w);
	expect_agreement(w, others);
	for (unsigned i = 0; i < w->node_count; i++)
		for (uint32_t s = 0; others[i] && s < w->ledger.space_count; s++)
			if (w->nodes[i].held[s] && w->nodes[i].held[s][n->author] > before[s])
				world_fail(w, "W-8", "%s took what is a year ahead",
					   w->nodes[i].code);
}

/* What a running neighbour of `n` says of it, by the hour: sessions begin anew. */
static void expect_skew(struct world *w, const struct node *n, int64_t skew_ms)
{
	struct peer_status status;

	for (unsigned i = 0; i < w->node_count && !w->rule; i++) {
		const struct engine *e = w->nodes[i].engine;
		int64_t expected = skew_ms - w->nodes[i].clock_offset_ms;

		for (size_t k = 0; e && i != n->index && k < engine_peer_count(e); k++) {
			engine_peer_status(e, k, &status);
			if (strcmp(status.office_code, n->code) == 0 && status.last_seen_wall_ms &&
			    llabs(status.skew_ms - expected) > (int64_t)MINUTE_MS)
				world_fail(w, "W-20", "%s says that %s is %lld s ahead, not %lld",
					   w->nodes[i].code, n->code,
					   (long long)status.skew_ms / 1000,
					   (long long)expected / 1000);
		}
	}
}

/* Somebody says that it waits for changes dated in its future. */
static void expect_quarantine(struct world *w)
{
	struct peer_status status;

	for (unsigned i = 0; i < w->node_count; i++) {
		const struct engine *e = w->nodes[i].engine;

		for (size_t k = 0; e && k < engine_peer_count(e); k++) {
			engine_peer_status(e, k, &status);
			if (strncmp(status.last_error, "held back: ", 11) == 0)
				return;
		}
	}
	world_fail(w, "W-20", "nobody says that it holds anything back");
}

/* Clocks jump by a year, to and fro, while everybody works. */
static void play_clocks(struct world *w)
{
	static const int64_t jumps[] = { 1, 0, -1, 1, -1, 0, 1, -1 };
	const unsigned count = sizeof(jumps) / sizeof(jumps[0]);

	for (unsigned i = 0; i < count && !w->rule; i++) {
		struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];

		n->clock_offset_ms = jumps[i] * (int64_t)YEAR_MS;
		world_note(w, n, "its clock jumps by %lld years", (long long)jumps[i]);
		world_run(w, 75 * MINUTE_MS, 0);
		expect_skew(w, n, n->clock_offset_ms);
		if (jumps[i] > 0 && !w->rule && !w->config.direct)
			expect_quarantine(w);
	}
}

static void play_full_disk(struct world *w)
{
	struct node *n = &w->nodes[1];

	world_run(w, MINUTE_MS, 0);
	n->disk_is_limited = true;
	memdisk_limit(n->disk, memdisk_stats(n->disk).bytes + 16384);
	world_run(w, 20 * MINUTE_MS, 0);
	if (!w->rule && w->stats.refused_edits == 0)
		world_fail(w, "W-15", "the disk never was full: the scenario is too small");
	memdisk_limit(n->disk, UINT64_MAX);
	n->disk_is_limited = false;
	world_run(w, 10 * MINUTE_MS, 0);
}

/* One office has all the links, and it comes and goes. */
static void play_hub(struct world *w)
{
	for (int i = 0; i < 4 && !w->rule; i++) {
		world_run(w, 5 * MINUTE_MS, 0);
		node_stop(&w->nodes[0], ENDING_POWER);
		world_run(w, 10 * MINUTE_MS, 0);
		node_start(&w->nodes[0]);
	}
}

static void play_fifty(struct world *w)
{
	fault_draw_links(w);
	world_run(w, 10 * MINUTE_MS, 0);
}

/* Removals, roles, keys and adoptions, wherever somebody is, while links come and go. */
static void play_revoke(struct world *w)
{
	bool part[NET_NODES_MAX];

	for (unsigned round = 0; round < 3 && !w->rule; round++) {
		for (unsigned i = 0; i < w->node_count; i++)
			part[i] = prng_chance(&w->dice, 50);
		fault_partition(w, part, true);
		world_run(w, w->config.run_ms, 0);
		fault_partition(w, part, false);
		world_run(w, prng_below(&w->dice, MINUTE_MS), 0);
	}
}

/* With links that come and go, so that disks are put back unawares. */
static void play_copies(struct world *w)
{
	for (unsigned round = 0; round < 4 && !w->rule; round++) {
		unsigned alone = (unsigned)prng_below(&w->dice, w->node_count);
		bool part[NET_NODES_MAX] = { false };

		part[alone] = true;
		fault_partition(w, part, true);
		world_run(w, w->config.run_ms, 0);
		fault_partition(w, part, false);
		world_run(w, w->config.run_ms, 0);
	}
}

/* A member that is none of the admins lies, is removed, and goes on lying. */
static void play_hostile(struct world *w)
{
	bool part[NET_NODES_MAX];

	lie_demote(w);
	for (unsigned round = 0; round < 3 && !w->rule; round++) {
		for (unsigned i = 0; i < w->node_count; i++)
			part[i] = prng_chance(&w->dice, 50);
		world_run(w, w->config.run_ms, 0);
		fault_partition(w, part, true);
		world_run(w, w->config.run_ms / 2, 0);
		fault_partition(w, part, false);
	}
	lie_expel(w);
	world_run(w, w->config.run_ms, 0);
	if (!w->rule && w->stats.refusals == 0)
		world_fail(w, "W-15", "nothing was refused: the scenario is too small");
}

static const struct scenario scenarios[] = {
	{ "random",
	  "chaos: the seed decides everything",
	  { .run_ms = 30 * MINUTE_MS },
	  draw_chaos,
	  play_chaos },
	{ "calm",
	  "no faults",
	  { .nodes = 5, .spaces = 2, .edit_mean_ms = 3000, .both_dial = true },
	  NULL,
	  play_calm },
	{ "partition",
	  "two halves for three days",
	  { .nodes = 6, .spaces = 2, .edit_mean_ms = 900000 },
	  NULL,
	  play_partition },
	{ "line",
	  "everything is relayed, through up to six others",
	  { .nodes = 8, .topology = TOPOLOGY_LINE, .spaces = 2, .edit_mean_ms = 4000 },
	  NULL,
	  play_calm },
	{ "star",
	  "all links lead to one office, which loses power",
	  { .nodes = 7, .topology = TOPOLOGY_STAR, .spaces = 2, .edit_mean_ms = 6000 },
	  NULL,
	  play_hub },
	{ "catch-up",
	  "power cuts in the middle of a catch-up",
	  { .nodes = 3, .spaces = 2, .all_granted = true },
	  NULL,
	  play_catch_up },
	{ "torn-commit",
	  "killed in the middle of commits, then without power",
	  { .nodes = 3, .spaces = 1, .all_granted = true },
	  NULL,
	  play_torn_commit },
	{ "newcomers",
	  "half of the offices join by ticket, on bad links",
	  { .nodes = 8, .newcomers = 4, .spaces = 2, .edit_mean_ms = 5000, .both_dial = true },
	  NULL,
	  play_newcomers },
	{ "one-way",
	  "bytes go one way only, along each link in turn",
	  { .nodes = 4, .topology = TOPOLOGY_RING, .spaces = 2, .edit_mean_ms = 10000 },
	  NULL,
	  play_one_way },
	{ "tampered",
	  "one segment in fifty is not what was sent",
	  { .nodes = 4, .spaces = 2, .edit_mean_ms = 3000, .both_dial = true },
	  NULL,
	  play_tampered },
	{ "clock-behind",
	  "a clock a year behind",
	  { .nodes = 4, .spaces = 1, .all_granted = true, .edit_mean_ms = 5000 },
	  NULL,
	  play_clock_behind },
	{ "late-newcomer",
	  "a newcomer's clock is a year behind",
	  { .nodes = 4, .newcomers = 1, .spaces = 1, .edit_mean_ms = 5000 },
	  NULL,
	  play_late_newcomer },
	{ "clock-ahead",
	  "a clock a year ahead",
	  { .nodes = 4, .spaces = 1, .all_granted = true, .edit_mean_ms = 5000 },
	  NULL,
	  play_clock_ahead },
	{ "clocks",
	  "clocks jump by a year, to and fro",
	  { .nodes = 5, .spaces = 1, .all_granted = true, .edit_mean_ms = 20000 },
	  NULL,
	  play_clocks },
	{ "full-disk",
	  "a disk that is full for a while",
	  { .nodes = 3, .spaces = 1, .all_granted = true, .edit_mean_ms = 2000 },
	  NULL,
	  play_full_disk },
	{ "revoke",
	  "partition x revoke: removals, roles, keys, adoptions, anywhere",
	  { .nodes = 5,
	    .spaces = 2,
	    .all_granted = true,
	    .run_ms = 50 * SECOND_MS,
	    .edit_mean_ms = 4 * SECOND_MS,
	    .act_mean_ms = 8 * SECOND_MS },
	  NULL,
	  play_revoke },
	{ "hostile",
	  "a member with a valid key says what it must not, and is removed",
	  { .nodes = 4,
	    .spaces = 3,
	    .both_dial = true,
	    .run_ms = 2 * MINUTE_MS,
	    .edit_mean_ms = 4 * SECOND_MS,
	    .lie_mean_ms = 15 * SECOND_MS },
	  NULL,
	  play_hostile },
	{ "everything",
	  "all of it: removals, copies, faults, newcomers; the seed decides",
	  { .run_ms = 8 * MINUTE_MS },
	  draw_everything,
	  play_chaos },
	{ "restore",
	  "databases are restored from backups, or put back by hand",
	  { .nodes = 4,
	    .spaces = 2,
	    .all_granted = true,
	    .run_ms = 40 * SECOND_MS,
	    .edit_mean_ms = 4 * SECOND_MS,
	    .copy_mean_ms = 15 * SECOND_MS,
	    .copy_kinds = 1 << COPY_BACKUP | 1 << COPY_RESTORE | 1 << COPY_PUT_BACK },
	  NULL,
	  play_copies },
	{ "rollback",
	  "hosts go back to snapshots, and nothing tells them",
	  { .nodes = 4,
	    .spaces = 2,
	    .all_granted = true,
	    .run_ms = 40 * SECOND_MS,
	    .edit_mean_ms = 4 * SECOND_MS,
	    .copy_mean_ms = 15 * SECOND_MS,
	    .copy_kinds = 1 << COPY_BACKUP | 1 << COPY_ROLL_BACK },
	  NULL,
	  play_copies },
	{ "twins",
	  "disks are cloned, and both machines run",
	  { .nodes = 3,
	    .copies = 2,
	    .spaces = 2,
	    .all_granted = true,
	    .both_dial = true, /* an address stays with whose key was there first */
	    .run_ms = 40 * SECOND_MS,
	    .edit_mean_ms = 4 * SECOND_MS,
	    .copy_mean_ms = 30 * SECOND_MS,
	    .copy_kinds = 1 << COPY_BACKUP | 1 << COPY_CLONE },
	  NULL,
	  play_copies },
	{ "fifty",
	  "fifty-two offices in a tree",
	  { .nodes = 52,
	    .topology = TOPOLOGY_TREE,
	    .spaces = 3,
	    .edit_mean_ms = 4000,
	    .fault_mean_ms = 30000 },
	  NULL,
	  play_fifty },
};

const struct scenario *scenario_all(size_t *count)
{
	*count = sizeof(scenarios) / sizeof(scenarios[0]);
	return scenarios;
}

const struct scenario *scenario_named(const char *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}

struct world *scenario_run(const struct scenario *s, uint64_t seed,
			   const struct scenario_wish *wish)
{
	struct world_config config = s->config;
	struct world *w;

	config.seed = seed;
	if (s->draw)
		s->draw(&config);
	if (wish->nodes)
		config.nodes = wish->nodes;
	if (wish->run_ms)
		config.run_ms = wish->run_ms;
	config.events_max = wish->events_max;
	config.direct |= wish->direct;
	config.verbose |= wish->verbose;
	config.plant = wish->plant;
	w = world_new(&config);
	if (!w->rule)
		s->play(w);
	if (!w->rule)
		world_settle(w);
	return w;
}
