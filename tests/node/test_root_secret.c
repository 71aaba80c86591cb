/* node/root_secret: recovery words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sodium.h>

#include "node/root_secret.h"
#include "tests/support/prng.h"

enum { SEED = 20261122, ROUNDS = 200 };

static void words_give_back_the_secret_and_its_key(void **state)
{
	struct prng prng;
	struct dice dice;

	prng_init(&prng, SEED);
	dice = prng_dice(&prng);
	for (int i = 0; i < ROUNDS; i++) {
		struct root_secret secret, again;
		struct root_key key, same;
		char words[WORDS_TEXT_MAX];

		root_secret_draw(&secret, &dice);
		root_secret_words(words, &secret);
		assert_int_equal(strlen(words), ROOT_WORD_COUNT * 6 - 1);
		assert_int_equal(root_secret_read(&again, words, NULL), OK);
		assert_memory_equal(&again, &secret, sizeof(secret));
		root_secret_key(&key, &secret);
		root_secret_key(&same, &again);
		assert_memory_equal(&key, &same, sizeof(key));
	}
}

/* Paper outlives programs: what was written down once must open for ever. */
static void derivation_stays(void **state)
{
	static const struct root_secret zeros = { { 0 } };
	char words[WORDS_TEXT_MAX], hex[2 * SIGN_PUBLIC_BYTES + 1];
	struct root_key key;

	root_secret_words(words, &zeros);
	assert_string_equal(words, "babab babab babab babab babab babab babab babab rivil");
	root_secret_key(&key, &zeros);
	hex_encode(hex, bytes_of(key.key.bytes, SIGN_PUBLIC_BYTES));
	assert_string_equal(hex,
			    "6ce02e2ac110bc5d4c0f7c6d37473dc31be787ac6380bbe17b8dd08402fcbf48");
}

static char other_letter(char letter)
{
	const char *letters = strchr("aiou", letter) ? "aiou" : "bdfghjklmnprstvz";
	const char *next = strchr(letters, letter) + 1;

	return *next ? *next : *letters;
}

/* Each letter once: always refused, and nearly always the right word is named. */
static void slip_of_one_letter_is_found(void **state)
{
	struct prng prng;
	struct dice dice;
	unsigned named = 0, tried = 0;

	prng_init(&prng, SEED);
	dice = prng_dice(&prng);
	for (int i = 0; i < 10; i++) {
		struct root_secret secret, ignored;
		char words[WORDS_TEXT_MAX];

		root_secret_draw(&secret, &dice);
		root_secret_words(words, &secret);
		for (size_t at = 0; words[at]; at++) {
			char kept = words[at], said[32];
			struct errmsg msg;

			if (kept == ' ')
				continue;
			words[at] = other_letter(kept);
			assert_int_equal(root_secret_read(&ignored, words, &msg), ERR_FORMAT);
			snprintf(said, sizeof(said), "word %zu ", at / 6 + 1);
			named += strstr(msg.text, said) != NULL;
			tried++;
			words[at] = kept;
		}
	}
	printf("%u of %u named (seed %d)\n", named, tried, SEED);
	assert_true(named * 10 >= tried * 9);
}

static void words_in_another_order_are_refused(void **state)
{
	static const struct root_secret secret = { { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
	struct root_secret ignored;
	char words[WORDS_TEXT_MAX], first[6];

	root_secret_words(words, &secret);
	memcpy(first, words, 6);
	memmove(words, words + 6, 6);
	memcpy(words + 6, first, 6);
	assert_int_equal(root_secret_read(&ignored, words, NULL), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_give_back_the_secret_and_its_key),
		cmocka_unit_test(derivation_stays),
		cmocka_unit_test(slip_of_one_letter_is_found),
		cmocka_unit_test(words_in_another_order_are_refused),
	};

	return sodium_init() < 0 ||
	       cmocka_run_group_tests_name("node/root_secret", tests, NULL, NULL);
}
