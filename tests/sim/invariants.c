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
	uint32_t *before, *now; /* frontiers; `before` grows as the news is read */
	const struct ledger_entry *fresh[FRESH_MAX]; /* a sample of the news */
	size_t news;
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

/* "N03 space 1 N00/17" */
static const char *place(const struct audit *a, uint32_t author, uint64_t seq, char out[64])
{
	snprintf(out, 64, "%s space %u %s/%" PRIu64, a->n->code, a->space, a->w->nodes[author].code,
		 seq);
	return out;
}

/* W-5: all that the author held is held. */
static void check_causality(struct audit *a, const struct ledger_entry *e)
{
	char text[64], missing[64];

	for (uint32_t i = 0; i < a->w->ledger.author_count; i++)
		if (e->context[i] > a->before[i])
			world_fail(a->w, "W-5", "%s is held without %s",
				   place(a, e->author, e->seq, text),
				   place(a, i, e->context[i], missing));
}

/* The other way round: the dependencies, followed to the end. */
static void check_dependencies(struct audit *a, const struct ledger_entry *e)
{
	const struct ledger *l = &a->w->ledger;
	uint32_t *reached = must(calloc(l->author_max, sizeof(*reached)));
	const struct ledger_entry *last = ledger_find(l, e->space, e->author, e->seq - 1);
	char text[64];

	if (last)
		memcpy(reached, last->context, l->author_max * sizeof(*reached));
	reached[e->author] = e->seq - 1;
	for (size_t i = 0; i < e->cs.dep_count; i++) {
		const struct dot *dep = &e->cs.deps[i];
		uint32_t author = ledger_author(l, &dep->replica);
		const struct ledger_entry *d =
			author == LEDGER_NONE ? NULL : ledger_find(l, e->space, author, dep->seq);

		if (!d) {
			world_fail(a->w, "W-6", "%s depends on what does not exist",
				   place(a, e->author, e->seq, text));
			break;
		}
		if (hlc_cmp(e->cs.hlc, d->cs.hlc) <= 0)
			world_fail(a->w, "W-7", "%s has a stamp not after its dependency's",
				   place(a, e->author, e->seq, text));
		for (uint32_t k = 0; k < l->author_count; k++)
			if (reached[k] < d->context[k])
				reached[k] = d->context[k];
		if (reached[author] < d->seq)
			reached[author] = d->seq;
	}
	if (memcmp(reached, e->context, l->author_max * sizeof(*reached)) != 0)
		world_fail(a->w, "W-6", "%s does not depend on exactly what its author held",
			   place(a, e->author, e->seq, text));
	free(reached);
}

/* A stamp runs ahead of the wall clock only as far as something held does. */
static void check_own_clock(struct audit *a, const struct ledger_entry *e)
{
	uint64_t bound = node_now(a->n).wall_ms;
	char text[64];

	if (bound < a->n->greatest_hlc_ms)
		bound = a->n->greatest_hlc_ms;
	/* What a crash interrupted may have been kept; the clock may have changed since. */
	if (bound < a->n->died_wall_ms)
		bound = a->n->died_wall_ms;
	if (hlc_wall_ms(e->cs.hlc) > bound + 1)
		world_fail(a->w, "W-7", "%s is stamped %" PRIu64 " ms ahead of every clock seen",
			   place(a, e->author, e->seq, text), hlc_wall_ms(e->cs.hlc) - bound);
}

/* Which offices there are and what they take part in, once anybody has made it durable. */
static void learn_members(struct node *n)
{
	struct world *w = n->world;
	const struct trust *trust = replica_trust(n->replica);

	if (!trust || trust->statement_count == n->statement_count)
		return;
	n->statement_count = trust->statement_count;
	for (unsigned k = 0; k < w->node_count; k++) {
		if (!trust_epoch(trust, &w->nodes[k].identity.replica))
			continue;
		w->offices[k] = office_record(trust->org, w->nodes[k].code);
		for (unsigned s = 0; s < w->space_count; s++)
			w->spaces[s].has[k] |=
				trust_role(trust, &w->spaces[s].id, w->nodes[k].code) != ROLE_NONE;
	}
}

/* The replica has written this itself; `before` is what it held then. */
static const struct ledger_entry *enter_own(struct audit *a, const struct sealed *s)
{
	const struct ledger_entry *e = NULL, *last;
	char text[64];

	if (ledger_enter(&a->w->ledger, a->space, s, a->before, &e, &a->msg) != OK) {
		world_fail(a->w, "W-1", "%s: %s", place(a, a->n->author, s->seq, text),
			   a->msg.text);
		return NULL;
	}
	oracle_learn(&a->w->oracle, e);
	a->w->stats.changesets++;
	last = ledger_find(&a->w->ledger, a->space, e->author, e->seq - 1);
	if (last && hlc_cmp(e->cs.hlc, last->cs.hlc) <= 0)
		world_fail(a->w, "W-7", "%s has a stamp not after the one before",
			   place(a, e->author, e->seq, text));
	check_dependencies(a, e);
	check_own_clock(a, e);
	return e;
}

/* W-2, W-3, W-8: one changeset that the node holds and did not before. */
static void check_new(struct audit *a, const struct sealed *s)
{
	uint32_t author = ledger_author(&a->w->ledger, &s->replica);
	const struct ledger_entry *e = ledger_find(&a->w->ledger, a->space, author, s->seq);
	char text[64];

	if (!e && author == a->n->author)
		e = enter_own(a, s);
	else if (!e)
		world_fail(a->w, "W-3", "%s is held, but its author never made it durable",
			   place(a, author, s->seq, text));
	if (!e)
		return;
	if (!bytes_equal(e->body, s->body) ||
	    memcmp(e->signature, s->signature, SIGNATURE_BYTES) != 0)
		world_fail(a->w, "W-2", "%s has another content here",
			   place(a, author, s->seq, text));
	if (author != a->n->author) {
		a->w->stats.applied++;
		if (hlc_wall_ms(e->cs.hlc) > node_now(a->n).wall_ms + HLC_AHEAD_MS_MAX)
			world_fail(a->w, "W-8", "%s is from the future",
				   place(a, author, s->seq, text));
	}
	check_causality(a, e);
	a->before[author] = (uint32_t)s->seq;
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
	    oracle_compare(&a->w->oracle, s, a->now, a->n->replica, &a->msg) != OK)
		world_fail(a->w, "W-11", "%s: %s", a->n->code, a->msg.text);
}

/* Read what is new and check each piece; false when the disk stands in the way. */
static bool read_news(struct audit *a)
{
	struct vv has = VV_EMPTY;
	struct sealed *list;
	size_t count;
	bool more = true;
	enum err rc = OK;

	while (rc == OK && more && !a->w->rule) {
		arena_reset(&a->arena);
		ledger_vv(&a->w->ledger, a->before, &has);
		rc = replica_missing(a->n->replica, &a->w->ledger.spaces[a->space], &has,
				     READ_BYTES, READ_COUNT, &a->arena, &list, &count, &more,
				     &a->msg);
		for (size_t i = 0; rc == OK && i < count && !a->w->rule; i++)
			check_new(a, &list[i]);
	}
	vv_release(&has);
	if (rc != OK && !memdisk_has_failed(a->n->disk))
		world_fail(a->w, "W-15", "%s can't read its log: %s", a->n->code, a->msg.text);
	for (size_t i = 0; rc == OK && i < a->news && i < FRESH_MAX && !a->w->rule; i++)
		check_record(a, a->fresh[i]);
	return rc == OK;
}

/* W-4; true when something is new. */
static bool check_growth(struct audit *a)
{
	bool grown = false;
	uint32_t own = a->n->author;
	char text[64];

	if (a->now[own] < a->n->acknowledged[a->space])
		world_fail(a->w, "W-1", "%s was acknowledged and is gone",
			   place(a, own, a->n->acknowledged[a->space], text));

	for (uint32_t i = 0; i < a->w->ledger.author_count; i++) {
		grown |= a->now[i] > a->before[i];
		if (a->now[i] < a->before[i])
			world_fail(a->w, i == own ? "W-1" : "W-4", "%s was held, now only up to %u",
				   place(a, i, a->before[i], text), a->now[i]);
	}
	return grown;
}

/* W-9 */
static void check_grant(struct audit *a)
{
	const struct member *self = replica_self(a->n->replica);

	if (a->space != 0 &&
	    (!self || !replica_is_granted(a->n->replica, self, &a->w->ledger.spaces[a->space])))
		world_fail(a->w, "W-9", "%s holds space %u without a grant", a->n->code, a->space);
}

static uint32_t *frontier_new(const struct world *w)
{
	return must(calloc(w->ledger.author_max, sizeof(uint32_t)));
}

/* Only count: for measuring. */
static void count_news(struct audit *a)
{
	for (uint32_t i = 0; i < a->w->ledger.author_count; i++)
		if (i != a->n->author)
			a->w->stats.applied += a->now[i] - a->before[i];
		else
			a->w->stats.changesets += a->now[i] - a->before[i];
}

static void audit_space(struct node *n, uint32_t space, const struct vv *vv)
{
	struct world *w = n->world;
	struct audit a = { .n = n, .w = w, .space = space, .now = frontier_new(w) };
	bool is_read = true;
	uint32_t stranger;

	if (!n->held[space])
		n->held[space] = frontier_new(w);
	a.before = n->held[space];
	stranger = ledger_frontier(&w->ledger, vv, a.now);
	if (stranger != LEDGER_NONE)
		world_fail(w, "W-3", "%s holds a feed that nobody writes", n->code);
	else if (check_growth(&a) && !w->rule) {
		check_grant(&a);
		if (w->config.no_audit)
			count_news(&a);
		else
			is_read = read_news(&a);
	}
	if (is_read)
		memcpy(n->held[space], a.now, w->ledger.author_max * sizeof(*a.now));
	free(a.now);
	arena_release(&a.arena);
}

void audit_node(struct node *n)
{
	struct world *w = n->world;
	struct errmsg msg = { 0 };
	bool changed;
	size_t count;

	if (!node_is_running(n) || w->rule || memdisk_has_failed(n->disk) ||
	    !replica_has_org(n->replica))
		return;
	if (replica_refresh(n->replica, &changed, &msg) != OK) {
		world_fail(w, "W-15", "%s can't be read: %s", n->code, msg.text);
		return;
	}
	learn_members(n);
	replica_spaces(n->replica, &count);
	for (size_t i = 0; i < count && !w->rule; i++) {
		const struct space_id *id = &replica_spaces(n->replica, &count)[i];
		uint32_t space = ledger_space(&w->ledger, id);

		if (space != LEDGER_NONE)
			audit_space(n, space, replica_vv(n->replica, id));
		else
			world_fail(w, "W-3", "%s knows a space that nobody made", n->code);
	}
	if (net_stats(w->net)->queue_bytes_max > QUEUE_BYTES_MAX)
		world_fail(w, "W-10", "%s: a connection's queue has grown to %zu bytes", n->code,
			   net_stats(w->net)->queue_bytes_max);
}
