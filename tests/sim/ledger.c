#include "tests/sim/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void *must(void *memory)
{
	if (!memory) {
		perror("ledger");
		abort();
	}
	return memory;
}

void ledger_init(struct ledger *l, uint32_t author_max)
{
	*l = (struct ledger){ .author_max = author_max };
	l->authors = must(calloc(author_max, sizeof(*l->authors)));
	l->by_id = must(calloc(author_max, sizeof(*l->by_id)));
}

void ledger_release(struct ledger *l)
{
	for (uint32_t s = 0; s < l->space_count; s++) {
		for (uint32_t a = 0; a < l->author_max; a++)
			free(l->feeds[s][a].entries);
		free(l->feeds[s]);
	}
	free(l->authors);
	free(l->by_id);
	arena_release(&l->arena);
	*l = (struct ledger){ 0 };
}

uint32_t ledger_add_author(struct ledger *l, const struct replica_id *id)
{
	uint32_t author = l->author_count++, at = author;

	assert(author < l->author_max && ledger_author(l, id) == LEDGER_NONE);
	l->authors[author] = *id;
	for (; at > 0 && replica_id_cmp(&l->authors[l->by_id[at - 1]], id) > 0; at--)
		l->by_id[at] = l->by_id[at - 1];
	l->by_id[at] = author;
	return author;
}

uint32_t ledger_author(const struct ledger *l, const struct replica_id *id)
{
	for (uint32_t i = 0; i < l->author_count; i++)
		if (replica_id_cmp(&l->authors[i], id) == 0)
			return i;
	return LEDGER_NONE;
}

uint32_t ledger_add_space(struct ledger *l, const struct space_id *id)
{
	assert(l->space_count < LEDGER_SPACES_MAX);
	l->spaces[l->space_count] = *id;
	l->feeds[l->space_count] = must(calloc(l->author_max, sizeof(**l->feeds)));
	return l->space_count++;
}

uint32_t ledger_space(const struct ledger *l, const struct space_id *id)
{
	for (uint32_t i = 0; i < l->space_count; i++)
		if (space_id_cmp(&l->spaces[i], id) == 0)
			return i;
	return LEDGER_NONE;
}

const struct ledger_entry *ledger_find(const struct ledger *l, uint32_t space, uint32_t author,
				       uint64_t seq)
{
	const struct ledger_feed *f = &l->feeds[space][author];

	return seq >= 1 && seq <= f->count ? f->entries[seq - 1] : NULL;
}

enum err ledger_enter(struct ledger *l, uint32_t space, const struct sealed *sealed,
		      const uint32_t *context, const struct ledger_entry **out, struct errmsg *msg)
{
	uint32_t author = ledger_author(l, &sealed->replica);
	struct ledger_feed *f = &l->feeds[space][author];
	size_t context_bytes = l->author_max * sizeof(*context);
	struct ledger_entry *e;
	enum err rc;

	if (sealed->seq != f->count + 1)
		return errmsg_set(msg, ERR_CHAIN, "seq %llu after %u",
				  (unsigned long long)sealed->seq, f->count);
	e = must(arena_alloc(&l->arena, sizeof(*e)));
	e->space = space;
	e->author = author;
	e->seq = (uint32_t)sealed->seq;
	e->body = arena_copy(&l->arena, sealed->body);
	memcpy(e->signature, sealed->signature, SIGNATURE_BYTES);
	e->context = memcpy(must(arena_alloc(&l->arena, context_bytes)), context, context_bytes);
	rc = changeset_decode(&e->cs, e->body, &sealed->replica, &l->arena, msg);
	if (rc != OK)
		return rc;
	if (f->count == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->entries = must(realloc(f->entries, f->cap * sizeof(struct ledger_entry *)));
	}
	f->entries[f->count++] = e;
	l->entry_count++;
	*out = e;
	return OK;
}

uint32_t ledger_frontier(const struct ledger *l, const struct vv *vv, uint32_t *out)
{
	uint32_t at = 0;

	/* Both are in the order of ids. */
	memset(out, 0, l->author_max * sizeof(*out));
	for (size_t i = 0; i < vv->count; i++) {
		int order = -1;

		while (at < l->author_count &&
		       (order = replica_id_cmp(&l->authors[l->by_id[at]],
					       &vv->entries[i].replica)) < 0)
			at++;
		if (order != 0)
			return (uint32_t)i;
		out[l->by_id[at]] = (uint32_t)vv->entries[i].seq;
	}
	return LEDGER_NONE;
}

void ledger_vv(const struct ledger *l, const uint32_t *frontier, struct vv *out)
{
	vv_clear(out);
	for (uint32_t i = 0; i < l->author_count; i++) {
		uint32_t author = l->by_id[i];

		if (frontier[author] && vv_raise(out, &l->authors[author], frontier[author]) != OK)
			must(NULL);
	}
}
