/* Sentences, found by their marks alone: no locale, no dictionary.
 *
 *   。 ！ ？ ； …   end one wherever they stand
 *   . ! ?           where nothing follows, or a blank does
 *   a line end      always
 *
 * Several marks in a row are one, and quotation marks and brackets that close after them
 * belong to them. A sentence begins and ends with what is no blank (White_Space of the
 * Unicode Standard): the blanks between two are of neither. "Mr. Smith" is two; whoever
 * asks whether two people wrote into one sentence errs little by it. Pure. */
#ifndef HT_CORE_SENTENCE_H
#define HT_CORE_SENTENCE_H

#include "core/bytes.h"

/* Bytes of a text. */
struct sentence {
	size_t from, to;
};

/* The next one from *at on, where none has begun before; moves *at past it. False, with both
 * untouched: there is none. The text is valid UTF-8. */
bool sentence_next(struct bytes text, size_t *at, struct sentence *out);

/* Where none goes on, as is certain from the two code points beside the place: the first and the
 * last such place within the text, or 0. Between two such places sentences are the same whatever
 * stands beyond them. */
size_t sentence_first_break(struct bytes text);
size_t sentence_last_break(struct bytes text);

#endif
