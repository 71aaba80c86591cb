/* Statements of membership in a replica: taken from peers, made here, folded, and what
 * follows from them applied to the log and the state. */
#include <stdlib.h>

#include "core/i18n.h"
#include "core/limits.h"
#include "core/membership_check.h"
#include "core/membership_impl.h"
#include "core/statement_parts.h"

#define SETTING_TRUST        "trust"
#define SETTING_TRUST_SERIAL "trust_serial"

/* Serials count up from 1; 0: nothing is stored. */
#define SERIAL_NONE UINT64_MAX

const struct trust *replica_trust(const struct replica *r)
{
	return r->trust;
}

struct signer membership_signer(const struct replica *r)
{
	struct signer signer = { .secret = r->sign_secret };

	/* The secret key of libsodium ends with the public one. */
	memcpy(signer.key.bytes, r->sign_secret + SIGN_SECRET_BYTES - SIGN_PUBLIC_BYTES,
	       SIGN_PUBLIC_BYTES);
	return signer;
}

struct node_identity replica_identity(const struct replica *r,
				      const uint8_t noise_key[NOISE_KEY_BYTES])
{
	struct node_identity identity = { .replica = r->id };
	struct signer self = membership_signer(r);

	memcpy(identity.sign_key, self.key.bytes, SIGN_PUBLIC_BYTES);
	memcpy(identity.noise_key, noise_key, NOISE_KEY_BYTES);
	memcpy(identity.nonce, r->nonce, ID_BYTES);
	return identity;
}

uint64_t membership_counts_to(const struct replica *r, const struct space_id *space,
			      const struct replica_id *replica)
{
	return r->trust ? trust_cut(r->trust, replica, space).seq : 0;
}

static int compare_spaces(const void *a, const void *b)
{
	return space_id_cmp(a, b);
}

bool membership_has_space(const struct replica *r, const struct space_id *space)
{
	return r->trust && r->trust->space_count &&
	       bsearch(space, r->trust->spaces, r->trust->space_count, sizeof(*space),
		       compare_spaces);
}

/* ---- The stored fold --------------------------------------------------------- */

static enum err read_serial(struct replica *r, uint64_t *out, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, SETTING_TRUST_SERIAL, &text, NULL);

	*out = 0;
	buf_append_byte(&text, 0);
	if (rc == OK)
		rc = buf_check(&text);
	if (rc == OK)
		*out = strtoull((const char *)text.data, NULL, 10);
	buf_release(&text);
	if (rc == ERR_NOT_FOUND)
		return OK;
	return rc == OK ? OK : errmsg_set(msg, rc, "read the setting %s", SETTING_TRUST_SERIAL);
}

static enum err read_trust(struct replica *r, struct errmsg *msg)
{
	struct buf encoded = BUF_EMPTY;
	struct trust *trust = NULL;
	enum err rc = store_setting_get(r->store, SETTING_TRUST, &encoded, msg);

	if (rc == OK)
		rc = trust_decode(&trust, buf_bytes(&encoded), msg);
	buf_release(&encoded);
	if (rc == ERR_FORMAT || rc == ERR_NOT_FOUND)
		rc = errmsg_set(msg, ERR_CORRUPT, "the setting %s is damaged", SETTING_TRUST);
	if (rc != OK)
		return rc;
	trust_free(r->trust);
	r->trust = trust;
	return OK;
}

enum err membership_load(struct replica *r, struct errmsg *msg)
{
	uint64_t serial;
	enum err rc = read_serial(r, &serial, msg);

	if (rc != OK || serial == r->trust_serial)
		return rc;
	if (serial) {
		rc = read_trust(r, msg);
	} else {
		trust_free(r->trust);
		r->trust = NULL;
	}
	if (rc == OK)
		rc = fork_load(r, msg);
	if (rc == OK)
		r->trust_serial = serial;
	return rc;
}

static enum err store_trust(struct replica *r, uint64_t serial_number, struct errmsg *msg)
{
	struct buf encoded = BUF_EMPTY, serial = BUF_EMPTY;
	struct bytes value;
	enum err rc;

	trust_encode(&encoded, r->trust);
	buf_printf(&serial, "%llu", (unsigned long long)serial_number);
	rc = buf_check(&encoded);
	if (rc == OK)
		rc = buf_check(&serial);
	value = buf_bytes(&encoded);
	if (rc == OK)
		rc = store_setting_put(r->store, SETTING_TRUST, &value, msg);
	value = buf_bytes(&serial);
	if (rc == OK)
		rc = store_setting_put(r->store, SETTING_TRUST_SERIAL, &value, msg);
	buf_release(&encoded);
	buf_release(&serial);
	if (rc == OK)
		r->trust_serial = serial_number;
	return rc;
}

/* ---- Judging ----------------------------------------------------------------- */

static void intake_release(struct intake *in)
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
static enum err drop_worse_forks(struct intake *in, const struct statement *s)
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

static enum err fold_all(struct intake *in)
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

static enum err fold(struct intake *in)
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
		return fold_all(in);
	if (rc != OK)
		return rc;
	byte = (uint8_t)verdict;
	statement_set_judge(&in->fresh, &byte);
	return OK;
}

static enum err keep(struct intake *in)
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
	return rc == OK ? store_trust(in->r, in->serial + 1, in->msg) : rc;
}

/* Everything that follows from the fold, in the open transaction. */
static enum err settle(struct replica *r, bool has_fresh_forks, struct statements_receipt *receipt,
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

	return s->type == STATEMENT_FORK ? drop_worse_forks(in, s) : OK;
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
		rc = fold(in);
	if (rc == OK && in->fresh.count)
		rc = keep(in);
	if (rc == OK && in->fresh.count)
		rc = settle(r, has_forks(&in->fresh), receipt, in->msg);
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

/* ---- Making ------------------------------------------------------------------ */

static enum err explain(const struct statement *s, enum verdict verdict, struct errmsg *msg)
{
	static const struct {
		enum err rc;
		const char *words;
	} reasons[VERDICT_COUNT] = {
		[VERDICT_NO_AUTHORITY] = { ERR_AUTHORITY, N_("this node may not say that") },
		[VERDICT_OVERRULED] = { ERR_AUTHORITY,
					N_("somebody else's statement stands against it") },
		[VERDICT_MEANINGLESS] = { ERR_INVALID,
					  N_("it speaks of what does not exist, or says "
					     "what was said") },
	};

	return errmsg_set(msg, reasons[verdict].rc, "%s: %s", statement_type_name(s->type),
			  text_lookup(reasons[verdict].words));
}

static enum err sign_into(struct intake *in, struct statement *s, const struct signer *signers,
			  size_t signer_count)
{
	struct buf encoded = BUF_EMPTY;
	struct statement *copy;
	enum err rc = statement_sign(&encoded, s, signers, signer_count, in->msg);

	if (rc == OK)
		rc = buf_check(&encoded);
	if (rc == OK)
		rc = statement_set_add(&in->fresh, buf_bytes(&encoded), &copy, in->msg);
	buf_release(&encoded);
	return rc;
}

/* What others would set aside is better refused here, where somebody can be told. */
static enum err check_quota(const struct intake *in, const struct statement *s)
{
	const struct trust *t = in->r->trust;
	const struct trust_node *author = t ? trust_author(t, s) : NULL;
	uint32_t most = NODE_STATEMENTS_MAX * (s->type == STATEMENT_EPOCH ? 2 : 1);

	if (!author || author->is_admin || s->type == STATEMENT_FORK || trust_is_roots(t, s) ||
	    author->weight + statement_weight(s) <= most)
		return OK;
	return errmsg_set(in->msg, ERR_LIMIT,
			  "%s: this node has signed as many statements as others take of one: an "
			  "admin may do it instead",
			  statement_type_name(s->type));
}

/* Signed, judged and kept; what follows from it is still to be settled. */
static enum err make(struct intake *in, struct statement *s, const struct signer *signers,
		     size_t signer_count)
{
	struct replica *r = in->r;
	struct statement_id parents[PARENTS_MAX];
	enum err rc = OK, restored;

	if (r->trust && s->type != STATEMENT_FORK) {
		rc = intake_parents(in, parents, &s->parent_count);
		s->parents = parents;
	}
	if (rc == OK)
		rc = sign_into(in, s, signers, signer_count);
	s->parents = NULL;
	s->parent_count = 0;
	if (rc == OK)
		rc = check_quota(in, in->fresh.list[0]);
	if (rc == OK && s->type == STATEMENT_GENESIS)
		rc = replica_adopt_org(r, s->id.bytes, in->msg);
	if (rc == OK && s->type == STATEMENT_FORK)
		rc = drop_worse_forks(in, in->fresh.list[0]);
	if (rc == OK)
		rc = fold(in);
	if (rc == OK && in->fresh.verdicts[0] != VERDICT_STANDS) {
		rc = explain(s, in->fresh.verdicts[0], in->msg);
		restored = membership_load(r, in->msg);
		return restored == OK ? rc : restored;
	}
	return rc == OK ? keep(in) : rc;
}

static enum err make_one(struct replica *r, struct statement *s, const struct signer *signers,
			 size_t signer_count, struct errmsg *msg)
{
	struct intake in = { .r = r, .msg = msg };
	enum err rc = make(&in, s, signers, signer_count);

	intake_release(&in);
	return rc;
}

/* Who is a member no more can say nothing of its other feeds. */
static enum err check_parts(const struct replica *r, const struct statement_parts *parts,
			    const struct signer *signers, size_t signer_count, struct errmsg *msg)
{
	const struct statement *s = &parts->list[0];
	const struct trust_node *node = NULL;

	if (parts->count > 1 && s->type == STATEMENT_REVOKE && signer_count == 1)
		node = trust_node_by_sign_key(r->trust, signers[0].key.bytes);
	if (!node || record_id_cmp(&node->node, &s->u.revoke.node) != 0)
		return OK;
	return errmsg_set(
		msg, ERR_LIMIT,
		"a node of more than %d feeds can't revoke itself: an admin's node or the "
		"root keys can",
		CUTS_MAX);
}

enum err membership_state(struct replica *r, struct statement *s, const struct signer *signers,
			  size_t signer_count, struct errmsg *msg)
{
	struct signer self = membership_signer(r);
	struct statements_receipt receipt = { 0 };
	struct statement_parts parts = { 0 };
	enum err rc = statement_parts_of(&parts, s);

	if (rc == OK)
		rc = check_parts(r, &parts, signers, signer_count, msg);
	if (rc == OK)
		rc = make_one(r, &parts.list[0], signers, signer_count, msg);
	/* The node's key is its new one from then on. */
	if (s->type == STATEMENT_EPOCH) {
		signers = &self;
		signer_count = 1;
	}
	/* What is ours and newest is always among the parents. */
	for (size_t i = 1; rc == OK && i < parts.count; i++)
		rc = make_one(r, &parts.list[i], signers, signer_count, msg);
	if (rc == OK)
		s->id = parts.list[0].id;
	statement_parts_release(&parts);
	return rc == OK ? settle(r, s->type == STATEMENT_FORK, &receipt, msg) : rc;
}

enum err replica_state(struct replica *r, struct statement *s, const struct signer *roots,
		       size_t root_count, uint64_t now_ms, struct errmsg *msg)
{
	bool is_own = !store_in_transaction(r->store);
	struct signer self = membership_signer(r);
	enum err rc = is_own ? replica_begin(r, msg) : OK;

	if (rc != OK)
		return rc;
	s->wall_ms = now_ms;
	rc = root_count ? OK : replica_check_member(r, msg);
	if (rc == OK)
		rc = membership_state(r, s, root_count ? roots : &self, root_count ? root_count : 1,
				      msg);
	if (!is_own)
		return rc;
	if (rc == OK)
		rc = replica_commit(r, msg);
	else
		replica_rollback(r);
	/* It is stored, come what may: as in replica_take_statements(). */
	if (rc == OK && reauthor_after_change(r, now_ms, NULL) != OK)
		r->stale = true;
	return rc;
}

/* ---- Verifying --------------------------------------------------------------- */

/* The stored result is what the statements say. */
static enum err compare_fold(const struct replica *r, const struct trust *fold, struct errmsg *msg)
{
	struct buf stored = BUF_EMPTY, anew = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, SETTING_TRUST, &stored, msg);

	trust_encode(&anew, fold);
	if (rc == OK)
		rc = buf_check(&anew);
	if (rc == ERR_NOT_FOUND || (rc == OK && !bytes_equal(buf_bytes(&stored), buf_bytes(&anew))))
		rc = errmsg_set(msg, ERR_CORRUPT,
				"the stored membership differs from what the statements say");
	buf_release(&stored);
	buf_release(&anew);
	return rc;
}

enum err membership_check_begin(struct membership_check *c, struct replica *r, struct errmsg *msg)
{
	enum err rc = statement_set_load(&c->set, r->store, msg);

	if (rc == OK && c->set.count == 0 && r->trust)
		rc = errmsg_set(msg, ERR_CORRUPT, "there are no statements");
	return rc;
}

void membership_check_release(struct membership_check *c)
{
	statement_set_release(&c->set);
	c->at = 0;
}

static enum err check_fold(const struct replica *r, const struct statement_set *set,
			   struct errmsg *msg)
{
	struct trust *fold = NULL;
	uint8_t *verdicts = calloc(set->count + !set->count, 1);
	enum err rc = verdicts ? OK : ERR_NOMEM;

	if (rc == OK && set->count)
		rc = trust_fold(&fold, (const struct statement *const *)set->list, set->count,
				verdicts, msg);
	if (rc == OK && fold)
		rc = compare_fold(r, fold, msg);
	trust_free(fold);
	free(verdicts);
	return rc;
}

enum err membership_check_step(struct membership_check *c, const struct replica *r, size_t count,
			       bool *is_done, struct errmsg *msg)
{
	enum err rc = OK;

	*is_done = c->at == c->set.count;
	if (*is_done)
		return check_fold(r, &c->set, msg);
	for (; rc == OK && count-- && c->at < c->set.count; c->at++)
		rc = statement_verify(c->set.list[c->at], c->set.encoded[c->at], msg);
	return rc;
}

enum err membership_verify(struct replica *r, struct errmsg *msg)
{
	struct membership_check c = { .set = { .arena = ARENA_EMPTY } };
	bool is_done = false;
	enum err rc = membership_check_begin(&c, r, msg);

	while (rc == OK && !is_done)
		rc = membership_check_step(&c, r, SIZE_MAX, &is_done, msg);
	membership_check_release(&c);
	return rc;
}

static enum err fold_anew(struct replica *r, struct errmsg *msg)
{
	struct intake in = { .r = r, .msg = msg };
	struct statements_receipt ignored = { 0 };
	bool changed;
	enum err rc = replica_refresh(r, &changed, msg);

	in.serial = r->trust_serial;
	r->trust_serial = SERIAL_NONE; /* as in fold() */
	if (rc == OK)
		rc = fold_all(&in);
	if (rc == OK)
		rc = keep(&in);
	if (rc == OK)
		rc = settle(r, false, &ignored, msg);
	intake_release(&in);
	return rc;
}

enum err membership_refold(struct replica *r, struct errmsg *msg)
{
	enum err rc = store_begin(r->store, msg);

	if (rc == OK)
		rc = fold_anew(r, msg);
	if (rc == OK)
		return replica_commit(r, msg);
	replica_rollback(r);
	return rc;
}

/* ---- Reading ----------------------------------------------------------------- */

struct statement_reading {
	bool (*each)(void *ctx, const struct statement *s, struct bytes encoded,
		     enum verdict verdict);
	void *ctx;
	struct arena arena;
	bool is_done;
	bool skips_damaged;
	struct errmsg *msg;
};

static enum err read_one(void *ctx, int64_t idx, struct bytes encoded, enum verdict verdict)
{
	struct statement_reading *reading = ctx;
	struct statement s;
	enum err rc;

	if (reading->is_done)
		return OK;
	arena_reset(&reading->arena);
	rc = statement_decode(&s, encoded, &reading->arena, reading->msg);
	if (rc == OK && reading->skips_damaged)
		rc = statement_verify(&s, encoded, reading->msg);
	if (rc != OK && rc != ERR_NOMEM && reading->skips_damaged)
		return OK;
	if (rc != OK)
		return rc == ERR_NOMEM ? rc
				       : errmsg_prefix(reading->msg, ERR_CORRUPT,
						       "statement %lld: ", (long long)idx);
	reading->is_done = !reading->each(reading->ctx, &s, encoded, verdict);
	return OK;
}

enum err replica_each_statement(struct replica *r,
				bool (*each)(void *ctx, const struct statement *s,
					     struct bytes encoded, enum verdict verdict),
				void *ctx, struct errmsg *msg)
{
	struct statement_reading reading = {
		.each = each, .ctx = ctx, .skips_damaged = replica_lacks_statement(r), .msg = msg
	};
	enum err rc = store_each_statement(r->store, read_one, &reading, msg);

	arena_release(&reading.arena);
	return rc;
}
