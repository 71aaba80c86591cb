#include "core/value.h"

#include "core/wire.h"

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == VALUE_NIL)
		return true;
	if (a->type == VALUE_INT)
		return a->number == b->number;
	if (a->type == VALUE_REF)
		return record_id_cmp(&a->ref, &b->ref) == 0;
	return bytes_equal(a->bytes, b->bytes);
}

void value_encode(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL: wire_put_nil(out); break;
	case VALUE_INT: wire_put_int(out, value->number); break;
	case VALUE_TEXT: wire_put_str(out, value->bytes); break;
	case VALUE_BYTES: wire_put_bin(out, value->bytes); break;
	case VALUE_REF:
		wire_put_array(out, 1);
		wire_put_bin(out, bytes_of(value->ref.bytes, ID_BYTES));
		break;
	case VALUE_RAW: buf_append(out, value->bytes.data, value->bytes.size); break;
	}
}
