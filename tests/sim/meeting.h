/* Two nodes meet without engines, where people may be removed and feeds may fork:
 * what sessions come to, call by call. Each call changes one of them, which is
 * audited before the other one can hear of it. */
#ifndef HT_TESTS_SIM_MEETING_H
#define HT_TESTS_SIM_MEETING_H

#include "tests/sim/world.h"

/* Both run, and the link between them is whole. */
bool meeting_can_be(const struct node *a, const struct node *b);

/* Statements both ways; then, as long as both know both for members, forks are
 * settled, and changesets go both ways in pieces, of spaces that both may read. */
void meeting_hold(struct node *a, struct node *b);

#endif
