#include "proto/frame.h"

#include <assert.h>

#include "proto/limits.h"

void frame_reader_init(struct frame_reader *r, size_t frame_bytes_max)
{
	assert(frame_bytes_max > 0 && frame_bytes_max <= FRAME_BYTES_MAX);
	*r = (struct frame_reader){ .frame_bytes_max = frame_bytes_max };
}

void frame_reader_release(struct frame_reader *r)
{
	buf_wipe(&r->partial);
	*r = (struct frame_reader){ 0 };
}

static enum err size_decode(const struct frame_reader *r, const uint8_t *header, size_t *size)
{
	size_t value = (size_t)header[0] << 8 | header[1];

	if (value == 0)
		return ERR_FORMAT;
	if (value > r->frame_bytes_max)
		return ERR_LIMIT;
	*size = value;
	return OK;
}

static struct bytes take(struct bytes *input, size_t size)
{
	struct bytes front = bytes_of(input->data, size);

	*input = bytes_of(input->data + size, input->size - size);
	return front;
}

/* Move input to `partial` until that holds `size` bytes. */
static enum err collect(struct frame_reader *r, struct bytes *input, size_t size)
{
	size_t missing = size - r->partial.size;
	struct bytes piece = take(input, input->size < missing ? input->size : missing);

	buf_append(&r->partial, piece.data, piece.size);
	return buf_check(&r->partial);
}

static enum err read_whole(struct frame_reader *r, struct bytes *input, struct bytes *frame)
{
	size_t size;
	enum err rc;

	if (input->size < FRAME_HEADER_BYTES)
		return OK;
	rc = size_decode(r, input->data, &size);
	if (rc == OK && input->size - FRAME_HEADER_BYTES >= size) {
		take(input, FRAME_HEADER_BYTES);
		*frame = take(input, size);
	}
	return rc;
}

static enum err read_in_pieces(struct frame_reader *r, struct bytes *input, struct bytes *frame)
{
	size_t size;
	enum err rc;

	if (r->partial.size < FRAME_HEADER_BYTES) {
		rc = collect(r, input, FRAME_HEADER_BYTES);
		if (rc || r->partial.size < FRAME_HEADER_BYTES)
			return rc;
	}
	rc = size_decode(r, r->partial.data, &size);
	if (rc)
		return rc;
	rc = collect(r, input, FRAME_HEADER_BYTES + size);
	if (rc || r->partial.size < FRAME_HEADER_BYTES + size)
		return rc;
	*frame = bytes_of(r->partial.data + FRAME_HEADER_BYTES, size);
	r->is_delivered = true;
	return OK;
}

enum err frame_read(struct frame_reader *r, struct bytes *input, struct bytes *frame)
{
	struct bytes found = bytes_of(NULL, 0);
	enum err rc = OK;

	if (r->is_delivered) {
		buf_clear(&r->partial);
		r->is_delivered = false;
	}
	if (r->partial.size == 0)
		rc = read_whole(r, input, &found);
	if (rc == OK && found.size == 0 && input->size > 0)
		rc = read_in_pieces(r, input, &found);
	if (rc == OK)
		*frame = found;
	return rc;
}

uint8_t *frame_grow(struct buf *out, size_t size)
{
	uint8_t *at;

	assert(size > 0 && size <= FRAME_BYTES_MAX);
	at = buf_grow(out, FRAME_HEADER_BYTES + size);
	if (!at)
		return NULL;
	at[0] = (uint8_t)(size >> 8);
	at[1] = (uint8_t)size;
	return at + FRAME_HEADER_BYTES;
}

enum err frame_write(struct buf *out, struct bytes content)
{
	uint8_t *at = frame_grow(out, content.size);

	if (!at)
		return ERR_NOMEM;
	memcpy(at, content.data, content.size);
	return OK;
}
