#include "node/field_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/utf8.h"
#include "node/due.h"
#include "node/i18n.h"
#include "node/lint.h"
#include "node/ref.h"
#include "node/sys_error.h"
#include "node/text_input.h"

/* ---- What was typed ------------------------------------------------------ */

static enum err keep_text(struct context *ctx, struct bytes text, struct value *out,
			  struct errmsg *msg)
{
	struct bytes copy = arena_copy(&ctx->arena, text);

	if (!copy.data)
		return no_memory(msg);
	*out = value_text(copy);
	return OK;
}

static enum err parse_name(struct context *ctx, const struct field *field, const char *typed,
			   struct value *out, struct errmsg *msg)
{
	return keep_text(ctx, bytes_of_str(typed), out, msg);
}

static enum err read_text(const char *typed, struct buf *out, struct errmsg *msg)
{
	bool is_stdin = strcmp(typed, "-") == 0;
	const char *path = is_stdin ? typed : typed + 1;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	enum err rc;

	if (fd < 0)
		return sys_error(path, msg);
	rc = text_input_read(fd, path, out, msg);
	if (!is_stdin)
		close(fd);
	if (rc == OK)
		text_input_tidy(out, bytes_of(NULL, 0));
	return rc;
}

static enum err parse_text(struct context *ctx, const struct field *field, const char *typed,
			   struct value *out, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc;

	if (strcmp(typed, "-") != 0 && typed[0] != '@')
		return keep_text(ctx, bytes_of_str(typed), out, msg);
	rc = read_text(typed, &text, msg);
	if (rc == OK)
		rc = keep_text(ctx, buf_bytes(&text), out, msg);
	buf_release(&text);
	return rc;
}

static enum err parse_int(struct context *ctx, const struct field *field, const char *typed,
			  struct value *out, struct errmsg *msg)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(typed, &end, 10);
	if (errno || end == typed || *end)
		return errmsg_set(msg, ERR_INVALID, _("%s: \"%s\" is not a number"), field->name,
				  typed);
	*out = value_int(number);
	return OK;
}

/* A time of day, or minutes after midnight as JSON tells them. */
static enum err parse_clock(struct context *ctx, const struct field *field, const char *typed,
			    struct value *out, struct errmsg *msg)
{
	int32_t minute;

	if (!strchr(typed, ':'))
		return parse_int(ctx, field, typed, out, msg);
	if (civil_clock_parse(&minute, bytes_of_str(typed)) != OK)
		return errmsg_set(msg, ERR_INVALID, _("%s: \"%s\" is not a time of day, HH:MM"),
				  field->name, typed);
	*out = value_int(minute);
	return OK;
}

static void join_names(const char *const *names, const char *between, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (unsigned i = 0; names[i] && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? between : "",
					 names[i]);
}

static enum err parse_choice(struct context *ctx, const struct field *field, const char *typed,
			     struct value *out, struct errmsg *msg)
{
	int choice = names_find(field->choices, typed);
	char names[256];

	join_names(field->choices, ", ", names, sizeof(names));
	if (choice < 0)
		return errmsg_set(msg, ERR_INVALID, _("%s: \"%s\" is none of %s"), field->name,
				  typed, names);
	*out = value_int(choice);
	return OK;
}

static enum err parse_state(struct context *ctx, const struct field *field, const char *typed,
			    struct value *out, struct errmsg *msg)
{
	int to = names_find(field->machine->states, typed);
	char names[256];

	join_names(field->machine->states, ", ", names, sizeof(names));
	if (to < 0)
		return errmsg_set(msg, ERR_INVALID, _("%s: \"%s\" is none of %s"), field->name,
				  typed, names);
	*out = state_step(0, (unsigned)to);
	return OK;
}

static enum err parse_ref(struct context *ctx, const struct field *field, const char *typed,
			  struct value *out, struct errmsg *msg)
{
	struct ref found;
	enum err rc = ref_find(ctx, field->ref, typed, &found, msg);

	if (rc == OK)
		*out = value_ref(&found.id);
	return rc;
}

static enum err parse_walltime(struct context *ctx, const struct field *field, const char *typed,
			       struct value *out, struct errmsg *msg)
{
	const struct when_reader *reader;
	char text[WALLTIME_TEXT_BYTES];
	struct walltime when;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK)
		rc = due_parse(&when, reader, typed, msg);
	if (rc != OK)
		return rc;
	lint_when(reader, &when);
	walltime_format(text, &when);
	return keep_text(ctx, bytes_of_str(text), out, msg);
}

static enum err parse_zone(struct context *ctx, const struct field *field, const char *typed,
			   struct value *out, struct errmsg *msg)
{
	const struct tz *tz;
	enum err rc = zone_db_get(ctx->zones, typed, &tz, msg);

	return rc == OK ? keep_text(ctx, bytes_of_str(typed), out, msg) : rc;
}

static enum err parse_nothing(struct context *ctx, const struct field *field, const char *typed,
			      struct value *out, struct errmsg *msg)
{
	return errmsg_set(msg, ERR_INVALID, _("%s is not for people to write"), field->name);
}

/* ---- For people ---------------------------------------------------------- */

static enum err show_text(struct context *ctx, const struct field *field, const struct value *value,
			  struct buf *out, struct errmsg *msg)
{
	buf_append(out, value->bytes.data, value->bytes.size);
	return OK;
}

static enum err show_int(struct context *ctx, const struct field *field, const struct value *value,
			 struct buf *out, struct errmsg *msg)
{
	buf_printf(out, "%lld", (long long)value->number);
	return OK;
}

static enum err show_clock(struct context *ctx, const struct field *field,
			   const struct value *value, struct buf *out, struct errmsg *msg)
{
	char text[CIVIL_CLOCK_BYTES];

	if (field_validate(field, value, NULL) != OK)
		return show_int(ctx, field, value, out, msg); /* an op that was ignored */
	civil_clock_format(text, (int32_t)value->number);
	buf_append_str(out, text);
	return OK;
}

static const char *choice_name(const struct field *field, const struct value *value)
{
	if (value->number < 0 || value->number >= (int64_t)names_count(field->choices))
		return "?"; /* of a newer schema */
	return field->choices[value->number];
}

static const char *state_name(const struct field *field, const struct value *value)
{
	if (state_to(value) >= names_count(field->machine->states))
		return "?";
	return field->machine->states[state_to(value)];
}

static enum err show_choice(struct context *ctx, const struct field *field,
			    const struct value *value, struct buf *out, struct errmsg *msg)
{
	buf_append_str(out, _(choice_name(field, value)));
	return OK;
}

static enum err show_state(struct context *ctx, const struct field *field,
			   const struct value *value, struct buf *out, struct errmsg *msg)
{
	buf_append_str(out, _(state_name(field, value)));
	return OK;
}

static enum err show_ref(struct context *ctx, const struct field *field, const struct value *value,
			 struct buf *out, struct errmsg *msg)
{
	return ref_label(ctx, field->ref, &value->ref, out, msg);
}

static enum err show_walltime(struct context *ctx, const struct field *field,
			      const struct value *value, struct buf *out, struct errmsg *msg)
{
	const struct when_reader *reader;
	char text[WHEN_TEXT_BYTES];
	struct walltime when;
	enum err rc;

	if (walltime_parse(&when, value->bytes) != OK)
		return show_text(ctx, field, value, out, msg);
	rc = context_reader(ctx, &reader, msg);
	if (rc != OK)
		return rc;
	when_full(reader, &when, text);
	buf_append_str(out, text);
	return OK;
}

static enum err show_bytes(struct context *ctx, const struct field *field,
			   const struct value *value, struct buf *out, struct errmsg *msg)
{
	for (size_t i = 0; i < value->bytes.size; i++)
		buf_printf(out, "%02x", value->bytes.data[i]);
	return OK;
}

/* ---- For programs -------------------------------------------------------- */

static enum err json_text(struct context *ctx, const struct field *field, const struct value *value,
			  json_t **out, struct errmsg *msg)
{
	*out = json_stringn((const char *)value->bytes.data, value->bytes.size);
	return OK;
}

static enum err json_int(struct context *ctx, const struct field *field, const struct value *value,
			 json_t **out, struct errmsg *msg)
{
	*out = json_integer(value->number);
	return OK;
}

static enum err json_choice(struct context *ctx, const struct field *field,
			    const struct value *value, json_t **out, struct errmsg *msg)
{
	*out = json_string(choice_name(field, value));
	return OK;
}

static enum err json_state(struct context *ctx, const struct field *field,
			   const struct value *value, json_t **out, struct errmsg *msg)
{
	*out = json_string(state_name(field, value));
	return OK;
}

static enum err json_ref(struct context *ctx, const struct field *field, const struct value *value,
			 json_t **out, struct errmsg *msg)
{
	struct buf label = BUF_EMPTY;
	char id[ID_TEXT_SIZE];
	enum err rc = ref_label(ctx, field->ref, &value->ref, &label, msg);

	if (rc == OK)
		*out = json_pack("{s:s, s:s%}", "id", id_text(value->ref.bytes, id), "name",
				 label.data, label.size);
	buf_release(&label);
	return rc;
}

static enum err json_bytes(struct context *ctx, const struct field *field,
			   const struct value *value, json_t **out, struct errmsg *msg)
{
	struct buf hex = BUF_EMPTY;

	show_bytes(ctx, field, value, &hex, msg);
	*out = json_stringn((const char *)hex.data, hex.size);
	buf_release(&hex);
	return OK;
}

/* ---- By format ----------------------------------------------------------- */

static const struct format_text {
	const char *placeholder;
	const char *hint;
	enum err (*parse)(struct context *, const struct field *, const char *, struct value *,
			  struct errmsg *);
	enum err (*show)(struct context *, const struct field *, const struct value *, struct buf *,
			 struct errmsg *);
	enum err (*json)(struct context *, const struct field *, const struct value *, json_t **,
			 struct errmsg *);
} formats[] = {
	[FORMAT_NAME] = { "TEXT", "", parse_name, show_text, json_text },
	[FORMAT_TEXT] = { "TEXT", N_("- reads stdin, @FILE a file"), parse_text, show_text,
			  json_text },
	[FORMAT_INT] = { "N", "", parse_int, show_int, json_int },
	[FORMAT_CLOCK] = { "HH:MM", "", parse_clock, show_clock, json_int },
	[FORMAT_CHOICE] = { NULL, "", parse_choice, show_choice, json_choice },
	[FORMAT_STATE] = { NULL, "", parse_state, show_state, json_state },
	[FORMAT_REF] = { NULL, "", parse_ref, show_ref, json_ref },
	[FORMAT_WALLTIME] = { "WHEN",
			      N_("2026-11-30, \"11-30 17:00\", \"fri 17:00 [Europe/Berlin]\", +3d"),
			      parse_walltime, show_walltime, json_text },
	[FORMAT_ZONE] = { "ZONE", N_("Asia/Shanghai"), parse_zone, show_text, json_text },
	[FORMAT_POSITION] = { "POSITION", "", parse_nothing, show_bytes, json_bytes },
	[FORMAT_BYTES] = { "BYTES", "", parse_nothing, show_bytes, json_bytes },
};

void field_placeholder(const struct field *field, char *out, size_t size)
{
	const char *word = formats[field->format].placeholder;

	if (field->format == FORMAT_CHOICE)
		join_names(field->choices, "|", out, size);
	else if (field->format == FORMAT_STATE)
		join_names(field->machine->states, "|", out, size);
	else if (word)
		snprintf(out, size, "%s", word);
	else
		snprintf(out, size, "%s", field->ref ? schema_kind(field->ref)->name : "record");
	if (field->format == FORMAT_REF)
		for (char *at = out; *at; at++)
			*at = *at == '_' ? '-' : (char)(*at - 'a' + 'A');
}

const char *field_hint(const struct field *field)
{
	const char *hint = formats[field->format].hint;

	return *hint ? _(hint) : "";
}

static bool is_blank(struct bytes text)
{
	uint32_t c;

	while (utf8_next(&text, &c))
		if (c != ' ' && c != 0xa0 && c != 0x3000 && !(c >= 0x2000 && c <= 0x200b))
			return false;
	return text.size == 0;
}

enum err field_parse(struct context *ctx, const struct field *field, const char *typed,
		     struct value *out, struct errmsg *msg)
{
	struct value value = value_nil();
	enum err rc = OK;

	if (field->required && is_blank(bytes_of_str(typed)))
		return errmsg_set(msg, ERR_INVALID, _("the %s is empty"), field->name);
	if (*typed || field->merge == MERGE_TEXT) /* a text is empty, not absent */
		rc = formats[field->format].parse(ctx, field, typed, &value, msg);
	if (rc == OK)
		rc = field_validate(field, &value, msg);
	if (rc == OK)
		*out = value;
	return rc;
}

enum err field_show(struct context *ctx, const struct field *field, const struct value *value,
		    struct buf *out, struct errmsg *msg)
{
	if (value->type == VALUE_NIL)
		return OK;
	if (value->type == VALUE_RAW) {
		buf_append_str(out, _("(a value of a newer version)"));
		return OK;
	}
	return formats[field->format].show(ctx, field, value, out, msg);
}

enum err field_json(struct context *ctx, const struct field *field, const struct value *value,
		    json_t **out, struct errmsg *msg)
{
	json_t *json = json_null();
	enum err rc = OK;

	if (value->type != VALUE_NIL && value->type != VALUE_RAW)
		rc = formats[field->format].json(ctx, field, value, &json, msg);
	if (rc == OK && !json)
		rc = no_memory(msg);
	if (rc == OK)
		*out = json;
	return rc;
}

struct value field_of_row(const struct field *field, struct rows *rows, int column)
{
	struct record_id ref;

	if (rows_is_null(rows, column))
		return field->format == FORMAT_STATE ? state_step(0, 0) : value_nil();
	switch (field->format) {
	case FORMAT_INT:
	case FORMAT_CLOCK:
	case FORMAT_CHOICE:
	case FORMAT_STATE: return value_int(rows_int(rows, column));
	case FORMAT_REF: ref = rows_id(rows, column); return value_ref(&ref);
	case FORMAT_POSITION:
	case FORMAT_BYTES: return value_bytes(rows_bytes(rows, column));
	default: return value_text(bytes_of_str(rows_text(rows, column)));
	}
}
