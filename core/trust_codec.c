/* The result of a fold as bytes, in canonical msgpack:
 *
 *   [version, org, threshold, roots, has other roots, stray weight, nodes, epochs, grants,
 *   cuts, spaces, heads, ids]
 *     node   [id, office, block, is admin, is revoked, current epoch, epochs, weight, since]
 *     epoch  [node, office, sign key, noise key, nonce, is void, is surplus, cause]
 *     grant  [space, office, role]
 *     cut    [replica, space, seq or nil, link or nil, cause]
 *
 * The digest and the replicas follow from the rest. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/trust_impl.h"
#include "core/wire.h"

enum {
	TRUST_VERSION = 2,
	TRUST_ELEMENTS = 13,
	TRUST_ITEMS_MAX = 1 << 24, /* of one list; its bytes bound it, too */
};

/* ---- Encoding -------------------------------------------------------------- */

static void put_id(struct buf *out, const uint8_t id[ID_BYTES])
{
	wire_put_bin(out, bytes_of(id, ID_BYTES));
}

static void put_code(struct buf *out, const char *office_code)
{
	wire_put_str(out, bytes_of_str(office_code));
}

static void put_node(struct buf *out, const void *item)
{
	const struct trust_node *node = item;

	wire_put_array(out, 9);
	put_id(out, node->node.bytes);
	put_code(out, node->office_code);
	wire_put_uint(out, node->block);
	wire_put_bool(out, node->is_admin);
	wire_put_bool(out, node->is_revoked);
	put_id(out, node->current.bytes);
	wire_put_uint(out, node->epoch_count);
	wire_put_uint(out, node->weight);
	wire_put_uint(out, node->since_ms);
}

static void put_epoch(struct buf *out, const void *item)
{
	const struct trust_epoch *epoch = item;

	wire_put_array(out, 8);
	put_id(out, epoch->node.bytes);
	put_code(out, epoch->office_code);
	wire_put_bin(out, bytes_of(epoch->identity.sign_key, SIGN_PUBLIC_BYTES));
	wire_put_bin(out, bytes_of(epoch->identity.noise_key, NOISE_KEY_BYTES));
	put_id(out, epoch->identity.nonce);
	wire_put_bool(out, epoch->is_void);
	wire_put_bool(out, epoch->is_surplus);
	wire_put_uint(out, epoch->cause);
}

static void put_grant(struct buf *out, const void *item)
{
	const struct trust_grant *grant = item;

	wire_put_array(out, 3);
	put_id(out, grant->space.bytes);
	put_code(out, grant->office_code);
	wire_put_uint(out, grant->role);
}

static void put_cut(struct buf *out, const void *item)
{
	const struct trust_cut *cut = item;

	wire_put_array(out, 5);
	put_id(out, cut->replica.bytes);
	put_id(out, cut->space.bytes);
	if (cut->seq == UINT64_MAX)
		wire_put_nil(out);
	else
		wire_put_uint(out, cut->seq);
	if (cut->has_link)
		wire_put_bin(out, bytes_of(cut->link, LINK_BYTES));
	else
		wire_put_nil(out);
	wire_put_uint(out, cut->cause);
}

static void put_space(struct buf *out, const void *item)
{
	put_id(out, ((const struct space_id *)item)->bytes);
}

static void put_hash(struct buf *out, const void *item)
{
	wire_put_bin(out, bytes_of(item, STATEMENT_ID_BYTES));
}

static void put_list(struct buf *out, const void *list, size_t count, size_t size,
		     void (*put)(struct buf *out, const void *item))
{
	wire_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put(out, (const uint8_t *)list + i * size);
}

void trust_encode(struct buf *out, const struct trust *t)
{
	wire_put_array(out, TRUST_ELEMENTS);
	wire_put_uint(out, TRUST_VERSION);
	wire_put_bin(out, bytes_of(t->org, ORG_ID_BYTES));
	wire_put_uint(out, t->root_threshold);
	put_list(out, t->roots, t->root_count, sizeof(*t->roots), put_hash);
	wire_put_bool(out, t->has_other_roots);
	wire_put_uint(out, t->stray_weight);
	put_list(out, t->nodes, t->node_count, sizeof(*t->nodes), put_node);
	put_list(out, t->epochs, t->epoch_count, sizeof(*t->epochs), put_epoch);
	put_list(out, t->grants, t->grant_count, sizeof(*t->grants), put_grant);
	put_list(out, t->cuts, t->cut_count, sizeof(*t->cuts), put_cut);
	put_list(out, t->spaces, t->space_count, sizeof(*t->spaces), put_space);
	put_list(out, t->heads, t->head_count, sizeof(*t->heads), put_hash);
	put_list(out, t->ids, t->statement_count, sizeof(*t->ids), put_hash);
}

/* ---- Decoding -------------------------------------------------------------- */

static void expect_array(struct wire_reader *r, uint32_t count)
{
	if (wire_array(r, count) != count)
		wire_fail(r, ERR_FORMAT);
}

static void get_id(struct wire_reader *r, uint8_t id[ID_BYTES])
{
	wire_bin_exact(r, id, ID_BYTES);
}

/* An epoch of a node that was never admitted has none. */
static void get_code(struct wire_reader *r, char office_code[OFFICE_CODE_MAX + 1], bool may_lack)
{
	struct bytes code = wire_str(r, OFFICE_CODE_MAX);

	if (!wire_is_ok(r))
		return;
	if (code.size)
		memcpy(office_code, code.data, code.size);
	if (strlen(office_code) != code.size ||
	    (!office_code_is_valid(office_code) && !(may_lack && code.size == 0)))
		wire_fail(r, ERR_FORMAT);
}

static void get_node(struct wire_reader *r, void *item)
{
	struct trust_node *node = item;

	expect_array(r, 9);
	get_id(r, node->node.bytes);
	get_code(r, node->office_code, false);
	node->block = (uint32_t)wire_uint(r, BLOCK_MAX);
	node->is_admin = wire_bool(r);
	node->is_revoked = wire_bool(r);
	get_id(r, node->current.bytes);
	node->epoch_count = (uint32_t)wire_uint(r, STATEMENTS_MAX);
	node->weight = (uint32_t)wire_uint(r, UINT32_MAX);
	node->since_ms = wire_uint(r, UINT64_MAX);
	if (node->is_admin && node->is_revoked)
		wire_fail(r, ERR_FORMAT);
}

static void get_epoch(struct wire_reader *r, void *item)
{
	struct trust_epoch *epoch = item;

	expect_array(r, 8);
	get_id(r, epoch->node.bytes);
	get_code(r, epoch->office_code, true);
	wire_bin_exact(r, epoch->identity.sign_key, SIGN_PUBLIC_BYTES);
	wire_bin_exact(r, epoch->identity.noise_key, NOISE_KEY_BYTES);
	get_id(r, epoch->identity.nonce);
	epoch->is_void = wire_bool(r);
	epoch->is_surplus = wire_bool(r);
	epoch->cause = (enum cut_cause)wire_uint(r, CUT_CAUSE_COUNT - 1);
	epoch->replica = epoch_replica(epoch->identity.sign_key, epoch->identity.nonce);
	epoch->identity.replica = epoch->replica;
}

static void get_grant(struct wire_reader *r, void *item)
{
	struct trust_grant *grant = item;

	expect_array(r, 3);
	get_id(r, grant->space.bytes);
	get_code(r, grant->office_code, false);
	grant->role = (enum role)wire_uint(r, ROLE_COUNT - 1);
	if (grant->role == ROLE_NONE)
		wire_fail(r, ERR_FORMAT);
}

static void get_cut(struct wire_reader *r, void *item)
{
	struct trust_cut *cut = item;

	expect_array(r, 5);
	get_id(r, cut->replica.bytes);
	get_id(r, cut->space.bytes);
	cut->seq = wire_is_nil(r) ? UINT64_MAX : wire_uint(r, SEQ_MAX);
	cut->has_link = !wire_is_nil(r);
	if (cut->has_link)
		wire_bin_exact(r, cut->link, LINK_BYTES);
	cut->cause = (enum cut_cause)wire_uint(r, CUT_CAUSE_COUNT - 1);
	if ((cut->seq == UINT64_MAX) != (cut->cause == CUT_NONE) ||
	    (cut->has_link && (cut->seq == 0 || cut->seq == UINT64_MAX)))
		wire_fail(r, ERR_FORMAT);
}

static void get_space(struct wire_reader *r, void *item)
{
	get_id(r, ((struct space_id *)item)->bytes);
}

static void get_hash(struct wire_reader *r, void *item)
{
	wire_bin_exact(r, item, STATEMENT_ID_BYTES);
}

static int node_cmp(const void *a, const void *b)
{
	return record_id_cmp(&((const struct trust_node *)a)->node,
			     &((const struct trust_node *)b)->node);
}

static int epoch_cmp(const void *a, const void *b)
{
	return replica_id_cmp(&((const struct trust_epoch *)a)->replica,
			      &((const struct trust_epoch *)b)->replica);
}

static int grant_cmp(const void *a, const void *b)
{
	return trust_grant_cmp(a, b);
}

static int cut_of_feed_cmp(const void *a, const void *b)
{
	return trust_feed_cmp(a, b);
}

static int space_cmp(const void *a, const void *b)
{
	return space_id_cmp(a, b);
}

static int hash_cmp(const void *a, const void *b)
{
	return memcmp(a, b, STATEMENT_ID_BYTES);
}

/* How the items of a list are read; they ascend. */
struct list_format {
	size_t size;
	void (*get)(struct wire_reader *r, void *item);
	int (*cmp)(const void *a, const void *b);
};

static const struct list_format node_list = { sizeof(struct trust_node), get_node, node_cmp };
static const struct list_format epoch_list = { sizeof(struct trust_epoch), get_epoch, epoch_cmp };
static const struct list_format grant_list = { sizeof(struct trust_grant), get_grant, grant_cmp };
static const struct list_format cut_list = { sizeof(struct trust_cut), get_cut, cut_of_feed_cmp };
static const struct list_format space_list = { sizeof(struct space_id), get_space, space_cmp };
static const struct list_format hash_list = { STATEMENT_ID_BYTES, get_hash, hash_cmp };

static void get_items(struct wire_reader *r, const struct list_format *format, void *list,
		      size_t count)
{
	uint8_t *at = list;

	for (size_t i = 0; i < count && wire_is_ok(r); i++, at += format->size) {
		format->get(r, at);
		if (wire_is_ok(r) && i > 0 && format->cmp(at - format->size, at) >= 0)
			wire_fail(r, ERR_FORMAT);
	}
}

/* `list` points to the pointer that gets the memory. */
static void get_list(struct wire_reader *r, const struct list_format *format, void *list,
		     size_t *count)
{
	uint32_t items = wire_array(r, TRUST_ITEMS_MAX);
	void *memory;

	if (!wire_is_ok(r))
		return;
	/* An item has at least as many bytes as an id, so the input bounds what is
	 * allocated. */
	if (items > (size_t)(r->end - r->at) / ID_BYTES) {
		wire_fail(r, ERR_FORMAT);
		return;
	}
	memory = calloc(items ? items : 1, format->size);
	if (!memory) {
		wire_fail(r, ERR_NOMEM);
		return;
	}
	memcpy(list, &memory, sizeof(memory));
	*count = items;
	get_items(r, format, memory, items);
}

static void get_roots(struct wire_reader *r, struct trust *t)
{
	t->root_threshold = (unsigned)wire_uint(r, ROOTS_MAX);
	t->root_count = wire_array(r, ROOTS_MAX);
	get_items(r, &hash_list, t->roots, t->root_count);
	if (wire_is_ok(r) && (t->root_threshold == 0 || t->root_threshold > t->root_count))
		wire_fail(r, ERR_FORMAT);
}

/* The current epoch of each node is there, and counts as the node's. */
static bool has_current_epochs(const struct trust *t)
{
	for (size_t i = 0; i < t->node_count; i++) {
		const struct trust_epoch *epoch = trust_epoch(t, &t->nodes[i].current);

		if (!epoch || epoch->is_void || record_id_cmp(&epoch->node, &t->nodes[i].node) != 0)
			return false;
	}
	return true;
}

static bool holds_heads(const struct trust *t)
{
	for (size_t i = 0; i < t->head_count; i++)
		if (!bsearch(&t->heads[i], t->ids, t->statement_count, sizeof(*t->ids), hash_cmp))
			return false;
	return true;
}

static void get_trust(struct wire_reader *r, struct trust *t)
{
	expect_array(r, TRUST_ELEMENTS);
	if (wire_uint(r, UINT32_MAX) != TRUST_VERSION)
		wire_fail(r, ERR_VERSION);
	wire_bin_exact(r, t->org, ORG_ID_BYTES);
	get_roots(r, t);
	t->has_other_roots = wire_bool(r);
	t->stray_weight = (uint32_t)wire_uint(r, UINT32_MAX);
	get_list(r, &node_list, &t->nodes, &t->node_count);
	get_list(r, &epoch_list, &t->epochs, &t->epoch_count);
	get_list(r, &grant_list, &t->grants, &t->grant_count);
	get_list(r, &cut_list, &t->cuts, &t->cut_count);
	get_list(r, &space_list, &t->spaces, &t->space_count);
	get_list(r, &hash_list, &t->heads, &t->head_count);
	get_list(r, &hash_list, &t->ids, &t->statement_count);
	if (wire_is_ok(r) &&
	    (t->statement_count == 0 || t->statement_count > STATEMENTS_MAX || t->head_count == 0 ||
	     t->head_count > t->statement_count || !has_current_epochs(t) || !holds_heads(t)))
		wire_fail(r, ERR_FORMAT);
}

enum err trust_decode(struct trust **out, struct bytes input, struct errmsg *msg)
{
	struct wire_reader r = wire_reader_of(input);
	struct trust *t = calloc(1, sizeof(*t));
	enum err rc;

	if (!t)
		return errmsg_set(msg, ERR_NOMEM, "out of memory");
	get_trust(&r, t);
	rc = wire_end(&r);
	if (rc != OK) {
		trust_free(t);
		return errmsg_set(msg, rc, "trust: malformed bytes (%s)", err_name(rc));
	}
	t->epochs_max = EPOCHS_MAX;
	trust_hash_ids(t);
	*out = t;
	return OK;
}
