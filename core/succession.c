#include "core/succession.h"

#include <string.h>

#include "core/trust.h"

bool succession_has(const struct record_id *node, const struct statement *s)
{
	return s->type == STATEMENT_EPOCH && s->u.epoch.reason == EPOCH_ROTATED &&
	       record_id_cmp(&s->u.epoch.node, node) == 0;
}

static bool is_signed_with(const struct statement *s, const uint8_t key[SIGN_PUBLIC_BYTES])
{
	for (size_t i = 0; i < s->signer_count; i++)
		if (memcmp(s->signers[i].bytes, key, SIGN_PUBLIC_BYTES) == 0)
			return true;
	return false;
}

/* The key that must have signed it; NULL: it can't follow. */
static const uint8_t *key_before(const struct succession *x, const struct trust *t,
				 const struct record_id *node)
{
	const struct trust_node *known = t ? trust_node(t, node) : NULL;
	const struct trust_epoch *epoch;

	if (!known || known->is_revoked)
		return NULL;
	if (x->has_begun)
		return record_id_cmp(&x->node, node) == 0 ? x->last.sign_key : NULL;
	epoch = trust_epoch(t, &known->current);
	return epoch ? epoch->identity.sign_key : NULL;
}

enum err succession_follow(struct succession *x, const struct replica *r, struct bytes statement)
{
	struct arena arena = ARENA_EMPTY;
	const uint8_t *before = NULL;
	struct statement s;
	bool follows;
	enum err rc = statement_decode(&s, statement, &arena, NULL);

	if (rc == OK && s.type == STATEMENT_EPOCH)
		before = key_before(x, replica_trust(r), &s.u.epoch.node);
	if (rc == OK && !before)
		rc = ERR_AUTHORITY;
	follows = rc == OK && is_signed_with(&s, before);
	if (rc == OK && !follows && x->has_begun)
		rc = ERR_AUTHORITY;
	if (follows)
		rc = statement_verify(&s, statement, NULL);
	if (follows && rc == OK)
		*x = (struct succession){ true, s.u.epoch.node, s.u.epoch.identity };
	arena_release(&arena);
	return rc;
}

bool succession_leads_to(const struct succession *x, const uint8_t noise_key[NOISE_KEY_BYTES])
{
	return x->has_begun && memcmp(x->last.noise_key, noise_key, NOISE_KEY_BYTES) == 0;
}
