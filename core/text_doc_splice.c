/* What an editor has changed in the version that it names. */
#include "core/limits.h"
#include "core/text_doc_impl.h"
#include "core/utf8.h"

/* What an editor hands in, as an edit of its version. */
struct handed_in {
	struct text_doc *doc;
	enum rope_unit unit;
	struct text_log log; /* of the rope on the way to the version, and to what it becomes */
	struct text_edit_builder built;
	struct buf whole; /* of a text that nobody had written before */
	struct errmsg *msg;
};

/* The code point at a position; `of` which change it is. */
static enum err find_point(const struct handed_in *in, size_t of, uint32_t pos, uint32_t *out)
{
	const struct rope *r = &in->doc->text.rope;
	uint32_t size = rope_size(r, in->unit);

	if (pos > size)
		return errmsg_set(in->msg, ERR_INVALID,
				  "change %zu: position %u is past the end of the text, %u", of,
				  pos, size);
	*out = rope_convert(r, pos, in->unit, ROPE_POINTS);
	if (rope_convert(r, *out, ROPE_POINTS, in->unit) != pos)
		return errmsg_set(in->msg, ERR_INVALID,
				  "change %zu: position %u is in the middle of a character", of,
				  pos);
	return OK;
}

static enum err check_inserted(const struct handed_in *in, size_t of, struct bytes text)
{
	if (!utf8_is_valid(text))
		return errmsg_set(in->msg, ERR_INVALID, "change %zu: the text is not UTF-8", of);
	if (text.size && memchr(text.data, 0, text.size))
		return errmsg_set(in->msg, ERR_INVALID, "change %zu: the text contains U+0000", of);
	return OK;
}

static enum err make_change(struct handed_in *in, size_t of, const struct text_splice *s)
{
	struct rope *r = &in->doc->text.rope;
	uint32_t from, to, end = s->pos + s->removed, count;
	enum err rc = find_point(in, of, s->pos, &from);

	if (rc == OK)
		rc = find_point(in, of, end < s->pos ? UINT32_MAX : end, &to);
	if (rc == OK)
		rc = check_inserted(in, of, s->inserted);
	if (rc == OK)
		rc = text_edit_delete(&in->built, from, to - from);
	if (rc == OK && to > from)
		rc = text_log_remove(&in->log, r, from, to - from);
	if (rc != OK || s->inserted.size == 0)
		return rc;
	count = (uint32_t)utf8_count(s->inserted);
	rc = text_edit_insert(&in->built, from, s->inserted, count);
	return rc == OK ? text_log_insert(&in->log, r, from, s->inserted, count) : rc;
}

static enum err make_changes(struct handed_in *in, const struct doc_version *v,
			     const struct text_splice *list, size_t count)
{
	const struct rope *r = &in->doc->text.rope;
	uint32_t before = rope_size(r, ROPE_BYTES), after;
	enum err rc = OK;

	if (count > TEXT_RUNS_MAX)
		return errmsg_set(in->msg, ERR_LIMIT, "a list has at most %d changes",
				  TEXT_RUNS_MAX);
	text_edit_begin(&in->built, rope_size(r, ROPE_POINTS));
	for (size_t i = 0; i < count && rc == OK; i++)
		rc = make_change(in, i, &list[i]);
	after = rope_size(r, ROPE_BYTES);
	if (rc == OK && after > before && after > TEXT_BYTES_MAX)
		rc = errmsg_set(in->msg, ERR_LIMIT, "the text would have %u bytes, more than %d",
				after, TEXT_BYTES_MAX);
	if (rc == OK && v->heads.count == 0) {
		rope_read(r, 0, rope_size(r, ROPE_POINTS), &in->whole);
		rc = buf_check(&in->whole);
	}
	return rc;
}

/* Makes the changes on the rope at the version, and puts it back. */
static enum err check_in(struct handed_in *in, const struct doc_version *v,
			 const struct text_splice *list, size_t count)
{
	struct text_doc *d = in->doc;
	const struct doc_mark *mark = v->lacks == TEXT_NONE ? NULL : doc_find_mark(d, v->lacks);
	struct doc_way way = { &d->text.rope, &in->log, NULL };
	struct text_sink to_then = doc_way_sink(&way);
	enum err rc = OK, back;

	if (v->lacks != TEXT_NONE)
		rc = doc_go_back(d, mark);
	if (rc == OK && v->lacks != TEXT_NONE)
		rc = text_replay(&d->text, mark ? mark->edits : 0, v->heads.edits, v->heads.count,
				 &to_then, NULL);
	if (rc == ERR_CORRUPT)
		rc = doc_is_damaged(in->msg);
	if (rc == OK)
		rc = doc_check_length(v, rope_size(&d->text.rope, ROPE_POINTS), in->msg);
	if (rc == OK)
		rc = make_changes(in, v, list, count);
	d->is_stale = rc == ERR_NOMEM || rc == ERR_CORRUPT || (v->lacks != TEXT_NONE && !mark);
	if (d->is_stale)
		return rc;
	back = text_log_undo(&in->log, &d->text.rope, 0);
	if (back == OK && mark)
		back = text_log_redo(&d->log, &d->text.rope, mark->items);
	d->is_stale = back != OK;
	return rc;
}

/* In the open transaction. */
static enum err write_edit(struct handed_in *in, const struct doc_version *v, struct arena *arena,
			   const struct record_id *author, uint64_t now_ms)
{
	struct text_doc *d = in->doc;
	const struct text_version nothing = { .text = bytes_of("", 0) };
	struct text_edit made = text_edit_built(&in->built);
	struct dot *seen = arena_array(arena, v->heads.count, sizeof(*seen));
	struct edit *e;
	enum err rc =
		seen ? edit_open(&e, d->replica, &d->space, author, now_ms, in->msg) : ERR_NOMEM;

	if (rc != OK)
		return rc;
	for (size_t i = 0; i < v->heads.count; i++)
		seen[i] = text_history_dot(&d->text.history, v->heads.edits[i]);
	if (v->heads.count == 0)
		rc = edit_text(e, d->ref.kind, &d->ref.record, d->ref.field, &nothing,
			       buf_bytes(&in->whole), in->msg);
	else
		rc = edit_splice(e, d->ref.kind, &d->ref.record, d->ref.field, seen, v->heads.count,
				 &made, in->msg);
	if (rc == OK)
		return edit_seal(e, in->msg);
	edit_drop(e);
	return rc;
}

static enum err commit_edit(struct handed_in *in, const struct doc_version *v, struct arena *arena,
			    const struct record_id *author, uint64_t now_ms, struct dot *dot)
{
	struct text_doc *d = in->doc;
	struct replica *r = d->replica;
	enum err rc = replica_begin(r, in->msg);

	if (rc != OK)
		return rc;
	rc = write_edit(in, v, arena, author, now_ms);
	dot->replica = *replica_id(r); /* known only now: it may have begun a new epoch */
	dot->seq = vv_get(replica_vv(r, &d->space), &dot->replica);
	if (rc == OK)
		return replica_commit(r, in->msg);
	replica_rollback(r);
	return rc;
}

/* It is committed: whatever fails from now on, the editor has it. */
static void name_edit(struct text_doc *d, const struct dot *dot, uint32_t length, struct buf *out)
{
	bool changed, is_alone = true;

	if (text_doc_refresh(d, &changed, NULL) == OK) {
		uint32_t edit = text_history_find(&d->text.history, dot);

		is_alone = edit == TEXT_NONE || d->text.history.nodes[edit].is_join;
	} else {
		d->is_stale = true;
	}
	text_version_name(dot, is_alone, length, out);
}

/* A changeset can name an edit only with what its office had written before. */
static enum err check_version(const struct text_history *h, const struct doc_version *v,
			      struct errmsg *msg)
{
	for (size_t i = 0; i < v->heads.count; i++) {
		struct dot dot = text_history_dot(h, v->heads.edits[i]);

		if (text_history_find(h, &dot) != v->heads.edits[i])
			return errmsg_set(msg, ERR_INVALID,
					  "version %.*s lacks what was written here beside it: "
					  "first read what has changed since",
					  (int)v->name.size, (const char *)v->name.data);
	}
	return OK;
}

enum err text_doc_splice(struct text_doc *d, struct bytes version, enum rope_unit unit,
			 const struct text_splice *list, size_t count,
			 const struct record_id *author, uint64_t now_ms, struct buf *after,
			 struct errmsg *msg)
{
	struct handed_in in = { .doc = d, .unit = unit, .msg = msg };
	struct arena arena = ARENA_EMPTY;
	struct buf name = BUF_EMPTY;
	struct doc_version v;
	struct dot dot;
	enum err rc = doc_find_version(d, version, &arena, &v, msg);

	/* Nothing may fail once it is committed. */
	if (rc == OK && !buf_grow(&name, version.size + TEXT_VERSION_NAME_BYTES))
		rc = ERR_NOMEM;
	buf_clear(&name);
	if (rc == OK)
		rc = check_version(&d->text.history, &v, msg);
	if (rc == OK)
		rc = check_in(&in, &v, list, count);
	if (rc == OK && in.built.run_count == 0) {
		buf_append(&name, version.data, version.size);
	} else if (rc == OK) {
		rc = commit_edit(&in, &v, &arena, author, now_ms, &dot);
		if (rc == OK)
			name_edit(d, &dot, in.built.now, &name);
	}
	if (rc == OK) {
		buf_release(after);
		*after = name;
	} else {
		buf_release(&name);
	}
	text_log_release(&in.log);
	text_edit_release(&in.built);
	buf_release(&in.whole);
	arena_release(&arena);
	return rc;
}
