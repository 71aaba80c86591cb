/* core/difference: both texts follow from it, whatever the pieces are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/difference.h"
#include "core/utf8.h"
#include "tests/support/prng.h"

static void random_text(struct prng *prng, struct buf *out)
{
	static const char *const parts[] = { "We", " ", "decided",     "三", "月",
					     "\n", ".", "👩‍🚀", "é" };

	for (uint64_t left = prng_below(prng, 40); left--;)
		buf_append_str(out, parts[prng_below(prng, sizeof(parts) / sizeof(parts[0]))]);
}

/* What is the same with what is gone is the one text, with what came the other. */
static void check(struct bytes from, struct bytes to, segment_size *segment, bool is_tidy)
{
	struct buf a = BUF_EMPTY, b = BUF_EMPTY;
	struct difference d = DIFFERENCE_EMPTY;

	assert_int_equal(difference_make(&d, from, to, segment), OK);
	if (is_tidy)
		difference_tidy(&d);
	for (size_t i = 0; i < d.count; i++) {
		const struct difference_part *c = &d.list[i];

		buf_append(&a, c->same.data, c->same.size);
		buf_append(&b, c->same.data, c->same.size);
		assert_int_equal(utf8_count(buf_bytes(&a)), c->at);
		buf_append(&a, c->gone.data, c->gone.size);
		buf_append(&b, c->come.data, c->come.size);
		assert_true(c->gone.size || c->come.size);
	}
	buf_append(&a, d.rest.data, d.rest.size);
	buf_append(&b, d.rest.data, d.rest.size);
	assert_true(bytes_equal(buf_bytes(&a), from));
	assert_true(bytes_equal(buf_bytes(&b), to));
	difference_release(&d);
	buf_release(&a);
	buf_release(&b);
}

static void both_texts_follow_from_a_difference(void **state)
{
	static segment_size *const segments[] = { segment_point, segment_word, segment_line };
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());

	for (int i = 0; i < 3000; i++) {
		struct buf from = BUF_EMPTY, to = BUF_EMPTY;

		random_text(&prng, &from);
		random_text(&prng, &to);
		check(buf_bytes(&from), buf_bytes(&to), segments[i % 3], i % 2);
		buf_release(&from);
		buf_release(&to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_texts_follow_from_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
