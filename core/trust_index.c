#include <stdlib.h>

#include "core/trust_impl.h"

void fold_release(struct fold *f)
{
	free(f->past);
	arena_release(&f->arena);
	*f = (struct fold){ 0 };
}

/* ---- What statements say --------------------------------------------------- */

const struct node_entry *statement_entry(const struct statement *s)
{
	if (s->type == STATEMENT_GENESIS)
		return &s->u.genesis.node;
	return s->type == STATEMENT_ADMIT ? &s->u.admit : NULL;
}

const struct node_identity *statement_identity(const struct statement *s)
{
	const struct node_entry *entry = statement_entry(s);

	if (entry)
		return &entry->identity;
	return s->type == STATEMENT_EPOCH ? &s->u.epoch.identity : NULL;
}

const struct roots *statement_roots(const struct statement *s)
{
	if (s->type == STATEMENT_GENESIS)
		return &s->u.genesis.roots;
	return s->type == STATEMENT_ROOTS ? &s->u.roots : NULL;
}

const struct record_id *statement_node(const struct statement *s)
{
	if (statement_entry(s))
		return &statement_entry(s)->node;
	switch (s->type) {
	case STATEMENT_ADMIN: return &s->u.admin.node;
	case STATEMENT_REVOKE: return &s->u.revoke.node;
	case STATEMENT_EPOCH: return &s->u.epoch.node;
	default: return NULL;
	}
}

bool statement_is_removal(const struct statement *s)
{
	return s->type == STATEMENT_REVOKE || s->type == STATEMENT_ROOTS ||
	       (s->type == STATEMENT_ADMIN && !s->u.admin.is_admin) ||
	       (s->type == STATEMENT_GRANT && s->u.grant.role < ROLE_MANAGER);
}

enum role space_office_role(const struct statement *s, const char *office_code)
{
	size_t low = 0, high = s->u.space.office_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(s->u.space.offices[mid].office_code, office_code);

		if (order == 0)
			return s->u.space.offices[mid].role;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return ROLE_NONE;
}

/* ---- Who has seen whom ----------------------------------------------------- */

struct place {
	const struct statement_id *id;
	uint32_t at;
};

static int place_cmp(const void *a, const void *b)
{
	return statement_id_cmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static enum err see(struct fold *f, uint32_t x, const struct place *places,
		    const struct statement_id *parent, struct errmsg *msg)
{
	struct place key = { .id = parent };
	const struct place *found = bsearch(&key, places, f->count, sizeof(*places), place_cmp);
	uint64_t *row = f->past + x * f->past_words, *seen;

	if (!found || found->at >= x)
		return errmsg_set(msg, ERR_INVALID, "statement %u: a parent is missing",
				  (unsigned)x);
	if (f->list[found->at]->type == STATEMENT_FORK)
		return errmsg_set(msg, ERR_INVALID, "statement %u: a parent is a fork",
				  (unsigned)x);
	seen = f->past + found->at * f->past_words;
	for (size_t i = 0; i <= found->at / 64; i++)
		row[i] |= seen[i];
	row[found->at / 64] |= UINT64_C(1) << (found->at % 64);
	f->is_parent[found->at] = true;
	return OK;
}

static enum err check_shape(const struct fold *f, uint32_t x, struct errmsg *msg)
{
	const struct statement *s = f->list[x];
	bool is_first = s->type == STATEMENT_GENESIS;

	if (is_first != (x == 0))
		return errmsg_set(msg, ERR_INVALID, "statement %u: not one genesis, at the start",
				  (unsigned)x);
	if ((s->parent_count == 0) != (is_first || s->type == STATEMENT_FORK))
		return errmsg_set(msg, ERR_INVALID, "statement %u: parents", (unsigned)x);
	return OK;
}

static void find_seen_below(struct fold *f, const uint64_t *forks)
{
	for (uint32_t x = 0; x < f->count; x++) {
		const uint64_t *row = f->past + x * f->past_words;
		uint64_t unseen = 0;
		size_t word = 0;

		while ((unseen = ~(row[word] | forks[word])) == 0 && word < x / 64)
			word++;
		f->has_seen_below[x] =
			unseen ? (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(unseen) : x;
	}
}

/* `left`: those that all that were looked at have seen, from the end of the list. */
static void find_seen_from(struct fold *f, const uint64_t *forks, uint64_t *left)
{
	memset(left, 0xff, f->past_words * sizeof(*left));
	for (uint32_t y = f->count; y-- > 0;) {
		const uint64_t *row = f->past + y * f->past_words;

		if (forks[y / 64] >> (y % 64) & 1)
			continue;
		for (size_t word = 0; word <= y / 64; word++) {
			uint64_t unseen = left[word] & ~row[word];

			left[word] &= ~unseen;
			for (; unseen; unseen &= unseen - 1) {
				size_t x = word * 64 + (size_t)__builtin_ctzll(unseen);

				if (x < f->count)
					f->is_seen_from[x] = y + 1;
			}
		}
	}
}

static enum err index_concurrent(struct fold *f)
{
	uint64_t *forks = arena_array(&f->arena, f->past_words, sizeof(*forks));
	uint64_t *left = arena_array(&f->arena, f->past_words, sizeof(*left));

	f->has_seen_below = arena_array(&f->arena, f->count, sizeof(*f->has_seen_below));
	f->is_seen_from = arena_array(&f->arena, f->count, sizeof(*f->is_seen_from));
	if (!forks || !left || !f->has_seen_below || !f->is_seen_from)
		return ERR_NOMEM;
	for (uint32_t x = 0; x < f->count; x++)
		if (f->list[x]->type == STATEMENT_FORK)
			forks[x / 64] |= UINT64_C(1) << (x % 64);
	find_seen_below(f, forks);
	find_seen_from(f, forks, left);
	return OK;
}

static enum err index_past(struct fold *f, struct errmsg *msg)
{
	struct place *places = arena_array(&f->arena, f->count, sizeof(*places));

	f->past_words = (f->count + 63) / 64;
	f->past = calloc(f->count * f->past_words, sizeof(*f->past));
	f->is_parent = arena_array(&f->arena, f->count, sizeof(*f->is_parent));
	if (!places || !f->past || !f->is_parent)
		return errmsg_set(msg, ERR_NOMEM, "out of memory");
	for (uint32_t x = 0; x < f->count; x++)
		places[x] = (struct place){ &f->list[x]->id, x };
	qsort(places, f->count, sizeof(*places), place_cmp);
	for (uint32_t x = 1; x < f->count; x++)
		if (place_cmp(&places[x - 1], &places[x]) == 0)
			return errmsg_set(msg, ERR_INVALID, "statement %u: it is there twice",
					  (unsigned)places[x].at);
	for (uint32_t x = 0; x < f->count; x++) {
		enum err rc = check_shape(f, x, msg);

		for (size_t p = 0; p < f->list[x]->parent_count && rc == OK; p++)
			rc = see(f, x, places, &f->list[x]->parents[p], msg);
		if (rc != OK)
			return rc;
	}
	return OK;
}

/* ---- Subjects -------------------------------------------------------------- */

struct subject_key subject_key(enum subject_kind kind, const void *id, size_t size)
{
	struct subject_key key = { { (uint8_t)kind } };

	memcpy(key.bytes + 1, id, size);
	return key;
}

struct subject_key subject_office(const struct space_id *space, const char *office_code)
{
	struct subject_key key = subject_key(SUBJECT_OFFICE, space->bytes, ID_BYTES);

	memcpy(key.bytes + 1 + ID_BYTES, office_code, strlen(office_code));
	return key;
}

/* Where a statement names a subject, or looks for one (not `is_listed`). */
struct ref {
	struct subject_key key;
	bool is_listed;
	uint32_t statement;
	uint32_t *subject; /* its number goes here */
};

struct refs {
	struct ref *at;
	size_t count;
};

enum { REFS_OF_STATEMENT = 6 }; /* but for those of signers: two each */

static int ref_cmp(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;
	int order = memcmp(x->key.bytes, y->key.bytes, SUBJECT_KEY_BYTES);

	return order ? order : (x->statement > y->statement) - (x->statement < y->statement);
}

static void refer(struct refs *refs, uint32_t x, uint32_t *subject, struct subject_key key)
{
	refs->at[refs->count++] = (struct ref){ key, true, x, subject };
}

static void look_for(struct refs *refs, uint32_t x, uint32_t *subject, struct subject_key key)
{
	refs->at[refs->count++] = (struct ref){ key, false, x, subject };
}

static void refer_to_node(struct refs *refs, uint32_t x, struct about *about,
			  const struct statement *s)
{
	const struct node_identity *identity = statement_identity(s);

	if (statement_node(s))
		refer(refs, x, &about->node,
		      subject_key(SUBJECT_NODE, statement_node(s)->bytes, ID_BYTES));
	if (!identity)
		return;
	refer(refs, x, &about->sign_key,
	      subject_key(SUBJECT_SIGN_KEY, identity->sign_key, SIGN_PUBLIC_BYTES));
	refer(refs, x, &about->noise_key,
	      subject_key(SUBJECT_NOISE_KEY, identity->noise_key, NOISE_KEY_BYTES));
	refer(refs, x, &about->replica,
	      subject_key(SUBJECT_REPLICA, identity->replica.bytes, ID_BYTES));
	look_for(refs, x, &about->signed_by,
		 subject_key(SUBJECT_SIGNER, identity->sign_key, SIGN_PUBLIC_BYTES));
}

static void refer_to_space(struct refs *refs, uint32_t x, struct about *about,
			   const struct statement *s)
{
	struct space_id made = statement_space(&s->id);

	if (s->type == STATEMENT_SPACE) {
		refer(refs, x, &about->space, subject_key(SUBJECT_SPACE, made.bytes, ID_BYTES));
		look_for(refs, x, &about->grants,
			 subject_key(SUBJECT_GRANTS, made.bytes, ID_BYTES));
	}
	if (s->type != STATEMENT_GRANT)
		return;
	look_for(refs, x, &about->space,
		 subject_key(SUBJECT_SPACE, s->u.grant.space.bytes, ID_BYTES));
	refer(refs, x, &about->grants,
	      subject_key(SUBJECT_GRANTS, s->u.grant.space.bytes, ID_BYTES));
	refer(refs, x, &about->office, subject_office(&s->u.grant.space, s->u.grant.office_code));
}

static void refer_to_all(struct refs *refs, uint32_t x, struct about *about,
			 const struct statement *s)
{
	refer_to_node(refs, x, about, s);
	refer_to_space(refs, x, about, s);
	if (statement_roots(s))
		refer(refs, x, &about->roots, subject_key(SUBJECT_ROOTS, "", 0));
	for (size_t i = 0; i < s->signer_count; i++) {
		const uint8_t *key = s->signers[i].bytes;

		look_for(refs, x, &about->signers[i],
			 subject_key(SUBJECT_SIGN_KEY, key, SIGN_PUBLIC_BYTES));
		refer(refs, x, NULL, subject_key(SUBJECT_SIGNER, key, SIGN_PUBLIC_BYTES));
	}
}

/* Number the subjects in the order of their keys, and lay out their statements. */
static enum err number_subjects(struct fold *f, const struct refs *refs)
{
	uint32_t items = 0;

	f->subjects = arena_array(&f->arena, refs->count, sizeof(*f->subjects));
	f->span_starts = arena_array(&f->arena, refs->count + 1, sizeof(*f->span_starts));
	f->span_items = arena_array(&f->arena, refs->count, sizeof(*f->span_items));
	if (!f->subjects || !f->span_starts || !f->span_items)
		return ERR_NOMEM;
	for (size_t i = 0; i < refs->count; i++) {
		const struct ref *ref = &refs->at[i];

		if (i == 0 ||
		    memcmp(&ref->key, &f->subjects[f->subject_count - 1], sizeof(ref->key)) != 0) {
			f->span_starts[f->subject_count] = items;
			f->subjects[f->subject_count++] = ref->key;
		}
		if (ref->subject)
			*ref->subject = f->subject_count - 1;
		if (ref->is_listed)
			f->span_items[items++] = ref->statement;
	}
	f->span_starts[f->subject_count] = items;
	return OK;
}

static enum err index_subjects(struct fold *f)
{
	struct refs refs = { NULL, 0 };
	size_t signers = 0;
	uint32_t *slots;
	enum err rc;

	for (uint32_t x = 0; x < f->count; x++)
		signers += f->list[x]->signer_count;
	f->about = arena_array(&f->arena, f->count, sizeof(*f->about));
	slots = arena_array(&f->arena, signers + 1, sizeof(*slots));
	refs.at = malloc((f->count * REFS_OF_STATEMENT + 2 * signers) * sizeof(*refs.at));
	if (!f->about || !slots || !refs.at) {
		free(refs.at);
		return ERR_NOMEM;
	}
	for (uint32_t x = 0; x < f->count; x++) {
		struct about *about = &f->about[x];

		*about = (struct about){ NO_SUBJECT, NO_SUBJECT, NO_SUBJECT, NO_SUBJECT, NO_SUBJECT,
					 NO_SUBJECT, NO_SUBJECT, NO_SUBJECT, NO_SUBJECT, slots };
		slots += f->list[x]->signer_count;
		refer_to_all(&refs, x, about, f->list[x]);
	}
	qsort(refs.at, refs.count, sizeof(*refs.at), ref_cmp);
	rc = number_subjects(f, &refs);
	free(refs.at);
	return rc;
}

/* How many of the span are below the place. */
static uint32_t span_below(struct span span, uint32_t place)
{
	uint32_t low = 0, high = span.count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (span.at[mid] < place)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct span span_between(struct span span, uint32_t from, uint32_t to)
{
	uint32_t first = span_below(span, from), end = span_below(span, to);

	if (end <= first)
		return (struct span){ NULL, 0 };
	return (struct span){ span.at + first, end - first };
}

struct span fold_span(const struct fold *f, uint32_t subject)
{
	if (subject == NO_SUBJECT)
		return (struct span){ NULL, 0 };
	return (struct span){ f->span_items + f->span_starts[subject],
			      f->span_starts[subject + 1] - f->span_starts[subject] };
}

/* The first subject that is not below the key. */
static uint32_t subject_at(const struct fold *f, const struct subject_key *key)
{
	uint32_t low = 0, high = f->subject_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(&f->subjects[mid], key, sizeof(*key)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t fold_subject(const struct fold *f, const struct subject_key *key)
{
	uint32_t at = subject_at(f, key);

	return at < f->subject_count && memcmp(&f->subjects[at], key, sizeof(*key)) == 0
		       ? at
		       : NO_SUBJECT;
}

uint32_t fold_subjects_from(const struct fold *f, enum subject_kind kind)
{
	struct subject_key key = subject_key(kind, "", 0);

	return subject_at(f, &key);
}

enum err fold_index(struct fold *f, const struct statement *const *list, size_t count,
		    struct errmsg *msg)
{
	enum err rc;

	*f = (struct fold){ .list = list, .count = (uint32_t)count };
	if (count == 0)
		return errmsg_set(msg, ERR_INVALID, "no statements");
	if (count > STATEMENTS_MAX)
		return errmsg_set(msg, ERR_LIMIT, "%zu statements, more than %d", count,
				  STATEMENTS_MAX);
	rc = index_past(f, msg);
	if (rc != OK)
		return rc;
	f->standing = arena_array(&f->arena, count, sizeof(*f->standing));
	f->is_root = arena_array(&f->arena, count, sizeof(*f->is_root));
	if (!f->standing || !f->is_root || index_concurrent(f) != OK || index_subjects(f) != OK)
		return errmsg_set(msg, ERR_NOMEM, "out of memory");
	return OK;
}
