/* Room on the disk under the data folder.
 *
 *           less than the low-water mark      nothing left
 *   AMPLE ------------------------------> LOW ------------> NONE
 *     ^                                    |
 *     +---- a quarter more than the mark --+
 *
 * The ballast is a file that takes some room while there is plenty, to be given up
 * when there is none: on a full disk even deleting a row, or writing the log into
 * the database, needs some. What it ought to take, and does not, is not counted
 * as free: giving it up makes no room for anything but the last local edits. */
#ifndef HT_NODE_BALLAST_H
#define HT_NODE_BALLAST_H

#include <stdint.h>

#include "node/folder.h"

enum room { ROOM_AMPLE, ROOM_LOW, ROOM_NONE };

struct ballast {
	char folder[FOLDER_PATH_MAX];
	char path[FOLDER_FILE_MAX];
	uint64_t size_bytes;      /* 0: no ballast */
	uint64_t low_water_bytes; /* 0: no mark */
	bool is_there;
	enum room room;
	uint64_t free_bytes;    /* at the last look */
	uint64_t not_before_ms; /* to make it again; monotonic */
};

/* AMPLE until the first look. Touches nothing. */
void ballast_init(struct ballast *b, const char *folder);
/* From the next look on. */
void ballast_set(struct ballast *b, uint64_t size_bytes, uint64_t low_water_bytes);

/* Look at the disk; make the ballast, or give it up. `is_full`: something has just
 * been refused for want of space, whatever the file system says (quotas). On
 * failure the rest is up to date all the same. ERR_IO and what sys_error() says. */
MUST_CHECK enum err ballast_look(struct ballast *b, uint64_t now_ms, bool is_full,
				 struct errmsg *msg);

const char *room_name(enum room room); /* "ample", "low", "none" */

#endif
