/* The data folder: everything that one node keeps, in one place, mode 0700.
 *
 *     replica.db     the replica (and SQLite's -wal and -shm beside it)
 *     replica.db.next  another one, which is just taking its place (node/swap.h)
 *     replica.mark   how far it was, by which a database that was put back shows
 *     identity.key   the node's two secrets, mode 0600
 *     identity.new   the next ones, while they are being changed
 *     ballast        room to be given up when there is no other (node/ballast.h)
 *     drafts         texts that are open in an editor, or were not stored (node/draft.h)
 *     huitong.conf   settings of the daemon; may be absent
 *     control.sock   where a running daemon listens for the command line
 *     lock           held by the daemon: one per folder
 */
#ifndef HT_NODE_FOLDER_H
#define HT_NODE_FOLDER_H

#include <stdbool.h>

#include "core/err.h"

enum {
	FOLDER_PATH_MAX = 1024, /* with its end */
	FOLDER_FILE_MAX = FOLDER_PATH_MAX + 24,
};

struct folder {
	char path[FOLDER_PATH_MAX]; /* absolute, no slash at its end */
	char database[FOLDER_FILE_MAX];
	char database_next[FOLDER_FILE_MAX];
	char mark[FOLDER_FILE_MAX];
	char identity[FOLDER_FILE_MAX];
	char identity_new[FOLDER_FILE_MAX];
	char drafts[FOLDER_FILE_MAX];
	char config[FOLDER_FILE_MAX];
	char control[FOLDER_FILE_MAX];
	char lock[FOLDER_FILE_MAX];
};

/* Where the data is: `chosen` (--replica), else $HUITONG_REPLICA, else
 * $XDG_DATA_HOME/huitong, else ~/.local/share/huitong. Touches nothing.
 * ERR_LIMIT for a path too long, ERR_INVALID when there is no home. */
MUST_CHECK enum err folder_locate(struct folder *out, const char *chosen, struct errmsg *msg);

/* Make the folder and its parents, or take an existing one; afterwards its
 * mode is 0700. ERR_READONLY, ERR_FULL, ERR_IO. */
MUST_CHECK enum err folder_create(const struct folder *f, struct errmsg *msg);

/* A replica stands there: ERR_NOT_FOUND says how to make one, ERR_READONLY
 * when it can't be entered. */
MUST_CHECK enum err folder_check(const struct folder *f, struct errmsg *msg);

/* Files can be made and changed in it. ERR_READONLY, ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err folder_check_writable(const struct folder *f, struct errmsg *msg);

/* Nobody but the owner can enter it. */
bool folder_is_private(const struct folder *f);

#endif
