/* A shortage of memory: some allocations of our code, of SQLite's and of zstd's
 * return NULL, as the test plans it.
 *
 * Programs named test_memory* are linked with -Wl,--wrap=malloc and so on (see
 * tests/CMakeLists.txt), so that this works under the sanitizers too. */
#ifndef HT_TESTS_SUPPORT_SHORTAGE_H
#define HT_TESTS_SUPPORT_SHORTAGE_H

#include <stdbool.h>

#include "core/err.h"

enum shortage_kind {
	SHORTAGE_ONCE,    /* the k-th allocation fails */
	SHORTAGE_EVERY,   /* each k-th */
	SHORTAGE_LASTING, /* all from the k-th on */
	SHORTAGE_KIND_COUNT
};

/* Come between SQLite and its memory. Once, before SQLite is used. */
void shortage_install(void);

/* k counts from 1. */
void shortage_begin(enum shortage_kind kind, long k);
bool shortage_end(void); /* whether any allocation failed */
/* What the test itself does in between shall not fail, and is not counted. */
void shortage_pause(bool is_paused);

/* Blocks that are allocated at this moment. */
long shortage_blocks(void);

/* What is tried, and what must hold. */
struct shortage_trial {
	enum err (*attempt)(void *ctx); /* OK, or ERR_NOMEM */
	void (*check)(void *ctx, enum err rc);
	void *ctx;
	/* From here on k grows by strides (0: never), unless the environment has
	 * HUITONG_EVERY_ALLOCATION. */
	long dense;
};

/* Try with each k = 1, 2, ... and each kind of shortage, until the attempt gets
 * through without one; check after every attempt. Prints and aborts when another
 * error comes than ERR_NOMEM. Returns how many allocations the attempt makes. */
long shortage_try(const struct shortage_trial *trial);

#endif
