/* The registers of one record, and how an op changes them.
 *
 * A register's state is the set of its current values; with causal delivery
 *     after = (current − replaced) ∪ {new}
 * whatever the order in which concurrent changesets arrive. One value: no
 * conflict. Several: the first shows, the others stay until somebody chooses.
 * Sets and logs are not held here: their elements are rows of the store.
 *
 * A void remembers the writes that it had seen: per replica the newest, which
 * covers those before it. A record is void while every current value and every
 * element of its sets and logs is covered by some void; an edit that no void
 * had seen revives it, and the void stays as a mark until it is taken back or
 * renewed.
 *
 * Pure; memory comes from the caller's arena.
 * After Shapiro et al., "A comprehensive study of CRDTs" (INRIA RR-7506), §3.2.2. */
#ifndef HT_CORE_RECORD_H
#define HT_CORE_RECORD_H

#include "core/changeset.h"
#include "core/schema.h"

/* One current value of one register. */
struct entry {
	uint8_t field;
	struct stamp stamp;
	struct value value;
};

/* A void in force, and the writes it had seen. */
struct void_mark {
	struct stamp stamp;
	const struct dot *observed;
	size_t observed_count;
};

struct record {
	struct record_id id;
	const struct kind *kind;
	struct entry *entries; /* by field, then the shown one first */
	size_t count, cap;
	struct void_mark *voids; /* by stamp, newest first */
	size_t void_count, void_cap;
	bool has_unseen_element; /* the caller found one that record_is_unseen() */
	uint64_t reread;         /* texts with a sentence to be reread: bit n - 1 for field n */
	struct arena *arena;
};

void record_init(struct record *rec, const struct kind *kind, const struct record_id *id,
		 struct arena *arena);

/* Apply a register, void or revive op of a changeset with this stamp. Ops on
 * sets, logs and unknown fields change nothing here. The op's value and
 * targets must live as long as the arena. ERR_NOMEM. */
MUST_CHECK enum err record_apply(struct record *rec, const struct stamp *stamp,
				 const struct op *op);

/* It has more values, or voids, than RECORD_ENTRIES_MAX. */
bool record_is_over(const struct record *rec);

/* What a text says now, or where that is, by its newest entry, the others are empty; and whether
 * a sentence of it is to be reread. */
void record_set_text(struct record *rec, uint8_t field, const struct value *text, bool reread);
void record_set_reread(struct record *rec, uint8_t field, bool reread);

/* The value that shows, or NULL when the field was never written. */
const struct entry *record_shown(const struct record *rec, uint8_t field);

/* All current values of a field, the shown one first. */
const struct entry *record_values(const struct record *rec, uint8_t field, size_t *count);

/* A state's value, the machine's initial one when no step was made. */
unsigned record_state(const struct record *rec, const struct field *field);

/* The field needs a person: different values of an MV register, different final states, or a
 * text to be reread. Offices that wrote the same have no quarrel. */
bool record_has_conflict(const struct record *rec, const struct field *field);

enum record_life {
	RECORD_LIVE,
	RECORD_VOID,
	RECORD_REVIVED, /* a void and an edit were concurrent: the edit holds */
};

enum record_life record_life(const struct record *rec);

/* The record has voids, and none of them had seen this write. */
bool record_is_unseen(const struct record *rec, const struct dot *dot);

/* Total order of the values of one field, the one that shows first: for states
 * by rank, then by stamp, newest first. */
int entry_cmp(const struct field *field, const struct entry *a, const struct entry *b);

#endif
