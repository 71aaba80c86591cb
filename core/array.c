#include "core/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_MIN = 4 };

enum err array_resize(void *array, size_t cap, size_t size)
{
	void *was, *moved;

	if (cap > SIZE_MAX / size)
		return ERR_NOMEM;
	/* The caller's pointer may be of any type: it is copied, not cast. */
	memcpy(&was, array, sizeof(was));
	moved = realloc(was, (cap ? cap : 1) * size);
	if (!moved)
		return ERR_NOMEM;
	memcpy(array, &moved, sizeof(moved));
	return OK;
}

enum err array_grow(void *array, size_t *cap, size_t count, size_t size)
{
	size_t grown = *cap ? *cap : CAP_MIN;
	enum err rc;

	while (grown < count)
		grown = grown > SIZE_MAX / 2 ? count : 2 * grown;
	rc = array_resize(array, grown, size);
	if (rc == OK)
		*cap = grown;
	return rc;
}
