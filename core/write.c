/* Our own feed: how a changeset of ours is stamped, numbered, chained and signed. */
#include "core/limits.h"
#include "core/replica_impl.h"

/* What others have piled up can't keep us from writing: what does not fit is left to our
 * next changesets. Half of the replicas that one may name are for what its ops name. */
enum { DEPS_NAMED_MAX = CHANGESET_REPLICAS_MAX / 2 };

/* Name what arrived in the space since our last changeset there, of feeds that count. */
static enum err collect_deps(struct replica *r, const struct space_id *space_id,
			     struct changeset *cs, struct arena *arena, struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	struct dot *deps;

	if (!space)
		return OK;
	deps = arena_array(arena, space->feed_count, sizeof(*deps));
	if (!deps)
		return ERR_NOMEM;
	cs->deps = deps;
	for (uint32_t i = 0; i < space->feed_count && cs->dep_count < DEPS_NAMED_MAX; i++) {
		struct feed *feed = &r->feeds[space->feeds[i]];
		enum err rc;

		if (replica_id_cmp(&feed->replica, &r->id) == 0 || feed->head.seq == 0 ||
		    feed->head.seq == feed->dep_seq || feed->counts_to == 0)
			continue;
		deps[cs->dep_count++] = (struct dot){ feed->replica, feed->head.seq };
		rc = store_feed_set_dep(r->store, feed->idx, feed->head.seq, msg);
		if (rc != OK)
			return rc;
		feed->dep_seq = feed->head.seq;
	}
	return OK;
}

/* Nobody could go on from a changeset that is chained to damage. */
static enum err check_end(struct replica *r, struct feed *feed, struct errmsg *msg)
{
	struct signer self = membership_signer(r);

	if (!feed->is_checked && feed->head.seq &&
	    !changeset_is_signed_by(feed->head.signature, feed->head.link, self.key.bytes)) {
		damage_note_changeset(r, feed, feed->head.seq);
		return errmsg_set(msg, ERR_CORRUPT, "our own newest changeset is damaged");
	}
	feed->is_checked = true;
	return OK;
}

static enum err append(struct replica *r, const struct space_id *space_id,
		       const struct changeset *cs, struct bytes body, struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	struct feed *feed = space ? replica_feed(r, space, &r->id) : NULL;
	struct sealed sealed = { r->id, 1, body, NULL };
	uint8_t link[LINK_BYTES], signature[SIGNATURE_BYTES];
	enum err rc = OK;

	if (!feed)
		rc = replica_feed_add(r, space_id, &r->id, &feed, msg);
	if (rc == OK)
		rc = check_end(r, feed, msg);
	if (rc != OK)
		return rc;
	changeset_link(link, space_id, &r->id, &feed->head, body);
	changeset_sign(signature, link, r->sign_secret);
	sealed.seq = feed->head.seq + 1;
	sealed.signature = signature;
	rc = replica_append(r, feed, cs, &sealed, link, msg);
	r->own_count += rc == OK;
	return rc;
}

enum err replica_write(struct replica *r, const struct space_id *space, struct changeset *cs,
		       uint64_t now_ms, struct arena *arena, struct errmsg *msg)
{
	enum err rc = OK;

	/* Another process may have taken the proof, and the log end where it has been before. */
	if (epoch_is_forked(r))
		rc = replica_new_epoch(r, EPOCH_FORKED, NULL, NULL, now_ms, msg);
	if (rc == OK)
		rc = replica_check_member(r, msg); /* the epochs may be used up */
	if (rc != OK)
		return rc;
	cs->hlc = hlc_now(&r->clock, now_ms);
	rc = collect_deps(r, space, cs, arena, msg);
	buf_clear(&r->scratch);
	if (rc == OK)
		rc = changeset_encode(&r->scratch, cs, &r->id, arena, msg);
	arena_reset(&r->arena);
	return rc == OK ? append(r, space, cs, buf_bytes(&r->scratch), msg) : rc;
}
