/* A text in pieces as people see them: words, or lines.
 *
 * A word is a run of letters, digits and their marks ("3.5", "don't" are one); of scripts that
 * part no words, such as Chinese, a single character; a run of blanks; or one sign, with
 * whatever is drawn together with it. By ranges of code points, no dictionary: two offices
 * with other versions of one would see other pieces. Pure. */
#ifndef HT_CORE_SEGMENT_H
#define HT_CORE_SEGMENT_H

#include "core/bytes.h"

/* How many bytes the first piece of `text` has: valid UTF-8, not empty. */
typedef size_t segment_size(struct bytes text);

size_t segment_point(struct bytes text); /* a code point */
size_t segment_word(struct bytes text);
size_t segment_line(struct bytes text); /* with its end */

/* It begins with neither a letter nor a sign. */
bool segment_is_blank(struct bytes text);

#endif
