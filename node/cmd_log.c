/* log: who changed what and when. */
#include <stdlib.h>

#include "node/changeset_view.h"
#include "node/cmd.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/ref.h"
#include "node/sys_error.h"

enum { LIMIT = 20 };

/* One run over the history; rc is what ended it. */
struct telling {
	struct context *ctx;
	const struct record_id *record; /* NULL: all */
	json_t *array;                  /* NULL: for people */
	struct errmsg *msg;
	enum err rc;
};

static bool tell(void *arg, const struct space_id *space, const struct history_item *item)
{
	struct telling *t = arg;
	json_t *json = NULL;

	if (!t->array)
		t->rc = changeset_print(t->ctx, t->record, item, t->msg);
	else
		t->rc = changeset_json(t->ctx, t->record, space, item, &json, t->msg);
	if (json && json_array_append_new(t->array, json) != 0)
		t->rc = no_memory(t->msg);
	return t->rc == OK;
}

static enum err parse_limit(const char *text, size_t *out, struct errmsg *msg)
{
	char *end;
	unsigned long limit = text ? strtoul(text, &end, 10) : LIMIT;

	/* strtoul() takes a sign, and makes a great number of -1. */
	if (text && (*end || limit == 0 || *text == '-'))
		return errmsg_set(msg, ERR_INVALID, _("--limit: \"%s\" is not a number from 1"),
				  text);
	*out = limit;
	return OK;
}

enum err cmd_log(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct telling t = { .ctx = ctx, .msg = msg, .rc = OK };
	const char *record = args_word(args, 0);
	struct ref ref;
	size_t limit = LIMIT;
	enum err rc = parse_limit(args_option(args, "limit"), &limit, msg);

	if (rc == OK && record)
		rc = ref_find(ctx, 0, record, &ref, msg);
	if (rc != OK)
		return rc;
	t.record = record ? &ref.id : NULL;
	t.array = ctx->is_json ? json_array() : NULL;
	rc = replica_history(ctx->replica, t.record, limit, tell, &t, msg);
	if (rc == OK)
		rc = t.rc;
	if (rc == OK && t.array)
		rc = output_json(stdout, json_incref(t.array), msg);
	json_decref(t.array);
	return rc;
}
