#include "sync/transport_mailbox.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum err mailbox_init(struct mailbox *m, struct errmsg *msg)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return errmsg_set(msg, ERR_IO, "eventfd: %s", strerror(errno));
	*m = (struct mailbox){ .fd = fd };
	m->end = &m->first;
	pthread_mutex_init(&m->lock, NULL); /* cannot fail for a plain mutex on Linux */
	return OK;
}

void mailbox_release(struct mailbox *m)
{
	pthread_mutex_destroy(&m->lock);
	close(m->fd);
}

void mailbox_post(struct mailbox *m, struct mail *mail)
{
	const uint64_t one = 1;
	bool was_empty;
	ssize_t written;

	mail->next = NULL;
	pthread_mutex_lock(&m->lock);
	was_empty = !m->first;
	*m->end = mail;
	m->end = &mail->next;
	/* The bell rings once for all that comes until it is answered. Inside the lock,
	 * because the mailbox may be released once the last mail is out. */
	if (was_empty) {
		written = write(m->fd, &one, sizeof(one));
		assert(written == sizeof(one));
		(void)written;
	}
	pthread_mutex_unlock(&m->lock);
}

static void take_all(struct mailbox *m)
{
	uint64_t rung;

	pthread_mutex_lock(&m->lock);
	if (m->first && read(m->fd, &rung, sizeof(rung)) < 0)
		assert(errno == EAGAIN);
	m->taken = m->first;
	m->first = NULL;
	m->end = &m->first;
	pthread_mutex_unlock(&m->lock);
}

struct mail *mailbox_take(struct mailbox *m)
{
	struct mail *mail;

	if (!m->taken)
		take_all(m);
	mail = m->taken;
	if (mail)
		m->taken = mail->next;
	return mail;
}

bool mailbox_has_taken(const struct mailbox *m)
{
	return m->taken != NULL;
}
