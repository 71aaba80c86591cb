#include "tests/support/shortage.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

static struct {
	enum shortage_kind kind;
	long k, seen; /* k = 0: there is enough */
	bool is_paused, has_struck;
	long blocks;
	struct sqlite3_mem_methods sqlite; /* its own */
} shortage;

static bool fails_now(void)
{
	bool fails;

	if (shortage.k == 0 || shortage.is_paused)
		return false;
	shortage.seen++;
	switch (shortage.kind) {
	case SHORTAGE_EVERY: fails = shortage.seen % shortage.k == 0; break;
	case SHORTAGE_LASTING: fails = shortage.seen >= shortage.k; break;
	default: fails = shortage.seen == shortage.k; break;
	}
	shortage.has_struck |= fails;
	return fails;
}

static void *counted(void *block)
{
	shortage.blocks += block != NULL;
	return block;
}

void shortage_begin(enum shortage_kind kind, long k)
{
	shortage.kind = kind;
	shortage.k = k;
	shortage.seen = 0;
	shortage.is_paused = shortage.has_struck = false;
}

bool shortage_end(void)
{
	shortage.k = 0;
	return shortage.has_struck;
}

void shortage_pause(bool is_paused)
{
	shortage.is_paused = is_paused;
}

long shortage_blocks(void)
{
	return shortage.blocks;
}

/* -Wl,--wrap=NAME: calls of NAME come to __wrap_NAME, __real_NAME is the original. */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : counted(__real_malloc(size));
}

void *__real_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size)
{
	return fails_now() ? NULL : counted(__real_calloc(number, size));
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
	void *moved = fails_now() ? NULL : __real_realloc(block, size);

	return block ? moved : counted(moved);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : counted(__real_strdup(text));
}

void __real_free(void *block);
void __wrap_free(void *block);
void __wrap_free(void *block)
{
	shortage.blocks -= block != NULL;
	__real_free(block);
}

ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
	return fails_now() ? NULL : __real_ZSTD_createCCtx();
}

ZSTD_DCtx *__real_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
	return fails_now() ? NULL : __real_ZSTD_createDCtx();
}

size_t __real_ZSTD_compressCCtx(ZSTD_CCtx *c, void *out, size_t out_size, const void *in,
				size_t in_size, int level);
size_t __wrap_ZSTD_compressCCtx(ZSTD_CCtx *c, void *out, size_t out_size, const void *in,
				size_t in_size, int level);
size_t __wrap_ZSTD_compressCCtx(ZSTD_CCtx *c, void *out, size_t out_size, const void *in,
				size_t in_size, int level)
{
	if (fails_now())
		return (size_t)-ZSTD_error_memory_allocation;
	return __real_ZSTD_compressCCtx(c, out, out_size, in, in_size, level);
}

/* SQLite is a shared library: it is asked for its memory in its own way. */

static void *sqlite_malloc(int size)
{
	return fails_now() ? NULL : counted(shortage.sqlite.xMalloc(size));
}

static void *sqlite_realloc(void *block, int size)
{
	return fails_now() ? NULL : shortage.sqlite.xRealloc(block, size);
}

static void sqlite_free(void *block)
{
	shortage.blocks--;
	shortage.sqlite.xFree(block);
}

void shortage_install(void)
{
	struct sqlite3_mem_methods ours;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &shortage.sqlite) != SQLITE_OK)
		abort();
	ours = shortage.sqlite;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	ours.xFree = sqlite_free;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK || sqlite3_initialize())
		abort();
}

/* Trials. */

static const char *const kind_names[] = {
	[SHORTAGE_ONCE] = "the one allocation",
	[SHORTAGE_EVERY] = "every allocation",
	[SHORTAGE_LASTING] = "all from allocation",
};

static bool gets_through(const struct shortage_trial *trial, enum shortage_kind kind, long k)
{
	enum err rc;
	bool has_struck;

	shortage_begin(kind, k);
	rc = trial->attempt(trial->ctx);
	has_struck = shortage_end();
	/* Some allocations only make things faster: SQLite goes on without. */
	if (rc != OK && (rc != ERR_NOMEM || !has_struck)) {
		fprintf(stderr, "%s %ld fails: %s\n", kind_names[kind], k, err_name(rc));
		abort();
	}
	if (trial->check)
		trial->check(trial->ctx, rc);
	return !has_struck;
}

static long stride(const struct shortage_trial *trial, long k)
{
	bool is_dense = !trial->dense || k < trial->dense || getenv("HUITONG_EVERY_ALLOCATION");

	return is_dense ? 1 : 1 + k / 8;
}

long shortage_try(const struct shortage_trial *trial)
{
	long k = 1, attempts = 0;

	for (unsigned kind = 0; kind < SHORTAGE_KIND_COUNT; kind++)
		for (k = 1; !gets_through(trial, (enum shortage_kind)kind, k); attempts++)
			k += stride(trial, k);
	printf("%ld allocations, %ld attempts\n", k - 1, attempts);
	return k - 1;
}
