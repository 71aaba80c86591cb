#include "core/changeset.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/schema.h"
#include "core/wire.h"

/* Links. */

void changeset_link(uint8_t out[LINK_BYTES], const struct space_id *space,
		    const struct replica_id *replica, const struct feed_head *head,
		    struct bytes body)
{
	static const char domain[] = "huitong-link-1";
	crypto_generichash_state state;
	uint8_t seq[8];

	for (int i = 0; i < 8; i++)
		seq[i] = (uint8_t)((head->seq + 1) >> (56 - 8 * i));
	crypto_generichash_init(&state, NULL, 0, LINK_BYTES);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof(domain) - 1);
	crypto_generichash_update(&state, space->bytes, ID_BYTES);
	crypto_generichash_update(&state, replica->bytes, ID_BYTES);
	crypto_generichash_update(&state, seq, sizeof(seq));
	crypto_generichash_update(&state, head->link, LINK_BYTES);
	crypto_generichash_update(&state, head->signature, SIGNATURE_BYTES);
	crypto_generichash_update(&state, body.data, body.size);
	crypto_generichash_final(&state, out, LINK_BYTES);
}

void changeset_sign(uint8_t out[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES],
		    const uint8_t secret[SIGN_SECRET_BYTES])
{
	crypto_sign_detached(out, NULL, link, LINK_BYTES, secret);
}

bool changeset_is_signed_by(const uint8_t signature[SIGNATURE_BYTES],
			    const uint8_t link[LINK_BYTES],
			    const uint8_t public_key[SIGN_PUBLIC_BYTES])
{
	return crypto_sign_verify_detached(signature, link, LINK_BYTES, public_key) == 0;
}

/* Order. */

int op_cmp(const struct op *a, const struct op *b)
{
	int order = record_id_cmp(&a->record, &b->record);

	if (order)
		return order;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->field != b->field)
		return a->field < b->field ? -1 : 1;
	return (a->verb > b->verb) - (a->verb < b->verb);
}

static bool same_group(const struct op *a, const struct op *b)
{
	return a->kind == b->kind && record_id_cmp(&a->record, &b->record) == 0;
}

/* Which arguments follow a key. */
static const struct {
	bool observed, targets, value;
} verb_shapes[VERB_COUNT] = {
	[VERB_SET] = { .value = true },
	[VERB_REPLACE] = { .targets = true, .value = true },
	[VERB_ADD] = { .value = true },
	[VERB_REMOVE] = { .targets = true },
	[VERB_VOID] = { .observed = true, .targets = true },
	[VERB_REVIVE] = { .targets = true },
};

/* The distance from a to b in record_id_next() steps, or 0 when b isn't ahead
 * of a within the same upper half by less than 2^32: then it is spelt out. */
static uint64_t id_step(const struct record_id *a, const struct record_id *b)
{
	uint64_t low_a = 0, low_b = 0;

	if (memcmp(a->bytes, b->bytes, 8) != 0 || (a->bytes[8] & 0xc0) != (b->bytes[8] & 0xc0))
		return 0;
	for (int i = 8; i < ID_BYTES; i++) {
		low_a = low_a << 8 | a->bytes[i];
		low_b = low_b << 8 | b->bytes[i];
	}
	return low_b > low_a && low_b - low_a <= UINT32_MAX ? low_b - low_a : 0;
}

/* a + step; false when it would leave the half that id_step() compares. */
static bool id_add(struct record_id *id, uint64_t step)
{
	uint64_t low = 0;
	uint8_t variant = id->bytes[8] & 0xc0;

	for (int i = 8; i < ID_BYTES; i++)
		low = low << 8 | id->bytes[i];
	if (low + step < low)
		return false;
	low += step;
	for (int i = 0; i < 8; i++)
		id->bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	return (id->bytes[8] & 0xc0) == variant;
}

/* Encoding: collect the two tables, sort them, then write by index. */

struct encoder {
	struct buf *out;
	const struct replica_id *self;
	struct replica_id *replicas;
	size_t replica_count;
	struct record_id *ids;
	size_t id_count;
};

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

/* Sort 16-byte ids and drop the doubles. */
static size_t sort_unique(void *ids, size_t count)
{
	uint8_t *at = ids;
	size_t kept = 0;

	qsort(ids, count, ID_BYTES, compare_ids);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || memcmp(at + i * ID_BYTES, at + (i - 1) * ID_BYTES, ID_BYTES) != 0)
			memmove(at + kept++ * ID_BYTES, at + i * ID_BYTES, ID_BYTES);
	return kept;
}

static uint64_t find_id(const void *ids, size_t count, const void *id)
{
	const uint8_t *at = bsearch(id, ids, count, ID_BYTES, compare_ids);

	assert(at);
	return (uint64_t)(at - (const uint8_t *)ids) / ID_BYTES;
}

static void collect_targets(struct encoder *e, const struct target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (replica_id_cmp(&targets[i].dot.replica, e->self) != 0)
			e->replicas[e->replica_count++] = targets[i].dot.replica;
}

static enum err collect(struct encoder *e, const struct changeset *cs, struct arena *arena)
{
	size_t replicas = cs->dep_count, ids = 1;

	for (size_t i = 0; i < cs->op_count; i++) {
		replicas += cs->ops[i].target_count + cs->ops[i].observed_count;
		ids += 2;
	}
	e->replicas = arena_array(arena, replicas, ID_BYTES);
	e->ids = arena_array(arena, ids, ID_BYTES);
	if (!e->replicas || !e->ids)
		return ERR_NOMEM;

	for (size_t i = 0; i < cs->dep_count; i++)
		e->replicas[e->replica_count++] = cs->deps[i].replica;
	if (!record_id_is_nil(&cs->author))
		e->ids[e->id_count++] = cs->author;
	for (size_t i = 0; i < cs->op_count; i++) {
		const struct op *op = &cs->ops[i];

		collect_targets(e, op->targets, op->target_count);
		collect_targets(e, op->observed, op->observed_count);
		/* Grouped ops name the same record: skip the obvious doubles. */
		if (e->id_count == 0 || record_id_cmp(&e->ids[e->id_count - 1], &op->record) != 0)
			e->ids[e->id_count++] = op->record;
		if (op->value.type == VALUE_REF)
			e->ids[e->id_count++] = op->value.ref;
	}
	e->replica_count = sort_unique(e->replicas, e->replica_count);
	e->id_count = sort_unique(e->ids, e->id_count);
	return OK;
}

static uint64_t replica_index(const struct encoder *e, const struct replica_id *replica)
{
	if (replica_id_cmp(replica, e->self) == 0)
		return 0;
	return 1 + find_id(e->replicas, e->replica_count, replica);
}

static void put_ids(struct encoder *e)
{
	wire_put_array(e->out, (uint32_t)e->id_count);
	for (size_t i = 0; i < e->id_count; i++) {
		uint64_t step = i ? id_step(&e->ids[i - 1], &e->ids[i]) : 0;

		if (step)
			wire_put_uint(e->out, step);
		else
			wire_put_bin(e->out, bytes_of(e->ids[i].bytes, ID_BYTES));
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
	wire_put_uint(e->out, find_id(e->ids, e->id_count, &value->ref));
}

static void put_op(struct encoder *e, const struct op *op)
{
	wire_put_uint(e->out, (uint64_t)op->field << 3 | op->verb);
	if (verb_shapes[op->verb].observed)
		put_targets(e, op->observed, op->observed_count);
	if (verb_shapes[op->verb].targets)
		put_targets(e, op->targets, op->target_count);
	if (verb_shapes[op->verb].value)
		put_value(e, &op->value);
}

static uint32_t op_elements(const struct op *op)
{
	return 1u + verb_shapes[op->verb].observed + verb_shapes[op->verb].targets +
	       verb_shapes[op->verb].value;
}

static void put_groups(struct encoder *e, const struct changeset *cs)
{
	uint32_t groups = 0;

	for (size_t i = 0; i < cs->op_count; i++)
		groups += i == 0 || !same_group(&cs->ops[i - 1], &cs->ops[i]);
	wire_put_array(e->out, groups);
	for (size_t i = 0, end; i < cs->op_count; i = end) {
		uint32_t elements = 2;

		for (end = i; end < cs->op_count && same_group(&cs->ops[i], &cs->ops[end]); end++)
			elements += op_elements(&cs->ops[end]);
		wire_put_array(e->out, elements);
		wire_put_uint(e->out, find_id(e->ids, e->id_count, &cs->ops[i].record));
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
		wire_put_uint(e->out, 1 + find_id(e->ids, e->id_count, &cs->author));
	wire_put_array(e->out, (uint32_t)e->replica_count);
	for (size_t i = 0; i < e->replica_count; i++)
		wire_put_bin(e->out, bytes_of(e->replicas[i].bytes, ID_BYTES));
	wire_put_array(e->out, (uint32_t)(2 * cs->dep_count));
	for (size_t i = 0; i < cs->dep_count; i++) {
		wire_put_uint(e->out, replica_index(e, &cs->deps[i].replica));
		wire_put_uint(e->out, cs->deps[i].seq);
	}
	put_ids(e);
}

static enum err check_size(const char *what, size_t size, size_t max, struct errmsg *msg)
{
	if (size <= max)
		return OK;
	return errmsg_set(msg, ERR_LIMIT, "changeset: %zu %s, the limit is %zu", size, what, max);
}

static enum err check_sizes(const struct encoder *e, const struct changeset *cs, struct errmsg *msg)
{
	enum err rc = check_size("ops", cs->op_count, CHANGESET_OPS_MAX, msg);

	if (rc == OK)
		rc = check_size("dependencies", cs->dep_count, CHANGESET_DEPS_MAX, msg);
	if (rc == OK)
		rc = check_size("replicas", e->replica_count, CHANGESET_REPLICAS_MAX, msg);
	if (rc == OK)
		rc = check_size("records", e->id_count, CHANGESET_IDS_MAX, msg);
	for (size_t i = 0; rc == OK && i < cs->op_count; i++) {
		rc = check_size("targets of an op", cs->ops[i].target_count, OP_REPLACED_MAX, msg);
		if (rc == OK)
			rc = check_size("observed writes", cs->ops[i].observed_count,
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
	rc = check_size("bytes", out->size - start, CHANGESET_BYTES_MAX, msg);
	if (rc != OK)
		out->size = start;
	return rc;
}

/* Decoding. */

struct decoder {
	struct wire_reader r;
	struct arena *arena;
	struct replica_id *replicas; /* [0] is the feed's own */
	uint32_t replica_count;
	struct record_id *ids;
	uint32_t id_count;
	struct op *ops;
	size_t op_count;
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
		if (i && (record_id_cmp(&d->ids[i - 1], id) >= 0 || id_step(&d->ids[i - 1], id)))
			wire_fail(&d->r, ERR_FORMAT);
		return;
	}
	if (i == 0) {
		wire_fail(&d->r, ERR_FORMAT);
		return;
	}
	*id = d->ids[i - 1];
	if (!id_add(id, wire_uint(&d->r, UINT32_MAX)) || record_id_cmp(&d->ids[i - 1], id) >= 0)
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
	if ((op->field == 0) != (op->verb >= VERB_VOID))
		wire_fail(&d->r, ERR_FORMAT);
	if (verb_shapes[op->verb].observed)
		get_targets(d, &op->observed, &op->observed_count);
	if (verb_shapes[op->verb].targets)
		get_targets(d, &op->targets, &op->target_count);
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
	return !same_group(before, op) || before->field != op->field || op->field == 0 ||
	       (verb_is_on_elements(before->verb) && verb_is_on_elements(op->verb));
}

static void get_group(struct decoder *d)
{
	uint32_t left = wire_array(&d->r, 4 * CHANGESET_OPS_MAX);
	uint32_t index = get_index(d, d->id_count);
	uint16_t kind = (uint16_t)wire_uint(&d->r, KIND_NUMBER_MAX);

	if (left < 4)
		wire_fail(&d->r, ERR_FORMAT);
	for (left -= 2; wire_is_ok(&d->r) && left > 0;) {
		struct op *op = &d->ops[d->op_count];
		uint32_t taken;

		if (d->op_count == CHANGESET_OPS_MAX) {
			wire_fail(&d->r, ERR_LIMIT);
			return;
		}
		op->record = d->ids[index];
		op->kind = kind;
		taken = get_op(d, op);
		if (taken > left || (d->op_count && !may_follow(op - 1, op)))
			wire_fail(&d->r, ERR_FORMAT);
		d->op_count++;
		left -= taken;
	}
}

/* An upper bound of the ops still to come: each takes two bytes at least. */
static size_t ops_possible(const struct decoder *d)
{
	size_t most = (size_t)(d->r.end - d->r.at) / 2 + 1;

	return most < CHANGESET_OPS_MAX ? most : CHANGESET_OPS_MAX;
}

static void get_groups(struct decoder *d)
{
	uint32_t count;

	d->ops = decoder_array(d, ops_possible(d) + 1, sizeof(*d->ops));
	count = wire_array(&d->r, CHANGESET_OPS_MAX);
	for (uint32_t i = 0; i < count && wire_is_ok(&d->r); i++) {
		size_t first = d->op_count;

		get_group(d);
		if (wire_is_ok(&d->r) && i && same_group(&d->ops[first - 1], &d->ops[first]))
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
	enum err rc = check_size("bytes", body.size, CHANGESET_BYTES_MAX, msg);

	if (rc != OK)
		return rc;
	rc = decode(&d, &cs, replica);
	if (rc != OK)
		return errmsg_set(msg, rc, "changeset: malformed (%s) near byte %zu of %zu",
				  err_name(rc), (size_t)(d.r.at - body.data), body.size);
	*out = cs;
	return OK;
}

enum err changeset_peek_hlc(struct bytes body, struct hlc_stamp *out)
{
	struct wire_reader r = wire_reader_of(body);
	struct hlc_stamp hlc;

	wire_array(&r, 7);
	wire_uint(&r, CHANGESET_VERSION);
	hlc.bits = wire_uint(&r, UINT64_MAX);
	if (!wire_is_ok(&r))
		return r.rc;
	*out = hlc;
	return OK;
}

/* Validation against the schema. */

static bool verb_fits(const struct field *field, enum verb verb)
{
	if (merge_is_register(field->merge))
		return verb == VERB_SET || verb == VERB_REPLACE;
	return verb == VERB_ADD || (verb == VERB_REMOVE && field->merge == MERGE_SET);
}

static enum err validate_op(const struct kind *kind, const struct op *op, struct errmsg *msg)
{
	const struct field *field = kind_field(kind, op->field);
	enum err rc = OK;

	if (op->field == 0 || !field)
		return OK;
	if (!verb_fits(field, op->verb))
		return errmsg_set(msg, ERR_INVALID, "%s.%s: a verb that does not fit the field",
				  kind->name, field->name);
	if (verb_shapes[op->verb].value)
		rc = field_validate(field, &op->value, msg);
	return rc == OK ? OK : errmsg_prefix(msg, rc, "%s.", kind->name);
}

enum err changeset_validate(const struct changeset *cs, bool directory, struct errmsg *msg)
{
	for (size_t i = 0; i < cs->op_count; i++) {
		const struct kind *kind = schema_kind(cs->ops[i].kind);
		enum err rc;

		if (!kind)
			continue;
		rc = kind_check_place(kind, directory, msg);
		if (rc == OK)
			rc = validate_op(kind, &cs->ops[i], msg);
		if (rc != OK)
			return rc;
	}
	return OK;
}
