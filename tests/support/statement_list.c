#include "tests/support/statement_list.h"

#include "core/trust.h"

static bool add(void *ctx, const struct statement *s, struct bytes encoded, enum verdict verdict)
{
	struct statement_list *l = ctx;

	l->list[l->count] = arena_copy(&l->arena, encoded);
	l->ids[l->count++] = s->id;
	return l->list[l->count - 1].data != NULL;
}

enum err statement_list_read(struct statement_list *out, struct replica *r, struct errmsg *msg)
{
	struct statement_list l = { .arena = ARENA_EMPTY };
	const struct trust *trust = replica_trust(r);
	size_t count = trust ? trust->statement_count : 0;
	enum err rc;

	l.list = arena_array(&l.arena, count, sizeof(*l.list));
	l.ids = arena_array(&l.arena, count, sizeof(*l.ids));
	rc = l.list && l.ids ? replica_each_statement(r, add, &l, msg) : ERR_NOMEM;
	if (rc == OK && l.count != count)
		rc = ERR_NOMEM;
	if (rc != OK) {
		arena_release(&l.arena);
		return rc;
	}
	*out = l;
	return OK;
}

void statement_list_release(struct statement_list *l)
{
	arena_release(&l->arena);
	*l = (struct statement_list){ .arena = ARENA_EMPTY };
}
