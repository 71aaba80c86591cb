/* What others have changed, for an editor that names a version. */
#include "core/text_doc_impl.h"

/* What all hunks have put in, one after the other. */
static enum err read_come(const struct rope *now, const struct text_patch *p, struct buf *out)
{
	uint32_t shift = 0;

	for (size_t i = 0; i < p->count; i++) {
		rope_read(now, p->hunks[i].at + shift, p->hunks[i].come, out);
		shift += p->hunks[i].come - p->hunks[i].gone;
	}
	return buf_check(out);
}

static enum err tell(const struct rope *now, const struct text_patch *p,
		     const struct text_sink *sink)
{
	struct buf text = BUF_EMPTY;
	enum err rc = read_come(now, p, &text);
	uint32_t shift = 0;
	size_t done = 0;

	for (size_t i = 0; i < p->count && rc == OK; i++) {
		const struct text_hunk *h = &p->hunks[i];
		uint32_t at = h->at + shift;
		uint32_t pos = rope_convert(now, at, ROPE_POINTS, p->unit);
		uint32_t count = rope_measure(now, at, h->come, p->unit);
		uint32_t bytes = rope_measure(now, at, h->come, ROPE_BYTES);

		if (h->gone)
			rc = sink->remove(sink->ctx, pos, h->gone_units);
		if (rc == OK && h->come)
			rc = sink->insert(sink->ctx, pos, bytes_of(text.data + done, bytes), count);
		done += bytes;
		shift += h->come - h->gone;
	}
	buf_release(&text);
	return rc;
}

/* Adds up what leads from the version to now. */
static enum err compare(struct text_doc *d, const struct doc_version *v, struct text_patch *patch,
			struct errmsg *msg)
{
	const struct doc_mark *mark = doc_find_mark(d, v->lacks);
	struct doc_way way = { &d->text.rope, NULL, NULL }, way_on = { &d->text.rope, NULL, patch };
	struct text_sink to_then = doc_way_sink(&way), to_now = doc_way_sink(&way_on);
	enum err rc = doc_go_back(d, mark);

	if (rc == OK)
		rc = text_replay(&d->text, mark ? mark->edits : 0, v->heads.edits, v->heads.count,
				 &to_then, &to_now);
	d->is_stale = rc != OK;
	return rc == ERR_CORRUPT ? doc_is_damaged(msg) : rc;
}

/* How long the text was. */
static uint32_t length_before(const struct rope *now, const struct text_patch *p)
{
	uint32_t length = rope_size(now, ROPE_POINTS);

	for (size_t i = 0; i < p->count; i++)
		length -= p->hunks[i].come - p->hunks[i].gone;
	return length;
}

enum err text_doc_since(struct text_doc *d, struct bytes version, enum rope_unit unit,
			const struct text_sink *sink, struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct text_patch patch;
	struct doc_version v;
	enum err rc = doc_find_version(d, version, &arena, &v, msg);

	text_patch_init(&patch, unit);
	if (rc == OK && v.lacks != TEXT_NONE)
		rc = compare(d, &v, &patch, msg);
	if (rc == OK)
		rc = doc_check_length(&v, length_before(&d->text.rope, &patch), msg);
	if (rc == OK)
		rc = tell(&d->text.rope, &patch, sink);
	text_patch_release(&patch);
	arena_release(&arena);
	return rc;
}
