/* One statement of each type, as docs/PROTOCOL.md shows them, and what becomes of their bytes.
 * Include it after cmocka.h. */
#ifndef HT_TESTS_CORE_PLAIN_STATEMENTS_H
#define HT_TESTS_CORE_PLAIN_STATEMENTS_H

#include <sodium.h>

#include "core/limits.h"
#include "core/statement.h"
#include "core/wire.h"
#include "tests/support/statements.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What belongs to an actor is of one repeated byte: id, Ed25519 seed, Noise key, nonce. */
struct world {
	struct statements said; /* list[type - 1] */
	struct actor root, a, a_next, b;
	struct space_id directory, space;
};

static inline void plain_keys(struct actor *actor, uint8_t byte)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	memset(seed, byte, sizeof(seed));
	memset(actor->identity.noise_key, byte, NOISE_KEY_BYTES);
	memset(actor->identity.nonce, byte, ID_BYTES);
	crypto_sign_seed_keypair(actor->identity.sign_key, actor->secret, seed);
	actor->identity.replica = epoch_replica(actor->identity.sign_key, actor->identity.nonce);
}

static inline void plain_actor(struct actor *actor, uint8_t byte, const char *office_code)
{
	actor_init(actor, byte, office_code);
	memset(actor->node.bytes, byte, ID_BYTES);
	plain_keys(actor, byte);
}

static inline struct cut plain_cut(const struct actor *actor, const struct space_id *space,
				   uint64_t seq)
{
	struct cut cut = { .replica = actor->identity.replica, .space = *space, .seq = seq };

	memset(cut.link, 0x11, LINK_BYTES);
	return cut;
}

static inline void say_plain_genesis(struct world *w)
{
	struct statement s = { .type = STATEMENT_GENESIS };

	memset(s.u.genesis.nonce, 0x0f, ID_BYTES);
	s.u.genesis.roots.threshold = 1;
	s.u.genesis.roots.keys = (const struct sign_key *)w->root.identity.sign_key;
	s.u.genesis.roots.count = 1;
	s.u.genesis.node = (struct node_entry){
		.node = w->a.node, .office_code = "SHA", .is_admin = true, .identity = w->a.identity
	};
	w->directory = statement_space(&say(&w->said, BY(&w->a), AFTER_NONE, &s)->id);
}

static inline void say_plain_space(struct world *w)
{
	static const struct office_role offices[] = { { "FRA", ROLE_EDITOR },
						      { "SHA", ROLE_MANAGER } };
	struct statement s = { .type = STATEMENT_SPACE };

	memset(s.u.space.nonce, 0x5e, ID_BYTES);
	s.u.space.offices = offices;
	s.u.space.office_count = COUNT_OF(offices);
	w->space = statement_space(&say(&w->said, BY(&w->a), AFTER_ALL, &s)->id);
}

static inline void world_open(struct world *w)
{
	struct statements *said = &w->said;

	statements_init(said, 1);
	said->now_ms = 1795305600000;
	plain_actor(&w->root, 0xc3, "");
	plain_actor(&w->a, 0xa1, "SHA");
	plain_actor(&w->b, 0xb2, "FRA");
	w->b.block = 1;
	w->a_next = w->a;
	plain_keys(&w->a_next, 0xa2);

	say_plain_genesis(w);
	say_admit(said, BY(&w->a), AFTER_ALL, &w->b, false);
	say_admin(said, BY(&w->root), AFTER_ALL, &w->b, true);
	say_revoke(said, BY(&w->a), AFTER_ALL, &w->b, CUTS(plain_cut(&w->b, &w->directory, 7)));
	say_epoch(said, BY(&w->a, &w->a_next), AFTER_ALL, &w->a_next, EPOCH_ROTATED,
		  &CUTS(plain_cut(&w->a, &w->directory, 300)));
	say_adopt(said, BY(&w->root), AFTER_ALL, CUTS(plain_cut(&w->b, &w->directory, 9)));
	say_plain_space(w);
	say_grant(said, BY(&w->a), AFTER_ALL, &w->space, "FRA", ROLE_READER,
		  CUTS(plain_cut(&w->b, &w->space, 2)));
	say_roots(said, BY(&w->root), AFTER_ALL, 2, ROOTS(&w->root, &w->a, &w->b));
	say_fork(said, &w->b, &w->directory, 8);
	assert_int_equal(said->count, STATEMENT_TYPE_COUNT - 1);
}

static inline void world_close(struct world *w)
{
	statements_release(&w->said);
}

static inline struct bytes encoded_of(const struct world *w, enum statement_type type)
{
	return statements_encoded(w->said.list[type - 1]);
}

/* The content with these signatures around it. */
static inline void wrap(struct buf *out, struct bytes content, const uint8_t *signatures,
			size_t count)
{
	wire_put_array(out, 2);
	wire_put_bin(out, content);
	wire_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		wire_put_bin(out, bytes_of(signatures + i * SIGNATURE_BYTES, SIGNATURE_BYTES));
}

static inline enum err try_decode(struct bytes input)
{
	struct arena arena = ARENA_EMPTY;
	struct statement s = { .type = STATEMENT_TYPE_COUNT };
	struct errmsg why = { .text = "" };
	enum err rc = statement_decode(&s, input, &arena, &why);

	if (rc != OK) {
		assert_int_equal(s.type, STATEMENT_TYPE_COUNT);
		assert_non_null(strstr(why.text, "statement"));
	}
	arena_release(&arena);
	return rc;
}

static inline enum err try_verify(struct bytes input)
{
	struct arena arena = ARENA_EMPTY;
	struct statement s;
	struct errmsg why;
	enum err rc = statement_decode(&s, input, &arena, &why);

	if (rc == OK)
		rc = statement_verify(&s, input, &why);
	arena_release(&arena);
	return rc;
}

static inline int sodium_ready(void **state)
{
	return sodium_init() < 0;
}

#endif
