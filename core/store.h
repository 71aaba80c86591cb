/* The store: the log and the state of one replica in one SQLite database.
 *
 * Log and state change in the same transaction; WAL, synchronous=FULL. Two
 * b-tree leaves are written by a plain edit: the record's row and the
 * changeset's. Everything here is private to core/replica*.c.
 *
 *   setting(key, value)              local, never replicated
 *   space_index(idx, id)             spaces and replicas by small integers
 *   replica_index(idx, id)
 *   feed(idx, space, replica, dep_seq, named_seq)
 *   changeset(key, body, signature, link)   key = feed << 40 | seq
 *   branch(feed, seq, link, body, signature, is_done)   moved out of the log (M-16)
 *   statement(idx, id, bytes, verdict)      of membership, each after its parents
 *   r_<kind>(id, space, life, <registers>, meta)   one row a record
 *   element(record, kind, field, space, replica, seq, n, hlc, author, value)
 *   text_edit(record, kind, field, space, at, ...)   history of a text, once it has one
 *   text_pack(record, kind, field, space, last, first, size, hash, pack)   its older part
 *   text_piece(key, space, points, text)          of large texts, key = number << 40 | place
 *   conflict(record, kind, field, space)    the conflict inbox
 *   counter(name, next)              readable numbers issued here
 *
 * What is neither signed nor checked as a whole has the sum of its row in a last column, `sum`
 * (core/store_sum.c): a row that is not what was written is ERR_CORRUPT when it is read.
 *
 * Views of the same names as the kinds, without "r_", are for people. */
#ifndef HT_CORE_STORE_H
#define HT_CORE_STORE_H

#include "core/intern.h"
#include "core/record.h"
#include "core/replica.h"
#include "core/text.h"
#include "core/text_body.h"

struct store;

/* ---- Life and transactions (core/store.c) ---- */

MUST_CHECK enum err store_open(struct store **out, const char *path, const char *vfs, bool create,
			       bool read_only, struct errmsg *msg);
/* To read of a damaged one what can be read: tables whose definition is damaged are not
 * there, the others are. Writes nothing. */
MUST_CHECK enum err store_open_damaged(struct store **out, const char *path, const char *vfs,
				       struct errmsg *msg);
void store_close(struct store *s);

/* Takes the write lock. After the disk has failed the store is opened anew and
 * checked first. */
MUST_CHECK enum err store_begin(struct store *s, struct errmsg *msg);
/* From the next read on until the end everything is of one moment, whoever writes. */
MUST_CHECK enum err store_begin_read(struct store *s, struct errmsg *msg);
MUST_CHECK enum err store_commit(struct store *s, struct errmsg *msg);
void store_rollback(struct store *s);
bool store_in_transaction(const struct store *s);

/* Changes when another connection has written. */
MUST_CHECK enum err store_data_version(struct store *s, uint64_t *out, struct errmsg *msg);

/* ---- Settings and counters (core/store_setting.c) ---- */

MUST_CHECK enum err store_setting_get(struct store *s, const char *key, struct buf *out,
				      struct errmsg *msg);
MUST_CHECK enum err store_setting_put(struct store *s, const char *key, const struct bytes *value,
				      struct errmsg *msg);
/* Issue the next count; a new counter begins at 1. */
MUST_CHECK enum err store_counter_next(struct store *s, const char *name, uint64_t *out,
				       struct errmsg *msg);
/* The count that it issues next. */
MUST_CHECK enum err store_counter_get(struct store *s, const char *name, uint64_t *out,
				      struct errmsg *msg);
/* An existing counter goes on with `next`. */
MUST_CHECK enum err store_counter_set(struct store *s, const char *name, uint64_t next,
				      struct errmsg *msg);

/* ---- Log (core/store_log.c) ---- */

/* Forget and re-read the interned replicas. */
MUST_CHECK enum err store_load_replicas(struct store *s, struct errmsg *msg);
MUST_CHECK enum err store_intern(struct store *s, const struct replica_id *id, uint32_t *out,
				 struct errmsg *msg);
MUST_CHECK enum err store_space_add(struct store *s, const struct space_id *id, uint32_t *out,
				    struct errmsg *msg);
MUST_CHECK enum err store_feed_add(struct store *s, uint32_t space, uint32_t replica, uint32_t *out,
				   struct errmsg *msg);
MUST_CHECK enum err store_feed_set_dep(struct store *s, uint32_t feed, uint64_t dep_seq,
				       struct errmsg *msg);
/* Up to here the feed is named by changesets of the space that are held, though it may not
 * be held as far itself. */
MUST_CHECK enum err store_feed_set_named(struct store *s, uint32_t feed, uint64_t named_seq,
					 struct errmsg *msg);

MUST_CHECK enum err store_each_space(struct store *s,
				     enum err (*each)(void *ctx, uint32_t idx,
						      const struct space_id *id),
				     void *ctx, struct errmsg *msg);

struct feed_row {
	uint32_t idx, space;
	struct replica_id replica;
	uint64_t dep_seq, named_seq;
};

MUST_CHECK enum err store_each_feed(struct store *s,
				    enum err (*each)(void *ctx, const struct feed_row *row),
				    void *ctx, struct errmsg *msg);

/* The newest changeset's seq, link, signature and stamp; zero when empty. */
MUST_CHECK enum err store_feed_head(struct store *s, uint32_t feed, struct feed_head *out,
				    struct errmsg *msg);

MUST_CHECK enum err store_append(struct store *s, uint32_t feed, uint64_t seq, struct bytes body,
				 const uint8_t signature[SIGNATURE_BYTES],
				 const uint8_t link[LINK_BYTES], struct errmsg *msg);

/* A stored changeset, copied into the arena. */
struct stored {
	uint64_t seq;
	struct bytes body;
	const uint8_t *signature;
	const uint8_t *link;
};

/* Up to `count_max` changesets of a feed from `seq` on, ascending, or until
 * bytes_max is passed. */
MUST_CHECK enum err store_read(struct store *s, uint32_t feed, uint64_t seq, size_t count_max,
			       size_t bytes_max, struct arena *arena, struct stored *out,
			       size_t *count, struct errmsg *msg);

/* In place of a damaged one of the same number. */
MUST_CHECK enum err store_put_back(struct store *s, uint32_t feed, const struct stored *row,
				   struct errmsg *msg);

/* ---- Statements of membership (core/store_statement.c) ---- */

/* The caller knows that it is not there yet. */
MUST_CHECK enum err store_statement_add(struct store *s, const struct statement_id *id,
					struct bytes encoded, enum verdict verdict,
					struct errmsg *msg);
MUST_CHECK enum err store_statement_has(struct store *s, const struct statement_id *id, bool *has,
					struct errmsg *msg);
/* In place of a damaged one with this id; *was_other: its bytes were others. */
MUST_CHECK enum err store_statement_put_back(struct store *s, const struct statement_id *id,
					     struct bytes encoded, bool *was_other,
					     struct errmsg *msg);
/* Note another verdict of the statement with this number. */
MUST_CHECK enum err store_statement_judge(struct store *s, int64_t idx, enum verdict verdict,
					  struct errmsg *msg);
MUST_CHECK enum err store_statement_delete(struct store *s, int64_t idx, struct errmsg *msg);
/* In the order in which they came; `encoded` is borrowed for the call. Stops at
 * an error of `each`, and returns it. */
MUST_CHECK enum err store_each_statement(struct store *s,
					 enum err (*each)(void *ctx, int64_t idx,
							  struct bytes encoded,
							  enum verdict verdict),
					 void *ctx, struct errmsg *msg);

/* ---- Branches (core/store_branch.c) ---- */

/* Move a feed's changesets from `seq` on out of the log; those up to `done_to` are
 * re-authored. */
MUST_CHECK enum err store_branch_off(struct store *s, uint32_t feed, uint64_t seq, uint64_t done_to,
				     struct errmsg *msg);
/* Put one beside the log, to be written again. */
MUST_CHECK enum err store_branch_put(struct store *s, uint32_t feed, const struct stored *row,
				     struct errmsg *msg);
MUST_CHECK enum err store_each_branch(struct store *s,
				      enum err (*each)(void *ctx, uint32_t feed, uint64_t first,
						       uint64_t last),
				      void *ctx, struct errmsg *msg);

/* What is in the branches of a feed: out of the log from `seq` on, several of one seq by their
 * links; all of one seq, also what is back in the log; of one seq what is out of the log and
 * not yet re-authored. Copied into the arena, at most `count_max`. What can't be read is left
 * out. */
MUST_CHECK enum err store_read_branch_from(struct store *s, uint32_t feed, uint64_t seq,
					   size_t count_max, struct arena *arena,
					   struct stored *out, size_t *count, struct errmsg *msg);
MUST_CHECK enum err store_read_branch_at(struct store *s, uint32_t feed, uint64_t seq,
					 size_t count_max, struct arena *arena, struct stored *out,
					 size_t *count, struct errmsg *msg);
MUST_CHECK enum err store_read_branch(struct store *s, uint32_t feed, uint64_t seq,
				      size_t count_max, struct arena *arena, struct stored *out,
				      size_t *count, struct errmsg *msg);
/* The first seq of which something waits to be re-authored; the first after `seq` of which
 * something is there; 0: none. How much is there of one, whether it can be read or not. */
MUST_CHECK enum err store_branch_waiting(struct store *s, uint32_t feed, uint64_t *out,
					 struct errmsg *msg);
MUST_CHECK enum err store_branch_next(struct store *s, uint32_t feed, uint64_t seq, uint64_t *out,
				      struct errmsg *msg);
MUST_CHECK enum err store_branch_count(struct store *s, uint32_t feed, uint64_t seq, uint64_t *out,
				       struct errmsg *msg);
/* Put one back into the log, at its end. */
MUST_CHECK enum err store_branch_back(struct store *s, uint32_t feed, uint64_t seq,
				      const uint8_t link[LINK_BYTES], struct errmsg *msg);

/* This one is re-authored. Or nothing of that seq is to be any more. */
MUST_CHECK enum err store_branch_done(struct store *s, uint32_t feed, const struct stored *row,
				      struct errmsg *msg);
MUST_CHECK enum err store_branch_pass(struct store *s, uint32_t feed, uint64_t seq,
				      struct errmsg *msg);

/* ---- Records and conflicts (core/store_record.c) ---- */

/* Insert unless a row with the id exists in the space: then *exists. */
MUST_CHECK enum err store_record_insert(struct store *s, uint32_t space, const struct record *rec,
					bool *exists, struct errmsg *msg);
/* `indexed`: a field that has an index may have changed. SQLite writes the index of
 * every column that an UPDATE names, changed or not: a page more a record. */
MUST_CHECK enum err store_record_update(struct store *s, uint32_t space, const struct record *rec,
					bool indexed, struct errmsg *msg);
/* As store_record_load(), to be changed and stored again: of a text in pieces its number, as an
 * integer. */
MUST_CHECK enum err store_record_open(struct store *s, uint32_t space, const struct kind *kind,
				      const struct record_id *id, struct arena *arena,
				      struct record *out, struct errmsg *msg);
/* ERR_NOT_FOUND leaves msg alone. */
MUST_CHECK enum err store_record_load(struct store *s, uint32_t space, const struct kind *kind,
				      const struct record_id *id, struct arena *arena,
				      struct record *out, struct errmsg *msg);
/* In which space (the lowest) a record of this kind and id is. ERR_NOT_FOUND. */
MUST_CHECK enum err store_record_space(struct store *s, const struct kind *kind,
				       const struct record_id *id, uint32_t *space,
				       struct errmsg *msg);
/* Visit every record of a kind in (id, space) order. */
MUST_CHECK enum err store_each_record(struct store *s, const struct kind *kind, struct arena *arena,
				      enum err (*each)(void *ctx, uint32_t space,
						       const struct record *rec),
				      void *ctx, struct errmsg *msg);

MUST_CHECK enum err store_conflict_put(struct store *s, uint32_t space, const struct record *rec,
				       uint8_t field, bool present, struct errmsg *msg);

/* The same without those that can't be what was written. */
MUST_CHECK enum err store_each_readable_record(struct store *s, const struct kind *kind,
					       struct arena *arena,
					       enum err (*each)(void *ctx, uint32_t space,
								const struct record *rec),
					       void *ctx, struct errmsg *msg);
/* Only those with after < id <= upto. */
struct id_range {
	struct record_id after, upto;
};
MUST_CHECK enum err store_each_record_of(struct store *s, const struct kind *kind,
					 const struct id_range *range, struct arena *arena,
					 enum err (*each)(void *ctx, uint32_t space,
							  const struct record *rec),
					 void *ctx, struct errmsg *msg);
/* The id of the n-th row, from 0, after that id. ERR_NOT_FOUND leaves msg alone. */
MUST_CHECK enum err store_record_nth(struct store *s, const struct kind *kind,
				     const struct record_id *after, size_t n, struct record_id *out,
				     struct errmsg *msg);

/* ---- Elements (core/store_element.c) ---- */

MUST_CHECK enum err store_element_add(struct store *s, uint32_t space, const struct op *op,
				      const struct stamp *stamp, const struct record_id *author,
				      struct errmsg *msg);
MUST_CHECK enum err store_element_remove(struct store *s, uint32_t space, const struct op *op,
					 struct errmsg *msg);
MUST_CHECK enum err store_elements(struct store *s, uint32_t space, const struct kind *kind,
				   const struct record_id *id, const struct field *field,
				   struct arena *arena, struct element **out, size_t *count,
				   struct errmsg *msg);

/* The newest addition per replica among the record's elements: the dots of
 * which there is at least one, in the arena. */
MUST_CHECK enum err store_element_dots(struct store *s, uint32_t space, const struct kind *kind,
				       const struct record_id *id, struct arena *arena,
				       struct dot **out, size_t *count, struct errmsg *msg);

/* The newest addition of each replica in each space; of replicas that are known. */
MUST_CHECK enum err store_each_newest_element(struct store *s,
					      enum err (*each)(void *ctx, uint32_t space,
							       const struct dot *newest),
					      void *ctx, struct errmsg *msg);

/* ---- Edits of texts (core/store_text.c) ---- */

struct text_ref {
	uint32_t space;
	uint16_t kind;
	uint8_t field;
	struct record_id record;
};

/* An edit as it was applied here. Borrowed. */
struct text_row {
	uint32_t at; /* its number, from 0 */
	struct dot dot;
	bool sees_all;          /* edits applied before it */
	bool is_adrift;         /* a parent counts no more, or never was */
	uint32_t reach;         /* its least parent's number and one; 0: it has none */
	uint32_t before, after; /* the text's length at its parents' version, and with it done */
	const uint32_t *parents;
	size_t parent_count;
	struct bytes edit, text; /* as in its op */
};

MUST_CHECK enum err store_text_add(struct store *s, const struct text_ref *text,
				   const struct text_row *row, struct errmsg *msg);
/* at: their numbers; UINT32_MAX: there is none. */
MUST_CHECK enum err store_text_find(struct store *s, const struct text_ref *text,
				    const struct dot *dots, size_t count, uint32_t *at,
				    struct errmsg *msg);
/* How many there are; 0 also of a text that was written once. */
MUST_CHECK enum err store_text_count(struct store *s, const struct text_ref *text, uint32_t *out,
				     struct errmsg *msg);
/* The most of the first edits that all others have seen, and one that has seen no more than
 * `least` of them; the text's length then. */
MUST_CHECK enum err store_text_base(struct store *s, const struct text_ref *text, uint32_t least,
				    uint32_t *base, uint32_t *length, struct errmsg *msg);
/* From a number on, ascending, none left out; each in itself as an edit must be
 * (text_edit_validate). ERR_CORRUPT: not so. */
MUST_CHECK enum err store_each_text_row(struct store *s, const struct text_ref *text, uint32_t from,
					struct arena *arena,
					enum err (*each)(void *ctx, const struct text_row *row),
					void *ctx, struct errmsg *msg);
/* Put a row's edit `e` into a text that has those before it. Of the first `base` edits, number 0 of
 * the text stands for all, if there are any; numbers: what it calls the others. is_done: what is
 * in the rope has the edit already. ERR_NOMEM, ERR_LIMIT. */
MUST_CHECK enum err text_row_recall(struct text *t, const struct text_row *row,
				    const struct text_edit *e, uint32_t base,
				    const uint32_t *numbers, bool is_done, struct arena *arena);

/* ---- Texts as they are (core/store_body.c) ---- */

/* A text while edits go into it. */
struct store_body {
	struct text_body text;
	int64_t number; /* under which its pieces are stored; 0: in its record's row */
	uint32_t space;
	struct store *store;
	struct errmsg *msg;
};

/* How many code points there are of it, by what its record's row has. */
MUST_CHECK enum err store_body_points(struct store *s, const struct value *value, uint64_t *out,
				      struct errmsg *msg);
/* What its record's row has of it: the text, nothing, or the number of one in pieces. To be
 * closed even if this fails. It stays where it is, for it is its own reader's context. */
MUST_CHECK enum err store_body_open(struct store_body *b, struct store *s, uint32_t space,
				    const struct value *value, struct errmsg *msg);
void store_body_close(struct store_body *b);
/* Edits go into it through this. ERR_CORRUPT, ERR_IO, ERR_NOMEM: then it is good for nothing more.
 */
struct text_sink store_body_sink(struct store_body *b);
/* All of it, of the arena. */
MUST_CHECK enum err store_body_text(struct store_body *b, struct arena *arena, struct bytes *out);
/* Store what has changed; *out is what goes into the record's row, of the arena. */
MUST_CHECK enum err store_body_save(struct store_body *b, struct arena *arena, struct value *out);
/* The same of one in pieces that is only read. */
MUST_CHECK enum err store_body_read(struct store *s, int64_t number, struct arena *arena,
				    struct bytes *out, struct errmsg *msg);

/* ---- Texts with their history (core/store_history.c) ---- */

/* A text as it is, and the newest edits of it. */
struct store_history {
	struct store_history *next; /* of those that are kept, not edited since this one was */
	struct text_ref ref;
	struct text text;
	uint32_t base;     /* number 0 in `text` stands for all edits before this one, if any */
	uint32_t count;    /* edits of the store that it has, or stands for */
	uint32_t *numbers; /* in `text`, of those from `base` on */
	size_t cap;
	uint32_t looked_at; /* `count`, when it was last asked whether less would do */
};

void store_history_free(struct store_history *h); /* NULL-safe */
/* To add an edit that has not seen more than `reach` of the first ones: what all have seen who have
 * not seen more is left out. Of a text that is kept it is not read again. count: of the
 * edits in the store; body: the text. *out may be set on failure, too, and is then of no use. */
MUST_CHECK enum err store_history_open(struct store_history **out, struct store *s,
				       const struct text_ref *ref, uint32_t count, uint32_t reach,
				       struct store_body *body, struct errmsg *msg);
/* One more edit, whose row is about to be stored, goes into the text; its lengths are told.
 * ERR_LIMIT, ERR_NOMEM, ERR_CORRUPT of what was read, or what the sink says: then there is nothing
 * to keep. */
MUST_CHECK enum err store_history_add(struct store_history *h, struct text_row *row,
				      const struct text_edit *e, const struct text_sink *sink);
/* For the next edit of this text, beside those of some others that were kept last. Takes it. */
void store_history_keep(struct store_history *h, struct store *s);

/* ---- Texts to be reread (core/store_reread.c) ---- */

/* An edit was made beside others: before the transaction ends look whether a sentence of the
 * text is to be reread (I-21), and mark its record. As many may wait as REREADS_MAX. */
void store_reread_later(struct store *s, const struct text_ref *text);
/* So many wait that they should not any longer. No record is being changed meanwhile. */
bool store_reread_is_full(const struct store *s);
/* Part of every commit. */
MUST_CHECK enum err store_reread_now(struct store *s, struct errmsg *msg);

/* ---- The tables (core/store_tables.c) ---- */

/* The tables were made by another SCHEMA_VERSION: empty, to be refilled from
 * the log by the caller, who then calls store_schema_done(). */
bool store_needs_replay(const struct store *s);
MUST_CHECK enum err store_schema_done(struct store *s, struct errmsg *msg);

/* Another one than before: rows of the state were made anew, with other numbers. */
MUST_CHECK enum err store_state_serial(struct store *s, uint64_t *out, struct errmsg *msg);

/* Make the state tables anew, empty; keep the log. */
MUST_CHECK enum err store_clear_state(struct store *s, struct errmsg *msg);
/* Empty them as they are. */
MUST_CHECK enum err store_empty_state(struct store *s, struct errmsg *msg);
/* The same for some spaces: a pass over the tables, however many they are. */
MUST_CHECK enum err store_clear_spaces(struct store *s, const uint32_t *spaces, size_t count,
				       struct errmsg *msg);

/* A register of the row `r` of r_<kind> as SQL (core/store_schema.c). */
void store_put_column(struct buf *out, const struct field *f);

/* ---- Care (core/store_care.c, core/store_disk.c) ---- */

/* An SQLite file without a replica: its maker was killed before it had an id. */
bool store_is_blank(const char *path);

MUST_CHECK enum err store_backup(struct store *s, const char *path,
				 void (*progress)(void *ctx, uint64_t done, uint64_t total),
				 void *ctx, struct errmsg *msg);
MUST_CHECK enum err store_quick_check(struct store *s, struct errmsg *msg);
/* The same with every index, every order, the sums of rows and the definitions of the tables: about
 * five times as long. */
MUST_CHECK enum err store_integrity_check(struct store *s, struct errmsg *msg);
/* That of one table and its indexes. Of "changeset", the largest, which has no index, the
 * structure alone; "sqlite_schema" is the list of tables with their
 * definitions, and the pages that are free. */
MUST_CHECK enum err store_check_table(struct store *s, const char *table, struct errmsg *msg);
/* The tables by their place in a fixed order, the schema first; what is in those of the state
 * follows from the log. ERR_NOT_FOUND: there are fewer. */
enum { TABLE_NAME_BYTES = 64 };
MUST_CHECK enum err store_table(struct store *s, size_t place, char out[TABLE_NAME_BYTES],
				bool *is_state, struct errmsg *msg);
/* Read from the file again what is read from now on, not from memory. */
void store_forget_pages(struct store *s);
/* While nothing is acknowledged, commits need not wait for the disk; the end of it does. */
MUST_CHECK enum err store_hurry(struct store *s, bool hurry, struct errmsg *msg);
/* Put on the disk for good what can be read, also what a process wrote that
 * died before it synced. Once a store, and once more after the disk has failed;
 * inside a transaction it waits for the next call. */
MUST_CHECK enum err store_settle(struct store *s, struct errmsg *msg);
enum disk_state store_disk(const struct store *s);
/* Records, conflicts and sizes; the rest of *out is left alone. */
MUST_CHECK enum err store_stats(struct store *s, struct replica_stats *out, struct errmsg *msg);

/* ---- Rows of any query (core/store_rows.c) ---- */

MUST_CHECK enum err store_rows_open(struct rows **out, struct store *s, const char *sql,
				    const struct value *args, size_t arg_count, struct errmsg *msg);

#endif
