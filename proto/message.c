#include "proto/message.h"

#include <assert.h>

#include "core/limits.h"
#include "proto/message_impl.h"

/* ---- HELLO ---------------------------------------------------------------- */

static void encode_hello(struct buf *out, const struct message *m)
{
	const struct message_hello *h = &m->u.hello;

	assert(h->program.size <= VERSION_TEXT_MAX && h->tzdata.size <= VERSION_TEXT_MAX);
	wire_put_uint(out, h->version);
	wire_put_bin(out, bytes_of(h->org, ORG_ID_BYTES));
	wire_put_bin(out, bytes_of(h->replica.bytes, ID_BYTES));
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

/* ---- All of them ---------------------------------------------------------- */

static const struct message_format format_hello = { "hello", 6, SMALL_BYTES_MAX, encode_hello,
						    decode_hello };
static const struct message_format format_ping = { "ping", 1, SMALL_BYTES_MAX, encode_ping,
						   decode_ping };
static const struct message_format format_pong = { "pong", 1, SMALL_BYTES_MAX, encode_ping,
						   decode_ping };
static const struct message_format format_bye = { "bye", 2, SMALL_BYTES_MAX, encode_bye,
						  decode_bye };

static const struct message_format *const formats[MESSAGE_TYPE_COUNT] = {
	[MESSAGE_TRUST] = &format_trust, [MESSAGE_STATEMENTS] = &format_statements,
	[MESSAGE_HELLO] = &format_hello, [MESSAGE_DIGESTS] = &format_digests,
	[MESSAGE_HAVE] = &format_have,   [MESSAGE_CHANGES] = &format_changes,
	[MESSAGE_HELD] = &format_held,   [MESSAGE_ASK] = &format_ask,
	[MESSAGE_TELL] = &format_tell,   [MESSAGE_PING] = &format_ping,
	[MESSAGE_PONG] = &format_pong,   [MESSAGE_BYE] = &format_bye,
	[MESSAGE_ENROL] = &format_enrol, [MESSAGE_ENROLLED] = &format_enrolled,
};

/* A run that came can be sent on. */
_Static_assert((int)CHANGES_COUNT_MAX == (int)RUN_COUNT_MAX, "limit");
_Static_assert((int)CHANGES_BYTES_MAX == (int)RUN_BYTES_MAX, "limit");
/* Every format fits the channel. */
_Static_assert((int)CHANGES_BYTES_MAX <= (int)PROTO_MESSAGE_BYTES_MAX, "limit");
/* A run's head is the most that a changeset costs beside itself. */
_Static_assert(CHANGES_BYTES_CLOSE + CHANGESET_BYTES_MAX + CHANGES_COUNT_MAX * 50 <=
		       CHANGES_BYTES_MAX,
	       "a chunk with one changeset too many must fit");
_Static_assert(STATEMENTS_BYTES_CLOSE + STATEMENT_BYTES_MAX + STATEMENTS_COUNT_MAX * 5 <
		       STATEMENTS_BYTES_MAX,
	       "so must one with a statement too many");

static const struct message_format *find_format(enum message_type type)
{
	bool is_known = type >= MESSAGE_TRUST && type < MESSAGE_TYPE_COUNT;

	return is_known ? formats[type] : NULL;
}

const char *message_name(enum message_type type)
{
	const struct message_format *format = find_format(type);

	return format ? format->name : "unknown";
}

size_t message_bytes_max(enum message_type type)
{
	const struct message_format *format = find_format(type);

	assert(format);
	return format->bytes_max;
}

/* Read [type, and return the type's format, or fail. */
static const struct message_format *read_head(struct wire_reader *r, enum message_type *type,
					      uint32_t *count)
{
	const struct message_format *format;

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
	const struct message_format *format = read_head(&r, &m.type, &count);
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
	const struct message_format *format = find_format(message->type);

	assert(format);
	wire_put_array(out, 1 + format->fields);
	wire_put_uint(out, message->type);
	format->encode(out, message);
}
