/* What the store's own files share. Nobody else includes this. */
#ifndef HT_CORE_STORE_IMPL_H
#define HT_CORE_STORE_IMPL_H

#include <sqlite3.h>

#include "core/pack.h"
#include "core/store.h"

/* Statements that every store has, prepared on first use (store_statement()). */
enum query {
	STMT_BEGIN,
	STMT_BEGIN_READ,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_DATA_VERSION,
	STMT_SETTING_GET,
	STMT_SETTING_PUT,
	STMT_SETTING_DELETE,
	STMT_COUNTER,
	STMT_COUNTER_SET,
	STMT_REPLICA_ADD,
	STMT_SPACE_ADD,
	STMT_FEED_ADD,
	STMT_FEED_SET_DEP,
	STMT_FEED_SET_NAMED,
	STMT_FEED_HEAD,
	STMT_APPEND,
	STMT_READ,
	STMT_STATEMENT_ADD,
	STMT_STATEMENT_HAS,
	STMT_STATEMENT_JUDGE,
	STMT_STATEMENT_DELETE,
	STMT_STATEMENTS,
	STMT_BRANCH_ADD,
	STMT_BRANCH_PUT,
	STMT_CUT_OFF,
	STMT_BRANCH_READ,
	STMT_BRANCH_AT,
	STMT_BRANCH_FROM,
	STMT_BRANCH_BACK,
	STMT_BRANCH_DONE,
	STMT_BRANCHES,
	STMT_ELEMENT_ADD,
	STMT_ELEMENT_REMOVE,
	STMT_ELEMENTS,
	STMT_ELEMENT_DOTS,
	STMT_CONFLICT_PUT,
	STMT_CONFLICT_DELETE,
	STMT_COUNT,
};

/* Statements that every kind has: built from the schema (store_schema.c). */
enum kind_statement {
	KIND_INSERT,
	KIND_UPDATE,
	KIND_UPDATE_INDEXED, /* with the columns that have an index */
	KIND_LOAD,
	KIND_SPACE_OF,
	KIND_STATEMENT_COUNT,
};

struct store {
	sqlite3 *db;
	char *path;
	char *vfs;         /* NULL: the system's */
	unsigned openings; /* of the database, after the first */
	enum disk_state disk;
	bool read_only;
	bool needs_replay;
	bool is_settled; /* store_settle() */
	struct intern replicas;
	sqlite3_stmt *statements[STMT_COUNT];
	sqlite3_stmt *(*kinds)[KIND_STATEMENT_COUNT]; /* per schema_kind_index() */
	struct buf scratch;
	struct pack pack;  /* large bodies lie packed in their rows */
	struct arena head; /* the body of a feed's newest changeset, for a moment */
};

/* SQLite's result as ours, with its words and the file's name in msg. */
enum err store_error(struct store *s, int result, const char *what, struct errmsg *msg);

/* Ready to be bound; NULL on failure with *rc set. */
sqlite3_stmt *store_statement(struct store *s, enum query which, enum err *rc, struct errmsg *msg);
sqlite3_stmt *store_kind_statement(struct store *s, const struct kind *kind,
				   enum kind_statement which, enum err *rc, struct errmsg *msg);

/* Finalize them; they are prepared anew on their next use. */
void store_forget_statements(struct store *s);

/* Open the database into s->db, configured; what was there is the caller's. */
MUST_CHECK enum err store_connect(struct store *s, bool create, struct errmsg *msg);

/* store_disk.c: the disk has failed to write or to sync. */
bool store_is_failure(int result);
void store_note_result(struct store *s, int result);
void store_watch_log(struct store *s); /* checkpoint when it has grown long */
/* Before the first write of a transaction: s->db may be another one afterwards. */
MUST_CHECK enum err store_ready(struct store *s, struct errmsg *msg);
void store_leave(struct store *s); /* before closing */

/* Step a statement that returns no rows, and reset it. */
MUST_CHECK enum err store_run(struct store *s, sqlite3_stmt *stmt, const char *what,
			      struct errmsg *msg);
MUST_CHECK enum err store_exec(struct store *s, const char *sql, struct errmsg *msg);

void bind_value(sqlite3_stmt *stmt, int index, const struct value *value);
void bind_bytes(sqlite3_stmt *stmt, int index, struct bytes data);
void bind_id(sqlite3_stmt *stmt, int index, const uint8_t id[ID_BYTES]);
struct bytes column_bytes(sqlite3_stmt *stmt, int column); /* until the next step */

/* A row of (seq or key, body, signature, link), copied into the arena. */
MUST_CHECK enum err store_copy_row(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
				   struct stored *out, struct errmsg *msg);
int64_t changeset_key(uint32_t feed, uint64_t seq);
/* A statement that calls `each` with its rows; reset at the end. */
MUST_CHECK enum err store_each_row(struct store *s, sqlite3_stmt *stmt, const char *what,
				   enum err (*each)(void *ctx, sqlite3_stmt *row), void *ctx,
				   struct errmsg *msg);

/* DDL and per-kind SQL, from the schema. */
void schema_sql_create(struct buf *out, const struct kind *kind);
void schema_sql_drop(struct buf *out, const struct kind *kind);
void schema_sql_statement(struct buf *out, const struct kind *kind, enum kind_statement which);

#endif
