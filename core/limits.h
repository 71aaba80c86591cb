/* Every bound of the data model, in one place. proto/limits.h has those of the wire. */
#ifndef HT_CORE_LIMITS_H
#define HT_CORE_LIMITS_H

enum {
	CHANGESET_BYTES_MAX = (1 << 20) + (64 << 10), /* one body: the longest text fits */
	CHANGESET_OPS_MAX = 10000,
	CHANGESET_DEPS_MAX = 1024,
	CHANGESET_REPLICAS_MAX = 1024,  /* foreign replicas that one changeset names */
	CHANGESET_IDS_MAX = 20000,      /* records that one changeset names */
	OP_REPLACED_MAX = 256,          /* dots that one op replaces */
	TEXT_BYTES_MAX = 1 << 20,       /* a TEXT value */
	TEXT_POINTS_MAX = 1 << 26,      /* code points of a text, whatever is concurrent */
	TEXT_HELD_POINTS_MAX = 1 << 23, /* of a text that is held: no edit makes it longer (I-17) */
	TEXT_RUNS_MAX = 100000,         /* of one edit of a text */
	TEXT_READERS_MAX = 64,          /* versions of a text side by side, told apart (I-21) */
	NAME_BYTES_MAX = 256,           /* a name, a title, a short string */
	NESTING_MAX = 16,               /* arrays in arrays, in values we don't know */
	FIELD_NUMBER_MAX = 255,
	KIND_NUMBER_MAX = 65535,
	RECORD_ENTRIES_MAX = 4096, /* concurrent register values of one record */
	/* Changesets of a feed of which only the last one is signed: what one message may bring. */
	RUN_COUNT_MAX = 2000,
	RUN_BYTES_MAX = 2 << 20,
	SPACES_MAX = 10000,
	FEEDS_MAX = 1 << 20, /* (space, replica) pairs held by one store */
	STATEMENTS_MAX = 32768,
	/* Statements that are taken of one node that is no admin, and of all that no node has
	 * signed, in KiB begun (M-22); twice as many FORKs of what we hold and EPOCHs that
	 * count, four times as many when another node's statement needs them. */
	NODE_STATEMENTS_MAX = 2048,
	STATEMENTS_RESERVED = 4096, /* of STATEMENTS_MAX: for what admins and root say */
	/* Set aside in one session, in case they turn out to be needed. */
	ASIDE_MAX = 8192,
	ASIDE_BYTES_MAX = 8 << 20,
	/* Epochs of one node that count (M-14). Each can leave a value on every register of
	 * a record, and a void. One op can name what they all left, and that is far from
	 * RECORD_ENTRIES_MAX: a node alone keeps nobody from writing. */
	EPOCHS_MAX = OP_REPLACED_MAX / 2,
};

/* The highest seq of a feed: feed and seq share a 64-bit key in the store. */
#define SEQ_MAX ((UINT64_C(1) << 40) - 1)

/* How far ahead of our wall clock a stamp may be before it is quarantined. */
#define HLC_AHEAD_MS_MAX (UINT64_C(24) * 3600 * 1000)

/* 2020-01-01T00:00:00Z: a clock before it is not set. */
#define WALL_MS_MIN UINT64_C(1577836800000)

#endif
