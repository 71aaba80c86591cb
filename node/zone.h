/* The time zone database of this machine (package tzdata), loaded zone by zone.
 *
 * A zone once loaded is kept as it is, for the length of a command: there are some 600, of which
 * few are used. One thread at a time. */
#ifndef HT_NODE_ZONE_H
#define HT_NODE_ZONE_H

#include "core/tz.h"
#include "core/walltime.h"

#define ZONE_DIR           "/usr/share/zoneinfo"
#define ZONE_NAME_BYTES    (WALLTIME_ZONE_BYTES_MAX + 1) /* with its end */
#define ZONE_VERSION_BYTES 32

struct zone_db;

/* Opens nothing yet; `dir` is copied, NULL is ZONE_DIR. */
MUST_CHECK enum err zone_db_new(struct zone_db **out, const char *dir, struct errmsg *msg);
void zone_db_free(struct zone_db *db);

/* The zone is borrowed until zone_db_free(). ERR_NOT_FOUND for a name that
 * no zone has, a path included: the message proposes names that are close. ERR_IO, or what
 * tz_new() says of a file that is no TZif. */
MUST_CHECK enum err zone_db_get(struct zone_db *db, const char *name, const struct tz **out,
				struct errmsg *msg);

/* The version of the database ("2026f"), read anew; "" if it doesn't tell. */
void zone_db_version(const struct zone_db *db, char out[static ZONE_VERSION_BYTES]);

/* Where a system says in which zone it is. A member may be NULL. */
struct zone_sources {
	const char *variable;       /* the value of $TZ */
	const char *localtime_path; /* a link into the database */
	const char *timezone_path;  /* a file that holds the name */
};

/* $TZ, /etc/localtime and /etc/timezone; borrows from the environment. */
struct zone_sources zone_sources_of_system(void);

/* The zone of this machine, always one that loads. A source that is absent leaves it to the
 * next, none means Etc/UTC as for the C library; but a $TZ that names no zone is ERR_NOT_FOUND
 * and not silently UTC. */
MUST_CHECK enum err zone_db_local(struct zone_db *db, const struct zone_sources *from,
				  char out[static ZONE_NAME_BYTES], struct errmsg *msg);

#endif
