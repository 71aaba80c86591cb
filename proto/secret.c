#include "proto/secret.h"

#include <sodium.h>

void secret_wipe(void *data, size_t size)
{
	sodium_memzero(data, size);
}

void secret_sign_public(uint8_t out[32], const uint8_t secret[64])
{
	crypto_sign_ed25519_sk_to_pk(out, secret);
}

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

enum err base64_encode(struct buf *out, struct bytes in)
{
	size_t size = sodium_base64_encoded_len(in.size, VARIANT); /* with the terminator */
	uint8_t *at = buf_grow(out, size);

	if (!at)
		return ERR_NOMEM;
	sodium_bin2base64((char *)at, size, in.data, in.size, VARIANT);
	out->size--;
	return OK;
}

enum err base64_decode(struct buf *out, const char *text)
{
	size_t text_size = strlen(text), start = out->size, size;
	uint8_t *at = buf_grow(out, text_size / 4 * 3 + 3);

	if (!at)
		return ERR_NOMEM;
	if (sodium_base642bin(at, out->size - start, text, text_size, NULL, &size, NULL, VARIANT)) {
		out->size = start;
		return ERR_FORMAT;
	}
	out->size = start + size;
	return OK;
}
