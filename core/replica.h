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
#include "core/trust.h"
#include "core/vv.h"

#define STATE_HASH_BYTES 32

struct replica;

/* The greatest count of own changesets that was ever acknowledged, kept beside the
 * database but not in it: shows that a database was put back (M-18). */
struct mark {
	struct replica_id replica;
	uint64_t count;
};

struct mark_port {
	void *ctx;
	/* ERR_NOT_FOUND: none yet. */
	enum err (*load)(void *ctx, struct mark *out);
	/* After each commit of own changesets; need not be durable. */
	void (*save)(void *ctx, const struct mark *mark);
};

struct replica_config {
	const char *path;           /* the database file */
	const char *vfs;            /* SQLite VFS by name; NULL = the system's */
	bool create;                /* make it if absent */
	bool read_only;             /* never writes, never blocks a writer */
	const uint8_t *sign_secret; /* SIGN_SECRET_BYTES, copied; NULL: edits are refused */
	struct dice dice;
	uint64_t now_ms; /* wall time, for the clock's sanity check */
	/* What tells this machine and file from a copy of it, at most 256 bytes; empty:
	 * not looked at. Another one than last time begins a new epoch (M-18). Last
	 * time's is in the setting SETTING_MACHINE, which may be removed. */
	struct bytes machine;
	const struct mark_port *mark; /* borrowed while open; NULL: none */
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

/* What this replica says of itself: its epoch and the public half of the key it was
 * opened with. The caller adds the noise key. */
struct node_identity replica_identity(const struct replica *r,
				      const uint8_t noise_key[NOISE_KEY_BYTES]);

/* The database at `path` is nobody's: its maker was killed before it had an id. */
bool replica_is_blank(const char *path);

struct founding {
	const char *org_name;
	const char *office_code; /* "SHA": 2 to 8 of A-Z 0-9 */
	const char *office_name;
	const char *zone;
	const char *person_name;
	const char *address; /* "host:port" or NULL */
	struct roots roots;  /* at least one */
	struct node_identity node;
	/* Asked when all is written and nothing counts yet; an error undoes it. NULL: nobody. */
	enum err (*confirm)(void *ctx, struct errmsg *msg);
	void *ctx;
};

/* Write the genesis, and the records of the organisation, its first office, node
 * and person. The organisation's id is that of the GENESIS statement. */
MUST_CHECK enum err replica_found(struct replica *r, const struct founding *f, uint64_t now_ms,
				  struct errmsg *msg);

struct admission {
	const char *office_code; /* created when it does not exist yet */
	const char *office_name;
	const char *zone;
	const char *person_name; /* NULL: none */
	const char *address;     /* NULL: can't be dialled */
	bool is_admin;
	struct node_identity node;
};

/* State a new node, and write its records (office and person, too) into the
 * directory. ERR_AUTHORITY: this node is no admin. */
MUST_CHECK enum err replica_admit(struct replica *r, const struct admission *a, uint64_t now_ms,
				  struct errmsg *msg);

/* The joining side: from now on part of this organisation. ERR_EXISTS: it is part of
 * another one. */
MUST_CHECK enum err replica_join(struct replica *r, const uint8_t org[ORG_ID_BYTES],
				 struct errmsg *msg);

/* ---- Membership ---------------------------------------------------------- */

/* What the statements held say together; NULL before the first. Borrowed until the
 * next change of the replica. */
const struct trust *replica_trust(const struct replica *r);

struct statements_receipt {
	size_t added;         /* new, verified and durable */
	uint64_t quarantined; /* changesets that counted and do no longer */
	uint64_t counted;     /* the reverse */
	bool vv_went_back;    /* a branch was moved out: HAVE may be lower than before */
	/* Of those that were only heard: */
	size_t set_aside;      /* how many were over a quota */
	struct errmsg notice;  /* why the first one was */
	struct errmsg refusal; /* the first one that is no statement; code OK: there is none */
};

/* Verify and keep statements that a peer sent, each after its parents; fold, and
 * replay the spaces whose cuts have moved: one transaction, all or nothing. What is
 * held already is skipped. ERR_FORMAT, ERR_SIGNATURE, ERR_CAUSAL (a parent is
 * missing), ERR_AUTHORITY (a signer that no statement names), ERR_LIMIT, ERR_ORG. */
MUST_CHECK enum err replica_take_statements(struct replica *r, const struct bytes *list,
					    size_t count, uint64_t now_ms,
					    struct statements_receipt *out, struct errmsg *msg);

/* What was set aside of what one peer sent (core/aside.h). NULL: out of memory. */
struct aside;
struct aside *aside_new(void);
void aside_free(struct aside *a); /* NULL-safe */
bool aside_is_empty(const struct aside *a);
/* A statement that was set aside may name the replica. */
bool aside_names(const struct aside *a, const struct replica_id *replica);

/* The same from a peer who is not trusted with how many there are (M-22): one that is
 * refused keeps none of the others from being taken, nor does one that is over a quota,
 * which goes into `aside`. Then out->refusal and out->notice say so. */
MUST_CHECK enum err replica_hear_statements(struct replica *r, const struct bytes *list,
					    size_t count, struct aside *aside, uint64_t now_ms,
					    struct statements_receipt *out, struct errmsg *msg);

/* All statements held that are not known to be damaged, each after its parents, until `each`
 * returns false. `s` and `encoded` are borrowed for the call. */
MUST_CHECK enum err replica_each_statement(struct replica *r,
					   bool (*each)(void *ctx, const struct statement *s,
							struct bytes encoded, enum verdict verdict),
					   void *ctx, struct errmsg *msg);

/* Make a statement: parents, time, node's signature and, when `roots` are given,
 * theirs instead. Kept, folded and applied as in replica_take_statements(). Inside a
 * transaction (replica_begin()) it is part of it. If it would not stand it is not
 * kept: ERR_AUTHORITY, ERR_EXISTS, ERR_NOT_FOUND, in words. Of cuts there may be more than
 * CUTS_MAX: ADOPTs in the same transaction name the others. */
MUST_CHECK enum err replica_state(struct replica *r, struct statement *s,
				  const struct signer *roots, size_t root_count, uint64_t now_ms,
				  struct errmsg *msg);

/* The cuts of all feeds that the node's epochs have here, in `space` or in all (NULL):
 * where they stand now. From the arena, ascending. */
MUST_CHECK enum err replica_cuts_of(struct replica *r, const struct record_id *node,
				    const struct space_id *space, struct arena *arena,
				    struct cut **out, size_t *count, struct errmsg *msg);
/* The same of all nodes that the office has or had. */
MUST_CHECK enum err replica_cuts_of_office(struct replica *r, const char *office_code,
					   const struct space_id *space, struct arena *arena,
					   struct cut **out, size_t *count, struct errmsg *msg);

/* Begin a new epoch now (M-18). When EPOCHS_MAX are used up: ERR_LIMIT with EPOCH_ROTATED,
 * else it is a member no more: replica_check_member() says so. `fresh_sign_secret` and
 * `fresh_noise_key` with EPOCH_ROTATED only, else NULL: the handle signs with it from then on,
 * unless the transaction is rolled back. In one of its own, or as part of the open one, to be
 * rolled back on failure. */
MUST_CHECK enum err replica_new_epoch(struct replica *r, enum epoch_reason reason,
				      const uint8_t *fresh_sign_secret,
				      const uint8_t *fresh_noise_key, uint64_t now_ms,
				      struct errmsg *msg);

/* A copy that was superseded, or whose node was revoked, takes a new id under the key it was
 * opened with, and then enrols as a newcomer does; it keeps all it holds. ERR_EXISTS: it is
 * in good standing. */
MUST_CHECK enum err replica_enrol_anew(struct replica *r, struct errmsg *msg);

/* OK, or why this replica may neither edit nor sync: ERR_REVOKED, ERR_SUPERSEDED, and
 * ERR_ORG before it is a member. */
MUST_CHECK enum err replica_check_member(const struct replica *r, struct errmsg *msg);

/* Write again, under our epoch, what is ours and does not count any more because of a fork
 * or a void epoch (M-19), and what was moved out of the log. In transactions of its
 * own; *count: how many changesets. Nothing to do costs nothing. */
MUST_CHECK enum err replica_reauthor(struct replica *r, uint64_t now_ms, size_t *count,
				     struct errmsg *msg);

/* Feeds of which something is held that does not count. */
struct quarantined {
	struct replica_id replica;
	struct space_id space;
	uint64_t first, last; /* seqs */
	enum cut_cause cause; /* CUT_NONE: moved out of the log, another branch */
	bool is_branch;
};

MUST_CHECK enum err replica_each_quarantined(struct replica *r,
					     bool (*each)(void *ctx, const struct quarantined *q),
					     void *ctx, struct errmsg *msg);

/* ---- Forks (M-16, M-19) --------------------------------------------------- */

enum { TAG_BYTES = 8 }; /* the first bytes of a link */

/* Where a feed stands. */
struct tip {
	struct replica_id replica;
	uint64_t seq;
	uint8_t tag[TAG_BYTES];
};

/* All feeds of a space that hold something, ascending; from the arena. */
MUST_CHECK enum err replica_tips(const struct replica *r, const struct space_id *space,
				 struct arena *arena, struct tip **out, size_t *count);
/* A short fingerprint of the tips with their whole links; zeros: nothing is held. */
void replica_digest(const struct replica *r, const struct space_id *space,
		    uint8_t out[VV_DIGEST_BYTES]);
/* The tag of a changeset held; seq 0: zeros. ERR_NOT_FOUND leaves msg alone. */
MUST_CHECK enum err replica_tag(struct replica *r, const struct space_id *space,
				const struct dot *dot, uint8_t out[TAG_BYTES], struct errmsg *msg);

/* One changeset and what its link is made of; from the arena. */
struct told {
	uint8_t link_before[LINK_BYTES];
	uint8_t signature_before[SIGNATURE_BYTES];
	struct bytes body;
	uint8_t signature[SIGNATURE_BYTES];
};

/* ERR_NOT_FOUND leaves msg alone. ERR_CORRUPT: what is held of it is damaged. */
MUST_CHECK enum err replica_tell(struct replica *r, const struct space_id *space,
				 const struct dot *dot, struct arena *arena, struct told *out,
				 struct errmsg *msg);
void told_witness(struct witness *out, const struct told *told);

/* State a FORK: `theirs` and what we hold are two contents of one dot. The lowest such
 * seq should be asked for first. ERR_SIGNATURE: no proof; ERR_EXISTS: known. */
MUST_CHECK enum err replica_prove_fork(struct replica *r, const struct space_id *space,
				       const struct dot *dot, const struct witness *theirs,
				       uint64_t now_ms, struct errmsg *msg);

/* A peer holds more of a feed of our own node than we do, or, from `fork_seq` on (0: not
 * as far as is known), another branch, of which `theirs` is the first changeset: begin a
 * new epoch if it is the current one's, move our branch out of the log and
 * re-author it. ERR_SIGNATURE if `theirs` is not ours. */
MUST_CHECK enum err replica_heal_own(struct replica *r, const struct space_id *space,
				     const struct replica_id *replica, uint64_t fork_seq,
				     const struct witness *theirs, uint64_t now_ms,
				     struct errmsg *msg);

/* ---- The directory, as the engine needs it ------------------------------- */

enum { ADDRESS_TEXT_MAX = 256 };

struct member {
	struct record_id node;
	struct record_id office;
	char office_code[OFFICE_CODE_MAX + 1];
	struct node_identity identity;      /* of its current epoch */
	char address[ADDRESS_TEXT_MAX + 1]; /* the newest, or "" */
	uint32_t block;                     /* of readable numbers */
	bool is_admin;
	bool is_revoked; /* no longer a member; its feeds are kept */
};

/* All nodes of the organisation; borrowed until the next change of the replica. */
const struct member *replica_members(const struct replica *r, size_t *count);
const struct member *replica_member_by_noise_key(const struct replica *r,
						 const uint8_t key[NOISE_KEY_BYTES]);
/* The node of which this replica is or was an epoch; also a revoked one. */
const struct member *replica_member_by_replica(const struct replica *r,
					       const struct replica_id *id);
/* Our own entry, or NULL before it has arrived. */
const struct member *replica_self(const struct replica *r);

/* What the member's office may do in the space: ROLE_NONE if it takes no part, or the member
 * was revoked. */
enum role replica_role(const struct replica *r, const struct member *member,
		       const struct space_id *space);

/* ---- Reading for the wire ------------------------------------------------ */

/* Spaces that exist in the directory or in the log; [0] is the directory.
 * Borrowed until the next change. */
const struct space_id *replica_spaces(const struct replica *r, size_t *count);

/* What is held of a space; empty when nothing is. Borrowed likewise. */
const struct vv *replica_vv(const struct replica *r, const struct space_id *space);

/* Changesets that `has` lacks, in causal order and as they were written (what is damaged here,
 * and what names it, is left out), until bytes_max is passed or
 * count_max is reached (at least one if any). Each feed's part ends on a signature that verifies:
 * what its owner signed with rubbish goes together with what vouches for it (I-6), if need be by
 * itself and beyond both limits, up to RUN_COUNT_MAX. The result lives in `arena`.
 * *more: there are others. Cost follows what is returned. */
MUST_CHECK enum err replica_missing(struct replica *r, const struct space_id *space,
				    const struct vv *has, size_t bytes_max, size_t count_max,
				    struct arena *arena, struct sealed **out, size_t *count,
				    bool *more, struct errmsg *msg);

/* ---- Receiving ----------------------------------------------------------- */

struct receipt {
	size_t applied;    /* new and now durable */
	size_t duplicates; /* held before, same bytes */
	/* Too far in the future, without room here, before what it names, or depending on such: not
	 * stored */
	size_t held_back;
	struct replica_id held_replica; /* of the first one held back */
	struct hlc_stamp held_hlc;      /* of the first one from the future; zero: none is */
	bool lacks_room;                /* one would take a record, or us, over a limit */
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
struct text_edit;

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

/* Write a register in place of all its current values; of a text what differs from how it
 * is, nil for an empty one. Values are copied. */
MUST_CHECK enum err edit_set(struct edit *e, uint16_t kind, const struct record_id *id,
			     uint8_t field, const struct value *value, struct errmsg *msg);
/* Write a text that was read as `seen`: what others have written since is kept, and merged.
 * ERR_INVALID, ERR_LIMIT as for edit_set(). */
struct text_version {
	struct bytes text;
	const struct dot *heads; /* of its newest edits: record_values() */
	size_t head_count;
};
MUST_CHECK enum err edit_text(struct edit *e, uint16_t kind, const struct record_id *id,
			      uint8_t field, const struct text_version *seen, struct bytes to,
			      struct errmsg *msg);
/* The same by somebody who knows what has changed: runs against the text as it was with these
 * heads, of which there is at least one. Copied. ERR_INVALID, ERR_LIMIT. */
MUST_CHECK enum err edit_splice(struct edit *e, uint16_t kind, const struct record_id *id,
				uint8_t field, const struct dot *heads, size_t head_count,
				const struct text_edit *splice, struct errmsg *msg);
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

struct text;
/* A text with all its history (core/text.h); the caller releases it. ERR_NOT_FOUND. */
MUST_CHECK enum err replica_text(struct replica *r, uint16_t kind, const struct record_id *id,
				 uint8_t field, struct text *out, struct errmsg *msg);
/* The same with no more of its history than what is concurrent: for core/text_reread.h. */
MUST_CHECK enum err replica_text_tail(struct replica *r, uint16_t kind, const struct record_id *id,
				      uint8_t field, struct text *out, struct errmsg *msg);
/* When a changeset was written, and by whom (nil: the node itself). ERR_NOT_FOUND. */
MUST_CHECK enum err replica_written(struct replica *r, const struct space_id *space,
				    const struct dot *dot, struct hlc_stamp *hlc,
				    struct record_id *author, struct errmsg *msg);

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
/* A register as it is shown, of the row `r` of its kind's table r_<kind>, as SQL. */
void rows_put_column(struct buf *sql, const struct field *field);
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

/* What lies in quarantine, as it was written: the changesets of one range that
 * replica_each_quarantined() told of, ascending; several of one seq by their links. Stops when
 * `each` returns false. */
MUST_CHECK enum err replica_each_in_quarantine(struct replica *r, const struct quarantined *q,
					       bool (*each)(void *ctx, const struct space_id *space,
							    const struct history_item *item),
					       void *ctx, struct errmsg *msg);

/* ---- Local settings (not replicated) ------------------------------------- */

#define SETTING_MACHINE "machine"

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

/* Check the file's structure, every statement, link and signature, replay the log into a fresh
 * state in memory and compare. ERR_CORRUPT, ERR_CHAIN, ERR_SIGNATURE with the feed and seq.
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

/* How the disk took the last transaction, or a checkpoint. Once it has failed, the
 * next one begins with opening and checking the store anew. */
enum disk_state { DISK_GOOD, DISK_FULL, DISK_FAILED };
enum disk_state replica_disk(const struct replica *r);

/* What could be saved of a damaged database. */
struct salvage {
	uint64_t changesets;  /* taken over, each verified */
	uint64_t own;         /* this node's among them */
	uint64_t left_behind; /* not: they come again from peers, if those have them */
	uint64_t statements_lost;
	uint64_t settings_lost; /* 1 or more: some local settings are gone */
	bool is_member;         /* it goes on, under another id (M-18); else it enrols anew */
};

/* Make a sound database at `to` (ERR_EXISTS if there is one) of whatever in config->path
 * still verifies: statements, feeds up to their first damage, settings; the state is
 * made anew from the log. Ours from beyond the damage is written again where it is whole. The
 * damaged file is only read. Needs the signing key. ERR_CORRUPT: not even its first page is sound.
 */
MUST_CHECK enum err replica_salvage(const struct replica_config *config, const char *to,
				    struct salvage *out,
				    void (*progress)(void *ctx, uint64_t done, uint64_t total),
				    void *ctx, struct errmsg *msg);

/* What was taken over of a database in whose place another one comes. */
struct takeover {
	uint64_t changesets;  /* that were not here, each verified */
	uint64_t own;         /* this node's among them */
	uint64_t left_behind; /* they seem to be there and can't be read, or don't hold */
	bool is_unread;       /* nothing of it could be read; `why` in words */
	struct errmsg why;
};

/* The replica is a backup that is to take the place of the database `before` (NULL: of none): it
 * goes on under another id (M-18), with what only that one holds. Statements and changesets are
 * taken as from a peer; ours from beyond some damage are written again. That `before` can't be
 * read is no error. Errors as of replica_new_epoch() and replica_receive(). */
MUST_CHECK enum err replica_restore(struct replica *r, const char *before, uint64_t now_ms,
				    struct takeover *out, struct errmsg *msg);
/* What has come into `before` since: the same under the id that the replica has. */
MUST_CHECK enum err replica_take_over(struct replica *r, const char *before, uint64_t now_ms,
				      struct takeover *out, struct errmsg *msg);

struct replica_stats {
	uint64_t changesets, feeds, spaces, records, conflicts;
	uint64_t database_bytes, wal_bytes;
};

MUST_CHECK enum err replica_stats(struct replica *r, struct replica_stats *out, struct errmsg *msg);

#endif
