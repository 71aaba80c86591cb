#include "node/writing.h"

#include "node/editor.h"
#include "node/i18n.h"
#include "node/sys_error.h"
#include "node/text_input.h"
#include "node/when.h"

/* An editor that ends so soon, with nothing changed, may have passed the file on to a window
 * that is still open. */
enum { SOON_MS = 2000 };

/* ---- What to do next --------------------------------------------------------- */

static void append_word(struct buf *out, const char *word)
{
	bool is_plain = *word && !strpbrk(word, " \t\n\"'\\$`*?[](){}<>|&;~#!");

	buf_printf(out, is_plain ? " %s" : " \"%s\"", word);
}

/* The command line once more, but for what becomes of a draft. */
static void append_command(const struct args *args, struct buf *out)
{
	size_t from = out->size;

	buf_printf(out, "huitong %s", args->command->name);
	for (size_t i = 0; i < args->word_count; i++)
		append_word(out, args->words[i]);
	for (size_t i = 0; i < args->option_count; i++) {
		const struct arg_option *given = &args->options[i];

		if (strcmp(given->name, WRITING_RESUME) == 0 ||
		    strcmp(given->name, WRITING_DISCARD) == 0)
			continue;
		buf_printf(out, " --%s", given->name);
		if (*given->value)
			append_word(out, given->value);
	}
	for (size_t i = from; i < out->size; i++)
		if (out->data[i] == '\n')
			out->data[i] = ' ';
}

static void advise_command(const struct writing *w, const char *why, const char *option)
{
	struct buf line = BUF_EMPTY;

	append_command(w->args, &line);
	buf_printf(&line, " --%s", option);
	buf_append_byte(&line, 0);
	if (buf_check(&line) == OK)
		context_advise(w->of->ctx, "%s  %s", why, (const char *)line.data);
	buf_release(&line);
}

static void advise_resume(const struct writing *w)
{
	advise_command(w, _("Go on with it:"), WRITING_RESUME);
}

/* ---- The draft ---------------------------------------------------------------- */

static struct draft_of draft_key(const struct writing *w)
{
	return (struct draft_of){ w->of->ref.id, w->word };
}

/* What stands in the draft, in the context's arena. */
static enum err take(const struct writing *w, struct bytes *out, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	struct bytes copy = { 0 };
	enum err rc = draft_read(&w->draft, &text, msg);

	if (rc == ERR_NOT_FOUND)
		rc = errmsg_set(msg, ERR_IO, _("the editor left no text in %s"), w->draft.path);
	if (rc == OK)
		text_input_tidy(&text, w->seen.text);
	if (rc == OK)
		rc = buf_check(&text) ? no_memory(msg) : OK;
	if (rc == OK)
		copy = arena_copy(&w->of->ctx->arena, buf_bytes(&text));
	buf_release(&text);
	if (rc == OK && !copy.data)
		rc = no_memory(msg);
	if (rc == OK)
		*out = copy;
	return rc;
}

bool writing_is_worth_keeping(const struct writing *w)
{
	struct bytes text;

	if (draft_has_more(&w->draft))
		return true;
	return take(w, &text, NULL) == OK && text.size && !bytes_equal(text, w->seen.text);
}

/* ---- What was left over ------------------------------------------------------- */

static enum err refuse_left_over(const struct writing *w, struct errmsg *msg)
{
	const struct when_reader *reader;
	char when[WHEN_TEXT_BYTES];
	enum err rc = context_reader(w->of->ctx, &reader, msg);

	if (rc != OK)
		return rc;
	when_instant(reader, (uint64_t)draft_time_s(&w->draft) * 1000, when);
	errmsg_set(msg, ERR_EXISTS, _("what was typed on %s is not stored yet"), when);
	context_advise(w->of->ctx, _("Your text is kept in %s"), w->draft.path);
	advise_resume(w);
	advise_command(w, _("Throw it away:"), WRITING_DISCARD);
	return ERR_EXISTS;
}

/* OK with a draft, or without one: begin anew. */
static enum err find_left_over(struct writing *w, struct errmsg *msg)
{
	struct draft_of of = draft_key(w);
	bool wants_it = args_has(w->args, WRITING_RESUME);

	while (draft_find(&w->draft, &w->of->ctx->folder, &of, NULL) == OK) {
		enum err rc =
			text_subject_at(w->of, w->draft.heads, w->draft.head_count, &w->seen, msg);

		if (rc == OK && writing_is_worth_keeping(w) && wants_it)
			return OK;
		if (rc != OK && wants_it) {
			context_advise(w->of->ctx, _("Your text is kept in %s"), w->draft.path);
			draft_close(&w->draft);
			return rc;
		}
		if ((rc != OK || writing_is_worth_keeping(w)) &&
		    !args_has(w->args, WRITING_DISCARD)) {
			rc = refuse_left_over(w, msg);
			draft_close(&w->draft);
			return rc;
		}
		draft_remove(&w->draft);
	}
	if (wants_it)
		return errmsg_set(msg, ERR_NOT_FOUND, _("nothing was left over of %s"),
				  w->of->name);
	return OK;
}

static enum err begin_anew(struct writing *w, const struct text_version *now, struct errmsg *msg)
{
	struct context *ctx = w->of->ctx;
	struct draft_of of = draft_key(w);
	struct buf name = BUF_EMPTY, command = BUF_EMPTY;
	enum err rc = ref_label(ctx, w->of->ref.kind, &w->of->ref.id, &name, msg);

	buf_printf(&name, "-%s", w->word);
	append_command(w->args, &command);
	buf_append_byte(&command, 0);
	if (rc == OK && (buf_check(&name) || buf_check(&command)))
		rc = no_memory(msg);
	if (rc == OK)
		rc = draft_new(&w->draft, &ctx->folder, &of, (const char *)name.data,
			       (const char *)command.data, now->text, now->heads, now->head_count,
			       msg);
	buf_release(&name);
	buf_release(&command);
	if (rc == OK)
		w->seen = *now;
	return rc;
}

/* ---- Write -------------------------------------------------------------------- */

/* What was typed is safe already, so whatever fails here is only told. */
static enum err run_editor(struct writing *w, struct errmsg *msg)
{
	struct context *ctx = w->of->ctx;
	enum err rc;

	context_let_go(ctx);
	rc = editor_run(w->draft.path, msg);
	if (rc != OK)
		return rc;
	return context_take_again(ctx, msg);
}

static enum err check(const struct writing *w, struct bytes text, struct errmsg *msg)
{
	struct value value = value_text(text);

	if (bytes_equal(text, w->seen.text))
		return OK;
	if (text.size == 0)
		return errmsg_set(msg, ERR_INVALID, _("the text is empty: nothing was changed"));
	return field_validate(w->of->field, &value, msg);
}

/* The window may still be open: leave the file, it is asked for the next time. */
static void leave(struct writing *w)
{
	fprintf(stderr, "%s\n",
		_("An editor that returns at once must be told to wait: EDITOR=\"code --wait\""));
	draft_close(&w->draft);
}

enum err writing_run(struct writing *w, const struct text_subject *of, const char *word,
		     const struct args *args, const struct text_version *now, struct bytes *out,
		     struct errmsg *msg)
{
	uint64_t began_ms = system_now_ms();
	struct bytes text;
	enum err rc;

	*w = (struct writing){ .of = of, .word = word, .args = args, .draft = DRAFT_NONE };
	rc = find_left_over(w, msg);
	if (rc == OK && !w->draft.folder[0])
		rc = begin_anew(w, now, msg);
	if (rc == OK)
		rc = run_editor(w, msg);
	if (rc == OK)
		rc = take(w, &text, msg);
	if (rc == OK)
		rc = check(w, text, msg);
	if (rc != OK)
		return rc;
	if (bytes_equal(text, w->seen.text) && system_now_ms() - began_ms < SOON_MS)
		leave(w);
	*out = text;
	return OK;
}

enum err writing_end(struct writing *w, enum err rc)
{
	if (!w->draft.folder[0])
		return rc;
	if (rc == OK || !writing_is_worth_keeping(w)) {
		draft_remove(&w->draft);
		return rc;
	}
	if (draft_time_s(&w->draft)) {
		context_advise(w->of->ctx, _("Your text is kept in %s"), w->draft.path);
		advise_resume(w);
	} else {
		context_advise(w->of->ctx, _("What the editor left is kept in %s"),
			       w->draft.folder);
	}
	draft_close(&w->draft);
	return rc;
}
