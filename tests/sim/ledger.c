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

/* ---- Authors ------------------------------------------------------------------- */

static uint32_t add_author(struct ledger *l, const struct ledger_author *a)
{
	uint32_t author = l->author_count++, at = author;

	assert(author < l->author_max);
	l->authors[author] = *a;
	for (; at > 0 && replica_id_cmp(&l->authors[l->by_id[at - 1]].id, &a->id) > 0; at--)
		l->by_id[at] = l->by_id[at - 1];
	l->by_id[at] = author;
	return author;
}

uint32_t ledger_add_author(struct ledger *l, const struct replica_id *id, uint32_t owner)
{
	uint32_t number = l->author_count;

	assert(ledger_author(l, id) == LEDGER_NONE);
	return add_author(
		l, &(struct ledger_author){
			   .id = *id, .root = number, .from = number, .first = 1, .owner = owner });
}

/* From `seq` on another content than that of `from`. */
static uint32_t add_branch(struct ledger *l, uint32_t space, uint32_t from, uint32_t seq)
{
	struct ledger_author branch = l->authors[from];
	struct ledger_feed *root = &l->feeds[space][branch.root];

	branch.from = from;
	branch.first = seq;
	if (root->fork == 0 || seq < root->fork)
		root->fork = seq;
	l->fork_count++;
	return add_author(l, &branch);
}

uint32_t ledger_author(const struct ledger *l, const struct replica_id *id)
{
	for (uint32_t i = 0; i < l->author_count; i++)
		if (replica_id_cmp(&l->authors[i].id, id) == 0)
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

/* ---- Entries ------------------------------------------------------------------- */

uint32_t ledger_top(const struct ledger *l, uint32_t space, uint32_t author)
{
	uint32_t count = l->feeds[space][author].count;

	return count ? l->authors[author].first + count - 1 : 0;
}

const struct ledger_entry *ledger_find(const struct ledger *l, uint32_t space, uint32_t author,
				       uint64_t seq)
{
	while (seq < l->authors[author].first && l->authors[author].from != author)
		author = l->authors[author].from;
	if (seq < l->authors[author].first || seq > ledger_top(l, space, author))
		return NULL;
	return l->feeds[space][author].entries[seq - l->authors[author].first];
}

const struct ledger_entry *ledger_tip(const struct ledger *l, uint32_t space,
				      const uint32_t *frontier, uint32_t root)
{
	uint32_t best = root;

	if (l->feeds[space][root].fork)
		for (uint32_t i = root + 1; i < l->author_count; i++)
			if (l->authors[i].root == root && frontier[i] > frontier[best])
				best = i;
	return ledger_find(l, space, best, frontier[best]);
}

static bool is_next(const struct ledger_entry *e, const struct ledger_entry *before,
		    const struct sealed *sealed)
{
	return e && e->before == before && bytes_equal(e->body, sealed->body) &&
	       memcmp(e->signature, sealed->signature, SIGNATURE_BYTES) == 0;
}

const struct ledger_entry *ledger_next(const struct ledger *l, uint32_t space, uint32_t root,
				       const struct ledger_entry *before,
				       const struct sealed *sealed)
{
	const struct ledger_entry *e = ledger_find(l, space, root, sealed->seq);

	if (is_next(e, before, sealed))
		return e;
	for (uint32_t i = root + 1; l->feeds[space][root].fork && i < l->author_count; i++) {
		if (l->authors[i].root != root)
			continue;
		e = ledger_find(l, space, i, sealed->seq);
		if (is_next(e, before, sealed))
			return e;
	}
	return NULL;
}

bool ledger_has_dot(const struct ledger *l, uint32_t space, uint32_t root, uint64_t seq)
{
	for (uint32_t i = root; i < l->author_count; i++)
		if (l->authors[i].root == root && ledger_find(l, space, i, seq))
			return true;
	return false;
}

/* Whose last one `before` is, or else a new branch. */
static uint32_t author_after(struct ledger *l, uint32_t space, uint32_t root,
			     const struct ledger_entry *before)
{
	uint32_t author = before ? before->author : root;

	if (ledger_top(l, space, author) == (before ? before->seq : 0))
		return author;
	return add_branch(l, space, author, before ? before->seq + 1 : 1);
}

static const uint32_t *keep(struct ledger *l, const uint32_t *frontier)
{
	size_t bytes = l->author_count * sizeof(*frontier);

	return memcpy(must(arena_alloc(&l->arena, bytes)), frontier, bytes);
}

static void link_after(const struct ledger *l, struct ledger_entry *e)
{
	struct feed_head head = { 0 };

	if (e->before) {
		head.seq = e->before->seq;
		memcpy(head.link, e->before->link, LINK_BYTES);
		memcpy(head.signature, e->before->signature, SIGNATURE_BYTES);
	}
	changeset_link(e->link, &l->spaces[e->space], &l->authors[e->author].id, &head, e->body);
}

enum err ledger_enter(struct ledger *l, uint32_t space, uint32_t root,
		      const struct ledger_entry *before, const struct sealed *sealed,
		      const uint32_t *context, struct ledger_entry **out, struct errmsg *msg)
{
	uint32_t author;
	struct ledger_feed *f;
	struct ledger_entry *e;
	enum err rc;

	if (sealed->seq != (before ? before->seq : 0) + 1)
		return errmsg_set(msg, ERR_CHAIN, "seq %llu after %u",
				  (unsigned long long)sealed->seq, before ? before->seq : 0);
	author = author_after(l, space, root, before);
	f = &l->feeds[space][author];
	e = must(arena_alloc(&l->arena, sizeof(*e)));
	e->space = space;
	e->author = author;
	e->seq = (uint32_t)sealed->seq;
	e->before = before;
	e->body = arena_copy(&l->arena, sealed->body);
	memcpy(e->signature, sealed->signature, SIGNATURE_BYTES);
	link_after(l, e);
	e->context = keep(l, context);
	e->context_count = l->author_count;
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

/* ---- Frontiers ----------------------------------------------------------------- */

uint32_t ledger_frontier(const struct ledger *l, const struct vv *vv, uint32_t *out)
{
	uint32_t at = 0;

	/* Both are in the order of ids. */
	memset(out, 0, l->author_max * sizeof(*out));
	for (size_t i = 0; i < vv->count; i++) {
		int order = -1;

		while (at < l->author_count &&
		       (order = replica_id_cmp(&l->authors[l->by_id[at]].id,
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

		if (frontier[author] &&
		    vv_raise(out, &l->authors[author].id, frontier[author]) != OK)
			must(NULL);
	}
}

void ledger_cap(const struct ledger *l, uint32_t *frontier, uint32_t root, uint64_t seq)
{
	for (uint32_t i = root; i < l->author_count; i++) {
		if (l->authors[i].root != root)
			continue;
		if (frontier[i] > seq)
			frontier[i] = (uint32_t)seq;
		if (frontier[i] < l->authors[i].first)
			frontier[i] = 0;
	}
}
