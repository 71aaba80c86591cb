#include "proto/message.h"

#include <assert.h>

#include "core/limits.h"
#include "core/wire.h"

/* Decoders read straight through; the reader's sticky error is asked for once,
 * in message_decode(). Arrays are allocated only for counts that the reader has
 * bounded by a limit and by the bytes that are left. */

enum { PAIR = 2, RUN_HEAD = 2 };

static void put_ids(struct buf *out, const uint8_t *bytes)
{
	wire_put_bin(out, bytes_of(bytes, ID_BYTES));
}

static uint64_t read_seq(struct wire_reader *r)
{
	uint64_t seq = wire_uint(r, SEQ_MAX);

	if (seq == 0)
		wire_fail(r, ERR_FORMAT);
	return seq;
}

/* The elements of an array, for `count` things of `size` bytes in the arena. */
static void *take_array(struct wire_reader *r, struct arena *arena, size_t count, size_t size)
{
	void *array = arena_array(arena, count, size);

	if (!array)
		wire_fail(r, ERR_NOMEM);
	return array;
}

/* The count of an array of pairs. */
static size_t read_pairs(struct wire_reader *r, size_t count_max)
{
	uint32_t count = wire_array(r, (uint32_t)(PAIR * count_max));

	if (count % PAIR)
		wire_fail(r, ERR_FORMAT);
	return count / PAIR;
}

/* ---- HELLO ---------------------------------------------------------------- */

static void encode_hello(struct buf *out, const struct message *m)
{
	const struct message_hello *h = &m->u.hello;

	assert(h->program.size <= VERSION_TEXT_MAX && h->tzdata.size <= VERSION_TEXT_MAX);
	wire_put_uint(out, h->version);
	wire_put_bin(out, bytes_of(h->org, ORG_ID_BYTES));
	put_ids(out, h->replica.bytes);
	wire_put_uint(out, h->wall_ms);
	wire_put_str(out, h->program);
	wire_put_str(out, h->tzdata);
}

static void decode_hello(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_hello *h = &m->u.hello;

	h->version = wire_uint(r, UINT32_MAX);
	wire_bin_exact(r, h->org, ORG_ID_BYTES);
	wire_bin_exact(r, h->replica.bytes, ID_BYTES);
	h->wall_ms = wire_uint(r, UINT64_MAX >> 16);
	h->program = wire_str(r, VERSION_TEXT_MAX);
	h->tzdata = wire_str(r, VERSION_TEXT_MAX);
}

/* ---- DIGESTS -------------------------------------------------------------- */

static void encode_digests(struct buf *out, const struct message *m)
{
	const struct message_digests *d = &m->u.digests;

	assert(d->count <= SPACES_MAX);
	wire_put_uint(out, d->round);
	wire_put_uint(out, d->is_reply);
	wire_put_array(out, (uint32_t)(PAIR * d->count));
	for (size_t i = 0; i < d->count; i++) {
		put_ids(out, d->entries[i].space.bytes);
		wire_put_bin(out, bytes_of(d->entries[i].digest, VV_DIGEST_BYTES));
	}
}

static void decode_digests(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_digests *d = &m->u.digests;
	struct space_digest *entries;

	d->round = wire_uint(r, UINT64_MAX);
	d->is_reply = wire_uint(r, 1);
	d->count = read_pairs(r, SPACES_MAX);
	entries = take_array(r, arena, d->count, sizeof(*entries));
	for (size_t i = 0; wire_is_ok(r) && i < d->count; i++) {
		wire_bin_exact(r, entries[i].space.bytes, ID_BYTES);
		wire_bin_exact(r, entries[i].digest, VV_DIGEST_BYTES);
	}
	d->entries = entries;
}

/* ---- HAVE ----------------------------------------------------------------- */

enum have_flags { HAVE_FULL = 1, HAVE_ACK = 2, HAVE_FLAGS_ALL = 3 };

static void encode_have(struct buf *out, const struct message *m)
{
	const struct message_have *h = &m->u.have;

	assert(h->count <= HAVE_ENTRIES_MAX);
	put_ids(out, h->space.bytes);
	wire_put_uint(out, (h->is_full ? HAVE_FULL : 0) | (h->is_ack ? HAVE_ACK : 0));
	wire_put_array(out, (uint32_t)(PAIR * h->count));
	for (size_t i = 0; i < h->count; i++) {
		put_ids(out, h->entries[i].replica.bytes);
		wire_put_uint(out, h->entries[i].seq);
	}
}

static void decode_have(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_have *h = &m->u.have;
	uint64_t flags;
	struct dot *entries;

	wire_bin_exact(r, h->space.bytes, ID_BYTES);
	flags = wire_uint(r, HAVE_FLAGS_ALL);
	h->is_full = flags & HAVE_FULL;
	h->is_ack = flags & HAVE_ACK;
	h->count = read_pairs(r, HAVE_ENTRIES_MAX);
	entries = take_array(r, arena, h->count, sizeof(*entries));
	for (size_t i = 0; wire_is_ok(r) && i < h->count; i++) {
		wire_bin_exact(r, entries[i].replica.bytes, ID_BYTES);
		entries[i].seq = read_seq(r);
		/* One encoding for one vector. */
		if (i && replica_id_cmp(&entries[i - 1].replica, &entries[i].replica) >= 0)
			wire_fail(r, ERR_FORMAT);
	}
	h->entries = entries;
}

/* ---- CHANGES -------------------------------------------------------------- */

/* How many of the list, from its beginning, are one run. */
static size_t run_length(const struct sealed *list, size_t count)
{
	size_t length = 1;

	while (length < count && list[length].seq == list[0].seq + length &&
	       replica_id_cmp(&list[length].replica, &list[0].replica) == 0)
		length++;
	return length;
}

static void encode_run(struct buf *out, const struct sealed *list, size_t count)
{
	wire_put_array(out, (uint32_t)(RUN_HEAD + PAIR * count));
	put_ids(out, list[0].replica.bytes);
	wire_put_uint(out, list[0].seq);
	for (size_t i = 0; i < count; i++) {
		wire_put_bin(out, list[i].body);
		wire_put_bin(out, bytes_of(list[i].signature, SIGNATURE_BYTES));
	}
}

static void encode_changes(struct buf *out, const struct message *m)
{
	const struct message_changes *c = &m->u.changes;
	uint32_t run_count = 0;

	assert(c->count > 0 && c->count <= CHANGES_COUNT_MAX);
	for (size_t at = 0; at < c->count; at += run_length(c->list + at, c->count - at))
		run_count++;
	put_ids(out, c->space.bytes);
	wire_put_array(out, run_count);
	for (size_t at = 0, length; at < c->count; at += length) {
		length = run_length(c->list + at, c->count - at);
		encode_run(out, c->list + at, length);
	}
}

static const uint8_t *read_signature(struct wire_reader *r)
{
	struct bytes signature = wire_bin(r, SIGNATURE_BYTES);

	if (signature.size != SIGNATURE_BYTES)
		wire_fail(r, ERR_FORMAT);
	return signature.data;
}

/* Append a run to `list`, which has room for CHANGES_COUNT_MAX. */
static void decode_run(struct message_changes *c, struct sealed *list, struct wire_reader *r)
{
	uint32_t size = wire_array(r, RUN_HEAD + PAIR * CHANGES_COUNT_MAX);
	size_t count = size / PAIR - 1;
	struct replica_id replica;
	uint64_t seq;

	if (size < RUN_HEAD + PAIR || size % PAIR) {
		wire_fail(r, ERR_FORMAT);
		return;
	}
	wire_bin_exact(r, replica.bytes, ID_BYTES);
	seq = read_seq(r);
	if (count > CHANGES_COUNT_MAX - c->count || count > SEQ_MAX - seq + 1)
		wire_fail(r, ERR_LIMIT);
	/* One encoding for one list: what continues a run is part of it. */
	if (c->count && seq == list[c->count - 1].seq + 1 &&
	    replica_id_cmp(&list[c->count - 1].replica, &replica) == 0)
		wire_fail(r, ERR_FORMAT);
	for (size_t i = 0; wire_is_ok(r) && i < count; i++) {
		struct sealed *s = &list[c->count++];

		s->replica = replica;
		s->seq = seq + i;
		s->body = wire_bin(r, CHANGESET_BYTES_MAX);
		s->signature = read_signature(r);
	}
}

static void decode_changes(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_changes *c = &m->u.changes;
	uint32_t run_count;
	struct sealed *list;

	wire_bin_exact(r, c->space.bytes, ID_BYTES);
	run_count = wire_array(r, CHANGES_COUNT_MAX);
	if (run_count == 0)
		wire_fail(r, ERR_FORMAT);
	list = take_array(r, arena, CHANGES_COUNT_MAX, sizeof(*list));
	c->count = 0;
	for (uint32_t i = 0; wire_is_ok(r) && i < run_count; i++)
		decode_run(c, list, r);
	c->list = list;
}

/* ---- HELD ----------------------------------------------------------------- */

static void encode_held(struct buf *out, const struct message *m)
{
	const struct message_held *h = &m->u.held;

	assert(h->count > 0 && h->count <= HAVE_ENTRIES_MAX);
	put_ids(out, h->space.bytes);
	wire_put_array(out, (uint32_t)h->count);
	for (size_t i = 0; i < h->count; i++)
		put_ids(out, h->replicas[i].bytes);
}

static void decode_held(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_held *h = &m->u.held;
	struct replica_id *replicas;

	wire_bin_exact(r, h->space.bytes, ID_BYTES);
	h->count = wire_array(r, HAVE_ENTRIES_MAX);
	if (h->count == 0)
		wire_fail(r, ERR_FORMAT);
	replicas = take_array(r, arena, h->count, sizeof(*replicas));
	for (size_t i = 0; wire_is_ok(r) && i < h->count; i++)
		wire_bin_exact(r, replicas[i].bytes, ID_BYTES);
	h->replicas = replicas;
}

/* ---- PING, PONG, BYE ------------------------------------------------------ */

static void encode_ping(struct buf *out, const struct message *m)
{
	wire_put_uint(out, m->u.ping.nonce);
}

static void decode_ping(struct message *m, struct wire_reader *r, struct arena *arena)
{
	m->u.ping.nonce = wire_uint(r, UINT64_MAX);
}

static void encode_bye(struct buf *out, const struct message *m)
{
	assert(m->u.bye.name.size <= REASON_NAME_MAX && m->u.bye.text.size <= REASON_TEXT_MAX);
	wire_put_str(out, m->u.bye.name);
	wire_put_str(out, m->u.bye.text);
}

static void decode_bye(struct message *m, struct wire_reader *r, struct arena *arena)
{
	m->u.bye.name = wire_str(r, REASON_NAME_MAX);
	m->u.bye.text = wire_str(r, REASON_TEXT_MAX);
}

/* ---- ENROL, ENROLLED ------------------------------------------------------ */

enum { ENROL_ADDRESS_MAX = 256 }; /* core/replica.h: ADDRESS_TEXT_MAX */

static void put_str_or_nil(struct buf *out, struct bytes text)
{
	if (text.data)
		wire_put_str(out, text);
	else
		wire_put_nil(out);
}

static struct bytes read_str_or_nil(struct wire_reader *r, size_t size_max)
{
	return wire_is_nil(r) ? bytes_of(NULL, 0) : wire_str(r, size_max);
}

static void encode_enrol(struct buf *out, const struct message *m)
{
	const struct message_enrol *e = &m->u.enrol;

	assert(e->office_name.size <= NAME_BYTES_MAX && e->person_name.size <= NAME_BYTES_MAX);
	assert(e->address.size <= ENROL_ADDRESS_MAX);
	wire_put_bin(out, bytes_of(e->sign_key, SIGN_PUBLIC_BYTES));
	wire_put_bin(out, bytes_of(e->noise_key, NOISE_DH_BYTES));
	put_ids(out, e->replica.bytes);
	wire_put_str(out, e->office_name);
	put_str_or_nil(out, e->person_name);
	put_str_or_nil(out, e->address);
	wire_put_bin(out, bytes_of(e->proof, SIGNATURE_BYTES));
}

static void decode_enrol(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_enrol *e = &m->u.enrol;

	wire_bin_exact(r, e->sign_key, SIGN_PUBLIC_BYTES);
	wire_bin_exact(r, e->noise_key, NOISE_DH_BYTES);
	wire_bin_exact(r, e->replica.bytes, ID_BYTES);
	e->office_name = wire_str(r, NAME_BYTES_MAX);
	e->person_name = read_str_or_nil(r, NAME_BYTES_MAX);
	e->address = read_str_or_nil(r, ENROL_ADDRESS_MAX);
	wire_bin_exact(r, e->proof, SIGNATURE_BYTES);
}

static void encode_enrolled(struct buf *out, const struct message *m)
{
	wire_put_bin(out, bytes_of(m->u.enrolled.sign_key, SIGN_PUBLIC_BYTES));
	put_ids(out, m->u.enrolled.replica.bytes);
}

static void decode_enrolled(struct message *m, struct wire_reader *r, struct arena *arena)
{
	wire_bin_exact(r, m->u.enrolled.sign_key, SIGN_PUBLIC_BYTES);
	wire_bin_exact(r, m->u.enrolled.replica.bytes, ID_BYTES);
}

/* ---- All of them ---------------------------------------------------------- */

struct format {
	const char *name;
	uint32_t fields; /* the type not counted */
	size_t bytes_max;
	void (*encode)(struct buf *out, const struct message *m);
	void (*decode)(struct message *m, struct wire_reader *r, struct arena *arena);
};

enum { ENTRY_BYTES_MAX = 32, SMALL_BYTES_MAX = 2048 };

static const struct format formats[MESSAGE_TYPE_COUNT] = {
	[MESSAGE_HELLO] = { "hello", 6, SMALL_BYTES_MAX, encode_hello, decode_hello },
	[MESSAGE_DIGESTS] = { "digests", 3, SMALL_BYTES_MAX + SPACES_MAX *ENTRY_BYTES_MAX,
			      encode_digests, decode_digests },
	[MESSAGE_HAVE] = { "have", 3, SMALL_BYTES_MAX + HAVE_ENTRIES_MAX *ENTRY_BYTES_MAX,
			   encode_have, decode_have },
	[MESSAGE_CHANGES] = { "changes", 2, CHANGES_BYTES_MAX, encode_changes, decode_changes },
	[MESSAGE_HELD] = { "held", 2, SMALL_BYTES_MAX + HAVE_ENTRIES_MAX *ENTRY_BYTES_MAX,
			   encode_held, decode_held },
	[MESSAGE_PING] = { "ping", 1, SMALL_BYTES_MAX, encode_ping, decode_ping },
	[MESSAGE_PONG] = { "pong", 1, SMALL_BYTES_MAX, encode_ping, decode_ping },
	[MESSAGE_BYE] = { "bye", 2, SMALL_BYTES_MAX, encode_bye, decode_bye },
	[MESSAGE_ENROL] = { "enrol", 7, SMALL_BYTES_MAX, encode_enrol, decode_enrol },
	[MESSAGE_ENROLLED] = { "enrolled", 2, SMALL_BYTES_MAX, encode_enrolled, decode_enrolled },
};

/* Every format fits the channel. */
_Static_assert((int)CHANGES_BYTES_MAX <= (int)PROTO_MESSAGE_BYTES_MAX, "limit");
_Static_assert(CHANGES_BYTES_CLOSE + CHANGESET_BYTES_MAX + CHANGES_COUNT_MAX * 40 <=
		       CHANGES_BYTES_MAX,
	       "a chunk with one changeset too many must fit");

static const struct format *find_format(enum message_type type)
{
	bool is_known = type >= MESSAGE_HELLO && type < MESSAGE_TYPE_COUNT;

	return is_known ? &formats[type] : NULL;
}

const char *message_name(enum message_type type)
{
	const struct format *format = find_format(type);

	return format ? format->name : "unknown";
}

size_t message_bytes_max(enum message_type type)
{
	const struct format *format = find_format(type);

	assert(format);
	return format->bytes_max;
}

/* Read [type, and return the type's format, or fail. */
static const struct format *read_head(struct wire_reader *r, enum message_type *type,
				      uint32_t *count)
{
	const struct format *format;

	*count = wire_array(r, UINT32_MAX);
	*type = (enum message_type)wire_uint(r, MESSAGE_TYPE_COUNT - 1);
	format = find_format(*type);
	if (!format)
		wire_fail(r, ERR_FORMAT);
	return wire_is_ok(r) ? format : NULL;
}

enum err message_peek(struct bytes input, enum message_type *out)
{
	struct wire_reader r = wire_reader_of(input);
	enum message_type type;
	uint32_t count;

	if (!read_head(&r, &type, &count))
		return ERR_FORMAT;
	*out = type;
	return OK;
}

enum err message_decode(struct message *out, struct bytes input, struct arena *arena,
			struct errmsg *msg)
{
	struct wire_reader r = wire_reader_of(input);
	struct message m = { 0 };
	uint32_t count;
	const struct format *format = read_head(&r, &m.type, &count);
	enum err rc;

	if (!format)
		return errmsg_set(msg, ERR_FORMAT, "not a message of this protocol");
	if (input.size > format->bytes_max)
		return errmsg_set(msg, ERR_LIMIT, "message %s: %zu bytes, %zu allowed",
				  format->name, input.size, format->bytes_max);
	if (count != 1 + format->fields)
		return errmsg_set(msg, ERR_FORMAT, "message %s: %u fields instead of %u",
				  format->name, count, 1 + format->fields);
	format->decode(&m, &r, arena);
	rc = wire_end(&r);
	if (rc)
		return errmsg_set(msg, rc, "message %s: %s", format->name, err_name(rc));
	*out = m;
	return OK;
}

void message_encode(struct buf *out, const struct message *message)
{
	const struct format *format = find_format(message->type);

	assert(format);
	wire_put_array(out, 1 + format->fields);
	wire_put_uint(out, message->type);
	format->encode(out, message);
}
