#include "tests/support/tempdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS_MAX 16

static void die(const char *what, const char *path)
{
	fprintf(stderr, "%s ", what);
	perror(path);
	exit(2);
}

char *tempdir_path(char *out, size_t size, const char *dir, const char *name)
{
	int used = snprintf(out, size, "%s/%s", dir, name);

	if (used < 0 || (size_t)used >= size) {
		fprintf(stderr, "%s/%s: longer than %zu bytes\n", dir, name, size);
		exit(2);
	}
	return out;
}

void tempdir_new(char *out, size_t size)
{
	const char *base = getenv("TMPDIR");

	tempdir_path(out, size, base && *base ? base : "/tmp", "huitong-test-XXXXXX");
	if (!mkdtemp(out))
		die("create", out);
}

static int unlock_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	/* A test may have taken the right to write away. */
	if (type == FTW_D)
		chmod(path, 0700);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	if (remove(path) != 0)
		die("remove", path);
	return 0;
}

void tempdir_remove(const char *path)
{
	nftw(path, unlock_folder, OPEN_FOLDERS_MAX, FTW_PHYS);
	if (nftw(path, remove_entry, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) != 0)
		die("walk", path);
}
