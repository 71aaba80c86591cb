/* core/changeset: bodies come back as they were written, have one form, and
 * every way to break them is refused; links and signatures notice any bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "core/changeset.h"
#include "core/limits.h"
#include "core/schema.h"
#include "core/text.h"
#include "core/wire.h"
#include "tests/support/document.h"
#include "tests/support/prng.h"
#include "tests/support/spell.h"

static struct replica_id replica_all(uint8_t byte)
{
	struct replica_id id;

	memset(id.bytes, byte, ID_BYTES);
	return id;
}

static struct record_id record_all(uint8_t byte)
{
	struct record_id id;

	memset(id.bytes, byte, ID_BYTES);
	return id;
}

static enum err decode(struct bytes body, struct changeset *out, struct arena *arena,
		       struct errmsg *why)
{
	struct replica_id self = replica_all(5);

	return changeset_decode(out, body, &self, arena, why);
}

static enum err decode_text(const char *text)
{
	struct buf body = spell(text);
	struct arena arena = ARENA_EMPTY;
	struct changeset cs = { .op_count = 77 };
	struct errmsg why = { .text = "" };
	enum err rc = decode(buf_bytes(&body), &cs, &arena, &why);

	if (rc != OK) {
		assert_int_equal(cs.op_count, 77); /* untouched */
		assert_int_not_equal(why.text[0], 0);
	}
	arena_release(&arena);
	buf_release(&body);
	return rc;
}

/* version hlc author [replicas [deps [ids [groups; the feed's replica is 5. */
static const struct {
	const char *why, *body;
	enum err rc;
} bodies[] = {
	{ "smallest", "[7 1 9 0 [0 [0 [0 [0", OK },
	{ "one write", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 16 'x", OK },
	{ "six parts", "[6 1 9 0 [0 [0 [0", ERR_FORMAT },
	{ "eight parts", "[8 1 9 0 [0 [0 [0 [0 0", ERR_LIMIT },
	{ "left over", "[7 1 9 0 [0 [0 [0 [0 0", ERR_FORMAT },
	{ "other version", "[7 2 9 0 [0 [0 [0 [0", ERR_VERSION },
	{ "version 0", "[7 0 9 0 [0 [0 [0 [0", ERR_VERSION },
	{ "no array", "1", ERR_FORMAT },
	{ "nothing", "", ERR_FORMAT },

	{ "author", "[7 1 9 1 [0 [0 [1 #1 [0", OK },
	{ "author who is not named", "[7 1 9 2 [0 [0 [1 #1 [0", ERR_FORMAT },

	{ "replicas", "[7 1 9 0 [2 #1 #2 [0 [0 [0", OK },
	{ "replicas descend", "[7 1 9 0 [2 #2 #1 [0 [0 [0", ERR_FORMAT },
	{ "replica twice", "[7 1 9 0 [2 #1 #1 [0 [0 [0", ERR_FORMAT },
	{ "own replica among the others", "[7 1 9 0 [1 #5 [0 [0 [0", ERR_FORMAT },
	{ "short replica", "[7 1 9 0 [1 ^x [0 [0 [0", ERR_FORMAT },

	{ "deps", "[7 1 9 0 [2 #1 #2 [4 1 7 2 7 [0 [0", OK },
	{ "deps descend", "[7 1 9 0 [2 #1 #2 [4 2 7 1 7 [0 [0", ERR_FORMAT },
	{ "dep twice", "[7 1 9 0 [2 #1 #2 [4 1 7 1 8 [0 [0", ERR_FORMAT },
	{ "dep on oneself", "[7 1 9 0 [1 #1 [2 0 7 [0 [0", ERR_FORMAT },
	{ "dep on nobody", "[7 1 9 0 [1 #1 [2 2 7 [0 [0", ERR_FORMAT },
	{ "dep on seq 0", "[7 1 9 0 [1 #1 [2 1 0 [0 [0", ERR_FORMAT },
	{ "dep on a seq too high", "[7 1 9 0 [1 #1 [2 1 1099511627776 [0 [0", ERR_LIMIT },
	{ "half a dep", "[7 1 9 0 [1 #1 [1 1 [0 [0", ERR_FORMAT },
	{ "half a dep, ids within", "[7 1 9 0 [1 #1 [3 1 7 [0 [0", ERR_FORMAT },

	{ "ids", "[7 1 9 0 [0 [0 [3 #1 1 #2 [0", OK },
	{ "ids descend", "[7 1 9 0 [0 [0 [2 #2 #1 [0", ERR_FORMAT },
	{ "id twice", "[7 1 9 0 [0 [0 [2 #1 #1 [0", ERR_FORMAT },
	{ "step of 0", "[7 1 9 0 [0 [0 [2 #1 0 [0", ERR_FORMAT },
	{ "step at first", "[7 1 9 0 [0 [0 [1 1 [0", ERR_FORMAT },
	{ "step over the half", "[7 1 9 0 [0 [0 [2 #255 1 [0", ERR_FORMAT },
	{ "step too far", "[7 1 9 0 [0 [0 [2 #1 4294967296 [0", ERR_LIMIT },

	{ "groups", "[7 1 9 0 [0 [0 [2 #1 #2 [2 [4 0 15 16 1 [4 1 15 16 1", OK },
	{ "groups descend", "[7 1 9 0 [0 [0 [2 #1 #2 [2 [4 1 15 16 1 [4 0 15 16 1", ERR_FORMAT },
	{ "kinds ascend", "[7 1 9 0 [0 [0 [1 #1 [2 [4 0 14 16 1 [4 0 15 16 1", OK },
	{ "kinds descend", "[7 1 9 0 [0 [0 [1 #1 [2 [4 0 15 16 1 [4 0 14 16 1", ERR_FORMAT },
	{ "group in two", "[7 1 9 0 [0 [0 [1 #1 [2 [4 0 15 16 1 [4 0 15 24 1", ERR_FORMAT },
	{ "empty group", "[7 1 9 0 [0 [0 [1 #1 [1 [2 0 15", ERR_FORMAT },
	{ "group of nobody", "[7 1 9 0 [0 [0 [1 #1 [1 [4 1 15 16 1", ERR_FORMAT },
	{ "kind too high", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 65536 16 1", ERR_LIMIT },
	{ "no value", "[7 1 9 0 [0 [0 [1 #1 [1 [3 0 15 16", ERR_FORMAT },
	{ "value over the group", "[7 1 9 0 [0 [0 [1 #1 [1 [5 0 15 16 1 24", ERR_FORMAT },

	{ "fields ascend", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 16 1 24 1", OK },
	{ "fields descend", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 24 1 16 1", ERR_FORMAT },
	{ "field twice", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 16 1 16 2", ERR_FORMAT },
	{ "set and replace", "[7 1 9 0 [0 [0 [1 #1 [1 [7 0 15 16 1 17 [0 2", ERR_FORMAT },
	{ "set and add", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 16 1 18 2", ERR_FORMAT },
	{ "two additions", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 18 1 18 1", OK },
	{ "two removals", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 19 [0 19 [0", OK },
	{ "addition and removal", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 18 1 19 [0", OK },
	{ "removal and addition", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 19 [0 18 1", ERR_FORMAT },
	{ "void", "[7 1 9 0 [0 [0 [1 #1 [1 [5 0 15 4 [0 [0", OK },
	{ "void twice", "[7 1 9 0 [0 [0 [1 #1 [1 [8 0 15 4 [0 [0 4 [0 [0", ERR_FORMAT },
	{ "void of a field", "[7 1 9 0 [0 [0 [1 #1 [1 [5 0 15 20 [0 [0", ERR_FORMAT },
	{ "revive", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 5 [0", OK },
	{ "set of the record", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 0 1", ERR_FORMAT },
	{ "addition to the record", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 2 1", ERR_FORMAT },
	{ "newer verb", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 23 1", ERR_VERSION },
	{ "splice", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 46 [0 [1 0 1", OK },
	{ "splice without a text", "[7 1 9 0 [0 [0 [1 #1 [1 [5 0 15 46 [0 [1 0", ERR_FORMAT },
	{ "splice of the record", "[7 1 9 0 [0 [0 [1 #1 [1 [6 0 15 6 [0 [1 0 1", ERR_FORMAT },
	{ "field too high", "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 2048 1", ERR_LIMIT },

	{ "targets", "[7 1 9 0 [1 #1 [0 [1 #1 [1 [5 0 15 17 [6 0 3 0 1 3 0 1", OK },
	{ "half a target", "[7 1 9 0 [1 #1 [0 [1 #1 [1 [5 0 15 17 [2 0 3 1", ERR_FORMAT },
	{ "a target and a third", "[7 1 9 0 [1 #1 [0 [1 #1 [1 [5 0 15 17 [4 0 3 0 1", ERR_FORMAT },
	{ "target of nobody", "[7 1 9 0 [1 #1 [0 [1 #1 [1 [5 0 15 17 [3 2 3 0 1", ERR_FORMAT },
	{ "target with seq 0", "[7 1 9 0 [1 #1 [0 [1 #1 [1 [5 0 15 17 [3 1 0 0 1", ERR_FORMAT },
	{ "target with n too high", "[7 1 9 0 [1 #1 [0 [1 #1 [1 [5 0 15 17 [3 1 1 10001 1",
	  ERR_LIMIT },
};

static void every_violation_is_refused(void **state)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		enum err rc = decode_text(bodies[i].body);

		if (rc != bodies[i].rc)
			fail_msg("%s: %s: expected %s, got %s", bodies[i].why, bodies[i].body,
				 err_name(bodies[i].rc), err_name(rc));
	}
}

static void values_have_their_types(void **state)
{
	static const struct {
		const char *value;
		enum value_type type;
	} cases[] = {
		{ "-", VALUE_NIL },    { "3", VALUE_INT },
		{ "'x", VALUE_TEXT },  { "^x", VALUE_BYTES },
		{ "[1 0", VALUE_REF }, { "[1 1", VALUE_RAW }, /* no such id: a newer form */
		{ "[0", VALUE_RAW },   { "[2 0 0", VALUE_RAW },
		{ "[1 -", VALUE_RAW },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = ARENA_EMPTY;
		struct changeset cs;
		char text[80];
		struct buf body;

		snprintf(text, sizeof(text), "[7 1 9 0 [0 [0 [1 #1 [1 [4 0 15 16 %s",
			 cases[i].value);
		body = spell(text);
		assert_int_equal(decode(buf_bytes(&body), &cs, &arena, NULL), OK);
		assert_int_equal(cs.ops[0].value.type, cases[i].type);
		arena_release(&arena);
		buf_release(&body);
	}
}

/* Random changesets. */

enum { FOREIGN = 6, OPS_MAX = 40 };

struct made {
	struct changeset cs;
	struct dot deps[FOREIGN];
	struct op ops[OPS_MAX];
	struct target targets[OPS_MAX][8];
};

static struct record_id random_record(struct prng *prng)
{
	struct record_id id = record_all((uint8_t)prng_below(prng, 3));

	/* Near ones, far ones, and ones across the carry. */
	if (prng_chance(prng, 30))
		prng_fill(prng, &id, sizeof(id));
	id.bytes[15] = (uint8_t)prng_below(prng, 4);
	if (prng_chance(prng, 30))
		id.bytes[11] = (uint8_t)prng_below(prng, 256);
	return id;
}

static struct value random_value(struct prng *prng)
{
	static const uint8_t raw[] = { 0x92, 0xc2, 0xcf, 0xff, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0xff };
	struct record_id ref;

	switch (prng_below(prng, 6)) {
	case 0: return value_nil();
	case 1: return value_int((int64_t)prng_next(prng) >> prng_below(prng, 64));
	case 2: return value_str(&"会议纪要 minutes"[3 * prng_below(prng, 4)]);
	case 3: return value_bytes(bytes_of("\0\1", prng_below(prng, 3)));
	case 4: ref = random_record(prng); return value_ref(&ref);
	default: return (struct value){ .type = VALUE_RAW, .bytes = { raw, sizeof(raw) } };
	}
}

static struct replica_id random_replica(struct prng *prng)
{
	return replica_all((uint8_t)prng_below(prng, FOREIGN + 1)); /* 5 is our own */
}

static size_t random_targets(struct prng *prng, struct target *out)
{
	size_t count = prng_below(prng, 5);

	for (size_t i = 0; i < count; i++) {
		out[i].dot = (struct dot){ random_replica(prng), 1 + prng_below(prng, SEQ_MAX) };
		out[i].n = (uint32_t)prng_below(prng, CHANGESET_OPS_MAX + 1);
	}
	return count;
}

static void random_op(struct prng *prng, struct op *op, struct target targets[8])
{
	static const enum verb verbs[] = { VERB_SET, VERB_REPLACE, VERB_ADD, VERB_REMOVE };

	*op = (struct op){ .record = random_record(prng),
			   .kind = (uint16_t)prng_below(prng, 3),
			   .field = (uint8_t)(1 + prng_below(prng, FIELD_NUMBER_MAX)),
			   .verb = (uint8_t)verbs[prng_below(prng, 4)] };
	if (prng_chance(prng, 15)) {
		op->field = 0;
		op->verb = prng_chance(prng, 50) ? VERB_VOID : VERB_REVIVE;
	}
	if (op->verb != VERB_SET && op->verb != VERB_ADD)
		op->target_count = random_targets(prng, targets);
	op->targets = targets;
	if (op->verb == VERB_VOID)
		op->observed_count = random_targets(prng, targets + 4);
	op->observed = targets + 4;
	if (op->verb <= VERB_ADD)
		op->value = random_value(prng);
}

static int compare_ops(const void *a, const void *b)
{
	return op_cmp(a, b);
}

/* Sorted, one write a place, additions numbered. */
static void settle(struct made *m)
{
	size_t kept = 0;
	uint32_t adds = 0;

	qsort(m->ops, m->cs.op_count, sizeof(m->ops[0]), compare_ops);
	for (size_t i = 0; i < m->cs.op_count; i++) {
		struct op *last = kept ? &m->ops[kept - 1] : NULL;
		bool same_field = last && last->kind == m->ops[i].kind &&
				  last->field == m->ops[i].field && last->field != 0 &&
				  record_id_cmp(&last->record, &m->ops[i].record) == 0;

		if (last && op_cmp(last, &m->ops[i]) == 0)
			continue;
		if (same_field &&
		    !(verb_is_on_elements(last->verb) && verb_is_on_elements(m->ops[i].verb)))
			continue;
		m->ops[kept++] = m->ops[i];
	}
	m->cs.op_count = kept;
	for (size_t i = 0; i < kept; i++)
		m->ops[i].n = m->ops[i].verb == VERB_ADD ? adds++ : 0;
}

static void make_random(struct made *m, struct prng *prng)
{
	memset(m, 0, sizeof(*m));
	m->cs.hlc.bits = prng_next(prng) >> prng_below(prng, 64);
	if (prng_chance(prng, 50))
		m->cs.author = random_record(prng);
	for (uint8_t i = 0; i <= FOREIGN; i++)
		if (i != 5 && prng_chance(prng, 40))
			m->deps[m->cs.dep_count++] =
				(struct dot){ replica_all(i), 1 + prng_below(prng, SEQ_MAX) };
	m->cs.deps = m->deps;
	m->cs.op_count = prng_below(prng, OPS_MAX + 1);
	for (size_t i = 0; i < m->cs.op_count; i++)
		random_op(prng, &m->ops[i], m->targets[i]);
	m->cs.ops = m->ops;
	settle(m);
}

static void assert_same_targets(const struct target *a, size_t a_count, const struct target *b,
				size_t b_count)
{
	assert_int_equal(a_count, b_count);
	for (size_t i = 0; i < a_count; i++) {
		assert_int_equal(dot_cmp(&a[i].dot, &b[i].dot), 0);
		assert_int_equal(a[i].n, b[i].n);
	}
}

static void assert_same(const struct changeset *a, const struct changeset *b)
{
	assert_int_equal(a->hlc.bits, b->hlc.bits);
	assert_int_equal(record_id_cmp(&a->author, &b->author), 0);
	assert_int_equal(a->dep_count, b->dep_count);
	for (size_t i = 0; i < a->dep_count; i++)
		assert_int_equal(dot_cmp(&a->deps[i], &b->deps[i]), 0);
	assert_int_equal(a->op_count, b->op_count);
	for (size_t i = 0; i < a->op_count; i++) {
		const struct op *x = &a->ops[i], *y = &b->ops[i];

		assert_int_equal(op_cmp(x, y), 0);
		assert_int_equal(x->n, y->n);
		assert_true(value_equal(&x->value, &y->value));
		assert_same_targets(x->targets, x->target_count, y->targets, y->target_count);
		assert_same_targets(x->observed, x->observed_count, y->observed, y->observed_count);
	}
}

static void random_changesets_come_back_in_their_one_form(void **state)
{
	struct made *m = malloc(sizeof(*m));
	struct replica_id self = replica_all(5);
	struct arena arena = ARENA_EMPTY;
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 2000; round++) {
		struct buf body = BUF_EMPTY, again = BUF_EMPTY;
		struct changeset back;
		struct errmsg why;
		struct hlc_stamp hlc;

		arena_reset(&arena);
		make_random(m, &prng);
		assert_int_equal(changeset_encode(&body, &m->cs, &self, &arena, &why), OK);
		if (decode(buf_bytes(&body), &back, &arena, &why) != OK)
			fail_msg("%s", why.text);
		assert_same(&m->cs, &back);
		assert_int_equal(changeset_encode(&again, &back, &self, &arena, &why), OK);
		assert_true(bytes_equal(buf_bytes(&body), buf_bytes(&again)));
		assert_int_equal(changeset_peek_hlc(buf_bytes(&body), &hlc), OK);
		assert_int_equal(hlc.bits, m->cs.hlc.bits);
		buf_release(&body);
		buf_release(&again);
	}
	arena_release(&arena);
	free(m);
}

/* Shorter than ops mostly are, which is what the decoder makes room for. */
static void as_many_ops_as_may_be_come_back_however_short(void **state)
{
	struct op *ops = calloc(CHANGESET_OPS_MAX, sizeof(*ops));
	struct changeset cs = { .ops = ops, .op_count = CHANGESET_OPS_MAX }, back;
	struct replica_id self = replica_all(5);
	struct arena arena = ARENA_EMPTY;
	struct buf body = BUF_EMPTY;
	struct errmsg why = { 0 };

	for (uint32_t i = 0; i < CHANGESET_OPS_MAX; i++)
		ops[i] = (struct op){ .record = record_all(1),
				      .kind = 15,
				      .field = 2,
				      .verb = VERB_ADD,
				      .n = i,
				      .value = value_int(i % 64) };
	assert_int_equal(changeset_encode(&body, &cs, &self, &arena, &why), OK);
	if (decode(buf_bytes(&body), &back, &arena, &why) != OK)
		fail_msg("%s", why.text);
	assert_same(&cs, &back);
	buf_release(&body);
	arena_release(&arena);
	free(ops);
}

static void every_cut_is_refused(void **state)
{
	struct made *m = malloc(sizeof(*m));
	struct replica_id self = replica_all(5);
	struct arena arena = ARENA_EMPTY;
	struct buf body = BUF_EMPTY;
	struct changeset back;
	struct prng prng;

	prng_init(&prng, 7);
	make_random(m, &prng);
	assert_int_equal(changeset_encode(&body, &m->cs, &self, &arena, NULL), OK);
	for (size_t size = 0; size < body.size; size++)
		assert_int_not_equal(decode(bytes_of(body.data, size), &back, &arena, NULL), OK);
	arena_release(&arena);
	buf_release(&body);
	free(m);
}

/* Limits. */

static enum err encode(const struct changeset *cs, struct errmsg *why)
{
	struct replica_id self = replica_all(5);
	struct arena arena = ARENA_EMPTY;
	struct buf out = BUF_EMPTY;
	enum err rc;

	buf_append_str(&out, "before");
	rc = changeset_encode(&out, cs, &self, &arena, why);
	if (rc != OK)
		assert_int_equal(out.size, 6);
	buf_release(&out);
	arena_release(&arena);
	return rc;
}

static void what_is_over_a_limit_is_refused_by_its_name(void **state)
{
	size_t count = CHANGESET_OPS_MAX + 1;
	struct op *ops = calloc(count, sizeof(*ops));
	struct target *targets = calloc(CHANGESET_REPLICAS_MAX + 1, sizeof(*targets));
	struct dot *deps = calloc(CHANGESET_DEPS_MAX + 1, sizeof(*deps));
	struct changeset cs = { .ops = ops, .op_count = count };
	struct record_id id = record_all(1);
	struct errmsg why = { 0 };
	char *text = calloc(1, CHANGESET_BYTES_MAX);

	for (size_t i = 0; i < count; i++) {
		id = record_id_next(&id);
		ops[i] = (struct op){ .record = id, .kind = 15, .field = 2, .verb = VERB_SET };
	}
	assert_int_equal(encode(&cs, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "10001 ops"));
	cs.op_count--;
	assert_int_equal(encode(&cs, &why), OK);

	for (size_t i = 0; i <= CHANGESET_DEPS_MAX; i++) {
		deps[i] = (struct dot){ replica_all(9), 1 };
		memcpy(deps[i].replica.bytes, &i, sizeof(i));
	}
	cs = (struct changeset){ .deps = deps, .dep_count = CHANGESET_DEPS_MAX + 1 };
	assert_int_equal(encode(&cs, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "dependencies"));

	for (size_t i = 0; i <= OP_REPLACED_MAX; i++)
		targets[i].dot = deps[i];
	ops[0].verb = VERB_REPLACE;
	ops[0].targets = targets;
	ops[0].target_count = OP_REPLACED_MAX + 1;
	cs = (struct changeset){ .ops = ops, .op_count = 1 };
	assert_int_equal(encode(&cs, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "targets"));
	ops[0].target_count--;
	assert_int_equal(encode(&cs, &why), OK);
	ops[0].verb = VERB_VOID;
	ops[0].field = 0;
	ops[0].observed = targets;
	ops[0].observed_count = OP_REPLACED_MAX + 1;
	assert_int_equal(encode(&cs, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "observed"));

	ops[0] = (struct op){ .record = id, .kind = 15, .field = 2 };
	ops[0].value = value_text(bytes_of(text, CHANGESET_BYTES_MAX));
	assert_int_equal(encode(&cs, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "bytes"));

	free(text);
	free(deps);
	free(targets);
	free(ops);
}

static void body_over_its_limit_is_not_even_looked_at(void **state)
{
	uint8_t *body = calloc(1, CHANGESET_BYTES_MAX + 1);
	struct arena arena = ARENA_EMPTY;
	struct changeset cs;
	struct errmsg why;

	assert_int_equal(decode(bytes_of(body, CHANGESET_BYTES_MAX + 1), &cs, &arena, &why),
			 ERR_LIMIT);
	assert_int_equal(arena.total, 0);
	arena_release(&arena);
	free(body);
}

/* Links and signatures. */

struct link_input {
	struct space_id space;
	struct replica_id replica;
	struct feed_head head;
	uint8_t body[20];
};

static void link_of(const struct link_input *in, uint8_t out[LINK_BYTES])
{
	changeset_link(out, &in->space, &in->replica, &in->head,
		       bytes_of(in->body, sizeof(in->body)));
}

static void link_depends_on_every_bit(void **state)
{
	struct link_input in, flipped;
	uint8_t link[LINK_BYTES], other[LINK_BYTES];
	const struct {
		void *at;
		size_t size;
		bool covered;
	} parts[] = {
		{ &flipped.space, sizeof(in.space), true },
		{ &flipped.replica, sizeof(in.replica), true },
		{ &flipped.head.seq, 5, true },
		{ &flipped.head.hlc, sizeof(in.head.hlc), false }, /* part of a body */
		{ flipped.head.link, LINK_BYTES, true },
		{ flipped.head.signature, SIGNATURE_BYTES, true },
		{ flipped.body, sizeof(in.body), true },
	};
	struct prng prng;

	prng_init(&prng, 1);
	prng_fill(&prng, &in, sizeof(in));
	link_of(&in, link);
	for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
		for (size_t bit = 0; bit < 8 * parts[p].size; bit++) {
			memcpy(&flipped, &in, sizeof(in));
			((uint8_t *)parts[p].at)[bit / 8] ^= (uint8_t)(1 << bit % 8);
			link_of(&flipped, other);
			assert_int_equal(memcmp(link, other, LINK_BYTES) != 0, parts[p].covered);
		}
	}
	changeset_link(other, &in.space, &in.replica, &in.head, bytes_of(in.body, 19));
	assert_memory_not_equal(link, other, LINK_BYTES);
}

static void signature_holds_for_its_link_and_key_only(void **state)
{
	uint8_t pk[SIGN_PUBLIC_BYTES], sk[SIGN_SECRET_BYTES], seed[crypto_sign_SEEDBYTES] = { 3 };
	uint8_t link[LINK_BYTES] = { 1 }, signature[SIGNATURE_BYTES];

	crypto_sign_seed_keypair(pk, sk, seed);
	changeset_sign(signature, link, sk);
	assert_true(changeset_is_signed_by(signature, link, pk));
	for (size_t bit = 0; bit < 8 * LINK_BYTES; bit++) {
		link[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(changeset_is_signed_by(signature, link, pk));
		link[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * SIGNATURE_BYTES; bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(changeset_is_signed_by(signature, link, pk));
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	seed[0] = 4;
	crypto_sign_seed_keypair(pk, sk, seed);
	assert_false(changeset_is_signed_by(signature, link, pk));
}

/* ---- docs/PROTOCOL.md --------------------------------------------------------- */

/* A replica's first changeset, of one op on the text of one block. */
static void make_example(struct buf *out, uint8_t replica, uint64_t wall_ms, struct op op)
{
	struct replica_id self = replica_all(replica);
	struct changeset cs = { .hlc = { wall_ms << 16 }, .ops = &op, .op_count = 1 };
	struct arena arena = ARENA_EMPTY;

	op.record = record_all(0xb0);
	op.kind = KIND_BLOCK;
	op.field = BLOCK_TEXT;
	assert_int_equal(changeset_encode(out, &cs, &self, &arena, NULL), OK);
	arena_release(&arena);
}

/* The only op of an example, decoded. */
static struct op read_example(const struct buf *block, const char *label, uint8_t replica,
			      struct arena *arena)
{
	struct buf body = document_field(block, label);
	struct replica_id self = replica_all(replica);
	struct bytes kept = arena_copy(arena, buf_bytes(&body));
	struct changeset cs;

	assert_int_equal(changeset_decode(&cs, kept, &self, arena, NULL), OK);
	assert_int_equal(changeset_validate(&cs, false, VALIDITY_RECEIVED, NULL), OK);
	assert_int_equal(cs.op_count, 1);
	buf_release(&body);
	return cs.ops[0];
}

static void examples_of_the_document_are_what_is_written(void **state)
{
	static const struct text_run runs[] = { { 0, 2, TEXT_DELETE },
						{ 0, 3, TEXT_INSERT },
						{ 5, 2, TEXT_BACKSPACE } };
	struct text_edit e = { 5, runs, 3, bytes_of_str("周例会") };
	struct target first = { { replica_all(0xa1), 1 }, 0 };
	struct buf block = document_block("changesets"), made = BUF_EMPTY, edit = BUF_EMPTY;

	make_example(&made, 0xa1, UINT64_C(1800000000000),
		     (struct op){ .verb = VERB_SET, .value = value_str("会议纪要。") });
	document_assert(&block, "set", &made);
	text_edit_encode(&edit, &e);
	make_example(&made, 0xb2, UINT64_C(1800000060000),
		     (struct op){ .verb = VERB_SPLICE,
				  .targets = &first,
				  .target_count = 1,
				  .edit = buf_bytes(&edit),
				  .value = value_text(e.text) });
	document_assert(&block, "splice", &made);
	buf_release(&block);
	buf_release(&made);
	buf_release(&edit);
}

static void examples_of_the_document_make_the_text_that_it_says(void **state)
{
	struct buf block = document_block("changesets"), now = BUF_EMPTY;
	struct arena arena = ARENA_EMPTY;
	struct op set = read_example(&block, "set", 0xa1, &arena);
	struct op splice = read_example(&block, "splice", 0xb2, &arena);
	struct text_run whole = { 0, 5, TEXT_INSERT };
	struct text_edit first = { 0, &whole, 1, set.value.bytes }, e = { .length = 0 };
	struct dot dots[] = { { replica_all(0xa1), 1 }, { replica_all(0xb2), 1 } };
	struct text t = TEXT_EMPTY;

	e.text = splice.value.bytes;
	assert_int_equal(text_edit_decode(&e, splice.edit, &arena, NULL), OK);
	assert_int_equal(text_take(&t, &dots[0], &first, NULL, 0), OK);
	assert_int_equal(text_take(&t, &dots[1], &e, &splice.targets[0].dot, 1), OK);
	assert_int_equal(text_merge(&t, NULL), OK);
	rope_read(&t.rope, 0, rope_size(&t.rope, ROPE_POINTS), &now);
	document_assert(&block, "text", &now);
	text_release(&t);
	arena_release(&arena);
	buf_release(&block);
	buf_release(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_violation_is_refused),
		cmocka_unit_test(values_have_their_types),
		cmocka_unit_test(random_changesets_come_back_in_their_one_form),
		cmocka_unit_test(as_many_ops_as_may_be_come_back_however_short),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(what_is_over_a_limit_is_refused_by_its_name),
		cmocka_unit_test(body_over_its_limit_is_not_even_looked_at),
		cmocka_unit_test(link_depends_on_every_bit),
		cmocka_unit_test(signature_holds_for_its_link_and_key_only),
		cmocka_unit_test(examples_of_the_document_are_what_is_written),
		cmocka_unit_test(examples_of_the_document_make_the_text_that_it_says),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
