#include "tests/bench/trace.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/utf8.h"
#include "tests/bench/bench.h"

/* ---- Reading --------------------------------------------------------------- */

static json_t *read_json(const char *path)
{
	gzFile file = gzopen(path, "rb");
	struct buf text = BUF_EMPTY;
	json_error_t error;
	json_t *root;
	int got = 1;

	if (!file)
		bench_fail("%s: can't be opened", path);
	while (got > 0) {
		uint8_t *room = buf_grow(&text, 1 << 20);

		if (!room)
			bench_fail("%s: out of memory", path);
		got = gzread(file, room, 1 << 20);
		text.size -= (size_t)((1 << 20) - (got > 0 ? got : 0));
	}
	if (got < 0 || gzclose(file) != Z_OK)
		bench_fail("%s: not a whole gzip file", path);
	root = json_loadb((const char *)text.data, text.size, JSON_ALLOW_NUL, &error);
	if (!root)
		bench_fail("%s: line %d: %s", path, error.line, error.text);
	buf_release(&text);
	return root;
}

static struct bytes read_text(struct trace *t, const json_t *from)
{
	struct bytes text = bytes_of(json_string_value(from), json_string_length(from));

	text = arena_copy(&t->arena, text);
	if (!text.data)
		bench_fail("out of memory");
	return text;
}

static void *room_for(struct trace *t, size_t count, size_t size)
{
	void *room = arena_array(&t->arena, count + 1, size);

	if (!room)
		bench_fail("out of memory");
	return room;
}

static size_t count_patches(const json_t *txns)
{
	size_t count = 0, i;
	json_t *txn;

	json_array_foreach(txns, i, txn) count += json_array_size(json_object_get(txn, "patches"));
	return count;
}

static void read_patch(struct trace *t, const json_t *from, struct trace_patch *p)
{
	p->text = read_text(t, json_array_get(from, 2));
	p->pos = (uint32_t)json_integer_value(json_array_get(from, 0));
	p->deleted = (uint32_t)json_integer_value(json_array_get(from, 1));
	p->inserted = (uint32_t)utf8_count(p->text);
}

/* ---- Grouping -------------------------------------------------------------- */

/* What is known of each transaction while edits are made of them. */
struct grouping {
	struct trace *t;
	const json_t *txns;
	uint32_t *children; /* how many name it as a parent */
	size_t *edit;       /* by transaction: the edit that it is in */
	size_t keystrokes;
	uint64_t seqs[256]; /* by agent */
};

static uint32_t agent_of(const json_t *txn)
{
	return (uint32_t)json_integer_value(json_object_get(txn, "agent"));
}

/* A transaction that nobody but its author goes on from, and at once. */
static bool goes_on(const struct grouping *g, size_t txn)
{
	const json_t *next = json_array_get(g->txns, txn + 1);
	const json_t *parents = json_object_get(next, "parents");

	if (!next)
		return false;
	if (!g->t->is_concurrent)
		return true;
	return json_array_size(parents) == 1 &&
	       (size_t)json_integer_value(json_array_get(parents, 0)) == txn &&
	       agent_of(next) == agent_of(json_array_get(g->txns, txn)) && g->children[txn] == 1;
}

static void name_parents(struct grouping *g, struct trace_edit *e, const json_t *txn)
{
	json_t *parents = json_object_get(txn, "parents"), *parent;
	size_t i, number = (size_t)(e - g->t->edits);

	e->parent_count = g->t->is_concurrent ? json_array_size(parents) : number > 0;
	e->parents = room_for(g->t, e->parent_count, sizeof(*e->parents));
	e->parent_edits = room_for(g->t, e->parent_count, sizeof(*e->parent_edits));
	if (!g->t->is_concurrent && number > 0)
		e->parent_edits[0] = number - 1;
	json_array_foreach(parents, i, parent) e->parent_edits[i] =
		g->edit[json_integer_value(parent)];
	for (i = 0; i < e->parent_count; i++)
		e->parents[i] = g->t->edits[e->parent_edits[i]].dot;
}

static void group(struct grouping *g)
{
	size_t count = json_array_size(g->txns);
	struct trace_patch *p = g->t->patches;

	for (size_t txn = 0; txn < count; txn++) {
		struct trace_edit *e = &g->t->edits[g->t->edit_count++];
		const json_t *first = json_array_get(g->txns, txn);
		bool ends = false;

		*e = (struct trace_edit){ .agent = agent_of(first), .patches = p };
		e->dot.replica.bytes[0] = (uint8_t)(1 + e->agent);
		e->dot.seq = ++g->seqs[e->agent % 256];
		name_parents(g, e, first);
		for (; !ends; txn += !ends) {
			const json_t *list =
				json_object_get(json_array_get(g->txns, txn), "patches");

			for (size_t i = 0; i < json_array_size(list); i++)
				read_patch(g->t, json_array_get(list, i), p++);
			g->edit[txn] = g->t->edit_count - 1;
			e->patch_count = (size_t)(p - e->patches);
			ends = !goes_on(g, txn) ||
			       (g->keystrokes && e->patch_count >= g->keystrokes);
		}
	}
	g->t->patch_count = (size_t)(p - g->t->patches);
}

static void count_children(struct grouping *g)
{
	json_t *txn, *parent;
	size_t i, k;

	json_array_foreach(g->txns, i, txn)
		json_array_foreach(json_object_get(txn, "parents"), k, parent)
			g->children[json_integer_value(parent)]++;
}

/* ---- Positions to edits ---------------------------------------------------- */

/* What each agent's own replica does: take what it has seen, write, commit. */
struct replica {
	struct text text;
	bool *has; /* by edit */
};

/* What the edit has seen, and the replica has not. */
static void catch_up(const struct trace *t, struct replica *r, size_t number, bool *wanted)
{
	const struct trace_edit *e = &t->edits[number];
	struct errmsg msg = { 0 };

	memset(wanted, 0, number * sizeof(*wanted));
	for (size_t i = 0; i < e->parent_count; i++)
		wanted[e->parent_edits[i]] = true;
	for (size_t i = number; i-- > 0;)
		for (size_t k = 0; wanted[i] && !r->has[i] && k < t->edits[i].parent_count; k++)
			wanted[t->edits[i].parent_edits[k]] = true;
	for (size_t i = 0; i < number; i++) {
		const struct trace_edit *seen = &t->edits[i];

		if (!wanted[i] || r->has[i])
			continue;
		r->has[i] = true;
		must(text_take(&r->text, &seen->dot, &seen->edit, seen->parents,
			       seen->parent_count),
		     &msg, t->name);
	}
	must(text_merge(&r->text, NULL), &msg, t->name);
}

static void type(const struct trace *t, struct text *text, const struct trace_patch *p)
{
	struct errmsg msg = { 0 };

	if (p->deleted)
		must(text_delete(text, p->pos, p->deleted), &msg, t->name);
	if (p->inserted)
		must(text_insert(text, p->pos, p->text, p->inserted), &msg, t->name);
}

static void keep_edit(struct trace *t, struct trace_edit *e, const struct text_edit *made)
{
	struct text_run *runs = room_for(t, made->run_count, sizeof(*runs));

	memcpy(runs, made->runs, made->run_count * sizeof(*runs));
	e->edit = *made;
	e->edit.runs = runs;
	e->edit.text = arena_copy(&t->arena, made->text);
}

static void replay(struct trace *t, uint32_t agents)
{
	struct replica *replicas = room_for(t, agents, sizeof(*replicas));
	bool *wanted = room_for(t, t->edit_count, sizeof(*wanted));
	struct text_edit made;

	for (uint32_t i = 0; i < agents; i++) {
		replicas[i].text = TEXT_EMPTY;
		replicas[i].has = room_for(t, t->edit_count, sizeof(bool));
	}
	for (size_t i = 0; i < t->edit_count; i++) {
		struct trace_edit *e = &t->edits[i];
		struct replica *r = &replicas[e->agent];

		if (t->is_concurrent)
			catch_up(t, r, i, wanted);
		for (size_t k = 0; k < e->patch_count; k++)
			type(t, &r->text, &e->patches[k]);
		must(text_commit(&r->text, &e->dot, &made), &(struct errmsg){ 0 }, t->name);
		keep_edit(t, e, &made);
		r->has[i] = true;
	}
	for (uint32_t i = 0; i < agents; i++)
		text_release(&replicas[i].text);
}

/* ---- All ------------------------------------------------------------------- */

void trace_load(struct trace *t, const char *folder, const char *file, size_t keystrokes)
{
	struct grouping g = { .t = t, .keystrokes = keystrokes };
	char path[4096];
	json_t *root;
	size_t count;

	*t = (struct trace){ .arena = ARENA_EMPTY };
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	snprintf(t->name, sizeof(t->name), "%.*s", (int)strcspn(file, "."), file);
	root = read_json(path);
	g.txns = json_object_get(root, "txns");
	count = json_array_size(g.txns);
	t->is_concurrent = json_object_get(root, "kind") != NULL;
	t->end = read_text(t, json_object_get(root, "endContent"));
	t->patches = room_for(t, count_patches(g.txns), sizeof(*t->patches));
	t->edits = room_for(t, count, sizeof(*t->edits));
	g.children = room_for(t, count, sizeof(*g.children));
	g.edit = room_for(t, count, sizeof(*g.edit));
	if (json_string_length(json_object_get(root, "startContent")))
		bench_fail("%s: begins with a text", path);
	count_children(&g);
	group(&g);
	replay(t, t->is_concurrent
			  ? (uint32_t)json_integer_value(json_object_get(root, "numAgents"))
			  : 1);
	json_decref(root);
}

void trace_release(struct trace *t)
{
	arena_release(&t->arena);
}

void trace_check(const struct trace *t, const struct rope *rope)
{
	struct buf text = BUF_EMPTY;

	rope_read(rope, 0, rope_size(rope, ROPE_POINTS), &text);
	if (!bytes_equal(buf_bytes(&text), t->end))
		bench_fail("%s: the text at the end is another one", t->name);
	buf_release(&text);
}
