#include "core/id.h"

#include <sodium.h>

bool record_id_is_nil(const struct record_id *id)
{
	return sodium_is_zero(id->bytes, ID_BYTES);
}

struct record_id record_id_new(uint64_t wall_ms, const struct dice *dice)
{
	struct record_id id;

	dice_fill(dice, id.bytes, ID_BYTES);
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(wall_ms >> (40 - 8 * i));
	id.bytes[6] = 0x70 | (id.bytes[6] & 0x0f); /* version 7 */
	id.bytes[8] = 0x80 | (id.bytes[8] & 0x3f); /* variant 10 */
	return id;
}

struct record_id record_id_next(const struct record_id *id)
{
	struct record_id next = *id;

	for (int i = ID_BYTES - 1; i > 8; i--)
		if (++next.bytes[i] != 0)
			return next;
	next.bytes[8] = 0x80 | ((next.bytes[8] + 1) & 0x3f);
	return next;
}

struct replica_id replica_id_new(const struct dice *dice)
{
	struct replica_id id;

	dice_fill(dice, id.bytes, ID_BYTES);
	return id;
}

struct space_id space_id_new(const struct dice *dice)
{
	struct space_id id;

	dice_fill(dice, id.bytes, ID_BYTES);
	return id;
}
