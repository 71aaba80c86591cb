/* core/statement: every signer must have signed; witnesses, and the forks that they prove. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/core/plain_statements.h"

/* ---- Signatures ------------------------------------------------------------ */

static struct signer signer_of(const struct actor *key, const struct actor *secret)
{
	struct signer signer = { .secret = secret->secret };

	memcpy(signer.key.bytes, key->identity.sign_key, SIGN_PUBLIC_BYTES);
	return signer;
}

static enum err sign_and_verify(const struct statement *s, const struct signer *signers,
				size_t count)
{
	struct statement copy = *s;
	struct buf out = BUF_EMPTY;
	struct errmsg why;
	enum err rc;

	assert_int_equal(statement_sign(&out, &copy, signers, count, &why), OK);
	rc = try_verify(buf_bytes(&out));
	buf_release(&out);
	return rc;
}

static void every_signer_must_have_signed(void **state)
{
	struct world w;
	struct signer signers[2];
	const struct statement *admin;

	world_open(&w);
	admin = w.said.list[STATEMENT_ADMIN - 1];
	signers[0] = signer_of(&w.a, &w.a);
	signers[1] = signer_of(&w.b, &w.b);
	assert_int_equal(sign_and_verify(admin, signers, 2), OK);
	signers[1] = signer_of(&w.b, &w.a);
	assert_int_equal(sign_and_verify(admin, signers, 2), ERR_SIGNATURE);
	signers[0] = signer_of(&w.a, &w.b);
	signers[1] = signer_of(&w.b, &w.b);
	assert_int_equal(sign_and_verify(admin, signers, 2), ERR_SIGNATURE);
	world_close(&w);
}

static void order_of_signers_does_not_show(void **state)
{
	struct world w;
	struct signer one[2], two[2];
	struct statement s, t;
	struct buf first = BUF_EMPTY, second = BUF_EMPTY;
	struct errmsg why;

	world_open(&w);
	one[0] = two[1] = signer_of(&w.a, &w.a);
	one[1] = two[0] = signer_of(&w.b, &w.b);
	s = t = *w.said.list[STATEMENT_ADMIN - 1];
	assert_int_equal(statement_sign(&first, &s, one, 2, &why), OK);
	assert_int_equal(statement_sign(&second, &t, two, 2, &why), OK);
	assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
	assert_int_equal(statement_id_cmp(&s.id, &t.id), 0);
	buf_release(&first);
	buf_release(&second);
	world_close(&w);
}

/* Nobody can make known a key that they don't have. */
static void new_identity_signs_for_itself(void **state)
{
	struct world w;
	struct signer others[2];

	world_open(&w);
	others[0] = signer_of(&w.root, &w.root);
	others[1] = signer_of(&w.a, &w.a);
	assert_int_equal(sign_and_verify(w.said.list[STATEMENT_GENESIS - 1], others, 2), OK);
	assert_int_equal(sign_and_verify(w.said.list[STATEMENT_GENESIS - 1], others, 1),
			 ERR_SIGNATURE);
	assert_int_equal(sign_and_verify(w.said.list[STATEMENT_EPOCH - 1], others, 2),
			 ERR_SIGNATURE);
	world_close(&w);
}

/* ---- Witnesses ------------------------------------------------------------- */

static void witness_shows_what_was_signed(void **state)
{
	struct feed_head before = { .seq = 41 };
	uint8_t link[LINK_BYTES], shown[LINK_BYTES], signature[SIGNATURE_BYTES];
	struct bytes body = bytes_of_str("the body");
	struct space_id other_space;
	struct witness witness;
	struct world w;

	world_open(&w);
	memset(before.link, 1, LINK_BYTES);
	memset(before.signature, 2, SIGNATURE_BYTES);
	changeset_link(link, &w.space, &w.a.identity.replica, &before, body);
	changeset_sign(signature, link, w.a.secret);
	witness = witness_of(&before, body, signature);
	witness_link(shown, &witness, &w.space, &w.a.identity.replica, 42);
	assert_memory_equal(shown, link, LINK_BYTES);

	other_space = w.directory;
	assert_true(witness_is_valid(&witness, &w.space, &w.a.identity.replica, 42,
				     w.a.identity.sign_key));
	assert_false(witness_is_valid(&witness, &other_space, &w.a.identity.replica, 42,
				      w.a.identity.sign_key));
	assert_false(witness_is_valid(&witness, &w.space, &w.b.identity.replica, 42,
				      w.a.identity.sign_key));
	assert_false(witness_is_valid(&witness, &w.space, &w.a.identity.replica, 41,
				      w.a.identity.sign_key));
	assert_false(witness_is_valid(&witness, &w.space, &w.a.identity.replica, 42,
				      w.b.identity.sign_key));
	for (size_t bit = 0; bit < 8 * sizeof(witness); bit++) {
		((uint8_t *)&witness)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(witness_is_valid(&witness, &w.space, &w.a.identity.replica, 42,
					      w.a.identity.sign_key));
		((uint8_t *)&witness)[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	world_close(&w);
}

static void swap_witnesses(struct statement *fork)
{
	struct witness first = fork->u.fork.witnesses[0];

	fork->u.fork.witnesses[0] = fork->u.fork.witnesses[1];
	fork->u.fork.witnesses[1] = first;
}

static enum err try_fork(const struct statement *fork)
{
	struct buf content = BUF_EMPTY, input = BUF_EMPTY;
	enum err rc;

	statement_put_content(&content, fork);
	wrap(&input, buf_bytes(&content), NULL, 0);
	rc = try_verify(buf_bytes(&input));
	buf_release(&content);
	buf_release(&input);
	return rc;
}

/* A fork has one form, whoever finds it: witnesses ascend, and there is no time. */
static void fork_is_told_in_one_way(void **state)
{
	struct statement fork;
	struct world w;

	world_open(&w);
	fork = *w.said.list[STATEMENT_FORK - 1];
	assert_int_equal(try_fork(&fork), OK);
	fork.wall_ms = 1;
	assert_int_equal(try_fork(&fork), ERR_FORMAT);
	fork.wall_ms = 0;
	swap_witnesses(&fork);
	assert_int_equal(try_fork(&fork), ERR_FORMAT);
	fork.u.fork.witnesses[0] = fork.u.fork.witnesses[1];
	assert_int_equal(try_fork(&fork), ERR_FORMAT);

	/* There is no changeset 0, in whatever order its links are. */
	fork = *w.said.list[STATEMENT_FORK - 1];
	fork.u.fork.seq = 0;
	assert_int_equal(try_fork(&fork), ERR_FORMAT);
	swap_witnesses(&fork);
	assert_int_equal(try_fork(&fork), ERR_FORMAT);
	world_close(&w);
}

/* What a replica signed proves nothing against another one. */
static void fork_is_proved_by_its_own_key_only(void **state)
{
	struct statement fork;
	struct world w;
	enum err rc;

	world_open(&w);
	fork = *w.said.list[STATEMENT_FORK - 1];
	memcpy(fork.u.fork.sign_key, w.a.identity.sign_key, SIGN_PUBLIC_BYTES);
	memcpy(fork.u.fork.nonce, w.a.identity.nonce, ID_BYTES);
	rc = try_fork(&fork);
	if (rc == ERR_FORMAT) { /* other links, so perhaps another order */
		swap_witnesses(&fork);
		rc = try_fork(&fork);
	}
	assert_int_equal(rc, ERR_SIGNATURE);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_signer_must_have_signed),
		cmocka_unit_test(order_of_signers_does_not_show),
		cmocka_unit_test(new_identity_signs_for_itself),
		cmocka_unit_test(witness_shows_what_was_signed),
		cmocka_unit_test(fork_is_told_in_one_way),
		cmocka_unit_test(fork_is_proved_by_its_own_key_only),
	};

	return cmocka_run_group_tests(tests, sodium_ready, NULL);
}
