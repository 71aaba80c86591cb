#include "tests/sim/oracle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/utf8.h"
#include "tests/support/text_model.h"

enum { NONE = UINT32_MAX, FIELDS_MAX = 256 };

static void *must(void *memory)
{
	if (!memory) {
		perror("oracle");
		abort();
	}
	return memory;
}

/* Subjects by (space, kind, id). */

static uint32_t hash_of(uint32_t space, uint16_t kind, const struct record_id *id)
{
	uint32_t hash = 2166136261u ^ space * 31u ^ kind;

	for (int i = 0; i < ID_BYTES; i++)
		hash = (hash ^ id->bytes[i]) * 16777619u;
	return hash;
}

static bool is_subject(const struct subject *s, uint32_t space, uint16_t kind,
		       const struct record_id *id)
{
	return s->space == space && s->kind == kind && record_id_cmp(&s->id, id) == 0;
}

void oracle_init(struct oracle *o, const struct ledger *ledger, bool is_contested)
{
	*o = (struct oracle){ .ledger = ledger,
			      .is_contested = is_contested,
			      .bucket_count = 4096 };
	o->buckets = must(malloc(o->bucket_count * sizeof(*o->buckets)));
	memset(o->buckets, 0xff, o->bucket_count * sizeof(*o->buckets));
}

void oracle_release(struct oracle *o)
{
	for (uint32_t i = 0; i < o->subject_count; i++)
		free(o->subjects[i].facts);
	free(o->subjects);
	free(o->buckets);
	*o = (struct oracle){ 0 };
}

const struct subject *oracle_find(const struct oracle *o, uint32_t space, uint16_t kind,
				  const struct record_id *id)
{
	uint32_t at = o->buckets[hash_of(space, kind, id) % o->bucket_count];

	while (at != NONE && !is_subject(&o->subjects[at], space, kind, id))
		at = o->subjects[at].next;
	return at == NONE ? NULL : &o->subjects[at];
}

static struct subject *find_or_add(struct oracle *o, uint32_t space, const struct op *op)
{
	const struct subject *found = oracle_find(o, space, op->kind, &op->record);
	uint32_t *bucket;

	if (found)
		return &o->subjects[found - o->subjects];
	if (o->subject_count == o->subject_cap) {
		o->subject_cap = o->subject_cap ? 2 * o->subject_cap : 256;
		o->subjects = must(realloc(o->subjects, o->subject_cap * sizeof(*o->subjects)));
	}
	bucket = &o->buckets[hash_of(space, op->kind, &op->record) % o->bucket_count];
	o->subjects[o->subject_count] = (struct subject){
		.space = space, .kind = op->kind, .id = op->record, .next = *bucket
	};
	*bucket = o->subject_count;
	return &o->subjects[o->subject_count++];
}

/* That of the dots' contents which the author held, or else any of it. */
static const struct ledger_entry *find_target(const struct oracle *o, const struct ledger_entry *e,
					      const struct dot *dot)
{
	const struct ledger *l = o->ledger;
	uint32_t root = ledger_author(l, &dot->replica), best = root;

	for (uint32_t i = root; i != LEDGER_NONE && i < e->context_count; i++)
		if (l->authors[i].root == root && e->context[i] > e->context[best])
			best = i;
	return root == LEDGER_NONE ? NULL : ledger_find(l, e->space, best, dot->seq);
}

/* A removal names the additions that it saw; they all have one value. */
static struct value removed_value(const struct oracle *o, const struct ledger_entry *e,
				  const struct op *op)
{
	const struct target *t = &op->targets[0];
	const struct ledger_entry *adder = op->target_count ? find_target(o, e, &t->dot) : NULL;

	for (size_t i = 0; adder && i < adder->cs.op_count; i++)
		if (adder->cs.ops[i].verb == VERB_ADD && adder->cs.ops[i].n == t->n)
			return adder->cs.ops[i].value;
	return value_nil();
}

void oracle_learn(struct oracle *o, const struct ledger_entry *e)
{
	for (size_t i = 0; i < e->cs.op_count; i++) {
		const struct op *op = &e->cs.ops[i];
		struct subject *s = find_or_add(o, e->space, op);

		if (s->fact_count == s->fact_cap) {
			s->fact_cap = s->fact_cap ? 2 * s->fact_cap : 8;
			s->facts = must(realloc(s->facts, s->fact_cap * sizeof(*s->facts)));
		}
		s->facts[s->fact_count] = (struct fact){ .entry = e, .op = op };
		if (op->verb == VERB_REMOVE)
			s->facts[s->fact_count].removed = removed_value(o, e, op);
		s->fact_count++;
	}
}

/* The rules. */

static bool is_held(const struct fact *f, const uint32_t *held)
{
	return f->entry->seq <= held[f->entry->author];
}

bool subject_exists(const struct subject *s, const uint32_t *held)
{
	for (uint32_t i = 0; i < s->fact_count; i++)
		if (is_held(&s->facts[i], held))
			return true;
	return false;
}

static bool is_named(const struct target *list, size_t count, const struct dot *dot, uint32_t n)
{
	for (size_t i = 0; i < count; i++)
		if (dot_cmp(&list[i].dot, dot) == 0 && list[i].n == n)
			return true;
	return false;
}

/* A void has seen, of each replica that it names, all up to there. */
static bool is_observed(const struct op *op, const struct dot *dot)
{
	for (size_t i = 0; i < op->observed_count; i++)
		if (replica_id_cmp(&op->observed[i].dot.replica, &dot->replica) == 0 &&
		    dot->seq <= op->observed[i].dot.seq)
			return true;
	return false;
}

/* What the op says by itself. */
static bool names(const struct ledger *l, const struct fact *later, const struct fact *earlier)
{
	const struct op *op = later->op;
	struct dot dot = entry_stamp(l, earlier->entry).dot;
	struct dot own = entry_stamp(l, later->entry).dot;
	bool is_own = replica_id_cmp(&dot.replica, &own.replica) == 0 && dot.seq < own.seq;

	if (op->verb == VERB_VOID && earlier->op->field != 0)
		return is_observed(op, &dot);
	if (op->verb == VERB_REMOVE)
		return is_named(op->targets, op->target_count, &dot, earlier->op->n);
	return is_own || is_named(op->targets, op->target_count, &dot, 0);
}

static bool is_write(const struct op *op)
{
	return op->verb == VERB_SET || op->verb == VERB_REPLACE || op->verb == VERB_SPLICE;
}

/* Within one changeset the later of two writes of one field stands. */
static bool knows(const struct oracle *o, const struct fact *later, const struct fact *earlier)
{
	if (later->entry == earlier->entry)
		return is_write(later->op) && later->op > earlier->op;
	if (o->is_contested)
		return names(o->ledger, later, earlier);
	return entry_knows(later->entry, earlier->entry);
}

/* Whether an op of kind `a` is undone by a later one of kind `b`. */
static bool undoes(const struct fact *b, const struct fact *a)
{
	if (b->op->field != a->op->field || b == a)
		return false;
	switch (a->op->verb) {
	case VERB_SET:
	case VERB_REPLACE:
	case VERB_SPLICE: return is_write(b->op);
	case VERB_ADD: return b->op->verb == VERB_REMOVE && value_equal(&b->removed, &a->op->value);
	case VERB_VOID: return b->op->verb == VERB_VOID || b->op->verb == VERB_REVIVE;
	default: return false;
	}
}

/* The held facts about a field (0: the voids) that nothing held undoes. */
static uint32_t current_facts(const struct oracle *o, const struct subject *s, const uint32_t *held,
			      uint8_t field, const struct fact **out)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->fact_count; i++) {
		const struct fact *f = &s->facts[i];
		bool stands = f->op->field == field && f->op->verb != VERB_REMOVE &&
			      f->op->verb != VERB_REVIVE && is_held(f, held);

		for (uint32_t k = 0; stands && k < s->fact_count; k++)
			stands = !(undoes(&s->facts[k], f) && is_held(&s->facts[k], held) &&
				   knows(o, &s->facts[k], f));
		if (stands)
			out[count++] = f;
	}
	return count;
}

static const struct fact **fact_array(const struct subject *s)
{
	return must(calloc(s->fact_count + 1, sizeof(struct fact *)));
}

static bool field_is_register(const struct field *f)
{
	return f->merge == MERGE_LWW || f->merge == MERGE_MV || f->merge == MERGE_STATE ||
	       f->merge == MERGE_TEXT;
}

static bool any_knows(const struct oracle *o, const struct fact *const *voids, uint32_t void_count,
		      const struct fact *write)
{
	for (uint32_t v = 0; v < void_count; v++)
		if (knows(o, voids[v], write))
			return true;
	return false;
}

enum record_life oracle_life(const struct oracle *o, const struct subject *s, const uint32_t *held)
{
	const struct kind *kind = schema_kind(s->kind);
	const struct fact **voids = fact_array(s), **writes = fact_array(s);
	uint32_t void_count = current_facts(o, s, held, 0, voids);
	enum record_life life = void_count ? RECORD_VOID : RECORD_LIVE;

	for (size_t i = 0; void_count && i < kind->field_count; i++) {
		uint32_t count;

		/* Elements count as well as values: docs/DATA_MODEL.md, I-15. */
		count = current_facts(o, s, held, kind->fields[i].number, writes);
		for (uint32_t k = 0; k < count; k++)
			if (!any_knows(o, voids, void_count, writes[k]))
				life = RECORD_REVIVED;
	}
	free(voids);
	free(writes);
	return life;
}

/* Greatest first. */
static int fact_order(const struct oracle *o, const struct field *field, const struct fact *a,
		      const struct fact *b)
{
	int64_t rank_a = 0, rank_b = 0;
	int order;

	if (field->merge == MERGE_STATE) {
		rank_a = field->machine->rank[a->op->value.number & 0xff];
		rank_b = field->machine->rank[b->op->value.number & 0xff];
	}
	if (rank_a != rank_b)
		return rank_a > rank_b ? -1 : 1;
	if (a->entry->cs.hlc.bits != b->entry->cs.hlc.bits)
		return a->entry->cs.hlc.bits > b->entry->cs.hlc.bits ? -1 : 1;
	order = memcmp(o->ledger->authors[a->entry->author].id.bytes,
		       o->ledger->authors[b->entry->author].id.bytes, ID_BYTES);
	if (order)
		return -order;
	return a->entry->seq > b->entry->seq ? -1 : a->entry->seq < b->entry->seq;
}

static void sort_facts(const struct oracle *o, const struct field *field, const struct fact **facts,
		       uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		for (uint32_t k = i; k > 0 && fact_order(o, field, facts[k - 1], facts[k]) > 0;
		     k--) {
			const struct fact *kept = facts[k];

			facts[k] = facts[k - 1];
			facts[k - 1] = kept;
		}
}

static bool is_final(const struct field *field, const struct value *step)
{
	return field->machine->final >> (step->number & 0xff) & 1;
}

static bool is_clash(const struct field *field, const struct fact *const *facts, uint32_t count)
{
	if (field->merge == MERGE_LWW)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		const struct value *shown = &facts[0]->op->value, *other = &facts[i]->op->value;

		if (field->merge == MERGE_MV && !value_equal(shown, other))
			return true;
		if (field->merge == MERGE_STATE && is_final(field, shown) &&
		    is_final(field, other) && (shown->number & 0xff) != (other->number & 0xff))
			return true;
	}
	return false;
}

/* Where the edit of this dot is among those that the model has; their number: nowhere. */
static size_t edit_of(const struct text_model *m, const struct dot *dot)
{
	size_t i = 0;

	while (i < m->edit_count && dot_cmp(&m->dots[i], dot) != 0)
		i++;
	return i;
}

/* One more edit for the model; one whose parents are not all there, or that speaks of a
 * text of another length, is adrift. */
static void model_learn(const struct oracle *o, struct text_model *m, const struct fact *f)
{
	const struct op *op = f->op;
	struct text_run whole = { 0, (uint32_t)utf8_count(op->value.bytes), TEXT_INSERT };
	struct text_edit e = { 0, &whole, whole.count > 0, op->value.bytes };
	struct dot dot = entry_stamp(o->ledger, f->entry).dot;
	size_t *parents = must(calloc(op->target_count + 1, sizeof(*parents)));
	struct arena arena = ARENA_EMPTY;
	size_t count = 0;

	if (op->verb == VERB_SPLICE && text_edit_decode(&e, op->edit, &arena, NULL) != OK)
		abort();
	for (size_t i = 0; i < op->target_count; i++) {
		parents[count] = edit_of(m, &op->targets[i].dot);
		count += parents[count] < m->edit_count;
	}
	text_model_add(m, &dot, &e, parents, count,
		       count < op->target_count ||
			       text_model_read(m, parents, count, NULL) != e.length);
	arena_release(&arena);
	free(parents);
}

/* A text by the model in tests/support/text_model.h, and all its edits, for the caller to
 * free. */
static size_t *model_text(const struct oracle *o, const struct subject *s, const uint32_t *held,
			  uint8_t field, struct text_model *m)
{
	size_t *heads;

	text_model_init(m);
	for (uint32_t i = 0; i < s->fact_count; i++)
		if (s->facts[i].op->field == field && is_write(s->facts[i].op) &&
		    is_held(&s->facts[i], held))
			model_learn(o, m, &s->facts[i]);
	heads = must(calloc(m->edit_count + 1, sizeof(*heads)));
	for (size_t i = 0; i < m->edit_count; i++)
		heads[i] = i;
	return heads;
}

static void read_text(const struct oracle *o, const struct subject *s, const uint32_t *held,
		      uint8_t field, struct buf *out)
{
	struct text_model m;
	size_t *heads = model_text(o, s, held, field, &m);

	text_model_read(&m, heads, m.edit_count, out);
	free(heads);
	text_model_release(&m);
}

static void note_any(void *ctx, size_t from, size_t to, const bool *touched)
{
	bool *is_any = ctx;

	*is_any = true;
}

/* Somebody is to reread a sentence of it. */
static bool is_to_be_reread(const struct oracle *o, const struct subject *s, const uint32_t *held,
			    uint8_t field)
{
	struct text_model m;
	size_t *heads = model_text(o, s, held, field, &m);
	bool is_any = false;

	text_model_reread(&m, heads, m.edit_count, note_any, &is_any);
	free(heads);
	text_model_release(&m);
	return is_any;
}

/* facts: the field's current ones, the shown one first. */
static bool is_conflict(const struct oracle *o, const struct subject *s, const uint32_t *held,
			const struct field *field, const struct fact *const *facts, uint32_t count)
{
	return field->merge == MERGE_TEXT ? is_to_be_reread(o, s, held, field->number)
					  : is_clash(field, facts, count);
}

bool oracle_shown(const struct oracle *o, const struct subject *s, const uint32_t *held,
		  const struct field *field, struct buf *text, struct value *out)
{
	const struct fact **facts = fact_array(s);
	uint32_t count = current_facts(o, s, held, field->number, facts);

	sort_facts(o, field, facts, count);
	if (count)
		*out = facts[0]->op->value;
	free(facts);
	if (count && field->merge == MERGE_TEXT) {
		read_text(o, s, held, field->number, text);
		*out = value_text(buf_bytes(text));
	}
	return count > 0;
}

bool oracle_has_conflict(const struct oracle *o, const struct subject *s, const uint32_t *held,
			 uint8_t number)
{
	const struct field *field = kind_field(schema_kind(s->kind), number);
	const struct fact **facts;
	uint32_t count;
	bool has;

	if (number == 0)
		return oracle_life(o, s, held) == RECORD_REVIVED;
	if (!field || !field_is_register(field))
		return false;
	facts = fact_array(s);
	count = current_facts(o, s, held, number, facts);
	sort_facts(o, field, facts, count);
	has = is_conflict(o, s, held, field, facts, count);
	free(facts);
	return has;
}

unsigned oracle_conflicts(const struct oracle *o, const struct subject *s, const uint32_t *held)
{
	const struct kind *kind = schema_kind(s->kind);
	unsigned conflicts = oracle_has_conflict(o, s, held, 0);

	for (size_t i = 0; i < kind->field_count; i++)
		conflicts += oracle_has_conflict(o, s, held, kind->fields[i].number);
	return conflicts;
}

/* What a write names. */

static bool is_there(const struct oracle *o, const struct fact *const *facts, uint32_t count,
		     const struct dot *dot)
{
	for (uint32_t i = 0; i < count; i++) {
		struct dot of = entry_stamp(o->ledger, facts[i]->entry).dot;

		if (dot_cmp(&of, dot) == 0)
			return true;
	}
	return false;
}

/* All that stands of the field and is of its concern, and nothing else. */
static bool names_field(const struct oracle *o, const struct subject *s, const struct fact *later,
			uint8_t field, const uint32_t *counted)
{
	const struct op *op = later->op;
	const struct fact **facts = fact_array(s);
	uint32_t count = current_facts(o, s, counted, field, facts);
	bool is_right = true;

	for (uint32_t i = 0; i < count; i++)
		if (op->verb != VERB_REMOVE || value_equal(&later->removed, &facts[i]->op->value))
			is_right &= names(o->ledger, later, facts[i]);
	for (size_t i = 0; field == op->field && i < op->target_count; i++)
		is_right &= is_there(o, facts, count, &op->targets[i].dot);
	free(facts);
	return is_right;
}

static bool fact_names_rightly(const struct oracle *o, const struct subject *s,
			       const struct fact *f, const uint32_t *counted)
{
	const struct kind *kind = schema_kind(s->kind);

	if (f->op->verb == VERB_ADD)
		return true;
	for (size_t i = 0; f->op->verb == VERB_VOID && i < kind->field_count; i++)
		if (!names_field(o, s, f, kind->fields[i].number, counted))
			return false;
	return names_field(o, s, f, f->op->field, counted);
}

bool oracle_names_rightly(const struct oracle *o, const struct ledger_entry *e,
			  const uint32_t *counted)
{
	for (size_t i = 0; i < e->cs.op_count; i++) {
		const struct op *op = &e->cs.ops[i];
		const struct subject *s = oracle_find(o, e->space, op->kind, &op->record);

		for (uint32_t k = 0; k < s->fact_count; k++)
			if (s->facts[k].op == op &&
			    !fact_names_rightly(o, s, &s->facts[k], counted))
				return false;
	}
	return true;
}

/* Comparing. */

struct comparison {
	const struct oracle *o;
	const struct subject *s;
	const uint32_t *held;
	struct replica *r;
	struct arena arena;
	const struct fact **facts;
	struct errmsg *msg;
};

static enum err differs(struct comparison *c, const char *field, const char *what, size_t is,
			size_t must_be)
{
	char id[ID_TEXT_SIZE];

	return errmsg_set(c->msg, ERR_CORRUPT, "%s %s, %s: %s is %zu, must be %zu",
			  schema_kind(c->s->kind)->name, id_text(c->s->id.bytes, id), field, what,
			  is, must_be);
}

static bool same_stamp(const struct comparison *c, const struct stamp *is, const struct fact *f)
{
	struct stamp must_be = entry_stamp(c->o->ledger, f->entry);

	return stamp_cmp(is, &must_be) == 0;
}

static enum err compare_text(struct comparison *c, const struct field *field,
			     const struct value *is)
{
	struct buf text = BUF_EMPTY;
	bool is_equal;

	read_text(c->o, c->s, c->held, field->number, &text);
	is_equal = is->type == VALUE_TEXT && bytes_equal(is->bytes, buf_bytes(&text));
	buf_release(&text);
	return is_equal ? OK : differs(c, field->name, "the text's length", is->bytes.size, 0);
}

static enum err compare_register(struct comparison *c, const struct record *rec,
				 const struct field *field)
{
	uint32_t count = current_facts(c->o, c->s, c->held, field->number, c->facts);
	size_t is_count;
	const struct entry *is = record_values(rec, field->number, &is_count);

	if (is_count != count)
		return differs(c, field->name, "the number of values", is_count, count);
	sort_facts(c->o, field, c->facts, count);
	for (uint32_t i = 0; i < count; i++)
		if (!same_stamp(c, &is[i].stamp, c->facts[i]) ||
		    (field->merge != MERGE_TEXT &&
		     !value_equal(&is[i].value, &c->facts[i]->op->value)))
			return differs(c, field->name, "the first wrong value", i, count);
	return field->merge == MERGE_TEXT && count ? compare_text(c, field, &is->value) : OK;
}

/* Elements come by stamp, then by their place in the changeset. */
static void sort_elements(const struct oracle *o, const struct fact **facts, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		for (uint32_t k = i; k > 0; k--) {
			struct stamp a = entry_stamp(o->ledger, facts[k - 1]->entry);
			struct stamp b = entry_stamp(o->ledger, facts[k]->entry);
			int order = stamp_cmp(&a, &b);
			const struct fact *kept = facts[k];

			if (order < 0 || (order == 0 && facts[k - 1]->op->n < facts[k]->op->n))
				break;
			facts[k] = facts[k - 1];
			facts[k - 1] = kept;
		}
}

static enum err compare_elements(struct comparison *c, const struct field *field)
{
	uint32_t count = current_facts(c->o, c->s, c->held, field->number, c->facts);
	struct element *is;
	size_t is_count;
	enum err rc = replica_elements(c->r, c->s->kind, &c->s->id, field->number, &c->arena, &is,
				       &is_count, c->msg);

	if (rc != OK)
		return rc;
	if (is_count != count)
		return differs(c, field->name, "the number of elements", is_count, count);
	sort_elements(c->o, c->facts, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct fact *f = c->facts[i];

		if (!same_stamp(c, &is[i].stamp, f) || is[i].n != f->op->n ||
		    !value_equal(&is[i].value, &f->op->value) ||
		    record_id_cmp(&is[i].author, &f->entry->cs.author) != 0)
			return differs(c, field->name, "the first wrong element", i, count);
	}
	return OK;
}

static enum err compare_fields(struct comparison *c, const struct record *rec)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < rec->kind->field_count; i++) {
		const struct field *field = &rec->kind->fields[i];
		size_t count;

		if (!field_is_register(field)) {
			rc = compare_elements(c, field);
			continue;
		}
		rc = compare_register(c, rec, field);
		record_values(rec, field->number, &count);
		if (rc == OK &&
		    record_has_conflict(rec, field) !=
			    is_conflict(c->o, c->s, c->held, field, c->facts, (uint32_t)count))
			rc = differs(c, field->name, "its conflict mark",
				     record_has_conflict(rec, field), count);
	}
	return rc;
}

/* The voids in force, newest first. */
static enum err compare_voids(struct comparison *c, const struct record *rec)
{
	static const struct field voids = { .name = "voids", .merge = MERGE_LWW };
	uint32_t count = current_facts(c->o, c->s, c->held, 0, c->facts);

	if (rec->void_count != count)
		return differs(c, voids.name, "their number", rec->void_count, count);
	sort_facts(c->o, &voids, c->facts, count);
	for (uint32_t i = 0; i < count; i++)
		if (!same_stamp(c, &rec->voids[i].stamp, c->facts[i]))
			return differs(c, voids.name, "the first wrong one", i, count);
	return OK;
}

static enum err compare(struct comparison *c)
{
	struct record rec;
	enum record_life life;
	enum err rc = replica_record(c->r, c->s->kind, &c->s->id, &c->arena, &rec, NULL, c->msg);

	if (rc == ERR_NOT_FOUND)
		return differs(c, "the record", "its presence", 0, 1);
	if (rc == OK)
		rc = compare_fields(c, &rec);
	if (rc == OK)
		rc = compare_voids(c, &rec);
	if (rc != OK)
		return rc;
	life = oracle_life(c->o, c->s, c->held);
	return record_life(&rec) == life
		       ? OK
		       : differs(c, "the record", "its life", record_life(&rec), life);
}

enum err oracle_compare(const struct oracle *o, const struct subject *s, const uint32_t *held,
			struct replica *r, struct errmsg *msg)
{
	struct comparison c = { .o = o, .s = s, .held = held, .r = r, .msg = msg };
	enum err rc;

	/* Nothing of it held: it must not be there, which the state hash tells. */
	if (!subject_exists(s, held))
		return OK;
	c.facts = fact_array(s);
	rc = compare(&c);
	free(c.facts);
	arena_release(&c.arena);
	return rc;
}
