/* Processes of our own program, as the other end of what is measured. */
#ifndef HT_TESTS_BENCH_PROCESS_H
#define HT_TESTS_BENCH_PROCESS_H

#include <stdio.h>
#include <sys/types.h>

#include "core/attrs.h"

/* A process that takes commands and gives answers, one a line. */
struct process {
	pid_t pid;
	FILE *in;  /* its standard input */
	FILE *out; /* its standard output */
};

/* argv[0] is the subcommand; the list ends with NULL. */
void process_start(struct process *p, const char *const *argv);
void process_tell(struct process *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Its next line must begin with `word`; what follows is copied to `out`. */
enum { PROCESS_LINE_MAX = 256 };
void process_hear(struct process *p, const char *word, char out[PROCESS_LINE_MAX]);
/* Close its input and wait until it has ended well. */
void process_end(struct process *p);

/* Run to the end with nothing to say. */
void process_run(const char *const *argv);

#endif
