/* Bit rot: two offices that hold the same, SHA in memory and FRA in a file, of which damaged
 * copies are made. What is damaged is found, reaches nobody, and is healed or named.
 *
 * For cmocka tests: what must not be fails the test. */
#ifndef HT_TESTS_SUPPORT_ROT_H
#define HT_TESTS_SUPPORT_ROT_H

#include "tests/support/office.h"
#include "tests/support/tempdir.h"

struct rot {
	struct office a, b;
	struct space_id space; /* that both take part in */
	char dir[TEMPDIR_BYTES_MAX];
	char path[TEMPDIR_BYTES_MAX + 16];  /* of FRA's database, */
	char copy[TEMPDIR_BYTES_MAX + 16];  /* of a copy of it, to be damaged, */
	char fresh[TEMPDIR_BYTES_MAX + 16]; /* and of what is saved of that */
	uint8_t *image;                     /* FRA's database when it was sound */
	size_t size;
	uint8_t before[STATE_HASH_BYTES]; /* what both held then */
	struct prng prng;                 /* the caller's, and of whoever opens a copy */
};

/* Two offices that share a space. `seed` is of `prng`; the offices have dice of their own. */
void rot_open(struct rot *w, uint64_t seed);
void rot_close(struct rot *w);

/* What is copied from now on is FRA as it is now; both hold the same. */
void rot_take_image(struct rot *w);
/* Put a sound copy there, and nothing where it would be saved. */
void rot_write_copy(struct rot *w);
/* How the copy, or what was saved of it, is opened by its owner. */
struct replica_config rot_config(struct rot *w, const char *path);

/* What `huitong verify` says of the copy; *hash: of its state, if OK. */
enum err rot_verify(struct rot *w, uint8_t hash[STATE_HASH_BYTES]);
/* A newcomer who asks the copy for everything takes nothing that is not true. */
void rot_assert_not_spread(struct rot *w);
/* By the daemon alone, with what SHA has: its scrub finds something if and only if verify did
 * (`is_damaged`), and what it puts back is whole. False: more is needed. */
bool rot_is_healed_in_place(struct rot *w, bool is_damaged);
/* Saved, and whole again with what SHA has. False: it said in words that it can't be. */
bool rot_is_healed(struct rot *w);

/* An office of the organisation that holds nothing yet, in memory. */
void rot_open_newcomer(struct rot *w, struct office *o, uint64_t seed);

#endif
