/* sync/session: two branches of one feed are noticed, found and proved, or healed; also
 * with a peer that lies about what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/damage.h"
#include "core/limits.h"
#include "proto/limits.h"
#include "tests/support/forge.h"
#include "tests/support/tempdir.h"
#include "tests/sync/refused.h"

/* A third office's node whose keys are in use twice. */
struct twins {
	struct talk t;
	struct forge first, second; /* as written to ours, and to the peer's replica */
};

static uint64_t held(const struct office *o, const struct space_id *space,
		     const struct replica_id *replica)
{
	return vv_get(replica_vv(o->replica, space), replica);
}

/* The next changeset of a feed; another `text`, another changeset. */
static struct sealed forge_next(struct forge *f, const char *text)
{
	struct op op = { .record = { { 1, (uint8_t)f->head.seq } },
			 .kind = KIND_ACTION,
			 .field = ACTION_TITLE,
			 .verb = VERB_SET,
			 .value = value_str(text) };

	return forge_ops(f, OFFICE_NOW_MS + f->head.seq, NULL, 0, &op, 1);
}

static void receive(struct office *o, const struct space_id *space, const struct sealed *sealed)
{
	struct receipt receipt;

	OFFICE_MUST(replica_receive(o->replica, space, sealed, 1, o->now_ms, &receipt, &msg));
}

/* Both hold `common` changesets; then ours has `here` more, the peer `there` others. */
static void twins_init(struct twins *w, unsigned common, unsigned here, unsigned there)
{
	struct talk *t = &w->t;
	struct sealed sealed;

	talk_init(t);
	forge_open(&w->first, &t->ours.office, &t->space, "NYC", 5);
	office_pull(&t->theirs.office, &t->ours.office);
	for (unsigned i = 0; i < common; i++) {
		sealed = forge_next(&w->first, "both");
		receive(&t->ours.office, &t->space, &sealed);
		receive(&t->theirs.office, &t->space, &sealed);
	}
	w->second = w->first;
	w->second.arena = ARENA_EMPTY;
	for (unsigned i = 0; i < here; i++) {
		sealed = forge_next(&w->first, "here");
		receive(&t->ours.office, &t->space, &sealed);
	}
	for (unsigned i = 0; i < there; i++) {
		sealed = forge_next(&w->second, "there");
		receive(&t->theirs.office, &t->space, &sealed);
	}
}

static void twins_release(struct twins *w)
{
	talk_release(&w->t);
	forge_close(&w->first);
	forge_close(&w->second);
}

static struct message ask_of(struct talk *t, struct arena *arena)
{
	return talk_last(t, MESSAGE_ASK, arena);
}

/* What `who` holds, or nothing. */
static struct message tell_of(const struct office *who, const struct message *ask,
			      struct arena *arena)
{
	struct message m = { .type = MESSAGE_TELL };
	enum err rc;

	m.u.tell.space = ask->u.ask.space;
	m.u.tell.dot = ask->u.ask.dot;
	rc = replica_tell(who->replica, &m.u.tell.space, &m.u.tell.dot, arena, &m.u.tell.told,
			  NULL);
	assert_true(rc == OK || rc == ERR_NOT_FOUND || rc == ERR_CORRUPT);
	return m;
}

/* Answer all questions as an honest peer would; returns how many there were. */
static size_t peer_answers(struct talk *t)
{
	struct arena arena = ARENA_EMPTY;
	size_t answered = 0;

	while (talk_count(t, 0, MESSAGE_ASK) > answered &&
	       session_state(t->session) != SESSION_CLOSED) {
		struct message ask = ask_of(t, &arena);
		struct message tell = tell_of(&t->theirs.office, &ask, &arena);

		answered++;
		peer_says(t, &tell);
	}
	arena_release(&arena);
	return answered;
}

static struct trust_cut cut_of(const struct twins *w)
{
	return trust_cut(replica_trust(w->t.ours.office.replica), &w->first.identity.replica,
			 &w->t.space);
}

/* ---- Forks of others ---------------------------------------------------------------- */

static void fork_is_found_by_halving_and_proved(void **state)
{
	struct session_news news;
	struct twins w;

	twins_init(&w, 40, 60, 30);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	assert_in_range(peer_answers(&w.t), 6, 9);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(cut_of(&w).cause, CUT_FORKED);
	assert_int_equal(cut_of(&w).seq, 40);
	news = session_take_news(w.t.session);
	assert_true(news.has_new_trust && news.must_renew);
	/* The proof goes out like any statement. */
	session_wake(w.t.session, w.t.now, NULL);
	talk_run(&w.t);
	assert_int_equal(talk_count(&w.t, 0, MESSAGE_STATEMENTS), 1);
	twins_release(&w);
}

static void fork_at_the_beginning_is_found(void **state)
{
	struct twins w;

	twins_init(&w, 0, 3, 2);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	peer_answers(&w.t);
	assert_int_equal(cut_of(&w).cause, CUT_FORKED);
	assert_int_equal(cut_of(&w).seq, 0);
	twins_release(&w);
}

static void proved_fork_is_left_alone(void **state)
{
	struct twins w;
	size_t asked;

	twins_init(&w, 5, 6, 3);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	asked = peer_answers(&w.t);
	session_wake(w.t.session, w.t.now, NULL);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	while (session_has_work(w.t.session))
		session_push(w.t.session, w.t.now);
	talk_run(&w.t);
	assert_int_equal(talk_count(&w.t, 0, MESSAGE_ASK), asked);
	assert_int_equal(talk_count(&w.t, 0, MESSAGE_CHANGES), 0);
	assert_int_equal(session_to_send(w.t.session), 0);
	twins_release(&w);
}

/* The first that differs is signed with rubbish here, so nobody can prove anything: the feed is
 * left as it is, and the session goes on. */
static void fork_without_a_signature_is_left_alone(void **state)
{
	struct forge *forges[2];
	struct office *holders[2];
	struct twins w;

	twins_init(&w, 5, 0, 0);
	forges[0] = &w.first, holders[0] = &w.t.ours.office;
	forges[1] = &w.second, holders[1] = &w.t.theirs.office;
	for (size_t i = 0; i < 2; i++) {
		uint8_t rubbish[SIGNATURE_BYTES] = { 7 };
		struct receipt receipt;
		struct sealed list[2];

		list[0] = forge_next(forges[i], i ? "there" : "here");
		if (i == 0) {
			list[0].signature = rubbish;
			memcpy(forges[i]->head.signature, rubbish, SIGNATURE_BYTES);
		}
		list[1] = forge_next(forges[i], "signed");
		OFFICE_MUST(replica_receive(holders[i]->replica, &w.t.space, list, 2,
					    holders[i]->now_ms, &receipt, &msg));
	}
	talk_begin(&w.t);
	peer_says_have(&w.t, holders[1], &w.t.space);
	assert_in_range(peer_answers(&w.t), 2, 9);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_false(session_take_news(w.t.session).must_renew);
	assert_int_equal(cut_of(&w).cause, CUT_NONE);
	assert_int_equal(replica_damage(holders[0]->replica)->count, 0);
	twins_release(&w);
}

/* Somebody else was faster. */
static void fork_that_is_proved_meanwhile_is_no_error(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct witness theirs;
	struct told told;
	struct twins w;
	struct dot dot;

	twins_init(&w, 5, 6, 3);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	dot = (struct dot){ w.first.identity.replica, 6 };
	OFFICE_MUST(replica_tell(w.t.theirs.office.replica, &w.t.space, &dot, &arena, &told, &msg));
	told_witness(&theirs, &told);
	OFFICE_MUST(replica_prove_fork(w.t.ours.office.replica, &w.t.space, &dot, &theirs,
				       OFFICE_NOW_MS, &msg));
	peer_answers(&w.t);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(cut_of(&w).seq, 5);
	arena_release(&arena);
	twins_release(&w);
}

static void branch_that_goes_on_after_the_proof_is_left_alone(void **state)
{
	struct sealed more;
	struct twins w;
	size_t asked;

	twins_init(&w, 5, 6, 3);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	asked = peer_answers(&w.t);
	more = forge_next(&w.second, "there");
	peer_says_changes(&w.t, &w.t.space, &more, 1);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(talk_count(&w.t, 0, MESSAGE_ASK), asked);
	assert_int_equal(held(&w.t.ours.office, &w.t.space, &more.replica), 5);
	twins_release(&w);
}

/* The peer proves the fork and adopts its branch, and sends on what continues it at once. */
static void changes_right_behind_what_moved_the_branch_out_wait(void **state)
{
	struct statement adopt = { .type = STATEMENT_ADOPT };
	struct message m = { .type = MESSAGE_STATEMENTS };
	struct arena arena = ARENA_EMPTY;
	struct statement_list all;
	struct witness first;
	struct sealed last;
	struct told told;
	struct twins w;
	struct cut cut;
	struct dot dot;

	twins_init(&w, 3, 2, 1);
	talk_begin(&w.t);
	last = forge_next(&w.second, "there");
	receive(&w.t.theirs.office, &w.t.space, &last);
	dot = (struct dot){ w.first.identity.replica, 4 };
	OFFICE_MUST(replica_tell(w.t.ours.office.replica, &w.t.space, &dot, &arena, &told, &msg));
	told_witness(&first, &told);
	OFFICE_MUST(replica_prove_fork(w.t.theirs.office.replica, &w.t.space, &dot, &first,
				       OFFICE_NOW_MS, &msg));
	cut = (struct cut){ dot.replica, w.t.space, 5, { 0 } };
	memcpy(cut.link, w.second.head.link, LINK_BYTES);
	adopt.u.adopt.cuts = &cut;
	adopt.u.adopt.cut_count = 1;
	OFFICE_MUST(replica_state(w.t.theirs.office.replica, &adopt, NULL, 0, OFFICE_NOW_MS, &msg));
	all = office_statements(&w.t.theirs.office);
	m.u.statements = (struct message_statements){ all.list, all.count };
	peer_says(&w.t, &m);
	assert_int_equal(held(&w.t.ours.office, &w.t.space, &last.replica), 3);
	peer_says_changes(&w.t, &w.t.space, &last, 1);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_true(session_take_news(w.t.session).must_renew);
	statement_list_release(&all);
	arena_release(&arena);
	twins_release(&w);
}

static void run_on_another_branch_is_no_bad_signature(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed more;
	struct message m;
	struct twins w;

	twins_init(&w, 5, 1, 1);
	talk_begin(&w.t);
	more = forge_next(&w.second, "there"); /* it goes on over there */
	peer_says_changes(&w.t, &w.t.space, &more, 1);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(held(&w.t.ours.office, &w.t.space, &more.replica), 6);
	m = talk_last(&w.t, MESSAGE_HELD, &arena);
	assert_memory_equal(m.u.held.replicas[0].bytes, more.replica.bytes, ID_BYTES);
	assert_non_null(strstr(session_warning(w.t.session), "another branch"));
	peer_answers(&w.t);
	assert_int_equal(cut_of(&w).seq, 5);
	arena_release(&arena);
	twins_release(&w);
}

/* It overlaps with what we hold, and differs only there; others in the message count. */
static void branch_within_a_run_is_found(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed list[3];
	struct sealed *own;
	struct twins w;
	size_t count;

	twins_init(&w, 5, 2, 0);
	office_item(&w.t.theirs.office, &w.t.space, "t");
	own = office_log(&w.t.theirs.office, &w.t.space, &arena, &count);
	talk_begin(&w.t);
	for (int i = 0; i < 2; i++) {
		list[i] = forge_next(&w.second, "there");
		receive(&w.t.theirs.office, &w.t.space, &list[i]);
	}
	list[2] = own[count - 1];
	peer_says_changes(&w.t, &w.t.space, list, 3);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(held(&w.t.ours.office, &w.t.space, &own[count - 1].replica), 1);
	peer_answers(&w.t);
	assert_int_equal(cut_of(&w).seq, 5);
	arena_release(&arena);
	twins_release(&w);
}

/* It was written by somebody who holds the peer's branch, and names a dot whose other
 * content, ours, is younger. */
static void changes_that_name_the_other_branch_wait(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct value title = value_str("t");
	struct op op = { .record = { { 9 } },
			 .kind = KIND_ACTION,
			 .field = ACTION_TITLE,
			 .verb = VERB_SET,
			 .value = title };
	struct sealed *log, young;
	struct twins w;
	size_t count;

	twins_init(&w, 5, 0, 1);
	young = forge_ops(&w.first, OFFICE_NOW_MS + 3600000, NULL, 0, &op, 1);
	receive(&w.t.ours.office, &w.t.space, &young);
	office_create(&w.t.theirs.office, &w.t.space, KIND_ACTION, ACTION_TITLE, &title);
	log = office_log(&w.t.theirs.office, &w.t.space, &arena, &count);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	assert_int_equal(talk_count(&w.t, 0, MESSAGE_ASK), 1);
	peer_says_changes(&w.t, &w.t.space, &log[count - 1], 1);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(held(&w.t.ours.office, &w.t.space, &log[count - 1].replica), 0);
	peer_answers(&w.t);
	assert_int_equal(cut_of(&w).seq, 5);
	arena_release(&arena);
	twins_release(&w);
}

static void tags_that_agree_again_end_the_suspicion(void **state)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct arena arena = ARENA_EMPTY;
	struct tip *tips;
	struct twins w;
	size_t count;

	twins_init(&w, 5, 0, 0);
	talk_begin(&w.t);
	OFFICE_MUST(replica_tips(w.t.theirs.office.replica, &w.t.space, &arena, &tips, &count));
	tips[0].tag[0] ^= 1;
	m.u.have = (struct message_have){ w.t.space, true, false, tips, count };
	peer_says(&w.t, &m);
	/* It tells the same as we hold: the tag was a lie, or is history. */
	assert_int_equal(peer_answers(&w.t), 1);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_int_equal(cut_of(&w).cause, CUT_NONE);
	arena_release(&arena);
	twins_release(&w);
}

/* ---- The peer's own --------------------------------------------------------------------- */

static void fork_of_the_peers_own_feed_is_left_to_it_for_a_minute(void **state)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct arena arena = ARENA_EMPTY;
	struct talk t;
	struct tip tip;

	talk_init(&t);
	office_item(&t.theirs.office, &t.space, "t");
	office_pull(&t.ours.office, &t.theirs.office);
	talk_begin(&t);
	tip = (struct tip){ .replica = *replica_id(t.theirs.office.replica), .seq = 1 };
	m.u.have = (struct message_have){ t.space, true, false, &tip, 1 };
	peer_says(&t, &m);
	assert_int_equal(talk_count(&t, 0, MESSAGE_ASK), 0);
	assert_false(session_is_in_sync(t.session));
	t.now.mono_ms += OWNER_HEALS_MS - 1;
	peer_says(&t, &m);
	assert_int_equal(talk_count(&t, 0, MESSAGE_ASK), 0);
	t.now.mono_ms++;
	peer_says(&t, &m);
	assert_int_equal(talk_count(&t, 0, MESSAGE_ASK), 1);
	arena_release(&arena);
	talk_release(&t);
}

static void feed_that_its_owner_has_healed_is_taken_again(void **state)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct talk t;
	struct tip tip;
	size_t count;

	talk_init(&t);
	office_item(&t.theirs.office, &t.space, "t");
	office_pull(&t.ours.office, &t.theirs.office);
	talk_begin(&t);
	tip = (struct tip){ .replica = *replica_id(t.theirs.office.replica), .seq = 1 };
	m.u.have = (struct message_have){ t.space, true, false, &tip, 1 };
	peer_says(&t, &m);
	peer_says_have(&t, &t.theirs.office, &t.space);
	assert_true(session_is_in_sync(t.session));
	office_item(&t.theirs.office, &t.space, "t");
	list = office_log(&t.theirs.office, &t.space, &arena, &count);
	peer_says_changes(&t, &t.space, list + 1, 1);
	assert_int_equal(held(&t.ours.office, &t.space, &tip.replica), 2);
	arena_release(&arena);
	talk_release(&t);
}

/* ---- Our own ---------------------------------------------------------------------------- */

/* Ours has written 7 and given them away; then it is what it was after 3. */
struct restored {
	struct talk t;
	char dir[TEMPDIR_BYTES_MAX];
	struct replica_id before;
};

static void write_own(struct office *o, const struct space_id *space, const char *text,
		      unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		office_item(o, space, text);
}

static void restored_init(struct restored *w)
{
	struct talk *t = &w->t;
	char path[sizeof(t->ours.office.path)];

	talk_init(t);
	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(path, sizeof(path), w->dir, "copy.db");
	w->before = *replica_id(t->ours.office.replica);
	write_own(&t->ours.office, &t->space, "kept", 3);
	OFFICE_MUST(replica_backup(t->ours.office.replica, path, NULL, NULL, &msg));
	write_own(&t->ours.office, &t->space, "forgotten", 4);
	office_pull(&t->theirs.office, &t->ours.office);
	snprintf(t->ours.office.path, sizeof(t->ours.office.path), "%s", path);
	office_reopen(&t->ours.office);
}

static void restored_release(struct restored *w)
{
	talk_release(&w->t);
	tempdir_remove(w->dir);
}

static bool has_new_epoch(const struct restored *w)
{
	return replica_id_cmp(replica_id(w->t.ours.office.replica), &w->before) != 0;
}

static void peer_that_knows_more_of_ours_makes_us_begin_an_epoch(void **state)
{
	struct session_news news;
	struct restored w;

	restored_init(&w);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	assert_false(has_new_epoch(&w)); /* on its word alone */
	assert_int_equal(peer_answers(&w.t), 1);
	assert_true(has_new_epoch(&w));
	news = session_take_news(w.t.session);
	assert_true(news.has_new_trust && news.must_renew);
	assert_non_null(strstr(session_warning(w.t.session), "backup"));
	restored_release(&w);
}

static void more_of_ours_among_changes_makes_us_begin_an_epoch(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct restored w;
	size_t count;

	restored_init(&w);
	talk_begin(&w.t);
	list = office_log(&w.t.theirs.office, &w.t.space, &arena, &count);
	assert_int_equal(count, 7);
	peer_says_changes(&w.t, &w.t.space, list + 3, 4);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	peer_answers(&w.t);
	assert_true(has_new_epoch(&w));
	arena_release(&arena);
	restored_release(&w);
}

static void other_branch_of_ours_is_healed(void **state)
{
	struct restored w;

	restored_init(&w);
	write_own(&w.t.ours.office, &w.t.space, "anew", 2);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	peer_answers(&w.t);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	assert_true(has_new_epoch(&w));
	/* The branch that nobody else has is written again, under the new epoch. */
	assert_int_equal(held(&w.t.ours.office, &w.t.space, &w.before), 3);
	assert_int_equal(held(&w.t.ours.office, &w.t.space, replica_id(w.t.ours.office.replica)),
			 2);
	assert_true(session_take_news(w.t.session).must_renew);
	restored_release(&w);
}

/* ---- Lies --------------------------------------------------------------------------------- */

static void other_bytes_are_refused(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct message ask, tell;
	struct twins w;

	twins_init(&w, 5, 2, 2);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	ask = ask_of(&w.t, &arena);
	tell = tell_of(&w.t.theirs.office, &ask, &arena);
	tell.u.tell.told.link_before[0] ^= 1;
	peer_says(&w.t, &tell);
	assert_refused(&w.t, ERR_SIGNATURE);
	assert_int_equal(cut_of(&w).cause, CUT_NONE);
	arena_release(&arena);
	twins_release(&w);
}

static void more_of_ours_that_we_never_signed_is_refused(void **state)
{
	struct arena arena = ARENA_EMPTY;
	struct message have = { .type = MESSAGE_HAVE }, tell = { .type = MESSAGE_TELL };
	struct tip tip = { .seq = 900 };
	struct replica_id before;
	struct talk t;

	talk_init(&t);
	before = *replica_id(t.ours.office.replica);
	tip.replica = before;
	talk_begin(&t);
	have.u.have = (struct message_have){ t.space, true, false, &tip, 1 };
	peer_says(&t, &have);
	assert_int_equal(ask_of(&t, &arena).u.ask.dot.seq, 1);
	tell.u.tell = (struct message_tell){ .space = t.space, .dot = { before, 1 } };
	tell.u.tell.told.body = bytes_of_str("never");
	peer_says(&t, &tell);
	assert_refused(&t, ERR_SIGNATURE);
	assert_int_equal(replica_id_cmp(replica_id(t.ours.office.replica), &before), 0);
	arena_release(&arena);
	talk_release(&t);
}

static void claim_without_anything_behind_it_comes_to_nothing(void **state)
{
	struct message have = { .type = MESSAGE_HAVE };
	struct tip tip = { .seq = 900 };
	struct replica_id before;
	struct talk t;

	talk_init(&t);
	before = *replica_id(t.ours.office.replica);
	tip.replica = before;
	talk_begin(&t);
	have.u.have = (struct message_have){ t.space, true, false, &tip, 1 };
	peer_says(&t, &have);
	assert_int_equal(peer_answers(&t), 1); /* not here */
	assert_int_equal(session_state(t.session), SESSION_OPEN);
	assert_int_equal(replica_id_cmp(replica_id(t.ours.office.replica), &before), 0);
	talk_release(&t);
}

static void answer_without_a_question_is_refused(void **state)
{
	struct message m = { .type = MESSAGE_TELL };
	struct twins w;

	twins_init(&w, 5, 2, 2);
	talk_begin(&w.t);
	m.u.tell.space = w.t.space;
	m.u.tell.dot = (struct dot){ w.first.identity.replica, 1 };
	peer_says(&w.t, &m);
	assert_refused(&w.t, ERR_PROTOCOL);
	twins_release(&w);

	twins_init(&w, 5, 2, 2);
	talk_begin(&w.t);
	peer_says_have(&w.t, &w.t.theirs.office, &w.t.space);
	peer_says(&w.t, &m); /* to another question */
	assert_refused(&w.t, ERR_PROTOCOL);
	twins_release(&w);
}

/* ---- Answering ------------------------------------------------------------------------------ */

static void question_is_answered(void **state)
{
	struct message m = { .type = MESSAGE_ASK };
	struct arena arena = ARENA_EMPTY;
	struct told told;
	struct twins w;

	twins_init(&w, 5, 0, 0);
	talk_begin(&w.t);
	m.u.ask = (struct message_ask){ w.t.space, { w.first.identity.replica, 3 } };
	peer_says(&w.t, &m);
	OFFICE_MUST(replica_tell(w.t.ours.office.replica, &w.t.space, &m.u.ask.dot, &arena, &told,
				 &msg));
	assert_true(bytes_equal(talk_last(&w.t, MESSAGE_TELL, &arena).u.tell.told.body, told.body));
	m.u.ask.dot.seq = 6;
	peer_says(&w.t, &m);
	assert_null(talk_last(&w.t, MESSAGE_TELL, &arena).u.tell.told.body.data);
	assert_int_equal(session_state(w.t.session), SESSION_OPEN);
	arena_release(&arena);
	twins_release(&w);
}

static void who_asks_without_end_and_does_not_read_is_cut_off(void **state)
{
	enum { TEXT_BYTES = 512 << 10, QUESTIONS_MAX = 200 };
	struct message m = { .type = MESSAGE_ASK };
	struct buf encoded = BUF_EMPTY;
	static char text[TEXT_BYTES + 1];
	struct value value;
	struct talk t;

	talk_init(&t);
	memset(text, 'x', TEXT_BYTES);
	value = value_str(text);
	office_create(&t.ours.office, &t.space, KIND_BLOCK, BLOCK_TEXT, &value);
	talk_begin(&t);
	m.u.ask = (struct message_ask){ t.space, { *replica_id(t.ours.office.replica), 1 } };
	for (int i = 0; i < QUESTIONS_MAX && session_state(t.session) == SESSION_OPEN; i++) {
		buf_clear(&encoded);
		message_encode(&encoded, &m);
		OFFICE_MUST(link_send(&t.peer, buf_bytes(&encoded)));
		session_receive(t.session, t.now, buf_bytes(&t.peer.out));
		buf_clear(&t.peer.out);
	}
	assert_int_equal(session_state(t.session), SESSION_CLOSED);
	assert_int_equal(session_end(t.session)->code, ERR_LIMIT);
	assert_in_range(session_outgoing(t.session).size, OUTGOING_BYTES_MAX,
			OUTGOING_BYTES_MAX + 2 * TEXT_BYTES);
	buf_release(&encoded);
	talk_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_is_found_by_halving_and_proved),
		cmocka_unit_test(fork_at_the_beginning_is_found),
		cmocka_unit_test(proved_fork_is_left_alone),
		cmocka_unit_test(fork_without_a_signature_is_left_alone),
		cmocka_unit_test(fork_that_is_proved_meanwhile_is_no_error),
		cmocka_unit_test(branch_that_goes_on_after_the_proof_is_left_alone),
		cmocka_unit_test(changes_right_behind_what_moved_the_branch_out_wait),
		cmocka_unit_test(run_on_another_branch_is_no_bad_signature),
		cmocka_unit_test(branch_within_a_run_is_found),
		cmocka_unit_test(changes_that_name_the_other_branch_wait),
		cmocka_unit_test(tags_that_agree_again_end_the_suspicion),
		cmocka_unit_test(fork_of_the_peers_own_feed_is_left_to_it_for_a_minute),
		cmocka_unit_test(feed_that_its_owner_has_healed_is_taken_again),
		cmocka_unit_test(peer_that_knows_more_of_ours_makes_us_begin_an_epoch),
		cmocka_unit_test(more_of_ours_among_changes_makes_us_begin_an_epoch),
		cmocka_unit_test(other_branch_of_ours_is_healed),
		cmocka_unit_test(other_bytes_are_refused),
		cmocka_unit_test(more_of_ours_that_we_never_signed_is_refused),
		cmocka_unit_test(claim_without_anything_behind_it_comes_to_nothing),
		cmocka_unit_test(answer_without_a_question_is_refused),
		cmocka_unit_test(question_is_answered),
		cmocka_unit_test(who_asks_without_end_and_does_not_read_is_cut_off),
	};

	return cmocka_run_group_tests_name("sync/session fork", tests, NULL, NULL);
}
