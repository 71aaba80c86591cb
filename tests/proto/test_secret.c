/* proto/secret, proto/proof: secrets as text, and the proof that one holds a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/proof.h"
#include "proto/secret.h"

static void wiping_leaves_zeros(void **state)
{
	uint8_t secret[40];

	memset(secret, 0xaa, sizeof(secret));
	secret_wipe(secret + 4, 32);
	for (size_t i = 0; i < sizeof(secret); i++)
		assert_int_equal(secret[i], i < 4 || i >= 36 ? 0xaa : 0);
}

/* The cases of RFC 4648, section 10, without their padding, and the two letters
 * that only base64url has. */
static const struct {
	const char *plain, *text;
} cases[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xef\xff", "--__" },
};

static void texts_are_those_of_the_standard(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = BUF_EMPTY, plain = BUF_EMPTY;

		buf_append_str(&text, "x:");
		assert_int_equal(base64_encode(&text, bytes_of_str(cases[i].plain)), OK);
		assert_int_equal(text.size, 2 + strlen(cases[i].text));
		assert_memory_equal(text.data + 2, cases[i].text, text.size - 2);
		assert_int_equal(base64_decode(&plain, cases[i].text), OK);
		assert_true(bytes_equal(buf_bytes(&plain), bytes_of_str(cases[i].plain)));
		buf_release(&text);
		buf_release(&plain);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"Z",     /* no whole byte */
		"Zh",    /* bits that mean nothing */
		"Zg==",  /* padding */
		"+/+/",  /* plain base64 */
		"Zm 9v", /* a blank */
		"Zm9v\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf out = BUF_EMPTY;

		buf_append_str(&out, "kept");
		assert_int_equal(base64_decode(&out, texts[i]), ERR_FORMAT);
		assert_true(bytes_equal(buf_bytes(&out), bytes_of_str("kept")));
		buf_release(&out);
	}
}

static void proof_is_of_one_key_and_one_handshake(void **state)
{
	uint8_t public_key[SIGN_PUBLIC_BYTES], derived[SIGN_PUBLIC_BYTES];
	uint8_t secret[SIGN_SECRET_BYTES], seed[crypto_sign_SEEDBYTES] = { 1 };
	uint8_t hash[NOISE_HASH_BYTES] = { 2 }, proof[SIGNATURE_BYTES];

	crypto_sign_seed_keypair(public_key, secret, seed);
	secret_sign_public(derived, secret);
	assert_memory_equal(derived, public_key, sizeof(derived));
	proof_sign(proof, hash, secret);
	assert_true(proof_is_valid(proof, hash, public_key));
	hash[NOISE_HASH_BYTES - 1] ^= 1;
	assert_false(proof_is_valid(proof, hash, public_key));
	hash[NOISE_HASH_BYTES - 1] ^= 1;
	public_key[0] ^= 1;
	assert_false(proof_is_valid(proof, hash, public_key));
	/* It is no signature of the hash alone, nor of a changeset's link. */
	public_key[0] ^= 1;
	assert_int_not_equal(crypto_sign_verify_detached(proof, hash, sizeof(hash), public_key), 0);
}

static void proof_of_a_secret_is_of_one_key(void **state)
{
	uint8_t secret[NOISE_PSK_BYTES] = { 1 }, key[NOISE_DH_BYTES] = { 2 };
	uint8_t proof[PROOF_SECRET_BYTES];

	proof_of_secret(proof, secret, key);
	assert_true(proof_shows_secret(proof, secret, key));
	key[31] ^= 1;
	assert_false(proof_shows_secret(proof, secret, key));
	key[31] ^= 1;
	secret[31] ^= 1;
	assert_false(proof_shows_secret(proof, secret, key));
	secret[31] ^= 1;
	proof[31] ^= 1;
	assert_false(proof_shows_secret(proof, secret, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wiping_leaves_zeros),
		cmocka_unit_test(texts_are_those_of_the_standard),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(proof_is_of_one_key_and_one_handshake),
		cmocka_unit_test(proof_of_a_secret_is_of_one_key),
	};

	return cmocka_run_group_tests_name("proto/secret", tests, NULL, NULL);
}
