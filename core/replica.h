/* A replica: one office's full copy, its log and its state, in one store.
 *
 *   edit --seal--> changeset --append--> log --apply--> records
 *   receive -----> changesets --verify, append--> log --apply--> records
 *
 * State and log change in one SQLite transaction, durable when it returns:
 * acknowledged means durable, and only what is durable is sent.
 * Several processes may open the same replica; one thread at a time may use
 * one handle. Time and dice are arguments.
 *
 * Errors are those of core/err.h. Messages name the record, feed or file. */
#ifndef HT_CORE_REPLICA_H
#define HT_CORE_REPLICA_H

#include "core/changeset.h"
#include "core/dice.h"
#include "core/record.h"
#include "core/statement.h"
#include "core/vv.h"

#define STATE_HASH_BYTES 32

struct replica;

struct replica_config {
	const char *path;           /* the database file */
	const char *vfs;            /* SQLite VFS by name; NULL = the system's */
	bool create;                /* make it if absent */
	bool read_only;             /* never writes, never blocks a writer */
	const uint8_t *sign_secret; /* SIGN_SECRET_BYTES, copied; NULL: edits are refused */
	struct dice dice;
	uint64_t now_ms; /* wall time, for the clock's sanity check */
};

/* Open, create or migrate. A new replica draws its id and belongs to no
 * organisation yet. ERR_NOT_FOUND, ERR_CORRUPT, ERR_READONLY, ERR_BUSY,
 * ERR_VERSION (written by a newer program), ERR_CLOCK. */
MUST_CHECK enum err replica_open(struct replica **out, const struct replica_config *config,
				 struct errmsg *msg);
void replica_close(struct replica *r); /* NULL-safe; rolls back what is open */

const struct replica_id *replica_id(const struct replica *r);
/* The greatest stamp issued or observed: the next edit's is greater. */
struct hlc_stamp replica_clock(const struct replica *r);
bool replica_has_org(const struct replica *r);
const uint8_t *replica_org(const struct replica *r);        /* ORG_ID_BYTES */
struct space_id replica_directory(const struct replica *r); /* the directory space */

/* Another process changed the store since the last look: caches are renewed.
 * Cheap; call once a turn. Transactions look, too: see replica_reloads(). */
MUST_CHECK enum err replica_refresh(struct replica *r, bool *changed, struct errmsg *msg);
/* How often the caches were read anew, by whatever call: who waits for changes
 * from outside compares it with what it was before. */
uint64_t replica_reloads(const struct replica *r);

/* ---- Founding and joining ------------------------------------------------ */

struct founding {
	const char *org_name;
	const char *office_code; /* "SHA": 2 to 8 of A-Z 0-9 */
	const char *office_name;
	const char *zone;
	const char *person_name;
	const char *address; /* "host:port" or NULL */
	struct node_identity node;
};

/* Write the genesis: the organisation, its first office, node and person.
 * The organisation's id is BLAKE2b-256("huitong-org-1" ‖ replica ‖ body). */
MUST_CHECK enum err replica_found(struct replica *r, const struct founding *f, uint64_t now_ms,
				  struct errmsg *msg);

struct admission {
	const char *office_code; /* created when it does not exist yet */
	const char *office_name;
	const char *zone;
	const char *person_name; /* NULL: none */
	const char *address;     /* NULL: can't be dialled */
	struct node_identity node;
};

/* Write a new node (and office, and person) into the directory. */
MUST_CHECK enum err replica_admit(struct replica *r, const struct admission *a, uint64_t now_ms,
				  struct errmsg *msg);

/* The joining side: from now on part of this organisation. */
MUST_CHECK enum err replica_join(struct replica *r, const uint8_t org[ORG_ID_BYTES],
				 struct errmsg *msg);

/* ---- The directory, as the engine needs it ------------------------------- */

enum { ADDRESS_TEXT_MAX = 256 };

struct member {
	struct record_id node;
	struct record_id office;
	char office_code[OFFICE_CODE_MAX + 1];
	struct node_identity identity;
	char address[ADDRESS_TEXT_MAX + 1]; /* the newest, or "" */
	bool is_void;                       /* no longer a member; its feeds stay valid */
};

/* All nodes of the organisation; borrowed until the next change of the replica. */
const struct member *replica_members(const struct replica *r, size_t *count);
const struct member *replica_member_by_noise_key(const struct replica *r,
						 const uint8_t key[NOISE_KEY_BYTES]);
/* Also a former member: what it signed stays signed. */
const struct member *replica_member_by_replica(const struct replica *r,
					       const struct replica_id *id);
/* Our own entry, or NULL before it has arrived. */
const struct member *replica_self(const struct replica *r);

/* The member's office takes part in the space; the directory is everybody's. */
bool replica_is_granted(const struct replica *r, const struct member *member,
			const struct space_id *space);

/* ---- Reading for the wire ------------------------------------------------ */

/* Spaces that exist in the directory or in the log; [0] is the directory.
 * Borrowed until the next change. */
const struct space_id *replica_spaces(const struct replica *r, size_t *count);

/* What is held of a space; empty when nothing is. Borrowed likewise. */
const struct vv *replica_vv(const struct replica *r, const struct space_id *space);

/* Changesets that `has` lacks, in causal order, until bytes_max is passed or
 * count_max is reached (at least one if any). The result lives in `arena`.
 * *more: there are others. Cost follows what is returned. */
MUST_CHECK enum err replica_missing(struct replica *r, const struct space_id *space,
				    const struct vv *has, size_t bytes_max, size_t count_max,
				    struct arena *arena, struct sealed **out, size_t *count,
				    bool *more, struct errmsg *msg);

/* ---- Receiving ----------------------------------------------------------- */

struct receipt {
	size_t applied;    /* new and now durable */
	size_t duplicates; /* held before, same bytes */
	size_t held_back;  /* too far in the future, or depending on such: not stored */
	struct replica_id held_replica; /* of the first one held back */
	struct hlc_stamp held_hlc;
};

/* Verify, append and apply changesets of one space in one transaction: all or,
 * on any error, none. Nothing else may be in a transaction. Runs of a feed
 * must be contiguous and their dependencies held or earlier in the list.
 * ERR_FORMAT, ERR_LIMIT, ERR_VERSION, ERR_INVALID, ERR_SIGNATURE, ERR_CHAIN,
 * ERR_CAUSAL, ERR_FORK, ERR_REPLICA and what the store returns. */
MUST_CHECK enum err replica_receive(struct replica *r, const struct space_id *space,
				    const struct sealed *list, size_t count, uint64_t now_ms,
				    struct receipt *out, struct errmsg *msg);

/* ---- Editing ------------------------------------------------------------- */

/* One transaction: any number of edits, in several spaces, become durable
 * together. Waits a few seconds for another process's, then ERR_BUSY. */
MUST_CHECK enum err replica_begin(struct replica *r, struct errmsg *msg);
MUST_CHECK enum err replica_commit(struct replica *r, struct errmsg *msg);
void replica_rollback(struct replica *r); /* harmless outside a transaction */

struct edit;

/* Start a changeset in a space, inside a transaction. author: a person, or NULL.
 * ERR_ORG: no organisation, or this node's admission has not arrived yet. */
MUST_CHECK enum err edit_open(struct edit **out, struct replica *r, const struct space_id *space,
			      const struct record_id *author, uint64_t now_ms, struct errmsg *msg);
/* Seal: number, encode, chain, sign, append, apply. Frees the edit in any case.
 * An edit without ops leaves no trace. On failure roll the transaction back. */
MUST_CHECK enum err edit_seal(struct edit *e, struct errmsg *msg);
void edit_drop(struct edit *e); /* NULL-safe */

/* The id of a new record; it exists once a field is written. */
struct record_id edit_create(struct edit *e);

/* Write a register in place of all its current values. Values are copied. */
MUST_CHECK enum err edit_set(struct edit *e, uint16_t kind, const struct record_id *id,
			     uint8_t field, const struct value *value, struct errmsg *msg);
/* Step a state machine; ERR_INVALID names both states when it is not legal. */
MUST_CHECK enum err edit_step(struct edit *e, uint16_t kind, const struct record_id *id,
			      uint8_t field, unsigned to, struct errmsg *msg);
MUST_CHECK enum err edit_add(struct edit *e, uint16_t kind, const struct record_id *id,
			     uint8_t field, const struct value *value, struct errmsg *msg);
/* ERR_NOT_FOUND when the set has no such element. */
MUST_CHECK enum err edit_remove(struct edit *e, uint16_t kind, const struct record_id *id,
				uint8_t field, const struct value *value, struct errmsg *msg);
MUST_CHECK enum err edit_void(struct edit *e, uint16_t kind, const struct record_id *id,
			      struct errmsg *msg);
MUST_CHECK enum err edit_revive(struct edit *e, uint16_t kind, const struct record_id *id,
				struct errmsg *msg);

/* The next readable number of this node's office, e.g. "AI-SHA-2026-0012",
 * allocated in the open transaction. */
enum { NUMBER_TEXT_MAX = 48 };
MUST_CHECK enum err replica_number(struct replica *r, uint16_t kind, unsigned year,
				   char out[NUMBER_TEXT_MAX], struct errmsg *msg);

/* ---- Reading records ----------------------------------------------------- */

/* A record's registers with all their values; memory from the arena.
 * ERR_NOT_FOUND. *space receives where it lives (may be NULL). */
MUST_CHECK enum err replica_record(struct replica *r, uint16_t kind, const struct record_id *id,
				   struct arena *arena, struct record *out, struct space_id *space,
				   struct errmsg *msg);

/* Elements of a set or log in stamp order. */
struct element {
	struct stamp stamp;
	uint32_t n;
	struct record_id author;
	struct value value;
};

MUST_CHECK enum err replica_elements(struct replica *r, uint16_t kind, const struct record_id *id,
				     uint8_t field, struct arena *arena, struct element **out,
				     size_t *count, struct errmsg *msg);

/* A cursor over any SELECT on the documented tables and views, e.g.
 *     rows_open(&rows, r, "SELECT title FROM action_item WHERE id = ?", &arg, 1, msg)
 * Text columns are borrowed until the next step. */
struct rows;
MUST_CHECK enum err rows_open(struct rows **out, struct replica *r, const char *sql,
			      const struct value *args, size_t arg_count, struct errmsg *msg);
bool rows_next(struct rows *rows); /* false at the end or on an error */
int64_t rows_int(struct rows *rows, int column);
const char *rows_text(struct rows *rows, int column); /* "" for NULL */
bool rows_is_null(struct rows *rows, int column);
struct bytes rows_bytes(struct rows *rows, int column);
/* Nil unless the column holds 16 bytes. */
struct record_id rows_id(struct rows *rows, int column);
MUST_CHECK enum err rows_close(struct rows *rows, struct errmsg *msg); /* the loop's error */

/* One change of a record, for people. */
struct history_item {
	struct stamp stamp;
	struct record_id author;
	const struct changeset *changeset; /* all its ops; borrowed for the call */
};

/* Changesets that touched the record (NULL: any), newest first, at most
 * `count_max`; stops when `each` returns false. */
MUST_CHECK enum err replica_history(struct replica *r, const struct record_id *record,
				    size_t count_max,
				    bool (*each)(void *ctx, const struct space_id *space,
						 const struct history_item *item),
				    void *ctx, struct errmsg *msg);

/* ---- Local settings (not replicated) ------------------------------------- */

/* Text by key; *out is released by the caller. ERR_NOT_FOUND. */
MUST_CHECK enum err replica_setting(struct replica *r, const char *key, struct buf *out,
				    struct errmsg *msg);
/* NULL value removes. Its own transaction unless one is open. */
MUST_CHECK enum err replica_setting_put(struct replica *r, const char *key, const char *value,
					struct errmsg *msg);

/* ---- Care ---------------------------------------------------------------- */

/* BLAKE2b-256 over the state: every record, value, element and void in
 * canonical order. Two replicas that hold the same changesets have the same. */
MUST_CHECK enum err replica_state_hash(struct replica *r, uint8_t out[STATE_HASH_BYTES],
				       struct errmsg *msg);

struct verify_report {
	uint64_t feeds, changesets, signatures, ops;
	uint8_t stored_hash[STATE_HASH_BYTES];
	uint8_t replayed_hash[STATE_HASH_BYTES];
};

/* Check every link and signature, replay the log into a fresh state in memory
 * and compare. ERR_CORRUPT, ERR_CHAIN, ERR_SIGNATURE with the feed and seq.
 * progress (may be NULL) is called now and then with changesets done, total. */
MUST_CHECK enum err replica_verify(struct replica *r, struct verify_report *out,
				   void (*progress)(void *ctx, uint64_t done, uint64_t total),
				   void *ctx, struct errmsg *msg);

/* A consistent copy while others write. ERR_EXISTS when path exists. */
MUST_CHECK enum err replica_backup(struct replica *r, const char *path,
				   void (*progress)(void *ctx, uint64_t done, uint64_t total),
				   void *ctx, struct errmsg *msg);

/* SQLite's own structure check. ERR_CORRUPT with its words. */
MUST_CHECK enum err replica_quick_check(struct replica *r, struct errmsg *msg);

struct replica_stats {
	uint64_t changesets, feeds, spaces, records, conflicts;
	uint64_t database_bytes, wal_bytes;
};

MUST_CHECK enum err replica_stats(struct replica *r, struct replica_stats *out, struct errmsg *msg);

#endif
