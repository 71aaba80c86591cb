/* core/trust: the result as it is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/core/crowd.h"

/* ---- As bytes -------------------------------------------------------------- */

/* One of another version shows the fuzzer nothing. */
static void what_the_fuzzer_begins_with_decodes(void **state)
{
	static const char *const names[] = { "founded", "small", "roles", "cuts" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		uint8_t bytes[4096];
		struct errmsg msg = { 0 };
		struct trust *t;
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/trust/%s", HUITONG_SOURCE_DIR,
			 names[i]);
		file = fopen(path, "rb");
		assert_non_null(file);
		size = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		assert_int_equal(trust_decode(&t, bytes_of(bytes, size), &msg), OK);
		trust_free(t);
	}
}

/* What a program looks up, and does not expect to miss. */
static void a_result_that_names_what_it_has_not_got_is_refused(void **state)
{
	struct errmsg msg = { 0 };
	struct trust *t = NULL;
	struct buf bytes;
	struct org o;

	org_init(&o, 1);
	fold(&o);
	o.t->heads[0].bytes[0] ^= 1;
	bytes = encoded(o.t);
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);
	o.t->heads[0].bytes[0] ^= 1;
	for (size_t i = 0; i < o.t->node_count; i++) {
		struct replica_id current = o.t->nodes[i].current;

		o.t->nodes[i].current = o.t->nodes[(i + 1) % o.t->node_count].current;
		bytes = encoded(o.t);
		assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
		buf_release(&bytes);
		o.t->nodes[i].current = current;
	}
	org_release(&o);
}

static void what_was_encoded_decodes_to_the_same(void **state)
{
	for (unsigned i = 0; i < WORLDS / 4; i++) {
		struct errmsg msg = { 0 };
		struct trust *again;
		struct buf bytes;
		struct crowd c;
		struct org o;

		org_init(&o, 1);
		crowd_says(&c, &o, i, WORLD_STATEMENTS, 30, true);
		fold(&o);
		bytes = encoded(o.t);
		assert_int_equal(trust_decode(&again, buf_bytes(&bytes), &msg), OK);
		assert_same(o.t, again);
		for (unsigned a = 0; a < c.actor_count; a++)
			for (unsigned s = 0; s < c.space_count; s++) {
				const struct replica_id *r = &c.actors[a].identity.replica;
				struct trust_cut x = trust_cut(o.t, r, &c.spaces[s]);
				struct trust_cut y = trust_cut(again, r, &c.spaces[s]);

				assert_int_equal(x.seq, y.seq);
				assert_int_equal(x.cause, y.cause);
			}
		trust_free(again);
		buf_release(&bytes);
		org_release(&o);
	}
}

static void damaged_bytes_are_refused_or_mean_something(void **state)
{
	struct errmsg msg = { 0 };
	struct trust *t = NULL;
	struct buf bytes;
	struct crowd c;
	struct org o;

	org_init(&o, 1);
	crowd_says(&c, &o, 1, WORLD_STATEMENTS, 30, true);
	fold(&o);
	bytes = encoded(o.t);
	for (size_t size = 0; size < bytes.size; size++)
		assert_int_not_equal(trust_decode(&t, bytes_of(bytes.data, size), &msg), OK);
	assert_null(t);
	for (size_t i = 0; i < bytes.size; i++) {
		bytes.data[i] ^= 0xff;
		if (trust_decode(&t, buf_bytes(&bytes), &msg) == OK) {
			struct buf again = encoded(t);

			assert_true(bytes_equal(buf_bytes(&bytes), buf_bytes(&again)));
			buf_release(&again);
			trust_free(t);
			t = NULL;
		}
		bytes.data[i] ^= 0xff;
	}
	bytes.data[1] ^= 2; /* the version, after the array's head */
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_VERSION);
	bytes.data[1] ^= 2;
	memcpy(bytes.data + bytes.size - STATEMENT_ID_BYTES, /* the last id, twice */
	       bytes.data + bytes.size - 2 * STATEMENT_ID_BYTES - 2, STATEMENT_ID_BYTES);
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);

	bytes = encoded(o.t);
	for (size_t i = 0; i + 4 < bytes.size; i++)
		if (memcmp(bytes.data + i,
			   "\xa3"
			   "AAA",
			   4) == 0)
			bytes.data[i + 3] = '\0';
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);
	org_release(&o);
}

/* A node that nothing is known of: found by seed 12549168466660769625 of test_salvage. */
static void node_without_its_epoch_is_refused(void **state)
{
	struct errmsg msg = { 0 };
	struct trust *t;
	struct buf bytes;
	struct org o;

	org_init(&o, 1);
	fold(&o);
	bytes = encoded(o.t);
	for (size_t i = 0; i + ID_BYTES <= bytes.size; i++)
		if (memcmp(bytes.data + i, o.t->nodes[0].current.bytes, ID_BYTES) == 0)
			bytes.data[i] ^= 1;
	assert_int_equal(trust_decode(&t, buf_bytes(&bytes), &msg), ERR_FORMAT);
	buf_release(&bytes);
	org_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_fuzzer_begins_with_decodes),
		cmocka_unit_test(a_result_that_names_what_it_has_not_got_is_refused),
		cmocka_unit_test(what_was_encoded_decodes_to_the_same),
		cmocka_unit_test(damaged_bytes_are_refused_or_mean_something),
		cmocka_unit_test(node_without_its_epoch_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
