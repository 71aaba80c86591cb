/* Messages of feeds: who holds what, changesets, and how two branches are told apart. */
#include <assert.h>

#include "core/limits.h"
#include "proto/message_impl.h"

enum { DIGEST_WIDTH = 2, TIP_WIDTH = 3, RUN_HEAD = 3, CHANGE_WIDTH = 2 };

static void put_id(struct buf *out, const uint8_t bytes[ID_BYTES])
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

static void put_dot(struct buf *out, const struct dot *dot)
{
	put_id(out, dot->replica.bytes);
	wire_put_uint(out, dot->seq);
}

static void read_dot(struct wire_reader *r, struct dot *dot)
{
	wire_bin_exact(r, dot->replica.bytes, ID_BYTES);
	dot->seq = read_seq(r);
}

/* ---- DIGESTS ---------------------------------------------------------------- */

static void encode_digests(struct buf *out, const struct message *m)
{
	const struct message_digests *d = &m->u.digests;

	assert(d->count <= SPACES_MAX);
	wire_put_uint(out, d->round);
	wire_put_uint(out, d->is_reply);
	wire_put_array(out, (uint32_t)(DIGEST_WIDTH * d->count));
	for (size_t i = 0; i < d->count; i++) {
		put_id(out, d->entries[i].space.bytes);
		wire_put_bin(out, bytes_of(d->entries[i].digest, VV_DIGEST_BYTES));
	}
}

static void decode_digests(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_digests *d = &m->u.digests;
	struct space_digest *entries;

	d->round = wire_uint(r, UINT64_MAX);
	d->is_reply = wire_uint(r, 1);
	d->count = read_groups(r, DIGEST_WIDTH, SPACES_MAX);
	entries = take_array(r, arena, d->count, sizeof(*entries));
	for (size_t i = 0; wire_is_ok(r) && i < d->count; i++) {
		wire_bin_exact(r, entries[i].space.bytes, ID_BYTES);
		wire_bin_exact(r, entries[i].digest, VV_DIGEST_BYTES);
	}
	d->entries = entries;
}

const struct message_format format_digests = { "digests", 3,
					       SMALL_BYTES_MAX + SPACES_MAX *ENTRY_BYTES_MAX,
					       encode_digests, decode_digests };

/* ---- HAVE ------------------------------------------------------------------- */

enum have_flags { HAVE_FULL = 1, HAVE_ACK = 2, HAVE_FLAGS_ALL = 3 };

static void encode_have(struct buf *out, const struct message *m)
{
	const struct message_have *h = &m->u.have;

	assert(h->count <= HAVE_ENTRIES_MAX);
	put_id(out, h->space.bytes);
	wire_put_uint(out, (h->is_full ? HAVE_FULL : 0) | (h->is_ack ? HAVE_ACK : 0));
	wire_put_array(out, (uint32_t)(TIP_WIDTH * h->count));
	for (size_t i = 0; i < h->count; i++) {
		put_id(out, h->entries[i].replica.bytes);
		wire_put_uint(out, h->entries[i].seq);
		wire_put_bin(out, bytes_of(h->entries[i].tag, TAG_BYTES));
	}
}

static void decode_have(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_have *h = &m->u.have;
	uint64_t flags;
	struct tip *entries;

	wire_bin_exact(r, h->space.bytes, ID_BYTES);
	flags = wire_uint(r, HAVE_FLAGS_ALL);
	h->is_full = flags & HAVE_FULL;
	h->is_ack = flags & HAVE_ACK;
	h->count = read_groups(r, TIP_WIDTH, HAVE_ENTRIES_MAX);
	entries = take_array(r, arena, h->count, sizeof(*entries));
	for (size_t i = 0; wire_is_ok(r) && i < h->count; i++) {
		wire_bin_exact(r, entries[i].replica.bytes, ID_BYTES);
		entries[i].seq = read_seq(r);
		wire_bin_exact(r, entries[i].tag, TAG_BYTES);
		/* One encoding for one vector. */
		if (i && replica_id_cmp(&entries[i - 1].replica, &entries[i].replica) >= 0)
			wire_fail(r, ERR_FORMAT);
	}
	h->entries = entries;
}

const struct message_format format_have = { "have", 3,
					    SMALL_BYTES_MAX + HAVE_ENTRIES_MAX *ENTRY_BYTES_MAX,
					    encode_have, decode_have };

/* ---- CHANGES ---------------------------------------------------------------- */

static void encode_run(struct buf *out, const struct run *run)
{
	wire_put_array(out, (uint32_t)(RUN_HEAD + CHANGE_WIDTH * run->count));
	put_id(out, run->list[0].replica.bytes);
	wire_put_uint(out, run->list[0].seq);
	wire_put_bin(out, bytes_of(run->tag_before, TAG_BYTES));
	for (size_t i = 0; i < run->count; i++) {
		wire_put_bin(out, run->list[i].body);
		wire_put_bin(out, bytes_of(run->list[i].signature, SIGNATURE_BYTES));
	}
}

static void encode_changes(struct buf *out, const struct message *m)
{
	const struct message_changes *c = &m->u.changes;

	assert(c->run_count > 0 && c->run_count <= CHANGES_COUNT_MAX);
	put_id(out, c->space.bytes);
	wire_put_array(out, (uint32_t)c->run_count);
	for (size_t i = 0; i < c->run_count; i++)
		encode_run(out, &c->runs[i]);
}

/* One encoding for one list: what continues a run is part of it. */
static bool is_continued(const struct run *before, const struct run *run)
{
	const struct sealed *last = &before->list[before->count - 1];

	return run->list[0].seq == last->seq + 1 &&
	       replica_id_cmp(&run->list[0].replica, &last->replica) == 0;
}

static const uint8_t *read_signature(struct wire_reader *r)
{
	struct bytes signature = wire_bin(r, SIGNATURE_BYTES);

	if (signature.size != SIGNATURE_BYTES)
		wire_fail(r, ERR_FORMAT);
	return signature.data;
}

/* Read a run; its changesets go to `list`, which has room for `room` of them. */
static void decode_run(struct run *run, struct sealed *list, size_t room, struct wire_reader *r)
{
	uint32_t size = wire_array(r, RUN_HEAD + CHANGE_WIDTH * CHANGES_COUNT_MAX);
	size_t count = size < RUN_HEAD ? 0 : (size - RUN_HEAD) / CHANGE_WIDTH;
	struct dot first;

	if (count == 0 || size != RUN_HEAD + CHANGE_WIDTH * count) {
		wire_fail(r, ERR_FORMAT);
		return;
	}
	read_dot(r, &first);
	wire_bin_exact(r, run->tag_before, TAG_BYTES);
	if (count > room || count > SEQ_MAX - first.seq + 1)
		wire_fail(r, ERR_LIMIT);
	run->list = list;
	for (run->count = 0; wire_is_ok(r) && run->count < count; run->count++) {
		struct sealed *s = &list[run->count];

		s->replica = first.replica;
		s->seq = first.seq + run->count;
		s->body = wire_bin(r, CHANGESET_BYTES_MAX);
		s->signature = read_signature(r);
	}
}

static void decode_changes(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_changes *c = &m->u.changes;
	size_t used = 0;
	struct run *runs;
	struct sealed *list;

	wire_bin_exact(r, c->space.bytes, ID_BYTES);
	c->run_count = wire_array(r, CHANGES_COUNT_MAX);
	if (c->run_count == 0)
		wire_fail(r, ERR_FORMAT);
	runs = take_array(r, arena, c->run_count, sizeof(*runs));
	list = take_array(r, arena, CHANGES_COUNT_MAX, sizeof(*list));
	for (size_t i = 0; wire_is_ok(r) && i < c->run_count; i++) {
		decode_run(&runs[i], list + used, CHANGES_COUNT_MAX - used, r);
		used += runs[i].count;
		if (wire_is_ok(r) && i && is_continued(&runs[i - 1], &runs[i]))
			wire_fail(r, ERR_FORMAT);
	}
	c->runs = runs;
}

const struct message_format format_changes = { "changes", 2, CHANGES_BYTES_MAX, encode_changes,
					       decode_changes };

/* ---- HELD ------------------------------------------------------------------- */

static void encode_held(struct buf *out, const struct message *m)
{
	const struct message_held *h = &m->u.held;

	assert(h->count > 0 && h->count <= HAVE_ENTRIES_MAX);
	put_id(out, h->space.bytes);
	wire_put_array(out, (uint32_t)h->count);
	for (size_t i = 0; i < h->count; i++)
		put_id(out, h->replicas[i].bytes);
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

const struct message_format format_held = { "held", 2,
					    SMALL_BYTES_MAX + HAVE_ENTRIES_MAX *ENTRY_BYTES_MAX,
					    encode_held, decode_held };

/* ---- ASK, TELL -------------------------------------------------------------- */

static void encode_ask(struct buf *out, const struct message *m)
{
	put_id(out, m->u.ask.space.bytes);
	put_dot(out, &m->u.ask.dot);
}

static void decode_ask(struct message *m, struct wire_reader *r, struct arena *arena)
{
	wire_bin_exact(r, m->u.ask.space.bytes, ID_BYTES);
	read_dot(r, &m->u.ask.dot);
}

const struct message_format format_ask = { "ask", 3, SMALL_BYTES_MAX, encode_ask, decode_ask };

static void encode_tell(struct buf *out, const struct message *m)
{
	const struct message_tell *t = &m->u.tell;

	assert(t->told.body.size <= CHANGESET_BYTES_MAX);
	put_id(out, t->space.bytes);
	put_dot(out, &t->dot);
	wire_put_bin(out, bytes_of(t->told.link_before, LINK_BYTES));
	wire_put_bin(out, bytes_of(t->told.signature_before, SIGNATURE_BYTES));
	if (t->told.body.data)
		wire_put_bin(out, t->told.body);
	else
		wire_put_nil(out);
	wire_put_bin(out, bytes_of(t->told.signature, SIGNATURE_BYTES));
}

static void decode_tell(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_tell *t = &m->u.tell;

	wire_bin_exact(r, t->space.bytes, ID_BYTES);
	read_dot(r, &t->dot);
	wire_bin_exact(r, t->told.link_before, LINK_BYTES);
	wire_bin_exact(r, t->told.signature_before, SIGNATURE_BYTES);
	t->told.body = wire_is_nil(r) ? bytes_of(NULL, 0) : wire_bin(r, CHANGESET_BYTES_MAX);
	wire_bin_exact(r, t->told.signature, SIGNATURE_BYTES);
}

const struct message_format format_tell = { "tell", 7, SMALL_BYTES_MAX + CHANGESET_BYTES_MAX,
					    encode_tell, decode_tell };
