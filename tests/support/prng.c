#include "tests/support/prng.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void prng_init(struct prng *p, uint64_t seed)
{
	p->state = seed;
}

uint64_t prng_next(struct prng *p)
{
	uint64_t z = (p->state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint64_t prng_below(struct prng *p, uint64_t below)
{
	uint64_t draw, excess;

	assert(below > 0);
	/* The last, incomplete run of [0, below) would favour its members. */
	excess = (UINT64_MAX % below + 1) % below;
	do
		draw = prng_next(p);
	while (draw > UINT64_MAX - excess);
	return draw % below;
}

bool prng_chance(struct prng *p, unsigned percent)
{
	return prng_below(p, 100) < percent;
}

void prng_fill(struct prng *p, void *out, size_t size)
{
	uint8_t *at = out;

	while (size > 0) {
		uint64_t draw = prng_next(p);

		/* Byte by byte, so that the machine's byte order does not show. */
		for (int i = 0; i < 8 && size > 0; i++, size--) {
			*at++ = (uint8_t)draw;
			draw >>= 8;
		}
	}
}

struct prng prng_split(struct prng *p)
{
	return (struct prng){ .state = prng_next(p) };
}

static void fill_dice(void *ctx, uint8_t *out, size_t size)
{
	prng_fill(ctx, out, size);
}

struct dice prng_dice(struct prng *p)
{
	return (struct dice){ .fill = fill_dice, .ctx = p };
}

uint64_t prng_seed_from_environment(void)
{
	const char *text = getenv("HUITONG_SEED");
	uint64_t seed = 0;

	if (text && *text) {
		char *end;

		seed = strtoull(text, &end, 0);
		if (*end) {
			fprintf(stderr, "HUITONG_SEED=%s is not a number\n", text);
			exit(2);
		}
	} else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		perror("getrandom");
		exit(2);
	}
	fprintf(stderr, "seed %" PRIu64 " (HUITONG_SEED=%" PRIu64 " repeats this run)\n", seed,
		seed);
	return seed;
}
