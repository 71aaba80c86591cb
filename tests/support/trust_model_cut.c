/* M-14, M-15: which changesets count. */
#include "tests/support/trust_model_impl.h"

/* The feed asked for, and the least cut so far. */
struct feed {
	const struct trust_model *m;
	const struct trust_epoch *epoch;
	const struct space_id *space;
	struct trust_cut least;
};

static bool is_of_feed(const struct feed *f, const struct cut *cut)
{
	return replica_id_cmp(&cut->replica, &f->epoch->replica) == 0 &&
	       space_id_cmp(&cut->space, f->space) == 0;
}

static void set_cut(struct trust_cut *out, uint64_t seq, const uint8_t *link)
{
	out->seq = seq;
	out->has_link = link && seq > 0;
	memset(out->link, 0, LINK_BYTES);
	if (out->has_link)
		memcpy(out->link, link, LINK_BYTES);
}

/* More than that it is the node's own. */
/* More than that the feed is the node's own. */
static bool has_other_ground(const struct trust_model *m, size_t adopt, size_t c)
{
	struct grounds g;

	model_grounds(m, &g, adopt, c);
	for (size_t i = 0; i < g.count; i++)
		if (!g.list[i].is_own &&
		    model_ground_holds(m, (struct reading){ m->stands, m->stands }, adopt,
				       &g.list[i], SEEN_OR_BESIDE))
			return true;
	return false;
}

/* How many epochs its node has had, up to this one; 0 if none of them stands. */
static uint32_t rank(const struct trust_model *m, const struct trust_epoch *epoch)
{
	uint32_t count = 0;

	for (size_t i = 0; i < m->count; i++) {
		if (!has(m->stands, i) || !identity(m->list[i]) ||
		    replica_id_cmp(&identity(m->list[i])->replica, &epoch->replica) != 0)
			continue;
		count = 1;
		for (size_t y = 0; y < m->count; y++)
			count += has(m->past[i] & m->stands, y) && identity(m->list[y]) &&
				 is_about(m->list[y], &epoch->node);
	}
	return count;
}

/* Lift a term of M-14, which statement `by` gives (m->count: none), by M-15. */
static void lift(const struct feed *f, struct trust_cut *term, size_t by)
{
	const struct trust_model *m = f->m;
	bool is_own = term->cause == CUT_FORKED || term->cause == CUT_CLOSED;
	bool needs_seen = by < m->count && term->cause != CUT_FORKED;
	const struct cut *best = NULL;

	for (size_t i = 0; i < m->count && term->cause != CUT_SURPLUS; i++) {
		const struct statement *s = m->list[i];

		if (s->type != STATEMENT_ADOPT || !has(m->stands, i) ||
		    (needs_seen && !has(m->past[i], by)))
			continue;
		for (size_t c = 0; c < s->u.adopt.cut_count; c++) {
			const struct cut *cut = &s->u.adopt.cuts[c];

			if (is_of_feed(f, cut) && (is_own || has_other_ground(m, i, c)) &&
			    (!best || cut->seq > best->seq ||
			     (cut->seq == best->seq &&
			      memcmp(cut->link, best->link, LINK_BYTES) < 0)))
				best = cut;
		}
	}
	if (best && best->seq > term->seq)
		set_cut(term, best->seq, best->link);
}

/* Negative if a is less, or as low and names cause and link before b. */
static int term_cmp(const struct trust_cut *a, const struct trust_cut *b)
{
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (a->has_link != b->has_link)
		return a->has_link ? -1 : 1;
	if (a->cause != b->cause)
		return a->cause < b->cause ? -1 : 1;
	return memcmp(a->link, b->link, LINK_BYTES);
}

static void add_term(struct feed *f, enum cut_cause cause, uint64_t seq, const uint8_t *link,
		     size_t by)
{
	struct trust_cut term = f->least;

	term.cause = cause;
	set_cut(&term, seq, link);
	lift(f, &term, by);
	if (f->least.cause == CUT_NONE || term_cmp(&term, &f->least) < 0)
		f->least = term;
}

static void add_listed(struct feed *f, enum cut_cause cause, const struct cut *cuts, size_t count,
		       size_t by)
{
	for (size_t i = 0; i < count; i++)
		if (is_of_feed(f, &cuts[i])) {
			add_term(f, cause, cuts[i].seq, cuts[i].link, by);
			return;
		}
	add_term(f, cause, 0, NULL, by);
}

static bool is_in_past(const struct trust_model *m, size_t x, const struct replica_id *replica,
		       const struct record_id *node)
{
	for (size_t i = 0; i < m->count; i++)
		if (has(m->past[x], i) && identity(m->list[i]) && is_about(m->list[i], node) &&
		    replica_id_cmp(&identity(m->list[i])->replica, replica) == 0)
			return true;
	return false;
}

static bool is_fork_of(const struct statement *s, const struct replica_id *replica,
		       const struct space_id *space)
{
	struct replica_id forked = epoch_replica(s->u.fork.sign_key, s->u.fork.nonce);

	return replica_id_cmp(&forked, replica) == 0 && space_id_cmp(&s->u.fork.space, space) == 0;
}

static void add_terms_of_node(struct feed *f, size_t i)
{
	const struct statement *s = f->m->list[i];

	if (s->type == STATEMENT_REVOKE && is_about(s, &f->epoch->node))
		add_listed(f, CUT_REVOKED, s->u.revoke.cuts, s->u.revoke.cut_count, i);
	if (s->type == STATEMENT_EPOCH && is_about(s, &f->epoch->node) && s->u.epoch.is_closing &&
	    is_in_past(f->m, i, &f->epoch->replica, &f->epoch->node))
		add_listed(f, CUT_CLOSED, s->u.epoch.cuts, s->u.epoch.cut_count, i);
	if (s->type == STATEMENT_FORK && is_fork_of(s, &f->epoch->replica, f->space))
		add_term(f, CUT_FORKED, s->u.fork.seq - 1, NULL, i);
}

/* Of the GRANTs below editor the first ones since the office was an editor. */
static void add_terms_of_role(struct feed *f)
{
	const struct trust_model *m = f->m;
	const char *office = f->epoch->office_code;
	uint64_t editors = 0, others = 0;
	bool was_taken = false, is_made = false;
	enum role role;

	for (size_t i = 0; i < m->count; i++)
		is_made |= has(m->stands, i) && is_space(m->list[i], f->space);
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i) && gives_role(m->list[i], f->space, office, &role))
			*(role >= ROLE_EDITOR ? &editors : &others) |= BIT(i);
	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];
		bool is_first = has(others, i) && (editors & m->past[i]);

		for (size_t j = 0; j < m->count; j++) {
			is_first &= !(has(editors, j) && has(m->past[j], i));
			is_first &= !(has(others & m->past[i], j) &&
				      (m->past[j] & editors) == (m->past[i] & editors));
		}
		if (is_first)
			add_listed(f, CUT_ROLE, s->u.grant.cuts, s->u.grant.cut_count, i);
		was_taken |= is_first;
	}
	if (!was_taken || !is_made)
		add_term(f, CUT_ROLE, 0, NULL, m->count);
}

struct trust_cut trust_model_cut(const struct trust_model *m, const struct replica_id *replica,
				 const struct space_id *space)
{
	struct space_id directory = statement_space(&m->list[0]->id);
	struct feed f = { .m = m, .space = space };

	f.least = (struct trust_cut){ .replica = *replica, .space = *space, .cause = CUT_NONE };
	for (size_t i = 0; i < m->epoch_count; i++)
		if (replica_id_cmp(&m->epochs[i].replica, replica) == 0)
			f.epoch = &m->epochs[i];
	if (!f.epoch) {
		f.least.cause = CUT_VOID;
		return f.least;
	}
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i))
			add_terms_of_node(&f, i);
	if (space_id_cmp(space, &directory) != 0 &&
	    model_role(m, space, f.epoch->office_code) < ROLE_EDITOR)
		add_terms_of_role(&f);
	if (f.epoch->is_void)
		add_term(&f, CUT_VOID, 0, NULL, m->count);
	if (rank(m, f.epoch) > m->epochs_max)
		add_term(&f, CUT_SURPLUS, 0, NULL, m->count);
	if (f.least.cause == CUT_NONE)
		f.least.seq = UINT64_MAX;
	return f.least;
}
