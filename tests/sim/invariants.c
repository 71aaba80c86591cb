#include "tests/sim/invariants.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "tests/sim/node.h"

enum {
	READ_BYTES = 1 << 20,
	READ_COUNT = 1000,
	/* What an engine may leave to a connection: its high-water mark, and above it
	 * a chunk that is one large changeset. */
	QUEUE_BYTES_MAX = 2 << 20,
	FRESH_MAX = 6, /* of the news, records compared with the oracle after an event */
};

/* One space of one node, from what was held before to what is held now. */
struct audit {
	struct node *n;
	struct world *w;
	uint32_t space;
	uint32_t *before;  /* the event: a frontier */
	uint32_t *held;    /* another one, which grows as the news is read */
	uint32_t *now;     /* what it will be, as if nothing had forked */
	uint32_t *counted; /* room for another one */
	const struct ledger_entry *fresh[FRESH_MAX]; /* a sample of the news */
	size_t news;
	bool has_come; /* of feeds that did not fork, which nothing is put back into */
	struct arena arena;
	struct errmsg msg;
};

static void *must(void *memory)
{
	if (!memory) {
		perror("invariants");
		abort();
	}
	return memory;
}

/* "N03 space 1 N00/17"; the node that began the epoch, and its number if it is not the
 * first one. */
static const char *place(const struct audit *a, uint32_t author, uint64_t seq, char out[64])
{
	const struct ledger_author *of = &a->w->ledger.authors[author];

	if (author == of->owner)
		snprintf(out, 64, "%s space %u %s/%" PRIu64, a->n->code, a->space,
			 a->w->nodes[of->owner].code, seq);
	else
		snprintf(out, 64, "%s space %u %s'%u/%" PRIu64, a->n->code, a->space,
			 a->w->nodes[of->owner].code, author, seq);
	return out;
}

/* How far feeds count. */

uint32_t audit_limit(const struct node *n, uint32_t space, uint32_t author)
{
	uint32_t root = n->world->ledger.authors[author].root;

	if (!world_is_contested(n->world))
		return UINT32_MAX;
	return root < n->limit_count[space] ? n->limits[space][root] : 0;
}

static uint32_t cut_of(const struct node *n, uint32_t space, uint32_t author)
{
	const struct ledger *l = &n->world->ledger;
	uint64_t seq = trust_cut(n->view->trust, &l->authors[author].id, &l->spaces[space]).seq;

	return seq < UINT32_MAX ? (uint32_t)seq : UINT32_MAX;
}

static uint32_t *frontier_new(const struct world *w)
{
	return must(calloc(w->ledger.author_max, sizeof(uint32_t)));
}

/* `is_new`: the node knows more of the membership than at the last audit. */
static void learn_limits(struct node *n, uint32_t space, bool is_new)
{
	uint32_t known = n->limit_count[space], count = n->world->ledger.author_count;

	if (!n->limits[space]) {
		n->limits[space] = frontier_new(n->world);
		n->limits_before[space] = frontier_new(n->world);
	}
	memcpy(n->limits_before[space], n->limits[space], known * sizeof(uint32_t));
	for (uint32_t i = is_new ? 0 : known; i < count && n->view; i++)
		n->limits[space][i] = cut_of(n, space, i);
	for (uint32_t i = known; i < count; i++)
		n->limits_before[space][i] = n->limits[space][i];
	n->limit_count[space] = n->view ? count : 0;
}

void audit_counted(const struct node *n, uint32_t space, uint32_t *out)
{
	const struct ledger *l = &n->world->ledger;

	memcpy(out, n->held[space], l->author_max * sizeof(*out));
	for (uint32_t i = 0; i < l->author_count && world_is_contested(n->world); i++) {
		uint32_t limit = audit_limit(n, space, i);

		if (out[i] > limit)
			out[i] = limit;
		if (out[i] < l->authors[i].first)
			out[i] = 0;
	}
}

/* M-21: it does not count here, or may be of another branch. */
static bool is_waited_for(const struct audit *a, uint32_t author, uint32_t seq)
{
	const struct ledger *l = &a->w->ledger;
	uint32_t root = l->authors[author].root, fork = l->feeds[a->space][root].fork;
	uint32_t limit = audit_limit(a->n, a->space, root);

	if (!world_is_contested(a->w))
		return true;
	if (seq < l->authors[author].first)
		seq = l->authors[author].first; /* of a branch */
	/* What was said of it may have come in the same event, before or after. */
	if (root < a->n->limit_count[a->space] && limit > a->n->limits_before[a->space][root])
		limit = a->n->limits_before[a->space][root];
	return seq <= limit && !(fork && seq >= fork);
}

/* W-5: all that the author held is held. */
static void check_causality(struct audit *a, const struct ledger_entry *e)
{
	char text[64], missing[64];

	for (uint32_t i = 0; i < e->context_count; i++)
		if (e->context[i] > a->held[i] && is_waited_for(a, i, a->held[i] + 1))
			world_fail(a->w, "W-5", "%s is held without %s",
				   place(a, e->author, e->seq, text),
				   place(a, i, e->context[i], missing));
}

/* What the node holds at the dot; NULL = nothing. */
static const struct ledger_entry *find_held(const struct audit *a, const struct dot *dot)
{
	const struct ledger *l = &a->w->ledger;
	uint32_t root = ledger_author(l, &dot->replica);
	const struct ledger_entry *tip =
		root == LEDGER_NONE ? NULL : ledger_tip(l, a->space, a->held, root);

	return tip && dot->seq <= tip->seq ? ledger_find(l, a->space, tip->author, dot->seq) : NULL;
}

static void reach(const struct ledger *l, uint32_t *reached, const struct ledger_entry *e)
{
	for (uint32_t i = 0; i < e->context_count; i++)
		if (reached[i] < e->context[i])
			reached[i] = e->context[i];
	if (reached[e->author] < e->seq)
		reached[e->author] = e->seq;
}

/* Where feeds are cut, what is reached and not held has left the log (M-16): with what names it
 * it was held (W-5), and when it may go says W-4. */
static bool is_reached(const struct audit *a, const struct ledger_entry *e, const uint32_t *reached)
{
	for (uint32_t i = 0; i < e->context_count; i++) {
		bool is_less = reached[i] < e->context[i];
		uint32_t less = is_less ? reached[i] : e->context[i];

		if (reached[i] != e->context[i] && is_waited_for(a, i, less + 1) &&
		    (is_less || !world_is_contested(a->w)))
			return false;
	}
	return true;
}

/* The other way round: the dependencies, followed to the end. */
static void check_dependencies(struct audit *a, const struct ledger_entry *e)
{
	const struct ledger *l = &a->w->ledger;
	uint32_t *reached = frontier_new(a->w);
	char text[64];

	if (e->before)
		reach(l, reached, e->before);
	for (size_t i = 0; i < e->cs.dep_count; i++) {
		const struct dot *dep = &e->cs.deps[i];
		const struct ledger_entry *d = find_held(a, dep);

		if (!d) {
			world_fail(a->w, "W-6", "%s depends on what does not exist",
				   place(a, e->author, e->seq, text));
			break;
		}
		if (hlc_cmp(e->cs.hlc, d->cs.hlc) <= 0 && is_waited_for(a, d->author, d->seq))
			world_fail(a->w, "W-7", "%s has a stamp not after its dependency's",
				   place(a, e->author, e->seq, text));
		reach(l, reached, d);
	}
	if (!is_reached(a, e, reached))
		world_fail(a->w, "W-6", "%s does not depend on exactly what its author held",
			   place(a, e->author, e->seq, text));
	free(reached);
}

/* What a crash interrupted may have been kept; the clock may have changed since. */
static uint64_t latest_wall_ms(const struct node *n)
{
	uint64_t now_ms = node_now(n).wall_ms;

	return now_ms > n->died_wall_ms ? now_ms : n->died_wall_ms;
}

/* A stamp runs ahead of the wall clock only as far as something held does. */
static void check_own_clock(struct audit *a, const struct ledger_entry *e)
{
	uint64_t bound = latest_wall_ms(a->n);
	char text[64];

	if (bound < a->n->greatest_hlc_ms)
		bound = a->n->greatest_hlc_ms;
	if (hlc_wall_ms(e->cs.hlc) > bound + 1)
		world_fail(a->w, "W-7", "%s is stamped %" PRIu64 " ms ahead of every clock seen",
			   place(a, e->author, e->seq, text), hlc_wall_ms(e->cs.hlc) - bound);
}

/* Which offices there are and what they take part in, once anybody has made it durable. */
static void note_members(struct node *n, const struct trust *trust)
{
	struct world *w = n->world;

	for (unsigned k = 0; k < w->node_count; k++) {
		if (!trust_epoch(trust, &w->nodes[k].identity.replica))
			continue;
		w->offices[k] = office_record(trust->org, w->nodes[k].office);
		for (unsigned s = 0; s < w->space_count; s++)
			w->spaces[s].has[k] |= trust_role(trust, &w->spaces[s].id,
							  w->nodes[k].office) != ROLE_NONE;
	}
}

/* W-21; true when it knows more than at the last audit. */
static bool learn_view(struct node *n)
{
	const struct trust *trust = replica_trust(n->replica);
	struct errmsg msg = { 0 };

	if (!trust || (n->view && memcmp(n->view->digest, trust->digest, STATEMENT_ID_BYTES) == 0))
		return false;
	if (views_of(&n->world->views, n->replica, &n->view, &msg) != OK) {
		world_fail(n->world, "W-21", "%s: %s", n->code, msg.text);
		return false;
	}
	note_members(n, trust);
	return true;
}

/* The epochs that it has begun itself, the last one current. Nobody else can have heard
 * of them before. */
static void learn_epochs(struct node *n)
{
	struct ledger *l = &n->world->ledger;
	const struct replica_id *id = replica_id(n->replica);
	const struct trust *trust = replica_trust(n->replica);
	const struct trust_epoch *own = trust ? trust_epoch(trust, id) : NULL;

	for (size_t i = 0; own && i < trust->epoch_count; i++)
		if (record_id_cmp(&trust->epochs[i].node, &own->node) == 0 &&
		    ledger_author(l, &trust->epochs[i].replica) == LEDGER_NONE)
			ledger_add_author(l, &trust->epochs[i].replica, n->owner);
	if (ledger_author(l, id) == LEDGER_NONE)
		ledger_add_author(l, id, n->owner);
	if (n->author == ledger_author(l, id))
		return;
	n->author = ledger_author(l, id);
	n->identity = replica_identity(n->replica, n->identity.noise_key);
	memset(n->acknowledged, 0, sizeof(n->acknowledged));
	world_note(n->world, n, "goes on as author %u", n->author);
}

/* What it has written by itself names what it held, and that is at least what it held
 * before the event: what came in the same event may have come after it. */
static enum err context_of(struct audit *a, const struct ledger_entry *before,
			   const struct sealed *s, uint32_t *out)
{
	struct changeset cs;
	enum err rc = changeset_decode(&cs, s->body, &s->replica, &a->arena, &a->msg);

	memcpy(out, a->before, a->w->ledger.author_max * sizeof(*out));
	if (rc == OK && before)
		reach(&a->w->ledger, out, before);
	for (size_t i = 0; rc == OK && i < cs.dep_count; i++) {
		const struct ledger_entry *dep = find_held(a, &cs.deps[i]);

		if (dep)
			reach(&a->w->ledger, out, dep);
	}
	for (uint32_t i = 0; i < a->w->ledger.author_count; i++)
		if (out[i] > a->held[i])
			out[i] = a->held[i];
	return rc;
}

/* The replica has written this itself; `before` is the last that it holds of that feed. */
static const struct ledger_entry *enter_own(struct audit *a, uint32_t root,
					    const struct ledger_entry *before,
					    const struct sealed *s)
{
	bool is_again = world_is_contested(a->w) && !a->n->is_writing;
	uint32_t *context = frontier_new(a->w);
	struct ledger_entry *e = NULL;
	enum err rc = OK;
	char text[64];

	audit_counted(a->n, a->space, a->counted);
	if (is_again)
		rc = context_of(a, before, s, context);
	if (rc == OK)
		rc = ledger_enter(&a->w->ledger, a->space, root, before, s,
				  is_again ? context : a->held, &e, &a->msg);
	free(context);
	if (rc != OK) {
		world_fail(a->w, "W-1", "%s: %s", place(a, root, s->seq, text), a->msg.text);
		return NULL;
	}
	e->view = a->n->view;
	e->is_again = is_again;
	oracle_learn(&a->w->oracle, e);
	a->w->stats.changesets++;
	a->w->stats.again += e->is_again;
	if (before && hlc_cmp(e->cs.hlc, before->cs.hlc) <= 0)
		world_fail(a->w, "W-7", "%s has a stamp not after the one before",
			   place(a, e->author, e->seq, text));
	check_dependencies(a, e);
	check_own_clock(a, e);
	if (world_is_contested(a->w) && !e->is_again &&
	    !oracle_names_rightly(&a->w->oracle, e, a->counted))
		world_fail(a->w, "W-6", "%s does not name what it replaces",
			   place(a, e->author, e->seq, text));
	return e;
}

static bool is_own(const struct audit *a, uint32_t root)
{
	return a->w->ledger.authors[root].owner == a->n->owner;
}

/* W-2, W-3: what the book has of it, or has from now on. */
static const struct ledger_entry *identify(struct audit *a, uint32_t root, const struct sealed *s)
{
	const struct ledger *l = &a->w->ledger;
	const struct ledger_entry *before = ledger_tip(l, a->space, a->held, root);
	const struct ledger_entry *e = ledger_next(l, a->space, root, before, s);
	bool is_known = !e && ledger_has_dot(l, a->space, root, s->seq);
	char text[64];

	if (e)
		return e;
	if (is_known && !(is_own(a, root) && l->authors[root].may_fork))
		world_fail(a->w, "W-2", "%s has another content here",
			   place(a, root, s->seq, text));
	else if (!is_own(a, root))
		world_fail(a->w, "W-3", "%s is held, but its author never made it durable",
			   place(a, root, s->seq, text));
	else
		return enter_own(a, root, before, s);
	return NULL;
}

/* W-22, W-23 */
static void check_let_in(struct audit *a, const struct ledger_entry *e)
{
	const struct replica_id *id = replica_id(a->n->replica);
	const struct space_id *space = &a->w->ledger.spaces[a->space];
	char text[64];

	if (!e->view || !a->n->view)
		return;
	if (!view_includes(a->n->view, e->view))
		world_fail(a->w, "W-23", "%s is held without the statements that its author held",
			   place(a, e->author, e->seq, text));
	else if (!view_lets_in(a->n->view, id, space) && !view_lets_in(e->view, id, space) &&
		 !views_ever_let_in(&a->w->views, e->view, id, space))
		world_fail(a->w, "W-22", "%s is new, and its author knew of the removal",
			   place(a, e->author, e->seq, text));
}

static void check_taken(struct audit *a, const struct ledger_entry *e)
{
	char text[64];

	a->w->stats.applied++;
	if (hlc_wall_ms(e->cs.hlc) > latest_wall_ms(a->n) + HLC_AHEAD_MS_MAX)
		world_fail(a->w, "W-8", "%s is from the future", place(a, e->author, e->seq, text));
	check_let_in(a, e);
}

/* One changeset that the node holds and did not before. */
static void check_new(struct audit *a, const struct sealed *s)
{
	uint32_t root = ledger_author(&a->w->ledger, &s->replica);
	const struct ledger_entry *e = identify(a, root, s);

	if (!e)
		return;
	if (!is_own(a, root))
		check_taken(a, e);
	check_causality(a, e);
	a->held[e->author] = e->seq;
	if (hlc_wall_ms(e->cs.hlc) > a->n->greatest_hlc_ms)
		a->n->greatest_hlc_ms = hlc_wall_ms(e->cs.hlc);
	/* Each with the same chance. */
	if (a->news++ < FRESH_MAX)
		a->fresh[a->news - 1] = e;
	else if (prng_below(&a->w->dice, a->news) < FRESH_MAX)
		a->fresh[prng_below(&a->w->dice, FRESH_MAX)] = e;
}

/* W-11 for a record that a changeset touched. */
static void check_record(struct audit *a, const struct ledger_entry *e)
{
	const struct op *op = &e->cs.ops[prng_below(&a->w->dice, e->cs.op_count)];
	const struct subject *s = oracle_find(&a->w->oracle, a->space, op->kind, &op->record);

	if (s && schema_kind(s->kind) &&
	    oracle_compare(&a->w->oracle, s, a->counted, a->n->replica, &a->msg) != OK)
		world_fail(a->w, "W-11", "%s: %s", a->n->code, a->msg.text);
}

/* Read what is new and check each piece, as far as the disk lets us. */
static void read_news(struct audit *a)
{
	struct vv has = VV_EMPTY;
	struct sealed *list;
	size_t count;
	bool more = true;
	enum err rc = OK;

	while (rc == OK && more && !a->w->rule) {
		arena_reset(&a->arena);
		ledger_vv(&a->w->ledger, a->held, &has);
		rc = replica_missing(a->n->replica, &a->w->ledger.spaces[a->space], &has,
				     READ_BYTES, READ_COUNT, &a->arena, &list, &count, &more,
				     &a->msg);
		for (size_t i = 0; rc == OK && i < count && !a->w->rule; i++)
			check_new(a, &list[i]);
	}
	vv_release(&has);
	if (rc != OK && !memdisk_has_failed(a->n->disk))
		world_fail(a->w, "W-15", "%s can't read its log: %s", a->n->code, a->msg.text);
	audit_counted(a->n, a->space, a->counted);
	for (size_t i = 0; rc == OK && i < a->news && i < FRESH_MAX && !a->w->rule; i++)
		check_record(a, a->fresh[i]);
}

/* Of a feed that has forked: how far the log is still what was held of it. */
static uint32_t common_seq(struct audit *a, const struct ledger_entry *tip, uint32_t seq)
{
	uint32_t same = 0, differs = (tip->seq < seq ? tip->seq : seq) + 1;
	const struct space_id *space = &a->w->ledger.spaces[a->space];

	for (uint32_t at = differs - 1; differs - same > 1; at = same + (differs - same) / 2) {
		const struct ledger_entry *e =
			ledger_find(&a->w->ledger, a->space, tip->author, at);
		struct dot dot = { a->w->ledger.authors[tip->author].id, at };
		uint8_t tag[TAG_BYTES];

		if (replica_tag(a->n->replica, space, &dot, tag, &a->msg) == OK &&
		    memcmp(tag, e->link, TAG_BYTES) == 0)
			same = at;
		else
			differs = at;
	}
	return same;
}

/* M-16: a cut names another branch than that which was held, and no proof needs to say
 * where they part. */
static bool is_cut_elsewhere(const struct audit *a, const struct ledger_entry *tip)
{
	const struct ledger *l = &a->w->ledger;
	struct trust_cut cut =
		trust_cut(a->n->view->trust, &l->authors[tip->author].id, &l->spaces[a->space]);
	const struct ledger_entry *e = cut.has_link && cut.seq <= tip->seq
					       ? ledger_find(l, a->space, tip->author, cut.seq)
					       : NULL;

	return e && memcmp(e->link, cut.link, LINK_BYTES) != 0;
}

/* W-4 where a feed has forked: what lies beyond may go; true when something else came. */
static bool check_branch(struct audit *a, uint32_t root)
{
	const struct ledger_entry *tip = ledger_tip(&a->w->ledger, a->space, a->held, root);
	uint32_t fork = a->w->ledger.feeds[a->space][root].fork;
	uint32_t same = tip ? common_seq(a, tip, a->now[root]) : 0;
	char text[64];

	if (tip && same < tip->seq && same + 1 < fork && !is_cut_elsewhere(a, tip))
		world_fail(a->w, "W-4", "%s was held, now only up to %u, and it forked at %u",
			   place(a, tip->author, tip->seq, text), same, fork);
	if (tip && same < tip->seq)
		ledger_cap(&a->w->ledger, a->held, root, same);
	return a->now[root] > same;
}

/* W-4; true when something is new. */
static bool check_growth(struct audit *a)
{
	const struct ledger *l = &a->w->ledger;
	uint32_t own = a->n->author;
	bool grown = false;
	char text[64];

	if (a->now[own] < a->n->acknowledged[a->space] && !l->feeds[a->space][own].fork)
		world_fail(a->w, "W-1", "%s was acknowledged and is gone",
			   place(a, own, a->n->acknowledged[a->space], text));

	for (uint32_t i = 0; i < l->author_count; i++) {
		if (l->authors[i].root != i)
			continue;
		if (l->feeds[a->space][i].fork) {
			grown |= check_branch(a, i);
			continue;
		}
		a->has_come |= a->now[i] > a->held[i];
		if (a->now[i] < a->held[i])
			world_fail(a->w, i == own ? "W-1" : "W-4", "%s was held, now only up to %u",
				   place(a, i, a->held[i], text), a->now[i]);
	}
	return grown || a->has_come;
}

/* W-9; what came may have come before the grant was taken away, in the same event. A branch
 * that an adoption puts back into the log was here before. */
static void check_grant(struct audit *a)
{
	if (a->has_come && !a->n->could_read[a->space] && !node_may(a->n, a->space, ROLE_READER))
		world_fail(a->w, "W-9", "%s takes of space %u without a grant", a->n->code,
			   a->space);
}

/* Only count: for measuring. */
static void count_news(struct audit *a)
{
	for (uint32_t i = 0; i < a->w->ledger.author_count; i++)
		if (i != a->n->author)
			a->w->stats.applied += a->now[i] - a->held[i];
		else
			a->w->stats.changesets += a->now[i] - a->held[i];
	memcpy(a->held, a->now, a->w->ledger.author_max * sizeof(*a->now));
}

static void audit_space(struct node *n, uint32_t space, const struct vv *vv, bool knows_more)
{
	struct world *w = n->world;
	struct audit a = { .n = n, .w = w, .space = space, .now = frontier_new(w) };
	uint32_t stranger;

	if (!n->held[space])
		n->held[space] = frontier_new(w);
	if (world_is_contested(w))
		learn_limits(n, space, knows_more);
	a.held = n->held[space];
	a.before = frontier_new(w);
	memcpy(a.before, a.held, w->ledger.author_max * sizeof(*a.before));
	a.counted = frontier_new(w);
	stranger = ledger_frontier(&w->ledger, vv, a.now);
	if (stranger != LEDGER_NONE)
		world_fail(w, "W-3", "%s holds a feed that nobody writes", n->code);
	else if (check_growth(&a) && !w->rule) {
		check_grant(&a);
		if (w->config.no_audit)
			count_news(&a);
		else
			read_news(&a);
	}
	n->could_read[space] = node_may(n, space, ROLE_READER);
	free(a.before);
	free(a.now);
	free(a.counted);
	arena_release(&a.arena);
}

void audit_node(struct node *n)
{
	struct world *w = n->world;
	struct errmsg msg = { 0 };
	bool changed, knows_more;
	size_t count;

	if (!node_is_running(n) || w->rule || memdisk_has_failed(n->disk))
		return;
	learn_epochs(n);
	if (!replica_has_org(n->replica))
		return;
	if (replica_refresh(n->replica, &changed, &msg) != OK) {
		world_fail(w, "W-15", "%s can't be read: %s", n->code, msg.text);
		return;
	}
	learn_epochs(n);
	knows_more = learn_view(n);
	replica_spaces(n->replica, &count);
	for (size_t i = 0; i < count && !w->rule; i++) {
		const struct space_id *id = &replica_spaces(n->replica, &count)[i];
		uint32_t space = ledger_space(&w->ledger, id);

		if (space != LEDGER_NONE)
			audit_space(n, space, replica_vv(n->replica, id), knows_more);
		else
			world_fail(w, "W-3", "%s knows a space that nobody made", n->code);
	}
	if (net_stats(w->net)->queue_bytes_max > QUEUE_BYTES_MAX)
		world_fail(w, "W-10", "%s: a connection's queue has grown to %zu bytes", n->code,
			   net_stats(w->net)->queue_bytes_max);
}
