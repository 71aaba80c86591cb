/* proto/noise: the vectors, and what a handshake refuses.
 *
 *     test_noise [VECTORS.json]     default: tests/vectors/noise.json */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/limits.h"
#include "tests/proto/pair.h"

#ifndef HUITONG_SOURCE_DIR
#define HUITONG_SOURCE_DIR "."
#endif

#define NO_BYTES bytes_of(NULL, 0)

/* --- The vectors --- */

/* The ends of one vector; index 0 is the initiator. */
struct replay {
	struct noise noise[2];
	struct noise_cipher send[2];
	struct noise_cipher recv[2];
	bool is_split;
};

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("the vector has no string \"%s\"", key);
	return text;
}

static struct buf hex_of(const char *text)
{
	struct buf out = BUF_EMPTY;
	size_t size = strlen(text) / 2;

	if (size)
		assert_int_equal(hex_decode(buf_grow(&out, size), size, text), OK);
	return out;
}

static void key_of(uint8_t out[32], const char *text)
{
	assert_int_equal(hex_decode(out, 32, text), OK);
}

static enum noise_pattern pattern_of(const char *name)
{
	for (int i = 0; i < NOISE_PATTERN_COUNT; i++)
		if (strcmp(noise_pattern_name((enum noise_pattern)i), name) == 0)
			return (enum noise_pattern)i;
	fail_msg("no such protocol: %s", name);
	return NOISE_PATTERN_COUNT;
}

static void replay_init(struct replay *r, const json_t *vector, bool is_psk_late)
{
	static const char *const static_names[] = { "init_static", "resp_static" };
	static const char *const ephemeral_names[] = { "init_ephemeral", "resp_ephemeral" };
	static const char *const remote_names[] = { "init_remote_static", "resp_remote_static" };
	const json_t *psk_text = json_array_get(json_object_get(vector, "psks"), 0);
	struct buf prologue = hex_of(string_of(vector, "prologue"));
	uint8_t psk[32] = { 0 };

	*r = (struct replay){ .is_split = false };
	if (psk_text)
		key_of(psk, json_string_value(psk_text));
	for (int side = 0; side < 2; side++) {
		const char *remote = json_string_value(json_object_get(vector, remote_names[side]));
		uint8_t secret[32], ephemeral[32], remote_static[32];
		struct noise_keypair key;

		key_of(secret, string_of(vector, static_names[side]));
		key_of(ephemeral, string_of(vector, ephemeral_names[side]));
		if (remote)
			key_of(remote_static, remote);
		noise_keypair_from_secret(&key, secret);
		noise_init(&r->noise[side],
			   &(struct noise_config){
				   .pattern = pattern_of(string_of(vector, "protocol_name")),
				   .is_initiator = side == 0,
				   .prologue = buf_bytes(&prologue),
				   .static_key = &key,
				   .remote_static = remote ? remote_static : NULL,
				   .psk = psk_text && !is_psk_late ? psk : NULL,
				   .ephemeral_secret = ephemeral,
			   });
		if (psk_text && is_psk_late)
			noise_set_psk(&r->noise[side], psk);
	}
	buf_release(&prologue);
}

static void replay_split(struct replay *r)
{
	for (int side = 0; side < 2 && !r->is_split; side++) {
		assert_true(noise_is_done(&r->noise[side]));
		noise_split(&r->noise[side], &r->send[side], &r->recv[side]);
	}
	r->is_split = true;
}

static void replay_handshake(struct replay *r, int from, struct bytes payload, struct buf *sealed,
			     struct buf *opened)
{
	assert_true(noise_writes_next(&r->noise[from]));
	assert_false(noise_writes_next(&r->noise[1 - from]));
	assert_int_equal(noise_write(&r->noise[from], payload, sealed), OK);
	assert_int_equal(noise_read(&r->noise[1 - from], buf_bytes(sealed), opened), OK);
}

static void replay_transport(struct replay *r, int from, struct bytes payload, struct buf *sealed,
			     struct buf *opened)
{
	uint8_t *at = buf_grow(sealed, payload.size + NOISE_TAG_BYTES);

	replay_split(r);
	assert_int_equal(noise_cipher_seal(&r->send[from], NO_BYTES, payload, at), OK);
	at = buf_grow(opened, payload.size + 1); /* never NULL, also without payload */
	opened->size--;
	assert_int_equal(noise_cipher_open(&r->recv[1 - from], NO_BYTES, buf_bytes(sealed), at),
			 OK);
}

static void replay_rekey(struct replay *r, const json_t *message)
{
	const char *from = json_string_value(json_object_get(message, "from"));
	bool both = json_is_true(json_object_get(message, "both"));

	replay_split(r);
	for (int side = 0; side < 2; side++) {
		if (!both && (strcmp(from, "initiator") == 0) != (side == 0))
			continue;
		noise_cipher_rekey(&r->send[side]);
		noise_cipher_rekey(&r->recv[1 - side]);
	}
}

static void replay_message(struct replay *r, const json_t *message)
{
	const char *phase = string_of(message, "phase");
	struct buf payload, expected, sealed = BUF_EMPTY, opened = BUF_EMPTY;
	int from;

	if (strcmp(phase, "rekey") == 0) {
		replay_rekey(r, message);
		return;
	}
	from = strcmp(string_of(message, "from"), "initiator") == 0 ? 0 : 1;
	payload = hex_of(string_of(message, "payload"));
	expected = hex_of(string_of(message, "ciphertext"));
	if (strcmp(phase, "handshake") == 0)
		replay_handshake(r, from, buf_bytes(&payload), &sealed, &opened);
	else
		replay_transport(r, from, buf_bytes(&payload), &sealed, &opened);
	assert_true(bytes_equal(buf_bytes(&sealed), buf_bytes(&expected)));
	assert_true(bytes_equal(buf_bytes(&opened), buf_bytes(&payload)));

	buf_release(&payload);
	buf_release(&expected);
	buf_release(&sealed);
	buf_release(&opened);
}

static void replay_vector(const json_t *vector, bool is_psk_late)
{
	struct buf hash = hex_of(string_of(vector, "handshake_hash"));
	const json_t *messages = json_object_get(vector, "messages");
	struct replay r;

	replay_init(&r, vector, is_psk_late);
	for (size_t i = 0; i < json_array_size(messages); i++)
		replay_message(&r, json_array_get(messages, i));
	for (int side = 0; side < 2; side++) {
		struct noise_keypair other;
		uint8_t secret[32];

		key_of(secret, string_of(vector, side == 0 ? "resp_static" : "init_static"));
		noise_keypair_from_secret(&other, secret);
		assert_memory_equal(noise_remote_static(&r.noise[side]), other.public_key, 32);
		assert_true(bytes_equal(
			bytes_of(noise_handshake_hash(&r.noise[side]), NOISE_HASH_BYTES),
			buf_bytes(&hash)));
	}
	buf_release(&hash);
}

static void vectors_replay_byte_for_byte(void **state)
{
	const char *path = *state;
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);
	const json_t *vectors = json_object_get(root, "vectors");
	size_t count = json_array_size(vectors);

	if (!root)
		fail_msg("%s: %s", path, error.text);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		const json_t *vector = json_array_get(vectors, i);

		replay_vector(vector, false);
		if (json_object_get(vector, "psks"))
			replay_vector(vector, true);
	}
	print_message("%zu vectors of %s\n", count, path);
	json_decref(root);
}

/* --- What a handshake refuses --- */

/* Whether the handshake ends well when message `number` is replaced on its way by
 * what `damage` makes of it. */
static bool survives(enum noise_pattern pattern, unsigned number,
		     void (*damage)(struct buf *message, size_t at), size_t at)
{
	struct noise_pair pair;
	bool is_alive = true;

	pair_init(&pair, pattern);
	for (unsigned i = 0; is_alive && noise_writes_next(pair_writer(&pair)); i++) {
		struct noise *writer = pair_writer(&pair);
		struct noise *reader = pair_reader(&pair);
		struct buf message = BUF_EMPTY, payload = BUF_EMPTY;

		buf_append_str(&payload, "before");
		is_alive = noise_write(writer, bytes_of_str("payload"), &message) == OK;
		if (is_alive && i == number)
			damage(&message, at);
		if (is_alive && noise_read(reader, buf_bytes(&message), &payload)) {
			is_alive = false;
			assert_int_equal(reader->stage, NOISE_FAILED);
			assert_int_equal(payload.size, 6);
		}
		buf_release(&message);
		buf_release(&payload);
	}
	noise_wipe(&pair.initiator);
	noise_wipe(&pair.responder);
	return is_alive;
}

static size_t message_size(enum noise_pattern pattern, unsigned number)
{
	struct noise_pair pair;
	size_t size = 0;

	pair_init(&pair, pattern);
	for (unsigned i = 0; i <= number; i++) {
		struct noise *writer = pair_writer(&pair);
		struct noise *reader = pair_reader(&pair);
		struct buf message = BUF_EMPTY, payload = BUF_EMPTY;

		assert_int_equal(noise_write(writer, bytes_of_str("payload"), &message), OK);
		assert_int_equal(noise_read(reader, buf_bytes(&message), &payload), OK);
		size = message.size;
		buf_release(&message);
		buf_release(&payload);
	}
	return size;
}

static unsigned message_count(enum noise_pattern pattern)
{
	return pattern == NOISE_IK || pattern == NOISE_IKPSK2 ? 2 : 3;
}

static void leave(struct buf *message, size_t at)
{
}

static void flip(struct buf *message, size_t at)
{
	message->data[at] ^= 0x80;
}

static void cut(struct buf *message, size_t at)
{
	message->size = at;
}

static void lengthen(struct buf *message, size_t at)
{
	buf_append_byte(message, 0);
}

static void damaged_messages_end_the_handshake(void **state)
{
	for (int p = 0; p < NOISE_PATTERN_COUNT; p++) {
		enum noise_pattern pattern = (enum noise_pattern)p;

		assert_true(survives(pattern, 0, leave, 0));
		for (unsigned i = 0; i < message_count(pattern); i++) {
			size_t size = message_size(pattern, i);

			assert_false(survives(pattern, i, lengthen, 0));
			for (size_t at = 0; at < size; at++) {
				assert_false(survives(pattern, i, flip, at));
				assert_false(survives(pattern, i, cut, at));
			}
		}
	}
}

/* With a point of low order the shared secret is one that anybody knows. */
static void points_of_low_order_are_refused(void **state)
{
	struct noise_keypair key = pair_static_key(true);
	struct buf out = BUF_EMPTY;
	uint8_t zeros[32] = { 0 };
	struct noise_pair pair;
	struct noise n;

	pair_init(&pair, NOISE_XX);
	assert_int_equal(noise_read(&pair.responder, bytes_of(zeros, sizeof(zeros)), &out), OK);
	assert_int_equal(noise_write(&pair.responder, NO_BYTES, &out), ERR_HANDSHAKE);
	assert_int_equal(pair.responder.stage, NOISE_FAILED);

	noise_init(&n, &(struct noise_config){ .pattern = NOISE_IK,
					       .is_initiator = true,
					       .static_key = &key,
					       .remote_static = zeros,
					       .ephemeral_secret = key.secret_key });
	assert_int_equal(noise_write(&n, NO_BYTES, &out), ERR_HANDSHAKE);
	assert_int_equal(out.size, 0);
	buf_release(&out);
}

static void messages_out_of_turn_are_refused(void **state)
{
	struct noise_pair pair;
	struct buf first = BUF_EMPTY, payload = BUF_EMPTY;

	pair_init(&pair, NOISE_XX);
	assert_int_equal(noise_write(&pair.initiator, NO_BYTES, &first), OK);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&first), &payload), OK);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&first), &payload), ERR_PROTOCOL);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&first), &payload), ERR_PROTOCOL);
	buf_release(&first);
	buf_release(&payload);
}

static void other_prologue_or_psk_is_refused(void **state)
{
	uint8_t other_psk[32];
	struct noise_pair pair;
	struct buf message = BUF_EMPTY, payload = BUF_EMPTY;

	pair_init(&pair, NOISE_IKPSK2);
	pair.responder.hash[0] ^= 1; /* as another prologue would have left it */
	assert_int_equal(noise_write(&pair.initiator, NO_BYTES, &message), OK);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&message), &payload), ERR_HANDSHAKE);

	pair_init(&pair, NOISE_IKPSK2);
	buf_clear(&message);
	pair_secret(other_psk, 99);
	noise_set_psk(&pair.responder, other_psk);
	assert_int_equal(noise_write(&pair.initiator, NO_BYTES, &message), OK);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&message), &payload), OK);
	buf_clear(&message);
	assert_int_equal(noise_write(&pair.responder, NO_BYTES, &message), OK);
	assert_int_equal(noise_read(&pair.initiator, buf_bytes(&message), &payload), ERR_HANDSHAKE);
	buf_release(&message);
	buf_release(&payload);
}

static void messages_of_the_greatest_size_pass_and_no_larger(void **state)
{
	static uint8_t zeros[FRAME_BYTES_MAX];
	struct noise_pair pair;
	struct buf message = BUF_EMPTY, payload = BUF_EMPTY;

	pair_init(&pair, NOISE_XX);
	assert_int_equal(
		noise_write(&pair.initiator, bytes_of(zeros, FRAME_BYTES_MAX - 32), &message), OK);
	assert_int_equal(message.size, FRAME_BYTES_MAX);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&message), &payload), OK);

	pair_init(&pair, NOISE_XX);
	assert_int_equal(
		noise_write(&pair.initiator, bytes_of(zeros, FRAME_BYTES_MAX - 31), &message),
		ERR_LIMIT);
	assert_int_equal(message.size, FRAME_BYTES_MAX);
	buf_release(&message);
	buf_release(&payload);
}

/* --- What is known when, and what is left --- */

static void remote_key_is_known_when_the_pattern_tells_it(void **state)
{
	struct noise_keypair initiator = pair_static_key(true);
	struct noise_keypair responder = pair_static_key(false);
	struct buf message = BUF_EMPTY, payload = BUF_EMPTY;
	struct noise_pair pair;

	pair_init(&pair, NOISE_XX);
	assert_int_equal(noise_write(&pair.initiator, NO_BYTES, &message), OK);
	assert_int_equal(noise_read(&pair.responder, buf_bytes(&message), &payload), OK);
	buf_clear(&message);
	assert_null(noise_remote_static(&pair.initiator));
	assert_int_equal(noise_write(&pair.responder, NO_BYTES, &message), OK);
	assert_int_equal(noise_read(&pair.initiator, buf_bytes(&message), &payload), OK);
	assert_memory_equal(noise_remote_static(&pair.initiator), responder.public_key, 32);
	assert_null(noise_remote_static(&pair.responder));
	pair_run(&pair);
	assert_memory_equal(noise_remote_static(&pair.responder), initiator.public_key, 32);
	buf_release(&message);
	buf_release(&payload);
}

static bool holds(const struct noise *n, const uint8_t *secret)
{
	return memmem(n, sizeof(*n), secret, 32) != NULL;
}

static void no_secret_outlives_the_handshake(void **state)
{
	struct noise_keypair key = pair_static_key(true);
	struct noise_cipher send, recv;
	struct noise_pair pair;
	struct buf message = BUF_EMPTY;
	uint8_t psk[32], ephemeral[32];

	pair_secret(ephemeral, 3);
	pair_secret(psk, 5);
	pair_init(&pair, NOISE_XXPSK3);
	pair_run(&pair);
	assert_true(holds(&pair.initiator, key.secret_key));
	noise_split(&pair.initiator, &send, &recv);
	assert_false(holds(&pair.initiator, key.secret_key));
	assert_false(holds(&pair.initiator, ephemeral));
	assert_false(holds(&pair.initiator, psk));
	assert_false(holds(&pair.initiator, send.key));

	pair_init(&pair, NOISE_XXPSK3);
	assert_true(holds(&pair.initiator, psk));
	assert_int_equal(noise_read(&pair.initiator, NO_BYTES, &message), ERR_PROTOCOL);
	assert_false(holds(&pair.initiator, key.secret_key));
	assert_false(holds(&pair.initiator, psk));
}

static void cipher_survives_a_forgery_and_ends_with_its_nonces(void **state)
{
	uint8_t key[32], sealed[4 + NOISE_TAG_BYTES], opened[4];
	struct bytes whole = bytes_of(sealed, sizeof(sealed));
	struct noise_cipher send, recv;

	pair_secret(key, 6);
	noise_cipher_init(&send, key);
	noise_cipher_init(&recv, key);
	send.nonce = recv.nonce = UINT64_MAX - 1;
	assert_int_equal(noise_cipher_seal(&send, NO_BYTES, bytes_of("last", 4), sealed), OK);
	sealed[0] ^= 1;
	assert_int_equal(noise_cipher_open(&recv, NO_BYTES, whole, opened), ERR_FORMAT);
	sealed[0] ^= 1;
	assert_int_equal(noise_cipher_open(&recv, NO_BYTES, whole, opened), OK);
	assert_memory_equal(opened, "last", 4);

	assert_int_equal(noise_cipher_seal(&send, NO_BYTES, bytes_of("over", 4), sealed),
			 ERR_LIMIT);
	assert_int_equal(noise_cipher_open(&recv, NO_BYTES, whole, opened), ERR_LIMIT);
}

int main(int argc, char **argv)
{
	char default_path[] = HUITONG_SOURCE_DIR "/tests/vectors/noise.json";
	char *path = argc > 1 ? argv[1] : default_path;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(vectors_replay_byte_for_byte, path),
		cmocka_unit_test(damaged_messages_end_the_handshake),
		cmocka_unit_test(points_of_low_order_are_refused),
		cmocka_unit_test(messages_out_of_turn_are_refused),
		cmocka_unit_test(other_prologue_or_psk_is_refused),
		cmocka_unit_test(messages_of_the_greatest_size_pass_and_no_larger),
		cmocka_unit_test(remote_key_is_known_when_the_pattern_tells_it),
		cmocka_unit_test(no_secret_outlives_the_handshake),
		cmocka_unit_test(cipher_survives_a_forgery_and_ends_with_its_nonces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
