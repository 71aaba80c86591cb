/* invite, tickets: letting machines in. */
#include <stdlib.h>
#include <unistd.h>

#include "node/cmd.h"
#include "node/duration.h"
#include "node/i18n.h"
#include "node/newcomer.h"
#include "node/output.h"
#include "node/qr.h"
#include "node/record_view.h"
#include "node/sys_error.h"
#include "node/words.h"
#include "sync/ticket.h"

enum { DEFAULT_EXPIRY_S = 24 * 3600, ID_TEXT_BYTES = 2 * TICKET_ID_BYTES + 1 };

/* ---- invite ---------------------------------------------------------------- */

static enum err parse_expiry(const char *text, uint64_t *out_s, struct errmsg *msg)
{
	uint64_t seconds = DEFAULT_EXPIRY_S;

	if (!text ||
	    (duration_parse(text, &seconds) && seconds > 0 && seconds <= TICKET_LIFE_S_MAX)) {
		*out_s = seconds;
		return OK;
	}
	return errmsg_set(msg, ERR_INVALID,
			  _("--expires: \"%s\" is not like 30m, 24h or 3d (at most 72h)"), text);
}

/* The zone of an office that exists, else --zone. */
static enum err office_zone(struct context *ctx, const struct args *args, const char *code,
			    char out[TICKET_ZONE_MAX + 1], struct errmsg *msg)
{
	const char *zone = args_option(args, "zone");
	struct value arg = value_str(code);
	const struct tz *tz;
	struct rows *rows;
	enum err rc = rows_open(&rows, ctx->replica, "SELECT zone FROM r_office WHERE code = ?",
				&arg, 1, msg);

	out[0] = 0;
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		snprintf(out, TICKET_ZONE_MAX + 1, "%s", rows_text(rows, 0));
	rc = rows_close(rows, msg);
	if (rc == OK && zone)
		rc = zone_db_get(ctx->zones, zone, &tz, msg);
	if (rc == OK && zone && *out && strcmp(zone, out) != 0)
		rc = errmsg_set(msg, ERR_EXISTS,
				_("%s is in %s; to change that: huitong office edit %s --zone %s"),
				code, out, code, zone);
	if (rc == OK && zone)
		snprintf(out, TICKET_ZONE_MAX + 1, "%s", zone);
	if (rc == OK && !*out)
		rc = errmsg_set(msg, ERR_INVALID, _("%s is a new office: say its --zone"), code);
	return rc;
}

static enum err add_address(struct context *ctx, const struct args *args, struct ticket *ticket,
			    struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	const char *address = args_option(args, "address");
	enum err rc = newcomer_check_address(args, msg);

	if (rc != OK)
		return rc;
	if (!address)
		address = self ? self->address : "";
	if (!*address)
		return errmsg_set(msg, ERR_INVALID,
				  _("this node has no address yet: say --address HOST:PORT"));
	snprintf(ticket->addresses[0], sizeof(ticket->addresses[0]), "%s", address);
	ticket->address_count = 1;
	return OK;
}

static enum err print_qr(const char *ticket, struct errmsg *msg)
{
	struct buf code = BUF_EMPTY;
	enum err rc = qr_render(&code, ticket, isatty(STDOUT_FILENO), msg);

	if (rc == OK)
		printf("%.*s", (int)code.size, (const char *)code.data);
	buf_wipe(&code);
	return rc;
}

static enum err print_for_people(struct context *ctx, const struct ticket *ticket, const char *text,
				 const char *words, bool wants_qr, struct errmsg *msg)
{
	const struct when_reader *reader;
	char until[WHEN_TEXT_BYTES];
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	printf("%s\n", text);
	if (wants_qr)
		rc = print_qr(text, msg);
	when_instant(reader, ticket->expires_s * 1000, until);
	fprintf(stderr, _("check words: %s\n"), words);
	fprintf(stderr,
		_("Good for one node of %s until %s, while `huitong serve` runs here. Keep it "
		  "secret.\nThere: huitong join TICKET --person NAME, which shows the same "
		  "words.\n"),
		ticket->office_code, until);
	return rc;
}

static enum err print_ticket(struct context *ctx, const struct args *args,
			     const struct ticket *ticket, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	char words[WORDS_TEXT_MAX], id[ID_TEXT_BYTES];
	enum err rc = ticket_encode(&text, ticket, msg);

	if (rc == OK) {
		words_check(words, buf_bytes(&text));
		buf_append_byte(&text, 0);
		rc = buf_check(&text);
	}
	hex_encode(id, bytes_of(ticket->id, TICKET_ID_BYTES));
	if (rc == OK && ctx->is_json)
		rc = output_json(stdout,
				 json_pack("{s:s, s:s, s:s, s:s, s:o, s:b}", "ticket", text.data,
					   "id", id, "words", words, "office", ticket->office_code,
					   "expires", instant_json(ticket->expires_s * 1000),
					   "admin", args_has(args, "admin")),
				 msg);
	else if (rc == OK)
		rc = print_for_people(ctx, ticket, (const char *)text.data, words,
				      args_has(args, "qr"), msg);
	buf_wipe(&text);
	return rc;
}

/* Only an admin's word lets somebody in: better told now than when the newcomer comes. */
static enum err check_admin(struct context *ctx, struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	enum err rc = replica_check_member(ctx->replica, msg);

	if (rc == OK && !(self && self->is_admin))
		rc = errmsg_set(msg, ERR_AUTHORITY, _("this node is no admin"));
	return rc;
}

enum err cmd_invite(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct ticket ticket = { .address_count = 0 };
	struct dice dice = system_dice();
	const char *code = args_word(args, 0);
	uint64_t lasts_s = 0;
	enum err rc = parse_expiry(args_option(args, "expires"), &lasts_s, msg);

	if (rc == OK && !office_code_is_valid(code))
		rc = errmsg_set(msg, ERR_INVALID,
				_("an office's code has 2 to %d characters of A-Z and 0-9"),
				OFFICE_CODE_MAX);
	if (rc == OK)
		rc = check_admin(ctx, msg);
	if (rc != OK)
		return rc;
	snprintf(ticket.office_code, sizeof(ticket.office_code), "%.*s", OFFICE_CODE_MAX, code);
	memcpy(ticket.issuer_key, ctx->identity.noise_public, sizeof(ticket.issuer_key));
	ticket.expires_s = ctx->now_ms / 1000 + lasts_s;
	rc = office_zone(ctx, args, code, ticket.zone, msg);
	if (rc == OK)
		rc = add_address(ctx, args, &ticket, msg);
	if (rc == OK)
		rc = ticket_issue(ctx->replica, &ticket, args_has(args, "admin"), &dice, msg);
	if (rc == OK)
		rc = print_ticket(ctx, args, &ticket, msg);
	ticket_wipe(&ticket);
	return rc;
}

/* ---- tickets --------------------------------------------------------------- */

static const char *const state_names[] = {
	[TICKET_OPEN] = N_("open"),       [TICKET_USED] = N_("used"),
	[TICKET_EXPIRED] = N_("expired"), [TICKET_TAKEN_BACK] = N_("taken-back"),
	[TICKET_BURNED] = N_("burned"),
};

/* One run over the tickets; rc is what ended it. */
struct telling {
	struct context *ctx;
	bool wants_all;
	struct table table;
	json_t *array; /* NULL: for people */
	struct errmsg *msg;
	enum err rc;
};

static json_t *stub_json(const struct ticket_stub *stub, const char *id, enum ticket_state state)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:I, s:I}", "id", id, "office",
			 stub->office_code, "state", state_names[state], "admin", stub->is_admin,
			 "expires", instant_json(stub->expires_s * 1000), "tries",
			 (json_int_t)stub->tries, "wrong_tries", (json_int_t)stub->wrong_tries);
}

static enum err add_row(struct telling *t, const struct ticket_stub *stub, const char *id,
			enum ticket_state state)
{
	const struct when_reader *reader;
	char until[WHEN_TEXT_BYTES], tries[24], wrong[24];
	enum err rc = context_reader(t->ctx, &reader, t->msg);

	if (rc != OK)
		return rc;
	when_instant(reader, stub->expires_s * 1000, until);
	snprintf(tries, sizeof(tries), "%llu", (unsigned long long)stub->tries);
	snprintf(wrong, sizeof(wrong), "%llu", (unsigned long long)stub->wrong_tries);
	table_add(&t->table,
		  (const char *[]){ id, stub->office_code, stub->is_admin ? _("admin") : "",
				    _(state_names[state]), until, tries, wrong });
	return OK;
}

static bool tell(void *ctx, const struct ticket_stub *stub)
{
	struct telling *t = ctx;
	enum ticket_state state = ticket_stub_state(stub, t->ctx->now_ms);
	char id[ID_TEXT_BYTES];

	if (state != TICKET_OPEN && !t->wants_all)
		return true;
	hex_encode(id, bytes_of(stub->id, TICKET_ID_BYTES));
	if (!t->array)
		t->rc = add_row(t, stub, id, state);
	else if (json_array_append_new(t->array, stub_json(stub, id, state)) != 0)
		t->rc = no_memory(t->msg);
	return t->rc == OK;
}

enum err cmd_tickets(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct table_column columns[] = { { _("ID") },
						{ _("OFFICE") },
						{ _("ADMIN") },
						{ _("STATE") },
						{ _("UNTIL") },
						{ _("TRIES"), TABLE_RIGHT },
						{ _("WRONG"), TABLE_RIGHT } };
	struct telling t = { .ctx = ctx,
			     .wants_all = args_has(args, "all"),
			     .array = ctx->is_json ? json_array() : NULL,
			     .msg = msg };
	enum err rc;

	table_init(&t.table, columns, sizeof(columns) / sizeof(columns[0]));
	rc = ticket_stub_each(ctx->replica, tell, &t, msg);
	if (rc == OK)
		rc = t.rc;
	if (rc == OK && t.array)
		rc = output_json(stdout, json_incref(t.array), msg);
	else if (rc == OK && t.table.cells.size)
		rc = output_table(stdout, &t.table, msg);
	else if (rc == OK)
		fprintf(stderr, "%s\n", _("no ticket that was made here is open"));
	table_release(&t.table);
	json_decref(t.array);
	return rc;
}

/* The ticket whose id begins so. */
struct search {
	const char *prefix;
	struct ticket_stub found;
	size_t count;
};

static bool look(void *ctx, const struct ticket_stub *stub)
{
	struct search *s = ctx;
	char id[ID_TEXT_BYTES];

	hex_encode(id, bytes_of(stub->id, TICKET_ID_BYTES));
	if (strncmp(id, s->prefix, strlen(s->prefix)) == 0) {
		s->found = *stub;
		s->count++;
	}
	return true;
}

enum err cmd_ticket_burn(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct search s = { .prefix = args_word(args, 0) };
	char id[ID_TEXT_BYTES];
	enum err rc = ticket_stub_each(ctx->replica, look, &s, msg);

	if (rc == OK && s.count == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("no ticket \"%s\" was made here"), s.prefix);
	if (rc == OK && s.count > 1)
		rc = errmsg_set(msg, ERR_AMBIGUOUS, _("\"%s\" fits several tickets"), s.prefix);
	if (rc == OK && s.found.is_used)
		rc = errmsg_set(msg, ERR_EXISTS,
				_("it was used already: huitong revoke removes the node"));
	if (rc == OK) {
		s.found.is_taken_back = true;
		rc = ticket_stub_store(ctx->replica, &s.found, msg);
	}
	hex_encode(id, bytes_of(s.found.id, TICKET_ID_BYTES));
	if (rc == OK && ctx->is_json)
		rc = output_json(stdout, stub_json(&s.found, id, TICKET_TAKEN_BACK), msg);
	else if (rc == OK)
		printf(_("ticket %s lets nobody in any more\n"), id);
	ticket_stub_wipe(&s.found);
	return rc;
}
