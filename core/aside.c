#include "core/aside.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/replica.h"

struct aside *aside_new(void)
{
	struct aside *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->is_gone = calloc(ASIDE_MAX, sizeof(*a->is_gone));
	a->is_marked = calloc(ASIDE_MAX, sizeof(*a->is_marked));
	a->order = calloc(ASIDE_MAX, sizeof(*a->order));
	if (a->is_gone && a->is_marked && a->order)
		return a;
	aside_free(a);
	return NULL;
}

void aside_free(struct aside *a)
{
	if (!a)
		return;
	statement_set_release(&a->set);
	free(a->is_gone);
	free(a->is_marked);
	free(a->order);
	free(a);
}

/* Where the id stands in the order, or would. */
static size_t place_of(const struct aside *a, const struct statement_id *id)
{
	size_t low = 0, high = a->set.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (statement_id_cmp(&a->set.list[a->order[mid]]->id, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

enum err aside_add(struct aside *a, const struct statement *s, struct bytes encoded,
		   struct errmsg *msg)
{
	size_t at = a->set.count, place = place_of(a, &s->id);
	struct statement *copy;
	enum err rc;

	a->is_full |= at == ASIDE_MAX || a->bytes + encoded.size > ASIDE_BYTES_MAX;
	if (a->is_full)
		return OK;
	rc = statement_set_add(&a->set, encoded, &copy, msg);
	if (rc != OK)
		return rc;
	memmove(a->order + place + 1, a->order + place, (at - place) * sizeof(*a->order));
	a->order[place] = (uint32_t)at;
	a->bytes += encoded.size;
	a->count++;
	return OK;
}

size_t aside_find(const struct aside *a, const struct statement_id *id)
{
	size_t place = place_of(a, id);

	if (place == a->set.count || a->is_gone[a->order[place]] ||
	    statement_id_cmp(&a->set.list[a->order[place]]->id, id) != 0)
		return ASIDE_NONE;
	return a->order[place];
}

size_t aside_naming(const struct aside *a, const struct sign_key *key)
{
	for (size_t i = 0; i < a->set.count; i++)
		if (!a->is_gone[i] && statement_names(a->set.list[i], key))
			return i;
	return ASIDE_NONE;
}

bool aside_names(const struct aside *a, const struct replica_id *replica)
{
	for (size_t i = 0; i < a->set.count; i++)
		if (!a->is_gone[i] && statement_names_replica(a->set.list[i], replica))
			return true;
	return a->is_full;
}

bool aside_is_empty(const struct aside *a)
{
	return a->count == 0 && !a->is_full;
}

void aside_clear_marks(struct aside *a)
{
	memset(a->is_marked, 0, a->set.count * sizeof(*a->is_marked));
}

/* Whatever is needed came before what needs it. */
static void mark_needs_of(struct aside *a, size_t of,
			  bool (*knows)(void *ctx, const struct sign_key *key), void *ctx)
{
	const struct statement *s = a->set.list[of];
	size_t at;

	for (size_t p = 0; p < s->parent_count; p++) {
		at = aside_find(a, &s->parents[p]);
		if (at != ASIDE_NONE)
			a->is_marked[at] = true;
	}
	for (size_t k = 0; k < s->signer_count; k++) {
		at = knows(ctx, &s->signers[k]) ? ASIDE_NONE : aside_naming(a, &s->signers[k]);
		if (at < of)
			a->is_marked[at] = true;
	}
}

void aside_mark_needs(struct aside *a, bool (*knows)(void *ctx, const struct sign_key *key),
		      void *ctx)
{
	for (size_t i = a->set.count; i-- > 0;)
		if (a->is_marked[i])
			mark_needs_of(a, i, knows, ctx);
}
