/* core/statement: each statement comes back as it was written, has one form, and
 * every way to break it is refused; signatures and witnesses notice any bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "core/limits.h"
#include "core/statement.h"
#include "core/wire.h"
#include "tests/support/document.h"
#include "tests/support/spell.h"
#include "tests/support/statements.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- A world --------------------------------------------------------------- */

/* One of each type, as docs/PROTOCOL.md shows them. What belongs to an actor is of
 * one repeated byte: id, Ed25519 seed, Noise key, nonce. */
struct world {
	struct statements said; /* list[type - 1] */
	struct actor root, a, a_next, b;
	struct space_id directory, space;
};

static void plain_keys(struct actor *actor, uint8_t byte)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	memset(seed, byte, sizeof(seed));
	memset(actor->identity.noise_key, byte, NOISE_KEY_BYTES);
	memset(actor->identity.nonce, byte, ID_BYTES);
	crypto_sign_seed_keypair(actor->identity.sign_key, actor->secret, seed);
	actor->identity.replica = epoch_replica(actor->identity.sign_key, actor->identity.nonce);
}

static void plain_actor(struct actor *actor, uint8_t byte, const char *office_code)
{
	actor_init(actor, byte, office_code);
	memset(actor->node.bytes, byte, ID_BYTES);
	plain_keys(actor, byte);
}

static struct cut plain_cut(const struct actor *actor, const struct space_id *space, uint64_t seq)
{
	struct cut cut = { .replica = actor->identity.replica, .space = *space, .seq = seq };

	memset(cut.link, 0x11, LINK_BYTES);
	return cut;
}

static void say_plain_genesis(struct world *w)
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

static void say_plain_space(struct world *w)
{
	static const struct office_role offices[] = { { "FRA", ROLE_EDITOR },
						      { "SHA", ROLE_MANAGER } };
	struct statement s = { .type = STATEMENT_SPACE };

	memset(s.u.space.nonce, 0x5e, ID_BYTES);
	s.u.space.offices = offices;
	s.u.space.office_count = COUNT_OF(offices);
	w->space = statement_space(&say(&w->said, BY(&w->a), AFTER_ALL, &s)->id);
}

static void world_open(struct world *w)
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

static void world_close(struct world *w)
{
	statements_release(&w->said);
}

static struct bytes encoded_of(const struct world *w, enum statement_type type)
{
	return statements_encoded(w->said.list[type - 1]);
}

/* The content with these signatures around it. */
static void wrap(struct buf *out, struct bytes content, const uint8_t *signatures, size_t count)
{
	wire_put_array(out, 2);
	wire_put_bin(out, content);
	wire_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		wire_put_bin(out, bytes_of(signatures + i * SIGNATURE_BYTES, SIGNATURE_BYTES));
}

static enum err try_decode(struct bytes input)
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

static enum err try_verify(struct bytes input)
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

/* ---- Round trips ----------------------------------------------------------- */

static void examples_of_the_document_are_what_is_signed(void **state)
{
	struct buf block = document_block("statements"), made = BUF_EMPTY;
	struct record_id office;
	struct world w;

	world_open(&w);
	for (enum statement_type type = STATEMENT_GENESIS; type < STATEMENT_TYPE_COUNT; type++) {
		struct bytes encoded = encoded_of(&w, type);

		buf_append(&made, encoded.data, encoded.size);
		document_assert(&block, statement_type_name(type), &made);
	}
	buf_append(&made, w.a.identity.replica.bytes, ID_BYTES);
	document_assert(&block, "replica of A", &made);
	office = office_record(w.said.list[0]->id.bytes, "SHA");
	buf_append(&made, office.bytes, ID_BYTES);
	document_assert(&block, "office SHA", &made);
	world_close(&w);
	buf_release(&block);
	buf_release(&made);
}

static void what_is_decoded_has_one_form(void **state)
{
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < w.said.count; i++) {
		const struct statement *s = w.said.list[i];
		struct wire_reader r = wire_reader_of(statements_encoded(s));
		struct buf content = BUF_EMPTY;
		struct statement_id id;

		statement_put_content(&content, s);
		wire_array(&r, 2);
		assert_true(bytes_equal(wire_bin(&r, STATEMENT_BYTES_MAX), buf_bytes(&content)));
		id = statement_id_of(buf_bytes(&content));
		assert_int_equal(statement_id_cmp(&id, &s->id), 0);
		assert_int_equal(s->type, i + 1);
		assert_int_equal(try_verify(statements_encoded(s)), OK);
		buf_release(&content);
	}
	world_close(&w);
}

static void decoding_tells_whose_replica_it_is(void **state)
{
	const struct statement *const *list;
	struct world w;

	world_open(&w);
	list = w.said.list;
	assert_int_equal(
		replica_id_cmp(&list[STATEMENT_GENESIS - 1]->u.genesis.node.identity.replica,
			       &w.a.identity.replica),
		0);
	assert_int_equal(replica_id_cmp(&list[STATEMENT_ADMIT - 1]->u.admit.identity.replica,
					&w.b.identity.replica),
			 0);
	assert_int_equal(replica_id_cmp(&list[STATEMENT_EPOCH - 1]->u.epoch.identity.replica,
					&w.a_next.identity.replica),
			 0);
	assert_int_equal(
		replica_id_cmp(&list[STATEMENT_FORK - 1]->u.fork.replica, &w.b.identity.replica),
		0);
	world_close(&w);
}

/* An epoch that doesn't close the ones before, and a closing one that leaves nothing. */
static void no_cuts_is_not_the_same_as_none_said(void **state)
{
	const struct statement *open, *closing;
	struct world w;

	world_open(&w);
	open = say_epoch(&w.said, BY(&w.a), AFTER_ALL, &w.a, EPOCH_RESTORED, NULL);
	closing = say_epoch(&w.said, BY(&w.a), AFTER_ALL, &w.a, EPOCH_RESTORED, &NO_CUTS);
	assert_false(open->u.epoch.is_closing);
	assert_true(closing->u.epoch.is_closing);
	assert_int_equal(closing->u.epoch.cut_count, 0);
	world_close(&w);
}

/* ---- Damage ---------------------------------------------------------------- */

static void statement_that_is_not_whole_is_refused(void **state)
{
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < w.said.count; i++) {
		struct bytes encoded = statements_encoded(w.said.list[i]);
		struct buf longer = BUF_EMPTY;

		for (size_t size = 0; size < encoded.size; size++)
			assert_int_equal(try_decode(bytes_of(encoded.data, size)), ERR_FORMAT);
		buf_append(&longer, encoded.data, encoded.size);
		buf_append_byte(&longer, 0);
		assert_int_equal(try_decode(buf_bytes(&longer)), ERR_FORMAT);
		buf_release(&longer);
	}
	world_close(&w);
}

static void every_bit_is_signed_or_is_signature(void **state)
{
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < w.said.count; i++) {
		struct bytes encoded = statements_encoded(w.said.list[i]);
		struct buf copy = BUF_EMPTY;

		buf_append(&copy, encoded.data, encoded.size);
		for (size_t bit = 0; bit < 8 * copy.size; bit++) {
			copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (try_verify(buf_bytes(&copy)) == OK)
				fail_msg("%s: bit %zu may be anything",
					 statement_type_name(w.said.list[i]->type), bit);
			copy.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		buf_release(&copy);
	}
	world_close(&w);
}

/* ---- Bytes that are no statement ------------------------------------------- */

/* Parents 1; signer 2; at the time 9. */
#define KNOWN   " [1 $1 [1 $2 9 "
#define NEW     " [0 [1 $2 9 "
#define KEYS    " [3 $3 $4 #5 "
#define NODE    " [5 #7 'SHA 0 T" KEYS
#define CUT     " [4 #1 #1 5 $6 "
#define NO_CUT  " [4 #1 #1 0 $0 "
#define WITNESS " [4 $1 %1 $1 %1 "

struct spelling {
	const char *content;
	enum err rc;
	int more_signatures; /* than one */
};

/* Beside what is refused stands what is not, so that each is refused for its reason. */
static const struct spelling spellings[] = {
	{ "[8 1 1" NEW "#1 [2 1 $3" NODE, OK },
	{ "[8 1 1" KNOWN "#1 [2 1 $3" NODE, ERR_FORMAT },              /* a genesis with a past */
	{ "[8 1 1 [0 [0 9 #1 [2 1 $3" NODE, ERR_FORMAT, -1 },          /* nobody signs it */
	{ "[8 1 1" NEW "#1 [2 1 $3 [5 #7 'SHA 0 F" KEYS, ERR_FORMAT }, /* no admin */
	{ "[8 1 1" NEW "#1 [2 0 $3" NODE, ERR_FORMAT },                /* no root need agree */
	{ "[8 1 1" NEW "#1 [2 2 $3" NODE, ERR_FORMAT },                /* more than there are */
	{ "[8 1 1" NEW "#1 [1 0" NODE, ERR_FORMAT },                   /* no root keys */
	{ "[8 1 1" NEW "#1 [0" NODE, ERR_FORMAT },
	{ "[8 1 1" NEW "#1 [3 2 $3 $4" NODE, OK },
	{ "[8 1 1" NEW "#1 [3 2 $4 $3" NODE, ERR_FORMAT }, /* root keys descend */
	{ "[8 1 1" NEW "#1 [3 2 $3 $3" NODE, ERR_FORMAT }, /* one root twice */
	{ "[8 1 1" NEW "#1 [2 17 $3" NODE, ERR_LIMIT },

	{ "[6 1 2" KNOWN NODE, OK },
	{ "[6 1 2" NEW NODE, ERR_FORMAT },              /* knows of nothing */
	{ "[6 1 2 [1 $1 [0 9" NODE, ERR_FORMAT, -1 },   /* nobody signs it */
	{ "[6 1 2 [1 $1 [2 $2 $3 9" NODE, ERR_FORMAT }, /* a signature is missing */
	{ "[6 1 2 [1 $1 [2 $2 $3 9" NODE, OK, 1 },
	{ "[6 1 2 [1 $1 [2 $3 $2 9" NODE, ERR_FORMAT, 1 }, /* signers descend */
	{ "[6 1 2 [1 $1 [2 $2 $2 9" NODE, ERR_FORMAT, 1 }, /* one signer twice */
	{ "[6 1 2 [1 $1 [1 $2 9" NODE, ERR_FORMAT, 1 },    /* a signature too many */
	{ "[6 1 2 [2 $1 $2 [1 $2 9" NODE, OK },
	{ "[6 1 2 [2 $2 $1 [1 $2 9" NODE, ERR_FORMAT }, /* parents descend */
	{ "[6 1 2 [2 $1 $1 [1 $2 9" NODE, ERR_FORMAT }, /* one parent twice */
	{ "[6 1 2 [1 #1 [1 $2 9" NODE, ERR_FORMAT },    /* an id too short */
	{ "[6 1 2 [1 $1 [1 $2 281474976710655" NODE, OK },
	{ "[6 1 2 [1 $1 [1 $2 281474976710656" NODE, ERR_LIMIT }, /* wall_ms */
	{ "[6 1 2" KNOWN "[5 #0 'SHA 0 T" KEYS, ERR_FORMAT },     /* no id */
	{ "[6 1 2" KNOWN "[5 #7 'S 0 T" KEYS, ERR_FORMAT },       /* codes */
	{ "[6 1 2" KNOWN "[5 #7 'sha 0 T" KEYS, ERR_FORMAT },
	{ "[6 1 2" KNOWN "[5 #7 ~SHA 0 T" KEYS, ERR_FORMAT },
	{ "[6 1 2" KNOWN "[5 #7 'ABCDEFGH 0 T" KEYS, OK },
	{ "[6 1 2" KNOWN "[5 #7 'ABCDEFGHI 0 T" KEYS, ERR_LIMIT },
	{ "[6 1 2" KNOWN "[5 #7 'SHA 17575 T" KEYS, OK },
	{ "[6 1 2" KNOWN "[5 #7 'SHA 17576 T" KEYS, ERR_LIMIT }, /* block */
	{ "[6 1 2" KNOWN "[5 #7 'SHA 0 1" KEYS, ERR_FORMAT },    /* a number for a bool */
	{ "[6 1 2" KNOWN "[4 #7 'SHA 0 T", ERR_FORMAT },         /* no keys */
	{ "[6 1 2" KNOWN "[5 #7 'SHA 0 T [2 $3 $4", ERR_FORMAT },

	{ "[7 1 3" KNOWN "#7 T", OK },
	{ "[7 1 3" KNOWN "#0 T", ERR_FORMAT },
	{ "[8 1 3" KNOWN "#7 T T", ERR_FORMAT }, /* an argument too many */
	{ "[6 1 3" KNOWN "#7", ERR_FORMAT },     /* and too few */
	{ "[7 1 3" KNOWN "#7 T T", ERR_FORMAT }, /* something after the end */
	{ "[7 0 3" KNOWN "#7 T", ERR_FORMAT },   /* versions, types */
	{ "[7 2 3" KNOWN "#7 T", ERR_VERSION },
	{ "[2 2 99", ERR_VERSION },
	{ "[7 1 0" KNOWN "#7 T", ERR_FORMAT },
	{ "[7 1 11" KNOWN "#7 T", ERR_VERSION },

	{ "[7 1 4" KNOWN "#7 [0", OK },
	{ "[7 1 4" KNOWN "#0 [0", ERR_FORMAT },
	{ "[7 1 4" KNOWN "#7 -", ERR_FORMAT },
	{ "[7 1 4" KNOWN "#7 [1" CUT, OK },
	{ "[7 1 4" KNOWN "#7 [1" NO_CUT, OK },
	{ "[7 1 4" KNOWN "#7 [1 [4 #1 #1 0 $6", ERR_FORMAT }, /* the link of nothing */
	{ "[7 1 4" KNOWN "#7 [1 [4 #1 #1 1099511627775 $6", OK },
	{ "[7 1 4" KNOWN "#7 [1 [4 #1 #1 1099511627776 $6", ERR_LIMIT }, /* seq */
	{ "[7 1 4" KNOWN "#7 [1 [3 #1 #1 5", ERR_FORMAT },
	{ "[7 1 4" KNOWN "#7 [2" CUT "[4 #1 #2 5 $6", OK },
	{ "[7 1 4" KNOWN "#7 [2" CUT "[4 #1 #0 5 $6", ERR_FORMAT }, /* spaces descend */
	{ "[7 1 4" KNOWN "#7 [2" CUT "[4 #0 #2 5 $6", ERR_FORMAT }, /* replicas descend */
	{ "[7 1 4" KNOWN "#7 [2" CUT "[4 #1 #1 6 $6", ERR_FORMAT }, /* one feed twice */

	{ "[9 1 5" KNOWN "#7" KEYS "0 -", OK },
	{ "[9 1 5" KNOWN "#7" KEYS "4 [1" CUT, OK },
	{ "[9 1 5" KNOWN "#7" KEYS "5 -", ERR_LIMIT }, /* reason */
	{ "[9 1 5" KNOWN "#0" KEYS "0 -", ERR_FORMAT },
	{ "[9 1 5" KNOWN "#7" KEYS "0 [2" CUT CUT, ERR_FORMAT },

	{ "[6 1 6" KNOWN "[1" CUT, OK },
	{ "[6 1 6" KNOWN "[0", ERR_FORMAT }, /* adopts nothing */
	{ "[6 1 6" KNOWN "[1" NO_CUT, ERR_FORMAT },
	{ "[6 1 6" KNOWN "[2" CUT CUT, ERR_FORMAT },

	{ "[7 1 7" KNOWN "#1 [4 'FRA 1 'SHA 3", OK },
	{ "[7 1 7" KNOWN "#1 [4 'SHA 1 'FRA 3", ERR_FORMAT }, /* offices descend */
	{ "[7 1 7" KNOWN "#1 [4 'SHA 1 'SHA 3", ERR_FORMAT }, /* one office twice */
	{ "[7 1 7" KNOWN "#1 [2 'SHA 0", ERR_FORMAT },        /* no role */
	{ "[7 1 7" KNOWN "#1 [2 'SHA 4", ERR_LIMIT },         /* none that we know */
	{ "[7 1 7" KNOWN "#1 [2 'sha 1", ERR_FORMAT },
	{ "[7 1 7" KNOWN "#1 [3 'FRA 1", ERR_FORMAT },
	{ "[7 1 7" KNOWN "#1 [3 'FRA 1 'SHA", ERR_FORMAT },
	{ "[7 1 7" KNOWN "#1 [0", ERR_FORMAT }, /* nobody's */

	{ "[9 1 8" KNOWN "#1 'SHA 0 [1" CUT, OK },
	{ "[9 1 8" KNOWN "#1 'SHA 1 [1" CUT, OK },
	{ "[9 1 8" KNOWN "#1 'SHA 2 [0", OK },
	{ "[9 1 8" KNOWN "#1 'SHA 2 [1" CUT, ERR_FORMAT }, /* an editor's feeds go on */
	{ "[9 1 8" KNOWN "#1 'SHA 3 [1" CUT, ERR_FORMAT },
	{ "[9 1 8" KNOWN "#1 'SHA 4 [0", ERR_LIMIT },      /* role */
	{ "[9 1 8" KNOWN "#2 'SHA 0 [1" CUT, ERR_FORMAT }, /* of another space */
	{ "[9 1 8" KNOWN "#1 'sha 0 [1" CUT, ERR_FORMAT },
	{ "[9 1 8" KNOWN "#1 'SHA 0 [2" CUT CUT, ERR_FORMAT },

	{ "[6 1 9" KNOWN "[3 2 $3 $4", OK },
	{ "[6 1 9" KNOWN "[3 3 $3 $4", ERR_FORMAT },

	{ "[10 1 10 [0 [0 0 #1 [2 $3 #4 5" WITNESS WITNESS, ERR_FORMAT, -1 }, /* no fork */
};

static void every_violation_is_refused(void **state)
{
	static const uint8_t zeros[2 * SIGNATURE_BYTES];

	for (size_t i = 0; i < COUNT_OF(spellings); i++) {
		const struct spelling *s = &spellings[i];
		struct buf content = spell(s->content), input = BUF_EMPTY;
		enum err rc;

		wrap(&input, buf_bytes(&content), zeros, (size_t)(1 + s->more_signatures));
		rc = try_decode(buf_bytes(&input));
		if (rc != s->rc)
			fail_msg("%s: %s, not %s", s->content, err_name(rc), err_name(s->rc));
		buf_release(&content);
		buf_release(&input);
	}
}

static void signature_of_another_size_is_refused(void **state)
{
	static const uint8_t zeros[SIGNATURE_BYTES + 1];

	for (size_t size = SIGNATURE_BYTES - 1; size <= SIGNATURE_BYTES + 1; size++) {
		struct buf content = spell("[7 1 3" KNOWN "#7 T"), input = BUF_EMPTY;

		wire_put_array(&input, 2);
		wire_put_bin(&input, buf_bytes(&content));
		wire_put_array(&input, 1);
		wire_put_bin(&input, bytes_of(zeros, size));
		assert_int_equal(try_decode(buf_bytes(&input)) == OK, size == SIGNATURE_BYTES);
		buf_release(&content);
		buf_release(&input);
	}
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

/* ---- Limits ---------------------------------------------------------------- */

/* As many as the longest list has, ascending, in the last bytes. */
struct crowd {
	struct sign_key keys[ROOTS_MAX + 1];
	struct statement_id parents[PARENTS_MAX + 1];
	struct cut cuts[CUTS_MAX + 1];
	struct office_role offices[SPACE_OFFICES_MAX + 1];
};

static struct crowd *crowd_new(void)
{
	struct crowd *c = calloc(1, sizeof(*c));

	for (size_t i = 0; i < COUNT_OF(c->keys); i++)
		c->keys[i].bytes[31] = (uint8_t)i;
	for (size_t i = 0; i < COUNT_OF(c->parents); i++)
		c->parents[i].bytes[31] = (uint8_t)i;
	for (size_t i = 0; i < COUNT_OF(c->cuts); i++) {
		c->cuts[i].replica.bytes[0] = (uint8_t)(i >> 8);
		c->cuts[i].replica.bytes[1] = (uint8_t)i;
		c->cuts[i].seq = SEQ_MAX;
	}
	for (size_t i = 0; i < COUNT_OF(c->offices); i++) {
		snprintf(c->offices[i].office_code, sizeof(c->offices[i].office_code), "A%07zu", i);
		c->offices[i].role = ROLE_READER;
	}
	return c;
}

/* Each fills one list up to its limit, and `more` beyond. */

static void crowd_parents(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_ADMIN;
	s->u.admin.node.bytes[0] = 1;
	s->parents = c->parents;
	s->parent_count = PARENTS_MAX + more;
}

static void crowd_revoke(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_REVOKE;
	s->u.revoke.node.bytes[0] = 1;
	s->u.revoke.cuts = c->cuts;
	s->u.revoke.cut_count = CUTS_MAX + more;
}

static void crowd_epoch(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_EPOCH;
	s->u.epoch.node.bytes[0] = 1;
	s->u.epoch.is_closing = true;
	s->u.epoch.cuts = c->cuts;
	s->u.epoch.cut_count = CUTS_MAX + more;
}

static void crowd_adopt(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_ADOPT;
	s->u.adopt.cuts = c->cuts;
	s->u.adopt.cut_count = CUTS_MAX + more;
}

static void crowd_grant(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_GRANT;
	strcpy(s->u.grant.office_code, "SHA");
	s->u.grant.cuts = c->cuts;
	s->u.grant.cut_count = CUTS_MAX + more;
}

static void crowd_space(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_SPACE;
	s->u.space.offices = c->offices;
	s->u.space.office_count = SPACE_OFFICES_MAX + more;
}

static void crowd_roots(struct statement *s, const struct crowd *c, size_t more)
{
	s->type = STATEMENT_ROOTS;
	s->u.roots = (struct roots){ 1, c->keys, ROOTS_MAX + more };
}

static const struct {
	const char *names; /* what the message says there is too much of */
	void (*fill)(struct statement *s, const struct crowd *c, size_t more);
} crowds[] = {
	{ "parents", crowd_parents }, { "feeds", crowd_revoke }, { "feeds", crowd_epoch },
	{ "feeds", crowd_adopt },     { "feeds", crowd_grant },  { "offices", crowd_space },
	{ "root keys", crowd_roots },
};

/* Signed by us, and as somebody else would write it. */
static void try_crowd(size_t i, const struct crowd *c, size_t more)
{
	static const uint8_t zeros[SIGNATURE_BYTES];
	struct statement s = { .parents = c->parents, .parent_count = 1 };
	struct buf sealed = BUF_EMPTY, content = BUF_EMPTY, input = BUF_EMPTY;
	struct errmsg why = { .text = "" };
	struct actor actor;
	struct signer signer;

	actor_init(&actor, 1, "SHA");
	memcpy(signer.key.bytes, actor.identity.sign_key, SIGN_PUBLIC_BYTES);
	signer.secret = actor.secret;
	crowds[i].fill(&s, c, more);
	buf_append_str(&sealed, "before");
	assert_int_equal(statement_sign(&sealed, &s, &signer, 1, &why), more ? ERR_LIMIT : OK);
	if (more) {
		assert_non_null(strstr(why.text, crowds[i].names));
		assert_int_equal(sealed.size, strlen("before"));
	}
	s.signers = &signer.key;
	s.signer_count = 1;
	statement_put_content(&content, &s);
	wrap(&input, buf_bytes(&content), zeros, 1);
	assert_int_equal(try_decode(buf_bytes(&input)), more ? ERR_LIMIT : OK);
	buf_release(&sealed);
	buf_release(&content);
	buf_release(&input);
}

static void what_is_over_a_limit_is_refused_by_its_name(void **state)
{
	struct crowd *c = crowd_new();

	for (size_t i = 0; i < COUNT_OF(crowds); i++) {
		try_crowd(i, c, 0);
		try_crowd(i, c, 1);
	}
	free(c);
}

static void seventeen_signers_are_too_many(void **state)
{
	struct statement_id parent = { { 1 } };
	struct statement s = { .type = STATEMENT_ADMIN, .parents = &parent, .parent_count = 1 };
	struct signer signers[SIGNERS_MAX + 1];
	struct actor actors[SIGNERS_MAX + 1];
	struct buf out = BUF_EMPTY;
	struct errmsg why = { .text = "" };

	for (unsigned i = 0; i < COUNT_OF(actors); i++) {
		actor_init(&actors[i], i, "SHA");
		memcpy(signers[i].key.bytes, actors[i].identity.sign_key, SIGN_PUBLIC_BYTES);
		signers[i].secret = actors[i].secret;
	}
	s.u.admin.node.bytes[0] = 1;
	assert_int_equal(statement_sign(&out, &s, signers, COUNT_OF(signers), &why), ERR_LIMIT);
	assert_non_null(strstr(why.text, "signers"));
	assert_int_equal(out.size, 0);
	assert_int_equal(statement_sign(&out, &s, signers, SIGNERS_MAX, &why), OK);
	assert_int_equal(try_verify(buf_bytes(&out)), OK);
	buf_release(&out);
}

static void statement_over_its_limit_is_not_even_looked_at(void **state)
{
	uint8_t *input = calloc(1, STATEMENT_BYTES_MAX + 1);
	struct arena arena = ARENA_EMPTY;
	struct statement s;
	struct errmsg why;

	assert_int_equal(
		statement_decode(&s, bytes_of(input, STATEMENT_BYTES_MAX + 1), &arena, &why),
		ERR_LIMIT);
	assert_int_equal(arena.total, 0);
	arena_release(&arena);
	free(input);
}

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

/* ---- Ids, names ------------------------------------------------------------ */

static void replica_follows_from_key_and_nonce(void **state)
{
	uint8_t parts[SIGN_PUBLIC_BYTES + ID_BYTES] = { 0 };
	struct replica_id id = epoch_replica(parts, parts + SIGN_PUBLIC_BYTES), other;

	for (size_t bit = 0; bit < 8 * sizeof(parts); bit++) {
		parts[bit / 8] ^= (uint8_t)(1 << bit % 8);
		other = epoch_replica(parts, parts + SIGN_PUBLIC_BYTES);
		assert_int_not_equal(replica_id_cmp(&id, &other), 0);
		parts[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	other = epoch_replica(parts, parts + SIGN_PUBLIC_BYTES);
	assert_int_equal(replica_id_cmp(&id, &other), 0);
}

static void office_is_its_code_in_its_organisation(void **state)
{
	const uint8_t org[ORG_ID_BYTES] = { 1 }, other_org[ORG_ID_BYTES] = { 2 };
	struct record_id id = office_record(org, "SHA"), again = office_record(org, "SHA");
	struct record_id other = office_record(other_org, "SHA"), next = office_record(org, "SHB");

	assert_int_equal(record_id_cmp(&id, &again), 0);
	assert_int_not_equal(record_id_cmp(&id, &other), 0);
	assert_int_not_equal(record_id_cmp(&id, &next), 0);
	for (char c = 'A'; c <= 'Z'; c++) {
		id = office_record(org, (const char[]){ c, c, '\0' });
		assert_int_equal(id.bytes[6] >> 4, 8); /* a UUIDv8 */
		assert_int_equal(id.bytes[8] >> 6, 2);
	}
}

static void office_codes_are_short_and_plain(void **state)
{
	static const struct {
		const char *code;
		bool is_valid;
	} cases[] = {
		{ "SHA", true },   { "A1", true },    { "12345678", true }, { "", false },
		{ "A", false },    { "sha", false },  { "SH A", false },    { "123456789", false },
		{ "上海", false }, { "SH-A", false },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(office_code_is_valid(cases[i].code), cases[i].is_valid);
}

static void roles_have_names(void **state)
{
	for (enum role role = ROLE_NONE; role < ROLE_COUNT; role++)
		assert_int_equal(role_named(role_name(role)), role);
	assert_int_equal(role_named("owner"), ROLE_COUNT);
	assert_int_equal(role_named(""), ROLE_COUNT);
	assert_string_equal(role_name(ROLE_EDITOR), "editor");
	assert_string_equal(role_name(ROLE_COUNT), "unknown");
	assert_string_equal(statement_type_name(STATEMENT_REVOKE), "revoke");
	assert_string_equal(statement_type_name(STATEMENT_TYPE_COUNT), "unknown");
	assert_string_equal(statement_type_name((enum statement_type)0), "unknown");
}

static int sodium_ready(void **state)
{
	return sodium_init() < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_document_are_what_is_signed),
		cmocka_unit_test(what_is_decoded_has_one_form),
		cmocka_unit_test(decoding_tells_whose_replica_it_is),
		cmocka_unit_test(no_cuts_is_not_the_same_as_none_said),
		cmocka_unit_test(statement_that_is_not_whole_is_refused),
		cmocka_unit_test(every_bit_is_signed_or_is_signature),
		cmocka_unit_test(every_violation_is_refused),
		cmocka_unit_test(signature_of_another_size_is_refused),
		cmocka_unit_test(fork_is_told_in_one_way),
		cmocka_unit_test(what_is_over_a_limit_is_refused_by_its_name),
		cmocka_unit_test(seventeen_signers_are_too_many),
		cmocka_unit_test(statement_over_its_limit_is_not_even_looked_at),
		cmocka_unit_test(every_signer_must_have_signed),
		cmocka_unit_test(order_of_signers_does_not_show),
		cmocka_unit_test(new_identity_signs_for_itself),
		cmocka_unit_test(witness_shows_what_was_signed),
		cmocka_unit_test(fork_is_proved_by_its_own_key_only),
		cmocka_unit_test(replica_follows_from_key_and_nonce),
		cmocka_unit_test(office_is_its_code_in_its_organisation),
		cmocka_unit_test(office_codes_are_short_and_plain),
		cmocka_unit_test(roles_have_names),
	};

	return cmocka_run_group_tests(tests, sodium_ready, NULL);
}
