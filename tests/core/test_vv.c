/* core/vv, core/intern: against arrays that are searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/intern.h"
#include "core/vv.h"
#include "tests/support/prng.h"

enum { REPLICAS = 40 };

static struct replica_id replica_of(uint64_t i)
{
	struct replica_id id = { { (uint8_t)(i * 97), (uint8_t)i } };

	return id;
}

static void assert_sorted(const struct vv *vv)
{
	for (size_t i = 1; i < vv->count; i++)
		assert_true(replica_id_cmp(&vv->entries[i - 1].replica, &vv->entries[i].replica) <
			    0);
	for (size_t i = 0; i < vv->count; i++)
		assert_true(vv->entries[i].seq > 0);
}

static void random_vector(struct prng *prng, struct vv *vv, uint64_t seqs[REPLICAS])
{
	uint64_t raises = prng_below(prng, 60);

	memset(seqs, 0, REPLICAS * sizeof(*seqs));
	for (uint64_t i = 0; i < raises; i++) {
		uint64_t which = prng_below(prng, REPLICAS), seq = prng_below(prng, 5);
		struct replica_id id = replica_of(which);

		assert_int_equal(vv_raise(vv, &id, seq), OK);
		if (seqs[which] < seq)
			seqs[which] = seq;
	}
	assert_sorted(vv);
}

static void assert_holds(const struct vv *vv, const uint64_t seqs[REPLICAS])
{
	for (uint64_t i = 0; i < REPLICAS; i++) {
		struct dot dot = { replica_of(i), seqs[i] };

		assert_int_equal(vv_get(vv, &dot.replica), seqs[i]);
		assert_true(vv_covers(vv, &dot));
		dot.seq++;
		assert_false(vv_covers(vv, &dot));
	}
}

static void vectors_are_maps_of_maxima(void **state)
{
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 300; round++) {
		struct vv a = VV_EMPTY, b = VV_EMPTY, copy = VV_EMPTY;
		uint64_t in_a[REPLICAS], in_b[REPLICAS];
		bool a_has_all = true;

		random_vector(&prng, &a, in_a);
		random_vector(&prng, &b, in_b);
		assert_holds(&a, in_a);
		for (int i = 0; i < REPLICAS; i++)
			a_has_all &= in_a[i] >= in_b[i];
		assert_int_equal(vv_dominates(&a, &b), a_has_all);

		assert_int_equal(vv_copy(&copy, &a), OK);
		assert_int_equal(vv_merge(&copy, &b), OK);
		assert_true(vv_dominates(&copy, &a) && vv_dominates(&copy, &b));
		for (int i = 0; i < REPLICAS; i++)
			in_a[i] = in_a[i] > in_b[i] ? in_a[i] : in_b[i];
		assert_holds(&copy, in_a);
		assert_sorted(&copy);
		vv_release(&a);
		vv_release(&b);
		vv_release(&copy);
	}
}

static void empty_vectors(void **state)
{
	struct vv a = VV_EMPTY, b = VV_EMPTY;
	struct replica_id id = replica_of(3);

	assert_true(vv_dominates(&a, &b));
	assert_int_equal(vv_get(&a, &id), 0);
	assert_int_equal(vv_copy(&b, &a), OK);
	assert_int_equal(vv_raise(&a, &id, 0), OK);
	assert_int_equal(a.count, 0);
	assert_int_equal(vv_raise(&a, &id, 7), OK);
	vv_clear(&a);
	assert_int_equal(vv_get(&a, &id), 0);
	vv_release(&a);
	vv_release(&b);
}

static void interned_ids_keep_their_numbers(void **state)
{
	struct intern in = { 0 };
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (uint64_t i = 0; i < REPLICAS; i++) {
		struct replica_id id = replica_of(i);

		assert_int_equal(intern_find(&in, &id), UINT32_MAX);
		assert_int_equal(intern_add(&in, &id), OK);
		for (int k = 0; k < 20; k++) {
			uint64_t which = prng_below(&prng, REPLICAS);

			id = replica_of(which);
			assert_int_equal(intern_find(&in, &id), which <= i ? which : UINT32_MAX);
		}
	}
	intern_release(&in);
	assert_int_equal(intern_find(&in, &(struct replica_id){ { 0 } }), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_maps_of_maxima),
		cmocka_unit_test(empty_vectors),
		cmocka_unit_test(interned_ids_keep_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
