/* core/statement_parts, core/membership: a node with more feeds than a statement can name is
 * revoked and changes its keys like any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/statement_parts.h"
#include "tests/support/office.h"

enum { SPACES = 80, EPOCHS = 27, FEEDS = SPACES * EPOCHS };

_Static_assert(FEEDS > (int)CUTS_MAX, "more than one statement can name");

/* ---- Parts ------------------------------------------------------------------- */

static struct cut *some_cuts(size_t count)
{
	struct cut *cuts = calloc(count, sizeof(*cuts));

	for (size_t i = 0; i < count; i++)
		cuts[i].seq = i % 2 ? i : 0;
	return cuts;
}

static void what_fits_is_one_part(void **state)
{
	struct cut *cuts = some_cuts(CUTS_MAX);
	struct statement s = { .type = STATEMENT_REVOKE };
	struct statement_parts parts;

	s.u.revoke.cuts = cuts;
	s.u.revoke.cut_count = CUTS_MAX;
	assert_int_equal(statement_parts_of(&parts, &s), OK);
	assert_int_equal(parts.count, 1);
	assert_int_equal(parts.list[0].u.revoke.cut_count, CUTS_MAX);
	statement_parts_release(&parts);
	free(cuts);
}

static void the_others_are_adopted_unless_nothing_of_them_counts(void **state)
{
	size_t count = (size_t)CUTS_MAX + 2 * CUTS_MAX + 4;
	struct cut *cuts = some_cuts(count);
	struct statement s = { .type = STATEMENT_GRANT };
	struct statement_parts parts;

	s.u.grant.cuts = cuts;
	s.u.grant.cut_count = count;
	assert_int_equal(statement_parts_of(&parts, &s), OK);
	assert_int_equal(parts.count, 3);
	assert_int_equal(parts.list[0].u.grant.cut_count, CUTS_MAX);
	assert_int_equal(parts.list[1].type, STATEMENT_ADOPT);
	assert_int_equal(parts.list[1].u.adopt.cut_count, CUTS_MAX);
	assert_int_equal(parts.list[1].u.adopt.cuts[0].seq, CUTS_MAX + 1);
	assert_int_equal(parts.list[2].u.adopt.cut_count, 2);
	assert_int_equal(parts.list[2].u.adopt.cuts[1].seq, count - 1);
	statement_parts_release(&parts);
	free(cuts);
}

/* ---- A node of many feeds ---------------------------------------------------- */

/* FRA is no admin, and has written in every space under every one of its ids. */
struct world {
	struct office a, b, c;
	struct space_id spaces[SPACES];
	struct arena arena;
};

static void write_everywhere(struct world *w, struct office *o)
{
	struct value title = value_str("one of many");

	OFFICE_MUST(replica_begin(o->replica, &msg));
	for (unsigned i = 0; i < SPACES; i++) {
		struct record_id id;
		struct edit *e;

		OFFICE_MUST(edit_open(&e, o->replica, &w->spaces[i], NULL, o->now_ms++, &msg));
		id = edit_create(e);
		OFFICE_MUST(edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &title, &msg));
		OFFICE_MUST(edit_seal(e, &msg));
	}
	OFFICE_MUST(replica_commit(o->replica, &msg));
}

static void let_go_of_admin(struct world *w)
{
	struct statement s = { .type = STATEMENT_ADMIN };

	s.u.admin.node = replica_self(w->b.replica)->node;
	OFFICE_MUST(replica_state(w->a.replica, &s, NULL, 0, w->a.now_ms++, &msg));
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	office_open(&w->c, NULL, 3);
	office_found(&w->a, "SHA");
	office_join(&w->b, &w->a, "FRA");
	office_join(&w->c, &w->a, "NYC");
	let_go_of_admin(w);
	for (unsigned i = 0; i < SPACES; i++)
		w->spaces[i] = office_share(&w->a);
	office_pull(&w->b, &w->a);
	for (unsigned i = 0; i < EPOCHS; i++) {
		write_everywhere(w, &w->b);
		OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_MOVED, NULL, NULL, w->b.now_ms++,
					      &msg));
	}
	office_pull(&w->a, &w->b);
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

static enum err revoke(struct world *w, struct office *by)
{
	struct statement s = { .type = STATEMENT_REVOKE };
	struct errmsg why;
	struct cut *cuts;

	s.u.revoke.node = replica_self(w->b.replica)->node;
	OFFICE_MUST(replica_cuts_of(by->replica, &s.u.revoke.node, NULL, &w->arena, &cuts,
				    &s.u.revoke.cut_count, &msg));
	assert_int_equal(s.u.revoke.cut_count, FEEDS);
	s.u.revoke.cuts = cuts;
	return replica_state(by->replica, &s, NULL, 0, by->now_ms++, &why);
}

static void node_of_many_feeds_is_revoked_where_they_end(void **state)
{
	struct world *w = *state;

	assert_int_equal(office_items(&w->a), FEEDS);
	assert_int_equal(revoke(w, &w->a), OK);
	assert_int_equal(office_items(&w->a), FEEDS);
	/* What it had not sent counts nowhere. */
	write_everywhere(w, &w->b);
	office_pull(&w->c, &w->b);
	assert_int_equal(office_items(&w->c), FEEDS + SPACES);
	office_pull(&w->c, &w->a);
	assert_int_equal(office_items(&w->c), FEEDS);
	office_pull(&w->a, &w->c);
	assert_true(office_agrees(&w->a, &w->c));
}

/* All that an office has in one space can be named, whatever became of its nodes. */
static void office_ends_where_all_of_its_nodes_do(void **state)
{
	struct world *w = *state;
	struct office second;
	struct cut *cuts;
	size_t count;

	office_open(&second, NULL, 4);
	assert_int_equal(revoke(w, &w->a), OK);
	office_join(&second, &w->a, "FRA");
	office_pull(&second, &w->a);
	office_pull(&w->c, &w->a);
	office_item(&second, &w->spaces[0], "by another one");
	office_item(&w->c, &w->spaces[0], "by another office");
	office_pull(&w->a, &second);
	office_pull(&w->a, &w->c);
	OFFICE_MUST(replica_cuts_of_office(w->a.replica, "FRA", &w->spaces[0], &w->arena, &cuts,
					   &count, &msg));
	assert_int_equal(count, EPOCHS + 1);
	for (size_t i = 1; i < count; i++)
		assert_true(cut_cmp(&cuts[i - 1], &cuts[i]) < 0);
	office_close(&second);
}

static void node_of_many_feeds_changes_its_keys(void **state)
{
	struct world *w = *state;
	struct office fresh;

	office_open(&fresh, NULL, 9);
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_ROTATED, fresh.sign_secret,
				      fresh.identity.noise_key, w->b.now_ms++, &msg));
	assert_int_equal(office_items(&w->b), FEEDS);
	write_everywhere(w, &w->b);
	office_pull(&w->a, &w->b);
	assert_int_equal(office_items(&w->a), FEEDS + SPACES);
	assert_true(office_agrees(&w->a, &w->b));
	office_close(&fresh);
}

static void node_of_many_feeds_leaves_its_end_to_an_admin(void **state)
{
	struct world *w = *state;

	assert_int_equal(revoke(w, &w->b), ERR_LIMIT);
	assert_int_equal(office_items(&w->b), FEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_one_part),
		cmocka_unit_test(the_others_are_adopted_unless_nothing_of_them_counts),
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(node_of_many_feeds_is_revoked_where_they_end),
		TEST(office_ends_where_all_of_its_nodes_do),
		TEST(node_of_many_feeds_changes_its_keys),
		TEST(node_of_many_feeds_leaves_its_end_to_an_admin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
