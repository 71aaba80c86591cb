#include "node/text_view.h"

#include <stdlib.h>

#include "core/difference.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/record_view.h"
#include "node/sys_error.h"
#include "node/width.h"

enum err text_failure(enum err rc, struct errmsg *msg)
{
	if (rc == ERR_CORRUPT)
		return errmsg_set(msg, rc, "a text's history: its edits do not fit each other");
	return rc == OK ? OK : no_memory(msg);
}

/* ---- Versions -------------------------------------------------------------- */

const char *version_name(const struct text *t, uint32_t edit, char out[VERSION_NAME_BYTES])
{
	return text_edit_name(&t->history, edit, TEXT_EDIT_NAME_DIGITS, out);
}

enum err version_written(struct context *ctx, const struct space_id *space, const struct text *t,
			 uint32_t edit, struct written *out, struct errmsg *msg)
{
	struct dot dot = text_history_dot(&t->history, edit);
	struct written w = { .replica = dot.replica };
	enum err rc = replica_written(ctx->replica, space, &dot, &w.hlc, &w.author, msg);

	if (rc == OK)
		*out = w;
	return rc;
}

enum err written_show(struct context *ctx, const struct written *w, struct buf *out,
		      struct errmsg *msg)
{
	const struct when_reader *reader;
	char when[WHEN_TEXT_BYTES];
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	when_instant(reader, hlc_wall_ms(w->hlc), when);
	buf_printf(out, "%s  ", when);
	return author_show(ctx, &w->author, &w->replica, out, msg);
}

enum err version_json(struct context *ctx, const struct text *t, uint32_t edit,
		      const struct written *w, json_t **out, struct errmsg *msg)
{
	char name[VERSION_NAME_BYTES];
	json_t *author = NULL;
	enum err rc = author_json(ctx, &w->author, &author, msg);

	if (rc != OK)
		return rc;
	*out = json_pack("{s:s, s:o, s:s, s:o}", "version", version_name(t, edit, name), "at",
			 instant_json(hlc_wall_ms(w->hlc)), "office", office_of(ctx, &w->replica),
			 "author", author);
	return *out ? OK : no_memory(msg);
}

/* ---- Differences ----------------------------------------------------------- */

enum {
	LINES_AROUND = 2,       /* of what is the same, beside what has changed */
	BRIEF_CHANGES = 4,      /* changes that a brief difference tells */
	BRIEF_COLUMNS_MAX = 24, /* of each */
};

/* How a part of a difference is shown. */
struct look {
	const char *colour; /* "": none */
	const char *open, *close;
	const char *line; /* in front of each further line */
};

static const struct looks {
	struct look same, gone, come;
} all_looks[] = {
	[DIFFERENCE_WORDS] = { { "", "", "", "" },
			       { "\033[31m", "[-", "-]", "" },
			       { "\033[32m", "{+", "+}", "" } },
	[DIFFERENCE_LINES] = { { "", "  ", "", "  " },
			       { "\033[31m", "- ", "", "- " },
			       { "\033[32m", "+ ", "", "+ " } },
};

struct painter {
	const struct looks *looks;
	bool has_colour;
	struct buf *out;
};

static void paint(const struct painter *p, const struct look *look, struct bytes text)
{
	const char *colour = p->has_colour ? look->colour : "";
	const char *reset = *colour ? "\033[m" : "";

	if (text.size == 0)
		return;
	buf_printf(p->out, "%s%s", colour, look->open);
	while (text.size) {
		size_t size = segment_line(text);
		bool is_ended = text.data[size - 1] == '\n', has_more;

		width_append(p->out, bytes_of(text.data, size - is_ended), WIDTH_UNLIMITED);
		text = bytes_of(text.data + size, text.size - size);
		has_more = text.size || *look->close;
		if (is_ended)
			buf_printf(p->out, "%s\n%s%s", reset, has_more ? colour : "",
				   has_more ? look->line : "");
	}
	buf_printf(p->out, "%s%s", look->close, reset);
}

/* Past so many lines. */
static struct bytes skip_lines(struct bytes text, size_t count)
{
	while (count-- && text.size) {
		size_t size = segment_line(text);

		text = bytes_of(text.data + size, text.size - size);
	}
	return text;
}

/* What is the same between changes; those at an end have none on that side. */
static void paint_same(const struct painter *p, struct bytes text, bool is_first, bool is_last)
{
	size_t lines = 0, before = is_first ? 0 : LINES_AROUND, after = is_last ? 0 : LINES_AROUND;
	struct bytes rest;

	for (rest = text; rest.size; rest = skip_lines(rest, 1))
		lines++;
	if (lines <= before + after + 1) {
		paint(p, &p->looks->same, text);
		return;
	}
	rest = skip_lines(text, before);
	paint(p, &p->looks->same, bytes_of(text.data, text.size - rest.size));
	/* The last one may be the beginning of a line that has changed. */
	lines -= before + after;
	buf_printf(p->out, P_("  ... %zu line ...\n", "  ... %zu lines ...\n", lines), lines);
	paint(p, &p->looks->same, skip_lines(rest, lines));
}

static void paint_all(const struct painter *p, const struct difference *d)
{
	for (size_t i = 0; i < d->count; i++) {
		paint_same(p, d->list[i].same, i == 0, false);
		paint(p, &p->looks->gone, d->list[i].gone);
		paint(p, &p->looks->come, d->list[i].come);
	}
	if (d->count)
		paint_same(p, d->rest, false, true);
}

/* With a line end at its end, so that the last line is like the others. */
static struct bytes ended(struct bytes text, struct buf *copy)
{
	buf_append(copy, text.data, text.size);
	if (text.size && text.data[text.size - 1] != '\n')
		buf_append_byte(copy, '\n');
	return buf_bytes(copy);
}

enum err difference_show(struct bytes from, struct bytes to, enum difference_style style,
			 bool has_colour, struct buf *out)
{
	struct painter p = { &all_looks[style], has_colour, out };
	struct difference d = DIFFERENCE_EMPTY;
	struct buf a = BUF_EMPTY, b = BUF_EMPTY;
	enum err rc;

	if (style == DIFFERENCE_LINES) {
		from = ended(from, &a);
		to = ended(to, &b);
	}
	rc = difference_make(&d, from, to, style == DIFFERENCE_LINES ? segment_line : segment_word);
	if (rc == OK && style == DIFFERENCE_WORDS)
		difference_tidy(&d);
	paint_all(&p, &d);
	difference_release(&d);
	buf_release(&a);
	buf_release(&b);
	return rc == OK ? buf_check(out) : rc;
}

static void brief_part(struct buf *out, const char *open, struct bytes text, const char *close)
{
	if (text.size == 0)
		return;
	buf_append_str(out, open);
	width_append(out, text, BRIEF_COLUMNS_MAX);
	buf_append_str(out, close);
}

enum err difference_brief(struct bytes from, struct bytes to, struct buf *out)
{
	struct difference d = DIFFERENCE_EMPTY;
	enum err rc = difference_make(&d, from, to, segment_word);

	difference_tidy(&d);
	for (size_t i = 0; i < d.count && i < BRIEF_CHANGES; i++) {
		buf_append_str(out, i ? " " : "");
		brief_part(out, "[-", d.list[i].gone, "-]");
		brief_part(out, "{+", d.list[i].come, "+}");
	}
	if (d.count > BRIEF_CHANGES)
		buf_append_str(out, " ...");
	difference_release(&d);
	return rc == OK ? buf_check(out) : rc;
}

static json_t *text_json(struct bytes text)
{
	return json_stringn(text.size ? (const char *)text.data : "", text.size);
}

enum err difference_json(struct bytes from, struct bytes to, json_t **out)
{
	json_t *array = json_array();
	struct difference d = DIFFERENCE_EMPTY;
	enum err rc = difference_make(&d, from, to, segment_point);

	for (size_t i = 0; rc == OK && i < d.count; i++) {
		const struct difference_part *c = &d.list[i];
		json_t *change = json_pack("{s:I, s:o, s:o}", "at", (json_int_t)c->at, "deleted",
					   text_json(c->gone), "inserted", text_json(c->come));

		if (json_array_append_new(array, change) != 0)
			rc = ERR_NOMEM;
	}
	difference_release(&d);
	if (rc == OK)
		*out = array;
	else
		json_decref(array);
	return rc;
}
