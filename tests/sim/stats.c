#include "tests/sim/stats.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "tests/sim/acts.h"

void stats_add(struct world_stats *sum, const struct world_stats *s)
{
	/* Nothing but counters. */
	const uint64_t *from = (const uint64_t *)s;
	uint64_t *into = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*s) / sizeof(*from); i++)
		into[i] += from[i];
}

void stats_tell(const struct world_stats *s)
{
	uint64_t acts = 0;

	for (size_t i = 0; i < ACT_COUNT; i++)
		acts += s->acts[i];
	if (acts + s->restores + s->rollbacks + s->twins + s->lies == 0)
		return;
	printf("%" PRIu64 " acts of membership", acts);
	for (size_t i = 0; i < ACT_COUNT; i++)
		printf("%s%" PRIu64 " %s", i ? ", " : " (", s->acts[i], act_name((enum act)i));
	printf("), %" PRIu64 " refused; %" PRIu64 " sets of statements, %" PRIu64
	       " compared with the model\n%" PRIu64 " restores, %" PRIu64 " rollbacks, %" PRIu64
	       " twins, %" PRIu64 " lies, %" PRIu64 " refused; %" PRIu64 " forks, %" PRIu64
	       " changesets written again, %" PRIu64 " in quarantine in the end, %" PRIu64
	       " on no disk any more; %" PRIu64 " worlds split\n",
	       s->acts_refused, s->views, s->modelled, s->restores, s->rollbacks, s->twins, s->lies,
	       s->refusals, s->forks, s->again, s->quarantined, s->lost, s->split);
}
