#include "node/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/sys_error.h"

_Static_assert(sizeof("/replica.db.next") <= FOLDER_FILE_MAX - FOLDER_PATH_MAX,
	       "the longest file name must fit");

static bool is_set(const char *text)
{
	return text && *text;
}

/* The folder as it was asked for, perhaps relative. */
static enum err choose(char out[FOLDER_PATH_MAX], const char *chosen, struct errmsg *msg)
{
	const char *variable = getenv("HUITONG_REPLICA");
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	int size;

	if (is_set(chosen))
		size = snprintf(out, FOLDER_PATH_MAX, "%s", chosen);
	else if (is_set(variable))
		size = snprintf(out, FOLDER_PATH_MAX, "%s", variable);
	else if (is_set(data) && data[0] == '/')
		size = snprintf(out, FOLDER_PATH_MAX, "%s/huitong", data);
	else if (is_set(home))
		size = snprintf(out, FOLDER_PATH_MAX, "%s/.local/share/huitong", home);
	else
		return errmsg_set(msg, ERR_INVALID,
				  _("no home folder: say --replica FOLDER or set HUITONG_REPLICA"));
	if (size >= FOLDER_PATH_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("the data folder's path is over %d bytes"),
				  FOLDER_PATH_MAX - 1);
	return OK;
}

/* Absolute, because the daemon may change its working directory. */
static enum err make_absolute(char path[FOLDER_PATH_MAX], struct errmsg *msg)
{
	char here[PATH_MAX];
	char whole[PATH_MAX + FOLDER_PATH_MAX];
	size_t size;

	if (path[0] == '/') {
		snprintf(whole, sizeof(whole), "%s", path);
	} else {
		if (!getcwd(here, sizeof(here)))
			return errmsg_set(msg, ERR_IO, _("the working directory: %s"),
					  strerror(errno));
		snprintf(whole, sizeof(whole), "%s/%s", here, path);
	}
	size = strlen(whole);
	while (size > 1 && whole[size - 1] == '/')
		whole[--size] = 0;
	if (size >= FOLDER_PATH_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("the data folder's path is over %d bytes"),
				  FOLDER_PATH_MAX - 1);
	memcpy(path, whole, size + 1);
	return OK;
}

enum err folder_locate(struct folder *out, const char *chosen, struct errmsg *msg)
{
	char path[FOLDER_PATH_MAX];
	enum err rc = choose(path, chosen, msg);

	if (rc == OK)
		rc = make_absolute(path, msg);
	if (rc != OK)
		return rc;
	memcpy(out->path, path, sizeof(path));
	snprintf(out->database, sizeof(out->database), "%s/replica.db", path);
	snprintf(out->mark, sizeof(out->mark), "%s/replica.mark", path);
	snprintf(out->identity, sizeof(out->identity), "%s/identity.key", path);
	snprintf(out->database_next, sizeof(out->database_next), "%s/replica.db.next", path);
	snprintf(out->identity_new, sizeof(out->identity_new), "%s/identity.new", path);
	snprintf(out->drafts, sizeof(out->drafts), "%s/drafts", path);
	snprintf(out->config, sizeof(out->config), "%s/huitong.conf", path);
	snprintf(out->control, sizeof(out->control), "%s/control.sock", path);
	snprintf(out->lock, sizeof(out->lock), "%s/lock", path);
	return OK;
}

enum err folder_create(const struct folder *f, struct errmsg *msg)
{
	char path[FOLDER_PATH_MAX];
	char *slash = path;

	memcpy(path, f->path, sizeof(path));
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = 0;
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return sys_error(path, msg);
		*slash = '/';
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return sys_error(path, msg);
	if (chmod(path, 0700) != 0)
		return sys_error(path, msg);
	return OK;
}

enum err folder_check(const struct folder *f, struct errmsg *msg)
{
	struct stat st;

	if (stat(f->database, &st) == 0)
		return OK;
	if (errno != ENOENT && errno != ENOTDIR)
		return sys_error(f->database, msg);
	return errmsg_set(msg, ERR_NOT_FOUND,
			  _("no replica in %s: `huitong init` founds an organisation, `huitong "
			    "join` becomes part of one, --replica FOLDER names another folder"),
			  f->path);
}

enum err folder_check_writable(const struct folder *f, struct errmsg *msg)
{
	if (access(f->path, R_OK | W_OK | X_OK) != 0)
		return sys_error(f->path, msg);
	if (access(f->database, R_OK | W_OK) != 0 && errno != ENOENT)
		return sys_error(f->database, msg);
	return OK;
}

bool folder_is_private(const struct folder *f)
{
	struct stat st;

	return stat(f->path, &st) == 0 && (st.st_mode & 077) == 0;
}
