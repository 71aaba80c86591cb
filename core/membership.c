/* What the statements of membership say together, as it is stored, and those made here. */
#include <stdlib.h>

#include "core/i18n.h"
#include "core/membership_impl.h"
#include "core/statement_parts.h"

#define SETTING_TRUST_SERIAL "trust_serial"

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

/* ERR_NOT_FOUND, ERR_CORRUPT and what decoding says: it is no longer what was stored. */
static enum err read_stored(struct trust **out, struct replica *r)
{
	struct buf stored = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, SETTING_TRUST, &stored, NULL);

	if (rc == OK)
		rc = trust_decode(out, buf_bytes(&stored), NULL);
	buf_release(&stored);
	return rc;
}

/* One that is damaged is left for the scrub to find and store anew. */
static enum err read_trust(struct replica *r, struct errmsg *msg)
{
	struct trust *trust = NULL;
	enum err rc = read_stored(&trust, r);

	if (rc == ERR_NOMEM || rc == ERR_IO)
		return errmsg_set(msg, rc, "read the setting %s", SETTING_TRUST);
	if (rc != OK)
		rc = membership_fold(&trust, r, msg);
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

enum err membership_store(struct replica *r, uint64_t serial_number, struct errmsg *msg)
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
		rc = intake_drop_worse_forks(in, in->fresh.list[0]);
	if (rc == OK)
		rc = intake_fold(in);
	if (rc == OK && in->fresh.verdicts[0] != VERDICT_STANDS) {
		rc = explain(s, in->fresh.verdicts[0], in->msg);
		restored = membership_load(r, in->msg);
		return restored == OK ? rc : restored;
	}
	return rc == OK ? intake_store(in) : rc;
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
	return rc == OK ? intake_settle(r, s->type == STATEMENT_FORK, &receipt, msg) : rc;
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
