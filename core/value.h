/* One field's value as it travels and as it is stored. */
#ifndef HT_CORE_VALUE_H
#define HT_CORE_VALUE_H

#include "core/bytes.h"
#include "core/id.h"

enum value_type {
	VALUE_NIL = 0,
	VALUE_INT,
	VALUE_TEXT,  /* UTF-8, borrowed */
	VALUE_BYTES, /* borrowed */
	VALUE_REF,   /* a record's id */
	VALUE_RAW,   /* canonical msgpack that this version can't name, borrowed */
};

struct value {
	enum value_type type;
	union {
		int64_t number;
		struct bytes bytes; /* TEXT, BYTES, RAW */
		struct record_id ref;
	};
};

static inline struct value value_nil(void)
{
	return (struct value){ .type = VALUE_NIL };
}

static inline struct value value_int(int64_t number)
{
	return (struct value){ .type = VALUE_INT, .number = number };
}

static inline struct value value_text(struct bytes text)
{
	return (struct value){ .type = VALUE_TEXT, .bytes = text };
}

static inline struct value value_str(const char *text)
{
	return value_text(bytes_of_str(text));
}

static inline struct value value_bytes(struct bytes data)
{
	return (struct value){ .type = VALUE_BYTES, .bytes = data };
}

static inline struct value value_ref(const struct record_id *id)
{
	return (struct value){ .type = VALUE_REF, .ref = *id };
}

bool value_equal(const struct value *a, const struct value *b);

/* The encoding used in the store and in hashes, where a ref is its 16 bytes.
 * (A changeset's body names records by their place in its table: changeset.h.) */
void value_encode(struct buf *out, const struct value *value);

#endif
