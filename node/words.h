/* Bytes as words that people can say, write down and type: proquints (Wilkerson,
 * arXiv:0901.4016). Two bytes are one word of five letters, consonants and vowels in
 * turn, made of letters that are hard to mistake for one another: "lusab babad". */
#ifndef HT_NODE_WORDS_H
#define HT_NODE_WORDS_H

#include "core/bytes.h"

enum {
	WORD_BYTES = 2,
	WORD_LETTERS = 5,
	WORDS_MAX = 16,
	WORDS_TEXT_MAX = WORDS_MAX * (WORD_LETTERS + 1), /* with blanks between and the end */
};

/* Lower case, a blank between. Asserts whole words, at most WORDS_MAX. */
void words_encode(char out[WORDS_TEXT_MAX], struct bytes bytes);

/* How many there are, whether they are words or not. */
size_t words_count(const char *text);

/* `count` words, in any case; whatever is no letter parts them, so that a numbered list
 * will do. ERR_FORMAT names the word that is none, or says how many are missing. */
MUST_CHECK enum err words_decode(uint8_t *out, size_t count, const char *text, struct errmsg *msg);

/* Six words by which two people compare a text, over the phone say: of the first 12
 * bytes of BLAKE2b-256 over it. */
void words_check(char out[WORDS_TEXT_MAX], struct bytes text);

#endif
