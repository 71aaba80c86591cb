/* One more statement, on top of all. What has seen everything has no rivals, and
 * whatever could be said against it is in the result; only how cuts came about is
 * not, so that whatever could raise one needs the past. */
#include <assert.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/trust_impl.h"

/* ---- Who signed it --------------------------------------------------------- */

/* What the signers of a statement are. */
struct authors {
	bool is_root, is_admin, is_manager, is_member, is_self;
};

static struct authors authors_of(const struct trust *t, const struct statement *s,
				 const struct record_id *subject, const struct space_id *space)
{
	struct authors a = { 0 };
	size_t root_count = 0;

	for (size_t i = 0; i < s->signer_count; i++) {
		const struct trust_node *node = trust_node_by_sign_key(t, s->signers[i].bytes);

		root_count += trust_is_root(t, &s->signers[i]);
		if (!node)
			continue;
		a.is_member = true;
		a.is_admin |= node->is_admin;
		a.is_self |= subject && record_id_cmp(&node->node, subject) == 0;
		a.is_manager |= space && trust_role(t, space, node->office_code) == ROLE_MANAGER;
	}
	a.is_root = root_count >= t->root_threshold;
	return a;
}

/* ---- What is known --------------------------------------------------------- */

static bool knows_node(const struct trust *t, const struct record_id *node)
{
	bool is_known = trust_node(t, node) != NULL;

	for (size_t i = 0; i < t->epoch_count && !is_known; i++)
		is_known = record_id_cmp(&t->epochs[i].node, node) == 0;
	return is_known;
}

static bool knows_replica(const struct trust *t, const struct replica_id *replica)
{
	bool is_known = trust_epoch(t, replica) != NULL;

	for (size_t i = 0; i < t->cut_count && !is_known; i++)
		is_known = replica_id_cmp(&t->cuts[i].replica, replica) == 0;
	return is_known;
}

static bool knows_space(const struct trust *t, const struct space_id *space)
{
	for (size_t i = 0; i < t->space_count; i++)
		if (space_id_cmp(&t->spaces[i], space) == 0)
			return true;
	return false;
}

/* A key of it is another node's. */
static bool is_taken(const struct trust *t, const struct record_id *node,
		     const struct node_identity *identity)
{
	for (size_t i = 0; i < t->epoch_count; i++) {
		const struct trust_epoch *epoch = &t->epochs[i];

		if (!epoch->is_void && record_id_cmp(&epoch->node, node) != 0 &&
		    (memcmp(epoch->identity.sign_key, identity->sign_key, SIGN_PUBLIC_BYTES) == 0 ||
		     memcmp(epoch->identity.noise_key, identity->noise_key, NOISE_KEY_BYTES) == 0))
			return true;
	}
	return false;
}

/* Nothing that is held can be signed by it but what is put down to the node already. */
static bool is_fresh_key(const struct trust *t, const struct record_id *node,
			 const uint8_t key[SIGN_PUBLIC_BYTES])
{
	struct sign_key sign_key;
	bool is_own = false, is_other = t->has_other_roots || t->stray_weight > 0;

	memcpy(sign_key.bytes, key, SIGN_PUBLIC_BYTES);
	is_other |= trust_is_root(t, &sign_key);
	for (size_t i = 0; i < t->epoch_count; i++) {
		const struct trust_epoch *epoch = &t->epochs[i];

		if (memcmp(epoch->identity.sign_key, key, SIGN_PUBLIC_BYTES) != 0)
			continue;
		is_own |= !epoch->is_void && record_id_cmp(&epoch->node, node) == 0;
		is_other = true;
	}
	return is_own || !is_other;
}

/* By the first `count` of the cuts, which are sorted. */
static bool is_cut(const struct trust *t, size_t count, const struct replica_id *replica,
		   const struct space_id *space)
{
	struct trust_cut key = { .replica = *replica, .space = *space };
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = trust_feed_cmp(&t->cuts[mid], &key);

		if (order == 0)
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static bool has_cuts_of_node(const struct trust *t, const struct record_id *node)
{
	for (size_t i = 0; i < t->cut_count; i++) {
		const struct trust_epoch *epoch = trust_epoch(t, &t->cuts[i].replica);

		if (epoch && record_id_cmp(&epoch->node, node) == 0)
			return true;
	}
	return false;
}

/* In the space, of the office's feeds. */
static bool has_cuts_in(const struct trust *t, const struct space_id *space,
			const char *office_code)
{
	for (size_t i = 0; i < t->cut_count; i++) {
		const struct trust_epoch *epoch = trust_epoch(t, &t->cuts[i].replica);

		if (space_id_cmp(&t->cuts[i].space, space) == 0 &&
		    (!epoch || strcmp(epoch->office_code, office_code) == 0))
			return true;
	}
	return false;
}

/* ---- Inserting; there is room ---------------------------------------------- */

static void insert(void *array, size_t *count, size_t at, const void *item, size_t size)
{
	uint8_t *place = (uint8_t *)array + at * size;

	memmove(place + size, place, (*count - at) * size);
	memcpy(place, item, size);
	++*count;
}

static void insert_node(struct trust *t, const struct trust_node *node)
{
	size_t at = 0;

	while (at < t->node_count && record_id_cmp(&t->nodes[at].node, &node->node) < 0)
		at++;
	insert(t->nodes, &t->node_count, at, node, sizeof(*node));
}

static void insert_epoch(struct trust *t, const struct trust_epoch *epoch)
{
	size_t at = 0;

	while (at < t->epoch_count && replica_id_cmp(&t->epochs[at].replica, &epoch->replica) < 0)
		at++;
	insert(t->epochs, &t->epoch_count, at, epoch, sizeof(*epoch));
}

static void insert_id(struct trust *t, const struct statement_id *id)
{
	size_t low = 0, high = t->statement_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (statement_id_cmp(&t->ids[mid], id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	insert(t->ids, &t->statement_count, low, id, sizeof(*id));
}

static void set_role(struct trust *t, const struct space_id *space, const char *office_code,
		     enum role role)
{
	struct trust_grant grant = { .space = *space, .role = role };
	size_t at = 0;

	memcpy(grant.office_code, office_code, strlen(office_code));
	while (at < t->grant_count && trust_grant_cmp(&t->grants[at], &grant) < 0)
		at++;
	if (at < t->grant_count && trust_grant_cmp(&t->grants[at], &grant) == 0) {
		t->grant_count--;
		memmove(&t->grants[at], &t->grants[at + 1],
			(t->grant_count - at) * sizeof(*t->grants));
	}
	if (role != ROLE_NONE)
		insert(t->grants, &t->grant_count, at, &grant, sizeof(grant));
}

/* ---- Cuts ------------------------------------------------------------------ */

static struct trust_cut whole_cut(enum cut_cause cause)
{
	struct trust_cut cut = { .cause = cause };

	if (cause == CUT_NONE)
		cut.seq = UINT64_MAX;
	return cut;
}

static struct trust_cut named_cut(const struct cut *cut, enum cut_cause cause)
{
	struct trust_cut named = { .seq = cut->seq, .has_link = cut->seq > 0, .cause = cause };

	if (named.has_link)
		memcpy(named.link, cut->link, LINK_BYTES);
	return named;
}

static struct trust_cut least_cut(struct trust_cut a, struct trust_cut b)
{
	return trust_cut_cmp(&a, &b) <= 0 ? a : b;
}

/* At the end: sort_cuts() follows. */
static void append_cut(struct trust *t, const struct cut *feed, struct trust_cut cut)
{
	cut.replica = feed->replica;
	cut.space = feed->space;
	t->cuts[t->cut_count++] = cut;
}

static int feed_cmp(const void *a, const void *b)
{
	return trust_feed_cmp(a, b);
}

static void sort_cuts(struct trust *t)
{
	if (t->cut_count)
		qsort(t->cuts, t->cut_count, sizeof(*t->cuts), feed_cmp);
}

/* An epoch of the node, of which nothing is cut by name yet, ends where the cuts say. */
static void end_epoch(struct trust *t, struct trust_epoch *epoch, enum cut_cause cause,
		      const struct cut *cuts, size_t count)
{
	struct trust_cut before = whole_cut(epoch->cause);

	if (epoch->cause == CUT_NONE || cause < epoch->cause)
		epoch->cause = cause;
	for (size_t i = 0; i < count; i++) {
		struct trust_cut cut, usual;

		if (replica_id_cmp(&cuts[i].replica, &epoch->replica) != 0)
			continue;
		usual = trust_cut_default(t, epoch, &cuts[i].space);
		cut = least_cut(before, named_cut(&cuts[i], cause));
		if (!trust_is_directory(t, &cuts[i].space) &&
		    trust_role(t, &cuts[i].space, epoch->office_code) < ROLE_EDITOR)
			cut = least_cut(cut, whole_cut(CUT_ROLE));
		if (trust_cut_cmp(&cut, &usual) != 0)
			append_cut(t, &cuts[i], cut);
	}
}

static void end_epochs(struct trust *t, const struct record_id *node, enum cut_cause cause,
		       const struct cut *cuts, size_t count)
{
	for (size_t i = 0; i < t->epoch_count; i++)
		if (record_id_cmp(&t->epochs[i].node, node) == 0)
			end_epoch(t, &t->epochs[i], cause, cuts, count);
	sort_cuts(t);
}

/* ---- Each type ------------------------------------------------------------- */

static bool admit_is_plain(const struct trust *t, const struct statement *s)
{
	return !knows_node(t, &s->u.admit.node) &&
	       !knows_replica(t, &s->u.admit.identity.replica) &&
	       is_fresh_key(t, &s->u.admit.node, s->u.admit.identity.sign_key);
}

static enum verdict judge_admit(const struct trust *t, const struct statement *s)
{
	struct authors a = authors_of(t, s, NULL, NULL);

	if (!a.is_root && !a.is_admin)
		return VERDICT_NO_AUTHORITY;
	return is_taken(t, &s->u.admit.node, &s->u.admit.identity) ? VERDICT_MEANINGLESS
								   : VERDICT_STANDS;
}

static void apply_admit(struct trust *t, const struct statement *s, bool stands)
{
	const struct node_entry *entry = &s->u.admit;
	struct trust_epoch epoch = { .replica = entry->identity.replica,
				     .node = entry->node,
				     .identity = entry->identity,
				     .is_void = !stands,
				     .cause = stands ? CUT_NONE : CUT_VOID };
	struct trust_node node = { .node = entry->node,
				   .block = entry->block,
				   .is_admin = entry->is_admin,
				   .current = entry->identity.replica,
				   .epoch_count = 1,
				   .since_ms = s->wall_ms };

	memcpy(epoch.office_code, entry->office_code, sizeof(epoch.office_code));
	memcpy(node.office_code, entry->office_code, sizeof(node.office_code));
	insert_epoch(t, &epoch);
	if (stands)
		insert_node(t, &node);
}

static bool admin_is_plain(const struct trust *t, const struct statement *s)
{
	return trust_node(t, &s->u.admin.node) != NULL;
}

static enum verdict judge_admin(const struct trust *t, const struct statement *s)
{
	struct authors a = authors_of(t, s, NULL, NULL);

	return a.is_root || a.is_admin ? VERDICT_STANDS : VERDICT_NO_AUTHORITY;
}

static void apply_admin(struct trust *t, const struct statement *s, bool stands)
{
	struct trust_node *node = trust_own_node(t, &s->u.admin.node);

	if (stands)
		node->is_admin = s->u.admin.is_admin && !node->is_revoked;
}

static bool revoke_is_plain(const struct trust *t, const struct statement *s)
{
	return trust_node(t, &s->u.revoke.node) && !has_cuts_of_node(t, &s->u.revoke.node);
}

static enum verdict judge_revoke(const struct trust *t, const struct statement *s)
{
	struct authors a = authors_of(t, s, &s->u.revoke.node, NULL);

	return a.is_root || a.is_admin || a.is_self ? VERDICT_STANDS : VERDICT_NO_AUTHORITY;
}

static void apply_revoke(struct trust *t, const struct statement *s, bool stands)
{
	struct trust_node *node = trust_own_node(t, &s->u.revoke.node);

	if (!stands)
		return;
	node->is_revoked = true;
	node->is_admin = false;
	end_epochs(t, &node->node, CUT_REVOKED, s->u.revoke.cuts, s->u.revoke.cut_count);
}

static bool epoch_is_plain(const struct trust *t, const struct statement *s)
{
	return trust_node(t, &s->u.epoch.node) && !knows_replica(t, &s->u.epoch.identity.replica) &&
	       is_fresh_key(t, &s->u.epoch.node, s->u.epoch.identity.sign_key) &&
	       !(s->u.epoch.is_closing && has_cuts_of_node(t, &s->u.epoch.node));
}

static enum verdict judge_epoch(const struct trust *t, const struct statement *s)
{
	bool has_new_key_signed = false;

	for (size_t i = 0; i < s->signer_count; i++)
		has_new_key_signed |= memcmp(s->signers[i].bytes, s->u.epoch.identity.sign_key,
					     SIGN_PUBLIC_BYTES) == 0;
	if (!has_new_key_signed || !authors_of(t, s, &s->u.epoch.node, NULL).is_self)
		return VERDICT_NO_AUTHORITY;
	return is_taken(t, &s->u.epoch.node, &s->u.epoch.identity) ? VERDICT_MEANINGLESS
								   : VERDICT_STANDS;
}

static void apply_epoch(struct trust *t, const struct statement *s, bool stands)
{
	struct trust_node *node = trust_own_node(t, &s->u.epoch.node);
	struct trust_epoch epoch = { .replica = s->u.epoch.identity.replica,
				     .node = node->node,
				     .identity = s->u.epoch.identity,
				     .is_void = !stands };

	memcpy(epoch.office_code, node->office_code, sizeof(epoch.office_code));
	if (!stands)
		epoch.cause = node->is_revoked ? CUT_REVOKED : CUT_VOID;
	if (stands && s->u.epoch.is_closing)
		end_epochs(t, &node->node, CUT_CLOSED, s->u.epoch.cuts, s->u.epoch.cut_count);
	if (stands) {
		node->current = epoch.replica;
		epoch.is_surplus = ++node->epoch_count > t->epochs_max;
	}
	if (epoch.is_surplus)
		epoch.cause = CUT_SURPLUS;
	insert_epoch(t, &epoch);
}

/* Its id is new: what it has seen could not name it. A FORK is seen by nobody, and may be
 * here before the space is. */
static bool space_is_plain(const struct trust *t, const struct statement *s)
{
	struct space_id space = statement_space(&s->id);
	bool is_cut = false;

	for (size_t i = 0; i < t->cut_count && !is_cut; i++)
		is_cut = space_id_cmp(&t->cuts[i].space, &space) == 0;
	return !knows_space(t, &space) && !is_cut;
}

static enum verdict judge_space(const struct trust *t, const struct statement *s)
{
	return authors_of(t, s, NULL, NULL).is_member ? VERDICT_STANDS : VERDICT_NO_AUTHORITY;
}

static void apply_space(struct trust *t, const struct statement *s, bool stands)
{
	struct space_id space = statement_space(&s->id);
	size_t at = 0;

	if (!stands)
		return;
	while (at < t->space_count && space_id_cmp(&t->spaces[at], &space) < 0)
		at++;
	insert(t->spaces, &t->space_count, at, &space, sizeof(space));
	for (size_t i = 0; i < s->u.space.office_count; i++)
		set_role(t, &space, s->u.space.offices[i].office_code, s->u.space.offices[i].role);
}

static bool grant_is_plain(const struct trust *t, const struct statement *s)
{
	const char *office_code = s->u.grant.office_code;
	bool is_given = s->u.grant.role >= ROLE_EDITOR &&
			trust_role(t, &s->u.grant.space, office_code) < ROLE_EDITOR;

	return knows_space(t, &s->u.grant.space) &&
	       !(is_given && has_cuts_in(t, &s->u.grant.space, office_code));
}

static enum verdict judge_grant(const struct trust *t, const struct statement *s)
{
	struct authors a = authors_of(t, s, NULL, &s->u.grant.space);

	return a.is_root || a.is_admin || a.is_manager ? VERDICT_STANDS : VERDICT_NO_AUTHORITY;
}

/* What the GRANT says of a feed. */
static struct trust_cut granted_cut(const struct statement *s, const struct replica_id *replica)
{
	for (size_t i = 0; i < s->u.grant.cut_count; i++)
		if (replica_id_cmp(&s->u.grant.cuts[i].replica, replica) == 0)
			return named_cut(&s->u.grant.cuts[i], CUT_ROLE);
	return whole_cut(CUT_ROLE);
}

/* Those of the office's feeds that were cut before are cut lower. */
static void lower_cuts(struct trust *t, const struct statement *s)
{
	for (size_t i = 0; i < t->cut_count; i++) {
		struct trust_cut *cut = &t->cuts[i], low;
		const struct trust_epoch *epoch = trust_epoch(t, &cut->replica);

		if (!epoch || space_id_cmp(&cut->space, &s->u.grant.space) != 0 ||
		    strcmp(epoch->office_code, s->u.grant.office_code) != 0)
			continue;
		low = least_cut(*cut, granted_cut(s, &cut->replica));
		low.replica = cut->replica;
		low.space = cut->space;
		*cut = low;
	}
}

static void apply_grant(struct trust *t, const struct statement *s, bool stands)
{
	const struct space_id *space = &s->u.grant.space;
	const char *office_code = s->u.grant.office_code;
	bool is_loss =
		s->u.grant.role < ROLE_EDITOR && trust_role(t, space, office_code) >= ROLE_EDITOR;
	size_t count = t->cut_count;

	if (!stands)
		return;
	set_role(t, space, office_code, s->u.grant.role);
	if (is_loss)
		lower_cuts(t, s);
	for (size_t i = 0; i < s->u.grant.cut_count; i++) {
		const struct cut *named = &s->u.grant.cuts[i];
		const struct trust_epoch *epoch = trust_epoch(t, &named->replica);
		struct trust_cut cut, usual;

		if (is_cut(t, count, &named->replica, space))
			continue;
		if (!epoch)
			append_cut(t, named, whole_cut(CUT_VOID));
		if (!epoch || !is_loss || strcmp(epoch->office_code, office_code) != 0)
			continue;
		cut = least_cut(whole_cut(epoch->cause), named_cut(named, CUT_ROLE));
		usual = trust_cut_default(t, epoch, space);
		if (trust_cut_cmp(&cut, &usual) != 0)
			append_cut(t, named, cut);
	}
	if (t->cut_count > count)
		sort_cuts(t);
}

static bool roots_are_plain(const struct trust *t, const struct statement *s)
{
	return true;
}

static enum verdict judge_roots(const struct trust *t, const struct statement *s)
{
	return authors_of(t, s, NULL, NULL).is_root ? VERDICT_STANDS : VERDICT_NO_AUTHORITY;
}

static void apply_roots(struct trust *t, const struct statement *s, bool stands)
{
	if (!stands)
		return;
	memset(t->roots, 0, sizeof(t->roots));
	memcpy(t->roots, s->u.roots.keys, s->u.roots.count * sizeof(*t->roots));
	t->root_count = s->u.roots.count;
	t->root_threshold = s->u.roots.threshold;
}

/* A type that is not here needs the past. */
static const struct extension {
	bool (*is_plain)(const struct trust *t, const struct statement *s);
	enum verdict (*judge)(const struct trust *t, const struct statement *s);
	void (*apply)(struct trust *t, const struct statement *s, bool stands);
} extensions[STATEMENT_TYPE_COUNT] = {
	[STATEMENT_ADMIT] = { admit_is_plain, judge_admit, apply_admit },
	[STATEMENT_ADMIN] = { admin_is_plain, judge_admin, apply_admin },
	[STATEMENT_REVOKE] = { revoke_is_plain, judge_revoke, apply_revoke },
	[STATEMENT_EPOCH] = { epoch_is_plain, judge_epoch, apply_epoch },
	[STATEMENT_SPACE] = { space_is_plain, judge_space, apply_space },
	[STATEMENT_GRANT] = { grant_is_plain, judge_grant, apply_grant },
	[STATEMENT_ROOTS] = { roots_are_plain, judge_roots, apply_roots },
};

/* ---- All ------------------------------------------------------------------- */

static bool has_seen_all(const struct trust *t, const struct statement *s)
{
	return s->parent_count == t->head_count &&
	       memcmp(s->parents, t->heads, t->head_count * sizeof(*t->heads)) == 0;
}

/* Room for whatever one statement can add. */
static enum err reserve_all(struct trust *t, const struct statement *s)
{
	size_t cuts = 0, offices = s->type == STATEMENT_SPACE ? s->u.space.office_count : 1;

	if (s->type == STATEMENT_REVOKE)
		cuts = s->u.revoke.cut_count;
	else if (s->type == STATEMENT_EPOCH)
		cuts = s->u.epoch.cut_count;
	else if (s->type == STATEMENT_GRANT)
		cuts = s->u.grant.cut_count;
	if (array_resize(&t->nodes, t->node_count + 1, sizeof(*t->nodes)) ||
	    array_resize(&t->epochs, t->epoch_count + 1, sizeof(*t->epochs)) ||
	    array_resize(&t->grants, t->grant_count + offices, sizeof(*t->grants)) ||
	    array_resize(&t->cuts, t->cut_count + cuts, sizeof(*t->cuts)) ||
	    array_resize(&t->spaces, t->space_count + 1, sizeof(*t->spaces)) ||
	    array_resize(&t->ids, t->statement_count + 1, sizeof(*t->ids)))
		return ERR_NOMEM;
	return OK;
}

enum err trust_extend(struct trust *t, const struct statement *s, enum verdict *verdict,
		      struct errmsg *msg)
{
	const struct extension *extension = &extensions[s->type];
	const struct trust_node *author;
	enum verdict judged;
	bool is_root;

	if (!extension->is_plain || !has_seen_all(t, s) || !extension->is_plain(t, s) ||
	    t->statement_count == STATEMENTS_MAX)
		return errmsg_set(msg, ERR_INVALID, "the statement has to be folded with all");
	if (reserve_all(t, s))
		return errmsg_set(msg, ERR_NOMEM, "out of memory");
	judged = extension->judge(t, s);
	is_root = trust_is_roots(t, s); /* by its past */
	extension->apply(t, s, judged == VERDICT_STANDS);
	t->has_other_roots |= s->type == STATEMENT_ROOTS;
	author = trust_author(t, s);
	if (!is_root)
		trust_add_weight(t, author ? trust_own_node(t, &author->node) : NULL, s);
	t->heads[0] = s->id;
	t->head_count = 1;
	insert_id(t, &s->id);
	trust_hash_ids(t);
	*verdict = judged;
	return OK;
}
