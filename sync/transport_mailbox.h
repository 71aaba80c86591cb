/* The mailbox: where nng's threads leave word for the loop's, and the only lock.
 *
 * A mail is part of what it tells about (an operation of a connection), so
 * posting neither allocates nor fails, and the mailbox is as bounded as the
 * operations are: each is in it at most once. */
#ifndef HT_SYNC_TRANSPORT_MAILBOX_H
#define HT_SYNC_TRANSPORT_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "core/err.h"

struct mail {
	struct mail *next;
	void (*open)(void *owner); /* called by the loop */
	void *owner;
};

struct mailbox {
	pthread_mutex_t lock;
	struct mail *first; /* under the lock */
	struct mail **end;  /* under the lock */
	struct mail *taken; /* the loop's, oldest first */
	int fd;             /* readable when `first` is not empty */
};

MUST_CHECK enum err mailbox_init(struct mailbox *m, struct errmsg *msg);
/* Nobody posts any more; what is left is forgotten. */
void mailbox_release(struct mailbox *m);

/* From any thread. The mail stays the mailbox's until mailbox_take() gives it
 * out; only then may it be posted again. */
void mailbox_post(struct mailbox *m, struct mail *mail);

/* The oldest mail, or NULL. Only from the loop's thread. */
struct mail *mailbox_take(struct mailbox *m);

/* Whether mailbox_take() has some that poll() on `fd` does not announce. */
bool mailbox_has_taken(const struct mailbox *m);

#endif
