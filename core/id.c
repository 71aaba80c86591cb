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

uint32_t record_id_distance(const struct record_id *a, const struct record_id *b)
{
	uint64_t low_a = 0, low_b = 0;

	if (memcmp(a->bytes, b->bytes, 8) != 0 || (a->bytes[8] & 0xc0) != (b->bytes[8] & 0xc0))
		return 0;
	for (int i = 8; i < ID_BYTES; i++) {
		low_a = low_a << 8 | a->bytes[i];
		low_b = low_b << 8 | b->bytes[i];
	}
	return low_b > low_a && low_b - low_a <= UINT32_MAX ? (uint32_t)(low_b - low_a) : 0;
}

bool record_id_add(struct record_id *id, uint64_t step)
{
	uint64_t low = 0;
	uint8_t variant = id->bytes[8] & 0xc0;

	for (int i = 8; i < ID_BYTES; i++)
		low = low << 8 | id->bytes[i];
	if (low + step < low)
		return false;
	low += step;
	for (int i = 0; i < 8; i++)
		id->bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	return (id->bytes[8] & 0xc0) == variant;
}
