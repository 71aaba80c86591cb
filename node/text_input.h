/* A text that was handed in: from an editor, a file or the standard input. */
#ifndef HT_NODE_TEXT_INPUT_H
#define HT_NODE_TEXT_INPUT_H

#include "core/bytes.h"

/* More than any text may have, so that whoever looks at it can say by how much. */
enum { TEXT_INPUT_BYTES_MAX = 64 << 20 };

/* Append what can be read, to the end or to TEXT_INPUT_BYTES_MAX. name: for the message. */
MUST_CHECK enum err text_input_read(int fd, const char *name, struct buf *out, struct errmsg *msg);

/* Take away what programs add and nobody typed: a byte order mark in front and CR before
 * LF where `before`, the text as it was handed out, has none; and give it the line ends at
 * its end that `before` has. */
void text_input_tidy(struct buf *text, struct bytes before);

#endif
