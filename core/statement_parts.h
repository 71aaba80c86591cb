/* A statement about more feeds than one can name (CUTS_MAX): it names the first of them, and
 * would end the others with nothing; ADOPTs that have seen it let those count up to where
 * they were to end (M-15). Pure. */
#ifndef HT_CORE_STATEMENT_PARTS_H
#define HT_CORE_STATEMENT_PARTS_H

#include "core/statement.h"

struct statement_parts {
	struct statement *list; /* the statement itself, then the ADOPTs */
	size_t count;
	struct cut *cuts; /* those that are not the statement's */
};

/* `s` is REVOKE, EPOCH, GRANT or ADOPT, and stays as it is. ERR_NOMEM. */
MUST_CHECK enum err statement_parts_of(struct statement_parts *out, const struct statement *s);
void statement_parts_release(struct statement_parts *p);

#endif
