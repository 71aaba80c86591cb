#include "core/statement_set.h"

#include <stdlib.h>

#include "core/array.h"

void statement_set_release(struct statement_set *set)
{
	arena_release(&set->arena);
	free(set->list);
	free(set->encoded);
	free(set->verdicts);
	free(set->is_changed);
	free(set->idx);
	*set = (struct statement_set){ 0 };
}

static enum err reserve(struct statement_set *set)
{
	size_t cap = set->cap ? 2 * set->cap : 16;

	if (set->count < set->cap)
		return OK;
	if (array_resize(&set->list, cap, sizeof(*set->list)) ||
	    array_resize(&set->encoded, cap, sizeof(*set->encoded)) ||
	    array_resize(&set->verdicts, cap, sizeof(*set->verdicts)) ||
	    array_resize(&set->is_changed, cap, sizeof(*set->is_changed)) ||
	    array_resize(&set->idx, cap, sizeof(*set->idx)))
		return ERR_NOMEM;
	set->cap = cap;
	return OK;
}

enum err statement_set_add(struct statement_set *set, struct bytes encoded, struct statement **out,
			   struct errmsg *msg)
{
	struct bytes copy = arena_copy(&set->arena, encoded);
	struct statement *s = arena_alloc(&set->arena, sizeof(*s));
	enum err rc = copy.data && s ? reserve(set) : ERR_NOMEM;

	if (rc == OK)
		rc = statement_decode(s, copy, &set->arena, msg);
	if (rc != OK)
		return rc;
	set->list[set->count] = s;
	set->encoded[set->count] = copy;
	set->verdicts[set->count] = VERDICT_STANDS;
	set->is_changed[set->count] = false;
	set->idx[set->count] = 0;
	set->count++;
	*out = s;
	return OK;
}

struct loading {
	struct statement_set *set;
	struct errmsg *msg;
};

static enum err load_one(void *ctx, int64_t idx, struct bytes encoded, enum verdict verdict)
{
	struct loading *l = ctx;
	struct statement *s;
	enum err rc = statement_set_add(l->set, encoded, &s, l->msg);

	if (rc == ERR_NOMEM)
		return rc;
	if (rc != OK)
		return errmsg_prefix(l->msg, ERR_CORRUPT, "statement %lld: ", (long long)idx);
	l->set->idx[l->set->count - 1] = idx;
	l->set->verdicts[l->set->count - 1] = (uint8_t)verdict;
	return OK;
}

enum err statement_set_load(struct statement_set *set, struct store *store, struct errmsg *msg)
{
	struct loading l = { set, msg };

	return store_each_statement(store, load_one, &l, msg);
}

void statement_set_judge(struct statement_set *set, const uint8_t *verdicts)
{
	for (size_t i = 0; i < set->count; i++) {
		set->is_changed[i] = set->verdicts[i] != verdicts[i];
		set->verdicts[i] = verdicts[i];
	}
}

void statement_set_remove(struct statement_set *set, size_t at)
{
	size_t after = --set->count - at;

	memmove(set->list + at, set->list + at + 1, after * sizeof(*set->list));
	memmove(set->encoded + at, set->encoded + at + 1, after * sizeof(*set->encoded));
	memmove(set->verdicts + at, set->verdicts + at + 1, after * sizeof(*set->verdicts));
	memmove(set->is_changed + at, set->is_changed + at + 1, after * sizeof(*set->is_changed));
	memmove(set->idx + at, set->idx + at + 1, after * sizeof(*set->idx));
}

bool statement_set_has(const struct statement_set *set, const struct statement_id *id)
{
	for (size_t i = 0; i < set->count; i++)
		if (statement_id_cmp(&set->list[i]->id, id) == 0)
			return true;
	return false;
}

static bool is_among(const struct roots *roots, const struct sign_key *key)
{
	for (size_t i = 0; i < roots->count; i++)
		if (sign_key_cmp(&roots->keys[i], key) == 0)
			return true;
	return false;
}

bool statement_names(const struct statement *s, const struct sign_key *key)
{
	const uint8_t *node = NULL;

	if (s->type == STATEMENT_ROOTS)
		return is_among(&s->u.roots, key);
	if (s->type == STATEMENT_GENESIS && is_among(&s->u.genesis.roots, key))
		return true;
	if (s->type == STATEMENT_GENESIS)
		node = s->u.genesis.node.identity.sign_key;
	else if (s->type == STATEMENT_ADMIT)
		node = s->u.admit.identity.sign_key;
	else if (s->type == STATEMENT_EPOCH)
		node = s->u.epoch.identity.sign_key;
	return node && memcmp(node, key->bytes, SIGN_PUBLIC_BYTES) == 0;
}

bool statement_names_replica(const struct statement *s, const struct replica_id *replica)
{
	const struct node_identity *identity = NULL;

	if (s->type == STATEMENT_GENESIS)
		identity = &s->u.genesis.node.identity;
	else if (s->type == STATEMENT_ADMIT)
		identity = &s->u.admit.identity;
	else if (s->type == STATEMENT_EPOCH)
		identity = &s->u.epoch.identity;
	return identity && replica_id_cmp(&identity->replica, replica) == 0;
}

bool statement_set_names(const struct statement_set *set, const struct sign_key *key)
{
	for (size_t i = 0; i < set->count; i++)
		if (statement_names(set->list[i], key))
			return true;
	return false;
}
