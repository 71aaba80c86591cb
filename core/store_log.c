/* The log: spaces, replicas, feeds and their changesets. */
#include "core/store_impl.h"

#include "core/limits.h"

int64_t changeset_key(uint32_t feed, uint64_t seq)
{
	return (int64_t)((uint64_t)feed << 40 | seq);
}

/* A walk over one of the tables. Numbers are given in order and never taken back: from 0 or 1
 * on, each row has the next one. */
struct walk {
	struct store *store;
	int64_t next;
	union {
		enum err (*space)(void *ctx, uint32_t idx, const struct space_id *id);
		enum err (*feed)(void *ctx, const struct feed_row *row);
	} each;
	void *ctx;
	struct errmsg *msg;
};

static enum err read_replica(void *ctx, sqlite3_stmt *row)
{
	struct walk *w = ctx;
	struct bytes id = column_bytes(row, 1);
	struct replica_id replica;

	if (!row_is_whole(row) || id.size != ID_BYTES || sqlite3_column_int64(row, 0) != w->next++)
		return store_damaged(w->store, "replica_index", w->msg);
	memcpy(replica.bytes, id.data, ID_BYTES);
	return intern_add(&w->store->replicas, &replica);
}

/* Those that have come since. */
static enum err learn_replicas(struct store *s, struct errmsg *msg)
{
	struct walk w = { .store = s, .next = s->replicas.count, .msg = msg };
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_REPLICAS, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, w.next);
	return store_each_row(s, stmt, "read replicas", read_replica, &w, msg);
}

enum err store_load_replicas(struct store *s, struct errmsg *msg)
{
	intern_release(&s->replicas);
	return learn_replicas(s, msg);
}

const struct replica_id *store_replica(struct store *s, int64_t number)
{
	if (number >= s->replicas.count && learn_replicas(s, NULL) != OK)
		return NULL;
	return 0 <= number && number < s->replicas.count ? &s->replicas.ids[number] : NULL;
}

enum err store_intern(struct store *s, const struct replica_id *id, uint32_t *out,
		      struct errmsg *msg)
{
	uint32_t number = intern_find(&s->replicas, id);
	enum err rc;
	sqlite3_stmt *stmt;

	if (number == UINT32_MAX) {
		stmt = store_query(s, QUERY_REPLICA_ADD, &rc, msg);
		if (rc != OK)
			return rc;
		number = s->replicas.count;
		sqlite3_bind_int64(stmt, 1, number);
		bind_id(stmt, 2, id->bytes);
		rc = store_run(s, stmt, "add a replica", msg);
		if (rc == OK)
			rc = intern_add(&s->replicas, id);
		if (rc != OK)
			return rc;
	}
	*out = number;
	return OK;
}

enum err store_space_add(struct store *s, const struct space_id *id, uint32_t *out,
			 struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_SPACE_ADD, &rc, msg);

	if (rc != OK)
		return rc;
	bind_id(stmt, 1, id->bytes);
	rc = store_run(s, stmt, "add a space", msg);
	if (rc == OK)
		*out = (uint32_t)sqlite3_last_insert_rowid(s->db);
	return rc;
}

enum err store_feed_add(struct store *s, uint32_t space, uint32_t replica, uint32_t *out,
			struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_FEED_ADD, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, space);
	sqlite3_bind_int64(stmt, 2, replica);
	rc = store_run(s, stmt, "add a feed", msg);
	if (rc == OK)
		*out = (uint32_t)sqlite3_last_insert_rowid(s->db);
	return rc;
}

enum err store_feed_set_dep(struct store *s, uint32_t feed, uint64_t dep_seq, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_FEED_SET_DEP, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)dep_seq);
	return store_run(s, stmt, "note a dependency", msg);
}

enum err store_feed_set_named(struct store *s, uint32_t feed, uint64_t named_seq,
			      struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_FEED_SET_NAMED, &rc, msg);

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, feed);
	sqlite3_bind_int64(stmt, 2, (int64_t)named_seq);
	return store_run(s, stmt, "note what is named", msg);
}

static enum err visit_space(void *ctx, sqlite3_stmt *row)
{
	struct walk *w = ctx;
	struct bytes id = column_bytes(row, 1);
	struct space_id space;

	if (!row_is_whole(row) || id.size != ID_BYTES || sqlite3_column_int64(row, 0) != w->next++)
		return store_damaged(w->store, "space_index", w->msg);
	memcpy(space.bytes, id.data, ID_BYTES);
	return w->each.space(w->ctx, (uint32_t)sqlite3_column_int64(row, 0), &space);
}

enum err store_each_space(struct store *s,
			  enum err (*each)(void *ctx, uint32_t idx, const struct space_id *id),
			  void *ctx, struct errmsg *msg)
{
	struct walk w = { s, 1, { .space = each }, ctx, msg };

	return store_each(s, QUERY_SPACES, "read spaces", visit_space, &w, msg);
}

static enum err visit_feed(void *ctx, sqlite3_stmt *row)
{
	struct walk *w = ctx;
	int64_t replica = sqlite3_column_int64(row, 2);
	struct feed_row feed = { .idx = (uint32_t)sqlite3_column_int64(row, 0),
				 .space = (uint32_t)sqlite3_column_int64(row, 1),
				 .dep_seq = (uint64_t)sqlite3_column_int64(row, 3),
				 .named_seq = (uint64_t)sqlite3_column_int64(row, 4) };

	if (!row_is_whole(row) || sqlite3_column_int64(row, 0) != w->next++ || replica < 0 ||
	    replica >= w->store->replicas.count || feed.dep_seq > SEQ_MAX ||
	    feed.named_seq > SEQ_MAX)
		return store_damaged(w->store, "feed", w->msg);
	feed.replica = w->store->replicas.ids[replica];
	return w->each.feed(w->ctx, &feed);
}

enum err store_each_feed(struct store *s, enum err (*each)(void *ctx, const struct feed_row *row),
			 void *ctx, struct errmsg *msg)
{
	struct walk w = { s, 1, { .feed = each }, ctx, msg };

	return store_each(s, QUERY_FEEDS, "read feeds", visit_feed, &w, msg);
}

static enum err damaged(struct store *s, sqlite3_stmt *stmt, enum err rc, struct errmsg *msg)
{
	return errmsg_set(msg, rc, "%s: changeset %lld is damaged", s->path,
			  (long long)sqlite3_column_int64(stmt, 0));
}

static enum err read_body(struct store *s, struct bytes row, struct arena *arena, struct bytes *out)
{
	enum err rc;

	if (!pack_is_frame(row)) {
		*out = arena_copy(arena, row);
		return out->data ? OK : ERR_NOMEM;
	}
	rc = pack_restore(&s->pack, row, CHANGESET_BYTES_MAX, arena, out);
	return rc == OK || rc == ERR_NOMEM ? rc : ERR_CORRUPT;
}

/* A row of changeset: the body in the arena, the rest borrowed until the next step. */
static enum err read_row(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
			 struct stored *out, struct errmsg *msg)
{
	struct bytes signature = column_bytes(stmt, 2), link = column_bytes(stmt, 3);
	enum err rc = read_body(s, column_bytes(stmt, 1), arena, &out->body);

	out->seq = (uint64_t)sqlite3_column_int64(stmt, 0) & SEQ_MAX;
	out->signature = signature.data;
	out->link = link.data;
	if (rc == OK && (signature.size != SIGNATURE_BYTES || link.size != LINK_BYTES))
		rc = ERR_CORRUPT;
	return rc == OK ? OK : damaged(s, stmt, rc, msg);
}

static enum err read_head(struct store *s, sqlite3_stmt *stmt, struct feed_head *out,
			  struct errmsg *msg)
{
	struct stored row;
	struct feed_head head;
	enum err rc;

	arena_reset(&s->head);
	rc = read_row(s, stmt, &s->head, &row, msg);
	if (rc != OK)
		return rc;
	if (changeset_peek_hlc(row.body, &head.hlc) != OK)
		return damaged(s, stmt, ERR_CORRUPT, msg);
	head.seq = row.seq;
	memcpy(head.signature, row.signature, SIGNATURE_BYTES);
	memcpy(head.link, row.link, LINK_BYTES);
	*out = head;
	return OK;
}

enum err store_feed_head(struct store *s, uint32_t feed, struct feed_head *out, struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_FEED_HEAD, &rc, msg);
	int result;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, changeset_key(feed, 0));
	sqlite3_bind_int64(stmt, 2, changeset_key(feed, SEQ_MAX));
	result = sqlite3_step(stmt);
	if (result == SQLITE_ROW)
		rc = read_head(s, stmt, out, msg);
	else if (result == SQLITE_DONE)
		*out = (struct feed_head){ 0 };
	else
		rc = store_error(s, result, "read a feed", msg);
	sqlite3_reset(stmt);
	return rc;
}

static enum err write_row(struct store *s, enum query which, uint32_t feed, uint64_t seq,
			  struct bytes body, const uint8_t signature[SIGNATURE_BYTES],
			  const uint8_t link[LINK_BYTES], struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, which, &rc, msg);
	struct bytes packed;

	if (rc == OK)
		rc = pack_shrink(&s->pack, body, &packed);
	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, changeset_key(feed, seq));
	bind_bytes(stmt, 2, packed);
	bind_bytes(stmt, 3, bytes_of(signature, SIGNATURE_BYTES));
	bind_bytes(stmt, 4, bytes_of(link, LINK_BYTES));
	return store_run(s, stmt, "append a changeset", msg);
}

enum err store_append(struct store *s, uint32_t feed, uint64_t seq, struct bytes body,
		      const uint8_t signature[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES],
		      struct errmsg *msg)
{
	return write_row(s, QUERY_APPEND, feed, seq, body, signature, link, msg);
}

enum err store_put_back(struct store *s, uint32_t feed, const struct stored *row,
			struct errmsg *msg)
{
	return write_row(s, QUERY_PUT_BACK, feed, row->seq, row->body, row->signature, row->link,
			 msg);
}

enum err store_copy_row(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
			struct stored *out, struct errmsg *msg)
{
	struct stored row;
	enum err rc = read_row(s, stmt, arena, &row, msg);

	if (rc != OK)
		return rc;
	row.signature = arena_copy(arena, bytes_of(row.signature, SIGNATURE_BYTES)).data;
	row.link = arena_copy(arena, bytes_of(row.link, LINK_BYTES)).data;
	if (!row.signature || !row.link)
		return ERR_NOMEM;
	*out = row;
	return OK;
}

/* A damaged inner page of the table can lead back to rows before: who reads on from there
 * would go in circles. */
static enum err read_next(struct store *s, sqlite3_stmt *stmt, int64_t *least, struct arena *arena,
			  struct stored *out, struct errmsg *msg)
{
	int64_t key = sqlite3_column_int64(stmt, 0);

	if (key < *least)
		return damaged(s, stmt, ERR_CORRUPT, msg);
	*least = key + 1;
	return store_copy_row(s, stmt, arena, out, msg);
}

enum err store_read(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
		    size_t bytes_max, struct arena *arena, struct stored *out, size_t *count,
		    struct errmsg *msg)
{
	enum err rc;
	sqlite3_stmt *stmt = store_query(s, QUERY_READ, &rc, msg);
	int64_t least = changeset_key(feed, seq);
	size_t got = 0, bytes = 0;
	int result = SQLITE_DONE;

	if (rc != OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, least);
	sqlite3_bind_int64(stmt, 2, changeset_key(feed, SEQ_MAX));
	while (rc == OK && got < count_max && bytes < bytes_max &&
	       (result = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = read_next(s, stmt, &least, arena, &out[got], msg);
		if (rc == OK)
			bytes += out[got++].body.size + SIGNATURE_BYTES;
	}
	if (rc == OK && result != SQLITE_ROW && result != SQLITE_DONE)
		rc = store_error(s, result, "read the log", msg);
	sqlite3_reset(stmt);
	if (rc == OK)
		*count = got;
	return rc;
}
