/* The small files beside the database, of any bytes.
 *
 *   byte 0   which: the node's key, the high-water mark, the machine's id, the zone's name, the
 *            daemon's lock, the version that a draft was begun from, a text that an editor has
 *            saved; the rest is the file
 *
 * What is accepted of a key or a mark is the file that we would write; the rest is refused in
 * words, or counts as none. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "node/draft.h"
#include "node/identity.h"
#include "node/lock.h"
#include "node/machine.h"
#include "node/mark_file.h"
#include "node/text_input.h"
#include "node/zone.h"
#include "tests/fuzz/target.h"
#include "tests/support/tempdir.h"

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

static char drafts[TEMPDIR_BYTES_MAX];

static void remove_drafts(void)
{
	tempdir_remove(drafts);
}

static void write_file(const char *folder, const char *name, struct bytes content)
{
	char path[DRAFT_PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	require(file && fwrite(content.data, 1, content.size, file) == content.size);
	require(fclose(file) == 0);
}

static void note_draft(void *ctx, const struct draft_of *of, struct draft *d)
{
	require(of->word[0] && strlen(of->word) < DRAFT_WORD_MAX);
	require(!strchr(d->command, '\n') && strlen(d->command) < DRAFT_COMMAND_MAX);
}

/* It stands beside a text with the name "text.txt". */
static void read_draft(const char *path, struct bytes file)
{
	const struct draft_of of = { .word = "text" };
	struct folder folder = { .path = "" };
	char written[DRAFT_FOLDER_MAX];
	struct buf text = BUF_EMPTY;
	struct draft d;

	if (!drafts[0]) {
		tempdir_new(drafts, sizeof(drafts));
		atexit(remove_drafts);
	}
	snprintf(folder.drafts, sizeof(folder.drafts), "%s", drafts);
	require(draft_new(&d, &folder, &of, "text", "a command", bytes_of_str("a text"), NULL, 0,
			  NULL) == OK);
	memcpy(written, d.folder, sizeof(written));
	draft_close(&d);
	write_file(written, "version", file);
	if (draft_find(&d, &folder, &of, NULL) == OK) {
		require(strcmp(d.folder, written) == 0);
		require(d.head_count <= RECORD_ENTRIES_MAX && draft_time_s(&d) > 0);
		require(strncmp(d.path, written, strlen(written)) == 0);
		require(!strchr(d.path + strlen(written) + 1, '/'));
		if (draft_read(&d, &text, NULL) == OK)
			require(!draft_has_more(&d));
		draft_close(&d);
	}
	draft_each(&folder, note_draft, NULL);
	tempdir_remove(written);
	buf_release(&text);
}

/* After its size in a byte, the text as it was handed out. */
static void read_text(const char *path, struct bytes file)
{
	size_t handed = file.size ? file.data[0] : 0;
	struct buf text = BUF_EMPTY;
	struct bytes before;

	if (file.size == 0 || handed > file.size - 1)
		return;
	before = bytes_of(file.data + 1, handed);
	buf_append(&text, before.data + handed, file.size - 1 - handed);
	text_input_tidy(&text, before);
	require(buf_check(&text) == OK && text.size <= file.size - 1);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const char *path, struct bytes file) = {
		read_identity, read_mark, read_machine, read_zone, read_lock, read_draft, read_text,
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
