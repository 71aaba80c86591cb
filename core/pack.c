#include "core/pack.h"

#include <assert.h>
#include <zstd.h>

enum {
	PACK_BYTES_MIN = 512, /* a small edit has nothing to gain */
	PACK_LEVEL = 1,       /* 300 MB/s a core: bulk work hardly notices */
	PACK_LEVEL_THOROUGH = 9,
};

void pack_release(struct pack *p)
{
	ZSTD_freeCCtx(p->packer);
	ZSTD_freeDCtx(p->unpacker);
	buf_release(&p->packed);
	*p = (struct pack){ .is_thorough = p->is_thorough };
}

enum err pack_shrink(struct pack *p, struct bytes input, struct bytes *out)
{
	size_t bound, size;

	assert(input.size > 0 && input.data[0] >= 0x90);
	*out = input;
	if (input.size < PACK_BYTES_MIN)
		return OK;
	if (!p->packer)
		p->packer = ZSTD_createCCtx();
	bound = ZSTD_compressBound(input.size);
	buf_clear(&p->packed);
	if (!p->packer || !buf_grow(&p->packed, bound))
		return ERR_NOMEM;
	size = ZSTD_compressCCtx(p->packer, p->packed.data, bound, input.data, input.size,
				 p->is_thorough ? PACK_LEVEL_THOROUGH : PACK_LEVEL);
	if (ZSTD_isError(size))
		return ERR_NOMEM; /* nothing else can fail: there is room */
	if (size < input.size)
		*out = bytes_of(p->packed.data, size);
	return OK;
}

enum err pack_restore(struct pack *p, struct bytes frame, size_t size_max, struct arena *arena,
		      struct bytes *out)
{
	unsigned long long size = ZSTD_getFrameContentSize(frame.data, frame.size);
	uint8_t *data;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
		return ERR_FORMAT;
	if (size > size_max)
		return ERR_LIMIT;
	if (!p->unpacker)
		p->unpacker = ZSTD_createDCtx();
	data = arena_alloc(arena, (size_t)size);
	if (!p->unpacker || !data)
		return ERR_NOMEM;
	if (ZSTD_decompressDCtx(p->unpacker, data, (size_t)size, frame.data, frame.size) != size)
		return ERR_FORMAT;
	*out = bytes_of(data, (size_t)size);
	return OK;
}
