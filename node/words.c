#include "node/words.h"

#include <assert.h>
#include <ctype.h>
#include <sodium.h>

#include "node/i18n.h"

static const char consonants[] = "bdfghjklmnprstvz";
static const char vowels[] = "aiou";

/* The letters of a word, from its most significant bits on. */
static const struct {
	const char *letters;
	unsigned bits;
} places[WORD_LETTERS] = {
	{ consonants, 4 }, { vowels, 2 }, { consonants, 4 }, { vowels, 2 }, { consonants, 4 },
};

enum { CHECK_BYTES = 12 };

static void encode_word(char out[WORD_LETTERS], unsigned word)
{
	unsigned left = 8 * WORD_BYTES;

	for (size_t i = 0; i < WORD_LETTERS; i++) {
		left -= places[i].bits;
		out[i] = places[i].letters[word >> left & ((1U << places[i].bits) - 1)];
	}
}

static bool decode_word(uint8_t out[WORD_BYTES], const char *text, size_t size)
{
	unsigned word = 0;

	for (size_t i = 0; i < WORD_LETTERS && size == WORD_LETTERS; i++) {
		const char *found = strchr(places[i].letters, tolower((unsigned char)text[i]));

		if (!found)
			return false;
		word = word << places[i].bits | (unsigned)(found - places[i].letters);
	}
	out[0] = (uint8_t)(word >> 8);
	out[1] = (uint8_t)word;
	return size == WORD_LETTERS;
}

void words_encode(char out[WORDS_TEXT_MAX], struct bytes bytes)
{
	size_t count = bytes.size / WORD_BYTES;

	assert(bytes.size % WORD_BYTES == 0 && count > 0 && count <= WORDS_MAX);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *two = bytes.data + i * WORD_BYTES;

		encode_word(out, (unsigned)two[0] << 8 | two[1]);
		out += WORD_LETTERS;
		*out++ = i + 1 < count ? ' ' : '\0';
	}
}

static size_t letter_count(const char *text)
{
	size_t count = 0;

	/* Letters of other scripts belong to a word, too: to one that is none. */
	while (isalpha((unsigned char)text[count]) || (unsigned char)text[count] >= 0x80)
		count++;
	return count;
}

size_t words_count(const char *text)
{
	size_t count = 0;

	while (*text) {
		size_t size = letter_count(text);

		count += size > 0;
		text += size ? size : 1;
	}
	return count;
}

enum err words_decode(uint8_t *out, size_t count, const char *text, struct errmsg *msg)
{
	uint8_t decoded[WORDS_MAX * WORD_BYTES];
	size_t found = 0;
	enum err rc = OK;

	assert(count <= WORDS_MAX);
	while (rc == OK && *text) {
		size_t size = letter_count(text);

		if (size && found < count && !decode_word(decoded + found * WORD_BYTES, text, size))
			rc = errmsg_set(msg, ERR_FORMAT,
					_("word %zu is mistyped: no word is spelled like that "
					  "(\"lusab\" is one)"),
					found + 1);
		found += size > 0;
		text += size ? size : 1;
	}
	if (rc == OK && found != count)
		rc = errmsg_set(msg, ERR_FORMAT, _("%zu words where %zu belong"), found, count);
	if (rc == OK)
		memcpy(out, decoded, count * WORD_BYTES);
	sodium_memzero(decoded, sizeof(decoded));
	return rc;
}

void words_check(char out[WORDS_TEXT_MAX], struct bytes text)
{
	uint8_t hash[crypto_generichash_BYTES];

	crypto_generichash(hash, sizeof(hash), text.data, text.size, NULL, 0);
	words_encode(out, bytes_of(hash, CHECK_BYTES));
}
