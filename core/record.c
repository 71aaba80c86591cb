#include "core/record.h"

#include "core/limits.h"

void record_init(struct record *rec, const struct kind *kind, const struct record_id *id,
		 struct arena *arena)
{
	*rec = (struct record){ .id = *id, .kind = kind, .arena = arena };
}

int entry_cmp(const struct field *field, const struct entry *a, const struct entry *b)
{
	if (field->merge == MERGE_STATE) {
		int rank_a = field->machine->rank[state_to(&a->value)];
		int rank_b = field->machine->rank[state_to(&b->value)];

		if (rank_a != rank_b)
			return rank_a > rank_b ? -1 : 1;
	}
	return -stamp_cmp(&a->stamp, &b->stamp);
}

/* Where the values of a field begin, or would. */
static size_t find_field(const struct record *rec, uint8_t field)
{
	size_t at = 0;

	/* Ops come by field: a record that is filled grows at its end. */
	if (rec->count && rec->entries[rec->count - 1].field < field)
		return rec->count;
	while (at < rec->count && rec->entries[at].field < field)
		at++;
	return at;
}

const struct entry *record_values(const struct record *rec, uint8_t field, size_t *count)
{
	size_t first = find_field(rec, field), end = first;

	while (end < rec->count && rec->entries[end].field == field)
		end++;
	*count = end - first;
	return *count ? &rec->entries[first] : NULL;
}

const struct entry *record_shown(const struct record *rec, uint8_t field)
{
	size_t count;

	return record_values(rec, field, &count);
}

static uint64_t field_bit(uint8_t field)
{
	return UINT64_C(1) << (field - 1);
}

void record_set_reread(struct record *rec, uint8_t field, bool reread)
{
	rec->reread &= ~field_bit(field);
	if (reread)
		rec->reread |= field_bit(field);
}

void record_set_text(struct record *rec, uint8_t field, const struct value *text, bool reread)
{
	size_t first = find_field(rec, field);

	for (size_t i = first; i < rec->count && rec->entries[i].field == field; i++)
		rec->entries[i].value = i == first ? *text : value_nil();
	record_set_reread(rec, field, reread);
}

unsigned record_state(const struct record *rec, const struct field *field)
{
	const struct entry *shown = record_shown(rec, field->number);

	return shown ? state_to(&shown->value) : 0;
}

/* Two values that a person has to choose between. */
static bool is_clash(const struct field *field, const struct value *a, const struct value *b)
{
	unsigned states;

	if (field->merge == MERGE_MV)
		return !value_equal(a, b);
	states = 1u << state_to(a) | 1u << state_to(b);
	return state_to(a) != state_to(b) && (states & ~field->machine->final) == 0;
}

bool record_has_conflict(const struct record *rec, const struct field *field)
{
	size_t count;
	const struct entry *values = record_values(rec, field->number, &count);

	if (field->merge == MERGE_TEXT)
		return rec->reread & field_bit(field->number);
	if (field->merge == MERGE_LWW)
		return false;
	for (size_t i = 1; i < count; i++)
		if (is_clash(field, &values[0].value, &values[i].value))
			return true;
	return false;
}

static bool is_target(const struct op *op, const struct dot *dot)
{
	for (size_t i = 0; i < op->target_count; i++)
		if (dot_cmp(&op->targets[i].dot, dot) == 0)
			return true;
	return false;
}

/* Whoever writes has seen what the same replica wrote before. Without this, one that names
 * nothing could pile up values without end. */
static bool is_replaced(const struct dot *old, const struct stamp *stamp, const struct op *op)
{
	bool is_own = replica_id_cmp(&old->replica, &stamp->dot.replica) == 0;

	return is_own ? old->seq <= stamp->dot.seq : is_target(op, old);
}

static void drop_replaced(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	size_t at = find_field(rec, op->field), kept = at;

	for (; at < rec->count && rec->entries[at].field == op->field; at++)
		if (!is_replaced(&rec->entries[at].stamp.dot, stamp, op))
			rec->entries[kept++] = rec->entries[at];
	if (kept == at)
		return;
	memmove(rec->entries + kept, rec->entries + at, (rec->count - at) * sizeof(*rec->entries));
	rec->count -= at - kept;
}

static enum err insert_entry(struct record *rec, const struct field *field,
			     const struct entry *entry)
{
	size_t at = find_field(rec, entry->field);
	enum err rc = arena_reserve(rec->arena, &rec->entries, &rec->cap, rec->count + 1,
				    sizeof(*rec->entries));

	if (rc != OK)
		return rc;
	while (at < rec->count && rec->entries[at].field == entry->field &&
	       entry_cmp(field, &rec->entries[at], entry) < 0)
		at++;
	memmove(rec->entries + at + 1, rec->entries + at,
		(rec->count - at) * sizeof(*rec->entries));
	rec->entries[at] = *entry;
	rec->count++;
	return OK;
}

static enum err apply_write(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	const struct field *field = kind_field(rec->kind, op->field);
	struct entry entry = { op->field, *stamp, op->value };

	if (!field || !merge_is_register(field->merge))
		return OK;
	drop_replaced(rec, stamp, op);
	return insert_entry(rec, field, &entry);
}

static void drop_voids(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	size_t kept = 0;

	for (size_t i = 0; i < rec->void_count; i++)
		if (!is_replaced(&rec->voids[i].stamp.dot, stamp, op))
			rec->voids[kept++] = rec->voids[i];
	rec->void_count = kept;
}

static enum err apply_void(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	struct void_mark mark = { .stamp = *stamp, .observed_count = op->observed_count };
	struct dot *observed = arena_array(rec->arena, op->observed_count, sizeof(*observed));
	size_t at = 0;
	enum err rc;

	if (!observed)
		return ERR_NOMEM;
	for (size_t i = 0; i < op->observed_count; i++)
		observed[i] = op->observed[i].dot;
	mark.observed = observed;

	drop_voids(rec, stamp, op);
	rc = arena_reserve(rec->arena, &rec->voids, &rec->void_cap, rec->void_count + 1,
			   sizeof(*rec->voids));
	if (rc != OK)
		return rc;
	while (at < rec->void_count && stamp_cmp(&rec->voids[at].stamp, stamp) > 0)
		at++;
	memmove(rec->voids + at + 1, rec->voids + at, (rec->void_count - at) * sizeof(*rec->voids));
	rec->voids[at] = mark;
	rec->void_count++;
	return OK;
}

static enum err apply_revive(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	drop_voids(rec, stamp, op);
	return OK;
}

static enum err apply_nothing(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	return OK;
}

enum err record_apply(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	static enum err (*const handlers[VERB_COUNT])(struct record *, const struct stamp *,
						      const struct op *) = {
		[VERB_SET] = apply_write,    [VERB_REPLACE] = apply_write,
		[VERB_ADD] = apply_nothing,  [VERB_REMOVE] = apply_nothing,
		[VERB_VOID] = apply_void,    [VERB_REVIVE] = apply_revive,
		[VERB_SPLICE] = apply_write,
	};

	return handlers[op->verb](rec, stamp, op);
}

bool record_is_over(const struct record *rec)
{
	return rec->count > RECORD_ENTRIES_MAX || rec->void_count > RECORD_ENTRIES_MAX;
}

static bool is_observed(const struct void_mark *mark, const struct dot *dot)
{
	for (size_t i = 0; i < mark->observed_count; i++)
		if (replica_id_cmp(&mark->observed[i].replica, &dot->replica) == 0)
			return dot->seq <= mark->observed[i].seq;
	return false;
}

bool record_is_unseen(const struct record *rec, const struct dot *dot)
{
	for (size_t i = 0; i < rec->void_count; i++)
		if (is_observed(&rec->voids[i], dot))
			return false;
	return rec->void_count > 0;
}

enum record_life record_life(const struct record *rec)
{
	if (rec->void_count == 0)
		return RECORD_LIVE;
	if (rec->has_unseen_element)
		return RECORD_REVIVED;
	for (size_t i = 0; i < rec->count; i++)
		if (record_is_unseen(rec, &rec->entries[i].stamp.dot))
			return RECORD_REVIVED;
	return RECORD_VOID;
}
