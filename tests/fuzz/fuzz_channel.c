/* A channel fed with anything, by a stranger and by a peer that holds the keys.
 *
 *   byte 0   even: what follows is the stream; odd: what follows are contents,
 *            four bytes each (flags, u16 data size, how often), sealed with the
 *            right keys
 *   byte 1   the stream's first pieces have this size; 0: it comes in one
 *
 * What comes out is a message of legal size or one lasting error; what is held is
 * at most a frame and a message. */
#include "proto/channel.h"
#include "proto/limits.h"
#include "tests/fuzz/target.h"

enum {
	FRAME_DATA_BYTES_MAX = FRAME_BYTES_MAX - 1 - NOISE_TAG_BYTES,
	FRAME_COUNT_MAX = 140, /* enough for a message over the limit */
	PIECE_COUNT_MAX = 256, /* small ones; then the rest at once */
};

/* As after a handshake, without its cost. */
static void init_side(struct channel *ch, bool is_initiator)
{
	struct noise done = { .stage = NOISE_DONE, .is_initiator = is_initiator };

	channel_init(ch, &done);
}

static void seal_content(struct channel *sender, uint8_t flags, size_t data_bytes,
			 struct buf *stream)
{
	uint8_t *at = frame_grow(stream, 1 + data_bytes + NOISE_TAG_BYTES);

	require(at != NULL);
	memset(at, 'x', 1 + data_bytes);
	at[0] = flags;
	require(noise_cipher_seal(&sender->send.cipher, bytes_of(NULL, 0),
				  bytes_of(at, 1 + data_bytes), at) == OK);
}

static void seal_contents(struct bytes input, struct buf *stream)
{
	struct channel sender;
	size_t frame_count = 0;

	init_side(&sender, true);
	for (; input.size >= 4; input = bytes_of(input.data + 4, input.size - 4)) {
		size_t claimed = (size_t)input.data[1] << 8 | input.data[2];
		size_t size = claimed < FRAME_DATA_BYTES_MAX ? claimed : FRAME_DATA_BYTES_MAX;

		for (int i = 0; i < input.data[3] && frame_count < FRAME_COUNT_MAX; i++) {
			seal_content(&sender, input.data[0], size, stream);
			frame_count++;
		}
	}
	channel_release(&sender);
}

/* Whether the channel goes on after `piece`. */
static bool open_piece(struct channel *ch, struct bytes piece)
{
	for (;;) {
		enum channel_event event;
		struct bytes message;
		enum err rc = channel_open(ch, &piece, &event, &message);

		require(ch->reader.partial.size <= FRAME_HEADER_BYTES + FRAME_BYTES_MAX);
		require(ch->message.size <= 1 + PROTO_MESSAGE_BYTES_MAX);
		if (rc) {
			require(channel_open(ch, &piece, &event, &message) == rc);
			return false;
		}
		if (event == CHANNEL_NEEDS_INPUT) {
			require(piece.size == 0);
			return true;
		}
		if (event == CHANNEL_MESSAGE)
			require(message.size > 0 && message.size <= PROTO_MESSAGE_BYTES_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf sealed = BUF_EMPTY;
	struct channel receiver;
	struct bytes stream;
	size_t piece_size;

	if (size < 2)
		return 0;
	stream = bytes_of(data + 2, size - 2);
	if (data[0] & 1) {
		seal_contents(stream, &sealed);
		stream = buf_bytes(&sealed);
	}
	piece_size = data[1] ? data[1] : stream.size;

	init_side(&receiver, false);
	for (int i = 0; stream.size; i++) {
		bool is_rest = i == PIECE_COUNT_MAX || piece_size > stream.size;
		size_t taken = is_rest ? stream.size : piece_size;

		if (!open_piece(&receiver, bytes_of(stream.data, taken)))
			break;
		stream = bytes_of(stream.data + taken, stream.size - taken);
	}
	channel_release(&receiver);
	buf_release(&sealed);
	return 0;
}
