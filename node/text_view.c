#include "node/text_view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/text_diff.h"
#include "core/utf8.h"
#include "node/history_view.h"
#include "node/i18n.h"
#include "node/record_view.h"
#include "node/sys_error.h"

/* ---- Versions -------------------------------------------------------------- */

enum { NAME_DIGITS = 8 };

const char *version_name(const struct text *t, uint32_t edit, char out[VERSION_NAME_BYTES])
{
	struct dot dot = text_history_dot(&t->history, edit);
	char id[ID_TEXT_SIZE];

	snprintf(out, VERSION_NAME_BYTES, "%.*s/%" PRIu64, NAME_DIGITS,
		 id_text(dot.replica.bytes, id), dot.seq);
	return out;
}

static bool is_named(const struct text *t, uint32_t edit, const char *name, size_t digits,
		     uint64_t seq)
{
	struct dot dot = text_history_dot(&t->history, edit);
	char id[ID_TEXT_SIZE];

	return dot.seq == seq && strncasecmp(id_text(dot.replica.bytes, id), name, digits) == 0 &&
	       !t->history.nodes[edit].is_join;
}

enum err version_find(const struct text *t, const char *name, uint32_t *edit, struct errmsg *msg)
{
	const char *slash = strchr(name, '/');
	char *end = NULL;
	uint64_t seq = slash ? strtoull(slash + 1, &end, 10) : 0;
	uint32_t found = TEXT_NONE;
	struct dot dot;

	for (uint32_t i = 0; slash > name && *end == '\0' && i < t->history.count; i++) {
		if (!is_named(t, i, name, (size_t)(slash - name), seq))
			continue;
		if (found != TEXT_NONE)
			return errmsg_set(msg, ERR_AMBIGUOUS,
					  _("%s names several versions: give more digits"), name);
		found = i;
	}
	if (found == TEXT_NONE)
		return errmsg_set(msg, ERR_NOT_FOUND,
				  _("there is no version %s: see huitong minutes history"), name);
	dot = text_history_dot(&t->history, found);
	*edit = text_history_find(&t->history, &dot);
	return OK;
}

enum err version_written(struct context *ctx, const struct space_id *space, const struct text *t,
			 uint32_t edit, struct written *out, struct errmsg *msg)
{
	struct dot dot = text_history_dot(&t->history, edit);
	struct hlc_stamp hlc;
	enum err rc = replica_written(ctx->replica, space, &dot, &hlc, &out->author, msg);

	if (rc != OK)
		return rc;
	out->wall_ms = hlc_wall_ms(hlc);
	out->replica = dot.replica;
	return OK;
}

enum err written_show(struct context *ctx, const struct written *w, struct buf *out,
		      struct errmsg *msg)
{
	const struct when_reader *reader;
	char when[WHEN_TEXT_BYTES];
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	when_instant(reader, w->wall_ms, when);
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
			 instant_json(w->wall_ms), "office", office_of(ctx, &w->replica), "author",
			 author);
	return *out ? OK : no_memory(msg);
}

/* ---- Differences ----------------------------------------------------------- */

/* Told of each stretch from the beginning to the end. */
struct hunk {
	uint32_t at;                      /* code points of `from` before it */
	struct bytes same, gone, come_in; /* what is the same before it */
};

/* The runs of a diff, from the beginning to the end: a deletion, an insertion, or both
 * at one place. */
struct hunks {
	struct text_edit_builder b;
	size_t run;
	struct bytes from, inserted;
	uint32_t at;   /* code points of `from` that were given out */
	int64_t shift; /* where the runs are now, less where they were in `from` */
};

static struct bytes take(struct bytes *rest, uint32_t count)
{
	size_t size = 0;
	struct bytes out;

	while (count--)
		size += utf8_size(rest->data[size]);
	out = bytes_of(rest->data, size);
	*rest = bytes_of(rest->data + size, rest->size - size);
	return out;
}

static enum err hunks_open(struct hunks *h, struct bytes from, struct bytes to)
{
	struct text_edit made;
	enum err rc;

	*h = (struct hunks){ .from = from };
	text_edit_begin(&h->b, (uint32_t)utf8_count(from));
	rc = text_diff(from, to, &h->b);
	made = text_edit_built(&h->b);
	h->inserted = made.text;
	return rc;
}

static bool hunks_next(struct hunks *h, struct hunk *out)
{
	const struct text_run *run = &h->b.runs[h->run];
	uint32_t start;

	if (h->run == h->b.run_count)
		return false;
	start = (uint32_t)(run->pos - h->shift);
	*out = (struct hunk){ .same = take(&h->from, start - h->at), .at = start };
	h->at = start;
	if (run->step != TEXT_INSERT) {
		out->gone = take(&h->from, run->count);
		h->at += run->count;
		h->shift -= run->count;
		h->run++;
		run++;
	}
	if (h->run < h->b.run_count && run->step == TEXT_INSERT &&
	    (uint32_t)(run->pos - h->shift) == h->at) {
		out->come_in = take(&h->inserted, run->count);
		h->shift += run->count;
		h->run++;
	}
	return true;
}

static void mark(struct buf *out, const char *open, struct bytes text, const char *close)
{
	if (text.size == 0)
		return;
	buf_append_str(out, open);
	buf_append(out, text.data, text.size);
	buf_append_str(out, close);
}

enum err difference_show(struct bytes from, struct bytes to, struct buf *out)
{
	struct hunks h;
	struct hunk one;
	enum err rc = hunks_open(&h, from, to);

	while (rc == OK && hunks_next(&h, &one)) {
		mark(out, "", one.same, "");
		mark(out, "[-", one.gone, "-]");
		mark(out, "{+", one.come_in, "+}");
	}
	if (rc == OK)
		mark(out, "", h.from, "");
	text_edit_release(&h.b);
	return rc == OK ? buf_check(out) : rc;
}

static json_t *text_json(struct bytes text)
{
	return json_stringn(text.size ? (const char *)text.data : "", text.size);
}

enum err difference_json(struct bytes from, struct bytes to, json_t **out)
{
	json_t *array = json_array();
	struct hunks h;
	struct hunk one;
	enum err rc = hunks_open(&h, from, to);

	while (rc == OK && hunks_next(&h, &one)) {
		json_t *hunk = json_pack("{s:I, s:o, s:o}", "at", (json_int_t)one.at, "deleted",
					 text_json(one.gone), "inserted", text_json(one.come_in));

		if (json_array_append_new(array, hunk) != 0)
			rc = ERR_NOMEM;
	}
	text_edit_release(&h.b);
	if (rc == OK)
		*out = array;
	else
		json_decref(array);
	return rc;
}
