/* Noise CipherState (revision 34, section 5.1): one key, one counter, one direction.
 *
 * ChaCha20-Poly1305 of RFC 8439; the nonce is four zero bytes and the counter,
 * little-endian, and is never sent: a lost, repeated or reordered message fails
 * to open. Pure: no I/O, no allocation. */
#ifndef HT_PROTO_NOISE_CIPHER_H
#define HT_PROTO_NOISE_CIPHER_H

#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"

#define NOISE_KEY_BYTES 32 /* core/replica.h says the same */
enum { NOISE_TAG_BYTES = 16 };

struct noise_cipher {
	uint8_t key[NOISE_KEY_BYTES]; /* secret */
	uint64_t nonce;               /* of the next message; the greatest value is reserved */
};

/* Begin with `key` and nonce 0. */
void noise_cipher_init(struct noise_cipher *c, const uint8_t key[NOISE_KEY_BYTES]);

/* Encrypt `plain` to `out`, which has room for plain.size + NOISE_TAG_BYTES and
 * may be plain.data itself; `ad` is authenticated and not sent. ERR_LIMIT once
 * the nonces are used up. */
MUST_CHECK enum err noise_cipher_seal(struct noise_cipher *c, struct bytes ad, struct bytes plain,
				      uint8_t *out);

/* Decrypt `sealed` to `out`, which has room for sealed.size - NOISE_TAG_BYTES.
 * ERR_FORMAT if it was not sealed with this key, nonce and `ad`, or is shorter than
 * a tag (the nonce then stays, and `out` holds zeros); ERR_LIMIT once the nonces are
 * used up. */
MUST_CHECK enum err noise_cipher_open(struct noise_cipher *c, struct bytes ad, struct bytes sealed,
				      uint8_t *out);

/* Replace the key by a one-way function of itself (REKEY, section 4.2); the
 * nonces go on. */
void noise_cipher_rekey(struct noise_cipher *c);

#endif
