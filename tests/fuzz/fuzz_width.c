/* Text of others on our terminal: it stays in its columns and can't steer anything. */
#include "core/utf8.h"
#include "node/width.h"
#include "tests/fuzz/target.h"

static void require_harmless(struct bytes line)
{
	uint32_t cp;

	require(utf8_is_valid(line));
	while (utf8_next(&line, &cp)) {
		require(cp >= 0x20 && (cp < 0x7f || cp > 0x9f));
		require(cp < 0x202a || cp > 0x202e); /* embeddings and overrides of direction */
		require(cp < 0x2066 || cp > 0x2069); /* isolates */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size);
	size_t columns = width_of(text);

	for (size_t limit = 1; limit <= columns + 1; limit = 2 * limit + 1) {
		struct buf line = BUF_EMPTY;
		size_t taken = width_append(&line, text, limit);

		require(taken <= limit && taken == width_of(buf_bytes(&line)));
		require(taken == columns || limit < columns);
		require_harmless(buf_bytes(&line));
		buf_release(&line);
	}
	return 0;
}
