/* Forks: two contents of one dot. What a replica tells of its feeds so that peers notice,
 * and what it makes of a peer's witness (M-16, M-19). */
#include <sodium.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/replica_impl.h"
#include "core/wire.h"

_Static_assert(TAG_BYTES <= LINK_BYTES, "a tag is the beginning of a link");

/* ---- Proofs that are held ------------------------------------------------------ */

struct fork_reading {
	struct arena arena;
	struct fork_mark *list;
	size_t count, cap;
	struct errmsg *msg;
};

static bool is_fork(struct bytes encoded)
{
	struct wire_reader whole = wire_reader_of(encoded), content;

	wire_array(&whole, 2);
	content = wire_reader_of(wire_bin(&whole, STATEMENT_BYTES_MAX));
	wire_array(&content, UINT32_MAX);
	wire_uint(&content, UINT32_MAX); /* the version */
	return wire_uint(&content, UINT32_MAX) == STATEMENT_FORK && wire_is_ok(&content);
}

static enum err note_fork(void *ctx, int64_t idx, struct bytes encoded, enum verdict verdict)
{
	struct fork_reading *reading = ctx;
	struct fork_mark *mark;
	struct statement s;
	enum err rc;

	if (!is_fork(encoded))
		return OK;
	arena_reset(&reading->arena);
	rc = statement_decode(&s, encoded, &reading->arena, reading->msg);
	if (rc != OK)
		return rc == ERR_NOMEM ? rc : ERR_CORRUPT;
	if (array_reserve(&reading->list, &reading->cap, reading->count + 1,
			  sizeof(*reading->list)))
		return ERR_NOMEM;
	mark = &reading->list[reading->count++];
	*mark = (struct fork_mark){ .replica = s.u.fork.replica,
				    .space = s.u.fork.space,
				    .seq = s.u.fork.seq,
				    .id = s.id,
				    .idx = idx };
	for (size_t i = 0; i < 2; i++) {
		const struct witness *w = &s.u.fork.witnesses[i];

		memcpy(mark->before[i].link, w->link_before, LINK_BYTES);
		memcpy(mark->before[i].signature, w->signature_before, SIGNATURE_BYTES);
	}
	return OK;
}

/* A hostile member can make as many proofs as there is room for statements. */
static int compare_marks(const void *a, const void *b)
{
	const struct fork_mark *x = a, *y = b;
	int order = replica_id_cmp(&x->replica, &y->replica);

	return order ? order : space_id_cmp(&x->space, &y->space);
}

enum err fork_load(struct replica *r, struct errmsg *msg)
{
	struct fork_reading reading = { .msg = msg };
	enum err rc = store_each_statement(r->store, note_fork, &reading, msg);

	arena_release(&reading.arena);
	if (rc != OK) {
		free(reading.list);
		return rc;
	}
	if (reading.count)
		qsort(reading.list, reading.count, sizeof(*reading.list), compare_marks);
	free(r->forks);
	r->forks = reading.list;
	r->fork_count = reading.count;
	return OK;
}

const struct fork_mark *fork_of(const struct replica *r, const struct space_id *space,
				const struct replica_id *replica)
{
	struct fork_mark wanted = { .replica = *replica, .space = *space };

	if (r->fork_count == 0)
		return NULL;
	return bsearch(&wanted, r->forks, r->fork_count, sizeof(wanted), compare_marks);
}

uint64_t fork_limit_of(const struct replica *r, const struct space_id *space,
		       const struct replica_id *replica)
{
	const struct fork_mark *fork = fork_of(r, space, replica);
	uint64_t counts_to;

	if (!fork)
		return UINT64_MAX;
	/* An ADOPT says which branch it goes on with (M-15). */
	counts_to = membership_counts_to(r, space, replica);
	return counts_to >= fork->seq ? counts_to : fork->seq - 1;
}

bool fork_vouches(const struct replica *r, const struct feed *feed, uint64_t seq,
		  const uint8_t signature[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES])
{
	const struct fork_mark *fork = fork_of(r, &r->spaces[feed->space].id, &feed->replica);

	for (size_t i = 0; fork && fork->seq == seq + 1 && i < 2; i++)
		if (memcmp(fork->before[i].link, link, LINK_BYTES) == 0 &&
		    memcmp(fork->before[i].signature, signature, SIGNATURE_BYTES) == 0)
			return true;
	return false;
}

bool fork_is_waited_for(const struct replica *r, const struct space_id *space,
			const struct dot *dot)
{
	const struct fork_mark *fork = fork_of(r, space, &dot->replica);

	return dot->seq <= membership_counts_to(r, space, &dot->replica) &&
	       !(fork && fork->seq <= dot->seq);
}

bool fork_may_be_unproved(const struct replica *r, const struct space_id *space,
			  const struct dot *dot)
{
	struct trust_cut cut = trust_cut(r->trust, &dot->replica, space);

	return cut.has_link && dot->seq <= cut.seq;
}

/* ---- Telling ------------------------------------------------------------------- */

static const struct feed *feed_of(const struct replica *r, const struct space_id *space_id,
				  const struct replica_id *replica)
{
	const struct space_state *space = replica_space(r, space_id);

	return space ? replica_feed(r, space, replica) : NULL;
}

enum err replica_tips(const struct replica *r, const struct space_id *space_id, struct arena *arena,
		      struct tip **out, size_t *count)
{
	const struct space_state *space = replica_space(r, space_id);
	struct tip *tips = arena_array(arena, space ? space->feed_count : 0, sizeof(*tips));
	size_t got = 0;

	if (!tips)
		return ERR_NOMEM;
	for (uint32_t i = 0; space && i < space->feed_count; i++) {
		const struct feed *feed = &r->feeds[space->feeds[i]];

		if (feed->head.seq == 0)
			continue;
		tips[got] = (struct tip){ .replica = feed->replica, .seq = feed->head.seq };
		memcpy(tips[got++].tag, feed->head.link, TAG_BYTES);
	}
	*out = tips;
	*count = got;
	return OK;
}

void replica_digest(const struct replica *r, const struct space_id *space_id,
		    uint8_t out[VV_DIGEST_BYTES])
{
	const struct space_state *space = replica_space(r, space_id);
	uint8_t hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	bool is_empty = true;

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (uint32_t i = 0; space && i < space->feed_count; i++) {
		const struct feed *feed = &r->feeds[space->feeds[i]];

		if (feed->head.seq == 0)
			continue;
		is_empty = false;
		/* The link covers replica and seq. */
		crypto_generichash_update(&state, feed->head.link, LINK_BYTES);
	}
	crypto_generichash_final(&state, hash, sizeof(hash));
	if (is_empty)
		memset(hash, 0, sizeof(hash));
	memcpy(out, hash, VV_DIGEST_BYTES);
}

/* The row of a changeset held; ERR_NOT_FOUND leaves msg alone. */
static enum err read_row(struct replica *r, const struct feed *feed, uint64_t seq,
			 struct arena *arena, struct stored *out, struct errmsg *msg)
{
	size_t count = 0;
	enum err rc;

	if (!feed || seq == 0 || seq > feed->head.seq)
		return ERR_NOT_FOUND;
	rc = store_read(r->store, feed->idx, seq, 1, SIZE_MAX, arena, out, &count, msg);
	if (rc == OK && (count != 1 || out->seq != seq))
		rc = errmsg_set(msg, ERR_CORRUPT, "the log has a gap at seq %llu",
				(unsigned long long)seq);
	return rc;
}

enum err replica_tag(struct replica *r, const struct space_id *space, const struct dot *dot,
		     uint8_t out[TAG_BYTES], struct errmsg *msg)
{
	const struct feed *feed = feed_of(r, space, &dot->replica);
	struct stored row;
	enum err rc;

	if (dot->seq == 0) {
		memset(out, 0, TAG_BYTES);
		return OK;
	}
	if (feed && feed->head.seq == dot->seq) {
		memcpy(out, feed->head.link, TAG_BYTES);
		return OK;
	}
	arena_reset(&r->arena);
	rc = read_row(r, feed, dot->seq, &r->arena, &row, msg);
	if (rc == OK)
		memcpy(out, row.link, TAG_BYTES);
	return rc;
}

enum err replica_tell(struct replica *r, const struct space_id *space, const struct dot *dot,
		      struct arena *arena, struct told *out, struct errmsg *msg)
{
	const struct feed *feed = feed_of(r, space, &dot->replica);
	struct stored row, before;
	struct told told = { .body = { 0 } };
	enum err rc = store_settle(r->store, msg); /* as replica_missing() */

	if (rc == OK && (!feed || dot->seq == 0 || dot->seq > feed->head.seq))
		return ERR_NOT_FOUND;
	if (rc == OK)
		rc = damage_read_signed(r, feed, dot->seq, arena, &row, msg);
	if (rc == OK && dot->seq > 1) {
		rc = read_row(r, feed, dot->seq - 1, arena, &before, msg);
		if (rc != OK)
			return rc;
		memcpy(told.link_before, before.link, LINK_BYTES);
		memcpy(told.signature_before, before.signature, SIGNATURE_BYTES);
	}
	if (rc != OK)
		return rc;
	told.body = row.body;
	memcpy(told.signature, row.signature, SIGNATURE_BYTES);
	*out = told;
	return OK;
}

void told_witness(struct witness *out, const struct told *told)
{
	memcpy(out->link_before, told->link_before, LINK_BYTES);
	memcpy(out->signature_before, told->signature_before, SIGNATURE_BYTES);
	changeset_body_hash(out->body_hash, told->body);
	memcpy(out->signature, told->signature, SIGNATURE_BYTES);
}

/* Both witnesses in the order of their links; ERR_SIGNATURE: no proof. */
static enum err fill_proof(struct replica *r, struct statement *s, const struct witness *ours,
			   const struct witness *theirs, struct errmsg *msg)
{
	const struct replica_id *replica = &s->u.fork.replica;
	uint8_t a[LINK_BYTES], b[LINK_BYTES];
	int order;

	witness_link(a, ours, &s->u.fork.space, replica, s->u.fork.seq);
	witness_link(b, theirs, &s->u.fork.space, replica, s->u.fork.seq);
	order = memcmp(a, b, LINK_BYTES);
	if (order == 0)
		return errmsg_set(msg, ERR_SIGNATURE, "the two are the same");
	if (!witness_is_valid(theirs, &s->u.fork.space, replica, s->u.fork.seq, s->u.fork.sign_key))
		return errmsg_set(msg, ERR_SIGNATURE, "what is said to be a fork is a forgery");
	s->u.fork.witnesses[order > 0] = *ours;
	s->u.fork.witnesses[order < 0] = *theirs;
	return OK;
}

enum err fork_prove(struct replica *r, const struct space_id *space, const struct dot *dot,
		    const struct witness *theirs, uint64_t now_ms, struct errmsg *msg)
{
	const struct trust_epoch *epoch = trust_epoch(r->trust, &dot->replica);
	const struct fork_mark *known = fork_of(r, space, &dot->replica);
	struct statement s = { .type = STATEMENT_FORK };
	struct witness ours;
	struct told told;
	enum err rc;

	if (!epoch)
		return errmsg_set(msg, ERR_REPLICA, "no statement names the replica that forked");
	if (known && known->seq <= dot->seq)
		return errmsg_set(msg, ERR_EXISTS, "that the feed has forked is known");
	arena_reset(&r->arena);
	rc = replica_tell(r, space, dot, &r->arena, &told, msg);
	if (rc == ERR_NOT_FOUND)
		return errmsg_set(msg, rc, "what is said to have forked is not here");
	if (rc != OK)
		return rc;
	told_witness(&ours, &told);
	s.u.fork.space = *space;
	s.u.fork.replica = dot->replica;
	s.u.fork.seq = dot->seq;
	memcpy(s.u.fork.sign_key, epoch->identity.sign_key, SIGN_PUBLIC_BYTES);
	memcpy(s.u.fork.nonce, epoch->identity.nonce, ID_BYTES);
	rc = fill_proof(r, &s, &ours, theirs, msg);
	return rc == OK ? membership_state(r, &s, NULL, 0, msg) : rc;
}

enum err replica_prove_fork(struct replica *r, const struct space_id *space, const struct dot *dot,
			    const struct witness *theirs, uint64_t now_ms, struct errmsg *msg)
{
	enum err rc = replica_begin(r, msg);

	if (rc != OK)
		return rc;
	rc = fork_prove(r, space, dot, theirs, now_ms, msg);
	if (rc == OK)
		rc = replica_commit(r, msg);
	else
		replica_rollback(r);
	return rc == OK ? reauthor_after_change(r, now_ms, msg) : rc;
}
