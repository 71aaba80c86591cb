/* A simulated disk in memory, which SQLite uses as a VFS of its own.
 *
 * The disk knows what was synced and what was only written. When the power
 * goes, every unsynced sector is kept or lost by dice, each for itself, so a
 * write may be torn; what was synced stays, unless the disk lies. Creating and
 * removing files is durable at once. Write-ahead logs work: shared memory and
 * all locks are those of one process with any number of connections.
 *
 *        memdisk_on             every call works
 *   OFF ----------------> ON ---------------------> FAILING
 *    ^                     |  the planned operation    |
 *    +--- memdisk_kill ----+--- memdisk_crash ---------+
 *
 * Short of space, and a sync that fails, leave it on: see memdisk_fill_after()
 * and memdisk_fail_sync_after().
 *
 * Files that were open when the disk went off are dead for ever: close them.
 * Not for several threads. Ends the program when memory runs out. */
#ifndef HT_TESTS_SIM_MEMVFS_H
#define HT_TESTS_SIM_MEMVFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/prng.h"

enum { MEMDISK_SECTOR_BYTES = 512 };

struct memdisk;

struct memdisk *memdisk_new(void);    /* on, empty, without a limit */
void memdisk_free(struct memdisk *d); /* NULL-safe; all its files must be closed */

/* The same content, synced or not, on a disk of its own that is off: what a power
 * cut or the death of all processes would find at this moment. */
struct memdisk *memdisk_copy(const struct memdisk *d);

/* The name that SQLite knows the disk by. */
const char *memdisk_vfs(const struct memdisk *d);

/* The process died: what it wrote stays, though what it did not sync can still
 * be lost. The disk is off. */
void memdisk_kill(struct memdisk *d);

/* The power failed: what was not synced is kept or lost by dice. */
void memdisk_crash(struct memdisk *d, struct prng *dice);

void memdisk_on(struct memdisk *d);

/* From the `ops`-th write, truncation or sync after this one on (0: the next),
 * everything fails with an I/O error, until the disk goes off. */
void memdisk_fail_after(struct memdisk *d, uint64_t ops);
bool memdisk_has_failed(const struct memdisk *d);

/* Called before each write, truncation or sync takes effect; NULL: no more. It may
 * copy the disk, and must not use it. */
void memdisk_watch(struct memdisk *d, void (*watch)(void *ctx), void *ctx);

/* Growing beyond so many bytes in all files fails: "disk full". */
void memdisk_limit(struct memdisk *d, uint64_t bytes);

/* From the `writes`-th write after this one on (0: the next) every write fails:
 * "disk full", where overwriting needs space, too. UINT64_MAX: there is space. */
void memdisk_fill_after(struct memdisk *d, uint64_t writes);

/* The `syncs`-th sync after this one (0: the next) and `count` in all fail with an
 * I/O error. What they should have made durable can be read until the disk goes
 * off, and will not become durable by a later sync, only by being written again. */
void memdisk_fail_sync_after(struct memdisk *d, uint64_t syncs, uint64_t count);

/* A disk that lies says "synced" and has not. */
void memdisk_lie(struct memdisk *d, bool lies);

struct memdisk_stats {
	uint64_t bytes;  /* in all files */
	uint64_t writes; /* and truncations */
	uint64_t syncs;
	/* Writes, truncations and syncs by a handle that has seen a sync fail: it
	 * does not know any more what is durable. */
	uint64_t blind;
};

struct memdisk_stats memdisk_stats(const struct memdisk *d);

#endif
