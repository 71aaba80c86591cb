#include "core/damage.h"

#include <stdio.h>

#include "core/replica_impl.h"

const struct damage_list *replica_damage(const struct replica *r)
{
	return &r->damage;
}

/* ---- Notes ------------------------------------------------------------------- */

static bool is_same(const struct damage *a, const struct damage *b)
{
	return a->kind == b->kind && space_id_cmp(&a->space, &b->space) == 0 &&
	       dot_cmp(&a->dot, &b->dot) == 0 &&
	       (a->kind == DAMAGE_CHANGESET || strcmp(a->words, b->words) == 0);
}

static struct damage *find(struct replica *r, const struct damage *d)
{
	for (size_t i = 0; i < r->damage.count; i++)
		if (is_same(&r->damage.list[i], d))
			return &r->damage.list[i];
	return NULL;
}

void damage_note(struct replica *r, const struct damage *d)
{
	struct damage_list *l = &r->damage;
	struct damage *known = find(r, d);

	l->has_more |= !known && l->count == DAMAGE_MAX;
	if (!known && l->count < DAMAGE_MAX) {
		known = &l->list[l->count++];
		*known = *d;
		known->serial = ++l->serial;
	}
	if (known)
		known->is_seen = true;
}

void damage_note_changeset(struct replica *r, const struct feed *feed, uint64_t seq)
{
	struct damage d = { .kind = DAMAGE_CHANGESET,
			    .space = r->spaces[feed->space].id,
			    .dot = { feed->replica, seq } };

	damage_note(r, &d);
}

void damage_note_words(struct replica *r, enum damage_kind kind, const char *words)
{
	struct damage d = { .kind = kind };

	snprintf(d.words, sizeof(d.words), "%s", words);
	damage_note(r, &d);
}

bool replica_lacks_statement(const struct replica *r)
{
	for (size_t i = 0; i < r->damage.count; i++)
		if (r->damage.list[i].kind == DAMAGE_STATEMENT && !r->damage.list[i].is_beyond)
			return true;
	return false;
}

void damage_settle(struct replica *r, enum damage_kind kind, bool is_mended)
{
	for (size_t i = r->damage.count; i-- > 0;) {
		if (r->damage.list[i].kind != kind)
			continue;
		if (is_mended)
			damage_mended(r, i);
		else
			r->damage.list[i].is_beyond = true;
	}
}

void damage_forget(struct replica *r, size_t at)
{
	struct damage_list *l = &r->damage;

	memmove(&l->list[at], &l->list[at + 1], (l->count - at - 1) * sizeof(*l->list));
	l->count--;
}

void damage_mended(struct replica *r, size_t at)
{
	r->damage.last = r->damage.list[at];
	r->damage.mended++;
	damage_forget(r, at);
}

/* ---- Reading ----------------------------------------------------------------- */

enum { VOUCH_COUNT = 64, VOUCH_BYTES = 64 * 1024 }; /* read on in pieces of this size */

bool feed_is_signed(const struct replica *r, const struct feed *feed,
		    const uint8_t signature[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES])
{
	const struct trust_epoch *epoch = r->trust ? trust_epoch(r->trust, &feed->replica) : NULL;

	return epoch && changeset_is_signed_by(signature, link, epoch->identity.sign_key);
}

static bool is_signed(const struct replica *r, const struct feed *feed, const struct stored *row)
{
	return feed_is_signed(r, feed, row->signature, row->link);
}

/* `before` is NULL for the first of a feed. */
static bool fits(const struct replica *r, const struct feed *feed, const struct stored *before,
		 uint64_t seq, const struct stored *row)
{
	struct feed_head head = { .seq = seq - 1 };
	uint8_t link[LINK_BYTES];

	if (row->seq != seq)
		return false;
	if (before) {
		memcpy(head.link, before->link, LINK_BYTES);
		memcpy(head.signature, before->signature, SIGNATURE_BYTES);
	}
	changeset_link(link, &r->spaces[feed->space].id, &feed->replica, &head, row->body);
	return memcmp(link, row->link, LINK_BYTES) == 0;
}

/* A damaged row spoils what is read with it: read them one by one up to there. */
static enum err read_singly(struct replica *r, const struct feed *feed, uint64_t seq,
			    size_t count_max, size_t bytes_max, struct arena *arena,
			    struct stored *out, size_t *count, struct errmsg *msg)
{
	size_t bytes = 0, one = 1;
	enum err rc = OK;

	for (*count = 0; *count < count_max && bytes < bytes_max;
	     bytes += out[(*count)++].body.size + SIGNATURE_BYTES) {
		rc = store_read(r->store, feed->idx, seq + *count, 1, SIZE_MAX, arena, &out[*count],
				&one, msg);
		if (rc != OK || one == 0)
			break;
	}
	return rc == ERR_CORRUPT ? OK : rc;
}

static enum err read_rows(struct replica *r, const struct feed *feed, uint64_t seq,
			  size_t count_max, size_t bytes_max, struct arena *arena,
			  struct stored *out, size_t *count, struct errmsg *msg)
{
	enum err rc =
		store_read(r->store, feed->idx, seq, count_max, bytes_max, arena, out, count, msg);

	return rc == ERR_CORRUPT
		       ? read_singly(r, feed, seq, count_max, bytes_max, arena, out, count, msg)
		       : rc;
}

/* A row that can be read as such. */
static enum err read_one(struct replica *r, const struct feed *feed, uint64_t seq,
			 struct arena *arena, struct stored *out, bool *is_there,
			 struct errmsg *msg)
{
	size_t count = 0;
	enum err rc = read_rows(r, feed, seq, 1, SIZE_MAX, arena, out, &count, msg);

	*is_there = rc == OK && count == 1 && out->seq == seq;
	return rc;
}

/* Links don't fit: the signature of the first of the two says which of them it is. */
static void blame(struct replica *r, const struct feed *feed, const struct stored *before,
		  uint64_t seq)
{
	damage_note_changeset(r, feed, !before || is_signed(r, feed, before) ? seq : seq - 1);
}

enum err damage_read(struct replica *r, const struct feed *feed, uint64_t seq, size_t count_max,
		     size_t bytes_max, struct arena *arena, struct stored *out, size_t *count,
		     bool *is_cut, struct errmsg *msg)
{
	struct stored first, *before = seq > 1 ? &first : NULL;
	size_t got = 0, sound = 0, bytes = 0;
	bool is_there = true;
	enum err rc = before ? read_one(r, feed, seq - 1, arena, &first, &is_there, msg) : OK;

	if (rc == OK && is_there)
		rc = read_rows(r, feed, seq, count_max, bytes_max, arena, out, &got, msg);
	if (rc != OK)
		return rc;
	for (; sound < got && fits(r, feed, before, seq + sound, &out[sound]); sound++) {
		bytes += out[sound].body.size + SIGNATURE_BYTES;
		before = &out[sound];
	}
	*is_cut = !is_there || sound < got ||
		  (sound < count_max && bytes < bytes_max && seq + sound <= feed->head.seq);
	*count = sound;
	if (!is_there)
		damage_note_changeset(r, feed, seq - 1);
	else if (*is_cut)
		blame(r, feed, before, seq + sound);
	return OK;
}

enum err damage_find_vouched(struct replica *r, const struct feed *feed, uint64_t seq, bool *out,
			     struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct stored rows[VOUCH_COUNT];
	bool is_cut = false, is_vouched = false;
	enum err rc = OK;

	while (rc == OK && !is_vouched && !is_cut && seq <= feed->head.seq) {
		size_t count = 0;

		arena_reset(&arena);
		rc = damage_read(r, feed, seq, VOUCH_COUNT, VOUCH_BYTES, &arena, rows, &count,
				 &is_cut, msg);
		for (size_t i = 0; rc == OK && !is_vouched && i < count; i++)
			is_vouched =
				is_signed(r, feed, &rows[i]) ||
				fork_vouches(r, feed, rows[i].seq, rows[i].signature, rows[i].link);
		seq += count;
	}
	arena_release(&arena);
	if (rc == OK)
		*out = is_vouched;
	return rc;
}

enum err damage_read_signed(struct replica *r, const struct feed *feed, uint64_t seq,
			    struct arena *arena, struct stored *out, struct errmsg *msg)
{
	size_t count = 0;
	bool is_cut, is_vouched = false;
	enum err rc = damage_read(r, feed, seq, 1, SIZE_MAX, arena, out, &count, &is_cut, msg);

	if (rc != OK)
		return rc;
	if (count == 1 && is_signed(r, feed, out))
		return OK;
	if (count == 1)
		rc = damage_find_vouched(r, feed, seq, &is_vouched, msg);
	if (rc != OK)
		return rc;
	if (count == 1 && is_vouched)
		return errmsg_set(msg, ERR_CORRUPT, "changeset %llu of a feed was never signed",
				  (unsigned long long)seq);
	if (count == 1)
		damage_note_changeset(r, feed, seq);
	return errmsg_set(msg, ERR_CORRUPT, "changeset %llu of a feed is damaged here",
			  (unsigned long long)seq);
}

/* ---- Putting back ------------------------------------------------------------ */

/* One changeset that a peer tells, and the place where it belongs. */
struct mending {
	struct replica *r;
	const struct feed *feed;
	uint64_t seq;
	const struct told *told;
	struct stored row; /* as told */
	uint8_t link[LINK_BYTES];
	struct arena arena;
	struct errmsg *msg;
};

static void take_told(struct mending *m)
{
	struct feed_head head = { .seq = m->seq - 1 };

	memcpy(head.link, m->told->link_before, LINK_BYTES);
	memcpy(head.signature, m->told->signature_before, SIGNATURE_BYTES);
	changeset_link(m->link, &m->r->spaces[m->feed->space].id, &m->feed->replica, &head,
		       m->told->body);
	m->row = (struct stored){ m->seq, m->told->body, m->told->signature, m->link };
}

/* It is of our branch: it has the link that is left of ours and signed, or the next one of ours
 * goes on from it, or at the end it goes on from the one before. */
static enum err belongs(struct mending *m, bool *out)
{
	struct stored ours;
	bool is_there;
	enum err rc = read_one(m->r, m->feed, m->seq, &m->arena, &ours, &is_there, m->msg);

	*out = rc == OK && is_there && memcmp(ours.link, m->link, LINK_BYTES) == 0;
	if (rc != OK || *out || (is_there && is_signed(m->r, m->feed, &ours)))
		return rc;
	if (m->seq < m->feed->head.seq) {
		rc = read_one(m->r, m->feed, m->seq + 1, &m->arena, &ours, &is_there, m->msg);
		*out = rc == OK && is_there && fits(m->r, m->feed, &m->row, m->seq + 1, &ours);
	} else if (m->seq > 1) {
		rc = read_one(m->r, m->feed, m->seq - 1, &m->arena, &ours, &is_there, m->msg);
		*out = rc == OK && is_there && fits(m->r, m->feed, &ours, m->seq, &m->row);
	} else {
		*out = true;
	}
	return rc;
}

/* Its neighbours on the page must not suffer from where its old bytes seemed to end. */
static enum err put_back(struct mending *m)
{
	struct store *store = m->r->store;
	enum err rc = store_put_back(store, m->feed->idx, &m->row, m->msg);

	if (rc == OK)
		rc = store_check_table(store, "changeset", m->msg);
	return rc == OK ? store_commit(store, m->msg) : rc;
}

static enum err mend(struct mending *m, bool *is_mended)
{
	bool is_ours = false;
	enum err rc;

	take_told(m);
	if (!is_signed(m->r, m->feed, &m->row))
		return OK;
	rc = store_begin(m->r->store, m->msg);
	if (rc == OK)
		rc = belongs(m, &is_ours);
	if (rc == OK && is_ours)
		rc = put_back(m);
	store_rollback(m->r->store); /* of what was not committed */
	if (rc != OK || !is_ours)
		return rc;
	*is_mended = true;
	/* The head was read as it was. If it can't be now, it is stale. */
	return m->seq == m->feed->head.seq ? replica_reload(m->r, m->msg) : OK;
}

static struct damage *find_changeset(struct replica *r, const struct space_id *space,
				     const struct dot *dot)
{
	struct damage d = { .kind = DAMAGE_CHANGESET, .space = *space, .dot = *dot };

	return find(r, &d);
}

enum err replica_mend(struct replica *r, const struct space_id *space_id, const struct dot *dot,
		      const struct told *told, bool *is_mended, struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	struct mending m = { .r = r, .seq = dot->seq, .told = told, .msg = msg };
	struct damage *known = find_changeset(r, space_id, dot);
	bool done = false;
	enum err rc = OK;

	m.feed = space ? replica_feed(r, space, &dot->replica) : NULL;
	if (known && m.feed && dot->seq <= m.feed->head.seq)
		rc = mend(&m, &done);
	arena_release(&m.arena);
	known = find_changeset(r, space_id, dot);
	if (done && known)
		damage_mended(r, (size_t)(known - r->damage.list));
	else if (rc == ERR_CORRUPT && known)
		known->is_beyond = true;
	if (rc == OK)
		*is_mended = done;
	return rc;
}
