/* The packed column of a row, of any bytes: what is accepted can be compared,
 * changed and packed again.
 *
 *   byte 0   what the columns show: a state's number, the type of the rest */
#include "core/record_meta.h"
#include "tests/fuzz/target.h"

static struct value column(void *ctx, const struct field *field)
{
	uint8_t byte = *(const uint8_t *)ctx;

	if (field->format == FORMAT_STATE)
		return value_int(byte);
	return byte & 1 ? value_nil() : value_str("shown");
}

/* Whatever a program does with a record that it has read. */
static void use(struct record *rec)
{
	struct stamp stamp = { { UINT64_MAX }, { .seq = 77 } };
	struct op op = { .verb = VERB_SET };

	record_life(rec);
	for (size_t i = 0; i < rec->kind->field_count; i++) {
		const struct field *field = &rec->kind->fields[i];

		if (!merge_is_register(field->merge))
			continue;
		record_has_conflict(rec, field);
		if (field->merge == MERGE_STATE)
			require(field->machine->states[record_state(rec, field)] != NULL);
		op.field = field->number;
		op.value = field->merge == MERGE_STATE ? state_step(0, 1) : value_nil();
		require(record_apply(rec, &stamp, &op) != ERR_NOMEM);
	}
	op = (struct op){ .verb = VERB_VOID };
	require(record_apply(rec, &stamp, &op) != ERR_NOMEM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct record_id id = { { 1 } };
	struct arena arena = ARENA_EMPTY;
	struct intern replicas = { 0 };
	struct buf packed = BUF_EMPTY;
	struct record rec;
	enum err rc;

	if (size == 0)
		return 0;
	for (uint8_t i = 0; i < 3; i++)
		require(intern_add(&replicas, &(struct replica_id){ { 0, i } }) == OK);
	record_init(&rec, schema_kind(KIND_ACTION), &id, &arena);
	rc = record_meta_decode(&rec, bytes_of(data + 1, size - 1), &replicas, column,
				(void *)data);
	require(rc == OK || rc == ERR_CORRUPT);
	if (rc == OK) {
		require(record_meta_encode(&packed, &rec, &replicas) == OK);
		use(&rec);
	}
	buf_release(&packed);
	intern_release(&replicas);
	arena_release(&arena);
	return 0;
}
