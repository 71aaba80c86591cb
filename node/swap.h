/* Another database in the place of the one of now, which is kept beside it. The daemon must
 * not run.
 *
 * A database and its -wal can't change names at once. So the next one first takes the name
 * replica.db.next: from then on it is decided, and whoever comes later can finish it. */
#ifndef HT_NODE_SWAP_H
#define HT_NODE_SWAP_H

#include "node/folder.h"

enum { SWAP_PATH_BYTES = FOLDER_FILE_MAX + 64 };

/* Remove a database with what belongs to it: what a try that failed has left. */
MUST_CHECK enum err swap_clear(const char *path, struct errmsg *msg);

/* Put the database `fresh`, which has no -wal, in place. *kept: where the one of now is
 * afterwards, "replica.db.20261122T083000Z", with its -wal; "" if there was none. The caller
 * holds the daemon's lock. */
MUST_CHECK enum err swap_in(const struct folder *folder, const char *fresh,
			    char kept[SWAP_PATH_BYTES], struct errmsg *msg);

/* Finish what a process that was killed has begun; before anything opens the database.
 * ERR_BUSY while another is at it. */
MUST_CHECK enum err swap_settle(const struct folder *folder, struct errmsg *msg);

#endif
