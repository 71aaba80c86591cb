#include "core/text_log.h"

#include <assert.h>
#include <stdlib.h>

#include "core/array.h"

void text_log_release(struct text_log *l)
{
	free(l->items);
	buf_release(&l->text);
	*l = TEXT_LOG_EMPTY;
}

/* ---- Noting ---------------------------------------------------------------- */

/* Its text was appended, from `first_byte` on. */
static enum err add_item(struct text_log *l, const struct text_log_item *item)
{
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items)))
		goto fail;
	if (buf_check(&l->text))
		goto fail;
	l->items[l->count++] = *item;
	return OK;
fail:
	l->text.failed = false;
	l->text.size = item->first_byte;
	return ERR_NOMEM;
}

enum err text_log_note_insert(struct text_log *l, uint32_t pos, struct bytes text, uint32_t count)
{
	struct text_log_item item = { pos, count, l->text.size, true };

	buf_append(&l->text, text.data, text.size);
	return add_item(l, &item);
}

enum err text_log_note_remove(struct text_log *l, const struct rope *r, uint32_t pos,
			      uint32_t count)
{
	struct text_log_item item = { pos, count, l->text.size, false };

	rope_read(r, pos, count, &l->text);
	return add_item(l, &item);
}

enum err text_log_insert(struct text_log *l, struct rope *r, uint32_t pos, struct bytes text,
			 uint32_t count)
{
	enum err rc = text_log_note_insert(l, pos, text, count);

	return rc == OK ? rope_insert(r, pos, text) : rc;
}

enum err text_log_remove(struct text_log *l, struct rope *r, uint32_t pos, uint32_t count)
{
	enum err rc = text_log_note_remove(l, r, pos, count);

	if (rc == OK)
		rope_delete(r, pos, count);
	return rc;
}

/* ---- Back and forth -------------------------------------------------------- */

static enum err put(const struct text_log *l, struct rope *r, size_t at, bool is_insert)
{
	const struct text_log_item *item = &l->items[at];
	size_t end = at + 1 < l->count ? item[1].first_byte : l->text.size;

	if (is_insert)
		return rope_insert(
			r, item->pos,
			bytes_of(l->text.data + item->first_byte, end - item->first_byte));
	rope_delete(r, item->pos, item->count);
	return OK;
}

enum err text_log_undo(const struct text_log *l, struct rope *r, size_t to)
{
	enum err rc = OK;

	for (size_t i = l->count; i-- > to && rc == OK;)
		rc = put(l, r, i, !l->items[i].is_insert);
	return rc;
}

enum err text_log_redo(const struct text_log *l, struct rope *r, size_t from)
{
	enum err rc = OK;

	for (size_t i = from; i < l->count && rc == OK; i++)
		rc = put(l, r, i, l->items[i].is_insert);
	return rc;
}

void text_log_forget(struct text_log *l, size_t count)
{
	size_t bytes;

	assert(count <= l->count);
	if (count == 0)
		return;
	bytes = count < l->count ? l->items[count].first_byte : l->text.size;
	buf_consume(&l->text, bytes);
	l->count -= count;
	memmove(l->items, l->items + count, l->count * sizeof(*l->items));
	for (size_t i = 0; i < l->count; i++)
		l->items[i].first_byte -= bytes;
}
