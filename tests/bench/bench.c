#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/report.h"

bool bench_wants(const struct bench *b, const char *name)
{
	return !b->only || strcmp(b->only, name) == 0;
}

void bench_report_one(const struct bench *b, const char *name, double value, double floor)
{
	const struct figure *figure = figure_named(name);

	if (!bench_wants(b, name))
		return;
	if (b->is_json)
		report_json(figure, b->trace, b->n, value, floor);
	else
		report_line(figure, b->trace, b->n, value, floor);
}

void bench_report(const struct bench *b, const char *name, struct samples *values,
		  struct samples *floors)
{
	bench_report_one(b, name, samples_median(values), floors ? samples_median(floors) : 0);
}

void bench_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("huitong-bench: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void must(enum err rc, const struct errmsg *msg, const char *what)
{
	if (rc != OK)
		bench_fail("%s: %s (%s)", what, err_name(rc), msg->text);
}

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

double seconds_since(uint64_t start_ns)
{
	return (double)(clock_ns() - start_ns) / 1e9;
}

const char *bench_path(const struct bench *b, const char *name, char out[BENCH_PATH_MAX])
{
	return tempdir_path(out, BENCH_PATH_MAX, b->folder, name);
}

void bench_remove(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char name[BENCH_PATH_MAX + 8];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		remove(name);
	}
}

void bench_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	ssize_t moved = 1;

	while (in >= 0 && out >= 0 && moved > 0)
		moved = sendfile(out, in, NULL, 1 << 20);
	if (in < 0 || out < 0 || moved < 0)
		bench_fail("copy %s to %s: %s", from, to, strerror(errno));
	close(in);
	close(out);
}

size_t bench_file_bytes(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		bench_fail("%s: %s", path, strerror(errno));
	return (size_t)st.st_size;
}

/* Where the databases are: to be removed however the program ends. */
static char folder[TEMPDIR_BYTES_MAX];

static void remove_folder(void)
{
	tempdir_remove(folder);
}

static void stop(int signal)
{
	remove_folder();
	_exit(128 + signal);
}

void bench_make_folder(struct bench *b)
{
	tempdir_new(folder, sizeof(folder));
	atexit(remove_folder);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	b->folder = folder;
}
