#include "node/root_secret.h"

#include <sodium.h>

#include "node/i18n.h"

static const char seed_domain[] = "huitong-root-1";
static const char check_domain[] = "huitong-root-check-1";

enum { WORDS_BYTES = ROOT_WORD_COUNT * WORD_BYTES };

static void hash(uint8_t *out, size_t size, const char *domain, const uint8_t *secret)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, size);
	crypto_generichash_update(&state, (const uint8_t *)domain, strlen(domain));
	crypto_generichash_update(&state, secret, ROOT_SECRET_BYTES);
	crypto_generichash_final(&state, out, size);
	sodium_memzero(&state, sizeof(state));
}

/* The word that checks the others. */
static void check_word(uint8_t out[WORD_BYTES], const uint8_t *secret)
{
	uint8_t whole[32];

	hash(whole, sizeof(whole), check_domain, secret);
	memcpy(out, whole, WORD_BYTES);
	sodium_memzero(whole, sizeof(whole));
}

static bool is_checked(const uint8_t bytes[WORDS_BYTES])
{
	uint8_t check[WORD_BYTES];

	check_word(check, bytes);
	return memcmp(check, bytes + ROOT_SECRET_BYTES, WORD_BYTES) == 0;
}

void root_secret_draw(struct root_secret *out, const struct dice *dice)
{
	dice_fill(dice, out->bytes, sizeof(out->bytes));
}

void root_secret_words(char out[WORDS_TEXT_MAX], const struct root_secret *secret)
{
	uint8_t bytes[WORDS_BYTES];

	memcpy(bytes, secret->bytes, ROOT_SECRET_BYTES);
	check_word(bytes + ROOT_SECRET_BYTES, secret->bytes);
	words_encode(out, bytes_of(bytes, sizeof(bytes)));
	sodium_memzero(bytes, sizeof(bytes));
}

/* Whether the words fit together with another letter somewhere in this one. */
static bool fits_with_one_letter_changed(const uint8_t bytes[WORDS_BYTES], size_t word)
{
	static const struct {
		unsigned shift, count;
	} letters[] = { { 12, 16 }, { 10, 4 }, { 6, 16 }, { 4, 4 }, { 0, 16 } };
	uint8_t changed[WORDS_BYTES];
	bool fits = false;

	for (size_t i = 0; i < WORD_LETTERS; i++)
		for (unsigned by = 1; by < letters[i].count && !fits; by++) {
			unsigned mask = by << letters[i].shift;

			memcpy(changed, bytes, WORDS_BYTES);
			changed[word * WORD_BYTES] ^= (uint8_t)(mask >> 8);
			changed[word * WORD_BYTES + 1] ^= (uint8_t)mask;
			fits = is_checked(changed);
		}
	sodium_memzero(changed, sizeof(changed));
	return fits;
}

/* Most slips are of one letter, which leaves few words to blame: mostly one. */
static enum err name_mistyped(const uint8_t bytes[WORDS_BYTES], struct errmsg *msg)
{
	size_t suspect = 0, count = 0;

	for (size_t word = 0; word < ROOT_WORD_COUNT; word++)
		if (fits_with_one_letter_changed(bytes, word)) {
			suspect = word + 1;
			count++;
		}
	if (count == 1)
		return errmsg_set(msg, ERR_FORMAT,
				  _("the words don't fit together: look at word %zu again"),
				  suspect);
	return errmsg_set(msg, ERR_FORMAT,
			  _("the words don't fit together: compare them one by one with what you "
			    "wrote down, in that order"));
}

enum err root_secret_read(struct root_secret *out, const char *text, struct errmsg *msg)
{
	uint8_t bytes[WORDS_BYTES];
	enum err rc = words_decode(bytes, ROOT_WORD_COUNT, text, msg);

	if (rc == OK && !is_checked(bytes))
		rc = name_mistyped(bytes, msg);
	if (rc == OK)
		memcpy(out->bytes, bytes, ROOT_SECRET_BYTES);
	sodium_memzero(bytes, sizeof(bytes));
	return rc;
}

void root_secret_key(struct root_key *out, const struct root_secret *secret)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	hash(seed, sizeof(seed), seed_domain, secret->bytes);
	crypto_sign_seed_keypair(out->key.bytes, out->secret, seed);
	sodium_memzero(seed, sizeof(seed));
}
