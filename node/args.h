/* The rest of a command line, checked against its command. */
#ifndef HT_NODE_ARGS_H
#define HT_NODE_ARGS_H

#include <stdbool.h>

#include "core/schema.h"
#include "node/command.h"

enum { ARGS_MAX = 256 };

/* One option as given. */
struct arg_option {
	const char *name;          /* as in the table, or the field's */
	const char *value;         /* "" for a switch */
	const struct field *field; /* that it writes, or NULL */
	bool is_removal;           /* --no-FIELD VALUE: out of a set */
};

struct args {
	const struct command *command;
	const char *words[ARGS_MAX]; /* arguments that are no options, borrowed */
	size_t word_count;
	struct arg_option options[ARGS_MAX];
	size_t option_count;
};

/* "--name value", "--name=value", "-h"; "--" ends the options. Fields of the
 * schema are said with dashes: --scope-in. ERR_INVALID says what is wrong: an
 * unknown option, a value missing, too few or too many words. With --help the
 * words are not counted. */
MUST_CHECK enum err args_parse(struct args *out, const struct command *command, int count,
			       char *const words[], struct errmsg *msg);

/* The value of the last such option, "" for a switch, NULL when not given. */
const char *args_option(const struct args *args, const char *name);

static inline bool args_has(const struct args *args, const char *name)
{
	return args_option(args, name) != NULL;
}

/* The n-th word, or NULL. */
const char *args_word(const struct args *args, size_t n);

/* At least one option writes a field. */
bool args_has_fields(const struct args *args);

/* How many words `arguments` of a command asks for; *max is ARGS_MAX with "...". */
void args_arity(const char *arguments, size_t *min, size_t *max);

/* Whether the field is an option of the command. */
bool command_has_field(const struct command *command, const struct field *field);

/* How people say the field's name: with dashes. `out` takes any name of the schema. */
enum { OPTION_NAME_MAX = 64 };
const char *option_name_of_field(char out[OPTION_NAME_MAX], const struct field *field);

#endif
