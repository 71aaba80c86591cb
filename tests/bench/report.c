#include "tests/bench/report.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct figure figures[] = {
	{ "commit_durable", "us", .reach_ratio = 1.25,
	  .floor = "one durable INSERT of the same row into the plain table" },
	{ "insert_batch", "1/s", .is_rate = true, .reach_ratio = 2.5,
	  .floor = "the same rows into the plain table, 1,000 a transaction" },
	{ "catchup", "s", .reach = 2, .reach_ratio = 5,
	  .floor = "the same rows into the plain table, 1,000 a transaction" },
	{ "catchup_batched", "s", .reach = 1,
	  .floor = "the same rows into the plain table, 1,000 a transaction" },
	{ "incremental", "ms", .reach = 3,
	  .floor = "100 new titles in one message over bare TCP, one durable transaction" },
	{ "noop", "ms", .reach = 1, .floor = "100 bytes and back over bare TCP" },
	{ "noop_bytes", "B", .reach = 1024 },
	{ "propagation_p50", "ms", .reach = 3,
	  .floor = "durable INSERT, the row over bare TCP, durable INSERT" },
	{ "propagation_p99", "ms", .reach = 10,
	  .floor = "durable INSERT, the row over bare TCP, durable INSERT" },
	{ "wire_bytes", "B", .reach = 250, .floor = "the row's values, nothing else" },
	{ "wire_bytes_batched", "B", .reach = 130, .floor = "the row's values, nothing else" },
	{ "disk_bytes", "B", .reach = 600, .floor = "the plain table's file" },
	{ "disk_bytes_batched", "B", .reach = 350, .floor = "the plain table's file" },
	{ "rss_catchup", "MiB", .reach = 64, .floor = "the same process before it dials" },
	{ "open", "ms", .reach = 10,
	  .floor = "a process that reads one row of the plain table by its key" },
	{ "stranger_p50", "ms", .reach = 3, .floor = "the same with nobody at the door" },
	{ "stranger_p99", "ms", .reach = 10, .floor = "the same with nobody at the door" },
	{ "stranger_rss", "MiB", .reach = 64, .floor = "the same process before they came" },
	{ "stranger_rate", "1/s", .is_rate = true },
	{ "handshake", "1/s", .is_rate = true, .reach = 1000,
	  .floor = "its eight X25519 multiplications in libsodium" },
	{ "sim_applies", "1/s", .is_rate = true, .reach = 20000,
	  .floor = "INSERTs of the same rows into a plain table in memory" },
	{ "trust_fold", "ms", .reach = 50, .floor = "BLAKE2b over the same statements' bytes" },
	{ "trust_fold_branches", "ms", .reach = 50,
	  .floor = "BLAKE2b over the same statements' bytes" },
	{ "text_local", "ms", .floor = "a gap buffer over code points and a log of runs" },
	{ "text_open", "ms", .reach = 0.3, .floor = "memcpy of the text" },
	{ "text_merge", "ms", .reach = 4, .floor = "memcpy of what is inserted, edit by edit" },
	{ "text_remote", "us", .reach = 1 },
	{ "text_remote_concurrent", "us", .reach = 5 },
	{ "text_branches", "ms" },
	{ "text_size", "kB", .floor = "what was typed and nothing else, packed alike" },
	{ "text_size_deflated", "kB", .floor = "what was typed and nothing else, by zlib -9" },
	{ "text_load", "ms", .reach = 2.5, .floor = "unpacking, and memcpy of what comes out" },
	{ "text_rss", "kB", .reach_ratio = 3, .floor = "the text's bytes" },
	{ "text_rss_history", "kB", .floor = "the text's bytes" },
	{ "text_store", "ms",
	  .floor = "the same in memory, and entries of the same size into a log, one a commit" },
	{ "text_sync", "ms", .floor = "the same in memory, and those entries over the same link" },
	{ "text_keystroke", "us", .floor = "another title for an item in the same store" },
	{ "trust_extend", "ms", .reach = 1, .floor = "BLAKE2b over the ids of all statements" },
};

enum { FIGURE_COUNT = sizeof(figures) / sizeof(figures[0]) };

static const struct figure *find(const char *name)
{
	for (size_t i = 0; i < FIGURE_COUNT; i++)
		if (strcmp(figures[i].name, name) == 0)
			return &figures[i];
	return NULL;
}

const struct figure *figure_named(const char *name)
{
	const struct figure *f = find(name);

	assert(f);
	return f;
}

bool figure_exists(const char *name)
{
	return find(name) != NULL;
}

static double ratio(const struct figure *f, double value, double floor)
{
	return f->is_rate ? floor / value : value / floor;
}

/* Three significant digits, or all of them before the point. */
static const char *number(double value, char *out, size_t size)
{
	int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;

	snprintf(out, size, "%.*f", decimals, value);
	return out;
}

static bool is_met(const struct figure *f, double value, double floor)
{
	if (f->reach > 0 && (f->is_rate ? value < f->reach : value > f->reach))
		return false;
	return f->reach_ratio <= 0 || ratio(f, value, floor) <= f->reach_ratio;
}

static void put_reach(const struct figure *f)
{
	if (f->reach > 0)
		printf("%s %g %s", f->is_rate ? ">=" : "<=", f->reach, f->unit);
	if (f->reach > 0 && f->reach_ratio > 0)
		printf(", ");
	if (f->reach_ratio > 0)
		printf("ratio <= %g", f->reach_ratio);
}

void report_heading(void)
{
	printf("%-19s %7s %10s %10s %-4s %6s  %-3s  %s\n", "figure", "n", "value", "floor", "unit",
	       "ratio", "met", "reach");
}

void report_line(const struct figure *f, const char *trace, size_t n, double value, double floor)
{
	char ours[32], theirs[32] = "-", times[32] = "-";

	if (floor > 0) {
		number(floor, theirs, sizeof(theirs));
		number(ratio(f, value, floor), times, sizeof(times));
	}
	printf("%-19s %7zu %10s %10s %-4s %6s  %-3s  ", f->name, n,
	       number(value, ours, sizeof(ours)), theirs, f->unit, times,
	       is_met(f, value, floor) ? "yes" : "no");
	put_reach(f);
	if (trace)
		printf("  %s", trace);
	putchar('\n');
	fflush(stdout);
}

void report_json(const struct figure *f, const char *trace, size_t n, double value, double floor)
{
	printf("{\"name\":\"%s\",\"n\":%zu,\"value\":%.6g,\"unit\":\"%s\"", f->name, n, value,
	       f->unit);
	if (trace)
		printf(",\"trace\":\"%s\"", trace);
	if (floor > 0)
		printf(",\"floor\":%.6g,\"ratio\":%.4g}\n", floor, ratio(f, value, floor));
	else
		printf(",\"floor\":null,\"ratio\":null}\n");
	fflush(stdout);
}

void report_floors(void)
{
	printf("\nThe floor of each, measured in turns with it:\n");
	for (size_t i = 0; i < FIGURE_COUNT; i++)
		if (figures[i].floor)
			printf("  %-19s %s\n", figures[i].name, figures[i].floor);
}
