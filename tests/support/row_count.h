/* How many rows of SQL an office's replica reads: what something costs, whatever the machine. */
#ifndef HT_TESTS_SUPPORT_ROW_COUNT_H
#define HT_TESTS_SUPPORT_ROW_COUNT_H

#include "tests/support/office.h"

/* Open the office's file again; from now on the rows of queries with `part` in their words are
 * counted, of this connection. */
void row_count_reopen(struct office *o, const char *part);

/* How many since then. */
unsigned row_count(void);

#endif
