#include "node/help.h"

#include <string.h>

#include "node/args.h"
#include "node/field_text.h"
#include "node/i18n.h"

enum { LEFT_COLUMNS = 30 };

/* "  left      right", the right side on a line of its own when the left is long. */
static void entry(FILE *out, const char *left, const char *right)
{
	if (!*right)
		fprintf(out, "  %s\n", left);
	else if (strlen(left) < LEFT_COLUMNS)
		fprintf(out, "  %-*s %s\n", LEFT_COLUMNS - 1, left, right);
	else
		fprintf(out, "  %s\n  %*s %s\n", left, LEFT_COLUMNS - 1, "", right);
}

static void command_entry(FILE *out, const struct command *command)
{
	char left[128];

	snprintf(left, sizeof(left), "%s %s", command->name, command->arguments);
	entry(out, left, _(command->summary));
}

void help_overview(FILE *out)
{
	size_t count;
	const struct command *all = commands_all(&count);

	fprintf(out, "%s\n\n%s\n",
		_("Huitong: the meetings, minutes and action items of an organisation's offices,\n"
		  "recorded with or without a link, and the same everywhere in the end."),
		_("usage: huitong COMMAND [ARGUMENT...] [--OPTION...]"));
	for (size_t i = 0; i < count; i++) {
		if (all[i].heading)
			fprintf(out, "\n%s\n", _(all[i].heading));
		command_entry(out, &all[i]);
	}
	fprintf(out, "\n%s\n",
		_("`huitong help COMMAND` explains one with its options. A record is named by its\n"
		  "number (AI-SHA-2026-0001, in any case) or the beginning of its id, a person by\n"
		  "name, an office by its code."));
}

void help_group(FILE *out, const char *word)
{
	size_t size = strlen(word);
	size_t count;
	const struct command *all = commands_all(&count);

	for (size_t i = 0; i < count; i++)
		if (strncmp(all[i].name, word, size) == 0 && strchr(" ", all[i].name[size]))
			command_entry(out, &all[i]);
}

static void option_entry(FILE *out, const struct command_option *option)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", option->name, option->value ? " " : "",
		 option->value ? option->value : "");
	entry(out, left, _(option->help));
}

static void field_entry(FILE *out, const struct field *field)
{
	char name[OPTION_NAME_MAX];
	char values[128];
	char left[256];
	char right[128] = "";

	option_name_of_field(name, field);
	field_placeholder(field, values, sizeof(values));
	snprintf(left, sizeof(left), "--%s %s", name, values);
	if (field->merge == MERGE_SET)
		snprintf(right, sizeof(right), _("one more; --no-%s takes one out"), name);
	else
		snprintf(right, sizeof(right), "%s", field_hint(field));
	entry(out, left, right);
}

static void field_entries(FILE *out, const struct command *command)
{
	const struct kind *kind = schema_kind(command->kind);

	for (size_t i = 0; kind && i < kind->field_count; i++)
		if (command_has_field(command, &kind->fields[i]))
			field_entry(out, &kind->fields[i]);
}

static void usage(FILE *out, const struct command *command)
{
	fprintf(out, _("usage: huitong %s"), command->name);
	if (*command->arguments)
		fprintf(out, " %s", command->arguments);
	for (const struct command_option *o = command->options; o && o->name; o++)
		if (o->is_required)
			fprintf(out, " --%s %s", o->name, o->value);
	fprintf(out, "%s\n", _(" [--OPTION...]"));
}

void help_command(FILE *out, const struct command *command)
{
	const struct command_option *option;

	usage(out, command);
	fprintf(out, "\n%s\n", _(command->summary));
	if (command->details)
		fprintf(out, "\n%s\n", _(command->details));
	if (command->options || command->fields)
		fprintf(out, "\n%s\n", _("options"));
	for (option = command->options; option && option->name; option++)
		option_entry(out, option);
	field_entries(out, command);
	fprintf(out, "\n%s\n", _("options of all commands"));
	for (option = command_global_options(); option->name; option++)
		option_entry(out, option);
}

void help_version(FILE *out)
{
	fprintf(out, "huitong %s\n", HUITONG_VERSION);
}
