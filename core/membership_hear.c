/* Statements from a peer, who may say as many as it likes (M-22). */
#include <stdlib.h>

#include "core/array.h"
#include "core/limits.h"
#include "core/membership_impl.h"

/* What was kept of one author in this transaction; NULL: of nobody's. */
struct tally {
	const struct trust_node *author;
	uint32_t weight;
};

struct hearing {
	struct intake in;
	struct errmsg why; /* of what was refused */
	struct tally *tallies;
	size_t tally_count;
	struct statements_receipt receipt;
};

/* ---- How much of whom -------------------------------------------------------- */

static struct tally *tally_of(const struct hearing *h, const struct trust_node *author)
{
	for (size_t i = 0; i < h->tally_count; i++)
		if (h->tallies[i].author == author)
			return &h->tallies[i];
	return NULL;
}

static const struct trust_node *author_of(const struct hearing *h, const struct statement *s)
{
	return h->in.r->trust ? trust_author(h->in.r->trust, s) : NULL;
}

/* What is held of the author, and kept. */
static uint32_t weight_of(const struct hearing *h, const struct trust_node *author)
{
	const struct trust *t = h->in.r->trust;
	const struct tally *tally = tally_of(h, author);
	uint32_t held = author ? author->weight : t ? t->stray_weight : 0;

	return held + (tally ? tally->weight : 0);
}

static enum err add_weight(struct hearing *h, const struct statement *s)
{
	const struct trust_node *author = author_of(h, s);
	struct tally *tally = tally_of(h, author);

	if (!tally) {
		if (array_resize(&h->tallies, h->tally_count + 1, sizeof(*h->tallies)))
			return ERR_NOMEM;
		tally = &h->tallies[h->tally_count++];
		*tally = (struct tally){ author, 0 };
	}
	tally->weight += statement_weight(s);
	return OK;
}

/* Root's, or signed by an admin's current key. */
static bool is_free(const struct hearing *h, const struct statement *s)
{
	const struct trust *t = h->in.r->trust;

	if (!t || s->type == STATEMENT_GENESIS)
		return s->type == STATEMENT_GENESIS;
	for (size_t i = 0; i < s->signer_count; i++) {
		const struct trust_node *node = trust_node_by_sign_key(t, s->signers[i].bytes);

		if (node && node->is_admin)
			return true;
	}
	return trust_is_roots(t, s);
}

/* A fork of what we hold, or the next epoch of a node that may have more: without it what others
 * write could not be told from what does not count. */
static bool is_urgent(const struct hearing *h, const struct statement *s)
{
	const struct replica *r = h->in.r;
	const struct trust_node *author = author_of(h, s);
	const struct space_state *space;
	const struct feed *feed;

	if (s->type == STATEMENT_EPOCH)
		return author && record_id_cmp(&author->node, &s->u.epoch.node) == 0 &&
		       author->epoch_count < r->trust->epochs_max;
	if (s->type != STATEMENT_FORK)
		return false;
	space = replica_space(r, &s->u.fork.space);
	feed = space ? replica_feed(r, space, &s->u.fork.replica) : NULL;
	return feed && feed->head.seq >= s->u.fork.seq;
}

/* Room for `count` more at all. */
static bool has_room(const struct hearing *h, const struct statement *s, size_t count)
{
	size_t most = STATEMENTS_MAX - (is_free(h, s) ? 0 : STATEMENTS_RESERVED);

	return intake_total(&h->in) + count <= most;
}

static bool is_over(const struct hearing *h, const struct statement *s)
{
	uint32_t most = NODE_STATEMENTS_MAX * (is_urgent(h, s) ? 2 : 1);

	if (!has_room(h, s, 1))
		return true;
	return !is_free(h, s) && weight_of(h, author_of(h, s)) + statement_weight(s) > most;
}

/* ---- What is needed after all ------------------------------------------------ */

struct knowledge {
	struct intake *in;
	enum err rc;
};

static bool knows(void *ctx, const struct sign_key *key)
{
	struct knowledge *k = ctx;
	bool known = false;

	if (k->rc == OK)
		k->rc = intake_knows(k->in, key, &known);
	return known;
}

static size_t count_marked(const struct aside *a)
{
	size_t count = 0;

	for (size_t i = 0; i < a->set.count; i++)
		count += a->is_marked[i];
	return count;
}

/* As much as is needed by another node that is not free may be taken of each author. */
static enum err weigh_marked(struct hearing *h, bool *fits)
{
	const struct aside *a = h->in.aside;
	size_t weighed = 0;
	enum err rc = OK;

	*fits = true;
	for (; rc == OK && *fits && weighed < a->set.count; weighed++) {
		if (!a->is_marked[weighed])
			continue;
		rc = add_weight(h, a->set.list[weighed]);
		*fits = weight_of(h, author_of(h, a->set.list[weighed])) <= 4 * NODE_STATEMENTS_MAX;
	}
	for (size_t i = 0; rc == OK && !*fits && i < weighed; i++)
		if (a->is_marked[i])
			tally_of(h, author_of(h, a->set.list[i]))->weight -=
				statement_weight(a->set.list[i]);
	return rc;
}

static enum err take_marked(struct hearing *h)
{
	struct aside *a = h->in.aside;
	struct statement *copy;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < a->set.count; i++) {
		if (!a->is_marked[i])
			continue;
		rc = statement_set_add(&h->in.fresh, a->set.encoded[i], &copy, h->in.msg);
		a->is_gone[i] = true;
		a->count--;
	}
	return rc;
}

/* What s needs, unless that is too much for who said it. */
static enum err take_needs(struct hearing *h, const struct statement *s, bool *is_done)
{
	struct knowledge k = { &h->in, OK };

	*is_done = !h->in.needs_others;
	/* Nothing of what has forked is here; and nobody's statements need nothing. */
	if (*is_done || s->type == STATEMENT_FORK || !(is_free(h, s) || author_of(h, s)))
		return OK;
	aside_mark_needs(h->in.aside, knows, &k);
	*is_done = has_room(h, s, 1 + count_marked(h->in.aside));
	if (k.rc == OK && *is_done && !is_free(h, s))
		k.rc = weigh_marked(h, is_done);
	return k.rc == OK && *is_done ? take_marked(h) : k.rc;
}

/* ---- One after the other ----------------------------------------------------- */

static enum err set_aside(struct hearing *h, const struct statement *s, struct bytes encoded)
{
	const struct trust_node *author = author_of(h, s);

	/* The same words for as many as there are: they are logged when they change. */
	if (h->receipt.set_aside++ == 0 && author)
		errmsg_set(&h->receipt.notice, ERR_LIMIT,
			   "a node of %s has said as many as are taken of one",
			   author->office_code);
	else if (h->receipt.notice.code == OK)
		errmsg_set(&h->receipt.notice, ERR_LIMIT,
			   "who is no node has said as many as are taken");
	return aside_add(h->in.aside, s, encoded, h->in.msg);
}

/* It passed all but the quotas. */
static enum err hear_sound(struct hearing *h, const struct statement *s, struct bytes encoded)
{
	struct intake *in = &h->in;
	struct statement *copy;
	bool is_done = false;
	enum err rc = OK;

	if (!is_over(h, s))
		rc = take_needs(h, s, &is_done);
	if (rc != OK)
		return rc;
	if (!is_done)
		return set_aside(h, s, encoded);
	if (!is_free(h, s))
		rc = add_weight(h, s);
	if (rc == OK && in->needs_others) { /* after what it needs */
		rc = statement_set_add(&in->fresh, encoded, &copy, in->msg);
		in->fresh.count -= rc == OK;
	}
	return rc == OK ? intake_keep(in) : rc;
}

static bool is_own_trouble(enum err rc)
{
	return rc <= ERR_CORRUPT;
}

static enum err hear_one(struct hearing *h, struct bytes encoded)
{
	struct aside *a = h->in.aside;
	struct statement *s;
	bool is_news = false;
	enum err rc;

	aside_clear_marks(a);
	rc = intake_check(&h->in, encoded, &s, &is_news);
	if (rc == OK && is_news && aside_find(a, &s->id) == ASIDE_NONE)
		return hear_sound(h, s, encoded);
	if (rc == OK || is_own_trouble(rc))
		return rc;
	/* It may have been dropped, and be no fault of the peer's. */
	if (a->is_full && (rc == ERR_CAUSAL || rc == ERR_AUTHORITY))
		h->receipt.set_aside++;
	else if (h->receipt.refusal.code == OK) {
		h->receipt.refusal = *h->in.msg;
		h->receipt.refusal.code = rc;
	}
	return OK;
}

enum err replica_hear_statements(struct replica *r, const struct bytes *list, size_t count,
				 struct aside *aside, uint64_t now_ms,
				 struct statements_receipt *out, struct errmsg *msg)
{
	struct hearing h = { .in = { .r = r, .aside = aside } };
	enum err rc;

	h.in.msg = &h.why;
	rc = intake_begin(&h.in);
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = hear_one(&h, list[i]);
	rc = intake_end(&h.in, rc, now_ms, &h.receipt);
	free(h.tallies);
	if (rc == OK)
		*out = h.receipt;
	else if (msg)
		*msg = h.why;
	return rc;
}
