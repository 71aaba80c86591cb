#include "tests/sim/memvfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = MEMDISK_SECTOR_BYTES, NAME_MAX_BYTES = 512 };

/* The shared memory of a write-ahead log's index. Lives as long as somebody has
 * it mapped, even after the process that the file belonged to has "died". */
struct shared {
	unsigned refs;
	void **regions;
	int region_count;
	unsigned readers[SQLITE_SHM_NLOCK];
	const struct handle *writer[SQLITE_SHM_NLOCK];
};

/* Whether the old content of a sector is in `undo`. */
enum dirt {
	CLEAN,
	WRITTEN, /* it is, until the next sync */
	FAILED,  /* it is, and stays after a sync: one has failed and forgotten it */
};

/* What a sector held when it was last synced. */
struct undo {
	size_t sector;
	uint8_t old[SECTOR];
};

struct memfile {
	struct memfile *next;
	char *name; /* NULL: temporary, or removed while open */
	unsigned refs;

	uint8_t *data;
	size_t size, cap;
	size_t synced_size;
	uint8_t *dirty; /* enum dirt, per sector of `cap` */
	struct undo *undo;
	size_t undo_count, undo_cap;

	unsigned readers; /* connections at SQLITE_LOCK_SHARED or above */
	const struct handle *reserved, *pending;
	struct shared *shared;
};

struct memdisk {
	sqlite3_vfs vfs;
	char name[32];
	struct memfile *files;
	bool is_on, failing, lies;
	uint64_t boots;      /* a handle of an earlier one is dead */
	uint64_t fail_after; /* operations left, UINT64_MAX = no plan */
	uint64_t limit_bytes;
	uint64_t fill_after;                   /* writes left, UINT64_MAX = no plan */
	uint64_t sync_fails_after, sync_fails; /* good ones left, then bad ones */
	void (*watch)(void *ctx);
	void *watch_ctx;
	struct memdisk_stats stats;
	uint64_t random;
};

struct handle {
	sqlite3_file base; /* first: SQLite's view */
	struct memdisk *disk;
	struct memfile *file;
	struct shared *shared;
	uint64_t boot;
	bool is_blind; /* a sync failed */
	int lock;
	uint16_t shm_shared, shm_exclusive; /* bit sets of slots held */
};

static void *must(void *memory)
{
	if (!memory) {
		perror("memdisk");
		abort();
	}
	return memory;
}

static bool is_alive(const struct handle *h)
{
	return h->disk->is_on && !h->disk->failing && h->boot == h->disk->boots;
}

/* Count a change of the disk; false once it fails. */
static bool may_change(struct handle *h)
{
	struct memdisk *d = h->disk;

	if (!is_alive(h))
		return false;
	if (d->watch)
		d->watch(d->watch_ctx);
	d->stats.blind += h->is_blind;
	if (d->fail_after == UINT64_MAX)
		return true;
	if (d->fail_after == 0)
		d->failing = true;
	else
		d->fail_after--;
	return !d->failing;
}

/* Files: content, and what it was when last synced. */

static void file_reserve(struct memfile *f, size_t size)
{
	size_t cap = f->cap ? f->cap : 16 * SECTOR;

	if (size <= f->cap)
		return;
	while (cap < size)
		cap *= 2;
	f->data = must(realloc(f->data, cap));
	f->dirty = must(realloc(f->dirty, cap / SECTOR));
	memset(f->data + f->cap, 0, cap - f->cap);
	memset(f->dirty + f->cap / SECTOR, 0, (cap - f->cap) / SECTOR);
	f->cap = cap;
}

static void remember_sectors(struct memfile *f, size_t offset, size_t size)
{
	for (size_t s = offset / SECTOR; s * SECTOR < offset + size; s++) {
		bool is_kept = f->dirty[s] != CLEAN;

		f->dirty[s] = WRITTEN;
		if (is_kept)
			continue;
		if (f->undo_count == f->undo_cap) {
			f->undo_cap = f->undo_cap ? 2 * f->undo_cap : 64;
			f->undo = must(realloc(f->undo, f->undo_cap * sizeof(*f->undo)));
		}
		f->undo[f->undo_count].sector = s;
		memcpy(f->undo[f->undo_count++].old, f->data + s * SECTOR, SECTOR);
	}
}

/* Forget the old content of the sectors in this state. */
static void forget_undo(struct memfile *f, enum dirt dirt)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->undo_count; i++) {
		if (f->dirty[f->undo[i].sector] == dirt)
			f->dirty[f->undo[i].sector] = CLEAN;
		else
			f->undo[kept++] = f->undo[i];
	}
	f->undo_count = kept;
}

static void file_sync(struct memfile *f)
{
	forget_undo(f, WRITTEN);
	f->synced_size = f->size;
}

static void file_sync_fails(struct memfile *f)
{
	for (size_t i = 0; i < f->undo_count; i++)
		f->dirty[f->undo[i].sector] = FAILED;
}

/* Each unsynced sector for itself: the new content or the old one. A cut-off
 * tail comes back as a whole or not at all. */
static void file_lose(struct memfile *f, struct prng *dice)
{
	bool is_shorter = f->size < f->synced_size;
	bool tail_is_back = is_shorter && prng_chance(dice, 50);
	size_t size = is_shorter && !tail_is_back ? f->size : f->synced_size;
	unsigned percent = (unsigned)prng_below(dice, 101); /* some cuts lose all, some nothing */

	for (size_t i = 0; i < f->undo_count; i++) {
		const struct undo *u = &f->undo[i];
		size_t begin = u->sector * SECTOR, end = begin + SECTOR;
		bool is_tail = begin >= f->size;

		if (is_tail ? tail_is_back : prng_chance(dice, percent))
			memcpy(f->data + begin, u->old, SECTOR);
		else if (!is_tail && end > size)
			size = end < f->size ? end : f->size;
	}
	f->size = size;
	if (f->cap > size)
		memset(f->data + size, 0, f->cap - size);
	forget_undo(f, FAILED);
	file_sync(f);
}

static void shared_release(struct shared *s)
{
	if (!s || --s->refs > 0)
		return;
	for (int i = 0; i < s->region_count; i++)
		free(s->regions[i]);
	free(s->regions);
	free(s);
}

static void file_drop(struct memfile *f)
{
	free(f->name);
	free(f->data);
	free(f->dirty);
	free(f->undo);
	shared_release(f->shared);
	free(f);
}

static struct memfile *find_file(struct memdisk *d, const char *name)
{
	for (struct memfile *f = d->files; f; f = f->next)
		if (f->name && strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static void unlink_file(struct memdisk *d, struct memfile *file)
{
	struct memfile **at = &d->files;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	d->stats.bytes -= file->size;
	file_drop(file);
}

static void set_size(struct handle *h, size_t size)
{
	h->disk->stats.bytes = h->disk->stats.bytes - h->file->size + size;
	h->file->size = size;
}

static bool has_space(struct memdisk *d)
{
	if (d->fill_after == 0)
		return false;
	if (d->fill_after != UINT64_MAX)
		d->fill_after--;
	return true;
}

static bool sync_fails(struct memdisk *d)
{
	if (d->sync_fails == 0)
		return false;
	if (d->sync_fails_after > 0) {
		d->sync_fails_after--;
		return false;
	}
	d->sync_fails--;
	return true;
}

/* SQLite's methods on an open file. */

static int io_read(sqlite3_file *base, void *out, int amount, sqlite3_int64 offset)
{
	struct handle *h = (struct handle *)base;
	size_t size = (size_t)amount, at = (size_t)offset, left;

	if (!is_alive(h))
		return SQLITE_IOERR_READ;
	left = at < h->file->size ? h->file->size - at : 0;
	if (left >= size) {
		memcpy(out, h->file->data + at, size);
		return SQLITE_OK;
	}
	memset(out, 0, size);
	if (left)
		memcpy(out, h->file->data + at, left);
	return SQLITE_IOERR_SHORT_READ;
}

static int io_write(sqlite3_file *base, const void *in, int amount, sqlite3_int64 offset)
{
	struct handle *h = (struct handle *)base;
	size_t size = (size_t)amount, at = (size_t)offset, end = at + size;

	if (!may_change(h))
		return SQLITE_IOERR_WRITE;
	if (end > h->file->size &&
	    h->disk->stats.bytes + (end - h->file->size) > h->disk->limit_bytes)
		return SQLITE_FULL;
	if (!has_space(h->disk))
		return SQLITE_FULL;
	h->disk->stats.writes++;
	file_reserve(h->file, (end + SECTOR - 1) / SECTOR * SECTOR);
	remember_sectors(h->file, at, size);
	memcpy(h->file->data + at, in, size);
	if (end > h->file->size)
		set_size(h, end);
	return SQLITE_OK;
}

static int io_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct handle *h = (struct handle *)base;
	size_t end = (size_t)size, old = h->file->size;

	if (!may_change(h))
		return SQLITE_IOERR_TRUNCATE;
	h->disk->stats.writes++;
	if (end >= old)
		return SQLITE_OK;
	remember_sectors(h->file, end, old - end);
	memset(h->file->data + end, 0, old - end);
	set_size(h, end);
	return SQLITE_OK;
}

static int io_sync(sqlite3_file *base, int flags)
{
	struct handle *h = (struct handle *)base;

	if (!may_change(h))
		return SQLITE_IOERR_FSYNC;
	h->disk->stats.syncs++;
	if (sync_fails(h->disk)) {
		h->is_blind = true;
		file_sync_fails(h->file);
		return SQLITE_IOERR_FSYNC;
	}
	if (!h->disk->lies)
		file_sync(h->file);
	return SQLITE_OK;
}

static int io_file_size(sqlite3_file *base, sqlite3_int64 *out)
{
	const struct handle *h = (const struct handle *)base;

	if (!is_alive(h))
		return SQLITE_IOERR_FSTAT;
	*out = (sqlite3_int64)h->file->size;
	return SQLITE_OK;
}

/* SHARED: any number; RESERVED: one, beside readers; PENDING: no new readers;
 * EXCLUSIVE: nobody else. */
static int io_lock(sqlite3_file *base, int level)
{
	struct handle *h = (struct handle *)base;
	struct memfile *f = h->file;

	if (!is_alive(h))
		return SQLITE_IOERR_LOCK;
	if (h->lock >= level)
		return SQLITE_OK;
	if (h->lock == SQLITE_LOCK_NONE) {
		if (f->pending)
			return SQLITE_BUSY;
		f->readers++;
		h->lock = SQLITE_LOCK_SHARED;
	}
	if (level >= SQLITE_LOCK_RESERVED) {
		if (f->reserved && f->reserved != h)
			return SQLITE_BUSY;
		f->reserved = h;
		h->lock = SQLITE_LOCK_RESERVED;
	}
	if (level == SQLITE_LOCK_EXCLUSIVE) {
		f->pending = h;
		h->lock = SQLITE_LOCK_PENDING;
		if (f->readers > 1)
			return SQLITE_BUSY;
		h->lock = SQLITE_LOCK_EXCLUSIVE;
	}
	return SQLITE_OK;
}

static int io_unlock(sqlite3_file *base, int level)
{
	struct handle *h = (struct handle *)base;
	struct memfile *f = h->file;

	if (h->boot != h->disk->boots || h->lock <= level)
		return SQLITE_OK;
	if (f->pending == h)
		f->pending = NULL;
	if (f->reserved == h)
		f->reserved = NULL;
	if (level == SQLITE_LOCK_NONE)
		f->readers--;
	h->lock = level;
	return SQLITE_OK;
}

static int io_check_reserved(sqlite3_file *base, int *out)
{
	const struct handle *h = (const struct handle *)base;

	*out = h->file->reserved != NULL;
	return is_alive(h) ? SQLITE_OK : SQLITE_IOERR_CHECKRESERVEDLOCK;
}

static int io_control(sqlite3_file *base, int op, void *arg)
{
	return SQLITE_NOTFOUND;
}

/* These two as the system's own VFS says of an ordinary disk. */
static int io_sector_size(sqlite3_file *base)
{
	return 4096;
}

static int io_characteristics(sqlite3_file *base)
{
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Shared memory. */

static int io_shm_map(sqlite3_file *base, int index, int size, int extend, void volatile **out)
{
	struct handle *h = (struct handle *)base;

	*out = NULL;
	if (!is_alive(h))
		return SQLITE_IOERR_SHMMAP;
	if (!h->shared) {
		if (!h->file->shared) {
			h->file->shared = must(calloc(1, sizeof(*h->file->shared)));
			h->file->shared->refs = 1; /* the file's own */
		}
		h->shared = h->file->shared;
		h->shared->refs++;
	}
	if (index >= h->shared->region_count) {
		if (!extend)
			return SQLITE_OK;
		h->shared->regions =
			must(realloc(h->shared->regions, sizeof(void *) * (size_t)(index + 1)));
		while (h->shared->region_count <= index)
			h->shared->regions[h->shared->region_count++] =
				must(calloc(1, (size_t)size));
	}
	*out = h->shared->regions[index];
	return SQLITE_OK;
}

static void shm_unlock(struct handle *h, int slot)
{
	uint16_t bit = (uint16_t)(1u << slot);

	if (h->shm_shared & bit)
		h->shared->readers[slot]--;
	if (h->shm_exclusive & bit)
		h->shared->writer[slot] = NULL;
	h->shm_shared &= (uint16_t)~bit;
	h->shm_exclusive &= (uint16_t)~bit;
}

static bool shm_is_free(const struct handle *h, int slot, bool exclusive)
{
	unsigned others = h->shared->readers[slot] - (h->shm_shared >> slot & 1u);
	const struct handle *writer = h->shared->writer[slot];

	return (!writer || writer == h) && (!exclusive || others == 0);
}

static int io_shm_lock(sqlite3_file *base, int first, int count, int flags)
{
	struct handle *h = (struct handle *)base;
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;

	if (h->boot != h->disk->boots || !h->shared)
		return SQLITE_IOERR_SHMLOCK;
	if (flags & SQLITE_SHM_UNLOCK) {
		for (int i = first; i < first + count; i++)
			shm_unlock(h, i);
		return SQLITE_OK;
	}
	if (!is_alive(h))
		return SQLITE_IOERR_SHMLOCK;
	for (int i = first; i < first + count; i++)
		if (!shm_is_free(h, i, exclusive))
			return SQLITE_BUSY;
	for (int i = first; i < first + count; i++) {
		uint16_t bit = (uint16_t)(1u << i);

		if (exclusive) {
			h->shared->writer[i] = h;
			h->shm_exclusive |= bit;
		} else if (!(h->shm_shared & bit)) {
			h->shared->readers[i]++;
			h->shm_shared |= bit;
		}
	}
	return SQLITE_OK;
}

static void io_shm_barrier(sqlite3_file *base)
{
	__sync_synchronize();
}

static int io_shm_unmap(sqlite3_file *base, int remove)
{
	struct handle *h = (struct handle *)base;

	if (!h->shared)
		return SQLITE_OK;
	for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
		shm_unlock(h, i);
	if (remove && h->boot == h->disk->boots && h->file->shared == h->shared) {
		h->file->shared = NULL;
		shared_release(h->shared);
	}
	shared_release(h->shared);
	h->shared = NULL;
	return SQLITE_OK;
}

static int io_close(sqlite3_file *base)
{
	struct handle *h = (struct handle *)base;

	io_shm_unmap(base, 0);
	io_unlock(base, SQLITE_LOCK_NONE);
	if (--h->file->refs == 0 && !h->file->name)
		unlink_file(h->disk, h->file);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = io_close,
	.xRead = io_read,
	.xWrite = io_write,
	.xTruncate = io_truncate,
	.xSync = io_sync,
	.xFileSize = io_file_size,
	.xLock = io_lock,
	.xUnlock = io_unlock,
	.xCheckReservedLock = io_check_reserved,
	.xFileControl = io_control,
	.xSectorSize = io_sector_size,
	.xDeviceCharacteristics = io_characteristics,
	.xShmMap = io_shm_map,
	.xShmLock = io_shm_lock,
	.xShmBarrier = io_shm_barrier,
	.xShmUnmap = io_shm_unmap,
};

/* SQLite's methods on the disk. */

static struct memdisk *disk_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
		    int *flags_out)
{
	struct memdisk *d = disk_of(vfs);
	struct handle *h = (struct handle *)base;
	struct memfile *f = name ? find_file(d, name) : NULL;

	*h = (struct handle){ .disk = d, .boot = d->boots };
	if (!d->is_on || d->failing || (!f && !(flags & SQLITE_OPEN_CREATE)))
		return SQLITE_CANTOPEN;
	if (!f) {
		f = must(calloc(1, sizeof(*f)));
		f->name = name ? must(strdup(name)) : NULL;
		f->next = d->files;
		d->files = f;
	}
	f->refs++;
	h->file = f;
	h->base.pMethods = &methods;
	if (flags_out)
		*flags_out = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	struct memdisk *d = disk_of(vfs);
	struct memfile *f = find_file(d, name);

	if (!d->is_on || d->failing)
		return SQLITE_IOERR_DELETE;
	if (!f)
		return SQLITE_IOERR_DELETE_NOENT;
	if (f->refs == 0) {
		unlink_file(d, f);
		return SQLITE_OK;
	}
	free(f->name);
	f->name = NULL;
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	struct memdisk *d = disk_of(vfs);

	*out = find_file(d, name) != NULL;
	return d->is_on && !d->failing ? SQLITE_OK : SQLITE_IOERR_ACCESS;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	sqlite3_snprintf(size, out, "%s", name);
	return SQLITE_OK;
}

/* Only names of temporary files and salts of logs come from here. */
static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out)
{
	struct memdisk *d = disk_of(vfs);

	for (int i = 0; i < size; i++) {
		d->random = d->random * 6364136223846793005u + 1442695040888963407u;
		out[i] = (char)(d->random >> 56);
	}
	return size;
}

/* A busy connection waits for nobody: the only thread is the one that waits. */
static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	return us;
}

static int vfs_current_time(sqlite3_vfs *vfs, sqlite3_int64 *julian_ms)
{
	*julian_ms = INT64_C(212641243200000); /* 2026-01-01 */
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	return 0;
}

/* The disk's life. */

struct memdisk *memdisk_new(void)
{
	struct memdisk *d = must(calloc(1, sizeof(*d)));

	d->is_on = true;
	d->fail_after = UINT64_MAX;
	d->limit_bytes = UINT64_MAX;
	d->fill_after = UINT64_MAX;
	snprintf(d->name, sizeof(d->name), "memdisk-%p", (void *)d);
	d->vfs = (sqlite3_vfs){
		.iVersion = 2,
		.szOsFile = sizeof(struct handle),
		.mxPathname = NAME_MAX_BYTES,
		.zName = d->name,
		.pAppData = d,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xGetLastError = vfs_last_error,
		.xCurrentTimeInt64 = vfs_current_time,
	};
	if (sqlite3_vfs_register(&d->vfs, 0) != SQLITE_OK)
		must(NULL);
	return d;
}

static void *must_copy(const void *from, size_t size)
{
	return size ? memcpy(must(malloc(size)), from, size) : NULL;
}

static struct memfile *copy_file(const struct memfile *f)
{
	struct memfile *copy = must(calloc(1, sizeof(*copy)));

	copy->name = must(strdup(f->name));
	copy->data = must_copy(f->data, f->cap);
	copy->size = f->size;
	copy->cap = f->cap;
	copy->synced_size = f->synced_size;
	copy->dirty = must_copy(f->dirty, f->cap / SECTOR);
	copy->undo = must_copy(f->undo, f->undo_count * sizeof(*f->undo));
	copy->undo_count = copy->undo_cap = f->undo_count;
	return copy;
}

struct memdisk *memdisk_copy(const struct memdisk *d)
{
	struct memdisk *copy = memdisk_new();

	copy->is_on = false;
	copy->random = d->random;
	for (const struct memfile *f = d->files; f; f = f->next) {
		struct memfile *file = f->name ? copy_file(f) : NULL;

		if (!file)
			continue; /* removed: nobody will find it */
		file->next = copy->files;
		copy->files = file;
		copy->stats.bytes += file->size;
	}
	return copy;
}

void memdisk_free(struct memdisk *d)
{
	if (!d)
		return;
	sqlite3_vfs_unregister(&d->vfs);
	while (d->files) {
		assert(d->files->refs == 0);
		unlink_file(d, d->files);
	}
	free(d);
}

const char *memdisk_vfs(const struct memdisk *d)
{
	return d->name;
}

void memdisk_kill(struct memdisk *d)
{
	d->is_on = false;
	d->failing = false;
	d->fail_after = UINT64_MAX;
	d->boots++;
	for (struct memfile *f = d->files; f; f = f->next) {
		f->readers = 0;
		f->reserved = f->pending = NULL;
		shared_release(f->shared);
		f->shared = NULL;
	}
}

void memdisk_crash(struct memdisk *d, struct prng *dice)
{
	memdisk_kill(d);
	for (struct memfile *f = d->files; f; f = f->next) {
		d->stats.bytes -= f->size;
		file_lose(f, dice);
		d->stats.bytes += f->size;
	}
}

void memdisk_on(struct memdisk *d)
{
	d->is_on = true;
}

void memdisk_fail_after(struct memdisk *d, uint64_t ops)
{
	d->fail_after = ops;
}

bool memdisk_has_failed(const struct memdisk *d)
{
	return d->failing;
}

void memdisk_watch(struct memdisk *d, void (*watch)(void *ctx), void *ctx)
{
	d->watch = watch;
	d->watch_ctx = ctx;
}

void memdisk_limit(struct memdisk *d, uint64_t bytes)
{
	d->limit_bytes = bytes;
}

void memdisk_fill_after(struct memdisk *d, uint64_t writes)
{
	d->fill_after = writes;
}

void memdisk_fail_sync_after(struct memdisk *d, uint64_t syncs, uint64_t count)
{
	d->sync_fails_after = syncs;
	d->sync_fails = count;
}

void memdisk_lie(struct memdisk *d, bool lies)
{
	d->lies = lies;
}

struct memdisk_stats memdisk_stats(const struct memdisk *d)
{
	return d->stats;
}
