/* Two offices meet as a session lets them, without the network: statements first, then they
 * look for forks by tips, tags and witnesses, heal or prove what they find, and exchange
 * what the other lacks. */
#ifndef HT_TESTS_SUPPORT_MEETING_H
#define HT_TESTS_SUPPORT_MEETING_H

#include "tests/support/office.h"

/* Ends the program if anything fails that may not; who is no member in good standing gets and
 * gives statements only. */
void office_meet(struct office *a, struct office *b);

#endif
