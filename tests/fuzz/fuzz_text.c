/* Edits of a text from anywhere, well formed or not, true or not: what is accepted gives
 * the same text in every order of delivery, and the same sentences to be reread, and its parts
 * agree with each other.
 *
 * The input is [[author, [parent, ...], edit, text], ...]; a parent is the number of an
 * earlier edit, or names none. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/text_reread.h"

enum { EDITS_MAX = 64, PARENTS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	struct dot dot, parents[PARENTS_MAX];
	uint32_t parent_count;
	struct text_edit edit;
};

struct inputs {
	struct input list[EDITS_MAX];
	size_t count;
	uint64_t seqs[256];
};

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void require_one_form(const struct text_edit *e, struct bytes encoded)
{
	struct buf again = BUF_EMPTY;

	text_edit_encode(&again, e);
	require(bytes_equal(buf_bytes(&again), encoded));
	buf_release(&again);
}

static void read_parents(struct wire_reader *r, const struct inputs *all, struct input *in)
{
	in->parent_count = wire_array(r, PARENTS_MAX);
	for (uint32_t i = 0; i < in->parent_count; i++) {
		uint64_t number = wire_uint(r, UINT32_MAX);

		if (number < all->count)
			in->parents[i] = all->list[number].dot;
		else
			in->parents[i] = (struct dot){ .seq = SEQ_MAX };
	}
}

/* False at the end of what can be read. */
static bool read_input(struct wire_reader *r, struct inputs *all, struct arena *arena)
{
	struct input *in = &all->list[all->count];
	struct bytes encoded;
	uint8_t author;

	if (wire_array(r, 4) != 4)
		return false;
	author = (uint8_t)wire_uint(r, UINT8_MAX);
	read_parents(r, all, in);
	encoded = wire_bin(r, CHANGESET_BYTES_MAX);
	in->edit.text = wire_str(r, TEXT_BYTES_MAX);
	if (!wire_is_ok(r) || text_edit_decode(&in->edit, encoded, arena, NULL) != OK ||
	    text_edit_validate(&in->edit, NULL) != OK)
		return wire_is_ok(r);
	require_one_form(&in->edit, encoded);
	in->dot = (struct dot){ .seq = ++all->seqs[author] };
	in->dot.replica.bytes[0] = author;
	all->count++;
	return true;
}

static bool has(const struct text *t, const struct dot *dot)
{
	return text_history_find(&t->history, dot) != TEXT_NONE;
}

/* Its parents are there, and what its author has written before. */
static bool is_ready(const struct text *t, const struct input *in)
{
	struct dot before = { in->dot.replica, in->dot.seq - 1 };

	for (uint32_t i = 0; i < in->parent_count; i++)
		if (in->parents[i].seq != SEQ_MAX && !has(t, &in->parents[i]))
			return false;
	return before.seq == 0 || has(t, &before);
}

static void take(struct text *t, const struct input *in, bool merge)
{
	require(text_take(t, &in->dot, &in->edit, in->parents, in->parent_count) == OK);
	if (merge)
		require(text_merge(t, NULL) == OK);
}

/* The last that can be, again and again. */
static void take_backwards(struct text *t, const struct inputs *all)
{
	for (size_t taken = 0; taken < all->count; taken++) {
		size_t i = all->count - 1;

		while (has(t, &all->list[i].dot) || !is_ready(t, &all->list[i]))
			i--;
		take(t, &all->list[i], true);
	}
}

static void read_text(const struct text *t, struct buf *out)
{
	rope_check(&t->rope);
	rope_read(&t->rope, 0, rope_size(&t->rope, ROPE_POINTS), out);
	require(buf_check(out) == OK);
}

static bool put_note(void *ctx, const struct reread_note *note)
{
	buf_printf(ctx, "\n%u %u", note->from, note->to);
	return true;
}

static void require_same(struct text *a, struct text *b)
{
	struct buf x = BUF_EMPTY, y = BUF_EMPTY;

	read_text(a, &x);
	read_text(b, &y);
	require(text_reread(a, put_note, &x) == OK && text_reread(b, put_note, &y) == OK);
	require(bytes_equal(buf_bytes(&x), buf_bytes(&y)));
	buf_release(&x);
	buf_release(&y);
}

/* What is there now is also what was there at the version of all heads. */
static void require_version(const struct text *t)
{
	struct buf now = BUF_EMPTY, then = BUF_EMPTY;

	read_text(t, &now);
	require(text_at(t, t->history.heads, t->history.head_count, &then) == OK);
	require(bytes_equal(buf_bytes(&now), buf_bytes(&then)));
	buf_release(&now);
	buf_release(&then);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader r = wire_reader_of(bytes_of(data, size));
	struct text one_by_one = TEXT_EMPTY, at_once = TEXT_EMPTY, backwards = TEXT_EMPTY;
	struct arena arena = ARENA_EMPTY;
	struct inputs all = { .count = 0 };
	uint32_t count = wire_array(&r, EDITS_MAX);

	while (count-- && read_input(&r, &all, &arena))
		;
	for (size_t i = 0; i < all.count; i++) {
		take(&one_by_one, &all.list[i], true);
		take(&at_once, &all.list[i], false);
	}
	require(text_merge(&at_once, NULL) == OK);
	take_backwards(&backwards, &all);
	require_same(&one_by_one, &at_once);
	require_same(&one_by_one, &backwards);
	require_version(&one_by_one);
	text_release(&one_by_one);
	text_release(&at_once);
	text_release(&backwards);
	arena_release(&arena);
	return 0;
}
