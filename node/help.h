/* What the program says about itself; everything follows from the table of commands. */
#ifndef HT_NODE_HELP_H
#define HT_NODE_HELP_H

#include <stdio.h>

#include "node/command.h"

/* All commands, one line each, under their headings. */
void help_overview(FILE *out);

/* The commands that begin with this word. */
void help_group(FILE *out, const char *word);

/* Usage, explanation and every option of one command. */
void help_command(FILE *out, const struct command *command);

/* The program's version, one line. */
void help_version(FILE *out);

#endif
