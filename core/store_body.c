/* How a body lies in its row: as it is or, where that is shorter, as a Zstandard
 * frame (RFC 8878). Outside the store nobody sees the difference: what is chained,
 * signed and sent is the body. A batch of records shrinks to a third; a small
 * edit has nothing to gain. */
#include "core/store_impl.h"

#include <assert.h>
#include <zstd.h>

#include "core/limits.h"

enum {
	PACK_BYTES_MIN = 512,
	PACK_LEVEL = 1, /* 300 MB/s a core: bulk edits hardly notice */
	FRAME_FIRST_BYTE = 0x28,
	BODY_FIRST_BYTE = 0x97, /* the array of 7 that every body is */
};

void store_body_release(struct store *s)
{
	ZSTD_freeCCtx(s->packer);
	ZSTD_freeDCtx(s->unpacker);
	buf_release(&s->packed);
}

enum err store_body_pack(struct store *s, struct bytes body, struct bytes *out)
{
	size_t bound, size;

	assert(body.data[0] == BODY_FIRST_BYTE);
	*out = body;
	if (body.size < PACK_BYTES_MIN)
		return OK;
	if (!s->packer)
		s->packer = ZSTD_createCCtx();
	buf_clear(&s->packed);
	bound = ZSTD_compressBound(body.size);
	if (!s->packer || !buf_grow(&s->packed, bound))
		return ERR_NOMEM;
	size = ZSTD_compressCCtx(s->packer, s->packed.data, bound, body.data, body.size,
				 PACK_LEVEL);
	if (ZSTD_isError(size))
		return ERR_NOMEM; /* nothing else can fail: there is room */
	if (size < body.size)
		*out = bytes_of(s->packed.data, size);
	return OK;
}

enum err store_body_unpack(struct store *s, struct bytes row, struct arena *arena,
			   struct bytes *out)
{
	unsigned long long size;
	uint8_t *body;

	if (row.size == 0 || row.data[0] != FRAME_FIRST_BYTE) {
		*out = arena_copy(arena, row);
		return out->data ? OK : ERR_NOMEM;
	}
	size = ZSTD_getFrameContentSize(row.data, row.size);
	if (size > CHANGESET_BYTES_MAX) /* unknown and error are huge, too */
		return ERR_CORRUPT;
	if (!s->unpacker)
		s->unpacker = ZSTD_createDCtx();
	body = arena_alloc(arena, (size_t)size);
	if (!s->unpacker || !body)
		return ERR_NOMEM;
	if (ZSTD_decompressDCtx(s->unpacker, body, (size_t)size, row.data, row.size) != size)
		return ERR_CORRUPT;
	*out = bytes_of(body, (size_t)size);
	return OK;
}
