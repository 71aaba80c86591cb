/* What a statement that is made here says it has seen. All heads, if a statement can name
 * so many. Else somebody has said much at once, and may have meant to crowd out what ours
 * rests on: then each author has a turn, we and the admins first. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/membership_impl.h"

struct head {
	const struct statement *s;
	size_t at; /* in the set: later ones came later */
	const struct trust_node *author;
	bool is_first; /* ours, or an admin's, or root's */
	size_t turn;   /* how many later ones its author has */
};

static int compare_ids(const void *a, const void *b)
{
	return statement_id_cmp(a, b);
}

static int compare_by_author(const void *a, const void *b)
{
	const struct head *x = a, *y = b;

	if (x->author != y->author)
		return x->author < y->author ? -1 : 1;
	return (x->at < y->at) - (x->at > y->at);
}

static int compare_by_turn(const void *a, const void *b)
{
	const struct head *x = a, *y = b;

	if (x->turn != y->turn)
		return x->turn < y->turn ? -1 : 1;
	if (x->is_first != y->is_first)
		return x->is_first ? -1 : 1;
	return (x->at < y->at) - (x->at > y->at);
}

static bool is_head(const struct trust *t, const struct statement_id *id)
{
	return bsearch(id, t->heads, t->head_count, sizeof(*id), compare_ids) != NULL;
}

static struct head head_of(const struct replica *r, const struct statement_set *held, size_t at)
{
	const struct trust_epoch *own = trust_epoch(r->trust, &r->id);
	struct head head = { .s = held->list[at], .at = at };

	head.author = trust_author(r->trust, head.s);
	head.is_first =
		trust_is_roots(r->trust, head.s) ||
		(head.author && (head.author->is_admin ||
				 (own && record_id_cmp(&own->node, &head.author->node) == 0)));
	return head;
}

static void give_turns(struct head *heads, size_t count)
{
	qsort(heads, count, sizeof(*heads), compare_by_author);
	for (size_t i = 1; i < count; i++)
		if (heads[i].author == heads[i - 1].author)
			heads[i].turn = heads[i - 1].turn + 1;
	qsort(heads, count, sizeof(*heads), compare_by_turn);
}

enum err intake_parents(struct intake *in, struct statement_id out[PARENTS_MAX], size_t *count)
{
	const struct trust *t = in->r->trust;
	struct head *heads;
	size_t found = 0;
	enum err rc = OK;

	*count = t->head_count;
	if (t->head_count <= PARENTS_MAX) {
		memcpy(out, t->heads, t->head_count * sizeof(*out));
		return OK;
	}
	rc = intake_read_held(in);
	heads = calloc(t->head_count, sizeof(*heads));
	if (rc == OK && !heads)
		rc = ERR_NOMEM;
	for (size_t i = 0; rc == OK && i < in->held.count && found < t->head_count; i++)
		if (is_head(t, &in->held.list[i]->id))
			heads[found++] = head_of(in->r, &in->held, i);
	if (rc == OK)
		give_turns(heads, found);
	*count = found < PARENTS_MAX ? found : PARENTS_MAX;
	for (size_t i = 0; rc == OK && i < *count; i++)
		out[i] = heads[i].s->id;
	qsort(out, *count, sizeof(*out), compare_ids);
	free(heads);
	return rc;
}
