#include "tests/sim/faults.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/node.h"

enum { FLOOD_CONNS = 60 };

static struct node *any_node(struct world *w)
{
	return &w->nodes[prng_below(&w->dice, w->node_count)];
}

static uint64_t in_ms(struct world *w, uint64_t ms)
{
	return w->timeline.now_ms + ms;
}

/* From seconds to days, each order of magnitude as likely. */
static uint64_t draw_duration_ms(struct world *w)
{
	static const uint64_t most[] = { 10 * SECOND_MS, MINUTE_MS, 20 * MINUTE_MS, 6 * HOUR_MS,
					 3 * DAY_MS };

	return SECOND_MS + prng_below(&w->dice, most[prng_below(&w->dice, 5)]);
}

/* Links. */

static void set_cut(struct world *w, unsigned from, unsigned to, bool cut)
{
	if (from != to)
		net_cut(w->net, from, to, cut);
}

static void on_heal_link(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	set_cut(w, (unsigned)(arg >> 16), (unsigned)(arg & 0xffff), false);
}

static void cut_for(struct world *w, unsigned from, unsigned to, uint64_t ms)
{
	set_cut(w, from, to, true);
	timeline_at(&w->timeline, in_ms(w, ms), on_heal_link, w, (uint64_t)from << 16 | to);
}

static const struct edge *any_edge(struct world *w)
{
	return &w->edges[prng_below(&w->dice, w->edge_count)];
}

static void cut_edge(struct world *w)
{
	const struct edge *e = any_edge(w);
	uint64_t ms = draw_duration_ms(w);

	world_note(w, NULL, "cut N%02u - N%02u for %llu s", e->a, e->b,
		   (unsigned long long)(ms / SECOND_MS));
	cut_for(w, e->a, e->b, ms);
	cut_for(w, e->b, e->a, ms);
}

static void cut_one_way(struct world *w)
{
	const struct edge *e = any_edge(w);
	bool back = prng_chance(&w->dice, 50);
	uint64_t ms = draw_duration_ms(w);

	world_note(w, NULL, "cut N%02u -> N%02u for %llu s", back ? e->b : e->a, back ? e->a : e->b,
		   (unsigned long long)(ms / SECOND_MS));
	cut_for(w, back ? e->b : e->a, back ? e->a : e->b, ms);
}

void fault_partition(struct world *w, const bool *part, bool cut)
{
	for (unsigned a = 0; a < w->node_count; a++)
		for (unsigned b = 0; b < w->node_count; b++)
			if (part[a] != part[b])
				set_cut(w, a, b, cut);
}

static void split(struct world *w)
{
	bool part[NET_NODES_MAX];
	uint64_t ms = draw_duration_ms(w);

	world_note(w, NULL, "split for %llu s", (unsigned long long)(ms / SECOND_MS));
	for (unsigned i = 0; i < w->node_count; i++)
		part[i] = prng_chance(&w->dice, 50);
	for (unsigned a = 0; a < w->node_count; a++)
		for (unsigned b = 0; b < w->node_count; b++)
			if (part[a] != part[b])
				cut_for(w, a, b, ms);
}

static void reset_connection(struct world *w)
{
	world_note(w, NULL, "a connection is reset");
	net_reset_any(w->net);
}

/* The bytes of one segment are not what was sent. */
static void damage_segment(struct world *w)
{
	const struct edge *e = any_edge(w);
	bool back = prng_chance(&w->dice, 50);
	unsigned from = back ? e->b : e->a, to = back ? e->a : e->b;
	struct link link = *net_link(w->net, from, to);

	if (w->config.is_honest)
		return;
	link.next_damage = (enum spoiling)(1 + prng_below(&w->dice, DAMAGE_COUNT - 1));
	net_set_link(w->net, from, to, &link);
	world_note(w, NULL, "damage %d N%02u -> N%02u", (int)link.next_damage, from, to);
}

/* Somebody who is not of the organisation, or nobody at all. */
static void send_stranger(struct world *w)
{
	uint8_t data[600];
	size_t size = prng_below(&w->dice, sizeof(data) + 1);
	struct node *n = any_node(w);

	prng_fill(&w->dice, data, size);
	world_note(w, n, "a stranger sends %zu bytes", size);
	net_stranger(w->net, n->index, bytes_of(data, size));
}

/* A conversation that was listened to is said again. */
static void replay(struct world *w)
{
	struct node *n = any_node(w);

	world_note(w, n, "hears an old conversation again");
	net_replay(w->net, n->index);
}

/* More strangers at once than anybody lets in, and none says a word. */
static void flood(struct world *w)
{
	struct node *n = any_node(w);

	world_note(w, n, "is flooded by strangers");
	for (int i = 0; i < FLOOD_CONNS; i++)
		net_stranger(w->net, n->index, bytes_of(NULL, 0));
}

/* Both ends dial at once. */
static void dial_all(struct world *w)
{
	world_note(w, NULL, "everybody dials");
	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i].engine) {
			engine_sync_now(w->nodes[i].engine, node_now(&w->nodes[i]));
			node_touch(&w->nodes[i]);
		}
}

void fault_draw_links(struct world *w)
{
	static const struct link characters[] = {
		{ .latency_ms = 1 },
		{ .latency_ms = 20, .jitter_ms = 5 },
		{ .latency_ms = 150, .jitter_ms = 100, .bytes_per_ms = 500 },
		{ .latency_ms = 300, .jitter_ms = 600, .bytes_per_ms = 16 },
	};

	for (unsigned a = 0; a < w->node_count; a++)
		for (unsigned b = 0; b < w->node_count; b++)
			if (a != b)
				net_set_link(w->net, a, b, &characters[prng_below(&w->dice, 4)]);
}

/* Not a fault, but as unforeseen. */
static void invite_newcomer(struct world *w)
{
	for (unsigned i = w->config.nodes - w->config.newcomers; i < w->config.nodes; i++)
		if (node_is_running(&w->nodes[i]) && !replica_has_org(w->nodes[i].replica)) {
			node_invite(&w->nodes[i]);
			return;
		}
}

/* Processes and hosts. */

static void end_node(struct world *w)
{
	struct node *n = any_node(w);

	if (!node_is_running(n))
		return;
	node_stop(n, prng_chance(&w->dice, 50) ? ENDING_POWER : ENDING_KILL);
	node_restart_in(n, draw_duration_ms(w));
}

/* In the middle of some write or sync to come. */
static void fail_disk(struct world *w)
{
	struct node *n = any_node(w);

	if (!node_is_running(n))
		return;
	world_note(w, n, "the disk is going to fail");
	memdisk_fail_after(n->disk, prng_below(&w->dice, 60));
}

static void on_disk_emptied(void *ctx, uint64_t arg)
{
	struct node *n = ctx;

	memdisk_limit(n->disk, UINT64_MAX);
	n->disk_is_limited = false;
}

static void fill_disk(struct world *w)
{
	struct node *n = any_node(w);

	if (n->disk_is_limited)
		return;
	world_note(w, n, "the disk is nearly full");
	n->disk_is_limited = true;
	memdisk_limit(n->disk, memdisk_stats(n->disk).bytes + prng_below(&w->dice, 65536));
	timeline_at(&w->timeline, in_ms(w, draw_duration_ms(w)), on_disk_emptied, n, 0);
}

/* Clocks. */

static void jump_clock(struct world *w)
{
	struct node *n = any_node(w);
	uint64_t reach = draw_duration_ms(w);

	if (prng_chance(&w->dice, 20))
		reach = YEAR_MS;
	n->clock_offset_ms = (int64_t)prng_below(&w->dice, 2 * reach + 1) - (int64_t)reach;
	world_note(w, n, "its clock is off by %lld s", (long long)(n->clock_offset_ms / 1000));
}

static void correct_clock(struct world *w)
{
	struct node *n = any_node(w);

	n->clock_offset_ms = 0;
	n->clock_drift_ppm = (int32_t)prng_below(&w->dice, 401) - 200;
}

static const struct {
	unsigned weight;
	void (*strike)(struct world *w);
} faults[] = {
	{ 10, cut_edge },       { 6, cut_one_way },
	{ 3, split },           { 10, reset_connection },
	{ 8, damage_segment },  { 4, send_stranger },
	{ 3, replay },          { 1, flood },
	{ 4, dial_all },        { 8, end_node },
	{ 8, fail_disk },       { 3, fill_disk },
	{ 4, jump_clock },      { 6, correct_clock },
	{ 6, invite_newcomer },
};

void fault_strike(struct world *w)
{
	unsigned sum = 0, pick;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sum += faults[i].weight;
	pick = (unsigned)prng_below(&w->dice, sum);
	while (pick >= faults[at].weight)
		pick -= faults[at++].weight;
	w->stats.faults++;
	faults[at].strike(w);
}

void fault_heal_all(struct world *w)
{
	for (unsigned a = 0; a < w->node_count; a++)
		for (unsigned b = 0; b < w->node_count; b++) {
			struct link link = *net_link(w->net, a, b);

			link.is_cut = false;
			link.next_damage = DAMAGE_NONE;
			link.damage_percent = 0;
			if (a != b)
				net_set_link(w->net, a, b, &link);
		}
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		on_disk_emptied(n, 0);
		n->clock_offset_ms = 0;
		n->clock_drift_ppm = 0;
		if (memdisk_has_failed(n->disk))
			node_stop(n, ENDING_POWER);
		else
			memdisk_fail_after(n->disk, UINT64_MAX);
		node_start(n);
	}
}
