#include "core/changeset_format.h"
#include "core/id_index.h"
#include "core/limits.h"
#include "core/wire.h"

/* Encoding: collect the two tables, sort them, then write by index. */

struct encoder {
	struct buf *out;
	const struct replica_id *self;
	struct id_index replicas;
	struct id_index records;
};

static void collect_replica(struct encoder *e, const struct replica_id *replica)
{
	if (replica_id_cmp(replica, e->self) != 0)
		id_index_add(&e->replicas, replica->bytes);
}

static void collect_targets(struct encoder *e, const struct target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		collect_replica(e, &targets[i].dot.replica);
}

/* At most so many ids are named; most are named often. */
static enum err make_room(struct encoder *e, const struct changeset *cs, struct arena *arena)
{
	size_t replicas = cs->dep_count, records = 1;
	enum err rc;

	for (size_t i = 0; i < cs->op_count; i++) {
		const struct op *op = &cs->ops[i];

		replicas += op->target_count + op->observed_count;
		records += (i == 0 || !op_same_group(op - 1, op)) + (op->value.type == VALUE_REF);
	}
	rc = id_index_init(&e->replicas, replicas, arena);
	return rc == OK ? id_index_init(&e->records, records, arena) : rc;
}

static enum err collect(struct encoder *e, const struct changeset *cs, struct arena *arena)
{
	enum err rc = make_room(e, cs, arena);

	if (rc != OK)
		return rc;
	for (size_t i = 0; i < cs->dep_count; i++)
		collect_replica(e, &cs->deps[i].replica);
	if (!record_id_is_nil(&cs->author))
		id_index_add(&e->records, cs->author.bytes);
	for (size_t i = 0; i < cs->op_count; i++) {
		const struct op *op = &cs->ops[i];

		collect_targets(e, op->targets, op->target_count);
		collect_targets(e, op->observed, op->observed_count);
		if (i == 0 || !op_same_group(op - 1, op))
			id_index_add(&e->records, op->record.bytes);
		if (op->value.type == VALUE_REF)
			id_index_add(&e->records, op->value.ref.bytes);
	}
	id_index_sort(&e->replicas);
	id_index_sort(&e->records);
	return OK;
}

static uint64_t replica_index(const struct encoder *e, const struct replica_id *replica)
{
	if (replica_id_cmp(replica, e->self) == 0)
		return 0;
	return 1 + id_index_find(&e->replicas, replica->bytes);
}

static void put_ids(struct encoder *e)
{
	struct record_id last = { 0 }, id;

	wire_put_array(e->out, e->records.count);
	for (uint32_t i = 0; i < e->records.count; i++, last = id) {
		uint64_t step;

		memcpy(id.bytes, e->records.ids[i], ID_BYTES);
		step = i ? record_id_distance(&last, &id) : 0;
		if (step)
			wire_put_uint(e->out, step);
		else
			wire_put_bin(e->out, bytes_of(id.bytes, ID_BYTES));
	}
}

static void put_targets(struct encoder *e, const struct target *targets, size_t count)
{
	wire_put_array(e->out, (uint32_t)(3 * count));
	for (size_t i = 0; i < count; i++) {
		wire_put_uint(e->out, replica_index(e, &targets[i].dot.replica));
		wire_put_uint(e->out, targets[i].dot.seq);
		wire_put_uint(e->out, targets[i].n);
	}
}

static void put_value(struct encoder *e, const struct value *value)
{
	if (value->type != VALUE_REF) {
		value_encode(e->out, value);
		return;
	}
	wire_put_array(e->out, 1);
	wire_put_uint(e->out, id_index_find(&e->records, value->ref.bytes));
}

static void put_op(struct encoder *e, const struct op *op)
{
	wire_put_uint(e->out, (uint64_t)op->field << 3 | op->verb);
	if (verb_shapes[op->verb].observed)
		put_targets(e, op->observed, op->observed_count);
	if (verb_shapes[op->verb].targets)
		put_targets(e, op->targets, op->target_count);
	if (verb_shapes[op->verb].edit)
		buf_append(e->out, op->edit.data, op->edit.size);
	if (verb_shapes[op->verb].value)
		put_value(e, &op->value);
}

static void put_groups(struct encoder *e, const struct changeset *cs)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < cs->op_count; i++)
		groups += i == 0 || !op_same_group(&cs->ops[i - 1], &cs->ops[i]);
	wire_put_array(e->out, groups);
	for (size_t i = 0, end; i < cs->op_count; i = end) {
		uint32_t elements = 2;

		for (end = i; end < cs->op_count && op_same_group(&cs->ops[i], &cs->ops[end]);
		     end++)
			elements += op_elements(&cs->ops[end]);
		wire_put_array(e->out, elements);
		wire_put_uint(e->out, id_index_find(&e->records, cs->ops[i].record.bytes));
		wire_put_uint(e->out, cs->ops[i].kind);
		for (size_t k = i; k < end; k++)
			put_op(e, &cs->ops[k]);
	}
}

static void put_header(struct encoder *e, const struct changeset *cs)
{
	wire_put_array(e->out, 7);
	wire_put_uint(e->out, CHANGESET_VERSION);
	wire_put_uint(e->out, cs->hlc.bits);
	if (record_id_is_nil(&cs->author))
		wire_put_uint(e->out, 0);
	else
		wire_put_uint(e->out, 1 + id_index_find(&e->records, cs->author.bytes));
	wire_put_array(e->out, e->replicas.count);
	for (uint32_t i = 0; i < e->replicas.count; i++)
		wire_put_bin(e->out, bytes_of(e->replicas.ids[i], ID_BYTES));
	wire_put_array(e->out, (uint32_t)(2 * cs->dep_count));
	for (size_t i = 0; i < cs->dep_count; i++) {
		wire_put_uint(e->out, replica_index(e, &cs->deps[i].replica));
		wire_put_uint(e->out, cs->deps[i].seq);
	}
	put_ids(e);
}

static enum err check_sizes(const struct encoder *e, const struct changeset *cs, struct errmsg *msg)
{
	enum err rc = changeset_check_size("ops", cs->op_count, CHANGESET_OPS_MAX, msg);

	if (rc == OK)
		rc = changeset_check_size("dependencies", cs->dep_count, CHANGESET_DEPS_MAX, msg);
	if (rc == OK)
		rc = changeset_check_size("replicas", e->replicas.count, CHANGESET_REPLICAS_MAX,
					  msg);
	if (rc == OK)
		rc = changeset_check_size("records", e->records.count, CHANGESET_IDS_MAX, msg);
	for (size_t i = 0; rc == OK && i < cs->op_count; i++) {
		rc = changeset_check_size("targets of an op", cs->ops[i].target_count,
					  OP_REPLACED_MAX, msg);
		if (rc == OK)
			rc = changeset_check_size("observed writes", cs->ops[i].observed_count,
						  OP_REPLACED_MAX, msg);
	}
	return rc;
}

enum err changeset_encode(struct buf *out, const struct changeset *cs,
			  const struct replica_id *replica, struct arena *arena, struct errmsg *msg)
{
	struct encoder e = { .out = out, .self = replica };
	size_t start = out->size;
	enum err rc = collect(&e, cs, arena);

	if (rc != OK)
		return rc;
	rc = check_sizes(&e, cs, msg);
	if (rc != OK)
		return rc;
	put_header(&e, cs);
	put_groups(&e, cs);
	if (buf_check(out) != OK)
		return ERR_NOMEM;
	rc = changeset_check_size("bytes", out->size - start, CHANGESET_BYTES_MAX, msg);
	if (rc != OK)
		out->size = start;
	return rc;
}
