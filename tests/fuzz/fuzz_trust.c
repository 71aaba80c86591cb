/* The stored result of a fold, of any bytes: what is accepted is canonical, answers
 * every question, and takes one statement more. */
#include "core/trust.h"
#include "tests/fuzz/target.h"

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

/* A statement of this type by the first root, about whatever is there. */
static void extend(struct trust *t, enum statement_type type)
{
	struct statement s = { .id = { { 0xee } }, .type = type, .signers = t->roots };
	struct cut cut = { .seq = 3 };
	enum verdict verdict = VERDICT_COUNT;
	struct errmsg msg;

	s.parents = t->heads;
	s.parent_count = t->head_count;
	s.signer_count = t->root_count;
	if (t->cut_count)
		cut.space = t->cuts[0].space;
	if (t->epoch_count)
		cut.replica = t->epochs[0].replica;
	if (type == STATEMENT_REVOKE) {
		s.u.revoke.cuts = &cut;
		s.u.revoke.cut_count = 1;
		if (t->node_count)
			s.u.revoke.node = t->nodes[0].node;
	} else if (type == STATEMENT_GRANT) {
		s.u.grant.cuts = &cut;
		s.u.grant.cut_count = 1;
		if (t->space_count)
			s.u.grant.space = t->spaces[0];
		if (t->node_count)
			memcpy(s.u.grant.office_code, t->nodes[0].office_code,
			       sizeof(s.u.grant.office_code));
	} else {
		memcpy(s.u.admit.office_code, "ZZZ", 4);
	}
	if (trust_extend(t, &s, &verdict, &msg) == OK)
		require(verdict < VERDICT_COUNT && t->head_count == 1);
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
	extend(t, STATEMENT_ADMIT);
	extend(t, STATEMENT_GRANT);
	extend(t, STATEMENT_REVOKE);
	ask(t);
	trust_free(t);
	buf_release(&again);
	return 0;
}
