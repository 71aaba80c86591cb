/* Seeded randomness for tests: the same seed gives the same run, on every machine.
 *
 * SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014). Not for secrets. */
#ifndef HT_TESTS_SUPPORT_PRNG_H
#define HT_TESTS_SUPPORT_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dice.h"

struct prng {
	uint64_t state;
};

void prng_init(struct prng *p, uint64_t seed);

uint64_t prng_next(struct prng *p);

/* Uniform in [0, below); asserts below > 0. */
uint64_t prng_below(struct prng *p, uint64_t below);

/* True in `percent` of 100 calls. */
bool prng_chance(struct prng *p, unsigned percent);

void prng_fill(struct prng *p, void *out, size_t size);

/* A generator of its own, whose draws don't disturb those of `p` after this one. */
struct prng prng_split(struct prng *p);

/* The view that code under test takes; `p` must outlive it. */
struct dice prng_dice(struct prng *p);

/* $HUITONG_SEED (decimal or 0x...) if set, otherwise a fresh seed. Prints it to
 * stderr with the way to repeat the run. */
uint64_t prng_seed_from_environment(void);

#endif
