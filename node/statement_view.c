#include "node/statement_view.h"

#include "node/i18n.h"
#include "node/member_ref.h"
#include "node/record_view.h"
#include "node/space.h"

enum { ID_CHARS_SHOWN = 8, HASH_TEXT_SIZE = 2 * STATEMENT_ID_BYTES + 1 };

static const char *const reasons[EPOCH_REASON_COUNT] = {
	[EPOCH_RESTORED] = N_("restored"), [EPOCH_BEHIND] = N_("behind"),
	[EPOCH_MOVED] = N_("moved"),       [EPOCH_FORKED] = N_("forked"),
	[EPOCH_ROTATED] = N_("rotated"),
};

/* ---- Who ------------------------------------------------------------------- */

static const char *label_of(struct context *ctx, const struct record_id *node,
			    char out[MEMBER_LABEL_MAX])
{
	const struct trust *t = replica_trust(ctx->replica);
	const struct trust_node *known = t ? trust_node(t, node) : NULL;

	return member_label(ctx, out, known ? known->office_code : "?", node);
}

static const struct trust_epoch *epoch_of_key(const struct trust *t, const struct sign_key *key)
{
	for (size_t i = 0; t && i < t->epoch_count; i++)
		if (memcmp(t->epochs[i].identity.sign_key, key->bytes, SIGN_PUBLIC_BYTES) == 0)
			return &t->epochs[i];
	return NULL;
}

void statement_say_signers(struct context *ctx, const struct statement *s, struct buf *out)
{
	const struct trust *t = replica_trust(ctx->replica);
	const struct record_id *said = NULL; /* the node before, if it was one */

	for (size_t i = 0; i < s->signer_count; i++) {
		const struct trust_epoch *epoch = epoch_of_key(t, &s->signers[i]);
		char key[HASH_TEXT_SIZE], label[MEMBER_LABEL_MAX];

		/* New keys are signed for by those of before and by themselves. */
		if (i && epoch && said && record_id_cmp(&epoch->node, said) == 0)
			continue;
		said = epoch ? &epoch->node : NULL;
		buf_append_str(out, i ? ", " : "");
		hex_encode(key, bytes_of(s->signers[i].bytes, SIGN_PUBLIC_BYTES));
		if (epoch)
			buf_append_str(out, label_of(ctx, &epoch->node, label));
		else
			buf_printf(out, _("root key %.*s"), ID_CHARS_SHOWN, key);
	}
}

/* ---- What, for people ------------------------------------------------------ */

static void say_space(struct context *ctx, const struct space_id *space, struct buf *out)
{
	space_label(ctx, space, out);
}

static void say_roots(const struct roots *roots, struct buf *out)
{
	buf_printf(out, _("root keys: %zu, of which %u decide"), roots->count, roots->threshold);
}

static void say_genesis(struct context *ctx, const struct statement *s, struct buf *out)
{
	char label[MEMBER_LABEL_MAX];

	buf_printf(
		out, _("founded by %s; "),
		member_label(ctx, label, s->u.genesis.node.office_code, &s->u.genesis.node.node));
	say_roots(&s->u.genesis.roots, out);
}

static void say_admit(struct context *ctx, const struct statement *s, struct buf *out)
{
	const struct node_entry *node = &s->u.admit;
	char label[MEMBER_LABEL_MAX];

	buf_printf(out, node->is_admin ? _("%s is a node, and an admin") : _("%s is a node"),
		   member_label(ctx, label, node->office_code, &node->node));
}

static void say_admin(struct context *ctx, const struct statement *s, struct buf *out)
{
	char label[MEMBER_LABEL_MAX];

	buf_printf(out, s->u.admin.is_admin ? _("%s is an admin") : _("%s is no admin any more"),
		   label_of(ctx, &s->u.admin.node, label));
}

static bool are_of_one_replica(const struct cut *cuts, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (replica_id_cmp(&cuts[i].replica, &cuts[0].replica) != 0)
			return false;
	return true;
}

/* As `revoke --at` takes them: "directory:12, CO-SHA-2026-0001:40", with the replicas when
 * there are several. */
static void say_cuts(struct context *ctx, const struct cut *cuts, size_t count, struct buf *out)
{
	bool needs_replica = !are_of_one_replica(cuts, count);
	char id[ID_TEXT_SIZE];

	if (count == 0)
		buf_append_str(out, _("nothing"));
	for (size_t i = 0; i < count; i++) {
		buf_append_str(out, i ? ", " : "");
		if (needs_replica)
			buf_printf(out, "%.*s/", ID_CHARS_SHOWN,
				   id_text(cuts[i].replica.bytes, id));
		space_label(ctx, &cuts[i].space, out);
		buf_printf(out, ":%llu", (unsigned long long)cuts[i].seq);
	}
}

static void say_revoke(struct context *ctx, const struct statement *s, struct buf *out)
{
	char label[MEMBER_LABEL_MAX];

	buf_printf(out, _("%s is a member no more; what it wrote counts up to: "),
		   label_of(ctx, &s->u.revoke.node, label));
	say_cuts(ctx, s->u.revoke.cuts, s->u.revoke.cut_count, out);
}

static void say_epoch(struct context *ctx, const struct statement *s, struct buf *out)
{
	char id[ID_TEXT_SIZE], label[MEMBER_LABEL_MAX];

	buf_printf(out, _("%s goes on as replica %.*s: %s"), label_of(ctx, &s->u.epoch.node, label),
		   ID_CHARS_SHOWN, id_text(s->u.epoch.identity.replica.bytes, id),
		   _(reasons[s->u.epoch.reason]));
}

static void say_adopt(struct context *ctx, const struct statement *s, struct buf *out)
{
	buf_append_str(out, _("counts all the same, up to: "));
	say_cuts(ctx, s->u.adopt.cuts, s->u.adopt.cut_count, out);
}

static void say_offices(const struct statement *s, struct buf *out)
{
	for (size_t i = 0; i < s->u.space.office_count; i++) {
		const struct office_role *one = &s->u.space.offices[i];

		buf_printf(out, "%s%s:%s", i ? "," : "", one->office_code, role_name(one->role));
	}
}

static void say_made_space(struct context *ctx, const struct statement *s, struct buf *out)
{
	struct space_id space = statement_space(&s->id);

	say_space(ctx, &space, out);
	buf_append_str(out, ": ");
	say_offices(s, out);
}

static void say_grant(struct context *ctx, const struct statement *s, struct buf *out)
{
	say_space(ctx, &s->u.grant.space, out);
	buf_printf(out, ": %s:%s", s->u.grant.office_code, role_name(s->u.grant.role));
}

static void say_new_roots(struct context *ctx, const struct statement *s, struct buf *out)
{
	say_roots(&s->u.roots, out);
}

static void say_fork(struct context *ctx, const struct statement *s, struct buf *out)
{
	char id[ID_TEXT_SIZE];

	buf_printf(out, _("replica %.*s wrote changeset %llu twice, in: "), ID_CHARS_SHOWN,
		   id_text(s->u.fork.replica.bytes, id), (unsigned long long)s->u.fork.seq);
	say_space(ctx, &s->u.fork.space, out);
}

/* ---- What, for programs ---------------------------------------------------- */

static json_t *id_json(const uint8_t id[ID_BYTES])
{
	char text[ID_TEXT_SIZE];

	return json_string(id_text(id, text));
}

static json_t *key_json(const uint8_t key[SIGN_PUBLIC_BYTES])
{
	char text[HASH_TEXT_SIZE];

	hex_encode(text, bytes_of(key, SIGN_PUBLIC_BYTES));
	return json_string(text);
}

json_t *cut_json(const struct replica_id *replica, const struct space_id *space, uint64_t seq)
{
	return json_pack("{s:o, s:o, s:o}", "replica", id_json(replica->bytes), "space",
			 id_json(space->bytes), "seq",
			 seq == UINT64_MAX ? json_null() : json_integer((json_int_t)seq));
}

static json_t *cuts_json(const struct cut *cuts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array,
				      cut_json(&cuts[i].replica, &cuts[i].space, cuts[i].seq));
	return array;
}

static json_t *roots_json(const struct roots *roots)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < roots->count; i++)
		json_array_append_new(keys, key_json(roots->keys[i].bytes));
	return json_pack("{s:i, s:o}", "threshold", (int)roots->threshold, "keys", keys);
}

static json_t *entry_json(const struct node_entry *node)
{
	return json_pack("{s:o, s:s, s:b, s:o}", "node", id_json(node->node.bytes), "office",
			 node->office_code, "admin", node->is_admin, "replica",
			 id_json(node->identity.replica.bytes));
}

static json_t *genesis_json(const struct statement *s)
{
	json_t *json = entry_json(&s->u.genesis.node);

	json_object_set_new(json, "roots", roots_json(&s->u.genesis.roots));
	return json;
}

static json_t *admit_json(const struct statement *s)
{
	return entry_json(&s->u.admit);
}

static json_t *admin_json(const struct statement *s)
{
	return json_pack("{s:o, s:b}", "node", id_json(s->u.admin.node.bytes), "admin",
			 s->u.admin.is_admin);
}

static json_t *revoke_json(const struct statement *s)
{
	return json_pack("{s:o, s:o}", "node", id_json(s->u.revoke.node.bytes), "cuts",
			 cuts_json(s->u.revoke.cuts, s->u.revoke.cut_count));
}

static json_t *epoch_json(const struct statement *s)
{
	bool is_closing = s->u.epoch.is_closing;

	return json_pack("{s:o, s:o, s:s, s:o}", "node", id_json(s->u.epoch.node.bytes), "replica",
			 id_json(s->u.epoch.identity.replica.bytes), "reason",
			 reasons[s->u.epoch.reason], "cuts",
			 is_closing ? cuts_json(s->u.epoch.cuts, s->u.epoch.cut_count)
				    : json_null());
}

static json_t *adopt_json(const struct statement *s)
{
	return json_pack("{s:o}", "cuts", cuts_json(s->u.adopt.cuts, s->u.adopt.cut_count));
}

static json_t *space_json(const struct statement *s)
{
	struct space_id space = statement_space(&s->id);
	json_t *offices = json_object();

	for (size_t i = 0; i < s->u.space.office_count; i++)
		json_object_set_new(offices, s->u.space.offices[i].office_code,
				    json_string(role_name(s->u.space.offices[i].role)));
	return json_pack("{s:o, s:o}", "space", id_json(space.bytes), "offices", offices);
}

static json_t *grant_json(const struct statement *s)
{
	return json_pack("{s:o, s:s, s:s, s:o}", "space", id_json(s->u.grant.space.bytes), "office",
			 s->u.grant.office_code, "role", role_name(s->u.grant.role), "cuts",
			 cuts_json(s->u.grant.cuts, s->u.grant.cut_count));
}

static json_t *new_roots_json(const struct statement *s)
{
	return json_pack("{s:o}", "roots", roots_json(&s->u.roots));
}

static json_t *fork_json(const struct statement *s)
{
	return json_pack("{s:o, s:o, s:I}", "replica", id_json(s->u.fork.replica.bytes), "space",
			 id_json(s->u.fork.space.bytes), "seq", (json_int_t)s->u.fork.seq);
}

/* ---- By type --------------------------------------------------------------- */

static const struct {
	void (*say)(struct context *ctx, const struct statement *s, struct buf *out);
	json_t *(*json)(const struct statement *s);
} views[STATEMENT_TYPE_COUNT] = {
	[STATEMENT_GENESIS] = { say_genesis, genesis_json },
	[STATEMENT_ADMIT] = { say_admit, admit_json },
	[STATEMENT_ADMIN] = { say_admin, admin_json },
	[STATEMENT_REVOKE] = { say_revoke, revoke_json },
	[STATEMENT_EPOCH] = { say_epoch, epoch_json },
	[STATEMENT_ADOPT] = { say_adopt, adopt_json },
	[STATEMENT_SPACE] = { say_made_space, space_json },
	[STATEMENT_GRANT] = { say_grant, grant_json },
	[STATEMENT_ROOTS] = { say_new_roots, new_roots_json },
	[STATEMENT_FORK] = { say_fork, fork_json },
};

void statement_say(struct context *ctx, const struct statement *s, struct buf *out)
{
	views[s->type].say(ctx, s, out);
}

static json_t *signer_json(struct context *ctx, const struct sign_key *key)
{
	const struct trust_epoch *epoch = epoch_of_key(replica_trust(ctx->replica), key);

	return json_pack("{s:o, s:o}", "key", key_json(key->bytes), "node",
			 epoch ? id_json(epoch->node.bytes) : json_null());
}

json_t *statement_json(struct context *ctx, const struct statement *s, enum verdict verdict)
{
	json_t *parents = json_array(), *signers = json_array();
	json_t *json = views[s->type].json(s);
	json_t *head;

	for (size_t i = 0; i < s->parent_count; i++)
		json_array_append_new(parents, key_json(s->parents[i].bytes));
	for (size_t i = 0; i < s->signer_count; i++)
		json_array_append_new(signers, signer_json(ctx, &s->signers[i]));
	head = json_pack("{s:o, s:s, s:o, s:s, s:o, s:o}", "id", key_json(s->id.bytes), "type",
			 statement_type_name(s->type), "at",
			 s->wall_ms ? instant_json(s->wall_ms) : json_null(), "verdict",
			 verdict_name(verdict), "parents", parents, "signers", signers);
	if (json_object_update(head, json) != 0) {
		json_decref(head);
		head = NULL;
	}
	json_decref(json);
	return head;
}
