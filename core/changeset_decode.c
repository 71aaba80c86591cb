#include "core/changeset_format.h"
#include "core/limits.h"
#include "core/wire.h"

enum { OP_BYTES_USUAL = 8 };

struct decoder {
	struct wire_reader r;
	struct arena *arena;
	struct replica_id *replicas; /* [0] is the feed's own */
	uint32_t replica_count;
	struct record_id *ids;
	uint32_t id_count;
	struct op *ops;
	size_t op_count, op_cap;
	uint32_t add_count;
};

static void *decoder_array(struct decoder *d, size_t count, size_t size)
{
	void *array = arena_array(d->arena, count, size);

	if (!array)
		wire_fail(&d->r, ERR_NOMEM);
	return array;
}

static void get_replicas(struct decoder *d, const struct replica_id *self)
{
	uint32_t count = wire_array(&d->r, CHANGESET_REPLICAS_MAX);

	d->replicas = decoder_array(d, count + 1, sizeof(*d->replicas));
	if (!wire_is_ok(&d->r))
		return;
	d->replicas[0] = *self;
	d->replica_count = count + 1;
	for (uint32_t i = 1; i <= count && wire_is_ok(&d->r); i++) {
		wire_bin_exact(&d->r, d->replicas[i].bytes, ID_BYTES);
		if (i > 1 && replica_id_cmp(&d->replicas[i - 1], &d->replicas[i]) >= 0)
			wire_fail(&d->r, ERR_FORMAT);
		if (replica_id_cmp(&d->replicas[i], self) == 0)
			wire_fail(&d->r, ERR_FORMAT);
	}
}

static uint32_t get_index(struct decoder *d, uint32_t count)
{
	uint64_t index = wire_uint(&d->r, UINT32_MAX);

	if (index >= count) {
		wire_fail(&d->r, ERR_FORMAT);
		return 0;
	}
	return (uint32_t)index;
}

static uint64_t get_seq(struct decoder *d)
{
	uint64_t seq = wire_uint(&d->r, SEQ_MAX);

	if (seq == 0)
		wire_fail(&d->r, ERR_FORMAT);
	return seq;
}

static void get_deps(struct decoder *d, struct changeset *cs)
{
	uint32_t elements = wire_array(&d->r, 2 * CHANGESET_DEPS_MAX);
	uint32_t count = elements / 2, last = 0;
	struct dot *deps = decoder_array(d, count, sizeof(*deps));

	if (elements % 2)
		wire_fail(&d->r, ERR_FORMAT);
	for (uint32_t i = 0; i < count && wire_is_ok(&d->r); i++) {
		uint32_t index = get_index(d, d->replica_count);

		if (index <= last)
			wire_fail(&d->r, ERR_FORMAT);
		last = index;
		if (wire_is_ok(&d->r))
			deps[i] = (struct dot){ d->replicas[index], get_seq(d) };
	}
	cs->deps = deps;
	cs->dep_count = count;
}

static void get_id(struct decoder *d, uint32_t i)
{
	struct record_id *id = &d->ids[i];

	if (wire_next_type(&d->r) == WIRE_BIN) {
		wire_bin_exact(&d->r, id->bytes, ID_BYTES);
		if (i && (record_id_cmp(&d->ids[i - 1], id) >= 0 ||
			  record_id_distance(&d->ids[i - 1], id)))
			wire_fail(&d->r, ERR_FORMAT);
		return;
	}
	if (i == 0) {
		wire_fail(&d->r, ERR_FORMAT);
		return;
	}
	*id = d->ids[i - 1];
	if (!record_id_add(id, wire_uint(&d->r, UINT32_MAX)) ||
	    record_id_cmp(&d->ids[i - 1], id) >= 0)
		wire_fail(&d->r, ERR_FORMAT);
}

static void get_ids(struct decoder *d)
{
	uint32_t count = wire_array(&d->r, CHANGESET_IDS_MAX);

	d->ids = decoder_array(d, count, sizeof(*d->ids));
	for (uint32_t i = 0; i < count && wire_is_ok(&d->r); i++)
		get_id(d, i);
	d->id_count = count;
}

static void get_targets(struct decoder *d, const struct target **out, size_t *out_count)
{
	uint32_t elements = wire_array(&d->r, 3 * OP_REPLACED_MAX);
	uint32_t count = elements / 3;
	struct target *targets;

	if (elements % 3)
		wire_fail(&d->r, ERR_FORMAT);
	targets = decoder_array(d, count, sizeof(*targets));
	for (uint32_t i = 0; i < count && wire_is_ok(&d->r); i++) {
		uint32_t index = get_index(d, d->replica_count);

		if (!wire_is_ok(&d->r))
			break;
		targets[i].dot = (struct dot){ d->replicas[index], get_seq(d) };
		targets[i].n = (uint32_t)wire_uint(&d->r, CHANGESET_OPS_MAX);
	}
	*out = targets;
	*out_count = count;
}

/* A ref is an array of one index. Other arrays belong to newer versions. */
static bool get_ref(struct decoder *d, struct value *value)
{
	struct wire_reader probe = d->r;
	uint64_t index;

	if (wire_array(&probe, 1) != 1)
		return false;
	index = wire_uint(&probe, UINT32_MAX);
	if (!wire_is_ok(&probe) || index >= d->id_count)
		return false;
	d->r = probe;
	*value = value_ref(&d->ids[index]);
	return true;
}

static void get_value(struct decoder *d, struct value *value)
{
	if (get_ref(d, value))
		return;
	switch (wire_next_type(&d->r)) {
	case WIRE_NIL:
		wire_is_nil(&d->r);
		*value = value_nil();
		break;
	case WIRE_INT: *value = value_int(wire_int(&d->r)); break;
	case WIRE_STR: *value = value_text(wire_str(&d->r, CHANGESET_BYTES_MAX)); break;
	case WIRE_BIN: *value = value_bytes(wire_bin(&d->r, CHANGESET_BYTES_MAX)); break;
	default: *value = (struct value){ .type = VALUE_RAW, .bytes = wire_skip(&d->r) }; break;
	}
}

/* One op; returns how many elements of the group it took. */
static uint32_t get_op(struct decoder *d, struct op *op)
{
	uint64_t key = wire_uint(&d->r, FIELD_NUMBER_MAX << 3 | 7);

	op->field = (uint8_t)(key >> 3);
	op->verb = key & 7;
	if (op->verb >= VERB_COUNT) {
		wire_fail(&d->r, ERR_VERSION);
		return 1;
	}
	/* The record itself is voided and revived, fields are written. */
	if ((op->field == 0) != verb_is_on_record(op->verb))
		wire_fail(&d->r, ERR_FORMAT);
	if (verb_shapes[op->verb].observed)
		get_targets(d, &op->observed, &op->observed_count);
	if (verb_shapes[op->verb].targets)
		get_targets(d, &op->targets, &op->target_count);
	if (verb_shapes[op->verb].edit)
		op->edit = wire_skip(&d->r);
	if (verb_shapes[op->verb].value)
		get_value(d, &op->value);
	if (op->verb == VERB_ADD)
		op->n = d->add_count++;
	return op_elements(op);
}

/* Ascending; only elements may repeat, a register is written once. */
static bool may_follow(const struct op *before, const struct op *op)
{
	int order = op_cmp(before, op);

	if (order == 0)
		return verb_is_on_elements(op->verb);
	if (order > 0)
		return false;
	return !op_same_group(before, op) || before->field != op->field || op->field == 0 ||
	       (verb_is_on_elements(before->verb) && verb_is_on_elements(op->verb));
}

/* NULL: there may be no more, or no memory. */
static struct op *next_op(struct decoder *d)
{
	if (d->op_count == CHANGESET_OPS_MAX)
		wire_fail(&d->r, ERR_LIMIT);
	else if (arena_reserve(d->arena, &d->ops, &d->op_cap, d->op_count + 1, sizeof(*d->ops)))
		wire_fail(&d->r, ERR_NOMEM);
	return wire_is_ok(&d->r) ? &d->ops[d->op_count] : NULL;
}

static void get_group(struct decoder *d)
{
	uint32_t left = wire_array(&d->r, 4 * CHANGESET_OPS_MAX);
	uint32_t index = get_index(d, d->id_count);
	uint16_t kind = (uint16_t)wire_uint(&d->r, KIND_NUMBER_MAX);

	if (left < 4)
		wire_fail(&d->r, ERR_FORMAT);
	for (left -= 2; wire_is_ok(&d->r) && left > 0;) {
		struct op *op = next_op(d);
		uint32_t taken;

		if (!op)
			return;
		op->record = d->ids[index];
		op->kind = kind;
		taken = get_op(d, op);
		if (taken > left || (d->op_count && !may_follow(op - 1, op)))
			wire_fail(&d->r, ERR_FORMAT);
		d->op_count++;
		left -= taken;
	}
}

/* Room for the ops still to come, if they are as long as most: to begin with. */
static void reserve_ops(struct decoder *d)
{
	size_t usual = (size_t)(d->r.end - d->r.at) / OP_BYTES_USUAL + 1;

	if (usual > CHANGESET_OPS_MAX)
		usual = CHANGESET_OPS_MAX;
	if (arena_reserve(d->arena, &d->ops, &d->op_cap, usual, sizeof(*d->ops)))
		wire_fail(&d->r, ERR_NOMEM);
}

static void get_groups(struct decoder *d)
{
	uint32_t count;

	reserve_ops(d);
	count = wire_array(&d->r, CHANGESET_OPS_MAX);
	for (uint32_t i = 0; i < count && wire_is_ok(&d->r); i++) {
		size_t first = d->op_count;

		get_group(d);
		if (wire_is_ok(&d->r) && i && op_same_group(&d->ops[first - 1], &d->ops[first]))
			wire_fail(&d->r, ERR_FORMAT);
	}
}

static enum err decode(struct decoder *d, struct changeset *cs, const struct replica_id *self)
{
	uint64_t author;

	if (wire_array(&d->r, 7) != 7 && wire_is_ok(&d->r))
		return ERR_FORMAT;
	if (wire_uint(&d->r, UINT32_MAX) != CHANGESET_VERSION && wire_is_ok(&d->r))
		return ERR_VERSION;
	cs->hlc.bits = wire_uint(&d->r, UINT64_MAX);
	author = wire_uint(&d->r, CHANGESET_IDS_MAX);
	get_replicas(d, self);
	get_deps(d, cs);
	get_ids(d);
	if (wire_is_ok(&d->r) && author > d->id_count)
		return ERR_FORMAT;
	if (wire_is_ok(&d->r) && author)
		cs->author = d->ids[author - 1];
	get_groups(d);
	cs->ops = d->ops;
	cs->op_count = d->op_count;
	return wire_end(&d->r);
}

enum err changeset_decode(struct changeset *out, struct bytes body,
			  const struct replica_id *replica, struct arena *arena, struct errmsg *msg)
{
	struct decoder d = { .r = wire_reader_of(body), .arena = arena };
	struct changeset cs = { 0 };
	enum err rc = changeset_check_size("bytes", body.size, CHANGESET_BYTES_MAX, msg);

	if (rc != OK)
		return rc;
	rc = decode(&d, &cs, replica);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc != OK)
		return errmsg_set(msg, rc, "changeset: a malformed body of %zu bytes (%s)",
				  body.size, err_name(rc));
	*out = cs;
	return OK;
}
