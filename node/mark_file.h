/* The high-water mark (docs/DATA_MODEL.md, M-18): one line beside the database that
 * says how many changesets it had. A database that was put back has fewer.
 *
 *     huitong-mark-1 <replica, 32 hex digits> <count, 20 digits> <check, 16 hex digits>
 *
 * Written in place and not synced: a mark that is too old shows less, a commit
 * costs no more. A line that is not whole counts as none. */
#ifndef HT_NODE_MARK_FILE_H
#define HT_NODE_MARK_FILE_H

#include "core/replica.h"

struct mark_file {
	const char *path; /* borrowed */
	int fd;           /* -1: not open yet */
	struct mark_port port;
};

/* Touches nothing. `m` stays where it is while the port is in use. */
void mark_file_init(struct mark_file *m, const char *path);
void mark_file_release(struct mark_file *m);

#endif
