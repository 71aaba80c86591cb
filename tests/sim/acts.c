#include "tests/sim/acts.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/invariants.h"
#include "tests/sim/meeting.h"
#include "tests/sim/node.h"

enum {
	TRIES = 8,
	MEMBERS_MIN = 3, /* who is still there is not revoked below that, as far as is known */
	CANDIDATES_MAX = 64,
};

/* One act in the making. */
struct deed {
	struct node *n;
	struct world *w;
	struct prng *dice;
	struct replica *replica;
	const struct trust *trust;
	bool is_root; /* with the root key */
	struct arena arena;
	struct errmsg msg;
};

static unsigned below(struct deed *d, size_t limit)
{
	return (unsigned)prng_below(d->dice, limit);
}

/* ERR_NOT_FOUND, quietly: there is nothing to do it to. */
static enum err nothing(struct deed *d)
{
	return errmsg_set(&d->msg, ERR_NOT_FOUND, "nothing to do it to");
}

static enum err state(struct deed *d, struct statement *s)
{
	return replica_state(d->replica, s, &d->w->root, d->is_root, node_now(d->n).wall_ms,
			     &d->msg);
}

/* ---- Whom ------------------------------------------------------------------------ */

static const struct trust_node *draw_member(struct deed *d)
{
	for (int i = 0; i < TRIES && d->trust->node_count; i++) {
		const struct trust_node *node = &d->trust->nodes[below(d, d->trust->node_count)];

		if (!node->is_revoked)
			return node;
	}
	return NULL;
}

static size_t count_members(const struct trust *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->node_count; i++)
		count += !t->nodes[i].is_revoked;
	return count;
}

static const struct collaboration *draw_space(struct deed *d)
{
	return d->w->space_count ? &d->w->spaces[below(d, d->w->space_count)] : NULL;
}

/* ---- Where feeds end --------------------------------------------------------------- */

/* The same feed, some changesets earlier; the last cut may be gone then. */
static void lower(struct deed *d, struct cut *cuts, size_t *count)
{
	struct cut *cut = &cuts[below(d, *count)];
	uint32_t space = ledger_space(&d->w->ledger, &cut->space);
	uint32_t root = ledger_author(&d->w->ledger, &cut->replica);
	const uint32_t *held = space == LEDGER_NONE ? NULL : d->n->held[space];
	const struct ledger_entry *tip =
		held && root != LEDGER_NONE ? ledger_tip(&d->w->ledger, space, held, root) : NULL;
	uint64_t seq = prng_below(d->dice, cut->seq + 1);
	const struct ledger_entry *e = tip && seq && seq <= tip->seq
					       ? ledger_find(&d->w->ledger, space, tip->author, seq)
					       : NULL;

	if (e) {
		cut->seq = e->seq;
		memcpy(cut->link, e->link, LINK_BYTES);
	} else if (seq == 0) {
		memmove(cut, cut + 1, (*count - (size_t)(cut - cuts) - 1) * sizeof(*cut));
		--*count;
	}
}

static enum err cuts_of(struct deed *d, const struct record_id *node, const struct space_id *space,
			struct cut **out, size_t *count)
{
	enum err rc = replica_cuts_of(d->replica, node, space, &d->arena, out, count, &d->msg);

	if (rc == OK && *count && prng_chance(d->dice, 25))
		lower(d, *out, count);
	return rc;
}

static int compare_cuts(const void *a, const void *b)
{
	return cut_cmp(a, b);
}

/* Of all nodes that the office ever had. */
static enum err cuts_of_office(struct deed *d, const char *code, const struct space_id *space,
			       struct cut **out, size_t *count)
{
	struct cut *all = arena_array(&d->arena, CUTS_MAX, sizeof(*all)), *some;
	size_t got = 0, more = 0;
	enum err rc = all ? OK : ERR_NOMEM;

	for (size_t i = 0; rc == OK && i < d->trust->node_count; i++) {
		if (strcmp(d->trust->nodes[i].office_code, code) != 0)
			continue;
		rc = cuts_of(d, &d->trust->nodes[i].node, space, &some, &more);
		if (rc == OK && got + more > CUTS_MAX)
			rc = nothing(d);
		if (rc == OK && more)
			memcpy(all + got, some, more * sizeof(*all));
		got += rc == OK ? more : 0;
	}
	qsort(all, got, sizeof(*all), compare_cuts);
	*out = all;
	*count = got;
	return rc;
}

/* ---- What ------------------------------------------------------------------------ */

static enum err revoke(struct deed *d)
{
	struct statement s = { .type = STATEMENT_REVOKE };
	const struct trust_node *whom = draw_member(d);
	struct cut *cuts = NULL;
	enum err rc;

	if (!whom || count_members(d->trust) < MEMBERS_MIN)
		return nothing(d);
	s.u.revoke.node = whom->node;
	rc = cuts_of(d, &whom->node, NULL, &cuts, &s.u.revoke.cut_count);
	s.u.revoke.cuts = cuts;
	return rc == OK ? state(d, &s) : rc;
}

static enum err grant(struct deed *d)
{
	static const enum role roles[] = { ROLE_NONE,   ROLE_NONE,    ROLE_READER,
					   ROLE_EDITOR, ROLE_MANAGER, ROLE_MANAGER };
	struct statement s = { .type = STATEMENT_GRANT };
	const struct collaboration *c = draw_space(d);
	const struct trust_node *whom = draw_member(d);
	struct cut *cuts = NULL;
	enum err rc = OK;

	if (!c || !whom)
		return nothing(d);
	s.u.grant.space = c->id;
	s.u.grant.role = roles[below(d, sizeof(roles) / sizeof(roles[0]))];
	memcpy(s.u.grant.office_code, whom->office_code, sizeof(whom->office_code));
	if (s.u.grant.role < ROLE_EDITOR)
		rc = cuts_of_office(d, whom->office_code, &c->id, &cuts, &s.u.grant.cut_count);
	s.u.grant.cuts = cuts;
	return rc == OK ? state(d, &s) : rc;
}

static enum err set_admin(struct deed *d)
{
	struct statement s = { .type = STATEMENT_ADMIN };
	const struct trust_node *whom = draw_member(d);

	if (!whom)
		return nothing(d);
	s.u.admin.node = whom->node;
	s.u.admin.is_admin = !whom->is_admin || prng_chance(d->dice, 30);
	return state(d, &s);
}

struct tails {
	struct quarantined list[CANDIDATES_MAX];
	size_t count;
};

static bool note_tail(void *ctx, const struct quarantined *q)
{
	struct tails *tails = ctx;

	tails->list[tails->count++] = *q;
	return tails->count < CANDIDATES_MAX;
}

/* A changeset that lies there, whose link the book knows. */
struct search {
	struct deed *d;
	const struct quarantined *q;
	struct cut found;
};

static bool consider(void *ctx, const struct space_id *space, const struct history_item *item)
{
	struct search *x = ctx;
	const struct ledger *l = &x->d->w->ledger;
	uint32_t number = ledger_space(l, space), root = ledger_author(l, &x->q->replica);

	for (uint32_t i = root; i < l->author_count; i++) {
		const struct ledger_entry *e =
			l->authors[i].root == root ? ledger_find(l, number, i, item->stamp.dot.seq)
						   : NULL;

		if (!e || e->cs.hlc.bits != item->stamp.hlc.bits)
			continue;
		x->found = (struct cut){ .replica = x->q->replica, .space = *space, .seq = e->seq };
		memcpy(x->found.link, e->link, LINK_BYTES);
	}
	return prng_chance(x->d->dice, 80);
}

static enum err adopt(struct deed *d)
{
	struct statement s = { .type = STATEMENT_ADOPT };
	struct tails tails = { .count = 0 };
	struct search x = { .d = d };
	enum err rc = replica_each_quarantined(d->replica, note_tail, &tails, &d->msg);

	if (rc != OK || tails.count == 0)
		return rc == OK ? nothing(d) : rc;
	x.q = &tails.list[below(d, tails.count)];
	rc = replica_each_in_quarantine(d->replica, x.q, consider, &x, &d->msg);
	if (rc != OK || x.found.seq == 0)
		return rc == OK ? nothing(d) : rc;
	s.u.adopt.cuts = &x.found;
	s.u.adopt.cut_count = 1;
	return state(d, &s);
}

static enum err rotate(struct deed *d)
{
	struct node *n = d->n;
	uint8_t noise_key[NOISE_KEY_BYTES];
	enum err rc;

	node_draw_keys(n);
	node_public_noise_key(n->next_noise_secret, noise_key);
	rc = replica_new_epoch(d->replica, EPOCH_ROTATED, n->next_sign_secret, noise_key,
			       node_now(n).wall_ms, &d->msg);
	if (rc == OK)
		node_take_keys(n);
	return rc;
}

static enum err new_epoch(struct deed *d)
{
	return replica_new_epoch(d->replica, EPOCH_MOVED, NULL, NULL, node_now(d->n).wall_ms,
				 &d->msg);
}

/* Without engines: an admin that it can reach writes its admission at once. */
static enum err admit(struct deed *d, struct node *whom)
{
	struct errmsg *msg = &d->msg;
	struct admission a = {
		.office_code = whom->office,
		.office_name = whom->office,
		.zone = "Europe/Berlin",
		.person_name = whom->code,
		.is_admin = prng_chance(d->dice, 50),
		.node = whom->identity,
	};

	return replica_admit(d->replica, &a, node_now(d->n).wall_ms, msg);
}

static struct node *draw_outsider(struct deed *d)
{
	for (int i = 0; i < TRIES; i++) {
		struct node *n = &d->w->nodes[below(d, d->w->node_count)];
		enum err rc;

		if (!node_is_running(n) || !node_disk_is_good(n) || !replica_has_org(n->replica))
			continue;
		rc = replica_check_member(n->replica, NULL);
		if (rc == ERR_REVOKED || rc == ERR_SUPERSEDED ||
		    (rc == ERR_ORG && d->w->config.direct))
			return n;
	}
	return NULL;
}

static enum err readmit(struct deed *d)
{
	struct node *whom = draw_outsider(d);

	if (!whom || d->w->ledger.author_count > d->w->ledger.author_max / 2)
		return nothing(d);
	if (replica_check_member(whom->replica, NULL) != ERR_ORG && !node_enrol_anew(whom))
		return nothing(d);
	world_note(d->w, whom, "wants to come back, as author %u", whom->author);
	if (d->w->config.direct && meeting_can_be(d->n, whom))
		return admit(d, whom);
	node_invite(whom);
	return OK;
}

static const struct {
	const char *name;
	unsigned weight;
	enum err (*act)(struct deed *d);
	bool is_of_root; /* the root key can do it, too */
} acts[ACT_COUNT] = {
	[ACT_REVOKE] = { "revoke", 16, revoke, true },
	[ACT_GRANT] = { "grant", 30, grant, true },
	[ACT_ADMIN] = { "admin", 10, set_admin, true },
	[ACT_ADOPT] = { "adopt", 16, adopt, true },
	[ACT_ROTATE] = { "rotate", 6, rotate, false },
	[ACT_EPOCH] = { "epoch", 6, new_epoch, false },
	[ACT_READMIT] = { "readmit", 16, readmit, false },
};

const char *act_name(enum act act)
{
	return acts[act].name;
}

/* ---- By whom ------------------------------------------------------------------------ */

static bool is_refusal(enum err rc)
{
	static const enum err refusals[] = { ERR_AUTHORITY, ERR_INVALID, ERR_EXISTS,
					     ERR_NOT_FOUND, ERR_REVOKED, ERR_SUPERSEDED,
					     ERR_GRANT,     ERR_ORG };

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (rc == refusals[i])
			return true;
	return false;
}

bool act_by(struct node *n, enum act act)
{
	struct deed d = { .n = n, .w = n->world, .dice = &n->world->dice };
	bool is_good = node_disk_is_good(n);
	enum err rc;

	if (!node_is_member(n))
		return false;
	audit_node(n);
	d.replica = n->replica;
	d.trust = replica_trust(n->replica);
	d.is_root = acts[act].is_of_root && prng_chance(d.dice, 25);
	rc = acts[act].act(&d);
	world_note(d.w, n, "%s%s: %s", d.is_root ? "by root: " : "", acts[act].name,
		   rc == OK ? "done" : d.msg.text);
	if (rc != OK && !is_refusal(rc) && is_good && !memdisk_has_failed(n->disk))
		world_fail(d.w, "W-15", "%s can't %s: %s", n->code, acts[act].name, d.msg.text);
	d.w->stats.acts[act] += rc == OK;
	d.w->stats.acts_refused += rc != OK;
	if (rc == OK && act == ACT_ROTATE)
		node_restart(n);
	else
		node_changed(n);
	audit_node(n);
	arena_release(&d.arena);
	return rc == OK;
}

void act_strike(struct world *w)
{
	struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];
	unsigned sum = 0, pick;
	size_t at = 0;

	for (size_t i = 0; i < ACT_COUNT; i++)
		sum += acts[i].weight;
	pick = (unsigned)prng_below(&w->dice, sum);
	while (pick >= acts[at].weight)
		pick -= acts[at++].weight;
	if (w->ledger.author_count < w->ledger.author_max / 2)
		act_by(n, (enum act)at);
}
