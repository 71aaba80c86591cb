/* Secrets of those who hold them outside the crypto modules, and secrets as
 * text that people carry. */
#ifndef HT_PROTO_SECRET_H
#define HT_PROTO_SECRET_H

#include "core/bytes.h"

/* Overwrite, in a way that the compiler does not leave out. */
void secret_wipe(void *data, size_t size);

/* The public half of an Ed25519 secret key. */
void secret_sign_public(uint8_t out[32], const uint8_t secret[64]);

/* base64url without padding (RFC 4648 §5). ERR_NOMEM. */
MUST_CHECK enum err base64_encode(struct buf *out, struct bytes in);
/* Canonical only: one text for one value. ERR_FORMAT, ERR_NOMEM: `out` is as it was. */
MUST_CHECK enum err base64_decode(struct buf *out, const char *text);

#endif
