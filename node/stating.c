#include "node/stating.h"

#include "node/control.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/statement_view.h"
#include "node/sys_error.h"

enum err stating_begin(struct stating *st, struct context *ctx, const struct signer *roots,
		       size_t root_count, struct errmsg *msg)
{
	*st = (struct stating){ .ctx = ctx, .roots = roots, .root_count = root_count };
	st->made = json_array();
	return st->made ? replica_begin(ctx->replica, msg) : no_memory(msg);
}

/* The statement as it was kept, with parents and signers. */
struct search {
	struct context *ctx;
	const struct statement_id *id;
	json_t *json;
};

static bool look(void *ctx, const struct statement *s, struct bytes encoded, enum verdict verdict)
{
	struct search *search = ctx;

	if (statement_id_cmp(&s->id, search->id) == 0)
		search->json = statement_json(search->ctx, s, verdict);
	return !search->json;
}

/* Said now: what it names may be gone when all is done. */
static enum err note(struct stating *st, const struct statement *s, struct errmsg *msg)
{
	struct search search = { .ctx = st->ctx, .id = &s->id };
	struct buf text = BUF_EMPTY;
	enum err rc = OK;

	if (st->ctx->is_json) {
		rc = replica_each_statement(st->ctx->replica, look, &search, msg);
	} else {
		statement_say(st->ctx, s, &text);
		search.json = json_stringn((const char *)text.data, text.size);
	}
	if (rc == OK && json_array_append_new(st->made, search.json) != 0)
		rc = no_memory(msg);
	buf_release(&text);
	return rc;
}

enum err stating_add(struct stating *st, struct statement *s, struct errmsg *msg)
{
	enum err rc =
		replica_state(st->ctx->replica, s, st->roots, st->root_count, st->ctx->now_ms, msg);

	return rc == OK ? note(st, s, msg) : rc;
}

static enum err print(struct stating *st, struct errmsg *msg)
{
	size_t count = json_array_size(st->made);

	if (st->ctx->is_json && count == 1)
		return output_json(stdout, json_incref(json_array_get(st->made, 0)), msg);
	if (st->ctx->is_json)
		return output_json(stdout, json_incref(st->made), msg);
	for (size_t i = 0; i < count; i++)
		output_line(stdout, "%s", json_string_value(json_array_get(st->made, i)));
	return OK;
}

static enum err print_first(struct stating *st, struct errmsg *msg)
{
	enum err rc = print(st, msg);

	if (rc == OK && fflush(stdout) != 0)
		rc = errmsg_set(msg, ERR_IO, _("the output can't be written: nothing was changed"));
	return rc;
}

enum err stating_end(struct stating *st, enum err rc, struct errmsg *msg)
{
	if (rc == OK && st->shows_first)
		rc = print_first(st, msg);
	if (rc == OK)
		rc = replica_commit(st->ctx->replica, msg);
	else
		replica_rollback(st->ctx->replica);
	if (rc == OK)
		control_nudge(st->ctx->folder.path);
	if (rc == OK && !st->shows_first)
		rc = print(st, msg);
	json_decref(st->made);
	st->made = NULL;
	return rc;
}

enum err stating_one(struct context *ctx, struct statement *s, const struct signer *roots,
		     size_t root_count, struct errmsg *msg)
{
	struct stating st;
	enum err rc = stating_begin(&st, ctx, roots, root_count, msg);

	if (rc == OK)
		rc = stating_add(&st, s, msg);
	return stating_end(&st, rc, msg);
}
