/* The schema: every kind of record and every field, in one table.
 *
 * The SQL tables and views, the validation, the encoding, the command line's
 * fields and the JSON all follow from it: a new kind is one entry in schema.c.
 * Numbers are for ever; names may change. */
#ifndef HT_CORE_SCHEMA_H
#define HT_CORE_SCHEMA_H

#include <stddef.h>

#include "core/value.h"

/* Raised with each change of the tables below; a store that was written by an
 * older schema rebuilds its tables from the log. */
#define SCHEMA_VERSION 2

/* How concurrent writes to one field merge (docs/DATA_MODEL.md, I-10 ff). */
enum merge {
	MERGE_LWW,   /* register: the latest write shows, no mark */
	MERGE_MV,    /* register: concurrent values are all kept, with a mark */
	MERGE_STATE, /* register of a state machine's steps */
	MERGE_TEXT,  /* register: concurrent edits are merged (core/text.h) */
	MERGE_SET,   /* observed-remove set */
	MERGE_LOG,   /* grow-only list of entries */
};

/* What a value may be. */
enum format {
	FORMAT_NAME,     /* text of at most NAME_BYTES_MAX, one line */
	FORMAT_TEXT,     /* text of at most TEXT_BYTES_MAX */
	FORMAT_INT,      /* integer, `min` to `max` */
	FORMAT_CLOCK,    /* integer: minutes after midnight */
	FORMAT_CHOICE,   /* integer: index into `choices` */
	FORMAT_STATE,    /* integer: from << 8 | to, states of `machine` */
	FORMAT_REF,      /* a record of kind `ref` */
	FORMAT_WALLTIME, /* local date or date-time with its zone (core/walltime.h) */
	FORMAT_ZONE,     /* IANA zone name */
	FORMAT_POSITION, /* place in an ordered list (core/position.h) */
	FORMAT_BYTES,    /* up to NAME_BYTES_MAX bytes */
};

enum { STATES_MAX = 16 };

/* A state machine. Steps are kept whether legal or not; what is illegal where
 * it lands is marked, never dropped. Of concurrent steps the one to the state
 * with the higher rank shows; two different `final` ones are a conflict. */
struct machine {
	const char *const *states; /* NULL-terminated; [0] is the initial one */
	uint16_t next[STATES_MAX]; /* per state, the bit set of legal next ones */
	uint8_t rank[STATES_MAX];
	uint16_t final; /* bit set */
};

struct field {
	uint8_t number; /* 1 .. FIELD_NUMBER_MAX, registers to 64; 0 is the record itself */
	const char *name;
	enum merge merge;
	enum format format;
	const char *const *choices;    /* FORMAT_CHOICE: NULL-terminated names */
	const struct machine *machine; /* FORMAT_STATE */
	uint16_t ref;                  /* FORMAT_REF: the kind referred to, 0 = any */
	int64_t min, max;              /* FORMAT_INT: both are allowed */
	bool indexed;                  /* people and code look records up by it */
	bool required;                 /* who edits it may not leave it empty; others may have */
};

struct kind {
	uint16_t number;
	const char *name;   /* SQL table, JSON type, word on the command line */
	const char *prefix; /* of readable numbers ("AI"), or NULL */
	bool directory;     /* lives in the directory space, else in a collaboration */
	const struct field *fields;
	size_t field_count;
};

enum {
	KIND_ORGANISATION = 1,
	KIND_OFFICE = 2,
	KIND_NODE = 3,
	KIND_PERSON = 4,
	KIND_SPACE = 5,
	KIND_COLLABORATION = 10,
	KIND_MEETING = 11,
	KIND_TOPIC = 12,
	KIND_MINUTES = 13,
	KIND_BLOCK = 14,
	KIND_ACTION = 15,
};

/* Field numbers that code outside the table speaks of. */
enum {
	ORGANISATION_NAME = 1,
	OFFICE_CODE = 1,
	OFFICE_NAME = 2,
	OFFICE_ZONE = 3,
	OFFICE_CLOSES = 4,
	NODE_OFFICE = 1,
	NODE_ADDRESSES = 2,
	NODE_NAME = 3,
	PERSON_NAME = 1,
	PERSON_SORT_KEY = 2,
	PERSON_OFFICE = 3,
	PERSON_ZONE = 4,
	PERSON_CONTACTS = 5,
	PERSON_ACTIVE = 6,
	SPACE_NAME = 1,
	SPACE_ID = 2,
	COLLABORATION_NUMBER = 1,
	COLLABORATION_TITLE = 2,
	COLLABORATION_KIND = 3,
	COLLABORATION_GOAL = 4,
	COLLABORATION_BACKGROUND = 5,
	COLLABORATION_SCOPE_IN = 6,
	COLLABORATION_SCOPE_OUT = 7,
	COLLABORATION_PHASE = 8,
	COLLABORATION_TAGS = 9,
	COLLABORATION_LEAD = 10,
	MEETING_NUMBER = 1,
	MEETING_TITLE = 2,
	MEETING_KIND = 3,
	MEETING_START = 4,
	MEETING_DURATION = 5,
	MEETING_PLACE = 6,
	MEETING_GOAL = 7,
	MEETING_PARTICIPANTS = 8,
	MEETING_CHAIR = 9,
	MEETING_RECORDER = 10,
	MEETING_TIMEKEEPER = 11,
	MEETING_STATE = 12,
	TOPIC_MEETING = 1,
	TOPIC_POSITION = 2,
	TOPIC_TITLE = 3,
	TOPIC_MINUTES = 4,
	TOPIC_OUTPUT = 5,
	MINUTES_MEETING = 1,
	MINUTES_NUMBER = 2,
	MINUTES_STATE = 3,
	MINUTES_CONFIRM_BY = 4,
	BLOCK_MINUTES = 1,
	BLOCK_POSITION = 2,
	BLOCK_KIND = 3,
	BLOCK_TEXT = 4,
	ACTION_NUMBER = 1,
	ACTION_TITLE = 2,
	ACTION_OWNER = 3,
	ACTION_DUE = 4,
	ACTION_DELIVERABLE = 5,
	ACTION_PRIORITY = 6,
	ACTION_MEETING = 7,
	ACTION_TOPIC = 8,
	ACTION_STATE = 9,
	ACTION_HELPERS = 10,
	ACTION_CC = 11,
	ACTION_PROGRESS = 12,
};

/* States of an action item, in the order of its machine. */
enum { ACTION_OPEN, ACTION_DOING, ACTION_BLOCKED, ACTION_DONE, ACTION_CANCELLED };

/* All kinds, in ascending order of their numbers. */
const struct kind *schema_kinds(size_t *count);

/* NULL when this version does not know it. */
const struct kind *schema_kind(uint16_t number);
/* Its place in schema_kinds(). */
size_t schema_kind_index(const struct kind *kind);
const struct field *kind_field(const struct kind *kind, uint8_t number);
const struct field *kind_field_named(const struct kind *kind, const char *name);

/* ERR_INVALID when a record of this kind can't live in such a space. */
MUST_CHECK enum err kind_check_place(const struct kind *kind, bool is_directory,
				     struct errmsg *msg);

static inline bool merge_is_register(enum merge merge)
{
	return merge <= MERGE_TEXT;
}

/* Whether the value is acceptable for the field: type, size, UTF-8, one line,
 * choice in range, calendar. ERR_INVALID or ERR_LIMIT with the field's name.
 * Nil is accepted by every register but a state. */
MUST_CHECK enum err field_validate(const struct field *field, const struct value *value,
				   struct errmsg *msg);

static inline struct value state_step(unsigned from, unsigned to)
{
	return value_int((int64_t)(from << 8 | to));
}

static inline unsigned state_from(const struct value *step)
{
	return (unsigned)step->number >> 8 & 0xff;
}

static inline unsigned state_to(const struct value *step)
{
	return (unsigned)step->number & 0xff;
}

bool machine_is_legal(const struct machine *machine, unsigned from, unsigned to);

/* The index of a name in a NULL-terminated list, or -1. */
int names_find(const char *const *names, const char *name);

/* How many names the list has. */
unsigned names_count(const char *const *names);

#endif
