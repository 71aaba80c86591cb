/* core/text: what people type at one place at once is not interleaved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/core/typing.h"

enum { PEOPLE_MAX = 5, GAPS_MAX = 4, KEYS_MAX = 40, LETTERS = 5, TYPED_MAX = 2 * KEYS_MAX };

/* Each has letters of his own, and types into gaps between digits, which stay. */
struct person {
	struct text text;
	struct dot dots[KEYS_MAX];
	struct text_edit edits[KEYS_MAX]; /* their own memory */
	struct dot parents[KEYS_MAX];
	size_t edit_count;
	uint32_t gap, at; /* where he types: in which gap, after how many letters of it */
};

static void read_gaps(const struct text *t, char gaps[GAPS_MAX][PEOPLE_MAX * TYPED_MAX])
{
	struct buf text = BUF_EMPTY;
	uint32_t gap = 0, size = 0;

	rope_read(&t->rope, 0, rope_size(&t->rope, ROPE_POINTS), &text);
	memset(gaps, 0, GAPS_MAX * sizeof(gaps[0]));
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= 'a')
			gaps[gap][size++] = (char)text.data[i];
		else
			gap++, size = 0;
	}
	buf_release(&text);
}

static void commit_of(struct person *p, uint8_t replica)
{
	struct text_edit e, *kept = &p->edits[p->edit_count];
	const struct text_history *h = &p->text.history;

	p->parents[p->edit_count] = text_history_dot(h, h->heads[0]);
	p->dots[p->edit_count] = dot_of(replica, 2 + p->edit_count);
	commit(&p->text, p->dots[p->edit_count], &e);
	if (e.run_count == 0)
		return;
	*kept = e;
	kept->runs = copy_of(e.runs, e.run_count * sizeof(*e.runs));
	kept->text.data = copy_of(e.text.data, e.text.size);
	p->edit_count++;
}

/* One key: forwards, backwards, somewhere in what he has typed, or a letter taken back. */
static void press(struct prng *prng, struct person *p, unsigned who)
{
	char gaps[GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	uint32_t pos = p->gap, typed;
	char letter[2] = { (char)('a' + LETTERS * who + prng_below(prng, LETTERS)) };

	read_gaps(&p->text, gaps);
	for (uint32_t i = 0; i < p->gap; i++)
		pos += (uint32_t)strlen(gaps[i]);
	typed = (uint32_t)strlen(gaps[p->gap]);
	if (prng_chance(prng, 10))
		p->at = (uint32_t)prng_below(prng, typed + 1);
	if (p->at > 0 && prng_chance(prng, 10)) {
		assert_int_equal(text_delete(&p->text, pos + --p->at, 1), OK);
		return;
	}
	type_at(&p->text, pos + p->at, letter);
	p->at += who % 2; /* every other one types backwards */
}

static void write_alone(struct prng *prng, struct person *p, unsigned who, uint32_t gaps)
{
	uint64_t keys = 1 + prng_below(prng, KEYS_MAX);

	for (uint64_t i = 0; i < keys; i++) {
		if (i == 0 || prng_chance(prng, 5)) {
			p->gap = (uint32_t)prng_below(prng, gaps);
			p->at = 0;
		}
		press(prng, p, who);
		if (prng_chance(prng, 20) || i + 1 == keys)
			commit_of(p, (uint8_t)(1 + who));
	}
}

/* From everybody else, one after the other or all mixed. */
static void take_all(struct prng *prng, struct person *people, unsigned count, unsigned to)
{
	size_t done[PEOPLE_MAX] = { 0 }, left = 0;
	bool in_turn = prng_chance(prng, 50);
	struct text *t = &people[to].text;

	for (unsigned i = 0; i < count; i++)
		left += i == to ? 0 : people[i].edit_count;
	while (left) {
		unsigned from = (unsigned)prng_below(prng, count);
		const struct person *p = &people[from];
		size_t batch = in_turn ? SIZE_MAX : 1;

		for (; from != to && batch-- && done[from] < p->edit_count; left--) {
			size_t i = done[from]++;

			assert_int_equal(text_take(t, &p->dots[i], &p->edits[i], &p->parents[i], 1),
					 OK);
		}
		if (prng_chance(prng, 50))
			assert_int_equal(text_merge(t, NULL), OK);
	}
	assert_int_equal(text_merge(t, NULL), OK);
}

/* What each has typed there is there, in one piece, and nothing else. */
static void assert_pieces(char (*alone)[GAPS_MAX][PEOPLE_MAX * TYPED_MAX], unsigned count,
			  char together[GAPS_MAX][PEOPLE_MAX * TYPED_MAX])
{
	for (unsigned gap = 0; gap < GAPS_MAX; gap++) {
		const char *rest = together[gap];

		while (*rest) {
			unsigned who = (unsigned)(*rest - 'a') / LETTERS;
			size_t size;

			assert_true(who < count);
			size = strlen(alone[who][gap]);
			assert_true(size > 0 && strncmp(rest, alone[who][gap], size) == 0);
			rest += size;
			alone[who][gap][0] = '\0'; /* once */
		}
		for (unsigned i = 0; i < count; i++)
			assert_int_equal(alone[i][gap][0], '\0');
	}
}

static void meet_at_one_place(struct prng *prng)
{
	char alone[PEOPLE_MAX][GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	char copy[PEOPLE_MAX][GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	char together[GAPS_MAX][PEOPLE_MAX * TYPED_MAX];
	unsigned count = 2 + (unsigned)prng_below(prng, PEOPLE_MAX - 1);
	uint32_t gaps = 1 + (uint32_t)prng_below(prng, GAPS_MAX);
	struct person *people = calloc(count, sizeof(*people));
	struct text_run run = { 0, gaps - 1, TEXT_INSERT };
	struct text_edit digits = { 0, &run, gaps > 1, bytes_of("012", gaps - 1) };
	struct dot first = dot_of(9, 1);

	assert_non_null(people);
	for (unsigned i = 0; i < count; i++) {
		people[i].text = TEXT_EMPTY;
		take(&people[i].text, first, &digits, NULL, 0);
		write_alone(prng, &people[i], i, gaps);
		read_gaps(&people[i].text, alone[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		take_all(prng, people, count, i);
		read_gaps(&people[i].text, together);
		memcpy(copy, alone, sizeof(copy));
		assert_pieces(copy, count, together);
	}
	for (unsigned i = 0; i < count; i++) {
		text_release(&people[i].text);
		for (size_t k = 0; k < people[i].edit_count; k++) {
			free((void *)people[i].edits[k].runs);
			free((void *)people[i].edits[k].text.data);
		}
	}
	free(people);
}

static void what_each_types_at_one_place_stays_together(void **state)
{
	const char *wanted = getenv("HUITONG_TEXTS");
	uint64_t count = wanted ? strtoull(wanted, NULL, 10) : 300;
	struct prng prng;

	(void)state;
	prng_init(&prng, prng_seed_from_environment());
	for (uint64_t i = 0; i < count; i++)
		meet_at_one_place(&prng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_each_types_at_one_place_stays_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
