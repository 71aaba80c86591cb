#include "tests/sim/fate.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/invariants.h"
#include "tests/sim/node.h"
#include "tests/sim/rest.h"

/* One space, as a member that may read it has it. */
struct look {
	struct world *w;
	struct node *n;
	uint32_t space;
	uint32_t *counted;
	uint64_t *meanings; /* of all that counts, ascending */
	size_t meaning_count;
};

static void *must(void *memory)
{
	if (!memory) {
		perror("fate");
		abort();
	}
	return memory;
}

/* ---- Meaning ----------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(1099511628211);
	return hash;
}

static uint64_t mix_value(uint64_t hash, const struct value *v)
{
	hash = mix(hash, &v->type, sizeof(v->type));
	if (v->type == VALUE_INT)
		return mix(hash, &v->number, sizeof(v->number));
	if (v->type == VALUE_REF)
		return mix(hash, v->ref.bytes, ID_BYTES);
	return v->type == VALUE_NIL ? hash : mix(hash, v->bytes.data, v->bytes.size);
}

/* All that it says but for the dots that it names. */
static uint64_t meaning_of(const struct ledger_entry *e)
{
	uint64_t hash = mix(UINT64_C(14695981039346656037), e->cs.author.bytes, ID_BYTES);

	for (size_t i = 0; i < e->cs.op_count; i++) {
		const struct op *op = &e->cs.ops[i];
		/* The first write of a field may replace another one when it comes again. */
		uint8_t verb = op->verb == VERB_REPLACE ? VERB_SET : op->verb;

		hash = mix(hash, op->record.bytes, ID_BYTES);
		hash = mix(hash, &op->field, sizeof(op->field));
		hash = mix(hash, &verb, sizeof(verb));
		if (op->verb <= VERB_ADD)
			hash = mix_value(hash, &op->value);
	}
	return hash;
}

static int compare_meanings(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool counts(const struct look *look, const struct ledger_entry *e)
{
	return e->seq <= look->counted[e->author];
}

static void gather_meanings(struct look *look)
{
	const struct ledger *l = &look->w->ledger;
	size_t at = 0;

	for (uint32_t a = 0; a < l->author_count; a++)
		look->meaning_count += l->feeds[look->space][a].count;
	look->meanings = must(calloc(look->meaning_count + 1, sizeof(*look->meanings)));
	for (uint32_t a = 0; a < l->author_count; a++)
		for (uint32_t i = 0; i < l->feeds[look->space][a].count; i++) {
			const struct ledger_entry *e = l->feeds[look->space][a].entries[i];

			if (counts(look, e))
				look->meanings[at++] = meaning_of(e);
		}
	look->meaning_count = at;
	qsort(look->meanings, at, sizeof(*look->meanings), compare_meanings);
}

static bool counts_again(const struct look *look, const struct ledger_entry *e)
{
	uint64_t meaning = meaning_of(e);

	return bsearch(&meaning, look->meanings, look->meaning_count, sizeof(meaning),
		       compare_meanings) != NULL;
}

/* ---- Where it is ------------------------------------------------------------------- */

static bool has_link(struct node *n, const char *sql, const struct ledger_entry *e)
{
	struct value arg = value_bytes(bytes_of(e->link, LINK_BYTES));
	struct errmsg msg = { 0 };
	struct rows *rows;
	bool found = false;
	enum err rc = rows_open(&rows, n->replica, sql, &arg, 1, &msg);

	if (rc == OK) {
		found = rows_next(rows);
		rc = rows_close(rows, &msg);
	}
	if (rc != OK)
		world_fail(n->world, "W-15", "%s: %s", n->code, msg.text);
	return found;
}

static bool has_in_branch(struct node *n, const struct ledger_entry *e)
{
	return has_link(n, "SELECT 1 FROM branch WHERE link = ?", e);
}

static bool is_readable(const struct world *w, const struct ledger_entry *e)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (!node_is_running(n))
			continue;
		if (n->held[e->space] && n->held[e->space][e->author] >= e->seq)
			return true;
		if (entry_is_forked(&w->ledger, e) && has_in_branch(n, e))
			return true;
	}
	return false;
}

static bool is_with_member(const struct world *w, const struct ledger_entry *e)
{
	for (unsigned i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];

		if (node_is_member(n) && node_may(n, e->space, ROLE_READER) && n->held[e->space] &&
		    n->held[e->space][e->author] >= e->seq)
			return true;
	}
	return false;
}

/* ---- Whose it is ------------------------------------------------------------------- */

/* The node that it was, which may be another one by now. */
static bool is_revoked(const struct look *look, const struct ledger_entry *e)
{
	const struct trust *t = look->n->view->trust;
	const struct trust_epoch *epoch = trust_epoch(t, &look->w->ledger.authors[e->author].id);
	const struct trust_node *node = epoch ? trust_node(t, &epoch->node) : NULL;

	return node && node->is_revoked;
}

/* A member that goes on from the node that wrote it, has it aside, and may write there. */
static const struct node *heir(const struct look *look, const struct ledger_entry *e,
			       bool is_branch)
{
	const struct world *w = look->w;

	for (unsigned i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];

		if (n->owner != w->ledger.authors[e->author].owner || !node_is_member(n) ||
		    !node_may(n, e->space, ROLE_EDITOR))
			continue;
		if (is_branch ? has_in_branch(n, e)
			      : n->held[e->space] && n->held[e->space][e->author] >= e->seq)
			return n;
	}
	return NULL;
}

/* ---- What became of it --------------------------------------------------------------- */

static struct trust_cut cut_of(const struct look *look, const struct ledger_entry *e)
{
	const struct ledger *l = &look->w->ledger;

	return trust_cut(look->n->view->trust, &l->authors[e->author].id, &l->spaces[e->space]);
}

/* That it does not count is nobody's will. */
static bool is_accident(const struct look *look, const struct ledger_entry *e)
{
	struct trust_cut cut = cut_of(look, e);
	bool is_of_fork = e->seq > cut.seq ? cut.cause == CUT_FORKED || cut.cause == CUT_VOID
					   : entry_is_forked(&look->w->ledger, e);

	return is_of_fork && !is_revoked(look, e);
}

/* It was written again, and that has been cut off by somebody. */
static bool is_cut_off_again(const struct look *look, const struct ledger_entry *e)
{
	const struct ledger *l = &look->w->ledger;
	uint64_t meaning = meaning_of(e);

	for (uint32_t a = 0; a < l->author_count; a++)
		for (uint32_t i = 0; i < l->feeds[look->space][a].count; i++) {
			const struct ledger_entry *again = l->feeds[look->space][a].entries[i];

			if (again->is_again && meaning_of(again) == meaning &&
			    again->seq > cut_of(look, again).seq && !is_accident(look, again))
				return true;
		}
	return false;
}

static void tell(const struct look *look, const struct ledger_entry *e, const char *what,
		 enum cut_cause cause, const struct node *who)
{
	world_fail(look->w, "W-24", "space %u, author %u (%s), seq %u: %s (%s)%s%s", e->space,
		   e->author, look->w->nodes[look->w->ledger.authors[e->author].owner].code, e->seq,
		   what, cut_cause_name(cause), who ? ": " : "", who ? who->code : "");
}

static void check_aside(const struct look *look, const struct ledger_entry *e)
{
	const struct ledger *l = &look->w->ledger;
	struct trust_cut cut = cut_of(look, e);
	bool is_branch = entry_is_forked(l, e), is_cut = e->seq > cut.seq;
	const struct node *who =
		is_accident(look, e) ? heir(look, e, is_branch && cut.cause != CUT_VOID) : NULL;

	if (!is_readable(look->w, e))
		tell(look, e, "it is readable nowhere", cut.cause, NULL);
	else if (!is_cut && !is_branch && is_with_member(look->w, e))
		tell(look, e, "it should count, and does not", cut.cause, NULL);
	else if (who && !is_cut_off_again(look, e))
		tell(look, e, "nobody has written it again", cut.cause, who);
}

static void check_space(struct look *look)
{
	const struct ledger *l = &look->w->ledger;

	gather_meanings(look);
	for (uint32_t a = 0; a < l->author_count; a++)
		for (uint32_t i = 0; i < l->feeds[look->space][a].count; i++) {
			const struct ledger_entry *e = l->feeds[look->space][a].entries[i];

			if (look->w->rule || counts(look, e) || counts_again(look, e))
				continue;
			look->w->stats.lost += e->is_excused;
			if (e->is_excused)
				continue;
			look->w->stats.quarantined++;
			check_aside(look, e);
		}
	free(look->meanings);
}

static struct node *reader_of(struct world *w, uint32_t space)
{
	for (unsigned i = 0; i < w->node_count; i++)
		if (audit_is_reader(&w->nodes[i], space) && w->nodes[i].held[space])
			return &w->nodes[i];
	return NULL; /* nobody is left who may say */
}

/* Nobody is left out for want of somebody who dials and knows both. */
static bool are_one(struct world *w, const struct node *first, uint32_t space)
{
	bool part[NET_NODES_MAX];

	audit_acquaintance(w, first, space, part);
	for (unsigned i = 0; i < w->node_count; i++)
		if (audit_is_reader(&w->nodes[i], space) && !part[i])
			return false;
	return true;
}

static void check_counted(struct look *look)
{
	look->counted = must(calloc(look->w->ledger.author_max, sizeof(*look->counted)));
	audit_counted(look->n, look->space, look->counted);
	check_space(look);
	free(look->counted);
}

void fate_check(struct world *w)
{
	const struct node *first = reader_of(w, 0);
	bool is_split = !first || !are_one(w, first, 0);

	w->stats.forks = w->ledger.fork_count;
	w->stats.views = w->views.count;
	w->stats.modelled = w->views.modelled;
	for (uint32_t s = 0; s < w->ledger.space_count && !is_split && !w->rule; s++) {
		struct look look = { .w = w, .n = reader_of(w, s), .space = s };

		if (look.n && are_one(w, look.n, s) && !audit_waits_in_vain(w, look.n, s))
			check_counted(&look);
	}
	w->stats.split += is_split;
}
