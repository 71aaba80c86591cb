/* Minutes as a document: the meeting, its blocks in order, what is to be done. */
#include "node/cmd.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/listing.h"
#include "node/minutes.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/reread_view.h"
#include "node/sys_error.h"
#include "node/width.h"

enum { NAME_COLUMNS = 10 };

static struct value shown_value(const struct record *rec, uint8_t field)
{
	const struct entry *shown = record_shown(rec, field);

	return shown ? shown->value : value_nil();
}

static const char blocks_sql[] = "WHERE r.minutes = ? AND " NOT_VOID " ORDER BY r.position, r.id";
static const char actions_sql[] = "WHERE r.meeting = ? AND " NOT_VOID " ORDER BY r.number, r.id";

/* Call `each` for the records of one kind. */
static enum err for_each(struct context *ctx, uint16_t kind, const char *sql,
			 const struct record_id *of,
			 enum err (*each)(struct listing *l, size_t n, void *arg,
					  struct errmsg *msg),
			 void *arg, struct errmsg *msg)
{
	struct value value = value_ref(of);
	struct listing l;
	enum err closed;
	enum err rc = listing_open(&l, ctx, kind, sql, &value, 1, msg);

	if (rc != OK)
		return rc;
	for (size_t n = 1; rc == OK && listing_next(&l); n++)
		rc = each(&l, n, arg, msg);
	closed = listing_close(&l, rc == OK ? msg : NULL);
	return rc == OK ? closed : rc;
}

static enum err append_json(struct listing *l, size_t n, void *array, struct errmsg *msg)
{
	json_t *json = NULL;
	enum err rc = listing_json(l, &json, msg);

	if (rc == OK && json_array_append_new(array, json) != 0)
		rc = no_memory(msg);
	return rc;
}

/* What somebody is to reread of the block's text; mostly nothing. */
static enum err block_reread(struct listing *l, struct reread_list *out, struct errmsg *msg)
{
	struct record_id id = listing_id(l);

	*out = (struct reread_list){ .count = 0 };
	return listing_has_conflict(l) ? reread_load(out, l->ctx, KIND_BLOCK, &id, BLOCK_TEXT, msg)
				       : OK;
}

static enum err append_block(struct listing *l, size_t n, void *array, struct errmsg *msg)
{
	struct reread_list list;
	json_t *json = NULL, *reread = NULL;
	enum err rc = block_reread(l, &list, msg);

	if (rc == OK)
		rc = listing_json(l, &json, msg);
	if (rc == OK)
		rc = reread_json(l->ctx, &list, &reread, msg);
	if (rc == OK && (json_object_set(json, "reread", reread) || json_array_append(array, json)))
		rc = no_memory(msg);
	json_decref(reread);
	json_decref(json);
	return rc;
}

static enum err show_json(struct context *ctx, const struct minutes *m, struct errmsg *msg)
{
	json_t *blocks = json_array();
	json_t *actions = json_array();
	json_t *object = NULL;
	enum err rc = record_json(ctx, KIND_MINUTES, &m->id, &object, msg);

	if (rc == OK)
		rc = for_each(ctx, KIND_BLOCK, blocks_sql, &m->id, append_block, blocks, msg);
	if (rc == OK)
		rc = for_each(ctx, KIND_ACTION, actions_sql, &m->meeting, append_json, actions,
			      msg);
	if (rc == OK) {
		json_object_set(object, "blocks", blocks);
		json_object_set(object, "action_items", actions);
		rc = output_json(stdout, json_incref(object), msg);
	}
	json_decref(object);
	json_decref(blocks);
	json_decref(actions);
	return rc;
}

static enum err print_block(struct listing *l, size_t n, void *arg, struct errmsg *msg)
{
	struct value text = listing_value(l, BLOCK_TEXT);
	struct reread_list list;
	const char *kind;
	enum err rc = listing_text(l, BLOCK_KIND, &kind, msg);

	if (rc == OK)
		rc = block_reread(l, &list, msg);
	if (rc != OK)
		return rc;
	fputc('\n', stdout);
	output_line(stdout, "[%zu] %s%s", n, kind,
		    list.count                ? _("  ! to be reread")
		    : listing_has_conflict(l) ? _("  ! written differently at once")
					      : "");
	if (text.type == VALUE_TEXT)
		output_lines(stdout, 4, text.bytes);
	return reread_print(l->ctx, &list, 6, msg);
}

static enum err print_action(struct listing *l, size_t n, void *arg, struct errmsg *msg)
{
	const char *number, *owner, *title;
	enum err rc = listing_text(l, ACTION_NUMBER, &number, msg);

	if (rc == OK)
		rc = listing_text(l, ACTION_OWNER, &owner, msg);
	if (rc == OK)
		rc = listing_text(l, ACTION_TITLE, &title, msg);
	if (rc != OK)
		return rc;
	if (n == 1)
		fprintf(stdout, "\n%s\n", _("Action items"));
	output_line(stdout, "    %s  %s  %s", number, title, owner);
	return OK;
}

static const struct {
	uint8_t field;
	const char *name;
} head_fields[] = {
	{ MEETING_START, N_("start") },
	{ MEETING_PLACE, N_("place") },
	{ MEETING_CHAIR, N_("chair") },
	{ MEETING_RECORDER, N_("recorder") },
};

static enum err print_head(struct context *ctx, const struct minutes *m, struct errmsg *msg)
{
	const struct kind *kind = schema_kind(KIND_MEETING);
	struct value title;
	struct buf text = BUF_EMPTY;
	struct record meeting;
	enum err rc = record_load(ctx, KIND_MEETING, &m->meeting, &meeting, NULL, msg);

	if (rc == OK)
		rc = ref_label(ctx, KIND_MINUTES, &m->id, &text, msg);
	if (rc != OK)
		return rc;
	title = shown_value(&meeting, MEETING_TITLE);
	buf_append_str(&text, "  ");
	buf_append(&text, title.bytes.data, title.type == VALUE_TEXT ? title.bytes.size : 0);
	output_line(stdout, "%.*s", (int)text.size, (const char *)text.data);
	for (size_t i = 0; i < sizeof(head_fields) / sizeof(head_fields[0]) && rc == OK; i++) {
		struct value value = shown_value(&meeting, head_fields[i].field);

		buf_clear(&text);
		rc = field_show(ctx, kind_field(kind, head_fields[i].field), &value, &text, msg);
		if (rc == OK && text.size)
			output_line(stdout, "  %-*s%.*s",
				    width_for_printf(_(head_fields[i].name), NAME_COLUMNS),
				    _(head_fields[i].name), (int)text.size,
				    (const char *)text.data);
	}
	buf_release(&text);
	return rc;
}

enum err cmd_minutes_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct minutes m;
	enum err rc = minutes_find(&m, ctx, args_word(args, 0), msg);

	if (rc == OK && !m.exists)
		rc = errmsg_set(msg, ERR_NOT_FOUND,
				_("%s has no minutes yet: huitong minutes add %s TEXT"),
				args_word(args, 0), args_word(args, 0));
	if (rc != OK)
		return rc;
	if (ctx->is_json)
		return show_json(ctx, &m, msg);
	rc = print_head(ctx, &m, msg);
	if (rc == OK)
		rc = for_each(ctx, KIND_BLOCK, blocks_sql, &m.id, print_block, NULL, msg);
	if (rc == OK)
		rc = for_each(ctx, KIND_ACTION, actions_sql, &m.meeting, print_action, NULL, msg);
	return rc;
}
