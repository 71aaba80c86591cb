#include "tests/sim/absence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/sim/faults.h"
#include "tests/sim/node.h"
#include "tests/sim/workload.h"

enum { SHARED = 50, DAYS = 1000, HOURS_MAX = 48 };

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Set the titles of items [from, to) of `items`, one changeset; new ones are created. */
static void title(struct node *n, struct record_id *items, unsigned from, unsigned to)
{
	struct world *w = n->world;
	struct errmsg msg = { 0 };
	struct edit *e = NULL;
	char text[64];
	enum err rc = replica_begin(n->replica, &msg);

	if (rc == OK)
		rc = edit_open(&e, n->replica, &w->spaces[0].id, NULL, node_now(n).wall_ms, &msg);
	for (unsigned i = from; rc == OK && i < to; i++) {
		struct value value;

		if (record_id_is_nil(&items[i]))
			items[i] = edit_create(e);
		snprintf(text, sizeof(text), "as %s saw it on day %" PRIu64, n->code,
			 w->timeline.now_ms / DAY_MS);
		value = value_str(text);
		rc = edit_set(e, KIND_ACTION, &items[i], ACTION_TITLE, &value, &msg);
	}
	if (rc == OK)
		rc = edit_seal(e, &msg);
	else
		edit_drop(e);
	if (rc == OK)
		rc = replica_commit(n->replica, &msg);
	if (rc != OK) {
		replica_rollback(n->replica);
		world_fail(w, "W-15", "%s can't write: %s", n->code, msg.text);
	}
	node_changed(n);
}

static void set_links(struct world *w)
{
	const struct link link = { .latency_ms = 20, .bytes_per_ms = 12500 };

	net_set_link(w->net, 0, 1, &link);
	net_set_link(w->net, 1, 0, &link);
}

static void work_apart(struct world *w, struct record_id *items, const struct absence *a)
{
	const bool part[NET_NODES_MAX] = { true };
	uint64_t done = 0;

	fault_partition(w, part, true);
	for (uint64_t day = 1; day <= a->days && !w->rule; day++) {
		for (; done < a->changes * day / a->days && !w->rule; done++)
			for (unsigned i = 0; i < 2; i++)
				if (done % 2)
					workload_actions(&w->nodes[i], 1);
				else
					title(&w->nodes[i], items, (unsigned)(done / 2 % SHARED),
					      (unsigned)(done / 2 % SHARED) + 1);
		world_run(w, DAY_MS, 0);
	}
	fault_partition(w, part, false);
}

static bool hold_the_same(const struct world *w)
{
	const struct replica *a = w->nodes[0].replica, *b = w->nodes[1].replica;
	struct space_id spaces[] = { replica_directory(a), w->spaces[0].id };

	for (size_t i = 0; i < 2; i++) {
		const struct vv *x = replica_vv(a, &spaces[i]), *y = replica_vv(b, &spaces[i]);

		if (!vv_dominates(x, y) || !vv_dominates(y, x))
			return false;
	}
	return true;
}

static void meet(struct world *w, struct absence *a)
{
	uint64_t bytes = net_stats(w->net)->bytes, start_ms;
	double start;

	/* The next dial is not counted: at most as late as a back-off is long. */
	while (!w->rule && net_conn_count(w->net, 0, 1) == 0)
		world_run(w, HOUR_MS, 1);
	start = cpu_seconds();
	start_ms = w->timeline.now_ms;
	while (!w->rule && !hold_the_same(w)) {
		world_run(w, SECOND_MS / 100, 0);
		if (w->timeline.now_ms - start_ms > HOURS_MAX * HOUR_MS)
			world_fail(w, "W-12", "not the same after %d hours", HOURS_MAX);
	}
	a->cpu_seconds = cpu_seconds() - start;
	a->virtual_ms = w->timeline.now_ms - start_ms;
	a->bytes = net_stats(w->net)->bytes - bytes;
}

static void compare(struct world *w, struct absence *a)
{
	struct verify_report reports[2];
	struct errmsg msg = { 0 };

	for (unsigned i = 0; i < 2 && !w->rule; i++)
		if (replica_verify(w->nodes[i].replica, &reports[i], NULL, NULL, &msg) != OK)
			world_fail(w, "W-13", "%s: %s", w->nodes[i].code, msg.text);
	if (w->rule)
		return;
	if (reports[0].changesets <= 2 * a->changes)
		world_fail(w, "W-1", "only %" PRIu64 " changesets", reports[0].changesets);
	if (memcmp(reports[0].stored_hash, reports[1].stored_hash, STATE_HASH_BYTES) != 0)
		world_fail(w, "W-13", "the states differ");
	memcpy(a->state, reports[0].stored_hash, STATE_HASH_BYTES);
}

bool absence_run(uint64_t changes, uint64_t days, struct absence *out)
{
	const struct world_config config = {
		.seed = 1, .nodes = 2, .spaces = 1, .all_granted = true, .no_audit = true
	};
	struct absence a = { .changes = changes, .days = days };
	struct record_id items[SHARED] = { 0 };
	struct world *w = world_new(&config);
	bool holds;

	set_links(w);
	if (!w->rule)
		title(&w->nodes[0], items, 0, SHARED);
	world_run(w, MINUTE_MS, 0);
	work_apart(w, items, &a);
	meet(w, &a);
	compare(w, &a);
	holds = w->rule == NULL;
	if (holds)
		*out = a;
	else
		world_explain(w, "huitong-sim --absence");
	world_free(w);
	return holds;
}

int absence_tell(uint64_t changes)
{
	char hash[2 * STATE_HASH_BYTES + 1];
	struct absence a;

	if (!absence_run(changes, DAYS, &a))
		return 1;
	hex_encode(hash, bytes_of(a.state, STATE_HASH_BYTES));
	printf("%" PRIu64 " days apart, %" PRIu64 " changesets on each side: the same after %.2f s "
	       "over 100 Mbit/s, %.1f s of one core for both, %.1f MB (%.0f bytes a changeset), "
	       "state %.16s\n",
	       a.days, a.changes, (double)a.virtual_ms / 1000, a.cpu_seconds, (double)a.bytes / 1e6,
	       (double)a.bytes / (2 * (double)a.changes), hash);
	return 0;
}
