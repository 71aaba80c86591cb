/* Frames: how messages are told apart on a byte stream.
 *
 *   u16 big-endian size (1..65535) | that many bytes
 *
 * Handshake messages and the sealed frames of a channel travel alike. A reader
 * takes the stream in pieces of any size; a frame that is whole in one piece is
 * not copied. No I/O. */
#ifndef HT_PROTO_FRAME_H
#define HT_PROTO_FRAME_H

#include <stdbool.h>

#include "core/bytes.h"
#include "core/err.h"

enum { FRAME_HEADER_BYTES = 2 };

struct frame_reader {
	size_t frame_bytes_max;
	struct buf partial; /* header and what has come of an unfinished frame */
	bool is_delivered;  /* `partial` holds the frame that was returned last */
};

/* Frames over `frame_bytes_max` are refused when their header is in, before any
 * byte of them is kept. */
void frame_reader_init(struct frame_reader *r, size_t frame_bytes_max);
void frame_reader_release(struct frame_reader *r); /* wipes; usable after init */

/* Take the next frame from the front of `input`, moving `input` past what was
 * used. An empty `frame` (no frame is) says that the input is used up and more is
 * needed. `frame` is borrowed until the next call or the end of the input.
 * ERR_FORMAT for an empty frame, ERR_LIMIT for one that is too large, ERR_NOMEM:
 * the stream has lost its step and the reader must be released. */
MUST_CHECK enum err frame_read(struct frame_reader *r, struct bytes *input, struct bytes *frame);

/* Append a header to `out` and room for `size` bytes, 1..FRAME_BYTES_MAX, which the
 * caller fills in. NULL when memory is out (and `out` has failed). */
uint8_t *frame_grow(struct buf *out, size_t size);

/* Append `content` as one frame. ERR_NOMEM. */
MUST_CHECK enum err frame_write(struct buf *out, struct bytes content);

#endif
