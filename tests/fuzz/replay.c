/* Runs a fuzz target over a folder of inputs without libFuzzer:
 *     fuzz_wire CORPUS
 * Each file goes in whole, cut short, and with bytes replaced; the same cases in
 * the same order every time. If one kills the program, its description is the
 * last line on stderr. The limit of memory is that of memory_guard.h; under
 * sanitizers ASAN_OPTIONS=max_allocation_size_mb takes its place. */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/memory_guard.h"
#include "tests/fuzz/target.h"

/* Places in a file at which it is cut, and at which its bytes are replaced. */
#define PLACES_MAX 192

static const uint8_t replacements[] = { 0x00, 0x01, 0x7f, 0x80, 0xc0, 0xff };

/* Read by the signal handler. */
static char current[512];

static void describe_and_die(int signal)
{
	ssize_t ignored = write(STDERR_FILENO, current, strlen(current));

	(void)ignored;
	raise(signal); /* SA_RESETHAND: now the default action */
}

static void catch_deaths(void)
{
	struct sigaction action = { .sa_handler = describe_and_die,
				    .sa_flags = SA_RESETHAND | SA_NODEFER };
	static const int deaths[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		struct sigaction old;

		sigaction(deaths[i], NULL, &old);
		/* A sanitizer reports first and then aborts. */
		if (old.sa_handler == SIG_DFL)
			sigaction(deaths[i], &action, NULL);
	}
}

/* The target gets a block of exactly `size` bytes, so that reading beyond shows. */
static void run_case(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (memory_guard_start)
		memory_guard_start();
	LLVMFuzzerTestOneInput(copy, size);
	if (memory_guard_stop)
		memory_guard_stop();
	free(copy);
}

static size_t run_file(const char *name, uint8_t *data, size_t size)
{
	size_t step = size / PLACES_MAX + 1;
	size_t case_count = 1;

	snprintf(current, sizeof(current), "case: %s, whole\n", name);
	run_case(data, size);
	for (size_t at = 0; at < size; at += step) {
		uint8_t kept = data[at];

		snprintf(current, sizeof(current), "case: %s, cut at %zu\n", name, at);
		run_case(data, at);
		case_count++;
		for (size_t i = 0; i < sizeof(replacements); i++) {
			if (replacements[i] == kept)
				continue;
			data[at] = replacements[i];
			snprintf(current, sizeof(current), "case: %s, byte %zu = 0x%02x\n", name,
				 at, data[at]);
			run_case(data, size);
			case_count++;
		}
		data[at] = kept;
	}
	return case_count;
}

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (!file || fstat(fileno(file), &st) != 0) {
		perror(path);
		exit(2);
	}
	*size = (size_t)st.st_size;
	data = malloc(*size ? *size : 1);
	if (!data || fread(data, 1, *size, file) != *size) {
		fprintf(stderr, "%s: short read\n", path);
		exit(2);
	}
	fclose(file);
	return data;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries;
	size_t case_count = 0;
	int file_count;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	file_count = scandir(argv[1], &entries, is_visible, alphasort);
	if (file_count <= 0) {
		fprintf(stderr, "%s: no inputs\n", argv[1]);
		return 2;
	}
	catch_deaths();
	for (int i = 0; i < file_count; i++) {
		char path[4096];
		uint8_t *data;
		size_t size;

		snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
		data = read_file(path, &size);
		case_count += run_file(entries[i]->d_name, data, size);
		free(data);
		free(entries[i]);
	}
	free(entries);
	printf("%d inputs, %zu cases\n", file_count, case_count);
	return 0;
}
