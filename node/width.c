#include "node/width.h"

#include "core/utf8.h"
#include "node/width_ranges.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */

static bool is_in(const struct range *ranges, size_t count, uint32_t cp)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cp > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && cp >= ranges[low].first;
}

#define IS_IN(ranges, cp) is_in(ranges, sizeof(ranges) / sizeof(ranges[0]), cp)

static size_t columns_of(uint32_t cp)
{
	if (cp < zero_width[0].first)
		return 1;
	if (IS_IN(zero_width, cp))
		return 0;
	return IS_IN(wide, cp) ? 2 : 1;
}

static bool is_blank(uint32_t cp)
{
	return (cp >= '\t' && cp <= '\r') || cp == 0x85 || cp == 0x2028 || cp == 0x2029;
}

/* Controls, and the marks that turn the direction of what follows them. */
static bool is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* One character as it is shown. */
struct glyph {
	struct bytes text;
	size_t columns;
};

static bool next_glyph(struct bytes *rest, struct glyph *glyph)
{
	struct bytes from = *rest;
	uint32_t cp;

	if (rest->size == 0)
		return false;
	if (!utf8_next(rest, &cp)) {
		*rest = bytes_of(rest->data + 1, rest->size - 1);
		*glyph = (struct glyph){ bytes_of_str(REPLACEMENT), 1 };
	} else if (is_blank(cp)) {
		*glyph = (struct glyph){ bytes_of_str(" "), 1 };
	} else if (is_unsafe(cp)) {
		*glyph = (struct glyph){ bytes_of_str(REPLACEMENT), 1 };
	} else {
		*glyph = (struct glyph){ bytes_of(from.data, from.size - rest->size),
					 columns_of(cp) };
	}
	return true;
}

size_t width_of(struct bytes text)
{
	struct glyph glyph;
	size_t columns = 0;

	while (next_glyph(&text, &glyph))
		columns += glyph.columns;
	return columns;
}

int width_for_printf(const char *text, int columns)
{
	struct bytes all = bytes_of_str(text);

	return columns + (int)all.size - (int)width_of(all);
}

/* The text is too long exactly when a glyph would end beyond the limit; the ellipsis then goes
 * where the last glyphs that leave it room end. */
size_t width_append(struct buf *out, struct bytes text, size_t columns_max)
{
	size_t columns = 0, fitting_columns = 0, fitting_size = out->size;
	struct glyph glyph;

	while (next_glyph(&text, &glyph)) {
		if (glyph.columns > columns_max - columns) {
			if (columns_max == 0)
				return 0;
			out->size = fitting_size;
			buf_append_str(out, ELLIPSIS);
			return fitting_columns + 1;
		}
		buf_append(out, glyph.text.data, glyph.text.size);
		columns += glyph.columns;
		if (columns < columns_max) {
			fitting_columns = columns;
			fitting_size = out->size;
		}
	}
	return columns;
}
