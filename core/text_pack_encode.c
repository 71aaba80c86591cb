/* Packs are written. */
#include "core/intern.h"
#include "core/pack.h"
#include "core/text_pack_format.h"

/* A run that may go on in its author's next edit. */
struct open_run {
	uint64_t count; /* 0: there is none */
	uint8_t step;
	int64_t move;
};

struct packer {
	uint32_t first;
	const struct text_event *events;
	size_t count;
	struct intern replicas;
	uint32_t *author; /* by edit */
	struct buf columns[COLUMN_COUNT];
	struct open_run open;
	struct buf all, text;
	struct pack pack;
	struct arena arena;
};

/* ---- The graph, edit by edit ----------------------------------------------- */

static enum err put_authors(struct packer *p)
{
	p->author = arena_array(&p->arena, p->count, sizeof(*p->author));
	if (!p->author)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->count; i++) {
		const struct replica_id *replica = &p->events[i].dot.replica;

		p->author[i] = intern_find(&p->replicas, replica);
		if (p->author[i] == UINT32_MAX) {
			p->author[i] = p->replicas.count;
			if (intern_add(&p->replicas, replica))
				return ERR_NOMEM;
		}
		wire_put_uint(&p->columns[COLUMN_AUTHORS], p->author[i]);
	}
	return OK;
}

/* own: the author's edit before it in the pack, counted from 1; 0: there is none. */
static void put_code(struct packer *p, size_t at, uint32_t own, bool is_stray)
{
	const struct text_event *e = &p->events[at];
	uint32_t last = p->first + (uint32_t)at;
	uint64_t others = 0;
	bool is_after_own = false;

	for (size_t i = e->parent_count; i-- > 0;) {
		if (own && e->parents[i] == p->first + own - 1) {
			is_after_own = true;
			continue;
		}
		wire_put_uint(&p->columns[COLUMN_OTHERS], last - e->parents[i] - 1);
		last = e->parents[i];
		others++;
	}
	wire_put_uint(&p->columns[COLUMN_CODES],
		      others << CODE_OTHERS | !is_after_own * CODE_NOT_AFTER_OWN |
			      !e->sees_all * CODE_NOT_ALL | is_stray * CODE_STRAY);
}

static enum err put_event(struct packer *p, size_t at, uint32_t own, struct text_lengths *lengths)
{
	const struct text_event *e = &p->events[at];
	int64_t over = e->edit.length - lengths_expected(lengths, e);
	bool follows = lengths_follow(lengths, e);
	bool is_stray = e->is_adrift || e->before != e->edit.length || (follows && over);
	struct buf *strays = &p->columns[COLUMN_STRAYS];
	uint64_t last = own ? p->events[own - 1].dot.seq : 0;

	if (e->dot.seq <= last)
		return ERR_INVALID;
	put_code(p, at, own, is_stray);
	wire_put_uint(&p->columns[COLUMN_SEQS], e->dot.seq - last - 1);
	if (!follows)
		wire_put_int(&p->columns[COLUMN_LENGTHS], over);
	if (is_stray) {
		wire_put_int(strays, follows ? over : 0);
		wire_put_int(strays, (int64_t)e->before - e->edit.length);
		wire_put_uint(strays, e->is_adrift);
	}
	lengths_learn(lengths, at, e);
	return OK;
}

static enum err put_graph(struct packer *p)
{
	struct text_lengths lengths = { .first = p->first };
	uint32_t *newest = arena_array(&p->arena, p->replicas.count, sizeof(*newest));
	enum err rc = OK;

	lengths.after = arena_array(&p->arena, p->count, sizeof(*lengths.after));
	if (!newest || !lengths.after)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < p->count && rc == OK; i++) {
		rc = put_event(p, i, newest[p->author[i]], &lengths);
		newest[p->author[i]] = i + 1;
	}
	return rc;
}

/* ---- The runs, author by author --------------------------------------------- */

static void close_run(struct packer *p)
{
	struct open_run *open = &p->open;

	if (open->count == 0)
		return;
	wire_put_uint(&p->columns[COLUMN_HEADS],
		      open->count << HEAD_COUNT | (open->move != 0) * HEAD_MOVED | open->step);
	if (open->move)
		wire_put_int(&p->columns[COLUMN_MOVES], open->move);
	open->count = 0;
}

/* In one edit runs stay apart, so that it comes out as it was. */
static void put_run(struct packer *p, const struct text_run *run, int64_t move, bool is_first)
{
	struct open_run next = { run->count, run->step, move };

	/* One that is deleted backwards is a backspace that may go on. */
	if (run->step == TEXT_DELETE && run->count == 1 && move == -1)
		next = (struct open_run){ 1, TEXT_BACKSPACE, 0 };
	if (is_first && p->open.count && next.move == 0 && next.step == p->open.step) {
		p->open.count += next.count;
		return;
	}
	close_run(p);
	p->open = next;
}

static void put_edit(struct packer *p, const struct text_edit *e, struct text_cursor *cursor)
{
	int64_t expected = cursor_expected(cursor, e);
	uint64_t size = 0;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct text_run *run = &e->runs[i];

		put_run(p, run, text_run_start(run) - expected, i == 0);
		expected = text_run_end(run);
		size += run->count;
	}
	wire_put_uint(&p->columns[COLUMN_SIZES], size);
	buf_append(&p->text, e->text.data, e->text.size);
	cursor_learn(cursor, e);
}

static enum err put_runs(struct packer *p)
{
	uint32_t *order = text_pack_by_author(&p->arena, p->author, p->count, p->replicas.count);
	struct text_cursor cursor = { 0 };

	if (!order)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->count; i++) {
		if (i > 0 && p->author[order[i]] != p->author[order[i - 1]]) {
			close_run(p);
			cursor = (struct text_cursor){ 0 };
		}
		put_edit(p, &p->events[order[i]].edit, &cursor);
	}
	close_run(p);
	return OK;
}

/* ---- All -------------------------------------------------------------------- */

static enum err put_packed(struct packer *p, struct buf *out)
{
	struct bytes packed;

	if (buf_check(&p->all))
		return ERR_NOMEM;
	if (pack_shrink(&p->pack, buf_bytes(&p->all), &packed))
		return ERR_NOMEM;
	wire_put_bin(out, packed);
	return buf_check(out);
}

static enum err put_columns(struct packer *p, struct buf *out)
{
	buf_clear(&p->all);
	wire_put_array(&p->all, COLUMNS_BEFORE + COLUMN_COUNT);
	wire_put_uint(&p->all, p->count);
	wire_put_array(&p->all, p->replicas.count);
	for (uint32_t i = 0; i < p->replicas.count; i++)
		wire_put_bin(&p->all, bytes_of(p->replicas.ids[i].bytes, ID_BYTES));
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (buf_check(&p->columns[i]))
			return ERR_NOMEM;
		wire_put_bin(&p->all, buf_bytes(&p->columns[i]));
	}
	return put_packed(p, out);
}

static enum err put_text(struct packer *p, struct buf *out)
{
	if (buf_check(&p->text))
		return ERR_NOMEM;
	buf_clear(&p->all);
	wire_put_array(&p->all, 1);
	wire_put_str(&p->all, buf_bytes(&p->text));
	return put_packed(p, out);
}

enum err text_pack_encode(struct buf *out, uint32_t first, const struct text_event *events,
			  size_t count)
{
	struct packer p = {
		.first = first, .events = events, .count = count, .pack = { .is_thorough = true }
	};
	size_t kept = out->size;
	enum err rc = text_pack_fit(events, count) == count ? OK : ERR_LIMIT;

	if (rc == OK)
		rc = put_authors(&p);
	if (rc == OK)
		rc = put_graph(&p);
	if (rc == OK)
		rc = put_runs(&p);
	wire_put_array(out, 2);
	if (rc == OK)
		rc = put_columns(&p, out);
	if (rc == OK)
		rc = put_text(&p, out);
	if (rc)
		out->size = kept;
	intern_release(&p.replicas);
	for (int i = 0; i < COLUMN_COUNT; i++)
		buf_release(&p.columns[i]);
	buf_release(&p.all);
	buf_release(&p.text);
	pack_release(&p.pack);
	arena_release(&p.arena);
	return rc;
}
