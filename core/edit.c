/* Local writes: ops are collected, then sealed into one changeset. */
#include <assert.h>
#include <stdlib.h>

#include "core/array.h"
#include "core/gather.h"
#include "core/limits.h"
#include "core/replica_impl.h"
#include "core/text_rewrite.h"
#include "core/utf8.h"

struct edit {
	struct replica *r;
	struct space_id space;
	bool is_directory;
	struct record_id author;
	uint64_t now_ms;
	struct record_id first_id, last_id; /* drawn by edit_create(); nil before */
	struct op *ops;
	size_t op_count, op_cap;
	struct arena arena;
	struct record loaded; /* the record edited last; kind is NULL when none */
	bool loaded_is_new;
};

/* What others would not let count is better refused here, where somebody can be told. */
static enum err check_role(struct replica *r, const struct space_id *space, struct errmsg *msg)
{
	const struct member *self;
	enum err rc = replica_check_member(r, msg);

	if (rc == OK)
		rc = directory_load(r, msg);
	if (rc != OK)
		return rc;
	self = replica_self(r);
	if (replica_role(r, self, space) < ROLE_EDITOR)
		return errmsg_set(msg, ERR_GRANT, "office %s has no right to write there",
				  self->office_code);
	return OK;
}

enum err edit_open(struct edit **out, struct replica *r, const struct space_id *space,
		   const struct record_id *author, uint64_t now_ms, struct errmsg *msg)
{
	struct space_id directory = replica_directory(r);
	bool is_directory = space_id_cmp(space, &directory) == 0;
	struct edit *e;
	enum err rc;

	if (now_ms < WALL_MS_MIN)
		return errmsg_set(msg, ERR_CLOCK, "the system clock says a time before 2020");
	rc = check_role(r, space, msg);
	if (rc != OK)
		return rc;
	e = calloc(1, sizeof(*e));
	if (!e)
		return ERR_NOMEM;
	e->r = r;
	e->space = *space;
	e->is_directory = is_directory;
	e->now_ms = now_ms;
	if (author)
		e->author = *author;
	*out = e;
	return OK;
}

void edit_drop(struct edit *e)
{
	if (!e)
		return;
	arena_release(&e->arena);
	free(e->ops);
	free(e);
}

struct record_id edit_create(struct edit *e)
{
	if (record_id_is_nil(&e->first_id))
		e->first_id = e->last_id = record_id_new(e->now_ms, &e->r->dice);
	else
		e->last_id = record_id_next(&e->last_id);
	return e->last_id;
}

static bool is_created_here(const struct edit *e, const struct record_id *id)
{
	return record_id_cmp(&e->first_id, id) <= 0 && record_id_cmp(id, &e->last_id) <= 0;
}

/* The record as it stands in the store. Ids that this edit drew are new. */
static enum err load(struct edit *e, const struct kind *kind, const struct record_id *id,
		     struct errmsg *msg)
{
	const struct space_state *space;
	enum err rc = ERR_NOT_FOUND;

	if (e->loaded.kind == kind && record_id_cmp(&e->loaded.id, id) == 0)
		return OK;
	space = is_created_here(e, id) ? NULL : replica_space(e->r, &e->space);
	if (space && space->idx)
		rc = store_record_load(e->r->store, space->idx, kind, id, &e->arena, &e->loaded,
				       msg);
	e->loaded_is_new = rc == ERR_NOT_FOUND;
	if (rc == ERR_NOT_FOUND) {
		record_init(&e->loaded, kind, id, &e->arena);
		rc = OK;
	}
	if (rc != OK)
		e->loaded.kind = NULL;
	return rc;
}

static enum err new_op(struct edit *e, uint16_t kind, const struct record_id *id, uint8_t field,
		       enum verb verb, struct op **out, struct errmsg *msg)
{
	if (e->op_count >= CHANGESET_OPS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "a changeset holds at most %d ops",
				  CHANGESET_OPS_MAX);
	if (array_reserve(&e->ops, &e->op_cap, e->op_count + 1, sizeof(*e->ops)))
		return ERR_NOMEM;
	*out = &e->ops[e->op_count++];
	**out = (struct op){ .record = *id, .kind = kind, .field = field, .verb = verb };
	return OK;
}

static enum err copy_value(struct edit *e, const struct value *from, struct value *out)
{
	*out = *from;
	if (from->type == VALUE_TEXT || from->type == VALUE_BYTES) {
		out->bytes = arena_copy(&e->arena, from->bytes);
		if (!out->bytes.data)
			return ERR_NOMEM;
	}
	return OK;
}

static enum err find_kind(const struct edit *e, uint16_t number, const struct kind **kind,
			  struct errmsg *msg)
{
	*kind = schema_kind(number);
	if (!*kind)
		return errmsg_set(msg, ERR_INVALID, "no kind %u", number);
	return kind_check_place(*kind, e->is_directory, msg);
}

static enum err find_field(const struct edit *e, uint16_t kind_number, uint8_t number,
			   const struct kind **kind, const struct field **field, struct errmsg *msg)
{
	enum err rc = find_kind(e, kind_number, kind, msg);

	if (rc != OK)
		return rc;
	*field = kind_field(*kind, number);
	if (!*field)
		return errmsg_set(msg, ERR_INVALID, "no field %u in kind %u", number, kind_number);
	return OK;
}

/* Targets: all current values of the field, or as many as an op can name. */
static enum err target_values(struct edit *e, uint8_t field, struct op *op)
{
	size_t count;
	const struct entry *values = record_values(&e->loaded, field, &count);
	struct target *targets = arena_array(&e->arena, count, sizeof(*targets));

	if (!targets)
		return ERR_NOMEM;
	if (count > OP_REPLACED_MAX)
		count = OP_REPLACED_MAX;
	for (size_t i = 0; i < count; i++)
		targets[i] = (struct target){ values[i].stamp.dot, 0 };
	op->targets = targets;
	op->target_count = count;
	op->verb = count ? VERB_REPLACE : VERB_SET;
	return OK;
}

static enum err write_register(struct edit *e, const struct kind *kind, const struct field *field,
			       const struct record_id *id, const struct value *value,
			       struct errmsg *msg)
{
	struct op *op;
	enum err rc = field_validate(field, value, msg);

	if (rc == OK)
		rc = load(e, kind, id, msg);
	if (rc == OK)
		rc = new_op(e, kind->number, id, field->number, VERB_SET, &op, msg);
	if (rc == OK)
		rc = target_values(e, field->number, op);
	return rc == OK ? copy_value(e, value, &op->value) : rc;
}

static enum err encode_splice(struct edit *e, const struct text_edit *made, struct op *op)
{
	struct buf encoded = BUF_EMPTY;
	struct value text = value_text(made->text);
	enum err rc;

	text_edit_encode(&encoded, made);
	rc = buf_check(&encoded);
	if (rc == OK) {
		op->edit = arena_copy(&e->arena, buf_bytes(&encoded));
		rc = op->edit.data ? copy_value(e, &text, &op->value) : ERR_NOMEM;
	}
	buf_release(&encoded);
	return rc;
}

/* By whoever saw the text as it was with `seen`. */
static enum err write_splice(struct edit *e, const struct kind *kind, const struct field *field,
			     const struct record_id *id, const struct text_edit *made,
			     const struct dot *seen, size_t seen_count, struct errmsg *msg)
{
	const struct gather gather = { e->r,       &e->space,    id,
				       &e->author, kind->number, field->number,
				       e->now_ms,  &e->arena,    msg };
	struct target *targets;
	struct op *op;
	const size_t all = seen_count;
	enum err rc = gather_heads(&gather, &seen, &seen_count);

	if (seen_count != all)
		e->loaded.kind = NULL; /* it is another record now */
	targets = arena_array(&e->arena, seen_count, sizeof(*targets));
	if (rc == OK && !targets)
		rc = ERR_NOMEM;
	if (rc == OK)
		rc = new_op(e, kind->number, id, field->number, VERB_SPLICE, &op, msg);
	if (rc != OK)
		return rc;
	for (size_t i = 0; i < seen_count; i++)
		targets[i] = (struct target){ seen[i], 0 };
	op->targets = targets;
	op->target_count = seen_count;
	return encode_splice(e, made, op);
}

/* `to`, by whoever saw `from`, the text as it was with `seen`. */
static enum err write_text(struct edit *e, const struct kind *kind, const struct field *field,
			   const struct record_id *id, struct bytes from, struct bytes to,
			   const struct dot *seen, size_t seen_count, struct errmsg *msg)
{
	struct value value = value_text(to);
	struct text_edit_builder b = { 0 };
	struct text_edit made;
	struct op *op;
	enum err rc = field_validate(field, &value, msg);

	if (rc == OK && seen_count == 0) {
		rc = new_op(e, kind->number, id, field->number, VERB_SET, &op, msg);
		return rc == OK ? copy_value(e, &value, &op->value) : rc;
	}
	text_edit_begin(&b, (uint32_t)utf8_count(from));
	if (rc == OK)
		rc = text_rewrite(from, to, &b);
	made = text_edit_built(&b);
	if (rc == OK)
		rc = write_splice(e, kind, field, id, &made, seen, seen_count, msg);
	text_edit_release(&b);
	return rc;
}

/* From the text as it is. */
static enum err rewrite_text(struct edit *e, const struct kind *kind, const struct field *field,
			     const struct record_id *id, struct bytes to, struct errmsg *msg)
{
	const struct entry *heads;
	struct dot *seen;
	size_t count;
	enum err rc = load(e, kind, id, msg);

	if (rc != OK)
		return rc;
	heads = record_values(&e->loaded, field->number, &count);
	seen = arena_array(&e->arena, count, sizeof(*seen));
	if (!seen)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		seen[i] = heads[i].stamp.dot;
	return write_text(e, kind, field, id, count ? heads[0].value.bytes : bytes_of("", 0), to,
			  seen, count, msg);
}

enum err edit_set(struct edit *e, uint16_t kind_number, const struct record_id *id, uint8_t number,
		  const struct value *value, struct errmsg *msg)
{
	const struct kind *kind;
	const struct field *field;
	enum err rc = find_field(e, kind_number, number, &kind, &field, msg);

	if (rc != OK)
		return rc;
	if (!merge_is_register(field->merge))
		return errmsg_set(msg, ERR_INVALID, "%s.%s is not a register", kind->name,
				  field->name);
	if (field->merge != MERGE_TEXT)
		return write_register(e, kind, field, id, value, msg);
	if (value->type != VALUE_NIL && value->type != VALUE_TEXT)
		return field_validate(field, value, msg);
	return rewrite_text(e, kind, field, id,
			    value->type == VALUE_NIL ? bytes_of("", 0) : value->bytes, msg);
}

static enum err find_text(const struct edit *e, uint16_t kind_number, uint8_t number,
			  const struct kind **kind, const struct field **field, struct errmsg *msg)
{
	enum err rc = find_field(e, kind_number, number, kind, field, msg);

	if (rc == OK && (*field)->merge != MERGE_TEXT)
		rc = errmsg_set(msg, ERR_INVALID, "%s.%s is not a text", (*kind)->name,
				(*field)->name);
	return rc;
}

enum err edit_text(struct edit *e, uint16_t kind_number, const struct record_id *id, uint8_t number,
		   const struct text_version *seen, struct bytes to, struct errmsg *msg)
{
	const struct kind *kind;
	const struct field *field;
	enum err rc = find_text(e, kind_number, number, &kind, &field, msg);

	return rc == OK ? write_text(e, kind, field, id, seen->text, to, seen->heads,
				     seen->head_count, msg)
			: rc;
}

enum err edit_splice(struct edit *e, uint16_t kind_number, const struct record_id *id,
		     uint8_t number, const struct dot *heads, size_t head_count,
		     const struct text_edit *splice, struct errmsg *msg)
{
	struct value inserted = value_text(splice->text);
	const struct kind *kind;
	const struct field *field;
	enum err rc = find_text(e, kind_number, number, &kind, &field, msg);

	assert(head_count > 0);
	if (rc == OK)
		rc = field_validate(field, &inserted, msg);
	if (rc == OK)
		rc = text_edit_validate(splice, msg);
	return rc == OK ? write_splice(e, kind, field, id, splice, heads, head_count, msg) : rc;
}

enum err edit_step(struct edit *e, uint16_t kind_number, const struct record_id *id, uint8_t number,
		   unsigned to, struct errmsg *msg)
{
	const struct kind *kind;
	const struct field *field;
	struct value step;
	unsigned from;
	enum err rc = find_field(e, kind_number, number, &kind, &field, msg);

	if (rc == OK && field->merge != MERGE_STATE)
		rc = errmsg_set(msg, ERR_INVALID, "%s.%s is not a state", kind->name, field->name);
	if (rc == OK)
		rc = load(e, kind, id, msg);
	if (rc != OK)
		return rc;
	from = record_state(&e->loaded, field);
	if (!machine_is_legal(field->machine, from, to))
		return errmsg_set(msg, ERR_INVALID, "%s can't go from %s to %s", kind->name,
				  field->machine->states[from],
				  to < names_count(field->machine->states)
					  ? field->machine->states[to]
					  : "an unknown state");
	step = state_step(from, to);
	return write_register(e, kind, field, id, &step, msg);
}

static enum err element_field(const struct edit *e, uint16_t kind_number, uint8_t number,
			      const struct kind **kind, const struct field **field,
			      struct errmsg *msg)
{
	enum err rc = find_field(e, kind_number, number, kind, field, msg);

	if (rc == OK && merge_is_register((*field)->merge))
		rc = errmsg_set(msg, ERR_INVALID, "%s.%s is neither a set nor a log", (*kind)->name,
				(*field)->name);
	return rc;
}

enum err edit_add(struct edit *e, uint16_t kind_number, const struct record_id *id, uint8_t number,
		  const struct value *value, struct errmsg *msg)
{
	const struct kind *kind;
	const struct field *field;
	struct op *op;
	enum err rc = element_field(e, kind_number, number, &kind, &field, msg);

	if (rc == OK)
		rc = field_validate(field, value, msg);
	if (rc == OK)
		rc = new_op(e, kind_number, id, number, VERB_ADD, &op, msg);
	return rc == OK ? copy_value(e, value, &op->value) : rc;
}

/* The stored elements of the set that equal the value. */
static enum err target_elements(struct edit *e, const struct kind *kind, const struct field *field,
				const struct record_id *id, const struct value *value,
				struct target **out, size_t *out_count, struct errmsg *msg)
{
	const struct space_state *space = replica_space(e->r, &e->space);
	struct element *list = NULL;
	size_t count = 0, found = 0;
	struct target *targets;
	enum err rc = OK;

	if (space && space->idx)
		rc = store_elements(e->r->store, space->idx, kind, id, field, &e->arena, &list,
				    &count, msg);
	if (rc != OK)
		return rc;
	targets = arena_array(&e->arena, count, sizeof(*targets));
	if (!targets)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		if (value_equal(&list[i].value, value))
			targets[found++] = (struct target){ list[i].stamp.dot, list[i].n };
	*out = targets;
	*out_count = found;
	return OK;
}

enum err edit_remove(struct edit *e, uint16_t kind_number, const struct record_id *id,
		     uint8_t number, const struct value *value, struct errmsg *msg)
{
	const struct kind *kind;
	const struct field *field;
	struct target *targets;
	size_t count = 0;
	struct op *op = NULL;
	enum err rc = element_field(e, kind_number, number, &kind, &field, msg);

	if (rc == OK && field->merge == MERGE_LOG)
		rc = errmsg_set(msg, ERR_INVALID, "%s.%s only grows", kind->name, field->name);
	if (rc == OK)
		rc = target_elements(e, kind, field, id, value, &targets, &count, msg);
	if (rc == OK && count == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND, "%s.%s has no such element", kind->name,
				field->name);
	for (size_t i = 0; rc == OK && i < count; i += OP_REPLACED_MAX) {
		rc = new_op(e, kind_number, id, number, VERB_REMOVE, &op, msg);
		if (rc != OK)
			break;
		op->targets = targets + i;
		op->target_count = count - i < OP_REPLACED_MAX ? count - i : OP_REPLACED_MAX;
	}
	return rc;
}

static enum err target_voids(struct edit *e, struct op *op)
{
	struct target *targets = arena_array(&e->arena, e->loaded.void_count, sizeof(*targets));

	if (!targets)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->loaded.void_count; i++)
		targets[i] = (struct target){ e->loaded.voids[i].stamp.dot, 0 };
	op->targets = targets;
	op->target_count = e->loaded.void_count;
	return OK;
}

/* Raise the seq observed of the dot's replica, or begin with it. */
static void observe(struct target *observed, size_t *count, const struct dot *dot)
{
	for (size_t i = 0; i < *count; i++) {
		if (replica_id_cmp(&observed[i].dot.replica, &dot->replica) != 0)
			continue;
		if (observed[i].dot.seq < dot->seq)
			observed[i].dot.seq = dot->seq;
		return;
	}
	observed[(*count)++].dot = *dot;
}

/* Per replica the newest write among all that the record has now. */
static enum err observe_all(struct edit *e, struct op *op, struct errmsg *msg)
{
	const struct space_state *space = replica_space(e->r, &e->space);
	struct target *observed;
	struct dot *dots;
	size_t dot_count, count = 0;
	enum err rc = store_element_dots(e->r->store, space->idx, e->loaded.kind, &e->loaded.id,
					 &e->arena, &dots, &dot_count, msg);

	if (rc != OK)
		return rc;
	observed = arena_array(&e->arena, e->loaded.count + dot_count, sizeof(*observed));
	if (!observed)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->loaded.count; i++)
		observe(observed, &count, &e->loaded.entries[i].stamp.dot);
	for (size_t i = 0; i < dot_count; i++)
		observe(observed, &count, &dots[i]);
	op->observed = observed;
	op->observed_count = count;
	return OK;
}

static enum err life_op(struct edit *e, uint16_t kind_number, const struct record_id *id,
			enum verb verb, struct op **out, struct errmsg *msg)
{
	const struct kind *kind;
	enum err rc = find_kind(e, kind_number, &kind, msg);

	if (rc == OK)
		rc = load(e, kind, id, msg);
	if (rc == OK && e->loaded_is_new)
		rc = errmsg_set(msg, ERR_NOT_FOUND, "no such %s in this space", kind->name);
	if (rc == OK && verb == VERB_VOID && record_life(&e->loaded) == RECORD_VOID)
		rc = errmsg_set(msg, ERR_INVALID, "the %s is void already", kind->name);
	if (rc == OK && verb == VERB_REVIVE && e->loaded.void_count == 0)
		rc = errmsg_set(msg, ERR_INVALID, "the %s is not void", kind->name);
	if (rc == OK)
		rc = new_op(e, kind_number, id, 0, verb, out, msg);
	return rc == OK ? target_voids(e, *out) : rc;
}

enum err edit_void(struct edit *e, uint16_t kind, const struct record_id *id, struct errmsg *msg)
{
	struct op *op;
	enum err rc = life_op(e, kind, id, VERB_VOID, &op, msg);

	return rc == OK ? observe_all(e, op, msg) : rc;
}

enum err edit_revive(struct edit *e, uint16_t kind, const struct record_id *id, struct errmsg *msg)
{
	struct op *op;

	return life_op(e, kind, id, VERB_REVIVE, &op, msg);
}

/* Sealing. */

/* Ops in canonical order; `n` is their place in time until they are numbered. */
static int compare_ops(const void *a, const void *b)
{
	const struct op *x = a, *y = b;
	int order = op_cmp(x, y);

	return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Of several writes to one place the last one holds; elements may repeat. */
static void drop_overwritten(struct edit *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->op_count; i++) {
		const struct op *op = &e->ops[i];

		if (kept && op_cmp(&e->ops[kept - 1], op) == 0 && !verb_is_on_elements(op->verb))
			kept--;
		e->ops[kept++] = *op;
	}
	e->op_count = kept;
}

/* And each place is written once: so bulk edits come. */
static bool is_in_order(const struct edit *e)
{
	for (size_t i = 1; i < e->op_count; i++)
		if (op_cmp(&e->ops[i - 1], &e->ops[i]) >= 0)
			return false;
	return true;
}

static void sort_ops(struct edit *e)
{
	uint32_t adds = 0;

	if (!is_in_order(e)) {
		for (size_t i = 0; i < e->op_count; i++)
			e->ops[i].n = (uint32_t)i;
		qsort(e->ops, e->op_count, sizeof(*e->ops), compare_ops);
		drop_overwritten(e);
	}
	for (size_t i = 0; i < e->op_count; i++)
		e->ops[i].n = e->ops[i].verb == VERB_ADD ? adds++ : 0;
}

static enum err seal(struct edit *e, struct errmsg *msg)
{
	struct changeset cs = { .author = e->author };

	if (e->op_count == 0)
		return OK;
	sort_ops(e);
	cs.ops = e->ops;
	cs.op_count = e->op_count;
	return replica_write(e->r, &e->space, &cs, e->now_ms, &e->arena, msg);
}

enum err edit_seal(struct edit *e, struct errmsg *msg)
{
	enum err rc = seal(e, msg);

	edit_drop(e);
	return rc;
}
