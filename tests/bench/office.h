/* Two offices and one collaboration between them: the replicas to measure on.
 *
 * SHA founds the organisation, admits FRA and writes the action items; FRA
 * holds the directory and nothing else until it catches up. Keys follow from
 * the office's number, so that a process that serves an office needs only its
 * number and its file. */
#ifndef HT_TESTS_BENCH_OFFICE_H
#define HT_TESTS_BENCH_OFFICE_H

#include "core/replica.h"
#include "tests/bench/bench.h"
#include "tests/bench/workload.h"

enum { OFFICE_SHA, OFFICE_FRA };

struct office {
	struct replica *replica;
	uint8_t sign_public[SIGN_PUBLIC_BYTES];
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	uint8_t noise_secret[NOISE_KEY_BYTES];
};

/* Opens or creates the file. */
void office_open(struct office *o, unsigned number, const char *path, bool read_only);
void office_close(struct office *o);

/* Found the organisation, with both offices and the space in which they work,
 * in fresh files: sha.db, which stays open, and fra.db. */
void offices_new(const struct bench *b, struct office *sha);

/* The collaboration's space. */
struct space_id office_space(void);

/* Rows, `batch` a changeset (1 or BATCH), BATCH a transaction in any case. */
void office_fill(struct office *o, const struct action_row *rows, size_t count, size_t batch);

/* A row as a changeset of its own, durable when this returns. */
void office_insert(struct office *o, const struct action_row *row);

/* Between these: another title for an action item, as a changeset of its own. */
void office_begin(struct office *o);
void office_retitle(struct office *o, const struct record_id *id, const char *title);
void office_commit(struct office *o);

/* How many changesets of `author` the office has in the space. */
uint64_t office_held(const struct office *o, const struct replica_id *author);

/* System dice, as the node uses. */
struct dice office_dice(void);

#endif
