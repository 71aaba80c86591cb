#include "tests/sim/workload.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/position.h"
#include "core/utf8.h"
#include "tests/sim/invariants.h"
#include "tests/sim/node.h"

enum {
	CHANGESETS_MAX = 3, /* in one transaction */
	WISHES_MAX = 64,    /* in one changeset */
	TRIES = 20,
	HOT_RECORDS = 12,
	MARKS_A_RECORD = 8,
	SHARED_IDS = 40, /* ids that offices come to independently, per kind */
};

/* What was asked for: one op. */
struct wish {
	uint16_t kind;
	struct record_id id;
	uint8_t field;
	enum verb verb; /* SET also stands for REPLACE */
	struct value value;
};

/* One changeset in the making. */
struct draft {
	uint32_t space; /* in the ledger */
	struct edit *edit;
	struct wish wishes[WISHES_MAX];
	unsigned wish_count;
};

/* One transaction. */
struct job {
	struct node *n;
	struct world *w;
	struct prng *dice;
	struct replica *replica; /* the node's, or a second process's */
	struct arena arena;
	struct draft drafts[CHANGESETS_MAX];
	unsigned draft_count;
	unsigned amount; /* of records in bulk */
	struct errmsg msg;
};

/* Wishes. */

static struct wish *find_wish(struct draft *d, const struct record_id *id, uint8_t field)
{
	for (unsigned i = 0; i < d->wish_count; i++)
		if (d->wishes[i].field == field && record_id_cmp(&d->wishes[i].id, id) == 0)
			return &d->wishes[i];
	return NULL;
}

static bool wishes_about(const struct draft *d, const struct record_id *id)
{
	for (unsigned i = 0; i < d->wish_count; i++)
		if (record_id_cmp(&d->wishes[i].id, id) == 0)
			return true;
	return false;
}

static void wish(struct draft *d, uint16_t kind, const struct record_id *id, uint8_t field,
		 enum verb verb, const struct value *value)
{
	struct wish *w = verb == VERB_SET ? find_wish(d, id, field) : NULL;

	if (!w)
		w = &d->wishes[d->wish_count++];
	*w = (struct wish){ kind, *id, field, verb, value ? *value : value_nil() };
}

static bool is_text(uint16_t kind, uint8_t field)
{
	const struct field *f = kind_field(schema_kind(kind), field);

	return f && f->merge == MERGE_TEXT;
}

/* Of a text the op says only what is different from before. */
static bool is_granted(const struct wish *w, const struct op *op)
{
	bool is_splice = op->verb == VERB_SPLICE && is_text(w->kind, w->field);
	bool verb_fits =
		w->verb == VERB_SET ? op->verb <= VERB_REPLACE || is_splice : w->verb == op->verb;
	bool has_value = (w->verb == VERB_SET && !is_splice) || w->verb == VERB_ADD;

	return verb_fits && w->kind == op->kind && w->field == op->field &&
	       record_id_cmp(&w->id, &op->record) == 0 &&
	       (!has_value || value_equal(&w->value, &op->value));
}

/* The newest of its own feed that it holds; 0 = none. */
static uint32_t own_seq(const struct job *j, uint32_t space)
{
	const uint32_t *held = j->n->held[space];
	const struct ledger_entry *e =
		held ? ledger_tip(&j->w->ledger, space, held, j->n->author) : NULL;

	return e ? e->seq : 0;
}

static const struct ledger_entry *own_entry(const struct job *j, uint32_t space, uint32_t seq)
{
	const uint32_t *held = j->n->held[space];
	const struct ledger_entry *tip =
		held ? ledger_tip(&j->w->ledger, space, held, j->n->author) : NULL;

	return tip && seq <= tip->seq ? ledger_find(&j->w->ledger, space, tip->author, seq) : NULL;
}

/* W-14: the changeset has an op for each wish and no other. */
static void check_granted(struct job *j, const struct draft *d)
{
	uint32_t written = own_seq(j, d->space), matched = 0;
	const struct ledger_entry *e;

	/* Several drafts of one transaction may be in one feed: the last ones. */
	for (unsigned i = j->draft_count; i-- > 0 && &j->drafts[i] != d;)
		written -= j->drafts[i].space == d->space && j->drafts[i].wish_count > 0;
	e = own_entry(j, d->space, written);
	if (!e) {
		world_fail(j->w, "W-1", "%s committed, and has nothing new", j->n->code);
		return;
	}
	for (unsigned i = 0; i < d->wish_count; i++) {
		size_t k = 0;

		while (k < e->cs.op_count && !is_granted(&d->wishes[i], &e->cs.ops[k]))
			k++;
		matched += k < e->cs.op_count;
	}
	if (matched != d->wish_count || e->cs.op_count != d->wish_count)
		world_fail(j->w, "W-14", "%s space %u seq %u: %zu ops for %u wishes, %u as asked",
			   j->n->code, d->space, e->seq, e->cs.op_count, d->wish_count, matched);
}

/* Values. */

static struct value draw_text(struct job *j, size_t size_max)
{
	static const char *const syllables[] = { "会",  "议", "纪",   "要", "plan", "draft",
						 "due", "é",  "🙂", " ",  "7",    "-" };
	size_t size = prng_below(j->dice, size_max + 1);
	struct buf text = BUF_EMPTY;
	struct bytes copy;

	while (text.size < size)
		buf_append_str(&text, syllables[prng_below(j->dice, 12)]);
	buf_printf(&text, "%u", (unsigned)prng_below(j->dice, 50));
	copy = arena_copy(&j->arena, buf_bytes(&text));
	buf_release(&text);
	return value_text(copy);
}

static struct value draw_name(struct job *j, const struct field *f)
{
	return draw_text(j, 24);
}

/* Mostly short, at times long enough to be split on its way. */
static struct value draw_long_text(struct job *j, const struct field *f)
{
	return draw_text(j, prng_chance(j->dice, 2) ? 60000 : prng_chance(j->dice, 10) ? 3000 : 80);
}

static struct value draw_int(struct job *j, const struct field *f)
{
	int64_t last = f->max - f->min < 100 ? f->max - f->min : 99;

	return value_int(f->min + (int64_t)prng_below(j->dice, (uint32_t)last + 1));
}

static struct value draw_clock(struct job *j, const struct field *f)
{
	return value_int((int64_t)prng_below(j->dice, 24 * 60));
}

static struct value draw_choice(struct job *j, const struct field *f)
{
	return value_int((int64_t)prng_below(j->dice, names_count(f->choices)));
}

static struct value draw_state(struct job *j, const struct field *f)
{
	return value_nil(); /* states move by edit_step() */
}

static struct value draw_ref(struct job *j, const struct field *f)
{
	struct record_id id;

	for (int i = 0; i < TRIES && j->w->oracle.subject_count; i++) {
		const struct subject *s =
			&j->w->oracle.subjects[prng_below(j->dice, j->w->oracle.subject_count)];

		if (f->ref == 0 || s->kind == f->ref)
			return value_ref(&s->id);
	}
	prng_fill(j->dice, id.bytes, ID_BYTES);
	return value_ref(&id);
}

static struct value draw_walltime(struct job *j, const struct field *f)
{
	static const char *const zones[] = { "Asia/Shanghai", "Europe/Berlin", "America/New_York" };
	char text[64];
	unsigned day = 1 + (unsigned)prng_below(j->dice, 28);
	const char *zone = zones[prng_below(j->dice, 3)];

	if (prng_chance(j->dice, 50))
		snprintf(text, sizeof(text), "2026-04-%02u[%s]", day, zone);
	else
		snprintf(text, sizeof(text), "2026-05-%02uT%02u:30[%s]", day,
			 (unsigned)prng_below(j->dice, 24), zone);
	return value_text(arena_copy(&j->arena, bytes_of_str(text)));
}

static struct value draw_zone(struct job *j, const struct field *f)
{
	return value_str(prng_chance(j->dice, 50) ? "Asia/Shanghai" : "Africa/Cairo");
}

static struct value draw_position(struct job *j, const struct field *f)
{
	struct dice dice = prng_dice(j->dice);
	struct buf position = BUF_EMPTY;
	struct bytes copy;

	if (position_between(&position, bytes_of(NULL, 0), bytes_of(NULL, 0), &dice) != OK)
		abort();
	copy = arena_copy(&j->arena, buf_bytes(&position));
	buf_release(&position);
	return value_bytes(copy);
}

static struct value draw_bytes(struct job *j, const struct field *f)
{
	uint8_t data[32];
	size_t size = prng_below(j->dice, sizeof(data) + 1);

	prng_fill(j->dice, data, size);
	return value_bytes(arena_copy(&j->arena, bytes_of(data, size)));
}

static struct value draw_value(struct job *j, const struct field *f)
{
	static struct value (*const draws[])(struct job *, const struct field *) = {
		[FORMAT_NAME] = draw_name,     [FORMAT_TEXT] = draw_long_text,
		[FORMAT_INT] = draw_int,       [FORMAT_CLOCK] = draw_clock,
		[FORMAT_CHOICE] = draw_choice, [FORMAT_STATE] = draw_state,
		[FORMAT_REF] = draw_ref,       [FORMAT_WALLTIME] = draw_walltime,
		[FORMAT_ZONE] = draw_zone,     [FORMAT_POSITION] = draw_position,
		[FORMAT_BYTES] = draw_bytes,
	};

	if (merge_is_register(f->merge) && prng_chance(j->dice, 4))
		return value_nil();
	return draws[f->format](j, f);
}

/* Some code points in, some out, as people write on, or none, when all has been read; the model
 * reads each edit slowly. */
static struct value draw_written_on(struct job *j, struct bytes from)
{
	enum { POINTS_MAX = 100 };
	size_t count = utf8_count(from), at = prng_below(j->dice, count + 1), i = 0;
	size_t gone = count > POINTS_MAX ? count / 2 : prng_below(j->dice, 4);
	struct value more = draw_text(j, 12);
	struct buf text = BUF_EMPTY;
	struct bytes copy;

	if (count && count <= POINTS_MAX && prng_chance(j->dice, 10))
		return value_text(from);
	while (at-- && i < from.size)
		i += utf8_size(from.data[i]);
	buf_append(&text, from.data, i);
	buf_append(&text, more.bytes.data, more.bytes.size);
	if (prng_chance(j->dice, 30))
		buf_append_str(&text, prng_chance(j->dice, 50) ? "。" : ". ");
	while (gone-- && i < from.size)
		i += utf8_size(from.data[i]);
	buf_append(&text, from.data + i, from.size - i);
	copy = arena_copy(&j->arena, buf_bytes(&text));
	buf_release(&text);
	return value_text(copy);
}

/* Edits of one field. */

static enum err write_text(struct job *j, uint16_t kind, const struct record_id *id,
			   const struct field *f, struct value *out)
{
	const struct entry *shown = NULL;
	struct record rec;
	enum err rc = replica_record(j->replica, kind, id, &j->arena, &rec, NULL, &j->msg);

	if (rc == OK)
		shown = record_shown(&rec, f->number);
	if (rc == OK || rc == ERR_NOT_FOUND)
		*out = draw_written_on(j, shown ? shown->value.bytes : bytes_of_str(""));
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err set_field(struct job *j, struct draft *d, uint16_t kind, const struct record_id *id,
			  const struct field *f)
{
	struct value value = value_nil();
	enum err rc = OK;

	if (f->merge == MERGE_TEXT)
		rc = write_text(j, kind, id, f, &value);
	else
		value = draw_value(j, f);
	if (rc == OK)
		rc = edit_set(d->edit, kind, id, f->number, &value, &j->msg);

	if (rc == OK)
		wish(d, kind, id, f->number, VERB_SET, &value);
	return rc;
}

/* A step that must be refused. */
static enum err try_illegal_step(struct job *j, struct draft *d, uint16_t kind,
				 const struct record_id *id, const struct field *f, unsigned to)
{
	enum err rc = edit_step(d->edit, kind, id, f->number, to, &j->msg);

	if (rc == OK)
		world_fail(j->w, "W-14", "%s: an illegal step was taken", j->n->code);
	return rc == ERR_INVALID ? OK : rc;
}

static enum err step_field(struct job *j, struct draft *d, uint16_t kind,
			   const struct record_id *id, const struct field *f)
{
	unsigned to = (unsigned)prng_below(j->dice, names_count(f->machine->states));
	unsigned from = 0;
	struct record rec;
	struct value step;
	enum err rc = replica_record(j->replica, kind, id, &j->arena, &rec, NULL, &j->msg);

	if (find_wish(d, id, f->number))
		return OK;
	if (rc == OK)
		from = record_state(&rec, f);
	else if (rc != ERR_NOT_FOUND)
		return rc;
	if (!machine_is_legal(f->machine, from, to))
		return try_illegal_step(j, d, kind, id, f, to);
	rc = edit_step(d->edit, kind, id, f->number, to, &j->msg);
	step = state_step(from, to);
	if (rc == OK)
		wish(d, kind, id, f->number, VERB_SET, &step);
	return rc;
}

static enum err add_element(struct job *j, struct draft *d, uint16_t kind,
			    const struct record_id *id, const struct field *f)
{
	struct value value = draw_value(j, f);
	enum err rc = edit_add(d->edit, kind, id, f->number, &value, &j->msg);

	if (rc == OK)
		wish(d, kind, id, f->number, VERB_ADD, &value);
	return rc;
}

static enum err remove_element(struct job *j, struct draft *d, uint16_t kind,
			       const struct record_id *id, const struct field *f)
{
	struct element *elements;
	struct value value;
	size_t count;
	enum err rc = replica_elements(j->replica, kind, id, f->number, &j->arena, &elements,
				       &count, &j->msg);

	/* An element of this very changeset can't be removed yet. */
	if (rc == ERR_NOT_FOUND || (rc == OK && count == 0) || find_wish(d, id, f->number))
		return OK;
	if (rc != OK)
		return rc;
	value = elements[prng_below(j->dice, count)].value;
	rc = edit_remove(d->edit, kind, id, f->number, &value, &j->msg);
	if (rc == OK)
		wish(d, kind, id, f->number, VERB_REMOVE, NULL);
	return rc;
}

static enum err edit_field(struct job *j, struct draft *d, uint16_t kind,
			   const struct record_id *id, const struct field *f)
{
	if (f->merge == MERGE_STATE)
		return step_field(j, d, kind, id, f);
	if (merge_is_register(f->merge))
		return set_field(j, d, kind, id, f);
	if (f->merge == MERGE_SET && prng_chance(j->dice, 40))
		return remove_element(j, d, kind, id, f);
	return add_element(j, d, kind, id, f);
}

/* Edits of one record. */

/* Offices and nodes decide who belongs: founding and granting write those. */
static bool may_edit(const struct kind *kind)
{
	return !kind->directory || kind->number == KIND_PERSON;
}

static enum err edit_fields(struct job *j, struct draft *d, const struct kind *kind,
			    const struct record_id *id, unsigned count)
{
	enum err rc = OK;

	while (rc == OK && count-- > 0 && d->wish_count < WISHES_MAX)
		rc = edit_field(j, d, kind->number, id,
				&kind->fields[prng_below(j->dice, kind->field_count)]);
	return rc;
}

static enum err edit_life(struct job *j, struct draft *d, uint16_t kind, const struct record_id *id)
{
	struct record rec;
	bool is_void, has_void;
	enum err rc = replica_record(j->replica, kind, id, &j->arena, &rec, NULL, &j->msg);

	if (rc == ERR_NOT_FOUND || wishes_about(d, id))
		return OK;
	if (rc != OK)
		return rc;
	is_void = record_life(&rec) == RECORD_VOID;
	has_void = rec.void_count > 0;
	if (is_void || (has_void && prng_chance(j->dice, 50))) {
		rc = edit_revive(d->edit, kind, id, &j->msg);
		if (rc == OK)
			wish(d, kind, id, 0, VERB_REVIVE, NULL);
	} else {
		rc = edit_void(d->edit, kind, id, &j->msg);
		if (rc == OK)
			wish(d, kind, id, 0, VERB_VOID, NULL);
	}
	return rc;
}

/* A record of the space that the node has; hot ones more often. */
static const struct subject *draw_subject(struct job *j, const struct draft *d)
{
	const struct oracle *o = &j->w->oracle;
	const uint32_t *held = j->n->held[d->space];

	for (int i = 0; held && i < TRIES && o->subject_count; i++) {
		uint32_t hot = o->subject_count < HOT_RECORDS ? o->subject_count : HOT_RECORDS;
		uint32_t at = prng_chance(j->dice, 60)
				      ? o->subject_count - 1 - (uint32_t)prng_below(j->dice, hot)
				      : (uint32_t)prng_below(j->dice, o->subject_count);
		const struct subject *s = &o->subjects[at];

		if (s->space == d->space && may_edit(schema_kind(s->kind)) &&
		    subject_exists(s, held))
			return s;
	}
	return NULL;
}

/* An id that another office may come to as well, as with a series' occurrences. */
static struct record_id shared_id(struct job *j, uint32_t space, const struct kind *kind)
{
	struct prng source;
	struct record_id id;

	prng_init(&source, (uint64_t)space << 48 | (uint64_t)kind->number << 32 |
				   prng_below(j->dice, SHARED_IDS));
	prng_fill(&source, id.bytes, ID_BYTES);
	return id;
}

static const struct kind *draw_kind(struct job *j, bool directory)
{
	size_t count;
	const struct kind *kinds = schema_kinds(&count), *kind;

	do
		kind = &kinds[prng_below(j->dice, count)];
	while (kind->directory != directory || !may_edit(kind));
	return kind;
}

static enum err create_record(struct job *j, struct draft *d)
{
	const struct kind *kind = draw_kind(j, d->space == 0);
	struct record_id id =
		prng_chance(j->dice, 10) ? shared_id(j, d->space, kind) : edit_create(d->edit);

	return edit_fields(j, d, kind, &id, 1 + (unsigned)prng_below(j->dice, 6));
}

static enum err edit_something(struct job *j, struct draft *d)
{
	const struct subject *s = draw_subject(j, d);
	const struct kind *kind;

	if (!s || prng_chance(j->dice, 20))
		return create_record(j, d);
	kind = schema_kind(s->kind);
	if (prng_chance(j->dice, 8))
		return edit_life(j, d, s->kind, &s->id);
	return edit_fields(j, d, kind, &s->id, 1 + (unsigned)prng_below(j->dice, 3));
}

/* Transactions. */

/* A space that the node knows itself to take part in. */
static uint32_t draw_space(struct job *j)
{
	const struct member *self = replica_self(j->replica);

	for (int i = 0; i < TRIES && self && j->w->space_count; i++) {
		const struct collaboration *c =
			&j->w->spaces[prng_below(j->dice, j->w->space_count)];

		if (replica_role(j->replica, self, &c->id) >= ROLE_EDITOR)
			return c->space;
	}
	return 0;
}

/* Something that nobody else writes, and that stays: so that one can tell whether a
 * changeset that was lost has been written again. Its author is as unique. */
static enum err mark(struct job *j, struct draft *d)
{
	uint64_t number = j->w->mark_count++;
	uint16_t kind = d->space ? KIND_ACTION : KIND_PERSON;
	uint8_t field = d->space ? ACTION_PROGRESS : PERSON_CONTACTS;
	struct record_id diary;
	struct prng source;
	struct value value;
	char text[32];
	enum err rc;

	prng_init(&source, (uint64_t)d->space << 48 | number / MARKS_A_RECORD);
	prng_fill(&source, diary.bytes, ID_BYTES);
	snprintf(text, sizeof(text), "mark %llu", (unsigned long long)number);
	value = value_text(arena_copy(&j->arena, bytes_of_str(text)));
	rc = edit_add(d->edit, kind, &diary, field, &value, &j->msg);
	if (rc == OK)
		wish(d, kind, &diary, field, VERB_ADD, &value);
	return rc;
}

static enum err open_draft(struct job *j, uint32_t space, struct draft **out)
{
	struct draft *d = &j->drafts[j->draft_count];
	struct value person = draw_ref(j, &(struct field){ .ref = KIND_PERSON });
	bool is_marked = world_is_contested(j->w);
	enum err rc;

	if (is_marked)
		prng_fill(j->dice, person.ref.bytes, ID_BYTES);

	d->space = space;
	d->wish_count = 0;
	rc = edit_open(&d->edit, j->replica, &j->w->ledger.spaces[space],
		       is_marked || prng_chance(j->dice, 80) ? &person.ref : NULL,
		       node_now(j->n).wall_ms, &j->msg);
	if (rc != OK)
		return rc;
	j->draft_count++;
	*out = d;
	return is_marked ? mark(j, d) : OK;
}

static enum err write_draft(struct job *j, uint32_t space)
{
	struct draft *d;
	enum err rc = open_draft(j, space, &d);

	if (rc != OK)
		return rc;
	for (uint64_t i = 1 + prng_below(j->dice, 3); rc == OK && i > 0; i--)
		rc = edit_something(j, d);
	if (rc == OK)
		return edit_seal(d->edit, &j->msg);
	edit_drop(d->edit);
	return rc;
}

static enum err write_drafts(struct job *j)
{
	unsigned count = prng_chance(j->dice, 15) ? CHANGESETS_MAX : 1;
	enum err rc = OK;

	for (unsigned i = 0; rc == OK && i < count; i++)
		rc = write_draft(j, prng_chance(j->dice, 10) ? 0 : draw_space(j));
	return rc;
}

/* The planted bug: peers hear of it before it is durable, and then it is not. */
static bool push_early(struct job *j)
{
	struct world *w = j->w;

	if (w->config.plant != PLANT_EARLY_PUSH || j->replica != j->n->replica)
		return false;
	if (j->n->engine)
		engine_changed(j->n->engine, node_now(j->n));
	for (unsigned i = 0; w->config.direct && i < w->edge_count; i++)
		if (w->edges[i].a == j->n->index)
			node_hand_over(j->n, &w->nodes[w->edges[i].b]);
	return prng_chance(&w->dice, 50);
}

static enum err commit(struct job *j, enum err (*write)(struct job *))
{
	enum err rc = replica_begin(j->replica, &j->msg);

	if (rc == OK)
		rc = write(j);
	if (rc == OK && push_early(j)) {
		replica_rollback(j->replica);
		j->draft_count = 0;
		return OK;
	}
	if (rc == OK)
		rc = replica_commit(j->replica, &j->msg);
	if (rc != OK)
		replica_rollback(j->replica);
	return rc;
}

/* What the commit has promised, whether or not we get to see it now. */
static void note_acknowledged(struct job *j)
{
	/* It may have begun another epoch for it. */
	if (replica_id_cmp(replica_id(j->n->replica), &j->n->identity.replica) != 0)
		return;
	for (unsigned i = 0; i < j->draft_count; i++) {
		uint32_t space = j->drafts[i].space, held = own_seq(j, space);

		if (j->drafts[i].wish_count == 0)
			continue;
		if (j->n->acknowledged[space] < held)
			j->n->acknowledged[space] = held;
		j->n->acknowledged[space]++;
	}
}

static void check_drafts(struct job *j)
{
	for (unsigned i = 0; i < j->draft_count && !j->w->rule; i++)
		if (j->drafts[i].wish_count > 0)
			check_granted(j, &j->drafts[i]);
}

/* Run one transaction, in the node's process or in another one beside it. */
static bool run_job(struct node *n, unsigned amount, enum err (*write)(struct job *))
{
	struct job *j = calloc(1, sizeof(*j));
	struct replica *second = NULL;
	bool is_good = node_disk_is_good(n);
	enum err rc = OK;

	if (!j)
		abort();
	j->n = n;
	j->w = n->world;
	j->dice = &n->world->dice;
	j->replica = n->replica;
	j->amount = amount;
	/* Wishes are drawn from what the node holds now. */
	audit_node(n);
	if (prng_chance(j->dice, 5)) {
		rc = node_open_replica(n, false, &second, &j->msg);
		j->replica = second;
	}
	if (rc == OK)
		rc = commit(j, write);
	is_good &= !memdisk_has_failed(n->disk);
	replica_close(second);
	if (rc != OK && is_good)
		world_fail(n->world, "W-15", "%s can't write: %s", n->code, j->msg.text);
	n->world->stats.edits += rc == OK;
	n->world->stats.refused_edits += rc != OK;
	if (rc == OK)
		note_acknowledged(j);
	n->is_writing = true;
	/* Before the audit, which would look into the store on the engine's behalf. */
	node_changed(n);
	if (rc == OK)
		audit_node(n);
	n->is_writing = false;
	/* What a failing disk does not show now must be there after the restart. */
	if (rc == OK && !memdisk_has_failed(n->disk))
		check_drafts(j);
	arena_release(&j->arena);
	free(j);
	return rc == OK;
}

bool workload_edit(struct node *n)
{
	return run_job(n, 0, write_drafts);
}

/* Action items as offices write them: eight fields, a readable number among them. */
static enum err write_action(struct job *j, struct draft *d)
{
	static const uint8_t numbers[] = { ACTION_TITLE,    ACTION_OWNER, ACTION_DUE,
					   ACTION_PRIORITY, ACTION_TOPIC, ACTION_MEETING };
	const struct kind *kind = schema_kind(KIND_ACTION);
	struct record_id id = edit_create(d->edit);
	char number[NUMBER_TEXT_MAX];
	struct value value;
	enum err rc = replica_number(j->replica, KIND_ACTION, 2026, number, &j->msg);

	value = value_str(number);
	if (rc == OK)
		rc = edit_set(d->edit, KIND_ACTION, &id, ACTION_NUMBER, &value, &j->msg);
	for (size_t i = 0; rc == OK && i < sizeof(numbers); i++) {
		value = draw_value(j, kind_field(kind, numbers[i]));
		rc = edit_set(d->edit, KIND_ACTION, &id, numbers[i], &value, &j->msg);
	}
	if (rc == OK)
		rc = edit_step(d->edit, KIND_ACTION, &id, ACTION_STATE, ACTION_DOING, &j->msg);
	return rc;
}

static enum err write_actions(struct job *j)
{
	uint32_t space = draw_space(j);
	struct draft *d;
	enum err rc = OK;

	if (space == 0)
		return OK; /* it takes part in no collaboration */
	rc = open_draft(j, space, &d);
	if (rc != OK)
		return rc;
	d->wish_count = 0; /* a marked one is not compared either */
	for (unsigned i = 0; rc == OK && i < j->amount; i++)
		rc = write_action(j, d);
	if (rc == OK)
		return edit_seal(d->edit, &j->msg);
	edit_drop(d->edit);
	return rc;
}

bool workload_actions(struct node *n, unsigned count)
{
	return run_job(n, count, write_actions);
}

/* A node beside one that takes part: what it is granted can reach it. */
static struct node *draw_grantee(struct job *j, const struct collaboration *c)
{
	struct world *w = j->w;

	for (int i = 0; i < TRIES; i++) {
		const struct edge *e = &w->edges[prng_below(j->dice, w->edge_count)];
		unsigned outside = c->has[e->a] ? e->b : e->a;

		if (c->has[e->a] != c->has[e->b] && !record_id_is_nil(&w->offices[outside]))
			return &w->nodes[outside];
	}
	return NULL;
}

/* As far as this replica has heard. */
static bool membership_knows(const struct trust *trust, const struct collaboration *c,
			     const struct node *n)
{
	for (size_t i = 0; trust && i < trust->space_count; i++)
		if (space_id_cmp(&trust->spaces[i], &c->id) == 0)
			return trust_epoch(trust, &n->identity.replica) != NULL;
	return false;
}

static enum err write_grant(struct job *j)
{
	const struct collaboration *c = &j->w->spaces[prng_below(j->dice, j->w->space_count)];
	const struct node *grantee = draw_grantee(j, c);
	const struct trust *trust = replica_trust(j->replica);
	struct statement s = { .type = STATEMENT_GRANT };

	if (!grantee || !membership_knows(trust, c, grantee))
		return OK;
	s.u.grant.space = c->id;
	s.u.grant.role = ROLE_MANAGER;
	snprintf(s.u.grant.office_code, sizeof(s.u.grant.office_code), "%s", grantee->office);
	return replica_state(j->replica, &s, NULL, 0, node_now(j->n).wall_ms, &j->msg);
}

bool workload_grant(struct node *n)
{
	return n->world->space_count && n->world->edge_count && run_job(n, 0, write_grant);
}
