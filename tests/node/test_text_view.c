/* node/text_view: differences as people see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/text_view.h"

static void expect_show(const char *from, const char *to, enum difference_style style,
			bool has_colour, const char *expected)
{
	struct buf shown = BUF_EMPTY;

	assert_int_equal(
		difference_show(bytes_of_str(from), bytes_of_str(to), style, has_colour, &shown),
		OK);
	buf_append_byte(&shown, 0);
	assert_string_equal(shown.data, expected);
	buf_release(&shown);
}

static void expect_words(const char *from, const char *to, const char *expected)
{
	expect_show(from, to, DIFFERENCE_WORDS, false, expected);
}

static void words_differ_not_characters(void **state)
{
	expect_words("to buy ships", "to sell ships", "to [-buy-]{+sell+} ships");
	expect_words("三月一日上线", "三月二日上线", "三月[-一-]{+二+}日上线");
	expect_words("We agree.", "We do not agree.", "We {+do not +}agree.");
	expect_words("café", "cafe\u0301", "[-café-]{+cafe\u0301+}");
	expect_words("", "new", "{+new+}");
	expect_words("old", "", "[-old-]");
	expect_words("same", "same", "");
	expect_words("a\nb\n", "a\nc\n", "a\n[-b-]{+c+}\n");
	expect_words("a", "a\nb", "a{+\nb+}");
}

static void changes_with_almost_nothing_between_are_one(void **state)
{
	expect_words("due on Monday evening", "due by Friday evening",
		     "due [-on Monday-]{+by Friday+} evening");
	expect_words("from Monday to Friday", "from Tuesday to Sunday",
		     "from [-Monday-]{+Tuesday+} to [-Friday-]{+Sunday+}");
	expect_words("the customer.", "the customer.\n3. Send the mail.",
		     "the customer.{+\n3. Send the mail.+}");
	expect_words("It is.\n2. All is.", "It is.\n3. More is.\n2. All is.",
		     "It is.\n{+3. More is.\n+}2. All is.");
	expect_words("the customer.", "the customer.\n3. A.\n4. B.",
		     "the customer.{+\n3. A.\n4. B.+}");
	expect_words("Jonas calls the customer.", "Jonas writes to the customer.\n3. A.\n3. B.",
		     "Jonas [-calls-]{+writes to+} the customer.{+\n3. A.\n3. B.+}");
	expect_words(
		"in by Friday.\n\n1. 王芳负责验收报告。\n2. Jonas calls the customer.",
		"in to the customer by Thursday.\n\n1. 王芳负责验收报告。\n"
		"2. Jonas writes to the customer.\n3. Send the certificate to the port authority.",
		"in {+to the customer +}by [-Friday-]{+Thursday+}.\n\n1. 王芳负责验收报告。\n"
		"2. Jonas [-calls-]{+writes to+} the customer.{+\n"
		"3. Send the certificate to the port authority.+}");
	expect_words("the customer.\n3. A.", "the customer.", "the customer.[-\n3. A.-]");
	expect_words("We agree", "Today we agree", "[-We-]{+Today we+} agree");
	expect_words("first one\nsecond two", "third one\nfourth two",
		     "[-first-]{+third+} one\n[-second-]{+fourth+} two");
}

static void long_parts_that_are_the_same_are_left_out(void **state)
{
	expect_words("1\n2\n3\n4\n5\n6\n7 a\n8\n9\n10\n11\n",
		     "1\n2\n3\n4\n5\n6\n7 b\n8\n9\n10\n11\n",
		     "  ... 5 lines ...\n6\n7 [-a-]{+b+}\n8\n  ... 3 lines ...\n");
	expect_words("a\n2\n3\n4\n5\n6\n", "b\n2\n3\n4\n5\n6\n",
		     "[-a-]{+b+}\n2\n  ... 4 lines ...\n");
}

static void lines_have_a_sign_in_front(void **state)
{
	expect_show("a\nb\nc", "a\nB\nc\nd", DIFFERENCE_LINES, false, "  a\n- b\n+ B\n  c\n+ d\n");
	expect_show("a\nb", "a", DIFFERENCE_LINES, false, "  a\n- b\n");
}

static void colours_end_with_the_line(void **state)
{
	expect_show("a b", "a c\nd", DIFFERENCE_WORDS, true,
		    "a \033[31m[-b-]\033[m\033[32m{+c\033[m\n\033[32md+}\033[m");
}

static void what_others_wrote_does_not_steer_the_terminal(void **state)
{
	expect_words("a", "a \033[2J\u202e", "a{+ \ufffd[2J\ufffd+}");
}

static void a_brief_difference_is_one_short_line(void **state)
{
	struct buf shown = BUF_EMPTY;

	assert_int_equal(difference_brief(bytes_of_str("a and b and c and d and e"),
					  bytes_of_str("1\n2 and B and C and D and E"), &shown),
			 OK);
	buf_append_byte(&shown, 0);
	assert_string_equal(shown.data, "[-a-]{+1 2+} [-b-]{+B+} [-c-]{+C+} [-d-]{+D+} ...");
	buf_clear(&shown);
	assert_int_equal(difference_brief(bytes_of_str(""),
					  bytes_of_str("more than anybody wants to read here"),
					  &shown),
			 OK);
	buf_append_byte(&shown, 0);
	assert_string_equal(shown.data, "{+more than anybody wants…+}");
	buf_release(&shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_differ_not_characters),
		cmocka_unit_test(changes_with_almost_nothing_between_are_one),
		cmocka_unit_test(long_parts_that_are_the_same_are_left_out),
		cmocka_unit_test(lines_have_a_sign_in_front),
		cmocka_unit_test(colours_end_with_the_line),
		cmocka_unit_test(what_others_wrote_does_not_steer_the_terminal),
		cmocka_unit_test(a_brief_difference_is_one_short_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
