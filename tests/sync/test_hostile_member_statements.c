/* sync: a member with a valid key that states what it must not. It is refused by name or counts
 * nowhere, and two honest offices go on as if it had said nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sync/hostile.h"

/* ---- Kinds of hostility ---------------------------------------------------------------- */

static struct record_id node_of(const struct scene *s, const struct site *site)
{
	return replica_member_by_noise_key(s->a->office.replica, site->office.identity.noise_key)
		->node;
}

/* New keys, of nobody. */
static struct node_identity fresh_identity(struct scene *s)
{
	struct node_identity identity = s->eve->office.identity;

	prng_fill(&s->eve->dice, identity.noise_key, NOISE_KEY_BYTES);
	prng_fill(&s->eve->dice, identity.nonce, ID_BYTES);
	identity.replica = epoch_replica(identity.sign_key, identity.nonce);
	return identity;
}

static void admits(struct scene *s)
{
	struct statement st = { .type = STATEMENT_ADMIT };
	struct office friend;

	office_open(&friend, NULL, 77);
	st.u.admit = (struct node_entry){ .office_code = "EVL",
					  .is_admin = true,
					  .identity = friend.identity };
	prng_fill(&s->eve->dice, st.u.admit.node.bytes, ID_BYTES);
	eve_states(s, &st, NULL, NULL);
	office_close(&friend);
}

static void makes_itself_admin(struct scene *s)
{
	struct statement st = { .type = STATEMENT_ADMIN };

	st.u.admin.node = node_of(s, s->eve);
	st.u.admin.is_admin = true;
	eve_states(s, &st, NULL, NULL);
}

static void revokes_another(struct scene *s)
{
	struct statement st = { .type = STATEMENT_REVOKE };

	st.u.revoke.node = node_of(s, s->b);
	eve_states(s, &st, NULL, NULL);
}

static void grants_itself_a_space(struct scene *s)
{
	struct statement st = { .type = STATEMENT_GRANT };

	st.u.grant.space = s->private;
	memcpy(st.u.grant.office_code, "NYC", 4);
	st.u.grant.role = ROLE_MANAGER;
	eve_states(s, &st, NULL, NULL);
}

static void takes_a_space_from_another(struct scene *s)
{
	struct statement st = { .type = STATEMENT_GRANT };

	st.u.grant.space = s->shared;
	memcpy(st.u.grant.office_code, "FRA", 4);
	st.u.grant.role = ROLE_READER;
	eve_states(s, &st, NULL, NULL);
}

static void replaces_the_roots(struct scene *s)
{
	struct statement st = { .type = STATEMENT_ROOTS };
	struct sign_key key;

	memcpy(key.bytes, s->forge.identity.sign_key, SIGN_PUBLIC_BYTES);
	st.u.roots = (struct roots){ 1, &key, 1 };
	eve_states(s, &st, NULL, NULL);
}

static void begins_anothers_epoch(struct scene *s)
{
	struct statement st = { .type = STATEMENT_EPOCH };

	st.u.epoch.node = node_of(s, s->b);
	st.u.epoch.identity = fresh_identity(s);
	st.u.epoch.reason = EPOCH_RESTORED;
	eve_states(s, &st, NULL, NULL);
}

static void signs_with_a_key_of_nobody(struct scene *s)
{
	struct statement st = { .type = STATEMENT_REVOKE };
	struct office nobody;

	office_open(&nobody, NULL, 78);
	st.u.revoke.node = node_of(s, s->b);
	eve_states(s, &st, nobody.sign_secret, nobody.identity.sign_key);
	office_close(&nobody);
}

static void signs_with_anothers_key(struct scene *s)
{
	struct statement st = { .type = STATEMENT_REVOKE };

	st.u.revoke.node = node_of(s, s->b);
	eve_states(s, &st, NULL, s->a->office.identity.sign_key);
}

static struct witness made_up_witness(struct scene *s, uint8_t link[LINK_BYTES], uint64_t seq)
{
	struct witness w;

	prng_fill(&s->eve->dice, (uint8_t *)&w, sizeof(w));
	witness_link(link, &w, &s->shared, replica_id(s->b->office.replica), seq);
	changeset_sign(w.signature, link, s->forge.sign_secret);
	return w;
}

/* Two changesets of Frankfurt's that Frankfurt never signed. */
static void fork_that_proves_nothing(struct scene *s)
{
	const struct node_identity *b = &s->b->office.identity;
	struct statement st = { .type = STATEMENT_FORK };
	struct buf encoded = BUF_EMPTY;
	uint8_t links[2][LINK_BYTES];
	struct witness first = made_up_witness(s, links[0], 1);
	struct witness second = made_up_witness(s, links[1], 1);
	bool is_ascending = memcmp(links[0], links[1], LINK_BYTES) < 0;

	st.u.fork.space = s->shared;
	memcpy(st.u.fork.sign_key, b->sign_key, SIGN_PUBLIC_BYTES);
	memcpy(st.u.fork.nonce, b->nonce, ID_BYTES);
	st.u.fork.seq = 1;
	st.u.fork.witnesses[0] = is_ascending ? first : second;
	st.u.fork.witnesses[1] = is_ascending ? second : first;
	OFFICE_MUST(statement_sign(&encoded, &st, NULL, 0, &msg));
	eve_states_bytes(s, buf_bytes(&encoded));
	buf_release(&encoded);
}

static void statement_of_no_msgpack(struct scene *s)
{
	eve_states_bytes(s, bytes_of_str("\x92\xc4\x02hi"));
}

/* ---- What comes of it ------------------------------------------------------------------ */

static void bad_statements_are_refused_by_name(void **state)
{
	static const struct hostility cases[] = {
		CASE(signs_with_a_key_of_nobody, REFUSED("authority", "statement ")),
		CASE(signs_with_anothers_key,
		     REFUSED("signature", "statement: a revoke whose signatures do not verify")),
		CASE(fork_that_proves_nothing,
		     REFUSED("signature", "statement: a fork whose signatures do not verify")),
		CASE(statement_of_no_msgpack,
		     REFUSED("format", "statement: a malformed one of 5 bytes")),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(&cases[i]);
}

/* The verdict of the statement that came last. */
static bool note_verdict(void *ctx, const struct statement *s, struct bytes encoded,
			 enum verdict verdict)
{
	enum verdict *last = ctx;

	*last = verdict;
	return true;
}

/* It is kept, for all see the same set, and says nothing. */
static void statements_without_authority_count_nowhere(void **state)
{
	static const struct hostility cases[] = {
		CASE(admits, "", ""),
		CASE(makes_itself_admin, "", ""),
		CASE(revokes_another, "", ""),
		CASE(grants_itself_a_space, "", ""),
		CASE(takes_a_space_from_another, "", ""),
		CASE(replaces_the_roots, "", ""),
		CASE(begins_anothers_epoch, "", ""),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum verdict verdicts[2] = { VERDICT_STANDS, VERDICT_STANDS };
		struct standing before, after;
		struct scene s;

		scene_init(&s);
		before = standing_of(s.a);
		eve_calls(&s, s.a);
		cases[i].commit(&s);
		world_pass(&s.world, MINUTE_MS);
		OFFICE_MUST(replica_each_statement(s.a->office.replica, note_verdict, &verdicts[0],
						   &msg));
		OFFICE_MUST(replica_each_statement(s.b->office.replica, note_verdict, &verdicts[1],
						   &msg));
		if (verdicts[0] != VERDICT_NO_AUTHORITY || verdicts[1] != VERDICT_NO_AUTHORITY)
			fail_msg("%s: %s, %s", cases[i].name, verdict_name(verdicts[0]),
				 verdict_name(verdicts[1]));
		after = standing_of(s.a);
		assert_same_standing(&before, &after);
		after = standing_of(s.b);
		assert_same_standing(&before, &after);
		assert_honest_go_on(&s);
		scene_release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_statements_are_refused_by_name),
		cmocka_unit_test(statements_without_authority_count_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
