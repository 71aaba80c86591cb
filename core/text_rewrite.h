/* What somebody changed who saw one text and left another, as an edit that goes well with what
 * others write at the same time: word by word, within a word only where most of it stayed.
 *
 * To the character two people who make "Monday" and "Thursday" of "Friday" would together have
 * written "MonThusday"; like this it is "MondayThursday", and either word stays whole. A word
 * with a digit is never mixed: nobody shall read a time or an amount that nobody wrote. Pure. */
#ifndef HT_CORE_TEXT_REWRITE_H
#define HT_CORE_TEXT_REWRITE_H

#include "core/text_edit.h"

/* The edit that makes `to` of `from`, added to a builder that has begun with the length of
 * `from`. Both are valid UTF-8. ERR_NOMEM. */
MUST_CHECK enum err text_rewrite(struct bytes from, struct bytes to, struct text_edit_builder *out);

#endif
