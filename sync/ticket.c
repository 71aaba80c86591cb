#include "sync/ticket.h"

#include <assert.h>
#include <ctype.h>

#include "core/wire.h"
#include "proto/secret.h"

static const char prefix[] = "huitong1:";
static const char any_prefix[] = "huitong";

enum { PREFIX_BYTES = sizeof(prefix) - 1, TICKET_FIELDS = 8, STUB_FIELDS = 9 };

void ticket_wipe(struct ticket *t)
{
	secret_wipe(t, sizeof(*t));
}

void ticket_stub_wipe(struct ticket_stub *stub)
{
	secret_wipe(stub, sizeof(*stub));
}

static bool is_office_code(const char *code)
{
	size_t size = strlen(code);

	return size >= 2 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == size;
}

/* Printable ASCII without blanks: it is shown, and given to others to use. */
static bool is_plain_word(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	return *text != '\0';
}

static enum err check_ticket(const struct ticket *t, struct errmsg *msg)
{
	if (!is_office_code(t->office_code))
		return errmsg_set(msg, ERR_INVALID,
				  "a ticket needs an office code of 2 to %d of "
				  "A-Z and 0-9",
				  OFFICE_CODE_MAX);
	if (!is_plain_word(t->zone))
		return errmsg_set(msg, ERR_INVALID, "a ticket needs a time zone");
	if (t->address_count == 0 || t->address_count > TICKET_ADDRESSES_MAX)
		return errmsg_set(msg, ERR_INVALID, "a ticket needs 1 to %d addresses",
				  TICKET_ADDRESSES_MAX);
	for (size_t i = 0; i < t->address_count; i++)
		if (!is_plain_word(t->addresses[i]))
			return errmsg_set(msg, ERR_INVALID,
					  "a ticket's address is empty or has "
					  "strange characters");
	return OK;
}

/* ---- The line ---------------------------------------------------------------- */

static void put_text(struct buf *out, const char *text)
{
	wire_put_str(out, bytes_of_str(text));
}

/* Copies a string that the reader has bounded; one that holds a zero is refused. */
static void read_text(struct wire_reader *r, char *out, size_t size_max)
{
	struct bytes text = wire_str(r, size_max);

	if (text.size && memchr(text.data, 0, text.size))
		wire_fail(r, ERR_FORMAT);
	else if (text.size)
		memcpy(out, text.data, text.size);
	out[wire_is_ok(r) ? text.size : 0] = '\0';
}

static void put_ticket(struct buf *out, const struct ticket *t)
{
	wire_put_array(out, TICKET_FIELDS);
	wire_put_bin(out, bytes_of(t->org, ORG_ID_BYTES));
	wire_put_bin(out, bytes_of(t->issuer_key, NOISE_KEY_BYTES));
	wire_put_bin(out, bytes_of(t->id, TICKET_ID_BYTES));
	wire_put_bin(out, bytes_of(t->secret, TICKET_SECRET_BYTES));
	put_text(out, t->office_code);
	put_text(out, t->zone);
	wire_put_uint(out, t->expires_s);
	wire_put_array(out, (uint32_t)t->address_count);
	for (size_t i = 0; i < t->address_count; i++)
		put_text(out, t->addresses[i]);
}

static enum err read_ticket(struct ticket *t, struct bytes encoded)
{
	struct wire_reader r = wire_reader_of(encoded);

	if (wire_array(&r, TICKET_FIELDS) != TICKET_FIELDS)
		wire_fail(&r, ERR_FORMAT);
	wire_bin_exact(&r, t->org, ORG_ID_BYTES);
	wire_bin_exact(&r, t->issuer_key, NOISE_KEY_BYTES);
	wire_bin_exact(&r, t->id, TICKET_ID_BYTES);
	wire_bin_exact(&r, t->secret, TICKET_SECRET_BYTES);
	read_text(&r, t->office_code, OFFICE_CODE_MAX);
	read_text(&r, t->zone, TICKET_ZONE_MAX);
	t->expires_s = wire_uint(&r, UINT32_MAX);
	t->address_count = wire_array(&r, TICKET_ADDRESSES_MAX);
	for (size_t i = 0; i < t->address_count; i++)
		read_text(&r, t->addresses[i], ADDRESS_TEXT_MAX);
	return wire_end(&r);
}

enum err ticket_encode(struct buf *out, const struct ticket *t, struct errmsg *msg)
{
	struct buf encoded = BUF_EMPTY;
	size_t start = out->size;
	enum err rc = check_ticket(t, msg);

	if (rc == OK) {
		put_ticket(&encoded, t);
		rc = buf_check(&encoded);
	}
	if (rc == OK) {
		buf_append_str(out, prefix);
		rc = base64_encode(out, buf_bytes(&encoded));
	}
	if (rc)
		out->size = start;
	buf_wipe(&encoded);
	return rc;
}

static enum err check_prefix(const char *text, struct errmsg *msg)
{
	if (strncmp(text, prefix, PREFIX_BYTES) == 0)
		return OK;
	if (strncmp(text, any_prefix, sizeof(any_prefix) - 1) == 0)
		return errmsg_set(msg, ERR_VERSION, "a ticket of another version of this program");
	return errmsg_set(msg, ERR_FORMAT, "not a ticket: it must begin with \"%s\"", prefix);
}

/* The line without the blanks around it. */
static enum err trim(const char *text, char out[TICKET_TEXT_MAX + 1], struct errmsg *msg)
{
	size_t size;

	while (isspace((unsigned char)*text))
		text++;
	size = strlen(text);
	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	if (size > TICKET_TEXT_MAX)
		return errmsg_set(msg, ERR_LIMIT, "a ticket has at most %d characters",
				  TICKET_TEXT_MAX);
	memcpy(out, text, size);
	out[size] = '\0';
	return OK;
}

enum err ticket_decode(struct ticket *out, const char *text, struct errmsg *msg)
{
	char line[TICKET_TEXT_MAX + 1];
	struct buf encoded = BUF_EMPTY;
	struct ticket t = { 0 };
	enum err rc = trim(text, line, msg);

	if (rc)
		return rc;
	rc = check_prefix(line, msg);
	if (rc)
		goto out;
	rc = base64_decode(&encoded, line + PREFIX_BYTES);
	if (rc == OK)
		rc = read_ticket(&t, buf_bytes(&encoded));
	if (rc) {
		rc = errmsg_set(msg, rc, "the ticket is not whole: copy all of its line");
		goto out;
	}
	rc = check_ticket(&t, msg);
	if (rc == OK)
		*out = t;
out:
	ticket_wipe(&t);
	buf_wipe(&encoded);
	secret_wipe(line, sizeof(line));
	return rc;
}

/* ---- The issuer's half ------------------------------------------------------- */

enum { KEY_BYTES_MAX = sizeof("ticket:") + 2 * TICKET_ID_BYTES };

static void setting_key(char out[KEY_BYTES_MAX], const uint8_t id[TICKET_ID_BYTES])
{
	memcpy(out, "ticket:", sizeof("ticket:") - 1);
	hex_encode(out + sizeof("ticket:") - 1, bytes_of(id, TICKET_ID_BYTES));
}

static void put_stub(struct buf *out, const struct ticket_stub *stub)
{
	wire_put_array(out, STUB_FIELDS);
	wire_put_bin(out, bytes_of(stub->secret, TICKET_SECRET_BYTES));
	put_text(out, stub->office_code);
	put_text(out, stub->zone);
	wire_put_uint(out, stub->expires_s);
	wire_put_bool(out, stub->is_admin);
	if (stub->is_used)
		wire_put_bin(out, bytes_of(stub->used_by, NOISE_KEY_BYTES));
	else
		wire_put_nil(out);
	wire_put_bool(out, stub->is_taken_back);
	wire_put_uint(out, stub->tries);
	wire_put_uint(out, stub->wrong_tries);
}

static enum err read_stub(struct ticket_stub *stub, struct bytes encoded)
{
	struct wire_reader r = wire_reader_of(encoded);

	if (wire_array(&r, STUB_FIELDS) != STUB_FIELDS)
		wire_fail(&r, ERR_FORMAT);
	wire_bin_exact(&r, stub->secret, TICKET_SECRET_BYTES);
	read_text(&r, stub->office_code, OFFICE_CODE_MAX);
	read_text(&r, stub->zone, TICKET_ZONE_MAX);
	stub->expires_s = wire_uint(&r, UINT32_MAX);
	stub->is_admin = wire_bool(&r);
	stub->is_used = !wire_is_nil(&r);
	if (stub->is_used)
		wire_bin_exact(&r, stub->used_by, NOISE_KEY_BYTES);
	stub->is_taken_back = wire_bool(&r);
	stub->tries = wire_uint(&r, UINT32_MAX);
	stub->wrong_tries = wire_uint(&r, UINT32_MAX);
	return wire_end(&r);
}

/* Settings are text: the stub is kept in base64. */
enum err ticket_stub_store(struct replica *r, const struct ticket_stub *stub, struct errmsg *msg)
{
	struct buf encoded = BUF_EMPTY, text = BUF_EMPTY;
	char key[KEY_BYTES_MAX];
	enum err rc;

	setting_key(key, stub->id);
	put_stub(&encoded, stub);
	rc = buf_check(&encoded);
	if (rc == OK)
		rc = base64_encode(&text, buf_bytes(&encoded));
	if (rc == OK) {
		buf_append_byte(&text, 0);
		rc = buf_check(&text);
	}
	if (rc == OK)
		rc = replica_setting_put(r, key, (const char *)text.data, msg);
	buf_wipe(&encoded);
	buf_wipe(&text);
	return rc;
}

enum err ticket_stub_load(struct replica *r, const uint8_t id[TICKET_ID_BYTES],
			  struct ticket_stub *out, struct errmsg *msg)
{
	struct buf encoded = BUF_EMPTY, text = BUF_EMPTY;
	struct ticket_stub stub = { 0 };
	char key[KEY_BYTES_MAX];
	enum err rc;

	setting_key(key, id);
	rc = replica_setting(r, key, &text, msg);
	if (rc == ERR_NOT_FOUND)
		errmsg_set(msg, rc, "no such ticket was issued here");
	if (rc)
		goto out;
	buf_append_byte(&text, 0);
	rc = buf_check(&text);
	if (rc == OK)
		rc = base64_decode(&encoded, (const char *)text.data);
	if (rc == OK)
		rc = read_stub(&stub, buf_bytes(&encoded));
	if (rc == ERR_FORMAT || rc == ERR_LIMIT)
		rc = errmsg_set(msg, ERR_CORRUPT, "the setting %s is damaged", key);
	if (rc == OK) {
		memcpy(stub.id, id, TICKET_ID_BYTES);
		*out = stub;
	}
out:
	buf_wipe(&encoded);
	buf_wipe(&text);
	ticket_stub_wipe(&stub);
	return rc;
}

enum { FOUND_MAX = 64 };

/* Ids of tickets after `last`, at most FOUND_MAX: no cursor stays open while a
 * caller writes. */
static enum err find_stubs(struct replica *r, const char *last,
			   uint8_t ids[FOUND_MAX][TICKET_ID_BYTES], size_t *count,
			   struct errmsg *msg)
{
	struct value args[] = { value_str(last), value_int(FOUND_MAX) };
	struct rows *rows;
	enum err rc = rows_open(&rows, r,
				"SELECT key FROM setting WHERE key > ?1 AND key < 'ticket;' "
				"ORDER BY key LIMIT ?2",
				args, 2, msg);

	*count = 0;
	if (rc)
		return rc;
	while (rows_next(rows)) {
		const char *hex = rows_text(rows, 0) + sizeof("ticket:") - 1;

		if (hex_decode(ids[*count], TICKET_ID_BYTES, hex) == OK)
			(*count)++;
	}
	return rows_close(rows, msg);
}

enum err ticket_stub_each(struct replica *r,
			  bool (*each)(void *ctx, const struct ticket_stub *stub), void *ctx,
			  struct errmsg *msg)
{
	uint8_t ids[FOUND_MAX][TICKET_ID_BYTES];
	char last[KEY_BYTES_MAX] = "ticket:";
	bool goes_on = true;
	size_t count;
	enum err rc;

	do {
		rc = find_stubs(r, last, ids, &count, msg);
		for (size_t i = 0; rc == OK && goes_on && i < count; i++) {
			struct ticket_stub stub;

			rc = ticket_stub_load(r, ids[i], &stub, msg);
			if (rc)
				break;
			goes_on = each(ctx, &stub);
			ticket_stub_wipe(&stub);
		}
		if (count)
			setting_key(last, ids[count - 1]);
	} while (rc == OK && goes_on && count == FOUND_MAX);
	return rc;
}

enum err ticket_issue(struct replica *r, struct ticket *t, bool is_admin, const struct dice *dice,
		      struct errmsg *msg)
{
	struct ticket_stub stub = { .expires_s = t->expires_s, .is_admin = is_admin };
	enum err rc = check_ticket(t, msg);

	if (rc == OK && !replica_has_org(r))
		rc = errmsg_set(msg, ERR_ORG, "this replica belongs to no organisation yet");
	if (rc)
		return rc;
	memcpy(t->org, replica_org(r), ORG_ID_BYTES);
	dice_fill(dice, t->id, sizeof(t->id));
	dice_fill(dice, t->secret, sizeof(t->secret));
	memcpy(stub.id, t->id, sizeof(stub.id));
	memcpy(stub.secret, t->secret, sizeof(stub.secret));
	memcpy(stub.office_code, t->office_code, sizeof(stub.office_code));
	memcpy(stub.zone, t->zone, sizeof(stub.zone));
	rc = ticket_stub_store(r, &stub, msg);
	ticket_stub_wipe(&stub);
	return rc;
}

bool ticket_stub_is_burned(const struct ticket_stub *stub)
{
	return stub->tries > TICKET_TRIES_MAX || stub->wrong_tries >= TICKET_WRONG_MAX;
}

enum ticket_state ticket_stub_state(const struct ticket_stub *stub, uint64_t now_ms)
{
	if (stub->is_used)
		return TICKET_USED;
	if (stub->is_taken_back)
		return TICKET_TAKEN_BACK;
	if (ticket_stub_is_burned(stub))
		return TICKET_BURNED;
	return now_ms / 1000 >= stub->expires_s ? TICKET_EXPIRED : TICKET_OPEN;
}

enum err ticket_stub_check(const struct ticket_stub *stub, const uint8_t noise_key[NOISE_KEY_BYTES],
			   uint64_t now_ms, struct errmsg *msg)
{
	/* Who was let in before the ticket expired, or was burned, stays. */
	if (stub->is_used && memcmp(stub->used_by, noise_key, NOISE_KEY_BYTES) == 0 &&
	    stub->tries <= TICKET_TRIES_MAX)
		return OK;
	switch (ticket_stub_state(stub, now_ms)) {
	case TICKET_USED: return errmsg_set(msg, ERR_EXISTS, "the ticket was used by another node");
	case TICKET_TAKEN_BACK: return errmsg_set(msg, ERR_INVALID, "the ticket was taken back");
	case TICKET_BURNED:
		return errmsg_set(msg, ERR_LIMIT,
				  "the ticket was tried %d times without its secret, or more than "
				  "%d times at all",
				  TICKET_WRONG_MAX, TICKET_TRIES_MAX);
	case TICKET_EXPIRED: return errmsg_set(msg, ERR_TIMEOUT, "the ticket has expired");
	case TICKET_OPEN: break;
	}
	return OK;
}
