#include "core/tz.h"

#include <assert.h>
#include <stdlib.h>

#include "core/tz_rule.h"

#define HEADER_BYTES 44
#define TYPES_MAX    256 /* a type's number is one byte */

struct transition {
	int64_t at_s;
	uint8_t type;
};

struct tz {
	struct tz_type types[TYPES_MAX];
	bool has_rule;
	struct tz_rule rule; /* after the last transition */
	size_t transition_count;
	struct transition transitions[]; /* ascending */
};

/* Cut `size` bytes off the front of *rest. */
static bool take(struct bytes *rest, size_t size, struct bytes *out)
{
	if (size > rest->size)
		return false;
	*out = bytes_of(rest->data, size);
	*rest = bytes_of(rest->data + size, rest->size - size);
	return true;
}

/* A big-endian two's complement number of `size` bytes. */
static int64_t signed_at(const uint8_t *at, size_t size)
{
	uint64_t number = at[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | at[i];
	return (int64_t)number;
}

struct header {
	uint8_t version; /* 1..4 */
	size_t isut_count, isstd_count, leap_count, transition_count, type_count, char_count;
};

static enum err read_header(struct bytes *rest, struct header *out, struct errmsg *msg)
{
	struct header h = { 0 };
	size_t *counts[] = { &h.isut_count,       &h.isstd_count, &h.leap_count,
			     &h.transition_count, &h.type_count,  &h.char_count };
	struct bytes head;

	if (!take(rest, HEADER_BYTES, &head) || memcmp(head.data, "TZif", 4) != 0)
		return errmsg_set(msg, ERR_FORMAT, "not a TZif file");
	if (head.data[4] != '\0' && (head.data[4] < '2' || head.data[4] > '4'))
		return errmsg_set(msg, ERR_VERSION, "TZif version 0x%02x is unknown", head.data[4]);
	h.version = head.data[4] ? head.data[4] - '0' : 1;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const uint8_t *at = head.data + 20 + 4 * i;

		*counts[i] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
		/* The bytes are bounded, so a greater count is a lie and sums can't overflow. */
		if (*counts[i] > TZ_FILE_BYTES_MAX)
			return errmsg_set(msg, ERR_FORMAT, "TZif: a count beyond the file");
	}
	*out = h;
	return OK;
}

static enum err check_header(const struct header *h, struct errmsg *msg)
{
	if (h->transition_count > TZ_TRANSITIONS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "TZif: more than %d transitions",
				  TZ_TRANSITIONS_MAX);
	if (h->leap_count != 0)
		return errmsg_set(msg, ERR_FORMAT, "TZif: counts leap seconds");
	if (h->type_count < 1 || h->type_count > TYPES_MAX)
		return errmsg_set(msg, ERR_FORMAT, "TZif: %zu types", h->type_count);
	return OK;
}

/* The parts of a data block, in their order in the file. */
struct block {
	struct bytes times, type_numbers, types, chars;
	size_t time_bytes; /* of one transition time: 4 or 8 */
};

static bool take_block(struct bytes *rest, const struct header *h, size_t time_bytes,
		       struct block *out)
{
	struct bytes skipped;

	out->time_bytes = time_bytes;
	return take(rest, h->transition_count * time_bytes, &out->times) &&
	       take(rest, h->transition_count, &out->type_numbers) &&
	       take(rest, h->type_count * 6, &out->types) &&
	       take(rest, h->char_count, &out->chars) &&
	       take(rest, h->leap_count * (time_bytes + 4), &skipped) &&
	       take(rest, h->isstd_count + h->isut_count, &skipped);
}

static bool read_type(struct tz_type *type, const uint8_t *at, struct bytes chars)
{
	int64_t offset_s = signed_at(at, 4);
	size_t from = at[5];
	const uint8_t *end;

	if (offset_s < -TZ_OFFSET_S_MAX || offset_s > TZ_OFFSET_S_MAX || at[4] > 1 ||
	    from >= chars.size)
		return false;
	end = memchr(chars.data + from, '\0', chars.size - from);
	if (!end)
		return false;
	type->offset_s = (int32_t)offset_s;
	type->is_dst = at[4] == 1;
	return tz_type_set_abbreviation(
		type, bytes_of(chars.data + from, (size_t)(end - chars.data) - from));
}

static enum err read_block(struct tz *tz, const struct block *b, struct errmsg *msg)
{
	size_t type_count = b->types.size / 6;

	for (size_t i = 0; i < type_count; i++)
		if (!read_type(&tz->types[i], b->types.data + 6 * i, b->chars))
			return errmsg_set(msg, ERR_FORMAT, "TZif: type %zu is wrong", i);
	for (size_t i = 0; i < tz->transition_count; i++) {
		struct transition *t = &tz->transitions[i];

		t->at_s = signed_at(b->times.data + b->time_bytes * i, b->time_bytes);
		t->type = b->type_numbers.data[i];
		if (t->type >= type_count || (i > 0 && t->at_s <= t[-1].at_s))
			return errmsg_set(msg, ERR_FORMAT, "TZif: transition %zu is wrong", i);
	}
	return OK;
}

static enum err read_footer(struct tz *tz, struct bytes rest, struct errmsg *msg)
{
	const uint8_t *end = NULL;
	struct bytes text;

	if (rest.size > 0 && rest.data[0] == '\n')
		end = memchr(rest.data + 1, '\n', rest.size - 1);
	if (!end)
		return errmsg_set(msg, ERR_FORMAT, "TZif: no footer");
	text = bytes_of(rest.data + 1, (size_t)(end - rest.data) - 1);
	tz->has_rule = text.size > 0;
	if (tz->has_rule && tz_rule_parse(&tz->rule, text) != OK)
		return errmsg_set(msg, ERR_FORMAT, "TZif: the rule in the footer is wrong");
	return OK;
}

/* Version 1 has one block of short times; later ones have a second block of long times and a
 * footer, and their first block is there for old readers only. */
static enum err find_block(struct bytes *rest, struct header *h, struct block *b,
			   struct errmsg *msg)
{
	enum err rc = read_header(rest, h, msg);

	if (rc)
		return rc;
	if (h->version > 1) {
		if (!take_block(rest, h, 4, b))
			return errmsg_set(msg, ERR_FORMAT, "TZif: cut short");
		rc = read_header(rest, h, msg);
		if (rc)
			return rc;
		if (h->version == 1)
			return errmsg_set(msg, ERR_FORMAT, "TZif: two blocks of version 1");
	}
	rc = check_header(h, msg);
	if (rc)
		return rc;
	if (!take_block(rest, h, h->version > 1 ? 8 : 4, b))
		return errmsg_set(msg, ERR_FORMAT, "TZif: cut short");
	return OK;
}

enum err tz_new(struct tz **out, struct bytes file, struct errmsg *msg)
{
	struct tz *tz;
	struct header h;
	struct block b;
	enum err rc;

	if (file.size > TZ_FILE_BYTES_MAX)
		return errmsg_set(msg, ERR_LIMIT, "TZif: more than %zu bytes", TZ_FILE_BYTES_MAX);
	rc = find_block(&file, &h, &b, msg);
	if (rc)
		return rc;
	tz = calloc(1, sizeof(*tz) + h.transition_count * sizeof(tz->transitions[0]));
	if (!tz)
		return errmsg_set(msg, ERR_NOMEM, "TZif: out of memory");
	tz->transition_count = h.transition_count;
	rc = read_block(tz, &b, msg);
	if (!rc && h.version > 1)
		rc = read_footer(tz, file, msg);
	if (rc) {
		tz_free(tz);
		return rc;
	}
	*out = tz;
	return OK;
}

void tz_free(struct tz *tz)
{
	free(tz);
}

/* How many transitions lie at or before `utc_s`. */
static size_t transitions_until(const struct tz *tz, int64_t utc_s)
{
	size_t low = 0, high = tz->transition_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tz->transitions[middle].at_s <= utc_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct tz_span span_at(const struct tz *tz, int64_t utc_s)
{
	size_t passed = transitions_until(tz, utc_s);
	const struct transition *next = tz->transitions + passed;
	struct tz_span span = { INT64_MIN, INT64_MAX, &tz->types[0] };

	if (passed == tz->transition_count && tz->has_rule)
		span = tz_rule_span(&tz->rule, utc_s);
	else if (passed > 0)
		span.type = &tz->types[next[-1].type];
	if (passed > 0 && next[-1].at_s > span.from_s)
		span.from_s = next[-1].at_s;
	if (passed < tz->transition_count)
		span.until_s = next->at_s;
	return span;
}

static void assert_in_range(int64_t seconds)
{
	assert(seconds >= -TZ_RANGE_S && seconds <= TZ_RANGE_S);
}

const struct tz_type *tz_from_utc(const struct tz *tz, int64_t utc_s)
{
	assert_in_range(utc_s);
	return span_at(tz, utc_s).type;
}

/* Whether a later span than `span` shows this local time too. */
static bool is_shown_again(const struct tz *tz, struct tz_span span, int64_t local_s)
{
	while (span.until_s <= local_s + TZ_OFFSET_S_MAX) {
		int64_t utc_s;

		span = span_at(tz, span.until_s);
		utc_s = local_s - span.type->offset_s;
		if (utc_s >= span.from_s && utc_s < span.until_s)
			return true;
	}
	return false;
}

enum tz_fit tz_to_utc(const struct tz *tz, int64_t local_s, int64_t *utc_s)
{
	struct tz_span span;

	assert_in_range(local_s);
	/* Walk the spans from before any that could show this time. Each is left behind while its
	 * clock shows the time only after its end, so the first not left is the answer; if that
	 * one's clock began later than the time, the time was skipped between the two. */
	span = span_at(tz, local_s - TZ_OFFSET_S_MAX);
	while (local_s - span.type->offset_s >= span.until_s) {
		struct tz_span next = span_at(tz, span.until_s);

		if (local_s - next.type->offset_s < next.from_s) {
			*utc_s = local_s - span.type->offset_s;
			return TZ_GAP;
		}
		span = next;
	}
	*utc_s = local_s - span.type->offset_s;
	return is_shown_again(tz, span, local_s) ? TZ_OVERLAP : TZ_UNIQUE;
}
