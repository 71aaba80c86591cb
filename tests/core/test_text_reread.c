/* core/text_reread: which sentences nobody has read as they are, in whatever order the edits
 * come. (Against the tree of tests/support/text_model: test_text.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/text_diff.h"
#include "core/text_reread.h"
#include "core/utf8.h"

enum { STEPS_MAX = 6 };

/* Somebody makes `to` of the text as it was with the steps in `seen`, a bit each. */
struct step {
	uint8_t author;
	unsigned seen;
	const char *to;
};

#define SEEN(n) (1u << (n))

/* The sentences to be reread, with '|' after each. */
static const struct story {
	const char *what;
	struct step steps[STEPS_MAX];
	const char *noted;
} stories[] = {
	{ "one after the other",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 1, SEEN(1), "We buy two old ships. They sail." } },
	  "" },
	{ "two in one sentence",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 3, SEEN(0), "We now buy ships. They sail." } },
	  "We now buy two ships.|" },
	{ "two in neighbouring sentences",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 3, SEEN(0), "We buy ships. They all sail." } },
	  "" },
	{ "one appends a sentence to another's",
	  { { 1, 0, "We buy ships." },
	    { 2, SEEN(0), "We buy two ships." },
	    { 3, SEEN(0), "We buy ships. They sail." } },
	  "" },
	{ "two append a sentence each",
	  { { 1, 0, "We buy." },
	    { 2, SEEN(0), "We buy. They sail." },
	    { 3, SEEN(0), "We buy. They sink." } },
	  "" },
	{ "two go on with one sentence",
	  { { 1, 0, "We buy" }, { 2, SEEN(0), "We buy ships" }, { 3, SEEN(0), "We buy cars" } },
	  "We buy ships cars|" },
	{ "one deletes the sentence that the other edits",
	  { { 1, 0, "It rains. We buy ships. They sail." },
	    { 2, SEEN(0), "It rains. They sail." },
	    { 3, SEEN(0), "It rains. We buy two ships. They sail." } },
	  "two They sail.|" },
	{ "two delete words of one sentence",
	  { { 1, 0, "We buy two old ships now." },
	    { 2, SEEN(0), "We buy old ships now." },
	    { 3, SEEN(0), "We buy two old ships." } },
	  "We buy old ships.|" },
	{ "two delete the same word",
	  { { 1, 0, "We buy old ships." },
	    { 2, SEEN(0), "We buy ships." },
	    { 3, SEEN(0), "We buy ships." } },
	  "We buy ships.|" },
	{ "one deletes the end of a sentence",
	  { { 1, 0, "It costs 3.5" },
	    { 2, SEEN(0), "It costs 3." },
	    { 3, SEEN(0), "Now it costs 3.5" } },
	  "Now it costs 3.|" },
	{ "all of it is deleted twice",
	  { { 1, 0, "We buy." }, { 2, SEEN(0), "" }, { 3, SEEN(0), "" } },
	  "" },
	{ "two in one Chinese sentence",
	  { { 1, 0, "我们买船。明天出发；再说吧！" },
	    { 2, SEEN(0), "我们买船。明天上午出发；再说吧！" },
	    { 3, SEEN(0), "我们买船。我们明天出发；再说吧！" } },
	  "我们明天上午出发；|" },
	{ "two in neighbouring Chinese sentences",
	  { { 1, 0, "我们买船。明天出发；再说吧！" },
	    { 2, SEEN(0), "我们买两艘船。明天出发；再说吧！" },
	    { 3, SEEN(0), "我们买船。明天出发；以后再说吧！" } },
	  "" },
	{ "three in two sentences",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 3, SEEN(0), "We now buy ships. They all sail." },
	    { 4, SEEN(0), "We buy ships. They sail off." } },
	  "We now buy two ships.|They all sail off.|" },
	{ "two have been read by the third's neighbour",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 3, SEEN(0), "We now buy ships. They sail." },
	    { 2, SEEN(1) | SEEN(2), "We now buy two ships. They all sail." },
	    { 4, SEEN(0), "We buy ships. They sail off." } },
	  "They all sail off.|" },
	{ "each has read another's, and nobody all",
	  { { 1, 0, "so we buy." },
	    { 2, SEEN(0), "so we now buy." },
	    { 3, SEEN(1), "so we now buy two." },
	    { 4, SEEN(0), "so here we buy." } },
	  "so here we now buy two.|" },
	{ "somebody writes on",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 3, SEEN(0), "We now buy ships. They sail." },
	    { 3, SEEN(1) | SEEN(2), "We now buy two ships. They sail off." } },
	  "" },
	{ "somebody rereads",
	  { { 1, 0, "We buy ships." },
	    { 2, SEEN(0), "We buy two ships." },
	    { 3, SEEN(0), "We now buy ships." },
	    { 1, SEEN(1) | SEEN(2), "We now buy two ships." } },
	  "" },
	{ "two reread at once",
	  { { 1, 0, "We buy ships." },
	    { 2, SEEN(0), "We buy two ships." },
	    { 3, SEEN(0), "We now buy ships." },
	    { 2, SEEN(1) | SEEN(2), "We now buy two ships." },
	    { 3, SEEN(1) | SEEN(2), "We now buy two ships." } },
	  "" },
	{ "a third writes while one rereads",
	  { { 1, 0, "We buy ships." },
	    { 2, SEEN(0), "We buy two ships." },
	    { 3, SEEN(0), "We now buy ships." },
	    { 1, SEEN(1) | SEEN(2), "We now buy two ships." },
	    { 4, SEEN(0), "We buy old ships." } },
	  "We now buy two old ships.|" },
	{ "old notes don't come back",
	  { { 1, 0, "We buy ships. They sail." },
	    { 2, SEEN(0), "We buy two ships. They sail." },
	    { 3, SEEN(0), "We now buy ships. They sail." },
	    { 1, SEEN(1) | SEEN(2), "We now buy two ships. They sail." },
	    { 4, SEEN(0), "We buy ships. They sail off." } },
	  "" },
	{ "two at one node, the editor of one open for long",
	  { { 1, 0, "We buy ships. They sail." },
	    { 1, SEEN(0), "We buy two ships. They sail." },
	    { 1, SEEN(0), "We now buy ships. They sail." } },
	  "We now buy two ships.|" },
	{ "then somebody writes on",
	  { { 1, 0, "We buy ships. They sail." },
	    { 1, SEEN(0), "We buy two ships. They sail." },
	    { 1, SEEN(0), "We now buy ships. They sail." },
	    { 2, SEEN(2), "We now buy two ships. They sail off." } },
	  "" },
};

/* ---- Telling a story ------------------------------------------------------- */

struct told {
	struct dot dot;
	struct text_edit_builder b;
	struct text_edit edit;
	struct dot parents[STEPS_MAX];
	size_t parent_count;
};

static size_t heads_of(const struct text *t, const struct told *told, unsigned seen,
		       uint32_t *heads)
{
	size_t count = 0;

	for (unsigned i = 0; i < STEPS_MAX; i++)
		if (seen & SEEN(i))
			heads[count++] = text_history_find(&t->history, &told[i].dot);
	return count;
}

static void take(struct text *t, const struct told *told)
{
	assert_int_equal(text_take(t, &told->dot, &told->edit, told->parents, told->parent_count),
			 OK);
	assert_int_equal(text_merge(t, NULL), OK);
}

static void tell(struct text *t, struct told *told, size_t at, const struct step *step)
{
	uint32_t heads[STEPS_MAX];
	size_t count = heads_of(t, told, step->seen, heads);
	struct told *next = &told[at];
	struct buf then = BUF_EMPTY;

	next->dot.replica.bytes[0] = step->author;
	next->dot.seq = at + 1;
	for (unsigned i = 0; i < at; i++)
		if (step->seen & SEEN(i))
			next->parents[next->parent_count++] = told[i].dot;
	assert_int_equal(text_at(t, heads, count, &then), OK);
	text_edit_begin(&next->b, (uint32_t)utf8_count(buf_bytes(&then)));
	assert_int_equal(text_diff(buf_bytes(&then), bytes_of_str(step->to), &next->b), OK);
	next->edit = text_edit_built(&next->b);
	assert_int_equal(text_edit_validate(&next->edit, NULL), OK);
	take(t, next);
	buf_release(&then);
}

static bool put_note(void *ctx, const struct reread_note *note)
{
	struct buf *out = ctx;

	assert_true(note->touch_count >= 2);
	assert_int_equal(note->to - note->from, utf8_count(note->text));
	buf_append(out, note->text.data, note->text.size);
	buf_append_byte(out, '|');
	return true;
}

static void assert_noted(struct text *t, const char *expected)
{
	struct buf noted = BUF_EMPTY;

	assert_int_equal(text_reread(t, put_note, &noted), OK);
	buf_append_byte(&noted, 0);
	assert_string_equal((const char *)noted.data, expected);
	buf_release(&noted);
}

/* ---- In every order -------------------------------------------------------- */

/* A step comes after those that it has seen and those of its author before it. */
static bool may_come(const struct story *s, unsigned done, unsigned step)
{
	for (unsigned i = 0; i < step; i++)
		if (!(done & SEEN(i)) &&
		    (s->steps[step].seen & SEEN(i) || s->steps[i].author == s->steps[step].author))
			return false;
	return !(done & SEEN(step)) && s->steps[step].author;
}

static unsigned come(const struct story *s, const struct told *told, const unsigned *order,
		     unsigned count, unsigned done)
{
	struct text t = TEXT_EMPTY;
	unsigned orders = 0, longer[STEPS_MAX];

	memcpy(longer, order, count * sizeof(*order));
	for (unsigned i = 0; i < STEPS_MAX; i++)
		if (may_come(s, done, i)) {
			longer[count] = i;
			orders += come(s, told, longer, count + 1, done | SEEN(i));
		}
	if (orders)
		return orders;
	for (unsigned i = 0; i < count; i++)
		take(&t, &told[order[i]]);
	assert_noted(&t, s->noted);
	text_release(&t);
	return 1;
}

static void sentences_that_nobody_has_read_are_noted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *s = &stories[i];
		struct told told[STEPS_MAX] = { { .parent_count = 0 } };
		struct text t = TEXT_EMPTY;
		unsigned order[STEPS_MAX];

		print_message("%s\n", s->what);
		for (size_t k = 0; k < STEPS_MAX && s->steps[k].author; k++)
			tell(&t, told, k, &s->steps[k]);
		assert_noted(&t, s->noted);
		assert_true(come(s, told, order, 0, 0) > 0);
		for (size_t k = 0; k < STEPS_MAX; k++)
			text_edit_release(&told[k].b);
		text_release(&t);
	}
}

/* ---- What it does not depend on -------------------------------------------- */

static void put(struct text *t, const struct dot *dot, const struct dot *parent, uint32_t length,
		uint32_t pos, const char *text)
{
	struct text_run run = { pos, (uint32_t)strlen(text), TEXT_INSERT };
	struct text_edit e = { length, &run, 1, bytes_of_str(text) };

	assert_int_equal(text_take(t, dot, &e, parent, parent ? 1 : 0), OK);
	assert_int_equal(text_merge(t, NULL), OK);
}

static struct dot dot_of(uint8_t author, uint64_t seq)
{
	return (struct dot){ { { author } }, seq };
}

/* Beyond what can be told apart, sentences that two have touched are noted, whoever has read
 * them, and no others. */
static void many_at_once_err_by_noting(void **state)
{
	enum { MANY = TEXT_READERS_MAX + 2 };
	struct dot root = dot_of(MANY + 1, 1), last = dot_of(MANY, 1);
	struct text t = TEXT_EMPTY;
	char line[4 * MANY + 1] = "";

	(void)state;
	for (int i = 0; i < MANY; i++)
		memcpy(line + 4 * i, "ab.\n", 5);
	put(&t, &root, NULL, 0, 0, line);
	for (uint8_t i = 1; i <= MANY; i++) {
		struct dot dot = dot_of(i, 1);

		put(&t, &dot, &root, 4 * MANY, 4 * (i - 1u) + 1, "x");
	}
	assert_noted(&t, "");
	put(&t, &(struct dot){ last.replica, 2 }, &last, 4 * MANY + 1, 4 * MANY - 3, "y");
	assert_noted(&t, "ayxb.|");
	text_release(&t);
}

/* Three sentences of so many code points each; two write at both ends of the second one. */
static void note_long_sentence(uint32_t length)
{
	struct dot root = dot_of(1, 1), left = dot_of(2, 1), right = dot_of(3, 1);
	struct text_run run = { 0, 3 * length, TEXT_INSERT };
	struct buf whole = BUF_EMPTY, expected = BUF_EMPTY;
	struct text t = TEXT_EMPTY;
	struct text_edit e;

	for (uint32_t i = 1; i <= 3 * length; i++)
		buf_append_str(&whole, i % length ? "会" : "。");
	e = (struct text_edit){ 0, &run, 1, buf_bytes(&whole) };
	assert_int_equal(text_take(&t, &root, &e, NULL, 0), OK);
	put(&t, &left, &root, 3 * length, length, "1");
	put(&t, &right, &root, 3 * length, 2 * length - 1, "2");
	buf_append_byte(&expected, '1');
	for (uint32_t i = 1; i < length; i++)
		buf_append_str(&expected, "会");
	buf_append(&expected, "2。|", 6);
	assert_noted(&t, (const char *)expected.data);
	text_release(&t);
	buf_release(&whole);
	buf_release(&expected);
}

static void sentences_of_any_length_are_found_whole(void **state)
{
	(void)state;
	for (uint32_t length = 2; length < 200; length++)
		note_long_sentence(length);
	for (uint32_t length = 1020; length < 1030; length++)
		note_long_sentence(length);
	note_long_sentence(5000);
}

static void what_an_edit_takes_back_itself_is_no_touch(void **state)
{
	struct dot root = dot_of(1, 1), dot = dot_of(2, 1);
	struct text_run runs[] = { { 2, 3, TEXT_INSERT },
				   { 2, 3, TEXT_DELETE },
				   { 0, 1, TEXT_INSERT } };
	struct text_edit e = { 8, runs, 3, bytes_of_str("abcA") };
	struct text t = TEXT_EMPTY;

	(void)state;
	put(&t, &root, NULL, 0, 0, "one.\ntwo");
	put(&t, &dot, &root, 8, 8, "2");
	dot = dot_of(3, 1);
	runs[0].pos = runs[1].pos = 6;
	assert_int_equal(text_take(&t, &dot, &e, &root, 1), OK);
	assert_int_equal(text_merge(&t, NULL), OK);
	assert_noted(&t, "");
	text_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences_that_nobody_has_read_are_noted),
		cmocka_unit_test(many_at_once_err_by_noting),
		cmocka_unit_test(sentences_of_any_length_are_found_whole),
		cmocka_unit_test(what_an_edit_takes_back_itself_is_no_touch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
