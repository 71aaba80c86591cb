/* The minutes of a meeting: one record, found from either. */
#ifndef HT_NODE_MINUTES_H
#define HT_NODE_MINUTES_H

#include "node/context.h"

struct minutes {
	struct record_id meeting;
	struct record_id id;
	struct space_id space;
	bool exists; /* somebody wrote into them */
};

/* By the meeting's number or title, or by the number of the minutes. */
MUST_CHECK enum err minutes_find(struct minutes *out, struct context *ctx, const char *text,
				 struct errmsg *msg);

/* ERR_INVALID once they are final: what comes after that is not theirs any more. OK for those that
 * nobody has begun. */
MUST_CHECK enum err minutes_check_open(struct context *ctx, const struct record_id *minutes,
				       struct errmsg *msg);

#endif
