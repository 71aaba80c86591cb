/* The file: found, opened, set up. */
#include "core/store_impl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 5000, BUSY_PAUSE_MS = 2, CACHE_KIB = 8192 };

/* SQLite's own pauses grow to 100 ms. Between two transactions of somebody who has many, and a
 * slow disk, there is less than one: who looks that seldom may never find the moment. */
static int await_turn(void *ctx, int tries)
{
	const struct store *s = ctx;
	sqlite3_vfs *vfs = sqlite3_vfs_find(s->vfs);

	if (tries >= BUSY_TIMEOUT_MS / BUSY_PAUSE_MS)
		return 0;
	vfs->xSleep(vfs, BUSY_PAUSE_MS * 1000);
	return 1;
}

static enum err configure(struct store *s, struct errmsg *msg)
{
	struct buf sql = BUF_EMPTY;

	sqlite3_busy_handler(s->db, await_turn, s);
	store_watch_log(s);
	sqlite3_extended_result_codes(s->db, 1);
	/* What can't be parsed of the schema is left out, instead of everything. */
	if (s->is_damaged)
		buf_append_str(&sql, "PRAGMA writable_schema = ON; ");
	buf_printf(&sql,
		   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; "
		   "PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY; "
		   "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;",
		   CACHE_KIB);
	return store_exec_buf(s, &sql, msg);
}

/* The first thing that writes to the file. Of two processes that do it at once
 * SQLite sends one away without waiting. */
static enum err switch_to_wal(struct store *s, struct errmsg *msg)
{
	static const char sql[] = "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 8388608;";
	enum err rc = s->read_only ? OK : store_exec(s, sql, msg);

	for (int tries = 0; rc == ERR_BUSY && await_turn(s, tries); tries++)
		rc = store_exec(s, sql, msg);
	return rc;
}

/* The file's disk is mounted read-only, and no writer left a log beside it: there
 * SQLite can't make the files by which readers and writers meet. */
static bool is_frozen(const char *path)
{
	char wal[PATH_MAX];

	if (access(path, W_OK) == 0 || errno != EROFS)
		return false;
	return snprintf(wal, sizeof(wal), "%s-wal", path) < (int)sizeof(wal) &&
	       access(wal, F_OK) != 0;
}

/* Nobody can change the file: SQLite need not watch out. */
static int open_frozen(struct store *s)
{
	struct buf uri = BUF_EMPTY;
	int result = SQLITE_NOMEM;

	buf_append_str(&uri, "file:");
	for (const char *c = s->path; *c; c++)
		buf_printf(&uri, strchr("%?#", *c) ? "%%%02x" : "%c", (unsigned char)*c);
	buf_append_str(&uri, "?immutable=1");
	buf_append_byte(&uri, 0);
	if (buf_check(&uri) == OK)
		result = sqlite3_open_v2(
			(const char *)uri.data, &s->db,
			SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	buf_release(&uri);
	return result;
}

static enum err open_database(struct store *s, bool create, struct errmsg *msg)
{
	int flags = s->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	bool on_disk = !s->vfs && strcmp(s->path, ":memory:") != 0;
	int result;

	if (on_disk && !create && access(s->path, F_OK) != 0)
		return errmsg_set(msg, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", s->path,
				  strerror(errno));
	if (create)
		flags |= SQLITE_OPEN_CREATE;
	if (on_disk && s->read_only && is_frozen(s->path))
		result = open_frozen(s);
	else
		result = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, s->vfs);
	return result == SQLITE_OK ? OK : store_error(s, result, "open", msg);
}

enum err store_connect(struct store *s, bool create, struct errmsg *msg)
{
	bool is_empty;
	enum err rc = open_database(s, create, msg);

	if (rc == OK)
		rc = configure(s, msg);
	if (rc == OK)
		rc = store_know_sums(s, msg);
	if (rc == OK)
		rc = store_check_owner(s, create, &is_empty, msg);
	return rc == OK ? switch_to_wal(s, msg) : rc;
}
