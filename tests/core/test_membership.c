/* core/membership, core/quarantine: statements in a replica, and which changesets count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/office.h"
#include "tests/support/tempdir.h"

/* SHA has founded, FRA and NYC have joined; all share one space. */
struct world {
	struct office a, b, c;
	struct space_id space;
	struct arena arena;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	office_open(&w->c, NULL, 3);
	w->space = UNITE(&w->a, &w->b, &w->c);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	office_close(&w->c);
	arena_release(&w->arena);
	free(w);
	return 0;
}

static const struct member *self_of(const struct office *o)
{
	return replica_self(o->replica);
}

/* `by` revokes the node of `whom` where its feeds stand at `by`. */
static void revoke(struct world *w, struct office *by, const struct office *whom)
{
	struct statement s = { .type = STATEMENT_REVOKE };
	struct cut *cuts;

	s.u.revoke.node = replica_member_by_replica(by->replica, &whom->identity.replica)->node;
	OFFICE_MUST(replica_cuts_of(by->replica, &s.u.revoke.node, NULL, &w->arena, &cuts,
				    &s.u.revoke.cut_count, &msg));
	s.u.revoke.cuts = cuts;
	OFFICE_MUST(replica_state(by->replica, &s, NULL, 0, by->now_ms++, &msg));
}

static enum err state_admin(struct office *by, const struct office *whom, bool is_admin,
			    struct errmsg *why)
{
	struct statement s = { .type = STATEMENT_ADMIN };

	s.u.admin.node = replica_member_by_replica(by->replica, &whom->identity.replica)->node;
	s.u.admin.is_admin = is_admin;
	return replica_state(by->replica, &s, NULL, 0, by->now_ms++, why);
}

/* ---- Taking ------------------------------------------------------------------ */

static void what_builds_on_nothing_here_is_refused(void **state)
{
	struct world *w = *state;
	struct statement_list l = office_statements(&w->a);
	struct statements_receipt receipt;
	struct errmsg why;
	struct office d;

	office_open(&d, NULL, 4);
	OFFICE_MUST(replica_join(d.replica, replica_org(w->a.replica), &msg));
	assert_int_equal(replica_take_statements(d.replica, &l.list[l.count - 1], 1, d.now_ms,
						 &receipt, &why),
			 ERR_CAUSAL);
	assert_null(replica_trust(d.replica));
	OFFICE_MUST(replica_take_statements(d.replica, l.list, 1, d.now_ms, &receipt, &msg));
	assert_int_equal(receipt.added, 1);
	OFFICE_MUST(replica_take_statements(d.replica, l.list, 1, d.now_ms, &receipt, &msg));
	assert_int_equal(receipt.added, 0);
	statement_list_release(&l);
	office_close(&d);
}

static void another_beginning_is_refused(void **state)
{
	struct world *w = *state;
	struct statement_list l;
	struct statements_receipt receipt;
	struct errmsg why;
	struct office d;

	office_open(&d, NULL, 4);
	office_found(&d, "XXX");
	l = office_statements(&d);
	assert_int_equal(
		replica_take_statements(w->a.replica, l.list, 1, w->a.now_ms, &receipt, &why),
		ERR_ORG);
	statement_list_release(&l);
	office_close(&d);
}

static void changed_byte_is_refused_and_changes_nothing(void **state)
{
	struct world *w = *state;
	struct statement_list l;
	struct statements_receipt receipt;
	struct errmsg why;
	struct bytes changed, last;
	enum err rc;

	OFFICE_MUST(state_admin(&w->a, &w->c, false, &msg));
	l = office_statements(&w->a);
	last = l.list[l.count - 1];
	for (size_t i = 0; i < last.size; i++) {
		changed = arena_copy(&l.arena, last);
		((uint8_t *)changed.data)[i] ^= 1;
		rc = replica_take_statements(w->b.replica, &changed, 1, w->b.now_ms, &receipt,
					     &why);
		if (rc == OK)
			fail_msg("byte %zu", i);
	}
	assert_true(replica_member_by_replica(w->b.replica, &w->c.identity.replica)->is_admin);
	statement_list_release(&l);
}

static void sign_witness(struct witness *out, uint8_t content, const struct office *o,
			 const struct space_id *space)
{
	uint8_t link[LINK_BYTES];

	*out = (struct witness){ .body_hash = { content } };
	witness_link(link, out, space, &o->identity.replica, 1);
	changeset_sign(out->signature, link, o->sign_secret);
}

/* Anybody can draw a key and make two changesets with it. */
static void fork_of_what_nobody_names_is_refused(void **state)
{
	struct world *w = *state;
	struct statement s = { .type = STATEMENT_FORK };
	struct statements_receipt receipt;
	struct buf encoded = BUF_EMPTY;
	struct witness *of = s.u.fork.witnesses, other;
	uint8_t a[LINK_BYTES], b[LINK_BYTES];
	struct errmsg why;
	struct bytes list;
	struct office d;

	office_open(&d, NULL, 4);
	s.u.fork.space = w->space;
	s.u.fork.replica = d.identity.replica;
	s.u.fork.seq = 1;
	memcpy(s.u.fork.sign_key, d.identity.sign_key, SIGN_PUBLIC_BYTES);
	memcpy(s.u.fork.nonce, d.identity.nonce, ID_BYTES);
	sign_witness(&of[0], 1, &d, &w->space);
	sign_witness(&of[1], 2, &d, &w->space);
	witness_link(a, &of[0], &w->space, &d.identity.replica, 1);
	witness_link(b, &of[1], &w->space, &d.identity.replica, 1);
	if (memcmp(a, b, LINK_BYTES) > 0) {
		other = of[0];
		of[0] = of[1];
		of[1] = other;
	}
	OFFICE_MUST(statement_sign(&encoded, &s, NULL, 0, &msg));
	list = buf_bytes(&encoded);
	assert_int_equal(
		replica_take_statements(w->a.replica, &list, 1, w->a.now_ms, &receipt, &why),
		ERR_AUTHORITY);
	/* Of a member it is taken. */
	office_join(&d, &w->a, "LON");
	OFFICE_MUST(replica_take_statements(w->a.replica, &list, 1, w->a.now_ms, &receipt, &msg));
	assert_int_equal(receipt.added, 1);
	buf_release(&encoded);
	office_close(&d);
}

/* ---- Making ------------------------------------------------------------------ */

static void who_is_no_admin_may_not_say_so(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	size_t before;

	OFFICE_MUST(state_admin(&w->a, &w->b, false, &msg));
	office_pull(&w->b, &w->a);
	before = replica_trust(w->b.replica)->statement_count;
	assert_int_equal(state_admin(&w->b, &w->c, false, &why), ERR_AUTHORITY);
	assert_int_equal(replica_trust(w->b.replica)->statement_count, before);
	assert_true(replica_member_by_replica(w->b.replica, &w->c.identity.replica)->is_admin);
}

static void root_may_when_nobody_else_can(void **state)
{
	struct world *w = *state;
	struct statement s = { .type = STATEMENT_ADMIN };

	OFFICE_MUST(state_admin(&w->a, &w->b, false, &msg));
	office_pull(&w->b, &w->a);
	s.u.admin.node = self_of(&w->b)->node;
	s.u.admin.is_admin = true;
	OFFICE_MUST(replica_state(w->b.replica, &s, &w->a.root, 1, w->b.now_ms, &msg));
	assert_true(self_of(&w->b)->is_admin);
	office_pull(&w->a, &w->b);
	assert_true(replica_member_by_replica(w->a.replica, &w->b.identity.replica)->is_admin);
}

static void another_handle_sees_it(void **state)
{
	struct world *w = *state;
	char dir[256], path[512];
	struct office d, again;
	bool changed;

	tempdir_new(dir, sizeof(dir));
	tempdir_path(path, sizeof(path), dir, "replica.db");
	office_open(&d, path, 5);
	office_join(&d, &w->a, "LON");
	office_open_again(&again, &d);
	OFFICE_MUST(state_admin(&d, &w->c, false, &msg));
	OFFICE_MUST(replica_refresh(again.replica, &changed, &msg));
	assert_false(replica_member_by_replica(again.replica, &w->c.identity.replica)->is_admin);
	office_close(&again);
	office_close(&d);
	tempdir_remove(dir);
}

/* ---- Quarantine -------------------------------------------------------------- */

struct quarantine {
	size_t count;
	struct quarantined last;
};

static bool note_quarantined(void *ctx, const struct quarantined *q)
{
	struct quarantine *all = ctx;

	all->last = *q;
	all->count++;
	return true;
}

static struct quarantine quarantine_of(struct office *o)
{
	struct quarantine q = { 0 };

	OFFICE_MUST(replica_each_quarantined(o->replica, note_quarantined, &q, &msg));
	return q;
}

static void tail_of_a_revoked_node_never_counts(void **state)
{
	struct world *w = *state;
	struct quarantine q;

	office_item(&w->c, &w->space, "before");
	office_pull(&w->a, &w->c);
	office_item(&w->c, &w->space, "after");
	office_item(&w->c, &w->space, "after that");
	/* FRA has the tail first and the revocation later, SHA the reverse. */
	office_pull(&w->b, &w->c);
	assert_int_equal(office_items(&w->b), 3);
	revoke(w, &w->a, &w->c);
	assert_int_equal(office_items(&w->a), 1);
	office_pull(&w->b, &w->a);
	assert_int_equal(office_items(&w->b), 1);
	office_pull(&w->a, &w->b);
	assert_int_equal(office_items(&w->a), 1);
	assert_true(office_agrees(&w->a, &w->b));
	q = quarantine_of(&w->a);
	assert_int_equal(q.count, 1);
	assert_int_equal(q.last.cause, CUT_REVOKED);
	assert_int_equal(q.last.first, 2);
	assert_int_equal(q.last.last, 3);
	assert_memory_equal(&q.last.replica, &w->c.identity.replica, ID_BYTES);
}

static void revoked_node_says_so_itself(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	struct edit *e;

	revoke(w, &w->a, &w->c);
	office_pull_statements(&w->c, &w->a);
	assert_int_equal(replica_check_member(w->c.replica, &why), ERR_REVOKED);
	OFFICE_MUST(replica_begin(w->c.replica, &msg));
	assert_int_equal(edit_open(&e, w->c.replica, &w->space, NULL, w->c.now_ms, &why),
			 ERR_REVOKED);
	replica_rollback(w->c.replica);
}

static void adopted_tail_counts_again(void **state)
{
	struct world *w = *state;
	struct statement s = { .type = STATEMENT_ADOPT };
	struct tip *tips;
	struct cut cut;
	struct told told;
	size_t count;

	revoke(w, &w->a, &w->c);
	office_item(&w->c, &w->space, "late");
	office_pull(&w->b, &w->c);
	office_sync(&w->a, &w->b);
	assert_int_equal(office_items(&w->a), 0);
	OFFICE_MUST(replica_tips(w->a.replica, &w->space, &w->arena, &tips, &count));
	cut = (struct cut){ .replica = w->c.identity.replica, .space = w->space, .seq = 1 };
	OFFICE_MUST(replica_tell(w->a.replica, &w->space, &(struct dot){ cut.replica, 1 },
				 &w->arena, &told, &msg));
	changeset_link(cut.link, &w->space, &cut.replica, &(struct feed_head){ 0 }, told.body);
	s.u.adopt.cuts = &cut;
	s.u.adopt.cut_count = 1;
	OFFICE_MUST(replica_state(w->a.replica, &s, NULL, 0, w->a.now_ms, &msg));
	assert_int_equal(office_items(&w->a), 1);
	office_sync(&w->a, &w->b);
	assert_int_equal(office_items(&w->b), 1);
	assert_true(office_agrees(&w->a, &w->b));
	assert_int_equal(quarantine_of(&w->b).count, 0);
}

/* ---- Roles ------------------------------------------------------------------- */

static void reader_reads_and_does_not_write(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	struct edit *e;

	office_grant(&w->a, &w->space, "NYC", ROLE_READER);
	office_item(&w->a, &w->space, "for all");
	office_pull(&w->c, &w->a);
	assert_int_equal(office_items(&w->c), 1);
	OFFICE_MUST(replica_begin(w->c.replica, &msg));
	assert_int_equal(edit_open(&e, w->c.replica, &w->space, NULL, w->c.now_ms, &why),
			 ERR_GRANT);
	replica_rollback(w->c.replica);
}

/* What it wrote before it heard counts nowhere, until it may write again. */
static void what_a_reader_writes_counts_when_it_may_write_again(void **state)
{
	struct world *w = *state;

	office_grant(&w->a, &w->space, "NYC", ROLE_READER);
	office_item(&w->c, &w->space, "not heard yet");
	office_pull(&w->b, &w->c);
	assert_int_equal(office_items(&w->b), 1);
	office_sync(&w->a, &w->b);
	office_pull(&w->c, &w->a);
	assert_int_equal(office_items(&w->a), 0);
	assert_int_equal(office_items(&w->b), 0);
	assert_int_equal(office_items(&w->c), 0);
	office_grant(&w->a, &w->space, "NYC", ROLE_EDITOR);
	office_sync(&w->a, &w->b);
	office_pull(&w->c, &w->a);
	assert_int_equal(office_items(&w->a), 1);
	assert_int_equal(office_items(&w->c), 1);
	assert_true(office_agrees(&w->a, &w->b));
	assert_true(office_agrees(&w->a, &w->c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(what_builds_on_nothing_here_is_refused),
		TEST(another_beginning_is_refused),
		TEST(changed_byte_is_refused_and_changes_nothing),
		TEST(fork_of_what_nobody_names_is_refused),
		TEST(who_is_no_admin_may_not_say_so),
		TEST(root_may_when_nobody_else_can),
		TEST(another_handle_sees_it),
		TEST(tail_of_a_revoked_node_never_counts),
		TEST(revoked_node_says_so_itself),
		TEST(adopted_tail_counts_again),
		TEST(reader_reads_and_does_not_write),
		TEST(what_a_reader_writes_counts_when_it_may_write_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
