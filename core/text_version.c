#include "core/text_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A version that has the edit without its join. */
#define ALONE '~'

/* ---- Edits ----------------------------------------------------------------- */

static const char *dot_name(const struct dot *dot, unsigned digits, char out[TEXT_EDIT_NAME_BYTES])
{
	char id[ID_TEXT_SIZE];

	snprintf(out, TEXT_EDIT_NAME_BYTES, "%.*s/%" PRIu64, (int)digits,
		 id_text(dot->replica.bytes, id), dot->seq);
	return out;
}

const char *text_edit_name(const struct text_history *h, uint32_t edit, unsigned digits,
			   char out[TEXT_EDIT_NAME_BYTES])
{
	struct dot dot = text_history_dot(h, edit);

	return dot_name(&dot, digits, out);
}

/* "/17", ":120" */
static bool parse_number(struct bytes text, uint64_t *out)
{
	uint64_t seq = 0;

	for (size_t i = 1; i < text.size; i++) {
		unsigned digit = text.data[i] - (unsigned)'0';

		if (digit > 9 || seq > (UINT64_MAX - digit) / 10)
			return false;
		seq = 10 * seq + digit;
	}
	*out = seq;
	return text.size > 1;
}

static bool begins_with(const struct replica_id *replica, const uint8_t *digits, size_t count)
{
	char id[ID_TEXT_SIZE];

	return count < ID_TEXT_SIZE &&
	       strncasecmp(id_text(replica->bytes, id), (const char *)digits, count) == 0;
}

enum err text_edit_find(const struct text_history *h, struct bytes name, uint32_t *edit,
			struct errmsg *msg)
{
	const uint8_t *slash = name.size ? memchr(name.data, '/', name.size) : NULL;
	size_t digits = slash ? (size_t)(slash - name.data) : 0;
	uint32_t found = TEXT_NONE;
	uint64_t seq = 0;
	bool is_name =
		digits > 0 && parse_number(bytes_of(slash, name.size - digits), &seq) && seq > 0;

	for (uint32_t i = 0; is_name && i < h->author_count; i++) {
		struct dot dot = { h->authors[i].replica, seq };
		uint32_t here = text_history_find(h, &dot);

		if (here == TEXT_NONE || !begins_with(&dot.replica, name.data, digits))
			continue;
		if (found != TEXT_NONE)
			return errmsg_set(msg, ERR_AMBIGUOUS,
					  "%.*s names several versions: give more digits",
					  (int)name.size, (const char *)name.data);
		found = here;
	}
	if (found == TEXT_NONE)
		return errmsg_set(msg, ERR_NOT_FOUND, "the text has no version %.*s",
				  (int)name.size, (const char *)name.data);
	*edit = found;
	return OK;
}

/* ---- Versions -------------------------------------------------------------- */

struct head {
	struct dot dot;
	bool is_alone;
};

static int compare_heads(const void *a, const void *b)
{
	const struct head *x = a, *y = b;

	return dot_cmp(&x->dot, &y->dot);
}

static void put_head(const struct dot *dot, bool is_alone, struct buf *out)
{
	char name[TEXT_EDIT_NAME_BYTES];

	buf_append_str(out, dot_name(dot, 2 * ID_BYTES, name));
	if (is_alone)
		buf_append_byte(out, ALONE);
}

static void put_length(uint32_t length, struct buf *out)
{
	if (length != TEXT_NONE)
		buf_printf(out, ":%" PRIu32, length);
}

void text_version_name(const struct dot *dot, bool is_alone, uint32_t length, struct buf *out)
{
	put_head(dot, is_alone, out);
	put_length(length, out);
}

enum err text_version_encode(const struct text_history *h, const struct text_version_heads *v,
			     struct buf *out)
{
	struct head *list = malloc((v->count + 1) * sizeof(*list));

	if (!list)
		return ERR_NOMEM;
	for (size_t i = 0; i < v->count; i++) {
		list[i].dot = text_history_dot(h, v->edits[i]);
		list[i].is_alone = text_history_find(h, &list[i].dot) != v->edits[i];
	}
	qsort(list, v->count, sizeof(*list), compare_heads);
	for (size_t i = 0; i < v->count; i++) {
		if (i > 0)
			buf_append_byte(out, ',');
		put_head(&list[i].dot, list[i].is_alone, out);
	}
	if (v->count > 0)
		put_length(v->length, out);
	free(list);
	return buf_check(out);
}

static enum err decode_head(const struct text_history *h, struct bytes name, uint32_t *out,
			    struct errmsg *msg)
{
	bool is_alone = name.size > 0 && name.data[name.size - 1] == ALONE;
	uint32_t edit;
	enum err rc = text_edit_find(h, bytes_of(name.data, name.size - is_alone), &edit, msg);

	if (rc == OK)
		*out = is_alone && h->nodes[edit].is_join ? edit - 1 : edit;
	return rc;
}

static enum err decode_heads(const struct text_history *h, struct bytes names, uint32_t *out,
			     size_t count, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; i < count && rc == OK; i++) {
		const uint8_t *comma = memchr(names.data, ',', names.size);
		size_t size = comma ? (size_t)(comma - names.data) : names.size;

		rc = decode_head(h, bytes_of(names.data, size), &out[i], msg);
		size += comma != NULL;
		names = bytes_of(names.data + size, names.size - size);
	}
	return rc;
}

/* Cuts ":120" off. */
static bool decode_length(struct bytes *name, uint32_t *out)
{
	const uint8_t *colon = name->size ? memchr(name->data, ':', name->size) : NULL;
	size_t size = colon ? (size_t)(colon - name->data) : name->size;
	uint64_t length = TEXT_NONE;

	if (colon && !parse_number(bytes_of(colon, name->size - size), &length))
		return false;
	*out = (uint32_t)length;
	name->size = size;
	return length <= TEXT_NONE;
}

enum err text_version_decode(const struct text_history *h, struct bytes name, struct arena *arena,
			     struct text_version_heads *out, struct errmsg *msg)
{
	struct text_version_heads v = { .count = name.size > 0 };
	struct bytes names = name;
	enum err rc;

	if (!decode_length(&names, &v.length))
		return errmsg_set(msg, ERR_NOT_FOUND, "the text has no version %.*s",
				  (int)name.size, (const char *)name.data);
	for (size_t i = 0; i < names.size; i++)
		v.count += names.data[i] == ',';
	v.edits = arena_array(arena, v.count, sizeof(*v.edits));
	rc = v.edits ? decode_heads(h, names, v.edits, v.count, msg) : ERR_NOMEM;
	if (rc == OK)
		*out = v;
	return rc;
}
