#include "node/text_input.h"

#include <errno.h>
#include <unistd.h>

#include "node/sys_error.h"

enum { CHUNK_BYTES = 64 << 10 };

enum err text_input_read(int fd, const char *name, struct buf *out, struct errmsg *msg)
{
	size_t before = out->size;
	ssize_t size = 1;

	while (size && out->size - before < TEXT_INPUT_BYTES_MAX) {
		uint8_t *room = buf_grow(out, CHUNK_BYTES);

		if (!room)
			return no_memory(msg);
		size = read(fd, room, CHUNK_BYTES);
		out->size -= CHUNK_BYTES - (size > 0 ? (size_t)size : 0);
		if (size < 0 && errno != EINTR)
			return sys_error(name, msg);
	}
	return OK;
}

static bool begins_with(struct bytes text, struct bytes mark)
{
	return text.size >= mark.size && memcmp(text.data, mark.data, mark.size) == 0;
}

/* Where its line ends at the end begin. */
static size_t body_size(struct bytes text)
{
	size_t size = text.size;

	while (size && (text.data[size - 1] == '\n' || text.data[size - 1] == '\r'))
		size--;
	return size;
}

void text_input_tidy(struct buf *text, struct bytes before)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct bytes bom = bytes_of(mark, sizeof(mark) - 1);
	bool has_crlf = before.size && memmem(before.data, before.size, "\r\n", 2);
	size_t kept = 0, i = 0, body = body_size(before);

	if (begins_with(buf_bytes(text), bom) && !begins_with(before, bom))
		i = bom.size;
	for (; i < text->size; i++)
		if (has_crlf || text->data[i] != '\r' || i + 1 == text->size ||
		    text->data[i + 1] != '\n')
			text->data[kept++] = text->data[i];
	text->size = body_size(bytes_of(text->data, kept));
	if (text->size && body < before.size)
		buf_append(text, before.data + body, before.size - body);
}
