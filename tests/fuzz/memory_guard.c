#include "tests/fuzz/memory_guard.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* glibc's own allocator, under the names it keeps for programs that replace it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static bool guarding;
static size_t live_bytes;

void memory_guard_start(void)
{
	live_bytes = 0;
	guarding = true;
}

void memory_guard_stop(void)
{
	guarding = false;
}

/* Before the allocation: a request that the system would refuse is a fault as well. */
static void check_request(size_t size)
{
	if (!guarding ||
	    (size <= MEMORY_GUARD_BYTES_MAX && live_bytes <= MEMORY_GUARD_BYTES_MAX - size))
		return;
	guarding = false;
	fprintf(stderr, "memory guard: %zu bytes on top of %zu, the limit is %zu\n", size,
		live_bytes, MEMORY_GUARD_BYTES_MAX);
	abort();
}

static void *charge(void *block)
{
	live_bytes += malloc_usable_size(block);
	return block;
}

/* A block from before the start was never charged. */
static void refund(void *block)
{
	size_t size = malloc_usable_size(block);

	live_bytes -= size < live_bytes ? size : live_bytes;
}

void *malloc(size_t size)
{
	check_request(size);
	return charge(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		total = SIZE_MAX;
	check_request(total);
	return charge(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
	check_request(size);
	refund(block);
	return charge(__libc_realloc(block, size));
}

void free(void *block)
{
	refund(block);
	__libc_free(block);
}
