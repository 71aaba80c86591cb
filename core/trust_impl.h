/* Between the files of the fold (core/trust.h) only.
 *
 *   trust_index   the order, who has seen whom, which statements speak of what
 *   trust_ground  what a statement rests on (M-4, M-6, M-7)
 *   trust_peer    what stands beside it (M-5, M-8 to M-10)
 *   trust_settle  what stands (M-11)
 *   trust_cut     which changesets count (M-14, M-15)
 *   trust_fold    the result
 *   trust_extend  one more statement */
#ifndef HT_CORE_TRUST_IMPL_H
#define HT_CORE_TRUST_IMPL_H

#include "core/trust.h"

#define NO_STATEMENT UINT32_MAX
#define NO_SUBJECT   UINT32_MAX

enum standing { UNDECIDED, STANDING, FALLEN };

/* What statements speak of. Those that speak of the same thing are found together. */
enum subject_kind {
	SUBJECT_NODE,      /* all that speak of a node */
	SUBJECT_SIGN_KEY,  /* what gives it to a node */
	SUBJECT_NOISE_KEY, /* likewise */
	SUBJECT_REPLICA,   /* likewise */
	SUBJECT_SIGNER,    /* what a key has signed */
	SUBJECT_SPACE,     /* what makes it */
	SUBJECT_GRANTS,    /* the GRANTs of a space */
	SUBJECT_OFFICE,    /* those of one office in it */
	SUBJECT_ROOTS,     /* what says which keys are root: one list */
	SUBJECT_KIND_COUNT
};

enum { SUBJECT_KEY_BYTES = 1 + STATEMENT_ID_BYTES }; /* the kind, the id */

struct subject_key {
	uint8_t bytes[SUBJECT_KEY_BYTES];
};

/* Statements by their place in the list, ascending. */
struct span {
	const uint32_t *at;
	uint32_t count;
};

/* The subjects of one statement. */
struct about {
	uint32_t node, sign_key, noise_key, replica;
	uint32_t signed_by; /* as a signer: the key that it gives to a node */
	uint32_t space, grants, office, roots;
	uint32_t *signers; /* as keys given to nodes: one a signer */
};

/* One fold. Everything lives in its arena. */
struct fold {
	const struct statement *const *list;
	uint32_t count;
	struct arena arena;
	uint64_t *past; /* a row of bits for each: what it has seen */
	size_t past_words;
	/* A statement has seen all below the first place, and has been seen by all from
	 * the second on, but for FORKs: what is concurrent lies between. */
	uint32_t *has_seen_below, *is_seen_from;
	bool *is_parent; /* of any other */
	struct about *about;
	struct subject_key *subjects; /* ascending */
	uint32_t subject_count;
	uint32_t *span_starts; /* into span_items; one more than subjects */
	uint32_t *span_items;
	uint8_t *standing; /* enum standing */
	bool *is_root;     /* M-9 */
};

/* Everything but `standing` and `is_root`, which begin as zeros. ERR_INVALID, ERR_NOMEM. */
MUST_CHECK enum err fold_index(struct fold *f, const struct statement *const *list, size_t count,
			       struct errmsg *msg);
void fold_release(struct fold *f);

static inline bool fold_has_seen(const struct fold *f, uint32_t x, uint32_t y)
{
	return f->past[x * f->past_words + y / 64] >> (y % 64) & 1;
}

static inline bool fold_is_concurrent(const struct fold *f, uint32_t x, uint32_t y)
{
	return x != y && !(x > y ? fold_has_seen(f, x, y) : fold_has_seen(f, y, x));
}

static inline bool fold_stands(const struct fold *f, uint32_t x)
{
	return f->standing[x] == STANDING;
}

/* The part of it from one place in the list up to another. */
struct span span_between(struct span span, uint32_t from, uint32_t to);
/* Empty when there is none. */
struct span fold_span(const struct fold *f, uint32_t subject);
struct subject_key subject_key(enum subject_kind kind, const void *id, size_t size);
struct subject_key subject_office(const struct space_id *space, const char *office_code);
uint32_t fold_subject(const struct fold *f, const struct subject_key *key);
/* The first subject of a kind or after; up to the next kind's they are ascending by id. */
uint32_t fold_subjects_from(const struct fold *f, enum subject_kind kind);

/* What GENESIS and ADMIT say of a node; what they and EPOCH of its keys. Else NULL. */
const struct node_entry *statement_entry(const struct statement *s);
const struct node_identity *statement_identity(const struct statement *s);
/* The node of which GENESIS, ADMIT, ADMIN, REVOKE and EPOCH speak. */
const struct record_id *statement_node(const struct statement *s);
/* Of GENESIS and ROOTS. */
const struct roots *statement_roots(const struct statement *s);
/* It takes a capacity from somebody (M-6). */
bool statement_is_removal(const struct statement *s);
/* What a SPACE gives to an office. */
enum role space_office_role(const struct statement *s, const char *office_code);

/* The office's role by what stands of the past of x, or by all if x is NO_STATEMENT. */
enum role fold_role(const struct fold *f, uint32_t x, const struct space_id *space,
		    const char *office_code);

/* Called with statements, perhaps with one more than once. */
typedef void fold_visit(void *ctx, uint32_t y);

/* ---- trust_ground.c -------------------------------------------------------- */

/* How well the best ground of a statement holds. */
enum footing {
	FOOTING_GONE,     /* there is none, whatever becomes of the undecided */
	FOOTING_OPEN,     /* perhaps one by its past */
	FOOTING_DISPUTED, /* one by its past, that a concurrent removal may take */
	FOOTING_FIRM,     /* one, whatever becomes of the undecided */
};

enum footing ground_footing(const struct fold *f, uint32_t x);
/* It is root's (M-9), when the ROOTS are decided. */
bool ground_is_root(const struct fold *f, uint32_t x);
/* M-4, when all is decided. */
bool ground_has_authority(const struct fold *f, uint32_t x);
/* When all is decided: an ADOPT rests on more than that the feed is its signer's (M-15). */
bool ground_is_for_others(const struct fold *f, uint32_t x, const struct cut *cut);
/* Of an undecided one: the undecided givers and takers that it waits for (M-11). */
void ground_waits(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx);
/* The takers that fall when it stands as the best of a circle. */
void ground_victims(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx);

/* ---- trust_peer.c ---------------------------------------------------------- */

/* What stands, or may yet, in a statement's way. */
enum opposition { OPPOSITION_NONE, OPPOSITION_UNDECIDED, OPPOSITION_STANDING };

enum opposition peer_opposition(const struct fold *f, uint32_t x);
/* M-5, but for clashes: it speaks of what its past names. */
bool peer_is_named(const struct fold *f, uint32_t x);
/* It clashes with one in its past that has not fallen. */
bool peer_may_clash(const struct fold *f, uint32_t x);
/* Of an undecided one: the undecided that clash with it, overrule it or are better. */
void peer_waits(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx);
/* Those that fall when it stands as the best of a circle; it clashes with none. */
void peer_victims(const struct fold *f, uint32_t x, fold_visit *visit, void *ctx);

/* ---- trust_settle.c -------------------------------------------------------- */

MUST_CHECK enum err fold_settle(struct fold *f);

/* ---- trust_cut.c ----------------------------------------------------------- */

/* t->cuts, and the causes of t->epochs; all else of `t` is there. ERR_NOMEM. */
MUST_CHECK enum err fold_cuts(const struct fold *f, struct trust *t);

/* ---- trust_fold.c ---------------------------------------------------------- */

void trust_hash_ids(struct trust *t); /* t->digest */
/* As trust_fold(), with another limit than EPOCHS_MAX, which tests can reach. */
MUST_CHECK enum err trust_fold_within(struct trust **out, const struct statement *const *list,
				      size_t count, uint32_t epochs_max, uint8_t *verdicts,
				      struct errmsg *msg);

/* ---- trust.c --------------------------------------------------------------- */

/* trust_node() of what is ours to change. */
struct trust_node *trust_own_node(const struct trust *t, const struct record_id *node);
/* The node whose feed a FORK is about; NULL: none in t->nodes. */
struct trust_node *trust_forked_node(const struct trust *t, const struct statement *fork);
/* `author` NULL: nobody in t->nodes. */
void trust_add_weight(struct trust *t, struct trust_node *author, const struct statement *s);

bool trust_is_directory(const struct trust *t, const struct space_id *space);
int trust_grant_cmp(const struct trust_grant *a, const struct trust_grant *b);
/* Negative if a cuts lower than b, or as low and gives cause and link (M-14). */
int trust_cut_cmp(const struct trust_cut *a, const struct trust_cut *b);
/* By replica and space. */
int trust_feed_cmp(const struct trust_cut *a, const struct trust_cut *b);
/* Where nothing names the feed. */
struct trust_cut trust_cut_default(const struct trust *t, const struct trust_epoch *epoch,
				   const struct space_id *space);

#endif
