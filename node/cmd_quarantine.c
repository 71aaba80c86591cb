/* quarantine: changesets that are held and left out of the state. */
#include <stdlib.h>
#include <strings.h>

#include "node/changeset_view.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/member_ref.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/space.h"
#include "node/stating.h"
#include "node/sys_error.h"

enum { PREFIX_MIN = 4, LIST_MAX = 4096 };

/* ---- What there is --------------------------------------------------------- */

/* Which feeds: all of the replicas whose id begins so, in one space or in all. */
struct wish {
	const char *prefix; /* "" for all */
	bool has_space;
	struct space_id space;
};

struct gathering {
	struct quarantined *list;
	size_t count;
	const struct wish *wish;
};

static bool fits(const struct wish *wish, const struct quarantined *q)
{
	char id[ID_TEXT_SIZE];

	return strncasecmp(id_text(q->replica.bytes, id), wish->prefix, strlen(wish->prefix)) ==
		       0 &&
	       (!wish->has_space || space_id_cmp(&q->space, &wish->space) == 0);
}

static bool gather_one(void *ctx, const struct quarantined *q)
{
	struct gathering *g = ctx;

	if (fits(g->wish, q))
		g->list[g->count++] = *q;
	return g->count < LIST_MAX;
}

static enum err gather(struct context *ctx, const struct wish *wish, struct gathering *out,
		       struct errmsg *msg)
{
	*out = (struct gathering){ .wish = wish };
	out->list = arena_array(&ctx->arena, LIST_MAX, sizeof(*out->list));
	if (!out->list)
		return no_memory(msg);
	return replica_each_quarantined(ctx->replica, gather_one, out, msg);
}

/* FEED, and --in. Nothing that fits is an error. */
static enum err gather_wished(struct context *ctx, const struct args *args, struct wish *wish,
			      struct gathering *out, struct errmsg *msg)
{
	const char *space = args_option(args, "in");
	enum err rc = OK;

	*wish = (struct wish){ .prefix = args_word(args, 0), .has_space = space != NULL };
	if (strlen(wish->prefix) < PREFIX_MIN)
		rc = errmsg_set(msg, ERR_INVALID, _("say at least %d characters of the feed's id"),
				PREFIX_MIN);
	if (rc == OK && space)
		rc = space_find(ctx, space, &wish->space, msg);
	if (rc == OK)
		rc = gather(ctx, wish, out, msg);
	if (rc == OK && out->count == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND,
				_("nothing of \"%s\" is in quarantine: huitong quarantine"),
				wish->prefix);
	return rc;
}

/* ---- The list -------------------------------------------------------------- */

static const char *cause_of(const struct quarantined *q)
{
	return q->is_branch ? N_("branch") : cut_cause_name(q->cause);
}

static const char *label_of(struct context *ctx, const struct quarantined *q,
			    char out[MEMBER_LABEL_MAX])
{
	const struct trust *t = replica_trust(ctx->replica);
	const struct trust_epoch *epoch = t ? trust_epoch(t, &q->replica) : NULL;

	return epoch ? member_label(ctx, out, epoch->office_code, &epoch->node) : "";
}

/* When the newest statement was made that cuts it; a fork has no time. */
struct search {
	const struct quarantined *q;
	const struct trust_epoch *epoch;
	uint64_t found_ms;
};

static bool cuts(const struct search *x, const struct statement *s)
{
	switch (s->type) {
	case STATEMENT_REVOKE:
		return x->q->cause == CUT_REVOKED &&
		       record_id_cmp(&s->u.revoke.node, &x->epoch->node) == 0;
	case STATEMENT_EPOCH:
		return x->q->cause == CUT_CLOSED && s->u.epoch.is_closing &&
		       record_id_cmp(&s->u.epoch.node, &x->epoch->node) == 0;
	case STATEMENT_GRANT:
		return x->q->cause == CUT_ROLE && s->u.grant.role < ROLE_EDITOR &&
		       space_id_cmp(&s->u.grant.space, &x->q->space) == 0 &&
		       strcmp(s->u.grant.office_code, x->epoch->office_code) == 0;
	default: return false;
	}
}

static bool look(void *ctx, const struct statement *s, struct bytes encoded, enum verdict verdict)
{
	struct search *x = ctx;

	if (verdict == VERDICT_STANDS && cuts(x, s) && s->wall_ms > x->found_ms)
		x->found_ms = s->wall_ms;
	return true;
}

/* 0: unknown. */
static uint64_t since_ms(struct context *ctx, const struct quarantined *q)
{
	const struct trust *t = replica_trust(ctx->replica);
	struct search x = { .q = q, .epoch = t ? trust_epoch(t, &q->replica) : NULL };

	if (!x.epoch || q->is_branch || replica_each_statement(ctx->replica, look, &x, NULL) != OK)
		return 0;
	return x.found_ms;
}

static json_t *item_json(struct context *ctx, const struct quarantined *q)
{
	const struct trust *t = replica_trust(ctx->replica);
	const struct trust_epoch *epoch = t ? trust_epoch(t, &q->replica) : NULL;
	char replica[ID_TEXT_SIZE], space[ID_TEXT_SIZE], node[ID_TEXT_SIZE];
	uint64_t since = since_ms(ctx, q);

	return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:I, s:s, s:o}", "feed",
			 id_text(q->replica.bytes, replica), "space",
			 id_text(q->space.bytes, space), "node",
			 epoch ? id_text(epoch->node.bytes, node) : NULL, "office",
			 epoch ? epoch->office_code : NULL, "first", (json_int_t)q->first, "last",
			 (json_int_t)q->last, "cause", cause_of(q), "since",
			 since ? instant_json(since) : json_null());
}

static enum err add_row(struct context *ctx, const struct quarantined *q, struct table *table,
			struct errmsg *msg)
{
	char replica[ID_TEXT_SIZE], label[MEMBER_LABEL_MAX], seqs[64];
	char when[WHEN_TEXT_BYTES] = "";
	const struct when_reader *reader;
	struct buf space = BUF_EMPTY;
	uint64_t since = since_ms(ctx, q);
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	if (since)
		when_instant(reader, since, when);
	id_text(q->replica.bytes, replica);
	replica[2 * PREFIX_MIN] = '\0';
	snprintf(seqs, sizeof(seqs), "%llu-%llu", (unsigned long long)q->first,
		 (unsigned long long)q->last);
	space_label(ctx, &q->space, &space);
	buf_append_byte(&space, 0);
	rc = buf_check(&space) == OK ? OK : no_memory(msg);
	if (rc == OK)
		table_add(table,
			  (const char *[]){ replica, label_of(ctx, q, label),
					    (const char *)space.data, seqs, _(cause_of(q)), when });
	buf_release(&space);
	return rc;
}

static enum err print_table(struct context *ctx, const struct gathering *g, struct errmsg *msg)
{
	const struct table_column columns[] = {
		{ _("FEED") },       { _("NODE") },  { _("IN") },
		{ _("CHANGESETS") }, { _("CAUSE") }, { _("SINCE") }
	};
	struct table table;
	enum err rc = OK;

	if (g->count == 0) {
		fprintf(stderr, "%s\n", _("nothing is in quarantine"));
		return OK;
	}
	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < g->count && rc == OK; i++)
		rc = add_row(ctx, &g->list[i], &table, msg);
	if (rc == OK)
		rc = output_table(stdout, &table, msg);
	table_release(&table);
	return rc;
}

enum err cmd_quarantine(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	static const struct wish everything = { .prefix = "" };
	struct gathering g;
	json_t *array;
	enum err rc = gather(ctx, &everything, &g, msg);

	if (rc != OK || !ctx->is_json)
		return rc == OK ? print_table(ctx, &g, msg) : rc;
	array = json_array();
	for (size_t i = 0; i < g.count; i++)
		json_array_append_new(array, item_json(ctx, &g.list[i]));
	return output_json(stdout, array, msg);
}

/* ---- show ------------------------------------------------------------------ */

/* The changeset as the log shows it. */
static enum err tell_one(struct context *ctx, const struct quarantined *q, uint64_t seq,
			 json_t *array, struct errmsg *msg)
{
	struct history_item item = { .stamp.dot = { q->replica, seq } };
	struct arena arena = ARENA_EMPTY;
	struct changeset cs;
	struct told told;
	json_t *json = NULL;
	enum err rc = replica_tell(ctx->replica, &q->space, &item.stamp.dot, &arena, &told, msg);

	if (rc == OK)
		rc = changeset_decode(&cs, told.body, &q->replica, &arena, msg);
	if (rc == OK) {
		item.stamp.hlc = cs.hlc;
		item.author = cs.author;
		item.changeset = &cs;
		rc = array ? changeset_json(ctx, NULL, &q->space, &item, &json, msg)
			   : changeset_print(ctx, NULL, &item, msg);
	}
	if (json && json_array_append_new(array, json) != 0)
		rc = no_memory(msg);
	arena_release(&arena);
	return rc;
}

enum err cmd_quarantine_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	json_t *array = ctx->is_json ? json_array() : NULL;
	struct gathering g;
	struct wish wish;
	enum err rc = gather_wished(ctx, args, &wish, &g, msg);

	for (size_t i = 0; i < g.count && rc == OK; i++) {
		if (g.list[i].is_branch) {
			fprintf(stderr, "%s\n",
				_("A branch was moved out of the log; whoever wrote it has "
				  "written it again."));
			continue;
		}
		for (uint64_t seq = g.list[i].first; seq <= g.list[i].last && rc == OK; seq++)
			rc = tell_one(ctx, &g.list[i], seq, array, msg);
	}
	if (rc == OK && array)
		rc = output_json(stdout, json_incref(array), msg);
	json_decref(array);
	return rc;
}

/* ---- adopt ----------------------------------------------------------------- */

/* Up to --to, else all that is held. */
static enum err cut_of(struct context *ctx, const struct quarantined *q, uint64_t to,
		       struct cut *out, struct errmsg *msg)
{
	struct dot dot = { q->replica, to < q->last ? to : q->last };
	struct witness witness;
	struct told told;
	enum err rc;

	if (dot.seq < q->first)
		return errmsg_set(msg, ERR_INVALID, _("--to: the first one is %llu"),
				  (unsigned long long)q->first);
	if (to != UINT64_MAX && to > q->last)
		return errmsg_set(msg, ERR_INVALID, _("--to: the last one is %llu"),
				  (unsigned long long)q->last);
	rc = replica_tell(ctx->replica, &q->space, &dot, &ctx->arena, &told, msg);
	if (rc != OK)
		return rc;
	told_witness(&witness, &told);
	*out = (struct cut){ .replica = q->replica, .space = q->space, .seq = dot.seq };
	witness_link(out->link, &witness, &q->space, &q->replica, dot.seq);
	return OK;
}

static enum err parse_to(const struct args *args, uint64_t *out, struct errmsg *msg)
{
	const char *text = args_option(args, "to");
	char *end;

	*out = text ? strtoull(text, &end, 10) : UINT64_MAX;
	if (text && (*end || end == text || *text == '-'))
		return errmsg_set(msg, ERR_INVALID, _("--to: \"%s\" is not a number"), text);
	return OK;
}

enum err cmd_quarantine_adopt(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct statement s = { .type = STATEMENT_ADOPT };
	struct cut *cuts = NULL;
	struct gathering g;
	struct wish wish;
	size_t count = 0;
	uint64_t to;
	enum err rc = parse_to(args, &to, msg);

	if (rc == OK)
		rc = gather_wished(ctx, args, &wish, &g, msg);
	if (rc != OK)
		return rc;
	cuts = arena_array(&ctx->arena, g.count, sizeof(*cuts));
	if (!cuts)
		return no_memory(msg);
	for (size_t i = 0; i < g.count && rc == OK; i++)
		if (!g.list[i].is_branch)
			rc = cut_of(ctx, &g.list[i], to, &cuts[count++], msg);
	if (rc == OK && count == 0)
		rc = errmsg_set(msg, ERR_INVALID,
				_("only a branch is there: whoever wrote it has written it again"));
	if (rc != OK)
		return rc;
	cuts_sort(cuts, count);
	s.u.adopt.cuts = cuts;
	s.u.adopt.cut_count = count;
	return stating_one(ctx, &s, NULL, 0, msg);
}
