/* proto/frame: frames come out as they went in, however the stream is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/frame.h"
#include "proto/limits.h"

static struct buf stream_of_three(void)
{
	struct buf out = BUF_EMPTY;

	assert_int_equal(frame_write(&out, bytes_of_str("first")), OK);
	assert_int_equal(frame_write(&out, bytes_of_str("x")), OK);
	assert_int_equal(frame_write(&out, bytes_of_str("the third of them")), OK);
	return out;
}

/* Read all frames in `input`, appending each and a semicolon to `seen`. */
static void read_all(struct frame_reader *r, struct bytes input, struct buf *seen)
{
	struct bytes frame;

	for (;;) {
		assert_int_equal(frame_read(r, &input, &frame), OK);
		if (frame.size == 0)
			break;
		buf_append(seen, frame.data, frame.size);
		buf_append_byte(seen, ';');
	}
	assert_int_equal(input.size, 0);
}

static void header_is_big_endian(void **state)
{
	struct buf out = BUF_EMPTY;

	assert_non_null(frame_grow(&out, 0x1234));
	assert_int_equal(out.size, 2 + 0x1234);
	assert_int_equal(out.data[0], 0x12);
	assert_int_equal(out.data[1], 0x34);
	buf_release(&out);
}

static void frames_survive_any_two_cuts(void **state)
{
	struct bytes expected = bytes_of_str("first;x;the third of them;");
	struct buf stream = stream_of_three();

	for (size_t i = 0; i <= stream.size; i++) {
		for (size_t j = i; j <= stream.size; j++) {
			struct frame_reader r;
			struct buf seen = BUF_EMPTY;

			frame_reader_init(&r, FRAME_BYTES_MAX);
			read_all(&r, bytes_of(stream.data, i), &seen);
			read_all(&r, bytes_of(stream.data + i, j - i), &seen);
			read_all(&r, bytes_of(stream.data + j, stream.size - j), &seen);
			assert_true(bytes_equal(buf_bytes(&seen), expected));
			frame_reader_release(&r);
			buf_release(&seen);
		}
	}
	buf_release(&stream);
}

static void frame_in_one_piece_is_not_copied(void **state)
{
	struct buf stream = stream_of_three();
	struct bytes input = buf_bytes(&stream);
	struct bytes frame;
	struct frame_reader r;

	frame_reader_init(&r, FRAME_BYTES_MAX);
	assert_int_equal(frame_read(&r, &input, &frame), OK);
	assert_ptr_equal(frame.data, stream.data + FRAME_HEADER_BYTES);
	assert_int_equal(r.partial.cap, 0);
	frame_reader_release(&r);
	buf_release(&stream);
}

static void large_frame_is_refused_by_its_header(void **state)
{
	static const uint8_t header[] = { 0x04, 0x01 };
	struct bytes input;
	struct bytes frame;
	struct frame_reader r;

	for (size_t first = 0; first < sizeof(header); first++) {
		frame_reader_init(&r, HANDSHAKE_FRAME_BYTES_MAX);
		input = bytes_of(header, first);
		assert_int_equal(frame_read(&r, &input, &frame), OK);
		input = bytes_of(header + first, sizeof(header) - first);
		assert_int_equal(frame_read(&r, &input, &frame), ERR_LIMIT);
		assert_true(r.partial.size <= FRAME_HEADER_BYTES);
		frame_reader_release(&r);
	}

	frame_reader_init(&r, HANDSHAKE_FRAME_BYTES_MAX + 1);
	input = bytes_of(header, sizeof(header));
	assert_int_equal(frame_read(&r, &input, &frame), OK);
	frame_reader_release(&r);
}

static void empty_frame_is_refused(void **state)
{
	static const uint8_t header[] = { 0, 0 };
	struct bytes input = bytes_of(header, sizeof(header));
	struct bytes frame = bytes_of_str("untouched");
	struct frame_reader r;

	frame_reader_init(&r, FRAME_BYTES_MAX);
	assert_int_equal(frame_read(&r, &input, &frame), ERR_FORMAT);
	assert_true(bytes_equal(frame, bytes_of_str("untouched")));
	frame_reader_release(&r);
}

static void memory_follows_what_came_and_not_what_was_claimed(void **state)
{
	static const uint8_t start[] = { 0xff, 0xff, 1, 2, 3 };
	struct bytes input = bytes_of(start, sizeof(start));
	struct bytes frame;
	struct frame_reader r;

	frame_reader_init(&r, FRAME_BYTES_MAX);
	assert_int_equal(frame_read(&r, &input, &frame), OK);
	assert_int_equal(frame.size, 0);
	assert_true(r.partial.cap < 1024);
	frame_reader_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_big_endian),
		cmocka_unit_test(frames_survive_any_two_cuts),
		cmocka_unit_test(frame_in_one_piece_is_not_copied),
		cmocka_unit_test(large_frame_is_refused_by_its_header),
		cmocka_unit_test(empty_frame_is_refused),
		cmocka_unit_test(memory_follows_what_came_and_not_what_was_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
