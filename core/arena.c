#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>

enum {
	ARENA_CHUNK_BYTES = 64 * 1024,
	ARENA_KEEP_BYTES = 4 * 1024 * 1024,
	ARENA_ALIGN = 16,
	CAP_MIN = 8,
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(16) uint8_t data[];
};

void arena_release(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	*a = ARENA_EMPTY;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *kept = a->chunks;

	/* Chunks double, so the newest is the largest. */
	if (!kept || kept->size > ARENA_KEEP_BYTES) {
		arena_release(a);
		return;
	}
	a->chunks = kept->next;
	arena_release(a);
	kept->next = NULL;
	a->chunks = kept;
	a->total = kept->size;
}

static struct arena_chunk *arena_add_chunk(struct arena *a, size_t size)
{
	size_t bytes = a->total ? a->total : ARENA_CHUNK_BYTES;
	struct arena_chunk *chunk;

	if (bytes < size)
		bytes = size;
	chunk = malloc(sizeof(*chunk) + bytes);
	if (!chunk)
		return NULL;
	chunk->next = a->chunks;
	chunk->size = bytes;
	a->chunks = chunk;
	a->used = 0;
	a->total += bytes;
	return chunk;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *chunk = a->chunks;
	void *at;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!chunk || chunk->size - a->used < size) {
		chunk = arena_add_chunk(a, size);
		if (!chunk)
			return NULL;
	}
	at = chunk->data + a->used;
	a->used += size;
	return memset(at, 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(a, count * size);
}

enum err arena_reserve(struct arena *a, void *array, size_t *cap, size_t count, size_t size)
{
	size_t grown = *cap ? 2 * *cap : CAP_MIN;
	void *was, *moved;

	if (count <= *cap)
		return OK;
	if (grown < count)
		grown = count;
	moved = arena_array(a, grown, size);
	if (!moved)
		return ERR_NOMEM;
	/* The caller's pointer may be of any type: it is copied, not cast. */
	memcpy(&was, array, sizeof(was));
	if (*cap)
		memcpy(moved, was, *cap * size);
	memcpy(array, &moved, sizeof(moved));
	*cap = grown;
	return OK;
}

struct bytes arena_copy(struct arena *a, struct bytes from)
{
	uint8_t *at = arena_alloc(a, from.size);

	if (!at)
		return bytes_of(NULL, 0);
	if (from.size)
		memcpy(at, from.data, from.size);
	return bytes_of(at, from.size);
}
