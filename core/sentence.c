#include "core/sentence.h"

#include "core/utf8.h"

enum mark {
	MARK_NONE,
	MARK_BLANK,
	MARK_LINE,  /* an end by itself, and a blank */
	MARK_END,   /* an end by itself */
	MARK_STOP,  /* an end if it is followed by a blank or nothing */
	MARK_CLOSE, /* belongs to the end that it follows */
};

/* Ascending. */
static const struct {
	uint32_t first, last;
	enum mark mark;
} marks[] = {
	{ '\t', '\t', MARK_BLANK },     { '\n', '\r', MARK_LINE },
	{ ' ', ' ', MARK_BLANK },       { '!', '!', MARK_STOP },
	{ '"', '"', MARK_CLOSE },       { '\'', '\'', MARK_CLOSE },
	{ ')', ')', MARK_CLOSE },       { '.', '.', MARK_STOP },
	{ '?', '?', MARK_STOP },        { ']', ']', MARK_CLOSE },
	{ '}', '}', MARK_CLOSE },       { 0x85, 0x85, MARK_LINE },
	{ 0xa0, 0xa0, MARK_BLANK },     { 0xbb, 0xbb, MARK_CLOSE },
	{ 0x1680, 0x1680, MARK_BLANK }, { 0x2000, 0x200a, MARK_BLANK },
	{ 0x2019, 0x2019, MARK_CLOSE }, { 0x201d, 0x201d, MARK_CLOSE },
	{ 0x2026, 0x2026, MARK_END },   { 0x2028, 0x2029, MARK_LINE },
	{ 0x202f, 0x202f, MARK_BLANK }, { 0x203a, 0x203a, MARK_CLOSE },
	{ 0x205f, 0x205f, MARK_BLANK }, { 0x3000, 0x3000, MARK_BLANK },
	{ 0x3002, 0x3002, MARK_END },   { 0x3009, 0x3009, MARK_CLOSE },
	{ 0x300b, 0x300b, MARK_CLOSE }, { 0x300d, 0x300d, MARK_CLOSE },
	{ 0x300f, 0x300f, MARK_CLOSE }, { 0x3011, 0x3011, MARK_CLOSE },
	{ 0xff01, 0xff01, MARK_END },   { 0xff09, 0xff09, MARK_CLOSE },
	{ 0xff1b, 0xff1b, MARK_END },   { 0xff1f, 0xff1f, MARK_END },
};

static enum mark mark_of(uint32_t cp)
{
	size_t low = 0, high = sizeof(marks) / sizeof(marks[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (marks[middle].last < cp)
			low = middle + 1;
		else if (marks[middle].first > cp)
			high = middle;
		else
			return marks[middle].mark;
	}
	return MARK_NONE;
}

static bool is_blank(enum mark mark)
{
	return mark == MARK_BLANK || mark == MARK_LINE;
}

/* Whether a sentence is over before this mark. end: what it may end with. */
static bool is_over(enum mark end, enum mark mark)
{
	if (end == MARK_END)
		return mark == MARK_NONE || is_blank(mark);
	return mark == MARK_LINE || (end == MARK_STOP && mark == MARK_BLANK);
}

static enum mark end_with(enum mark end, enum mark mark)
{
	if (mark == MARK_CLOSE || (mark == MARK_STOP && end == MARK_END))
		return end;
	return mark;
}

bool sentence_next(struct bytes text, size_t *at, struct sentence *out)
{
	struct bytes ahead = bytes_of(text.data + *at, text.size - *at);
	struct sentence found = { text.size, text.size };
	size_t here = *at;
	enum mark end = MARK_NONE;
	uint32_t cp;

	for (; utf8_next(&ahead, &cp); here = text.size - ahead.size) {
		enum mark mark = mark_of(cp);

		if (found.from < text.size && is_over(end, mark))
			break;
		if (is_blank(mark))
			continue;
		if (found.from == text.size)
			found.from = here;
		found.to = text.size - ahead.size;
		end = end_with(end, mark);
	}
	if (found.from == text.size)
		return false;
	*at = found.to;
	*out = found;
	return true;
}

/* Whatever stands before the first of two neighbours. */
static bool is_break(enum mark before, enum mark after)
{
	return before == MARK_LINE || is_over(before, after);
}

size_t sentence_first_break(struct bytes text)
{
	struct bytes rest = text;
	enum mark before = MARK_NONE;
	size_t at = 0;
	uint32_t cp;

	for (; utf8_next(&rest, &cp); at = text.size - rest.size) {
		enum mark mark = mark_of(cp);

		if (at && is_break(before, mark))
			return at;
		before = mark;
	}
	return 0;
}

size_t sentence_last_break(struct bytes text)
{
	size_t at = 0, after;
	struct bytes rest = text;

	while ((after = sentence_first_break(rest)) > 0) {
		at += after;
		rest = bytes_of(text.data + at, text.size - at);
	}
	return at;
}
