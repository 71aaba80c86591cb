#include "node/left_over.h"

#include <stdlib.h>

#include "core/schema.h"
#include "node/sys_error.h"
#include "node/writing.h"

struct listed {
	struct left_over one;
	struct listed *next;
};

struct search {
	struct context *ctx;
	struct listed *first;
	size_t count;
	enum err rc;
};

/* What the draft was begun from. What can't be found any more is a text like none. */
static void find_seen(struct context *ctx, const struct draft_of *of, struct writing *w,
		      struct text_subject *s)
{
	char id[ID_TEXT_SIZE];

	*s = (struct text_subject){ .ctx = ctx };
	if (ref_find(ctx, 0, id_text(of->record.bytes, id), &s->ref, NULL) != OK)
		return;
	s->kind = schema_kind(s->ref.kind);
	s->field = kind_field_named(s->kind, of->word);
	if (s->field &&
	    text_subject_at(s, w->draft.heads, w->draft.head_count, &w->seen, NULL) != OK)
		w->seen = (struct text_version){ .head_count = 0 };
}

static struct listed *list_one(struct arena *arena, const struct draft *d)
{
	const char *where = d->path[0] ? d->path : d->folder;
	struct bytes path = bytes_of(where, strlen(where) + 1);
	struct bytes command = bytes_of(d->command, strlen(d->command) + 1);
	struct listed *l = arena_array(arena, 1, sizeof(*l));

	path = arena_copy(arena, path);
	command = arena_copy(arena, command);
	if (!l || !path.data || !command.data)
		return NULL;
	l->one = (struct left_over){ (const char *)path.data, (const char *)command.data,
				     draft_time_s(d) };
	return l;
}

static void look(void *ctx, const struct draft_of *of, struct draft *d)
{
	struct search *s = ctx;
	struct text_subject subject;
	struct writing w = { .of = &subject, .draft = *d };
	struct listed *l;

	find_seen(s->ctx, of, &w, &subject);
	if (s->rc != OK || (d->path[0] && !writing_is_worth_keeping(&w)))
		return;
	l = list_one(&s->ctx->arena, d);
	if (!l) {
		s->rc = ERR_NOMEM;
		return;
	}
	l->next = s->first;
	s->first = l;
	s->count++;
}

static int newest_first(const void *a, const void *b)
{
	const struct left_over *x = a, *y = b;

	if (x->written_s != y->written_s)
		return x->written_s < y->written_s ? 1 : -1;
	return strcmp(x->path, y->path);
}

enum err left_over_list(struct context *ctx, const struct left_over **out, size_t *count,
			struct errmsg *msg)
{
	struct search s = { .ctx = ctx };
	struct left_over *list;
	size_t filled = 0;

	draft_each(&ctx->folder, look, &s);
	list = arena_array(&ctx->arena, s.count, sizeof(*list));
	if (s.rc != OK || !list)
		return no_memory(msg);
	for (const struct listed *l = s.first; l; l = l->next)
		list[filled++] = l->one;
	qsort(list, s.count, sizeof(*list), newest_first);
	*out = list;
	*count = s.count;
	return OK;
}
