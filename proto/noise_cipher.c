#include "proto/noise_cipher.h"

#include <sodium.h>

_Static_assert(NOISE_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(NOISE_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag size");

enum { AEAD_NONCE_BYTES = crypto_aead_chacha20poly1305_ietf_NPUBBYTES };

static void nonce_encode(uint8_t out[AEAD_NONCE_BYTES], uint64_t nonce)
{
	memset(out, 0, 4);
	for (int i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(nonce >> 8 * i);
}

static void aead_seal(const uint8_t *key, uint64_t nonce, struct bytes ad, struct bytes plain,
		      uint8_t *out)
{
	uint8_t npub[AEAD_NONCE_BYTES];

	nonce_encode(npub, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size, ad.data,
						  ad.size, NULL, npub, key);
}

void noise_cipher_init(struct noise_cipher *c, const uint8_t key[NOISE_KEY_BYTES])
{
	memcpy(c->key, key, NOISE_KEY_BYTES);
	c->nonce = 0;
}

enum err noise_cipher_seal(struct noise_cipher *c, struct bytes ad, struct bytes plain,
			   uint8_t *out)
{
	if (c->nonce == UINT64_MAX)
		return ERR_LIMIT;
	aead_seal(c->key, c->nonce++, ad, plain, out);
	return OK;
}

enum err noise_cipher_open(struct noise_cipher *c, struct bytes ad, struct bytes sealed,
			   uint8_t *out)
{
	uint8_t npub[AEAD_NONCE_BYTES];

	if (c->nonce == UINT64_MAX)
		return ERR_LIMIT;
	nonce_encode(npub, c->nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size,
						      ad.data, ad.size, npub, c->key))
		return ERR_FORMAT;
	c->nonce++;
	return OK;
}

void noise_cipher_rekey(struct noise_cipher *c)
{
	static const uint8_t zeros[NOISE_KEY_BYTES];
	uint8_t sealed[NOISE_KEY_BYTES + NOISE_TAG_BYTES];

	aead_seal(c->key, UINT64_MAX, bytes_of(NULL, 0), bytes_of(zeros, sizeof(zeros)), sealed);
	memcpy(c->key, sealed, NOISE_KEY_BYTES);
	sodium_memzero(sealed, sizeof(sealed));
}
