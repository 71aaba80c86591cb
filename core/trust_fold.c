#include <sodium.h>
#include <stdlib.h>

#include "core/trust_impl.h"

/* Room for `count` elements, at least one. */
static bool allocate(void *array, size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	memcpy(array, &memory, sizeof(memory));
	return memory != NULL;
}

/* ---- Nodes and epochs ------------------------------------------------------ */

/* The standing one in which the node is what `gives` says and none that takes it follows. */
static bool is_admin(const struct fold *f, struct span about)
{
	for (uint32_t i = about.count; i-- > 0;) {
		const struct statement *s = f->list[about.at[i]];
		const struct node_entry *entry = statement_entry(s);
		bool is_held = fold_stands(f, about.at[i]) &&
			       (entry ? entry->is_admin
				      : s->type == STATEMENT_ADMIN && s->u.admin.is_admin);

		for (uint32_t j = about.count; j-- > 0 && is_held;) {
			const struct statement *taker = f->list[about.at[j]];

			is_held = !fold_stands(f, about.at[j]) || taker->type != STATEMENT_ADMIN ||
				  taker->u.admin.is_admin ||
				  fold_has_seen(f, about.at[i], about.at[j]);
		}
		if (is_held)
			return true;
	}
	return false;
}

/* Of a node that was admitted. */
static void describe_node(const struct fold *f, struct span about, struct trust_node *node)
{
	for (uint32_t i = 0; i < about.count; i++) {
		const struct statement *s = f->list[about.at[i]];
		const struct node_entry *entry = statement_entry(s);

		if (!fold_stands(f, about.at[i]))
			continue;
		if (entry) {
			node->node = entry->node;
			memcpy(node->office_code, entry->office_code, sizeof(node->office_code));
			node->block = entry->block;
			node->since_ms = s->wall_ms;
		}
		if (statement_identity(s)) {
			node->current = statement_identity(s)->replica;
			node->epoch_count++;
		}
		node->is_revoked |= s->type == STATEMENT_REVOKE;
	}
	node->is_admin = !node->is_revoked && is_admin(f, about);
}

static bool is_before(const struct fold *f, uint32_t x, uint32_t y)
{
	if (fold_stands(f, x) != fold_stands(f, y))
		return fold_stands(f, x);
	return statement_id_cmp(&f->list[x]->id, &f->list[y]->id) < 0;
}

/* The one that stands or has the lowest id; NO_STATEMENT: none. */
static uint32_t first_of(const struct fold *f, uint32_t subject, bool only_entries)
{
	struct span span = fold_span(f, subject);
	uint32_t first = NO_STATEMENT;

	for (uint32_t i = 0; i < span.count; i++)
		if ((!only_entries || statement_entry(f->list[span.at[i]])) &&
		    (first == NO_STATEMENT || is_before(f, span.at[i], first)))
			first = span.at[i];
	return first;
}

static enum err fold_nodes(const struct fold *f, struct trust *t)
{
	uint32_t first = fold_subjects_from(f, SUBJECT_NODE);
	uint32_t end = fold_subjects_from(f, SUBJECT_NODE + 1);

	if (!allocate(&t->nodes, end - first, sizeof(*t->nodes)))
		return ERR_NOMEM;
	for (uint32_t node = first; node < end; node++) {
		uint32_t admitted = first_of(f, node, true);

		if (admitted != NO_STATEMENT && fold_stands(f, admitted))
			describe_node(f, fold_span(f, node), &t->nodes[t->node_count++]);
	}
	return OK;
}

static void describe_epoch(const struct fold *f, uint32_t replica, struct trust_epoch *epoch)
{
	uint32_t x = first_of(f, replica, false);
	const struct statement *s = f->list[x];
	uint32_t admitted = statement_entry(s) ? x : first_of(f, f->about[x].node, true);

	epoch->identity = *statement_identity(s);
	epoch->replica = epoch->identity.replica;
	epoch->is_void = !fold_stands(f, x);
	epoch->node = statement_entry(s) ? statement_entry(s)->node : s->u.epoch.node;
	if (admitted != NO_STATEMENT)
		memcpy(epoch->office_code, statement_entry(f->list[admitted])->office_code,
		       sizeof(epoch->office_code));
}

static enum err fold_epochs(const struct fold *f, struct trust *t)
{
	uint32_t first = fold_subjects_from(f, SUBJECT_REPLICA);

	t->epoch_count = fold_subjects_from(f, SUBJECT_REPLICA + 1) - first;
	if (!allocate(&t->epochs, t->epoch_count, sizeof(*t->epochs)))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->epoch_count; i++)
		describe_epoch(f, first + i, &t->epochs[i]);
	return OK;
}

/* The standing epochs of a node have seen each other, so the list has them in their order. */
static void find_surplus(const struct fold *f, struct trust *t)
{
	uint32_t first = fold_subjects_from(f, SUBJECT_NODE);
	uint32_t end = fold_subjects_from(f, SUBJECT_NODE + 1);

	for (uint32_t node = first; node < end; node++) {
		struct span about = fold_span(f, node);
		uint32_t count = 0;

		for (uint32_t i = 0; i < about.count; i++) {
			const struct node_identity *identity =
				statement_identity(f->list[about.at[i]]);
			const struct trust_epoch *epoch;

			if (!identity || !fold_stands(f, about.at[i]) || ++count <= t->epochs_max)
				continue;
			epoch = trust_epoch(t, &identity->replica);
			t->epochs[epoch - t->epochs].is_surplus = true;
		}
	}
}

/* ---- Who has said how much (M-22) ------------------------------------------ */

/* By subject, of those that are sign keys: the node whose key it is, by what stands. */
static struct trust_node **find_owners(const struct fold *f, const struct trust *t)
{
	uint32_t end = fold_subjects_from(f, SUBJECT_SIGN_KEY + 1);
	struct trust_node **owners = calloc(f->subject_count + 1, sizeof(struct trust_node *));

	for (uint32_t key = fold_subjects_from(f, SUBJECT_SIGN_KEY); owners && key < end; key++) {
		struct span named = fold_span(f, key);

		for (uint32_t i = 0; i < named.count && !owners[key]; i++)
			if (fold_stands(f, named.at[i]))
				owners[key] =
					trust_own_node(t, statement_node(f->list[named.at[i]]));
	}
	return owners;
}

static struct trust_node *author_of(const struct fold *f, const struct trust *t, uint32_t x,
				    struct trust_node *const *owners)
{
	const struct statement *s = f->list[x];
	struct trust_node *node = NULL;

	if (s->type == STATEMENT_FORK)
		return trust_forked_node(t, s);
	for (size_t i = 0; i < s->signer_count && !node; i++)
		if (f->about[x].signers[i] != NO_SUBJECT)
			node = owners[f->about[x].signers[i]];
	return node;
}

static enum err fold_weights(const struct fold *f, struct trust *t)
{
	struct trust_node **owners = find_owners(f, t);

	if (!owners)
		return ERR_NOMEM;
	for (uint32_t x = 0; x < f->count; x++) {
		t->has_other_roots |= f->list[x]->type == STATEMENT_ROOTS;
		if (f->list[x]->type != STATEMENT_GENESIS && !f->is_root[x])
			trust_add_weight(t, author_of(f, t, x, owners), f->list[x]);
	}
	free(owners);
	return OK;
}

/* ---- Spaces and roles ------------------------------------------------------ */

enum role fold_role(const struct fold *f, uint32_t x, const struct space_id *space,
		    const char *office_code)
{
	struct subject_key made_key = subject_key(SUBJECT_SPACE, space->bytes, ID_BYTES);
	struct subject_key office_key = subject_office(space, office_code);
	struct span made = fold_span(f, fold_subject(f, &made_key));
	struct span grants = fold_span(f, fold_subject(f, &office_key));
	const struct statement *by = NULL;

	for (uint32_t i = 0; i < made.count && !by; i++)
		if (fold_stands(f, made.at[i]) &&
		    (x == NO_STATEMENT || fold_has_seen(f, x, made.at[i])))
			by = f->list[made.at[i]];
	if (!by)
		return ROLE_NONE;
	for (uint32_t i = grants.count; i-- > 0;)
		if (fold_stands(f, grants.at[i]) &&
		    (x == NO_STATEMENT || fold_has_seen(f, x, grants.at[i])))
			return f->list[grants.at[i]]->u.grant.role;
	return space_office_role(by, office_code);
}

static int grant_cmp(const void *a, const void *b)
{
	return trust_grant_cmp(a, b);
}

/* Whoever was ever given a role, as often as it was. */
static size_t list_grants(const struct fold *f, struct trust_grant *out)
{
	size_t count = 0;

	for (uint32_t x = 0; x < f->count; x++) {
		const struct statement *s = f->list[x];
		size_t offices = s->type == STATEMENT_SPACE ? s->u.space.office_count : 0;

		if (!fold_stands(f, x))
			continue;
		for (size_t i = 0; i < offices; i++, count++)
			if (out) {
				out[count].space = statement_space(&s->id);
				memcpy(out[count].office_code, s->u.space.offices[i].office_code,
				       sizeof(out->office_code));
			}
		if (s->type == STATEMENT_GRANT && out) {
			out[count].space = s->u.grant.space;
			memcpy(out[count].office_code, s->u.grant.office_code,
			       sizeof(out->office_code));
		}
		count += s->type == STATEMENT_GRANT;
	}
	return count;
}

static enum err fold_grants(const struct fold *f, struct trust *t)
{
	size_t count = list_grants(f, NULL);

	if (!allocate(&t->grants, count, sizeof(*t->grants)))
		return ERR_NOMEM;
	list_grants(f, t->grants);
	qsort(t->grants, count, sizeof(*t->grants), grant_cmp);
	for (size_t i = 0; i < count; i++) {
		struct trust_grant grant = t->grants[i];

		if (i > 0 && trust_grant_cmp(&grant, &t->grants[i - 1]) == 0)
			continue;
		grant.role = fold_role(f, NO_STATEMENT, &grant.space, grant.office_code);
		if (grant.role != ROLE_NONE)
			t->grants[t->grant_count++] = grant;
	}
	return OK;
}

static enum err fold_spaces(const struct fold *f, struct trust *t)
{
	uint32_t first = fold_subjects_from(f, SUBJECT_SPACE);
	uint32_t end = fold_subjects_from(f, SUBJECT_SPACE + 1);

	if (!allocate(&t->spaces, end - first, sizeof(*t->spaces)))
		return ERR_NOMEM;
	for (uint32_t space = first; space < end; space++) {
		uint32_t made = first_of(f, space, false);

		if (made != NO_STATEMENT && fold_stands(f, made))
			t->spaces[t->space_count++] = statement_space(&f->list[made]->id);
	}
	return OK;
}

/* ---- Roots, heads, ids ----------------------------------------------------- */

static void fold_roots(const struct fold *f, struct trust *t)
{
	struct span about = fold_span(f, f->about[0].roots);
	const struct roots *roots = NULL;

	for (uint32_t i = 0; i < about.count; i++)
		if (fold_stands(f, about.at[i]))
			roots = statement_roots(f->list[about.at[i]]);
	t->root_threshold = roots->threshold;
	t->root_count = roots->count;
	memcpy(t->roots, roots->keys, roots->count * sizeof(*t->roots));
}

static int id_cmp(const void *a, const void *b)
{
	return statement_id_cmp(a, b);
}

void trust_hash_ids(struct trust *t)
{
	crypto_generichash(t->digest, sizeof(t->digest), t->ids[0].bytes,
			   t->statement_count * sizeof(*t->ids), NULL, 0);
}

/* Mark the parents of all; what is left are heads. */
static enum err fold_ids(const struct fold *f, struct trust *t)
{
	if (!allocate(&t->ids, f->count, sizeof(*t->ids)) ||
	    !allocate(&t->heads, f->count, sizeof(*t->heads)))
		return ERR_NOMEM;
	t->statement_count = f->count;
	for (uint32_t x = 0; x < f->count; x++) {
		t->ids[x] = f->list[x]->id;
		if (f->list[x]->type != STATEMENT_FORK && !f->is_parent[x])
			t->heads[t->head_count++] = f->list[x]->id;
	}
	qsort(t->ids, t->statement_count, sizeof(*t->ids), id_cmp);
	qsort(t->heads, t->head_count, sizeof(*t->heads), id_cmp);
	memcpy(t->org, f->list[0]->id.bytes, ORG_ID_BYTES);
	trust_hash_ids(t);
	return OK;
}

/* ---- All ------------------------------------------------------------------- */

static enum err fold_result(const struct fold *f, struct trust *t)
{
	fold_roots(f, t);
	if (fold_ids(f, t) != OK || fold_nodes(f, t) != OK || fold_epochs(f, t) != OK ||
	    fold_spaces(f, t) != OK || fold_grants(f, t) != OK)
		return ERR_NOMEM;
	find_surplus(f, t);
	return fold_weights(f, t) == OK ? fold_cuts(f, t) : ERR_NOMEM;
}

static enum verdict verdict_of(const struct fold *f, uint32_t x)
{
	if (fold_stands(f, x))
		return VERDICT_STANDS;
	if (!ground_has_authority(f, x))
		return VERDICT_NO_AUTHORITY;
	if (!peer_is_named(f, x) || peer_may_clash(f, x))
		return VERDICT_MEANINGLESS;
	return VERDICT_OVERRULED;
}

enum err trust_fold(struct trust **out, const struct statement *const *list, size_t count,
		    uint8_t *verdicts, struct errmsg *msg)
{
	return trust_fold_within(out, list, count, EPOCHS_MAX, verdicts, msg);
}

enum err trust_fold_within(struct trust **out, const struct statement *const *list, size_t count,
			   uint32_t epochs_max, uint8_t *verdicts, struct errmsg *msg)
{
	struct trust *t = calloc(1, sizeof(*t));
	struct fold f;
	enum err rc = fold_index(&f, list, count, msg);

	if (rc != OK)
		goto out;
	rc = ERR_NOMEM;
	if (t)
		t->epochs_max = epochs_max;
	if (!t || fold_settle(&f) != OK || fold_result(&f, t) != OK) {
		errmsg_set(msg, rc, "out of memory");
		goto out;
	}
	for (uint32_t x = 0; x < f.count; x++)
		verdicts[x] = verdict_of(&f, x);
	*out = t;
	t = NULL;
	rc = OK;
out:
	fold_release(&f);
	trust_free(t);
	return rc;
}
