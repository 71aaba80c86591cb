/* Asking the person who types: questions go to stderr, answers come from stdin, be it
 * a terminal or a file. */
#ifndef HT_NODE_PROMPT_H
#define HT_NODE_PROMPT_H

#include <stddef.h>

#include "core/err.h"

/* One line, without its end. A terminal does not show what is typed: it is a secret.
 * ERR_INVALID at the end of the input, ERR_LIMIT for a line that does not fit. */
MUST_CHECK enum err prompt_secret(const char *question, char *out, size_t size, struct errmsg *msg);

/* OK for yes. ERR_INVALID for anything else; without a terminal nobody is asked, and
 * the message says that --yes would do. */
MUST_CHECK enum err prompt_confirm(const char *question, struct errmsg *msg);

#endif
