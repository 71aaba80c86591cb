#include "proto/proof.h"

#include <sodium.h>

static const char ticket_context[] = "huitong-ticket-1";
static const char context[] = "huitong-enrol-1";

enum { CONTEXT_BYTES = sizeof(context) - 1, SIGNED_BYTES = CONTEXT_BYTES + NOISE_HASH_BYTES };

void proof_of_secret(uint8_t out[PROOF_SECRET_BYTES], const uint8_t secret[NOISE_PSK_BYTES],
		     const uint8_t noise_key[NOISE_DH_BYTES])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, secret, NOISE_PSK_BYTES, PROOF_SECRET_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)ticket_context,
				  sizeof(ticket_context) - 1);
	crypto_generichash_update(&state, noise_key, NOISE_DH_BYTES);
	crypto_generichash_final(&state, out, PROOF_SECRET_BYTES);
	sodium_memzero(&state, sizeof(state));
}

bool proof_shows_secret(const uint8_t proof[PROOF_SECRET_BYTES],
			const uint8_t secret[NOISE_PSK_BYTES],
			const uint8_t noise_key[NOISE_DH_BYTES])
{
	uint8_t wanted[PROOF_SECRET_BYTES];
	bool is_shown;

	proof_of_secret(wanted, secret, noise_key);
	is_shown = sodium_memcmp(proof, wanted, sizeof(wanted)) == 0;
	sodium_memzero(wanted, sizeof(wanted));
	return is_shown;
}

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
