/* core/statement: every way to break a statement is refused, and what is over a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/core/plain_statements.h"
#include "tests/support/spell.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_violation_is_refused),
		cmocka_unit_test(signature_of_another_size_is_refused),
		cmocka_unit_test(what_is_over_a_limit_is_refused_by_its_name),
		cmocka_unit_test(seventeen_signers_are_too_many),
		cmocka_unit_test(statement_over_its_limit_is_not_even_looked_at),
	};

	return cmocka_run_group_tests(tests, sodium_ready, NULL);
}
