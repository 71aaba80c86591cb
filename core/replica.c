#include <sodium.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/replica_impl.h"

/* Identity and organisation. */

const struct replica_id *replica_id(const struct replica *r)
{
	return &r->id;
}

struct hlc_stamp replica_clock(const struct replica *r)
{
	return r->clock.last;
}

bool replica_has_org(const struct replica *r)
{
	return r->has_org;
}

const uint8_t *replica_org(const struct replica *r)
{
	return r->org;
}

/* The directory space is named by the organisation itself. */
struct space_id replica_directory(const struct replica *r)
{
	struct space_id id;

	memcpy(id.bytes, r->org, ID_BYTES);
	return id;
}

void org_id_of(uint8_t out[ORG_ID_BYTES], const struct replica_id *replica, struct bytes body)
{
	static const char domain[] = "huitong-org-1";
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, ORG_ID_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, replica->bytes, ID_BYTES);
	crypto_generichash_update(&state, body.data, body.size);
	crypto_generichash_final(&state, out, ORG_ID_BYTES);
}

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
	struct space_state *spaces;
	struct space_id *ids;
	uint32_t *order;

	if (r->space_count < r->space_cap)
		return OK;
	spaces = realloc(r->spaces, cap * sizeof(*spaces));
	if (!spaces)
		return ERR_NOMEM;
	r->spaces = spaces;
	ids = realloc(r->space_ids, cap * sizeof(*ids));
	if (!ids)
		return ERR_NOMEM;
	r->space_ids = ids;
	order = realloc(r->space_order, cap * sizeof(*order));
	if (!order)
		return ERR_NOMEM;
	r->space_order = order;
	r->space_cap = cap;
	return OK;
}

enum err replica_space_add(struct replica *r, const struct space_id *id, struct space_state **out)
{
	uint32_t place;

	if (r->space_count >= SPACES_MAX)
		return ERR_LIMIT;
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
	uint32_t cap;

	if (r->feed_count == r->feed_cap) {
		struct feed *feeds;

		cap = r->feed_cap ? 2 * r->feed_cap : 16;
		feeds = realloc(r->feeds, cap * sizeof(*feeds));
		if (!feeds)
			return ERR_NOMEM;
		r->feeds = feeds;
		r->feed_cap = cap;
	}
	if (space->feed_count == space->feed_cap) {
		uint32_t *list;

		cap = space->feed_cap ? 2 * space->feed_cap : 4;
		list = realloc(space->feeds, cap * sizeof(*list));
		if (!list)
			return ERR_NOMEM;
		space->feeds = list;
		space->feed_cap = cap;
	}
	return OK;
}

/* Put a feed that the store has into the cache. */
static enum err cache_feed(struct replica *r, uint32_t space_at, uint32_t idx,
			   const struct replica_id *id, struct feed **out)
{
	struct space_state *space = &r->spaces[space_at];
	uint32_t place = feed_place(r, space, id);

	if (r->feed_count >= FEEDS_MAX)
		return ERR_LIMIT;
	if (reserve_feeds(r, space) != OK)
		return ERR_NOMEM;
	memmove(space->feeds + place + 1, space->feeds + place,
		(space->feed_count - place) * sizeof(*space->feeds));
	space->feeds[place] = r->feed_count;
	space->feed_count++;
	*out = &r->feeds[r->feed_count++];
	**out = (struct feed){ .idx = idx, .space = space_at, .replica = *id };
	return OK;
}

enum err replica_feed_add(struct replica *r, const struct space_id *space_id,
			  const struct replica_id *id, struct feed **out, struct errmsg *msg)
{
	struct space_state *space = replica_space(r, space_id);
	uint32_t number, idx;
	enum err rc = OK;

	if (!space)
		rc = replica_space_add(r, space_id, &space);
	if (rc == OK)
		rc = store_space(r, space, msg);
	if (rc == OK)
		rc = store_intern(r->store, id, &number, msg);
	if (rc == OK)
		rc = store_feed_add(r->store, space->idx, number, &idx, msg);
	return rc == OK ? cache_feed(r, (uint32_t)(space - r->spaces), idx, id, out) : rc;
}

enum err replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
			const struct sealed *sealed, const uint8_t link[LINK_BYTES],
			struct errmsg *msg)
{
	struct space_state *space = &r->spaces[feed->space];
	struct stamp stamp = { cs->hlc, { feed->replica, sealed->seq } };
	enum err rc = store_append(r->store, feed->idx, sealed->seq, sealed->body,
				   sealed->signature, link, msg);

	if (rc == OK)
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

static void drop_caches(struct replica *r)
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
		uint32_t *places = realloc(l->places, count * sizeof(*places));

		if (!places)
			return ERR_NOMEM;
		for (uint32_t i = l->place_count; i < count; i++)
			places[i] = UINT32_MAX;
		l->places = places;
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
		rc = replica_space_add(l->r, id, &space);
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
	rc = cache_feed(r, at, row->idx, &row->replica, &feed);
	if (rc == OK)
		rc = store_feed_head(r->store, row->idx, &feed->head, l->msg);
	if (rc != OK)
		return rc;
	feed->dep_seq = row->dep_seq;
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
	} else if (rc == OK) {
		rc = errmsg_set(msg, ERR_CORRUPT, "the setting org is damaged");
	} else if (rc == ERR_NOT_FOUND) {
		memset(r->org, 0, ORG_ID_BYTES);
		r->has_org = false;
		rc = OK;
	}
	buf_release(&org);
	return rc;
}

enum err replica_reload(struct replica *r, struct errmsg *msg)
{
	struct loading l = { .r = r, .msg = msg };
	struct space_state *directory;
	struct space_id directory_id;
	uint64_t version;
	enum err rc;

	drop_caches(r);
	r->reloads++;
	r->stale = true;
	/* First: what somebody commits while the rest is read makes it another one. */
	rc = store_data_version(r->store, &version, msg);
	if (rc == OK)
		rc = store_load_replicas(r->store, msg);
	if (rc == OK)
		rc = load_org(r, msg);
	directory_id = replica_directory(r);
	if (rc == OK)
		rc = replica_space_add(r, &directory_id, &directory);
	if (rc == OK)
		rc = store_each_space(r->store, load_space, &l, msg);
	if (rc == OK)
		rc = store_each_feed(r->store, load_feed, &l, msg);
	free(l.places);
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

/* Opening. */

static enum err read_id(struct replica *r, struct errmsg *msg)
{
	struct buf id = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, "replica", &id, msg);

	if (rc == OK && id.size == ID_BYTES)
		memcpy(r->id.bytes, id.data, ID_BYTES);
	else if (rc == OK)
		rc = errmsg_set(msg, ERR_CORRUPT, "the setting replica is damaged");
	buf_release(&id);
	return rc;
}

/* Two processes may create the replica at once: look again under the lock. */
static enum err draw_id(struct replica *r, struct errmsg *msg)
{
	enum err rc = store_begin(r->store, msg);

	if (rc != OK)
		return rc;
	rc = read_id(r, msg);
	if (rc == ERR_NOT_FOUND) {
		struct bytes id = bytes_of(r->id.bytes, ID_BYTES);

		r->id = replica_id_new(&r->dice);
		rc = store_setting_put(r->store, "replica", &id, msg);
	}
	if (rc == OK)
		rc = store_commit(r->store, msg);
	if (rc != OK)
		store_rollback(r->store);
	return rc;
}

static enum err load_id(struct replica *r, bool create, struct errmsg *msg)
{
	enum err rc = read_id(r, msg);

	if (rc == ERR_NOT_FOUND && create)
		return draw_id(r, msg);
	if (rc == ERR_NOT_FOUND)
		return errmsg_set(msg, ERR_CORRUPT, "the setting replica is missing");
	return rc;
}

/* The tables are of an older schema: fill them from the log, once. On failure the
 * transaction stays open: closing ends it. */
static enum err upgrade(struct replica *r, struct errmsg *msg)
{
	struct verify_report report = { 0 };
	enum err rc = store_begin(r->store, msg);

	if (rc == OK)
		rc = store_clear_state(r->store, msg);
	if (rc == OK)
		rc = replica_replay(r, r->store, &report, NULL, NULL, msg);
	if (rc == OK)
		rc = store_schema_done(r->store, msg);
	return rc == OK ? store_commit(r->store, msg) : rc;
}

static enum err open_into(struct replica *r, const struct replica_config *config,
			  struct errmsg *msg)
{
	enum err rc = store_open(&r->store, config->path, config->vfs, config->create,
				 config->read_only, msg);

	if (rc == OK)
		rc = load_id(r, config->create && !config->read_only, msg);
	if (rc == OK)
		rc = replica_reload(r, msg);
	if (rc == OK && store_needs_replay(r->store)) {
		rc = upgrade(r, msg);
		r->directory.stale = true;
		if (rc == OK)
			rc = directory_load(r, msg);
	}
	return rc;
}

enum err replica_open(struct replica **out, const struct replica_config *config, struct errmsg *msg)
{
	struct replica *r;
	enum err rc;

	if (config->now_ms < WALL_MS_MIN)
		return errmsg_set(msg, ERR_CLOCK, "the system clock says a time before 2020");
	r = calloc(1, sizeof(*r));
	if (!r)
		return ERR_NOMEM;
	r->dice = config->dice;
	r->directory.stale = true;
	if (config->sign_secret && !config->read_only) {
		memcpy(r->sign_secret, config->sign_secret, SIGN_SECRET_BYTES);
		r->may_edit = true;
	}
	rc = open_into(r, config, msg);
	if (rc != OK) {
		replica_close(r);
		return rc;
	}
	*out = r;
	return OK;
}

void replica_close(struct replica *r)
{
	if (!r)
		return;
	store_close(r->store);
	drop_caches(r);
	directory_release(&r->directory);
	free(r->spaces);
	free(r->space_ids);
	free(r->space_order);
	free(r->feeds);
	arena_release(&r->arena);
	buf_release(&r->scratch);
	sodium_memzero(r->sign_secret, sizeof(r->sign_secret));
	free(r);
}

/* Transactions. */

enum err replica_begin(struct replica *r, struct errmsg *msg)
{
	bool changed;
	enum err rc;

	if (!r->may_edit)
		return errmsg_set(msg, ERR_KEY, "this replica was opened without its signing key");
	rc = store_begin(r->store, msg);
	/* Only under the write lock are the heads certain. */
	if (rc == OK)
		rc = replica_refresh(r, &changed, msg);
	if (rc != OK)
		replica_rollback(r);
	return rc;
}

enum err replica_commit(struct replica *r, struct errmsg *msg)
{
	enum err rc = store_commit(r->store, msg);

	if (rc != OK)
		replica_rollback(r);
	else if (directory_load(r, NULL) != OK)
		r->stale = true; /* it is stored all the same: say so, and read it later */
	return rc;
}

void replica_rollback(struct replica *r)
{
	store_rollback(r->store);
	/* Nobody may hear of what was not kept. If reading fails too, the caches
	 * stay short of the store, and stale. */
	if (replica_reload(r, NULL) != OK)
		r->stale = true;
}

/* Settings. */

enum err replica_setting(struct replica *r, const char *key, struct buf *out, struct errmsg *msg)
{
	return store_setting_get(r->store, key, out, msg);
}

enum err replica_setting_put(struct replica *r, const char *key, const char *value,
			     struct errmsg *msg)
{
	struct bytes bytes = value ? bytes_of_str(value) : bytes_of(NULL, 0);

	return store_setting_put(r->store, key, value ? &bytes : NULL, msg);
}

enum err replica_join(struct replica *r, const uint8_t org[ORG_ID_BYTES], struct errmsg *msg)
{
	struct bytes bytes = bytes_of(org, ORG_ID_BYTES);
	enum err rc;

	if (r->has_org && memcmp(r->org, org, ORG_ID_BYTES) != 0)
		return errmsg_set(msg, ERR_EXISTS, "this replica is part of an organisation");
	rc = store_setting_put(r->store, "org", &bytes, msg);
	return rc == OK ? replica_reload(r, msg) : rc;
}

/* Reading. */

enum err replica_record(struct replica *r, uint16_t number, const struct record_id *id,
			struct arena *arena, struct record *out, struct space_id *space_out,
			struct errmsg *msg)
{
	const struct kind *kind = schema_kind(number);
	uint32_t idx;
	enum err rc;

	if (!kind)
		return errmsg_set(msg, ERR_INVALID, "no kind %u", number);
	rc = store_record_space(r->store, kind, id, &idx, msg);
	if (rc == OK)
		rc = store_record_load(r->store, idx, kind, id, arena, out, msg);
	for (uint32_t i = 0; rc == OK && space_out && i < r->space_count; i++)
		if (r->spaces[i].idx == idx)
			*space_out = r->spaces[i].id;
	return rc;
}

enum err replica_elements(struct replica *r, uint16_t number, const struct record_id *id,
			  uint8_t field_number, struct arena *arena, struct element **out,
			  size_t *count, struct errmsg *msg)
{
	const struct kind *kind = schema_kind(number);
	const struct field *field = kind ? kind_field(kind, field_number) : NULL;
	uint32_t space;
	enum err rc;

	if (!field || merge_is_register(field->merge))
		return errmsg_set(msg, ERR_INVALID, "field %u is neither a set nor a log",
				  field_number);
	rc = store_record_space(r->store, kind, id, &space, msg);
	if (rc != OK)
		return rc;
	return store_elements(r->store, space, kind, id, field, arena, out, count, msg);
}

enum err rows_open(struct rows **out, struct replica *r, const char *sql, const struct value *args,
		   size_t arg_count, struct errmsg *msg)
{
	return store_rows_open(out, r->store, sql, args, arg_count, msg);
}

/* Care. */

enum err replica_backup(struct replica *r, const char *path,
			void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
			struct errmsg *msg)
{
	return store_backup(r->store, path, progress, ctx, msg);
}

enum err replica_quick_check(struct replica *r, struct errmsg *msg)
{
	return store_quick_check(r->store, msg);
}

enum disk_state replica_disk(const struct replica *r)
{
	return store_disk(r->store);
}

enum err replica_stats(struct replica *r, struct replica_stats *out, struct errmsg *msg)
{
	struct replica_stats stats = { .feeds = r->feed_count };
	enum err rc = store_stats(r->store, &stats, msg);

	if (rc != OK)
		return rc;
	/* The log is as long as its feeds: counting rows would read all of it. */
	for (uint32_t i = 0; i < r->feed_count; i++)
		stats.changesets += r->feeds[i].head.seq;
	for (uint32_t i = 0; i < r->space_count; i++)
		stats.spaces += r->spaces[i].feed_count > 0;
	*out = stats;
	return OK;
}

enum err replica_state_hash(struct replica *r, uint8_t out[STATE_HASH_BYTES], struct errmsg *msg)
{
	enum err rc = store_begin_read(r->store, msg);

	if (rc != OK)
		return rc;
	rc = store_state_hash(r->store, out, msg);
	store_rollback(r->store);
	return rc;
}
