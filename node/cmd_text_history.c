/* What became of a text: its versions, who wrote what, what changed. */
#include <stdlib.h>

#include "core/array.h"
#include "core/segment.h"
#include "core/utf8.h"
#include "node/cmd.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/sys_error.h"
#include "node/text_subject.h"
#include "node/text_view.h"
#include "node/width.h"

/* A text that is looked into. */
struct view {
	struct text_subject subject;
	struct context *ctx;
	struct text text;
	struct errmsg *msg;
};

#define VIEW_EMPTY                 \
	{                          \
		.text = TEXT_EMPTY \
	}

static enum err view_open(struct view *v, struct context *ctx, const struct args *args,
			  struct errmsg *msg)
{
	enum err rc = text_subject_find(&v->subject, ctx, args, msg);

	v->ctx = ctx;
	v->msg = msg;
	return rc == OK ? text_subject_open(&v->subject, &v->text, msg) : rc;
}

static enum err written(struct view *v, uint32_t edit, struct written *out)
{
	return version_written(v->ctx, &v->subject.space, &v->text, edit, out, v->msg);
}

/* The text as it was, in the context's arena. */
static enum err text_then(struct view *v, const uint32_t *heads, size_t count, struct bytes *out)
{
	struct buf text = BUF_EMPTY;
	enum err rc = text_at(&v->text, heads, count, &text);

	if (rc == OK)
		*out = arena_copy(&v->ctx->arena, buf_bytes(&text));
	buf_release(&text);
	return rc == OK && out->data ? OK : no_memory(v->msg);
}

/* As an edit found it. */
static enum err text_before(struct view *v, uint32_t edit, struct bytes *out)
{
	const struct text_history *h = &v->text.history;

	return text_then(v, text_node_parents(h, edit), h->nodes[edit].parent_count, out);
}

/* ---- history --------------------------------------------------------------- */

/* A history for people is what happened lately. */
enum { VERSIONS_SHOWN = 20 };

struct version {
	uint32_t edit;
	struct written written;
	struct dot dot;
};

/* The newest first, in the same order everywhere: causal order is stamp order. */
static int compare_versions(const void *a, const void *b)
{
	const struct version *x = a, *y = b;
	int order = hlc_cmp(y->written.hlc, x->written.hlc);

	return order ? order : dot_cmp(&y->dot, &x->dot);
}

/* Joins of edits are none. The caller frees the list. */
static enum err list_versions(struct view *v, struct version **out, size_t *out_count)
{
	const struct text_history *h = &v->text.history;
	struct version *list = malloc((h->count + 1) * sizeof(*list));
	enum err rc = list ? OK : no_memory(v->msg);
	size_t count = 0;

	for (uint32_t i = 0; rc == OK && i < h->count; i++) {
		if (h->nodes[i].is_join)
			continue;
		list[count].edit = i;
		list[count].dot = text_history_dot(h, i);
		rc = written(v, i, &list[count++].written);
	}
	if (rc != OK) {
		free(list);
		return rc;
	}
	qsort(list, count, sizeof(*list), compare_versions);
	*out = list;
	*out_count = count;
	return OK;
}

static void count_changes(const struct text *t, uint32_t edit, uint32_t *inserted,
			  uint32_t *deleted)
{
	const struct text_node *n = &t->history.nodes[edit];

	*inserted = *deleted = 0;
	for (uint32_t i = 0; i < n->run_count; i++) {
		const struct text_run *run = &t->history.runs[n->first_run + i];

		if (run->step == TEXT_INSERT)
			*inserted += run->count;
		else if (!text_node_is_adrift(n))
			*deleted += run->count;
	}
}

/* What it did to the text that its author saw. */
static enum err append_brief(struct view *v, uint32_t edit, struct buf *out)
{
	const struct text_node *n = &v->text.history.nodes[edit];
	struct bytes before, after;
	enum err rc;

	if (n->run_count == 0 && n->parent_count) {
		buf_append_str(out, _("read, and left as it was"));
		return OK;
	}
	rc = text_before(v, edit, &before);
	if (rc == OK)
		rc = text_then(v, &edit, 1, &after);
	return rc == OK ? difference_brief(before, after, out) : rc;
}

static enum err history_row(struct view *v, const struct version *version, struct table *table)
{
	char name[VERSION_NAME_BYTES], changes[48], when[WHEN_TEXT_BYTES];
	const struct written *w = &version->written;
	struct buf who = BUF_EMPTY, what = BUF_EMPTY;
	const struct when_reader *reader;
	uint32_t inserted, deleted;
	enum err rc = context_reader(v->ctx, &reader, v->msg);

	if (rc == OK)
		rc = author_show(v->ctx, &w->author, &w->replica, &who, v->msg);
	if (rc == OK)
		rc = append_brief(v, version->edit, &what);
	buf_append_byte(&who, 0);
	buf_append_byte(&what, 0);
	if (rc == OK && (buf_check(&who) || buf_check(&what)))
		rc = no_memory(v->msg);
	if (rc == OK) {
		count_changes(&v->text, version->edit, &inserted, &deleted);
		snprintf(changes, sizeof(changes), "+%u -%u", inserted, deleted);
		when_instant(reader, hlc_wall_ms(w->hlc), when);
		version_name(&v->text, version->edit, name);
		table_add(table, (const char *const[]){ name, when, (const char *)who.data, changes,
							(const char *)what.data });
	}
	buf_release(&who);
	buf_release(&what);
	return rc;
}

static enum err history_print(struct view *v, const struct version *list, size_t count)
{
	const struct table_column columns[] = {
		{ _("VERSION"), TABLE_LEFT },  { _("WHEN"), TABLE_LEFT }, { _("BY"), TABLE_LEFT },
		{ _("CHANGED"), TABLE_RIGHT }, { _("WHAT"), TABLE_LEFT },
	};
	struct table table;
	enum err rc = OK;

	if (count == 0) {
		fprintf(stderr, "%s\n", _("nothing was written there yet"));
		return OK;
	}
	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; rc == OK && i < count; i++)
		rc = history_row(v, &list[i], &table);
	if (rc == OK)
		rc = output_table(stdout, &table, v->msg);
	table_release(&table);
	return rc;
}

static enum err parents_json(struct view *v, uint32_t edit, json_t **out)
{
	const struct text_history *h = &v->text.history;
	char name[VERSION_NAME_BYTES];
	json_t *array = json_array();
	enum err rc = array ? OK : no_memory(v->msg);

	for (uint32_t i = 0; rc == OK && i < h->nodes[edit].parent_count; i++)
		if (json_array_append_new(
			    array, json_string(version_name(&v->text, text_node_parents(h, edit)[i],
							    name))))
			rc = no_memory(v->msg);
	if (rc == OK)
		*out = array;
	else
		json_decref(array);
	return rc;
}

static enum err version_object(struct view *v, const struct version *version, json_t *array)
{
	uint32_t inserted, deleted;
	json_t *object, *parents = NULL;
	enum err rc =
		version_json(v->ctx, &v->text, version->edit, &version->written, &object, v->msg);

	if (rc != OK)
		return rc;
	count_changes(&v->text, version->edit, &inserted, &deleted);
	rc = parents_json(v, version->edit, &parents);
	if (rc == OK &&
	    (json_object_set_new(object, "inserted", json_integer(inserted)) ||
	     json_object_set_new(object, "deleted", json_integer(deleted)) ||
	     json_object_set_new(object, "parents", parents) || json_array_append(array, object)))
		rc = no_memory(v->msg);
	json_decref(object);
	return rc;
}

static enum err history_json(struct view *v, const struct version *list, size_t count)
{
	json_t *array = json_array();
	enum err rc = array ? OK : no_memory(v->msg);

	for (size_t i = 0; rc == OK && i < count; i++)
		rc = version_object(v, &list[i], array);
	if (rc == OK)
		return output_json(stdout, array, v->msg);
	json_decref(array);
	return rc;
}

/* Who was not told so would take the oldest that is shown for the first. */
static void tell_more(size_t count, size_t shown)
{
	if (count > shown)
		fprintf(stderr,
			P_("%zu older version: --limit %zu shows it",
			   "%zu older versions: --limit %zu shows all", count - shown),
			count - shown, count);
	if (count > shown)
		fputc('\n', stderr);
}

/* Programs get all, unless they ask for less. */
static enum err read_limit(const struct args *args, size_t *limit, struct errmsg *msg)
{
	const char *said = args_option(args, "limit");
	char *end = NULL;
	long number = said ? strtol(said, &end, 10) : 0;

	if (said && (end == said || *end || number < 1))
		return errmsg_set(msg, ERR_INVALID, _("--limit: \"%s\" is not a number above 0"),
				  said);
	*limit = said ? (size_t)number : args_has(args, "json") ? SIZE_MAX : *limit;
	return OK;
}

enum err cmd_text_history(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct view v = VIEW_EMPTY;
	struct version *list = NULL;
	size_t limit = VERSIONS_SHOWN, count;
	enum err rc = read_limit(args, &limit, msg);

	if (rc == OK)
		rc = view_open(&v, ctx, args, msg);
	if (rc == OK)
		rc = list_versions(&v, &list, &count);
	if (rc == OK) {
		size_t shown = count < limit ? count : limit;

		rc = ctx->is_json ? history_json(&v, list, shown) : history_print(&v, list, shown);
		if (rc == OK && !ctx->is_json && !args_has(args, "limit"))
			tell_more(count, shown);
	}
	free(list);
	text_release(&v.text);
	return rc;
}

/* ---- blame ----------------------------------------------------------------- */

/* So many code points in a row that one edit wrote. */
struct stretch {
	uint32_t count, edit;
};

struct stretches {
	struct stretch *list;
	size_t count, cap;
};

static bool add_stretch(struct stretches *s, uint32_t count, uint32_t edit)
{
	struct stretch *last = s->count ? &s->list[s->count - 1] : NULL;

	if (last && last->edit == edit) {
		last->count += count;
		return true;
	}
	if (array_reserve(&s->list, &s->cap, s->count + 1, sizeof(*s->list)))
		return false;
	s->list[s->count++] = (struct stretch){ count, edit };
	return true;
}

static bool note_stretch(void *ctx, uint32_t count, uint32_t edit)
{
	return add_stretch(ctx, count, edit);
}

/* Reads stretches piece by piece. */
struct stretch_reader {
	const struct stretch *at;
	uint32_t used; /* of it */
};

/* As much of the next `count` code points as one edit wrote. */
static struct stretch next_part(struct stretch_reader *r, size_t count)
{
	uint32_t left = r->at->count - r->used;
	struct stretch part = { left < count ? left : (uint32_t)count, r->at->edit };

	r->used += part.count;
	if (r->used == r->at->count)
		*r = (struct stretch_reader){ r->at + 1, 0 };
	return part;
}

/* What others have mended of a word does not make it theirs. */
enum { MENDED_POINTS = 2 };

/* How many of the next code points an edit wrote. */
static size_t written_by(struct stretch_reader r, size_t count, uint32_t edit)
{
	size_t sum = 0;

	while (count) {
		struct stretch part = next_part(&r, count);

		sum += part.edit == edit ? part.count : 0;
		count -= part.count;
	}
	return sum;
}

/* Who wrote the next code points but for what was mended; TEXT_NONE: nobody. */
static uint32_t writer_of(struct stretch_reader r, size_t count)
{
	struct stretch_reader all = r;
	uint32_t writer = TEXT_NONE;
	size_t most = 0;

	for (size_t left = count; left;) {
		struct stretch part = next_part(&r, left);
		size_t sum = written_by(all, count, part.edit);

		if (sum > most) {
			most = sum;
			writer = part.edit;
		}
		left -= part.count;
	}
	return count - most <= MENDED_POINTS ? writer : TEXT_NONE;
}

/* As people see it: a word is whoever's wrote it, and blanks go with what is before them. */
static enum err by_words(const struct stretches *exact, struct bytes text, struct stretches *out)
{
	struct stretch_reader r = { exact->list, 0 };
	uint32_t before = TEXT_NONE;

	while (text.size) {
		struct bytes word = bytes_of(text.data, segment_word(text));
		size_t left = utf8_count(word);
		uint32_t writer =
			segment_is_blank(word) && before != TEXT_NONE ? before : writer_of(r, left);

		while (left) {
			struct stretch part = next_part(&r, left);

			before = writer == TEXT_NONE ? part.edit : writer;
			if (!add_stretch(out, part.count, before))
				return ERR_NOMEM;
			left -= part.count;
		}
		text = bytes_of(text.data + word.size, text.size - word.size);
	}
	return OK;
}

static struct bytes take(struct bytes *rest, uint32_t count)
{
	size_t size = 0;
	struct bytes taken;

	while (count--)
		size += utf8_size(rest->data[size]);
	taken = bytes_of(rest->data, size);
	*rest = bytes_of(rest->data + size, rest->size - size);
	return taken;
}

static int longest_name(struct view *v, const struct stretches *s)
{
	char name[VERSION_NAME_BYTES];
	size_t longest = 0;

	for (size_t i = 0; i < s->count; i++) {
		size_t size = strlen(version_name(&v->text, s->list[i].edit, name));

		longest = size > longest ? size : longest;
	}
	return (int)longest;
}

/* "3f2a91bc/17  2026-11-30 17:00  王芳 (SHA)", to one width. */
static enum err blame_labels(struct view *v, const struct stretches *s, struct buf *labels,
			     size_t *columns)
{
	char name[VERSION_NAME_BYTES];
	int longest = longest_name(v, s);
	struct written w;
	enum err rc = OK;

	*columns = 0;
	for (size_t i = 0; rc == OK && i < s->count; i++) {
		size_t before = labels->size, width;

		rc = written(v, s->list[i].edit, &w);
		buf_printf(labels, "%-*s  ", longest,
			   version_name(&v->text, s->list[i].edit, name));
		if (rc == OK)
			rc = written_show(v->ctx, &w, labels, v->msg);
		buf_append_byte(labels, 0);
		if (rc == OK && buf_check(labels))
			rc = no_memory(v->msg);
		if (rc != OK)
			break;
		width = width_of(bytes_of_str((const char *)labels->data + before));
		*columns = width > *columns ? width : *columns;
	}
	return rc;
}

/* The label beside the first line, the others under that. */
static void print_stretch(const char *label, int columns, struct bytes text)
{
	do {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;

		output_line(stdout, "%-*s%.*s",
			    size || *label ? width_for_printf(label, columns + 2) : 0, label,
			    (int)size, (const char *)text.data);
		size += end != NULL;
		text = bytes_of(text.data + size, text.size - size);
		label = "";
	} while (text.size);
}

static enum err blame_print(struct view *v, const struct stretches *exact, struct bytes text)
{
	struct stretches words = { 0 };
	struct buf labels = BUF_EMPTY;
	const char *label;
	size_t columns;
	enum err rc = by_words(exact, text, &words);

	if (rc == OK)
		rc = blame_labels(v, &words, &labels, &columns);
	label = (const char *)labels.data;
	for (size_t i = 0; rc == OK && i < words.count; i++) {
		print_stretch(label, (int)columns, take(&text, words.list[i].count));
		label += strlen(label) + 1;
	}
	buf_release(&labels);
	free(words.list);
	return rc;
}

static enum err stretch_json(struct view *v, uint32_t edit, struct bytes text, json_t *array)
{
	json_t *object;
	struct written w;
	enum err rc = written(v, edit, &w);

	if (rc == OK)
		rc = version_json(v->ctx, &v->text, edit, &w, &object, v->msg);
	if (rc != OK)
		return rc;
	if (json_object_set_new(object, "text", json_stringn((const char *)text.data, text.size)) ||
	    json_array_append(array, object))
		rc = no_memory(v->msg);
	json_decref(object);
	return rc;
}

/* To the character. */
static enum err blame_json(struct view *v, const struct stretches *exact, struct bytes text)
{
	json_t *array = json_array();
	enum err rc = array ? OK : no_memory(v->msg);

	for (size_t i = 0; rc == OK && i < exact->count; i++)
		rc = stretch_json(v, exact->list[i].edit, take(&text, exact->list[i].count), array);
	if (rc == OK)
		return output_json(stdout, array, v->msg);
	json_decref(array);
	return rc;
}

enum err cmd_text_blame(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct view v = VIEW_EMPTY;
	struct stretches exact = { 0 };
	struct buf now = BUF_EMPTY;
	enum err rc = view_open(&v, ctx, args, msg);

	if (rc == OK) {
		rope_read(&v.text.rope, 0, rope_size(&v.text.rope, ROPE_POINTS), &now);
		rc = buf_check(&now);
		if (rc == OK)
			rc = text_blame(&v.text, note_stretch, &exact);
		rc = text_failure(rc, msg);
	}
	if (rc == OK)
		rc = ctx->is_json ? blame_json(&v, &exact, buf_bytes(&now))
				  : blame_print(&v, &exact, buf_bytes(&now));
	free(exact.list);
	buf_release(&now);
	text_release(&v.text);
	return rc;
}

/* ---- diff, show ------------------------------------------------------------- */

/* From one version to another, or to now; without any, what the newest edit changed. */
static enum err choose(struct view *v, const char *from, const char *to, struct bytes texts[2])
{
	struct text_version a, b;
	struct version *list;
	size_t count;
	enum err rc;

	if (from) {
		rc = text_subject_version(&v->subject, from, &a, v->msg);
		if (rc == OK)
			rc = text_subject_version(&v->subject, to, &b, v->msg);
		if (rc == OK) {
			texts[0] = a.text;
			texts[1] = b.text;
		}
		return rc;
	}
	rc = list_versions(v, &list, &count);
	if (rc != OK)
		return rc;
	rc = text_before(v, list[0].edit, &texts[0]);
	if (rc == OK)
		rc = text_then(v, &list[0].edit, 1, &texts[1]);
	free(list);
	return rc;
}

static enum err diff_output(struct view *v, const struct args *args, struct bytes from,
			    struct bytes to)
{
	enum difference_style style = args_has(args, "lines") ? DIFFERENCE_LINES : DIFFERENCE_WORDS;
	struct buf text = BUF_EMPTY;
	json_t *array = NULL;
	enum err rc;

	if (v->ctx->is_json) {
		rc = difference_json(from, to, &array);
		return rc == OK ? output_json(stdout, array, v->msg) : no_memory(v->msg);
	}
	rc = difference_show(from, to, style, output_has_colour(stdout), &text);
	if (rc == OK && text.size == 0)
		fprintf(stderr, "%s\n", _("no difference"));
	if (rc == OK && text.size && text.data[text.size - 1] != '\n')
		buf_append_byte(&text, '\n');
	output_bytes(stdout, buf_bytes(&text));
	buf_release(&text);
	return rc == OK ? OK : no_memory(v->msg);
}

enum err cmd_text_diff(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct view v = VIEW_EMPTY;
	struct bytes texts[2];
	size_t names;
	enum err rc = view_open(&v, ctx, args, msg);

	names = rc == OK ? v.subject.word_count : 0;
	if (rc == OK && v.text.history.count == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("nothing was written there yet"));
	if (rc == OK)
		rc = choose(&v, args_word(args, names), args_word(args, names + 1), texts);
	if (rc == OK)
		rc = diff_output(&v, args, texts[0], texts[1]);
	text_release(&v.text);
	return rc;
}
