#include "core/statement_format.h"

#include "core/limits.h"

/* Readers read straight through; the reader's sticky error is asked for once, in
 * statement_decode(). Arrays are allocated only for counts that the reader has
 * bounded by a limit and by the bytes that are left. */

enum { PAIR = 2, LIST_BYTES = 32, ROOTS_HEAD = 1 };

_Static_assert(sizeof(struct sign_key) == LIST_BYTES, "lists of keys");
_Static_assert(sizeof(struct statement_id) == LIST_BYTES, "lists of ids");

/* ---- Parts ---------------------------------------------------------------- */

static void put_id(struct buf *out, const uint8_t id[ID_BYTES])
{
	wire_put_bin(out, bytes_of(id, ID_BYTES));
}

static void get_id(struct wire_reader *r, uint8_t id[ID_BYTES])
{
	wire_bin_exact(r, id, ID_BYTES);
}

/* The array that comes next has this many elements. */
static void expect_array(struct wire_reader *r, uint32_t count)
{
	if (wire_array(r, count) != count)
		wire_fail(r, ERR_FORMAT);
}

static void *take_array(struct wire_reader *r, struct arena *arena, size_t count, size_t size)
{
	void *array = arena_array(arena, count, size);

	if (!array)
		wire_fail(r, ERR_NOMEM);
	return array;
}

static void put_elements(struct buf *out, const uint8_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wire_put_bin(out, bytes_of(list + i * LIST_BYTES, LIST_BYTES));
}

static const void *get_elements(struct wire_reader *r, struct arena *arena, size_t count)
{
	uint8_t *list = take_array(r, arena, count, LIST_BYTES);

	for (size_t i = 0; wire_is_ok(r) && i < count; i++)
		wire_bin_exact(r, list + i * LIST_BYTES, LIST_BYTES);
	return list;
}

void statement_put_list(struct buf *out, const void *list, size_t count)
{
	wire_put_array(out, (uint32_t)count);
	put_elements(out, list, count);
}

const void *statement_get_list(struct wire_reader *r, struct arena *arena, uint32_t count_max,
			       size_t *count)
{
	*count = wire_array(r, count_max);
	return get_elements(r, arena, *count);
}

bool statement_list_ascends(const void *list, size_t count)
{
	const uint8_t *at = list;

	for (size_t i = 1; i < count; i++, at += LIST_BYTES)
		if (memcmp(at, at + LIST_BYTES, LIST_BYTES) >= 0)
			return false;
	return true;
}

static void put_code(struct buf *out, const char *code)
{
	wire_put_str(out, bytes_of_str(code));
}

static void get_code(struct wire_reader *r, char out[OFFICE_CODE_MAX + 1])
{
	struct bytes text = wire_str(r, OFFICE_CODE_MAX);

	if (!wire_is_ok(r))
		return;
	if (text.size)
		memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	if (strlen(out) != text.size)
		wire_fail(r, ERR_FORMAT);
}

static enum role get_role(struct wire_reader *r)
{
	return (enum role)wire_uint(r, ROLE_COUNT - 1);
}

static void put_roots(struct buf *out, const struct roots *roots)
{
	wire_put_array(out, (uint32_t)(ROOTS_HEAD + roots->count));
	wire_put_uint(out, roots->threshold);
	put_elements(out, (const uint8_t *)roots->keys, roots->count);
}

static void get_roots(struct roots *roots, struct wire_reader *r, struct arena *arena)
{
	uint32_t size = wire_array(r, ROOTS_HEAD + ROOTS_MAX);

	if (size < ROOTS_HEAD) {
		wire_fail(r, ERR_FORMAT);
		return;
	}
	roots->threshold = (unsigned)wire_uint(r, ROOTS_MAX);
	roots->count = size - ROOTS_HEAD;
	roots->keys = get_elements(r, arena, roots->count);
}

static bool roots_are_sound(const struct roots *roots)
{
	return roots->threshold >= 1 && roots->threshold <= roots->count &&
	       statement_list_ascends(roots->keys, roots->count);
}

static void put_identity(struct buf *out, const struct node_identity *identity)
{
	wire_put_array(out, 3);
	wire_put_bin(out, bytes_of(identity->sign_key, SIGN_PUBLIC_BYTES));
	wire_put_bin(out, bytes_of(identity->noise_key, NOISE_KEY_BYTES));
	put_id(out, identity->nonce);
}

static void get_identity(struct node_identity *identity, struct wire_reader *r)
{
	expect_array(r, 3);
	wire_bin_exact(r, identity->sign_key, SIGN_PUBLIC_BYTES);
	wire_bin_exact(r, identity->noise_key, NOISE_KEY_BYTES);
	get_id(r, identity->nonce);
	identity->replica = epoch_replica(identity->sign_key, identity->nonce);
}

static void put_node(struct buf *out, const struct node_entry *node)
{
	wire_put_array(out, 5);
	put_id(out, node->node.bytes);
	put_code(out, node->office_code);
	wire_put_uint(out, node->block);
	wire_put_bool(out, node->is_admin);
	put_identity(out, &node->identity);
}

static void get_node(struct node_entry *node, struct wire_reader *r)
{
	expect_array(r, 5);
	get_id(r, node->node.bytes);
	get_code(r, node->office_code);
	node->block = (uint32_t)wire_uint(r, BLOCK_MAX);
	node->is_admin = wire_bool(r);
	get_identity(&node->identity, r);
}

static bool node_is_sound(const struct node_entry *node)
{
	return !record_id_is_nil(&node->node) && office_code_is_valid(node->office_code) &&
	       node->block <= BLOCK_MAX;
}

static void put_cuts(struct buf *out, const struct cut *cuts, size_t count)
{
	wire_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		wire_put_array(out, 4);
		put_id(out, cuts[i].replica.bytes);
		put_id(out, cuts[i].space.bytes);
		wire_put_uint(out, cuts[i].seq);
		wire_put_bin(out, bytes_of(cuts[i].link, LINK_BYTES));
	}
}

static const struct cut *get_cuts(struct wire_reader *r, struct arena *arena, size_t *count)
{
	struct cut *cuts;

	*count = wire_array(r, CUTS_MAX);
	cuts = take_array(r, arena, *count, sizeof(*cuts));
	for (size_t i = 0; wire_is_ok(r) && i < *count; i++) {
		expect_array(r, 4);
		get_id(r, cuts[i].replica.bytes);
		get_id(r, cuts[i].space.bytes);
		cuts[i].seq = wire_uint(r, SEQ_MAX);
		wire_bin_exact(r, cuts[i].link, LINK_BYTES);
	}
	return cuts;
}

static bool cut_is_sound(const struct cut *cut)
{
	static const uint8_t zeros[LINK_BYTES];

	return cut->seq ? cut->seq <= SEQ_MAX : memcmp(cut->link, zeros, LINK_BYTES) == 0;
}

static bool cuts_are_sound(const struct cut *cuts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!cut_is_sound(&cuts[i]) || (i && cut_cmp(&cuts[i - 1], &cuts[i]) >= 0))
			return false;
	return true;
}

static void put_witness(struct buf *out, const struct witness *w)
{
	wire_put_array(out, 4);
	wire_put_bin(out, bytes_of(w->link_before, LINK_BYTES));
	wire_put_bin(out, bytes_of(w->signature_before, SIGNATURE_BYTES));
	wire_put_bin(out, bytes_of(w->body_hash, LINK_BYTES));
	wire_put_bin(out, bytes_of(w->signature, SIGNATURE_BYTES));
}

static void get_witness(struct witness *w, struct wire_reader *r)
{
	expect_array(r, 4);
	wire_bin_exact(r, w->link_before, LINK_BYTES);
	wire_bin_exact(r, w->signature_before, SIGNATURE_BYTES);
	wire_bin_exact(r, w->body_hash, LINK_BYTES);
	wire_bin_exact(r, w->signature, SIGNATURE_BYTES);
}

/* ---- GENESIS -------------------------------------------------------------- */

static void put_genesis(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.genesis.nonce);
	put_roots(out, &s->u.genesis.roots);
	put_node(out, &s->u.genesis.node);
}

static void get_genesis(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_id(r, s->u.genesis.nonce);
	get_roots(&s->u.genesis.roots, r, arena);
	get_node(&s->u.genesis.node, r);
}

static bool genesis_is_sound(const struct statement *s)
{
	return roots_are_sound(&s->u.genesis.roots) && node_is_sound(&s->u.genesis.node) &&
	       s->u.genesis.node.is_admin;
}

/* ---- ADMIT ---------------------------------------------------------------- */

static void put_admit(struct buf *out, const struct statement *s)
{
	put_node(out, &s->u.admit);
}

static void get_admit(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_node(&s->u.admit, r);
}

static bool admit_is_sound(const struct statement *s)
{
	return node_is_sound(&s->u.admit);
}

/* ---- ADMIN ---------------------------------------------------------------- */

static void put_admin(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.admin.node.bytes);
	wire_put_bool(out, s->u.admin.is_admin);
}

static void get_admin(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_id(r, s->u.admin.node.bytes);
	s->u.admin.is_admin = wire_bool(r);
}

static bool admin_is_sound(const struct statement *s)
{
	return !record_id_is_nil(&s->u.admin.node);
}

/* ---- REVOKE --------------------------------------------------------------- */

static void put_revoke(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.revoke.node.bytes);
	put_cuts(out, s->u.revoke.cuts, s->u.revoke.cut_count);
}

static void get_revoke(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_id(r, s->u.revoke.node.bytes);
	s->u.revoke.cuts = get_cuts(r, arena, &s->u.revoke.cut_count);
}

static bool revoke_is_sound(const struct statement *s)
{
	return !record_id_is_nil(&s->u.revoke.node) &&
	       cuts_are_sound(s->u.revoke.cuts, s->u.revoke.cut_count);
}

/* ---- EPOCH ---------------------------------------------------------------- */

static void put_epoch(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.epoch.node.bytes);
	put_identity(out, &s->u.epoch.identity);
	wire_put_uint(out, s->u.epoch.reason);
	if (s->u.epoch.is_closing)
		put_cuts(out, s->u.epoch.cuts, s->u.epoch.cut_count);
	else
		wire_put_nil(out);
}

static void get_epoch(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_id(r, s->u.epoch.node.bytes);
	get_identity(&s->u.epoch.identity, r);
	s->u.epoch.reason = (enum epoch_reason)wire_uint(r, EPOCH_REASON_COUNT - 1);
	s->u.epoch.is_closing = !wire_is_nil(r);
	if (s->u.epoch.is_closing)
		s->u.epoch.cuts = get_cuts(r, arena, &s->u.epoch.cut_count);
}

static bool epoch_is_sound(const struct statement *s)
{
	return !record_id_is_nil(&s->u.epoch.node) && s->u.epoch.reason < EPOCH_REASON_COUNT &&
	       (s->u.epoch.is_closing || s->u.epoch.cut_count == 0) &&
	       cuts_are_sound(s->u.epoch.cuts, s->u.epoch.cut_count);
}

/* ---- ADOPT ---------------------------------------------------------------- */

static void put_adopt(struct buf *out, const struct statement *s)
{
	put_cuts(out, s->u.adopt.cuts, s->u.adopt.cut_count);
}

static void get_adopt(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	s->u.adopt.cuts = get_cuts(r, arena, &s->u.adopt.cut_count);
}

static bool adopt_is_sound(const struct statement *s)
{
	for (size_t i = 0; i < s->u.adopt.cut_count; i++)
		if (s->u.adopt.cuts[i].seq == 0)
			return false;
	return s->u.adopt.cut_count > 0 && cuts_are_sound(s->u.adopt.cuts, s->u.adopt.cut_count);
}

/* ---- SPACE ---------------------------------------------------------------- */

static void put_space(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.space.nonce);
	wire_put_array(out, (uint32_t)(PAIR * s->u.space.office_count));
	for (size_t i = 0; i < s->u.space.office_count; i++) {
		put_code(out, s->u.space.offices[i].office_code);
		wire_put_uint(out, s->u.space.offices[i].role);
	}
}

static void get_space(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	struct office_role *offices;
	uint32_t size;

	get_id(r, s->u.space.nonce);
	size = wire_array(r, PAIR * SPACE_OFFICES_MAX);
	if (size % PAIR)
		wire_fail(r, ERR_FORMAT);
	offices = take_array(r, arena, size / PAIR, sizeof(*offices));
	for (size_t i = 0; wire_is_ok(r) && i < size / PAIR; i++) {
		get_code(r, offices[i].office_code);
		offices[i].role = get_role(r);
	}
	s->u.space.offices = offices;
	s->u.space.office_count = size / PAIR;
}

static bool office_role_is_sound(const struct office_role *office)
{
	return office_code_is_valid(office->office_code) && office->role > ROLE_NONE &&
	       office->role < ROLE_COUNT;
}

static bool space_is_sound(const struct statement *s)
{
	const struct office_role *offices = s->u.space.offices;

	for (size_t i = 0; i < s->u.space.office_count; i++)
		if (!office_role_is_sound(&offices[i]) ||
		    (i && strcmp(offices[i - 1].office_code, offices[i].office_code) >= 0))
			return false;
	return s->u.space.office_count > 0;
}

/* ---- GRANT ---------------------------------------------------------------- */

static void put_grant(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.grant.space.bytes);
	put_code(out, s->u.grant.office_code);
	wire_put_uint(out, s->u.grant.role);
	put_cuts(out, s->u.grant.cuts, s->u.grant.cut_count);
}

static void get_grant(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_id(r, s->u.grant.space.bytes);
	get_code(r, s->u.grant.office_code);
	s->u.grant.role = get_role(r);
	s->u.grant.cuts = get_cuts(r, arena, &s->u.grant.cut_count);
}

static bool grant_is_sound(const struct statement *s)
{
	for (size_t i = 0; i < s->u.grant.cut_count; i++)
		if (space_id_cmp(&s->u.grant.cuts[i].space, &s->u.grant.space) != 0)
			return false;
	return office_code_is_valid(s->u.grant.office_code) && s->u.grant.role < ROLE_COUNT &&
	       (s->u.grant.role < ROLE_EDITOR || s->u.grant.cut_count == 0) &&
	       cuts_are_sound(s->u.grant.cuts, s->u.grant.cut_count);
}

/* ---- ROOTS ---------------------------------------------------------------- */

static void put_roots_only(struct buf *out, const struct statement *s)
{
	put_roots(out, &s->u.roots);
}

static void get_roots_only(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_roots(&s->u.roots, r, arena);
}

static bool roots_only_are_sound(const struct statement *s)
{
	return roots_are_sound(&s->u.roots);
}

/* ---- FORK ----------------------------------------------------------------- */

static void put_fork(struct buf *out, const struct statement *s)
{
	put_id(out, s->u.fork.space.bytes);
	wire_put_array(out, 2);
	wire_put_bin(out, bytes_of(s->u.fork.sign_key, SIGN_PUBLIC_BYTES));
	put_id(out, s->u.fork.nonce);
	wire_put_uint(out, s->u.fork.seq);
	put_witness(out, &s->u.fork.witnesses[0]);
	put_witness(out, &s->u.fork.witnesses[1]);
}

static void get_fork(struct statement *s, struct wire_reader *r, struct arena *arena)
{
	get_id(r, s->u.fork.space.bytes);
	expect_array(r, 2);
	wire_bin_exact(r, s->u.fork.sign_key, SIGN_PUBLIC_BYTES);
	get_id(r, s->u.fork.nonce);
	s->u.fork.replica = epoch_replica(s->u.fork.sign_key, s->u.fork.nonce);
	s->u.fork.seq = wire_uint(r, SEQ_MAX);
	get_witness(&s->u.fork.witnesses[0], r);
	get_witness(&s->u.fork.witnesses[1], r);
}

static bool fork_is_sound(const struct statement *s)
{
	struct replica_id replica = epoch_replica(s->u.fork.sign_key, s->u.fork.nonce);
	uint8_t links[2][LINK_BYTES];

	for (int i = 0; i < 2; i++)
		witness_link(links[i], &s->u.fork.witnesses[i], &s->u.fork.space, &replica,
			     s->u.fork.seq);
	return s->wall_ms == 0 && s->u.fork.seq > 0 && s->u.fork.seq <= SEQ_MAX &&
	       memcmp(links[0], links[1], LINK_BYTES) < 0;
}

/* ---- All of them ---------------------------------------------------------- */

static const struct statement_format formats[STATEMENT_TYPE_COUNT] = {
	[STATEMENT_GENESIS] = { "genesis", 3, false, true, put_genesis, get_genesis,
				genesis_is_sound },
	[STATEMENT_ADMIT] = { "admit", 1, true, true, put_admit, get_admit, admit_is_sound },
	[STATEMENT_ADMIN] = { "admin", 2, true, true, put_admin, get_admin, admin_is_sound },
	[STATEMENT_REVOKE] = { "revoke", 2, true, true, put_revoke, get_revoke, revoke_is_sound },
	[STATEMENT_EPOCH] = { "epoch", 4, true, true, put_epoch, get_epoch, epoch_is_sound },
	[STATEMENT_ADOPT] = { "adopt", 1, true, true, put_adopt, get_adopt, adopt_is_sound },
	[STATEMENT_SPACE] = { "space", 2, true, true, put_space, get_space, space_is_sound },
	[STATEMENT_GRANT] = { "grant", 4, true, true, put_grant, get_grant, grant_is_sound },
	[STATEMENT_ROOTS] = { "roots", 1, true, true, put_roots_only, get_roots_only,
			      roots_only_are_sound },
	[STATEMENT_FORK] = { "fork", 5, false, false, put_fork, get_fork, fork_is_sound },
};

const struct statement_format *statement_format(enum statement_type type)
{
	bool is_known = type >= STATEMENT_GENESIS && type < STATEMENT_TYPE_COUNT;

	return is_known ? &formats[type] : NULL;
}

size_t statement_cut_count(const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_REVOKE: return s->u.revoke.cut_count;
	case STATEMENT_EPOCH: return s->u.epoch.cut_count;
	case STATEMENT_ADOPT: return s->u.adopt.cut_count;
	case STATEMENT_GRANT: return s->u.grant.cut_count;
	default: return 0;
	}
}

size_t statement_root_count(const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_GENESIS: return s->u.genesis.roots.count;
	case STATEMENT_ROOTS: return s->u.roots.count;
	default: return 0;
	}
}
