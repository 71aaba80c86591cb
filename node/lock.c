#include "node/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/sys_error.h"

enum { PID_TEXT_MAX = 24 };

static enum err refuse(int fd, const char *path, struct errmsg *msg)
{
	char text[PID_TEXT_MAX] = "";
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
	long pid = size > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return errmsg_set(msg, ERR_BUSY,
				  _("process %ld is at work here: stop the daemon first (%s)"), pid,
				  path);
	return errmsg_set(msg, ERR_BUSY,
			  _("another process is at work here: stop the daemon first (%s)"), path);
}

enum err lock_take(int *fd, const char *path, struct errmsg *msg)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char text[PID_TEXT_MAX];
	int size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	enum err rc = OK;

	if (file < 0)
		return sys_error(path, msg);
	if (flock(file, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK ? refuse(file, path, msg) : sys_error(path, msg);
	else if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)size, 0) != size)
		rc = sys_error(path, msg);
	if (rc) {
		close(file);
		return rc;
	}
	*fd = file;
	return OK;
}
