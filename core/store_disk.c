/* What a disk does: run full, fail to write, and forget what it failed to write.
 *
 * After a sync that failed, what can be read need not be on the disk, and a later
 * sync that succeeds does not say that it is: the system may have dropped it.
 * So nothing is written through that connection any more. Before the next
 * write, or before anything is sent, another one is opened, which writes again
 * whatever is not surely there, and looks at the whole structure. */
#include "core/store_impl.h"

enum { CHECKPOINT_FRAMES = 1000, CHECKPOINT_PAUSE_MS = 20, CHECKPOINT_WAIT_MS = 5000 };

/* ---- Taking note ----------------------------------------------------------------- */

bool store_is_failure(int result)
{
	return result == SQLITE_IOERR_WRITE || result == SQLITE_IOERR_FSYNC ||
	       result == SQLITE_IOERR_DIR_FSYNC || result == SQLITE_IOERR_TRUNCATE;
}

void store_note_result(struct store *s, int result)
{
	if (store_is_failure(result))
		s->disk = DISK_FAILED;
	else if ((result & 0xff) == SQLITE_FULL && s->disk == DISK_GOOD)
		s->disk = DISK_FULL;
}

enum disk_state store_disk(const struct store *s)
{
	return s->disk;
}

/* As SQLite does it by itself, but that a failure is noticed. The commit before it
 * stands. */
static int checkpoint_when_long(void *ctx, sqlite3 *db, const char *name, int frames)
{
	if (frames >= CHECKPOINT_FRAMES)
		store_note_result(ctx, sqlite3_wal_checkpoint_v2(
					       db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL));
	return SQLITE_OK;
}

void store_watch_log(struct store *s)
{
	sqlite3_wal_hook(s->db, checkpoint_when_long, s);
}

/* ---- Making sure ----------------------------------------------------------------- */

/* Write the log into the database as far as nobody reads it, after syncing it. */
static int checkpoint(struct store *s)
{
	int result = SQLITE_BUSY;

	/* Busy is only who does the same; that is not to be waited for long. */
	for (int waited = 0; result == SQLITE_BUSY && waited < CHECKPOINT_WAIT_MS;
	     waited += CHECKPOINT_PAUSE_MS) {
		if (waited)
			sqlite3_sleep(CHECKPOINT_PAUSE_MS);
		result = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
						   NULL);
	}
	return result;
}

/* The log of a process that died is read back whether or not it was synced, and
 * whether or not a sync of it had failed: then what is appended to it may not be
 * found again. What we write ourselves is synced by its commit. */
static enum err settle(struct store *s, struct errmsg *msg)
{
	int result;

	if (s->is_settled || s->read_only || sqlite3_txn_state(s->db, NULL) != SQLITE_TXN_NONE)
		return OK;
	result = checkpoint(s);
	/* On a full disk the log was synced all the same, before the first page. */
	s->is_settled = result == SQLITE_OK || (result & 0xff) == SQLITE_FULL;
	return s->is_settled ? OK : store_error(s, result, "checkpoint", msg);
}

static enum err reopen(struct store *s, struct errmsg *msg)
{
	enum err rc = store_connect(s, false, msg);

	s->is_settled = false;
	if (rc == OK)
		rc = settle(s, msg);
	if (rc == OK)
		rc = store_quick_check(s, msg);
	return rc;
}

/* The old connection serves readers until the new one is found good. */
static enum err mend(struct store *s, struct errmsg *msg)
{
	sqlite3 *old = s->db;
	enum err rc;

	s->db = NULL;
	rc = reopen(s, msg);
	if (rc != OK) {
		sqlite3_close(s->db);
		s->db = old;
		s->disk = DISK_FAILED;
		return errmsg_prefix(msg, rc, "checking the disk after it failed: ");
	}
	store_forget_queries(s);
	sqlite3_close_v2(old); /* somebody may still be reading rows */
	s->openings++;
	s->disk = DISK_GOOD;
	return OK;
}

enum err store_settle(struct store *s, struct errmsg *msg)
{
	return s->disk == DISK_FAILED ? mend(s, msg) : settle(s, msg);
}

enum err store_ready(struct store *s, struct errmsg *msg)
{
	enum err rc = store_settle(s, msg);

	if (rc == OK)
		s->disk = DISK_GOOD; /* until what follows says otherwise */
	return rc;
}

void store_leave(struct store *s)
{
	/* SQLite writes when the last connection closes. */
	if (s->db && s->disk == DISK_FAILED && mend(s, NULL) != OK)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}
