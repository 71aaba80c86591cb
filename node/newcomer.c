#include "node/newcomer.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/lock.h"
#include "node/output.h"
#include "node/sys_error.h"
#include "sync/address.h"

const char *newcomer_person(const struct args *args, char out[PERSON_NAME_SIZE])
{
	const char *given = args_option(args, "person");
	struct passwd *user = getpwuid(geteuid());

	if (given)
		return given;
	if (!user)
		return NULL;
	snprintf(out, PERSON_NAME_SIZE, "%.*s", (int)strcspn(user->pw_gecos, ","), user->pw_gecos);
	if (!*out)
		snprintf(out, PERSON_NAME_SIZE, "%s", user->pw_name);
	return out;
}

enum err newcomer_check_address(const struct args *args, struct errmsg *msg)
{
	const char *given = args_option(args, "address");
	struct address ignored;

	if (given && strlen(given) > ADDRESS_TEXT_MAX)
		return errmsg_set(msg, ERR_LIMIT, _("the address is over %d bytes"),
				  ADDRESS_TEXT_MAX);
	return given ? address_parse(&ignored, given, msg) : OK;
}

/* ---- The folder ------------------------------------------------------------ */

static bool has_identity(const struct context *ctx)
{
	return access(ctx->folder.identity, F_OK) == 0 || errno != ENOENT;
}

/* The key as it is, or a new one. */
static enum err prepare_identity(struct context *ctx, struct errmsg *msg)
{
	if (has_identity(ctx))
		return identity_load(&ctx->identity, ctx->folder.identity, msg);
	identity_generate(&ctx->identity);
	return identity_save(&ctx->identity, ctx->folder.identity, msg);
}

/* What the replica in the folder was so far. */
struct past {
	bool is_unused; /* made and never used: nothing is lost with it */
	bool has_org;
	uint8_t org[ORG_ID_BYTES];
	enum err member; /* replica_check_member() */
	bool knows_key;  /* identity.key is that of an epoch, of whatever node */
	bool is_joining; /* with this very ticket */
};

/* Set from the first use of a ticket until the command has come to its end. */
#define SETTING_TICKET "ticket"

static enum err note_ticket(struct context *ctx, const struct ticket *ticket, struct errmsg *msg)
{
	char id[2 * TICKET_ID_BYTES + 1];

	hex_encode(id, bytes_of(ticket->id, TICKET_ID_BYTES));
	return replica_setting_put(ctx->replica, SETTING_TICKET, id, msg);
}

enum err newcomer_forget_ticket(struct context *ctx, struct errmsg *msg)
{
	return replica_setting_put(ctx->replica, SETTING_TICKET, NULL, msg);
}

static bool is_joining(struct context *ctx, const struct ticket *ticket)
{
	char id[2 * TICKET_ID_BYTES + 1];
	struct buf noted = BUF_EMPTY;
	bool is_same = false;

	if (ticket && replica_setting(ctx->replica, SETTING_TICKET, &noted, NULL) == OK) {
		hex_encode(id, bytes_of(ticket->id, TICKET_ID_BYTES));
		is_same = noted.size == strlen(id) && memcmp(noted.data, id, noted.size) == 0;
	}
	buf_release(&noted);
	return is_same;
}

static bool knows_key(struct context *ctx)
{
	const struct trust *t = replica_trust(ctx->replica);
	struct identity id = { 0 };
	bool is_known = false;

	if (identity_load(&id, ctx->folder.identity, NULL) != OK)
		return false;
	for (size_t i = 0; t && i < t->epoch_count && !is_known; i++)
		is_known = memcmp(t->epochs[i].identity.sign_key, id.sign_public,
				  SIGN_PUBLIC_BYTES) == 0;
	identity_clear(&id);
	return is_known;
}

static enum err look(struct context *ctx, const struct ticket *ticket, struct past *out,
		     struct errmsg *msg)
{
	struct replica_stats stats = { 0 };
	enum err rc = context_open_replica(ctx, false, true, msg);

	if (rc == OK)
		rc = replica_stats(ctx->replica, &stats, msg);
	if (rc == OK) {
		out->has_org = replica_has_org(ctx->replica);
		out->is_unused = !out->has_org && stats.changesets == 0;
		out->member = replica_check_member(ctx->replica, NULL);
		out->knows_key = knows_key(ctx);
		out->is_joining = is_joining(ctx, ticket);
		if (out->has_org)
			memcpy(out->org, replica_org(ctx->replica), ORG_ID_BYTES);
	}
	replica_close(ctx->replica);
	ctx->replica = NULL;
	return rc;
}

/* The key of a replica that was never used is gone: begin anew with both, lest an office that
 * admitted it in vain meets its id with another key. */
static enum err drop(struct context *ctx, struct errmsg *msg)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[FOLDER_FILE_MAX + 8];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", ctx->folder.database, ends[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return sys_error(path, msg);
	}
	return OK;
}

/* identity.key takes a name of its own, by its public key: one may need it to prove
 * what was signed. */
static enum err set_key_aside(struct context *ctx, struct errmsg *msg)
{
	char key[2 * SIGN_PUBLIC_BYTES + 1], path[FOLDER_FILE_MAX + 16];
	enum err rc = identity_load(&ctx->identity, ctx->folder.identity, msg);

	if (rc != OK)
		return rc;
	hex_encode(key, bytes_of(ctx->identity.sign_public, SIGN_PUBLIC_BYTES));
	snprintf(path, sizeof(path), "%s/identity.%.8s", ctx->folder.path, key);
	rc = identity_rename(ctx->folder.identity, path, msg);
	if (rc == OK)
		fprintf(stderr, _("the old key is kept as %s\n"), path);
	return rc;
}

static enum err check_may_join(struct context *ctx, const struct past *s,
			       const struct ticket *ticket, struct errmsg *msg)
{
	if (!ticket || (s->member == OK && !s->is_joining))
		return errmsg_set(msg, ERR_EXISTS,
				  _("%s is already a node of an organisation: --replica FOLDER "
				    "names another folder"),
				  ctx->folder.path);
	if (memcmp(ticket->org, s->org, ORG_ID_BYTES) != 0)
		return errmsg_set(msg, ERR_ORG,
				  _("what %s holds belongs to another organisation than the "
				    "ticket: --replica FOLDER names another folder"),
				  ctx->folder.path);
	return OK;
}

/* How to begin with what is in the folder. */
enum beginning {
	BEGIN_FRESH, /* there is nothing; a key may be, from a try that failed */
	BEGIN_AGAIN, /* the replica of such a try, and it must have its key */
	BEGIN_ANEW,  /* one that is a member no more: with another key, as another replica */
};

static enum err settle(struct context *ctx, const struct ticket *ticket, enum beginning *out,
		       struct errmsg *msg)
{
	struct past s = { .is_unused = false };
	enum err rc;

	*out = BEGIN_FRESH;
	if (access(ctx->folder.database, F_OK) != 0 || replica_is_blank(ctx->folder.database))
		return OK;
	rc = look(ctx, ticket, &s, msg);
	if (rc == OK && s.has_org)
		rc = check_may_join(ctx, &s, ticket, msg);
	if (rc != OK)
		return rc;
	if (s.is_unused && !has_identity(ctx))
		return drop(ctx, msg);
	/* Who was let in and has not heard of it yet may ask again. */
	*out = s.has_org && s.member != ERR_ORG && s.member != OK ? BEGIN_ANEW : BEGIN_AGAIN;
	return *out == BEGIN_ANEW && s.knows_key ? set_key_aside(ctx, msg) : OK;
}

enum err newcomer_prepare(struct context *ctx, const struct ticket *ticket, int *lock_fd,
			  struct errmsg *msg)
{
	enum beginning beginning = BEGIN_FRESH;
	enum err rc = folder_create(&ctx->folder, msg);

	if (rc == OK)
		rc = lock_take(lock_fd, ctx->folder.lock, msg);
	if (rc == OK)
		rc = settle(ctx, ticket, &beginning, msg);
	if (rc == OK && beginning == BEGIN_AGAIN)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	else if (rc == OK)
		rc = prepare_identity(ctx, msg);
	if (rc == OK)
		rc = context_open_replica(ctx, true, false, msg);
	if (rc == OK && beginning == BEGIN_ANEW)
		rc = replica_enrol_anew(ctx->replica, msg);
	return rc == OK && ticket ? note_ticket(ctx, ticket, msg) : rc;
}

/* ---- Who begins ------------------------------------------------------------ */

enum err newcomer_remember_person(struct context *ctx, const char *name,
				  const struct record_id *office, struct errmsg *msg)
{
	struct record_id id = { 0 };
	char text[ID_TEXT_SIZE];
	struct value args[2];
	struct rows *rows;
	enum err rc;

	if (!name)
		return OK;
	args[0] = value_str(name);
	args[1] = office ? value_ref(office) : value_nil();
	rc = rows_open(&rows, ctx->replica,
		       "SELECT id FROM r_person WHERE name = ?1 AND office = coalesce(?2, office) "
		       "ORDER BY id DESC",
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

json_t *newcomer_json(struct context *ctx, const char *office_code, bool is_complete)
{
	char id[ID_TEXT_SIZE], org[2 * ORG_ID_BYTES + 1];

	hex_encode(org, bytes_of(replica_org(ctx->replica), ORG_ID_BYTES));
	return json_pack("{s:s, s:s, s:s, s:s, s:b}", "folder", ctx->folder.path, "office",
			 office_code, "replica", id_text(replica_id(ctx->replica)->bytes, id),
			 "organisation", org, "complete", is_complete);
}

void newcomer_print(struct context *ctx, const char *office_code)
{
	char id[ID_TEXT_SIZE];

	output_line(stdout, _("node %.12s of office %s, in %s"),
		    id_text(replica_id(ctx->replica)->bytes, id), office_code, ctx->folder.path);
}
