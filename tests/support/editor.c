#include "tests/support/editor.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Units, naively -------------------------------------------------------- */

static uint32_t decode_one(const uint8_t *at, size_t *size)
{
	static const uint8_t leads[] = { 0x00, 0xc0, 0xe0, 0xf0 };
	uint32_t cp;

	*size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	cp = at[0] - (uint32_t)leads[*size - 1];
	for (size_t i = 1; i < *size; i++)
		cp = cp << 6 | (at[i] & 0x3f);
	return cp;
}

/* cells: room for text.size of them. */
static uint32_t to_cells(enum rope_unit unit, struct bytes text, uint32_t *cells)
{
	uint32_t count = 0;
	size_t size;

	for (size_t i = 0; i < text.size; i += size) {
		uint32_t cp = decode_one(text.data + i, &size);

		if (unit == ROPE_BYTES) {
			for (size_t k = 0; k < size; k++)
				cells[count++] = text.data[i + k];
		} else if (unit == ROPE_UTF16 && cp > 0xffff) {
			cells[count++] = 0xd800 + ((cp - 0x10000) >> 10);
			cells[count++] = 0xdc00 + ((cp - 0x10000) & 0x3ff);
		} else {
			cells[count++] = cp;
		}
	}
	return count;
}

/* A character begins there, or the text ends. */
static bool is_border(const struct editor *e, uint32_t pos)
{
	if (pos == e->count || e->unit == ROPE_POINTS)
		return true;
	if (e->unit == ROPE_BYTES)
		return (e->cells[pos] & 0xc0) != 0x80;
	return e->cells[pos] < 0xdc00 || e->cells[pos] > 0xdfff;
}

/* ---- The buffer ------------------------------------------------------------ */

static void put(struct editor *e, uint32_t pos, uint32_t removed, const uint32_t *cells,
		uint32_t count)
{
	assert(pos <= e->count && removed <= e->count - pos);
	assert(e->count - removed + count <= EDITOR_CELLS_MAX);
	assert(is_border(e, pos) && is_border(e, pos + removed));
	memmove(e->cells + pos + count, e->cells + pos + removed,
		(e->count - pos - removed) * sizeof(*cells));
	memcpy(e->cells + pos, cells, count * sizeof(*cells));
	e->count += count - removed;
}

static enum err told_insert(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	struct editor *e = ctx;
	uint32_t cells[EDITOR_CELLS_MAX];

	assert(text.size <= EDITOR_CELLS_MAX && count > 0);
	assert(to_cells(e->unit, text, cells) == count);
	put(e, pos, 0, cells, count);
	e->told++;
	return OK;
}

static enum err told_remove(void *ctx, uint32_t pos, uint32_t count)
{
	struct editor *e = ctx;

	assert(count > 0);
	put(e, pos, count, e->cells, 0);
	e->told++;
	return OK;
}

bool editor_shows(const struct editor *e, struct bytes text)
{
	uint32_t cells[EDITOR_CELLS_MAX];

	assert(text.size <= EDITOR_CELLS_MAX);
	return to_cells(e->unit, text, cells) == e->count &&
	       memcmp(cells, e->cells, e->count * sizeof(*cells)) == 0;
}

/* ---- Typing ---------------------------------------------------------------- */

void editor_type(struct editor *e, uint32_t pos, uint32_t removed, const char *text)
{
	struct bytes inserted = bytes_of_str(text);
	uint32_t cells[256];

	assert(e->change_count < EDITOR_CHANGES_MAX && inserted.size < 256);
	put(e, pos, removed, cells, to_cells(e->unit, inserted, cells));
	e->changes[e->change_count++] = (struct text_splice){ pos, removed, inserted };
}

static uint32_t draw_border(const struct editor *e, struct prng *prng, uint32_t from, uint32_t to)
{
	uint32_t pos = from + (uint32_t)prng_below(prng, to - from + 1);

	while (!is_border(e, pos))
		pos++;
	return pos;
}

void editor_type_at_random(struct editor *e, struct prng *prng)
{
	static const char *const texts[] = {
		"a",        "word ",      "é",    "e\u0301\u0323",
		"会议纪要", "。",         "😀",    "👩‍👩‍👧",
		"🇨🇳",       "שלום\u200f", "\r\n", "\ufeff",
		"\n",       "क्षि",        "",     "𝔘𝔫𝔦",
		"\t",
	};
	uint32_t pos = draw_border(e, prng, 0, e->count), end = pos;

	if (prng_chance(prng, 45))
		end = draw_border(e, prng, pos, e->count < pos + 9 ? e->count : pos + 9);
	editor_type(e, pos, end - pos, texts[prng_below(prng, sizeof(texts) / sizeof(texts[0]))]);
}

/* ---- With a document ------------------------------------------------------- */

void editor_open(struct editor *e, struct text_doc *doc, enum rope_unit unit)
{
	struct buf text = BUF_EMPTY;

	*e = (struct editor){ .unit = unit };
	if (text_doc_read(doc, &text, NULL) || text_doc_version(doc, &e->version, NULL))
		abort();
	e->count = to_cells(unit, buf_bytes(&text), e->cells);
	buf_release(&text);
}

void editor_close(struct editor *e)
{
	buf_release(&e->version);
}

enum err editor_push(struct editor *e, struct text_doc *doc, uint64_t now_ms, struct errmsg *msg)
{
	enum err rc = text_doc_splice(doc, buf_bytes(&e->version), e->unit, e->changes,
				      e->change_count, NULL, now_ms, &e->version, msg);

	if (rc == OK)
		e->change_count = 0;
	return rc;
}

enum err editor_pull(struct editor *e, struct text_doc *doc, struct errmsg *msg)
{
	struct text_sink sink = { told_insert, told_remove, e };
	struct editor was = *e;
	struct buf now = BUF_EMPTY;
	enum err rc;

	assert(e->change_count == 0);
	e->told = 0;
	rc = text_doc_since(doc, buf_bytes(&e->version), e->unit, &sink, msg);
	if (rc == OK)
		rc = text_doc_version(doc, &now, msg);
	if (rc != OK) {
		/* The buffer and its name change together or not at all. */
		*e = was;
		buf_release(&now);
		return rc;
	}
	buf_release(&e->version);
	e->version = now;
	return OK;
}
