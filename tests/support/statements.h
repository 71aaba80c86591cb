/* Statements for tests, one line each: who signs, what they knew, what they say.
 *
 *     statements_init(&w, seed);
 *     actor_init(&root, 100, "");
 *     actor_init(&ann, 1, "SHA");
 *     genesis = say_genesis(&w, &ann, 1, ROOTS(&root));
 *     a = say_admit(&w, BY(&ann), AFTER(genesis), &bob, true);
 *     b = say_revoke(&w, BY(&root), AFTER(genesis), &ann, NO_CUTS);
 *     c = say_space(&w, BY(&bob), AFTER_ALL, OFFICES({ "FRA", ROLE_MANAGER }));
 *     trust_fold(&trust, w.list, w.count, verdicts, &msg);
 *
 * Same seed and numbers, same bytes. Parents, signers, cuts and offices may come
 * in any order. What fails ends the program. */
#ifndef HT_TESTS_SUPPORT_STATEMENTS_H
#define HT_TESTS_SUPPORT_STATEMENTS_H

#include "core/statement.h"
#include "tests/support/prng.h"

/* Whoever has a key: a node in one of its epochs, or a root, who has no office. */
struct actor {
	struct record_id node;
	char office_code[OFFICE_CODE_MAX + 1];
	uint32_t block; /* 0 unless the test sets it */
	struct node_identity identity;
	uint8_t secret[SIGN_SECRET_BYTES];
};

/* Node, keys and nonce follow from the number. */
void actor_init(struct actor *a, unsigned number, const char *office_code);
/* The same node in another epoch: same keys, or those of another number. */
struct actor actor_restored(const struct actor *a, unsigned nonce);
struct actor actor_rotated(const struct actor *a, unsigned number);

/* All that was said, in the order in which it was. */
struct statements {
	const struct statement **list; /* as trust_fold() takes it */
	size_t count, cap;
	struct arena arena; /* what the list points to */
	struct prng prng;
	uint64_t now_ms;  /* one more after each */
	bool is_unsigned; /* zeros in place of signatures: faster, and no fold looks */
};

void statements_init(struct statements *w, uint64_t seed);
void statements_release(struct statements *w);

/* As it is stored and sent; lives as long as `w`. `s` was said here. */
struct bytes statements_encoded(const struct statement *s);

struct cuts {
	const struct cut *list;
	size_t count;
};
struct offices {
	const struct office_role *list;
	size_t count;
};

#define BY(...)      ((const struct actor *const[]){ __VA_ARGS__, NULL })
#define ROOTS(...)   BY(__VA_ARGS__)
#define AFTER(...)   ((const struct statement *const[]){ __VA_ARGS__, NULL })
#define AFTER_ALL    NULL /* everything said so far: its heads */
#define AFTER_NONE   ((const struct statement *const[]){ NULL })
#define CUTS(...)    ((struct cuts){ LIST_OF(struct cut, __VA_ARGS__) })
#define NO_CUTS      ((struct cuts){ NULL, 0 })
#define OFFICES(...) ((struct offices){ LIST_OF(struct office_role, __VA_ARGS__) })
#define LIST_OF(type, ...) \
	(const type[]){ __VA_ARGS__ }, sizeof((const type[]){ __VA_ARGS__ }) / sizeof(type)

/* A cut with a link made up from the seq and the branch; seq 0: nothing counts. */
struct cut cut_at(const struct actor *a, const struct space_id *space, uint64_t seq,
		  unsigned branch);

/* `by` and `roots` end with NULL, and so does `after` unless it is AFTER_ALL. */
const struct statement *say_genesis(struct statements *w, const struct actor *first,
				    unsigned threshold, const struct actor *const *roots);
const struct statement *say_admit(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, const struct actor *whom,
				  bool is_admin);
const struct statement *say_admin(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, const struct actor *whom,
				  bool is_admin);
const struct statement *say_revoke(struct statements *w, const struct actor *const *by,
				   const struct statement *const *after, const struct actor *whom,
				   struct cuts cuts);
/* `next` is who the node is from now on; cuts NULL: its epochs so far stay open. */
const struct statement *say_epoch(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, const struct actor *next,
				  enum epoch_reason reason, const struct cuts *cuts);
const struct statement *say_adopt(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, struct cuts cuts);
const struct statement *say_space(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, struct offices offices);
const struct statement *say_grant(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after,
				  const struct space_id *space, const char *office_code,
				  enum role role, struct cuts cuts);
const struct statement *say_roots(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, unsigned threshold,
				  const struct actor *const *roots);
/* That `whom` signed two changesets with this dot. */
const struct statement *say_fork(struct statements *w, const struct actor *whom,
				 const struct space_id *space, uint64_t seq);

/* Whatever stands in s->type and s->u. */
const struct statement *say(struct statements *w, const struct actor *const *by,
			    const struct statement *const *after, struct statement *s);

#endif
