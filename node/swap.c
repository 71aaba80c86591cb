#include "node/swap.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "node/identity.h"
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

/* "replica.db.20261122T083000Z": under that name the database of now is kept, with its
 * -wal. "" when there is none. */
static enum err keep(const struct folder *folder, uint64_t now_ms, char kept[SWAP_PATH_BYTES],
		     struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal" };
	time_t now_s = (time_t)(now_ms / 1000);
	char stamp[32], from[SWAP_PATH_BYTES], to[SWAP_PATH_BYTES + 8];
	struct tm parts;

	kept[0] = '\0';
	if (access(folder->database, F_OK) != 0)
		return OK;
	gmtime_r(&now_s, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &parts);
	snprintf(kept, SWAP_PATH_BYTES, "%s.%s", folder->database, stamp);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", folder->database, ends[i]);
		snprintf(to, sizeof(to), "%s%s", kept, ends[i]);
		if (link(from, to) != 0 && errno != ENOENT)
			return sys_error(to, msg);
	}
	return OK;
}

/* All is kept before anything goes. A -wal that stayed would be taken for the new
 * database's, and damage it. */
enum err swap_in(const struct folder *folder, const char *fresh, uint64_t now_ms,
		 char kept[SWAP_PATH_BYTES], struct errmsg *msg)
{
	static const char *const ends[] = { "-wal", "-shm" };
	char path[SWAP_PATH_BYTES];
	enum err rc = keep(folder, now_ms, kept, msg);

	for (size_t i = 0; rc == OK && i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", folder->database, ends[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			rc = sys_error(path, msg);
	}
	return rc == OK ? identity_rename(fresh, folder->database, msg) : rc;
}
