/* The commands of `huitong`, as data: parsing, help and dispatch follow from
 * one table (node/commands.c), so that a new command is one entry and one
 * handler. */
#ifndef HT_NODE_COMMAND_H
#define HT_NODE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "node/exit.h"

struct args;
struct context;

struct command_option {
	const char *name;  /* without its dashes; NULL ends a list */
	const char *value; /* what follows it, for people ("PERSON"); NULL: a switch */
	const char *help;  /* N_() */
	bool is_required;
};

/* What a handler finds ready in its context. */
enum command_needs {
	NEEDS_NOTHING, /* no data folder */
	NEEDS_FOLDER,  /* where the folder is; nothing of it is open */
	NEEDS_REPLICA, /* the replica, to read */
	NEEDS_EDITING, /* the replica, and the key to write with */
};

struct command {
	const char *heading;   /* N_() of the group that begins here, or NULL */
	const char *name;      /* one word or two: "verify", "action add" */
	const char *arguments; /* "REF WHEN"; "[X]" may be left out, "X..." repeats */
	const char *summary;   /* N_(), one line, no full stop */
	const char *details;   /* N_(), paragraphs; NULL */
	enum command_needs needs;
	/* The message is printed with its advice and the code becomes the exit code. */
	enum err (*run)(struct context *ctx, const struct args *args, struct errmsg *msg);
	const struct command_option *options; /* NULL: only those that all have */

	/* Commands about one kind of record. */
	uint16_t kind;   /* 0: none */
	uint64_t fields; /* bit n: field n of the schema is an option, too */
	bool edits;      /* at least one field must be given */
	uint8_t field;   /* the one that the command writes from its words */
	uint8_t to;      /* for a state: the step */
};

/* The table. */
const struct command *commands_all(size_t *count);

/* Options that every command has. */
const struct command_option *command_global_options(void);

/* The command that the words begin with; *used receives how many words name
 * it. NULL: none. */
const struct command *command_find(int count, char *const words[], int *used);

/* Commands of two words begin with this one. */
bool command_is_group(const char *word);

/* The name in the table that is most like what was typed; NULL: none is. */
const char *command_suggest(const char *typed);

/* Everything from the command line to the exit code. */
enum exit_code command_main(int argc, char *const argv[]);

#endif
