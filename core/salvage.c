/* Salvage: a sound database of what still verifies in a damaged one. Nothing is believed: each
 * statement and changeset goes through the same door as if a peer had sent it. */
#include <stdlib.h>

#include "core/array.h"
#include "core/salvage_impl.h"

enum { BATCH_MAX = 256 };

/* What stops the work, and not just the damaged thing at hand. */
static bool is_fatal(enum err rc)
{
	return rc == ERR_NOMEM || rc == ERR_IO || rc == ERR_FULL || rc == ERR_READONLY;
}

/* What reading the damaged one has come to. */
static bool ends_reading(const struct salvager *s, enum err rc)
{
	return rc == ERR_NOMEM || (is_fatal(rc) && !s->is_takeover);
}

/* ---- Settings and counters --------------------------------------------------- */

/* They are made anew, or come with the rest. */
static bool is_left_out(const char *key)
{
	static const char *const names[] = { "replica",      "nonce",          "trust",
					     "trust_serial", "schema_version", "org" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(key, names[i]) == 0)
			return true;
	return false;
}

static enum err copy_settings(struct salvager *s)
{
	struct rows *rows;
	enum err rc = store_rows_open(
		&rows, s->from, "SELECT key, value FROM setting WHERE row_sum(key, value) = sum",
		NULL, 0, NULL);

	if (rc != OK) {
		s->report.settings_lost++;
		return is_fatal(rc) ? rc : OK;
	}
	while (rc == OK && rows_next(rows)) {
		struct bytes value = rows_bytes(rows, 1);

		if (!is_left_out(rows_text(rows, 0)))
			rc = store_setting_put(s->to->store, rows_text(rows, 0), &value, s->msg);
	}
	s->report.settings_lost +=
		rows_close(rows, NULL) != OK || store_check_table(s->from, "setting", NULL) != OK;
	return rc;
}

static enum err copy_counters(struct salvager *s)
{
	struct rows *rows;
	uint64_t ignored;
	enum err rc =
		store_rows_open(&rows, s->from, "SELECT name, next FROM counter", NULL, 0, NULL);

	if (rc != OK) {
		s->report.settings_lost++;
		return is_fatal(rc) ? rc : OK;
	}
	while (rc == OK && rows_next(rows)) {
		rc = store_counter_next(s->to->store, rows_text(rows, 0), &ignored, s->msg);
		if (rc == OK)
			rc = store_counter_set(s->to->store, rows_text(rows, 0),
					       (uint64_t)rows_int(rows, 1), s->msg);
	}
	s->report.settings_lost += rows_close(rows, NULL) != OK;
	return rc;
}

static enum err read_exact(struct store *from, const char *key, uint8_t *out, size_t size)
{
	struct buf value = BUF_EMPTY;
	enum err rc = store_setting_get(from, key, &value, NULL);

	if (rc == OK && value.size != size)
		rc = ERR_CORRUPT;
	if (rc == OK)
		memcpy(out, value.data, size);
	buf_release(&value);
	return rc;
}

/* ---- Statements -------------------------------------------------------------- */

struct texts {
	struct arena arena;
	struct bytes list[STATEMENTS_MAX];
	size_t count;
};

/* Their number tells what was lost; damaged ones are refused when they are taken. */
static enum err read_statements(struct salvager *s, struct texts *t)
{
	struct rows *rows;
	enum err rc = store_rows_open(&rows, s->from, "SELECT bytes FROM statement ORDER BY idx",
				      NULL, 0, s->msg);

	if (rc != OK)
		return rc;
	while (t->count < STATEMENTS_MAX && rows_next(rows))
		t->list[t->count++] = arena_copy(&t->arena, rows_bytes(rows, 0));
	s->statement_count = t->count;
	s->report.statements_lost += rows_close(rows, NULL) != OK;
	return t->count ? OK
			: errmsg_set(s->msg, ERR_CORRUPT, "no statement of membership can be read");
}

/* The organisation is its first statement: as the settings say, or as its own signature
 * vouches. */
static enum err join(struct salvager *s, const struct texts *t)
{
	struct arena arena = ARENA_EMPTY;
	struct statement genesis = { 0 };
	uint8_t org[ORG_ID_BYTES];
	bool is_known = read_exact(s->from, "org", org, sizeof(org)) == OK;
	enum err rc = statement_decode(&genesis, t->list[0], &arena, s->msg);

	if (rc == OK && !(is_known && memcmp(org, genesis.id.bytes, ORG_ID_BYTES) == 0) &&
	    (genesis.type != STATEMENT_GENESIS ||
	     statement_verify(&genesis, t->list[0], NULL) != OK))
		rc = errmsg_set(s->msg, ERR_CORRUPT, "which organisation it was can't be read");
	memcpy(org, genesis.id.bytes, ORG_ID_BYTES);
	arena_release(&arena);
	return rc == OK ? replica_join(s->to, org, s->msg) : rc;
}

static enum err take_statements(struct salvager *s, const struct texts *t)
{
	struct statements_receipt receipt;
	enum err rc = replica_take_statements(s->to, t->list, t->count, s->now_ms, &receipt, NULL);

	if (rc == OK || is_fatal(rc))
		return rc;
	for (size_t i = 0; i < t->count; i++) {
		rc = replica_take_statements(s->to, &t->list[i], 1, s->now_ms, &receipt, s->msg);
		if (is_fatal(rc))
			return rc;
		s->report.statements_lost += rc != OK;
	}
	return OK;
}

enum err salvager_take_statements(struct salvager *s)
{
	struct texts *t = calloc(1, sizeof(*t));
	enum err rc = t ? read_statements(s, t) : ERR_NOMEM;

	if (rc == OK && !s->is_takeover)
		rc = join(s, t);
	if (rc == OK)
		rc = take_statements(s, t);
	if (t)
		arena_release(&t->arena);
	free(t);
	return rc;
}

/* ---- Feeds ------------------------------------------------------------------- */

/* The next changeset, if it continues the part that verified. */
static enum err advance(struct salvager *s, struct salvage_source *f)
{
	uint8_t link[LINK_BYTES];
	size_t count = 0;
	enum err rc;

	arena_reset(&f->arena);
	f->has_next = false;
	rc = store_read(s->from, f->idx, f->head.seq + 1, 1, SIZE_MAX, &f->arena, &f->next, &count,
			NULL);
	if (ends_reading(s, rc))
		return errmsg_set(s->msg, rc, "read the damaged log");
	if (rc != OK || count == 0 || f->next.seq != f->head.seq + 1)
		return OK;
	changeset_link(link, &f->space, &f->replica, &f->head, f->next.body);
	f->has_next = memcmp(link, f->next.link, LINK_BYTES) == 0 &&
		      changeset_peek_hlc(f->next.body, &f->hlc) == OK;
	return OK;
}

static struct feed_head head_of(const struct stored *row)
{
	struct feed_head head = { .seq = row->seq };

	memcpy(head.link, row->link, LINK_BYTES);
	memcpy(head.signature, row->signature, SIGNATURE_BYTES);
	return head;
}

/* The changeset `seq` as a log has it; seq 0: the feed's beginning. */
static bool read_head(struct store *store, uint32_t feed, uint64_t seq, struct arena *arena,
		      struct feed_head *out)
{
	struct stored row;
	size_t count = 0;

	*out = (struct feed_head){ 0 };
	arena_reset(arena);
	if (seq == 0)
		return true;
	if (store_read(store, feed, seq, 1, SIZE_MAX, arena, &row, &count, NULL) != OK ||
	    count != 1 || row.seq != seq)
		return false;
	*out = head_of(&row);
	return true;
}

/* Both logs have the same changeset there. */
static bool is_common(struct salvager *s, struct salvage_source *f, const struct feed *feed,
		      uint64_t seq)
{
	struct feed_head here, there;

	return read_head(s->from, f->idx, seq, &f->arena, &there) &&
	       read_head(s->to->store, feed->idx, seq, &f->arena, &here) &&
	       memcmp(here.link, there.link, LINK_BYTES) == 0;
}

/* What is there already need not be read. If it is another branch, ours is kept from where
 * they part. */
static void skip_held(struct salvager *s, struct salvage_source *f)
{
	const struct space_state *space = replica_space(s->to, &f->space);
	const struct feed *feed = space ? replica_feed(s->to, space, &f->replica) : NULL;
	uint64_t low = 0, high;

	if (!feed)
		return;
	high = feed->head.seq < f->rows ? feed->head.seq : f->rows;
	f->is_branch = !is_common(s, f, feed, high);
	for (low = f->is_branch ? 0 : high; low < high;) {
		uint64_t mid = low + (high - low + 1) / 2;

		if (is_common(s, f, feed, mid))
			low = mid;
		else
			high = mid - 1;
	}
	read_head(s->from, f->idx, low, &f->arena, &f->head);
	f->copied = low;
}

static enum err add_source(struct salvager *s, struct rows *rows)
{
	struct record_id space, replica;
	struct salvage_source *f;

	if (array_resize(&s->sources, s->source_count + 1, sizeof(*s->sources)))
		return ERR_NOMEM;
	f = &s->sources[s->source_count++];
	*f = (struct salvage_source){ .idx = (uint32_t)rows_int(rows, 0),
				      .rows = (uint64_t)rows_int(rows, 3) };
	space = rows_id(rows, 1);
	replica = rows_id(rows, 2);
	memcpy(f->space.bytes, space.bytes, ID_BYTES);
	memcpy(f->replica.bytes, replica.bytes, ID_BYTES);
	s->total += f->rows;
	skip_held(s, f);
	return f->is_branch ? OK : advance(s, f);
}

static enum err open_sources(struct salvager *s)
{
	static const char sql[] =
		"SELECT f.idx, p.id, r.id, (SELECT count(*) FROM changeset WHERE key > f.idx << 40 "
		"AND key < (f.idx + 1) << 40) FROM feed f JOIN space_index p ON p.idx = f.space "
		"JOIN replica_index r ON r.idx = f.replica";
	struct rows *rows;
	enum err rc = store_rows_open(&rows, s->from, sql, NULL, 0, s->msg);
	enum err closed;

	if (rc != OK)
		return rc;
	while (rc == OK && rows_next(rows))
		rc = add_source(s, rows);
	closed = rows_close(rows, rc == OK ? s->msg : NULL);
	if (rc == OK && ends_reading(s, closed))
		rc = closed;
	return rc;
}

static struct salvage_source *least(struct salvager *s)
{
	struct salvage_source *best = NULL;

	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i].has_next && (!best || hlc_cmp(s->sources[i].hlc, best->hlc) < 0))
			best = &s->sources[i];
	return best;
}

static bool is_of_our_node(const struct salvager *s, const struct salvage_source *f)
{
	const struct member *self = replica_self(s->to);
	const struct member *author = replica_member_by_replica(s->to, &f->replica);

	return self && author && record_id_cmp(&self->node, &author->node) == 0;
}

/* What depends on something that is left behind is left behind with the rest of its
 * feed. */
static enum err take(struct salvager *s, struct salvage_source *f)
{
	struct sealed sealed = { f->replica, f->next.seq, f->next.body, f->next.signature };
	struct receipt receipt = { 0 };
	enum err rc = replica_receive(s->to, &f->space, &sealed, 1, s->now_ms, &receipt, s->msg);

	if (is_fatal(rc))
		return rc;
	if (rc != OK || receipt.applied == 0) {
		f->has_next = false;
		return OK;
	}
	f->copied++;
	s->report.changesets++;
	s->report.own += is_of_our_node(s, f);
	if (s->progress && s->report.changesets % BATCH_MAX == 0)
		s->progress(s->ctx, s->report.changesets, s->total);
	memcpy(f->head.link, f->next.link, LINK_BYTES);
	memcpy(f->head.signature, f->next.signature, SIGNATURE_BYTES);
	f->head.seq = f->next.seq;
	return advance(s, f);
}

enum err salvager_take_feeds(struct salvager *s)
{
	struct salvage_source *f;
	enum err rc = open_sources(s);

	while (rc == OK && (f = least(s)))
		rc = take(s, f);
	for (size_t i = 0; i < s->source_count; i++)
		s->report.left_behind += s->sources[i].rows > s->sources[i].copied
						 ? s->sources[i].rows - s->sources[i].copied
						 : 0;
	return rc;
}

/* ---- Ourselves --------------------------------------------------------------- */

/* Under which this node wrote the feed, now or before; NULL: another node did. */
static const struct trust_epoch *our_epoch(const struct salvager *s, const struct salvage_source *f)
{
	const struct trust *t = replica_trust(s->to);
	const struct trust_epoch *now = t ? trust_epoch(t, &s->old_id) : NULL;
	const struct trust_epoch *then = t ? trust_epoch(t, &f->replica) : NULL;

	return now && then && record_id_cmp(&now->node, &then->node) == 0 ? then : NULL;
}

/* If it is whole, and signed by us. */
static enum err keep_row(struct salvager *s, struct salvage_source *f,
			 const struct trust_epoch *epoch, const struct feed_head *before,
			 const struct stored *row)
{
	const struct space_state *space = replica_space(s->to, &f->space);
	struct feed *feed = space ? replica_feed(s->to, space, &f->replica) : NULL;
	uint8_t link[LINK_BYTES];
	enum err rc = OK;

	changeset_link(link, &f->space, &f->replica, before, row->body);
	if (row->seq != before->seq + 1 || memcmp(link, row->link, LINK_BYTES) != 0 ||
	    !changeset_is_signed_by(row->signature, link, epoch->identity.sign_key))
		return OK;
	if (!feed)
		rc = replica_feed_add(s->to, &f->space, &f->replica, &feed, s->msg);
	return rc == OK ? store_branch_put(s->to->store, feed->idx, row, s->msg) : rc;
}

/* All that lies beyond the part that verified. What can't be read is passed over, but not
 * more often than there are rows: a damaged one may claim any seq. */
static enum err keep_rest(struct salvager *s, struct salvage_source *f,
			  const struct trust_epoch *epoch)
{
	struct feed_head before = f->head;
	uint64_t seq = f->head.seq + 1, misses = 0;
	struct stored row;
	size_t count = 1;
	enum err rc = OK;

	while (rc == OK && count && misses <= f->rows) {
		arena_reset(&f->arena);
		if (store_read(s->from, f->idx, seq, 1, SIZE_MAX, &f->arena, &row, &count, NULL) !=
		    OK) {
			misses++;
			seq++;
		} else if (count) {
			rc = keep_row(s, f, epoch, &before, &row);
			before = head_of(&row);
			seq = row.seq + 1;
		}
	}
	return rc;
}

enum err salvager_keep_ours(struct salvager *s)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < s->source_count; i++) {
		const struct trust_epoch *epoch = our_epoch(s, &s->sources[i]);

		if (epoch)
			rc = keep_rest(s, &s->sources[i], epoch);
	}
	return rc;
}

static enum err take_id(struct salvager *s, const struct replica_id *id,
			const uint8_t nonce[ID_BYTES])
{
	struct bytes id_bytes = bytes_of(id->bytes, ID_BYTES);
	struct bytes nonce_bytes = bytes_of(nonce, ID_BYTES);
	enum err rc = store_setting_put(s->to->store, "replica", &id_bytes, s->msg);

	if (rc == OK)
		rc = store_setting_put(s->to->store, "nonce", &nonce_bytes, s->msg);
	return rc == OK ? replica_reload(s->to, s->msg) : rc;
}

/* M-18: nobody can say what is missing at the end, so we go on under another id. Who can't
 * say so, because the statements are lost, is nobody, and enrols anew. */
static enum err be_ourselves(struct salvager *s)
{
	struct replica_id fresh_id = s->to->id;
	uint8_t fresh_nonce[ID_BYTES];
	enum err rc;

	memcpy(fresh_nonce, s->to->nonce, ID_BYTES);
	rc = take_id(s, &s->old_id, s->old_nonce);
	if (rc != OK)
		return rc;
	if (replica_check_member(s->to, NULL) != OK)
		return take_id(s, &fresh_id, fresh_nonce);
	rc = replica_new_epoch(s->to, EPOCH_BEHIND, NULL, NULL, s->now_ms, s->msg);
	s->report.is_member = rc == OK && replica_check_member(s->to, NULL) == OK;
	return s->report.is_member ? salvager_keep_ours(s) : rc;
}

enum err salvager_read_ourselves(struct salvager *s)
{
	struct signer self = membership_signer(s->to);
	struct replica_id id;

	if (read_exact(s->from, "nonce", s->old_nonce, ID_BYTES) != OK ||
	    read_exact(s->from, "replica", s->old_id.bytes, ID_BYTES) != OK)
		return errmsg_set(s->msg, ERR_CORRUPT, "which replica it was can't be read");
	id = epoch_replica(self.key.bytes, s->old_nonce);
	if (replica_id_cmp(&id, &s->old_id) != 0)
		return errmsg_set(s->msg, ERR_CORRUPT,
				  "which replica it was can't be read, or the key is another's");
	return OK;
}

void salvager_release(struct salvager *s)
{
	for (size_t i = 0; i < s->source_count; i++)
		arena_release(&s->sources[i].arena);
	free(s->sources);
	store_close(s->from);
}

static enum err salvage(struct salvager *s)
{
	enum err rc = salvager_read_ourselves(s);

	if (rc == OK)
		rc = copy_settings(s);
	if (rc == OK)
		rc = copy_counters(s);
	if (rc == OK)
		rc = salvager_take_statements(s);
	if (rc == OK)
		rc = salvager_take_feeds(s);
	return rc == OK ? be_ourselves(s) : rc;
}

enum err replica_salvage(const struct replica_config *config, const char *to, struct salvage *out,
			 void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
			 struct errmsg *msg)
{
	struct salvager s = {
		.now_ms = config->now_ms, .progress = progress, .ctx = ctx, .msg = msg
	};
	struct replica_config fresh = { .path = to,
					.vfs = config->vfs,
					.create = true,
					.sign_secret = config->sign_secret,
					.dice = config->dice,
					.now_ms = config->now_ms };
	enum err rc = store_open_damaged(&s.from, config->path, config->vfs, msg);

	if (rc == OK)
		rc = replica_open(&s.to, &fresh, msg);
	if (rc == OK && replica_has_org(s.to))
		rc = errmsg_set(msg, ERR_EXISTS, "%s exists", to);
	if (rc == OK)
		rc = store_hurry(s.to->store, true, msg);
	if (rc == OK)
		rc = salvage(&s);
	if (rc == OK)
		rc = store_hurry(s.to->store, false, msg);
	salvager_release(&s);
	replica_close(s.to);
	if (rc == OK)
		*out = s.report;
	return rc;
}
