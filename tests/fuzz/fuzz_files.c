/* The small files beside the database, of any bytes.
 *
 *   byte 0   which: the node's key, the high-water mark, the machine's id, the zone's name, the
 *            daemon's lock; the rest is the file
 *
 * What is accepted of a key or a mark is the file that we would write; the rest is refused in
 * words, or counts as none. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/identity.h"
#include "node/lock.h"
#include "node/machine.h"
#include "node/mark_file.h"
#include "node/zone.h"
#include "tests/fuzz/target.h"

enum { PATH_BYTES = 64 };

static void read_identity(const char *path, struct bytes file)
{
	struct identity id;
	struct errmsg msg = { .text = "" };

	if (identity_load(&id, path, &msg) != OK) {
		require(msg.text[0]);
		return;
	}
	require(file.size > 0);
	identity_clear(&id);
}

static void read_mark(const char *path, struct bytes file)
{
	struct mark_file m;
	struct mark mark, again;

	mark_file_init(&m, path);
	if (m.port.load(m.port.ctx, &mark) != OK)
		mark = (struct mark){ .count = 1 };
	mark.count = mark.count / 2 + 1;
	m.port.save(m.port.ctx, &mark);
	require(m.port.load(m.port.ctx, &again) == OK && again.count >= mark.count);
	mark_file_release(&m);
}

static void read_machine(const char *path, struct bytes file)
{
	char text[MACHINE_TEXT_MAX];

	require(machine_read(text, path, path, NULL) == OK);
	require(strlen(text) < sizeof(text) && strchr(text, ':'));
}

static void read_zone(const char *path, struct bytes file)
{
	static struct zone_db *zones;
	const struct zone_sources sources = { .timezone_path = path };
	char name[ZONE_NAME_BYTES];

	if (!zones)
		require(zone_db_new(&zones, NULL, NULL) == OK);
	if (zone_db_local(zones, &sources, name, NULL) == OK)
		require(walltime_zone_is_valid(bytes_of_str(name)));
}

static void read_lock(const char *path, struct bytes file)
{
	int fd;

	require(lock_take(&fd, path, NULL) == OK);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const char *path, struct bytes file) = {
		read_identity, read_mark, read_machine, read_zone, read_lock,
	};
	char path[PATH_BYTES];
	struct bytes file;
	int fd;

	if (size == 0)
		return 0;
	file = bytes_of(data + 1, size - 1);
	fd = memfd_create("fuzz_files", MFD_CLOEXEC);
	require(fd >= 0 && fchmod(fd, 0600) == 0);
	require(write(fd, file.data, file.size) == (ssize_t)file.size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](path, file);
	close(fd);
	return 0;
}
