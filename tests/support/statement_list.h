/* All statements that a replica holds, each after its parents, to be given to another. */
#ifndef HT_TESTS_SUPPORT_STATEMENT_LIST_H
#define HT_TESTS_SUPPORT_STATEMENT_LIST_H

#include "core/replica.h"

struct statement_list {
	struct bytes *list; /* encoded */
	struct statement_id *ids;
	size_t count;
	struct arena arena; /* what the list points to */
};

/* None, before there is an organisation. ERR_NOMEM and the store's. */
MUST_CHECK enum err statement_list_read(struct statement_list *out, struct replica *r,
					struct errmsg *msg);
void statement_list_release(struct statement_list *l);

#endif
