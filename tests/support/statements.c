#include "tests/support/statements.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/wire.h"

/* A statement and what else is known of it. */
struct said {
	struct statement statement; /* first: who has this has all */
	struct bytes encoded;
	bool is_parent;
};

static void die(const char *what, const char *words)
{
	fprintf(stderr, "statements: %s: %s\n", what, words);
	exit(2);
}

static void must(enum err rc, const char *what, const struct errmsg *msg)
{
	if (rc != OK)
		die(what, msg->text);
}

static void *take(struct statements *w, size_t count, size_t size)
{
	void *array = arena_array(&w->arena, count, size);

	if (!array)
		die("arena", "out of memory");
	return array;
}

/* ---- Actors --------------------------------------------------------------- */

static void actor_take_keys(struct actor *a, unsigned number)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	struct prng prng;

	prng_init(&prng, number);
	prng_fill(&prng, seed, sizeof(seed));
	prng_fill(&prng, a->identity.noise_key, NOISE_KEY_BYTES);
	prng_fill(&prng, a->identity.nonce, ID_BYTES);
	crypto_sign_seed_keypair(a->identity.sign_key, a->secret, seed);
	a->identity.replica = epoch_replica(a->identity.sign_key, a->identity.nonce);
}

void actor_init(struct actor *a, unsigned number, const char *office_code)
{
	*a = (struct actor){ 0 };
	a->node.bytes[0] = 0x0d;
	for (int i = 0; i < 4; i++)
		a->node.bytes[ID_BYTES - 1 - i] = (uint8_t)(number >> 8 * i);
	snprintf(a->office_code, sizeof(a->office_code), "%s", office_code);
	actor_take_keys(a, number);
}

struct actor actor_restored(const struct actor *a, unsigned nonce)
{
	struct actor next = *a;
	struct prng prng;

	prng_init(&prng, nonce);
	prng_fill(&prng, next.identity.nonce, ID_BYTES);
	next.identity.replica = epoch_replica(next.identity.sign_key, next.identity.nonce);
	return next;
}

struct actor actor_rotated(const struct actor *a, unsigned number)
{
	struct actor next = *a;

	actor_take_keys(&next, number);
	return next;
}

static struct node_entry entry_of(const struct actor *a, bool is_admin)
{
	struct node_entry entry = {
		.node = a->node, .block = a->block, .is_admin = is_admin, .identity = a->identity
	};

	snprintf(entry.office_code, sizeof(entry.office_code), "%s", a->office_code);
	return entry;
}

/* ---- The list ------------------------------------------------------------- */

void statements_init(struct statements *w, uint64_t seed)
{
	*w = (struct statements){ .now_ms = UINT64_C(1800000000000) };
	prng_init(&w->prng, seed);
}

void statements_release(struct statements *w)
{
	arena_release(&w->arena);
	free(w->list);
	*w = (struct statements){ 0 };
}

struct bytes statements_encoded(const struct statement *s)
{
	return ((const struct said *)s)->encoded;
}

static void append(struct statements *w, const struct said *said)
{
	if (w->count == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->list = realloc(w->list, w->cap * sizeof(*w->list));
		if (!w->list)
			die("list", "out of memory");
	}
	w->list[w->count++] = &said->statement;
}

/* ---- Parents and signers -------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
	return statement_id_cmp(a, b);
}

static void add_parent(struct statement *s, struct statement_id *ids, const struct statement *of)
{
	((struct said *)of)->is_parent = true;
	ids[s->parent_count++] = of->id;
}

static void take_parents(struct statements *w, struct statement *s,
			 const struct statement *const *after)
{
	struct statement_id *ids = take(w, w->count + 1, sizeof(*ids));

	s->parent_count = 0;
	for (size_t i = 0; !after && i < w->count; i++)
		if (!((const struct said *)w->list[i])->is_parent)
			add_parent(s, ids, w->list[i]);
	for (; after && *after; after++)
		add_parent(s, ids, *after);
	qsort(ids, s->parent_count, sizeof(*ids), compare_ids);
	s->parents = ids;
}

static size_t take_signers(struct signer out[SIGNERS_MAX], const struct actor *const *by)
{
	size_t count = 0;

	for (; *by; by++, count++) {
		if (count == SIGNERS_MAX)
			die("signers", "too many");
		memcpy(out[count].key.bytes, (*by)->identity.sign_key, SIGN_PUBLIC_BYTES);
		out[count].secret = (*by)->secret;
	}
	return count;
}

static int compare_keys(const void *a, const void *b)
{
	return sign_key_cmp(a, b);
}

static struct roots roots_of(struct statements *w, unsigned threshold,
			     const struct actor *const *actors)
{
	struct sign_key *keys = take(w, ROOTS_MAX, sizeof(*keys));
	struct roots roots = { .threshold = threshold, .keys = keys };

	for (; *actors; actors++) {
		if (roots.count == ROOTS_MAX)
			die("roots", "too many");
		memcpy(keys[roots.count++].bytes, (*actors)->identity.sign_key, SIGN_PUBLIC_BYTES);
	}
	qsort(keys, roots.count, sizeof(*keys), compare_keys);
	return roots;
}

/* ---- Saying --------------------------------------------------------------- */

/* As statement_sign(), with zeros for signatures. */
static void encode_unsigned(struct buf *out, const struct statement *s,
			    const struct signer *signers, size_t signer_count)
{
	static const uint8_t zeros[SIGNATURE_BYTES];
	struct statement whole = *s;
	struct sign_key keys[SIGNERS_MAX];
	struct buf content = BUF_EMPTY;

	for (size_t i = 0; i < signer_count; i++)
		keys[i] = signers[i].key;
	qsort(keys, signer_count, sizeof(*keys), compare_keys);
	whole.signers = keys;
	whole.signer_count = signer_count;
	statement_put_content(&content, &whole);
	wire_put_array(out, 2);
	wire_put_bin(out, buf_bytes(&content));
	wire_put_array(out, (uint32_t)signer_count);
	for (size_t i = 0; i < signer_count; i++)
		wire_put_bin(out, bytes_of(zeros, SIGNATURE_BYTES));
	buf_release(&content);
}

/* With the parents that it has. What is kept is what decoding gives. */
static const struct statement *say_as_is(struct statements *w, const struct actor *const *by,
					 struct statement *s)
{
	struct said *said = take(w, 1, sizeof(*said));
	struct signer signers[SIGNERS_MAX];
	size_t signer_count = take_signers(signers, by);
	struct buf encoded = BUF_EMPTY;
	struct errmsg msg = { .text = "" };

	if (w->is_unsigned)
		encode_unsigned(&encoded, s, signers, signer_count);
	else
		must(statement_sign(&encoded, s, signers, signer_count, &msg), "sign", &msg);
	said->encoded = arena_copy(&w->arena, buf_bytes(&encoded));
	must(statement_decode(&said->statement, said->encoded, &w->arena, &msg), "decode", &msg);
	buf_release(&encoded);
	append(w, said);
	return &said->statement;
}

const struct statement *say(struct statements *w, const struct actor *const *by,
			    const struct statement *const *after, struct statement *s)
{
	s->wall_ms = w->now_ms++;
	take_parents(w, s, after);
	return say_as_is(w, by, s);
}

/* ---- Cuts and offices ----------------------------------------------------- */

struct cut cut_at(const struct actor *a, const struct space_id *space, uint64_t seq,
		  unsigned branch)
{
	struct cut cut = { .replica = a->identity.replica, .space = *space, .seq = seq };
	struct prng prng;

	prng_init(&prng, seq << 8 | branch);
	if (seq)
		prng_fill(&prng, cut.link, LINK_BYTES);
	return cut;
}

static const struct cut *sorted_cuts(struct statements *w, struct cuts cuts)
{
	struct cut *list = take(w, cuts.count, sizeof(*list));

	if (cuts.count)
		memcpy(list, cuts.list, cuts.count * sizeof(*list));
	cuts_sort(list, cuts.count);
	return list;
}

static int compare_offices(const void *a, const void *b)
{
	return strcmp(((const struct office_role *)a)->office_code,
		      ((const struct office_role *)b)->office_code);
}

static const struct office_role *sorted_offices(struct statements *w, struct offices offices)
{
	struct office_role *list = take(w, offices.count, sizeof(*list));

	memcpy(list, offices.list, offices.count * sizeof(*list));
	qsort(list, offices.count, sizeof(*list), compare_offices);
	return list;
}

/* ---- One of each ---------------------------------------------------------- */

const struct statement *say_genesis(struct statements *w, const struct actor *first,
				    unsigned threshold, const struct actor *const *roots)
{
	struct statement s = { .type = STATEMENT_GENESIS, .wall_ms = w->now_ms++ };

	prng_fill(&w->prng, s.u.genesis.nonce, ID_BYTES);
	s.u.genesis.roots = roots_of(w, threshold, roots);
	s.u.genesis.node = entry_of(first, true);
	return say_as_is(w, BY(first), &s);
}

const struct statement *say_admit(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, const struct actor *whom,
				  bool is_admin)
{
	struct statement s = { .type = STATEMENT_ADMIT };

	s.u.admit = entry_of(whom, is_admin);
	return say(w, by, after, &s);
}

const struct statement *say_admin(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, const struct actor *whom,
				  bool is_admin)
{
	struct statement s = { .type = STATEMENT_ADMIN };

	s.u.admin.node = whom->node;
	s.u.admin.is_admin = is_admin;
	return say(w, by, after, &s);
}

const struct statement *say_revoke(struct statements *w, const struct actor *const *by,
				   const struct statement *const *after, const struct actor *whom,
				   struct cuts cuts)
{
	struct statement s = { .type = STATEMENT_REVOKE };

	s.u.revoke.node = whom->node;
	s.u.revoke.cuts = sorted_cuts(w, cuts);
	s.u.revoke.cut_count = cuts.count;
	return say(w, by, after, &s);
}

const struct statement *say_epoch(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, const struct actor *next,
				  enum epoch_reason reason, const struct cuts *cuts)
{
	struct statement s = { .type = STATEMENT_EPOCH };

	s.u.epoch.node = next->node;
	s.u.epoch.identity = next->identity;
	s.u.epoch.reason = reason;
	s.u.epoch.is_closing = cuts != NULL;
	if (cuts) {
		s.u.epoch.cuts = sorted_cuts(w, *cuts);
		s.u.epoch.cut_count = cuts->count;
	}
	return say(w, by, after, &s);
}

const struct statement *say_adopt(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, struct cuts cuts)
{
	struct statement s = { .type = STATEMENT_ADOPT };

	s.u.adopt.cuts = sorted_cuts(w, cuts);
	s.u.adopt.cut_count = cuts.count;
	return say(w, by, after, &s);
}

const struct statement *say_space(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, struct offices offices)
{
	struct statement s = { .type = STATEMENT_SPACE };

	prng_fill(&w->prng, s.u.space.nonce, ID_BYTES);
	s.u.space.offices = sorted_offices(w, offices);
	s.u.space.office_count = offices.count;
	return say(w, by, after, &s);
}

const struct statement *say_grant(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after,
				  const struct space_id *space, const char *office_code,
				  enum role role, struct cuts cuts)
{
	struct statement s = { .type = STATEMENT_GRANT };

	s.u.grant.space = *space;
	snprintf(s.u.grant.office_code, sizeof(s.u.grant.office_code), "%s", office_code);
	s.u.grant.role = role;
	s.u.grant.cuts = sorted_cuts(w, cuts);
	s.u.grant.cut_count = cuts.count;
	return say(w, by, after, &s);
}

const struct statement *say_roots(struct statements *w, const struct actor *const *by,
				  const struct statement *const *after, unsigned threshold,
				  const struct actor *const *roots)
{
	struct statement s = { .type = STATEMENT_ROOTS };

	s.u.roots = roots_of(w, threshold, roots);
	return say(w, by, after, &s);
}

/* One of two changesets after the same one, which is made up. */
static struct witness witness_signed(const struct actor *a, const struct space_id *space,
				     uint64_t seq, uint8_t branch, uint8_t link[LINK_BYTES])
{
	struct feed_head before = { .seq = seq - 1 };
	uint8_t signature[SIGNATURE_BYTES];

	if (before.seq) {
		memset(before.link, 0x11, LINK_BYTES);
		memset(before.signature, 0x22, SIGNATURE_BYTES);
	}
	changeset_link(link, space, &a->identity.replica, &before, bytes_of(&branch, 1));
	changeset_sign(signature, link, a->secret);
	return witness_of(&before, bytes_of(&branch, 1), signature);
}

const struct statement *say_fork(struct statements *w, const struct actor *whom,
				 const struct space_id *space, uint64_t seq)
{
	struct statement s = { .type = STATEMENT_FORK };
	uint8_t links[2][LINK_BYTES];
	struct witness a = witness_signed(whom, space, seq, 'a', links[0]);
	struct witness b = witness_signed(whom, space, seq, 'b', links[1]);
	bool is_ascending = memcmp(links[0], links[1], LINK_BYTES) < 0;

	s.u.fork.space = *space;
	memcpy(s.u.fork.sign_key, whom->identity.sign_key, SIGN_PUBLIC_BYTES);
	memcpy(s.u.fork.nonce, whom->identity.nonce, ID_BYTES);
	s.u.fork.seq = seq;
	s.u.fork.witnesses[0] = is_ascending ? a : b;
	s.u.fork.witnesses[1] = is_ascending ? b : a;
	return say_as_is(w, (const struct actor *const[]){ NULL }, &s);
}
