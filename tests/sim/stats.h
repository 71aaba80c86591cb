/* What happened in a world, counted. */
#ifndef HT_TESTS_SIM_STATS_H
#define HT_TESTS_SIM_STATS_H

#include <stdint.h>

/* What can be said of the membership, and done by it (acts.h). */
enum act {
	ACT_REVOKE,
	ACT_GRANT,
	ACT_ADMIN,
	ACT_ADOPT,
	ACT_ROTATE,
	ACT_EPOCH,
	ACT_READMIT,
	ACT_COUNT
};

struct world_stats {
	uint64_t edits, changesets; /* transactions, and what they wrote */
	uint64_t applied;           /* changesets that came from others */
	uint64_t crashes, kills, faults, refused_edits, held_back;
	uint64_t acts[ACT_COUNT], acts_refused;
	uint64_t restores, rollbacks, twins;
	uint64_t lies;     /* of a hostile member */
	uint64_t refusals; /* and what was refused of that, or of it */
	uint64_t again;    /* changesets that were written again */
	/* In the end: feeds that have forked; changesets that are in quarantine, and that
	 * were on no disk any more; sets of statements, and of them those that were
	 * compared with the model. */
	uint64_t forks, quarantined, lost, views, modelled;
	uint64_t split; /* worlds in which not all members let each other in */
};

void stats_add(struct world_stats *sum, const struct world_stats *s);

/* On stdout, what there is beyond edits and faults; nothing if there is nothing. */
void stats_tell(const struct world_stats *s);

#endif
