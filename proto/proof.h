/* A newcomer's proof that it holds a signing key: its signature over the
 * handshake in which it says so. It binds key and connection: it can't be
 * carried to another one.
 *
 *   proof = Ed25519("huitong-enrol-1" ‖ handshake hash)  */
#ifndef HT_PROTO_PROOF_H
#define HT_PROTO_PROOF_H

#include "core/changeset.h"
#include "proto/noise.h"

void proof_sign(uint8_t out[SIGNATURE_BYTES], const uint8_t handshake_hash[NOISE_HASH_BYTES],
		const uint8_t secret[SIGN_SECRET_BYTES]);

bool proof_is_valid(const uint8_t proof[SIGNATURE_BYTES],
		    const uint8_t handshake_hash[NOISE_HASH_BYTES],
		    const uint8_t public_key[SIGN_PUBLIC_BYTES]);

#endif
