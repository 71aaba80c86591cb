/* A member that signs whatever it likes: what it sends is refused, or leaves a
 * replica that its log explains and that others come to have as well.
 *
 *   byte 0   even: bodies, each after its size in one byte
 *            odd: changesets, each of one byte and then up to 7 ops of 4 bytes
 *                 byte: 3 bits ops, 1 bit depends on us, 4 bits time
 *                 op:   field and verb, record and kind, value, targets
 *
 * ctest: timeout=600 */
#include "tests/fuzz/target.h"
#include "tests/support/forge.h"

enum { CHANGESETS_MAX = 40, OPS_MAX = 7, OP_BYTES = 4, WORLD_USES_MAX = 8 };

#define MINUTE_MS (UINT64_C(60) * 1000)

/* A world serves several inputs, each in a space of its own. */
struct world {
	struct office a, b;
	struct forge f;
	struct space_id space;
	struct record_id ours;
	unsigned uses;
};

static void open_world(struct world *w)
{
	struct space_id directory;

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	office_found(&w->a, "SHA");
	office_join(&w->b, &w->a, "FRA");
	directory = replica_directory(w->a.replica);
	forge_open(&w->f, &w->a, &directory, "NYC", 3);
	office_pull(&w->b, &w->a);
}

static void close_world(struct world *w)
{
	office_close(&w->a);
	office_close(&w->b);
	forge_close(&w->f);
}

static struct record_id record_of(const struct world *w, unsigned which)
{
	struct record_id id = { { 9, [15] = (uint8_t)which } };

	return which == 0 ? w->ours : id;
}

/* The next input's space: our record is in it, and two writes to that. */
static void new_space(struct world *w)
{
	struct value title = value_str("ours"), cc;

	if (w->uses++ % WORLD_USES_MAX == 0) {
		if (w->uses > 1)
			close_world(w);
		open_world(w);
	}
	w->space = office_share(&w->a);
	office_pull_statements(&w->b, &w->a);
	w->f.space = w->space;
	w->f.head = (struct feed_head){ 0 };
	arena_reset(&w->f.arena);
	w->ours = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	cc = value_ref(&w->ours);
	office_add(&w->a, &w->space, KIND_ACTION, &w->ours, ACTION_CC, &cc);
}

static struct value value_from(const struct world *w, uint8_t byte)
{
	static const char *const texts[] = { "", "a", "b", "2027-01-01[UTC]" };
	static const uint8_t raw[] = { 0x92, 0xc2, 0x01 };
	struct record_id ref = record_of(w, byte & 3);

	switch (byte >> 5) {
	case 0: return value_nil();
	case 1: return value_int(byte & 0x1f);
	case 2: return state_step(byte & 3, byte >> 2 & 7);
	case 3: return value_ref(&ref);
	case 4: return value_bytes(bytes_of_str(texts[byte & 3]));
	case 5: return (struct value){ .type = VALUE_RAW, .bytes = { raw, sizeof(raw) } };
	default: return value_str(texts[byte & 3]);
	}
}

/* Up to three targets: earlier writes of both feeds, and some that don't exist. */
static size_t targets_from(const struct world *w, uint8_t byte, struct target *out)
{
	size_t count = byte & 3;

	for (size_t i = 0; i < count; i++) {
		bool theirs = byte >> (2 + i) & 1;

		out[i].dot.replica = theirs ? w->f.identity.replica : *replica_id(w->a.replica);
		out[i].dot.seq = 1 + ((byte >> 5) + i) % 5;
		out[i].n = byte >> 7;
	}
	return count;
}

static void op_from(const struct world *w, const uint8_t data[OP_BYTES], struct op *op,
		    struct target targets[6])
{
	static const uint16_t kinds[] = { KIND_ACTION, KIND_ACTION, KIND_MEETING, KIND_PERSON,
					  4711 };

	*op = (struct op){ .record = record_of(w, data[1] & 3),
			   .kind = kinds[(data[1] >> 2) % 5],
			   .field = data[0] >> 3,
			   .verb = (data[0] & 7) % VERB_COUNT,
			   .targets = targets,
			   .observed = targets + 3 };
	if ((op->field == 0) != (op->verb >= VERB_VOID))
		op->field = op->verb >= VERB_VOID ? 0 : ACTION_TITLE;
	if (op->verb == VERB_SET || op->verb == VERB_REPLACE || op->verb == VERB_ADD)
		op->value = value_from(w, data[2]);
	if (op->verb != VERB_SET && op->verb != VERB_ADD)
		op->target_count = targets_from(w, data[3], targets);
	if (op->verb == VERB_VOID)
		op->observed_count = targets_from(w, data[2], targets + 3);
}

static int compare_ops(const void *a, const void *b)
{
	return op_cmp(a, b);
}

static struct sealed changeset_from(struct world *w, uint8_t head, const uint8_t *data,
				    size_t op_count)
{
	struct target targets[OPS_MAX][6] = { 0 };
	struct op ops[OPS_MAX];
	struct dot dep = { *replica_id(w->a.replica), 2 };
	uint64_t wall_ms = w->a.now_ms + (head >> 4) * MINUTE_MS + w->f.head.seq;

	for (size_t i = 0; i < op_count; i++)
		op_from(w, data + OP_BYTES * i, &ops[i], targets[i]);
	qsort(ops, op_count, sizeof(ops[0]), compare_ops);
	return forge_ops(&w->f, wall_ms, &dep, head >> 3 & 1, ops, op_count);
}

/* The next changeset that the input describes; false at its end. */
static bool next_changeset(struct world *w, bool raw, struct bytes *rest, struct sealed *out)
{
	size_t taken;
	uint8_t head;

	if (rest->size == 0)
		return false;
	head = rest->data[0];
	*rest = bytes_of(rest->data + 1, rest->size - 1);
	if (raw) {
		taken = head < rest->size ? head : rest->size;
		*out = forge_seal(&w->f, bytes_of(rest->data, taken));
	} else {
		size_t op_count = head & 7;

		if (op_count > rest->size / OP_BYTES)
			op_count = rest->size / OP_BYTES;
		taken = OP_BYTES * op_count;
		*out = changeset_from(w, head, rest->data, op_count);
	}
	*rest = bytes_of(rest->data + taken, rest->size - taken);
	return true;
}

static void receive_one(struct world *w, const struct sealed *s, const struct feed_head *before)
{
	uint64_t seq = vv_get(replica_vv(w->a.replica, &w->space), &s->replica);
	struct errmsg why = { .text = "" };
	struct receipt receipt;
	enum err rc = replica_receive(w->a.replica, &w->space, s, 1, w->a.now_ms + 10 * MINUTE_MS,
				      &receipt, &why);
	bool taken = rc == OK && receipt.applied == 1;

	require(rc == OK || rc == ERR_FORMAT || rc == ERR_LIMIT || rc == ERR_VERSION ||
		rc == ERR_INVALID || rc == ERR_CAUSAL);
	require(rc == OK || why.text[0]);
	require(vv_get(replica_vv(w->a.replica, &w->space), &s->replica) == seq + taken);
	if (!taken)
		w->f.head = *before; /* so that the next one has a chance */
}

/* The log explains the state, and gives the other office the same. */
static void require_agreement(struct world *w)
{
	struct verify_report report;
	uint8_t hash[STATE_HASH_BYTES];

	w->b.now_ms = w->a.now_ms + 10 * MINUTE_MS;
	office_pull(&w->b, &w->a);
	OFFICE_MUST(replica_verify(w->a.replica, &report, NULL, NULL, &msg));
	OFFICE_MUST(replica_state_hash(w->b.replica, hash, &msg));
	require(memcmp(hash, report.stored_hash, sizeof(hash)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct bytes rest;
	struct sealed s;
	bool raw;

	if (size < 2)
		return 0;
	raw = !(data[0] & 1);
	rest = bytes_of(data + 1, size - 1);
	new_space(&w);
	for (int i = 0; i < CHANGESETS_MAX; i++) {
		struct feed_head before = w.f.head;

		if (!next_changeset(&w, raw, &rest, &s))
			break;
		receive_one(&w, &s, &before);
	}
	require_agreement(&w);
	return 0;
}
