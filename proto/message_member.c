/* Messages of membership: who is known, by which statements, and enrolment. */
#include <assert.h>

#include "core/limits.h"
#include "proto/message_impl.h"

/* ---- TRUST ------------------------------------------------------------------ */

static void encode_trust(struct buf *out, const struct message *m)
{
	const struct message_trust *t = &m->u.trust;

	assert(t->count <= STATEMENTS_MAX);
	wire_put_bool(out, t->is_known);
	wire_put_bin(out, bytes_of(t->digest, STATEMENT_ID_BYTES));
	wire_put_array(out, (uint32_t)t->count);
	for (size_t i = 0; i < t->count; i++)
		wire_put_bin(out, bytes_of(t->ids[i].bytes, SHORT_ID_BYTES));
}

static void decode_trust(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_trust *t = &m->u.trust;
	struct short_id *ids;

	t->is_known = wire_bool(r);
	wire_bin_exact(r, t->digest, STATEMENT_ID_BYTES);
	t->count = wire_array(r, STATEMENTS_MAX);
	ids = take_array(r, arena, t->count, sizeof(*ids));
	for (size_t i = 0; wire_is_ok(r) && i < t->count; i++) {
		wire_bin_exact(r, ids[i].bytes, SHORT_ID_BYTES);
		if (i && short_id_cmp(&ids[i - 1], &ids[i]) >= 0)
			wire_fail(r, ERR_FORMAT);
	}
	t->ids = ids;
}

const struct message_format format_trust = { "trust", 3,
					     SMALL_BYTES_MAX + STATEMENTS_MAX *(SHORT_ID_BYTES + 2),
					     encode_trust, decode_trust };

/* ---- STATEMENTS --------------------------------------------------------------- */

static void encode_statements(struct buf *out, const struct message *m)
{
	const struct message_statements *s = &m->u.statements;

	assert(s->count <= STATEMENTS_COUNT_MAX);
	wire_put_array(out, (uint32_t)s->count);
	for (size_t i = 0; i < s->count; i++)
		wire_put_bin(out, s->list[i]);
}

static void decode_statements(struct message *m, struct wire_reader *r, struct arena *arena)
{
	struct message_statements *s = &m->u.statements;
	struct bytes *list;

	s->count = wire_array(r, STATEMENTS_COUNT_MAX);
	list = take_array(r, arena, s->count, sizeof(*list));
	for (size_t i = 0; wire_is_ok(r) && i < s->count; i++)
		list[i] = wire_bin(r, STATEMENT_BYTES_MAX);
	s->list = list;
}

const struct message_format format_statements = { "statements", 1, STATEMENTS_BYTES_MAX,
						  encode_statements, decode_statements };

/* ---- ENROL, ENROLLED ---------------------------------------------------------- */

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
	assert(e->address.size <= ADDRESS_TEXT_MAX);
	wire_put_bin(out, bytes_of(e->sign_key, SIGN_PUBLIC_BYTES));
	wire_put_bin(out, bytes_of(e->noise_key, NOISE_DH_BYTES));
	wire_put_bin(out, bytes_of(e->nonce, ID_BYTES));
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
	wire_bin_exact(r, e->nonce, ID_BYTES);
	e->office_name = wire_str(r, NAME_BYTES_MAX);
	e->person_name = read_str_or_nil(r, NAME_BYTES_MAX);
	e->address = read_str_or_nil(r, ADDRESS_TEXT_MAX);
	wire_bin_exact(r, e->proof, SIGNATURE_BYTES);
}

const struct message_format format_enrol = { "enrol", 7, SMALL_BYTES_MAX, encode_enrol,
					     decode_enrol };

static void encode_enrolled(struct buf *out, const struct message *m)
{
	wire_put_bin(out, bytes_of(m->u.enrolled.sign_key, SIGN_PUBLIC_BYTES));
	wire_put_bin(out, bytes_of(m->u.enrolled.replica.bytes, ID_BYTES));
}

static void decode_enrolled(struct message *m, struct wire_reader *r, struct arena *arena)
{
	wire_bin_exact(r, m->u.enrolled.sign_key, SIGN_PUBLIC_BYTES);
	wire_bin_exact(r, m->u.enrolled.replica.bytes, ID_BYTES);
}

const struct message_format format_enrolled = { "enrolled", 2, SMALL_BYTES_MAX, encode_enrolled,
						decode_enrolled };
