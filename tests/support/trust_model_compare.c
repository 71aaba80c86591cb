#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "tests/support/trust_model_impl.h"

static void print_key(const struct sign_key *key)
{
	fprintf(stderr, " %02x%02x", key->bytes[0], key->bytes[1]);
}

static void print_line(const struct trust_model *m, size_t i, uint8_t verdict)
{
	const struct statement *s = m->list[i];

	fprintf(stderr, "%2zu %02x%02x %-7s", i, s->id.bytes[0], s->id.bytes[1],
		statement_type_name(s->type));
	if (subject(s))
		fprintf(stderr, " of %02x%02x", subject(s)->bytes[ID_BYTES - 2],
			subject(s)->bytes[ID_BYTES - 1]);
	if (identity(s))
		print_key((const struct sign_key *)identity(s)->sign_key);
	if (s->type == STATEMENT_ADMIN || admission(s))
		fprintf(stderr, " %s",
			(s->type == STATEMENT_ADMIN ? s->u.admin.is_admin : admission(s)->is_admin)
				? "admin"
				: "no admin");
	if (s->type == STATEMENT_GRANT)
		fprintf(stderr, " %s %s", s->u.grant.office_code, role_name(s->u.grant.role));
	for (size_t k = 0; roots_of(s) && k < roots_of(s)->count; k++)
		print_key(&roots_of(s)->keys[k]);
	fprintf(stderr, ", by");
	for (size_t k = 0; k < s->signer_count; k++)
		print_key(&s->signers[k]);
	fprintf(stderr, ", has seen");
	for (size_t y = 0; y < m->count; y++)
		if (has(m->past[i], y))
			fprintf(stderr, " %zu", y);
	fprintf(stderr, ": model %s, fold %s\n", verdict_name(m->verdicts[i]),
		verdict_name(verdict));
}

static bool differs(bool is_different, const char *what, size_t where)
{
	if (is_different)
		fprintf(stderr, "%s %zu differs\n", what, where);
	return is_different;
}

static bool agrees_on_roots(const struct trust_model *m, const struct trust *t)
{
	const struct roots *roots = trust_model_roots(m);

	return !differs(
		memcmp(t->org, m->list[0]->id.bytes, ORG_ID_BYTES) != 0 ||
			t->statement_count != m->count || t->root_threshold != roots->threshold ||
			t->root_count != roots->count ||
			memcmp(t->roots, roots->keys, roots->count * sizeof(*roots->keys)) != 0,
		"root, of keys", roots->count);
}

static bool agrees_on_nodes(const struct trust_model *m, const struct trust *t)
{
	bool is_different = differs(t->node_count != m->node_count, "node count", t->node_count);

	for (size_t i = 0; i < m->node_count; i++) {
		const struct trust_node *a = &m->nodes[i], *b = trust_node(t, &a->node);

		is_different |=
			differs(!b || record_id_cmp(&a->node, &b->node) != 0 ||
					!is_same_office(a->office_code, b->office_code) ||
					a->block != b->block || a->is_admin != b->is_admin ||
					a->is_revoked != b->is_revoked ||
					replica_id_cmp(&a->current, &b->current) != 0 ||
					a->epoch_count != b->epoch_count ||
					a->weight != b->weight || a->since_ms != b->since_ms,
				"node", i);
	}
	is_different |=
		differs(t->stray_weight != m->stray_weight, "stray weight", t->stray_weight);
	return !is_different;
}

static bool agrees_on_epochs(const struct trust_model *m, const struct trust *t)
{
	bool is_different =
		differs(t->epoch_count != m->epoch_count, "epoch count", t->epoch_count);

	for (size_t i = 0; i < m->epoch_count; i++) {
		const struct trust_epoch *a = &m->epochs[i], *b = trust_epoch(t, &a->replica);

		is_different |= differs(
			!b || replica_id_cmp(&a->replica, &b->replica) != 0 ||
				record_id_cmp(&a->node, &b->node) != 0 ||
				!is_same_office(a->office_code, b->office_code) ||
				memcmp(&a->identity, &b->identity, sizeof(a->identity)) != 0 ||
				a->is_void != b->is_void,
			"epoch", i);
	}
	return !is_different;
}

static bool agrees_on_roles(const struct trust_model *m, const struct trust *t)
{
	bool is_different =
		differs(t->grant_count != m->grant_count, "grant count", t->grant_count);
	size_t spaces = 0;

	for (size_t i = 0; i < m->grant_count; i++)
		is_different |= differs(trust_role(t, &m->grants[i].space,
						   m->grants[i].office_code) != m->grants[i].role,
					"grant", i);
	for (size_t i = 0; i < m->count; i++)
		spaces += has(m->stands, i) && m->list[i]->type == STATEMENT_SPACE;
	return !is_different && !differs(t->space_count != spaces, "space count", spaces);
}

static bool is_same_cut(const struct trust_cut *a, const struct trust_cut *b)
{
	return replica_id_cmp(&a->replica, &b->replica) == 0 &&
	       space_id_cmp(&a->space, &b->space) == 0 && a->seq == b->seq &&
	       a->cause == b->cause && a->has_link == b->has_link &&
	       (!a->has_link || memcmp(a->link, b->link, LINK_BYTES) == 0);
}

static bool agrees_on_cuts(const struct trust_model *m, const struct trust *t)
{
	bool is_different = false;

	/* Every statement's id as that of a space: the GENESIS's, the SPACEs', and some
	 * that are none. */
	for (size_t e = 0; e < m->epoch_count; e++)
		for (size_t i = 0; i < m->count; i++) {
			struct space_id space = statement_space(&m->list[i]->id);
			struct trust_cut a = trust_model_cut(m, &m->epochs[e].replica, &space);
			struct trust_cut b = trust_cut(t, &m->epochs[e].replica, &space);

			if (!is_same_cut(&a, &b)) {
				fprintf(stderr,
					"epoch %zu, space %zu: model %s %" PRIu64
					", fold %s %" PRIu64 "\n",
					e, i, cut_cause_name(a.cause), a.seq,
					cut_cause_name(b.cause), b.seq);
				is_different = true;
			}
		}
	return !is_different;
}

/* What the next statement names as parents, which no FORK can be; sorted. */
static bool agrees_on_heads(const struct trust_model *m, const struct trust *t)
{
	uint64_t seen = 0;
	size_t heads = 0;

	for (size_t i = 0; i < m->count; i++) {
		seen |= m->past[i];
		if (m->list[i]->type == STATEMENT_FORK)
			seen |= BIT(i);
	}
	for (size_t i = 0; i < m->count; i++) {
		bool is_listed = false;

		for (size_t h = 0; h < t->head_count; h++)
			is_listed |= statement_id_cmp(&t->heads[h], &m->list[i]->id) == 0;
		heads += !has(seen, i);
		if (differs(is_listed == has(seen, i), "head", i))
			return false;
	}
	for (size_t h = 1; h < t->head_count; h++)
		if (differs(statement_id_cmp(&t->heads[h - 1], &t->heads[h]) >= 0, "order of head",
			    h))
			return false;
	return !differs(heads != t->head_count, "head count", heads);
}

static bool agrees_on_digest(const struct trust_model *m, const struct trust *t)
{
	crypto_generichash_state state;
	uint8_t digest[STATEMENT_ID_BYTES];
	uint64_t left = BIT(m->count) - 1;

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	while (left) {
		size_t lowest = m->count;

		for (size_t i = 0; i < m->count; i++)
			if (has(left, i) &&
			    (lowest == m->count ||
			     statement_id_cmp(&m->list[i]->id, &m->list[lowest]->id) < 0))
				lowest = i;
		crypto_generichash_update(&state, m->list[lowest]->id.bytes, STATEMENT_ID_BYTES);
		left &= ~BIT(lowest);
	}
	crypto_generichash_final(&state, digest, sizeof(digest));
	return !differs(memcmp(digest, t->digest, sizeof(digest)) != 0, "digest of", m->count);
}

void trust_model_print(const struct trust_model *m, const uint8_t *verdicts)
{
	for (size_t i = 0; i < m->count; i++)
		print_line(m, i, verdicts[i]);
}

bool trust_model_agrees(const struct trust_model *m, const struct trust *t, const uint8_t *verdicts)
{
	bool agrees = true;

	for (size_t i = 0; i < m->count; i++)
		agrees &= !differs(verdicts[i] != m->verdicts[i], "verdict", i);
	agrees = agrees && agrees_on_roots(m, t) && agrees_on_nodes(m, t) &&
		 agrees_on_epochs(m, t) && agrees_on_roles(m, t) && agrees_on_cuts(m, t) &&
		 agrees_on_heads(m, t) && agrees_on_digest(m, t);
	if (!agrees)
		trust_model_print(m, verdicts);
	return agrees;
}
