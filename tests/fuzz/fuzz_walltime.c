/* Wall times: what is read is written back byte for byte. */
#include "core/walltime.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of(data, size);
	char again[WALLTIME_TEXT_BYTES];
	struct walltime w;

	if (walltime_parse(&w, text) != OK)
		return 0;
	walltime_format(again, &w);
	require(bytes_equal(bytes_of_str(again), text));
	return 0;
}
