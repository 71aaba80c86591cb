/* Verification: every link, every signature, and the log replayed into a fresh
 * state that must equal the stored one. History is the same walk, backwards. */
#include <stdlib.h>

#include "core/replica_impl.h"

enum { BATCH_COUNT = 512, BATCH_BYTES = 1 << 20, PROGRESS_EVERY = 1024 };

/* A walk over a space's log in causal order. */
struct walk {
	struct replica *r;
	const struct space_state *space;
	struct vv done;
	struct arena arena;
	struct sealed *list;
	size_t at, count;
	struct errmsg *msg;
};

static void walk_init(struct walk *w, struct replica *r, const struct space_state *space,
		      struct errmsg *msg)
{
	*w = (struct walk){ .r = r, .space = space, .msg = msg };
}

static void walk_release(struct walk *w)
{
	vv_release(&w->done);
	arena_release(&w->arena);
}

/* The next changeset, or NULL at the end or on an error. */
static const struct sealed *walk_next(struct walk *w, enum err *rc)
{
	const struct sealed *s;
	bool more;

	*rc = OK;
	if (w->at == w->count) {
		arena_reset(&w->arena);
		w->at = w->count = 0;
		*rc = missing_read(w->r, &w->space->id, &w->done, false, BATCH_BYTES, BATCH_COUNT,
				   &w->arena, &w->list, &w->count, &more, w->msg);
	}
	if (*rc != OK || w->count == 0)
		return NULL;
	s = &w->list[w->at++];
	*rc = vv_raise(&w->done, &s->replica, s->seq);
	return *rc == OK ? s : NULL;
}

struct replay {
	struct replica *r;
	struct store *into;
	struct verify_report *report;
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	uint64_t total;
	struct arena arena;
	struct errmsg *msg;
};

static enum err complain(struct replay *p, enum err rc, const struct sealed *s, const char *why)
{
	char text[ID_TEXT_SIZE];

	return errmsg_set(p->msg, rc, "feed %s, seq %llu: %s", id_text(s->replica.bytes, text),
			  (unsigned long long)s->seq, why);
}

static enum err replay_one(struct replay *p, const struct space_state *space, uint32_t into_space,
			   const struct sealed *s)
{
	const struct feed *feed = replica_feed(p->r, space, &s->replica);
	struct changeset cs;
	struct stamp stamp = { { 0 }, { s->replica, s->seq } };
	enum err rc;

	arena_reset(&p->arena);
	rc = changeset_decode(&cs, s->body, &s->replica, &p->arena, p->msg);
	if (rc == OK)
		rc = changeset_validate(&cs, space == &p->r->spaces[0], VALIDITY_HELD, p->msg);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc != OK)
		return errmsg_prefix(p->msg, ERR_CORRUPT, "seq %llu: ", (unsigned long long)s->seq);
	stamp.hlc = cs.hlc;
	p->report->changesets++;
	p->report->ops += cs.op_count;
	if (p->progress && p->report->changesets % PROGRESS_EVERY == 0)
		p->progress(p->ctx, p->report->changesets, p->total);
	if (s->seq > feed->counts_to)
		return OK;
	return apply_again(p->into, into_space, &stamp, &cs, &p->arena, p->msg);
}

static enum err replay_space(struct replay *p, const struct space_state *space)
{
	uint32_t into_space = space->idx;
	const struct sealed *s;
	struct walk walk;
	enum err rc = OK, walked;

	if (p->into != p->r->store)
		rc = store_space_add(p->into, &space->id, &into_space, p->msg);
	walk_init(&walk, p->r, space, p->msg);
	walked = OK;
	while (rc == OK && (s = walk_next(&walk, &walked)))
		rc = replay_one(p, space, into_space, s);
	walk_release(&walk);
	return rc == OK ? walked : rc;
}

static uint64_t count_changesets(const struct replica *r)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < r->feed_count; i++)
		total += r->feeds[i].head.seq;
	return total;
}

enum err replica_replay(struct replica *r, struct store *into, struct verify_report *report,
			void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
			struct errmsg *msg)
{
	struct replay p = { r, into, report, progress, ctx, count_changesets(r), ARENA_EMPTY, msg };
	enum err rc = OK;

	for (uint32_t i = 0; rc == OK && i < r->space_count; i++)
		if (r->spaces[i].idx)
			rc = replay_space(&p, &r->spaces[i]);
	arena_release(&p.arena);
	return rc;
}

enum err replica_replay_space(struct replica *r, const struct space_state *space,
			      struct errmsg *msg)
{
	struct verify_report ignored = { 0 };
	struct replay p = { .r = r, .into = r->store, .report = &ignored, .msg = msg };
	enum err rc = space->idx ? store_clear_space(r->store, space->idx, msg) : OK;

	if (rc == OK && space->idx)
		rc = replay_space(&p, space);
	arena_release(&p.arena);
	return rc;
}

/* One feed's chain from its beginning. */
static enum err verify_row(struct replay *p, const struct feed *feed, const uint8_t *key,
			   struct feed_head *head, const struct stored *row)
{
	const struct space_id *space = &p->r->spaces[feed->space].id;
	struct sealed s = { feed->replica, row->seq, row->body, row->signature };
	uint8_t link[LINK_BYTES];

	if (row->seq != head->seq + 1)
		return complain(p, ERR_CHAIN, &s, "a changeset is missing before it");
	changeset_link(link, space, &feed->replica, head, row->body);
	if (memcmp(link, row->link, LINK_BYTES) != 0)
		return complain(p, ERR_CHAIN, &s, "its bytes do not match its link");
	if (!changeset_is_signed_by(row->signature, link, key))
		return complain(p, ERR_SIGNATURE, &s, "its signature does not verify");
	head->seq = row->seq;
	memcpy(head->link, link, LINK_BYTES);
	memcpy(head->signature, row->signature, SIGNATURE_BYTES);
	p->report->signatures++;
	return OK;
}

static enum err verify_feed(struct replay *p, const struct feed *feed)
{
	const struct trust_epoch *epoch =
		p->r->trust ? trust_epoch(p->r->trust, &feed->replica) : NULL;
	struct sealed first = { feed->replica, 1, { 0 }, NULL };
	struct feed_head head = { 0 };
	enum err rc = OK;

	if (feed->head.seq == 0)
		return OK; /* its first changeset was held back */
	if (!epoch)
		return complain(p, ERR_REPLICA, &first, "no statement names this replica");
	while (rc == OK && head.seq < feed->head.seq) {
		struct stored rows[BATCH_COUNT];
		size_t count;

		arena_reset(&p->arena);
		rc = store_read(p->r->store, feed->idx, head.seq + 1, BATCH_COUNT, BATCH_BYTES,
				&p->arena, rows, &count, p->msg);
		if (rc == OK && count == 0)
			rc = complain(p, ERR_CHAIN, &first, "the feed ends too early");
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = verify_row(p, feed, epoch->identity.sign_key, &head, &rows[i]);
	}
	return rc;
}

static enum err verify_chains(struct replica *r, struct verify_report *report, struct errmsg *msg)
{
	struct replay p = { .r = r, .report = report, .msg = msg };
	enum err rc = OK;

	report->feeds = r->feed_count;
	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++)
		rc = verify_feed(&p, &r->feeds[i]);
	arena_release(&p.arena);
	return rc;
}

static enum err replay_into_memory(struct replica *r, struct verify_report *report,
				   void (*progress)(void *ctx, uint64_t done, uint64_t total),
				   void *ctx, struct errmsg *msg)
{
	struct store *fresh = NULL;
	enum err rc = store_open(&fresh, ":memory:", NULL, true, false, msg);

	if (rc == OK)
		rc = store_begin(fresh, msg);
	if (rc == OK)
		rc = replica_replay(r, fresh, report, progress, ctx, msg);
	if (rc == OK)
		rc = store_commit(fresh, msg);
	if (rc == OK)
		rc = store_state_hash(fresh, report->replayed_hash, msg);
	store_close(fresh);
	return rc;
}

static enum err verify(struct replica *r, struct verify_report *out,
		       void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
		       struct errmsg *msg)
{
	struct verify_report report = { 0 };
	bool changed;
	enum err rc = replica_refresh(r, &changed, msg);

	if (rc == OK)
		rc = store_integrity_check(r->store, msg);
	if (rc == OK)
		rc = membership_verify(r, msg);
	if (rc == OK)
		rc = verify_chains(r, &report, msg);
	if (rc == OK)
		rc = replay_into_memory(r, &report, progress, ctx, msg);
	if (rc == OK)
		rc = store_state_hash(r->store, report.stored_hash, msg);
	if (rc == OK && memcmp(report.stored_hash, report.replayed_hash, STATE_HASH_BYTES) != 0)
		rc = errmsg_set(msg, ERR_CORRUPT,
				"the stored state differs from what the log says");
	if (rc == OK)
		*out = report;
	return rc;
}

enum err replica_verify(struct replica *r, struct verify_report *out,
			void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
			struct errmsg *msg)
{
	enum err rc = store_begin_read(r->store, msg);

	/* A transaction that was open before is not ours to end. */
	if (rc != OK)
		return rc;
	/* Others may write meanwhile: log and state must be of one moment. */
	rc = verify(r, out, progress, ctx, msg);
	store_rollback(r->store);
	return rc;
}
