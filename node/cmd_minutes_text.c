/* What became of a block of minutes: its versions, who wrote what, what changed, and back. */
#include "core/utf8.h"
#include "node/change.h"
#include "node/cmd.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/sys_error.h"
#include "node/text_view.h"

/* A block's text with its history. */
struct block_text {
	struct context *ctx;
	struct record_id id;
	struct space_id space;
	struct text text;
	struct errmsg *msg;
};

static enum err block_open(struct block_text *b, struct context *ctx, const char *name,
			   struct errmsg *msg)
{
	struct record rec;
	enum err rc;

	*b = (struct block_text){ .ctx = ctx, .text = TEXT_EMPTY, .msg = msg };
	rc = ref_find_id(ctx, KIND_BLOCK, name, &b->id, msg);
	if (rc == OK)
		rc = record_load(ctx, KIND_BLOCK, &b->id, &rec, &b->space, msg);
	return rc == OK ? replica_text(ctx->replica, KIND_BLOCK, &b->id, BLOCK_TEXT, &b->text, msg)
			: rc;
}

static void block_close(struct block_text *b)
{
	text_release(&b->text);
}

static enum err written(struct block_text *b, uint32_t edit, struct written *out)
{
	return version_written(b->ctx, &b->space, &b->text, edit, out, b->msg);
}

/* The text as it was, in the context's arena. */
static enum err text_then(struct block_text *b, const uint32_t *heads, size_t count,
			  struct bytes *out)
{
	struct buf text = BUF_EMPTY;
	enum err rc = text_at(&b->text, heads, count, &text);

	if (rc == OK)
		*out = arena_copy(&b->ctx->arena, buf_bytes(&text));
	buf_release(&text);
	return rc == OK && out->data ? OK : no_memory(b->msg);
}

/* ---- history --------------------------------------------------------------- */

static void count_changes(const struct text *t, uint32_t edit, uint32_t *inserted,
			  uint32_t *deleted)
{
	const struct text_node *n = &t->history.nodes[edit];

	*inserted = *deleted = 0;
	for (uint32_t i = 0; i < n->run_count; i++) {
		const struct text_run *run = &t->history.runs[n->first_run + i];

		if (run->step == TEXT_INSERT)
			*inserted += run->count;
		else if (!text_node_is_adrift(n))
			*deleted += run->count;
	}
}

static enum err history_row(struct block_text *b, uint32_t edit, struct table *table)
{
	char name[VERSION_NAME_BYTES], changes[48], when[WHEN_TEXT_BYTES];
	const struct when_reader *reader;
	struct buf who = BUF_EMPTY;
	uint32_t inserted, deleted;
	struct written w;
	enum err rc = written(b, edit, &w);

	if (rc == OK)
		rc = context_reader(b->ctx, &reader, b->msg);
	if (rc == OK)
		rc = author_show(b->ctx, &w.author, &w.replica, &who, b->msg);
	buf_append_byte(&who, 0);
	if (rc == OK)
		rc = buf_check(&who);
	if (rc == OK) {
		count_changes(&b->text, edit, &inserted, &deleted);
		snprintf(changes, sizeof(changes), "+%u -%u", inserted, deleted);
		when_instant(reader, w.wall_ms, when);
		table_add(table, (const char *const[]){ version_name(&b->text, edit, name), when,
							changes, (const char *)who.data });
	}
	buf_release(&who);
	return rc;
}

static enum err history_print(struct block_text *b)
{
	const struct table_column columns[] = {
		{ _("VERSION"), TABLE_LEFT },
		{ _("WHEN"), TABLE_LEFT },
		{ _("CHANGED"), TABLE_RIGHT },
		{ _("BY"), TABLE_LEFT },
	};
	struct table table;
	enum err rc = OK;

	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (uint32_t i = b->text.history.count; i-- > 0 && rc == OK;)
		if (!b->text.history.nodes[i].is_join)
			rc = history_row(b, i, &table);
	if (rc == OK)
		rc = output_table(stdout, &table, b->msg);
	table_release(&table);
	return rc;
}

static enum err parents_json(struct block_text *b, uint32_t edit, json_t **out)
{
	const struct text_history *h = &b->text.history;
	char name[VERSION_NAME_BYTES];
	json_t *array = json_array();
	enum err rc = array ? OK : no_memory(b->msg);

	for (uint32_t i = 0; rc == OK && i < h->nodes[edit].parent_count; i++)
		if (json_array_append_new(
			    array, json_string(version_name(&b->text, text_node_parents(h, edit)[i],
							    name))))
			rc = no_memory(b->msg);
	if (rc == OK)
		*out = array;
	else
		json_decref(array);
	return rc;
}

static enum err history_object(struct block_text *b, uint32_t edit, json_t *array)
{
	uint32_t inserted, deleted;
	json_t *object, *parents = NULL;
	struct written w;
	enum err rc = written(b, edit, &w);

	if (rc == OK)
		rc = version_json(b->ctx, &b->text, edit, &w, &object, b->msg);
	if (rc != OK)
		return rc;
	count_changes(&b->text, edit, &inserted, &deleted);
	rc = parents_json(b, edit, &parents);
	if (rc == OK &&
	    (json_object_set_new(object, "inserted", json_integer(inserted)) ||
	     json_object_set_new(object, "deleted", json_integer(deleted)) ||
	     json_object_set_new(object, "parents", parents) || json_array_append(array, object)))
		rc = no_memory(b->msg);
	json_decref(object);
	return rc;
}

static enum err history_json(struct block_text *b)
{
	json_t *array = json_array();
	enum err rc = array ? OK : no_memory(b->msg);

	for (uint32_t i = b->text.history.count; i-- > 0 && rc == OK;)
		if (!b->text.history.nodes[i].is_join)
			rc = history_object(b, i, array);
	if (rc == OK)
		return output_json(stdout, array, b->msg);
	json_decref(array);
	return rc;
}

enum err cmd_minutes_history(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct block_text b;
	enum err rc = block_open(&b, ctx, args_word(args, 0), msg);

	if (rc == OK)
		rc = ctx->is_json ? history_json(&b) : history_print(&b);
	block_close(&b);
	return rc;
}

/* ---- blame ----------------------------------------------------------------- */

/* Stretches of one edit each. */
struct blame {
	struct block_text *b;
	struct bytes rest;
	json_t *array; /* NULL: for people */
	enum err rc;
};

static enum err print_stretch(struct blame *x, uint32_t edit, struct bytes text)
{
	char name[VERSION_NAME_BYTES];
	struct buf line = BUF_EMPTY;
	struct written w;
	enum err rc = written(x->b, edit, &w);

	buf_printf(&line, "%s  ", version_name(&x->b->text, edit, name));
	if (rc == OK)
		rc = written_show(x->b->ctx, &w, &line, x->b->msg);
	if (rc == OK)
		rc = buf_check(&line);
	if (rc == OK) {
		output_line(stdout, "%.*s", (int)line.size, (const char *)line.data);
		output_lines(stdout, 4, text);
	}
	buf_release(&line);
	return rc;
}

static enum err append_stretch(struct blame *x, uint32_t edit, struct bytes text)
{
	json_t *object;
	struct written w;
	enum err rc = written(x->b, edit, &w);

	if (rc == OK)
		rc = version_json(x->b->ctx, &x->b->text, edit, &w, &object, x->b->msg);
	if (rc != OK)
		return rc;
	if (json_object_set_new(object, "text", json_stringn((const char *)text.data, text.size)) ||
	    json_array_append(x->array, object))
		rc = no_memory(x->b->msg);
	json_decref(object);
	return rc;
}

static bool tell_stretch(void *ctx, uint32_t count, uint32_t edit)
{
	struct blame *x = ctx;
	size_t size = 0;
	struct bytes text;

	while (count--)
		size += utf8_size(x->rest.data[size]);
	text = bytes_of(x->rest.data, size);
	x->rest = bytes_of(x->rest.data + size, x->rest.size - size);
	x->rc = x->array ? append_stretch(x, edit, text) : print_stretch(x, edit, text);
	return x->rc == OK;
}

enum err cmd_minutes_blame(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct block_text b;
	struct blame x = { &b, .array = ctx->is_json ? json_array() : NULL };
	struct buf now = BUF_EMPTY;
	enum err rc = block_open(&b, ctx, args_word(args, 0), msg);

	if (rc == OK) {
		rope_read(&b.text.rope, 0, rope_size(&b.text.rope, ROPE_POINTS), &now);
		x.rest = buf_bytes(&now);
		rc = buf_check(&now) ? no_memory(msg) : text_blame(&b.text, tell_stretch, &x);
	}
	if (rc == OK)
		rc = x.rc;
	if (rc == OK && x.array)
		rc = output_json(stdout, json_incref(x.array), msg);
	json_decref(x.array);
	buf_release(&now);
	block_close(&b);
	return rc;
}

/* ---- diff ------------------------------------------------------------------ */

/* Without names: what the newest edit has changed. */
static enum err choose_from(struct block_text *b, const char *name, struct bytes *out)
{
	const struct text_history *h = &b->text.history;
	uint32_t edit, newest = h->count - 1;
	enum err rc;

	if (name) {
		rc = version_find(&b->text, name, &edit, b->msg);
		return rc == OK ? text_then(b, &edit, 1, out) : rc;
	}
	while (newest && h->nodes[newest].is_join)
		newest--;
	return text_then(b, text_node_parents(h, newest), h->nodes[newest].parent_count, out);
}

static enum err choose_to(struct block_text *b, const char *name, struct bytes *out)
{
	uint32_t edit;
	enum err rc;

	if (!name)
		return text_then(b, b->text.history.heads, b->text.history.head_count, out);
	rc = version_find(&b->text, name, &edit, b->msg);
	return rc == OK ? text_then(b, &edit, 1, out) : rc;
}

static enum err diff_output(struct block_text *b, struct bytes from, struct bytes to)
{
	struct buf text = BUF_EMPTY;
	json_t *array = NULL;
	enum err rc;

	if (b->ctx->is_json) {
		rc = difference_json(from, to, &array);
		return rc == OK ? output_json(stdout, array, b->msg) : no_memory(b->msg);
	}
	rc = difference_show(from, to, &text);
	if (rc == OK)
		output_lines(stdout, 0, buf_bytes(&text));
	buf_release(&text);
	return rc == OK ? OK : no_memory(b->msg);
}

enum err cmd_minutes_diff(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct bytes from, to;
	struct block_text b;
	enum err rc = block_open(&b, ctx, args_word(args, 0), msg);

	if (rc == OK && b.text.history.count == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("nothing was written there yet"));
	if (rc == OK)
		rc = choose_from(&b, args_word(args, 1), &from);
	if (rc == OK)
		rc = choose_to(&b, args_word(args, 2), &to);
	if (rc == OK)
		rc = diff_output(&b, from, to);
	block_close(&b);
	return rc;
}

/* ---- restore --------------------------------------------------------------- */

static enum err write_again(struct block_text *b, struct bytes text)
{
	struct value value = value_text(text);
	struct change c;
	enum err rc = change_begin(&c, b->ctx, &b->space, b->msg);

	if (rc != OK)
		return rc;
	rc = edit_set(c.edit, KIND_BLOCK, &b->id, BLOCK_TEXT, &value, b->msg);
	rc = change_end(&c, rc, b->msg);
	return rc == OK ? record_echo(b->ctx, KIND_BLOCK, &b->id, b->msg) : rc;
}

enum err cmd_minutes_restore(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct bytes then;
	struct block_text b;
	enum err rc = block_open(&b, ctx, args_word(args, 0), msg);

	if (rc == OK)
		rc = choose_to(&b, args_word(args, 1), &then);
	if (rc == OK)
		rc = write_again(&b, then);
	block_close(&b);
	return rc;
}
