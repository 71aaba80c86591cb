/* A text edited in the user's own editor, which is never lost: it stays in its
 * file until what became of it is safe. */
#ifndef HT_NODE_EDITOR_H
#define HT_NODE_EDITOR_H

#include <stdbool.h>

#include "core/bytes.h"

enum { EDITOR_PATH_MAX = 512 };

struct editor {
	char path[EDITOR_PATH_MAX]; /* of the file, mode 0600; "" when there is none */
};

/* Write `before` to a new file, run $VISUAL, else $EDITOR, else vi on it, and
 * put what it left into `after`, which is empty: without line ends at its end, a byte
 * order mark, and CRs that `before` did not have. ERR_IO when
 * the editor failed: the message names the file. */
MUST_CHECK enum err editor_run(struct editor *e, struct bytes before, struct buf *after,
			       struct errmsg *msg);

/* With OK: remove the file. With an error: keep it, say so in the message, and
 * return the error. Harmless when there is no file. */
enum err editor_end(struct editor *e, enum err rc, struct errmsg *msg);

#endif
