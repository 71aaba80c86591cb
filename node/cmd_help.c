#include "node/cmd.h"
#include "node/help.h"
#include "node/i18n.h"
#include "node/output.h"

enum err cmd_help(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	char *words[] = { (char *)args_word(args, 0), (char *)args_word(args, 1) };
	const struct command *command;
	const char *close;
	int used;

	if (ctx->is_json)
		return errmsg_set(msg, ERR_INVALID, _("help is for people: it has no JSON"));
	if (args->word_count == 0) {
		help_overview(stdout);
		return OK;
	}
	command = command_find((int)args->word_count, words, &used);
	if (command && used == (int)args->word_count)
		help_command(stdout, command);
	else
		command = NULL;
	if (args->word_count == 1 && command_is_group(words[0])) {
		if (command)
			fputc('\n', stdout);
		help_group(stdout, words[0]);
		return OK;
	}
	if (command)
		return OK;
	close = command_suggest(words[0]);
	return errmsg_set(msg, ERR_NOT_FOUND, _("there is no command `%s`%s%s"), words[0],
			  close ? _("; close to it: ") : "", close ? close : "");
}

enum err cmd_version(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	if (ctx->is_json)
		return output_json(stdout, json_pack("{s:s}", "version", HUITONG_VERSION), msg);
	help_version(stdout);
	return OK;
}
