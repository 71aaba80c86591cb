/* UTF-8, strictly: the only text encoding that is stored, sent or shown.
 *
 * Refused are overlong forms, surrogates, code points above U+10FFFF and sequences cut short.
 * U+0000 and the noncharacters are valid here: what a field allows is the schema's business.
 * Pure; after RFC 3629 and table 3-7 of the Unicode Standard. */
#ifndef HT_CORE_UTF8_H
#define HT_CORE_UTF8_H

#include "core/bytes.h"

bool utf8_is_valid(struct bytes text);

/* How many bytes the code point has that begins with this one, in valid text. */
static inline size_t utf8_size(uint8_t lead)
{
	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The byte is not within a code point, in valid text. */
static inline bool utf8_begins(uint8_t byte)
{
	return (byte & 0xc0) != 0x80;
}

/* Code points of valid text. */
size_t utf8_count(struct bytes text);

/* Bytes of so many code points at the front of valid text. */
size_t utf8_span(const uint8_t *text, uint32_t points);

/* Decode the code point at the front of *rest into *cp and move *rest past it. False, with both
 * untouched, when *rest is empty or does not begin with a valid sequence:
 *     while (utf8_next(&rest, &cp))
 *             ...
 *     whole_text_was_valid = rest.size == 0; */
bool utf8_next(struct bytes *rest, uint32_t *cp);

#endif
