/* M-14 and M-15: up to which changeset each feed counts. */
#include <stdlib.h>

#include "core/array.h"
#include "core/trust_impl.h"

/* Where a standing statement names a feed. */
struct mention {
	struct replica_id replica;
	struct space_id space;
	uint32_t by;
	enum cut_cause cause; /* what it would be; CUT_NONE: an ADOPT */
	uint64_t seq;
	const uint8_t *link;
	bool is_for_others; /* of an ADOPT */
};

/* The mentions of one feed. */
struct feed {
	const struct fold *f;
	const struct trust *t;
	const struct trust_epoch *epoch;
	const struct space_id *space;
	const struct mention *mentions;
	size_t count;
};

struct mentions {
	struct mention *at;
	size_t count, cap;
	bool failed;
};

/* ---- Which statements cut what --------------------------------------------- */

/* A closing EPOCH closes the epochs of its node that it has seen. */
static bool is_closed_by(const struct fold *f, const struct trust_epoch *epoch, uint32_t x)
{
	const struct statement *s = f->list[x];
	struct subject_key key = subject_key(SUBJECT_REPLICA, epoch->replica.bytes, ID_BYTES);
	struct span named;

	if (s->type != STATEMENT_EPOCH || !s->u.epoch.is_closing)
		return false;
	named = fold_span(f, fold_subject(f, &key));
	for (uint32_t i = 0; i < named.count; i++)
		if (fold_has_seen(f, x, named.at[i]) &&
		    f->about[named.at[i]].node == f->about[x].node)
			return true;
	return false;
}

/* A GRANT that took the right to write from an office, which has not been given it again. */
static bool is_loss(const struct fold *f, uint32_t x)
{
	const struct statement *s = f->list[x];
	struct span grants = fold_span(f, f->about[x].office);

	if (s->type != STATEMENT_GRANT || s->u.grant.role >= ROLE_EDITOR ||
	    fold_role(f, x, &s->u.grant.space, s->u.grant.office_code) < ROLE_EDITOR)
		return false;
	for (uint32_t i = grants.count; i-- > 0 && grants.at[i] > x;)
		if (fold_stands(f, grants.at[i]) &&
		    f->list[grants.at[i]]->u.grant.role >= ROLE_EDITOR &&
		    fold_has_seen(f, grants.at[i], x))
			return false;
	return true;
}

/* Why x, about the node of this epoch and standing, ends its feeds; CUT_NONE: it doesn't. */
static enum cut_cause cause_of(const struct fold *f, const struct trust_epoch *epoch, uint32_t x)
{
	if (f->list[x]->type == STATEMENT_REVOKE)
		return CUT_REVOKED;
	return is_closed_by(f, epoch, x) ? CUT_CLOSED : CUT_NONE;
}

/* ---- Collecting ------------------------------------------------------------ */

static void mention(struct mentions *m, struct mention one)
{
	if (array_reserve(&m->at, &m->cap, m->count + 1, sizeof(*m->at))) {
		m->failed = true;
		return;
	}
	m->at[m->count++] = one;
}

/* Of epochs that nobody knows only what would concern them once they are known. */
static void mention_cuts(struct mentions *m, const struct fold *f, const struct trust *t,
			 uint32_t x, enum cut_cause cause, const struct cut *cuts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mention one = { cuts[i].replica, cuts[i].space, x,
				       cause,           cuts[i].seq,   cuts[i].link };

		if (cause == CUT_NONE)
			one.is_for_others = ground_is_for_others(f, x, &cuts[i]);
		if (trust_epoch(t, &cuts[i].replica) || cause == CUT_NONE || cause == CUT_ROLE)
			mention(m, one);
	}
}

static void mention_all(struct mentions *m, const struct fold *f, const struct trust *t, uint32_t x)
{
	const struct statement *s = f->list[x];

	switch (s->type) {
	case STATEMENT_REVOKE:
		mention_cuts(m, f, t, x, CUT_REVOKED, s->u.revoke.cuts, s->u.revoke.cut_count);
		break;
	case STATEMENT_EPOCH:
		mention_cuts(m, f, t, x, CUT_CLOSED, s->u.epoch.cuts, s->u.epoch.cut_count);
		break;
	case STATEMENT_GRANT:
		mention_cuts(m, f, t, x, CUT_ROLE, s->u.grant.cuts, s->u.grant.cut_count);
		break;
	case STATEMENT_ADOPT:
		mention_cuts(m, f, t, x, CUT_NONE, s->u.adopt.cuts, s->u.adopt.cut_count);
		break;
	case STATEMENT_FORK:
		mention(m, (struct mention){ s->u.fork.replica, s->u.fork.space, x, CUT_FORKED,
					     s->u.fork.seq - 1, NULL });
		break;
	default: break;
	}
}

static int mention_cmp(const void *a, const void *b)
{
	const struct mention *x = a, *y = b;
	int order = replica_id_cmp(&x->replica, &y->replica);

	if (!order)
		order = space_id_cmp(&x->space, &y->space);
	return order ? order : (x->by > y->by) - (x->by < y->by);
}

/* ---- The terms of M-14 ----------------------------------------------------- */

static void set_cut(struct trust_cut *cut, uint64_t seq, const uint8_t *link)
{
	cut->seq = seq;
	cut->has_link = link && seq > 0;
	memset(cut->link, 0, LINK_BYTES);
	if (cut->has_link)
		memcpy(cut->link, link, LINK_BYTES);
}

/* M-15. `by`: whose term it is; NO_STATEMENT: nobody's. */
static void lift(const struct feed *feed, struct trust_cut *term, uint32_t by)
{
	bool is_own = term->cause == CUT_FORKED || term->cause == CUT_CLOSED;
	bool is_seen_by_all = by == NO_STATEMENT || term->cause == CUT_FORKED;
	const struct mention *best = NULL;

	/* Who manages a space could lift it without end. */
	if (term->cause == CUT_SURPLUS)
		return;
	for (size_t i = 0; i < feed->count; i++) {
		const struct mention *m = &feed->mentions[i];

		if (m->cause != CUT_NONE || !(is_own || m->is_for_others) ||
		    !(is_seen_by_all || fold_has_seen(feed->f, m->by, by)))
			continue;
		if (!best || m->seq > best->seq ||
		    (m->seq == best->seq && memcmp(m->link, best->link, LINK_BYTES) < 0))
			best = m;
	}
	if (best && best->seq > term->seq)
		set_cut(term, best->seq, best->link);
}

static void add_term(const struct feed *feed, struct trust_cut *least, enum cut_cause cause,
		     uint64_t seq, const uint8_t *link, uint32_t by)
{
	struct trust_cut term = { .replica = least->replica, .space = least->space };

	term.cause = cause;
	set_cut(&term, seq, link);
	lift(feed, &term, by);
	if (trust_cut_cmp(&term, least) < 0)
		*least = term;
}

/* What x says of the feed; nothing: nothing counts. */
static void add_term_of(const struct feed *feed, struct trust_cut *least, enum cut_cause cause,
			uint32_t x)
{
	for (size_t i = 0; i < feed->count; i++)
		if (feed->mentions[i].by == x) {
			add_term(feed, least, cause, feed->mentions[i].seq, feed->mentions[i].link,
				 x);
			return;
		}
	add_term(feed, least, cause, 0, NULL, x);
}

static struct span about_node(const struct fold *f, const struct trust_epoch *epoch)
{
	struct subject_key key = subject_key(SUBJECT_NODE, epoch->node.bytes, ID_BYTES);

	return fold_span(f, fold_subject(f, &key));
}

static void add_terms_of_node(const struct feed *feed, struct trust_cut *least)
{
	struct span about = about_node(feed->f, feed->epoch);

	for (uint32_t i = 0; i < about.count; i++) {
		enum cut_cause cause = CUT_NONE;

		if (fold_stands(feed->f, about.at[i]))
			cause = cause_of(feed->f, feed->epoch, about.at[i]);
		if (cause != CUT_NONE)
			add_term_of(feed, least, cause, about.at[i]);
	}
	for (size_t i = 0; i < feed->count; i++)
		if (feed->mentions[i].cause == CUT_FORKED)
			add_term(feed, least, CUT_FORKED, feed->mentions[i].seq, NULL,
				 feed->mentions[i].by);
	if (feed->epoch->is_void)
		add_term(feed, least, CUT_VOID, 0, NULL, NO_STATEMENT);
	if (feed->epoch->is_surplus)
		add_term(feed, least, CUT_SURPLUS, 0, NULL, NO_STATEMENT);
}

static void add_terms_of_role(const struct feed *feed, struct trust_cut *least)
{
	const char *office_code = feed->epoch->office_code;
	struct subject_key key = subject_office(feed->space, office_code);
	struct span grants = fold_span(feed->f, fold_subject(feed->f, &key));
	bool was_editor = false;

	if (trust_is_directory(feed->t, feed->space) ||
	    trust_role(feed->t, feed->space, office_code) >= ROLE_EDITOR)
		return;
	for (uint32_t i = 0; i < grants.count; i++)
		if (fold_stands(feed->f, grants.at[i]) && is_loss(feed->f, grants.at[i])) {
			add_term_of(feed, least, CUT_ROLE, grants.at[i]);
			was_editor = true;
		}
	if (!was_editor)
		add_term(feed, least, CUT_ROLE, 0, NULL, NO_STATEMENT);
}

/* ---- The result ------------------------------------------------------------ */

static bool is_same_cut(const struct trust_cut *a, const struct trust_cut *b)
{
	return trust_cut_cmp(a, b) == 0;
}

/* Whether to keep the cut of a feed that is named. One that is as if it were not named
 * now, but would not be if the office got another role, is kept for trust_extend(). */
static bool cut_feed(const struct feed *feed, struct trust_cut *cut)
{
	struct trust_cut usual, without = { .seq = UINT64_MAX };

	*cut = (struct trust_cut){ feed->mentions->replica, feed->mentions->space, 0 };
	cut->cause = CUT_VOID;
	if (!feed->epoch)
		return true;
	cut->cause = CUT_NONE;
	cut->seq = UINT64_MAX;
	add_terms_of_node(feed, cut);
	if (feed->epoch->cause != CUT_NONE)
		without = (struct trust_cut){ .cause = feed->epoch->cause };
	if (!is_same_cut(cut, &without)) {
		add_terms_of_role(feed, cut);
		return true;
	}
	add_terms_of_role(feed, cut);
	usual = trust_cut_default(feed->t, feed->epoch, feed->space);
	return !is_same_cut(cut, &usual);
}

/* Feeds that nothing names end for the same reasons, but always with nothing. */
static void find_causes(const struct fold *f, struct trust *t)
{
	for (size_t e = 0; e < t->epoch_count; e++) {
		struct trust_epoch *epoch = &t->epochs[e];
		struct span about = about_node(f, epoch);

		epoch->cause = epoch->is_void      ? CUT_VOID
			       : epoch->is_surplus ? CUT_SURPLUS
						   : CUT_NONE;
		for (uint32_t i = 0; i < about.count; i++) {
			enum cut_cause cause = CUT_NONE;

			if (fold_stands(f, about.at[i]))
				cause = cause_of(f, epoch, about.at[i]);
			if (cause != CUT_NONE && (epoch->cause == CUT_NONE || cause < epoch->cause))
				epoch->cause = cause;
		}
	}
}

enum err fold_cuts(const struct fold *f, struct trust *t)
{
	struct mentions m = { 0 };

	find_causes(f, t);
	for (uint32_t x = 0; x < f->count; x++)
		if (fold_stands(f, x))
			mention_all(&m, f, t, x);
	t->cuts = m.failed ? NULL : calloc(m.count + 1, sizeof(*t->cuts));
	if (!t->cuts) {
		free(m.at);
		return ERR_NOMEM;
	}
	if (m.count)
		qsort(m.at, m.count, sizeof(*m.at), mention_cmp);
	for (size_t i = 0, end; i < m.count; i = end) {
		struct feed feed = { f, t, trust_epoch(t, &m.at[i].replica), &m.at[i].space,
				     &m.at[i] };

		for (end = i;
		     end < m.count && replica_id_cmp(&m.at[end].replica, &m.at[i].replica) == 0 &&
		     space_id_cmp(&m.at[end].space, &m.at[i].space) == 0;
		     end++)
			feed.count++;
		t->cut_count += cut_feed(&feed, &t->cuts[t->cut_count]);
	}
	free(m.at);
	return OK;
}
