/* Minutes: a document of blocks, one for each meeting. */
#include <sodium.h>

#include "core/position.h"
#include "node/change.h"
#include "node/cmd.h"
#include "node/editor.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/lint.h"
#include "node/listing.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/ref.h"
#include "node/space.h"

/* A meeting and its minutes, which need not exist yet. */
struct protocol {
	struct record_id meeting;
	struct record_id minutes;
	struct space_id space;
	bool exists;
};

/* The id follows from the meeting's: two offices that begin the minutes of one
 * meeting at the same time begin the same record. A UUIDv8, with the meeting's
 * time in front. */
static struct record_id minutes_id(const struct record_id *meeting)
{
	static const char domain[] = "huitong-minutes-1";
	crypto_generichash_state state;
	struct record_id id;

	crypto_generichash_init(&state, NULL, 0, ID_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, meeting->bytes, ID_BYTES);
	crypto_generichash_final(&state, id.bytes, ID_BYTES);
	memcpy(id.bytes, meeting->bytes, 6);
	id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}

/* The meeting of some minutes. */
static enum err meeting_of(struct context *ctx, const struct record_id *minutes,
			   struct record_id *out, struct errmsg *msg)
{
	const struct entry *shown;
	struct record rec;
	enum err rc = record_load(ctx, KIND_MINUTES, minutes, &rec, NULL, msg);

	if (rc != OK)
		return rc;
	shown = record_shown(&rec, MINUTES_MEETING);
	if (!shown || shown->value.type != VALUE_REF)
		return errmsg_set(msg, ERR_NOT_FOUND, _("these minutes have no meeting"));
	*out = shown->value.ref;
	return OK;
}

/* By the number or title of the meeting, or by the number of the minutes. */
static enum err find_protocol(struct protocol *out, struct context *ctx, const char *text,
			      struct errmsg *msg)
{
	struct protocol p = { .exists = true };
	struct errmsg ignored;
	struct ref ref;
	enum err rc;

	if (ref_find(ctx, KIND_MINUTES, text, &ref, &ignored) == OK) {
		p.minutes = ref.id;
		rc = meeting_of(ctx, &ref.id, &p.meeting, msg);
	} else {
		rc = ref_find_id(ctx, KIND_MEETING, text, &p.meeting, msg);
		if (rc == OK)
			p.minutes = minutes_id(&p.meeting);
		if (rc == OK)
			p.exists = space_of(ctx, KIND_MINUTES, &p.minutes, &p.space, NULL) == OK;
	}
	if (rc == OK)
		rc = space_of(ctx, KIND_MEETING, &p.meeting, &p.space, msg);
	if (rc == OK)
		*out = p;
	return rc;
}

/* ---- add ----------------------------------------------------------------- */

static enum err query_position(struct context *ctx, const char *sql, const struct value *args,
			       size_t count, struct buf *out, struct errmsg *msg)
{
	struct rows *rows;
	struct bytes position;
	enum err rc = rows_open(&rows, ctx->replica, sql, args, count, msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows)) {
		position = rows_bytes(rows, 0);
		buf_append(out, position.data, position.size);
	}
	return rows_close(rows, msg);
}

/* The places that the new one goes between; empty: the end on that side. */
static enum err neighbours(struct context *ctx, const struct protocol *p, const char *after,
			   struct buf *low, struct buf *high, struct errmsg *msg)
{
	static const char last[] = "SELECT position FROM r_block WHERE minutes = ? AND life <> 1 "
				   "ORDER BY position DESC, id DESC LIMIT 1";
	static const char own[] = "SELECT position FROM r_block WHERE id = ?";
	static const char next[] = "SELECT position FROM r_block WHERE minutes = ?1 AND life <> 1 "
				   "AND position > (SELECT position FROM r_block WHERE id = ?2) "
				   "ORDER BY position LIMIT 1";
	struct value args[2] = { value_ref(&p->minutes) };
	struct record_id block;
	enum err rc;

	if (!after)
		return query_position(ctx, last, args, 1, low, msg);
	rc = ref_find_id(ctx, KIND_BLOCK, after, &block, msg);
	args[1] = value_ref(&block);
	if (rc == OK)
		rc = query_position(ctx, own, &args[1], 1, low, msg);
	if (rc == OK)
		rc = query_position(ctx, next, args, 2, high, msg);
	return rc;
}

static enum err place_block(struct change *c, const struct protocol *p, const struct record_id *id,
			    const char *after, struct errmsg *msg)
{
	struct buf low = BUF_EMPTY, high = BUF_EMPTY, position = BUF_EMPTY;
	struct dice dice = system_dice();
	struct value value;
	enum err rc = neighbours(c->ctx, p, after, &low, &high, msg);

	if (rc == OK)
		rc = position_between(&position, buf_bytes(&low), buf_bytes(&high), &dice);
	if (rc == OK)
		rc = buf_check(&position);
	value = value_bytes(buf_bytes(&position));
	if (rc == OK)
		rc = edit_set(c->edit, KIND_BLOCK, id, BLOCK_POSITION, &value, msg);
	buf_release(&low);
	buf_release(&high);
	buf_release(&position);
	return rc;
}

static enum err begin_minutes(struct change *c, const struct protocol *p, struct errmsg *msg)
{
	struct value meeting = value_ref(&p->meeting);
	enum err rc;

	if (p->exists)
		return OK;
	rc = edit_set(c->edit, KIND_MINUTES, &p->minutes, MINUTES_MEETING, &meeting, msg);
	return rc == OK ? change_number(c, KIND_MINUTES, &p->minutes, msg) : rc;
}

static enum err write_block(struct change *c, const struct protocol *p, const struct args *args,
			    const struct assignments *fields, struct record_id *id,
			    struct errmsg *msg)
{
	struct value minutes = value_ref(&p->minutes);
	enum err rc = begin_minutes(c, p, msg);

	*id = edit_create(c->edit);
	if (rc == OK)
		rc = edit_set(c->edit, KIND_BLOCK, id, BLOCK_MINUTES, &minutes, msg);
	if (rc == OK)
		rc = place_block(c, p, id, args_option(args, "after"), msg);
	if (rc == OK)
		rc = change_assign(c, KIND_BLOCK, id, fields, msg);
	return rc;
}

/* A block's echo: the document's number and the block's text. */
static enum err echo_block(struct context *ctx, const struct record_id *minutes,
			   const struct record_id *block, struct errmsg *msg)
{
	if (ctx->is_json)
		return record_echo(ctx, KIND_BLOCK, block, msg);
	return record_echo(ctx, KIND_MINUTES, minutes, msg);
}

static enum err add_block(struct context *ctx, const struct args *args, const struct protocol *p,
			  const struct assignments *fields, struct errmsg *msg)
{
	struct record_id id;
	struct change c;
	enum err rc = change_begin(&c, ctx, &p->space, msg);

	if (rc != OK)
		return rc;
	rc = write_block(&c, p, args, fields, &id, msg);
	rc = change_end(&c, rc, msg);
	return rc == OK ? echo_block(ctx, &p->minutes, &id, msg) : rc;
}

/* The text as the block's field: from the command line, stdin or the editor. */
static enum err add_text(struct assignments *fields, struct context *ctx, struct editor *editor,
			 const char *typed, struct bytes before, struct errmsg *msg)
{
	const struct field *text = kind_field(schema_kind(KIND_BLOCK), BLOCK_TEXT);
	struct assignment *one = &fields->list[fields->count];
	struct buf after = BUF_EMPTY;
	struct bytes copy;
	enum err rc;

	if (typed) {
		rc = assignments_add(fields, ctx, text, typed, msg);
		if (rc == OK && one->value.type == VALUE_NIL)
			rc = errmsg_set(msg, ERR_INVALID, _("the text is empty"));
	} else {
		rc = editor_run(editor, before, &after, msg);
		copy = rc == OK ? arena_copy(&ctx->arena, buf_bytes(&after)) : before;
		if (rc == OK && (after.size == 0 || bytes_equal(copy, before)))
			rc = errmsg_set(msg, ERR_INVALID, _("nothing was changed"));
		if (rc == OK) {
			*one = (struct assignment){ text, value_text(copy), false };
			rc = field_validate(text, &one->value, msg);
			fields->count++;
		}
		buf_release(&after);
	}
	if (rc == OK)
		lint_minutes(one->value.bytes);
	return rc;
}

enum err cmd_minutes_add(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct editor editor = { .path = "" };
	struct assignments fields;
	struct protocol p;
	enum err rc = find_protocol(&p, ctx, args_word(args, 0), msg);

	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc == OK)
		rc = add_text(&fields, ctx, &editor, args_word(args, 1), bytes_of(NULL, 0), msg);
	if (rc == OK)
		rc = add_block(ctx, args, &p, &fields, msg);
	return editor_end(&editor, rc, msg);
}

/* ---- edit ---------------------------------------------------------------- */

static struct value shown_value(const struct record *rec, uint8_t field)
{
	const struct entry *shown = record_shown(rec, field);

	return shown ? shown->value : value_nil();
}

static enum err change_block(struct context *ctx, const struct record *block,
			     const struct space_id *space, const struct assignments *fields,
			     struct errmsg *msg)
{
	struct value minutes = shown_value(block, BLOCK_MINUTES);
	struct change c;
	enum err rc = change_begin(&c, ctx, space, msg);

	if (rc != OK)
		return rc;
	rc = change_assign(&c, KIND_BLOCK, &block->id, fields, msg);
	rc = change_end(&c, rc, msg);
	if (rc == OK && minutes.type == VALUE_REF)
		rc = echo_block(ctx, &minutes.ref, &block->id, msg);
	return rc;
}

enum err cmd_minutes_edit(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct editor editor = { .path = "" };
	struct bytes before = { 0 };
	struct assignments fields;
	struct record_id id;
	struct space_id space;
	struct record block;
	struct value text;
	enum err rc = ref_find_id(ctx, KIND_BLOCK, args_word(args, 0), &id, msg);

	if (rc == OK)
		rc = record_load(ctx, KIND_BLOCK, &id, &block, &space, msg);
	if (rc == OK)
		rc = assignments_parse(&fields, ctx, args, msg);
	if (rc != OK)
		return rc;
	text = shown_value(&block, BLOCK_TEXT);
	if (text.type == VALUE_TEXT)
		before = text.bytes;
	if (fields.count == 0)
		rc = add_text(&fields, ctx, &editor, NULL, before, msg);
	if (rc == OK)
		rc = change_block(ctx, &block, &space, &fields, msg);
	return editor_end(&editor, rc, msg);
}

/* ---- show ---------------------------------------------------------------- */

static const char blocks_sql[] = "WHERE r.minutes = ? AND r.life <> 1 ORDER BY r.position, r.id";
static const char actions_sql[] = "WHERE r.meeting = ? AND r.life <> 1 ORDER BY r.number, r.id";

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
		rc = errmsg_set(msg, ERR_NOMEM, _("out of memory"));
	return rc;
}

static enum err show_json(struct context *ctx, const struct protocol *p, struct errmsg *msg)
{
	json_t *blocks = json_array();
	json_t *actions = json_array();
	json_t *object = NULL;
	enum err rc = record_json(ctx, KIND_MINUTES, &p->minutes, &object, msg);

	if (rc == OK)
		rc = for_each(ctx, KIND_BLOCK, blocks_sql, &p->minutes, append_json, blocks, msg);
	if (rc == OK)
		rc = for_each(ctx, KIND_ACTION, actions_sql, &p->meeting, append_json, actions,
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
	const char *kind;
	enum err rc = listing_text(l, BLOCK_KIND, &kind, msg);

	if (rc != OK)
		return rc;
	output_line(stdout, "\n[%zu] %s%s", n, kind,
		    listing_has_conflict(l) ? _("  ! written differently at once") : "");
	if (text.type == VALUE_TEXT)
		output_lines(stdout, 4, text.bytes);
	return OK;
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

static enum err print_head(struct context *ctx, const struct protocol *p, struct errmsg *msg)
{
	const struct kind *kind = schema_kind(KIND_MEETING);
	struct value title;
	struct buf text = BUF_EMPTY;
	struct record meeting;
	enum err rc = record_load(ctx, KIND_MEETING, &p->meeting, &meeting, NULL, msg);

	if (rc == OK)
		rc = ref_label(ctx, KIND_MINUTES, &p->minutes, &text, msg);
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
			output_line(stdout, "  %-10s%.*s", _(head_fields[i].name), (int)text.size,
				    (const char *)text.data);
	}
	buf_release(&text);
	return rc;
}

enum err cmd_minutes_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct protocol p;
	enum err rc = find_protocol(&p, ctx, args_word(args, 0), msg);

	if (rc == OK && !p.exists)
		rc = errmsg_set(msg, ERR_NOT_FOUND,
				_("%s has no minutes yet: huitong minutes add %s TEXT"),
				args_word(args, 0), args_word(args, 0));
	if (rc != OK)
		return rc;
	if (ctx->is_json)
		return show_json(ctx, &p, msg);
	rc = print_head(ctx, &p, msg);
	if (rc == OK)
		rc = for_each(ctx, KIND_BLOCK, blocks_sql, &p.minutes, print_block, NULL, msg);
	if (rc == OK)
		rc = for_each(ctx, KIND_ACTION, actions_sql, &p.meeting, print_action, NULL, msg);
	return rc;
}
