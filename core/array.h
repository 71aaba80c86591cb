/* Arrays that grow.
 *
 * An array is a pointer, a count and a capacity, in the struct of its owner, who frees it with
 * free(). NULL and 0 are an empty one. `array` is the address of the pointer, `size` that of an
 * element in bytes; what is new is uninitialised. Pure but for the heap. */
#ifndef HT_CORE_ARRAY_H
#define HT_CORE_ARRAY_H

#include <stddef.h>

#include "core/err.h"

/* Room for exactly `cap` elements, or for one. ERR_NOMEM: the array is as it was. */
MUST_CHECK enum err array_resize(void *array, size_t cap, size_t size);

/* What array_reserve() does when there is too little room. */
MUST_CHECK enum err array_grow(void *array, size_t *cap, size_t count, size_t size);

/* Room for at least `count` elements in all; it doubles, so that adding one by one costs the same
 * each on average. ERR_NOMEM: the array is as it was. */
MUST_CHECK static inline enum err array_reserve(void *array, size_t *cap, size_t count, size_t size)
{
	return count <= *cap ? OK : array_grow(array, cap, count, size);
}

#endif
