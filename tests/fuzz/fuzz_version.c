/* Names of versions, as an editor hands them in: any bytes are refused, or name edits that there
 * are, and what those are called names them again. */
#include "core/text_version.h"
#include "tests/fuzz/target.h"

/* Of replicas 11.., 12.. and 1112..: an edit of each, and one beside them with its join. */
static void make(struct text_history *h)
{
	static const uint8_t begins[][2] = { { 0x11, 0x11 }, { 0x12, 0x12 }, { 0x11, 0x12 } };
	struct text_edit nothing = { .length = 0 };
	struct dot dot = { .seq = 1 };
	uint32_t first = 0;

	for (size_t i = 0; i < 3; i++) {
		memset(dot.replica.bytes, begins[i][1], ID_BYTES);
		dot.replica.bytes[0] = begins[i][0];
		require(text_history_add(h, &dot, &nothing, &first, i > 0, false) == OK);
	}
	dot.seq = 2;
	require(text_history_add(h, &dot, &nothing, &first, 1, false) == OK);
	require(h->count == 5 && h->nodes[4].is_join);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text_history h = TEXT_HISTORY_EMPTY;
	struct arena arena = ARENA_EMPTY;
	struct buf name = BUF_EMPTY, again = BUF_EMPTY;
	struct errmsg msg;
	struct text_version_heads v;

	make(&h);
	if (text_version_decode(&h, bytes_of(data, size), &arena, &v, &msg) == OK) {
		for (size_t i = 0; i < v.count; i++)
			require(v.edits[i] < h.count);
		require(text_version_encode(&h, &v, &name) == OK);
		require(text_version_decode(&h, buf_bytes(&name), &arena, &v, &msg) == OK);
		require(text_version_encode(&h, &v, &again) == OK);
		require(bytes_equal(buf_bytes(&name), buf_bytes(&again)));
	}
	buf_release(&name);
	buf_release(&again);
	arena_release(&arena);
	text_history_release(&h);
	return 0;
}
