/* The directory: who belongs to the organisation and which office takes part
 * in which space, read from the records of the directory space. */
#include <stdlib.h>

#include "core/replica_impl.h"

void directory_release(struct directory *d)
{
	free(d->members);
	free(d->grants);
	*d = (struct directory){ .stale = true };
}

/* One more element of a heap array; NULL when out of memory. */
static void *push(void **array, size_t *count, size_t size)
{
	/* Doubling at powers of two: the count alone tells the capacity. */
	if ((*count & (*count - 1)) == 0) {
		void *moved = realloc(*array, (*count ? 2 * *count : 1) * size);

		if (!moved)
			return NULL;
		*array = moved;
	}
	return (uint8_t *)*array + size * (*count)++;
}

static bool copy_exact(uint8_t *out, size_t size, struct bytes from)
{
	if (from.size != size)
		return false;
	memcpy(out, from.data, size);
	return true;
}

static const char members_sql[] =
	"SELECT n.id, n.office, n.replica, n.sign_key, n.noise_key, o.code, "
	"(SELECT value FROM element e WHERE e.record = n.id AND e.kind = ?1 AND e.field = ?2 "
	"ORDER BY hlc DESC LIMIT 1), n.life = ?3 FROM r_node n LEFT JOIN r_office o ON o.id = "
	"n.office "
	"ORDER BY n.life = ?3, n.id";

/* A node record that lacks a key is not a member yet. */
static bool read_member(struct rows *rows, struct member *m)
{
	*m = (struct member){ .node = rows_id(rows, 0), .office = rows_id(rows, 1) };
	if (!copy_exact(m->identity.replica.bytes, ID_BYTES, rows_bytes(rows, 2)) ||
	    !copy_exact(m->identity.sign_key, SIGN_PUBLIC_BYTES, rows_bytes(rows, 3)) ||
	    !copy_exact(m->identity.noise_key, NOISE_KEY_BYTES, rows_bytes(rows, 4)))
		return false;
	strncpy(m->office_code, rows_text(rows, 5), sizeof(m->office_code) - 1);
	strncpy(m->address, rows_text(rows, 6), sizeof(m->address) - 1);
	m->is_void = rows_int(rows, 7) != 0;
	return true;
}

static enum err load_members(struct replica *r, struct directory *d, struct errmsg *msg)
{
	struct value args[] = { value_int(KIND_NODE), value_int(NODE_ADDRESSES),
				value_int(RECORD_VOID) };
	struct rows *rows;
	enum err rc = store_rows_open(&rows, r->store, members_sql, args, 3, msg);
	enum err closed;

	if (rc != OK)
		return rc;
	while (rc == OK && rows_next(rows)) {
		struct member member, *slot;

		if (!read_member(rows, &member))
			continue;
		slot = push((void **)&d->members, &d->known_count, sizeof(*slot));
		if (slot)
			*slot = member;
		else
			rc = ERR_NOMEM;
		d->member_count += !member.is_void;
	}
	closed = rows_close(rows, msg);
	return rc == OK ? closed : rc;
}

static int grant_cmp(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int order = space_id_cmp(&x->space, &y->space);

	return order ? order : record_id_cmp(&x->office, &y->office);
}

static const char grants_sql[] =
	"SELECT s.space_id, e.value FROM r_space s JOIN element e ON e.record = s.id AND "
	"e.kind = ?1 AND e.field = ?2 WHERE s.life <> ?3";

static enum err load_grants(struct replica *r, struct directory *d, struct errmsg *msg)
{
	struct value args[] = { value_int(KIND_SPACE), value_int(SPACE_OFFICES),
				value_int(RECORD_VOID) };
	struct rows *rows;
	enum err rc = store_rows_open(&rows, r->store, grants_sql, args, 3, msg);
	enum err closed;

	if (rc != OK)
		return rc;
	while (rc == OK && rows_next(rows)) {
		struct grant grant = { .office = rows_id(rows, 1) }, *slot;

		if (!copy_exact(grant.space.bytes, ID_BYTES, rows_bytes(rows, 0)))
			continue;
		slot = push((void **)&d->grants, &d->grant_count, sizeof(*slot));
		if (slot)
			*slot = grant;
		else
			rc = ERR_NOMEM;
	}
	closed = rows_close(rows, msg);
	if (d->grant_count)
		qsort(d->grants, d->grant_count, sizeof(*d->grants), grant_cmp);
	return rc == OK ? closed : rc;
}

/* A granted space is known even while nothing of it is held. */
static enum err add_granted_spaces(struct replica *r, const struct directory *d)
{
	struct space_state *space;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < d->grant_count; i++)
		if (!replica_space(r, &d->grants[i].space))
			rc = replica_space_add(r, &d->grants[i].space, &space);
	return rc;
}

enum err directory_load(struct replica *r, struct errmsg *msg)
{
	struct directory fresh = { 0 };
	enum err rc;

	if (!r->directory.stale)
		return OK;
	rc = load_members(r, &fresh, msg);
	if (rc == OK)
		rc = load_grants(r, &fresh, msg);
	if (rc == OK)
		rc = add_granted_spaces(r, &fresh);
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
	for (size_t i = 0; i < r->directory.known_count; i++)
		if (replica_id_cmp(&r->directory.members[i].identity.replica, id) == 0)
			return &r->directory.members[i];
	return NULL;
}

const struct member *replica_self(const struct replica *r)
{
	return replica_member_by_replica(r, &r->id);
}

bool replica_is_granted(const struct replica *r, const struct member *member,
			const struct space_id *space)
{
	struct grant grant = { *space, member->office };
	struct space_id directory = replica_directory(r);

	if (member->is_void)
		return false;
	if (space_id_cmp(space, &directory) == 0)
		return true;
	return r->directory.grant_count &&
	       bsearch(&grant, r->directory.grants, r->directory.grant_count, sizeof(grant),
		       grant_cmp);
}
