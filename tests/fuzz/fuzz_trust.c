/* The stored result of a fold, of any bytes: what is accepted is canonical, answers
 * every question, and takes one statement more. */
#include "core/trust.h"
#include "tests/fuzz/target.h"

enum { FEEDS_CUT = 8 };

/* Of a node's next epoch, which signs it, too. */
static const struct sign_key new_signer = { { 0xee, 2 } };

static bool is_held(const struct trust *t, const struct statement_id *id)
{
	for (size_t i = 0; i < t->statement_count; i++)
		if (statement_id_cmp(&t->ids[i], id) == 0)
			return true;
	return false;
}

/* Whatever a program asks. */
static void ask(const struct trust *t)
{
	const struct space_id elsewhere = { { 1 } };

	for (size_t i = 0; i < t->node_count; i++) {
		const struct trust_epoch *epoch = trust_epoch(t, &t->nodes[i].current);

		require(trust_node(t, &t->nodes[i].node) == &t->nodes[i]);
		require(epoch && !epoch->is_void);
		require(record_id_cmp(&epoch->node, &t->nodes[i].node) == 0);
	}
	for (size_t i = 0; i < t->head_count; i++)
		require(is_held(t, &t->heads[i]));
	for (size_t i = 0; i < t->epoch_count; i++) {
		const struct trust_epoch *epoch = &t->epochs[i];

		require(trust_epoch(t, &epoch->replica) == epoch);
		trust_node_by_noise_key(t, epoch->identity.noise_key);
		trust_node_by_sign_key(t, epoch->identity.sign_key);
		trust_cut(t, &epoch->replica, &elsewhere);
	}
	for (size_t i = 0; i < t->grant_count; i++)
		trust_role(t, &t->grants[i].space, t->grants[i].office_code);
	for (size_t i = 0; i < t->cut_count; i++) {
		struct trust_cut cut = trust_cut(t, &t->cuts[i].replica, &t->cuts[i].space);

		require(cut.cause < CUT_CAUSE_COUNT);
	}
}

/* The result is stored and read again, whatever it has become. */
static void require_stored(const struct trust *t)
{
	struct buf encoded = BUF_EMPTY, again = BUF_EMPTY;
	struct trust *back;

	trust_encode(&encoded, t);
	require(trust_decode(&back, buf_bytes(&encoded), NULL) == OK);
	trust_encode(&again, back);
	require(bytes_equal(buf_bytes(&encoded), buf_bytes(&again)));
	trust_free(back);
	buf_release(&encoded);
	buf_release(&again);
}

/* The first feeds that are known, in the order in which a statement has them. */
static size_t some_cuts(const struct trust *t, const struct space_id *space,
			struct cut cuts[FEEDS_CUT])
{
	size_t count = t->epoch_count < FEEDS_CUT ? t->epoch_count : FEEDS_CUT;

	for (size_t i = 0; i < count; i++)
		cuts[i] =
			(struct cut){ .replica = t->epochs[i].replica, .space = *space, .seq = 3 };
	return count;
}

static struct node_identity new_identity(uint8_t number)
{
	struct node_identity identity = { .sign_key = { 0xee, number },
					  .noise_key = { 0xef, number },
					  .nonce = { number } };

	identity.replica = epoch_replica(identity.sign_key, identity.nonce);
	return identity;
}

/* What it says of whatever is there. */
static void fill(struct statement *s, const struct trust *t, const struct trust_node *node,
		 struct cut cuts[FEEDS_CUT], struct office_role *office)
{
	struct space_id directory = { { 0 } };

	memcpy(directory.bytes, t->org, ID_BYTES);
	switch (s->type) {
	case STATEMENT_ADMIT:
		s->u.admit.node.bytes[0] = 0xdd;
		s->u.admit.identity = new_identity(1);
		memcpy(s->u.admit.office_code, "ZZZ", 4);
		break;
	case STATEMENT_ADMIN:
		s->u.admin.node = node->node;
		s->u.admin.is_admin = !node->is_admin;
		break;
	case STATEMENT_REVOKE:
		s->u.revoke.node = node->node;
		s->u.revoke.cuts = cuts;
		s->u.revoke.cut_count = some_cuts(t, &directory, cuts);
		break;
	case STATEMENT_EPOCH:
		s->u.epoch.node = node->node;
		s->u.epoch.identity = new_identity(2);
		s->u.epoch.is_closing = node->block & 1;
		s->u.epoch.cuts = cuts;
		s->u.epoch.cut_count = node->block & 1 ? some_cuts(t, &directory, cuts) : 0;
		break;
	case STATEMENT_SPACE:
		memcpy(office->office_code, node->office_code, sizeof(office->office_code));
		s->u.space.offices = office;
		s->u.space.office_count = 1;
		break;
	case STATEMENT_GRANT:
		s->u.grant.space = t->space_count ? t->spaces[0] : directory;
		memcpy(s->u.grant.office_code, node->office_code, sizeof(s->u.grant.office_code));
		s->u.grant.cuts = cuts;
		s->u.grant.cut_count = some_cuts(t, &s->u.grant.space, cuts);
		break;
	case STATEMENT_ROOTS:
		s->u.roots.threshold = 1;
		s->u.roots.count = 1;
		s->u.roots.keys = t->roots;
		break;
	default: break;
	}
}

/* One statement more, by all who are root, or by the node. */
static void extend(struct trust *t, enum statement_type type, const struct trust_node *node,
		   bool is_roots)
{
	struct statement s = { .id = { { 0xee, (uint8_t)type, is_roots } }, .type = type };
	const struct trust_node copy = *node;
	const struct trust_epoch *epoch = trust_epoch(t, &node->current);
	struct sign_key signers[2] = { { { 0 } }, new_signer };
	struct office_role office = { .role = ROLE_MANAGER };
	struct cut cuts[FEEDS_CUT];
	enum verdict verdict = VERDICT_COUNT;
	struct errmsg msg;

	if (is_held(t, &s.id))
		return;
	memcpy(signers[0].bytes, epoch->identity.sign_key, SIGN_PUBLIC_BYTES);
	s.parents = t->heads;
	s.parent_count = t->head_count;
	s.signers = is_roots ? t->roots : signers;
	s.signer_count = is_roots ? t->root_count : 2;
	fill(&s, t, &copy, cuts, &office);
	if (trust_extend(t, &s, &verdict, &msg) == OK) {
		require(verdict < VERDICT_COUNT && t->head_count == 1);
		require_stored(t);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf again = BUF_EMPTY;
	struct trust *t;
	struct errmsg msg;

	if (trust_decode(&t, bytes_of(data, size), &msg) != OK)
		return 0;
	trust_encode(&again, t);
	require(again.size == size && memcmp(again.data, data, size) == 0);
	ask(t);
	for (int type = 0; type < 2 * STATEMENT_TYPE_COUNT && t->node_count; type++)
		extend(t, (enum statement_type)(type / 2), &t->nodes[0], type % 2);
	ask(t);
	trust_free(t);
	buf_release(&again);
	return 0;
}
