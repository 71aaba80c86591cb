#include "core/utf8.h"

/* The sequences of one length: what the lead byte looks like, and the least code point that
 * needs this length (less is overlong). */
static const struct form {
	uint8_t mask;
	uint8_t lead;
	uint8_t size;
	uint32_t cp_min;
} forms[] = {
	{ 0x80, 0x00, 1, 0x0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))
#define CP_MAX     0x10ffff
#define BY_HAND    8

bool utf8_next(struct bytes *rest, uint32_t *out)
{
	const uint8_t *at = rest->data;
	const struct form *form = forms;
	uint32_t cp;

	if (rest->size == 0)
		return false;
	while (form < forms + FORM_COUNT && (at[0] & form->mask) != form->lead)
		form++;
	if (form == forms + FORM_COUNT || form->size > rest->size)
		return false;
	cp = at[0] & (uint8_t)~form->mask;
	for (size_t i = 1; i < form->size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return false;
		cp = cp << 6 | (at[i] & 0x3f);
	}
	if (cp < form->cp_min || cp > CP_MAX || (cp >= 0xd800 && cp <= 0xdfff))
		return false;
	*rest = bytes_of(at + form->size, rest->size - form->size);
	*out = cp;
	return true;
}

/* How many bytes at the front of `text` are ASCII, counted in whole steps. */
static size_t ascii_run(struct bytes text)
{
	size_t size = 0;
	uint64_t step;

	while (text.size - size >= sizeof(step)) {
		memcpy(&step, text.data + size, sizeof(step));
		if (step & UINT64_C(0x8080808080808080))
			break;
		size += sizeof(step);
	}
	return size;
}

bool utf8_is_valid(struct bytes text)
{
	uint32_t cp;

	while (text.size) {
		size_t ascii = ascii_run(text);

		text = bytes_of(text.data + ascii, text.size - ascii);
		/* A few by hand before looking for the next run, so that text with none is fast. */
		for (int i = 0; i < BY_HAND && text.size; i++)
			if (!utf8_next(&text, &cp))
				return false;
	}
	return true;
}

/* How many bytes of a step go on with a code point: bit 7 is set and bit 6 is not. */
static uint32_t within_points(uint64_t step)
{
	step = step >> 7 & ~step >> 6 & UINT64_C(0x0101010101010101);
	return (uint32_t)(step * UINT64_C(0x0101010101010101) >> 56); /* the sum of all bytes */
}

size_t utf8_count(struct bytes text)
{
	size_t within = 0, i = 0;
	uint64_t step;

	for (; text.size - i >= sizeof(step); i += sizeof(step)) {
		memcpy(&step, text.data + i, sizeof(step));
		within += within_points(step);
	}
	for (; i < text.size; i++)
		within += !utf8_begins(text.data[i]);
	return text.size - within;
}

/* In whole steps as long as a code point is left for after them: so they end within the text.
 * A step of ASCII alone has a point in each byte. */
size_t utf8_span(const uint8_t *text, uint32_t points)
{
	const uint8_t *end = text;
	uint64_t step;

	while (points > sizeof(step)) {
		memcpy(&step, end, sizeof(step));
		points -= (uint32_t)sizeof(step) - within_points(step);
		end += sizeof(step);
	}
	while (points && !utf8_begins(*end))
		end++;
	while (points--)
		end += utf8_size(*end);
	return (size_t)(end - text);
}
