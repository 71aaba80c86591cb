/* Encoded bytes made shorter: a Zstandard frame (RFC 8878) in their place, where
 * that saves something.
 *
 * What is packed is always an encoded array, so the first byte tells: 0x90 and up
 * is the encoding itself, 0x28 a frame. Nobody but whoever packs and unpacks sees
 * the difference: what is hashed and signed are the bytes within. */
#ifndef HT_CORE_PACK_H
#define HT_CORE_PACK_H

#include "core/arena.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

/* Working memory, about 1 MiB from first use on; a thorough one takes more. */
struct pack {
	bool is_thorough; /* ten times as long for a tenth less */
	struct ZSTD_CCtx_s *packer;
	struct ZSTD_DCtx_s *unpacker;
	struct buf packed;
};

#define PACK_EMPTY ((struct pack){ 0 })

void pack_release(struct pack *p);

/* *out is `input` itself or a frame that is shorter, borrowed from `p` until the
 * next call. Asserts that `input` begins an array. ERR_NOMEM. */
MUST_CHECK enum err pack_shrink(struct pack *p, struct bytes input, struct bytes *out);

static inline bool pack_is_frame(struct bytes input)
{
	return input.size > 0 && input.data[0] == 0x28;
}

/* What the frame holds, in the arena. ERR_LIMIT over size_max, before anything is
 * allocated; ERR_FORMAT for anything but one whole frame; ERR_NOMEM. */
MUST_CHECK enum err pack_restore(struct pack *p, struct bytes frame, size_t size_max,
				 struct arena *arena, struct bytes *out);

#endif
