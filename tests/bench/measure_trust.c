/* The fold of an organisation's whole membership, and one statement more. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/trust.h"
#include "tests/bench/measure.h"
#include "tests/support/statements.h"

enum {
	OFFICES = 500,
	STATEMENTS = 5000,
	ADMINS = 3, /* the first offices' nodes */
	NODES_MAX = 2 * STATEMENTS,
	BRANCH_EVERY = 10,
	BRANCH_BACK = 20,
	EXTENSIONS_A_RUN = 100,
};

struct history {
	struct statements said;
	const struct statement *last, *branch; /* what the next one has seen */
	unsigned branch_every;                 /* 0: each has seen all before it */
	struct actor root;
	struct actor nodes[NODES_MAX]; /* as they are now */
	unsigned node_count;
	struct space_id space; /* the newest */
	struct prng prng;
};

/* None of the admins. */
static struct actor *some_node(struct history *h)
{
	return &h->nodes[ADMINS + prng_below(&h->prng, h->node_count - ADMINS)];
}

static struct actor *new_node(struct history *h)
{
	struct actor *node = &h->nodes[h->node_count++];
	char code[16];

	snprintf(code, sizeof(code), "O%u", h->node_count % OFFICES);
	actor_init(node, h->node_count, code);
	return node;
}

static const char *some_office(struct history *h, char code[16])
{
	snprintf(code, 16, "O%u", (unsigned)prng_below(&h->prng, OFFICES));
	return code;
}

static const struct statement *say_space_with_offices(struct history *h, struct actor *by,
						      const struct statement *const *after)
{
	struct offices offices =
		OFFICES({ "O1", ROLE_EDITOR }, { "O2", ROLE_EDITOR }, { "O3", ROLE_READER });
	const struct statement *s = say_space(&h->said, BY(by), after, offices);

	h->space = statement_space(&s->id);
	return s;
}

/* Mostly roles; now and then a new space, epoch, admin, node, or one that leaves. */
static const struct statement *say_something(struct history *h,
					     const struct statement *const *after)
{
	struct actor *admin = &h->nodes[prng_below(&h->prng, ADMINS)], *node, old;
	struct space_id directory = statement_space(&h->said.list[0]->id);
	char code[16];

	if (h->node_count < OFFICES)
		return say_admit(&h->said, BY(&h->nodes[0]), after, new_node(h),
				 h->node_count <= ADMINS);
	node = some_node(h);
	switch (h->said.count % 10) {
	case 0: return say_space_with_offices(h, admin, after);
	case 1:
		old = *node;
		*node = actor_restored(&old, (unsigned)h->said.count);
		return say_epoch(&h->said, BY(&old), after, node, EPOCH_RESTORED, NULL);
	case 2:
		if (node < &h->nodes[OFFICES])
			return say_admin(&h->said, BY(admin), after, node, false);
		return say_revoke(&h->said, BY(admin), after, node,
				  CUTS(cut_at(node, &directory, h->said.count, 0)));
	case 3: return say_admit(&h->said, BY(admin), after, new_node(h), false);
	default:
		return say_grant(&h->said, BY(admin), after, &h->space, some_office(h, code),
				 (enum role)(1 + prng_below(&h->prng, 3)), NO_CUTS);
	}
}

static void say_next(struct history *h)
{
	const struct statement *old = NULL;

	if (h->branch_every && h->said.count % h->branch_every == 0 &&
	    h->said.count > OFFICES + BRANCH_BACK)
		old = h->said.list[h->said.count - BRANCH_BACK];
	if (old) {
		h->branch = say_something(h, AFTER(old));
	} else if (h->branch) {
		h->last = say_something(h, AFTER(h->last, h->branch));
		h->branch = NULL;
	} else {
		h->last = say_something(h, AFTER(h->last));
	}
}

static struct history *history_new(unsigned branch_every)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h)
		bench_fail("out of memory");
	h->branch_every = branch_every;
	prng_init(&h->prng, 1);
	statements_init(&h->said, 1);
	h->said.is_unsigned = true; /* no fold looks */
	actor_init(&h->root, 1 << 20, "");
	h->last = say_genesis(&h->said, new_node(h), 1, ROOTS(&h->root));
	while (h->said.count < STATEMENTS)
		say_next(h);
	return h;
}

static void history_free(struct history *h)
{
	statements_release(&h->said);
	free(h);
}

static struct trust *fold(const struct history *h, size_t count)
{
	static uint8_t verdicts[STATEMENTS];
	struct errmsg msg = { 0 };
	struct trust *t;
	size_t fallen = 0;

	must(trust_fold(&t, h->said.list, count, verdicts, &msg), &msg, "fold");
	for (size_t i = 0; i < count; i++)
		fallen += verdicts[i] != VERDICT_STANDS;
	if (fallen > count / 20)
		bench_fail("%zu of %zu statements fell: no organisation is like that", fallen,
			   count);
	return t;
}

/* The ids again: what any check of the same bytes has to hash. */
static double hash_ms(const struct history *h)
{
	uint64_t start = clock_ns();

	for (size_t i = 0; i < h->said.count; i++) {
		struct bytes bytes = statements_encoded(h->said.list[i]);
		uint8_t hash[STATEMENT_ID_BYTES];

		crypto_generichash(hash, sizeof(hash), bytes.data, bytes.size, NULL, 0);
	}
	return seconds_since(start) * 1e3;
}

static void measure_fold(struct bench *b, const char *name, unsigned branch_every)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	struct history *h = history_new(branch_every);

	for (unsigned i = 0; i < b->runs; i++) {
		uint64_t start = clock_ns();

		trust_free(fold(h, h->said.count));
		samples_add(&values, seconds_since(start) * 1e3);
		samples_add(&floors, hash_ms(h));
	}
	bench_report(b, name, &values, &floors);
	samples_release(&values);
	samples_release(&floors);
	history_free(h);
}

/* The last statements of a history in which each has seen all. */
static double extend_ms(const struct history *h)
{
	struct trust *t = fold(h, h->said.count - EXTENSIONS_A_RUN);
	struct errmsg msg = { 0 };
	uint64_t start = clock_ns();
	double ms;

	for (size_t i = h->said.count - EXTENSIONS_A_RUN; i < h->said.count; i++) {
		enum verdict verdict;

		must(trust_extend(t, h->said.list[i], &verdict, &msg), &msg, "extend");
	}
	ms = seconds_since(start) * 1e3 / EXTENSIONS_A_RUN;
	trust_free(t);
	return ms;
}

static double digest_ms(const struct history *h)
{
	struct trust *t = fold(h, h->said.count);
	uint8_t digest[STATEMENT_ID_BYTES];
	uint64_t start = clock_ns();
	double ms;

	for (unsigned i = 0; i < EXTENSIONS_A_RUN; i++)
		crypto_generichash(digest, sizeof(digest), t->ids[0].bytes,
				   t->statement_count * sizeof(*t->ids), NULL, 0);
	ms = seconds_since(start) * 1e3 / EXTENSIONS_A_RUN;
	trust_free(t);
	return ms;
}

static void measure_extend(struct bench *b)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	struct history *h = history_new(0);

	for (unsigned i = 0; i < b->runs; i++) {
		samples_add(&values, extend_ms(h));
		samples_add(&floors, digest_ms(h));
	}
	bench_report(b, "trust_extend", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
	history_free(h);
}

void measure_trust(struct bench *b)
{
	b->n = STATEMENTS;
	measure_fold(b, "trust_fold", 0);
	measure_fold(b, "trust_fold_branches", BRANCH_EVERY);
	measure_extend(b);
}
