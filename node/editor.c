#include "node/editor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/limits.h"
#include "node/i18n.h"
#include "node/sys_error.h"

static enum err write_file(struct editor *e, struct bytes text, struct errmsg *msg)
{
	const char *folder = getenv("TMPDIR");
	enum err rc = OK;
	int fd;

	snprintf(e->path, sizeof(e->path), "%s/huitong-XXXXXX.txt",
		 folder && *folder ? folder : "/tmp");
	fd = mkstemps(e->path, 4);
	if (fd < 0) {
		rc = sys_error(e->path, msg);
		e->path[0] = 0;
		return rc;
	}
	if (write(fd, text.data, text.size) != (ssize_t)text.size)
		rc = sys_error(e->path, msg);
	close(fd);
	return rc;
}

static enum err read_file(const struct editor *e, struct buf *out, struct errmsg *msg)
{
	uint8_t *room = buf_grow(out, TEXT_BYTES_MAX + 1);
	size_t before;
	ssize_t size;
	int fd;

	if (!room)
		return no_memory(msg);
	before = out->size - (TEXT_BYTES_MAX + 1);
	fd = open(e->path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, room, TEXT_BYTES_MAX + 1);
	if (fd >= 0)
		close(fd);
	if (size < 0)
		return sys_error(e->path, msg);
	out->size = before + (size_t)size;
	return OK;
}

/* What editors of other systems add: a byte order mark, and CR before each LF where there
 * was none. */
static void tidy(struct buf *text, struct bytes before)
{
	bool has_cr = before.size && memchr(before.data, '\r', before.size);
	size_t kept = 0, i = 0;

	if (text->size >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	for (; i < text->size; i++)
		if (has_cr || text->data[i] != '\r' || i + 1 == text->size ||
		    text->data[i + 1] != '\n')
			text->data[kept++] = text->data[i];
	text->size = kept;
	while (text->size && text->data[text->size - 1] == '\n')
		text->size--;
}

static const char *program(void)
{
	const char *visual = getenv("VISUAL");
	const char *editor = getenv("EDITOR");

	if (visual && *visual)
		return visual;
	return editor && *editor ? editor : "vi";
}

/* The program may be several words: a shell takes them apart. */
static enum err run(const struct editor *e, struct errmsg *msg)
{
	char line[256];
	int status;
	pid_t child;

	snprintf(line, sizeof(line), "%s \"$1\"", program());
	fflush(NULL);
	child = fork();
	if (child < 0)
		return sys_error(program(), msg);
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", line, "editor", e->path, (char *)NULL);
		_exit(127);
	}
	if (waitpid(child, &status, 0) < 0)
		return sys_error(program(), msg);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return errmsg_set(msg, ERR_IO, _("the editor \"%s\" failed"), program());
	return OK;
}

enum err editor_run(struct editor *e, struct bytes before, struct buf *after, struct errmsg *msg)
{
	enum err rc = write_file(e, before, msg);

	if (rc == OK)
		rc = run(e, msg);
	if (rc == OK)
		rc = read_file(e, after, msg);
	if (rc == OK)
		tidy(after, before);
	return rc;
}

enum err editor_end(struct editor *e, enum err rc, struct errmsg *msg)
{
	char before[ERRMSG_BYTES_MAX];

	if (!e->path[0])
		return rc;
	if (rc == OK) {
		unlink(e->path);
		e->path[0] = 0;
		return OK;
	}
	snprintf(before, sizeof(before), "%s", msg->text);
	return errmsg_set(msg, rc, _("%s\nYour text is kept in %s"), before, e->path);
}
