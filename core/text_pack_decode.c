/* Packs are read. Nothing that stands in one is believed: whatever is counted was seen. */
#include "core/intern.h"
#include "core/limits.h"
#include "core/pack.h"
#include "core/text_pack_format.h"
#include "core/utf8.h"

enum { WRAPPING = 6 }; /* bytes around the text in its array */

struct unpacker {
	uint32_t first;
	struct text_event *events;
	size_t count;
	struct intern replicas;
	uint32_t *author; /* by edit */
	uint32_t *order;  /* author by author */
	struct wire_reader columns[COLUMN_COUNT];
	struct bytes text; /* what is not taken yet */
	struct pack pack;
	struct arena *arena;
};

static uint64_t next_uint(struct unpacker *u, enum text_column column, uint64_t max)
{
	return wire_uint(&u->columns[column], max);
}

/* Within what two lengths can differ by. */
static int64_t next_int(struct unpacker *u, enum text_column column)
{
	int64_t value = wire_int(&u->columns[column]);

	if (value < -(INT64_C(1) << 60) || value > INT64_C(1) << 60)
		wire_fail(&u->columns[column], ERR_FORMAT);
	return value;
}

static enum err column_error(const struct unpacker *u, enum text_column column)
{
	return u->columns[column].rc;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many integers it has at the most. */
static size_t column_left(const struct unpacker *u, enum text_column column)
{
	return (size_t)(u->columns[column].end - u->columns[column].at);
}

/* ---- The parts -------------------------------------------------------------- */

static enum err unpack(struct unpacker *u, struct bytes packed, size_t size_max, struct bytes *out)
{
	if (pack_is_frame(packed))
		return pack_restore(&u->pack, packed, size_max, u->arena, out);
	*out = arena_copy(u->arena, packed);
	return out->data ? OK : ERR_NOMEM;
}

static enum err read_replicas(struct unpacker *u, struct wire_reader *r)
{
	uint32_t count = wire_array(r, TEXT_PACK_EDITS_MAX);
	struct replica_id id;

	for (uint32_t i = 0; i < count; i++) {
		wire_bin_exact(r, id.bytes, sizeof(id.bytes));
		if (wire_is_ok(r) && intern_find(&u->replicas, &id) != UINT32_MAX)
			wire_fail(r, ERR_FORMAT);
		if (!wire_is_ok(r))
			return r->rc;
		if (intern_add(&u->replicas, &id))
			return ERR_NOMEM;
	}
	return OK;
}

static enum err open_columns(struct unpacker *u, struct bytes packed)
{
	struct wire_reader r;
	struct bytes all;
	enum err rc = unpack(u, packed, TEXT_PACK_COLUMNS_MAX, &all);

	if (rc)
		return rc;
	r = wire_reader_of(all);
	if (wire_array(&r, COLUMNS_BEFORE + COLUMN_COUNT) != COLUMNS_BEFORE + COLUMN_COUNT)
		wire_fail(&r, ERR_FORMAT);
	u->count = (size_t)wire_uint(&r, TEXT_PACK_EDITS_MAX);
	rc = read_replicas(u, &r);
	if (rc)
		return rc;
	for (int i = 0; i < COLUMN_COUNT; i++)
		u->columns[i] = wire_reader_of(wire_bin(&r, TEXT_PACK_COLUMNS_MAX));
	if (wire_is_ok(&r) &&
	    (u->count > column_left(u, COLUMN_AUTHORS) || u->count > UINT32_MAX - u->first))
		wire_fail(&r, ERR_FORMAT);
	return wire_end(&r);
}

static enum err open_text(struct unpacker *u, struct bytes packed)
{
	struct wire_reader r;
	struct bytes all;
	enum err rc = unpack(u, packed, TEXT_PACK_TEXT_MAX + WRAPPING, &all);

	if (rc)
		return rc;
	r = wire_reader_of(all);
	if (wire_array(&r, 1) != 1)
		wire_fail(&r, ERR_FORMAT);
	u->text = wire_str(&r, TEXT_PACK_TEXT_MAX);
	if (u->text.size && memchr(u->text.data, 0, u->text.size))
		wire_fail(&r, ERR_FORMAT);
	return wire_end(&r);
}

/* ---- Authors ---------------------------------------------------------------- */

/* Each new one is the next of the replicas, and none is left over. */
static enum err read_authors(struct unpacker *u)
{
	uint32_t known = 0;

	u->events = arena_array(u->arena, u->count, sizeof(*u->events));
	u->author = arena_array(u->arena, u->count, sizeof(*u->author));
	if (!u->events || !u->author)
		return ERR_NOMEM;
	for (size_t i = 0; i < u->count; i++) {
		u->author[i] = (uint32_t)next_uint(u, COLUMN_AUTHORS, known);
		if (column_error(u, COLUMN_AUTHORS) || u->author[i] >= u->replicas.count)
			return ERR_FORMAT;
		known += u->author[i] == known;
		u->events[i].dot.replica = u->replicas.ids[u->author[i]];
	}
	u->order = text_pack_by_author(u->arena, u->author, u->count, known);
	if (!u->order)
		return ERR_NOMEM;
	return known == u->replicas.count ? OK : ERR_FORMAT;
}

/* ---- Runs, as far as they can be told without positions ----------------------- */

/* The author's run that edits are cut from. */
struct cut {
	uint64_t left;
	uint8_t step;
	int64_t move; /* until its first part is cut off */
};

static void next_head(struct unpacker *u, struct cut *cut)
{
	uint64_t head = next_uint(u, COLUMN_HEADS, UINT64_MAX);

	cut->left = head >> HEAD_COUNT;
	cut->step = head & HEAD_STEP;
	cut->move = head & HEAD_MOVED ? next_int(u, COLUMN_MOVES) : 0;
	if (cut->left == 0 || cut->step >= TEXT_STEP_COUNT || cut->move < -TEXT_POINTS_MAX ||
	    cut->move > TEXT_POINTS_MAX)
		wire_fail(&u->columns[COLUMN_HEADS], ERR_FORMAT);
}

/* `pos` is how far from the cursor, which is not known yet. */
static void cut_run(struct cut *cut, uint32_t count, struct text_run *run)
{
	bool is_single = cut->step == TEXT_BACKSPACE && count == 1;

	*run = (struct text_run){ (uint32_t)(cut->move - is_single), count,
				  is_single ? TEXT_DELETE : cut->step };
	cut->left -= count;
	cut->move = 0;
}

static enum err read_edit_runs(struct unpacker *u, struct cut *cut, struct text_run **room,
			       const struct text_run *end, struct text_edit *e)
{
	uint64_t left = next_uint(u, COLUMN_SIZES, UINT64_MAX);
	struct text_run *runs = *room, *run = runs;

	while (left && column_error(u, COLUMN_SIZES) == OK) {
		uint64_t count;

		if (cut->left == 0)
			next_head(u, cut);
		count = cut->left < left ? cut->left : left;
		if (column_error(u, COLUMN_HEADS) || count > TEXT_POINTS_MAX)
			return ERR_FORMAT;
		if (run == end || run - runs >= TEXT_RUNS_MAX)
			return ERR_LIMIT;
		cut_run(cut, (uint32_t)count, run++);
		left -= count;
	}
	e->runs = runs;
	e->run_count = (size_t)(run - runs);
	*room = run;
	return column_error(u, COLUMN_SIZES);
}

static bool begins_author(const struct unpacker *u, size_t at)
{
	return at == 0 || u->author[u->order[at]] != u->author[u->order[at - 1]];
}

/* There are as many as heads, and one more for each edit that cuts one. */
static enum err read_runs(struct unpacker *u)
{
	size_t room = least(column_left(u, COLUMN_HEADS) + u->count, TEXT_PACK_RUNS_MAX);
	struct text_run *runs = arena_array(u->arena, room, sizeof(*runs));
	const struct text_run *end = runs + room;
	struct cut cut = { 0 };
	enum err rc = OK;

	if (!runs)
		return ERR_NOMEM;
	for (size_t i = 0; i < u->count && rc == OK; i++) {
		if (begins_author(u, i) && cut.left)
			return ERR_FORMAT;
		rc = read_edit_runs(u, &cut, &runs, end, &u->events[u->order[i]].edit);
	}
	return rc == OK && cut.left ? ERR_FORMAT : rc;
}

/* ---- The graph, edit by edit -------------------------------------------------- */

/* own: the author's edit before it in the pack, counted from 1; 0: there is none. */
static enum err read_parents(struct unpacker *u, size_t at, uint32_t own, uint64_t code,
			     uint32_t **room, const uint32_t *end)
{
	struct text_event *e = &u->events[at];
	uint64_t others = code >> CODE_OTHERS;
	bool is_after_own = !(code & CODE_NOT_AFTER_OWN);
	uint32_t number = u->first + (uint32_t)at, last = number, *parents;
	size_t left;

	if ((is_after_own && own == 0) || others > column_left(u, COLUMN_OTHERS))
		return ERR_FORMAT;
	left = (size_t)others + is_after_own;
	if (left > (size_t)(end - *room))
		return ERR_LIMIT;
	parents = *room;
	e->parents = parents;
	e->parent_count = left;
	*room += left;
	/* The newest first, the author's own where it belongs. */
	own = is_after_own ? u->first + own - 1 : 0;
	while (others--) {
		if (last == 0)
			return ERR_FORMAT;
		last -= 1 + (uint32_t)next_uint(u, COLUMN_OTHERS, last - 1);
		if (column_error(u, COLUMN_OTHERS) || (is_after_own && last == own))
			return ERR_FORMAT;
		if (is_after_own && last < own && (left == e->parent_count || parents[left] > own))
			parents[--left] = own;
		parents[--left] = last;
	}
	if (left)
		parents[0] = own;
	return OK;
}

static enum err read_lengths(struct unpacker *u, size_t at, bool is_stray,
			     struct text_lengths *lengths)
{
	struct text_event *e = &u->events[at];
	int64_t stated = lengths_expected(lengths, e), before;

	if (!lengths_follow(lengths, e))
		stated += next_int(u, COLUMN_LENGTHS);
	if (is_stray)
		stated += next_int(u, COLUMN_STRAYS);
	before = stated;
	if (is_stray) {
		before += next_int(u, COLUMN_STRAYS);
		e->is_adrift = next_uint(u, COLUMN_STRAYS, 1);
	}
	if (column_error(u, COLUMN_LENGTHS) || column_error(u, COLUMN_STRAYS) || stated < 0 ||
	    stated > TEXT_POINTS_MAX || before < 0 || before >= UINT32_MAX)
		return ERR_FORMAT;
	e->edit.length = (uint32_t)stated;
	e->before = (uint32_t)before;
	lengths_learn(lengths, at, e);
	return OK;
}

static enum err read_seq(struct unpacker *u, size_t at, uint32_t own)
{
	uint64_t seq = own ? u->events[own - 1].dot.seq : 0;

	seq += 1 + next_uint(u, COLUMN_SEQS, SEQ_MAX);
	u->events[at].dot.seq = seq;
	return seq > SEQ_MAX ? ERR_LIMIT : column_error(u, COLUMN_SEQS);
}

static enum err read_graph(struct unpacker *u)
{
	struct text_lengths lengths = { .first = u->first };
	size_t room = least(column_left(u, COLUMN_OTHERS) + u->count, TEXT_PACK_PARENTS_MAX);
	uint32_t *parents = arena_array(u->arena, room, sizeof(*parents));
	uint32_t *newest = arena_array(u->arena, u->replicas.count, sizeof(*newest));
	const uint32_t *end = parents + room;
	enum err rc = OK;

	lengths.after = arena_array(u->arena, u->count, sizeof(*lengths.after));
	if (!parents || !newest || !lengths.after)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < u->count && rc == OK; i++) {
		uint64_t code = next_uint(u, COLUMN_CODES, UINT64_MAX);
		uint32_t *own = &newest[u->author[i]];

		u->events[i].sees_all = !(code & CODE_NOT_ALL);
		rc = column_error(u, COLUMN_CODES);
		if (rc == OK)
			rc = read_parents(u, i, *own, code, &parents, end);
		if (rc == OK)
			rc = read_seq(u, i, *own);
		if (rc == OK)
			rc = read_lengths(u, i, code & CODE_STRAY, &lengths);
		*own = i + 1;
	}
	return rc;
}

/* ---- Places, and what is inserted --------------------------------------------- */

/* So many code points from the front of what is left; false if there are less. */
static bool take_text(struct unpacker *u, uint64_t points, struct bytes *out)
{
	const uint8_t *at = u->text.data, *end = at + u->text.size;

	for (; points && at < end; points--)
		at += utf8_size(*at);
	if (points)
		return false;
	*out = bytes_of(u->text.data, (size_t)(at - u->text.data));
	u->text = bytes_of(at, (size_t)(end - at));
	return true;
}

static enum err place_edit(struct unpacker *u, struct text_edit *e, struct text_run *runs,
			   struct text_cursor *cursor)
{
	int64_t expected = cursor_expected(cursor, e), length = e->length;
	uint64_t inserted = 0;

	for (size_t i = 0; i < e->run_count; i++) {
		struct text_run *run = &runs[i];
		int64_t pos = expected + (int32_t)run->pos - (run->step == TEXT_BACKSPACE);

		run->pos = (uint32_t)pos;
		if (pos < 0 || pos > TEXT_POINTS_MAX)
			return ERR_INVALID;
		length = text_run_apply(run, length);
		if (length < 0 || length > TEXT_POINTS_MAX)
			return ERR_INVALID;
		expected = text_run_end(run);
		inserted += run->step == TEXT_INSERT ? run->count : 0;
	}
	cursor_learn(cursor, e);
	return take_text(u, inserted, &e->text) ? OK : ERR_INVALID;
}

static enum err place_edits(struct unpacker *u)
{
	struct text_cursor cursor = { 0 };
	enum err rc = OK;

	for (size_t i = 0; i < u->count && rc == OK; i++) {
		struct text_edit *e = &u->events[u->order[i]].edit;

		if (begins_author(u, i))
			cursor = (struct text_cursor){ 0 };
		rc = place_edit(u, e, (struct text_run *)e->runs, &cursor);
	}
	return rc == OK && u->text.size ? ERR_INVALID : rc;
}

/* ---- All -------------------------------------------------------------------- */

static enum err end_columns(const struct unpacker *u)
{
	enum err rc = OK;

	for (int i = 0; i < COLUMN_COUNT && rc == OK; i++)
		rc = wire_end(&u->columns[i]);
	return rc;
}

static enum err read_all(struct unpacker *u, struct bytes packed)
{
	struct wire_reader r = wire_reader_of(packed);
	struct bytes columns, text;
	enum err rc;

	if (wire_array(&r, 2) != 2)
		wire_fail(&r, ERR_FORMAT);
	columns = wire_bin(&r, TEXT_PACK_COLUMNS_MAX);
	text = wire_bin(&r, TEXT_PACK_TEXT_MAX + WRAPPING);
	rc = wire_end(&r);
	if (rc == OK)
		rc = open_columns(u, columns);
	if (rc == OK)
		rc = open_text(u, text);
	if (rc == OK)
		rc = read_authors(u);
	if (rc == OK)
		rc = read_runs(u);
	if (rc == OK)
		rc = read_graph(u);
	if (rc == OK)
		rc = place_edits(u);
	return rc == OK ? end_columns(u) : rc;
}

enum err text_pack_decode(struct bytes packed, uint32_t first, struct arena *arena,
			  const struct text_event **events, size_t *count, struct errmsg *msg)
{
	struct unpacker u = { .first = first, .arena = arena };
	enum err rc = read_all(&u, packed);

	intern_release(&u.replicas);
	pack_release(&u.pack);
	if (rc == ERR_NOMEM)
		return rc;
	if (rc)
		return errmsg_set(msg, rc, "a stretch of a text's history is not well formed");
	*events = u.events;
	*count = u.count;
	return OK;
}
