/* The floor of everything that is stored: the same rows in a plain SQLite
 * table, `action_item(id BLOB PRIMARY KEY, number, ..., topic) WITHOUT ROWID`:
 * one b-tree, no log, no signature. WAL and synchronous=FULL, as ours. */
#ifndef HT_TESTS_BENCH_RAW_STORE_H
#define HT_TESTS_BENCH_RAW_STORE_H

#include <sqlite3.h>

#include "tests/bench/workload.h"

enum raw_statement { RAW_BEGIN, RAW_COMMIT, RAW_INSERT, RAW_UPDATE, RAW_QUERY, RAW_COUNT };

struct raw_store {
	sqlite3 *db;
	sqlite3_stmt *statements[RAW_COUNT]; /* prepared on first use */
};

void raw_open(struct raw_store *raw, const char *path);
/* A fresh file in place of what is there; ":memory:" is one in memory. */
void raw_new(struct raw_store *raw, const char *path);
void raw_close(struct raw_store *raw);

/* Without these around it, each write is durable by itself. */
void raw_begin(struct raw_store *raw);
void raw_commit(struct raw_store *raw);

/* Row i of the workload, under an id that ascends with i, as ours do. */
void raw_insert(struct raw_store *raw, size_t i, const struct action_row *row);
void raw_update_title(struct raw_store *raw, size_t i, const char *title);

/* Rows [0, count) in transactions of BATCH. */
void raw_fill(struct raw_store *raw, const struct action_row *rows, size_t count);

/* How many bytes the title of row i has. */
size_t raw_query(struct raw_store *raw, size_t i);

#endif
