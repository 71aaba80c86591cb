#include "node/args.h"

#include <stdio.h>
#include <string.h>

#include "node/i18n.h"

/* What an option's name, as typed, stands for. */
struct meaning {
	const struct command_option *option; /* or */
	const struct field *field;
	bool is_removal;
};

bool command_has_field(const struct command *command, const struct field *field)
{
	return command->fields >> field->number & 1;
}

const char *option_name_of_field(char out[OPTION_NAME_MAX], const struct field *field)
{
	snprintf(out, OPTION_NAME_MAX, "%s", field->name);
	for (char *at = out; *at; at++)
		if (*at == '_')
			*at = '-';
	return out;
}

static const struct command_option *find_option(const struct command_option *list,
						struct bytes name)
{
	for (; list && list->name; list++)
		if (bytes_equal(bytes_of_str(list->name), name))
			return list;
	return NULL;
}

static const struct field *find_field(const struct command *command, struct bytes name)
{
	const struct kind *kind = schema_kind(command->kind);
	char said[OPTION_NAME_MAX];

	for (size_t i = 0; kind && i < kind->field_count; i++) {
		option_name_of_field(said, &kind->fields[i]);
		if (command_has_field(command, &kind->fields[i]) &&
		    bytes_equal(bytes_of_str(said), name))
			return &kind->fields[i];
	}
	return NULL;
}

static bool find_meaning(struct meaning *out, const struct command *command, struct bytes name)
{
	*out = (struct meaning){ 0 };
	out->option = find_option(command->options, name);
	if (!out->option)
		out->option = find_option(command_global_options(), name);
	if (!out->option)
		out->field = find_field(command, name);
	if (!out->option && !out->field && name.size > 3 && memcmp(name.data, "no-", 3) == 0) {
		out->field = find_field(command, bytes_of(name.data + 3, name.size - 3));
		if (out->field && out->field->merge != MERGE_SET)
			out->field = NULL;
		out->is_removal = out->field != NULL;
	}
	return out->option || out->field;
}

/* `said` is "name" or "name=value"; *took: the word that follows was its value. */
static enum err parse_option(struct args *args, const char *said, const char *following, bool *took,
			     struct errmsg *msg)
{
	size_t size = strcspn(said, "=");
	struct arg_option given = { .value = "" };
	struct meaning meaning;
	bool takes_value;

	if (!find_meaning(&meaning, args->command, bytes_of(said, size)))
		return errmsg_set(msg, ERR_INVALID, _("`%s` has no option --%.*s"),
				  args->command->name, (int)size, said);
	if (args->option_count == ARGS_MAX)
		return errmsg_set(msg, ERR_INVALID, _("more than %d options"), ARGS_MAX);
	given.name = meaning.field ? meaning.field->name : meaning.option->name;
	given.field = meaning.field;
	given.is_removal = meaning.is_removal;
	takes_value = meaning.field || meaning.option->value;
	if (said[size] && !takes_value)
		return errmsg_set(msg, ERR_INVALID, _("--%s takes no value"), given.name);
	if (said[size])
		given.value = said + size + 1;
	else if (takes_value && !following)
		return errmsg_set(msg, ERR_INVALID, _("--%s needs a value"), said);
	else if (takes_value)
		given.value = following;
	*took = takes_value && !said[size];
	args->options[args->option_count++] = given;
	return OK;
}

void args_arity(const char *arguments, size_t *min, size_t *max)
{
	const char *at = arguments;

	*min = *max = 0;
	while (*at) {
		size_t size = strcspn(at, " ");

		*min += *at != '[';
		if (size > 3 && memcmp(at + size - 3, "...", 3) == 0)
			*max = ARGS_MAX;
		else if (*max < ARGS_MAX)
			(*max)++;
		at += size;
		at += strspn(at, " ");
	}
}

static enum err check_words(const struct args *args, struct errmsg *msg)
{
	const struct command *command = args->command;
	size_t min, max;

	args_arity(command->arguments, &min, &max);
	if (args->word_count < min)
		return errmsg_set(msg, ERR_INVALID, _("`%s` needs: %s"), command->name,
				  command->arguments);
	if (args->word_count > max && max == 0)
		return errmsg_set(msg, ERR_INVALID, _("`%s` takes no argument, but got \"%s\""),
				  command->name, args->words[max]);
	if (args->word_count > max)
		return errmsg_set(msg, ERR_INVALID,
				  _("`%s` takes only %s: \"%s\" is too much (quote a text that "
				    "has blanks)"),
				  command->name, command->arguments, args->words[max]);
	return OK;
}

static enum err check(const struct args *args, struct errmsg *msg)
{
	const struct command_option *option = args->command->options;
	const char *given;

	for (; option && option->name; option++) {
		given = args_option(args, option->name);
		if (option->is_required && !(given && *given))
			return errmsg_set(msg, ERR_INVALID, _("`%s` needs --%s %s"),
					  args->command->name, option->name, option->value);
	}
	if (args->command->edits && !args_has_fields(args))
		return errmsg_set(msg, ERR_INVALID, _("`%s`: nothing to change was given"),
				  args->command->name);
	return check_words(args, msg);
}

static enum err add_word(struct args *args, const char *word, struct errmsg *msg)
{
	if (args->word_count == ARGS_MAX)
		return errmsg_set(msg, ERR_INVALID, _("more than %d arguments"), ARGS_MAX);
	args->words[args->word_count++] = word;
	return OK;
}

static enum err add(struct args *args, const char *word, const char *following, bool *took,
		    struct errmsg *msg)
{
	if (strcmp(word, "-h") == 0)
		word = "--help";
	if (strncmp(word, "--", 2) == 0)
		return parse_option(args, word + 2, following, took, msg);
	if (word[0] == '-' && word[1])
		return errmsg_set(msg, ERR_INVALID,
				  _("`%s` has no option %s (put -- before a text that begins with "
				    "a dash)"),
				  args->command->name, word);
	return add_word(args, word, msg);
}

enum err args_parse(struct args *out, const struct command *command, int count, char *const words[],
		    struct errmsg *msg)
{
	struct args args = { .command = command };
	bool is_past_options = false;
	enum err rc = OK;

	for (int i = 0; i < count && rc == OK; i++) {
		bool took = false;

		if (is_past_options)
			rc = add_word(&args, words[i], msg);
		else if (strcmp(words[i], "--") == 0)
			is_past_options = true;
		else
			rc = add(&args, words[i], i + 1 < count ? words[i + 1] : NULL, &took, msg);
		i += took;
	}
	if (rc == OK && !args_has(&args, "help"))
		rc = check(&args, msg);
	if (rc == OK)
		*out = args;
	return rc;
}

const char *args_option(const struct args *args, const char *name)
{
	for (size_t i = args->option_count; i-- > 0;)
		if (strcmp(args->options[i].name, name) == 0)
			return args->options[i].value;
	return NULL;
}

const char *args_word(const struct args *args, size_t n)
{
	return n < args->word_count ? args->words[n] : NULL;
}

bool args_has_fields(const struct args *args)
{
	for (size_t i = 0; i < args->option_count; i++)
		if (args->options[i].field)
			return true;
	return false;
}
