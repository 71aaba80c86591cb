/* Packs of a text's history from anywhere: what is accepted holds edits that may be, has one
 * form when it is packed anew, and is a history to which texts can be made. */
#include "core/limits.h"
#include "core/text_pack_format.h"
#include "tests/fuzz/target.h"
#include "tests/support/text_events.h"

enum { FIRST = 2, EDITS_MAX = 64, LENGTH_MAX = 10000 };

/* Ascending, before it. */
static bool has_parents(const struct text_event *e, uint32_t number)
{
	for (size_t i = e->parent_count; i-- > 0; number = e->parents[i])
		if (e->parents[i] >= number)
			return false;
	return true;
}

static void require_same(const struct text_event *a, const struct text_event *b, size_t count)
{
	for (size_t i = 0; i < count; i++, a++, b++) {
		require(dot_cmp(&a->dot, &b->dot) == 0 && a->before == b->before);
		require(a->edit.length == b->edit.length && a->edit.run_count == b->edit.run_count);
		require(bytes_equal(a->edit.text, b->edit.text));
		for (size_t k = 0; k < a->edit.run_count; k++)
			require(a->edit.runs[k].pos == b->edit.runs[k].pos &&
				a->edit.runs[k].count == b->edit.runs[k].count &&
				a->edit.runs[k].step == b->edit.runs[k].step);
		require(a->parent_count == b->parent_count);
		for (size_t k = 0; k < a->parent_count; k++)
			require(a->parents[k] == b->parents[k]);
		require(a->sees_all == b->sees_all && a->is_adrift == b->is_adrift);
	}
}

static void require_one_form(const struct text_event *events, size_t count)
{
	struct arena arena = ARENA_EMPTY;
	struct buf one = BUF_EMPTY, two = BUF_EMPTY;
	const struct text_event *back;
	size_t back_count;

	require(text_pack_encode(&one, FIRST, events, count) == OK);
	require(text_pack_decode(buf_bytes(&one), FIRST, &arena, &back, &back_count, NULL) == OK);
	require(back_count == count);
	require_same(events, back, count);
	require(text_pack_encode(&two, FIRST, back, count) == OK);
	require(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	buf_release(&one);
	buf_release(&two);
	arena_release(&arena);
}

/* From the beginning, with two edits before it. */
static void require_text(const struct text_event *events, size_t count)
{
	struct text t = TEXT_EMPTY;
	struct text_edit nothing = { 0 };
	struct dot dots[FIRST + EDITS_MAX] = { { .seq = SEQ_MAX }, { .seq = SEQ_MAX + 1 } };

	for (size_t i = 0; i < FIRST; i++)
		require(text_take(&t, &dots[i], &nothing, NULL, 0) == OK);
	for (size_t i = 0; i < count; i++) {
		const struct text_event *e = &events[i];
		struct dot parents[FIRST + EDITS_MAX];

		for (size_t k = 0; k < e->parent_count; k++)
			parents[k] = dots[e->parents[k]];
		dots[FIRST + i] = e->dot;
		require(text_take(&t, &e->dot, &e->edit, parents, e->parent_count) == OK);
	}
	require(text_merge(&t, NULL) == OK);
	rope_check(&t.rope);
	text_release(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_EMPTY;
	const struct text_event *events;
	size_t count;
	bool is_short = true;

	if (text_pack_decode(bytes_of(data, size), FIRST, &arena, &events, &count, NULL) == OK) {
		for (size_t i = 0; i < count; i++) {
			require(text_edit_validate(&events[i].edit, NULL) == OK);
			require(has_parents(&events[i], FIRST + (uint32_t)i));
			is_short &=
				events[i].edit.length < LENGTH_MAX && events[i].dot.seq < SEQ_MAX;
		}
		require_one_form(events, count);
		if (is_short && count <= EDITS_MAX)
			require_text(events, count);
	}
	arena_release(&arena);
	return 0;
}
