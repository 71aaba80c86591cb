/* proto without memory: whichever allocation fails, the call says so and leaves
 * nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <dirent.h>

#include "core/pack.h"
#include "proto/frame.h"
#include "proto/message.h"
#include "tests/proto/pair.h"
#include "tests/support/shortage.h"

enum { LONG_BYTES = 200 * 1000, PIECE_BYTES = 9000, EXAMPLES_MAX = 64 };

static void check_blocks(void *ctx, enum err rc)
{
	assert_int_equal(shortage_blocks(), *(long *)ctx);
}

/* ---- The handshake ---------------------------------------------------------------- */

static enum err pass_message(struct noise_pair *pair)
{
	struct noise *writer = pair_writer(pair), *reader = pair_reader(pair);
	struct buf message = BUF_EMPTY, framed = BUF_EMPTY, payload = BUF_EMPTY;
	struct frame_reader frames;
	struct bytes input, frame = bytes_of(NULL, 0);
	enum err rc = noise_write(writer, bytes_of_str("payload"), &message);

	frame_reader_init(&frames, 4096);
	if (rc == OK)
		rc = frame_write(&framed, buf_bytes(&message));
	/* In two pieces: the reader has to keep the first. */
	for (size_t at = 0; rc == OK && at < framed.size; at += input.size) {
		struct bytes rest = bytes_of(framed.data + at, at ? framed.size - at : 20);

		input = rest;
		rc = frame_read(&frames, &rest, &frame);
	}
	if (rc == OK)
		rc = noise_read(reader, frame, &payload);
	frame_reader_release(&frames);
	buf_release(&message);
	buf_release(&framed);
	buf_release(&payload);
	return rc;
}

static enum err shake_hands(void *ctx)
{
	static const enum noise_pattern patterns[] = { NOISE_XX, NOISE_IKPSK2 };
	enum err rc = OK;

	for (size_t i = 0; i < 2 && rc == OK; i++) {
		struct noise_pair pair;

		pair_init(&pair, patterns[i]);
		while (rc == OK && !noise_is_done(&pair.initiator))
			rc = pass_message(&pair);
		noise_wipe(&pair.initiator);
		noise_wipe(&pair.responder);
	}
	return rc;
}

static void a_handshake_fails_clean(void **state)
{
	long blocks = shortage_blocks();
	const struct shortage_trial trial = { shake_hands, check_blocks, &blocks };

	assert_true(shortage_try(&trial) > 10);
}

/* ---- The channel ------------------------------------------------------------------- */

/* What was sealed, a piece at a time. */
static enum err open_all(struct channel *ch, struct bytes sealed, size_t *messages)
{
	enum channel_event event = CHANNEL_NEEDS_INPUT;
	struct bytes message;
	enum err rc = OK;

	while (rc == OK && sealed.size) {
		size_t size = sealed.size < PIECE_BYTES ? sealed.size : PIECE_BYTES;
		struct bytes piece = bytes_of(sealed.data, size);

		sealed = bytes_of(sealed.data + size, sealed.size - size);
		do {
			rc = channel_open(ch, &piece, &event, &message);
			*messages += rc == OK && event == CHANNEL_MESSAGE;
		} while (rc == OK && event == CHANNEL_MESSAGE);
	}
	return rc;
}

static enum err talk(void *ctx)
{
	static const uint8_t text[LONG_BYTES];
	struct channel_pair pair;
	struct buf sealed = BUF_EMPTY;
	size_t messages = 0;
	enum err rc;

	shortage_pause(true);
	pair_init_channels(&pair);
	shortage_pause(false);
	rc = channel_seal(&pair.initiator, bytes_of(text, 10), &sealed);
	if (rc == OK)
		rc = channel_seal(&pair.initiator, bytes_of(text, sizeof(text)), &sealed);
	if (rc == OK)
		rc = channel_seal_end(&pair.initiator, &sealed);
	if (rc == OK)
		rc = open_all(&pair.responder, buf_bytes(&sealed), &messages);
	if (rc == OK)
		assert_int_equal(messages, 2);
	buf_release(&sealed);
	pair_release_channels(&pair);
	return rc;
}

static void a_channel_fails_clean(void **state)
{
	long blocks = shortage_blocks();
	const struct shortage_trial trial = { talk, check_blocks, &blocks };

	assert_true(shortage_try(&trial) > 10);
}

/* ---- Messages ------------------------------------------------------------------------ */

/* One message of each type, from the fuzzer's corpus. */
static struct {
	struct buf examples[EXAMPLES_MAX];
	size_t count;
	long blocks;
} corpus;

/* Some are there because they are wrong. */
static bool is_message(struct bytes bytes)
{
	struct arena arena = ARENA_EMPTY;
	struct pack pack = PACK_EMPTY;
	struct message m;
	enum err rc = OK;

	if (pack_is_frame(bytes))
		rc = pack_restore(&pack, bytes, CHANGES_BYTES_MAX, &arena, &bytes);
	if (rc == OK)
		rc = message_decode(&m, bytes, &arena, NULL);
	pack_release(&pack);
	arena_release(&arena);
	return rc == OK;
}

static void read_example(const char *path)
{
	struct buf *b = &corpus.examples[corpus.count];
	FILE *file = fopen(path, "rb");
	int c;

	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		buf_append_byte(b, (uint8_t)c);
	fclose(file);
	if (is_message(buf_bytes(b)))
		corpus.count++;
	else
		buf_release(b);
}

static void read_corpus(void)
{
	static const char folder[] = HUITONG_SOURCE_DIR "/tests/fuzz/corpus/message";
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512];

	assert_non_null(dir);
	while ((entry = readdir(dir)) && corpus.count < EXAMPLES_MAX) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%.200s", folder, entry->d_name);
		read_example(path);
	}
	closedir(dir);
}

static enum err encode_again(const struct message *m, struct bytes was, struct pack *pack,
			     struct arena *arena)
{
	struct buf encoded = BUF_EMPTY;
	struct bytes packed;
	enum err rc;

	message_encode(&encoded, m);
	rc = buf_check(&encoded);
	if (rc == OK)
		assert_true(bytes_equal(buf_bytes(&encoded), was));
	if (rc == OK)
		rc = pack_shrink(pack, was, &packed);
	if (rc == OK && pack_is_frame(packed))
		rc = pack_restore(pack, packed, was.size, arena, &packed);
	if (rc == OK)
		assert_true(bytes_equal(packed, was));
	buf_release(&encoded);
	return rc;
}

static enum err decode_all(void *ctx)
{
	struct arena arena = ARENA_EMPTY;
	struct pack pack = PACK_EMPTY;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < corpus.count; i++) {
		struct bytes bytes = buf_bytes(&corpus.examples[i]);
		struct message m;

		if (pack_is_frame(bytes))
			rc = pack_restore(&pack, bytes, CHANGES_BYTES_MAX, &arena, &bytes);
		if (rc == OK)
			rc = message_decode(&m, bytes, &arena, NULL);
		if (rc == OK)
			rc = encode_again(&m, bytes, &pack, &arena);
		arena_release(&arena); /* so that each has to ask for memory */
	}
	pack_release(&pack);
	return rc;
}

static void messages_fail_clean(void **state)
{
	const struct shortage_trial trial = { decode_all, check_blocks, &corpus.blocks };

	read_corpus();
	corpus.blocks = shortage_blocks();
	assert_true(corpus.count >= 10);
	assert_true(shortage_try(&trial) > 10);
	for (size_t i = 0; i < corpus.count; i++)
		buf_release(&corpus.examples[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake_fails_clean),
		cmocka_unit_test(a_channel_fails_clean),
		cmocka_unit_test(messages_fail_clean),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
