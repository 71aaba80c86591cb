/* Backups, checks and figures. */
#include "core/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_TABLE "sqlite_schema"

enum { BACKUP_PAGES_A_STEP = 256, BACKUP_BUSY_PAUSE_MS = 20 };

/* Fails when the file exists: a backup never overwrites. */
static enum err create_empty(const char *path, struct errmsg *msg)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		return errmsg_set(msg, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %s", path,
				  strerror(errno));
	close(fd);
	return OK;
}

static int copy_pages(sqlite3_backup *backup, void (*progress)(void *, uint64_t, uint64_t),
		      void *ctx)
{
	int result;

	do {
		result = sqlite3_backup_step(backup, BACKUP_PAGES_A_STEP);
		if (progress) {
			uint64_t total = (uint64_t)sqlite3_backup_pagecount(backup);

			progress(ctx, total - (uint64_t)sqlite3_backup_remaining(backup), total);
		}
		if (result == SQLITE_BUSY || result == SQLITE_LOCKED)
			sqlite3_sleep(BACKUP_BUSY_PAUSE_MS);
	} while (result == SQLITE_OK || result == SQLITE_BUSY || result == SQLITE_LOCKED);
	return result;
}

static enum err backup_into(struct store *s, struct store *copy,
			    void (*progress)(void *, uint64_t, uint64_t), void *ctx,
			    struct errmsg *msg)
{
	sqlite3_backup *backup;
	int result = sqlite3_open_v2(copy->path, &copy->db, SQLITE_OPEN_READWRITE, NULL);

	if (result != SQLITE_OK)
		return store_error(copy, result, "open", msg);
	backup = sqlite3_backup_init(copy->db, "main", s->db, "main");
	if (!backup)
		return store_error(copy, sqlite3_errcode(copy->db), "backup", msg);
	copy_pages(backup, progress, ctx);
	result = sqlite3_backup_finish(backup);
	if (result != SQLITE_OK)
		return store_error(copy, result, "backup", msg);
	/* One file: without this the copy would want a -wal beside it. */
	return store_exec(copy, "PRAGMA journal_mode = DELETE", msg);
}

enum err store_backup(struct store *s, const char *path,
		      void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		      struct errmsg *msg)
{
	struct store copy = { .path = (char *)path };
	enum err rc = create_empty(path, msg);

	if (rc != OK)
		return rc;
	rc = backup_into(s, &copy, progress, ctx, msg);
	sqlite3_close(copy.db);
	if (rc != OK)
		unlink(path);
	return rc;
}

static bool has_no_row(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(stmt);
	sqlite3_finalize(stmt);
	return result == SQLITE_DONE;
}

/* The tables are made first, then an id is drawn. Opened to write: what was cut short is
 * rolled back first. */
bool store_is_blank(const char *path)
{
	sqlite3 *db = NULL;
	bool is_blank = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
			(has_no_row(db, "SELECT 1 FROM sqlite_schema") ||
			 has_no_row(db, "SELECT 1 FROM setting WHERE key = 'replica' "
					"UNION ALL SELECT 1 FROM changeset"));

	sqlite3_close(db);
	return is_blank;
}

static enum err check_structure(struct store *s, const char *sql, struct errmsg *msg)
{
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
	enum err rc = OK;

	if (result == SQLITE_OK)
		result = sqlite3_step(stmt);
	if (result != SQLITE_ROW)
		rc = store_error(s, result, sql, msg);
	else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		rc = errmsg_set(msg, ERR_CORRUPT, "%s: %s", s->path,
				(const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return rc;
}

enum err store_quick_check(struct store *s, struct errmsg *msg)
{
	return check_structure(s, "PRAGMA quick_check(1)", msg);
}

/* Its rows are read, with their sums, when the state is compared with a sound log. */
static bool is_compared(const char *table)
{
	return strncmp(table, "r_", 2) == 0 || strcmp(table, "element") == 0;
}

enum err store_check_table(struct store *s, const char *table, struct errmsg *msg)
{
	const char *check = strcmp(table, "changeset") == 0 ? "quick_check" : "integrity_check";
	char sql[TABLE_NAME_BYTES + 32];
	enum err rc;

	snprintf(sql, sizeof(sql), "PRAGMA %s(%s)", check, table);
	rc = check_structure(s, sql, msg);
	if (rc == OK && strcmp(table, SCHEMA_TABLE) == 0)
		return store_check_definitions(s, msg);
	return rc == OK && !is_compared(table) ? store_check_sums(s, table, msg) : rc;
}

void store_forget_pages(struct store *s)
{
	sqlite3_db_release_memory(s->db);
}

static bool is_state_table(const char *name)
{
	static const char *const names[] = { "element", "conflict", "text_edit", "text_pack",
					     "text_piece" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "r_", 2) == 0;
}

/* The name, or "" after the last. */
static enum err read_table_name(struct store *s, size_t place, char out[TABLE_NAME_BYTES],
				struct errmsg *msg)
{
	struct value offset = value_int((int64_t)place);
	struct rows *rows;
	enum err rc = store_rows_open(&rows, s,
				      "SELECT name FROM sqlite_schema WHERE type = 'table' "
				      "ORDER BY name LIMIT 1 OFFSET ?",
				      &offset, 1, msg);

	if (rc != OK)
		return rc;
	out[0] = '\0';
	if (rows_next(rows))
		snprintf(out, TABLE_NAME_BYTES, "%s", rows_text(rows, 0));
	return rows_close(rows, msg);
}

enum err store_table(struct store *s, size_t place, char out[TABLE_NAME_BYTES], bool *is_state,
		     struct errmsg *msg)
{
	char name[TABLE_NAME_BYTES] = SCHEMA_TABLE;
	enum err rc = place ? read_table_name(s, place - 1, name, msg) : OK;

	if (rc == OK && !name[0])
		return ERR_NOT_FOUND;
	if (rc != OK)
		return rc;
	memcpy(out, name, sizeof(name));
	*is_state = is_state_table(name);
	return OK;
}

enum err store_integrity_check(struct store *s, struct errmsg *msg)
{
	char table[TABLE_NAME_BYTES];
	bool ignored;
	enum err rc = check_structure(s, "PRAGMA integrity_check(1)", msg);

	if (rc == OK)
		rc = store_check_definitions(s, msg);
	for (size_t place = 1; rc == OK; place++) {
		rc = store_table(s, place, table, &ignored, msg);
		if (rc == OK)
			rc = store_check_sums(s, table, msg);
	}
	return rc == ERR_NOT_FOUND ? OK : rc;
}

enum err store_hurry(struct store *s, bool hurry, struct errmsg *msg)
{
	if (hurry)
		return store_exec(s, "PRAGMA synchronous = OFF", msg);
	return store_exec(s, "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)", msg);
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static enum err count_rows(struct store *s, const char *table, uint64_t *out, struct errmsg *msg)
{
	char sql[128];
	struct rows *rows;
	enum err rc;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	rc = store_rows_open(&rows, s, sql, NULL, 0, msg);
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		*out += (uint64_t)rows_int(rows, 0);
	return rows_close(rows, msg);
}

enum err store_stats(struct store *s, struct replica_stats *out, struct errmsg *msg)
{
	uint64_t records = 0, conflicts = 0;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	enum err rc = count_rows(s, "(SELECT DISTINCT space, record, kind FROM conflict)",
				 &conflicts, msg);

	for (size_t i = 0; rc == OK && i < count; i++) {
		char table[64];

		snprintf(table, sizeof(table), "r_%s", kinds[i].name);
		rc = count_rows(s, table, &records, msg);
	}
	if (rc != OK)
		return rc;
	out->records = records;
	out->conflicts = conflicts;
	out->database_bytes = file_bytes(s->path, "");
	out->wal_bytes = file_bytes(s->path, "-wal");
	return OK;
}
