/* What init and join have in common: a folder with a key and a replica that belongs to
 * no organisation yet, and the person who begins. */
#ifndef HT_NODE_NEWCOMER_H
#define HT_NODE_NEWCOMER_H

#include <jansson.h>

#include "node/args.h"
#include "node/context.h"
#include "sync/ticket.h"

enum { PERSON_NAME_SIZE = 256 };

/* Make it, or take what a try that failed has left: also of one with this very ticket (NULL:
 * it shall found) that was killed when it was a member already. A replica that was removed
 * from the ticket's organisation, or that is a copy of a node which goes on elsewhere, begins
 * anew with other keys: the old ones are kept beside them. *lock_fd is held against a daemon
 * until closed. ERR_EXISTS, ERR_ORG. */
MUST_CHECK enum err newcomer_prepare(struct context *ctx, const struct ticket *ticket, int *lock_fd,
				     struct errmsg *msg);

/* It is done: the ticket's use is over. */
MUST_CHECK enum err newcomer_forget_ticket(struct context *ctx, struct errmsg *msg);

/* --address goes to other offices: better wrong here than unreachable there. */
MUST_CHECK enum err newcomer_check_address(const struct args *args, struct errmsg *msg);

/* --person, else the real name of the user who types, else their login, else NULL. */
const char *newcomer_person(const struct args *args, char out[PERSON_NAME_SIZE]);

/* The author from now on: the person of this name in that office; NULL: in any. Nobody, if
 * there is none or `name` is NULL. */
MUST_CHECK enum err newcomer_remember_person(struct context *ctx, const char *name,
					     const struct record_id *office, struct errmsg *msg);

/* "folder", "office", "replica", "organisation", "complete". */
json_t *newcomer_json(struct context *ctx, const char *office_code, bool is_complete);
void newcomer_print(struct context *ctx, const char *office_code);

#endif
