#include "core/gather.h"

#include "core/limits.h"
#include "core/text.h"
#include "core/utf8.h"

/* How long the text is with the first `count` heads. One that does not count any more makes an
 * edit adrift whatever it says. */
static enum err measure(const struct gather *g, const struct text *t, const struct dot *heads,
			size_t count, uint32_t *out)
{
	uint32_t *edits = arena_array(g->arena, count, sizeof(*edits));
	struct buf then = BUF_EMPTY;
	size_t known = 0;
	enum err rc = edits ? OK : ERR_NOMEM;

	for (size_t i = 0; rc == OK && i < count; i++) {
		edits[known] = text_history_find(&t->history, &heads[i]);
		known += edits[known] != TEXT_NONE;
	}
	if (rc == OK)
		rc = text_at(t, edits, known, &then);
	if (rc == OK)
		*out = (uint32_t)utf8_count(buf_bytes(&then));
	buf_release(&then);
	return rc;
}

/* *dot: what is written. */
static enum err write_nothing(const struct gather *g, const struct dot *seen, size_t count,
			      uint32_t length, struct dot *dot)
{
	const struct text_edit nothing = { .length = length };
	struct replica *r = g->replica;
	struct edit *e;
	enum err rc = edit_open(&e, r, g->space, g->author, g->now_ms, g->msg);

	if (rc != OK)
		return rc;
	rc = edit_splice(e, g->kind, g->record, g->field, seen, count, &nothing, g->msg);
	if (rc == OK)
		rc = edit_seal(e, g->msg);
	else
		edit_drop(e);
	/* Known only now: it may have begun a new epoch. */
	dot->replica = *replica_id(r);
	dot->seq = vv_get(replica_vv(r, g->space), &dot->replica);
	return rc;
}

static enum err gather(const struct gather *g, const struct text *t, const struct dot **heads,
		       size_t *count)
{
	size_t taken = OP_REPLACED_MAX, left = *count - taken;
	struct dot *list = arena_array(g->arena, OP_REPLACED_MAX, sizeof(*list)), one;
	uint32_t length = 0;
	enum err rc = list ? OK : ERR_NOMEM;

	if (rc == OK)
		memcpy(list, *heads, taken * sizeof(*list));
	while (rc == OK) {
		rc = measure(g, t, *heads, taken, &length);
		if (rc == OK)
			rc = write_nothing(g, list, OP_REPLACED_MAX, length, &one);
		if (rc != OK)
			break;
		list[0] = one;
		if (left < OP_REPLACED_MAX)
			break;
		memcpy(list + 1, *heads + taken, (OP_REPLACED_MAX - 1) * sizeof(*list));
		taken += OP_REPLACED_MAX - 1;
		left -= OP_REPLACED_MAX - 1;
	}
	if (rc != OK)
		return rc;
	memcpy(list + 1, *heads + taken, left * sizeof(*list));
	*heads = list;
	*count = left + 1;
	return OK;
}

enum err gather_heads(const struct gather *g, const struct dot **heads, size_t *count)
{
	struct text text = TEXT_EMPTY;
	enum err rc;

	if (*count <= OP_REPLACED_MAX)
		return OK;
	rc = replica_text(g->replica, g->kind, g->record, g->field, &text, g->msg);
	if (rc == OK)
		rc = gather(g, &text, heads, count);
	text_release(&text);
	return rc;
}
