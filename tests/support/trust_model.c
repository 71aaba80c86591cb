#include <assert.h>
#include <stdio.h>

#include "tests/support/trust_model_impl.h"

/* ---- M-5, M-8 to M-10: beside each other ----------------------------------- */

static bool clash(const struct statement *x, const struct statement *y)
{
	const struct node_identity *a = identity(x), *b = identity(y);

	if (!a || !b)
		return false;
	if (replica_id_cmp(&a->replica, &b->replica) == 0)
		return true;
	if (is_about(x, subject(y)))
		return admission(x) && admission(y);
	return memcmp(a->sign_key, b->sign_key, SIGN_PUBLIC_BYTES) == 0 ||
	       memcmp(a->noise_key, b->noise_key, NOISE_KEY_BYTES) == 0;
}

static bool is_meaningful(const struct trust_model *m, struct reading r, size_t x)
{
	const struct statement *s = m->list[x];
	bool is_named = s->type != STATEMENT_ADMIN && s->type != STATEMENT_REVOKE &&
			s->type != STATEMENT_GRANT;

	for (size_t y = 0; y < m->count; y++) {
		const struct statement *p = m->list[y];

		if (!has(m->past[x], y))
			continue;
		if (s->type == STATEMENT_GRANT)
			is_named |= is_space(p, &s->u.grant.space);
		else if (subject(s))
			is_named |= admission(p) && is_about(p, subject(s));
		if (has(r.bad, y) && clash(s, p))
			return false;
	}
	return is_named;
}

static int amount_given(const struct statement *s)
{
	return s->type == STATEMENT_ADMIN ? s->u.admin.is_admin : (int)s->u.grant.role;
}

/* Both ADMIN of one node, or both GRANT to one office in one space. */
static bool give_the_same(const struct statement *a, const struct statement *b)
{
	if (a->type == STATEMENT_ADMIN && b->type == STATEMENT_ADMIN)
		return is_about(a, subject(b));
	return a->type == STATEMENT_GRANT && b->type == STATEMENT_GRANT &&
	       space_id_cmp(&a->u.grant.space, &b->u.grant.space) == 0 &&
	       is_same_office(a->u.grant.office_code, b->u.grant.office_code);
}

/* M-8 and M-9, of concurrent ones: y standing, x can't. */
static bool beats(const struct trust_model *m, size_t y, size_t x)
{
	const struct statement *a = m->list[y], *b = m->list[x];

	if (a->type == STATEMENT_REVOKE && b->type == STATEMENT_ADMIN && b->u.admin.is_admin)
		return is_about(a, subject(b)) && (has(m->is_root, y) || !has(m->is_root, x));
	if (!give_the_same(a, b) || amount_given(a) == amount_given(b))
		return false;
	if (has(m->is_root, y) != has(m->is_root, x))
		return has(m->is_root, y);
	return amount_given(a) < amount_given(b);
}

static bool are_rivals(const struct statement *x, const struct statement *y)
{
	return clash(x, y) ||
	       (x->type == y->type && (x->type == STATEMENT_ROOTS ||
				       (x->type == STATEMENT_EPOCH && is_about(x, subject(y)))));
}

static bool is_better(const struct trust_model *m, size_t y, size_t x)
{
	if (has(m->is_root, y) != has(m->is_root, x))
		return has(m->is_root, y);
	return statement_id_cmp(&m->list[y]->id, &m->list[x]->id) < 0;
}

/* ---- M-11: the order of decisions ------------------------------------------ */

static uint64_t undecided(const struct trust_model *m, uint64_t which)
{
	return which & ~(m->stands | m->fallen);
}

/* M-7 does not concern SPACE. */
static enum scope scope_of(const struct statement *s)
{
	return s->type == STATEMENT_SPACE ? SEEN : SEEN_OR_BESIDE;
}

static bool would_stand(const struct trust_model *m, struct reading r, size_t x)
{
	if (!model_rests(m, r, x, scope_of(m->list[x])) || !is_meaningful(m, r, x))
		return false;
	for (size_t y = 0; y < m->count; y++) {
		if (!are_concurrent(m, x, y) || !has(r.bad, y))
			continue;
		if (beats(m, y, x))
			return false;
		if (are_rivals(m->list[x], m->list[y]) && (has(m->stands, y) || is_better(m, y, x)))
			return false;
	}
	return true;
}

static bool decide_some(struct trust_model *m, uint64_t which)
{
	uint64_t before = undecided(m, which);

	for (size_t x = 0; x < m->count; x++) {
		if (!has(undecided(m, which), x))
			continue;
		if (would_stand(m, surely(m), x))
			m->stands |= BIT(x);
		else if (!would_stand(m, possibly(m), x))
			m->fallen |= BIT(x);
	}
	return before != undecided(m, which);
}

/* What decides whether the capacity holds. */
static uint64_t capacity_waits(const struct trust_model *m, size_t x, const struct capacity *c)
{
	uint64_t set = c->givers;

	if (model_capacity_holds(m, surely(m), x, c, scope_of(m->list[x])))
		return 0;
	for (size_t g = 0; g < m->count; g++)
		if (has(c->givers & ~m->fallen, g))
			set |= model_takers_from(m, x, c, scope_of(m->list[x]), g);
	return set;
}

static uint64_t waits_for(const struct trust_model *m, size_t x)
{
	enum scope scope = scope_of(m->list[x]);
	struct grounds g;
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++) {
		bool is_rival = are_rivals(m->list[x], m->list[y]) && is_better(m, y, x);

		if (are_concurrent(m, x, y) ? beats(m, y, x) || is_rival
					    : has(m->past[x], y) && clash(m->list[x], m->list[y]))
			set |= BIT(y);
	}
	for (size_t c = 0; c < needs(m->list[x]); c++) {
		model_grounds(m, &g, x, c);
		if (model_any_holds(m, surely(m), x, &g, scope))
			continue;
		for (size_t i = 0; i < g.count; i++)
			for (size_t j = 0; j < g.list[i].count; j++)
				if (model_ground_holds(m, possibly(m), x, &g.list[i], scope))
					set |= capacity_waits(m, x, &g.list[i].all[j]);
	}
	return set;
}

/* Holds by M-4 whatever becomes of the others, and M-7 leaves it so far. */
static bool is_left(const struct trust_model *m, size_t x, const struct ground *ground)
{
	return model_ground_holds(m, surely(m), x, ground, SEEN) &&
	       model_ground_holds(m, possibly(m), x, ground, scope_of(m->list[x]));
}

static bool is_candidate(const struct trust_model *m, size_t x)
{
	struct grounds g;

	for (size_t c = 0; c < needs(m->list[x]); c++) {
		bool is_any_left = false;

		model_grounds(m, &g, x, c);
		for (size_t i = 0; i < g.count; i++)
			is_any_left |= is_left(m, x, &g.list[i]);
		if (!is_any_left)
			return false;
	}
	return is_meaningful(m, surely(m), x);
}

/* Whether y takes a ground that x has left and can't do without. */
static bool takes_ground(const struct trust_model *m, size_t y, size_t x)
{
	struct reading alone = { m->stands, BIT(y) };
	enum scope scope = scope_of(m->list[x]);
	struct grounds g;

	for (size_t c = 0; c < needs(m->list[x]); c++) {
		model_grounds(m, &g, x, c);
		if (model_any_holds(m, surely(m), x, &g, scope))
			continue;
		for (size_t i = 0; i < g.count; i++)
			if (is_left(m, x, &g.list[i]) &&
			    !model_ground_holds(m, alone, x, &g.list[i], scope))
				return true;
	}
	return false;
}

static bool goes_before(const struct trust_model *m, size_t x, size_t y)
{
	if (is_removal(m->list[x]) != is_removal(m->list[y]))
		return is_removal(m->list[x]);
	return is_better(m, x, y);
}

/* Undecided and concurrent with x, and against it. */
static uint64_t opponents(const struct trust_model *m, size_t x, uint64_t which)
{
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++)
		if (has(undecided(m, which), y) && are_concurrent(m, x, y) &&
		    (beats(m, y, x) || are_rivals(m->list[y], m->list[x])))
			set |= BIT(y);
	return set;
}

static uint64_t takers(const struct trust_model *m, size_t x, uint64_t which)
{
	uint64_t set = 0;

	for (size_t y = 0; y < m->count; y++)
		if (has(undecided(m, which), y) && are_concurrent(m, x, y) && takes_ground(m, y, x))
			set |= BIT(y);
	return set;
}

/* Of these, all of which wait for each other, the best stands. */
static void break_circle(struct trust_model *m, uint64_t circle, uint64_t which)
{
	size_t best = m->count;

	m->circles++;
	for (size_t x = 0; x < m->count; x++)
		if (has(circle, x) && is_candidate(m, x) &&
		    (best == m->count || goes_before(m, x, best)))
			best = x;
	assert(best < m->count);
	m->fallen |= opponents(m, best, which);
	m->fallen |= takers(m, best, which);
	m->stands |= BIT(best);
}

/* One circle that waits for nothing outside it. */
static uint64_t find_circle(const struct trust_model *m, uint64_t which)
{
	uint64_t reach[MODEL_MAX] = { 0 }, left = undecided(m, which);

	for (size_t x = 0; x < m->count; x++)
		if (has(left, x))
			reach[x] = waits_for(m, x) & left;
	for (size_t by = 0; by < m->count; by++)
		for (size_t x = 0; x < m->count; x++)
			if (has(reach[x], by))
				reach[x] |= reach[by];
	for (size_t x = 0; x < m->count; x++) {
		bool is_closed = has(reach[x], x);

		for (size_t y = 0; y < m->count; y++)
			is_closed &= !has(reach[x], y) || has(reach[y], x);
		if (is_closed)
			return reach[x];
	}
	assert(!"what is undecided waits in a circle");
	return 0;
}

static void settle(struct trust_model *m, uint64_t which)
{
	while (undecided(m, which))
		if (!decide_some(m, which))
			break_circle(m, find_circle(m, which), which);
}

/* ---- M-12: the result ------------------------------------------------------ */

static enum verdict verdict_of(const struct trust_model *m, size_t x)
{
	struct reading r = { m->stands, m->stands };

	if (has(m->stands, x))
		return VERDICT_STANDS;
	if (!model_rests(m, r, x, SEEN))
		return VERDICT_NO_AUTHORITY;
	return is_meaningful(m, r, x) ? VERDICT_OVERRULED : VERDICT_MEANINGLESS;
}

static bool is_revoked(const struct trust_model *m, const struct record_id *node)
{
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i) && m->list[i]->type == STATEMENT_REVOKE &&
		    is_about(m->list[i], node))
			return true;
	return false;
}

static bool is_admin(const struct trust_model *m, const struct record_id *node)
{
	struct reading settled = { m->stands, m->stands };
	struct capacity admin = model_admin_capacity(m, node);

	return model_capacity_holds(m, settled, m->count, &admin, SEEN) && !is_revoked(m, node);
}

static struct trust_node node_of(const struct trust_model *m, const struct statement *admit)
{
	const struct node_entry *entry = admission(admit);
	struct trust_node node = { .node = entry->node,
				   .block = entry->block,
				   .is_admin = is_admin(m, &entry->node),
				   .is_revoked = is_revoked(m, &entry->node),
				   .current = entry->identity.replica,
				   .since_ms = admit->wall_ms };
	size_t newest = m->count;

	memcpy(node.office_code, entry->office_code, sizeof(node.office_code));
	for (size_t i = 0; i < m->count; i++)
		if (has(m->stands, i) && m->list[i]->type == STATEMENT_EPOCH &&
		    is_about(m->list[i], &entry->node) &&
		    (newest == m->count || has(m->past[i], newest)))
			newest = i;
	if (newest < m->count)
		node.current = m->list[newest]->u.epoch.identity.replica;
	return node;
}

/* Which of several that say the same of something counts. */
static bool counts_before(const struct trust_model *m, size_t x, size_t y)
{
	if (has(m->stands, x) != has(m->stands, y))
		return has(m->stands, x);
	return statement_id_cmp(&m->list[x]->id, &m->list[y]->id) < 0;
}

static void count_epochs(struct trust_model *m)
{
	for (size_t n = 0; n < m->node_count; n++)
		for (size_t i = 0; i < m->count; i++)
			m->nodes[n].epoch_count += has(m->stands, i) && identity(m->list[i]) &&
						   is_about(m->list[i], &m->nodes[n].node);
}

/* Whether the statement is put down to the node that y, standing, names keys of (M-22). */
static bool is_put_down_by(const struct statement *s, const struct statement *y)
{
	struct replica_id forked;

	if (s->type == STATEMENT_FORK) {
		forked = epoch_replica(s->u.fork.sign_key, s->u.fork.nonce);
		return replica_id_cmp(&identity(y)->replica, &forked) == 0;
	}
	return false;
}

static const struct record_id *author_of(const struct trust_model *m, const struct statement *s)
{
	for (size_t k = 0; k <= s->signer_count; k++)
		for (size_t y = 0; y < m->count; y++)
			if (has(m->stands, y) && identity(m->list[y]) &&
			    (k < s->signer_count ? has_key(m->list[y], &s->signers[k])
						 : is_put_down_by(s, m->list[y])))
				return subject(m->list[y]);
	return NULL;
}

static void weigh(struct trust_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct record_id *author = author_of(m, m->list[i]);
		uint32_t *weight = &m->stray_weight;

		if (m->list[i]->type == STATEMENT_GENESIS || has(m->is_root, i))
			continue;
		for (size_t n = 0; author && n < m->node_count; n++)
			if (record_id_cmp(&m->nodes[n].node, author) == 0)
				weight = &m->nodes[n].weight;
		*weight += statement_weight(m->list[i]);
	}
}

static void epoch_office(const struct trust_model *m, struct trust_epoch *epoch, size_t by)
{
	size_t admit = m->count;

	for (size_t i = 0; i < m->count; i++)
		if (admission(m->list[i]) && is_about(m->list[i], &epoch->node) &&
		    (admit == m->count || counts_before(m, i, admit)))
			admit = i;
	if (admission(m->list[by]))
		admit = by;
	if (admit < m->count)
		memcpy(epoch->office_code, admission(m->list[admit])->office_code,
		       sizeof(epoch->office_code));
}

static void collect_epochs(struct trust_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		bool is_first = identity(m->list[i]);

		for (size_t j = 0; j < m->count && is_first; j++)
			if (j != i && identity(m->list[j]) &&
			    replica_id_cmp(&identity(m->list[i])->replica,
					   &identity(m->list[j])->replica) == 0)
				is_first = counts_before(m, i, j);
		if (is_first) {
			struct trust_epoch *epoch = &m->epochs[m->epoch_count++];

			*epoch = (struct trust_epoch){ .replica = identity(m->list[i])->replica,
						       .node = *subject(m->list[i]),
						       .identity = *identity(m->list[i]),
						       .is_void = !has(m->stands, i) };
			epoch_office(m, epoch, i);
		}
	}
}

enum role model_role(const struct trust_model *m, const struct space_id *space, const char *office)
{
	size_t newest = m->count;
	bool is_made = false;
	enum role role = ROLE_NONE, now;

	for (size_t i = 0; i < m->count; i++) {
		if (!has(m->stands, i) || !gives_role(m->list[i], space, office, &now))
			continue;
		is_made |= m->list[i]->type == STATEMENT_SPACE;
		if (newest == m->count || has(m->past[i], newest)) {
			newest = i;
			role = now;
		}
	}
	return is_made ? role : ROLE_NONE;
}

static void add_grant(struct trust_model *m, const struct space_id *space, const char *office)
{
	struct trust_grant grant = { .space = *space, .role = model_role(m, space, office) };

	snprintf(grant.office_code, sizeof(grant.office_code), "%s", office);
	for (size_t i = 0; i < m->grant_count; i++)
		if (space_id_cmp(&m->grants[i].space, space) == 0 &&
		    is_same_office(m->grants[i].office_code, office))
			return;
	if (grant.role != ROLE_NONE)
		m->grants[m->grant_count++] = grant;
}

static void collect_grants(struct trust_model *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct statement *s = m->list[i];
		struct space_id made = statement_space(&s->id);

		if (s->type == STATEMENT_GRANT)
			add_grant(m, &s->u.grant.space, s->u.grant.office_code);
		for (size_t o = 0; s->type == STATEMENT_SPACE && o < s->u.space.office_count; o++)
			add_grant(m, &made, s->u.space.offices[o].office_code);
	}
}

static void find_pasts(struct trust_model *m)
{
	for (bool grows = true; grows;) {
		grows = false;
		for (size_t x = 0; x < m->count; x++)
			for (size_t p = 0; p < m->list[x]->parent_count; p++)
				for (size_t y = 0; y < m->count; y++) {
					uint64_t more = BIT(y) | m->past[y];

					if (statement_id_cmp(&m->list[x]->parents[p],
							     &m->list[y]->id) != 0 ||
					    (m->past[x] & more) == more)
						continue;
					m->past[x] |= more;
					grows = true;
				}
	}
	m->past[m->count] = BIT(m->count) - 1;
}

/* When all ROOTS are settled. */
static bool is_roots(const struct trust_model *m, size_t x)
{
	struct grounds g;

	if (m->list[x]->type == STATEMENT_EPOCH || m->list[x]->type == STATEMENT_SPACE)
		return false;
	model_grounds(m, &g, x, 0);
	return g.count && model_ground_holds(m, surely(m), x, &g.list[0], SEEN_OR_BESIDE);
}

void trust_model_fold(struct trust_model *m, const struct statement *const *list, size_t count)
{
	uint64_t roots = 0;

	assert(count > 0 && count <= MODEL_MAX && list[0]->type == STATEMENT_GENESIS);
	*m = (struct trust_model){ .count = count, .stands = BIT(0), .epochs_max = EPOCHS_MAX };
	for (size_t i = 0; i < count; i++) {
		m->list[i] = list[i];
		if (list[i]->type == STATEMENT_FORK)
			m->stands |= BIT(i);
		if (list[i]->type == STATEMENT_ROOTS)
			roots |= BIT(i);
	}
	find_pasts(m);
	settle(m, roots);
	for (size_t i = 0; i < count; i++)
		if (is_roots(m, i))
			m->is_root |= BIT(i);
	settle(m, BIT(count) - 1);
	for (size_t i = 0; i < count; i++) {
		m->verdicts[i] = verdict_of(m, i);
		if (has(m->stands, i) && admission(list[i]))
			m->nodes[m->node_count++] = node_of(m, list[i]);
	}
	count_epochs(m);
	weigh(m);
	collect_epochs(m);
	collect_grants(m);
}

const struct roots *trust_model_roots(const struct trust_model *m)
{
	size_t newest = 0;

	for (size_t i = 1; i < m->count; i++)
		if (has(m->stands, i) && m->list[i]->type == STATEMENT_ROOTS &&
		    has(m->past[i], newest))
			newest = i;
	return roots_of(m->list[newest]);
}
