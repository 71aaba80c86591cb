/* core/founding, core/directory: how an organisation begins, grows, and counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/office.h"

struct world {
	struct office a, b;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	free(w);
	return 0;
}

static enum err found(struct office *o, const char *code, const char *zone, struct errmsg *why)
{
	struct founding founding = { .org_name = "Acme",
				     .office_code = code,
				     .zone = zone,
				     .person_name = "Jo",
				     .address = "sha.example:4711",
				     .roots = { 1, &o->root.key, 1 },
				     .node = o->identity };

	*why = (struct errmsg){ .text = "" };
	return replica_found(o->replica, &founding, o->now_ms++, why);
}

static enum err admit(struct office *host, struct office *newcomer, const char *code,
		      struct errmsg *why)
{
	struct admission admission = {
		.office_code = code, .zone = "UTC", .address = "x:1", .node = newcomer->identity
	};

	*why = (struct errmsg){ .text = "" };
	return replica_admit(host->replica, &admission, host->now_ms++, why);
}

static void codes_and_zones_are_checked(void **state)
{
	static const struct {
		const char *code, *zone;
	} refused[] = {
		{ "S", "UTC" },      { "TOOLONGXX", "UTC" }, { "sha", "UTC" },  { "S A", "UTC" },
		{ "", "UTC" },       { NULL, "UTC" },        { "上海", "UTC" }, { "SHA", NULL },
		{ "SHA", "a zone" }, { "SHA", "" },
	};
	struct world *w = *state;
	struct errmsg why;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(found(&w->a, refused[i].code, refused[i].zone, &why), ERR_INVALID);
		assert_int_not_equal(why.text[0], 0);
		assert_false(replica_has_org(w->a.replica));
		assert_int_equal(office_count(&w->a, "SELECT count(*) FROM changeset"), 0);
	}
	assert_int_equal(found(&w->a, "S2", "Asia/Shanghai", &why), OK);
	assert_true(replica_has_org(w->a.replica));
	assert_int_equal(found(&w->a, "SHA", "UTC", &why), ERR_EXISTS);
}

static void founder_is_the_first_member(void **state)
{
	struct world *w = *state;
	struct space_id directory;
	const struct member *self;
	struct errmsg why;
	size_t count;

	assert_int_equal(found(&w->a, "SHA", "Asia/Shanghai", &why), OK);
	directory = replica_directory(w->a.replica);
	assert_memory_equal(directory.bytes, replica_org(w->a.replica), ID_BYTES);
	assert_int_equal(space_id_cmp(replica_spaces(w->a.replica, &count), &directory), 0);
	self = replica_self(w->a.replica);
	assert_non_null(self);
	assert_string_equal(self->office_code, "SHA");
	assert_string_equal(self->address, "sha.example:4711");
	assert_memory_equal(&self->identity, &w->a.identity, sizeof(self->identity));
	assert_ptr_equal(replica_member_by_noise_key(w->a.replica, w->a.identity.noise_key), self);
	assert_true(self->is_admin);
	assert_int_equal(replica_role(w->a.replica, self, &directory), ROLE_EDITOR);
	assert_true(office_agrees(&w->a, &w->a));
}

static void organisations_differ(void **state)
{
	struct world *w = *state;
	struct errmsg why;

	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	assert_int_equal(found(&w->b, "SHA", "UTC", &why), OK);
	assert_memory_not_equal(replica_org(w->a.replica), replica_org(w->b.replica), ORG_ID_BYTES);
}

static void admission_needs_an_organisation_and_a_newcomer(void **state)
{
	struct world *w = *state;
	struct errmsg why;

	assert_int_equal(admit(&w->a, &w->b, "FRA", &why), ERR_ORG);
	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	assert_int_equal(admit(&w->a, &w->b, "fra", &why), ERR_INVALID);
	assert_int_equal(admit(&w->a, &w->b, "FRA", &why), OK);
	assert_int_equal(admit(&w->a, &w->b, "FRA", &why), ERR_EXISTS);
	assert_null(replica_self(w->b.replica));
	OFFICE_MUST(replica_join(w->b.replica, replica_org(w->a.replica), &msg));
	office_pull(&w->b, &w->a);
	assert_string_equal(replica_self(w->b.replica)->office_code, "FRA");
	assert_true(office_agrees(&w->a, &w->b));
}

static void roles_follow_the_statements(void **state)
{
	struct world *w = *state;
	struct space_id shared, own;
	struct errmsg why;
	const struct member *of_b;
	size_t count;

	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	own = office_share(&w->a);
	office_join(&w->b, &w->a, "FRA");
	shared = office_share(&w->a);
	office_pull(&w->b, &w->a);
	of_b = replica_member_by_replica(w->a.replica, &w->b.identity.replica);
	assert_int_equal(replica_role(w->a.replica, of_b, &shared), ROLE_MANAGER);
	assert_int_equal(replica_role(w->a.replica, of_b, &own), ROLE_NONE);
	assert_int_equal(replica_role(w->a.replica, replica_self(w->a.replica), &own),
			 ROLE_MANAGER);
	/* Known from the statements, though nothing is in it. */
	replica_spaces(w->b.replica, &count);
	assert_int_equal(count, 3);
	assert_int_equal(replica_vv(w->b.replica, &shared)->count, 0);
}

static void a_founding_needs_root_keys(void **state)
{
	struct world *w = *state;
	struct founding founding = {
		.org_name = "Acme", .office_code = "SHA", .zone = "UTC", .node = w->a.identity
	};
	struct errmsg why;

	assert_int_equal(replica_found(w->a.replica, &founding, w->a.now_ms, &why), ERR_INVALID);
	assert_false(replica_has_org(w->a.replica));
}

/* Without a link between them. */
static void two_admissions_of_a_new_office_make_one(void **state)
{
	struct world *w = *state;
	struct office c, d;

	office_found(&w->a, "SHA");
	office_join(&w->b, &w->a, "FRA");
	office_open(&c, NULL, 3);
	office_open(&d, NULL, 4);
	office_join(&c, &w->a, "NYC");
	office_join(&d, &w->b, "NYC");
	office_sync(&w->a, &w->b);
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM office WHERE code = 'NYC'"), 1);
	assert_true(office_agrees(&w->a, &w->b));
	office_close(&c);
	office_close(&d);
}

/* A record is no statement: whoever writes one gains nothing. */
static void node_record_makes_no_member(void **state)
{
	struct world *w = *state;
	struct value value = value_str("x:1");
	struct space_id directory;
	struct edit *e;
	struct record_id id;
	size_t count;

	office_found(&w->a, "SHA");
	directory = replica_directory(w->a.replica);
	e = office_edit(&w->a, &directory);
	id = edit_create(e);
	OFFICE_MUST(edit_add(e, KIND_NODE, &id, NODE_ADDRESSES, &value, &msg));
	office_seal(&w->a, e);
	replica_members(w->a.replica, &count);
	assert_int_equal(count, 1);
}

/* Numbers. */

static void assert_number(struct office *o, uint16_t kind, unsigned year, const char *expected)
{
	char number[NUMBER_TEXT_MAX];

	OFFICE_MUST(replica_begin(o->replica, &msg));
	OFFICE_MUST(replica_number(o->replica, kind, year, number, &msg));
	OFFICE_MUST(replica_commit(o->replica, &msg));
	assert_string_equal(number, expected);
}

static void numbers_count_by_kind_and_year(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	char number[NUMBER_TEXT_MAX];

	assert_int_equal(replica_number(w->a.replica, KIND_ACTION, 2027, number, &why),
			 ERR_NOT_FOUND);
	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0001");
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0002");
	assert_number(&w->a, KIND_MEETING, 2027, "MT-SHA-2027-0001");
	assert_number(&w->a, KIND_ACTION, 2028, "AI-SHA-2028-0001");
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0003");
	assert_int_equal(replica_number(w->a.replica, KIND_TOPIC, 2027, number, &why), ERR_INVALID);
	assert_int_equal(replica_number(w->a.replica, 999, 2027, number, &why), ERR_INVALID);
}

static void number_of_a_transaction_that_failed_is_free_again(void **state)
{
	struct world *w = *state;
	struct errmsg why;
	char number[NUMBER_TEXT_MAX];

	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	OFFICE_MUST(replica_begin(w->a.replica, &msg));
	OFFICE_MUST(replica_number(w->a.replica, KIND_ACTION, 2027, number, &msg));
	replica_rollback(w->a.replica);
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0001");
}

/* As after a restore: the counter is old, the records came back from the peers. */
static void numbers_go_on_above_what_is_here_already(void **state)
{
	struct world *w = *state;
	struct value value = value_str("AI-SHA-2027-0007"), other = value_str("AI-SHA-2027-B0031");
	struct space_id space;
	struct errmsg why;

	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	space = office_share(&w->a);
	office_create(&w->a, &space, KIND_ACTION, ACTION_NUMBER, &value);
	office_create(&w->a, &space, KIND_ACTION, ACTION_NUMBER, &other);
	value = value_str("AI-SHA-2027-0001");
	office_create(&w->a, &space, KIND_ACTION, ACTION_NUMBER, &value);
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0008");
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0009");
}

static void nodes_of_one_office_never_issue_the_same(void **state)
{
	struct world *w = *state;
	struct office third;
	struct errmsg why;

	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	office_join(&w->b, &w->a, "SHA");
	office_open(&third, NULL, 3);
	office_join(&third, &w->a, "SHA");
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM office"), 1);
	assert_number(&w->a, KIND_ACTION, 2027, "AI-SHA-2027-0001");
	assert_number(&w->b, KIND_ACTION, 2027, "AI-SHA-2027-B0001");
	assert_number(&third, KIND_ACTION, 2027, "AI-SHA-2027-C0001");
	office_close(&third);
}

static void letters_go_on_after_z(void **state)
{
	struct world *w = *state;
	struct office nodes[26];
	struct errmsg why;

	assert_int_equal(found(&w->a, "SHA", "UTC", &why), OK);
	for (unsigned i = 0; i < 26; i++) {
		office_open(&nodes[i], NULL, 10 + i);
		office_join(&nodes[i], &w->a, "SHA");
	}
	office_join(&w->b, &w->a, "SHA");
	assert_number(&nodes[0], KIND_ACTION, 2027, "AI-SHA-2027-B0001");
	assert_number(&nodes[24], KIND_ACTION, 2027, "AI-SHA-2027-Z0001");
	assert_number(&nodes[25], KIND_ACTION, 2027, "AI-SHA-2027-BA0001");
	assert_number(&w->b, KIND_ACTION, 2027, "AI-SHA-2027-BB0001");
	for (unsigned i = 0; i < 26; i++)
		office_close(&nodes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(codes_and_zones_are_checked),
		TEST(founder_is_the_first_member),
		TEST(organisations_differ),
		TEST(admission_needs_an_organisation_and_a_newcomer),
		TEST(roles_follow_the_statements),
		TEST(a_founding_needs_root_keys),
		TEST(two_admissions_of_a_new_office_make_one),
		TEST(node_record_makes_no_member),
		TEST(numbers_count_by_kind_and_year),
		TEST(number_of_a_transaction_that_failed_is_free_again),
		TEST(numbers_go_on_above_what_is_here_already),
		TEST(nodes_of_one_office_never_issue_the_same),
		TEST(letters_go_on_after_z),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
