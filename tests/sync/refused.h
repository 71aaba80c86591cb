/* How a session of ours ends that refuses its peer. Include it after cmocka.h. */
#ifndef HT_TESTS_SYNC_REFUSED_H
#define HT_TESTS_SYNC_REFUSED_H

#include "tests/sync/talk.h"

/* The session closed for this reason, and said so to the peer. */
static inline void assert_refused(struct talk *t, enum err rc)
{
	struct arena arena = ARENA_EMPTY;
	struct message bye = talk_last(t, MESSAGE_BYE, &arena);

	assert_int_equal(session_state(t->session), SESSION_CLOSED);
	assert_int_equal(session_end(t->session)->code, rc);
	assert_string_equal(session_end(t->session)->name, err_name(rc));
	assert_false(session_end(t->session)->by_peer);
	assert_true(bytes_equal(bye.u.bye.name, bytes_of_str(err_name(rc))));
	assert_true(t->has_ended);
	arena_release(&arena);
}

/* ... and has served it nothing. */
static inline void assert_turned_away(struct talk *t, enum err rc)
{
	assert_refused(t, rc);
	assert_int_equal(talk_count(t, 0, MESSAGE_CHANGES), 0);
}

#endif
