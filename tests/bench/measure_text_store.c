/* Texts in replicas on disk, and over the link: recorded editing through changesets. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/bench/host.h"
#include "tests/bench/measure.h"
#include "tests/bench/pair.h"
#include "tests/bench/trace.h"
#include "tests/support/forge.h"

enum { KEYSTROKES = 100, EDITS_A_TURN = 50, KEYS_A_RUN = 200, KEYS_A_TURN = 20 };

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A replica in a folder of its own with one text in it, or what stands in for that. */
struct side {
	struct bench bench;
	char folder[BENCH_PATH_MAX];
	struct host host;
	struct space_id space;
	struct record_id record;
	struct dot newest; /* of the text */
	struct forge *authors;
	size_t author_count;
	struct sealed *sealed; /* what the authors wrote, edit by edit */
	bool is_text;
};

/* ---- One's own edits ------------------------------------------------------- */

static struct edit *side_begin(struct side *s)
{
	struct edit *edit;
	struct errmsg msg = { 0 };

	host_begin(&s->host);
	must(edit_open(&edit, s->host.replica, &s->space, NULL, clock_wall_ms(), &msg), &msg,
	     "edit");
	return edit;
}

static void side_commit(struct side *s, struct edit *edit)
{
	const struct replica_id *id = replica_id(s->host.replica);
	struct errmsg msg = { 0 };

	must(edit_seal(edit, &msg), &msg, "seal");
	host_commit(&s->host);
	s->newest.replica = *id;
	s->newest.seq = vv_get(replica_vv(s->host.replica, &s->space), id);
}

static void side_splice(struct side *s, const struct text_edit *e)
{
	struct edit *edit = side_begin(s);
	struct errmsg msg = { 0 };

	must(edit_splice(edit, KIND_BLOCK, &s->record, BLOCK_TEXT, &s->newest, 1, e, &msg), &msg,
	     "splice");
	side_commit(s, edit);
}

/* A change of the same size that merges nothing: an entry of a log. */
static struct value same_size(const struct text_edit *e, struct buf *room)
{
	buf_clear(room);
	text_edit_encode(room, e);
	for (size_t i = 0; i < room->size; i++)
		room->data[i] = 'x';
	buf_append(room, e->text.data, e->text.size);
	return value_text(buf_bytes(room));
}

static void side_add(struct side *s, const struct text_edit *e)
{
	struct edit *edit = side_begin(s);
	struct buf room = BUF_EMPTY;
	struct value value = same_size(e, &room);
	struct errmsg msg = { 0 };

	must(edit_add(edit, KIND_ACTION, &s->record, ACTION_PROGRESS, &value, &msg), &msg, "add");
	side_commit(s, edit);
	buf_release(&room);
}

/* ---- Those of others ------------------------------------------------------- */

static struct op others_splice(const struct side *s, const struct trace_edit *e,
			       struct target *targets, struct buf *encoded)
{
	struct op op = { .record = s->record,
			 .kind = KIND_BLOCK,
			 .field = BLOCK_TEXT,
			 .verb = VERB_SPLICE,
			 .value = value_text(e->edit.text),
			 .targets = targets,
			 .target_count = e->parent_count };

	for (size_t i = 0; i < e->parent_count; i++) {
		const struct dot *parent = &e->parents[i];
		const struct forge *author = &s->authors[parent->replica.bytes[0] - 1];

		targets[i].dot = (struct dot){ author->identity.replica, parent->seq };
	}
	if (op.target_count == 0)
		targets[op.target_count++].dot = s->newest;
	text_edit_encode(encoded, &e->edit);
	op.edit = buf_bytes(encoded);
	return op;
}

static struct op others_add(const struct side *s, const struct trace_edit *e, struct buf *room)
{
	return (struct op){ .record = s->record,
			    .kind = KIND_ACTION,
			    .field = ACTION_PROGRESS,
			    .verb = VERB_ADD,
			    .value = same_size(&e->edit, room) };
}

static void seal_others(struct side *s, const struct trace *t)
{
	struct office office = { .replica = s->host.replica, .now_ms = clock_wall_ms() };

	for (size_t i = 0; i < t->edit_count; i++)
		if (t->edits[i].agent >= s->author_count)
			s->author_count = t->edits[i].agent + 1;
	s->authors = calloc(s->author_count, sizeof(*s->authors));
	s->sealed = calloc(t->edit_count, sizeof(*s->sealed));
	if (!s->authors || !s->sealed)
		bench_fail("out of memory");
	for (size_t i = 0; i < s->author_count; i++) {
		char code[24];

		snprintf(code, sizeof(code), "P%zu", i);
		forge_open(&s->authors[i], &office, &s->space, code, i);
	}
	for (size_t i = 0; i < t->edit_count; i++) {
		const struct trace_edit *e = &t->edits[i];
		struct target targets[OP_REPLACED_MAX] = { 0 };
		struct buf room = BUF_EMPTY;
		struct op op =
			s->is_text ? others_splice(s, e, targets, &room) : others_add(s, e, &room);

		s->sealed[i] = forge_ops(&s->authors[e->agent], office.now_ms + i, NULL, 0, &op, 1);
		buf_release(&room);
	}
}

static void side_receive(struct side *s, const struct sealed *sealed)
{
	struct receipt receipt;
	struct errmsg msg = { 0 };

	must(replica_receive(s->host.replica, &s->space, sealed, 1, clock_wall_ms(), &receipt,
			     &msg),
	     &msg, "receive");
	if (receipt.applied != 1)
		bench_fail("an edit was not taken");
}

/* ---- Both sides ------------------------------------------------------------ */

static void side_open(struct side *s, const struct bench *b, bool is_text)
{
	struct value nothing = value_str(is_text ? "" : "Type");
	struct edit *edit;
	struct errmsg msg = { 0 };

	*s = (struct side){ .bench = *b, .is_text = is_text };
	bench_path(b, is_text ? "text" : "log", s->folder);
	mkdir(s->folder, 0700);
	s->bench.folder = s->folder;
	hosts_new(&s->bench, &s->host);
	s->space = host_space(&s->host);
	edit = side_begin(s);
	s->record = edit_create(edit);
	must(edit_set(edit, is_text ? KIND_BLOCK : KIND_ACTION, &s->record,
		      is_text ? BLOCK_TEXT : ACTION_TITLE, &nothing, &msg),
	     &msg, "set");
	side_commit(s, edit);
}

static void side_close(struct side *s)
{
	for (size_t i = 0; i < s->author_count; i++)
		forge_close(&s->authors[i]);
	free(s->authors);
	free(s->sealed);
	s->bench.n = host_held(&s->host);
	host_close(&s->host);
}

/* Seconds of edits [from, to). */
static double write_edits(struct side *s, const struct trace *t, size_t from, size_t to)
{
	uint64_t start = clock_ns();

	for (size_t i = from; i < to; i++) {
		if (s->sealed)
			side_receive(s, &s->sealed[i]);
		else if (s->is_text)
			side_splice(s, &t->edits[i].edit);
		else
			side_add(s, &t->edits[i].edit);
	}
	return seconds_since(start);
}

static double memory_seconds(const struct trace *t)
{
	struct text text = TEXT_EMPTY;
	struct errmsg msg = { 0 };
	uint64_t start = clock_ns();
	double seconds;

	for (size_t i = 0; i < t->edit_count; i++) {
		const struct trace_edit *e = &t->edits[i];

		must(text_take(&text, &e->dot, &e->edit, e->parents, e->parent_count), &msg,
		     t->name);
		must(text_merge(&text, NULL), &msg, t->name);
	}
	seconds = seconds_since(start);
	text_release(&text);
	return seconds;
}

static void store_trace(struct side *text, struct side *log, const struct trace *t, double *ours,
			double *floor)
{
	if (t->is_concurrent) {
		seal_others(text, t);
		seal_others(log, t);
	}
	for (size_t i = 0; i < t->edit_count; i += EDITS_A_TURN) {
		size_t end = i + EDITS_A_TURN < t->edit_count ? i + EDITS_A_TURN : t->edit_count;

		for (size_t half = 0; half < 2; half++) {
			bool is_ours = (half + i / EDITS_A_TURN) % 2 == 0;

			*(is_ours ? ours : floor) += write_edits(is_ours ? text : log, t, i, end);
		}
	}
}

static double sync_seconds(const struct side *s)
{
	struct pair pair;
	double seconds;

	pair_listen(&pair, &s->bench, 1);
	pair_join(&pair, &s->bench);
	seconds = pair_catch_up(&pair);
	pair_leave(&pair);
	pair_end(&pair);
	return seconds;
}

/* The text of one office is the trace's; *hash is that of all it has. */
static void check_office(const struct side *s, const struct trace *t, unsigned office,
			 const char *file, uint8_t hash[STATE_HASH_BYTES])
{
	char path[BENCH_PATH_MAX];
	struct arena arena = ARENA_EMPTY;
	const struct entry *shown;
	struct record rec;
	struct host host;
	struct errmsg msg = { 0 };

	host_open(&host, office, bench_path(&s->bench, file, path), true);
	must(replica_record(host.replica, KIND_BLOCK, &s->record, &arena, &rec, NULL, &msg), &msg,
	     t->name);
	shown = record_shown(&rec, BLOCK_TEXT);
	if (!shown || !bytes_equal(shown->value.bytes, t->end))
		bench_fail("%s: the text in %s is another one", t->name, file);
	must(replica_state_hash(host.replica, hash, &msg), &msg, t->name);
	arena_release(&arena);
	host_close(&host);
}

static void check_both(const struct side *s, const struct trace *t)
{
	uint8_t here[STATE_HASH_BYTES], there[STATE_HASH_BYTES];

	check_office(s, t, OFFICE_SHA, "sha.db", here);
	check_office(s, t, OFFICE_FRA, "fra-now.db", there);
	if (memcmp(here, there, sizeof(here)) != 0)
		bench_fail("%s: the offices differ", t->name);
}

void measure_text_store(struct bench *b, const char *folder, const char *file)
{
	struct samples stored = SAMPLES_EMPTY, store_floors = SAMPLES_EMPTY;
	struct samples synced = SAMPLES_EMPTY, sync_floors = SAMPLES_EMPTY;
	struct side text, log;
	struct trace t;

	if (!bench_wants(b, "text_store") && !bench_wants(b, "text_sync"))
		return;
	trace_load(&t, folder, file, KEYSTROKES);
	b->trace = t.name;
	b->n = t.edit_count;
	for (unsigned i = 0; i < b->runs; i++) {
		double ours = 0, floor = 0, memory = memory_seconds(&t);

		side_open(&text, b, true);
		side_open(&log, b, false);
		store_trace(&text, &log, &t, &ours, &floor);
		side_close(&text);
		side_close(&log);
		samples_add(&stored, 1e3 * ours);
		samples_add(&store_floors, 1e3 * (memory + floor));
		samples_add(&synced, 1e3 * sync_seconds(&text));
		samples_add(&sync_floors, 1e3 * (memory + sync_seconds(&log)));
		check_both(&text, &t);
	}
	bench_report(b, "text_store", &stored, &store_floors);
	bench_report(b, "text_sync", &synced, &sync_floors);
	b->trace = NULL;
	samples_release(&stored);
	samples_release(&store_floors);
	samples_release(&synced);
	samples_release(&sync_floors);
	trace_release(&t);
}

/* ---- One keystroke in a text of some size ---------------------------------- */

static void insert(struct side *s, uint32_t length, uint32_t pos, struct bytes text)
{
	struct text_run run = { pos, (uint32_t)text.size, TEXT_INSERT };
	struct text_edit e = { length, &run, 1, text };

	side_splice(s, &e);
}

static void fill(struct side *s, size_t size)
{
	enum { PIECE = 1 << 20 };
	static const char line[] = "Minutes of the weekly meeting, agreed by all offices.\n";
	char *piece = malloc(PIECE);

	if (!piece)
		bench_fail("out of memory");
	for (size_t i = 0; i < PIECE; i++)
		piece[i] = line[i % (sizeof(line) - 1)];
	for (size_t at = 0; at < size; at += PIECE)
		insert(s, (uint32_t)at, (uint32_t)at,
		       bytes_of(piece, size - at < PIECE ? size - at : PIECE));
	free(piece);
}

/* Somebody types in the middle of the text; in turns with new titles of an item. */
static void type(struct side *s, size_t size, const struct record_id *item, double *ours,
		 double *floor)
{
	uint32_t length = (uint32_t)size, pos = length / 2;

	for (size_t i = 0; i < KEYS_A_RUN; i += KEYS_A_TURN) {
		uint64_t start = clock_ns();
		struct dot newest;

		for (size_t k = 0; k < KEYS_A_TURN; k++)
			insert(s, length++, pos++, bytes_of_str("x"));
		*ours += seconds_since(start);
		newest = s->newest;
		start = clock_ns();
		for (size_t k = 0; k < KEYS_A_TURN; k++) {
			struct value title = value_str(k % 2 ? "Report" : "Acceptance report");
			struct edit *edit = side_begin(s);
			struct errmsg msg = { 0 };

			must(edit_set(edit, KIND_ACTION, item, ACTION_TITLE, &title, &msg), &msg,
			     "set");
			side_commit(s, edit);
		}
		*floor += seconds_since(start);
		s->newest = newest;
	}
}

void measure_text_keystroke(struct bench *b)
{
	static const size_t sizes[] = { 1000, 100000, 1 << 20, 8000000 };

	for (size_t i = 0; bench_wants(b, "text_keystroke") && i < ARRAY_SIZE(sizes); i++) {
		struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

		for (unsigned run = 0; run < b->runs; run++) {
			struct record_id item = { { 1 } };
			double ours = 0, floor = 0;
			struct side s;

			side_open(&s, b, true);
			fill(&s, sizes[i]);
			type(&s, sizes[i], &item, &ours, &floor);
			side_close(&s);
			samples_add(&values, 1e6 * ours / KEYS_A_RUN);
			samples_add(&floors, 1e6 * floor / KEYS_A_RUN);
		}
		b->n = sizes[i];
		bench_report(b, "text_keystroke", &values, &floors);
		samples_release(&values);
		samples_release(&floors);
	}
}
