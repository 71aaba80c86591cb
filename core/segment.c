#include "core/segment.h"

#include "core/utf8.h"

enum class {
	BLANK,
	LINE_END,
	LETTER, /* whatever is not listed */
	KATAKANA,
	ALONE, /* a word, or a part of one, by itself */
	SIGN,
};

/* Code points that are no letters of words, ascending. */
static const struct {
	uint32_t first, last;
	enum class class;
} classes[] = {
	{ 0x00, 0x08, SIGN },         { '\t', '\t', BLANK },
	{ '\n', '\n', LINE_END },     { 0x0b, 0x0d, BLANK },
	{ 0x0e, 0x1f, SIGN },         { ' ', ' ', BLANK },
	{ '!', '/', SIGN },           { ':', '@', SIGN },
	{ '[', '^', SIGN },           { '`', '`', SIGN },
	{ '{', 0x9f, SIGN },          { 0xa0, 0xa0, BLANK },
	{ 0xa1, 0xa9, SIGN },         { 0xab, 0xb4, SIGN },
	{ 0xb6, 0xb9, SIGN },         { 0xbb, 0xbf, SIGN },
	{ 0xd7, 0xd7, SIGN },         { 0xf7, 0xf7, SIGN },
	{ 0x0e01, 0x0eff, ALONE }, /* Thai, Lao */
	{ 0x1000, 0x109f, ALONE }, /* Burmese */
	{ 0x1780, 0x17ff, ALONE }, /* Khmer */
	{ 0x2000, 0x200a, BLANK },    { 0x2010, 0x206f, SIGN },
	{ 0x20a0, 0x20cf, SIGN },     { 0x2100, 0x2bff, SIGN },
	{ 0x2e00, 0x2e7f, SIGN },     { 0x2e80, 0x2fff, ALONE }, /* radicals */
	{ 0x3000, 0x3000, BLANK },    { 0x3001, 0x3004, SIGN },
	{ 0x3005, 0x3007, ALONE },    { 0x3008, 0x3030, SIGN },
	{ 0x3031, 0x309f, ALONE }, /* Hiragana */
	{ 0x30a0, 0x30ff, KATAKANA }, { 0x3100, 0x31bf, ALONE },
	{ 0x31f0, 0x31ff, KATAKANA }, { 0x3200, 0x33ff, SIGN },
	{ 0x3400, 0x9fff, ALONE }, /* Chinese characters */
	{ 0xf900, 0xfaff, ALONE },    { 0xfe30, 0xfe6f, SIGN },
	{ 0xff01, 0xff0f, SIGN },     { 0xff1a, 0xff20, SIGN },
	{ 0xff3b, 0xff40, SIGN },     { 0xff5b, 0xff65, SIGN },
	{ 0xff66, 0xff9f, KATAKANA }, { 0xffe0, 0xffff, SIGN },
	{ 0x1f000, 0x1faff, SIGN }, /* emoji */
	{ 0x20000, 0x3ffff, ALONE },
};

/* Drawn together with what stands before them, in scripts without words and with signs; in
 * other scripts marks are letters. Ascending. */
static const struct {
	uint32_t first, last;
} marks[] = {
	{ 0x300, 0x36f },   { 0xe31, 0xe31 },   { 0xe34, 0xe3a },     { 0xe47, 0xe4e },
	{ 0xeb1, 0xeb1 },   { 0xeb4, 0xebc },   { 0xec8, 0xece },     { 0x102b, 0x103e },
	{ 0x1056, 0x1059 }, { 0x17b4, 0x17d3 }, { 0x1ab0, 0x1aff },   { 0x1dc0, 0x1dff },
	{ 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0x302a, 0x302f },   { 0x3099, 0x309a },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0x1f3fb, 0x1f3ff }, { 0xe0000, 0xe01ef },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum class class_of(uint32_t cp) {
	size_t low = 0, high = COUNT(classes);

	while (low < high){ size_t middle = low + (high - low) / 2;

			    if (cp > classes[middle].last) low = middle + 1; else high = middle; }
return low < COUNT(classes) && cp >= classes[low].first ? classes[low].class : LETTER;
}

static bool is_mark(uint32_t cp)
{
	size_t i = 0;

	while (i < COUNT(marks) && cp > marks[i].last)
		i++;
	return i < COUNT(marks) && cp >= marks[i].first;
}

enum { ZERO_WIDTH_JOINER = 0x200d };

static bool is_flag(uint32_t cp)
{
	return cp >= 0x1f1e6 && cp <= 0x1f1ff; /* two of them are one */
}

/* Moves *rest past the character that begins with `first`, which is past already. */
static void skip_marks(struct bytes *rest, uint32_t first)
{
	struct bytes after = *rest;
	uint32_t cp, before = first;

	while (utf8_next(&after, &cp)) {
		if (!is_mark(cp) && before != ZERO_WIDTH_JOINER && !(is_flag(first) && is_flag(cp)))
			return;
		first = is_mark(cp) ? first : 0; /* a third flag is the next character */
		before = cp;
		*rest = after;
	}
}

/* Stands within a word when it stands between two of its letters. */
static bool joins(uint32_t before, uint32_t sign, uint32_t after)
{
	bool is_number = before >= '0' && before <= '9' && after >= '0' && after <= '9';

	if (sign == '.' || sign == ',' || sign == ':')
		return is_number;
	return (sign == '\'' || sign == 0x2019) && class_of(before) == LETTER &&
	       class_of(after) == LETTER && !is_number;
}

/* The rest of a run of one class. */
static void skip_run(struct bytes *rest, uint32_t before, enum class class)
{
	struct bytes after = *rest, further;
	uint32_t cp, next;

	while (utf8_next(&after, &cp)) {
		further = after;
		if (class == LETTER && utf8_next(&further, &next) && joins(before, cp, next)) {
			after = further;
			cp = next;
		} else if (class_of(cp) != class && !(class != BLANK && is_mark(cp))) {
			return;
		}
		before = is_mark(cp) ? before : cp;
		*rest = after;
	}
}

size_t segment_point(struct bytes text)
{
	return utf8_size(text.data[0]);
}

size_t segment_word(struct bytes text)
{
	struct bytes rest = text;
	enum class class;
	uint32_t cp = 0;

	if (!utf8_next(&rest, &cp))
		return 1;
	class = class_of(cp);
	if (class == LETTER || class == KATAKANA || class == BLANK)
		skip_run(&rest, cp, class);
	else if (class != LINE_END)
		skip_marks(&rest, cp);
	return text.size - rest.size;
}

size_t segment_line(struct bytes text)
{
	const uint8_t *end = memchr(text.data, '\n', text.size);

	return end ? (size_t)(end - text.data) + 1 : text.size;
}

bool segment_is_blank(struct bytes text)
{
	uint32_t cp = 0;

	return utf8_next(&text, &cp) && class_of(cp) <= LINE_END;
}
