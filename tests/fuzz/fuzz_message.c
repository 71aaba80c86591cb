/* Messages of any bytes, packed or not: what is accepted encodes to the same bytes,
 * and a frame never holds more than it may. */
#include "core/pack.h"
#include "proto/message.h"
#include "tests/fuzz/target.h"

static void decode(struct bytes input, struct arena *arena)
{
	struct message m;
	struct buf again = BUF_EMPTY;

	if (message_decode(&m, input, arena, NULL) != OK)
		return;
	message_encode(&again, &m);
	require(bytes_equal(input, buf_bytes(&again)));
	buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_EMPTY;
	struct pack pack = PACK_EMPTY;
	struct bytes input = bytes_of(data, size);

	if (!pack_is_frame(input) ||
	    pack_restore(&pack, input, CHANGES_BYTES_MAX, &arena, &input) == OK)
		decode(input, &arena);
	pack_release(&pack);
	arena_release(&arena);
	return 0;
}
