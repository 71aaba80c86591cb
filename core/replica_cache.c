/* The caches in front of the store: spaces, feeds, their heads and vectors, and what
 * the statements of membership say together. */
#include <assert.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/replica_impl.h"

/* Spaces. */

/* Where the space stands in the order, or would be inserted. */
static uint32_t space_place(const struct replica *r, const struct space_id *id)
{
	uint32_t low = 0, high = r->space_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (space_id_cmp(&r->space_ids[r->space_order[mid]], id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct space_state *replica_space(const struct replica *r, const struct space_id *id)
{
	uint32_t place = space_place(r, id);
	uint32_t at;

	if (place == r->space_count)
		return NULL;
	at = r->space_order[place];
	return space_id_cmp(&r->space_ids[at], id) == 0 ? &r->spaces[at] : NULL;
}

static enum err reserve_spaces(struct replica *r)
{
	uint32_t cap = r->space_cap ? 2 * r->space_cap : 8;

	if (r->space_count < r->space_cap)
		return OK;
	if (array_resize(&r->spaces, cap, sizeof(*r->spaces)) ||
	    array_resize(&r->space_ids, cap, sizeof(*r->space_ids)) ||
	    array_resize(&r->space_order, cap, sizeof(*r->space_order)))
		return ERR_NOMEM;
	r->space_cap = cap;
	return OK;
}

enum err replica_space_add(struct replica *r, const struct space_id *id, struct space_state **out,
			   struct errmsg *msg)
{
	uint32_t place;

	if (r->space_count >= SPACES_MAX)
		return errmsg_set(msg, ERR_LIMIT, "a replica holds at most %d spaces", SPACES_MAX);
	if (reserve_spaces(r) != OK)
		return ERR_NOMEM;
	place = space_place(r, id);
	memmove(r->space_order + place + 1, r->space_order + place,
		(r->space_count - place) * sizeof(*r->space_order));
	r->space_order[place] = r->space_count;
	r->spaces[r->space_count] = (struct space_state){ .id = *id };
	r->space_ids[r->space_count] = *id;
	*out = &r->spaces[r->space_count++];
	return OK;
}

static enum err store_space(struct replica *r, struct space_state *space, struct errmsg *msg)
{
	return space->idx ? OK : store_space_add(r->store, &space->id, &space->idx, msg);
}

const struct space_id *replica_spaces(const struct replica *r, size_t *count)
{
	*count = r->space_count;
	return r->space_ids;
}

const struct vv *replica_vv(const struct replica *r, const struct space_id *id)
{
	static const struct vv empty;
	const struct space_state *space = replica_space(r, id);

	return space ? &space->vv : &empty;
}

/* Feeds. */

static uint32_t feed_place(const struct replica *r, const struct space_state *space,
			   const struct replica_id *id)
{
	uint32_t low = 0, high = space->feed_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (replica_id_cmp(&r->feeds[space->feeds[mid]].replica, id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct feed *replica_feed(const struct replica *r, const struct space_state *space,
			  const struct replica_id *id)
{
	uint32_t place = feed_place(r, space, id);
	struct feed *feed;

	if (place == space->feed_count)
		return NULL;
	feed = &r->feeds[space->feeds[place]];
	return replica_id_cmp(&feed->replica, id) == 0 ? feed : NULL;
}

static enum err reserve_feeds(struct replica *r, struct space_state *space)
{
	if (array_reserve(&r->feeds, &r->feed_cap, r->feed_count + 1, sizeof(*r->feeds)) ||
	    array_reserve(&space->feeds, &space->feed_cap, space->feed_count + 1,
			  sizeof(*space->feeds)))
		return ERR_NOMEM;
	return OK;
}

/* Put a feed that the store has into the cache. */
static enum err cache_feed(struct replica *r, uint32_t space_at, uint32_t idx,
			   const struct replica_id *id, struct feed **out, struct errmsg *msg)
{
	struct space_state *space = &r->spaces[space_at];
	uint32_t place = feed_place(r, space, id);

	if (r->feed_count >= FEEDS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "a replica holds at most %d feeds", FEEDS_MAX);
	if (reserve_feeds(r, space) != OK)
		return ERR_NOMEM;
	memmove(space->feeds + place + 1, space->feeds + place,
		(space->feed_count - place) * sizeof(*space->feeds));
	space->feeds[place] = r->feed_count;
	space->feed_count++;
	*out = &r->feeds[r->feed_count++];
	**out = (struct feed){ .idx = idx,
			       .space = space_at,
			       .replica = *id,
			       .counts_to = membership_counts_to(r, &space->id, id) };
	return OK;
}

enum err replica_feed_add(struct replica *r, const struct space_id *space_id,
			  const struct replica_id *id, struct feed **out, struct errmsg *msg)
{
	struct space_state *space = replica_space(r, space_id);
	uint32_t number, idx;
	enum err rc = OK;

	if (!space)
		rc = replica_space_add(r, space_id, &space, msg);
	if (rc == OK)
		rc = store_space(r, space, msg);
	if (rc == OK)
		rc = store_intern(r->store, id, &number, msg);
	if (rc == OK)
		rc = store_feed_add(r->store, space->idx, number, &idx, msg);
	return rc == OK ? cache_feed(r, (uint32_t)(space - r->spaces), idx, id, out, msg) : rc;
}

enum err replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
			const struct sealed *sealed, const uint8_t link[LINK_BYTES],
			struct errmsg *msg)
{
	struct space_state *space = &r->spaces[feed->space];
	struct stamp stamp = { cs->hlc, { feed->replica, sealed->seq } };
	enum err rc = store_append(r->store, feed->idx, sealed->seq, sealed->body,
				   sealed->signature, link, msg);

	if (rc == OK && sealed->seq <= feed->counts_to)
		rc = apply_changeset(r->store, space->idx, &stamp, cs, &r->arena, msg);
	if (rc == OK)
		rc = vv_raise(&space->vv, &feed->replica, sealed->seq);
	if (rc != OK)
		return rc;
	feed->head.seq = sealed->seq;
	feed->head.hlc = cs->hlc;
	memcpy(feed->head.link, link, LINK_BYTES);
	memcpy(feed->head.signature, sealed->signature, SIGNATURE_BYTES);
	hlc_observe(&r->clock, cs->hlc);
	if (feed->space == 0)
		r->directory.stale = true;
	return OK;
}

/* Caches. */

void replica_drop_caches(struct replica *r)
{
	for (uint32_t i = 0; i < r->space_count; i++) {
		vv_release(&r->spaces[i].vv);
		free(r->spaces[i].feeds);
	}
	r->space_count = 0;
	r->feed_count = 0;
	r->directory.stale = true;
	/* The heads bring it back: a stamp that was not kept must not move it. */
	r->clock = (struct hlc){ 0 };
}

struct loading {
	struct replica *r;
	uint32_t *places; /* in replica.spaces, by the store's number */
	uint32_t place_count;
	struct errmsg *msg;
};

/* Remember which space has this number in the store. */
static enum err note_place(struct loading *l, uint32_t idx, uint32_t at)
{
	if (idx >= l->place_count) {
		uint32_t count = 2 * idx + 8;

		if (array_resize(&l->places, count, sizeof(*l->places)))
			return ERR_NOMEM;
		for (uint32_t i = l->place_count; i < count; i++)
			l->places[i] = UINT32_MAX;
		l->place_count = count;
	}
	l->places[idx] = at;
	return OK;
}

static enum err load_space(void *ctx, uint32_t idx, const struct space_id *id)
{
	struct loading *l = ctx;
	struct space_state *space = replica_space(l->r, id);
	enum err rc = OK;

	if (!space)
		rc = replica_space_add(l->r, id, &space, l->msg);
	if (rc != OK)
		return rc;
	space->idx = idx;
	return note_place(l, idx, (uint32_t)(space - l->r->spaces));
}

static enum err load_feed(void *ctx, const struct feed_row *row)
{
	struct loading *l = ctx;
	struct replica *r = l->r;
	struct feed *feed;
	uint32_t at = row->space < l->place_count ? l->places[row->space] : UINT32_MAX;
	enum err rc;

	if (at == UINT32_MAX)
		return errmsg_set(l->msg, ERR_CORRUPT, "feed %u has no space", row->idx);
	rc = cache_feed(r, at, row->idx, &row->replica, &feed, l->msg);
	if (rc == OK)
		rc = store_feed_head(r->store, row->idx, &feed->head, l->msg);
	if (rc != OK)
		return rc;
	feed->dep_seq = row->dep_seq;
	feed->named_seq = row->named_seq;
	hlc_observe(&r->clock, feed->head.hlc);
	return vv_raise(&r->spaces[at].vv, &row->replica, feed->head.seq);
}

static enum err load_org(struct replica *r, struct errmsg *msg)
{
	struct buf org = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, "org", &org, NULL);

	if (rc == OK && org.size == ORG_ID_BYTES) {
		memcpy(r->org, org.data, ORG_ID_BYTES);
		r->has_org = true;
	} else if (rc == OK || rc == ERR_CORRUPT) {
		rc = errmsg_set(msg, ERR_CORRUPT, "the setting org is damaged");
	} else if (rc == ERR_NOT_FOUND) {
		memset(r->org, 0, ORG_ID_BYTES);
		r->has_org = false;
		rc = OK;
	}
	buf_release(&org);
	return rc;
}

enum err replica_reload_feeds(struct replica *r, struct errmsg *msg)
{
	enum err rc = OK;

	for (uint32_t i = 0; i < r->space_count; i++)
		vv_clear(&r->spaces[i].vv);
	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++) {
		struct feed *feed = &r->feeds[i];

		rc = store_feed_head(r->store, feed->idx, &feed->head, msg);
		if (rc == OK)
			rc = vv_raise(&r->spaces[feed->space].vv, &feed->replica, feed->head.seq);
	}
	return rc;
}

enum err replica_adopt_org(struct replica *r, const uint8_t org[ORG_ID_BYTES], struct errmsg *msg)
{
	struct bytes bytes = bytes_of(org, ORG_ID_BYTES);

	assert(r->space_count == 1 && r->feed_count == 0);
	memcpy(r->org, org, ORG_ID_BYTES);
	r->has_org = true;
	r->spaces[0].id = r->space_ids[0] = replica_directory(r);
	return store_setting_put(r->store, "org", &bytes, msg);
}

/* Another process may have begun a new epoch. */
static enum err load_id(struct replica *r, struct errmsg *msg)
{
	struct buf nonce = BUF_EMPTY;
	struct buf id = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, "replica", &id, msg);

	if (rc == OK)
		rc = store_setting_get(r->store, "nonce", &nonce, msg);
	if (rc == OK && (id.size != ID_BYTES || nonce.size != ID_BYTES))
		rc = errmsg_set(msg, ERR_CORRUPT, "the replica's id is damaged");
	if (rc == OK) {
		memcpy(r->id.bytes, id.data, ID_BYTES);
		memcpy(r->nonce, nonce.data, ID_BYTES);
	}
	buf_release(&id);
	buf_release(&nonce);
	return rc == ERR_NOT_FOUND ? errmsg_set(msg, ERR_CORRUPT, "the replica's id is missing")
				   : rc;
}

enum err replica_store_id(struct replica *r, struct errmsg *msg)
{
	struct bytes id = bytes_of(r->id.bytes, ID_BYTES), nonce = bytes_of(r->nonce, ID_BYTES);
	enum err rc = store_setting_put(r->store, "nonce", &nonce, msg);

	return rc == OK ? store_setting_put(r->store, "replica", &id, msg) : rc;
}

enum err replica_draw_id(struct replica *r, struct errmsg *msg)
{
	struct signer self = membership_signer(r);

	dice_fill(&r->dice, r->nonce, ID_BYTES);
	r->id = epoch_replica(self.key.bytes, r->nonce);
	return replica_store_id(r, msg);
}

enum err replica_reload(struct replica *r, struct errmsg *msg)
{
	struct loading l = { .r = r, .msg = msg };
	struct space_state *directory;
	struct space_id directory_id;
	uint64_t version;
	enum err rc;

	replica_drop_caches(r);
	r->reloads++;
	r->stale = true;
	/* First: what somebody commits while the rest is read makes it another one. */
	rc = store_data_version(r->store, &version, msg);
	if (rc == OK)
		rc = store_load_replicas(r->store, msg);
	if (rc == OK)
		rc = load_org(r, msg);
	if (rc == OK)
		rc = load_id(r, msg);
	if (rc == OK)
		rc = membership_load(r, msg);
	directory_id = replica_directory(r);
	if (rc == OK)
		rc = replica_space_add(r, &directory_id, &directory, msg);
	if (rc == OK)
		rc = store_each_space(r->store, load_space, &l, msg);
	if (rc == OK)
		rc = store_each_feed(r->store, load_feed, &l, msg);
	free(l.places);
	/* Nothing is taken before there are members. */
	if (rc == OK && r->feed_count && !r->trust)
		rc = errmsg_set(msg, ERR_CORRUPT, "there are changesets, but no membership");
	if (rc == OK)
		r->own_count = epoch_count(r);
	if (rc == OK)
		rc = directory_load(r, msg);
	if (rc == OK) {
		r->data_version = version;
		r->stale = false;
	}
	return rc;
}

enum err replica_refresh(struct replica *r, bool *changed, struct errmsg *msg)
{
	uint64_t version;
	enum err rc = store_data_version(r->store, &version, msg);

	if (rc != OK)
		return rc;
	*changed = version != r->data_version || r->stale;
	return *changed ? replica_reload(r, msg) : OK;
}

uint64_t replica_reloads(const struct replica *r)
{
	return r->reloads;
}
