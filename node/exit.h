/* How the program ends: the exit codes, and what to do about each error.
 *
 * Both follow from one table over enum err, so that a script and a person are
 * told the same. docs/OPERATIONS.md lists them. */
#ifndef HT_NODE_EXIT_H
#define HT_NODE_EXIT_H

#include "core/err.h"

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,  /* the machine, the link or the data failed */
	EXIT_USAGE = 2,   /* the command line is wrong: nothing was tried */
	EXIT_MISSING = 3, /* not found, or more than one fits */
	EXIT_BUSY = 4,    /* another process holds it; try again */
	EXIT_REFUSED = 5, /* not acceptable: a value, a step, a limit, a conflict */
};

enum exit_code exit_code_of(enum err code);

/* What a person can do about it, one sentence, translated; NULL when the
 * message says it all. */
const char *exit_advice(enum err code);

#endif
