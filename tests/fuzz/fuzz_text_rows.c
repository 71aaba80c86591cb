/* The rows in which a text and its history lie, packs among them, of which cells are damaged: an
 * edit that was made beside them is refused in words, or goes into a text that is whole.
 *
 *   byte 0   how much of the text its author had seen
 *   byte 1   bit 0: others have written on, so that more is packed
 * then damages (tests/support/spoil.h) */
#include "core/limits.h"
#include "core/replica_impl.h"
#include "core/store_impl.h"
#include "core/utf8.h"
#include "tests/fuzz/target.h"
#include "tests/support/spoil.h"

enum { EDITS = 520, MORE_EDITS = 250, SPACE = 1, KIND = 2, FIELD = 3 };

static const struct spoil_column columns[] = {
	{ "text_edit", "at", "at" },     { "text_edit", "replica", "at" },
	{ "text_edit", "seq", "at" },    { "text_edit", "flags", "at" },
	{ "text_edit", "reach", "at" },  { "text_edit", "before", "at" },
	{ "text_edit", "after", "at" },  { "text_edit", "parents", "at" },
	{ "text_edit", "edit", "at" },   { "text_edit", "text", "at" },
	{ "text_pack", "last", "last" }, { "text_pack", "first", "last" },
	{ "text_pack", "size", "last" }, { "text_pack", "hash", "last" },
	{ "text_pack", "pack", "last" },
};

static struct store *store;
static const struct text_ref text = { SPACE, KIND, FIELD, { { 4 } } };

#define MUST(call) require((call) == OK)

/* One more letter at the end, by one who has seen all. */
static enum err type(uint32_t at, struct errmsg *why)
{
	struct text_run run = { at, 1, TEXT_INSERT };
	struct text_edit e = { at, &run, 1, bytes_of_str("x") };
	struct buf encoded = BUF_EMPTY;
	uint32_t parent = at ? at - 1 : 0;
	struct text_row row = { .at = at,
				.dot = { { { 1 } }, at + 1 },
				.sees_all = true,
				.reach = at,
				.before = at,
				.after = at + 1,
				.parents = &parent,
				.parent_count = at > 0,
				.text = e.text };
	enum err rc;

	text_edit_encode(&encoded, &e);
	row.edit = buf_bytes(&encoded);
	rc = store_text_add(store, &text, &row, why);
	buf_release(&encoded);
	return rc;
}

/* The text as its record's row has it, of `count` letters. */
static struct value letters(uint32_t count)
{
	static char all[EDITS + MORE_EDITS];

	memset(all, 'x', sizeof(all));
	return value_text(bytes_of(all, count));
}

static void make_store(void)
{
	MUST(store_open(&store, ":memory:", NULL, true, false, NULL));
	MUST(store_begin(store, NULL));
	for (uint32_t i = 0; i < EDITS; i++)
		MUST(type(i, NULL));
	MUST(store_commit(store, NULL));
}

static void require_words(enum err rc, const struct errmsg *why)
{
	require(rc == OK || rc == ERR_NOMEM || why->text[0]);
}

static enum err note_row(void *ctx, const struct text_row *row)
{
	uint32_t *next = ctx;

	require(row->at == (*next)++ && row->reach <= row->at && row->dot.seq <= SEQ_MAX);
	for (size_t i = 0; i < row->parent_count; i++)
		require(row->parents[i] < row->at);
	return OK;
}

static void read_rows(void)
{
	struct errmsg why = { .text = "" };
	struct arena arena = ARENA_EMPTY;
	uint8_t hash[TEXT_HASH_BYTES];
	uint64_t count = 0;
	uint32_t next = 0;
	enum err rc = store_each_text_row(store, &text, 0, &arena, note_row, &next, &why);

	require_words(rc, &why);
	why.text[0] = 0;
	rc = store_text_hash(store, &text, &arena, hash, &count, &why);
	require_words(rc, &why);
	arena_release(&arena);
}

/* Two letters after the first `seen`. */
static void write_beside(uint32_t seen, uint32_t count)
{
	struct errmsg why = { .text = "" };
	struct value now = letters(count);
	struct text_run run = { seen, 2, TEXT_INSERT };
	struct text_edit e = { seen, &run, 1, bytes_of_str("yz") };
	uint32_t parent = seen ? seen - 1 : 0;
	struct text_row row = { .at = count,
				.dot = { { { 2 } }, 1 },
				.reach = seen,
				.parents = &parent,
				.parent_count = seen > 0 };
	struct store_history *h = NULL;
	struct arena arena = ARENA_EMPTY;
	struct store_body body;
	struct text_sink sink;
	struct bytes made;
	enum err rc = store_body_open(&body, store, SPACE, &now, &why);

	if (rc == OK)
		rc = store_history_open(&h, store, &text, count, row.reach, &body, &why);
	require_words(rc, &why);
	sink = store_body_sink(&body);
	if (rc == OK)
		rc = store_history_add(h, &row, &e, &sink);
	if (rc == OK)
		rc = store_body_text(&body, &arena, &made);
	if (rc == OK)
		require(utf8_is_valid(made) && made.size == count + 2);
	store_history_free(h);
	store_body_close(&body);
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errmsg why = { .text = "" };
	uint32_t seen, count = 0;
	enum err rc;

	if (size < 2)
		return 0;
	if (!store)
		make_store();
	MUST(store_begin(store, NULL));
	spoil_cells(store->db, columns, sizeof(columns) / sizeof(columns[0]),
		    bytes_of(data + 2, size - 2));
	rc = store_text_count(store, &text, &count, &why);
	require_words(rc, &why);
	for (uint32_t i = 0; data[1] & 1 && rc == OK && i < MORE_EDITS && count < EDITS + i + 1;
	     i++) {
		rc = type(count, &why);
		require_words(rc, &why);
		count += rc == OK;
	}
	read_rows();
	seen = (uint32_t)data[0] * 2;
	if (count <= EDITS + MORE_EDITS)
		write_beside(seen < count ? seen : count, count);
	store_rollback(store);
	store_forget_texts(store);
	return 0;
}
