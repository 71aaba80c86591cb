/* Succession: which keys a node has now, shown to one who knows those of before but not what its
 * statements rest on. Each EPOCH with new keys is signed by the keys before it, so a chain of them
 * can be followed without its past; what it says together with all else only the fold tells. */
#ifndef HT_CORE_SUCCESSION_H
#define HT_CORE_SUCCESSION_H

#include "core/replica.h"

/* As far as it was followed; all zero before. */
struct succession {
	bool has_begun;
	struct record_id node;
	struct node_identity last; /* keys and replica id of the last EPOCH */
};

/* The next one: the first is signed by the current key of a member, each other one by that of the
 * one before. What comes before the first is passed over. ERR_FORMAT and what decoding says,
 * ERR_SIGNATURE, ERR_AUTHORITY (it is no EPOCH, or does not follow), ERR_NOMEM. */
MUST_CHECK enum err succession_follow(struct succession *x, const struct replica *r,
				      struct bytes statement);

/* These are the keys that it ends with. */
bool succession_leads_to(const struct succession *x, const uint8_t noise_key[NOISE_KEY_BYTES]);

/* The statement is one of these of the node. */
bool succession_has(const struct record_id *node, const struct statement *s);

#endif
