#include "node/text_subject.h"

#include "core/text_version.h"
#include "node/i18n.h"
#include "node/record_view.h"
#include "node/sys_error.h"

/* ---- Which ----------------------------------------------------------------- */

/* The kind's texts as people name them; returns how many, *last the last of them. */
static size_t list_texts(const struct kind *kind, struct buf *names, const struct field **last)
{
	char name[OPTION_NAME_MAX];
	size_t count = 0;

	for (size_t i = 0; i < kind->field_count; i++) {
		if (kind->fields[i].merge != MERGE_TEXT)
			continue;
		*last = &kind->fields[i];
		buf_printf(names, "%s%s", count++ ? ", " : "", option_name_of_field(name, *last));
	}
	buf_append_byte(names, 0);
	return count;
}

static const struct field *text_named(const struct kind *kind, const char *said)
{
	char name[OPTION_NAME_MAX];

	for (size_t i = 0; i < kind->field_count; i++)
		if (kind->fields[i].merge == MERGE_TEXT &&
		    (strcmp(option_name_of_field(name, &kind->fields[i]), said) == 0 ||
		     strcmp(kind->fields[i].name, said) == 0))
			return &kind->fields[i];
	return NULL;
}

static enum err find_field(struct text_subject *s, const char *said, struct errmsg *msg)
{
	struct buf names = BUF_EMPTY;
	size_t count = list_texts(s->kind, &names, &s->field);
	enum err rc = buf_check(&names) ? no_memory(msg) : OK;

	if (said)
		s->field = text_named(s->kind, said);
	if (rc == OK && count == 0)
		rc = errmsg_set(msg, ERR_INVALID, _("%s has no text that many can write"), s->name);
	else if (rc == OK && !s->field)
		rc = errmsg_set(msg, ERR_INVALID, _("\"%s\" is none of %s"), said,
				(const char *)names.data);
	else if (rc == OK && !said && count > 1)
		rc = errmsg_set(msg, ERR_INVALID, _("%s has several texts: say which one, %s"),
				s->name, (const char *)names.data);
	buf_release(&names);
	return rc;
}

enum err text_subject_find(struct text_subject *out, struct context *ctx, const struct args *args,
			   struct errmsg *msg)
{
	struct text_subject s = { .ctx = ctx, .name = args_word(args, 0), .word_count = 1 };
	const char *said = args_word(args, 1);
	struct record rec;
	enum err rc = ref_find(ctx, args->command->kind, s.name, &s.ref, msg);

	if (rc == OK)
		rc = record_load(ctx, s.ref.kind, &s.ref.id, &rec, &s.space, msg);
	if (rc != OK)
		return rc;
	s.kind = schema_kind(s.ref.kind);
	if (args->command->field) {
		s.field = kind_field(s.kind, args->command->field);
	} else {
		said = said && strchr(said, '/') ? NULL : said;
		rc = find_field(&s, said, msg);
		s.word_count += said != NULL;
	}
	if (rc == OK)
		*out = s;
	return rc;
}

/* ---- As it was -------------------------------------------------------------- */

enum err text_subject_open(const struct text_subject *s, struct text *out, struct errmsg *msg)
{
	return replica_text(s->ctx->replica, s->ref.kind, &s->ref.id, s->field->number, out, msg);
}

static enum err version_of_now(const struct text_subject *s, struct text_version *out,
			       struct errmsg *msg)
{
	const struct entry *values;
	struct record rec;
	struct dot *dots;
	size_t count;
	enum err rc = record_load(s->ctx, s->ref.kind, &s->ref.id, &rec, NULL, msg);

	if (rc != OK)
		return rc;
	values = record_values(&rec, s->field->number, &count);
	dots = arena_array(&s->ctx->arena, count, sizeof(*dots));
	if (!dots)
		return no_memory(msg);
	for (size_t i = 0; i < count; i++)
		dots[i] = values[i].stamp.dot;
	*out = (struct text_version){ count ? values[0].value.bytes : bytes_of("", 0), dots,
				      count };
	return OK;
}

static enum err text_then(const struct text_subject *s, const struct text *t, const uint32_t *edits,
			  struct text_version *v, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	struct bytes copy = { 0 };
	enum err rc = text_at(t, edits, v->head_count, &text);

	if (rc == OK)
		copy = arena_copy(&s->ctx->arena, buf_bytes(&text));
	buf_release(&text);
	if (!copy.data)
		return no_memory(msg);
	v->text = copy;
	return OK;
}

enum err text_subject_at(const struct text_subject *s, const struct dot *heads, size_t count,
			 struct text_version *out, struct errmsg *msg)
{
	struct text_version v = { bytes_of("", 0), heads, count };
	uint32_t *edits = arena_array(&s->ctx->arena, count, sizeof(*edits));
	struct text text = TEXT_EMPTY;
	enum err rc = edits ? OK : no_memory(msg);

	if (rc == OK && count)
		rc = text_subject_open(s, &text, msg);
	for (size_t i = 0; rc == OK && i < count; i++) {
		edits[i] = text_history_find(&text.history, &heads[i]);
		if (edits[i] == TEXT_NONE)
			rc = errmsg_set(msg, ERR_NOT_FOUND,
					_("the version that it was changed from is not here "
					  "any more"));
	}
	if (rc == OK && count)
		rc = text_then(s, &text, edits, &v, msg);
	text_release(&text);
	if (rc == OK)
		*out = v;
	return rc;
}

void text_subject_advise_history(const struct text_subject *s)
{
	char field[OPTION_NAME_MAX];
	bool is_block = s->ref.kind == KIND_BLOCK;

	context_advise(s->ctx, _("Its versions:  huitong %s history %s%s%s"),
		       is_block ? "minutes" : "text", s->name, is_block ? "" : " ",
		       is_block ? "" : option_name_of_field(field, s->field));
}

static enum err version_named(const struct text_subject *s, const char *name,
			      struct text_version *out, struct errmsg *msg)
{
	struct text_version v = { .head_count = 0 };
	struct text text = TEXT_EMPTY;
	struct text_version_heads found = { .count = 0 };
	struct dot *dots = NULL;
	enum err rc = text_subject_open(s, &text, msg);

	if (rc == OK)
		rc = text_version_decode(&text.history, bytes_of_str(name), &s->ctx->arena, &found,
					 msg);
	if (rc == ERR_NOT_FOUND || rc == ERR_AMBIGUOUS)
		text_subject_advise_history(s);
	if (rc == OK)
		dots = arena_array(&s->ctx->arena, found.count, sizeof(*dots));
	if (rc == OK && !dots)
		rc = no_memory(msg);
	for (size_t i = 0; rc == OK && i < found.count; i++) {
		dots[i] = text_history_dot(&text.history, found.edits[i]);
		/* A changeset can't name it without what its office had written beside it. */
		found.edits[i] = text_history_find(&text.history, &dots[i]);
	}
	v.heads = dots;
	v.head_count = found.count;
	if (rc == OK)
		rc = text_then(s, &text, found.edits, &v, msg);
	text_release(&text);
	if (rc == OK)
		*out = v;
	return rc;
}

enum err text_subject_version(const struct text_subject *s, const char *name,
			      struct text_version *out, struct errmsg *msg)
{
	return name ? version_named(s, name, out, msg) : version_of_now(s, out, msg);
}
