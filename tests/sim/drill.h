/* A drill for the disk: one office whose replica is on a simulated disk, a peer in
 * memory, and pieces of a working day drawn by dice. The calls are those of
 * core/replica.h and nothing is simulated but the disk, so whatever it does,
 * what the replica has acknowledged must be there afterwards.
 *
 * Acknowledged is what a commit, or a reception, that returned OK held; and
 * what was given to the peer. */
#ifndef HT_TESTS_SIM_DRILL_H
#define HT_TESTS_SIM_DRILL_H

#include "tests/sim/memvfs.h"
#include "tests/support/office.h"

enum { DRILL_VERIFIED_MAX = 4, DRILL_DIGEST_BYTES = 32 };

struct drill {
	struct memdisk *disk;
	struct office ours, peer;
	struct space_id spaces[2]; /* the directory, a collaboration */
	struct vv acked[2];        /* of each */
	uint64_t acknowledged;     /* changesets, in all */
	struct prng dice;
	/* Log and state that were verified: looking at the same again shows no more. */
	uint8_t verified[DRILL_VERIFIED_MAX][DRILL_DIGEST_BYTES];
	unsigned verified_at; /* a ring */
	bool is_ready;        /* the office has joined, and its collaboration is open */
};

/* An empty disk, and dice; then the organisation. Between the two calls the disk
 * may be given faults and a watch: it ends the program if that shows. */
void drill_init(struct drill *d, uint64_t seed);
void drill_prepare(struct drill *d);
void drill_release(struct drill *d);

/* One piece of work: an edit, small or long, of this process or another; a chunk
 * from the peer or to it; closing and opening. Returns what the replica said,
 * after rolling back; then nothing of it is acknowledged. */
MUST_CHECK enum err drill_work(struct drill *d, struct errmsg *msg);

/* An edit of our own, as one of the pieces above; the longest make SQLite
 * checkpoint after some. */
enum { DRILL_TITLE_BYTES = 48, DRILL_TEXT_MAX = 300000 };
MUST_CHECK enum err drill_edit(struct drill *d, size_t text_bytes, struct errmsg *msg);

/* The process starts anew, on the disk as it is; the old one must have been
 * closed or its disk have gone off. */
MUST_CHECK enum err drill_open(struct drill *d, struct errmsg *msg);

/* What somebody finds who starts the replica on this disk. */
enum finding {
	FOUND_WHOLE,
	FOUND_LOSS,   /* it opens, and something acknowledged is missing */
	FOUND_DAMAGE, /* it does not open, or its log and its state are not sound */
};

/* A disk that is on, `d`'s own (then closed) or a copy. `why` tells what is wrong. */
enum finding drill_inspect(struct drill *d, struct memdisk *disk, struct errmsg *why);
/* The same, then an edit, a power cut and another look. */
enum finding drill_inspect_twice(struct drill *d, struct memdisk *disk, struct prng *dice,
				 struct errmsg *why);

#endif
