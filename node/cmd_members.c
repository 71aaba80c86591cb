/* members, admin: who belongs to the organisation, and who decides about that. */
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/member_ref.h"
#include "node/output.h"
#include "node/prompt.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/stating.h"
#include "node/sys_error.h"

/* ---- members --------------------------------------------------------------- */

/* What members tells of one node, in both forms. */
struct row {
	const struct member *member;
	bool is_self;
	uint64_t since_ms; /* 0: unknown */
	char node[ID_TEXT_SIZE], replica[ID_TEXT_SIZE];
};

static struct row row_of(struct context *ctx, const struct member *m)
{
	const struct trust *t = replica_trust(ctx->replica);
	const struct trust_node *node = t ? trust_node(t, &m->node) : NULL;
	const struct member *self = replica_self(ctx->replica);
	struct row row = { .member = m,
			   .is_self = self && record_id_cmp(&self->node, &m->node) == 0,
			   .since_ms = node ? node->since_ms : 0 };

	id_text(m->node.bytes, row.node);
	id_text(m->identity.replica.bytes, row.replica);
	return row;
}

static const char *state_of(const struct member *m)
{
	return m->is_revoked ? N_("revoked") : N_("member");
}

static json_t *epochs_json(struct context *ctx, const struct record_id *node)
{
	const struct trust *t = replica_trust(ctx->replica);
	json_t *array = json_array();

	for (size_t i = 0; t && i < t->epoch_count; i++) {
		char id[ID_TEXT_SIZE];

		if (record_id_cmp(&t->epochs[i].node, node) == 0)
			json_array_append_new(array,
					      json_string(id_text(t->epochs[i].replica.bytes, id)));
	}
	return array;
}

static json_t *row_json(struct context *ctx, const struct row *row)
{
	const struct member *m = row->member;

	return json_pack("{s:s, s:s, s:b, s:b, s:s, s:s, s:o, s:o, s:s?}", "node", row->node,
			 "office", m->office_code, "self", row->is_self, "admin", m->is_admin,
			 "state", state_of(m), "replica", row->replica, "epochs",
			 epochs_json(ctx, &m->node), "since",
			 row->since_ms ? instant_json(row->since_ms) : json_null(), "address",
			 *m->address ? m->address : NULL);
}

static enum err add_row(struct context *ctx, const struct row *row, struct table *table,
			struct errmsg *msg)
{
	const struct when_reader *reader;
	const struct member *m = row->member;
	char since[WHEN_TEXT_BYTES] = "", node[16], replica[16];
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	if (row->since_ms)
		when_instant(reader, row->since_ms, since);
	snprintf(node, sizeof(node), "%.12s%s", row->node, row->is_self ? " *" : "");
	snprintf(replica, sizeof(replica), "%.8s", row->replica);
	table_add(table, (const char *[]){ m->office_code, node, m->is_admin ? _("admin") : "",
					   _(state_of(m)), replica, since, m->address });
	return OK;
}

static enum err print_table(struct context *ctx, struct errmsg *msg)
{
	const struct member *m;
	const struct table_column columns[] = { { _("OFFICE") }, { _("NODE") },  { _("ADMIN") },
						{ _("STATE") },  { _("EPOCH") }, { _("SINCE") },
						{ _("ADDRESS") } };
	struct table table;
	enum err rc = OK;

	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; rc == OK && (m = member_nth(ctx, i)); i++) {
		struct row row = row_of(ctx, m);

		rc = add_row(ctx, &row, &table, msg);
	}
	if (rc == OK)
		rc = output_table(stdout, &table, msg);
	table_release(&table);
	return rc;
}

enum err cmd_members(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct member *m;
	json_t *array;

	if (!ctx->is_json)
		return print_table(ctx, msg);
	array = json_array();
	for (size_t i = 0; (m = member_nth(ctx, i)); i++) {
		struct row row = row_of(ctx, m);

		json_array_append_new(array, row_json(ctx, &row));
	}
	return output_json(stdout, array, msg);
}

/* ---- admin ----------------------------------------------------------------- */

/* Without one nobody can be let in or removed but by the recovery words. */
static enum err check_other_admin(struct context *ctx, const struct member *node,
				  const struct args *args, struct errmsg *msg)
{
	size_t count;
	const struct member *list = replica_members(ctx->replica, &count);

	for (size_t i = 0; i < count; i++)
		if (&list[i] != node && list[i].is_admin)
			return OK;
	if (args_has(args, "yes"))
		return OK;
	return prompt_confirm(_("It is the last admin; only the recovery words can make another. "
				"Withdraw?"),
			      msg);
}

static enum err set_admin(struct context *ctx, const struct args *args, bool is_admin,
			  struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_ADMIN, .u.admin.is_admin = is_admin };
	const struct member *node;
	enum err rc = member_find(ctx, args_word(args, 0), &node, msg);

	if (rc == OK && node->is_admin == is_admin)
		rc = errmsg_set(msg, ERR_EXISTS,
				is_admin ? _("that node is an admin already")
					 : _("that node is no admin"));
	if (rc == OK && !is_admin)
		rc = check_other_admin(ctx, node, args, msg);
	if (rc != OK)
		return rc;
	s.u.admin.node = node->node;
	return stating_one(ctx, &s, NULL, 0, msg);
}

enum err cmd_admin_grant(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	return set_admin(ctx, args, true, msg);
}

enum err cmd_admin_withdraw(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	return set_admin(ctx, args, false, msg);
}
