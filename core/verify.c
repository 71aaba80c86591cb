/* Verification: every link, every signature but those that a later one vouches for, what was moved
 * out of the log, and the log replayed into a fresh state that must equal the stored one. */
#include "core/branch.h"

enum { BATCH_COUNT = 512, BATCH_BYTES = 1 << 20 };

/* A walk over all chains. */
struct verifier {
	struct replica *r;
	struct verify_report *report;
	uint64_t
		unsigned_seq; /* of the feed at hand, the first that nothing vouches for; 0: none */
	struct arena arena;
	struct errmsg *msg;
};

static enum err complain(struct verifier *v, enum err rc, const struct sealed *s, const char *why)
{
	char text[ID_TEXT_SIZE];

	return errmsg_set(v->msg, rc, "feed %s, seq %llu: %s", id_text(s->replica.bytes, text),
			  (unsigned long long)s->seq, why);
}

/* One feed's chain from its beginning. */
static enum err verify_row(struct verifier *v, const struct feed *feed, const uint8_t *key,
			   struct feed_head *head, const struct stored *row)
{
	const struct space_id *space = &v->r->spaces[feed->space].id;
	struct sealed s = { feed->replica, row->seq, row->body, row->signature };
	uint8_t link[LINK_BYTES];

	if (row->seq != head->seq + 1)
		return complain(v, ERR_CHAIN, &s, "a changeset is missing before it");
	changeset_link(link, space, &feed->replica, head, row->body);
	if (memcmp(link, row->link, LINK_BYTES) != 0)
		return complain(v, ERR_CHAIN, &s, "its bytes do not match its link");
	if (changeset_is_signed_by(row->signature, link, key)) {
		v->unsigned_seq = 0; /* it vouches for those before it (I-6) */
		v->report->signatures++;
	} else if (v->unsigned_seq == 0) {
		v->unsigned_seq = row->seq;
	}
	head->seq = row->seq;
	memcpy(head->link, link, LINK_BYTES);
	memcpy(head->signature, row->signature, SIGNATURE_BYTES);
	return OK;
}

static enum err verify_feed(struct verifier *v, const struct feed *feed)
{
	const struct trust_epoch *epoch =
		v->r->trust ? trust_epoch(v->r->trust, &feed->replica) : NULL;
	struct sealed first = { feed->replica, 1, { 0 }, NULL };
	struct feed_head head = { 0 };
	enum err rc = OK;

	if (feed->head.seq == 0)
		return OK; /* its first changeset was held back */
	if (!epoch)
		return complain(v, ERR_REPLICA, &first, "no statement names this replica");
	v->unsigned_seq = 0;
	while (rc == OK && head.seq < feed->head.seq) {
		struct stored rows[BATCH_COUNT];
		size_t count;

		arena_reset(&v->arena);
		rc = store_read(v->r->store, feed->idx, head.seq + 1, BATCH_COUNT, BATCH_BYTES,
				&v->arena, rows, &count, v->msg);
		if (rc == OK && count == 0)
			rc = complain(v, ERR_CHAIN, &first, "the feed ends too early");
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = verify_row(v, feed, epoch->identity.sign_key, &head, &rows[i]);
	}
	if (rc == OK && v->unsigned_seq &&
	    !fork_vouches(v->r, feed, head.seq, head.signature, head.link)) {
		first.seq = v->unsigned_seq;
		rc = complain(v, ERR_SIGNATURE, &first, "its signature does not verify");
	}
	return rc;
}

static enum err verify_branches(struct verifier *v, const struct feed *feed)
{
	struct sealed at = { .replica = feed->replica };
	bool is_sound = true;
	enum err rc = store_branch_next(v->r->store, feed->idx, 0, &at.seq, v->msg);

	while (rc == OK && at.seq) {
		rc = branch_check(v->r, feed, at.seq, &is_sound, v->msg);
		if (rc == OK && !is_sound)
			rc = complain(v, ERR_CORRUPT, &at,
				      "it was moved out of the log and is damaged");
		if (rc == OK)
			rc = store_branch_next(v->r->store, feed->idx, at.seq, &at.seq, v->msg);
	}
	return rc;
}

static enum err verify_chains(struct replica *r, struct verify_report *report, struct errmsg *msg)
{
	struct verifier v = { .r = r, .report = report, .msg = msg };
	enum err rc = OK;

	report->feeds = r->feed_count;
	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++)
		rc = verify_feed(&v, &r->feeds[i]);
	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++)
		rc = verify_branches(&v, &r->feeds[i]);
	arena_release(&v.arena);
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
