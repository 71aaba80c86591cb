#include "sync/peer.h"

#include <assert.h>
#include <stdlib.h>

#include "core/array.h"

static void peer_free(struct peer *p)
{
	space_table_release(&p->spaces);
	free(p);
}

void peer_list_release(struct peer_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		peer_free(l->peers[i]);
	free(l->peers);
	*l = (struct peer_list){ 0 };
}

struct peer *peer_by_key(const struct peer_list *l, const uint8_t key[NOISE_KEY_BYTES])
{
	for (size_t i = 0; i < l->count; i++)
		if (l->peers[i]->has_key && memcmp(l->peers[i]->key, key, NOISE_KEY_BYTES) == 0)
			return l->peers[i];
	return NULL;
}

static bool has_address(const struct peer *p, const char *address)
{
	if (strcmp(p->member_address, address) == 0)
		return true;
	for (size_t i = 0; i < p->address_count; i++)
		if (strcmp(p->addresses[i], address) == 0)
			return true;
	return false;
}

struct peer *peer_by_address(const struct peer_list *l, const char *address)
{
	for (size_t i = 0; i < l->count; i++)
		if (has_address(l->peers[i], address))
			return l->peers[i];
	return NULL;
}

/* A new peer at the end of the list. */
static enum err append(struct peer_list *l, struct peer **out, struct errmsg *msg)
{
	struct peer *p;

	if (l->count == PEERS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "more than %d peers", PEERS_MAX);
	if (array_reserve(&l->peers, &l->cap, l->count + 1, sizeof(*l->peers)))
		return ERR_NOMEM;
	p = calloc(1, sizeof(*p));
	if (!p)
		return ERR_NOMEM;
	schedule_init(&p->schedule, 0);
	*out = l->peers[l->count++] = p;
	return OK;
}

static void remove_peer(struct peer_list *l, struct peer *p)
{
	size_t at = 0;

	assert(p->conn_count == 0);
	while (l->peers[at] != p)
		at++;
	memmove(&l->peers[at], &l->peers[at + 1], (l->count - at - 1) * sizeof(l->peers[0]));
	l->count--;
	peer_free(p);
}

static void put_address(struct peer *p, const char *address)
{
	if (has_address(p, address) || p->address_count == PEER_ADDRESSES_MAX)
		return;
	assert(strlen(address) <= ADDRESS_TEXT_MAX);
	strcpy(p->addresses[p->address_count++], address);
}

enum err peer_add_address(struct peer_list *l, const char *address, struct errmsg *msg)
{
	struct peer *p;
	enum err rc;

	if (strlen(address) > ADDRESS_TEXT_MAX)
		return errmsg_set(msg, ERR_LIMIT, "an address has at most %d bytes",
				  ADDRESS_TEXT_MAX);
	if (peer_by_address(l, address))
		return OK;
	rc = append(l, &p, msg);
	if (rc == OK)
		put_address(p, address);
	return rc;
}

static void set_key(struct peer *p, const uint8_t key[NOISE_KEY_BYTES])
{
	memcpy(p->key, key, NOISE_KEY_BYTES);
	p->has_key = true;
}

enum err peer_add_key(struct peer_list *l, const uint8_t key[NOISE_KEY_BYTES], struct peer **out,
		      struct errmsg *msg)
{
	struct peer *p = peer_by_key(l, key);
	enum err rc = p ? OK : append(l, &p, msg);

	if (rc != OK)
		return rc;
	set_key(p, key);
	*out = p;
	return OK;
}

/* ---- The members --------------------------------------------------------------- */

static struct peer *peer_by_node(const struct peer_list *l, const struct record_id *node)
{
	for (size_t i = 0; i < l->count; i++)
		if (record_id_cmp(&l->peers[i]->node, node) == 0)
			return l->peers[i];
	return NULL;
}

/* The peer that has been the node, or has its key, or where it is to be found. */
static struct peer *find_member(const struct peer_list *l, const struct member *m)
{
	struct peer *p = peer_by_key(l, m->identity.noise_key);
	struct peer *at_address = m->address[0] ? peer_by_address(l, m->address) : NULL;

	/* It may go on with new keys; a connection that was opened with the old ones is
	 * closed by its session. */
	if (!p)
		p = peer_by_node(l, &m->node);
	/* A configured address that nobody has answered at yet is taken for the
	 * member's; the handshake checks. */
	if (!p && at_address && !at_address->has_key && at_address->conn_count == 0)
		p = at_address;
	return p;
}

static enum err take_member(struct peer_list *l, const struct member *m, struct errmsg *msg)
{
	struct peer *p = find_member(l, m);
	enum err rc = p ? OK : append(l, &p, msg);

	if (rc)
		return rc;
	set_key(p, m->identity.noise_key);
	p->node = m->node;
	memcpy(p->office_code, m->office_code, sizeof(p->office_code));
	memcpy(p->member_address, m->address, sizeof(p->member_address));
	return OK;
}

/* Nodes that are no longer members go, unless somebody wants their address dialled. */
static void drop_strangers(struct peer_list *l, const struct replica *r)
{
	for (size_t i = l->count; i-- > 0;) {
		struct peer *p = l->peers[i];
		bool is_member = p->has_key && replica_member_by_noise_key(r, p->key);

		if (!is_member)
			p->member_address[0] = '\0';
		if (!is_member && p->conn_count == 0 && p->address_count == 0)
			remove_peer(l, p);
	}
}

enum err peer_list_refresh(struct peer_list *l, const struct replica *r,
			   const uint8_t own_key[NOISE_KEY_BYTES], struct errmsg *msg)
{
	size_t count;
	const struct member *members = replica_members(r, &count);
	enum err rc = OK;

	for (size_t i = 0; i < count && rc == OK; i++)
		if (memcmp(members[i].identity.noise_key, own_key, NOISE_KEY_BYTES) != 0)
			rc = take_member(l, &members[i], msg);
	/* Also when there is no room for all: who goes makes room. */
	drop_strangers(l, r);
	return rc;
}

struct peer *peer_identify(struct peer_list *l, struct peer *p, const uint8_t key[NOISE_KEY_BYTES])
{
	struct peer *known = peer_by_key(l, key);

	if (known == p)
		return p;
	if (!known) {
		set_key(p, key);
		return p;
	}
	for (size_t i = 0; i < p->address_count; i++)
		put_address(known, p->addresses[i]);
	remove_peer(l, p);
	return known;
}

const char *peer_next_address(const struct peer *p, bool dial_members)
{
	size_t with_member = dial_members && p->member_address[0];
	size_t count = p->address_count + with_member;
	size_t at;

	if (count == 0 || p->is_self)
		return NULL;
	at = p->dial_count % count;
	return with_member && at == 0 ? p->member_address : p->addresses[at - with_member];
}

const char *peer_address(const struct peer *p)
{
	return p->member_address[0] ? p->member_address : p->addresses[0];
}

const char *peer_name(const struct peer *p)
{
	return p->office_code[0] ? p->office_code : peer_address(p);
}
