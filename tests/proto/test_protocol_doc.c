/* docs/PROTOCOL.md: the connection shown there is the one that the code makes.
 *
 * The document holds one block fenced as ```connection, of lines "name: hex" that
 * continue on indented lines. Keys and ids are read from it, the bytes that either
 * side sends are made anew and must be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/channel.h"
#include "proto/preamble.h"
#include "tests/support/document.h"

#define NO_BYTES bytes_of(NULL, 0)

static void key_field(const struct buf *block, const char *name, uint8_t out[32])
{
	struct buf value = document_field(block, name);

	assert_int_equal(value.size, 32);
	memcpy(out, value.data, 32);
	buf_release(&value);
}

static void init_side(struct noise *n, const struct buf *block, bool is_dialer, struct buf *sent)
{
	uint8_t org_id[ORG_ID_BYTES], secret[32], ephemeral[32];
	uint8_t prologue[PROLOGUE_BYTES];
	struct noise_keypair key;
	struct preamble preamble;

	key_field(block, "organisation id", org_id);
	key_field(block, is_dialer ? "dialer static" : "listener static", secret);
	key_field(block, is_dialer ? "dialer ephemeral" : "listener ephemeral", ephemeral);
	preamble_init(&preamble, PREAMBLE_SYNC, org_id);
	preamble_prologue(&preamble, org_id, prologue);
	noise_keypair_from_secret(&key, secret);
	noise_init(n, &(struct noise_config){ .pattern = NOISE_XX,
					      .is_initiator = is_dialer,
					      .prologue = bytes_of(prologue, sizeof(prologue)),
					      .static_key = &key,
					      .ephemeral_secret = ephemeral });
	preamble_encode(&preamble, buf_grow(sent, PREAMBLE_BYTES));
}

/* Append the frame of the next handshake message to `sent`. */
static void hand_over(struct noise *writer, struct noise *reader, struct buf *sent)
{
	struct buf message = BUF_EMPTY, payload = BUF_EMPTY;

	assert_int_equal(noise_write(writer, NO_BYTES, &message), OK);
	assert_int_equal(frame_write(sent, buf_bytes(&message)), OK);
	assert_int_equal(noise_read(reader, buf_bytes(&message), &payload), OK);
	assert_int_equal(payload.size, 0);
	buf_release(&message);
	buf_release(&payload);
}

static void connection_of_the_document_replays(void **state)
{
	struct buf block = document_block("connection");
	struct buf from_dialer = BUF_EMPTY, from_listener = BUF_EMPTY, hash = BUF_EMPTY;
	struct noise dialer, listener;
	struct channel channel;

	init_side(&dialer, &block, true, &from_dialer);
	init_side(&listener, &block, false, &from_listener);

	hand_over(&dialer, &listener, &from_dialer);
	document_assert(&block, "dialer sends", &from_dialer);
	hand_over(&listener, &dialer, &from_listener);
	document_assert(&block, "listener sends", &from_listener);
	hand_over(&dialer, &listener, &from_dialer);
	document_assert(&block, "dialer answers", &from_dialer);

	buf_append(&hash, noise_handshake_hash(&listener), NOISE_HASH_BYTES);
	document_assert(&block, "handshake hash", &hash);

	channel_init(&channel, &dialer);
	assert_int_equal(channel_seal(&channel, bytes_of_str("hello"), &from_dialer), OK);
	document_assert(&block, "dialer says hello", &from_dialer);
	assert_int_equal(channel_seal_end(&channel, &from_dialer), OK);
	document_assert(&block, "dialer ends", &from_dialer);

	channel_release(&channel);
	noise_wipe(&listener);
	buf_release(&block);
	buf_release(&from_dialer);
	buf_release(&from_listener);
	buf_release(&hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_of_the_document_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
