/* The secret of a root key, as recovery words: nine that somebody writes down and
 * keeps. It is never stored; whoever has enough of them can say who is an admin.
 *
 *     words       16 random bytes as eight words, and one that checks them
 *     Ed25519 seed = BLAKE2b-256("huitong-root-1" ‖ 16 bytes) */
#ifndef HT_NODE_ROOT_SECRET_H
#define HT_NODE_ROOT_SECRET_H

#include "core/dice.h"
#include "core/statement.h"
#include "node/words.h"

enum { ROOT_SECRET_BYTES = 16, ROOT_WORD_COUNT = ROOT_SECRET_BYTES / WORD_BYTES + 1 };

struct root_secret {
	uint8_t bytes[ROOT_SECRET_BYTES];
};

/* The key pair that follows from it. */
struct root_key {
	struct sign_key key;
	uint8_t secret[SIGN_SECRET_BYTES];
};

void root_secret_draw(struct root_secret *out, const struct dice *dice);
void root_secret_words(char out[WORDS_TEXT_MAX], const struct root_secret *secret);

/* Words as people type them (words_decode()). ERR_FORMAT says which one is mistyped,
 * as far as can be told. */
MUST_CHECK enum err root_secret_read(struct root_secret *out, const char *text, struct errmsg *msg);

void root_secret_key(struct root_key *out, const struct root_secret *secret);

#endif
