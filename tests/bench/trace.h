/* Recorded editing, as in the public repository josephg/editing-traces: JSON, gzipped.
 *
 *   sequential  {startContent, endContent, txns: [{patches: [[pos, deleted, inserted], ...]}]}
 *   concurrent  {kind: "concurrent", endContent, numAgents, txns: [{parents: [txn, ...],
 *               agent, patches}]}, positions relative to what the parents merge into
 *
 * Positions are code points. Ends the program when a file can't be read. */
#ifndef HT_TESTS_BENCH_TRACE_H
#define HT_TESTS_BENCH_TRACE_H

#include "core/text.h"

struct trace_patch {
	uint32_t pos, deleted, inserted; /* code points */
	struct bytes text;
};

/* Patches of one agent that nobody else's come between. */
struct trace_edit {
	uint32_t agent;
	struct dot dot, *parents;
	size_t *parent_edits; /* by number */
	size_t parent_count;
	struct text_edit edit;
	const struct trace_patch *patches;
	size_t patch_count;
};

struct trace {
	char name[64];
	bool is_concurrent;
	struct bytes start, end;
	struct trace_patch *patches; /* all */
	size_t patch_count;
	struct trace_edit *edits;
	size_t edit_count;
	struct arena arena; /* where everything is */
};

/* keystrokes: the most patches of an edit; 0: as many as can be. */
void trace_load(struct trace *t, const char *folder, const char *file, size_t keystrokes);
void trace_release(struct trace *t);

/* The end of the program unless the text is what the trace ends in. */
void trace_check(const struct trace *t, const struct rope *rope);

#endif
