/* What a newcomer proves: first that it has a ticket's secret, then that it holds a
 * signing key. */
#ifndef HT_PROTO_PROOF_H
#define HT_PROTO_PROOF_H

#include "core/changeset.h"
#include "proto/noise.h"

enum { PROOF_SECRET_BYTES = 32 };

/* Of the secret, by the first message of the handshake, which proves the newcomer's
 * noise key: nobody with another key can use it again.
 *
 *   proof = BLAKE2b-256(key: secret, "huitong-ticket-1" ‖ newcomer's noise key)  */
void proof_of_secret(uint8_t out[PROOF_SECRET_BYTES], const uint8_t secret[NOISE_PSK_BYTES],
		     const uint8_t noise_key[NOISE_DH_BYTES]);

/* In constant time. */
bool proof_shows_secret(const uint8_t proof[PROOF_SECRET_BYTES],
			const uint8_t secret[NOISE_PSK_BYTES],
			const uint8_t noise_key[NOISE_DH_BYTES]);

/* Of the signing key: its signature over the handshake in which it is named. It binds key
 * and connection: it can't be carried to another one.
 *
 *   proof = Ed25519("huitong-enrol-1" ‖ handshake hash)  */

void proof_sign(uint8_t out[SIGNATURE_BYTES], const uint8_t handshake_hash[NOISE_HASH_BYTES],
		const uint8_t secret[SIGN_SECRET_BYTES]);

bool proof_is_valid(const uint8_t proof[SIGNATURE_BYTES],
		    const uint8_t handshake_hash[NOISE_HASH_BYTES],
		    const uint8_t public_key[SIGN_PUBLIC_BYTES]);

#endif
