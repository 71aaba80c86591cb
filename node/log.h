/* The daemon's log: one structured line a happening, for people and for grep.
 *
 *   2026-11-22T03:00:00.123Z info session-open peer=FRA detail="..."
 *
 * What repeats is counted instead of written: of the lines of one event from
 * one peer (its port does not matter) LOG_BURST go out in LOG_WINDOW_MS; the
 * first of the next window says how many were not: suppressed=17. Debug lines are
 * never held back. */
#ifndef HT_NODE_LOG_H
#define HT_NODE_LOG_H

#include "core/bytes.h"
#include "sync/engine.h"

enum {
	LOG_BURST = 10,
	LOG_WINDOW_MS = 60000,
	LOG_SOURCES_MAX = 64, /* remembered; the one heard of longest ago is forgotten */
	LOG_SOURCE_BYTES = 96,
};

struct log_source {
	char name[LOG_SOURCE_BYTES]; /* "event peer" */
	uint64_t window_ms;          /* its start, monotonic */
	uint64_t heard_ms;
	unsigned count;
	uint64_t suppressed;
};

struct log {
	int fd;
	enum log_level level; /* lines below are not written */
	struct log_source sources[LOG_SOURCES_MAX];
};

/* Zero sources, level info. */
void log_init(struct log *log, int fd);

/* Append the line to `out`, with its end. `suppressed` is left out if 0. Text from
 * elsewhere can't break the line: quotes, controls and what is not UTF-8 are
 * escaped. */
void log_format(struct buf *out, uint64_t wall_ms, enum log_level level, const char *event,
		const char *peer, const char *detail, uint64_t suppressed);

/* Write a line, or count it. Failures are ignored: there is nowhere to report them. */
void log_write(struct log *log, struct now now, enum log_level level, const char *event,
	       const char *peer, const char *detail);

#endif
