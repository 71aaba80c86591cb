#include "tests/sim/planted/plants.h"

#include <stdlib.h>

#include "core/replica_impl.h"
#include "tests/sim/invariants.h"
#include "tests/sim/rest.h"

static struct {
	enum plant plant;
	bool receiving; /* inside replica_receive() */
	bool auditing;  /* the simulator's own calls get the truth */
	const struct vv *past;
} planted;

void plant_choose(enum plant plant)
{
	planted.plant = plant;
}

static bool is_active(enum plant plant)
{
	return planted.plant == plant && !planted.auditing;
}

/* -Wl,--wrap=NAME: calls of NAME come to __wrap_NAME, __real_NAME is the original. */

void __real_audit_node(struct node *n);
void __wrap_audit_node(struct node *n);
void __wrap_audit_node(struct node *n)
{
	planted.auditing = true;
	__real_audit_node(n);
	planted.auditing = false;
}

void __real_audit_rest(struct world *w, unsigned verify_count);
void __wrap_audit_rest(struct world *w, unsigned verify_count);
void __wrap_audit_rest(struct world *w, unsigned verify_count)
{
	planted.auditing = true;
	__real_audit_rest(w, verify_count);
	planted.auditing = false;
}

enum err __real_replica_receive(struct replica *r, const struct space_id *space,
				const struct sealed *list, size_t count, uint64_t now_ms,
				struct receipt *out, struct errmsg *msg);
enum err __wrap_replica_receive(struct replica *r, const struct space_id *space,
				const struct sealed *list, size_t count, uint64_t now_ms,
				struct receipt *out, struct errmsg *msg);
enum err __wrap_replica_receive(struct replica *r, const struct space_id *space,
				const struct sealed *list, size_t count, uint64_t now_ms,
				struct receipt *out, struct errmsg *msg)
{
	enum err rc;

	if (is_active(PLANTED_DEAF_RECEIPT) && count > 1) {
		*out = (struct receipt){ .applied = count };
		return OK;
	}
	planted.receiving = true;
	rc = __real_replica_receive(r, space, list, count, now_ms, out, msg);
	planted.receiving = false;
	return rc;
}

static int compare_feeds(const void *a, const void *b)
{
	const struct sealed *x = a, *y = b;
	int order = replica_id_cmp(&x->replica, &y->replica);

	return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

enum err __real_replica_missing(struct replica *r, const struct space_id *space,
				const struct vv *has, size_t bytes_max, size_t count_max,
				struct arena *arena, struct sealed **out, size_t *count, bool *more,
				struct errmsg *msg);
enum err __wrap_replica_missing(struct replica *r, const struct space_id *space,
				const struct vv *has, size_t bytes_max, size_t count_max,
				struct arena *arena, struct sealed **out, size_t *count, bool *more,
				struct errmsg *msg);
/* Feed by feed instead of in causal order. */
enum err __wrap_replica_missing(struct replica *r, const struct space_id *space,
				const struct vv *has, size_t bytes_max, size_t count_max,
				struct arena *arena, struct sealed **out, size_t *count, bool *more,
				struct errmsg *msg)
{
	enum err rc = __real_replica_missing(r, space, has, bytes_max, count_max, arena, out, count,
					     more, msg);

	if (rc == OK && *count && is_active(PLANTED_DISORDER))
		qsort(*out, *count, sizeof(**out), compare_feeds);
	return rc;
}

void __real_vv_clear(struct vv *vv);
void __wrap_vv_clear(struct vv *vv);
void __wrap_vv_clear(struct vv *vv)
{
	/* Only the past of a changeset is cleared while receiving (core/receive.c). */
	if (planted.receiving)
		planted.past = vv;
	__real_vv_clear(vv);
}

enum err __real_vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq);
enum err __wrap_vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq);
/* Whoever sees no past does not wait for it. */
enum err __wrap_vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq)
{
	if (is_active(PLANTED_DISORDER) && planted.receiving && vv == planted.past)
		return OK;
	return __real_vv_raise(vv, replica, seq);
}

/* The value that was written last comes first, whatever its stamp. */
static void show_newest(struct record *rec, const struct stamp *stamp, uint8_t field)
{
	size_t first = 0, at;
	struct entry kept;

	while (first < rec->count && rec->entries[first].field != field)
		first++;
	for (at = first; at < rec->count && rec->entries[at].field == field; at++)
		if (stamp_cmp(&rec->entries[at].stamp, stamp) == 0)
			break;
	if (at == rec->count || rec->entries[at].field != field)
		return;
	kept = rec->entries[at];
	for (; at > first; at--)
		rec->entries[at] = rec->entries[at - 1];
	rec->entries[first] = kept;
}

/* The values that the op does not replace go all the same. */
static void overwrite(struct record *rec, const struct stamp *stamp, uint8_t field)
{
	size_t kept = 0;

	for (size_t i = 0; i < rec->count; i++)
		if (rec->entries[i].field != field || stamp_cmp(&rec->entries[i].stamp, stamp) == 0)
			rec->entries[kept++] = rec->entries[i];
	rec->count = kept;
}

enum err __real_record_apply(struct record *rec, const struct stamp *stamp, const struct op *op);
enum err __wrap_record_apply(struct record *rec, const struct stamp *stamp, const struct op *op);
enum err __wrap_record_apply(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	enum err rc = __real_record_apply(rec, stamp, op);

	if (rc != OK || op->verb > VERB_REPLACE)
		return rc;
	if (is_active(PLANTED_ARRIVAL_TIE))
		show_newest(rec, stamp, op->field);
	if (is_active(PLANTED_LOST_VALUE))
		overwrite(rec, stamp, op->field);
	return rc;
}

enum err __real_store_element_remove(struct store *s, uint32_t space, const struct op *op,
				     struct errmsg *msg);
enum err __wrap_store_element_remove(struct store *s, uint32_t space, const struct op *op,
				     struct errmsg *msg);
enum err __wrap_store_element_remove(struct store *s, uint32_t space, const struct op *op,
				     struct errmsg *msg)
{
	if (planted.receiving && is_active(PLANTED_RESURRECTION))
		return OK;
	return __real_store_element_remove(s, space, op, msg);
}

struct hlc_stamp __real_hlc_now(struct hlc *clock, uint64_t wall_ms);
struct hlc_stamp __wrap_hlc_now(struct hlc *clock, uint64_t wall_ms);
struct hlc_stamp __wrap_hlc_now(struct hlc *clock, uint64_t wall_ms)
{
	struct hlc_stamp wall = { wall_ms << 16 };

	return is_active(PLANTED_WALL_CLOCK) ? wall : __real_hlc_now(clock, wall_ms);
}

enum role __real_replica_role(const struct replica *r, const struct member *member,
			      const struct space_id *space);
enum role __wrap_replica_role(const struct replica *r, const struct member *member,
			      const struct space_id *space);
enum role __wrap_replica_role(const struct replica *r, const struct member *member,
			      const struct space_id *space)
{
	enum role role = __real_replica_role(r, member, space);

	if (role == ROLE_NONE && is_active(PLANTED_HOSPITALITY))
		return trust_role(r->trust, space, member->office_code);
	return role == ROLE_NONE && is_active(PLANTED_NO_GRANTS) ? ROLE_READER : role;
}

enum err __real_replica_check_member(const struct replica *r, struct errmsg *msg);
enum err __wrap_replica_check_member(const struct replica *r, struct errmsg *msg);
enum err __wrap_replica_check_member(const struct replica *r, struct errmsg *msg)
{
	enum err rc = __real_replica_check_member(r, msg);

	return rc == ERR_REVOKED && is_active(PLANTED_HOSPITALITY) ? OK : rc;
}

const struct trust_node *__real_trust_node_by_noise_key(const struct trust *t,
							const uint8_t key[NOISE_KEY_BYTES]);
const struct trust_node *__wrap_trust_node_by_noise_key(const struct trust *t,
							const uint8_t key[NOISE_KEY_BYTES]);
const struct trust_node *__wrap_trust_node_by_noise_key(const struct trust *t,
							const uint8_t key[NOISE_KEY_BYTES])
{
	for (size_t i = 0; i < t->epoch_count && is_active(PLANTED_HOSPITALITY); i++) {
		const struct trust_node *node = trust_node(t, &t->epochs[i].node);

		if (node && node->is_revoked &&
		    memcmp(t->epochs[i].identity.noise_key, key, NOISE_KEY_BYTES) == 0)
			return node;
	}
	return __real_trust_node_by_noise_key(t, key);
}

/* ---- Signatures ------------------------------------------------------------------ */

bool __real_changeset_is_signed_by(const uint8_t signature[SIGNATURE_BYTES],
				   const uint8_t link[LINK_BYTES],
				   const uint8_t public_key[SIGN_PUBLIC_BYTES]);
bool __wrap_changeset_is_signed_by(const uint8_t signature[SIGNATURE_BYTES],
				   const uint8_t link[LINK_BYTES],
				   const uint8_t public_key[SIGN_PUBLIC_BYTES]);
bool __wrap_changeset_is_signed_by(const uint8_t signature[SIGNATURE_BYTES],
				   const uint8_t link[LINK_BYTES],
				   const uint8_t public_key[SIGN_PUBLIC_BYTES])
{
	return (is_active(PLANTED_ANY_AUTHOR) && planted.receiving) ||
	       __real_changeset_is_signed_by(signature, link, public_key);
}

enum err __real_statement_verify(const struct statement *s, struct bytes input, struct errmsg *msg);
enum err __wrap_statement_verify(const struct statement *s, struct bytes input, struct errmsg *msg);
enum err __wrap_statement_verify(const struct statement *s, struct bytes input, struct errmsg *msg)
{
	return is_active(PLANTED_ANY_SIGNER) ? OK : __real_statement_verify(s, input, msg);
}

/* ---- Cuts, epochs, forks, folds --------------------------------------------------- */

enum err __real_replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
			       const struct sealed *sealed, const uint8_t link[LINK_BYTES],
			       struct errmsg *msg);
enum err __wrap_replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
			       const struct sealed *sealed, const uint8_t link[LINK_BYTES],
			       struct errmsg *msg);
enum err __wrap_replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
			       const struct sealed *sealed, const uint8_t link[LINK_BYTES],
			       struct errmsg *msg)
{
	uint64_t counts_to = feed->counts_to;
	enum err rc;

	if (is_active(PLANTED_LATE_TAIL) && planted.receiving)
		feed->counts_to = UINT64_MAX;
	rc = __real_replica_append(r, feed, cs, sealed, link, msg);
	feed->counts_to = counts_to;
	return rc;
}

enum err __real_replica_new_epoch(struct replica *r, enum epoch_reason reason,
				  const uint8_t *fresh_sign_secret, const uint8_t *fresh_noise_key,
				  uint64_t now_ms, struct errmsg *msg);
enum err __wrap_replica_new_epoch(struct replica *r, enum epoch_reason reason,
				  const uint8_t *fresh_sign_secret, const uint8_t *fresh_noise_key,
				  uint64_t now_ms, struct errmsg *msg);
enum err __wrap_replica_new_epoch(struct replica *r, enum epoch_reason reason,
				  const uint8_t *fresh_sign_secret, const uint8_t *fresh_noise_key,
				  uint64_t now_ms, struct errmsg *msg)
{
	if (is_active(PLANTED_SAME_EPOCH) && reason == EPOCH_RESTORED)
		return OK;
	return __real_replica_new_epoch(r, reason, fresh_sign_secret, fresh_noise_key, now_ms, msg);
}

enum err __real_epoch_check(struct replica *r, const struct replica_config *config,
			    struct errmsg *msg);
enum err __wrap_epoch_check(struct replica *r, const struct replica_config *config,
			    struct errmsg *msg);
enum err __wrap_epoch_check(struct replica *r, const struct replica_config *config,
			    struct errmsg *msg)
{
	return is_active(PLANTED_SAME_EPOCH) ? OK : __real_epoch_check(r, config, msg);
}

enum err __real_fork_prove(struct replica *r, const struct space_id *space, const struct dot *dot,
			   const struct witness *theirs, uint64_t now_ms, struct errmsg *msg);
enum err __wrap_fork_prove(struct replica *r, const struct space_id *space, const struct dot *dot,
			   const struct witness *theirs, uint64_t now_ms, struct errmsg *msg);
enum err __wrap_fork_prove(struct replica *r, const struct space_id *space, const struct dot *dot,
			   const struct witness *theirs, uint64_t now_ms, struct errmsg *msg)
{
	return is_active(PLANTED_NO_PROOF) ? OK
					   : __real_fork_prove(r, space, dot, theirs, now_ms, msg);
}

enum err __real_replica_prove_fork(struct replica *r, const struct space_id *space,
				   const struct dot *dot, const struct witness *theirs,
				   uint64_t now_ms, struct errmsg *msg);
enum err __wrap_replica_prove_fork(struct replica *r, const struct space_id *space,
				   const struct dot *dot, const struct witness *theirs,
				   uint64_t now_ms, struct errmsg *msg);
enum err __wrap_replica_prove_fork(struct replica *r, const struct space_id *space,
				   const struct dot *dot, const struct witness *theirs,
				   uint64_t now_ms, struct errmsg *msg)
{
	return is_active(PLANTED_NO_PROOF)
		       ? OK
		       : __real_replica_prove_fork(r, space, dot, theirs, now_ms, msg);
}

/* What the statement that came last says of an office is what it may do. */
static void prefer(struct trust *t, const struct statement *s)
{
	for (size_t i = 0; s->u.grant.role != ROLE_NONE && i < t->grant_count; i++)
		if (space_id_cmp(&t->grants[i].space, &s->u.grant.space) == 0 &&
		    strcmp(t->grants[i].office_code, s->u.grant.office_code) == 0)
			t->grants[i].role = s->u.grant.role;
}

enum err __real_trust_fold(struct trust **out, const struct statement *const *list, size_t count,
			   uint8_t *verdicts, struct errmsg *msg);
enum err __wrap_trust_fold(struct trust **out, const struct statement *const *list, size_t count,
			   uint8_t *verdicts, struct errmsg *msg);
enum err __wrap_trust_fold(struct trust **out, const struct statement *const *list, size_t count,
			   uint8_t *verdicts, struct errmsg *msg)
{
	enum err rc = __real_trust_fold(out, list, count, verdicts, msg);

	for (size_t i = 0; rc == OK && is_active(PLANTED_LAST_GRANT) && i < count; i++)
		if (list[i]->type == STATEMENT_GRANT)
			prefer(*out, list[i]);
	return rc;
}
