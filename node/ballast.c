#include "node/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "node/sys_error.h"

enum {
	NOTHING_LEFT_BYTES = 1 << 20,
	RETRY_MS = 60000, /* after it could not be made, or was given up on a disk with room */
};

void ballast_init(struct ballast *b, const char *folder)
{
	*b = (struct ballast){ .room = ROOM_AMPLE };
	snprintf(b->folder, sizeof(b->folder), "%s", folder);
	snprintf(b->path, sizeof(b->path), "%s/ballast", folder);
}

void ballast_set(struct ballast *b, uint64_t size_bytes, uint64_t low_water_bytes)
{
	b->size_bytes = size_bytes;
	b->low_water_bytes = low_water_bytes;
	b->not_before_ms = 0;
}

const char *room_name(enum room room)
{
	static const char *const names[] = { "ample", "low", "none" };

	return names[room];
}

static enum err look_at_disk(struct ballast *b, struct errmsg *msg)
{
	struct statvfs fs;
	struct stat st;

	if (statvfs(b->folder, &fs) != 0)
		return sys_error(b->folder, msg);
	b->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	b->is_there =
		b->size_bytes && stat(b->path, &st) == 0 && (uint64_t)st.st_size == b->size_bytes;
	return OK;
}

static enum room room_of(const struct ballast *b)
{
	uint64_t owed = b->is_there ? 0 : b->size_bytes;
	uint64_t mark = b->low_water_bytes;

	if (b->room != ROOM_AMPLE)
		mark += mark / 4;
	if (b->free_bytes < NOTHING_LEFT_BYTES)
		return ROOM_NONE;
	return b->free_bytes < owed + mark ? ROOM_LOW : ROOM_AMPLE;
}

static enum err make(struct ballast *b, struct errmsg *msg)
{
	int fd, cause;

	unlink(b->path); /* of another size */
	if (b->size_bytes == 0)
		return OK;
	fd = open(b->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return sys_error(b->path, msg);
	cause = posix_fallocate(fd, 0, (off_t)b->size_bytes);
	close(fd);
	if (cause == 0)
		return OK;
	unlink(b->path);
	errno = cause;
	return sys_error(b->path, msg);
}

/* Where the numbers are no help, it must not come and go with each look. */
static enum err give_up(struct ballast *b, uint64_t now_ms, struct errmsg *msg)
{
	if (b->room == ROOM_AMPLE)
		b->not_before_ms = now_ms + RETRY_MS;
	return unlink(b->path) == 0 ? OK : sys_error(b->path, msg);
}

static enum err make_if_due(struct ballast *b, uint64_t now_ms, struct errmsg *msg)
{
	enum err rc;

	if (b->is_there || b->room != ROOM_AMPLE || now_ms < b->not_before_ms)
		return OK;
	rc = make(b, msg);
	if (rc != OK)
		b->not_before_ms = now_ms + RETRY_MS;
	else if (b->size_bytes == 0)
		b->not_before_ms = UINT64_MAX;
	return rc;
}

enum err ballast_look(struct ballast *b, uint64_t now_ms, bool is_full, struct errmsg *msg)
{
	enum err rc = look_at_disk(b, msg);

	if (rc != OK)
		return rc;
	b->room = room_of(b);
	if (b->is_there && (is_full || b->room == ROOM_NONE))
		rc = give_up(b, now_ms, msg);
	else
		rc = make_if_due(b, now_ms, msg);
	if (look_at_disk(b, NULL) == OK)
		b->room = room_of(b);
	return rc;
}
