/* Commands of membership in offices that work apart and then meet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/cut_choice.h"
#include "node/member_ref.h"
#include "node/office_roles.h"
#include "tests/node/run.h"

/* Three offices of one organisation, all of them admins, and a collaboration of SHA with
 * FRA as an editor and NYC as a reader. */
struct world {
	struct office sha, fra, nyc;
	char collab[NUMBER_TEXT_MAX];
	struct space_id space;
};

static void meet(struct world *w)
{
	office_sync(&w->sha, &w->fra);
	office_sync(&w->sha, &w->nyc);
	office_sync(&w->sha, &w->fra);
}

static struct space_id space_of_text(const char *hex)
{
	struct space_id space;

	assert_int_equal(hex_decode(space.bytes, ID_BYTES, hex), OK);
	return space;
}

static int set_up(void **state)
{
	static struct world w;
	json_t *collab = NULL;

	setenv("TZ", "UTC", 1);
	office_open(&w.sha, NULL, 1);
	office_open(&w.fra, NULL, 2);
	office_open(&w.nyc, NULL, 3);
	office_found(&w.sha, "SHA");
	office_join(&w.fra, &w.sha, "FRA");
	office_join(&w.nyc, &w.sha, "NYC");
	assert_int_equal(run(&w.sha, &collab, "collab", "new", "Go-live", "--offices",
			     "fra,NYC:reader", NULL),
			 OK);
	snprintf(w.collab, sizeof(w.collab), "%s", text(collab, "number"));
	w.space = space_of_text(text(collab, "space"));
	json_decref(collab);
	meet(&w);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->sha);
	office_close(&w->fra);
	office_close(&w->nyc);
	return 0;
}

/* "FRA:editor NYC:reader SHA:manager" */
static void assert_roles(struct world *w, struct office *o, const char *expected)
{
	struct buf found = BUF_EMPTY;
	json_t *list = NULL;
	const json_t *one;
	size_t i;

	assert_int_equal(run(o, &list, "collab", "offices", w->collab, NULL), OK);
	json_array_foreach(list, i, one)
		buf_printf(&found, "%s%s:%s", i ? " " : "", text(one, "office"), text(one, "role"));
	buf_append_byte(&found, 0);
	assert_string_equal((char *)found.data, expected);
	buf_release(&found);
	json_decref(list);
}

static size_t action_count(struct office *o)
{
	return (size_t)office_count(o, "SELECT count(*) FROM r_action_item");
}

static enum err add(struct office *o, struct world *w)
{
	return run(o, NULL, "action", "add", "Report", "--collab", w->collab, NULL);
}

/* ---- Roles ----------------------------------------------------------------- */

static void roles_are_as_said_and_bind(void **state)
{
	struct world *w = *state;

	assert_roles(w, &w->fra, "FRA:editor NYC:reader SHA:manager");
	assert_int_equal(add(&w->sha, w), OK);
	assert_int_equal(add(&w->fra, w), OK);
	assert_int_equal(add(&w->nyc, w), ERR_GRANT);
	meet(w);
	assert_int_equal(action_count(&w->nyc), 2);
}

static void manager_gives_and_takes_roles(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		run(&w->sha, NULL, "collab", "admit", w->collab, "NYC", "--role", "manager", NULL),
		OK);
	assert_int_equal(add(&w->fra, w), OK);
	meet(w);
	assert_int_equal(add(&w->nyc, w), OK);
	assert_int_equal(run(&w->nyc, NULL, "collab", "remove", w->collab, "FRA", NULL), OK);
	assert_int_equal(run(&w->nyc, NULL, "collab", "remove", w->collab, "FRA", NULL),
			 ERR_NOT_FOUND);
	meet(w);
	assert_roles(w, &w->sha, "NYC:manager SHA:manager");
	assert_int_equal(add(&w->fra, w), ERR_GRANT);
	/* What it wrote before goes on to count. */
	assert_int_equal(action_count(&w->sha), 2);
}

static void office_that_is_named_twice_has_its_last_role(void **state)
{
	struct office_roles roles = { .count = 0 };
	struct world *w = *state;
	struct context ctx = { .replica = w->sha.replica };

	assert_int_equal(office_roles_parse(&roles, &ctx, "NYC:reader, FRA,,nyc:manager", NULL),
			 OK);
	assert_int_equal(roles.count, 2);
	assert_string_equal(roles.list[0].office_code, "FRA");
	assert_int_equal(roles.list[0].role, ROLE_EDITOR);
	assert_int_equal(roles.list[1].role, ROLE_MANAGER);
}

static void roles_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err rc;
	} cases[] = { { "LIS", ERR_NOT_FOUND },
		      { "FRA:", ERR_INVALID },
		      { "FRA:none", ERR_INVALID },
		      { "FRA:boss", ERR_INVALID },
		      { ":editor", ERR_NOT_FOUND } };
	struct world *w = *state;
	struct context ctx = { .replica = w->sha.replica };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct office_roles roles = { .count = 0 };

		assert_int_equal(office_roles_parse(&roles, &ctx, cases[i].text, NULL),
				 cases[i].rc);
	}
}

/* ---- Nodes ----------------------------------------------------------------- */

static const struct member *found(struct world *w, const char *text)
{
	struct context ctx = { .replica = w->sha.replica, .arena = ARENA_EMPTY };
	const struct member *m = NULL;

	assert_int_equal(member_find(&ctx, text, &m, NULL), OK);
	return m;
}

static void node_is_found_by_what_people_see(void **state)
{
	struct world *w = *state;
	const struct member *fra = found(w, "fra");
	char node[ID_TEXT_SIZE], replica[ID_TEXT_SIZE];

	assert_string_equal(fra->office_code, "FRA");
	assert_ptr_equal(found(w, id_text(fra->node.bytes, node)), fra);
	id_text(fra->identity.replica.bytes, replica);
	replica[8] = '\0';
	assert_ptr_equal(found(w, replica), fra);
	assert_ptr_equal(found(w, "self"), replica_self(w->sha.replica));
}

static void former_epochs_name_their_node(void **state)
{
	struct world *w = *state;
	char before[ID_TEXT_SIZE];

	id_text(replica_id(w->fra.replica)->bytes, before);
	OFFICE_MUST(
		replica_new_epoch(w->fra.replica, EPOCH_RESTORED, NULL, NULL, w->fra.now_ms, &msg));
	meet(w);
	assert_string_equal(found(w, before)->office_code, "FRA");
}

static void removed_node_is_found_and_removed_again_without_a_word(void **state)
{
	struct world *w = *state;
	char node[ID_TEXT_SIZE];
	json_t *first = NULL, *second = NULL;

	id_text(found(w, "FRA")->node.bytes, node);
	assert_int_equal(run(&w->sha, &first, "revoke", "FRA", "--yes", NULL), OK);
	assert_string_equal(text(first, "type"), "revoke");
	assert_true(found(w, node)->is_revoked);
	assert_ptr_equal(found(w, "FRA"), found(w, node)); /* no member is left there */
	assert_int_equal(run(&w->sha, &second, "revoke", "FRA", "--yes", NULL), OK);
	assert_int_equal(json_array_size(second), 0);
	json_decref(first);
	json_decref(second);
}

/* ---- Revoking -------------------------------------------------------------- */

static size_t quarantined(struct office *o, json_t **list)
{
	json_t *all = NULL;
	size_t count;

	assert_int_equal(run(o, &all, "quarantine", NULL), OK);
	count = json_array_size(all);
	if (list)
		*list = all;
	else
		json_decref(all);
	return count;
}

static void what_comes_after_the_cut_is_quarantined_and_can_be_adopted(void **state)
{
	struct world *w = *state;
	json_t *list = NULL, *shown = NULL;
	char feed[9];

	assert_int_equal(add(&w->fra, w), OK);
	meet(w);
	assert_int_equal(add(&w->fra, w), OK); /* nobody has it yet */
	assert_int_equal(add(&w->fra, w), OK);
	assert_int_equal(run(&w->sha, NULL, "revoke", "FRA", "--yes", NULL), OK);
	office_pull(&w->nyc, &w->fra);
	assert_int_equal(action_count(&w->nyc), 3);
	office_sync(&w->nyc, &w->sha);
	assert_int_equal(action_count(&w->nyc), 1);
	assert_int_equal(action_count(&w->sha), 1);

	assert_int_equal(quarantined(&w->sha, &list), 1);
	snprintf(feed, sizeof(feed), "%s", text(json_array_get(list, 0), "feed"));
	assert_string_equal(text(json_array_get(list, 0), "cause"), "revoked");
	assert_string_equal(text(json_array_get(list, 0), "office"), "FRA");
	assert_int_equal(strncmp(text(json_array_get(list, 0), "since"), "2027-01-15T08:", 14), 0);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "first")), 2);
	assert_int_equal(run(&w->nyc, &shown, "quarantine", "show", feed, NULL), OK);
	assert_int_equal(json_array_size(shown), 2);

	assert_int_equal(run(&w->sha, NULL, "quarantine", "adopt", feed, "--to", "1", NULL),
			 ERR_INVALID);
	assert_int_equal(run(&w->sha, NULL, "quarantine", "adopt", feed, "--to", "2", NULL), OK);
	assert_int_equal(action_count(&w->sha), 2);
	assert_int_equal(quarantined(&w->sha, NULL), 1);
	assert_int_equal(run(&w->sha, NULL, "quarantine", "adopt", feed, NULL), OK);
	office_sync(&w->nyc, &w->sha);
	assert_int_equal(action_count(&w->nyc), 3);
	assert_int_equal(quarantined(&w->nyc, NULL), 0);
	json_decref(list);
	json_decref(shown);
}

static void earlier_cut_takes_back_what_counted(void **state)
{
	struct world *w = *state;
	char at[64];

	for (int i = 0; i < 3; i++)
		assert_int_equal(add(&w->fra, w), OK);
	meet(w);
	snprintf(at, sizeof(at), "%s:1", w->collab);
	assert_int_equal(run(&w->sha, NULL, "revoke", "FRA", "--yes", "--at", at, NULL), OK);
	meet(w);
	assert_int_equal(action_count(&w->sha), 1);
	assert_int_equal(action_count(&w->nyc), 1);
	assert_int_equal(add(&w->fra, w), ERR_REVOKED);
}

static void revoking_needs_an_admin_and_a_yes(void **state)
{
	struct world *w = *state;

	assert_int_equal(run(&w->sha, NULL, "admin", "withdraw", "FRA", NULL), OK);
	meet(w);
	assert_int_equal(run(&w->fra, NULL, "revoke", "NYC", "--yes", NULL), ERR_AUTHORITY);
	assert_int_equal(run(&w->fra, NULL, "admin", "grant", "self", NULL), ERR_AUTHORITY);
	if (!isatty(STDIN_FILENO))
		assert_int_equal(run(&w->sha, NULL, "revoke", "NYC", NULL), ERR_INVALID);
	assert_false(found(w, "NYC")->is_revoked);
}

static void cut_is_chosen_by_space_and_seq(void **state)
{
	static const struct {
		const char *before, *after; /* the collaboration's number */
		enum err rc;
		uint64_t seq; /* left; 0: the cut is dropped */
	} cases[] = {
		{ "", ":2", OK, 2 },
		{ "", ":3", OK, 3 },
		{ "", ":0", OK, 0 },
		{ "", ":4", ERR_LIMIT, 3 },
		{ "", ":", ERR_INVALID, 3 },
		{ "", ":-1", ERR_INVALID, 3 },
		{ "", ":1x", ERR_INVALID, 3 },
		{ "", "", ERR_INVALID, 3 },
		{ "ab/", ":1", ERR_INVALID, 3 },
		{ "00000000/", ":1", ERR_NOT_FOUND, 3 },
		{ "X", ":1", ERR_NOT_FOUND, 3 },
	};
	struct world *w = *state;
	struct context ctx = { .replica = w->sha.replica, .arena = ARENA_EMPTY };

	for (int i = 0; i < 3; i++)
		assert_int_equal(add(&w->fra, w), OK);
	meet(w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cut *cuts;
		size_t count;
		char at[96];

		OFFICE_MUST(replica_cuts_of(w->sha.replica, &found(w, "FRA")->node, &w->space,
					    &ctx.arena, &cuts, &count, &msg));
		assert_int_equal(count, 1);
		snprintf(at, sizeof(at), "%s%s%s", cases[i].before, w->collab, cases[i].after);
		assert_int_equal(cut_choose(&ctx, at, cuts, &count, NULL), cases[i].rc);
		assert_int_equal(count, cases[i].seq > 0);
		if (count)
			assert_int_equal(cuts[0].seq, cases[i].seq);
	}
	arena_release(&ctx.arena);
}

/* ---- The log --------------------------------------------------------------- */

static void log_tells_who_said_what(void **state)
{
	static const char *const types[] = { "genesis", "admit", "admit", "space", "revoke" };
	struct world *w = *state;
	json_t *log = NULL, *one = NULL;
	char node[ID_TEXT_SIZE];

	id_text(found(w, "FRA")->node.bytes, node);
	assert_int_equal(run(&w->sha, NULL, "revoke", "FRA", "--yes", NULL), OK);
	assert_int_equal(run(&w->sha, &log, "trust", "log", NULL), OK);
	assert_int_equal(json_array_size(log), sizeof(types) / sizeof(types[0]));
	for (size_t i = 0; i < json_array_size(log); i++) {
		const json_t *entry = json_array_get(log, i);
		const json_t *signer = json_array_get(json_object_get(entry, "signers"), 0);

		assert_string_equal(text(entry, "type"), types[i]);
		assert_string_equal(text(entry, "verdict"), "stands");
		assert_non_null(text(signer, "node"));
	}
	assert_int_equal(
		run(&w->sha, &one, "trust", "show", text(json_array_get(log, 4), "id"), NULL), OK);
	assert_string_equal(text(one, "node"), node);
	assert_true(json_is_array(json_object_get(one, "cuts")));
	json_decref(log);
	json_decref(one);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(roles_are_as_said_and_bind),
		TEST(manager_gives_and_takes_roles),
		TEST(office_that_is_named_twice_has_its_last_role),
		TEST(roles_that_are_none_are_refused),
		TEST(node_is_found_by_what_people_see),
		TEST(former_epochs_name_their_node),
		TEST(removed_node_is_found_and_removed_again_without_a_word),
		TEST(what_comes_after_the_cut_is_quarantined_and_can_be_adopted),
		TEST(earlier_cut_takes_back_what_counted),
		TEST(revoking_needs_an_admin_and_a_yes),
		TEST(cut_is_chosen_by_space_and_seq),
		TEST(log_tells_who_said_what),
	};

	return cmocka_run_group_tests_name("node/cmd_trust", tests, NULL, NULL);
}
