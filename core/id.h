/* 128-bit identifiers, one struct type for each thing identified.
 *
 * Record ids made here are UUIDv7 (RFC 9562 §5.7): 48 bits of wall time in
 * front, so that new rows land at the end of their table. Ids of replicas and
 * spaces are random. */
#ifndef HT_CORE_ID_H
#define HT_CORE_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/bytes.h"
#include "core/dice.h"

#define ID_BYTES     16
#define ORG_ID_BYTES 32                 /* an organisation: the hash of its genesis */
#define ID_TEXT_SIZE (2 * ID_BYTES + 1) /* hex and its terminator */

struct record_id {
	uint8_t bytes[ID_BYTES];
};
struct replica_id {
	uint8_t bytes[ID_BYTES];
};
struct space_id {
	uint8_t bytes[ID_BYTES];
};

static inline int record_id_cmp(const struct record_id *a, const struct record_id *b)
{
	return memcmp(a->bytes, b->bytes, ID_BYTES);
}

static inline int replica_id_cmp(const struct replica_id *a, const struct replica_id *b)
{
	return memcmp(a->bytes, b->bytes, ID_BYTES);
}

static inline int space_id_cmp(const struct space_id *a, const struct space_id *b)
{
	return memcmp(a->bytes, b->bytes, ID_BYTES);
}

/* All-zero bytes stand for "none". */
bool record_id_is_nil(const struct record_id *id);

/* A UUIDv7 of this instant. */
struct record_id record_id_new(uint64_t wall_ms, const struct dice *dice);

/* The id after `id`: records created together get consecutive ids, which a
 * changeset encodes in one byte each. Only the low 62 bits count up. */
struct record_id record_id_next(const struct record_id *id);

/* How many record_id_next() steps lead from a to b; 0 when b is not ahead of a
 * in the same upper half, by less than 2^32. */
uint32_t record_id_distance(const struct record_id *a, const struct record_id *b);

/* Step on that often; false when the result would leave the same upper half. */
bool record_id_add(struct record_id *id, uint64_t step);

/* Lower-case hex of any of the three, terminated. */
static inline const char *id_text(const uint8_t bytes[ID_BYTES], char out[ID_TEXT_SIZE])
{
	hex_encode(out, bytes_of(bytes, ID_BYTES));
	return out;
}

#endif
