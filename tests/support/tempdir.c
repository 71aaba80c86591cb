#include "tests/support/tempdir.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

void tempdir_remove(const char *path)
{
	char *roots[] = { (char *)path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	if (!tree)
		die("walk", path);
	while ((entry = fts_read(tree))) {
		/* Before its entries are read: a test may have taken the rights away. */
		if (entry->fts_info == FTS_D)
			chmod(entry->fts_accpath, 0700);
		else if (remove(entry->fts_accpath) != 0)
			die("remove", entry->fts_path);
	}
	fts_close(tree);
}
