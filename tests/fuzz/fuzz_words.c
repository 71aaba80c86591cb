/* Recovery words, as people type them: what is accepted are the words of one secret, and nothing
 * else is. */
#include <string.h>

#include "node/root_secret.h"
#include "tests/fuzz/target.h"

/* Any number of words. */
static void decode(const char *text)
{
	uint8_t bytes[WORD_BYTES * WORDS_MAX], again[sizeof(bytes)];
	char words[WORDS_TEXT_MAX];
	size_t count = words_count(text);
	struct errmsg msg = { .text = "" };

	if (count == 0 || count > WORDS_MAX)
		return;
	if (words_decode(bytes, count, text, &msg) != OK) {
		require(msg.text[0]);
		return;
	}
	words_encode(words, bytes_of(bytes, count * WORD_BYTES));
	require(words_count(words) == count && words_decode(again, count, words, NULL) == OK);
	require(memcmp(bytes, again, count * WORD_BYTES) == 0);
}

static void read_secret(const char *text)
{
	struct root_secret secret, again;
	char words[WORDS_TEXT_MAX];
	struct errmsg msg = { .text = "" };

	if (root_secret_read(&secret, text, &msg) != OK) {
		require(msg.text[0]);
		return;
	}
	root_secret_words(words, &secret);
	require(root_secret_read(&again, words, NULL) == OK);
	require(memcmp(&secret, &again, sizeof(secret)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_EMPTY;

	buf_append(&text, data, size);
	buf_append_byte(&text, 0);
	decode((const char *)text.data);
	read_secret((const char *)text.data);
	buf_release(&text);
	return 0;
}
