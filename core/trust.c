#include "core/trust.h"

#include <stdlib.h>

#include "core/i18n.h"
#include "core/trust_impl.h"

static const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_STANDS] = N_("stands"),
	[VERDICT_NO_AUTHORITY] = N_("no authority"),
	[VERDICT_OVERRULED] = N_("overruled"),
	[VERDICT_MEANINGLESS] = N_("meaningless"),
};

const char *verdict_name(enum verdict verdict)
{
	return verdict < VERDICT_COUNT ? verdict_names[verdict] : N_("unknown");
}

static const char *const cut_cause_names[CUT_CAUSE_COUNT] = {
	[CUT_NONE] = N_("none"),       [CUT_REVOKED] = N_("revoked"), [CUT_CLOSED] = N_("closed"),
	[CUT_FORKED] = N_("forked"),   [CUT_ROLE] = N_("role"),       [CUT_VOID] = N_("void"),
	[CUT_SURPLUS] = N_("surplus"),
};

const char *cut_cause_name(enum cut_cause cause)
{
	return cause < CUT_CAUSE_COUNT ? cut_cause_names[cause] : N_("unknown");
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	free(t->nodes);
	free(t->epochs);
	free(t->grants);
	free(t->cuts);
	free(t->spaces);
	free(t->heads);
	free(t->ids);
	free(t);
}

/* ---- Looking up ------------------------------------------------------------ */

static int node_cmp(const void *key, const void *item)
{
	return record_id_cmp(key, &((const struct trust_node *)item)->node);
}

const struct trust_node *trust_node(const struct trust *t, const struct record_id *node)
{
	return bsearch(node, t->nodes, t->node_count, sizeof(*t->nodes), node_cmp);
}

static int epoch_cmp(const void *key, const void *item)
{
	return replica_id_cmp(key, &((const struct trust_epoch *)item)->replica);
}

const struct trust_epoch *trust_epoch(const struct trust *t, const struct replica_id *replica)
{
	return bsearch(replica, t->epochs, t->epoch_count, sizeof(*t->epochs), epoch_cmp);
}

/* The member of whom this is the current epoch. */
static const struct trust_node *member_in(const struct trust *t, const struct trust_epoch *epoch)
{
	const struct trust_node *node = epoch->is_void ? NULL : trust_node(t, &epoch->node);

	if (!node || node->is_revoked || replica_id_cmp(&node->current, &epoch->replica) != 0)
		return NULL;
	return node;
}

const struct trust_node *trust_node_by_noise_key(const struct trust *t,
						 const uint8_t key[NOISE_KEY_BYTES])
{
	const struct trust_node *node = NULL;

	for (size_t i = 0; i < t->epoch_count && !node; i++)
		if (memcmp(t->epochs[i].identity.noise_key, key, NOISE_KEY_BYTES) == 0)
			node = member_in(t, &t->epochs[i]);
	return node;
}

const struct trust_node *trust_node_by_sign_key(const struct trust *t,
						const uint8_t key[SIGN_PUBLIC_BYTES])
{
	const struct trust_node *node = NULL;

	for (size_t i = 0; i < t->epoch_count && !node; i++)
		if (memcmp(t->epochs[i].identity.sign_key, key, SIGN_PUBLIC_BYTES) == 0)
			node = member_in(t, &t->epochs[i]);
	return node;
}

bool trust_is_root(const struct trust *t, const struct sign_key *key)
{
	for (size_t i = 0; i < t->root_count; i++)
		if (sign_key_cmp(&t->roots[i], key) == 0)
			return true;
	return false;
}

struct trust_node *trust_own_node(const struct trust *t, const struct record_id *node)
{
	const struct trust_node *found = trust_node(t, node);

	return found ? &t->nodes[found - t->nodes] : NULL;
}

struct trust_node *trust_forked_node(const struct trust *t, const struct statement *fork)
{
	const struct trust_epoch *epoch = trust_epoch(t, &fork->u.fork.replica);

	return epoch && !epoch->is_void ? trust_own_node(t, &epoch->node) : NULL;
}

void trust_add_weight(struct trust *t, struct trust_node *author, const struct statement *s)
{
	*(author ? &author->weight : &t->stray_weight) += statement_weight(s);
}

const struct trust_node *trust_author(const struct trust *t, const struct statement *s)
{
	if (s->type == STATEMENT_FORK)
		return trust_forked_node(t, s);
	for (size_t i = 0; i < s->signer_count; i++)
		for (size_t e = 0; e < t->epoch_count; e++)
			if (!t->epochs[e].is_void &&
			    memcmp(t->epochs[e].identity.sign_key, s->signers[i].bytes,
				   SIGN_PUBLIC_BYTES) == 0)
				return trust_node(t, &t->epochs[e].node);
	return NULL;
}

bool trust_is_roots(const struct trust *t, const struct statement *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->signer_count; i++)
		count += trust_is_root(t, &s->signers[i]);
	return count >= t->root_threshold && s->type != STATEMENT_EPOCH &&
	       s->type != STATEMENT_SPACE && s->type != STATEMENT_FORK;
}

/* ---- Roles ----------------------------------------------------------------- */

bool trust_is_directory(const struct trust *t, const struct space_id *space)
{
	return memcmp(space->bytes, t->org, ID_BYTES) == 0;
}

static enum role directory_role(const struct trust *t, const char *office_code)
{
	for (size_t i = 0; i < t->node_count; i++)
		if (!t->nodes[i].is_revoked && strcmp(t->nodes[i].office_code, office_code) == 0)
			return ROLE_EDITOR;
	return ROLE_NONE;
}

int trust_grant_cmp(const struct trust_grant *a, const struct trust_grant *b)
{
	int order = space_id_cmp(&a->space, &b->space);

	return order ? order : strcmp(a->office_code, b->office_code);
}

static int grant_cmp(const void *key, const void *item)
{
	return trust_grant_cmp(key, item);
}

enum role trust_role(const struct trust *t, const struct space_id *space, const char *office_code)
{
	struct trust_grant key = { .space = *space };
	const struct trust_grant *found;

	if (trust_is_directory(t, space))
		return directory_role(t, office_code);
	if (strlen(office_code) > OFFICE_CODE_MAX)
		return ROLE_NONE;
	memcpy(key.office_code, office_code, strlen(office_code));
	found = bsearch(&key, t->grants, t->grant_count, sizeof(*t->grants), grant_cmp);
	return found ? found->role : ROLE_NONE;
}

/* ---- Cuts ------------------------------------------------------------------ */

int trust_cut_cmp(const struct trust_cut *a, const struct trust_cut *b)
{
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (a->has_link != b->has_link)
		return a->has_link ? -1 : 1;
	if (a->cause != b->cause)
		return a->cause < b->cause ? -1 : 1;
	return memcmp(a->link, b->link, LINK_BYTES);
}

struct trust_cut trust_cut_default(const struct trust *t, const struct trust_epoch *epoch,
				   const struct space_id *space)
{
	struct trust_cut cut = { .replica = epoch->replica, .space = *space };

	cut.cause = epoch->cause;
	if ((cut.cause == CUT_NONE || cut.cause > CUT_ROLE) && !trust_is_directory(t, space) &&
	    trust_role(t, space, epoch->office_code) < ROLE_EDITOR)
		cut.cause = CUT_ROLE;
	if (cut.cause == CUT_NONE)
		cut.seq = UINT64_MAX;
	return cut;
}

int trust_feed_cmp(const struct trust_cut *a, const struct trust_cut *b)
{
	int order = replica_id_cmp(&a->replica, &b->replica);

	return order ? order : space_id_cmp(&a->space, &b->space);
}

static int feed_cmp(const void *key, const void *item)
{
	return trust_feed_cmp(key, item);
}

struct trust_cut trust_cut(const struct trust *t, const struct replica_id *replica,
			   const struct space_id *space)
{
	struct trust_cut key = { .replica = *replica, .space = *space, .cause = CUT_VOID };
	const struct trust_epoch *epoch = trust_epoch(t, replica);
	const struct trust_cut *found;

	if (!epoch)
		return key;
	found = bsearch(&key, t->cuts, t->cut_count, sizeof(*t->cuts), feed_cmp);
	return found ? *found : trust_cut_default(t, epoch, space);
}
