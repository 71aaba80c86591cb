/* What the store's own files share. Nobody else includes this. */
#ifndef HT_CORE_STORE_IMPL_H
#define HT_CORE_STORE_IMPL_H

#include <sqlite3.h>

#include "core/pack.h"
#include "core/store.h"
#include "core/text_pack.h"

/* What every store asks, prepared on first use (store_query()). */
enum query {
	QUERY_BEGIN,
	QUERY_BEGIN_READ,
	QUERY_COMMIT,
	QUERY_ROLLBACK,
	QUERY_DATA_VERSION,
	QUERY_SETTING_GET,
	QUERY_SETTING_PUT,
	QUERY_SETTING_DELETE,
	QUERY_COUNTER_NEXT,
	QUERY_COUNTER_GET,
	QUERY_COUNTER_SET,
	QUERY_REPLICAS,
	QUERY_REPLICA_ADD,
	QUERY_SPACES,
	QUERY_SPACE_ADD,
	QUERY_FEEDS,
	QUERY_FEED_ADD,
	QUERY_FEED_SET_DEP,
	QUERY_FEED_SET_NAMED,
	QUERY_FEED_HEAD,
	QUERY_APPEND,
	QUERY_PUT_BACK,
	QUERY_READ,
	QUERY_STATEMENT_ADD,
	QUERY_STATEMENT_HAS,
	QUERY_STATEMENT_PUT_BACK,
	QUERY_STATEMENT_JUDGE,
	QUERY_STATEMENT_DELETE,
	QUERY_STATEMENTS,
	QUERY_BRANCH_ADD,
	QUERY_BRANCH_PUT,
	QUERY_CUT_OFF,
	QUERY_BRANCH_WAITING,
	QUERY_BRANCH_READ,
	QUERY_BRANCH_PASS,
	QUERY_BRANCH_NEXT,
	QUERY_BRANCH_COUNT,
	QUERY_BRANCH_AT,
	QUERY_BRANCH_FROM,
	QUERY_BRANCH_BACK,
	QUERY_BRANCH_DONE,
	QUERY_BRANCHES,
	QUERY_ELEMENT_ADD,
	QUERY_ELEMENT_REMOVE,
	QUERY_ELEMENTS,
	QUERY_ELEMENT_DOTS,
	QUERY_ELEMENTS_NEWEST,
	QUERY_TEXT_ADD,
	QUERY_TEXT_FIND,
	QUERY_TEXT_NEWEST,
	QUERY_TEXT_BACK,
	QUERY_TEXT_ROWS,
	QUERY_TEXT_SIZES,
	QUERY_TEXT_DELETE,
	QUERY_PACK_ADD,
	QUERY_PACKS,
	QUERY_PACKS_BACK,
	QUERY_PACK_SIZES,
	QUERY_PACK_DELETE,
	QUERY_PIECES,
	QUERY_PIECE_TEXTS,
	QUERY_PIECE_PUT,
	QUERY_PIECE_DELETE,
	QUERY_PIECE_NEWEST,
	QUERY_CONFLICT_PUT,
	QUERY_CONFLICT_DELETE,
	QUERY_COUNT,
};

/* What is asked of every kind: built from the schema (store_schema.c). */
enum kind_query {
	KIND_INSERT,
	KIND_UPDATE,
	KIND_UPDATE_INDEXED, /* with the columns that have an index */
	KIND_LOAD,
	KIND_ALL,
	KIND_PART, /* those of a range of ids */
	KIND_NTH,
	KIND_SPACE_OF,
	KIND_QUERY_COUNT,
};

/* The pieces of a large text as they are stored, so that an edit need not list them. */
struct kept_body {
	int64_t number; /* 0: none */
	struct text_body text;
};

enum { BODIES_KEPT = 8, REREADS_MAX = 64 };

struct store {
	sqlite3 *db;
	char *path;
	char *vfs;         /* NULL: the system's */
	unsigned openings; /* of the database, after the first */
	enum disk_state disk;
	bool read_only;
	bool is_damaged; /* store_open_damaged() */
	bool needs_replay;
	bool is_settled; /* store_settle() */
	struct intern replicas;
	sqlite3_stmt *queries[QUERY_COUNT];
	sqlite3_stmt *(*kinds)[KIND_QUERY_COUNT]; /* per schema_kind_index() */
	struct buf scratch;
	struct pack pack;  /* large bodies lie packed in their rows */
	struct arena head; /* the body of a feed's newest changeset, for a moment */
	struct kept_body bodies[BODIES_KEPT]; /* of large texts that were edited last */
	unsigned next_body;
	/* Of texts that several edit at once, the last one first. */
	struct store_history *histories;
	uint64_t texts_version; /* store_data_version() when these were kept */
	struct text_ref rereads[REREADS_MAX];
	size_t reread_count;
};

/* ---- Queries (store_query.c) ---- */

/* SQLite's result as ours, with its words and the file's name in msg. */
enum err store_error(struct store *s, int result, const char *what, struct errmsg *msg);

/* ERR_CORRUPT, for a table or a row that is not as we write it. */
enum err store_damaged(const struct store *s, const char *what, struct errmsg *msg);

/* Ready to be bound; NULL on failure with *rc set. */
sqlite3_stmt *store_query(struct store *s, enum query which, enum err *rc, struct errmsg *msg);
sqlite3_stmt *store_kind_query(struct store *s, const struct kind *kind, enum kind_query which,
			       enum err *rc, struct errmsg *msg);

/* Finalize them; they are prepared anew on their next use. */
void store_forget_queries(struct store *s);
void store_forget_kind_queries(struct store *s);

/* Step a query that returns no rows, and reset it. */
MUST_CHECK enum err store_run(struct store *s, sqlite3_stmt *stmt, const char *what,
			      struct errmsg *msg);
/* Forget what is kept of texts' histories; look one up, where it stays. */
void store_forget_histories(struct store *s);
struct store_history *store_history_find(const struct store *s, const struct text_ref *ref);

/* The replica of that number; NULL: none. It may be one that another process has brought since
 * the last look. Borrowed until the next one is brought. */
const struct replica_id *store_replica(struct store *s, int64_t number);
/* One that returns one row of one integer. */
MUST_CHECK enum err store_step_int(struct store *s, sqlite3_stmt *stmt, const char *what,
				   int64_t *out, struct errmsg *msg);
/* One that calls `each` with its rows, until it says other than OK. */
MUST_CHECK enum err store_each_row(struct store *s, sqlite3_stmt *stmt, const char *what,
				   enum err (*each)(void *ctx, sqlite3_stmt *row), void *ctx,
				   struct errmsg *msg);
/* The same of queries without parameters. */
MUST_CHECK enum err store_run_query(struct store *s, enum query which, const char *what,
				    struct errmsg *msg);
MUST_CHECK enum err store_each(struct store *s, enum query which, const char *what,
			       enum err (*each)(void *ctx, sqlite3_stmt *row), void *ctx,
			       struct errmsg *msg);

/* What is said once: any SQL without rows, and an integer. */
MUST_CHECK enum err store_exec(struct store *s, const char *sql, struct errmsg *msg);
MUST_CHECK enum err store_exec_buf(struct store *s, struct buf *sql, struct errmsg *msg);
MUST_CHECK enum err store_pragma_int(struct store *s, const char *sql, int64_t *out,
				     struct errmsg *msg);

/* ---- Values (store_value.c) ---- */

/* Parameters: borrowed until the query is bound anew. */
void bind_value(sqlite3_stmt *stmt, int index, const struct value *value);
void bind_bytes(sqlite3_stmt *stmt, int index, struct bytes data);
void bind_id(sqlite3_stmt *stmt, int index, const uint8_t id[ID_BYTES]);

struct bytes column_bytes(sqlite3_stmt *stmt, int column); /* until the next step */

/* The row at which a query stands. */
struct row {
	sqlite3_stmt *stmt;
	struct arena *arena;
	enum err rc; /* of all columns read so far */
};

/* A field's column as a value, copied into the arena. */
struct value row_value(struct row *row, int column, const struct field *field);

/* ---- Sums (store_sum.c) ---- */

/* The SQL function row_sum(), of all columns of a table but `sum`, in their order. */
MUST_CHECK enum err store_know_sums(struct store *s, struct errmsg *msg);
/* The row at which a query for all columns of a table stands is what was written. */
bool row_is_whole(sqlite3_stmt *row);

/* A row to be written, value by value in the order of the table: so each is bound once, while a
 * parameter of row_sum() is copied for it. Begins with the rest zero. */
struct summed_row {
	sqlite3_stmt *stmt;
	int bound;
	uint64_t sum;
};

/* The next parameter: borrowed until the query is bound anew. */
void summed_bind(struct summed_row *row, const struct value *value);
void summed_end(struct summed_row *row); /* the last one: the sum */

/* Of all rows. ERR_CORRUPT; OK also of a table without sums. */
MUST_CHECK enum err store_check_sums(struct store *s, const char *table, struct errmsg *msg);

/* ---- Edits of texts (store_text.c, store_text_pack.c) ---- */

void bind_text(sqlite3_stmt *stmt, const struct text_ref *text); /* parameters 1 to 4 */

/* Packs with a text's edits. */
struct pack_walk {
	struct store *store;
	sqlite3_stmt *stmt;
	struct errmsg *msg;
	enum err rc;
	struct arena arena; /* where the pack is */
	uint32_t first;
	const struct text_event *events;
	size_t count;
};

/* Those with edits from a number on; or all, the newest first. */
void pack_walk_begin(struct pack_walk *w, struct store *s, const struct text_ref *text,
		     uint32_t from, struct errmsg *msg);
void pack_walk_begin_back(struct pack_walk *w, struct store *s, const struct text_ref *text,
			  struct errmsg *msg);
/* False after the last, and when something is wrong, which the end tells. */
bool pack_walk_next(struct pack_walk *w);
MUST_CHECK enum err pack_walk_end(struct pack_walk *w);

/* Edits [first, last], ascending, as store_each_text_row(). */
MUST_CHECK enum err store_each_text_row_in(struct store *s, const struct text_ref *text,
					   uint32_t first, uint32_t last, struct arena *arena,
					   enum err (*each)(void *ctx, const struct text_row *row),
					   void *ctx, struct errmsg *msg);
/* The text has got so many edits: fold rows into packs, if it is time. */
MUST_CHECK enum err store_text_fold(struct store *s, const struct text_ref *text, uint32_t count,
				    struct errmsg *msg);

/* ---- The file (store_file.c) ---- */

/* Open the database into s->db, configured; what was there is the caller's. */
MUST_CHECK enum err store_connect(struct store *s, bool create, struct errmsg *msg);

/* ---- The disk has failed to write or to sync (store_disk.c) ---- */

bool store_is_failure(int result);
void store_note_result(struct store *s, int result);
void store_watch_log(struct store *s); /* checkpoint when it has grown long */
/* Before the first write of a transaction: s->db may be another one afterwards. */
MUST_CHECK enum err store_ready(struct store *s, struct errmsg *msg);
void store_leave(struct store *s); /* before closing */

/* ---- Tables (store_tables.c, store_schema.c) ---- */

/* Refuse what somebody else made; *is_empty tells that nobody made anything. */
MUST_CHECK enum err store_check_owner(struct store *s, bool create, bool *is_empty,
				      struct errmsg *msg);
/* Make the tables if there are none and `create`; refuse a format that is not ours. On
 * failure a transaction may be left open: closing ends it. */
MUST_CHECK enum err store_migrate(struct store *s, bool create, struct errmsg *msg);

/* Tables, indexes and views are defined as we define them. ERR_CORRUPT: SQLite reads by whatever
 * definition it finds, and takes a column that it does not know for a text. */
MUST_CHECK enum err store_check_definitions(struct store *s, struct errmsg *msg);

void schema_sql_create(struct buf *out, const struct kind *kind);
void schema_sql_drop(struct buf *out, const struct kind *kind);
void schema_sql_query(struct buf *out, const struct kind *kind, enum kind_query which);

/* ---- Texts that are kept in memory (store_body.c) ---- */

/* They are as in the database no more. */
void store_forget_texts(struct store *s);
/* Unless somebody else has written since. */
MUST_CHECK enum err store_check_texts(struct store *s, struct errmsg *msg);

/* ---- The log (store_log.c) ---- */

int64_t changeset_key(uint32_t feed, uint64_t seq);
/* A row of (seq or key, body, signature, link), copied into the arena. */
MUST_CHECK enum err store_copy_row(struct store *s, sqlite3_stmt *stmt, struct arena *arena,
				   struct stored *out, struct errmsg *msg);

#endif
