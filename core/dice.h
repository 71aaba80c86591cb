/* Randomness as an argument: the node passes the system's, tests a seeded one. */
#ifndef HT_CORE_DICE_H
#define HT_CORE_DICE_H

#include <stddef.h>
#include <stdint.h>

struct dice {
	void (*fill)(void *ctx, uint8_t *out, size_t size); /* cannot fail */
	void *ctx;
};

static inline void dice_fill(const struct dice *dice, void *out, size_t size)
{
	dice->fill(dice->ctx, out, size);
}

/* Uniform enough for jitter; below must be > 0. */
static inline uint64_t dice_below(const struct dice *dice, uint64_t below)
{
	uint64_t bits;

	dice_fill(dice, &bits, sizeof(bits));
	return bits % below;
}

#endif
