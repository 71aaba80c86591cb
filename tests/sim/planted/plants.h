/* Bugs for the simulator to find. They are linked between the code under test
 * and its callers (-Wl,--wrap), so the sources know nothing of them; calls
 * within one source file can't be reached, which is why a plant sits where a
 * layer calls another. Only this program has them. */
#ifndef HT_TESTS_SIM_PLANTS_H
#define HT_TESTS_SIM_PLANTS_H

enum plant {
	PLANTED_NOTHING,
	PLANTED_DISORDER,     /* changesets applied before what they depend on */
	PLANTED_ARRIVAL_TIE,  /* of concurrent values the one that came last shows */
	PLANTED_RESURRECTION, /* what another office took out of a set stays in */
	PLANTED_LOST_VALUE,   /* a concurrent value is overwritten in silence */
	PLANTED_WALL_CLOCK,   /* stamps are the wall clock's, whatever was seen */
	PLANTED_NO_GRANTS,    /* every space is sent to everybody */
	PLANTED_DEAF_RECEIPT, /* what was received is reported, and not kept */
	PLANTED_LATE_TAIL,    /* what comes after the cut of its feed counts */
	PLANTED_HOSPITALITY,  /* who was removed is still served */
	PLANTED_NO_PROOF,     /* a fork is noticed, and nobody is told */
	PLANTED_SAME_EPOCH,   /* a restored database goes on under its old id */
	PLANTED_LAST_GRANT,   /* of concurrent grants the one that came last stands */
	PLANTED_ANY_AUTHOR,   /* nobody looks at the signature of a changeset */
	PLANTED_ANY_SIGNER,   /* nor at those of a statement */
	PLANTED_COUNT
};

/* From now on; the process has one. */
void plant_choose(enum plant plant);

#endif
