#include "node/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/zone_guess.h"

#define UTC_NAME   "Etc/UTC"
#define PATH_BYTES 4096

struct entry {
	struct entry *next;
	char name[ZONE_NAME_BYTES];
	struct tz *tz;
};

struct zone_db {
	char *dir;
	struct entry *entries;
};

enum err zone_db_new(struct zone_db **out, const char *dir, struct errmsg *msg)
{
	struct zone_db *db = calloc(1, sizeof(*db));

	if (db)
		db->dir = strdup(dir ? dir : ZONE_DIR);
	if (!db || !db->dir) {
		free(db);
		return errmsg_set(msg, ERR_NOMEM, _("out of memory"));
	}
	*out = db;
	return OK;
}

static void entry_free(struct entry *entry)
{
	tz_free(entry->tz);
	free(entry);
}

void zone_db_free(struct zone_db *db)
{
	if (!db)
		return;
	while (db->entries) {
		struct entry *entry = db->entries;

		db->entries = entry->next;
		entry_free(entry);
	}
	free(db->dir);
	free(db);
}

/* --- loading --- */

/* False for a path too long to exist. */
static bool zone_path(const struct zone_db *db, const char *name, char path[static PATH_BYTES])
{
	int size = snprintf(path, PATH_BYTES, "%s/%s", db->dir, name);

	return size >= 0 && size < PATH_BYTES;
}

/* Up to TZ_FILE_BYTES_MAX + 1 bytes, so that a file too long shows. */
static enum err read_all(int fd, const char *path, struct buf *out, struct errmsg *msg)
{
	uint8_t *at = buf_grow(out, TZ_FILE_BYTES_MAX + 1);
	size_t size = 0;

	if (!at)
		return errmsg_set(msg, ERR_NOMEM, _("out of memory"));
	while (size <= TZ_FILE_BYTES_MAX) {
		ssize_t got = read(fd, at + size, TZ_FILE_BYTES_MAX + 1 - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errmsg_set(msg, ERR_IO, _("read %s: %s"), path, strerror(errno));
		if (got == 0)
			break;
		size += (size_t)got;
	}
	out->size = size;
	return OK;
}

static enum err unknown(const struct zone_db *db, const char *name, struct errmsg *msg)
{
	char close[ZONE_GUESS_BYTES];

	if (msg && zone_guess(db->dir, name, close))
		return errmsg_set(msg, ERR_NOT_FOUND,
				  _("there is no time zone '%s'; did you mean %s?"), name, close);
	return errmsg_set(msg, ERR_NOT_FOUND, _("there is no time zone '%s'"), name);
}

static enum err open_zone(const struct zone_db *db, const char *name, int *out, struct errmsg *msg)
{
	char path[PATH_BYTES];
	struct stat st;
	int fd = -1;

	if (walltime_zone_is_valid(bytes_of_str(name)) && zone_path(db, name, path)) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
			return errmsg_set(msg, ERR_IO, _("open %s: %s"), path, strerror(errno));
	}
	/* "Asia" is a folder. */
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return unknown(db, name, msg);
	}
	*out = fd;
	return OK;
}

static enum err load(const struct zone_db *db, const char *name, struct entry *entry,
		     struct errmsg *msg)
{
	struct buf file = BUF_EMPTY;
	int fd = -1;
	enum err rc;

	rc = open_zone(db, name, &fd, msg);
	if (rc)
		goto out;
	rc = read_all(fd, name, &file, msg);
	if (rc)
		goto out;
	rc = tz_new(&entry->tz, buf_bytes(&file), msg);
	if (rc) {
		errmsg_prefix(msg, rc, "%s/%s: ", db->dir, name);
		goto out;
	}
	memcpy(entry->name, name, strlen(name) + 1);
out:
	if (fd >= 0)
		close(fd);
	buf_release(&file);
	return rc;
}

enum err zone_db_get(struct zone_db *db, const char *name, const struct tz **out,
		     struct errmsg *msg)
{
	struct entry *entry;
	enum err rc;

	for (entry = db->entries; entry; entry = entry->next) {
		if (strcmp(entry->name, name) == 0) {
			*out = entry->tz;
			return OK;
		}
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return errmsg_set(msg, ERR_NOMEM, _("out of memory"));
	rc = load(db, name, entry, msg);
	if (rc) {
		entry_free(entry);
		return rc;
	}
	entry->next = db->entries;
	db->entries = entry;
	*out = entry->tz;
	return OK;
}

/* --- the version --- */

/* The first line of a file without its end, cut at `size`; "" if there is none. */
static void first_line(const char *path, char *out, int size)
{
	FILE *file = fopen(path, "re");

	out[0] = '\0';
	if (!file)
		return;
	if (fgets(out, size, file))
		out[strcspn(out, "\r\n")] = '\0';
	else
		out[0] = '\0';
	fclose(file);
}

/* The version where it stands: in the first line of a file, after some words. */
static const struct {
	const char *name, *before;
} version_places[] = {
	{ "tzdata.zi", "# version " },
	{ "+VERSION", "" },
};

void zone_db_version(const struct zone_db *db, char out[static ZONE_VERSION_BYTES])
{
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(version_places) / sizeof(version_places[0]) && !*out; i++) {
		size_t skipped = strlen(version_places[i].before);
		char path[PATH_BYTES], line[ZONE_VERSION_BYTES + 16];

		if (!zone_path(db, version_places[i].name, path))
			continue;
		first_line(path, line, sizeof(line));
		if (strncmp(line, version_places[i].before, skipped) == 0)
			snprintf(out, ZONE_VERSION_BYTES, "%.*s", ZONE_VERSION_BYTES - 1,
				 line + skipped);
	}
}

/* --- this machine's own zone --- */

struct zone_sources zone_sources_of_system(void)
{
	return (struct zone_sources){
		.variable = getenv("TZ"),
		.localtime_path = "/etc/localtime",
		.timezone_path = "/etc/timezone",
	};
}

/* The name in a path into a zone database, or the path itself if it is none. The database also
 * stands below itself, without and with leap seconds. */
static const char *name_in_path(const char *path)
{
	static const char *const folders[] = { "/zoneinfo/posix/", "/zoneinfo/right/",
					       "/zoneinfo/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *at = strstr(path, folders[i]);

		if (at)
			return at + strlen(folders[i]);
	}
	return path;
}

static bool copy_if_known(struct zone_db *db, const char *name, char out[static ZONE_NAME_BYTES],
			  struct errmsg *msg)
{
	const struct tz *tz;

	if (zone_db_get(db, name, &tz, msg) != OK)
		return false;
	memcpy(out, name, strlen(name) + 1);
	return true;
}

/* As the C library reads it: an empty $TZ is UTC, a colon in front means nothing. */
static enum err zone_of_variable(struct zone_db *db, const char *value,
				 char out[static ZONE_NAME_BYTES], struct errmsg *msg)
{
	const char *name = value + (value[0] == ':');
	struct errmsg why = { 0 };

	if (!copy_if_known(db, *name ? name_in_path(name) : UTC_NAME, out, &why))
		return errmsg_set(msg, why.code,
				  _("TZ is '%s': %s (set TZ to a name like Asia/Shanghai)"), value,
				  why.text);
	return OK;
}

enum err zone_db_local(struct zone_db *db, const struct zone_sources *from,
		       char out[static ZONE_NAME_BYTES], struct errmsg *msg)
{
	char text[PATH_BYTES];
	ssize_t size;

	if (from->variable)
		return zone_of_variable(db, from->variable, out, msg);
	if (from->localtime_path) {
		size = readlink(from->localtime_path, text, sizeof(text) - 1);
		text[size > 0 ? size : 0] = '\0';
		if (size > 0 && copy_if_known(db, name_in_path(text), out, NULL))
			return OK;
	}
	if (from->timezone_path) {
		first_line(from->timezone_path, text, sizeof(text));
		if (text[0] && copy_if_known(db, text, out, NULL))
			return OK;
	}
	return copy_if_known(db, UTC_NAME, out, msg) ? OK : ERR_NOT_FOUND;
}
