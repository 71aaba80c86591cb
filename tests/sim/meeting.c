#include "tests/sim/meeting.h"

#include "core/limits.h"
#include "tests/sim/invariants.h"
#include "tests/sim/node.h"
#include "tests/support/branching.h"

enum { ROUNDS_MAX = 200, PIECE_COUNT = 20, PIECE_BYTES = 64 * 1024 };

bool meeting_can_be(const struct node *a, const struct node *b)
{
	return a != b && node_is_running(a) && node_is_running(b) &&
	       !net_link(a->world->net, a->index, b->index)->is_cut &&
	       !net_link(a->world->net, b->index, a->index)->is_cut;
}

/* Something did not work between them. */
static void fail(struct node *a, struct node *b, const struct errmsg *msg)
{
	if (node_disk_is_good(a) && node_disk_is_good(b))
		world_fail(a->world, "W-16", "%s and %s: %s", a->code, b->code, msg->text);
}

static void changed(struct node *n)
{
	audit_node(n);
	node_touch(n);
}

static bool is_over(const struct node *a, const struct node *b)
{
	return a->world->rule || !node_is_running(a) || !node_is_running(b);
}

/* ---- Statements -------------------------------------------------------------------- */

static bool know_the_same(const struct node *a, const struct node *b)
{
	const struct trust *x = replica_trust(a->replica), *y = replica_trust(b->replica);

	return x && y && memcmp(x->digest, y->digest, STATEMENT_ID_BYTES) == 0;
}

static size_t tell(struct node *from, struct node *to)
{
	size_t news;

	if (is_over(from, to) || !replica_trust(from->replica) || !replica_has_org(to->replica))
		return 0;
	if (node_hand_over_statements(from, to, &news) && news)
		changed(to);
	return news;
}

static void exchange_statements(struct node *a, struct node *b)
{
	size_t news = 1;

	for (int i = 0; news && !is_over(a, b) && !know_the_same(a, b); i++) {
		struct errmsg msg = { .text = "they never know the same" };

		if (i > ROUNDS_MAX)
			fail(a, b, &msg);
		news = tell(a, b);
		news += tell(b, a);
	}
}

static bool are_members(const struct node *a, const struct node *b)
{
	return !is_over(a, b) && node_is_member(a) && node_is_member(b) && know_the_same(a, b);
}

/* ---- Forks ------------------------------------------------------------------------- */

/* What `n` does about a fork that it has found at `by`. */
static enum err settle(struct node *n, struct node *by, const struct space_id *space,
		       const struct replica_id *replica, uint64_t seq, struct errmsg *msg)
{
	uint64_t now_ms = node_now(n).wall_ms;
	struct dot dot = { *replica, seq };
	struct arena arena = ARENA_EMPTY;
	struct witness theirs;
	struct told told;
	enum err rc = replica_tell(by->replica, space, &dot, &arena, &told, msg);

	if (rc == OK) {
		told_witness(&theirs, &told);
		rc = feed_is_own(n->replica, replica)
			     ? replica_heal_own(n->replica, space, replica, seq, &theirs, now_ms,
						msg)
			     : replica_prove_fork(n->replica, space, &dot, &theirs, now_ms, msg);
	}
	arena_release(&arena);
	return rc == ERR_EXISTS ? OK : rc;
}

/* One feed, as `a` sees it; true: something was done about it. */
static bool compare_feed(struct node *a, struct node *b, const struct space_id *space,
			 const struct replica_id *replica)
{
	uint64_t fork = 0;
	struct errmsg msg = { 0 };
	enum err rc = feed_branches_at(a->replica, b->replica, space, replica, &fork, &msg);

	if (rc != OK) {
		fail(a, b, &msg);
		return false;
	}
	if (fork && feed_is_own(b->replica, replica) && !feed_is_own(a->replica, replica))
		return false; /* it heals its own, when it looks */
	if (fork)
		rc = settle(a, b, space, replica, fork, &msg);
	else if (replica_id_cmp(replica, replica_id(a->replica)) == 0 &&
		 feed_held(b->replica, space, replica) > feed_held(a->replica, space, replica))
		rc = replica_heal_own(a->replica, space, replica, 0, NULL, node_now(a).wall_ms,
				      &msg);
	else
		return false;
	if (rc != OK)
		fail(a, b, &msg);
	changed(a);
	return rc == OK;
}

static bool may_read(const struct node *n, const struct space_id *space)
{
	struct space_id directory = replica_directory(n->replica);

	return space_id_cmp(space, &directory) == 0 ||
	       replica_role(n->replica, replica_self(n->replica), space) != ROLE_NONE;
}

static bool may_share(const struct node *a, const struct node *b, const struct space_id *space)
{
	return may_read(a, space) && may_read(b, space);
}

static bool compare_space(struct node *a, struct node *b, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	struct errmsg msg = { 0 };
	struct tip *tips;
	size_t count = 0;
	bool done = false;

	if (replica_tips(b->replica, space, &arena, &tips, &count) != OK)
		fail(a, b, &msg);
	for (size_t i = 0; !done && !is_over(a, b) && i < count; i++)
		done = compare_feed(a, b, space, &tips[i].replica);
	arena_release(&arena);
	return done;
}

/* True: `a` has done something, so look again. */
static bool compare(struct node *a, struct node *b)
{
	size_t count;

	replica_spaces(b->replica, &count);
	for (size_t i = 0; i < count; i++) {
		struct space_id space = replica_spaces(b->replica, &count)[i];

		if (may_share(a, b, &space) && compare_space(a, b, &space))
			return true;
	}
	return false;
}

/* ---- Changesets ---------------------------------------------------------------------- */

/* What was sent, and of a feed that must wait all that would come after it. */
static enum err note_sent(const struct node *to, const struct space_id *space,
			  const struct sealed *s, struct vv *has)
{
	bool waits = feed_held(to->replica, space, &s->replica) < s->seq;

	return vv_raise(has, &s->replica, waits ? SEQ_MAX : s->seq);
}

/* One piece of what `to` lacks and `has` does not cover; false: there is no more. */
static bool take_piece(struct node *to, struct node *from, const struct space_id *space,
		       struct vv *has)
{
	struct arena arena = ARENA_EMPTY;
	struct receipt receipt = { 0 };
	struct errmsg msg = { 0 };
	struct sealed *list;
	size_t count = 0;
	bool more = false;
	enum err rc = replica_missing(from->replica, space, has, PIECE_BYTES, PIECE_COUNT, &arena,
				      &list, &count, &more, &msg);

	if (rc == OK && count)
		rc = replica_receive(to->replica, space, list, count, node_now(to).wall_ms,
				     &receipt, &msg);
	if (rc != OK)
		fail(to, from, &msg);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = note_sent(to, space, &list[i], has);
	to->world->stats.held_back += receipt.held_back;
	arena_release(&arena);
	if (count)
		changed(to);
	return rc == OK && more;
}

static void take(struct node *to, struct node *from, const struct space_id *space)
{
	struct vv has = VV_EMPTY;
	bool more = vv_merge(&has, replica_vv(to->replica, space)) == OK;

	while (more) {
		/* What came may have made one of them go on under another id. */
		exchange_statements(to, from);
		more = are_members(to, from) && may_share(to, from, space) &&
		       take_piece(to, from, space, &has);
	}
	vv_release(&has);
}

static bool refresh(struct node *n)
{
	struct errmsg msg = { 0 };
	bool news;

	return replica_refresh(n->replica, &news, &msg) == OK && !memdisk_has_failed(n->disk);
}

void meeting_hold(struct node *a, struct node *b)
{
	struct errmsg msg = { .text = "there is no end of forks" };
	bool again = true;
	size_t count;

	if (!meeting_can_be(a, b) || !refresh(a) || !refresh(b))
		return;
	audit_node(a);
	audit_node(b);
	for (int i = 0; again; i++) {
		if (i > ROUNDS_MAX)
			fail(a, b, &msg);
		exchange_statements(a, b);
		again = are_members(a, b) && (compare(a, b) || compare(b, a));
	}
	if (!are_members(a, b))
		return;
	replica_spaces(a->replica, &count);
	for (size_t i = 0; i < count && !is_over(a, b); i++) {
		struct space_id space = replica_spaces(a->replica, &count)[i];

		if (!may_share(a, b, &space))
			continue;
		take(a, b, &space);
		if (are_members(a, b) && may_share(a, b, &space))
			take(b, a, &space);
	}
}
