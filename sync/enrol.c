#include "sync/enrol.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/i18n.h"
#include "core/limits.h"
#include "proto/message.h"
#include "proto/proof.h"
#include "proto/secret.h"
#include "sync/link.h"
#include "sync/session.h"

/* How far an attempt came: the error of the furthest is the one to show. */
enum progress { NOT_REACHED, NOT_ANSWERED, TALKED };

struct enrol {
	struct port port;
	struct dice dice;
	struct ticket ticket;
	struct noise_keypair noise_key;
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	uint8_t nonce[ID_BYTES];
	char office_name[NAME_BYTES_MAX + 1];
	bool has_person, has_address;
	char person_name[NAME_BYTES_MAX + 1];
	char address[ADDRESS_TEXT_MAX + 1];

	enum enrol_state state;
	struct errmsg error;
	enum progress error_progress;

	size_t address_index; /* of the ticket's, being tried */
	struct conn_id conn;  /* id 0: none */
	bool has_link;
	struct link link;
	struct arena arena;
	uint64_t deadline_ms;
	bool is_enrolled;      /* the issuer said so; its statements follow: */
	struct buf statements; /* one after the other, as they came */
	size_t sizes[STATEMENTS_MAX];
	size_t statement_count;
};

static bool copy_name(char *out, size_t out_size, const char *text)
{
	size_t size = strlen(text);

	if (size >= out_size)
		return false;
	memcpy(out, text, size + 1);
	return true;
}

static enum err copy_names(struct enrol *e, const struct enrol_config *config, struct errmsg *msg)
{
	e->has_person = config->person_name;
	e->has_address = config->address;
	if (!copy_name(e->office_name, sizeof(e->office_name), config->office_name) ||
	    (e->has_person &&
	     !copy_name(e->person_name, sizeof(e->person_name), config->person_name)) ||
	    (e->has_address && !copy_name(e->address, sizeof(e->address), config->address)))
		return errmsg_set(msg, ERR_LIMIT, "a name or an address has at most %d bytes",
				  NAME_BYTES_MAX);
	return OK;
}

/* ---- Attempts ---------------------------------------------------------------- */

static void drop_connection(struct enrol *e)
{
	if (e->conn.id)
		e->port.close(e->port.ctx, e->conn, false);
	e->conn.id = 0;
	if (e->has_link)
		link_release(&e->link);
	e->has_link = false;
}

static void note_error(struct enrol *e, enum progress progress, const struct errmsg *msg)
{
	if (e->error.code && progress < e->error_progress)
		return;
	e->error = *msg;
	e->error_progress = progress;
}

/* Dial the next address that can be dialled; none left: failed. */
static void dial_next(struct enrol *e, struct now now)
{
	for (; e->address_index < e->ticket.address_count; e->address_index++) {
		const char *address = e->ticket.addresses[e->address_index];
		struct errmsg msg = { 0 };
		enum err rc = e->port.dial(e->port.ctx, address, &e->conn, &msg);

		if (rc == OK) {
			e->deadline_ms = now.mono_ms + DIAL_MS_MAX;
			return;
		}
		e->conn.id = 0;
		note_error(e, NOT_REACHED, &msg);
	}
	e->deadline_ms = UINT64_MAX;
	e->state = ENROL_FAILED;
}

static enum progress progress_of(const struct enrol *e)
{
	if (!e->has_link)
		return NOT_REACHED;
	return link_is_open(&e->link) ? TALKED : NOT_ANSWERED;
}

/* What the issuer said is final; anything else may go better elsewhere. */
static void attempt_failed(struct enrol *e, struct now now, enum err rc, const char *text)
{
	enum progress progress = progress_of(e);
	struct errmsg msg = { 0 };

	errmsg_set(&msg, rc, "%s: %s", e->ticket.addresses[e->address_index], text_lookup(text));
	note_error(e, progress, &msg);
	drop_connection(e);
	if (progress == TALKED) {
		e->state = ENROL_FAILED;
		e->deadline_ms = UINT64_MAX;
		return;
	}
	e->address_index++;
	dial_next(e, now);
}

enum err enrol_new(struct enrol **out, const struct enrol_config *config, struct now now,
		   struct errmsg *msg)
{
	struct enrol *e = calloc(1, sizeof(*e));
	struct node_identity identity;
	enum err rc;

	if (!e)
		return ERR_NOMEM;
	e->port = config->port;
	e->dice = config->dice;
	e->ticket = *config->ticket;
	noise_keypair_from_secret(&e->noise_key, config->noise_secret);
	memcpy(e->sign_secret, config->sign_secret, SIGN_SECRET_BYTES);
	identity = replica_identity(config->replica, e->noise_key.public_key);
	memcpy(e->nonce, identity.nonce, ID_BYTES);
	rc = copy_names(e, config, msg);
	if (rc) {
		enrol_free(e);
		return rc;
	}
	dial_next(e, now);
	*out = e;
	return OK;
}

void enrol_free(struct enrol *e)
{
	if (!e)
		return;
	drop_connection(e);
	arena_release(&e->arena);
	buf_release(&e->statements);
	secret_wipe(e, sizeof(*e));
	free(e);
}

/* ---- The conversation -------------------------------------------------------- */

static void flush(struct enrol *e)
{
	if (e->has_link && e->link.out.size) {
		e->port.send(e->port.ctx, e->conn, buf_bytes(&e->link.out));
		buf_clear(&e->link.out);
	}
}

void enrol_connected(struct enrol *e, struct now now, struct conn_id conn)
{
	enum err rc;

	if (e->state != ENROL_RUNNING || conn.id != e->conn.id)
		return;
	rc = link_init(&e->link, &(struct link_config){
					 .is_dialler = true,
					 .org = e->ticket.org,
					 .static_key = &e->noise_key,
					 .dice = &e->dice,
					 .purpose = PREAMBLE_ENROL,
					 .remote_key = e->ticket.issuer_key,
					 .psk = e->ticket.secret,
					 .ticket_id = bytes_of(e->ticket.id, TICKET_ID_BYTES),
				 });
	e->has_link = rc == OK;
	if (rc)
		attempt_failed(e, now, rc, N_("the handshake could not begin"));
	flush(e);
}

static enum err say_enrol(struct enrol *e)
{
	struct message m = { .type = MESSAGE_ENROL };
	struct message_enrol *enrol = &m.u.enrol;
	struct buf encoded = BUF_EMPTY;
	enum err rc;

	secret_sign_public(enrol->sign_key, e->sign_secret);
	memcpy(enrol->noise_key, e->noise_key.public_key, NOISE_DH_BYTES);
	memcpy(enrol->nonce, e->nonce, ID_BYTES);
	enrol->office_name = bytes_of_str(e->office_name);
	if (e->has_person)
		enrol->person_name = bytes_of_str(e->person_name);
	if (e->has_address)
		enrol->address = bytes_of_str(e->address);
	proof_sign(enrol->proof, link_handshake_hash(&e->link), e->sign_secret);
	message_encode(&encoded, &m);
	rc = buf_check(&encoded);
	if (rc == OK)
		rc = link_send(&e->link, buf_bytes(&encoded));
	buf_release(&encoded);
	return rc;
}

static enum err on_bye(const struct message_bye *bye, struct errmsg *msg)
{
	char name[REASON_NAME_MAX + 1];

	memcpy(name, bye->name.data, bye->name.size);
	name[bye->name.size] = '\0';
	return errmsg_set(msg, err_from_name(name), "%.*s", (int)bye->text.size,
			  (const char *)bye->text.data);
}

/* Kept until enrol_finish(); an empty message is the last. */
static enum err on_statements(struct enrol *e, struct now now, const struct message_statements *m,
			      struct errmsg *msg)
{
	size_t room = STATEMENTS_MAX - e->statement_count;

	for (size_t i = 0; i < m->count && i < room; i++) {
		buf_append(&e->statements, m->list[i].data, m->list[i].size);
		e->sizes[e->statement_count++] = m->list[i].size;
	}
	if (m->count > room || e->statements.size > STRANGER_BYTES_MAX)
		return errmsg_set(msg, ERR_LIMIT, "the issuer has more statements than can be");
	e->deadline_ms = now.mono_ms + DIAL_MS_MAX;
	if (m->count == 0)
		e->state = ENROL_DONE;
	return buf_check(&e->statements);
}

static enum err on_message(struct enrol *e, struct now now, struct bytes encoded,
			   struct errmsg *msg)
{
	struct message m;
	enum err rc = message_decode(&m, encoded, &e->arena, msg);

	if (rc == OK && m.type == MESSAGE_ENROLLED && !e->is_enrolled)
		e->is_enrolled = true;
	else if (rc == OK && m.type == MESSAGE_STATEMENTS && e->is_enrolled)
		rc = on_statements(e, now, &m.u.statements, msg);
	else if (rc == OK && m.type == MESSAGE_BYE)
		rc = on_bye(&m.u.bye, msg);
	else if (rc == OK)
		rc = errmsg_set(msg, ERR_PROTOCOL, "message %s is not legal now",
				message_name(m.type));
	arena_reset(&e->arena);
	return rc;
}

static enum err on_event(struct enrol *e, struct now now, enum link_event event,
			 struct bytes message, struct errmsg *msg)
{
	switch (event) {
	case LINK_OPEN: return say_enrol(e);
	case LINK_MESSAGE: return on_message(e, now, message, msg);
	case LINK_END: return errmsg_set(msg, ERR_CLOSED, "the issuer ended without a word");
	case LINK_KEY: /* a listener's events */
	case LINK_TICKET:
	case LINK_NEEDS_INPUT: break;
	}
	return OK;
}

void enrol_received(struct enrol *e, struct now now, struct conn_id conn, struct bytes data)
{
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes message = bytes_of(NULL, 0);
	struct errmsg msg = { 0 };
	enum err rc;

	if (e->state != ENROL_RUNNING || conn.id != e->conn.id || !e->has_link)
		return;
	do {
		rc = link_read(&e->link, &data, &event, &message, &msg);
		if (rc == OK)
			rc = on_event(e, now, event, message, &msg);
	} while (rc == OK && event != LINK_NEEDS_INPUT && e->state == ENROL_RUNNING);
	flush(e);
	if (rc) {
		attempt_failed(e, now, rc, msg.text[0] ? msg.text : err_name(rc));
	} else if (e->state == ENROL_DONE) {
		drop_connection(e);
		e->deadline_ms = UINT64_MAX;
	}
}

/* An issuer answers nobody who does not have the secret of a ticket. */
void enrol_closed(struct enrol *e, struct now now, struct conn_id conn, const char *reason)
{
	if (e->state != ENROL_RUNNING || conn.id != e->conn.id)
		return;
	e->conn.id = 0;
	switch (progress_of(e)) {
	case NOT_REACHED: attempt_failed(e, now, ERR_IO, reason); break;
	case NOT_ANSWERED:
		attempt_failed(e, now, ERR_NOT_FOUND,
			       N_("closed without an answer: this node did not issue "
				  "the ticket, or the ticket's secret is another"));
		break;
	case TALKED: attempt_failed(e, now, ERR_CLOSED, reason); break;
	}
}

void enrol_tick(struct enrol *e, struct now now)
{
	if (e->state == ENROL_RUNNING && now.mono_ms >= e->deadline_ms)
		attempt_failed(e, now, ERR_TIMEOUT, N_("no answer"));
}

uint64_t enrol_deadline(const struct enrol *e)
{
	return e->deadline_ms;
}

enum enrol_state enrol_state(const struct enrol *e)
{
	return e->state;
}

const struct errmsg *enrol_error(const struct enrol *e)
{
	return &e->error;
}

static enum err take_statements(const struct enrol *e, struct replica *r, uint64_t now_ms,
				struct errmsg *msg)
{
	struct bytes *list = calloc(e->statement_count + 1, sizeof(*list));
	const uint8_t *at = e->statements.data;
	struct statements_receipt receipt;
	enum err rc;

	if (!list)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->statement_count; at += e->sizes[i++])
		list[i] = bytes_of(at, e->sizes[i]);
	rc = replica_take_statements(r, list, e->statement_count, now_ms, &receipt, msg);
	free(list);
	return rc;
}

enum err enrol_finish(const struct enrol *e, struct replica *r, uint64_t now_ms, struct errmsg *msg)
{
	enum err rc;

	assert(e->state == ENROL_DONE);
	rc = replica_setting_put(r, SETTING_BOOTSTRAP_ADDRESS,
				 e->ticket.addresses[e->address_index], msg);
	/* If this is cut short after that, the issuer presents them again. */
	if (rc == OK)
		rc = replica_join(r, e->ticket.org, msg);
	return rc == OK ? take_statements(e, r, now_ms, msg) : rc;
}
