/* Whether texts have a sentence that is to be reread (docs/DATA_MODEL.md, I-21).
 *
 * That costs what is concurrent, so it is not asked for each edit but once for all that a
 * transaction brings, before it ends. */
#include "core/store_impl.h"

#include <assert.h>

#include "core/text_reread.h"

static bool is_same(const struct text_ref *a, const struct text_ref *b)
{
	return a->space == b->space && a->kind == b->kind && a->field == b->field &&
	       record_id_cmp(&a->record, &b->record) == 0;
}

void store_reread_later(struct store *s, const struct text_ref *text)
{
	for (size_t i = 0; i < s->reread_count; i++)
		if (is_same(&s->rereads[i], text))
			return;
	assert(s->reread_count < REREADS_MAX);
	s->rereads[s->reread_count++] = *text;
}

static bool stop_at_first(void *ctx, const struct reread_note *note)
{
	bool *is_any = ctx;

	(void)note;
	*is_any = true;
	return false;
}

static enum err look_at(struct store *s, struct text *t, bool *is_any, struct errmsg *msg)
{
	enum err rc = text_reread(t, stop_at_first, is_any);

	return rc == ERR_CORRUPT ? store_damaged(s, "the list of a text's edits", msg) : rc;
}

static enum err read_again(struct store *s, const struct text_ref *text, const struct value *now,
			   uint32_t count, uint32_t base, bool *is_any, struct errmsg *msg)
{
	struct store_history *h = NULL;
	struct store_body body;
	enum err rc = store_body_open(&body, s, text->space, now, msg);

	if (rc == OK)
		rc = store_history_open(&h, s, text, count, base, &body, msg);
	if (rc == OK)
		rc = look_at(s, &h->text, is_any, msg);
	if (rc == OK)
		store_history_keep(h, s);
	else
		store_history_free(h);
	store_body_close(&body);
	return rc;
}

/* now: as its record's row has it. */
static enum err look(struct store *s, const struct text_ref *text, const struct value *now,
		     bool *is_any, struct errmsg *msg)
{
	uint32_t count = 0, base = 0, length;
	struct store_history *kept;
	enum err rc = store_text_count(s, text, &count, msg);

	*is_any = false;
	if (rc == OK)
		rc = store_text_base(s, text, count, &base, &length, msg);
	if (rc == OK)
		rc = store_check_texts(s, msg);
	if (rc != OK || base == count)
		return rc;
	kept = store_history_find(s, text);
	if (kept && kept->count == count)
		return look_at(s, &kept->text, is_any, msg);
	return read_again(s, text, now, count, base, is_any, msg);
}

static enum err reread(struct store *s, const struct text_ref *text, struct arena *arena,
		       struct errmsg *msg)
{
	const struct kind *kind = schema_kind(text->kind);
	const struct field *field = kind_field(kind, text->field);
	const struct entry *shown;
	struct record rec;
	bool is_any;
	enum err rc = store_record_open(s, text->space, kind, &text->record, arena, &rec, msg);

	if (rc == ERR_NOT_FOUND) /* the state was made anew, without it */
		return OK;
	shown = rc == OK ? record_shown(&rec, text->field) : NULL;
	if (!shown)
		return rc;
	rc = look(s, text, &shown->value, &is_any, msg);
	if (rc != OK || is_any == record_has_conflict(&rec, field))
		return rc;
	record_set_reread(&rec, text->field, is_any);
	rc = store_record_update(s, text->space, &rec, false, msg);
	return rc == OK ? store_conflict_put(s, text->space, &rec, text->field, is_any, msg) : rc;
}

enum err store_reread_now(struct store *s, struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	enum err rc = OK;

	for (; rc == OK && s->reread_count; arena_reset(&arena))
		rc = reread(s, &s->rereads[--s->reread_count], &arena, msg);
	arena_release(&arena);
	return rc;
}

bool store_reread_is_full(const struct store *s)
{
	return s->reread_count > REREADS_MAX / 2;
}
