/* One daemon for each data folder: a lock that the kernel releases even when its
 * holder is killed. */
#ifndef HT_NODE_LOCK_H
#define HT_NODE_LOCK_H

#include "core/err.h"

/* Take the lock and write our process id into it; *fd holds it until closed.
 * ERR_BUSY names the process that has it; ERR_READONLY, ERR_FULL, ERR_IO. */
MUST_CHECK enum err lock_take(int *fd, const char *path, struct errmsg *msg);

#endif
