/* Stories that a world is put through. Each ends at rest, with everything
 * converged and checked, whatever happened on the way. */
#ifndef HT_TESTS_SIM_SCENARIO_H
#define HT_TESTS_SIM_SCENARIO_H

#include "tests/sim/world.h"

struct scenario {
	const char *name;
	const char *what;
	struct world_config config; /* without the seed */
	/* Draws what the seed decides of the config; may be NULL. */
	void (*draw)(struct world_config *config);
	void (*play)(struct world *w); /* up to, not including, world_settle() */
};

/* What a caller may want otherwise; 0 = as the scenario has it. */
struct scenario_wish {
	unsigned nodes;
	uint64_t run_ms;     /* of `random` */
	uint64_t events_max; /* of `random` */
	bool direct, verbose;
	enum world_plant plant;
};

const struct scenario *scenario_all(size_t *count);
const struct scenario *scenario_named(const char *name); /* or NULL */

/* Play it to the end. Never NULL; world->rule says how it went. The caller frees. */
struct world *scenario_run(const struct scenario *s, uint64_t seed,
			   const struct scenario_wish *wish);

#endif
