/* A node is no longer a member, from one moment to the next. */
#ifndef HT_TESTS_SYNC_REVOKE_H
#define HT_TESTS_SYNC_REVOKE_H

#include "tests/support/office.h"

/* Said by `o`, of whoever has this noise key; nothing that it wrote counts any more. */
static inline void revoke(struct office *o, const uint8_t noise_key[NOISE_KEY_BYTES])
{
	struct statement s = { .type = STATEMENT_REVOKE };

	s.u.revoke.node = replica_member_by_noise_key(o->replica, noise_key)->node;
	OFFICE_MUST(replica_state(o->replica, &s, NULL, 0, o->now_ms++, &msg));
}

#endif
