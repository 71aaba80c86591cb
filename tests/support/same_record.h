/* Two records are the same: their values and voids, of which writes. For cmocka tests. */
#ifndef HT_TESTS_SUPPORT_SAME_RECORD_H
#define HT_TESTS_SUPPORT_SAME_RECORD_H

#include "core/record.h"

void assert_same_record(const struct record *a, const struct record *b);

#endif
