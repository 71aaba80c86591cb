/* The figures of texts: `huitong-bench text --traces DIR`. */
#include <argp.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "tests/bench/measure.h"
#include "tests/bench/raw_text.h"
#include "tests/bench/report.h"
#include "tests/support/prng.h"

static const struct errmsg nothing;

/* ---- One replica ----------------------------------------------------------- */

static void type_all(const struct trace *t, struct text *text)
{
	for (size_t i = 0; i < t->patch_count; i++) {
		const struct trace_patch *p = &t->patches[i];

		if (p->deleted)
			must(text_delete(text, p->pos, p->deleted), &nothing, t->name);
		if (p->inserted)
			must(text_insert(text, p->pos, p->text, p->inserted), &nothing, t->name);
	}
}

static void measure_local(struct bench *b, const struct trace *t)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

	for (unsigned i = 0; i < b->runs; i++) {
		struct text text = TEXT_EMPTY;
		uint64_t start = clock_ns();

		type_all(t, &text);
		samples_add(&values, 1e3 * seconds_since(start));
		trace_check(t, &text.rope);
		text_release(&text);
		samples_add(&floors, 1e3 * raw_text_edit(t));
	}
	bench_report(b, "text_local", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
}

/* ---- From elsewhere -------------------------------------------------------- */

static void take_edit(const struct trace *t, const struct trace_edit *e, struct text *text)
{
	must(text_take(text, &e->dot, &e->edit, e->parents, e->parent_count), &nothing, t->name);
}

static void measure_merge(struct bench *b, const struct trace *t)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;

	for (unsigned i = 0; i < b->runs; i++) {
		struct text text = TEXT_EMPTY;
		uint64_t start = clock_ns();
		struct buf copy = BUF_EMPTY;

		for (size_t k = 0; k < t->edit_count; k++)
			take_edit(t, &t->edits[k], &text);
		must(text_merge(&text, NULL), &nothing, t->name);
		samples_add(&values, 1e3 * seconds_since(start));
		trace_check(t, &text.rope);
		text_release(&text);
		start = clock_ns();
		for (size_t k = 0; k < t->edit_count; k++)
			buf_append(&copy, t->edits[k].edit.text.data, t->edits[k].edit.text.size);
		samples_add(&floors, 1e3 * seconds_since(start));
		buf_release(&copy);
	}
	bench_report(b, "text_merge", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
}

/* One keystroke at a time, as a peer who types sends them: after all that is here, or
 * beside what somebody here has typed. */
static double remote_us(const struct trace *t, bool is_concurrent)
{
	enum { KEYS = 1000 };
	struct text text = TEXT_EMPTY;
	struct text_run run = { 0, 1, TEXT_INSERT };
	struct text_edit e = { 0, &run, 1, bytes_of_str("x") }, mine;
	struct dot dot = { .seq = 1 }, parent, here = { .seq = 1 };
	uint32_t length;
	uint64_t start;
	double seconds;

	for (size_t k = 0; k < t->edit_count; k++)
		take_edit(t, &t->edits[k], &text);
	must(text_merge(&text, NULL), &nothing, t->name);
	length = rope_size(&text.rope, ROPE_POINTS);
	parent = text_history_dot(&text.history, text.history.count - 1);
	dot.replica.bytes[0] = 200;
	here.replica.bytes[0] = 201;
	if (is_concurrent) {
		must(text_insert(&text, length / 3, bytes_of_str("here"), 4), &nothing, t->name);
		must(text_commit(&text, &here, &mine), &nothing, t->name);
	}
	start = clock_ns();
	for (uint32_t i = 0; i < KEYS; i++) {
		run.pos = length / 2 + i;
		e.length = length + i;
		must(text_take(&text, &dot, &e, &parent, 1), &nothing, t->name);
		must(text_merge(&text, NULL), &nothing, t->name);
		parent = dot;
		dot.seq++;
	}
	seconds = seconds_since(start);
	text_release(&text);
	return 1e6 * seconds / KEYS;
}

static void measure_remote(struct bench *b, const struct trace *t)
{
	struct samples alone = SAMPLES_EMPTY, beside = SAMPLES_EMPTY;

	for (unsigned i = 0; i < b->runs; i++) {
		samples_add(&alone, remote_us(t, false));
		samples_add(&beside, remote_us(t, true));
	}
	bench_report(b, "text_remote", &alone, NULL);
	bench_report(b, "text_remote_concurrent", &beside, NULL);
	samples_release(&alone);
	samples_release(&beside);
}

static void measure_open_text(struct bench *b, const struct trace *t)
{
	struct samples values = SAMPLES_EMPTY, floors = SAMPLES_EMPTY;
	uint8_t *copy = malloc(t->end.size + 1);

	for (unsigned i = 0; copy && i < 20 * b->runs; i++) {
		struct rope r = ROPE_EMPTY;
		uint64_t start = clock_ns();

		must(rope_insert(&r, 0, t->end), &nothing, t->name);
		samples_add(&values, 1e3 * seconds_since(start));
		rope_release(&r);
		start = clock_ns();
		memcpy(copy, t->end.data, t->end.size);
		copy[t->end.size] = copy[t->end.size / 2];
		samples_add(&floors, 1e3 * seconds_since(start));
	}
	bench_report(b, "text_open", &values, &floors);
	samples_release(&values);
	samples_release(&floors);
	free(copy);
}

/* ---- Two branches ---------------------------------------------------------- */

static struct bytes draw_document(size_t size)
{
	static const char words[] = "Minutes of the weekly meeting, agreed by all offices. ";
	uint8_t *text = malloc(size);

	if (!text)
		bench_fail("out of memory");
	for (size_t i = 0; i < size; i++)
		text[i] = (uint8_t)words[i % (sizeof(words) - 1)];
	return bytes_of(text, size);
}

/* So many edits, each with a keystroke at a random place, on top of `base`. */
static void draw_branch(struct trace_edit *edits, size_t count, uint8_t author,
			const struct dot *base, uint32_t length, struct prng *prng,
			struct text_run *runs)
{
	for (size_t i = 0; i < count; i++) {
		struct trace_edit *e = &edits[i];
		bool is_insert = length == 0 || prng_chance(prng, 60);

		*e = (struct trace_edit){ .dot = { .seq = i + 1 }, .parent_count = 1 };
		e->dot.replica.bytes[0] = author;
		e->parents = i ? &edits[i - 1].dot : (struct dot *)base;
		runs[i] = (struct text_run){ (uint32_t)prng_below(prng, length + is_insert), 1,
					     is_insert ? TEXT_INSERT : TEXT_DELETE };
		e->edit = (struct text_edit){ length, &runs[i], 1,
					      is_insert ? bytes_of_str("x") : bytes_of_str("") };
		length += is_insert ? 1 : UINT32_MAX;
	}
}

/* Milliseconds to merge the second branch into a document that has the first. */
static double branches_ms(struct bytes document, size_t count, uint64_t seed)
{
	struct trace t = { .name = "branches" };
	struct trace_edit *edits = calloc(2 * count, sizeof(*edits));
	struct text_run *runs = calloc(2 * count, sizeof(*runs));
	struct text text = TEXT_EMPTY;
	struct text_edit made;
	struct dot base = { .seq = 1 };
	struct prng prng;
	uint64_t start;
	double seconds;

	prng_init(&prng, seed);
	must(text_insert(&text, 0, document, (uint32_t)document.size), &nothing, t.name);
	must(text_commit(&text, &base, &made), &nothing, t.name);
	draw_branch(edits, count, 1, &base, (uint32_t)document.size, &prng, runs);
	draw_branch(edits + count, count, 2, &base, (uint32_t)document.size, &prng, runs + count);
	for (size_t i = 0; i < count; i++)
		take_edit(&t, &edits[i], &text);
	must(text_merge(&text, NULL), &nothing, t.name);
	start = clock_ns();
	for (size_t i = count; i < 2 * count; i++)
		take_edit(&t, &edits[i], &text);
	must(text_merge(&text, NULL), &nothing, t.name);
	seconds = seconds_since(start);
	text_release(&text);
	free(edits);
	free(runs);
	return 1e3 * seconds;
}

static void measure_branches(struct bench *b)
{
	static const size_t counts[] = { 1000, 10000, 50000, 100000 };
	struct bytes document = draw_document(1 << 20);

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct samples values = SAMPLES_EMPTY;

		for (unsigned k = 0; k < b->runs; k++)
			samples_add(&values, branches_ms(document, counts[i], k));
		b->n = counts[i];
		bench_report(b, "text_branches", &values, NULL);
		samples_release(&values);
	}
	free((void *)document.data);
}

/* ---- All ------------------------------------------------------------------- */

static void measure_trace(struct bench *b, const char *folder, const char *file)
{
	struct trace t;

	trace_load(&t, folder, file, 0);
	b->trace = t.name;
	b->n = t.patch_count;
	if (!t.is_concurrent)
		measure_local(b, &t);
	measure_open_text(b, &t);
	measure_merge(b, &t);
	measure_remote(b, &t);
	b->trace = NULL;
	trace_release(&t);
}

static const struct argp_option option_table[] = {
	{ "traces", 't', "DIR", 0, "Where the recorded traces are: *.json.gz", 0 },
	{ "json", 'j', NULL, 0, "One JSON object a line", 0 },
	{ "only", 'o', "NAME", 0, "Report this figure alone", 0 },
	{ "runs", 'r', "COUNT", 0, "Runs of each, of which the median counts (9)", 0 },
	{ 0 },
};

struct text_options {
	struct bench bench;
	const char *traces;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct text_options *o = state->input;

	switch (key) {
	case 't': o->traces = arg; break;
	case 'j': o->bench.is_json = true; break;
	case 'o': o->bench.only = arg; break;
	case 'r':
		o->bench.runs = (unsigned)strtoul(arg, NULL, 10);
		if (o->bench.runs == 0 || o->bench.runs > 1000)
			argp_error(state, "%s: a number from 1 to 1000 is wanted", arg);
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp parser = {
	option_table,
	parse_option,
	NULL,
	"Measure texts by recorded editing; docs/BENCHMARKS.md says how.",
};

static int is_trace(const struct dirent *entry)
{
	const char *end = strstr(entry->d_name, ".json.gz");

	return end && end[8] == '\0';
}

int bench_text(int argc, char **argv)
{
	struct text_options o = { .bench = { .runs = 9 } };
	struct dirent **files = NULL;
	int count = 0;

	argp_parse(&parser, argc, argv, 0, NULL, &o);
	if (o.traces)
		count = scandir(o.traces, &files, is_trace, alphasort);
	if (count < 0)
		bench_fail("%s: no such folder", o.traces);
	if (!o.bench.is_json)
		report_heading();
	bench_make_folder(&o.bench);
	for (int i = 0; i < count; i++) {
		measure_trace(&o.bench, o.traces, files[i]->d_name);
		measure_text_saved(&o.bench, o.traces, files[i]->d_name);
		measure_text_store(&o.bench, o.traces, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	measure_branches(&o.bench);
	measure_text_keystroke(&o.bench);
	return 0;
}
