/* core/text_rewrite: what was changed, and what becomes of it beside others' changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/text.h"
#include "core/text_rewrite.h"
#include "core/utf8.h"
#include "tests/support/prng.h"

static void add_edit(struct text *t, uint8_t replica, uint64_t seq, const char *from,
		     const char *to, const struct dot *seen)
{
	struct dot dot = { { { replica } }, seq };
	struct text_edit_builder b = { 0 };
	struct text_edit made;

	text_edit_begin(&b, (uint32_t)utf8_count(bytes_of_str(from)));
	assert_int_equal(text_rewrite(bytes_of_str(from), bytes_of_str(to), &b), OK);
	made = text_edit_built(&b);
	assert_int_equal(text_edit_validate(&made, NULL), OK);
	assert_int_equal(text_take(t, &dot, &made, seen, seen != NULL), OK);
	text_edit_release(&b);
}

/* What the text is when two made theirs of one. */
static void expect_merged(const char *from, const char *one, const char *other,
			  const char *expected)
{
	static const struct dot first = { { { 1 } }, 1 };
	struct text t = TEXT_EMPTY;
	struct buf now = BUF_EMPTY;

	add_edit(&t, 1, 1, "", from, NULL);
	add_edit(&t, 2, 1, from, one, &first);
	add_edit(&t, 3, 1, from, other, &first);
	assert_int_equal(text_merge(&t, NULL), OK);
	rope_read(&t.rope, 0, rope_size(&t.rope, ROPE_POINTS), &now);
	buf_append_byte(&now, 0);
	assert_string_equal(now.data, expected);
	buf_release(&now);
	text_release(&t);
}

static void two_words_for_one_stay_whole(void **state)
{
	expect_merged("by Friday.", "by Monday noon.", "by Thursday.", "by Monday noonThursday.");
	expect_merged("We buy ships.", "We sell ships.", "We borrow ships.",
		      "We sellborrow ships.");
	expect_merged("三月上线", "四月上线", "五月上线", "四五月上线");
}

static void a_slip_of_the_pen_is_mended_beside_other_changes_of_the_word(void **state)
{
	expect_merged("the acceptence", "the acceptance", "the Acceptence", "the Acceptance");
	expect_merged("decide", "decided", "undecide", "undecided");
}

static void numbers_are_not_mixed(void **state)
{
	expect_merged("at 17:30", "at 18:30", "at 17:45", "at 18:3017:45");
	expect_merged("1000000", "2000000", "1000001", "20000001000001");
}

static void changes_apart_are_merged(void **state)
{
	expect_merged("We buy ships.\nIn May.\n", "We all buy ships.\nIn May.\n",
		      "We buy ships.\nIn June.\n", "We all buy ships.\nIn June.\n");
}

static void random_text(struct prng *prng, char *out)
{
	static const char *const parts[] = { "We", " ", "decide", "decided",     "三", "月",
					     "\n", ".", "x",      "👩‍🚀", "7",  "é" };

	*out = 0;
	for (uint64_t left = prng_below(prng, 30); left--;)
		strcat(out, parts[prng_below(prng, sizeof(parts) / sizeof(parts[0]))]);
}

static void what_was_left_is_what_the_edit_makes(void **state)
{
	static const struct dot first = { { { 1 } }, 1 };
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int i = 0; i < 2000; i++) {
		char from[512], to[512];
		struct text t = TEXT_EMPTY;
		struct buf now = BUF_EMPTY;

		random_text(&prng, from);
		random_text(&prng, to);
		add_edit(&t, 1, 1, "", from, NULL);
		add_edit(&t, 2, 1, from, to, &first);
		assert_int_equal(text_merge(&t, NULL), OK);
		rope_read(&t.rope, 0, rope_size(&t.rope, ROPE_POINTS), &now);
		assert_true(bytes_equal(buf_bytes(&now), bytes_of_str(to)));
		buf_release(&now);
		text_release(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_words_for_one_stay_whole),
		cmocka_unit_test(a_slip_of_the_pen_is_mended_beside_other_changes_of_the_word),
		cmocka_unit_test(numbers_are_not_mixed),
		cmocka_unit_test(changes_apart_are_merged),
		cmocka_unit_test(what_was_left_is_what_the_edit_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
