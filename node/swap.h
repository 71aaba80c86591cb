/* Another database in the place of the one of now, which is kept beside it. The daemon must
 * not run: the caller holds its lock. */
#ifndef HT_NODE_SWAP_H
#define HT_NODE_SWAP_H

#include <stdint.h>

#include "node/folder.h"

enum { SWAP_PATH_BYTES = FOLDER_FILE_MAX + 64 };

/* Remove a database with what belongs to it: what a try that failed has left. */
MUST_CHECK enum err swap_clear(const char *path, struct errmsg *msg);

/* Put the database `fresh` in place. *kept: where the one of now is afterwards,
 * "replica.db.20261122T083000Z", with its -wal; "" if there was none. All is kept before
 * anything goes. */
MUST_CHECK enum err swap_in(const struct folder *folder, const char *fresh, uint64_t now_ms,
			    char kept[SWAP_PATH_BYTES], struct errmsg *msg);

#endif
