#include "tests/support/meeting.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/branching.h"

enum { ROUNDS_MAX = 1000, TAKE_COUNT = 20, TAKE_BYTES = 64 * 1024 };

static bool is_member(const struct office *o)
{
	return replica_check_member(o->replica, NULL) == OK;
}

/* What `o` holds at the dot. */
static struct witness witness_at(struct office *o, const struct space_id *space,
				 const struct dot *dot)
{
	struct arena arena = ARENA_EMPTY;
	struct witness witness;
	struct told told;

	OFFICE_MUST(replica_tell(o->replica, space, dot, &arena, &told, &msg));
	told_witness(&witness, &told);
	arena_release(&arena);
	return witness;
}

static void accept(const char *what, enum err rc, const struct errmsg *why)
{
	if (rc != OK && rc != ERR_EXISTS)
		office_die(what, rc, why->text);
}

/* What `o` does about a fork that it has found at `by`. */
static void settle(struct office *o, struct office *by, const struct space_id *space,
		   const struct replica_id *replica, uint64_t seq)
{
	struct dot dot = { *replica, seq };
	struct witness theirs = witness_at(by, space, &dot);
	struct errmsg why = { .text = "" };
	enum err rc = ERR_REPLICA;

	if (feed_is_own(o->replica, replica))
		rc = replica_heal_own(o->replica, space, replica, seq, &theirs, o->now_ms++, &why);
	if (rc == ERR_REPLICA)
		rc = replica_prove_fork(o->replica, space, &dot, &theirs, o->now_ms++, &why);
	accept("settle a fork", rc, &why);
}

/* One feed; true: something was done about it. */
static bool compare_feed(struct office *a, struct office *b, const struct space_id *space,
			 const struct replica_id *replica)
{
	uint64_t fork;
	struct errmsg why = { .text = "" };
	bool b_first = feed_is_own(b->replica, replica) && !feed_is_own(a->replica, replica);

	OFFICE_MUST(feed_branches_at(a->replica, b->replica, space, replica, &fork, &msg));
	if (fork) {
		settle(b_first ? b : a, b_first ? a : b, space, replica, fork);
		return true;
	}
	if (replica_id_cmp(replica, replica_id(a->replica)) != 0 ||
	    feed_held(b->replica, space, replica) <= feed_held(a->replica, space, replica))
		return false;
	accept("go on after having gone back",
	       replica_heal_own(a->replica, space, replica, 0, NULL, a->now_ms++, &why), &why);
	return true;
}

static bool compare_space(struct office *a, struct office *b, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	struct tip *tips;
	size_t count;
	bool done = false;

	OFFICE_MUST(replica_tips(b->replica, space, &arena, &tips, &count));
	for (size_t i = 0; !done && i < count; i++)
		done = compare_feed(a, b, space, &tips[i].replica);
	arena_release(&arena);
	return done;
}

/* True: something was done, so look again. */
static bool compare(struct office *a, struct office *b)
{
	size_t count;

	replica_spaces(b->replica, &count);
	for (size_t i = 0; i < count; i++) {
		struct space_id space = replica_spaces(b->replica, &count)[i];

		if (compare_space(a, b, &space))
			return true;
	}
	return false;
}

static void exchange_statements(struct office *a, struct office *b)
{
	size_t news = 1;

	for (int i = 0; news; i++) {
		if (i > ROUNDS_MAX)
			office_die("exchange statements", ERR_PROTOCOL, "they never agree");
		news = office_pull_statements(a, b);
		news += office_pull_statements(b, a);
	}
}

/* In small pieces: somewhere in between the office may stop. */
static void take(struct office *to, struct office *from, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	struct vv has = VV_EMPTY;
	bool more = true;

	OFFICE_MUST(vv_merge(&has, replica_vv(to->replica, space)));
	while (more) {
		struct sealed *list;
		struct receipt receipt;
		size_t count;

		/* What came may have made one of them go on under another id. */
		exchange_statements(to, from);
		if (!is_member(to) || !is_member(from))
			break;
		arena_reset(&arena);
		OFFICE_MUST(replica_missing(from->replica, space, &has, TAKE_BYTES, TAKE_COUNT,
					    &arena, &list, &count, &more, &msg));
		if (count == 0)
			break;
		OFFICE_MUST(replica_receive(to->replica, space, list, count, to->now_ms++, &receipt,
					    &msg));
		for (size_t i = 0; i < count; i++)
			OFFICE_MUST(vv_raise(&has, &list[i].replica, list[i].seq));
	}
	vv_release(&has);
	arena_release(&arena);
}

void office_meet(struct office *a, struct office *b)
{
	bool changed, again = true;
	size_t count;

	OFFICE_MUST(replica_refresh(a->replica, &changed, &msg));
	OFFICE_MUST(replica_refresh(b->replica, &changed, &msg));
	for (int i = 0; again; i++) {
		if (i > ROUNDS_MAX)
			office_die("look for forks", ERR_PROTOCOL, "there is no end of them");
		exchange_statements(a, b);
		again = is_member(a) && is_member(b) && (compare(a, b) || compare(b, a));
	}
	if (!is_member(a) || !is_member(b))
		return;
	replica_spaces(a->replica, &count);
	for (size_t i = 0; i < count; i++) {
		struct space_id space = replica_spaces(a->replica, &count)[i];

		take(a, b, &space);
		take(b, a, &space);
	}
}
