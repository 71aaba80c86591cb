/* Bodies of any bytes: what is accepted can be validated, encoded again, and
 * says the same then. */
#include "core/changeset.h"
#include "core/limits.h"
#include "tests/fuzz/target.h"

static bool same_targets(const struct target *a, const struct target *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (dot_cmp(&a[i].dot, &b[i].dot) != 0 || a[i].n != b[i].n)
			return false;
	return true;
}

static void require_same_op(const struct op *a, const struct op *b)
{
	require(op_cmp(a, b) == 0 && a->n == b->n);
	require(value_equal(&a->value, &b->value));
	require(a->target_count == b->target_count && a->observed_count == b->observed_count);
	require(same_targets(a->targets, b->targets, a->target_count));
	require(same_targets(a->observed, b->observed, a->observed_count));
}

static void require_comes_back(const struct changeset *cs, const struct replica_id *self,
			       struct arena *arena)
{
	struct buf body = BUF_EMPTY;
	struct changeset back;

	require(changeset_encode(&body, cs, self, arena, NULL) == OK);
	require(changeset_decode(&back, buf_bytes(&body), self, arena, NULL) == OK);
	require(back.hlc.bits == cs->hlc.bits && back.op_count == cs->op_count);
	require(record_id_cmp(&back.author, &cs->author) == 0);
	require(back.dep_count == cs->dep_count);
	for (size_t i = 0; i < cs->dep_count; i++)
		require(dot_cmp(&back.deps[i], &cs->deps[i]) == 0);
	for (size_t i = 0; i < cs->op_count; i++)
		require_same_op(&back.ops[i], &cs->ops[i]);
	buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replica_id self = { { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 } };
	struct arena arena = ARENA_EMPTY;
	struct changeset cs = { 0 };
	struct errmsg why = { .text = "" };
	struct hlc_stamp hlc;
	enum err rc = changeset_decode(&cs, bytes_of(data, size), &self, &arena, &why);

	if (rc != OK) {
		require(cs.ops == NULL && why.text[0]);
	} else {
		require(cs.op_count <= CHANGESET_OPS_MAX);
		require(changeset_peek_hlc(bytes_of(data, size), &hlc) == OK);
		require(hlc.bits == cs.hlc.bits);
		for (int directory = 0; directory < 2; directory++) {
			rc = changeset_validate(&cs, directory, VALIDITY_RECEIVED, &why);
			require(rc == OK || rc == ERR_INVALID || rc == ERR_LIMIT);
		}
		require_comes_back(&cs, &self, &arena);
	}
	arena_release(&arena);
	return 0;
}
