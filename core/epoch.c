/* Epochs: a replica never goes back. When it may have, it goes on under another id, so
 * that no dot is ever issued twice (M-18 to M-20). */
#include <sodium.h>
#include <stdlib.h>

#include "core/replica_impl.h"

#define SETTING_EPOCHS "epochs" /* ids that this copy has written under before */

/* ---- Former epochs ----------------------------------------------------------- */

enum err epoch_former(struct replica *r, struct arena *arena, struct replica_id **out,
		      size_t *count, struct errmsg *msg)
{
	struct buf list = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, SETTING_EPOCHS, &list, NULL);

	if (rc == ERR_NOT_FOUND)
		rc = OK;
	else if (rc != OK)
		rc = errmsg_set(msg, rc, "read the setting %s", SETTING_EPOCHS);
	if (rc == OK && list.size % ID_BYTES != 0)
		rc = errmsg_set(msg, ERR_CORRUPT, "the setting %s is damaged", SETTING_EPOCHS);
	if (rc == OK) {
		*count = list.size / ID_BYTES;
		*out = arena_array(arena, *count, sizeof(**out));
		rc = *out ? OK : ERR_NOMEM;
	}
	for (size_t i = 0; rc == OK && i < *count; i++)
		memcpy((*out)[i].bytes, list.data + i * ID_BYTES, ID_BYTES);
	buf_release(&list);
	return rc;
}

static enum err remember_former(struct replica *r, struct errmsg *msg)
{
	struct buf list = BUF_EMPTY;
	struct bytes value;
	enum err rc = store_setting_get(r->store, SETTING_EPOCHS, &list, NULL);

	buf_append(&list, r->id.bytes, ID_BYTES);
	if (rc == OK || rc == ERR_NOT_FOUND)
		rc = buf_check(&list);
	value = buf_bytes(&list);
	if (rc == OK)
		rc = store_setting_put(r->store, SETTING_EPOCHS, &value, msg);
	buf_release(&list);
	return rc;
}

/* ---- A new epoch ------------------------------------------------------------- */

/* The first changeset of the new feed says all that was seen, ours included. */
static enum err forget_deps(struct replica *r, struct errmsg *msg)
{
	enum err rc = OK;

	for (uint32_t i = 0; rc == OK && i < r->feed_count; i++) {
		if (r->feeds[i].dep_seq == 0)
			continue;
		r->feeds[i].dep_seq = 0;
		rc = store_feed_set_dep(r->store, r->feeds[i].idx, 0, msg);
	}
	return rc;
}

static enum err change_id(struct replica *r, struct errmsg *msg)
{
	enum err rc = remember_former(r, msg);

	if (rc == OK)
		rc = forget_deps(r, msg);
	if (rc == OK)
		rc = replica_draw_id(r, msg);
	r->own_count = r->marked_count = 0;
	return rc;
}

enum err epoch_take_up(struct replica *r, const struct replica_id *id,
		       const uint8_t nonce[ID_BYTES], struct errmsg *msg)
{
	enum err rc = remember_former(r, msg);

	r->id = *id;
	memcpy(r->nonce, nonce, ID_BYTES);
	return rc == OK ? replica_store_id(r, msg) : rc;
}

static struct signer signer_of(const uint8_t *secret)
{
	struct signer signer = { .secret = secret };

	memcpy(signer.key.bytes, secret + SIGN_SECRET_BYTES - SIGN_PUBLIC_BYTES, SIGN_PUBLIC_BYTES);
	return signer;
}

/* Say so to the others: signed by the key of before, and by the new one if it is new. */
static enum err state_epoch(struct replica *r, const struct trust_epoch *old,
			    enum epoch_reason reason, const uint8_t *old_secret,
			    const uint8_t *fresh_noise_key, uint64_t now_ms, struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_EPOCH, .wall_ms = now_ms };
	struct signer signers[] = { signer_of(old_secret), membership_signer(r) };
	struct record_id node = old->node;
	struct arena arena = ARENA_EMPTY;
	struct cut *cuts = NULL;
	enum err rc = OK;

	s.u.epoch.node = node;
	s.u.epoch.reason = reason;
	s.u.epoch.is_closing = reason == EPOCH_ROTATED;
	s.u.epoch.identity =
		replica_identity(r, fresh_noise_key ? fresh_noise_key : old->identity.noise_key);
	if (s.u.epoch.is_closing)
		rc = replica_cuts_of(r, &node, NULL, &arena, &cuts, &s.u.epoch.cut_count, msg);
	s.u.epoch.cuts = cuts;
	if (rc == OK)
		rc = membership_state(r, &s, signers, reason == EPOCH_ROTATED ? 2 : 1, msg);
	arena_release(&arena);
	return rc;
}

/* One more would not count (M-14). */
static bool is_used_up(const struct replica *r)
{
	const struct trust_epoch *own = trust_epoch(r->trust, &r->id);

	return trust_node(r->trust, &own->node)->epoch_count >= r->trust->epochs_max;
}

/* What can't wait goes on under an id that nobody knows: it writes nothing until it has
 * enrolled anew, and then writes again what it has. */
static enum err leave(struct replica *r, enum epoch_reason reason, struct errmsg *msg)
{
	if (reason != EPOCH_ROTATED)
		return change_id(r, msg);
	return errmsg_set(msg, ERR_LIMIT,
			  "this node has gone on under %u replica ids, and more would not count: "
			  "revoke it, and enrol it anew (huitong join)",
			  r->trust->epochs_max);
}

/* Until the transaction is kept or rolled back both are needed. */
static void change_secret(struct replica *r, const uint8_t *fresh)
{
	if (!r->has_former_secret)
		memcpy(r->former_secret, r->sign_secret, SIGN_SECRET_BYTES);
	r->has_former_secret = true;
	memcpy(r->sign_secret, fresh, SIGN_SECRET_BYTES);
}

static enum err begin_epoch(struct replica *r, enum epoch_reason reason,
			    const uint8_t *fresh_sign_secret, const uint8_t *fresh_noise_key,
			    uint64_t now_ms, struct errmsg *msg)
{
	const struct trust_epoch *old;
	uint8_t old_secret[SIGN_SECRET_BYTES];
	enum err rc = replica_check_member(r, msg);

	if (rc != OK)
		return rc;
	if (is_used_up(r))
		return leave(r, reason, msg);
	old = trust_epoch(r->trust, &r->id);
	memcpy(old_secret, r->sign_secret, SIGN_SECRET_BYTES);
	if (fresh_sign_secret)
		change_secret(r, fresh_sign_secret);
	rc = change_id(r, msg);
	if (rc == OK)
		rc = state_epoch(r, old, reason, old_secret, fresh_noise_key, now_ms, msg);
	sodium_memzero(old_secret, sizeof(old_secret));
	return rc;
}

enum err replica_new_epoch(struct replica *r, enum epoch_reason reason,
			   const uint8_t *fresh_sign_secret, const uint8_t *fresh_noise_key,
			   uint64_t now_ms, struct errmsg *msg)
{
	bool is_own = !store_in_transaction(r->store);
	enum err rc = is_own ? replica_begin(r, msg) : OK;

	if (rc == OK)
		rc = begin_epoch(r, reason, fresh_sign_secret, fresh_noise_key, now_ms, msg);
	if (!is_own)
		return rc;
	if (rc == OK)
		return replica_commit(r, msg);
	replica_rollback(r);
	return rc;
}

enum err replica_enrol_anew(struct replica *r, struct errmsg *msg)
{
	enum err rc = replica_begin(r, msg);

	if (rc != OK)
		return rc;
	rc = replica_check_member(r, NULL);
	if (rc == OK)
		rc = errmsg_set(msg, ERR_EXISTS, "this replica is a member in good standing");
	else
		rc = change_id(r, msg);
	if (rc == OK)
		return replica_commit(r, msg);
	replica_rollback(r);
	return rc;
}

/* ---- Having gone back -------------------------------------------------------- */

uint64_t epoch_count(const struct replica *r)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < r->feed_count; i++)
		if (replica_id_cmp(&r->feeds[i].replica, &r->id) == 0)
			count += r->feeds[i].head.seq;
	return count;
}

void epoch_mark(struct replica *r)
{
	struct mark mark = { r->id, r->own_count };

	if (!r->mark || (r->own_count == r->marked_count && r->own_count > 0))
		return;
	r->mark->save(r->mark->ctx, &mark);
	r->marked_count = r->own_count;
}

/* The mark is of an epoch that this database went on from, before the mark was renewed. */
static enum err is_former(struct replica *r, const struct replica_id *replica, bool *out,
			  struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct replica_id *former;
	size_t count = 0;
	enum err rc = epoch_former(r, &arena, &former, &count, msg);

	*out = false;
	for (size_t i = 0; i < count; i++)
		*out |= replica_id_cmp(&former[i], replica) == 0;
	arena_release(&arena);
	return rc;
}

static enum err is_behind(struct replica *r, bool *out, struct errmsg *msg)
{
	struct mark mark;
	bool former;
	enum err rc;

	*out = false;
	if (!r->mark || r->mark->load(r->mark->ctx, &mark) != OK)
		return OK;
	if (replica_id_cmp(&mark.replica, &r->id) == 0) {
		r->marked_count = mark.count;
		*out = mark.count > r->own_count;
		return OK;
	}
	/* An epoch that this database knows nothing of began after it. */
	rc = is_former(r, &mark.replica, &former, msg);
	*out = rc == OK && !former;
	return rc;
}

/* Whether it is another machine than last time; the first time is none. */
static enum err has_moved(struct replica *r, struct bytes machine, bool *moved, bool *is_new,
			  struct errmsg *msg)
{
	struct buf known = BUF_EMPTY;
	enum err rc;

	*moved = *is_new = false;
	if (machine.size == 0)
		return OK;
	rc = store_setting_get(r->store, SETTING_MACHINE, &known, NULL);
	*is_new = rc == ERR_NOT_FOUND;
	if (rc == OK)
		*moved = !bytes_equal(buf_bytes(&known), machine);
	buf_release(&known);
	return rc == OK || *is_new ? OK
				   : errmsg_set(msg, rc, "read the setting %s", SETTING_MACHINE);
}

static enum err note_machine(struct replica *r, struct bytes machine, struct errmsg *msg)
{
	return store_setting_put(r->store, SETTING_MACHINE, &machine, msg);
}

/* A copy that is no member any more, or not yet, has nothing to go on with. */
static enum err go_on(struct replica *r, enum epoch_reason reason, uint64_t now_ms,
		      struct errmsg *msg)
{
	enum err rc = replica_check_member(r, NULL);

	if (rc != OK)
		return OK;
	return begin_epoch(r, reason, NULL, NULL, now_ms, msg);
}

enum err epoch_check(struct replica *r, const struct replica_config *config, struct errmsg *msg)
{
	bool behind = false, moved = false, is_new = false;
	enum err rc = is_behind(r, &behind, msg);

	if (rc == OK)
		rc = has_moved(r, config->machine, &moved, &is_new, msg);
	if (rc != OK || !(behind || moved || is_new))
		return rc;
	rc = replica_begin(r, msg);
	if (rc != OK)
		return rc;
	if (moved || is_new)
		rc = note_machine(r, config->machine, msg);
	if (rc == OK && (behind || moved))
		rc = go_on(r, moved ? EPOCH_MOVED : EPOCH_BEHIND, config->now_ms, msg);
	if (rc == OK)
		return replica_commit(r, msg);
	replica_rollback(r);
	return rc;
}

bool epoch_is_forked(const struct replica *r)
{
	size_t low = 0, high = r->fork_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (replica_id_cmp(&r->forks[mid].replica, &r->id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->fork_count && replica_id_cmp(&r->forks[low].replica, &r->id) == 0;
}
