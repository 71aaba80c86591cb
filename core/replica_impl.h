/* What the replica's own files share: the caches in front of the store. */
#ifndef HT_CORE_REPLICA_IMPL_H
#define HT_CORE_REPLICA_IMPL_H

#include "core/damage.h"
#include "core/replica.h"
#include "core/store.h"

/* One feed held: where its chain stands. */
struct feed {
	uint32_t idx;
	uint32_t space; /* index into replica.spaces */
	struct replica_id replica;
	struct feed_head head;
	uint64_t dep_seq;   /* the newest seq that our own changesets depend on */
	uint64_t named_seq; /* changesets that are held name the feed up to here (M-21) */
	uint64_t counts_to; /* what lies above is in quarantine (M-14) */
	bool touched;       /* by the transaction at hand: to be verified at its end */
	bool is_checked;    /* ours: its head is signed, so what we write can go on from it */
};

/* The FORK statement that is kept of a feed: the one with the lowest seq, then id (M-2). */
struct fork_mark {
	struct replica_id replica;
	struct space_id space;
	uint64_t seq; /* the first that has two contents */
	struct {      /* what each of them goes on from */
		uint8_t link[LINK_BYTES];
		uint8_t signature[SIGNATURE_BYTES];
	} before[2];
	struct statement_id id;
	int64_t idx; /* the store's number of it */
};

struct space_state {
	struct space_id id;
	uint32_t idx; /* the store's number; 0 = nothing stored yet */
	struct vv vv;
	uint32_t *feeds; /* indices into replica.feeds, by replica id */
	uint32_t feed_count;
	size_t feed_cap;
};

/* The members as the engine needs them: what the statements say, and addresses from
 * the records of the directory space. */
struct directory {
	bool stale;
	struct member *members; /* former ones last */
	size_t member_count;    /* without the former ones */
	size_t known_count;     /* with them */
};

struct replica {
	struct store *store;
	struct replica_id id;
	bool has_org;
	uint8_t org[ORG_ID_BYTES];
	bool may_edit;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	/* That of before, while the open transaction changes it. */
	uint8_t former_secret[SIGN_SECRET_BYTES];
	bool has_former_secret;
	uint8_t nonce[ID_BYTES]; /* of our epoch: with the key it makes our id */
	struct dice dice;
	const struct mark_port *mark;     /* NULL: none */
	uint64_t own_count, marked_count; /* changesets of our epoch; as the mark says */
	struct hlc clock;
	uint64_t data_version;
	uint64_t reloads;
	bool stale; /* the caches could not be read: the next refresh tries again */

	struct space_state *spaces; /* [0] is the directory */
	struct space_id *space_ids; /* the same ids, for replica_spaces() */
	uint32_t *space_order;      /* places in spaces, sorted by id */
	uint32_t space_count, space_cap;
	struct feed *feeds;
	uint32_t feed_count;
	size_t feed_cap;
	struct trust *trust;     /* NULL: no statements yet */
	uint64_t trust_serial;   /* of the stored fold that `trust` is */
	struct fork_mark *forks; /* by replica, space */
	size_t fork_count;
	struct directory directory;
	struct damage_list damage;

	struct arena arena; /* one changeset's worth */
	struct buf scratch;
};

void replica_drop_caches(struct replica *r);

/* Look a space up, or make it known (nothing is stored until a feed is). */
struct space_state *replica_space(const struct replica *r, const struct space_id *id);
MUST_CHECK enum err replica_space_add(struct replica *r, const struct space_id *id,
				      struct space_state **out, struct errmsg *msg);

/* Of its number in the store. ERR_CORRUPT: there is no such. */
MUST_CHECK enum err replica_space_id(struct replica *r, uint32_t idx, struct space_id *out,
				     struct errmsg *msg);

struct feed *replica_feed(const struct replica *r, const struct space_state *space,
			  const struct replica_id *id);
/* Also stores it (and the space). Invalidates pointers to feeds and spaces. */
MUST_CHECK enum err replica_feed_add(struct replica *r, const struct space_id *space,
				     const struct replica_id *id, struct feed **out,
				     struct errmsg *msg);

/* The organisation is this one from now on; nothing of a space may be held yet. */
MUST_CHECK enum err replica_adopt_org(struct replica *r, const uint8_t org[ORG_ID_BYTES],
				      struct errmsg *msg);

/* Append to the log and, if it counts, apply to the state; moves the feed's head, the vector
 * and the clock. The changeset was decoded and validated. */
MUST_CHECK enum err replica_append(struct replica *r, struct feed *feed, const struct changeset *cs,
				   const struct sealed *sealed, const uint8_t link[LINK_BYTES],
				   struct errmsg *msg);

/* Make a changeset of ours from author and ops (sorted, additions numbered): stamp it, name
 * what it depends on, encode, chain, sign and append, in the open transaction
 * (core/write.c). */
MUST_CHECK enum err replica_write(struct replica *r, const struct space_id *space,
				  struct changeset *cs, uint64_t now_ms, struct arena *arena,
				  struct errmsg *msg);

/* After opening: begin a new epoch if the database may have gone back, or is a copy
 * (core/epoch.c). */
MUST_CHECK enum err epoch_check(struct replica *r, const struct replica_config *config,
				struct errmsg *msg);
/* How many changesets of our epoch are here, in all spaces. */
uint64_t epoch_count(const struct replica *r);
/* After a commit of our own changesets. */
void epoch_mark(struct replica *r);
/* Our own epoch was cut by a proof of a fork. */
bool epoch_is_forked(const struct replica *r);
/* The replica ids under which this copy has written before; from the arena. */
MUST_CHECK enum err epoch_former(struct replica *r, struct arena *arena, struct replica_id **out,
				 size_t *count, struct errmsg *msg);

/* Another database of this node was further: be what it was, in the open transaction. The next
 * epoch follows from that one. */
MUST_CHECK enum err epoch_take_up(struct replica *r, const struct replica_id *id,
				  const uint8_t nonce[ID_BYTES], struct errmsg *msg);

/* A member in good standing whose epoch was forked goes on under another id, and what is
 * ours and counts no more is written again (core/reauthor.c). Transactions of its own. */
MUST_CHECK enum err reauthor_after_change(struct replica *r, uint64_t now_ms, struct errmsg *msg);

/* The replica is or was one of a node that this copy belongs or belonged to: what does not
 * count of it may have to be written again. */
MUST_CHECK enum err reauthor_concerns(struct replica *r, const struct replica_id *replica,
				      bool *out, struct errmsg *msg);

/* Of what the log holds of the feed and does not count, up to where it was written again. */
MUST_CHECK enum err reauthor_done_to(struct replica *r, const struct feed *feed, uint64_t *out,
				     struct errmsg *msg);

/* The heads and vectors alone, after changesets were moved out of the log. */
MUST_CHECK enum err replica_reload_feeds(struct replica *r, struct errmsg *msg);

/* Drop the caches and read them again from the store. */
MUST_CHECK enum err replica_reload(struct replica *r, struct errmsg *msg);

/* Everything that the changeset says it has seen, as a vector: feeds have no
 * gaps and their stamps grow, so the newest of each feed speaks for the rest. */
MUST_CHECK enum err changeset_past(struct vv *past, const struct changeset *cs);

/* As replica_missing(); without `is_closed` also what names what is not here. */
MUST_CHECK enum err missing_read(struct replica *r, const struct space_id *space,
				 const struct vv *has, bool is_closed, size_t bytes_max,
				 size_t count_max, struct arena *arena, struct sealed **out,
				 size_t *count, bool *more, struct errmsg *msg);

/* Apply one changeset's ops to the state (core/apply.c). ERR_LIMIT: a record would have more
 * than RECORD_ENTRIES_MAX values; some of the ops may be applied. */
MUST_CHECK enum err apply_changeset(struct store *store, uint32_t space, const struct stamp *stamp,
				    const struct changeset *cs, struct arena *arena,
				    struct errmsg *msg);
/* What a text is with one more edit, SET or SPLICE, of the record as it is without; noted in the
 * text's history (core/apply_text.c). *out is for the record's row, of the arena; *reread: whether
 * a sentence of it is to be reread, as far as is known before the commit. */
MUST_CHECK enum err apply_text(struct store *store, uint32_t space, const struct record *rec,
			       const struct dot *dot, const struct op *op, struct arena *arena,
			       struct value *out, bool *reread, struct errmsg *msg);
/* I-17: what many write into one text is bounded, too. ERR_LIMIT. */
MUST_CHECK enum err text_check_room(struct store *store, const struct record *rec,
				    const struct op *op, struct arena *arena, struct errmsg *msg);
/* The text's history has the same edit, of the same version, under another dot. */
MUST_CHECK enum err text_find_twin(struct store *store, uint32_t space, const struct record *rec,
				   const struct op *op, struct arena *arena, struct dot *dot,
				   bool *is_found, struct errmsg *msg);
/* Of one that was taken before, whatever limit is passed on the way. */
MUST_CHECK enum err apply_again(struct store *store, uint32_t space, const struct stamp *stamp,
				const struct changeset *cs, struct arena *arena,
				struct errmsg *msg);
/* ERR_LIMIT if apply_changeset() would say so; changes nothing. */
MUST_CHECK enum err apply_check(struct store *store, uint32_t space, const struct stamp *stamp,
				const struct changeset *cs, struct arena *arena,
				struct errmsg *msg);

/* Apply the whole log to an empty state, in causal order; counts in the report. */
MUST_CHECK enum err replica_replay(struct replica *r, struct store *into,
				   struct verify_report *report,
				   void (*progress)(void *ctx, uint64_t done, uint64_t total),
				   void *ctx, struct errmsg *msg);

/* The state of any store (core/state_hash.c). */
MUST_CHECK enum err store_state_hash(struct store *s, uint8_t out[STATE_HASH_BYTES],
				     struct errmsg *msg);

/* Of some records with their elements and texts; and of the conflict inbox, with the number of
 * all elements and edits of texts. */
MUST_CHECK enum err store_records_hash(struct store *s, const struct kind *kind,
				       const struct id_range *range, uint8_t out[STATE_HASH_BYTES],
				       struct errmsg *msg);
MUST_CHECK enum err store_marks_hash(struct store *s, uint8_t out[STATE_HASH_BYTES],
				     struct errmsg *msg);
/* Of a text's history, whatever the order in which it came; *count grows by its edits. ERR_CORRUPT:
 * they do not fit each other (core/state_text.c). */
enum { TEXT_HASH_BYTES = 32 };
MUST_CHECK enum err store_text_hash(struct store *s, const struct text_ref *text,
				    struct arena *arena, uint8_t out[TEXT_HASH_BYTES],
				    uint64_t *count, struct errmsg *msg);

/* The directory's cache (core/directory.c). */
void directory_release(struct directory *d);
MUST_CHECK enum err directory_load(struct replica *r, struct errmsg *msg);

/* Our id and its nonce as they are in memory. */
MUST_CHECK enum err replica_store_id(struct replica *r, struct errmsg *msg);
/* A new id from a fresh nonce and the public half of the signing key; stored. */
MUST_CHECK enum err replica_draw_id(struct replica *r, struct errmsg *msg);

/* Membership (core/membership.c). Read the stored fold if it is another than ours. */
MUST_CHECK enum err membership_load(struct replica *r, struct errmsg *msg);
/* How far our copy of a feed counts. */
uint64_t membership_counts_to(const struct replica *r, const struct space_id *space,
			      const struct replica_id *replica);
/* A statement made the space, whether it stands or not. */
bool membership_has_space(const struct replica *r, const struct space_id *space);
/* The same as replica_state(), with these signers, in the open transaction. */
MUST_CHECK enum err membership_state(struct replica *r, struct statement *s,
				     const struct signer *signers, size_t signer_count,
				     struct errmsg *msg);
/* Every statement's signatures, and that the stored fold is theirs. ERR_CORRUPT,
 * ERR_SIGNATURE. */
MUST_CHECK enum err membership_verify(struct replica *r, struct errmsg *msg);
/* Our signing key. */
struct signer membership_signer(const struct replica *r);

/* Forks (core/fork.c). Read the marks from the statements that are stored. */
MUST_CHECK enum err fork_load(struct replica *r, struct errmsg *msg);
/* NULL: no fork of the feed is proved. */
const struct fork_mark *fork_of(const struct replica *r, const struct space_id *space,
				const struct replica_id *replica);
/* How far the feed is the same for everybody; nothing above is in the log (M-19).
 * UINT64_MAX: no fork of it is proved. */
uint64_t fork_limit_of(const struct replica *r, const struct space_id *space,
		       const struct replica_id *replica);

/* A proof covers this changeset of the feed, the last one that is the same for everybody: it
 * vouches for it as the next one did (I-6). */
bool fork_vouches(const struct replica *r, const struct feed *feed, uint64_t seq,
		  const uint8_t signature[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES]);

/* Whether a changeset that names the dot can be taken only after it (M-21): not if it does
 * not count, or may be of any branch of a fork. */
bool fork_is_waited_for(const struct replica *r, const struct space_id *space,
			const struct dot *dot);
/* A cut names the branch that counts at the dot (M-16): who names the dot may have held another
 * one, of which there is no proof any more. */
bool fork_may_be_unproved(const struct replica *r, const struct space_id *space,
			  const struct dot *dot);

/* replica_prove_fork() in the open transaction. */
MUST_CHECK enum err fork_prove(struct replica *r, const struct space_id *space,
			       const struct dot *dot, const struct witness *theirs, uint64_t now_ms,
			       struct errmsg *msg);

/* Quarantine (core/quarantine.c). Bring log and state in line with r->trust, in the
 * open transaction: branches that are not the right one move out, and spaces of which
 * other changesets count than before are replayed. */
MUST_CHECK enum err quarantine_apply(struct replica *r, struct statements_receipt *receipt,
				     struct errmsg *msg);

/* Move a feed's changesets from `seq` on out of the log, and replay the space, in the open
 * transaction. */
MUST_CHECK enum err quarantine_branch_off(struct replica *r, struct feed *feed, uint64_t seq,
					  struct errmsg *msg);

/* The feed is named up to `seq` by what is held: what comes of it late comes after what
 * has seen it, and the space is replayed then (M-21). */
MUST_CHECK enum err quarantine_note_named(struct replica *r, struct feed *feed, uint64_t seq,
					  struct errmsg *msg);

/* Damage (core/damage.c). Note something; once, however often it is seen. */
void damage_note(struct replica *r, const struct damage *d);
void damage_note_changeset(struct replica *r, const struct feed *feed, uint64_t seq);
void damage_note_words(struct replica *r, enum damage_kind kind, const char *words);
/* Drop the entry: it was noted in error, or has been put back. */
void damage_forget(struct replica *r, size_t at);
void damage_mended(struct replica *r, size_t at);
/* All of a kind: put back, or beyond that. */
void damage_settle(struct replica *r, enum damage_kind kind, bool is_mended);

/* As store_read(), but what is returned is what was written: it ends before the first changeset
 * whose link does not fit, which is noted; then *is_cut. */
MUST_CHECK enum err damage_read(struct replica *r, const struct feed *feed, uint64_t seq,
				size_t count_max, size_t bytes_max, struct arena *arena,
				struct stored *out, size_t *count, bool *is_cut,
				struct errmsg *msg);
/* By the key of the node that the feed is of. */
bool feed_is_signed(const struct replica *r, const struct feed *feed,
		    const uint8_t signature[SIGNATURE_BYTES], const uint8_t link[LINK_BYTES]);
/* The chain goes on soundly from `seq` to a signature that verifies, or to where a proof of a fork
 * vouches: what is not signed up to there is as its owner made it, and no damage (I-6). */
MUST_CHECK enum err damage_find_vouched(struct replica *r, const struct feed *feed, uint64_t seq,
					bool *out, struct errmsg *msg);
/* The same of one changeset, and with its signature. ERR_CORRUPT: it is damaged, and noted, or its
 * owner never signed it. */
MUST_CHECK enum err damage_read_signed(struct replica *r, const struct feed *feed, uint64_t seq,
				       struct arena *arena, struct stored *out, struct errmsg *msg);

/* Fill the state of some spaces from the log anew; is_chosen: one a space, in their order. */
MUST_CHECK enum err replica_replay_spaces(struct replica *r, const bool *is_chosen,
					  struct errmsg *msg);
/* The same for one. */
MUST_CHECK enum err replica_replay_space(struct replica *r, const struct space_state *space,
					 struct errmsg *msg);

#endif
