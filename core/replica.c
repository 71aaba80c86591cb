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

/* Opening. */

/* Two processes may create the replica at once: look again under the lock. */
static enum err ensure_id(struct replica *r, struct errmsg *msg)
{
	struct buf id = BUF_EMPTY;
	enum err rc = store_begin(r->store, msg);

	if (rc != OK)
		return rc;
	rc = store_setting_get(r->store, "replica", &id, msg);
	buf_release(&id);
	if (rc == ERR_NOT_FOUND && !r->may_edit)
		rc = errmsg_set(msg, ERR_KEY, "a new replica needs its signing key");
	else if (rc == ERR_NOT_FOUND)
		rc = replica_draw_id(r, msg);
	if (rc == OK)
		rc = store_commit(r->store, msg);
	if (rc != OK)
		store_rollback(r->store);
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

	if (rc == OK && config->create && !config->read_only)
		rc = ensure_id(r, msg);
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
	r->mark = config->mark;
	r->directory.stale = true;
	if (config->sign_secret && !config->read_only) {
		memcpy(r->sign_secret, config->sign_secret, SIGN_SECRET_BYTES);
		r->may_edit = true;
	}
	rc = open_into(r, config, msg);
	if (rc == OK && r->may_edit)
		rc = epoch_check(r, config, msg);
	/* What can't be mended now, on a full disk, is when it is opened next. */
	if (rc == OK && reauthor_after_change(r, config->now_ms, NULL) != OK)
		r->stale = true;
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
	replica_drop_caches(r);
	directory_release(&r->directory);
	trust_free(r->trust);
	free(r->spaces);
	free(r->space_ids);
	free(r->space_order);
	free(r->feeds);
	free(r->forks);
	arena_release(&r->arena);
	buf_release(&r->scratch);
	sodium_memzero(r->sign_secret, sizeof(r->sign_secret));
	sodium_memzero(r->former_secret, sizeof(r->former_secret));
	free(r);
}

/* Transactions. */

/* A key that was changed in the transaction is the handle's only if it was kept. */
static void settle_secret(struct replica *r, bool is_kept)
{
	if (r->has_former_secret && !is_kept)
		memcpy(r->sign_secret, r->former_secret, SIGN_SECRET_BYTES);
	sodium_memzero(r->former_secret, sizeof(r->former_secret));
	r->has_former_secret = false;
}

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

	if (rc != OK) {
		replica_rollback(r);
		return rc;
	}
	settle_secret(r, true);
	epoch_mark(r);
	if (directory_load(r, NULL) != OK)
		r->stale = true; /* it is stored all the same: say so, and read it later */
	return OK;
}

void replica_rollback(struct replica *r)
{
	store_rollback(r->store);
	settle_secret(r, false);
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

struct space_search {
	uint32_t idx;
	struct space_id *id;
	bool is_found;
};

static enum err compare_space(void *ctx, uint32_t idx, const struct space_id *id)
{
	struct space_search *search = ctx;

	if (idx == search->idx) {
		*search->id = *id;
		search->is_found = true;
	}
	return OK;
}

enum err replica_space_id(struct replica *r, uint32_t idx, struct space_id *out, struct errmsg *msg)
{
	struct space_search search = { idx, out, false };
	enum err rc = OK;

	for (uint32_t i = 0; i < r->space_count && !search.is_found; i++)
		if (r->spaces[i].idx == idx)
			rc = compare_space(&search, idx, &r->spaces[i].id);
	/* Another process may have brought it since the caches were read. */
	if (!search.is_found)
		rc = store_each_space(r->store, compare_space, &search, msg);
	if (rc == OK && !search.is_found)
		rc = errmsg_set(msg, ERR_CORRUPT, "a record is in a space that is not there");
	return rc;
}

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
	return rc == OK && space_out ? replica_space_id(r, idx, space_out, msg) : rc;
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

void rows_put_column(struct buf *sql, const struct field *field)
{
	store_put_column(sql, field);
}

/* Care. */

bool replica_is_blank(const char *path)
{
	return store_is_blank(path);
}

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
