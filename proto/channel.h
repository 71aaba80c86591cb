/* The secured channel: whole messages over a byte stream, after the handshake.
 *
 *   frame    = u16 big-endian size | Noise message
 *   content  = flags (1 byte) | data (1..65518 bytes), sealed
 *   flags      0x00  the message ends here
 *              0x01  more of the message follows: the data fills its frame
 *              0x02  end of the channel: no data, nothing follows
 *
 * Nonces are counted and never sent: a frame that is lost, repeated, reordered,
 * damaged or made up does not open, and the channel fails. A stream that closes
 * without 0x02 was cut short, by whomever. Both sides replace the key of a
 * direction (Noise REKEY) after the frame that reaches REKEY_FRAMES or REKEY_BYTES.
 *
 * No I/O: sealed frames are appended to a buffer, received bytes handed in as
 * they come. Holds at most one frame and one message. */
#ifndef HT_PROTO_CHANNEL_H
#define HT_PROTO_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "proto/frame.h"
#include "proto/noise.h"

/* One direction: its key, and how much that key has protected. */
struct channel_key {
	struct noise_cipher cipher;
	uint32_t frame_count;
	uint32_t byte_count;
};

struct channel {
	struct channel_key send;
	struct channel_key recv;
	bool is_send_ended;
	enum err recv_status; /* why nothing more can be received, or OK */
	struct frame_reader reader;
	struct buf message; /* of the message being received: one byte to spare, its data */
	size_t message_bytes_max;
	bool is_delivered; /* `message` was returned and is not needed any more */
};

enum channel_event {
	CHANNEL_NEEDS_INPUT, /* the input is used up */
	CHANNEL_MESSAGE,     /* a whole message */
	CHANNEL_END,         /* the peer has ended the channel, and means it */
};

/* Take the keys of a handshake that is done; `handshake` keeps its hash and the
 * remote key. */
void channel_init(struct channel *ch, struct noise *handshake);
void channel_release(struct channel *ch); /* wipes */

/* Receive no greater messages than that from now on, at most PROTO_MESSAGE_BYTES_MAX,
 * which is what a channel begins with. */
void channel_limit(struct channel *ch, size_t message_bytes_max);

/* Append `message`, 1 byte at least, as frames to `out`. ERR_LIMIT over
 * PROTO_MESSAGE_BYTES_MAX, ERR_NOMEM: nothing is sealed, the channel goes on.
 * Asserts that it was not ended. What is appended must be sent, in this order. */
MUST_CHECK enum err channel_seal(struct channel *ch, struct bytes message, struct buf *out);

/* Append the frame that says that nothing follows. */
MUST_CHECK enum err channel_seal_end(struct channel *ch, struct buf *out);

/* Take the next event from the front of `input`, moving `input` past what was used:
 *
 *     while ((rc = channel_open(ch, &input, &event, &message)) == OK &&
 *            event == CHANNEL_MESSAGE)
 *             handle(message);
 *
 * `message` is borrowed until the next call. ERR_FORMAT for a frame that does not
 * open or whose content is not as above, ERR_LIMIT for a message over
 * the limit, ERR_NOMEM: the channel has failed and every further
 * call says so again. ERR_CLOSED after the end. */
MUST_CHECK enum err channel_open(struct channel *ch, struct bytes *input, enum channel_event *event,
				 struct bytes *message);

#endif
