#include "proto/preamble.h"

#include <sodium.h>

enum { VERSION_AT = 4, PURPOSE_AT = 5, ORG_TAG_AT = 6 };

_Static_assert(ORG_TAG_AT + ORG_TAG_BYTES == PREAMBLE_BYTES, "layout");

/* No text protocol and no TLS begins with the first byte. */
static const uint8_t magic[VERSION_AT] = { 0xe4, 0xbc, 0x9a, 0x00 };

void preamble_init(struct preamble *p, enum preamble_purpose purpose,
		   const uint8_t org_id[ORG_ID_BYTES])
{
	static const uint8_t context[] = "huitong organisation tag";
	uint8_t hash[crypto_generichash_BYTES];

	crypto_generichash(hash, sizeof(hash), org_id, ORG_ID_BYTES, context, sizeof(context) - 1);
	p->purpose = purpose;
	memcpy(p->org_tag, hash, ORG_TAG_BYTES);
}

void preamble_encode(const struct preamble *p, uint8_t out[PREAMBLE_BYTES])
{
	memcpy(out, magic, sizeof(magic));
	out[VERSION_AT] = PROTOCOL_VERSION;
	out[PURPOSE_AT] = (uint8_t)p->purpose;
	memcpy(out + ORG_TAG_AT, p->org_tag, ORG_TAG_BYTES);
}

void preamble_reader_init(struct preamble_reader *r)
{
	r->size = 0;
}

/* What has come so far; a later version may go on differently after its number. */
static enum err check_front(const uint8_t *bytes, size_t size)
{
	if (memcmp(bytes, magic, size < sizeof(magic) ? size : sizeof(magic)) != 0)
		return ERR_FORMAT;
	if (size > VERSION_AT && bytes[VERSION_AT] != PROTOCOL_VERSION)
		return ERR_VERSION;
	if (size > PURPOSE_AT && bytes[PURPOSE_AT] != PREAMBLE_SYNC &&
	    bytes[PURPOSE_AT] != PREAMBLE_ENROL)
		return ERR_FORMAT;
	return OK;
}

enum err preamble_read(struct preamble_reader *r, struct bytes *input, bool *is_whole,
		       struct preamble *out)
{
	size_t missing = PREAMBLE_BYTES - r->size;
	size_t size = input->size < missing ? input->size : missing;
	enum err rc;

	if (size) {
		memcpy(r->bytes + r->size, input->data, size);
		r->size += size;
		*input = bytes_of(input->data + size, input->size - size);
	}
	rc = check_front(r->bytes, r->size);
	if (rc)
		return rc;
	*is_whole = r->size == PREAMBLE_BYTES;
	if (*is_whole) {
		out->purpose = (enum preamble_purpose)r->bytes[PURPOSE_AT];
		memcpy(out->org_tag, r->bytes + ORG_TAG_AT, ORG_TAG_BYTES);
	}
	return OK;
}

enum err preamble_match(const struct preamble *ours, const struct preamble *theirs)
{
	if (memcmp(ours->org_tag, theirs->org_tag, ORG_TAG_BYTES) != 0)
		return ERR_ORG;
	return ours->purpose == theirs->purpose ? OK : ERR_PROTOCOL;
}

void preamble_prologue(const struct preamble *p, const uint8_t org_id[ORG_ID_BYTES],
		       uint8_t out[PROLOGUE_BYTES])
{
	preamble_encode(p, out);
	memcpy(out + PREAMBLE_BYTES, org_id, ORG_ID_BYTES);
}
