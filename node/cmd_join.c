/* init, invite, join: how a node comes to be. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/cmd.h"
#include "node/i18n.h"
#include "node/joining.h"
#include "node/lock.h"
#include "node/output.h"
#include "node/ref.h"
#include "node/sys_error.h"
#include "sync/address.h"

enum { NAME_SIZE = 256, DEFAULT_EXPIRY_S = 24 * 3600, EXPIRY_S_MAX = 30 * 24 * 3600 };

/* --person, else the real name of the user who types, else their login. */
static const char *person_name(const struct args *args, char out[NAME_SIZE])
{
	const char *given = args_option(args, "person");
	struct passwd *user = getpwuid(geteuid());

	if (given)
		return given;
	if (!user)
		return NULL;
	snprintf(out, NAME_SIZE, "%.*s", (int)strcspn(user->pw_gecos, ","), user->pw_gecos);
	if (!*out)
		snprintf(out, NAME_SIZE, "%s", user->pw_name);
	return out;
}

/* --address goes to other offices: better wrong here than unreachable there. */
static enum err check_address(const struct args *args, struct errmsg *msg)
{
	const char *given = args_option(args, "address");
	struct address ignored;

	if (given && strlen(given) > ADDRESS_TEXT_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("the address is over %d bytes"),
				  ADDRESS_TEXT_MAX);
	return given ? address_parse(&ignored, given, msg) : OK;
}

/* The key as it is, or a new one. */
static enum err prepare_identity(struct context *ctx, struct errmsg *msg)
{
	enum err rc;

	if (access(ctx->folder.identity, F_OK) == 0 || errno != ENOENT)
		return identity_load(&ctx->identity, ctx->folder.identity, msg);
	identity_generate(&ctx->identity);
	rc = identity_save(&ctx->identity, ctx->folder.identity, msg);
	return rc;
}

/* Whether the replica was made and never used: nothing is lost with it. */
static enum err look_unused(struct context *ctx, bool *out, struct errmsg *msg)
{
	struct replica_stats stats = { 0 };
	enum err rc = context_open_replica(ctx, false, true, msg);

	if (rc == OK)
		rc = replica_stats(ctx->replica, &stats, msg);
	if (rc == OK)
		*out = !replica_has_org(ctx->replica) && stats.changesets == 0;
	replica_close(ctx->replica);
	ctx->replica = NULL;
	return rc;
}

/* The key of a replica that was never used is gone: begin anew with both, lest an office that
 * admitted it in vain meets its id with another key. */
static enum err drop_unused(struct context *ctx, bool *exists, struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[FOLDER_FILE_MAX + 8];
	bool is_unused = false;
	enum err rc;

	if (!*exists || access(ctx->folder.identity, F_OK) == 0 || errno != ENOENT)
		return OK;
	rc = look_unused(ctx, &is_unused, msg);
	if (rc != OK || !is_unused)
		return rc;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", ctx->folder.database, ends[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return sys_error(path, msg);
	}
	*exists = false;
	return OK;
}

/* A folder with a key and an empty replica, perhaps from a try that failed.
 * *lock_fd is held against a daemon until closed. */
static enum err prepare(struct context *ctx, int *lock_fd, struct errmsg *msg)
{
	bool exists = access(ctx->folder.database, F_OK) == 0;
	enum err rc = folder_create(&ctx->folder, msg);

	if (rc == OK)
		rc = lock_take(lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = drop_unused(ctx, &exists, msg);
	/* A replica whose key is lost must not get a new one. */
	if (rc == OK && exists)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	else if (rc == OK)
		rc = prepare_identity(ctx, msg);
	if (rc == OK)
		rc = context_open_replica(ctx, true, false, msg);
	if (rc == OK && replica_has_org(ctx->replica))
		rc = errmsg_set(msg, ERR_EXISTS,
				_("%s is already a node of an organisation: --replica FOLDER "
				  "names another folder"),
				ctx->folder.path);
	return rc;
}

/* The author from now on: the person of this name in this node's office. */
static enum err remember_person(struct context *ctx, const char *name, struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	struct record_id id = { 0 };
	char text[ID_TEXT_SIZE];
	struct value args[2];
	struct rows *rows;
	enum err rc;

	if (!name || !self)
		return OK;
	args[0] = value_str(name);
	args[1] = value_ref(&self->office);
	rc = rows_open(&rows, ctx->replica,
		       "SELECT id FROM r_person WHERE name = ?1 AND office = ?2 ORDER BY id DESC",
		       args, 2, msg);
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		id = rows_id(rows, 0);
	rc = rows_close(rows, msg);
	if (rc != OK || record_id_is_nil(&id))
		return rc;
	return replica_setting_put(ctx->replica, SETTING_PERSON, id_text(id.bytes, text), msg);
}

static enum err print_member(struct context *ctx, bool complete, struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	const char *office = self ? self->office_code : "";
	char id[ID_TEXT_SIZE];

	id_text(replica_id(ctx->replica)->bytes, id);
	if (ctx->is_json)
		return output_json(stdout,
				   json_pack("{s:s, s:s, s:s, s:b}", "folder", ctx->folder.path,
					     "office", office, "replica", id, "complete", complete),
				   msg);
	output_line(stdout, _("node %.12s of office %s, in %s"), id, office, ctx->folder.path);
	return OK;
}

/* ---- init ---------------------------------------------------------------- */

static enum err found(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	const struct when_reader *reader;
	char name[NAME_SIZE];
	const char *office_name = args_option(args, "office-name");
	const char *zone = args_option(args, "zone");
	struct founding founding = { .org_name = args_option(args, "org"),
				     .office_code = args_option(args, "office"),
				     .person_name = person_name(args, name),
				     .address = args_option(args, "address"),
				     .node = identity_public(&ctx->identity,
							     replica_id(ctx->replica)) };
	const struct tz *tz;
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc == OK && zone)
		rc = zone_db_get(ctx->zones, zone, &tz, msg);
	if (rc != OK)
		return rc;
	founding.zone = zone ? zone : reader->zone;
	founding.office_name = office_name ? office_name : founding.office_code;
	rc = replica_found(ctx->replica, &founding, ctx->now_ms, msg);
	return rc == OK ? remember_person(ctx, founding.person_name, msg) : rc;
}

enum err cmd_init(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	int lock_fd = -1;
	enum err rc = check_address(args, msg);

	if (rc == OK)
		rc = prepare(ctx, &lock_fd, msg);
	if (rc == OK)
		rc = found(ctx, args, msg);
	if (rc == OK)
		rc = print_member(ctx, true, msg);
	if (rc == OK && !ctx->is_json)
		fprintf(stderr, "%s\n",
			_("next: huitong collab new TITLE; huitong invite OFFICE; huitong serve"));
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}

/* ---- invite -------------------------------------------------------------- */

/* "30m", "24h", "7d" */
static enum err parse_expiry(const char *text, uint64_t *out_s, struct errmsg *msg)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	char *end;
	unsigned long n;

	*out_s = DEFAULT_EXPIRY_S;
	if (!text)
		return OK;
	n = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != text && end[0] == units[i].unit && !end[1] && n > 0 &&
		    n <= EXPIRY_S_MAX / units[i].seconds) {
			*out_s = n * units[i].seconds;
			return OK;
		}
	return errmsg_set(msg, ERR_INVALID,
			  _("--expires: \"%s\" is not like 30m, 24h or 7d (at most 30d)"), text);
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
	enum err rc = check_address(args, msg);

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

static enum err print_ticket(struct context *ctx, const struct ticket *ticket, struct errmsg *msg)
{
	const struct when_reader *reader;
	struct buf text = BUF_EMPTY;
	char until[WHEN_TEXT_BYTES];
	enum err rc = ticket_encode(&text, ticket, msg);

	if (rc == OK)
		rc = context_reader(ctx, &reader, msg);
	if (rc == OK && ctx->is_json) {
		rc = output_json(stdout,
				 json_pack("{s:s%, s:s, s:I}", "ticket", text.data, text.size,
					   "office", ticket->office_code, "expires_s",
					   (json_int_t)ticket->expires_s),
				 msg);
	} else if (rc == OK) {
		printf("%.*s\n", (int)text.size, (const char *)text.data);
		when_instant(reader, ticket->expires_s * 1000, until);
		fprintf(stderr,
			_("Good for one node of %s until %s, while `huitong serve` runs here. Keep "
			  "it secret.\nThere: huitong join TICKET --person NAME\n"),
			ticket->office_code, until);
	}
	buf_wipe(&text);
	return rc;
}

enum err cmd_invite(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct ticket ticket = { .address_count = 0 };
	struct dice dice = system_dice();
	const char *code = args_word(args, 0);
	uint64_t lasts_s;
	enum err rc = parse_expiry(args_option(args, "expires"), &lasts_s, msg);

	if (rc == OK && strlen(code) > OFFICE_CODE_MAX)
		rc = errmsg_set(msg, ERR_LIMIT, _("an office's code has at most %d characters"),
				OFFICE_CODE_MAX);
	if (rc != OK)
		return rc;
	snprintf(ticket.office_code, sizeof(ticket.office_code), "%.*s", OFFICE_CODE_MAX, code);
	memcpy(ticket.issuer_key, ctx->identity.noise_public, sizeof(ticket.issuer_key));
	ticket.expires_s = ctx->now_ms / 1000 + lasts_s;
	rc = office_zone(ctx, args, code, ticket.zone, msg);
	if (rc == OK)
		rc = add_address(ctx, args, &ticket, msg);
	if (rc == OK)
		rc = ticket_issue(ctx->replica, &ticket, false, &dice, msg);
	if (rc == OK)
		rc = print_ticket(ctx, &ticket, msg);
	ticket_wipe(&ticket);
	return rc;
}

/* ---- join ---------------------------------------------------------------- */

static enum err become_member(struct context *ctx, const struct args *args,
			      const struct ticket *ticket, struct errmsg *msg)
{
	const char *office_name = args_option(args, "name");
	char name[NAME_SIZE];
	struct joining_config config = { .ctx = ctx,
					 .ticket = ticket,
					 .office_name =
						 office_name ? office_name : ticket->office_code,
					 .person_name = person_name(args, name),
					 .address = args_option(args, "address") };
	bool complete = false;
	enum err rc = joining_run(&config, &complete, msg);

	if (rc == ERR_IO || rc == ERR_TIMEOUT)
		fprintf(stderr, "%s\n",
			_("Nobody answers: does `huitong serve` run where the ticket was made, and "
			  "is its address reachable from here? This can be repeated."));
	if (rc == OK)
		rc = remember_person(ctx, config.person_name, msg);
	if (rc == OK)
		rc = print_member(ctx, complete, msg);
	if (rc == OK && complete && !ctx->is_json)
		fprintf(stderr, "%s\n", _("next: huitong serve"));
	if (rc == OK && !complete)
		fprintf(stderr, "%s\n",
			_("the link broke before everything was here: `huitong serve` fetches the "
			  "rest"));
	return rc;
}

enum err cmd_join(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct ticket ticket = { .address_count = 0 };
	int lock_fd = -1;
	enum err rc = ticket_decode(&ticket, args_word(args, 0), msg);

	if (rc == OK)
		rc = check_address(args, msg);
	if (rc == OK)
		rc = prepare(ctx, &lock_fd, msg);
	if (rc == OK)
		rc = become_member(ctx, args, &ticket, msg);
	ticket_wipe(&ticket);
	if (lock_fd >= 0)
		close(lock_fd);
	return rc;
}
