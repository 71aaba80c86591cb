/* A command that is killed at one instant, the same one each time.
 *
 *     kill_at [--count FILE] N PROGRAM [ARGUMENT...]
 *
 * Runs the program and kills it with SIGKILL just before the N-th of its system calls that
 * change a file or send something; N = 0 kills it never. What a kill leaves in files follows
 * from the calls that were made, so that N from 1 to the count, which goes to FILE, is every
 * instant there is, but for SQLite's shared memory: that its readers make anew.
 *
 * Exit status: the program's; 137 if it was killed here, 2 for wrong arguments, 1 if
 * processes can't be traced here. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLED = 128 + SIGKILL };

/* glibc's header and the kernel's do not go together. */
extern long ptrace(int request, ...);

/* As SQLite, stdio, nng and ourselves make them; old ones are missing on new machines. */
static const uint64_t watched[] = {
	SYS_write,     SYS_pwrite64,  SYS_writev,  SYS_pwritev, SYS_fsync,    SYS_fdatasync,
	SYS_ftruncate, SYS_fallocate, SYS_fchmod,  SYS_mkdirat, SYS_unlinkat, SYS_linkat,
	SYS_renameat2, SYS_sendto,    SYS_sendmsg, SYS_connect,
#ifdef SYS_rename
	SYS_rename,    SYS_unlink,    SYS_link,    SYS_mkdir,   SYS_chmod,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
};

static bool is_watched(const struct ptrace_syscall_info *call)
{
	if (call->op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (call->entry.nr == SYS_openat)
		return call->entry.args[2] & (O_CREAT | O_TRUNC);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (call->entry.nr == watched[i])
			return true;
	return false;
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static void run_traced(char *argv[])
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(fail("kill_at: ptrace"));
	raise(SIGSTOP);
	execv(argv[0], argv);
	_exit(fail(argv[0]));
}

/* Let a stopped thread go on: `signal` is what it stopped for, if that was a signal of its own. */
static void go_on(pid_t thread, int signal)
{
	ptrace(PTRACE_SYSCALL, thread, NULL, (void *)(intptr_t)signal);
}

/* The signal that a stop is about; 0 for those that tracing itself makes. */
static int signal_of(int status)
{
	int signal = WSTOPSIG(status);

	return status >> 16 || signal == SIGSTOP || signal == SIGTRAP ? 0 : signal;
}

/* Until the process has ended: its exit status. *count: the calls that were seen. */
static int follow(pid_t pid, uint64_t kill_at, uint64_t *count)
{
	for (;;) {
		struct ptrace_syscall_info call = { 0 };
		int status;
		pid_t thread = waitpid(-1, &status, __WALL);

		if (thread < 0)
			return fail("kill_at: waitpid");
		if (thread == pid && WIFEXITED(status))
			return WEXITSTATUS(status);
		if (thread == pid && WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			go_on(thread, signal_of(status));
			continue;
		}
		if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof(call), &call) > 0 &&
		    is_watched(&call) && ++*count == kill_at)
			kill(pid, SIGKILL);
		else
			go_on(thread, 0);
	}
}

static int trace(char *argv[], uint64_t kill_at, uint64_t *count)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return fail("kill_at: fork");
	if (pid == 0)
		run_traced(argv);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return 1;
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) != 0)
		return fail("kill_at: ptrace");
	go_on(pid, 0);
	return follow(pid, kill_at, count);
}

static int tell(const char *path, uint64_t count)
{
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "%llu\n", (unsigned long long)count) < 0 || fclose(file) != 0)
		return fail(path);
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = { { "count", required_argument, NULL, 'c' }, { 0 } };
	const char *count_file = NULL;
	uint64_t count = 0;
	int option, status;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) == 'c')
		count_file = optarg;
	if (option != -1 || argc - optind < 2) {
		fputs("usage: kill_at [--count FILE] N PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	status = trace(argv + optind + 1, strtoull(argv[optind], NULL, 0), &count);
	if (count_file && tell(count_file, count) != 0)
		return 1;
	return status;
}
