#include "node/reread_view.h"

#include "core/text_reread.h"
#include "core/utf8.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/record_view.h"
#include "node/sys_error.h"
#include "node/text_view.h"

/* ---- Loading --------------------------------------------------------------- */

struct loading {
	struct context *ctx;
	struct space_id space;
	struct text text;
	struct reread_list *list;
	size_t cap;
	enum err rc;
	struct errmsg *msg;
};

static bool is_same_writer(const struct reread_writer *a, const struct reread_writer *b)
{
	return record_id_cmp(&a->newest.author, &b->newest.author) == 0 &&
	       replica_id_cmp(&a->newest.replica, &b->newest.replica) == 0 &&
	       a->readers == b->readers;
}

/* There is room for one a touch. */
static enum err find_writer(struct loading *l, struct reread_sentence *s,
			    const struct text_touch *touch, struct reread_writer **out)
{
	struct reread_writer w = { .readers = touch->readers };
	struct reread_writer *found = s->writers;
	enum err rc = version_written(l->ctx, &l->space, &l->text, touch->edit, &w.newest, l->msg);

	if (rc)
		return rc;
	version_name(&l->text, touch->edit, w.version);
	while (found < s->writers + s->writer_count && !is_same_writer(found, &w))
		found++;
	if (found == s->writers + s->writer_count) {
		*found = w;
		s->writer_count++;
	} else if (hlc_cmp(found->newest.hlc, w.newest.hlc) < 0) {
		found->newest = w.newest;
		memcpy(found->version, w.version, sizeof(w.version));
	}
	*out = found;
	return OK;
}

/* The place of a code point. */
static const uint8_t *byte_of(struct bytes text, uint32_t pos)
{
	const uint8_t *at = text.data;

	while (pos--)
		at += utf8_size(*at);
	return at;
}

/* Room for one more: doubled whenever it is full. */
static enum err reserve_piece(struct loading *l, struct reread_writer *w)
{
	size_t count = w->inserted_count;
	struct bytes *grown;

	if (count & (count - 1))
		return OK;
	grown = arena_array(&l->ctx->arena, count ? 2 * count : 1, sizeof(*grown));
	if (!grown)
		return no_memory(l->msg);
	if (count)
		memcpy(grown, w->inserted, count * sizeof(*grown));
	w->inserted = grown;
	return OK;
}

/* As much of it as is in the sentence; what goes on with the piece before is one with it. */
static enum err add_inserted(struct loading *l, struct reread_writer *w, struct bytes sentence,
			     const struct reread_note *note, const struct text_touch *touch)
{
	uint32_t from = touch->from > note->from ? touch->from : note->from;
	uint32_t to = touch->to < note->to ? touch->to : note->to;
	const uint8_t *begin = byte_of(sentence, from - note->from);
	const uint8_t *end = byte_of(sentence, to - note->from);
	struct bytes *last = w->inserted_count ? &w->inserted[w->inserted_count - 1] : NULL;

	if (last && last->data + last->size == begin) {
		last->size += (size_t)(end - begin);
		return OK;
	}
	if (reserve_piece(l, w))
		return ERR_NOMEM;
	w->inserted[w->inserted_count++] = bytes_of(begin, (size_t)(end - begin));
	return OK;
}

static int by_time(const struct reread_writer *a, const struct reread_writer *b)
{
	int order = hlc_cmp(a->newest.hlc, b->newest.hlc);

	return order ? order : strcmp(a->version, b->version);
}

static void sort_writers(struct reread_sentence *s)
{
	for (size_t i = 1; i < s->writer_count; i++) {
		struct reread_writer moved = s->writers[i];
		size_t k = i;

		for (; k > 0 && by_time(&s->writers[k - 1], &moved) > 0; k--)
			s->writers[k] = s->writers[k - 1];
		s->writers[k] = moved;
	}
}

static enum err read_note(struct loading *l, const struct reread_note *note,
			  struct reread_sentence *out)
{
	struct reread_sentence s = {
		.text = arena_copy(&l->ctx->arena, note->text),
		.pos = note->from,
		.writers = arena_array(&l->ctx->arena, note->touch_count, sizeof(*s.writers)),
	};
	enum err rc = s.writers && s.text.data ? OK : no_memory(l->msg);

	for (size_t i = 0; rc == OK && i < note->touch_count; i++) {
		const struct text_touch *touch = &note->touches[i];
		struct reread_writer *w = NULL;

		rc = find_writer(l, &s, touch, &w);
		if (rc == OK && touch->from < touch->to)
			rc = add_inserted(l, w, s.text, note, touch);
		if (rc == OK)
			w->deleted += touch->deleted;
	}
	sort_writers(&s);
	*out = s;
	return rc;
}

static bool add_sentence(void *ctx, const struct reread_note *note)
{
	struct loading *l = ctx;
	struct reread_list *list = l->list;

	if (list->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 8;
		struct reread_sentence *grown = arena_array(&l->ctx->arena, cap, sizeof(*grown));

		if (!grown) {
			l->rc = no_memory(l->msg);
			return false;
		}
		if (list->count)
			memcpy(grown, list->sentences, list->count * sizeof(*grown));
		list->sentences = grown;
		l->cap = cap;
	}
	l->rc = read_note(l, note, &list->sentences[list->count]);
	list->count += l->rc == OK;
	return l->rc == OK;
}

enum err reread_load(struct reread_list *out, struct context *ctx, uint16_t kind,
		     const struct record_id *id, uint8_t field, struct errmsg *msg)
{
	struct reread_list list = { .count = 0 };
	struct loading l = { .ctx = ctx, .list = &list, .msg = msg };
	struct record rec;
	enum err rc = record_load(ctx, kind, id, &rec, &l.space, msg);

	if (rc == OK)
		rc = replica_text_tail(ctx->replica, kind, id, field, &l.text, msg);
	if (rc)
		return rc;
	rc = text_failure(text_reread(&l.text, add_sentence, &l), msg);
	if (rc == OK)
		rc = l.rc;
	if (rc == OK)
		*out = list;
	text_release(&l.text);
	return rc;
}

/* ---- For people ------------------------------------------------------------ */

static enum err print_writer(struct context *ctx, const struct reread_writer *w, int indent,
			     struct errmsg *msg)
{
	struct buf line = BUF_EMPTY;
	enum err rc = written_show(ctx, &w->newest, &line, msg);

	for (size_t i = 0; i < w->inserted_count; i++)
		buf_printf(&line, "  {+%.*s+}", (int)w->inserted[i].size,
			   (const char *)w->inserted[i].data);
	if (w->deleted) {
		buf_append_str(&line, "  ");
		buf_printf(&line,
			   P_("%u character taken out", "%u characters taken out", w->deleted),
			   w->deleted);
	}
	if (rc == OK && buf_check(&line))
		rc = no_memory(msg);
	if (rc == OK)
		output_lines(stdout, indent, buf_bytes(&line));
	buf_release(&line);
	return rc;
}

enum err reread_print(struct context *ctx, const struct reread_list *list, int indent,
		      struct errmsg *msg)
{
	enum { NUMBER_COLUMNS = 3 };
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < list->count; i++) {
		const struct reread_sentence *s = &list->sentences[i];

		output_line(stdout, "%*s%-*zu%.*s", indent, "", NUMBER_COLUMNS, i + 1,
			    (int)s->text.size, (const char *)s->text.data);
		for (size_t k = 0; rc == OK && k < s->writer_count; k++)
			rc = print_writer(ctx, &s->writers[k], indent + NUMBER_COLUMNS, msg);
	}
	return rc;
}

/* ---- For programs ---------------------------------------------------------- */

static json_t *text_json(struct bytes text)
{
	return json_stringn((const char *)text.data, text.size);
}

static enum err writer_json(struct context *ctx, const struct reread_writer *w, json_t *array,
			    struct errmsg *msg)
{
	json_t *author = NULL, *inserted = json_array();
	enum err rc = author_json(ctx, &w->newest.author, &author, msg);

	for (size_t i = 0; i < w->inserted_count; i++)
		json_array_append_new(inserted, text_json(w->inserted[i]));
	if (json_array_append_new(
		    array, json_pack("{s:s, s:o, s:s, s:o, s:o, s:I}", "version", w->version, "at",
				     instant_json(hlc_wall_ms(w->newest.hlc)), "office",
				     office_of(ctx, &w->newest.replica), "author", author,
				     "inserted", inserted, "deleted", (json_int_t)w->deleted)) &&
	    rc == OK)
		rc = no_memory(msg);
	return rc;
}

enum err reread_json(struct context *ctx, const struct reread_list *list, json_t **out,
		     struct errmsg *msg)
{
	json_t *array = json_array();
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < list->count; i++) {
		const struct reread_sentence *s = &list->sentences[i];
		json_t *writers = json_array();

		for (size_t k = 0; rc == OK && k < s->writer_count; k++)
			rc = writer_json(ctx, &s->writers[k], writers, msg);
		if (json_array_append_new(
			    array, json_pack("{s:o, s:I, s:o}", "sentence", text_json(s->text),
					     "pos", (json_int_t)s->pos, "writers", writers)) &&
		    rc == OK)
			rc = no_memory(msg);
	}
	if (rc == OK)
		*out = array;
	else
		json_decref(array);
	return rc;
}
