#include "node/draft.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "node/sys_error.h"
#include "node/text_input.h"

enum {
	VERSION_PATH_MAX = DRAFT_FOLDER_MAX + 16,
	BEGINNING_MAX = 2 * ID_BYTES + DRAFT_WORD_MAX + 4
};

/* What the names of all drafts of one text begin with. */
static void beginning_of(const struct draft_of *of, char out[BEGINNING_MAX])
{
	char id[ID_TEXT_SIZE];

	snprintf(out, BEGINNING_MAX, "%s-%.*s.", id_text(of->record.bytes, id), DRAFT_WORD_MAX - 1,
		 of->word);
}

static void version_path(const struct draft *d, char out[VERSION_PATH_MAX])
{
	snprintf(out, VERSION_PATH_MAX, "%s/version", d->folder);
}

/* ---- The version: the text's file, the command, then a dot a line ----------- */

/* The editor inherits what is open, and with it the lock. Opened to be read, it keeps nobody from
 * making the disk read-only. */
static enum err lock_version(struct draft *d, int how, struct errmsg *msg)
{
	char path[VERSION_PATH_MAX];

	version_path(d, path);
	d->lock = open(path, O_RDONLY);
	if (d->lock < 0 || flock(d->lock, how) != 0)
		return sys_error(path, msg);
	return OK;
}

static enum err write_file(const char *path, const struct buf *text, struct errmsg *msg)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err rc = OK;

	if (fd < 0)
		return sys_error(path, msg);
	if (write(fd, text->data, text->size) != (ssize_t)text->size || fsync(fd) != 0)
		rc = sys_error(path, msg);
	close(fd);
	return rc;
}

static enum err write_version(struct draft *d, const char *name, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	char path[VERSION_PATH_MAX], id[ID_TEXT_SIZE];
	enum err rc;

	version_path(d, path);
	buf_printf(&text, "%s\n%s\n", name, d->command);
	for (size_t i = 0; i < d->head_count; i++)
		buf_printf(&text, "%s/%" PRIu64 "\n", id_text(d->heads[i].replica.bytes, id),
			   d->heads[i].seq);
	rc = buf_check(&text) ? no_memory(msg) : write_file(path, &text, msg);
	buf_release(&text);
	return rc == OK ? lock_version(d, LOCK_EX, msg) : rc;
}

static bool parse_dot(char *line, struct dot *out)
{
	char *slash = strchr(line, '/'), *end;

	if (!slash)
		return false;
	*slash = 0;
	out->seq = strtoull(slash + 1, &end, 10);
	return *end == 0 && hex_decode(out->replica.bytes, ID_BYTES, line) == OK;
}

static enum err parse_version(struct draft *d, char *text)
{
	char *name = strsep(&text, "\n"), *line = strsep(&text, "\n");

	if (!*name || strchr(name, '/') || !line)
		return ERR_FORMAT;
	snprintf(d->path, sizeof(d->path), "%s/%.*s", d->folder, DRAFT_NAME_MAX, name);
	snprintf(d->command, sizeof(d->command), "%s", line);
	d->heads = calloc(RECORD_ENTRIES_MAX, sizeof(*d->heads));
	if (!d->heads)
		return ERR_NOMEM;
	while ((line = strsep(&text, "\n")) && *line) {
		if (d->head_count == RECORD_ENTRIES_MAX ||
		    !parse_dot(line, &d->heads[d->head_count]))
			return ERR_FORMAT;
		d->head_count++;
	}
	return OK;
}

static enum err read_version(struct draft *d, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc = lock_version(d, LOCK_EX | LOCK_NB, msg);

	if (rc == OK)
		rc = text_input_read(d->lock, d->folder, &text, msg);
	buf_append_byte(&text, 0);
	if (rc == OK)
		rc = buf_check(&text);
	if (rc == OK)
		rc = parse_version(d, (char *)text.data);
	buf_release(&text);
	return rc;
}

/* ---- Begin ------------------------------------------------------------------- */

/* "MN-SHA-2026-0001/3" as the name of a file. */
static void file_name(const char *name, char out[DRAFT_NAME_MAX])
{
	size_t size = (size_t)snprintf(out, DRAFT_NAME_MAX - 4, "%s", *name ? name : "text");

	if (size > DRAFT_NAME_MAX - 5)
		size = DRAFT_NAME_MAX - 5;
	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)out[i]) && !strchr("-_", out[i]))
			out[i] = '-';
	memcpy(out + size, ".txt", 5);
}

static enum err make_folder(struct draft *d, const struct folder *folder, const struct draft_of *of,
			    struct errmsg *msg)
{
	char beginning[BEGINNING_MAX];

	if (mkdir(folder->drafts, 0700) != 0 && errno != EEXIST)
		return sys_error(folder->drafts, msg);
	beginning_of(of, beginning);
	snprintf(d->folder, sizeof(d->folder), "%s/%sXXXXXX", folder->drafts, beginning);
	if (!mkdtemp(d->folder)) {
		d->folder[0] = 0;
		return sys_error(folder->drafts, msg);
	}
	return OK;
}

/* With a line end behind it, which many editors insist on. */
static enum err write_text(const struct draft *d, struct bytes text, struct errmsg *msg)
{
	struct buf ended = BUF_EMPTY;
	enum err rc;

	buf_append(&ended, text.data, text.size);
	if (text.size && text.data[text.size - 1] != '\n')
		buf_append_byte(&ended, '\n');
	rc = buf_check(&ended) ? no_memory(msg) : write_file(d->path, &ended, msg);
	buf_release(&ended);
	return rc;
}

enum err draft_new(struct draft *out, const struct folder *folder, const struct draft_of *of,
		   const char *name, const char *command, struct bytes text,
		   const struct dot *heads, size_t head_count, struct errmsg *msg)
{
	struct draft d = DRAFT_NONE;
	char file[DRAFT_NAME_MAX];
	enum err rc = make_folder(&d, folder, of, msg);

	file_name(name, file);
	snprintf(d.path, sizeof(d.path), "%s/%s", d.folder, file);
	snprintf(d.command, sizeof(d.command), "%s", command);
	d.heads = malloc((head_count + 1) * sizeof(*heads));
	if (rc == OK && !d.heads)
		rc = no_memory(msg);
	if (rc == OK) {
		memcpy(d.heads, heads ? heads : d.heads, head_count * sizeof(*heads));
		d.head_count = head_count;
		rc = write_version(&d, file, msg);
	}
	if (rc == OK)
		rc = write_text(&d, text, msg);
	if (rc == OK)
		*out = d;
	else
		draft_remove(&d);
	return rc;
}

/* ---- Find -------------------------------------------------------------------- */

/* With a version that makes no sense it has no path. */
static enum err open_draft(struct draft *out, const struct folder *folder, const char *name)
{
	struct draft d = DRAFT_NONE;
	enum err rc;

	snprintf(d.folder, sizeof(d.folder), "%s/%s", folder->drafts, name);
	rc = read_version(&d, NULL);
	if (rc == OK && draft_time_s(&d) == 0)
		rc = ERR_NOT_FOUND;
	if (rc == ERR_FORMAT) {
		d.path[0] = 0;
		rc = draft_has_more(&d) ? OK : ERR_NOT_FOUND;
	}
	if (rc == OK)
		*out = d;
	else
		draft_close(&d);
	return rc;
}

/* The name of a draft's folder: whose text it is. */
static bool parse_of(const char *name, struct draft_of *of, char word[DRAFT_WORD_MAX])
{
	char id[ID_TEXT_SIZE];

	if (sscanf(name, "%32[0-9a-f]-%31[a-z_-].", id, word) != 2)
		return false;
	of->word = word;
	return hex_decode(of->record.bytes, ID_BYTES, id) == OK;
}

static void each(const struct folder *folder, const char *beginning, draft_visit *visit, void *ctx)
{
	DIR *drafts = opendir(folder->drafts);
	struct dirent *entry;

	while (drafts && (entry = readdir(drafts))) {
		char word[DRAFT_WORD_MAX];
		struct draft_of of;
		struct draft one;

		if (strncmp(entry->d_name, beginning, strlen(beginning)) != 0 ||
		    !parse_of(entry->d_name, &of, word) ||
		    open_draft(&one, folder, entry->d_name) != OK)
			continue;
		visit(ctx, &of, &one);
		draft_close(&one);
	}
	if (drafts)
		closedir(drafts);
}

void draft_each(const struct folder *folder, draft_visit *visit, void *ctx)
{
	each(folder, "", visit, ctx);
}

static void keep_newest(void *ctx, const struct draft_of *of, struct draft *d)
{
	struct draft *newest = ctx;

	if (!d->path[0] || (newest->folder[0] && draft_time_s(newest) >= draft_time_s(d)))
		return;
	draft_close(newest);
	*newest = *d;
	*d = DRAFT_NONE;
}

enum err draft_find(struct draft *out, const struct folder *folder, const struct draft_of *of,
		    struct errmsg *msg)
{
	struct draft found = DRAFT_NONE;
	char beginning[BEGINNING_MAX];

	beginning_of(of, beginning);
	each(folder, beginning, keep_newest, &found);
	if (!found.folder[0])
		return errmsg_set(msg, ERR_NOT_FOUND, "no draft in %s", folder->drafts);
	*out = found;
	return OK;
}

/* ---- Use --------------------------------------------------------------------- */

enum err draft_read(const struct draft *d, struct buf *out, struct errmsg *msg)
{
	int fd = open(d->path, O_RDONLY | O_CLOEXEC);
	enum err rc;

	if (fd < 0)
		return sys_error(d->path, msg);
	rc = text_input_read(fd, d->path, out, msg);
	close(fd);
	return rc;
}

int64_t draft_time_s(const struct draft *d)
{
	struct stat st;

	return stat(d->path[0] ? d->path : d->folder, &st) == 0 ? (int64_t)st.st_mtime : 0;
}

bool draft_has_more(const struct draft *d)
{
	const char *name = strrchr(d->path, '/');
	const char *own[] = { ".", "..", "version", name ? name + 1 : "version" };
	DIR *folder = opendir(d->folder);
	struct dirent *entry;
	bool found = false;

	while (folder && (entry = readdir(folder)) && !found) {
		found = true;
		for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
			if (strcmp(entry->d_name, own[i]) == 0)
				found = false;
	}
	if (folder)
		closedir(folder);
	return found;
}

static void remove_files(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0); /* all but . and .. */
	if (folder)
		closedir(folder);
	rmdir(path);
}

void draft_remove(struct draft *d)
{
	if (d->folder[0])
		remove_files(d->folder);
	draft_close(d);
}

void draft_close(struct draft *d)
{
	if (d->lock >= 0)
		close(d->lock);
	free(d->heads);
	*d = DRAFT_NONE;
}
