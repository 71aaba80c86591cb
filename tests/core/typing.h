/* Typing into a text, and taking what others have typed. Include it after cmocka.h. */
#ifndef HT_TESTS_CORE_TYPING_H
#define HT_TESTS_CORE_TYPING_H

#include <stdlib.h>

#include "core/text.h"
#include "tests/support/prng.h"

static inline void *copy_of(const void *data, size_t size)
{
	void *copy = malloc(size + 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

static inline uint32_t draw_text(struct prng *prng, struct buf *out)
{
	static const char *const points[] = { "a",  "b",  " ", ".",        "é", "会",
					      "。", "\n", "😀", "\xcc\x81", "م" };
	uint32_t count = 1 + (uint32_t)prng_below(prng, prng_chance(prng, 10) ? 30 : 4);

	buf_clear(out);
	for (uint32_t i = 0; i < count; i++)
		buf_append_str(out, points[prng_below(prng, sizeof(points) / sizeof(*points))]);
	return count;
}

/* Keys as people press them: mostly near the last. */
static inline void type(struct prng *prng, struct text_edit_builder *b, uint32_t *at)
{
	struct buf text = BUF_EMPTY;
	uint32_t count;

	if (*at > b->now || prng_chance(prng, 30))
		*at = (uint32_t)prng_below(prng, b->now + 1);
	if (prng_chance(prng, 60) || b->now == 0) {
		count = draw_text(prng, &text);
		assert_int_equal(text_edit_insert(b, *at, buf_bytes(&text), count), OK);
		*at += prng_chance(prng, 80) ? count : 0;
	} else {
		count = 1 + (uint32_t)prng_below(prng, 4);
		if (prng_chance(prng, 50) && *at >= count)
			*at -= count;
		count = count < b->now - *at ? count : b->now - *at;
		assert_int_equal(text_edit_delete(b, *at, count), OK);
	}
	buf_release(&text);
}

static inline struct dot dot_of(uint8_t replica, uint64_t seq)
{
	struct dot dot = { .seq = seq };

	dot.replica.bytes[0] = replica;
	return dot;
}

static inline void type_at(struct text *t, uint32_t pos, const char *text)
{
	assert_int_equal(text_insert(t, pos, bytes_of_str(text), (uint32_t)strlen(text)), OK);
}

/* Commit, and what others need of it; `e` is borrowed from the text. */
static inline void commit(struct text *t, struct dot dot, struct text_edit *e)
{
	assert_int_equal(text_commit(t, &dot, e), OK);
}

static inline void take(struct text *t, struct dot dot, const struct text_edit *e,
			const struct dot *parents, size_t parent_count)
{
	assert_int_equal(text_take(t, &dot, e, parents, parent_count), OK);
	assert_int_equal(text_merge(t, NULL), OK);
}

static inline void assert_reads(const struct text *t, struct bytes expected)
{
	struct buf text = BUF_EMPTY;

	rope_check(&t->rope);
	rope_read(&t->rope, 0, rope_size(&t->rope, ROPE_POINTS), &text);
	assert_int_equal(text.size, expected.size);
	if (expected.size)
		assert_memory_equal(text.data, expected.data, expected.size);
	buf_release(&text);
}

#endif
