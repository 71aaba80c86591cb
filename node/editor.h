/* The user's own editor. */
#ifndef HT_NODE_EDITOR_H
#define HT_NODE_EDITOR_H

#include "core/err.h"

/* Run $VISUAL, else $EDITOR, else vi on the file and wait for its end; whatever it did
 * to the file is the caller's business. Ctrl-C and Ctrl-\ are the editor's, not ours, as
 * long as it runs. ERR_IO when there is no such program, it was killed, or ended with
 * another code than 0: the message names it. */
MUST_CHECK enum err editor_run(const char *path, struct errmsg *msg);

#endif
