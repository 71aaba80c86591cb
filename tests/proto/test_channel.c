/* proto/channel: messages arrive whole, in order and once, or the channel fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/proto/pair.h"

enum { FRAME_DATA_BYTES = FRAME_BYTES_MAX - 17, FRAME_OVERHEAD_BYTES = 19 };

/* Patterned bytes of any size, so that a piece in the wrong place shows. */
static struct buf message_of(size_t size)
{
	struct buf out = BUF_EMPTY;
	uint8_t *at = buf_grow(&out, size);

	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(i * 2654435761u >> 13);
	return out;
}

static void seal(struct channel *ch, struct bytes message, struct buf *out)
{
	assert_int_equal(channel_seal(ch, message, out), OK);
}

static void seal_str(struct channel *ch, const char *text, struct buf *out)
{
	seal(ch, bytes_of_str(text), out);
}

/* A frame of any content, as a peer with the keys but without manners would seal it. */
static void seal_raw(struct channel *ch, uint8_t flags, size_t data_bytes, struct buf *out)
{
	uint8_t *at = frame_grow(out, data_bytes + 17);

	memset(at, 'r', data_bytes + 1);
	at[0] = flags;
	assert_int_equal(noise_cipher_seal(&ch->send.cipher, bytes_of(NULL, 0),
					   bytes_of(at, data_bytes + 1), at),
			 OK);
}

/* Open all that `input` holds, appending each message and ";" to `seen`, and "end"
 * for the end. Returns the first error, or OK. */
static enum err open_all(struct channel *ch, struct bytes input, struct buf *seen)
{
	enum channel_event event;
	struct bytes message;
	enum err rc;

	for (;;) {
		rc = channel_open(ch, &input, &event, &message);
		if (rc)
			return rc;
		if (event == CHANNEL_NEEDS_INPUT) {
			assert_int_equal(input.size, 0);
			return OK;
		}
		if (event == CHANNEL_END) {
			buf_append_str(seen, "end");
			return OK;
		}
		buf_append(seen, message.data, message.size);
		buf_append_byte(seen, ';');
	}
}

static bool is_seen(const struct buf *seen, const char *expected)
{
	return bytes_equal(buf_bytes(seen), bytes_of_str(expected));
}

/* What a fresh receiver makes of `stream`; the messages it saw go to `seen`. */
static enum err receive(struct bytes stream, struct buf *seen)
{
	struct channel_pair pair;
	enum err rc;

	pair_init_channels(&pair);
	rc = open_all(&pair.responder, stream, seen);
	pair_release_channels(&pair);
	return rc;
}

/* "one", "two", "three" and the end from a fresh initiator; `cuts`, if not NULL,
 * gets the offsets at which the four frames begin, and the size. */
static struct buf sealed_stream(size_t cuts[5])
{
	static const char *const texts[] = { "one", "two", "three" };
	struct channel_pair pair;
	struct buf out = BUF_EMPTY;

	pair_init_channels(&pair);
	for (size_t i = 0; i < 3; i++) {
		if (cuts)
			cuts[i] = out.size;
		seal_str(&pair.initiator, texts[i], &out);
	}
	if (cuts)
		cuts[3] = out.size;
	assert_int_equal(channel_seal_end(&pair.initiator, &out), OK);
	if (cuts)
		cuts[4] = out.size;
	pair_release_channels(&pair);
	return out;
}

static void messages_arrive_however_the_stream_is_cut(void **state)
{
	struct buf stream = sealed_stream(NULL);

	for (size_t at = 0; at <= stream.size; at++) {
		struct channel_pair pair;
		struct buf seen = BUF_EMPTY;

		pair_init_channels(&pair);
		assert_int_equal(open_all(&pair.responder, bytes_of(stream.data, at), &seen), OK);
		if (at < stream.size)
			assert_int_equal(open_all(&pair.responder,
						  bytes_of(stream.data + at, stream.size - at),
						  &seen),
					 OK);
		assert_true(is_seen(&seen, "one;two;three;end"));
		pair_release_channels(&pair);
		buf_release(&seen);
	}
	buf_release(&stream);
}

static void both_directions_are_separate(void **state)
{
	struct channel_pair pair;
	struct buf there = BUF_EMPTY, back = BUF_EMPTY, seen = BUF_EMPTY;

	pair_init_channels(&pair);
	seal_str(&pair.initiator, "ping", &there);
	seal_str(&pair.responder, "pong", &back);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&there), &seen), OK);
	assert_int_equal(open_all(&pair.initiator, buf_bytes(&back), &seen), OK);
	assert_true(is_seen(&seen, "ping;pong;"));
	/* What one has sent does not open as if the other had. */
	buf_clear(&there);
	seal_str(&pair.initiator, "ping", &there);
	assert_int_equal(open_all(&pair.initiator, buf_bytes(&there), &seen), ERR_FORMAT);
	pair_release_channels(&pair);
	buf_release(&there);
	buf_release(&back);
	buf_release(&seen);
}

static void messages_of_all_sizes_around_the_frame_come_back(void **state)
{
	static const struct {
		size_t size;
		size_t frame_count;
	} cases[] = {
		{ 1, 1 },
		{ FRAME_DATA_BYTES - 1, 1 },
		{ FRAME_DATA_BYTES, 1 },
		{ FRAME_DATA_BYTES + 1, 2 },
		{ 2 * FRAME_DATA_BYTES, 2 },
		{ 2 * FRAME_DATA_BYTES + 1, 3 },
		{ PROTO_MESSAGE_BYTES_MAX, 129 },
	};
	struct channel_pair pair;

	pair_init_channels(&pair);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf message = message_of(cases[i].size);
		struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;

		seal(&pair.initiator, buf_bytes(&message), &stream);
		assert_int_equal(stream.size,
				 cases[i].size + cases[i].frame_count * FRAME_OVERHEAD_BYTES);
		assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), OK);
		buf_append_byte(&message, ';');
		assert_true(bytes_equal(buf_bytes(&seen), buf_bytes(&message)));
		buf_release(&message);
		buf_release(&stream);
		buf_release(&seen);
	}
	pair_release_channels(&pair);
}

static void memory_of_a_large_message_is_given_back(void **state)
{
	static const size_t sizes[] = { 1, 100000, CHANNEL_KEPT_BYTES_MAX + 1 };
	struct channel_pair pair;

	pair_init_channels(&pair);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf message = message_of(sizes[i]);
		struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;

		seal(&pair.initiator, buf_bytes(&message), &stream);
		assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), OK);
		assert_true(pair.responder.message.cap <= CHANNEL_KEPT_BYTES_MAX);
		buf_release(&message);
		buf_release(&stream);
		buf_release(&seen);
	}
	pair_release_channels(&pair);
}

static void message_over_the_limit_is_not_sealed(void **state)
{
	struct buf message = message_of(PROTO_MESSAGE_BYTES_MAX + 1);
	struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;
	struct channel_pair pair;

	pair_init_channels(&pair);
	assert_int_equal(channel_seal(&pair.initiator, buf_bytes(&message), &stream), ERR_LIMIT);
	assert_int_equal(stream.size, 0);
	seal_str(&pair.initiator, "goes on", &stream);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), OK);
	assert_true(is_seen(&seen, "goes on;"));
	pair_release_channels(&pair);
	buf_release(&message);
	buf_release(&stream);
	buf_release(&seen);
}

static void message_over_the_limit_is_not_received(void **state)
{
	size_t full_frames = PROTO_MESSAGE_BYTES_MAX / FRAME_DATA_BYTES;
	size_t rest = PROTO_MESSAGE_BYTES_MAX - full_frames * FRAME_DATA_BYTES;

	for (size_t over = 0; over < 2; over++) {
		struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;
		struct channel_pair pair;

		pair_init_channels(&pair);
		for (size_t i = 0; i < full_frames; i++)
			seal_raw(&pair.initiator, 0x01, FRAME_DATA_BYTES, &stream);
		seal_raw(&pair.initiator, 0x00, rest + over, &stream);
		assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen),
				 over ? ERR_LIMIT : OK);
		assert_int_equal(seen.size, over ? 0 : PROTO_MESSAGE_BYTES_MAX + 1);
		pair_release_channels(&pair);
		buf_release(&stream);
		buf_release(&seen);
	}
}

static void limit_can_be_lowered_and_raised_again(void **state)
{
	struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;
	struct channel_pair pair;

	pair_init_channels(&pair);
	channel_limit(&pair.responder, 1000);
	seal_raw(&pair.initiator, 0x00, 1000, &stream);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), OK);
	channel_limit(&pair.responder, PROTO_MESSAGE_BYTES_MAX);
	buf_clear(&stream);
	seal_raw(&pair.initiator, 0x00, 2000, &stream);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), OK);
	channel_limit(&pair.responder, 1000);
	buf_clear(&stream);
	seal_raw(&pair.initiator, 0x00, 1001, &stream);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), ERR_LIMIT);
	pair_release_channels(&pair);
	buf_release(&stream);
	buf_release(&seen);
}

static void every_flipped_byte_ends_the_channel(void **state)
{
	size_t cuts[5];
	struct buf stream = sealed_stream(cuts);

	for (size_t at = 0; at < stream.size; at++) {
		struct buf seen = BUF_EMPTY;
		const char *expected = at < cuts[1]   ? ""
				       : at < cuts[2] ? "one;"
				       : at < cuts[3] ? "one;two;"
						      : "one;two;three;";
		enum err rc;

		stream.data[at] ^= 0x01;
		rc = receive(buf_bytes(&stream), &seen);
		/* A size that grew may swallow what follows and wait for more: then nothing
		 * comes out, and no end either. */
		assert_true(rc == ERR_FORMAT || rc == OK);
		assert_true(is_seen(&seen, expected));
		stream.data[at] ^= 0x01;
		buf_release(&seen);
	}
	buf_release(&stream);
}

static void truncated_stream_has_no_end(void **state)
{
	struct buf stream = sealed_stream(NULL);

	for (size_t size = 0; size < stream.size; size++) {
		struct buf seen = BUF_EMPTY;

		assert_int_equal(receive(bytes_of(stream.data, size), &seen), OK);
		assert_true(seen.size < 3 || memcmp(seen.data + seen.size - 3, "end", 3) != 0);
		buf_release(&seen);
	}
	buf_release(&stream);
}

/* Frames of the sealed stream, in another order than sent. */
static void lost_repeated_and_reordered_frames_end_the_channel(void **state)
{
	static const struct {
		const char *order;
		const char *seen;
	} cases[] = {
		{ "1", "" },
		{ "02", "one;" },
		{ "00", "one;" },
		{ "10", "" },
		{ "0121", "one;two;three;" },
		{ "3", "" },
		{ "013", "one;two;" },
	};
	size_t cuts[5];
	struct buf stream = sealed_stream(cuts);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf other = BUF_EMPTY, seen = BUF_EMPTY;

		for (const char *c = cases[i].order; *c; c++)
			buf_append(&other, stream.data + cuts[*c - '0'],
				   cuts[*c - '0' + 1] - cuts[*c - '0']);
		assert_int_equal(receive(buf_bytes(&other), &seen), ERR_FORMAT);
		assert_true(is_seen(&seen, cases[i].seen));
		buf_release(&other);
		buf_release(&seen);
	}
	buf_release(&stream);
}

static void frames_of_illegal_content_end_the_channel(void **state)
{
	static const struct {
		uint8_t flags;
		size_t data_bytes;
		bool is_inside; /* after a frame that says that more follows */
	} cases[] = {
		{ 0x00, 0, false }, { 0x00, 0, true },
		{ 0x01, 0, false }, { 0x01, FRAME_DATA_BYTES - 1, false },
		{ 0x02, 1, false }, { 0x02, 0, true },
		{ 0x03, 0, false }, { 0x03, FRAME_DATA_BYTES, false },
		{ 0x04, 1, false }, { 0x80, 1, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;
		struct channel_pair pair;

		pair_init_channels(&pair);
		if (cases[i].is_inside)
			seal_raw(&pair.initiator, 0x01, FRAME_DATA_BYTES, &stream);
		seal_raw(&pair.initiator, cases[i].flags, cases[i].data_bytes, &stream);
		assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), ERR_FORMAT);
		assert_int_equal(seen.size, 0);
		pair_release_channels(&pair);
		buf_release(&stream);
	}
}

static void frame_too_small_to_be_sealed_ends_the_channel(void **state)
{
	uint8_t zeros[16] = { 0 };

	for (size_t size = 1; size <= sizeof(zeros); size++) {
		struct buf stream = BUF_EMPTY, seen = BUF_EMPTY;

		assert_int_equal(frame_write(&stream, bytes_of(zeros, size)), OK);
		assert_int_equal(receive(buf_bytes(&stream), &seen), ERR_FORMAT);
		buf_release(&stream);
	}
}

static void failure_and_end_are_final(void **state)
{
	struct buf stream = sealed_stream(NULL);
	struct buf seen = BUF_EMPTY;
	struct channel_pair pair;

	pair_init_channels(&pair);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), OK);
	assert_int_equal(open_all(&pair.responder, bytes_of(NULL, 0), &seen), ERR_CLOSED);
	pair_release_channels(&pair);

	pair_init_channels(&pair);
	assert_int_equal(open_all(&pair.responder, bytes_of("\0\0", 2), &seen), ERR_FORMAT);
	assert_int_equal(open_all(&pair.responder, buf_bytes(&stream), &seen), ERR_FORMAT);
	assert_true(is_seen(&seen, "one;two;three;end"));
	pair_release_channels(&pair);
	buf_release(&stream);
	buf_release(&seen);
}

/* Send `count` messages from `from` to `to` and check that each arrives. */
static void exchange(struct channel *from, struct channel *to, size_t count, size_t size)
{
	struct buf message = message_of(size);
	struct buf stream = BUF_EMPTY;

	for (size_t i = 0; i < count; i++) {
		enum channel_event event;
		struct bytes input, got;

		buf_clear(&stream);
		memcpy(message.data, &i, sizeof(i));
		seal(from, buf_bytes(&message), &stream);
		input = buf_bytes(&stream);
		assert_int_equal(channel_open(to, &input, &event, &got), OK);
		assert_int_equal(event, CHANNEL_MESSAGE);
		assert_true(bytes_equal(got, buf_bytes(&message)));
	}
	buf_release(&message);
	buf_release(&stream);
}

static void both_sides_change_keys_after_the_same_frame(void **state)
{
	uint8_t first_key[NOISE_KEY_BYTES];
	struct channel_pair pair;
	struct channel *a = &pair.initiator;
	struct channel *b = &pair.responder;

	pair_init_channels(&pair);
	memcpy(first_key, a->send.cipher.key, sizeof(first_key));
	exchange(a, b, REKEY_FRAMES - 1, 8);
	assert_memory_equal(a->send.cipher.key, first_key, sizeof(first_key));
	assert_memory_equal(b->recv.cipher.key, first_key, sizeof(first_key));
	exchange(a, b, 1, 8);
	assert_memory_not_equal(a->send.cipher.key, first_key, sizeof(first_key));
	assert_memory_equal(a->send.cipher.key, b->recv.cipher.key, sizeof(first_key));
	assert_int_equal(a->send.cipher.nonce, REKEY_FRAMES);
	exchange(a, b, 3, 8);
	/* The other direction has its own count. */
	assert_int_equal(b->send.frame_count, 0);
	exchange(b, a, 3, 8);
	pair_release_channels(&pair);
}

static void both_sides_change_keys_after_the_same_byte(void **state)
{
	uint8_t first_key[NOISE_KEY_BYTES];
	struct channel_pair pair;
	struct channel *a = &pair.initiator;
	struct channel *b = &pair.responder;

	/* One frame below the bound, without the gigabyte before it. */
	pair_init_channels(&pair);
	a->send.byte_count = b->recv.byte_count = REKEY_BYTES - 2 * (100 + 17) + 1;
	memcpy(first_key, a->send.cipher.key, sizeof(first_key));
	exchange(a, b, 1, 100);
	assert_memory_equal(a->send.cipher.key, first_key, sizeof(first_key));
	exchange(a, b, 1, 99);
	assert_memory_not_equal(a->send.cipher.key, first_key, sizeof(first_key));
	assert_memory_equal(a->send.cipher.key, b->recv.cipher.key, sizeof(first_key));
	assert_int_equal(a->send.byte_count, 0);
	exchange(a, b, 3, 100);
	pair_release_channels(&pair);
}

/* A key change in the middle of a message of many frames. */
static void message_may_span_a_key_change(void **state)
{
	struct channel_pair pair;

	pair_init_channels(&pair);
	pair.initiator.send.frame_count = pair.responder.recv.frame_count = REKEY_FRAMES - 2;
	exchange(&pair.initiator, &pair.responder, 1, 5 * FRAME_DATA_BYTES);
	assert_int_equal(pair.initiator.send.frame_count, 3);
	pair_release_channels(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_however_the_stream_is_cut),
		cmocka_unit_test(both_directions_are_separate),
		cmocka_unit_test(messages_of_all_sizes_around_the_frame_come_back),
		cmocka_unit_test(memory_of_a_large_message_is_given_back),
		cmocka_unit_test(message_over_the_limit_is_not_sealed),
		cmocka_unit_test(message_over_the_limit_is_not_received),
		cmocka_unit_test(limit_can_be_lowered_and_raised_again),
		cmocka_unit_test(every_flipped_byte_ends_the_channel),
		cmocka_unit_test(truncated_stream_has_no_end),
		cmocka_unit_test(lost_repeated_and_reordered_frames_end_the_channel),
		cmocka_unit_test(frames_of_illegal_content_end_the_channel),
		cmocka_unit_test(frame_too_small_to_be_sealed_ends_the_channel),
		cmocka_unit_test(failure_and_end_are_final),
		cmocka_unit_test(both_sides_change_keys_after_the_same_frame),
		cmocka_unit_test(both_sides_change_keys_after_the_same_byte),
		cmocka_unit_test(message_may_span_a_key_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
