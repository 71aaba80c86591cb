/* sync/transport_mailbox: nothing is lost between threads, and the bell rings for
 * what is there.
 * ctest: labels=threads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <poll.h>

#include "sync/transport_mailbox.h"

enum { POSTERS = 4, ROUNDS = 20000 };

static bool rings(const struct mailbox *m, int wait_ms)
{
	struct pollfd fd = { .fd = m->fd, .events = POLLIN };

	return poll(&fd, 1, wait_ms) == 1;
}

static void mails_come_out_in_order_and_the_bell_stops(void **state)
{
	struct mail mails[5] = { 0 };
	struct mailbox m;

	assert_int_equal(mailbox_init(&m, NULL), OK);
	assert_false(rings(&m, 0));
	for (size_t i = 0; i < 3; i++)
		mailbox_post(&m, &mails[i]);
	assert_true(rings(&m, 0));
	assert_ptr_equal(mailbox_take(&m), &mails[0]);
	assert_false(rings(&m, 0));
	assert_true(mailbox_has_taken(&m)); /* what the bell no longer tells */
	mailbox_post(&m, &mails[3]);
	assert_true(rings(&m, 0));
	for (size_t i = 1; i < 4; i++)
		assert_ptr_equal(mailbox_take(&m), &mails[i]);
	assert_false(rings(&m, 0));
	assert_false(mailbox_has_taken(&m));
	assert_null(mailbox_take(&m));
	mailbox_release(&m);
}

/* A thread that posts its mail again whenever the reader has taken it. */
struct poster {
	struct mailbox *mailbox;
	struct mail mail;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_out;
	size_t round; /* of the last post; written before it, read after it was taken */
};

static void *post_rounds(void *arg)
{
	struct poster *p = arg;

	for (size_t i = 1; i <= ROUNDS; i++) {
		pthread_mutex_lock(&p->lock);
		while (p->is_out)
			pthread_cond_wait(&p->changed, &p->lock);
		p->is_out = true;
		pthread_mutex_unlock(&p->lock);
		p->round = i;
		mailbox_post(p->mailbox, &p->mail);
	}
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	struct poster posters[POSTERS] = { 0 };
	pthread_t threads[POSTERS];
	size_t seen[POSTERS] = { 0 };
	struct mailbox m;

	assert_int_equal(mailbox_init(&m, NULL), OK);
	for (size_t i = 0; i < POSTERS; i++) {
		posters[i].mailbox = &m;
		posters[i].mail.owner = &posters[i];
		pthread_mutex_init(&posters[i].lock, NULL);
		pthread_cond_init(&posters[i].changed, NULL);
		pthread_create(&threads[i], NULL, post_rounds, &posters[i]);
	}
	for (size_t left = POSTERS * ROUNDS; left > 0;) {
		struct mail *mail;

		if (!rings(&m, 30000))
			fail_msg("the bell is silent, %zu mails are missing", left);
		while ((mail = mailbox_take(&m))) {
			struct poster *p = mail->owner;

			assert_int_equal(p->round, ++seen[p - posters]);
			left--;
			pthread_mutex_lock(&p->lock);
			p->is_out = false;
			pthread_cond_signal(&p->changed);
			pthread_mutex_unlock(&p->lock);
		}
	}
	for (size_t i = 0; i < POSTERS; i++)
		pthread_join(threads[i], NULL);
	mailbox_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mails_come_out_in_order_and_the_bell_stops),
		cmocka_unit_test(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
