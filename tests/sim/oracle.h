/* The oracle: what a record must be, from the plainest reading of the rules.
 *
 * It knows which changesets exist and what each author held when writing
 * (ledger.h), and nothing else: no targets, no dependencies, no order of
 * arrival. For a set of changesets that are held and count:
 *
 *   register   a write is current unless a later write of the same field knew it
 *   text       what tests/support/text_model.h makes of the edits; an edit is current
 *              as a write is
 *   shown      the greatest by (rank of a state, stamp, replica, seq)
 *   set        an addition is present unless a removal of an equal value knew it
 *   log        every addition
 *   void       in force unless a later void or revival of the record knew it
 *   life       live without a void in force; void when the voids in force knew
 *              every current write and every element present; else revived
 *   conflict   an MV register with another value than the one that shows; a
 *              final state shown beside another one; a revived record; a text with a
 *              sentence that no edit has read as it is
 *
 * "Knew" is happened-before: the author held it. Nothing here is taken from the code
 * under test but the decoded ops and the schema table.
 *
 * In a contested world (world.h) something may not count any more that a later write
 * has replaced, and what that one had replaced is there again: so "knew" is what the op
 * names, and when an edit is learned it is checked that it names what it must: what was
 * there, by these rules, of what counted at its author. */
#ifndef HT_TESTS_SIM_ORACLE_H
#define HT_TESTS_SIM_ORACLE_H

#include "core/replica.h"
#include "tests/sim/ledger.h"

/* One op of one changeset, about one record. */
struct fact {
	const struct ledger_entry *entry;
	const struct op *op;
	struct value removed; /* REMOVE: what it took out */
};

struct subject { /* a record */
	uint32_t space;
	uint16_t kind;
	struct record_id id;
	struct fact *facts; /* in the order of learning */
	uint32_t fact_count, fact_cap;
	uint32_t next; /* in its hash chain */
};

struct oracle {
	const struct ledger *ledger;
	bool is_contested;
	struct subject *subjects; /* in the order of learning */
	uint32_t subject_count, subject_cap;
	uint32_t *buckets;
	uint32_t bucket_count;
};

void oracle_init(struct oracle *o, const struct ledger *ledger, bool is_contested);
void oracle_release(struct oracle *o);

/* Take note of a changeset; what its author held was learned before. */
void oracle_learn(struct oracle *o, const struct ledger_entry *e);

/* Whether it names all that was there of what it replaces, removes or voids, for
 * somebody to whom this much counted, and nothing else. */
bool oracle_names_rightly(const struct oracle *o, const struct ledger_entry *e,
			  const uint32_t *counted);

const struct subject *oracle_find(const struct oracle *o, uint32_t space, uint16_t kind,
				  const struct record_id *id); /* or NULL */

/* Whoever holds this much that counts has the record at all. */
bool subject_exists(const struct subject *s, const uint32_t *held);

enum record_life oracle_life(const struct oracle *o, const struct subject *s, const uint32_t *held);

/* Compare a replica's record with what it must be for what the replica holds of
 * the space. ERR_CORRUPT with the difference, or what reading says. */
MUST_CHECK enum err oracle_compare(const struct oracle *o, const struct subject *s,
				   const uint32_t *held, struct replica *r, struct errmsg *msg);

/* The value that a register shows; false when it was never written. A text is in `text`. */
bool oracle_shown(const struct oracle *o, const struct subject *s, const uint32_t *held,
		  const struct field *field, struct buf *text, struct value *out);

/* Whether the field (0: the record's life) must be in the conflict inbox, and
 * how many of the record must. */
bool oracle_has_conflict(const struct oracle *o, const struct subject *s, const uint32_t *held,
			 uint8_t field);
unsigned oracle_conflicts(const struct oracle *o, const struct subject *s, const uint32_t *held);

#endif
