#include "core/statement.h"

struct witness witness_of(const struct feed_head *before, struct bytes body,
			  const uint8_t signature[SIGNATURE_BYTES])
{
	struct witness w;

	memcpy(w.link_before, before->link, LINK_BYTES);
	memcpy(w.signature_before, before->signature, SIGNATURE_BYTES);
	changeset_body_hash(w.body_hash, body);
	memcpy(w.signature, signature, SIGNATURE_BYTES);
	return w;
}

void witness_link(uint8_t out[LINK_BYTES], const struct witness *w, const struct space_id *space,
		  const struct replica_id *replica, uint64_t seq)
{
	struct feed_head before = { .seq = seq - 1 };

	memcpy(before.link, w->link_before, LINK_BYTES);
	memcpy(before.signature, w->signature_before, SIGNATURE_BYTES);
	changeset_link_over(out, space, replica, &before, w->body_hash);
}

bool witness_is_valid(const struct witness *w, const struct space_id *space,
		      const struct replica_id *replica, uint64_t seq,
		      const uint8_t sign_key[SIGN_PUBLIC_BYTES])
{
	uint8_t link[LINK_BYTES];

	witness_link(link, w, space, replica, seq);
	return changeset_is_signed_by(w->signature, link, sign_key);
}
