#include "node/editor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/sys_error.h"

/* What a shell says of a program that it can't run, and of one that it can't find. */
enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

static const char *program(void)
{
	const char *visual = getenv("VISUAL");
	const char *editor = getenv("EDITOR");

	if (visual && *visual)
		return visual;
	return editor && *editor ? editor : "vi";
}

/* The signals that a terminal sends to everybody who runs there. */
struct terminal_signals {
	struct sigaction interrupt, quit;
};

static void ignore(struct terminal_signals *before)
{
	struct sigaction ignored = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &ignored, &before->interrupt);
	sigaction(SIGQUIT, &ignored, &before->quit);
}

static void restore(const struct terminal_signals *before)
{
	sigaction(SIGINT, &before->interrupt, NULL);
	sigaction(SIGQUIT, &before->quit, NULL);
}

/* The program may be several words: a shell takes them apart. */
static enum err run_and_wait(const char *line, const char *path, int *status, struct errmsg *msg)
{
	struct terminal_signals before;
	pid_t child, ended;

	fflush(NULL);
	ignore(&before);
	child = fork();
	if (child == 0) {
		restore(&before);
		execl("/bin/sh", "sh", "-c", line, "huitong", path, (char *)NULL);
		_exit(NOT_FOUND);
	}
	do
		ended = child < 0 ? -1 : waitpid(child, status, 0);
	while (ended < 0 && child > 0 && errno == EINTR);
	restore(&before);
	return ended < 0 ? sys_error(program(), msg) : OK;
}

/* The shell tells of a signal that ended the program as of a code above 128. */
static int signal_of(int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) > 128 ? WEXITSTATUS(status) - 128 : 0;
}

static enum err judge(int status, struct errmsg *msg)
{
	int number = signal_of(status), code = WEXITSTATUS(status);

	if (number)
		return errmsg_set(msg, ERR_IO, _("the editor \"%s\" was ended by signal %d (%s)"),
				  program(), number, strsignal(number));
	if (code == NOT_FOUND || code == CANNOT_RUN)
		return errmsg_set(msg, ERR_IO,
				  _("the editor \"%s\" can't be run: set VISUAL or EDITOR to "
				    "another"),
				  program());
	if (code)
		return errmsg_set(msg, ERR_IO, _("the editor \"%s\" ended with exit code %d"),
				  program(), code);
	return OK;
}

enum err editor_run(const char *path, struct errmsg *msg)
{
	char *line = NULL;
	int status = 0;
	enum err rc;

	/* Ctrl-C reaches the shell, too, which shall go on waiting. */
	if (asprintf(&line, "trap : INT QUIT; %s \"$@\"", program()) < 0)
		return no_memory(msg);
	rc = run_and_wait(line, path, &status, msg);
	free(line);
	return rc == OK ? judge(status, msg) : rc;
}
