#include "tests/bench/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { ARGUMENTS_MAX = 16 };

extern char **environ;

static pid_t spawn(const char *const *arguments, const posix_spawn_file_actions_t *actions)
{
	static char name[] = "huitong-bench";
	char *argv[ARGUMENTS_MAX + 2] = { name };
	size_t count = 1;
	pid_t pid;
	int failed;

	while (*arguments && count <= ARGUMENTS_MAX)
		argv[count++] = (char *)*arguments++;
	failed = posix_spawn(&pid, "/proc/self/exe", actions, NULL, argv, environ);
	if (failed)
		bench_fail("start a process: %s", strerror(failed));
	return pid;
}

static void wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			bench_fail("wait for a process: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		bench_fail("a process of the bench failed (status %d)", status);
}

void process_start(struct process *p, const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		bench_fail("pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	p->pid = spawn(argv, &actions);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	p->in = fdopen(in[1], "w");
	p->out = fdopen(out[0], "r");
	if (!p->in || !p->out)
		bench_fail("pipe: %s", strerror(errno));
}

void process_tell(struct process *p, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(p->in, fmt, args);
	va_end(args);
	fputc('\n', p->in);
	fflush(p->in);
}

void process_hear(struct process *p, const char *word, char out[PROCESS_LINE_MAX])
{
	size_t size = strlen(word);
	char line[PROCESS_LINE_MAX];

	if (!fgets(line, sizeof(line), p->out))
		bench_fail("a process ended before it said \"%s\"", word);
	line[strcspn(line, "\n")] = 0;
	if (strncmp(line, word, size) != 0 || (line[size] && line[size] != ' '))
		bench_fail("a process said \"%s\", not \"%s\"", line, word);
	strcpy(out, line[size] ? line + size + 1 : "");
}

void process_end(struct process *p)
{
	fclose(p->in);
	wait_for(p->pid);
	fclose(p->out);
}

void process_run(const char *const *argv)
{
	wait_for(spawn(argv, NULL));
}
