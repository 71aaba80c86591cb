/* A host: one office's replica with its keys, as a node would hold it.
 *
 * There are two, with one collaboration between them. SHA founds the
 * organisation, admits FRA and writes the action items; FRA holds the directory
 * and nothing else until it catches up. Keys follow from the office's number, so
 * that a process needs only that and the file. */
#ifndef HT_TESTS_BENCH_HOST_H
#define HT_TESTS_BENCH_HOST_H

#include "core/replica.h"
#include "tests/bench/bench.h"
#include "tests/bench/workload.h"

enum { OFFICE_SHA, OFFICE_FRA };

struct host {
	struct replica *replica;
	uint8_t sign_public[SIGN_PUBLIC_BYTES];
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	uint8_t noise_secret[NOISE_KEY_BYTES];
};

/* Opens or creates the file. */
void host_open(struct host *h, unsigned number, const char *path, bool read_only);
void host_close(struct host *h);

/* Found the organisation, with both offices and the space in which they work,
 * in fresh files: sha.db, which stays open, and fra.db. */
void hosts_new(const struct bench *b, struct host *sha);

/* The collaboration's space. */
struct space_id host_space(const struct host *h);

/* Rows, `batch` a changeset (1 or BATCH), BATCH a transaction in any case. */
void host_fill(struct host *h, const struct action_row *rows, size_t count, size_t batch);

/* A row as a changeset of its own, durable when this returns. */
void host_insert(struct host *h, const struct action_row *row);

/* Between these: another title for an action item, as a changeset of its own. */
void host_begin(struct host *h);
void host_retitle(struct host *h, const struct record_id *id, const char *title);
void host_commit(struct host *h);

/* How many changesets the office has in the space. */
uint64_t host_held(const struct host *h);

/* System dice, as the node uses. */
struct dice host_dice(void);

#endif
