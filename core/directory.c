/* The members of the organisation: who they are is what the statements say, where they
 * are reached stands in the records of the directory space. */
#include <stdlib.h>

#include "core/replica_impl.h"

void directory_release(struct directory *d)
{
	free(d->members);
	*d = (struct directory){ .stale = true };
}

static struct member member_of(const struct replica *r, const struct trust_node *node)
{
	const struct trust_epoch *epoch = trust_epoch(r->trust, &node->current);
	struct member m = { .node = node->node,
			    .office = office_record(r->org, node->office_code),
			    .block = node->block,
			    .is_admin = node->is_admin,
			    .is_revoked = node->is_revoked };

	memcpy(m.office_code, node->office_code, sizeof(m.office_code));
	m.identity = epoch->identity;
	return m;
}

/* Former ones last. */
static enum err list_members(const struct replica *r, struct directory *d)
{
	size_t count = r->trust ? r->trust->node_count : 0;

	if (count == 0)
		return OK;
	d->members = calloc(count, sizeof(*d->members));
	if (!d->members)
		return ERR_NOMEM;
	for (int revoked = 0; revoked <= 1; revoked++) {
		for (size_t i = 0; i < count; i++)
			if (r->trust->nodes[i].is_revoked == (revoked == 1))
				d->members[d->known_count++] = member_of(r, &r->trust->nodes[i]);
		if (!revoked)
			d->member_count = d->known_count;
	}
	return OK;
}

static struct member *member_by_node(const struct directory *d, const struct record_id *node)
{
	for (size_t i = 0; i < d->known_count; i++)
		if (record_id_cmp(&d->members[i].node, node) == 0)
			return &d->members[i];
	return NULL;
}

/* Of several addresses the newest. */
static enum err read_addresses(struct replica *r, struct directory *d, struct errmsg *msg)
{
	static const char sql[] = "SELECT record, value FROM element WHERE kind = ?1 AND "
				  "field = ?2 ORDER BY hlc";
	struct value args[] = { value_int(KIND_NODE), value_int(NODE_ADDRESSES) };
	struct rows *rows;
	enum err rc = d->known_count ? store_rows_open(&rows, r->store, sql, args, 2, msg) : OK;

	if (rc != OK || d->known_count == 0)
		return rc;
	while (rows_next(rows)) {
		struct record_id node = rows_id(rows, 0);
		struct member *m = member_by_node(d, &node);
		const char *address = rows_text(rows, 1);

		if (m && strlen(address) <= ADDRESS_TEXT_MAX)
			memcpy(m->address, address, strlen(address) + 1);
	}
	return rows_close(rows, msg);
}

/* A space that statements speak of is known even while nothing of it is held. */
static enum err add_granted_spaces(struct replica *r, struct errmsg *msg)
{
	struct space_state *space;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && r->trust && i < r->trust->space_count; i++)
		if (!replica_space(r, &r->trust->spaces[i]))
			rc = replica_space_add(r, &r->trust->spaces[i], &space, msg);
	return rc;
}

enum err directory_load(struct replica *r, struct errmsg *msg)
{
	struct directory fresh = { 0 };
	enum err rc;

	if (!r->directory.stale)
		return OK;
	rc = list_members(r, &fresh);
	if (rc == OK)
		rc = read_addresses(r, &fresh, msg);
	if (rc == OK)
		rc = add_granted_spaces(r, msg);
	if (rc != OK) {
		directory_release(&fresh);
		return rc;
	}
	directory_release(&r->directory);
	r->directory = fresh;
	return OK;
}

const struct member *replica_members(const struct replica *r, size_t *count)
{
	*count = r->directory.member_count;
	return r->directory.members;
}

const struct member *replica_member_by_noise_key(const struct replica *r,
						 const uint8_t key[NOISE_KEY_BYTES])
{
	for (size_t i = 0; i < r->directory.member_count; i++)
		if (memcmp(r->directory.members[i].identity.noise_key, key, NOISE_KEY_BYTES) == 0)
			return &r->directory.members[i];
	return NULL;
}

const struct member *replica_member_by_replica(const struct replica *r, const struct replica_id *id)
{
	const struct trust_epoch *epoch = r->trust ? trust_epoch(r->trust, id) : NULL;

	return epoch ? member_by_node(&r->directory, &epoch->node) : NULL;
}

const struct member *replica_self(const struct replica *r)
{
	return replica_member_by_replica(r, &r->id);
}

enum role replica_role(const struct replica *r, const struct member *member,
		       const struct space_id *space)
{
	if (member->is_revoked || !r->trust)
		return ROLE_NONE;
	return trust_role(r->trust, space, member->office_code);
}

static bool is_own_key(const struct replica *r, const struct trust_epoch *own)
{
	struct signer self = membership_signer(r);

	return memcmp(self.key.bytes, own->identity.sign_key, SIGN_PUBLIC_BYTES) == 0;
}

/* Why our epoch is not the one that its node goes on under. */
static enum err check_epoch(const struct replica *r, const struct trust_epoch *own,
			    const struct trust_node *node, struct errmsg *msg)
{
	char text[ID_TEXT_SIZE];

	if (node && node->is_revoked)
		return errmsg_set(msg, ERR_REVOKED,
				  "this node of office %s was revoked: what it writes would count "
				  "nowhere",
				  node->office_code);
	if (!node)
		return errmsg_set(msg, ERR_REVOKED,
				  "this node's admission to office %s does not stand any more",
				  own->office_code);
	if (r->may_edit && !is_own_key(r, own))
		return errmsg_set(msg, ERR_KEY, "the key is not the one of this replica");
	if (own->is_void || replica_id_cmp(&node->current, &r->id) != 0)
		return errmsg_set(
			msg, ERR_SUPERSEDED,
			"this node of office %s goes on elsewhere, as %.8s: this is a copy",
			node->office_code, id_text(node->current.bytes, text));
	return OK;
}

/* An id of our key that no statement names: there were too many (core/epoch.c). Asked of the
 * nonce, for the key may not be at hand. */
static const struct trust_node *node_left(const struct replica *r)
{
	const struct trust *t = r->trust;

	for (size_t i = 0; t && i < t->epoch_count; i++) {
		struct replica_id id = epoch_replica(t->epochs[i].identity.sign_key, r->nonce);

		if (!t->epochs[i].is_void && replica_id_cmp(&id, &r->id) == 0)
			return trust_node(t, &t->epochs[i].node);
	}
	return NULL;
}

enum err replica_check_member(const struct replica *r, struct errmsg *msg)
{
	const struct trust_epoch *own = r->trust ? trust_epoch(r->trust, &r->id) : NULL;
	const struct trust_node *left;

	if (!r->has_org)
		return errmsg_set(msg, ERR_ORG, "this replica belongs to no organisation yet");
	left = own ? NULL : node_left(r);
	if (left)
		return errmsg_set(msg, ERR_SUPERSEDED,
				  "this node of office %s has gone on under %u replica ids, and "
				  "more would not count: enrol it anew (huitong join)",
				  left->office_code, left->epoch_count);
	if (!own)
		return errmsg_set(msg, ERR_ORG,
				  "this node is not in its directory yet: it has to sync first");
	return check_epoch(r, own, trust_node(r->trust, &own->node), msg);
}
