/* trust: the statements of membership, one by one. */
#include <strings.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/statement_view.h"
#include "node/sys_error.h"

enum { ID_CHARS_SHOWN = 12, PREFIX_MIN = 4, HASH_TEXT_SIZE = 2 * STATEMENT_ID_BYTES + 1 };

/* One run over the statements; rc is what ended it. */
struct telling {
	struct context *ctx;
	struct table table;
	json_t *array;      /* NULL: for people */
	const char *prefix; /* of the one that is wanted; NULL: all */
	size_t found;
	struct errmsg *msg;
	enum err rc;
};

/* ---- log ------------------------------------------------------------------- */

static enum err add_row(struct telling *t, const struct statement *s, enum verdict verdict)
{
	struct buf what = BUF_EMPTY, who = BUF_EMPTY;
	const struct when_reader *reader;
	char at[WHEN_TEXT_BYTES] = "", id[HASH_TEXT_SIZE];
	enum err rc = context_reader(t->ctx, &reader, t->msg);

	if (rc == OK) {
		if (s->wall_ms)
			when_instant(reader, s->wall_ms, at);
		statement_say(t->ctx, s, &what);
		statement_say_signers(t->ctx, s, &who);
		buf_append_byte(&what, 0);
		buf_append_byte(&who, 0);
		rc = buf_check(&what) == OK && buf_check(&who) == OK ? OK : no_memory(t->msg);
	}
	hex_encode(id, bytes_of(s->id.bytes, STATEMENT_ID_BYTES));
	id[ID_CHARS_SHOWN] = '\0';
	if (rc == OK)
		table_add(&t->table,
			  (const char *[]){ at, id, statement_type_name(s->type),
					    _(verdict_name(verdict)), (const char *)who.data,
					    (const char *)what.data });
	buf_release(&what);
	buf_release(&who);
	return rc;
}

static enum err append(struct telling *t, const struct statement *s, enum verdict verdict)
{
	json_t *json = statement_json(t->ctx, s, verdict);

	return json && json_array_append_new(t->array, json) == 0 ? OK : no_memory(t->msg);
}

static bool tell(void *ctx, const struct statement *s, struct bytes encoded, enum verdict verdict)
{
	struct telling *t = ctx;

	t->rc = t->array ? append(t, s, verdict) : add_row(t, s, verdict);
	return t->rc == OK;
}

enum err cmd_trust_log(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct table_column columns[] = {
		{ _("WHEN") },    { _("ID") },        { _("TYPE") },
		{ _("VERDICT") }, { _("SIGNED BY") }, { _("SAYS") }
	};
	struct telling t = { .ctx = ctx, .array = ctx->is_json ? json_array() : NULL, .msg = msg };
	enum err rc;

	table_init(&t.table, columns, sizeof(columns) / sizeof(columns[0]));
	rc = replica_each_statement(ctx->replica, tell, &t, msg);
	if (rc == OK)
		rc = t.rc;
	if (rc == OK)
		rc = t.array ? output_json(stdout, json_incref(t.array), msg)
			     : output_table(stdout, &t.table, msg);
	table_release(&t.table);
	json_decref(t.array);
	return rc;
}

/* ---- show ------------------------------------------------------------------ */

static bool find(void *ctx, const struct statement *s, struct bytes encoded, enum verdict verdict)
{
	struct telling *t = ctx;
	char id[HASH_TEXT_SIZE];

	hex_encode(id, bytes_of(s->id.bytes, STATEMENT_ID_BYTES));
	if (strncasecmp(id, t->prefix, strlen(t->prefix)) != 0)
		return true;
	t->found++;
	t->rc = append(t, s, verdict);
	return t->rc == OK && t->found < 2;
}

/* A JSON value as lines "name  value", for people. */
static void print_value(const char *name, const json_t *value, int depth)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_object(value)) {
		if (*name)
			output_line(stdout, "%*s%s", 2 * depth, "", name);
		json_object_foreach((json_t *)value, key, inner)
			print_value(key, inner, depth + (*name != 0));
	} else if (json_is_array(value)) {
		json_array_foreach((json_t *)value, i, inner) print_value(name, inner, depth);
	} else if (json_is_string(value)) {
		output_line(stdout, "%*s%-10s %s", 2 * depth, "", name, json_string_value(value));
	} else if (json_is_integer(value)) {
		output_line(stdout, "%*s%-10s %lld", 2 * depth, "", name,
			    (long long)json_integer_value(value));
	} else if (json_is_boolean(value)) {
		output_line(stdout, "%*s%-10s %s", 2 * depth, "", name,
			    json_is_true(value) ? _("yes") : _("no"));
	}
}

enum err cmd_trust_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct telling t = {
		.ctx = ctx, .array = json_array(), .prefix = args_word(args, 0), .msg = msg
	};
	enum err rc = OK;

	if (strlen(t.prefix) < PREFIX_MIN)
		rc = errmsg_set(msg, ERR_INVALID, _("say at least %d characters of the id"),
				PREFIX_MIN);
	if (rc == OK)
		rc = replica_each_statement(ctx->replica, find, &t, msg);
	if (rc == OK)
		rc = t.rc;
	if (rc == OK && t.found == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("no statement \"%s\": huitong trust log"),
				t.prefix);
	if (rc == OK && t.found > 1)
		rc = errmsg_set(msg, ERR_AMBIGUOUS, _("\"%s\" fits several statements"), t.prefix);
	if (rc == OK && ctx->is_json)
		rc = output_json(stdout, json_incref(json_array_get(t.array, 0)), msg);
	else if (rc == OK)
		print_value("", json_array_get(t.array, 0), 0);
	json_decref(t.array);
	return rc;
}
