/* A member that writes whatever it likes into its feed: bodies by hand, with a
 * correct chain and a valid signature. */
#ifndef HT_TESTS_SUPPORT_FORGE_H
#define HT_TESTS_SUPPORT_FORGE_H

#include "tests/support/office.h"

struct forge {
	struct node_identity identity;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	struct space_id space;
	struct feed_head head;
	struct arena arena; /* what was sealed lives here */
};

/* A node of its own office, admitted to the organisation of `host` (which
 * thereby knows it), about to write into `space`. */
void forge_open(struct forge *f, struct office *host, const struct space_id *space,
		const char *code, uint64_t seed);
void forge_close(struct forge *f);

/* The next changeset of the feed, with these bytes. */
struct sealed forge_seal(struct forge *f, struct bytes body);

/* The next changeset with these ops, in canonical order, at this wall time. */
struct sealed forge_ops(struct forge *f, uint64_t wall_ms, const struct dot *deps, size_t dep_count,
			struct op *ops, size_t op_count);

#endif
