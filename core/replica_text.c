/* Texts with their history, for those who ask what was and who wrote it. */
#include "core/replica_impl.h"
#include "core/text.h"
#include "core/utf8.h"

struct loader {
	struct text *text;
	uint32_t base;     /* number 0 stands for all edits before this one, if it is not 0 */
	uint32_t *numbers; /* in the text's history, by those of the store from `base` on */
	struct arena *arena;
	struct errmsg *msg;
};

static enum err load_edit(void *ctx, const struct text_row *row)
{
	struct loader *l = ctx;
	uint32_t *parents = arena_array(l->arena, row->parent_count, sizeof(*parents));
	struct text_edit e = { .text = row->text };
	enum err rc = parents ? text_edit_decode(&e, row->edit, l->arena, l->msg) : ERR_NOMEM;

	for (size_t i = 0; rc == OK && i < row->parent_count; i++)
		parents[i] = row->parents[i] < l->base ? 0 : l->numbers[row->parents[i] - l->base];
	if (rc == OK)
		rc = text_recall(l->text, &row->dot, &e, parents, row->parent_count, row->is_adrift,
				 row->before);
	if (rc == OK)
		l->numbers[row->at - l->base] = text_history_find(&l->text->history, &row->dot);
	return rc;
}

/* It was written once. */
static enum err load_whole(struct text *t, const struct entry *written)
{
	struct bytes text = written->value.bytes;
	struct text_run run = { 0, (uint32_t)utf8_count(text), TEXT_INSERT };
	struct text_edit e = { 0, &run, run.count > 0, text };

	return text_recall(t, &written->stamp.dot, &e, NULL, 0, false, 0);
}

/* is_tail: only what not all heads have seen. */
static enum err load(struct store *s, const struct text_ref *ref, const struct record *rec,
		     bool is_tail, struct text *t, struct arena *arena, struct errmsg *msg)
{
	struct loader l = { .text = t, .arena = arena, .msg = msg };
	const struct entry *shown = record_shown(rec, ref->field);
	uint32_t count, length = 0;
	enum err rc = store_text_count(s, ref, &count, msg);

	if (rc == OK && is_tail)
		rc = store_text_base(s, ref, count, &l.base, &length, msg);
	if (rc != OK || !shown)
		return rc;
	l.numbers = arena_array(arena, count - l.base, sizeof(*l.numbers));
	if (!l.numbers)
		return ERR_NOMEM;
	rc = l.base ? text_begin(t, shown->value.bytes, length)
		    : rope_insert(&t->rope, 0, shown->value.bytes);
	if (rc == OK && count == 0)
		return load_whole(t, shown);
	return rc == OK ? store_each_text_row(s, ref, l.base, arena, load_edit, &l, msg) : rc;
}

static enum err read_text(struct replica *r, uint16_t number, const struct record_id *id,
			  uint8_t field_number, bool is_tail, struct text *out, struct errmsg *msg)
{
	const struct kind *kind = schema_kind(number);
	const struct field *field = kind ? kind_field(kind, field_number) : NULL;
	struct text_ref ref = { .kind = number, .field = field_number, .record = *id };
	struct arena arena = ARENA_EMPTY;
	struct text text = TEXT_EMPTY;
	struct record rec;
	enum err rc;

	if (!field || field->merge != MERGE_TEXT)
		return errmsg_set(msg, ERR_INVALID, "field %u is no text", field_number);
	rc = store_record_space(r->store, kind, id, &ref.space, msg);
	if (rc == OK)
		rc = store_record_load(r->store, ref.space, kind, id, &arena, &rec, msg);
	if (rc == OK)
		rc = load(r->store, &ref, &rec, is_tail, &text, &arena, msg);
	arena_release(&arena);
	if (rc == OK)
		*out = text;
	else
		text_release(&text);
	return rc;
}

enum err replica_text(struct replica *r, uint16_t kind, const struct record_id *id, uint8_t field,
		      struct text *out, struct errmsg *msg)
{
	return read_text(r, kind, id, field, false, out, msg);
}

enum err replica_text_tail(struct replica *r, uint16_t kind, const struct record_id *id,
			   uint8_t field, struct text *out, struct errmsg *msg)
{
	return read_text(r, kind, id, field, true, out, msg);
}

enum err replica_written(struct replica *r, const struct space_id *space_id, const struct dot *dot,
			 struct hlc_stamp *hlc, struct record_id *author, struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	const struct feed *feed = space ? replica_feed(r, space, &dot->replica) : NULL;
	struct arena arena = ARENA_EMPTY;
	struct changeset cs;
	struct stored row;
	size_t count = 0;
	enum err rc = OK;

	if (feed)
		rc = store_read(r->store, feed->idx, dot->seq, 1, SIZE_MAX, &arena, &row, &count,
				msg);
	if (rc == OK && (count == 0 || row.seq != dot->seq))
		rc = errmsg_set(msg, ERR_NOT_FOUND, "there is no such changeset");
	if (rc == OK)
		rc = changeset_decode(&cs, row.body, &dot->replica, &arena, msg);
	if (rc == OK) {
		*hlc = cs.hlc;
		*author = cs.author;
	}
	arena_release(&arena);
	return rc;
}
