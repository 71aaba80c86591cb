/* A folder of one's own for a test. Both functions end the program on failure. */
#ifndef HT_TESTS_SUPPORT_TEMPDIR_H
#define HT_TESTS_SUPPORT_TEMPDIR_H

#include <stddef.h>

#define TEMPDIR_BYTES_MAX 256

/* Create an empty folder, mode 0700, below $TMPDIR or /tmp and write its
 * absolute path to `out`. */
void tempdir_new(char *out, size_t size);

/* Remove the folder with everything in it; links are not followed. */
void tempdir_remove(const char *path);

/* Write `dir`/`name` to `out` and return it. */
char *tempdir_path(char *out, size_t size, const char *dir, const char *name);

#endif
