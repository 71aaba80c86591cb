/* What the hash of the state takes of a text's history: of each edit what is the same in every
 * office, in whatever order they came; and whether what follows from the order does. */
#include <sodium.h>
#include <stdlib.h>

#include "core/replica_impl.h"
#include "core/wire.h"

struct tally {
	uint64_t sum[TEXT_HASH_BYTES / sizeof(uint64_t)];
	struct buf dots;  /* struct dot, by the edits' numbers */
	struct buf heads; /* uint32_t: numbers of what no edit so far has seen */
	uint32_t count;
	struct buf line;
	struct arena *arena;
};

static const struct dot *dot_at(const struct tally *t, uint32_t edit)
{
	return (const struct dot *)(const void *)t->dots.data + edit;
}

static bool has_parent(const struct text_row *row, uint32_t edit)
{
	for (size_t i = 0; i < row->parent_count; i++)
		if (row->parents[i] == edit)
			return true;
	return false;
}

/* As core/record.c does it with the register's values. True: all of them were its parents. */
static bool replace_heads(struct tally *t, const struct text_row *row)
{
	uint32_t *heads = (uint32_t *)(void *)t->heads.data;
	size_t count = t->heads.size / sizeof(*heads), kept = 0, seen = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_seen = has_parent(row, heads[i]);

		seen += is_seen;
		if (!is_seen &&
		    replica_id_cmp(&dot_at(t, heads[i])->replica, &row->dot.replica) != 0)
			heads[kept++] = heads[i];
	}
	t->heads.size = kept * sizeof(*heads);
	buf_append(&t->heads, &row->at, sizeof(row->at));
	return seen == count && row->parent_count == count;
}

static uint32_t reach_of(const struct text_row *row)
{
	uint32_t reach = row->parent_count ? UINT32_MAX : 0;

	for (size_t i = 0; i < row->parent_count; i++)
		reach = row->parents[i] + 1 < reach ? row->parents[i] + 1 : reach;
	return reach;
}

static int compare_dots(const void *a, const void *b)
{
	return dot_cmp(a, b);
}

static void put_dot(struct buf *out, const struct dot *dot)
{
	wire_put_bin(out, bytes_of(dot->replica.bytes, ID_BYTES));
	wire_put_uint(out, dot->seq);
}

static enum err put_edit(struct tally *t, const struct text_row *row)
{
	struct dot *parents = arena_array(t->arena, row->parent_count, sizeof(*parents));

	if (!parents)
		return ERR_NOMEM;
	for (size_t i = 0; i < row->parent_count; i++)
		parents[i] = *dot_at(t, row->parents[i]);
	qsort(parents, row->parent_count, sizeof(*parents), compare_dots);
	buf_clear(&t->line);
	put_dot(&t->line, &row->dot);
	wire_put_array(&t->line, (uint32_t)row->parent_count);
	for (size_t i = 0; i < row->parent_count; i++)
		put_dot(&t->line, &parents[i]);
	wire_put_bool(&t->line, row->is_adrift);
	wire_put_uint(&t->line, row->before);
	wire_put_uint(&t->line, row->after);
	wire_put_bin(&t->line, row->edit);
	wire_put_bin(&t->line, row->text);
	return buf_check(&t->line);
}

static enum err add_edit(void *ctx, const struct text_row *row)
{
	struct tally *t = ctx;
	uint64_t hash[TEXT_HASH_BYTES / sizeof(uint64_t)];
	bool sees_all;
	enum err rc;

	if (row->at != t->count || row->reach != reach_of(row))
		return ERR_CORRUPT;
	sees_all = replace_heads(t, row);
	buf_append(&t->dots, &row->dot, sizeof(row->dot));
	if (buf_check(&t->heads) || buf_check(&t->dots))
		return ERR_NOMEM;
	t->count++;
	if (row->sees_all != sees_all)
		return ERR_CORRUPT;
	rc = put_edit(t, row);
	if (rc != OK)
		return rc;
	crypto_generichash((uint8_t *)hash, sizeof(hash), t->line.data, t->line.size, NULL, 0);
	/* A sum does not depend on the order, and does not forget what is there twice. */
	for (size_t i = 0; i < sizeof(hash) / sizeof(hash[0]); i++)
		t->sum[i] += hash[i];
	return OK;
}

enum err store_text_hash(struct store *s, const struct text_ref *text, struct arena *arena,
			 uint8_t out[TEXT_HASH_BYTES], uint64_t *count, struct errmsg *msg)
{
	struct tally t = { .arena = arena };
	enum err rc = store_each_text_row(s, text, 0, arena, add_edit, &t, msg);

	if (rc == ERR_CORRUPT)
		rc = errmsg_set(msg, rc, "a text's history: its edits do not fit each other");
	if (rc == OK) {
		memcpy(out, t.sum, TEXT_HASH_BYTES);
		*count += t.count;
	}
	buf_release(&t.dots);
	buf_release(&t.heads);
	buf_release(&t.line);
	return rc;
}
