/* Writing a text that others may be writing at the same time. */
#include <unistd.h>

#include "node/change.h"
#include "node/cmd.h"
#include "node/field_text.h"
#include "node/i18n.h"
#include "node/lint.h"
#include "node/minutes.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/reread_view.h"
#include "node/sys_error.h"
#include "node/text_view.h"
#include "node/writing.h"

/* It can be written: the record is not void, its minutes are not final, and this office may. */
static enum err check_subject(const struct text_subject *s, struct errmsg *msg)
{
	const struct entry *minutes;
	struct record rec;
	enum err rc = record_load(s->ctx, s->ref.kind, &s->ref.id, &rec, NULL, msg);

	if (rc == OK)
		rc = record_refuse_void(&rec, s->name, msg);
	minutes = rc == OK && s->ref.kind == KIND_BLOCK ? record_shown(&rec, BLOCK_MINUTES) : NULL;
	if (minutes && minutes->value.type == VALUE_REF)
		rc = minutes_check_open(s->ctx, &minutes->value.ref, msg);
	return rc == OK ? change_check_grant(s->ctx, &s->space, msg) : rc;
}

/* Who opens a text and leaves it as it was may have read it, or have been called away: what is to
 * be reread waits for a word. */
static enum err remind_to_reread(const struct text_subject *s, struct errmsg *msg)
{
	struct reread_list list;
	enum err rc = reread_load(&list, s->ctx, s->ref.kind, &s->ref.id, s->field->number, msg);

	if (rc == OK && list.count) {
		fprintf(stderr, "%s\n", _("It is still to be reread. If it is right as it is:"));
		fprintf(stderr, "huitong conflicts pick %s %s keep\n", s->name, s->field->name);
	}
	return rc;
}

/* A text that is as it was makes no version. */
static void drop_unchanged(struct assignments *fields)
{
	size_t kept = 0;

	for (size_t i = 0; i < fields->count; i++) {
		const struct assignment *one = &fields->list[i];

		if (!one->seen || !bytes_equal(one->value.bytes, one->seen->text))
			fields->list[kept++] = *one;
	}
	if (kept == 0)
		fprintf(stderr, "%s\n", _("nothing was changed"));
	fields->count = kept;
}

static enum err store(const struct text_subject *s, struct assignments *fields, struct errmsg *msg)
{
	struct change c;
	enum err rc = change_begin(&c, s->ctx, &s->space, msg);

	if (rc != OK)
		return rc;
	drop_unchanged(fields);
	rc = change_end(&c, change_assign(&c, s->ref.kind, &s->ref.id, fields, msg), msg);
	if (rc == OK && fields->count == 0)
		rc = remind_to_reread(s, msg);
	return rc == OK ? record_echo(s->ctx, s->ref.kind, &s->ref.id, msg) : rc;
}

static void advise_on(const struct text_subject *s, const struct value *text)
{
	if (s->ref.kind == KIND_BLOCK)
		lint_minutes(text->bytes);
}

static enum err edit_in_editor(const struct text_subject *s, const struct args *args,
			       const struct text_version *now, struct errmsg *msg)
{
	struct assignments fields = { .list[0].field = s->field, .count = 1 };
	struct writing w;
	struct bytes text;
	enum err rc = writing_run(&w, s, s->field->name, args, now, &text, msg);

	/* Somebody may have voided it meanwhile. */
	if (rc == OK)
		rc = check_subject(s, msg);
	if (rc == OK) {
		fields.list[0].value = value_text(text);
		fields.list[0].seen = &w.seen;
		advise_on(s, &fields.list[0].value);
		rc = store(s, &fields, msg);
	}
	return writing_end(&w, rc);
}

/* What the command line says, the text as changed from `seen`. */
static enum err edit_from_line(const struct text_subject *s, const struct args *args,
			       const struct text_version *seen, struct errmsg *msg)
{
	struct assignments fields;
	enum err rc = assignments_parse(&fields, s->ctx, args, msg);

	/* An option of its own, where it is not among the fields. */
	if (rc == OK && !args->command->field)
		rc = assignments_add(&fields, s->ctx, s->field, args_option(args, "text"), msg);
	for (size_t i = 0; rc == OK && i < fields.count; i++) {
		if (fields.list[i].field != s->field)
			continue;
		fields.list[i].seen = seen;
		advise_on(s, &fields.list[i].value);
	}
	return rc == OK ? store(s, &fields, msg) : rc;
}

enum err cmd_text_edit(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct text_version seen;
	struct text_subject s;
	enum err rc = text_subject_find(&s, ctx, args, msg);

	if (rc == OK)
		rc = check_subject(&s, msg);
	if (rc == OK)
		rc = text_subject_version(&s, args_option(args, "from"), &seen, msg);
	if (rc != OK)
		return rc;
	if (args_has(args, "text") || args_has_fields(args))
		return edit_from_line(&s, args, &seen, msg);
	return edit_in_editor(&s, args, &seen, msg);
}

/* ---- Versions ----------------------------------------------------------------- */

static enum err show_json(const struct text_subject *s, const struct text_version *v,
			  struct errmsg *msg)
{
	json_t *names = json_array();
	struct text text = TEXT_EMPTY;
	char name[VERSION_NAME_BYTES];
	enum err rc = names ? text_subject_open(s, &text, msg) : no_memory(msg);

	for (size_t i = 0; rc == OK && i < v->head_count; i++) {
		uint32_t edit = text_history_find(&text.history, &v->heads[i]);

		if (json_array_append_new(names, json_string(version_name(&text, edit, name))))
			rc = no_memory(msg);
	}
	text_release(&text);
	if (rc != OK) {
		json_decref(names);
		return rc;
	}
	return output_json(stdout,
			   json_pack("{s:s, s:o, s:s%}", "field", s->field->name, "versions", names,
				     "text", v->text.size ? (const char *)v->text.data : "",
				     v->text.size),
			   msg);
}

/* Into a file or a program as it is, to come back unharmed; safe on a terminal. */
static void print_text(struct bytes text)
{
	if (isatty(STDOUT_FILENO)) {
		output_lines(stdout, 0, text);
		return;
	}
	output_bytes(stdout, text);
	if (text.data[text.size - 1] != '\n')
		putchar('\n');
}

enum err cmd_text_show(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct text_version shown;
	struct text_subject s;
	enum err rc = text_subject_find(&s, ctx, args, msg);

	if (rc == OK)
		rc = text_subject_version(&s, args_word(args, s.word_count), &shown, msg);
	if (rc != OK)
		return rc;
	if (ctx->is_json)
		return show_json(&s, &shown, msg);
	if (shown.text.size)
		print_text(shown.text);
	return OK;
}

enum err cmd_text_restore(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct assignments fields = { .count = 1 };
	struct text_version then, now;
	struct text_subject s;
	const char *version;
	enum err rc = text_subject_find(&s, ctx, args, msg);

	if (rc == OK)
		rc = check_subject(&s, msg);
	if (rc != OK)
		return rc;
	version = args_word(args, s.word_count);
	if (!version) {
		ctx->is_misused = true; /* FIELD may be left out: only the record tells */
		text_subject_advise_history(&s);
		return errmsg_set(msg, ERR_INVALID, _("`%s` needs: %s"), args->command->name,
				  args->command->arguments);
	}
	rc = text_subject_version(&s, version, &then, msg);
	if (rc == OK)
		rc = text_subject_version(&s, NULL, &now, msg);
	fields.list[0] = (struct assignment){ .field = s.field,
					      .value = value_text(then.text),
					      .seen = &now };
	return rc == OK ? store(&s, &fields, msg) : rc;
}
