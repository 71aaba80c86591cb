/* Taking over: a backup takes the place of a database, and what that one alone held goes on
 * in it. */
#include "core/salvage_impl.h"

/* What the other database was last, if it is the node that we are: an epoch begun without
 * having seen that one would be its rival (M-10). */
static enum err take_up(struct salvager *s)
{
	struct replica *r = s->to;
	const struct trust_epoch *old, *own = trust_epoch(r->trust, &r->id);
	const struct trust_node *node;

	if (salvager_read_ourselves(s) != OK || replica_id_cmp(&r->id, &s->old_id) == 0)
		return OK;
	old = trust_epoch(r->trust, &s->old_id);
	node = old ? trust_node(r->trust, &old->node) : NULL;
	if (!own || !node || record_id_cmp(&own->node, &node->node) != 0 ||
	    replica_id_cmp(&node->current, &s->old_id) != 0)
		return OK;
	return epoch_take_up(r, &s->old_id, s->old_nonce, s->msg);
}

static enum err go_on(struct salvager *s)
{
	enum err rc = replica_begin(s->to, s->msg);

	if (rc == OK && s->from)
		rc = take_up(s);
	if (rc == OK)
		rc = replica_new_epoch(s->to, EPOCH_RESTORED, NULL, NULL, s->now_ms, s->msg);
	if (rc == OK)
		return replica_commit(s->to, s->msg);
	replica_rollback(s->to);
	return rc;
}

static enum err open_before(struct salvager *s, const char *before)
{
	enum err rc = store_open_damaged(&s->from, before, NULL, s->msg);

	if (rc == OK)
		rc = salvager_take_statements(s);
	if (rc == OK && s->report.statements_lost >= s->statement_count)
		rc = errmsg_set(s->msg, ERR_ORG,
				"no statement of membership in it is of this "
				"organisation");
	return rc;
}

/* What keeps us from reading it is no error of ours: it is told. */
static enum err try_before(struct salvager *s, const char *before, struct takeover *out)
{
	struct errmsg *msg = s->msg;
	enum err rc;

	s->msg = &out->why;
	rc = open_before(s, before);
	s->msg = msg;
	if (rc == OK || rc == ERR_NOMEM)
		return rc;
	out->is_unread = true;
	store_close(s->from);
	s->from = NULL;
	return OK;
}

static enum err take_feeds(struct salvager *s, struct takeover *out)
{
	enum err rc = salvager_take_feeds(s);

	if (rc == OK && s->report.left_behind && salvager_read_ourselves(s) == OK)
		rc = salvager_keep_ours(s);
	out->changesets = s->report.changesets;
	out->own = s->report.own;
	out->left_behind = s->report.left_behind;
	return rc == OK ? reauthor_after_change(s->to, s->now_ms, s->msg) : rc;
}

static enum err take_over(struct salvager *s, const char *before, bool must_go_on,
			  struct takeover *out)
{
	enum err rc = before ? try_before(s, before, out) : OK;

	if (rc == OK && must_go_on)
		rc = go_on(s);
	return rc == OK && s->from ? take_feeds(s, out) : rc;
}

static enum err run(struct replica *r, const char *before, bool must_go_on, uint64_t now_ms,
		    struct takeover *out, struct errmsg *msg)
{
	struct salvager s = { .to = r, .is_takeover = true, .now_ms = now_ms, .msg = msg };
	struct takeover result = { .is_unread = false };
	enum err rc = take_over(&s, before, must_go_on, &result);

	salvager_release(&s);
	if (rc == OK)
		*out = result;
	return rc;
}

enum err replica_restore(struct replica *r, const char *before, uint64_t now_ms,
			 struct takeover *out, struct errmsg *msg)
{
	return run(r, before, true, now_ms, out, msg);
}

enum err replica_take_over(struct replica *r, const char *before, uint64_t now_ms,
			   struct takeover *out, struct errmsg *msg)
{
	return run(r, before, false, now_ms, out, msg);
}
