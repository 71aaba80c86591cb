#include "tests/sim/world.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/acts.h"
#include "tests/sim/copies.h"
#include "tests/sim/faults.h"
#include "tests/sim/invariants.h"
#include "tests/sim/lies.h"
#include "tests/sim/meeting.h"
#include "tests/sim/node.h"
#include "tests/sim/organisation.h"
#include "tests/sim/rest.h"
#include "tests/sim/workload.h"

enum {
	HAND_OVER_MEAN_MS = 2000, /* of one edge one way, in a direct world */
	MEETING_MEAN_MS = 20000,  /* likewise, in a contested one */
	SETTLE_HOURS_MAX = 12,
	QUIET_MINUTES = 10,
	VERIFY_COUNT = 2,
	AUTHORS_MORE = 600, /* beyond the first of each node, and branches */
};

static void *must(void *memory)
{
	if (!memory) {
		perror("world");
		abort();
	}
	return memory;
}

/* Words. */

void world_note(struct world *w, const struct node *node, const char *fmt, ...)
{
	char *line = w->trace[w->trace_count++ % TRACE_LINES];
	uint64_t ms = w->timeline.now_ms;
	va_list args;
	int used;

	used = snprintf(line, TRACE_LINE_BYTES, "%4" PRIu64 "d %02u:%02u:%02u.%03u %-4s ",
			ms / DAY_MS, (unsigned)(ms / HOUR_MS % 24), (unsigned)(ms / MINUTE_MS % 60),
			(unsigned)(ms / SECOND_MS % 60), (unsigned)(ms % SECOND_MS),
			node ? node->code : "");
	va_start(args, fmt);
	vsnprintf(line + used, TRACE_LINE_BYTES - (size_t)used, fmt, args);
	va_end(args);
	for (const char *at = line; *at; at++)
		w->trace_hash = (w->trace_hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
	if (w->config.verbose)
		fprintf(stderr, "%s\n", line);
}

void world_fail(struct world *w, const char *rule, const char *fmt, ...)
{
	va_list args;

	if (w->rule)
		return;
	w->rule = rule;
	va_start(args, fmt);
	vsnprintf(w->violation, sizeof(w->violation), fmt, args);
	va_end(args);
}

void world_explain(const struct world *w, const char *how_to_repeat)
{
	uint64_t first = w->trace_count > TRACE_LINES ? w->trace_count - TRACE_LINES : 0;

	if (!w->config.verbose)
		for (uint64_t i = first; i < w->trace_count; i++)
			fprintf(stderr, "%s\n", w->trace[i % TRACE_LINES]);
	fprintf(stderr, "seed %" PRIu64 " after %" PRIu64 " events: %s violated: %s\nrepeat: %s\n",
		w->config.seed, w->timeline.fired, w->rule, w->violation, how_to_repeat);
}

/* Events of the world itself. Between two of a kind: exponentially distributed
 * waiting would need libm; uniform up to twice the mean does. */

static void plan(struct world *w, uint64_t mean_ms, void (*fire)(void *, uint64_t), uint64_t arg)
{
	timeline_at(&w->timeline, w->timeline.now_ms + 1 + prng_below(&w->dice, 2 * mean_ms), fire,
		    w, arg);
}

static void on_edit(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];

	if (w->is_settling)
		return;
	if (node_is_member(n) && !n->mouth) {
		if (!world_removes(w) && prng_chance(&w->dice, 2))
			workload_grant(n);
		else if (prng_chance(&w->dice, 5))
			workload_actions(n, 1 + (unsigned)prng_below(&w->dice, 40));
		else
			workload_edit(n);
	}
	plan(w, w->config.edit_mean_ms, on_edit, 0);
}

static void on_fault(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	if (w->is_settling)
		return;
	fault_strike(w);
	plan(w, w->config.fault_mean_ms, on_fault, 0);
}

static void on_act(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	if (w->is_settling)
		return;
	act_strike(w);
	plan(w, w->config.act_mean_ms, on_act, 0);
}

static void on_copy(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	if (w->is_settling)
		return;
	copy_strike(w);
	plan(w, w->config.copy_mean_ms, on_copy, 0);
}

static void on_lie(void *ctx, uint64_t arg)
{
	struct world *w = ctx;

	if (w->is_settling)
		return;
	lie_strike(w);
	plan(w, w->config.lie_mean_ms, on_lie, 0);
}

static void on_hand_over(void *ctx, uint64_t arg);

static void plan_hand_over(struct world *w, uint64_t arg)
{
	plan(w, world_is_contested(w) ? MEETING_MEAN_MS : HAND_OVER_MEAN_MS, on_hand_over, arg);
}

static void on_hand_over(void *ctx, uint64_t arg)
{
	struct world *w = ctx;
	const struct edge *e = &w->edges[arg >> 1];
	struct node *from = &w->nodes[arg & 1 ? e->b : e->a];
	struct node *to = &w->nodes[arg & 1 ? e->a : e->b];

	if (world_is_contested(w))
		meeting_hold(from, to);
	else if (!net_link(w->net, from->index, to->index)->is_cut)
		node_hand_over(from, to);
	plan_hand_over(w, arg);
}

static void plan_all(struct world *w)
{
	if (w->config.edit_mean_ms)
		plan(w, w->config.edit_mean_ms, on_edit, 0);
	if (w->config.fault_mean_ms)
		plan(w, w->config.fault_mean_ms, on_fault, 0);
	if (w->config.act_mean_ms)
		plan(w, w->config.act_mean_ms, on_act, 0);
	if (w->config.copy_mean_ms)
		plan(w, w->config.copy_mean_ms, on_copy, 0);
	if (w->config.lie_mean_ms)
		plan(w, w->config.lie_mean_ms, on_lie, 0);
	for (uint64_t i = 0; w->config.direct && i < 2 * (uint64_t)w->edge_count; i++)
		plan_hand_over(w, i);
}

/* Life. */

static void shut_down(struct node *n)
{
	replica_close(n->replica);
	n->replica = NULL;
}

struct world *world_new(const struct world_config *config)
{
	struct world *w = must(calloc(1, sizeof(*w)));
	struct net_up up = node_net_up(w);

	if (sodium_init() < 0)
		abort();
	w->config = *config;
	w->config.no_audit = false; /* the book must know how it began */
	if (w->config.direct)
		w->config.newcomers = 0; /* they join over the wire */
	w->node_count = config->nodes + config->copies;
	w->space_count = config->spaces;
	w->nodes = must(calloc(w->node_count, sizeof(*w->nodes)));
	w->spaces = must(calloc(w->space_count + 1, sizeof(*w->spaces)));
	w->offices = must(calloc(w->node_count, sizeof(*w->offices)));
	w->snapshots = must(calloc(WORLD_SNAPSHOTS + 1, sizeof(*w->snapshots)));
	w->no_snapshot = &w->snapshots[WORLD_SNAPSHOTS];
	w->edges = must(calloc((size_t)w->node_count * w->node_count, sizeof(*w->edges)));
	prng_init(&w->dice, config->seed);
	timeline_init(&w->timeline);
	ledger_init(&w->ledger, w->node_count + (world_is_contested(w) ? AUTHORS_MORE : 0));
	oracle_init(&w->oracle, &w->ledger, world_is_contested(w));
	w->net = net_new(w->node_count, &w->timeline, prng_next(&w->dice), &up);
	organisation_connect(w);
	for (unsigned i = 0; i < w->node_count && !w->rule; i++)
		node_create(w, i);
	if (!w->rule)
		organisation_found(w);
	w->config.no_audit = config->no_audit;
	for (unsigned i = 0; i < w->node_count; i++)
		shut_down(&w->nodes[i]);
	for (unsigned i = 0; i < w->node_count; i++)
		memdisk_lie(w->nodes[i].disk, config->plant == PLANT_LYING_DISK);
	for (unsigned i = 0; i < w->node_count && !w->rule; i++)
		node_start(&w->nodes[i]);
	plan_all(w);
	w->stats = (struct world_stats){ 0 };
	return w;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->node_count; i++)
		node_destroy(&w->nodes[i]);
	for (unsigned i = 0; i < WORLD_SNAPSHOTS; i++)
		snapshot_release(&w->snapshots[i]);
	net_free(w->net);
	oracle_release(&w->oracle);
	ledger_release(&w->ledger);
	views_release(&w->views);
	timeline_release(&w->timeline);
	free(w->nodes);
	free(w->spaces);
	free(w->offices);
	free(w->edges);
	free(w->snapshots);
	free(w->forged);
	free(w);
}

/* Running. */

/* Look at the nodes that have just been part of something. */
static void look_at_touched(struct world *w)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		if (!w->nodes[i].is_touched)
			continue;
		w->nodes[i].is_touched = false;
		audit_node(&w->nodes[i]);
		node_plan_tick(&w->nodes[i]);
	}
}

bool world_run(struct world *w, uint64_t for_ms, uint64_t events_max)
{
	uint64_t end_ms = w->timeline.now_ms + for_ms;
	uint64_t last = w->timeline.fired + events_max;

	look_at_touched(w);
	while (!w->rule && timeline_due_ms(&w->timeline) <= end_ms &&
	       (events_max == 0 || w->timeline.fired < last)) {
		timeline_step(&w->timeline);
		look_at_touched(w);
	}
	if (!w->rule && timeline_due_ms(&w->timeline) > end_ms)
		w->timeline.now_ms = end_ms;
	return w->rule == NULL;
}

/* Nobody runs while the year turns: what was from the future is so no more. */
static void outlive_the_future(struct world *w)
{
	uint64_t greatest_ms = 0, now_ms = WORLD_EPOCH_MS + w->timeline.now_ms;

	for (unsigned i = 0; i < w->node_count; i++)
		if (w->nodes[i].greatest_hlc_ms > greatest_ms)
			greatest_ms = w->nodes[i].greatest_hlc_ms;
	if (greatest_ms <= now_ms)
		return;
	for (unsigned i = 0; i < w->node_count; i++)
		node_stop(&w->nodes[i], ENDING_KILL);
	world_note(w, NULL, "everybody sleeps for %" PRIu64 " s",
		   (greatest_ms - now_ms) / SECOND_MS);
	/* Events of the past that fall into the sleep find nobody. */
	w->timeline.now_ms += greatest_ms - now_ms;
}

bool world_quieten(struct world *w)
{
	uint64_t quiet_ms = 0;

	while (!w->rule && quiet_ms < QUIET_MINUTES * MINUTE_MS) {
		uint64_t applied = w->stats.applied;

		world_run(w, MINUTE_MS, 0);
		quiet_ms = w->stats.applied == applied ? quiet_ms + MINUTE_MS : 0;
	}
	return w->rule == NULL;
}

/* Where nobody is removed on purpose, whoever is out is a copy, and enrols anew. */
static void let_in_again(struct world *w)
{
	for (unsigned i = 0; !world_removes(w) && world_is_contested(w) && i < w->node_count; i++)
		act_by(&w->nodes[i], ACT_READMIT);
}

bool world_settle(struct world *w)
{
	struct errmsg why_not = { 0 };
	uint64_t limit_ms;

	w->is_settling = true;
	world_note(w, NULL, "the world settles");
	fault_heal_all(w);
	outlive_the_future(w);
	fault_heal_all(w);
	for (unsigned i = 0; i < w->node_count; i++)
		node_invite(&w->nodes[i]);
	limit_ms = w->timeline.now_ms + SETTLE_HOURS_MAX * HOUR_MS;
	while (!w->rule && !audit_has_converged(w, &why_not) && w->timeline.now_ms < limit_ms) {
		let_in_again(w);
		world_run(w, MINUTE_MS, 0);
	}
	/* Nothing may move any more, and the last acknowledgements arrive. */
	if (world_run(w, QUIET_MINUTES * MINUTE_MS, 0))
		audit_rest(w, VERIFY_COUNT);
	return w->rule == NULL;
}
