/* How a changeset changes the state: group by group, one load and one save a
 * record. A new record (the common case in bulk) is one insert. */
#include <assert.h>

#include "core/replica_impl.h"

/* The ops of one record within a changeset. */
struct group {
	const struct kind *kind;
	const struct op *ops;
	size_t count;
};

enum purpose {
	APPLY_ANEW,
	APPLY_AGAIN,
	APPLY_CHECK /* to see what would be: nothing is stored */
};

struct applier {
	struct store *store;
	uint32_t space;
	const struct stamp *stamp;
	const struct changeset *cs;
	enum purpose purpose;
	struct arena *arena;
	struct errmsg *msg;
};

/* Conflict marks of a record before a change: bit n for field n, bit 0 for its life. */
static uint64_t conflict_bits(const struct record *rec)
{
	uint64_t bits = (record_life(rec) == RECORD_REVIVED) | rec->reread << 1;

	/* Most records have one value a field: nothing to look for. */
	if (rec->count <= 1)
		return bits;
	for (size_t i = 1; i < rec->count; i++) {
		const struct field *field;

		if (rec->entries[i].field != rec->entries[i - 1].field ||
		    (i > 1 && rec->entries[i].field == rec->entries[i - 2].field))
			continue; /* once a field: there may be thousands of values */
		field = kind_field(rec->kind, rec->entries[i].field);
		if (field && record_has_conflict(rec, field))
			bits |= UINT64_C(1) << (field->number - 1) << 1;
	}
	return bits;
}

static enum err save_conflicts(struct applier *a, const struct record *rec, uint64_t before)
{
	uint64_t after = conflict_bits(rec), changed = before ^ after;
	enum err rc = OK;

	for (uint8_t n = 0; rc == OK && changed >> n; n++)
		if (changed >> n & 1)
			rc = store_conflict_put(a->store, a->space, rec, n, after >> n & 1, a->msg);
	return rc;
}

static enum err apply_op(struct applier *a, struct record *rec, const struct op *op)
{
	const struct field *field = kind_field(rec->kind, op->field);
	bool is_text = field && field->merge == MERGE_TEXT;
	struct value text;
	bool reread;
	enum err rc = OK;

	if (is_text && a->purpose != APPLY_AGAIN)
		rc = text_check_room(a->store, rec, op, a->arena, a->msg);
	is_text &= a->purpose != APPLY_CHECK;
	if (rc == OK && is_text)
		rc = apply_text(a->store, a->space, rec, &a->stamp->dot, op, a->arena, &text,
				&reread, a->msg);
	if (rc == OK)
		rc = record_apply(rec, a->stamp, op);
	if (rc == OK && is_text)
		record_set_text(rec, op->field, &text, reread);
	return rc;
}

/* What replaces as much as it adds is welcome even so; and what is in the log already,
 * in whatever order it is replayed. */
static enum err apply_registers(struct applier *a, struct record *rec, const struct group *g)
{
	size_t before = rec->count + rec->void_count;
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < g->count; i++)
		if (!g->ops[i].is_ignored)
			rc = apply_op(a, rec, &g->ops[i]);
	if (rc == OK && a->purpose != APPLY_AGAIN && record_is_over(rec) &&
	    rec->count + rec->void_count > before)
		rc = errmsg_set(a->msg, ERR_LIMIT, "%s: too many concurrent values", g->kind->name);
	return rc;
}

static enum err apply_elements(struct applier *a, const struct group *g)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < g->count; i++) {
		const struct op *op = &g->ops[i];

		if (op->is_ignored || !kind_field(g->kind, op->field))
			continue;
		if (op->verb == VERB_ADD)
			rc = store_element_add(a->store, a->space, op, a->stamp, &a->cs->author,
					       a->msg);
		else if (op->verb == VERB_REMOVE)
			rc = store_element_remove(a->store, a->space, op, a->msg);
	}
	return rc;
}

/* Only first writes and additions: most likely a new record. */
static bool looks_new(const struct group *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->ops[i].verb != VERB_SET && g->ops[i].verb != VERB_ADD)
			return false;
	return true;
}

/* Whether the record's sets and logs have something that its voids had not seen. */
static enum err look_for_unseen(struct applier *a, struct record *rec)
{
	struct dot *dots;
	size_t count;
	enum err rc;

	rec->has_unseen_element = false;
	if (rec->void_count == 0)
		return OK;
	rc = store_element_dots(a->store, a->space, rec->kind, &rec->id, a->arena, &dots, &count,
				a->msg);
	for (size_t i = 0; rc == OK && i < count; i++)
		rec->has_unseen_element |= record_is_unseen(rec, &dots[i]);
	return rc;
}

static enum err insert_new(struct applier *a, const struct group *g, bool *exists)
{
	struct record rec;
	enum err rc;

	record_init(&rec, g->kind, &g->ops[0].record, a->arena);
	rc = apply_registers(a, &rec, g);
	if (rc == OK)
		rc = look_for_unseen(a, &rec); /* voided, while what was voided does not count */
	if (rc == OK)
		rc = store_record_insert(a->store, a->space, &rec, exists, a->msg);
	if (rc == OK && !*exists)
		rc = save_conflicts(a, &rec, 0);
	return rc;
}

static bool writes_indexed(const struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct field *field = kind_field(g->kind, g->ops[i].field);

		if (field && field->indexed)
			return true;
	}
	return false;
}

static enum err update(struct applier *a, const struct group *g, struct record *rec)
{
	uint64_t before = conflict_bits(rec);
	enum err rc = apply_registers(a, rec, g);

	if (rc == OK)
		rc = look_for_unseen(a, rec);
	if (rc == OK)
		rc = store_record_update(a->store, a->space, rec, writes_indexed(g), a->msg);
	return rc == OK ? save_conflicts(a, rec, before) : rc;
}

static bool is_ignored(const struct group *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (!g->ops[i].is_ignored)
			return false;
	return true;
}

static enum err apply_group(struct applier *a, const struct group *g)
{
	struct record rec;
	bool exists = true;
	enum err rc = OK;

	if (is_ignored(g))
		return OK;
	if (store_reread_is_full(a->store))
		rc = store_reread_now(a->store, a->msg);
	if (rc == OK)
		rc = apply_elements(a, g);
	if (rc == OK && looks_new(g))
		rc = insert_new(a, g, &exists);
	if (rc != OK || !exists)
		return rc;
	rc = store_record_open(a->store, a->space, g->kind, &g->ops[0].record, a->arena, &rec,
			       a->msg);
	if (rc == ERR_NOT_FOUND)
		return insert_new(a, g, &exists);
	return rc == OK ? update(a, g, &rec) : rc;
}

/* Not what the sets and logs get: they have no limit. */
static enum err check_group(struct applier *a, const struct group *g)
{
	struct record rec;
	enum err rc;

	if (is_ignored(g))
		return OK;
	rc = store_record_open(a->store, a->space, g->kind, &g->ops[0].record, a->arena, &rec,
			       a->msg);
	if (rc == ERR_NOT_FOUND)
		return OK;
	return rc == OK ? apply_registers(a, &rec, g) : rc;
}

/* Kinds of a newer schema stay in the log until we know them. */
static enum err each_group(struct applier *a,
			   enum err (*each)(struct applier *a, const struct group *g))
{
	const struct changeset *cs = a->cs;
	enum err rc = OK;

	for (size_t i = 0, end; rc == OK && i < cs->op_count; i = end) {
		struct group g = { schema_kind(cs->ops[i].kind), &cs->ops[i], 0 };

		for (end = i; end < cs->op_count && cs->ops[end].kind == cs->ops[i].kind &&
			      record_id_cmp(&cs->ops[end].record, &cs->ops[i].record) == 0;
		     end++)
			g.count++;
		if (g.kind)
			rc = each(a, &g);
	}
	return rc;
}

enum err apply_changeset(struct store *store, uint32_t space, const struct stamp *stamp,
			 const struct changeset *cs, struct arena *arena, struct errmsg *msg)
{
	struct applier a = { store, space, stamp, cs, APPLY_ANEW, arena, msg };

	return each_group(&a, apply_group);
}

enum err apply_again(struct store *store, uint32_t space, const struct stamp *stamp,
		     const struct changeset *cs, struct arena *arena, struct errmsg *msg)
{
	struct applier a = { store, space, stamp, cs, APPLY_AGAIN, arena, msg };

	return each_group(&a, apply_group);
}

enum err apply_check(struct store *store, uint32_t space, const struct stamp *stamp,
		     const struct changeset *cs, struct arena *arena, struct errmsg *msg)
{
	struct applier a = { store, space, stamp, cs, APPLY_CHECK, arena, msg };

	return each_group(&a, check_group);
}
