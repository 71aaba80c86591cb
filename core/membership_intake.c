/* Statements on their way in: looked at one by one, folded with those that are held, and what
 * follows from them applied to the log and the state. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/membership_impl.h"

/* ---- Judging ----------------------------------------------------------------- */

void intake_release(struct intake *in)
{
	statement_set_release(&in->held);
	statement_set_release(&in->fresh);
}

enum err intake_read_held(struct intake *in)
{
	enum err rc = OK;

	if (!in->has_held)
		rc = statement_set_load(&in->held, in->r->store, in->msg);
	in->has_held = rc == OK;
	return rc;
}

static bool has_forks(const struct statement_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->list[i]->type == STATEMENT_FORK)
			return true;
	return false;
}

static bool is_same_feed(const struct statement *a, const struct statement *b)
{
	return a->type == STATEMENT_FORK && b->type == STATEMENT_FORK &&
	       replica_id_cmp(&a->u.fork.replica, &b->u.fork.replica) == 0 &&
	       space_id_cmp(&a->u.fork.space, &b->u.fork.space) == 0;
}

/* M-2: which of two proofs that a feed has forked is kept. */
static int proof_cmp(uint64_t seq_a, const struct statement_id *a, uint64_t seq_b,
		     const struct statement_id *b)
{
	return seq_a != seq_b ? (seq_a > seq_b) - (seq_a < seq_b) : statement_id_cmp(a, b);
}

static bool is_worse_proof(const struct statement *a, const struct statement *b)
{
	return is_same_feed(a, b) && proof_cmp(a->u.fork.seq, &a->id, b->u.fork.seq, &b->id) > 0;
}

/* A better one of the feed is here, or on its way in. */
static bool is_known_fork(const struct intake *in, const struct statement *s)
{
	const struct fork_mark *held = fork_of(in->r, &s->u.fork.space, &s->u.fork.replica);

	if (held && proof_cmp(s->u.fork.seq, &s->id, held->seq, &held->id) > 0)
		return true;
	for (size_t i = 0; i < in->fresh.count; i++)
		if (is_worse_proof(s, in->fresh.list[i]))
			return true;
	return false;
}

/* Drop what the newest one on its way in is better than. */
enum err intake_drop_worse_forks(struct intake *in, const struct statement *s)
{
	const struct fork_mark *held = fork_of(in->r, &s->u.fork.space, &s->u.fork.replica);
	enum err rc = OK;

	for (size_t i = in->fresh.count; i-- > 0;)
		if (is_worse_proof(in->fresh.list[i], s))
			statement_set_remove(&in->fresh, i);
	if (!held)
		return OK;
	rc = intake_read_held(in);
	for (size_t i = in->held.count; rc == OK && i-- > 0;)
		if (is_worse_proof(in->held.list[i], s)) {
			rc = store_statement_delete(in->r->store, in->held.idx[i], in->msg);
			statement_set_remove(&in->held, i);
		}
	return rc;
}

enum err intake_fold_all(struct intake *in)
{
	const struct statement **all;
	size_t held, count;
	struct trust *trust = NULL;
	uint8_t *verdicts;
	enum err rc = intake_read_held(in);

	if (rc != OK)
		return rc;
	held = in->held.count;
	count = held + in->fresh.count;
	all = malloc((count + !count) * sizeof(*all));
	verdicts = calloc(count + !count, 1);
	for (size_t i = 0; all && i < count; i++)
		all[i] = i < held ? in->held.list[i] : in->fresh.list[i - held];
	rc = all && verdicts ? trust_fold(&trust, all, count, verdicts, in->msg) : ERR_NOMEM;
	if (rc == OK) {
		statement_set_judge(&in->held, verdicts);
		statement_set_judge(&in->fresh, verdicts + held);
		trust_free(in->r->trust);
		in->r->trust = trust;
	}
	free(all);
	free(verdicts);
	return rc;
}

enum err intake_fold(struct intake *in)
{
	enum verdict verdict;
	uint8_t byte;
	enum err rc = ERR_INVALID;

	/* Until it is stored, what is in memory is ahead of the store: whoever gives up
	 * reads it again. */
	in->serial = in->r->trust_serial;
	in->r->trust_serial = SERIAL_NONE;
	if (in->fresh.count == 1 && in->r->trust)
		rc = trust_extend(in->r->trust, in->fresh.list[0], &verdict, NULL);
	if (rc == ERR_INVALID)
		return intake_fold_all(in);
	if (rc != OK)
		return rc;
	byte = (uint8_t)verdict;
	statement_set_judge(&in->fresh, &byte);
	return OK;
}

enum err intake_store(struct intake *in)
{
	struct store *store = in->r->store;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < in->held.count; i++)
		if (in->held.is_changed[i])
			rc = store_statement_judge(store, in->held.idx[i], in->held.verdicts[i],
						   in->msg);
	for (size_t i = 0; rc == OK && i < in->fresh.count; i++)
		rc = store_statement_add(store, &in->fresh.list[i]->id, in->fresh.encoded[i],
					 in->fresh.verdicts[i], in->msg);
	return rc == OK ? membership_store(in->r, in->serial + 1, in->msg) : rc;
}

/* Everything that follows from the fold, in the open transaction. */
enum err intake_settle(struct replica *r, bool has_fresh_forks, struct statements_receipt *receipt,
		       struct errmsg *msg)
{
	enum err rc = OK;

	r->directory.stale = true;
	if (has_fresh_forks)
		rc = fork_load(r, msg);
	if (rc == OK)
		rc = quarantine_apply(r, receipt, msg);
	return rc == OK ? directory_load(r, msg) : rc;
}

/* ---- Taking ------------------------------------------------------------------ */

static enum err refuse(struct intake *in, enum err rc, const struct statement *s, const char *why)
{
	char text[2 * STATEMENT_ID_BYTES + 1];

	hex_encode(text, bytes_of(s->id.bytes, STATEMENT_ID_BYTES));
	return errmsg_set(in->msg, rc, "statement %.8s (%s): %s", text,
			  statement_type_name(s->type), why);
}

static enum err is_held(struct intake *in, const struct statement_id *id, bool *out)
{
	*out = statement_set_has(&in->fresh, id);
	return *out ? OK : store_statement_has(in->r->store, id, out, in->msg);
}

static bool is_fork(const struct intake *in, const struct statement_id *id)
{
	for (size_t i = 0; i < in->r->fork_count; i++)
		if (statement_id_cmp(&in->r->forks[i].id, id) == 0)
			return true;
	for (size_t i = 0; i < in->fresh.count; i++)
		if (in->fresh.list[i]->type == STATEMENT_FORK &&
		    statement_id_cmp(&in->fresh.list[i]->id, id) == 0)
			return true;
	return false;
}

/* It is in `aside`, and is taken together with what needs it. */
static bool is_aside(struct intake *in, size_t place)
{
	if (place == ASIDE_NONE)
		return false;
	in->aside->is_marked[place] = true;
	in->needs_others = true;
	return true;
}

/* M-1, M-2 */
static enum err check_parents(struct intake *in, const struct statement *s)
{
	bool held = true;
	enum err rc = OK;

	if (s->type == STATEMENT_GENESIS && memcmp(s->id.bytes, in->r->org, ORG_ID_BYTES) != 0)
		return refuse(in, ERR_ORG, s, "the beginning of another organisation");
	for (size_t i = 0; rc == OK && held && i < s->parent_count; i++) {
		if (is_fork(in, &s->parents[i]))
			return refuse(in, ERR_INVALID, s, "it builds on a fork");
		rc = is_held(in, &s->parents[i], &held);
		if (rc == OK && !held && in->aside)
			held = is_aside(in, aside_find(in->aside, &s->parents[i]));
	}
	return rc == OK && !held ? refuse(in, ERR_CAUSAL, s, "what it builds on is missing") : rc;
}

static bool is_known_now(const struct intake *in, const struct sign_key *key)
{
	const struct trust *t = in->r->trust;
	bool is_known = statement_set_names(&in->fresh, key) || (t && trust_is_root(t, key));

	for (size_t i = 0; t && i < t->epoch_count && !is_known; i++)
		is_known =
			memcmp(t->epochs[i].identity.sign_key, key->bytes, SIGN_PUBLIC_BYTES) == 0;
	return is_known;
}

enum err intake_knows(struct intake *in, const struct sign_key *key, bool *out)
{
	enum err rc = OK;

	*out = is_known_now(in, key);
	if (!*out)
		rc = intake_read_held(in);
	*out |= rc == OK && in->has_held && statement_set_names(&in->held, key);
	return rc;
}

/* M-2: who was never named can't fill our disk. */
static enum err check_signers(struct intake *in, const struct statement *s)
{
	enum err rc = OK;

	if (s->type == STATEMENT_GENESIS)
		return OK;
	for (size_t i = 0; rc == OK && i < s->signer_count; i++) {
		bool known = statement_names(s, &s->signers[i]);

		if (!known)
			rc = intake_knows(in, &s->signers[i], &known);
		if (rc == OK && !known && in->aside)
			known = is_aside(in, aside_naming(in->aside, &s->signers[i]));
		if (rc == OK && !known)
			rc = refuse(in, ERR_AUTHORITY, s, "nobody knows who signed it");
	}
	return rc;
}

/* M-2: the epoch that forked is one of ours. */
static enum err check_fork(struct intake *in, const struct statement *s)
{
	const struct trust *t = in->r->trust;

	if (s->type != STATEMENT_FORK || (t && trust_epoch(t, &s->u.fork.replica)))
		return OK;
	for (size_t i = 0; i < in->fresh.count; i++)
		if (statement_names_replica(in->fresh.list[i], &s->u.fork.replica))
			return OK;
	if (in->aside && aside_names(in->aside, &s->u.fork.replica)) {
		in->needs_others = true;
		return OK;
	}
	return refuse(in, ERR_AUTHORITY, s, "nobody knows what forked");
}

/* One of those held is damaged; this may be it. */
static enum err put_back(struct intake *in, const struct statement *s, struct bytes encoded)
{
	bool was_other = false;
	enum err rc;

	if (!replica_lacks_statement(in->r) || statement_verify(s, encoded, NULL) != OK)
		return OK;
	rc = store_statement_put_back(in->r->store, &s->id, encoded, &was_other, in->msg);
	in->mended += was_other;
	return rc;
}

enum err intake_check(struct intake *in, struct bytes encoded, struct statement **out,
		      bool *is_news)
{
	struct statement *s;
	bool held;
	enum err rc = statement_set_add(&in->fresh, encoded, &s, in->msg);

	if (rc != OK)
		return rc;
	in->fresh.count--; /* until it has been looked at */
	in->needs_others = false;
	*out = s;
	rc = is_held(in, &s->id, &held);
	*is_news = rc == OK && !held && !(s->type == STATEMENT_FORK && is_known_fork(in, s));
	if (rc == OK && held)
		return put_back(in, s, encoded);
	if (rc != OK || !*is_news)
		return rc;
	rc = check_parents(in, s);
	if (rc == OK)
		rc = check_signers(in, s);
	if (rc == OK)
		rc = check_fork(in, s);
	return rc == OK ? statement_verify(s, encoded, in->msg) : rc;
}

enum err intake_keep(struct intake *in)
{
	struct statement *s = in->fresh.list[in->fresh.count++];

	return s->type == STATEMENT_FORK ? intake_drop_worse_forks(in, s) : OK;
}

enum err intake_begin(struct intake *in)
{
	bool changed;
	enum err rc;

	if (!in->r->has_org)
		return errmsg_set(in->msg, ERR_ORG, "this replica belongs to no organisation yet");
	rc = store_begin(in->r->store, in->msg);
	return rc == OK ? replica_refresh(in->r, &changed, in->msg) : rc;
}

size_t intake_total(const struct intake *in)
{
	return (in->r->trust ? in->r->trust->statement_count : 0) + in->fresh.count;
}

enum err intake_end(struct intake *in, enum err rc, uint64_t now_ms,
		    struct statements_receipt *receipt)
{
	struct replica *r = in->r;

	if (rc == OK && in->fresh.count)
		rc = intake_fold(in);
	if (rc == OK && in->fresh.count)
		rc = intake_store(in);
	if (rc == OK && in->fresh.count)
		rc = intake_settle(r, has_forks(&in->fresh), receipt, in->msg);
	receipt->added = in->fresh.count;
	if (rc == OK && in->mended)
		rc = store_check_table(r->store, "statement", in->msg);
	if (rc == OK)
		rc = store_commit(r->store, in->msg);
	intake_release(in);
	if (in->mended && (rc == OK || rc == ERR_CORRUPT))
		damage_settle(r, DAMAGE_STATEMENT, rc == OK);
	if (rc != OK) {
		replica_rollback(r);
		return rc;
	}
	/* They are stored, come what may: what can't be mended now is when it is opened. */
	if (receipt->added && reauthor_after_change(r, now_ms, NULL) != OK)
		r->stale = true;
	return OK;
}

static enum err take_all(struct intake *in, const struct bytes *list, size_t count)
{
	struct statement *s;
	bool is_news;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < count; i++) {
		rc = intake_check(in, list[i], &s, &is_news);
		if (rc == OK && is_news)
			rc = intake_keep(in);
	}
	if (rc == OK && intake_total(in) > STATEMENTS_MAX)
		rc = errmsg_set(in->msg, ERR_LIMIT, "more than %d statements of membership",
				STATEMENTS_MAX);
	return rc;
}

enum err replica_take_statements(struct replica *r, const struct bytes *list, size_t count,
				 uint64_t now_ms, struct statements_receipt *out,
				 struct errmsg *msg)
{
	struct intake in = { .r = r, .msg = msg };
	struct statements_receipt receipt = { 0 };
	enum err rc = intake_begin(&in);

	if (rc == OK)
		rc = take_all(&in, list, count);
	rc = intake_end(&in, rc, now_ms, &receipt);
	if (rc == OK)
		*out = receipt;
	return rc;
}
