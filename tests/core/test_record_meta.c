/* core/record_meta: what a row keeps beside its columns comes back as it was,
 * and damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/record_meta.h"
#include "core/wire.h"
#include "tests/support/prng.h"
#include "tests/support/same_record.h"

enum { REPLICAS = 5 };

struct world {
	struct arena arena;
	struct intern replicas;
	struct prng prng;
	struct record rec;
	struct buf meta;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	prng_init(&w->prng, prng_seed_from_environment());
	for (int i = 0; i < REPLICAS; i++) {
		struct replica_id id;

		prng_fill(&w->prng, id.bytes, sizeof(id.bytes));
		assert_int_equal(intern_add(&w->replicas, &id), OK);
	}
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	arena_release(&w->arena);
	intern_release(&w->replicas);
	buf_release(&w->meta);
	free(w);
	return 0;
}

/* The columns of a row, as the store gives them: the shown values. */
static struct value shown_of(void *ctx, const struct field *field)
{
	const struct entry *entry = record_shown(ctx, field->number);

	return entry ? entry->value : value_nil();
}

static struct dot random_dot(struct world *w)
{
	return (struct dot){ w->replicas.ids[prng_below(&w->prng, REPLICAS)],
			     1 + prng_below(&w->prng, prng_chance(&w->prng, 20) ? SEQ_MAX : 30) };
}

/* Dots determine their stamps. */
static struct stamp stamp_of(struct dot dot)
{
	return (struct stamp){ { dot.seq * 0x10001 + dot.replica.bytes[0] }, dot };
}

static struct value random_value(struct world *w, uint8_t field)
{
	struct record_id ref;

	switch (field) {
	case ACTION_PRIORITY: return value_int((int64_t)prng_below(&w->prng, 3));
	case ACTION_STATE:
		return state_step((unsigned)prng_below(&w->prng, 5),
				  (unsigned)prng_below(&w->prng, 5));
	case ACTION_OWNER: prng_fill(&w->prng, &ref, sizeof(ref)); return value_ref(&ref);
	case ACTION_DELIVERABLE: return prng_chance(&w->prng, 30) ? value_nil() : value_str("");
	default: return value_str("some text");
	}
}

static void random_op(struct world *w)
{
	static const uint8_t fields[] = { ACTION_TITLE, ACTION_OWNER, ACTION_DELIVERABLE,
					  ACTION_PRIORITY, ACTION_STATE };
	struct stamp stamp = stamp_of(random_dot(w));
	uint8_t field = fields[prng_below(&w->prng, sizeof(fields))];
	struct op op = { .field = field, .verb = VERB_SET, .value = random_value(w, field) };
	struct value text = value_str("text");
	struct target observed[8];

	if (prng_chance(&w->prng, 15)) {
		op = (struct op){ .verb = VERB_VOID, .observed = observed };
		op.observed_count = prng_below(&w->prng, 8);
		for (size_t i = 0; i < op.observed_count; i++)
			observed[i] = (struct target){ random_dot(w), 0 };
	}
	assert_int_equal(record_apply(&w->rec, &stamp, &op), OK);
	if (field == ACTION_DELIVERABLE && op.verb == VERB_SET)
		record_set_text(&w->rec, field, &text, prng_chance(&w->prng, 30));
}

static void begin(struct world *w, struct record *rec)
{
	struct record_id id = { { 9 } };

	record_init(rec, schema_kind(KIND_ACTION), &id, &w->arena);
}

static enum err decode(struct world *w, struct bytes meta, struct record *out)
{
	begin(w, out);
	return record_meta_decode(out, meta, &w->replicas, shown_of, &w->rec);
}

static void assert_round_trip(struct world *w)
{
	struct record back;

	buf_clear(&w->meta);
	assert_int_equal(record_meta_encode(&w->meta, &w->rec, &w->replicas), OK);
	assert_int_equal(decode(w, buf_bytes(&w->meta), &back), OK);
	assert_same_record(&w->rec, &back);
}

static void random_records_come_back(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 500; round++) {
		size_t ops = prng_below(&w->prng, 12);

		arena_reset(&w->arena);
		begin(w, &w->rec);
		for (size_t i = 0; i < ops; i++)
			random_op(w);
		assert_round_trip(w);
	}
}

static void one_writer_costs_few_bytes(void **state)
{
	struct world *w = *state;
	struct stamp stamp = { { UINT64_C(1800000000000) << 16 }, { w->replicas.ids[1], 100 } };

	begin(w, &w->rec);
	for (uint8_t field = ACTION_NUMBER; field <= ACTION_TOPIC; field++) {
		struct op op = { .field = field, .verb = VERB_SET, .value = value_str("x") };

		assert_int_equal(record_apply(&w->rec, &stamp, &op), OK);
	}
	assert_round_trip(w);
	assert_in_range(w->meta.size, 1, 16);
}

static void record_of_elements_only_comes_back(void **state)
{
	struct world *w = *state;

	begin(w, &w->rec);
	assert_round_trip(w);
}

/* As many values and voids as a record may have. */
static void fullest_record_comes_back(void **state)
{
	struct world *w = *state;
	struct op op = { .field = ACTION_TITLE, .verb = VERB_SET, .value = value_str("x") };
	struct op voiding = { .verb = VERB_VOID };
	struct stamp stamp = { .dot.replica = w->replicas.ids[0] };

	begin(w, &w->rec);
	for (stamp.dot.seq = 1; stamp.dot.seq <= RECORD_ENTRIES_MAX; stamp.dot.seq++)
		assert_int_equal(record_apply(&w->rec, &stamp, &op), OK);
	for (; stamp.dot.seq <= RECORD_ENTRIES_MAX + 10; stamp.dot.seq++)
		assert_int_equal(record_apply(&w->rec, &stamp, &voiding), OK);
	assert_round_trip(w);
}

static void every_cut_is_refused(void **state)
{
	struct world *w = *state;
	struct record back;

	begin(w, &w->rec);
	for (int i = 0; i < 20; i++)
		random_op(w);
	assert_round_trip(w);
	for (size_t size = 0; size < w->meta.size; size++)
		assert_int_equal(decode(w, bytes_of(w->meta.data, size), &back), ERR_CORRUPT);
	buf_append_byte(&w->meta, 0);
	assert_int_equal(decode(w, buf_bytes(&w->meta), &back), ERR_CORRUPT);
}

static void put_one_stamp(struct buf *out, uint64_t replica)
{
	wire_put_array(out, 3);
	wire_put_uint(out, 1);
	wire_put_uint(out, replica);
	wire_put_uint(out, 1);
}

static void what_names_the_unknown_is_refused(void **state)
{
	struct world *w = *state;
	const uint64_t present[] = { 1u << (ACTION_CC - 1), UINT64_C(1) << 40 };
	struct record back;

	begin(w, &w->rec);
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&w->meta);
		wire_put_array(&w->meta, 2);
		put_one_stamp(&w->meta, 0);
		wire_put_uint(&w->meta, present[i]); /* a set, and no field at all */
		assert_int_equal(decode(w, buf_bytes(&w->meta), &back), ERR_CORRUPT);
	}
	for (uint64_t bits = 0; bits <= 1u << (ACTION_TITLE - 1);
	     bits += 1u << (ACTION_TITLE - 1)) {
		buf_clear(&w->meta);
		wire_put_array(&w->meta, 6);
		put_one_stamp(&w->meta, 0);
		wire_put_uint(&w->meta, 1u << (ACTION_TITLE - 1));
		wire_put_array(&w->meta, 1);
		wire_put_uint(&w->meta, 0);
		wire_put_array(&w->meta, 0);
		wire_put_array(&w->meta, 0);
		wire_put_uint(&w->meta, bits); /* none, and a title */
		assert_int_equal(decode(w, buf_bytes(&w->meta), &back), ERR_CORRUPT);
	}
	buf_clear(&w->meta);
	wire_put_array(&w->meta, 2);
	put_one_stamp(&w->meta, REPLICAS);
	wire_put_uint(&w->meta, 0);
	assert_int_equal(decode(w, buf_bytes(&w->meta), &back), ERR_CORRUPT);
}

static struct value no_such_state(void *ctx, const struct field *field)
{
	return value_int(200);
}

static struct value no_number(void *ctx, const struct field *field)
{
	return value_str("done");
}

static void state_out_of_its_machine_is_refused(void **state)
{
	struct world *w = *state;
	struct record back;

	wire_put_array(&w->meta, 2);
	put_one_stamp(&w->meta, 0);
	wire_put_uint(&w->meta, 1u << (ACTION_STATE - 1));
	begin(w, &back);
	assert_int_equal(
		record_meta_decode(&back, buf_bytes(&w->meta), &w->replicas, no_such_state, NULL),
		ERR_CORRUPT);
	begin(w, &back);
	assert_int_equal(
		record_meta_decode(&back, buf_bytes(&w->meta), &w->replicas, no_number, NULL),
		ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(random_records_come_back),
		TEST(one_writer_costs_few_bytes),
		TEST(record_of_elements_only_comes_back),
		TEST(fullest_record_comes_back),
		TEST(every_cut_is_refused),
		TEST(what_names_the_unknown_is_refused),
		TEST(state_out_of_its_machine_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
