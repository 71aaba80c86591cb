#include "tests/support/same_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void assert_same_record(const struct record *a, const struct record *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->void_count, b->void_count);
	assert_int_equal(a->reread, b->reread);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(a->entries[i].field, b->entries[i].field);
		assert_int_equal(stamp_cmp(&a->entries[i].stamp, &b->entries[i].stamp), 0);
		assert_true(value_equal(&a->entries[i].value, &b->entries[i].value));
	}
	for (size_t i = 0; i < a->void_count; i++) {
		assert_int_equal(stamp_cmp(&a->voids[i].stamp, &b->voids[i].stamp), 0);
		assert_int_equal(a->voids[i].observed_count, b->voids[i].observed_count);
		for (size_t k = 0; k < a->voids[i].observed_count; k++)
			assert_int_equal(
				dot_cmp(&a->voids[i].observed[k], &b->voids[i].observed[k]), 0);
	}
}
