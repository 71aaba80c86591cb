/* Damage: what of the database is known not to be what was written. Whoever reads the log to
 * pass it on looks whether it is sound, the scrub looks at everything (core/scrub.h), and
 * what they find is noted here. It is put back in place from what a peer tells or
 * from the log, or else is beyond that: `huitong repair`.
 *
 * Noted in memory; what the scrub has seen is kept with its round. */
#ifndef HT_CORE_DAMAGE_H
#define HT_CORE_DAMAGE_H

#include "core/replica.h"

enum damage_kind {
	DAMAGE_STRUCTURE, /* SQLite's pages, of tables that nothing else is made of */
	DAMAGE_STATEMENT, /* one of membership */
	DAMAGE_FOLD,      /* what the statements say together */
	DAMAGE_CHANGESET, /* one of the log */
	DAMAGE_BRANCH,    /* one that was moved out of it (core/branch.h) */
	DAMAGE_STATE,     /* records, elements, conflicts, and their indexes */
	DAMAGE_KIND_COUNT
};

enum { DAMAGE_MAX = 64, DAMAGE_TEXT_BYTES = 160 };

struct damage {
	enum damage_kind kind;
	struct space_id space; /* of DAMAGE_CHANGESET and _BRANCH, else zeros */
	struct dot dot;        /* likewise */
	bool is_beyond;        /* it can't be put back in place */
	bool is_seen;          /* in this round of the scrub */
	uint64_t serial;       /* greater than those of what was noted before */
	char words[DAMAGE_TEXT_BYTES];
};

struct damage_list {
	struct damage list[DAMAGE_MAX];
	size_t count;
	bool has_more;      /* than there is room for */
	uint64_t serial;    /* the last one given */
	uint64_t mended;    /* how many were put back */
	struct damage last; /* of these */
};

/* What is known. Borrowed until the next call on the replica. */
const struct damage_list *replica_damage(const struct replica *r);

/* A statement is damaged that may come again from a peer. */
bool replica_lacks_statement(const struct replica *r);

/* Put a changeset that is noted as damaged back as a peer tells it, if its node has signed it
 * and it is the one that our log goes on from; else *is_mended is false. In a
 * transaction of its own. ERR_CORRUPT: it can't be put back in place; that is noted. */
MUST_CHECK enum err replica_mend(struct replica *r, const struct space_id *space,
				 const struct dot *dot, const struct told *told, bool *is_mended,
				 struct errmsg *msg);

/* Fill the state from the log anew, in a transaction of its own, and check the whole
 * file's structure before it ends (core/refill.c). ERR_CORRUPT: not possible in place, or the
 * state has something of a changeset that the log has not. */
MUST_CHECK enum err replica_refill(struct replica *r, struct errmsg *msg);

#endif
