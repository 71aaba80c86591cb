#include "tests/sim/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "tests/sim/faults.h"
#include "tests/sim/node.h"
#include "tests/sim/rest.h"
#include "tests/sim/workload.h"

enum { NODES = 24, EDITS = 200, RUNS = 3, HOURS_MAX = 2 };

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Everybody alone, each with action items of its own, one a changeset. */
static void work_apart(struct world *w, unsigned edits)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		bool part[NET_NODES_MAX] = { false };

		part[i] = true;
		fault_partition(w, part, true);
	}
	for (unsigned i = 0; i < edits && !w->rule; i++)
		for (unsigned k = 0; k < w->node_count; k++)
			workload_actions(&w->nodes[k], 1);
	w->stats.applied = 0;
}

bool sim_measure(unsigned nodes, unsigned edits, double *per_second)
{
	const struct world_config config = {
		.seed = 1,
		.nodes = nodes,
		.topology = TOPOLOGY_TREE,
		.spaces = 1,
		.all_granted = true,
		.no_audit = true,
	};
	struct world *w = world_new(&config);
	bool everybody[NET_NODES_MAX], has_failed;
	struct errmsg why;
	uint64_t all = (uint64_t)nodes * (nodes - 1) * edits;
	double start, took;

	for (unsigned i = 0; i < nodes; i++)
		everybody[i] = true;
	work_apart(w, edits);
	start = cpu_seconds();
	fault_heal_all(w);
	while (!w->rule && (w->stats.applied < all || !audit_agrees(w, everybody, &why))) {
		world_run(w, SECOND_MS, 0);
		if (w->timeline.now_ms > HOURS_MAX * HOUR_MS)
			world_fail(w, "W-12", "%" PRIu64 " changesets applied in %d hours",
				   w->stats.applied, HOURS_MAX);
	}
	took = cpu_seconds() - start;
	*per_second = (double)w->stats.applied / took;
	has_failed = w->rule != NULL;
	if (has_failed)
		world_explain(w, "huitong-sim --bench");
	world_free(w);
	return !has_failed;
}

int sim_bench(bool is_json)
{
	double values[RUNS], kept;

	for (int i = 0; i < RUNS; i++) {
		if (!sim_measure(NODES, EDITS, &values[i]))
			return 1;
		for (int k = i; k > 0 && values[k - 1] > values[k]; k--) {
			kept = values[k];
			values[k] = values[k - 1];
			values[k - 1] = kept;
		}
	}
	printf(is_json ? "{\"name\":\"sim_applies\",\"n\":%d,\"value\":%.0f,\"unit\":\"1/s\","
			 "\"floor\":null,\"ratio\":null}\n"
		       : "sim_applies  %d changesets, %.0f a second and core\n",
	       NODES * EDITS, values[RUNS / 2]);
	return 0;
}
