#include "node/command.h"

#include <stdio.h>
#include <string.h>

#include "node/args.h"
#include "node/context.h"
#include "node/help.h"
#include "node/i18n.h"
#include "node/output.h"

static const struct command_option global_options[] = {
	{ "replica", "FOLDER", N_("the data folder; else $HUITONG_REPLICA, else the user's own") },
	{ "as", "PERSON", N_("who does it; else $HUITONG_PERSON, else the setting of this node") },
	{ "json", NULL, N_("one JSON value on stdout, for programs") },
	{ "help", NULL, N_("this text") },
	{ NULL },
};

const struct command_option *command_global_options(void)
{
	return global_options;
}

/* How many of the words spell the command's name; 0: they don't. */
static int match(const struct command *command, int count, char *const words[])
{
	const char *name = command->name;
	int used = 0;

	while (*name) {
		size_t size = strcspn(name, " ");

		if (used == count || strlen(words[used]) != size ||
		    strncmp(words[used], name, size) != 0)
			return 0;
		used++;
		name += size;
		name += *name == ' ';
	}
	return used;
}

const struct command *command_find(int count, char *const words[], int *used)
{
	const struct command *found = NULL;
	const struct command *all;
	size_t command_count;

	*used = 0;
	all = commands_all(&command_count);
	for (size_t i = 0; i < command_count; i++) {
		int size = match(&all[i], count, words);

		if (size > *used) { /* "conflicts show" before "conflicts" */
			*used = size;
			found = &all[i];
		}
	}
	return found;
}

bool command_is_group(const char *word)
{
	size_t size = strlen(word);
	size_t count;
	const struct command *all = commands_all(&count);

	for (size_t i = 0; i < count; i++)
		if (strncmp(all[i].name, word, size) == 0 && all[i].name[size] == ' ')
			return true;
	return false;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

enum { WORD_MAX = 64 };

/* Edits that turn one into the other (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t size = strnlen(b, WORD_MAX);

	for (unsigned j = 0; j <= size; j++)
		row[j] = j;
	for (unsigned i = 1; *a; i++, a++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= size; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (*a != b[j - 1]));
			diagonal = above;
		}
	}
	return row[size];
}

const char *command_suggest(const char *typed)
{
	unsigned least = ((unsigned)strlen(typed) + 1) / 3;
	const char *best = NULL;
	size_t count;
	const struct command *all = commands_all(&count);

	for (size_t i = 0; i < count; i++) {
		unsigned edits = distance(typed, all[i].name);

		if (edits < least || (edits == least && !best)) {
			least = edits;
			best = all[i].name;
		}
	}
	return best;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* How many words in front of the command are options that every command has. */
static int skip_options(int count, char *const words[])
{
	int at = 0;

	while (at < count && (strncmp(words[at], "--", 2) == 0 || asks_for_help(words[at]))) {
		const struct command_option *option = global_options;
		const char *name = words[at] + 2;

		while (option->name && strncmp(option->name, name, strcspn(name, "=")) != 0)
			option++;
		at += option->name && option->value && !strchr(name, '=') ? 2 : 1;
	}
	return at < count ? at : count;
}

static enum exit_code misused(const struct command *command, const struct errmsg *msg,
			      const struct buf *more)
{
	fprintf(stderr, "huitong: %s\n", msg->text);
	output_bytes(stderr, buf_bytes(more));
	fprintf(stderr, _("See: huitong help %s\n"), command->name);
	return EXIT_USAGE;
}

static enum exit_code report(enum err rc, const struct errmsg *msg, const struct buf *more)
{
	const char *advice = exit_advice(rc);

	if (rc == OK)
		return EXIT_OK;
	fprintf(stderr, "huitong: %s\n", msg->text[0] ? msg->text : err_name(rc));
	if (advice)
		fprintf(stderr, "%s\n", advice);
	output_bytes(stderr, buf_bytes(more));
	return exit_code_of(rc);
}

static enum err end_output(struct errmsg *msg)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return errmsg_set(msg, ERR_IO, _("the output can't be written"));
	return OK;
}

/* Of what needs no context. */
static enum exit_code helped(void)
{
	struct errmsg msg = { 0 };

	return report(end_output(&msg), &msg, &BUF_EMPTY);
}

static enum exit_code run(const struct args *args)
{
	struct context ctx = { 0 };
	struct errmsg msg = { 0 };
	enum exit_code code;
	enum err rc = context_open(&ctx, args, &msg);

	if (rc == OK)
		rc = args->command->run(&ctx, args, &msg);
	if (rc == OK)
		rc = end_output(&msg);
	code = ctx.is_misused ? misused(args->command, &msg, &ctx.advice)
			      : report(rc, &msg, &ctx.advice);
	context_close(&ctx);
	return code;
}

/* The group is right, or what is typed is near to a group, or to a whole name. */
static enum exit_code unknown(const char *first, const char *second)
{
	char typed[2 * WORD_MAX];
	const char *close;

	if (command_is_group(first) && !second) {
		help_group(stderr, first);
		return EXIT_USAGE;
	}
	if (command_is_group(first) && asks_for_help(second)) {
		help_group(stdout, first);
		return helped();
	}
	snprintf(typed, sizeof(typed), "%.*s%s%.*s", WORD_MAX - 1, first, second ? " " : "",
		 WORD_MAX - 1, second ? second : "");
	close = command_suggest(typed);
	if (!close && !command_is_group(first)) {
		typed[strcspn(typed, " ")] = 0;
		close = command_suggest(typed);
	}
	fprintf(stderr, _("huitong: there is no command `%s`"), typed);
	if (close)
		fprintf(stderr, _("; did you mean `%s`?"), close);
	fprintf(stderr, "\n%s\n", _("`huitong help` lists all."));
	return EXIT_USAGE;
}

/* `huitong`, `huitong --help`, `huitong --version`. */
static enum exit_code no_command(int leading, char *const words[])
{
	if (leading == 1 && strcmp(words[0], "--version") == 0) {
		help_version(stdout);
		return helped();
	}
	if (leading == 1 && asks_for_help(words[0])) {
		help_overview(stdout);
		return helped();
	}
	if (leading)
		fprintf(stderr, "huitong: %s\n%s\n", _("a command is missing"),
			_("`huitong help` lists all."));
	else
		help_overview(stderr);
	return EXIT_USAGE;
}

enum exit_code command_main(int argc, char *const argv[])
{
	char *words[ARGS_MAX];
	int leading = skip_options(argc - 1, argv + 1);
	char *const *named = argv + 1 + leading;
	int count = argc - 1 - leading;
	const struct command *command;
	struct errmsg msg = { 0 };
	struct args args;
	int used;

	if (count == 0)
		return no_command(leading, argv + 1);
	command = command_find(count, named, &used);
	if (!command)
		return unknown(named[0], count > 1 ? named[1] : NULL);
	if (leading + count - used > ARGS_MAX) {
		errmsg_set(&msg, ERR_INVALID, _("more than %d arguments"), ARGS_MAX);
		return misused(command, &msg, &BUF_EMPTY);
	}
	memcpy(words, argv + 1, sizeof(words[0]) * (size_t)leading);
	memcpy(words + leading, named + used, sizeof(words[0]) * (size_t)(count - used));
	if (args_parse(&args, command, leading + count - used, words, &msg) != OK)
		return misused(command, &msg, &BUF_EMPTY);
	if (args_has(&args, "help")) {
		help_command(stdout, command);
		return helped();
	}
	return run(&args);
}
