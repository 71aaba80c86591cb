/* What every fuzz target is made of. */
#ifndef HT_TESTS_FUZZ_TARGET_H
#define HT_TESTS_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Tries one input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding, unless it is true. */
static inline void require(bool is_true)
{
	if (!is_true)
		abort();
}

#endif
