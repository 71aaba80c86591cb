/* One encoding for one value: bytes that the reader accepts come out of the
 * writer as they went in, and stepping over a value takes the same bytes. */
#include "core/limits.h"
#include "core/wire.h"
#include "tests/fuzz/target.h"

static void copy_int(struct wire_reader *r, struct buf *out)
{
	struct wire_reader probe = *r;
	int64_t value = wire_int(&probe);

	if (!wire_is_ok(&probe)) { /* beyond int64_t, or damaged */
		wire_put_uint(out, wire_uint(r, UINT64_MAX));
		return;
	}
	*r = probe;
	wire_put_int(out, value);
}

static void copy_value(struct wire_reader *r, struct buf *out, unsigned depth)
{
	uint32_t count = 0;

	switch (wire_next_type(r)) {
	case WIRE_NIL: require(wire_is_nil(r)), wire_put_nil(out); break;
	case WIRE_BOOL: wire_put_bool(out, wire_bool(r)); break;
	case WIRE_INT: copy_int(r, out); break;
	case WIRE_STR: wire_put_str(out, wire_str(r, SIZE_MAX)); break;
	case WIRE_BIN: wire_put_bin(out, wire_bin(r, SIZE_MAX)); break;
	case WIRE_ARRAY:
		if (depth == NESTING_MAX)
			wire_fail(r, ERR_LIMIT);
		count = wire_array(r, UINT32_MAX);
		wire_put_array(out, count);
		break;
	case WIRE_OTHER: wire_fail(r, ERR_FORMAT); break;
	}
	for (uint32_t i = 0; i < count && wire_is_ok(r); i++)
		copy_value(r, out, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader r = wire_reader_of(bytes_of(data, size)), skipper = r;
	struct buf out = BUF_EMPTY;
	struct bytes skipped = wire_skip(&skipper);

	copy_value(&r, &out, 0);
	require(r.rc == skipper.rc && r.at == skipper.at);
	require(r.at <= r.end && r.end == data + size);
	if (wire_is_ok(&r)) {
		require(bytes_equal(skipped, bytes_of(data, (size_t)(r.at - data))));
		require(bytes_equal(skipped, buf_bytes(&out)));
	}
	buf_release(&out);
	return 0;
}
