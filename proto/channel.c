#include "proto/channel.h"

#include <assert.h>
#include <sodium.h>

#include "proto/limits.h"

enum channel_flags { FLAGS_LAST = 0x00, FLAGS_MORE = 0x01, FLAGS_END = 0x02 };

enum {
	FLAGS_BYTES = 1,
	OVERHEAD_BYTES = FLAGS_BYTES + NOISE_TAG_BYTES,
	FRAME_DATA_BYTES_MAX = FRAME_BYTES_MAX - OVERHEAD_BYTES,
};

/* The byte that stands before the data in channel.message. */
enum { SPARE_BYTES = FLAGS_BYTES };

void channel_init(struct channel *ch, struct noise *handshake)
{
	*ch = (struct channel){ .recv_status = OK, .message_bytes_max = PROTO_MESSAGE_BYTES_MAX };
	frame_reader_init(&ch->reader, FRAME_BYTES_MAX);
	noise_split(handshake, &ch->send.cipher, &ch->recv.cipher);
}

void channel_limit(struct channel *ch, size_t message_bytes_max)
{
	ch->message_bytes_max = message_bytes_max;
}

void channel_release(struct channel *ch)
{
	frame_reader_release(&ch->reader);
	buf_wipe(&ch->message);
	sodium_memzero(ch, sizeof(*ch));
}

/* Both sides count alike, so they change keys at the same frame. */
static void count_frame(struct channel_key *key, size_t frame_bytes)
{
	key->frame_count++;
	key->byte_count += (uint32_t)frame_bytes;
	if (key->frame_count >= REKEY_FRAMES || key->byte_count >= REKEY_BYTES) {
		noise_cipher_rekey(&key->cipher);
		key->frame_count = 0;
		key->byte_count = 0;
	}
}

/* --- Sending --- */

static enum err seal_frame(struct channel_key *key, uint8_t flags, struct bytes data,
			   struct buf *out)
{
	size_t frame_bytes = data.size + OVERHEAD_BYTES;
	uint8_t *at = frame_grow(out, frame_bytes);
	enum err rc;

	if (!at)
		return ERR_NOMEM;
	/* Flags and data must be one piece to be sealed: put them where they end up,
	 * and seal in place. */
	at[0] = flags;
	if (data.size)
		memcpy(at + FLAGS_BYTES, data.data, data.size);
	rc = noise_cipher_seal(&key->cipher, bytes_of(NULL, 0),
			       bytes_of(at, FLAGS_BYTES + data.size), at);
	if (rc == OK)
		count_frame(key, frame_bytes);
	return rc;
}

enum err channel_seal(struct channel *ch, struct bytes message, struct buf *out)
{
	size_t frame_count = (message.size + FRAME_DATA_BYTES_MAX - 1) / FRAME_DATA_BYTES_MAX;
	size_t start = out->size;
	enum err rc = OK;

	assert(message.size > 0 && !ch->is_send_ended);
	if (message.size > PROTO_MESSAGE_BYTES_MAX)
		return ERR_LIMIT;
	/* All the room at once: memory must not run out between two frames. */
	if (!buf_grow(out, message.size + frame_count * (FRAME_HEADER_BYTES + OVERHEAD_BYTES)))
		return ERR_NOMEM;
	out->size = start;

	while (message.size > FRAME_DATA_BYTES_MAX && rc == OK) {
		rc = seal_frame(&ch->send, FLAGS_MORE, bytes_of(message.data, FRAME_DATA_BYTES_MAX),
				out);
		message = bytes_of(message.data + FRAME_DATA_BYTES_MAX,
				   message.size - FRAME_DATA_BYTES_MAX);
	}
	if (rc == OK)
		rc = seal_frame(&ch->send, FLAGS_LAST, message, out);
	if (rc)
		out->size = start;
	return rc;
}

enum err channel_seal_end(struct channel *ch, struct buf *out)
{
	enum err rc;

	assert(!ch->is_send_ended);
	rc = seal_frame(&ch->send, FLAGS_END, bytes_of(NULL, 0), out);
	ch->is_send_ended = rc == OK;
	return rc;
}

/* --- Receiving --- */

static void drop_delivered(struct channel *ch)
{
	if (!ch->is_delivered)
		return;
	if (ch->message.cap > CHANNEL_KEPT_BYTES_MAX)
		buf_release(&ch->message);
	buf_clear(&ch->message);
	ch->is_delivered = false;
}

static size_t received_bytes(const struct channel *ch)
{
	return ch->message.size ? ch->message.size - SPARE_BYTES : 0;
}

/* What a frame may say where it stands. A message is cut in one way only: no
 * frame without data, none but the last that is not full. */
static bool is_legal_content(uint8_t flags, size_t data_bytes, size_t message_bytes)
{
	switch (flags) {
	case FLAGS_LAST: return data_bytes > 0;
	case FLAGS_MORE: return data_bytes == FRAME_DATA_BYTES_MAX;
	case FLAGS_END: return data_bytes == 0 && message_bytes == 0;
	default: return false;
	}
}

/* Room in the message for the data of a frame, and the spare byte in front. */
static enum err grow_message(struct channel *ch, size_t data_bytes)
{
	if (ch->message.size == 0)
		buf_append_byte(&ch->message, 0);
	if (data_bytes)
		buf_grow(&ch->message, data_bytes);
	return buf_check(&ch->message);
}

/* Open `frame` so that its data continues the message. */
static enum err open_frame(struct channel *ch, struct bytes frame, uint8_t *flags)
{
	size_t message_bytes = received_bytes(ch);
	size_t data_bytes;
	uint8_t *at;
	uint8_t kept;
	enum err rc;

	if (frame.size < OVERHEAD_BYTES)
		return ERR_FORMAT;
	data_bytes = frame.size - OVERHEAD_BYTES;
	if (message_bytes + data_bytes > ch->message_bytes_max)
		return ERR_LIMIT;
	rc = grow_message(ch, data_bytes);
	if (rc)
		return rc;

	/* The flags come before the data: let them fall on the byte in front, and put
	 * that back. It spares a copy of everything received. */
	at = ch->message.data + SPARE_BYTES + message_bytes - FLAGS_BYTES;
	kept = *at;
	rc = noise_cipher_open(&ch->recv.cipher, bytes_of(NULL, 0), frame, at);
	if (rc)
		return rc;
	if (!is_legal_content(*at, data_bytes, message_bytes))
		return ERR_FORMAT;
	*flags = *at;
	*at = kept;
	count_frame(&ch->recv, frame.size);
	return OK;
}

static enum err next_event(struct channel *ch, struct bytes *input, enum channel_event *event)
{
	struct bytes frame;
	uint8_t flags;
	enum err rc;

	do {
		rc = frame_read(&ch->reader, input, &frame);
		if (rc)
			return rc;
		if (frame.size == 0) {
			*event = CHANNEL_NEEDS_INPUT;
			return OK;
		}
		rc = open_frame(ch, frame, &flags);
		if (rc)
			return rc;
	} while (flags == FLAGS_MORE);
	*event = flags == FLAGS_END ? CHANNEL_END : CHANNEL_MESSAGE;
	return OK;
}

enum err channel_open(struct channel *ch, struct bytes *input, enum channel_event *event,
		      struct bytes *message)
{
	enum channel_event found;
	enum err rc;

	if (ch->recv_status)
		return ch->recv_status;
	drop_delivered(ch);
	rc = next_event(ch, input, &found);
	if (rc) {
		ch->recv_status = rc;
		return rc;
	}
	if (found == CHANNEL_END)
		ch->recv_status = ERR_CLOSED;
	if (found == CHANNEL_MESSAGE) {
		*message = bytes_of(ch->message.data + SPARE_BYTES, received_bytes(ch));
		ch->is_delivered = true;
	}
	*event = found;
	return OK;
}
