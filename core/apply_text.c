/* How an edit changes a text. What was written once is only its record's; with the second
 * edit a text begins to have a history (core/store_text.c), of which as much is read as is
 * concurrent with the edit at hand. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/replica_impl.h"
#include "core/text.h"
#include "core/utf8.h"

struct text_apply {
	struct store *store;
	struct text_ref ref;
	struct dot dot; /* of the edit at hand */
	const struct op *op;
	struct text_edit edit;
	struct bytes encoded; /* its runs */
	struct store_body body;
	const struct entry *heads;
	size_t head_count;
	uint32_t *parents; /* by their numbers in the history */
	size_t parent_count;
	bool is_adrift;
	struct store_history *history; /* what is concurrent with it, if anything is */
	struct buf buf;                /* what is encoded here */
	struct arena *arena;
	struct errmsg *msg;
};

static enum err encode_edit(struct text_apply *a, const struct text_edit *e, struct bytes *out)
{
	buf_clear(&a->buf);
	text_edit_encode(&a->buf, e);
	if (buf_check(&a->buf))
		return ERR_NOMEM;
	*out = arena_copy(a->arena, buf_bytes(&a->buf));
	return out->data ? OK : ERR_NOMEM;
}

/* A text's first write is an edit, too. */
static enum err whole_edit(struct text_apply *a, struct bytes text, struct text_edit *e,
			   struct bytes *encoded)
{
	struct text_run *run = arena_alloc(a->arena, sizeof(*run));

	if (!run)
		return ERR_NOMEM;
	*run = (struct text_run){ 0, (uint32_t)utf8_count(text), TEXT_INSERT };
	*e = (struct text_edit){ 0, run, run->count > 0, text };
	return encode_edit(a, e, encoded);
}

static enum err read_op(struct text_apply *a)
{
	if (a->op->verb == VERB_SET)
		return whole_edit(a, a->op->value.bytes, &a->edit, &a->encoded);
	a->edit.text = a->op->value.bytes;
	a->encoded = a->op->edit;
	return text_edit_decode(&a->edit, a->op->edit, a->arena, a->msg);
}

/* What stands in the record becomes the history's first edit. */
static enum err begin_history(struct text_apply *a, struct bytes written)
{
	struct text_row row = { .sees_all = true, .text = written };
	struct text_edit e;
	enum err rc = whole_edit(a, written, &e, &row.edit);

	row.dot = a->heads[0].stamp.dot;
	row.after = e.run_count ? e.runs[0].count : 0;
	return rc == OK ? store_text_add(a->store, &a->ref, &row, a->msg) : rc;
}

/* The edits that it refers to, by their numbers. */
static enum err find_parents(struct text_apply *a)
{
	size_t count = a->op->target_count;
	struct dot *dots = arena_array(a->arena, count, sizeof(*dots));
	enum err rc;

	a->parents = arena_array(a->arena, count, sizeof(*a->parents));
	if (!dots || !a->parents)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		dots[i] = a->op->targets[i].dot;
	rc = store_text_find(a->store, &a->ref, dots, count, a->parents, a->msg);
	for (size_t i = 0; rc == OK && i < count; i++) {
		if (a->parents[i] == UINT32_MAX)
			a->is_adrift = true;
		else
			a->parents[a->parent_count++] = a->parents[i];
	}
	return rc;
}

static bool is_target(const struct op *op, const struct dot *dot)
{
	for (size_t i = 0; i < op->target_count; i++)
		if (dot_cmp(&op->targets[i].dot, dot) == 0)
			return true;
	return false;
}

/* It refers to the text as it is: nothing is beside it. */
static bool sees_all(const struct text_apply *a)
{
	for (size_t i = 0; i < a->head_count; i++)
		if (!is_target(a->op, &a->heads[i].stamp.dot))
			return false;
	return a->parent_count == a->head_count;
}

static uint32_t reach_of(const uint32_t *parents, size_t count)
{
	uint32_t reach = count ? UINT32_MAX : 0;

	for (size_t i = 0; i < count; i++)
		reach = parents[i] + 1 < reach ? parents[i] + 1 : reach;
	return reach;
}

/* ---- All -------------------------------------------------------------------- */

/* It has seen all: it is done where it stands, and nothing else of the text is looked at. */
static enum err apply_alone(struct text_apply *a, struct text_row *row)
{
	struct text_sink sink = store_body_sink(&a->body);
	enum err rc;

	row->before = a->body.text.points;
	rc = text_apply(&a->edit, row->before, a->is_adrift, &sink);
	row->after = a->body.text.points;
	return rc;
}

static enum err apply_beside(struct text_apply *a, struct text_row *row)
{
	struct text_sink sink = store_body_sink(&a->body);
	enum err rc = store_history_open(&a->history, a->store, &a->ref, row->at, row->reach,
					 &a->body, a->msg);

	if (rc != OK)
		return rc;
	rc = store_history_add(a->history, row, &a->edit, &sink);
	if (rc == ERR_CORRUPT)
		rc = errmsg_set(a->msg, rc, "a text's history: its edits do not fit each other");
	if (rc == OK)
		store_reread_later(a->store, &a->ref);
	return rc;
}

static enum err merge(struct text_apply *a, uint32_t count, const struct value *now,
		      struct value *out, bool *reread)
{
	struct text_row row = { .at = count,
				.dot = a->dot,
				.sees_all = sees_all(a),
				.is_adrift = a->is_adrift,
				.reach = reach_of(a->parents, a->parent_count),
				.parents = a->parents,
				.parent_count = a->parent_count,
				.edit = a->encoded,
				.text = a->edit.text };
	enum err rc = store_body_open(&a->body, a->store, a->ref.space, now, a->msg);

	if (rc == OK)
		rc = row.sees_all ? apply_alone(a, &row) : apply_beside(a, &row);
	if (rc == OK)
		rc = store_body_save(&a->body, a->arena, out);
	if (rc == OK)
		rc = store_text_add(a->store, &a->ref, &row, a->msg);
	if (rc == OK && row.sees_all)
		*reread = false;
	if (rc == OK && a->history) {
		store_history_keep(a->history, a->store);
		a->history = NULL;
	}
	return rc;
}

enum err apply_text(struct store *store, uint32_t space, const struct record *rec,
		    const struct dot *dot, const struct op *op, struct arena *arena,
		    struct value *out, bool *reread, struct errmsg *msg)
{
	struct text_apply a = { .store = store,
				.ref = { space, rec->kind->number, op->field, rec->id },
				.dot = *dot,
				.op = op,
				.arena = arena,
				.msg = msg };
	struct value now = value_nil();
	uint32_t count = 0;
	enum err rc;

	*reread = record_has_conflict(rec, kind_field(rec->kind, op->field));
	a.heads = record_values(rec, op->field, &a.head_count);
	if (a.head_count == 0 && op->verb == VERB_SET) {
		*out = op->value;
		return OK;
	}
	if (a.head_count)
		now = a.heads[0].value;
	rc = read_op(&a);
	if (rc == OK)
		rc = store_text_count(store, &a.ref, &count, msg);
	if (rc == OK && count == 0 && a.head_count) {
		rc = begin_history(&a, now.type == VALUE_TEXT ? now.bytes : bytes_of("", 0));
		count = 1;
	}
	if (rc == OK)
		rc = find_parents(&a);
	if (rc == OK)
		rc = merge(&a, count, &now, out, reread);
	store_body_close(&a.body);
	store_history_free(a.history);
	buf_release(&a.buf);
	return rc;
}

/* ---- Room ------------------------------------------------------------------- */

/* How much longer the text will be at most: what is deleted may be gone already, unless the edit
 * is of the text as it is. */
static int64_t growth_of(const struct text_apply *a, uint64_t points)
{
	bool sees_all = a->op->target_count == a->head_count && a->edit.length == points;

	for (size_t i = 0; i < a->head_count; i++)
		sees_all &= is_target(a->op, &a->heads[i].stamp.dot);
	return sees_all ? text_edit_growth(&a->edit) : (int64_t)utf8_count(a->edit.text);
}

enum err text_check_room(struct store *store, const struct record *rec, const struct op *op,
			 struct arena *arena, struct errmsg *msg)
{
	struct text_apply a = { .store = store, .op = op, .arena = arena, .msg = msg };
	uint64_t points = 0;
	int64_t growth;
	enum err rc;

	a.heads = record_values(rec, op->field, &a.head_count);
	if (a.head_count == 0)
		return OK;
	rc = store_body_points(store, &a.heads[0].value, &points, msg);
	if (rc == OK)
		rc = read_op(&a);
	buf_release(&a.buf);
	if (rc != OK)
		return rc;
	growth = growth_of(&a, points);
	if (growth > 0 && (int64_t)points + growth > TEXT_HELD_POINTS_MAX)
		rc = errmsg_set(msg, ERR_LIMIT, "%s: a text of more than %d code points",
				rec->kind->name, TEXT_HELD_POINTS_MAX);
	return rc;
}

/* ---- The same edit under another dot ---------------------------------------- */

struct twin {
	const struct text_apply *of;
	struct dot *dot;
	bool is_found;
};

static bool has_parent(const struct text_row *row, uint32_t at)
{
	for (size_t i = 0; i < row->parent_count; i++)
		if (row->parents[i] == at)
			return true;
	return false;
}

static enum err compare_row(void *ctx, const struct text_row *row)
{
	struct twin *t = ctx;
	const struct text_apply *a = t->of;
	bool is_equal = row->parent_count == a->parent_count &&
			bytes_equal(row->edit, a->encoded) && bytes_equal(row->text, a->edit.text);

	for (size_t i = 0; is_equal && i < a->parent_count; i++)
		is_equal = has_parent(row, a->parents[i]);
	if (!is_equal)
		return OK;
	*t->dot = row->dot;
	t->is_found = true;
	return ERR_EXISTS; /* no more need be looked at */
}

/* It stands after all that it refers to: of a text that was written on and on only what came
 * since is looked at. */
static enum err look_for_twin(struct text_apply *a, struct twin *t)
{
	uint32_t from = 0;
	enum err rc;

	for (size_t i = 0; i < a->parent_count; i++)
		from = a->parents[i] < from ? from : a->parents[i] + 1;
	rc = store_each_text_row(a->store, &a->ref, from, a->arena, compare_row, t, a->msg);
	return t->is_found ? OK : rc;
}

enum err text_find_twin(struct store *store, uint32_t space, const struct record *rec,
			const struct op *op, struct arena *arena, struct dot *dot, bool *is_found,
			struct errmsg *msg)
{
	struct text_apply a = { .store = store,
				.ref = { space, rec->kind->number, op->field, rec->id },
				.op = op,
				.arena = arena,
				.msg = msg };
	struct twin t = { &a, dot, false };
	const struct entry *shown = record_shown(rec, op->field);
	uint32_t count = 0;
	enum err rc = store_text_count(store, &a.ref, &count, msg);

	if (rc == OK && count == 0 && shown && op->verb == VERB_SET &&
	    value_equal(&shown->value, &op->value)) {
		*dot = shown->stamp.dot; /* written once */
		t.is_found = true;
	} else if (rc == OK && count) {
		rc = read_op(&a);
		if (rc == OK)
			rc = find_parents(&a);
		if (rc == OK && !a.is_adrift)
			rc = look_for_twin(&a, &t);
	}
	buf_release(&a.buf);
	if (rc == OK)
		*is_found = t.is_found;
	return rc;
}
