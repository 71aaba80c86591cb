/* A text as a QR code (ISO/IEC 18004) for a terminal: two modules a character, by
 * UTF-8 half blocks, with the quiet zone that readers need around it. */
#ifndef HT_NODE_QR_H
#define HT_NODE_QR_H

#include "core/bytes.h"

/* Append its lines. `with_colours`: escape codes make it dark on light whatever the
 * terminal's colours are; without them it is so on a dark terminal only, and
 * inverted, which many readers take too, on a light one. ERR_LIMIT for a text too
 * long for a code (2,953 bytes), ERR_NOMEM. */
MUST_CHECK enum err qr_render(struct buf *out, const char *text, bool with_colours,
			      struct errmsg *msg);

#endif
