#include "core/position.h"

bool position_is_valid(struct bytes position)
{
	return position.size > 0 && position.size <= POSITION_BYTES_MAX &&
	       position.data[position.size - 1] != 0;
}

/* The digit at `i`; past the end a lower bound continues with 0 ... */
static unsigned low_digit(struct bytes low, size_t i)
{
	return i < low.size ? low.data[i] : 0;
}

/* ... and an upper bound, once the prefixes have parted, with 256. */
static unsigned high_digit(struct bytes high, size_t i, bool parted)
{
	return !parted && i < high.size ? high.data[i] : 256;
}

enum err position_between(struct buf *out, struct bytes before, struct bytes after,
			  const struct dice *dice)
{
	bool parted = after.size == 0;
	size_t start = out->size;

	if (!parted && (!position_is_valid(after) || bytes_cmp(before, after) >= 0))
		return ERR_INVALID;
	for (size_t i = 0; i < POSITION_BYTES_MAX; i++) {
		unsigned low = low_digit(before, i);
		unsigned high = high_digit(after, i, parted);

		if (high - low > 1) {
			/* Appending is common: stay near the lower bound there. */
			unsigned room = high - low - 1;
			unsigned reach = room > 32 ? 32 : room;

			buf_append_byte(out, (uint8_t)(low + 1 + dice_below(dice, reach)));
			return buf_check(out);
		}
		buf_append_byte(out, (uint8_t)low);
		if (high > low)
			parted = true;
	}
	out->size = start;
	return ERR_LIMIT;
}
