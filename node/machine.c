#include "node/machine.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "node/sys_error.h"

enum { ID_CHARS_MAX = 64 };

/* Its first word; "" if there is none. */
static void read_id(char out[ID_CHARS_MAX + 1], const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = 0;
	int c;

	while (file && size < ID_CHARS_MAX && isalnum(c = getc(file)))
		out[size++] = (char)c;
	out[size] = '\0';
	if (file)
		fclose(file);
}

enum err machine_read(char out[MACHINE_TEXT_MAX], const char *machine_id_file, const char *database,
		      struct errmsg *msg)
{
	char id[ID_CHARS_MAX + 1];
	struct stat st;

	if (stat(database, &st) != 0)
		return sys_error(database, msg);
	read_id(id, machine_id_file);
	snprintf(out, MACHINE_TEXT_MAX, "%s:%" PRIu64, id, (uint64_t)st.st_ino);
	return OK;
}
