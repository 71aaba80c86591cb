#include "node/swap.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/identity.h"
#include "node/lock.h"
#include "node/sys_error.h"

enum err swap_clear(const char *path, struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[SWAP_PATH_BYTES + 8];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (unlink(name) != 0 && errno != ENOENT)
			return sys_error(name, msg);
	}
	return OK;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* "replica.db.20261122T083000Z", by when the next one was made, so that who goes on with a
 * change that was cut short comes to the same name. */
static enum err choose_name(const struct folder *folder, char kept[SWAP_PATH_BYTES],
			    struct errmsg *msg)
{
	struct stat st;
	struct tm parts;
	char stamp[32];

	if (stat(folder->database_next, &st) != 0)
		return sys_error(folder->database_next, msg);
	do {
		gmtime_r(&st.st_mtime, &parts);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
		snprintf(kept, SWAP_PATH_BYTES, "%s.%s", folder->database, stamp);
		st.st_mtime++;
	} while (access(kept, F_OK) == 0 && !is_same_file(kept, folder->database));
	return OK;
}

/* Under another name, too: links, so that it never has none. */
static enum err keep(const struct folder *folder, const char *kept, struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal" };
	char from[SWAP_PATH_BYTES], to[SWAP_PATH_BYTES + 8];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", folder->database, ends[i]);
		snprintf(to, sizeof(to), "%s%s", kept, ends[i]);
		if (link(from, to) != 0 && errno != ENOENT && errno != EEXIST)
			return sys_error(to, msg);
	}
	return OK;
}

/* Each step may have been done before. A -wal that stayed would be taken for the next
 * database's, and damage it. */
static enum err finish(const struct folder *folder, char kept[SWAP_PATH_BYTES], struct errmsg *msg)
{
	static const char *const ends[] = { "-wal", "-shm" };
	char path[SWAP_PATH_BYTES];
	enum err rc = OK;

	kept[0] = '\0';
	if (access(folder->database, F_OK) == 0)
		rc = choose_name(folder, kept, msg);
	if (rc == OK && *kept)
		rc = keep(folder, kept, msg);
	for (size_t i = 0; rc == OK && i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", folder->database, ends[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			rc = sys_error(path, msg);
	}
	return rc == OK ? identity_rename(folder->database_next, folder->database, msg) : rc;
}

enum err swap_in(const struct folder *folder, const char *fresh, char kept[SWAP_PATH_BYTES],
		 struct errmsg *msg)
{
	enum err rc = identity_rename(fresh, folder->database_next, msg);

	return rc == OK ? finish(folder, kept, msg) : rc;
}

enum err swap_settle(const struct folder *folder, struct errmsg *msg)
{
	char kept[SWAP_PATH_BYTES];
	int lock_fd = -1;
	enum err rc;

	if (access(folder->database_next, F_OK) != 0)
		return OK;
	rc = lock_take(&lock_fd, folder->lock, msg);
	/* Another process may have been faster. */
	if (rc == OK && access(folder->database_next, F_OK) == 0)
		rc = finish(folder, kept, msg);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
