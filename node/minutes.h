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

#endif
