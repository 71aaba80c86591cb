/* A record's merge metadata, packed into one column of its row.
 *
 * Who wrote each shown value and when, the values that lost, the voids, and which texts are
 * to be reread:
 *
 *   [stamps, present]                               one stamp, nothing else
 *   [stamps, present, places, siblings, voids]
 *   [stamps, present, places, siblings, voids, reread]
 *     stamps    [hlc, replica, seq, ...]            replica as interned here
 *     present   bit n - 1 set: register n was written
 *     places    [stamp index, ...]                  per present field
 *     siblings  [field, stamp index, value, ...]    after the shown one, in order
 *     voids     [stamp index, [replica, seq, ...], ...]
 *     reread    bit n - 1 set: a sentence of text n is to be reread; not 0
 *
 * Canonical msgpack (core/wire.h). The shown values themselves are the row's
 * other columns. Local to one store: replicas are interned numbers. */
#ifndef HT_CORE_RECORD_META_H
#define HT_CORE_RECORD_META_H

#include "core/intern.h"
#include "core/record.h"

/* Replicas must be interned already. ERR_NOMEM. */
MUST_CHECK enum err record_meta_encode(struct buf *out, const struct record *rec,
				       struct intern *replicas);

/* `shown(ctx, field)` gives the value in the field's column, which must live
 * as long as the record's arena, as must `meta`. ERR_CORRUPT, ERR_NOMEM. */
MUST_CHECK enum err record_meta_decode(struct record *rec, struct bytes meta,
				       const struct intern *replicas,
				       struct value (*shown)(void *ctx, const struct field *field),
				       void *ctx);

/* The encoding of a value as a store keeps it (value_encode()). */
struct wire_reader;
void value_decode(struct wire_reader *r, struct value *out);

#endif
