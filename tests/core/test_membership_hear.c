/* core/membership_hear, core/membership_parents: what one member says without end, and what
 * it says wrong, keeps nobody else from being heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/support/forge.h"

enum { LIST_MAX = 5 * NODE_STATEMENTS_MAX };

/* Shanghai and Frankfurt have admins; Eve and Fred are members and no more. */
struct world {
	struct office a, b;
	struct forge eve, fred;
	struct space_id directory;
	struct arena arena;
	struct bytes list[LIST_MAX]; /* said, and not heard yet */
	size_t count;
	struct statement_id last; /* what was said last */
	struct aside *aside;      /* what Shanghai has set aside */
	uint64_t said;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	office_found(&w->a, "SHA");
	office_join(&w->b, &w->a, "FRA");
	w->directory = replica_directory(w->a.replica);
	forge_open(&w->eve, &w->a, &w->directory, "EVE", 3);
	forge_open(&w->fred, &w->a, &w->directory, "FRD", 4);
	office_pull_statements(&w->b, &w->a);
	w->aside = aside_new();
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	aside_free(w->aside);
	arena_release(&w->arena);
	free(w);
	return 0;
}

/* ---- Saying and hearing -------------------------------------------------------- */

/* The one head of what Shanghai holds at the beginning. */
static struct statement_id base(const struct world *w)
{
	assert_int_equal(replica_trust(w->a.replica)->head_count, 1);
	return replica_trust(w->a.replica)->heads[0];
}

static void say(struct world *w, struct statement *s, struct statement_id parent,
		const struct node_identity *by, const uint8_t *secret)
{
	struct signer signer = { .secret = secret };
	struct buf encoded = BUF_EMPTY;

	memcpy(signer.key.bytes, by->sign_key, SIGN_PUBLIC_BYTES);
	s->parents = &parent;
	s->parent_count = s->type != STATEMENT_FORK;
	s->wall_ms = ++w->said;
	OFFICE_MUST(statement_sign(&encoded, s, &signer, 1, &msg));
	w->list[w->count++] = arena_copy(&w->arena, buf_bytes(&encoded));
	w->last = s->id;
	buf_release(&encoded);
}

static const struct office_role offices_of_eve[] = { { "EVE", ROLE_MANAGER } };

static struct statement_id say_space(struct world *w, const struct forge *f,
				     struct statement_id parent)
{
	struct statement s = { .type = STATEMENT_SPACE,
			       .u.space = { .offices = offices_of_eve, .office_count = 1 } };

	memcpy(s.u.space.nonce, &w->said, sizeof(w->said));
	say(w, &s, parent, &f->identity, f->sign_secret);
	return s.id;
}

static void say_spaces(struct world *w, const struct forge *f, size_t count)
{
	struct statement_id parent = base(w);

	for (size_t i = 0; i < count; i++)
		say_space(w, f, parent);
}

static struct record_id node_of(const struct world *w, const struct forge *f)
{
	return trust_epoch(replica_trust(w->a.replica), &f->identity.replica)->node;
}

static const struct trust_node *weighed(const struct world *w, const struct forge *f)
{
	struct record_id node = node_of(w, f);

	return trust_node(replica_trust(w->a.replica), &node);
}

/* Shanghai hears all that was said, in several messages; returns what came of the last. */
static struct statements_receipt hear(struct world *w, size_t *added)
{
	enum { AT_ONCE = 500 };
	struct statements_receipt receipt = { 0 };

	*added = 0;
	for (size_t i = 0; i < w->count; i += AT_ONCE) {
		size_t count = w->count - i < AT_ONCE ? w->count - i : AT_ONCE;

		OFFICE_MUST(replica_hear_statements(w->a.replica, w->list + i, count, w->aside,
						    w->a.now_ms, &receipt, &msg));
		*added += receipt.added;
	}
	w->count = 0;
	OFFICE_MUST(replica_verify(w->a.replica, &(struct verify_report){ 0 }, NULL, NULL, &msg));
	return receipt;
}

static size_t hear_count(struct world *w)
{
	size_t added;
	struct statements_receipt receipt = hear(w, &added);

	assert_int_equal(receipt.refusal.code, OK);
	return added;
}

/* Eve has said as much as is taken of her. */
static void fill_up(struct world *w)
{
	say_spaces(w, &w->eve, NODE_STATEMENTS_MAX);
	assert_int_equal(hear_count(w), NODE_STATEMENTS_MAX);
}

/* ---- Quotas ---------------------------------------------------------------------- */

static void of_one_node_so_much_is_taken_and_no_more(void **state)
{
	struct world *w = *state;
	struct statement_id parent = base(w);
	struct statements_receipt receipt;
	size_t added;

	say_spaces(w, &w->eve, NODE_STATEMENTS_MAX + 300);
	receipt = hear(w, &added);
	assert_int_equal(added, NODE_STATEMENTS_MAX);
	assert_int_equal(receipt.set_aside, 300);
	assert_int_equal(receipt.refusal.code, OK);
	assert_non_null(
		strstr(receipt.notice.text, "a node of EVE has said as many as are taken of one"));
	assert_int_equal(weighed(w, &w->eve)->weight, NODE_STATEMENTS_MAX);
	say_space(w, &w->fred, parent);
	assert_int_equal(hear_count(w), 1);
}

/* An admin may say what it likes, or whoever is one now. */
static void admins_have_no_quota(void **state)
{
	struct world *w = *state;
	struct forge b = { .identity = w->b.identity };

	memcpy(b.sign_secret, w->b.sign_secret, SIGN_SECRET_BYTES);
	say_spaces(w, &b, NODE_STATEMENTS_MAX + 10);
	assert_int_equal(hear_count(w), NODE_STATEMENTS_MAX + 10);
}

/* Long ones weigh more. */
static void long_statements_weigh_more(void **state)
{
	static struct office_role offices[SPACE_OFFICES_MAX];
	struct world *w = *state;
	struct statement s = { .type = STATEMENT_SPACE };

	for (unsigned i = 0; i < SPACE_OFFICES_MAX; i++) {
		snprintf(offices[i].office_code, sizeof(offices[i].office_code), "O%03u", i);
		offices[i].role = ROLE_READER;
	}
	s.u.space.offices = offices;
	s.u.space.office_count = SPACE_OFFICES_MAX;
	say(w, &s, base(w), &w->eve.identity, w->eve.sign_secret);
	assert_true(w->list[0].size > 3 << 10);
	assert_int_equal(hear_count(w), 1);
	assert_true(weighed(w, &w->eve)->weight > 3);
}

/* Keys that nobody admitted are nobody's, whatever node they claim. */
static void nobody_is_charged_with_what_another_says(void **state)
{
	struct world *w = *state;
	struct statement s = { .type = STATEMENT_EPOCH };
	struct statement_id parent = base(w);
	struct forge thief = w->eve;
	struct office fresh;
	size_t added;

	office_open(&fresh, NULL, 9);
	thief.identity = fresh.identity;
	memcpy(thief.sign_secret, fresh.sign_secret, SIGN_SECRET_BYTES);
	s.u.epoch.node = node_of(w, &w->fred);
	s.u.epoch.identity = fresh.identity;
	s.u.epoch.reason = EPOCH_MOVED;
	say(w, &s, parent, &fresh.identity, fresh.sign_secret);
	for (size_t i = 0; i < NODE_STATEMENTS_MAX + 50; i++)
		say_space(w, &thief, parent);
	hear(w, &added);
	assert_int_equal(added, NODE_STATEMENTS_MAX);
	assert_int_equal(weighed(w, &w->fred)->weight, 0);
	say_space(w, &w->fred, parent);
	assert_int_equal(hear_count(w), 1);
	office_close(&fresh);
}

/* What others write under it would not be taken without. */
static void next_epoch_is_taken_all_the_same(void **state)
{
	struct world *w = *state;
	struct statement_id parent = base(w);
	struct statement s = { .type = STATEMENT_EPOCH };

	fill_up(w);
	s.u.epoch.node = node_of(w, &w->eve);
	s.u.epoch.identity = w->eve.identity;
	s.u.epoch.identity.nonce[0] ^= 1;
	s.u.epoch.reason = EPOCH_MOVED;
	say(w, &s, parent, &w->eve.identity, w->eve.sign_secret);
	assert_int_equal(hear_count(w), 1);
}

static void who_has_said_so_much_is_told(void **state)
{
	struct world *w = *state;
	struct forge b = { .identity = w->b.identity };
	struct statement s = { .type = STATEMENT_ADMIN };
	struct errmsg why;

	memcpy(b.sign_secret, w->b.sign_secret, SIGN_SECRET_BYTES);
	s.u.admin.node = node_of(w, &b);
	OFFICE_MUST(replica_state(w->a.replica, &s, NULL, 0, w->a.now_ms, &msg));
	say_spaces(w, &b, NODE_STATEMENTS_MAX);
	hear_count(w);
	office_pull_statements(&w->b, &w->a);
	s = (struct statement){ .type = STATEMENT_SPACE,
				.u.space = { .offices = offices_of_eve, .office_count = 1 } };
	assert_int_equal(replica_state(w->b.replica, &s, NULL, 0, w->b.now_ms, &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "an admin may do it instead"));
	OFFICE_MUST(replica_new_epoch(w->b.replica, EPOCH_MOVED, NULL, NULL, w->b.now_ms, &msg));
}

/* ---- What is needed after all ------------------------------------------------------ */

/* So many more, each after the one before, as somebody else may have taken them. */
static void say_chain(struct world *w, size_t count)
{
	struct statement_id parent = w->last;

	for (size_t i = 0; i < count; i++)
		parent = say_space(w, &w->eve, parent);
}

static void say_admin_after(struct world *w, const struct forge *of, const struct node_identity *by,
			    const uint8_t *secret)
{
	struct statement s = { .type = STATEMENT_ADMIN };

	s.u.admin.node = node_of(w, of);
	say(w, &s, w->last, by, secret);
}

static void what_an_admin_has_seen_is_taken_after_all(void **state)
{
	struct world *w = *state;

	fill_up(w);
	say_chain(w, 700);
	assert_int_equal(hear_count(w), 0);
	say_chain(w, 300);
	say_admin_after(w, &w->eve, &w->b.identity, w->b.sign_secret);
	assert_int_equal(hear_count(w), 1001);
	assert_true(aside_is_empty(w->aside));
	assert_int_equal(weighed(w, &w->eve)->weight, NODE_STATEMENTS_MAX + 1000);
}

/* A node that she has admitted in vain: what it signed is taken with what names its key. */
static void what_names_a_signer_is_taken_with_it(void **state)
{
	struct world *w = *state;
	struct statement s = { .type = STATEMENT_ADMIT };
	struct statement_id parent = base(w);
	struct forge friend = w->eve;
	struct office fresh;

	office_open(&fresh, NULL, 9);
	friend.identity = fresh.identity;
	memcpy(friend.sign_secret, fresh.sign_secret, SIGN_SECRET_BYTES);
	fill_up(w);
	s.u.admit = (struct node_entry){ .office_code = "FRN", .identity = fresh.identity };
	s.u.admit.node.bytes[0] = 7;
	say(w, &s, parent, &w->eve.identity, w->eve.sign_secret);
	say_space(w, &friend, parent);
	assert_int_equal(hear_count(w), 0);
	say_admin_after(w, &w->eve, &w->b.identity, w->b.sign_secret);
	assert_int_equal(hear_count(w), 3);
	office_close(&fresh);
}

/* Only that. */
static void what_nobody_has_seen_stays_aside(void **state)
{
	struct world *w = *state;
	struct statement_id seen;

	fill_up(w);
	say_chain(w, 10);
	seen = w->last;
	say_chain(w, 5);
	w->last = seen;
	say_admin_after(w, &w->eve, &w->b.identity, w->b.sign_secret);
	assert_int_equal(hear_count(w), 11);
	assert_false(aside_is_empty(w->aside));
}

/* Or two could fill the set, one by saying much and the other by having seen it. */
static void what_a_member_has_seen_is_taken_to_some_extent(void **state)
{
	struct world *w = *state;

	fill_up(w);
	say_chain(w, 3 * NODE_STATEMENTS_MAX - 100);
	say_space(w, &w->fred, w->last);
	assert_int_equal(hear_count(w), 3 * NODE_STATEMENTS_MAX - 99);
	say_chain(w, 200);
	say_space(w, &w->fred, w->last);
	assert_int_equal(hear_count(w), 0);
	assert_int_equal(weighed(w, &w->eve)->weight, 4 * NODE_STATEMENTS_MAX - 100);
}

/* ---- Refusals ------------------------------------------------------------------------ */

static void what_is_refused_keeps_nothing_else_out(void **state)
{
	struct world *w = *state;
	struct statement_id parent = base(w), good;
	struct statements_receipt receipt;
	size_t added;

	good = say_space(w, &w->eve, parent);
	say_space(w, &w->eve, parent);
	((uint8_t *)w->list[1].data)[w->list[1].size - 1] ^= 1;
	say_space(w, &w->eve, w->last); /* rests on it */
	w->list[w->count++] = bytes_of_str("no statement");
	say_space(w, &w->fred, good);
	receipt = hear(w, &added);
	assert_int_equal(added, 2);
	assert_int_equal(receipt.refusal.code, ERR_SIGNATURE);
	assert_int_equal(receipt.set_aside, 0);
}

static void fork_is_nobodys_parent(void **state)
{
	struct world *w = *state;
	struct statement_id parent = base(w);
	struct statements_receipt receipt;
	struct witness witnesses[2];
	struct statement s = { .type = STATEMENT_FORK };
	uint8_t links[2][LINK_BYTES];
	struct buf encoded = BUF_EMPTY;
	size_t added;

	for (unsigned i = 0; i < 2; i++) {
		memset(&witnesses[i], (int)i + 1, sizeof(witnesses[i]));
		witness_link(links[i], &witnesses[i], &w->directory, &w->eve.identity.replica, 1);
		changeset_sign(witnesses[i].signature, links[i], w->eve.sign_secret);
	}
	s.u.fork.space = w->directory;
	memcpy(s.u.fork.sign_key, w->eve.identity.sign_key, SIGN_PUBLIC_BYTES);
	memcpy(s.u.fork.nonce, w->eve.identity.nonce, ID_BYTES);
	s.u.fork.seq = 1;
	for (unsigned i = 0; i < 2; i++)
		s.u.fork.witnesses[i] =
			witnesses[memcmp(links[0], links[1], LINK_BYTES) < 0 ? i : 1 - i];
	OFFICE_MUST(statement_sign(&encoded, &s, NULL, 0, &msg));
	w->list[w->count++] = buf_bytes(&encoded);
	say_space(w, &w->eve, s.id);
	say_space(w, &w->fred, parent);
	receipt = hear(w, &added);
	assert_int_equal(added, 2);
	assert_int_equal(receipt.refusal.code, ERR_INVALID);
	assert_non_null(strstr(receipt.refusal.text, "it builds on a fork"));
	say_space(w, &w->eve, s.id);
	receipt = hear(w, &added);
	assert_int_equal(receipt.refusal.code, ERR_INVALID);
	buf_release(&encoded);
}

/* ---- Parents --------------------------------------------------------------------------- */

/* A statement can name 64. Whoever makes more heads than that must not crowd out what
 * ours rests on. */
static void crowd_of_heads_hides_nothing(void **state)
{
	struct world *w = *state;
	struct statement space = { .type = STATEMENT_SPACE,
				   .u.space = { .offices = offices_of_eve, .office_count = 1 } };
	struct statement grant = { .type = STATEMENT_GRANT };

	say_spaces(w, &w->eve, 10 * PARENTS_MAX);
	hear_count(w);
	OFFICE_MUST(replica_state(w->a.replica, &space, NULL, 0, w->a.now_ms, &msg));
	grant.u.grant.space = statement_space(&space.id);
	memcpy(grant.u.grant.office_code, "FRA", 4);
	grant.u.grant.role = ROLE_EDITOR;
	OFFICE_MUST(replica_state(w->a.replica, &grant, NULL, 0, w->a.now_ms, &msg));
	assert_int_equal(trust_role(replica_trust(w->a.replica), &grant.u.grant.space, "FRA"),
			 ROLE_EDITOR);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_one_node_so_much_is_taken_and_no_more),
		TEST(admins_have_no_quota),
		TEST(long_statements_weigh_more),
		TEST(nobody_is_charged_with_what_another_says),
		TEST(next_epoch_is_taken_all_the_same),
		TEST(who_has_said_so_much_is_told),
		TEST(what_an_admin_has_seen_is_taken_after_all),
		TEST(what_names_a_signer_is_taken_with_it),
		TEST(what_nobody_has_seen_stays_aside),
		TEST(what_a_member_has_seen_is_taken_to_some_extent),
		TEST(what_is_refused_keeps_nothing_else_out),
		TEST(fork_is_nobodys_parent),
		TEST(crowd_of_heads_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
