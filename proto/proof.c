#include "proto/proof.h"

#include <sodium.h>

static const char context[] = "huitong-enrol-1";

enum { CONTEXT_BYTES = sizeof(context) - 1, SIGNED_BYTES = CONTEXT_BYTES + NOISE_HASH_BYTES };

static void signed_bytes(uint8_t out[SIGNED_BYTES], const uint8_t hash[NOISE_HASH_BYTES])
{
	memcpy(out, context, CONTEXT_BYTES);
	memcpy(out + CONTEXT_BYTES, hash, NOISE_HASH_BYTES);
}

void proof_sign(uint8_t out[SIGNATURE_BYTES], const uint8_t handshake_hash[NOISE_HASH_BYTES],
		const uint8_t secret[SIGN_SECRET_BYTES])
{
	uint8_t text[SIGNED_BYTES];

	signed_bytes(text, handshake_hash);
	crypto_sign_detached(out, NULL, text, sizeof(text), secret);
}

bool proof_is_valid(const uint8_t proof[SIGNATURE_BYTES],
		    const uint8_t handshake_hash[NOISE_HASH_BYTES],
		    const uint8_t public_key[SIGN_PUBLIC_BYTES])
{
	uint8_t text[SIGNED_BYTES];

	signed_bytes(text, handshake_hash);
	return crypto_sign_verify_detached(proof, text, sizeof(text), public_key) == 0;
}
