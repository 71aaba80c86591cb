/* Text of any bytes: iterating and validating agree, and no code point is out of range. */
#include "core/utf8.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of(data, size);
	uint32_t cp;

	while (utf8_next(&rest, &cp))
		require(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
	require(utf8_is_valid(bytes_of(data, size)) == (rest.size == 0));
	return 0;
}
