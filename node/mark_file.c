#include "node/mark_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/sys_error.h"

#define MAGIC "huitong-mark-1"

enum {
	CHECK_BYTES = 8,
	COUNT_DIGITS = 20,
	BODY_BYTES = sizeof(MAGIC) + 2 * ID_BYTES + 1 + COUNT_DIGITS + 1,
	LINE_BYTES = BODY_BYTES + 2 * CHECK_BYTES + 1,
};

static void encode(char out[LINE_BYTES + 1], const struct mark *mark)
{
	uint8_t hash[crypto_generichash_BYTES];
	char id[ID_TEXT_SIZE], check[2 * CHECK_BYTES + 1];

	snprintf(out, BODY_BYTES + 1, MAGIC " %s %020" PRIu64 " ", id_text(mark->replica.bytes, id),
		 mark->count);
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)out, BODY_BYTES, NULL, 0);
	hex_encode(check, bytes_of(hash, CHECK_BYTES));
	snprintf(out + BODY_BYTES, LINE_BYTES + 1 - BODY_BYTES, "%s\n", check);
}

/* What does not encode to the same line is not whole. */
static bool decode(struct mark *out, const char line[LINE_BYTES + 1])
{
	char id[ID_TEXT_SIZE], again[LINE_BYTES + 1];
	struct mark mark;

	snprintf(id, sizeof(id), "%s", line + sizeof(MAGIC));
	if (hex_decode(mark.replica.bytes, ID_BYTES, id) != OK)
		return false;
	mark.count = strtoull(line + sizeof(MAGIC) + 2 * ID_BYTES + 1, NULL, 10);
	encode(again, &mark);
	if (memcmp(again, line, LINE_BYTES) != 0)
		return false;
	*out = mark;
	return true;
}

static enum err load(void *ctx, struct mark *out)
{
	struct mark_file *m = ctx;
	char line[LINE_BYTES + 1] = "";
	ssize_t size;
	int fd;

	fd = open(m->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : sys_error(m->path, NULL);
	size = pread(fd, line, LINE_BYTES, 0);
	close(fd);
	return size == LINE_BYTES && decode(out, line) ? OK : ERR_NOT_FOUND;
}

/* Another process may have written a greater one since our commit. */
static bool is_old(const struct mark_file *m, const struct mark *mark)
{
	char line[LINE_BYTES + 1] = "";
	struct mark stored;

	return pread(m->fd, line, LINE_BYTES, 0) == LINE_BYTES && decode(&stored, line) &&
	       replica_id_cmp(&stored.replica, &mark->replica) == 0 && stored.count >= mark->count;
}

static void save(void *ctx, const struct mark *mark)
{
	struct mark_file *m = ctx;
	char line[LINE_BYTES + 1];

	if (m->fd < 0)
		m->fd = open(m->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (m->fd < 0 || is_old(m, mark))
		return;
	encode(line, mark);
	/* What is cut off counts as none: the check does not fit. */
	if (pwrite(m->fd, line, LINE_BYTES, 0) < 0) {
		close(m->fd);
		m->fd = -1;
	}
}

void mark_file_init(struct mark_file *m, const char *path)
{
	*m = (struct mark_file){ .path = path,
				 .fd = -1,
				 .port = { .ctx = m, .load = load, .save = save } };
}

void mark_file_release(struct mark_file *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}
