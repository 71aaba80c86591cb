/* A handshake of which one message is replaced or damaged on its way.
 *
 *   byte 0   the pattern
 *   byte 1   which message; beyond the last: none
 *   byte 2   even: the rest is the message; odd: the rest is added to its bytes by xor
 *
 * A side that refuses is left with nothing but its failure; two sides that are done
 * agree on everything. */
#include "tests/fuzz/target.h"
#include "tests/proto/pair.h"

static void damage(struct buf *message, bool is_replaced, struct bytes bytes)
{
	if (is_replaced) {
		buf_clear(message);
		buf_append(message, bytes.data, bytes.size);
		return;
	}
	for (size_t i = 0; i < bytes.size && i < message->size; i++)
		message->data[i] ^= bytes.data[i];
}

/* One message from one side to the other. Whether the handshake goes on. */
static bool step(struct noise_pair *pair, const struct bytes *replaced, bool is_replaced)
{
	struct noise *writer = pair_writer(pair);
	struct noise *reader = pair_reader(pair);
	struct buf message = BUF_EMPTY, payload = BUF_EMPTY;
	bool goes_on = noise_write(writer, bytes_of_str("payload"), &message) == OK;

	if (goes_on && replaced)
		damage(&message, is_replaced, *replaced);
	if (goes_on)
		goes_on = noise_read(reader, buf_bytes(&message), &payload) == OK;
	if (!goes_on) {
		struct noise *failed = writer->stage == NOISE_FAILED ? writer : reader;
		struct noise empty;

		noise_wipe(&empty);
		empty.stage = NOISE_FAILED;
		require(payload.size == 0);
		require(memcmp(failed, &empty, sizeof(empty)) == 0);
	}
	buf_release(&message);
	buf_release(&payload);
	return goes_on;
}

static void require_agreement(const struct noise_pair *pair)
{
	struct noise_keypair initiator = pair_static_key(true);
	struct noise_keypair responder = pair_static_key(false);

	require(memcmp(noise_handshake_hash(&pair->initiator),
		       noise_handshake_hash(&pair->responder), NOISE_HASH_BYTES) == 0);
	require(memcmp(noise_remote_static(&pair->initiator), responder.public_key, 32) == 0);
	require(memcmp(noise_remote_static(&pair->responder), initiator.public_key, 32) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct noise_pair pair;
	struct bytes bytes;

	if (size < 3)
		return 0;
	bytes = bytes_of(data + 3, size - 3);
	pair_init(&pair, (enum noise_pattern)(data[0] % NOISE_PATTERN_COUNT));
	for (unsigned i = 0; noise_writes_next(pair_writer(&pair)); i++)
		if (!step(&pair, i == data[1] ? &bytes : NULL, data[2] % 2 == 0))
			return 0;
	require(noise_is_done(&pair.initiator) && noise_is_done(&pair.responder));
	require_agreement(&pair);
	return 0;
}
