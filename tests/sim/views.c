#include "tests/sim/views.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/trust_model.h"

static void *must(void *memory)
{
	if (!memory) {
		perror("views");
		abort();
	}
	return memory;
}

static void view_free(struct view *view)
{
	if (!view)
		return;
	buf_release(&view->encoded);
	trust_free(view->trust);
	free(view->bits);
	free(view);
}

void views_release(struct views *v)
{
	for (size_t i = 0; i < v->count; i++)
		view_free(v->list[i]);
	free(v->list);
	free(v->ids);
	*v = (struct views){ 0 };
}

/* ---- Statements ------------------------------------------------------------------ */

/* All that one replica holds, while it is read. */
struct reading {
	struct views *views;
	struct view *view;
	const struct statement **list;
	uint8_t *verdicts;
	size_t count, cap;
	struct arena arena;
	struct errmsg *msg;
};

static size_t number_of(struct views *v, const struct statement_id *id)
{
	for (size_t i = v->id_count; i-- > 0;)
		if (statement_id_cmp(&v->ids[i], id) == 0)
			return i;
	if (v->id_count == v->id_cap) {
		v->id_cap = v->id_cap ? 2 * v->id_cap : 64;
		v->ids = must(realloc(v->ids, v->id_cap * sizeof(*v->ids)));
	}
	v->ids[v->id_count] = *id;
	return v->id_count++;
}

static void note(struct view *view, size_t number)
{
	size_t words = number / 64 + 1;

	if (words > view->words) {
		view->bits = must(realloc(view->bits, words * sizeof(*view->bits)));
		memset(view->bits + view->words, 0, (words - view->words) * sizeof(*view->bits));
		view->words = words;
	}
	view->bits[number / 64] |= UINT64_C(1) << number % 64;
}

static bool read_one(void *ctx, const struct statement *s, struct bytes encoded,
		     enum verdict verdict)
{
	struct reading *reading = ctx;
	struct statement *copy = must(arena_alloc(&reading->arena, sizeof(*copy)));

	if (s->type != STATEMENT_FORK)
		note(reading->view, number_of(reading->views, &s->id));
	if (reading->count == reading->cap ||
	    statement_decode(copy, arena_copy(&reading->arena, encoded), &reading->arena,
			     reading->msg) != OK)
		return false;
	reading->list[reading->count] = copy;
	reading->verdicts[reading->count++] = (uint8_t)verdict;
	return true;
}

static enum err read_all(struct reading *reading, struct replica *r)
{
	enum err rc;

	reading->cap = replica_trust(r)->statement_count;
	reading->list = must(calloc(reading->cap, sizeof(*reading->list)));
	reading->verdicts = must(calloc(reading->cap, 1));
	rc = replica_each_statement(r, read_one, reading, reading->msg);
	if (rc == OK && reading->count != reading->cap)
		rc = errmsg_set(reading->msg, ERR_CORRUPT, "%zu statements, and the fold is of %zu",
				reading->count, reading->cap);
	return rc;
}

/* ---- The rules read once more ------------------------------------------------------ */

static bool is_modelled(const struct views *v, size_t count)
{
	return count <= VIEW_MODEL_ALWAYS ||
	       (count <= MODEL_MAX && v->count % VIEW_MODEL_ONE_IN == 0);
}

static enum err compare_with_model(struct reading *reading, struct replica *r)
{
	struct trust_model *m;
	bool agrees;

	if (!is_modelled(reading->views, reading->count))
		return OK;
	m = must(malloc(sizeof(*m)));
	trust_model_fold(m, reading->list, reading->count);
	agrees = trust_model_agrees(m, replica_trust(r), reading->verdicts);
	free(m);
	reading->views->modelled++;
	return agrees ? OK
		      : errmsg_set(reading->msg, ERR_CORRUPT,
				   "the fold of %zu statements is not what the rules say",
				   reading->count);
}

/* ---- Views ------------------------------------------------------------------------- */

static const struct view *find(const struct views *v, const uint8_t digest[STATEMENT_ID_BYTES])
{
	for (size_t i = v->count; i-- > 0;)
		if (memcmp(v->list[i]->digest, digest, STATEMENT_ID_BYTES) == 0)
			return v->list[i];
	return NULL;
}

static void add(struct views *v, struct view *view)
{
	if (v->count == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 64;
		v->list = must(realloc(v->list, v->cap * sizeof(struct view *)));
	}
	v->list[v->count++] = view;
}

static enum err learn(struct views *v, struct replica *r, const struct buf *encoded,
		      const struct view **out, struct errmsg *msg)
{
	struct view *view = must(calloc(1, sizeof(*view)));
	struct reading reading = { .views = v, .view = view, .msg = msg };
	enum err rc = read_all(&reading, r);

	memcpy(view->digest, replica_trust(r)->digest, STATEMENT_ID_BYTES);
	buf_append(&view->encoded, encoded->data, encoded->size);
	if (rc == OK)
		rc = trust_decode(&view->trust, buf_bytes(encoded), msg);
	if (rc == OK)
		rc = compare_with_model(&reading, r);
	free(reading.list);
	free(reading.verdicts);
	arena_release(&reading.arena);
	if (rc != OK) {
		view_free(view);
		return rc;
	}
	add(v, view);
	*out = view;
	return OK;
}

enum err views_of(struct views *v, struct replica *r, const struct view **out, struct errmsg *msg)
{
	const struct trust *t = replica_trust(r);
	const struct view *known = find(v, t->digest);
	struct buf encoded = BUF_EMPTY;
	enum err rc = OK;

	trust_encode(&encoded, t);
	must(buf_check(&encoded) == OK ? encoded.data : NULL);
	if (!known)
		rc = learn(v, r, &encoded, &known, msg);
	else if (!bytes_equal(buf_bytes(&known->encoded), buf_bytes(&encoded)))
		rc = errmsg_set(msg, ERR_CORRUPT,
				"it makes something else of the same %zu statements than others",
				t->statement_count);
	buf_release(&encoded);
	if (rc == OK)
		*out = known;
	return rc;
}

bool view_includes(const struct view *later, const struct view *earlier)
{
	if (!earlier || later == earlier)
		return true;
	for (size_t i = 0; i < earlier->words; i++)
		if (earlier->bits[i] & ~(i < later->words ? later->bits[i] : 0))
			return false;
	return true;
}

bool view_lets_in(const struct view *view, const struct replica_id *replica,
		  const struct space_id *space)
{
	const struct trust *t = view->trust;
	const struct trust_epoch *epoch = trust_epoch(t, replica);
	const struct trust_node *node = epoch ? trust_node(t, &epoch->node) : NULL;

	return node && !node->is_revoked && trust_role(t, space, node->office_code) != ROLE_NONE;
}

bool views_ever_let_in(const struct views *v, const struct view *earlier,
		       const struct replica_id *replica, const struct space_id *space)
{
	for (size_t i = v->count; i-- > 0;)
		if (view_lets_in(v->list[i], replica, space) && view_includes(v->list[i], earlier))
			return true;
	return false;
}
