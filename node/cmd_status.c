/* status, peers, sync: where this node stands, and the daemon's ear. */
#include <stdlib.h>

#include "node/cmd.h"
#include "node/control.h"
#include "node/damage_view.h"
#include "node/i18n.h"
#include "node/output.h"
#include "node/ref.h"
#include "node/standing.h"
#include "node/sys_error.h"
#include "node/width.h"

enum { HASH_TEXT_SIZE = 2 * STATE_HASH_BYTES + 1, LABEL_COLUMNS = 14 };

/* ---- The daemon's answers ------------------------------------------------ */

/* NULL when none is running: that is no error here. */
static enum err ask_daemon(struct context *ctx, enum control_verb verb, json_t **out,
			   struct errmsg *msg)
{
	enum err rc = control_ask(ctx->folder.path, verb, out, msg);

	if (rc == ERR_NOT_FOUND) {
		*out = NULL;
		return OK;
	}
	return rc;
}

static enum err wish(struct context *ctx, enum control_verb verb, const char *done,
		     struct errmsg *msg)
{
	json_t *reply = NULL;
	enum err rc = control_ask(ctx->folder.path, verb, &reply, msg);

	if (rc == ERR_NOT_FOUND)
		return errmsg_set(msg, rc, _("no daemon is running here: huitong serve"));
	if (rc == OK && ctx->is_json)
		return output_json(stdout, reply, msg);
	json_decref(reply);
	if (rc == OK)
		printf("%s\n", done);
	return rc;
}

enum err cmd_sync_now(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	return wish(ctx, CONTROL_SYNC_NOW, _("the daemon dials and compares"), msg);
}

enum err cmd_sync_pause(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	return wish(ctx, CONTROL_PAUSE, _("paused until `huitong sync resume` or a restart"), msg);
}

enum err cmd_sync_resume(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	return wish(ctx, CONTROL_RESUME, _("the daemon connects again"), msg);
}

/* ---- peers --------------------------------------------------------------- */

/* Without a daemon: who there is, from the directory. */
static json_t *known_members(struct context *ctx)
{
	const struct member *self = replica_self(ctx->replica);
	json_t *array = json_array();
	size_t count;
	const struct member *members = replica_members(ctx->replica, &count);

	for (size_t i = 0; i < count; i++)
		if (&members[i] != self)
			json_array_append_new(
				array, json_pack("{s:s, s:s?, s:s}", "office",
						 members[i].office_code, "address",
						 *members[i].address ? members[i].address : NULL,
						 "state", "unknown"));
	return array;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void number_cell(char out[32], const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);

	snprintf(out, 32, "-");
	if (json_is_integer(number))
		snprintf(out, 32, "%lld", (long long)json_integer_value(number));
}

static enum err peer_row(struct context *ctx, const json_t *peer, struct table *table,
			 struct errmsg *msg)
{
	json_int_t seen_ms = json_integer_value(json_object_get(peer, "last_seen_ms"));
	const struct when_reader *reader;
	char seen[WHEN_TEXT_BYTES] = "";
	char sent[32], received[32], waiting[32];
	enum err rc = context_reader(ctx, &reader, msg);

	if (rc != OK)
		return rc;
	if (seen_ms > 0)
		when_instant(reader, (uint64_t)seen_ms, seen);
	number_cell(sent, peer, "changesets_sent");
	number_cell(received, peer, "changesets_received");
	number_cell(waiting, peer, "to_send");
	table_add(table, (const char *[]){ text_of(peer, "office"), text_of(peer, "address"),
					   _(text_of(peer, "state")), sent, received, waiting, seen,
					   text_of(peer, "last_error") });
	return OK;
}

static enum err print_peers(struct context *ctx, const json_t *peers, struct errmsg *msg)
{
	const struct table_column columns[] = { { _("OFFICE") },
						{ _("ADDRESS") },
						{ _("STATE") },
						{ _("SENT"), TABLE_RIGHT },
						{ _("RECEIVED"), TABLE_RIGHT },
						{ _("WAITING"), TABLE_RIGHT },
						{ _("LAST SEEN") },
						{ _("LAST ERROR") } };
	struct table table;
	enum err rc = OK;

	if (json_array_size(peers) == 0) {
		fprintf(stderr, "%s\n", _("no other nodes yet: huitong invite OFFICE"));
		return OK;
	}
	table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < json_array_size(peers) && rc == OK; i++)
		rc = peer_row(ctx, json_array_get(peers, i), &table, msg);
	if (rc == OK)
		rc = output_table(stdout, &table, msg);
	table_release(&table);
	return rc;
}

enum err cmd_peers(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	json_t *reply = NULL;
	json_t *peers;
	enum err rc = ask_daemon(ctx, CONTROL_PEERS, &reply, msg);

	if (rc != OK)
		return rc;
	if (!reply)
		fprintf(stderr, "%s\n", _("no daemon is running here; these are known:"));
	peers = reply ? json_incref(json_object_get(reply, "peers")) : known_members(ctx);
	json_decref(reply);
	if (ctx->is_json)
		return output_json(stdout, peers, msg);
	rc = print_peers(ctx, peers, msg);
	json_decref(peers);
	return rc;
}

/* ---- status -------------------------------------------------------------- */

/* What status tells, gathered once for both forms. */
struct facts {
	struct buf organisation;
	const struct member *self;
	struct replica_stats stats;
	struct standing standing;
	struct scrub_state *scrub; /* NULL: the daemon has never looked */
	char replica[ID_TEXT_SIZE];
	char hash[HASH_TEXT_SIZE]; /* "" unless asked for */
	json_t *spaces;            /* NULL unless asked for */
	json_t *daemon;            /* NULL: none is running, or it is silent */
	struct errmsg silence;     /* with a code: it has not answered */
	int64_t unsent;            /* to the peer that lacks most; -1: unknown */
};

static void facts_release(struct facts *f)
{
	buf_release(&f->organisation);
	json_decref(f->spaces);
	json_decref(f->daemon);
	free(f->scrub);
}

static enum err find_organisation(struct context *ctx, struct buf *out, struct errmsg *msg)
{
	struct rows *rows;
	enum err rc = rows_open(&rows, ctx->replica, "SELECT name FROM r_organisation LIMIT 1",
				NULL, 0, msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows))
		buf_append_str(out, rows_text(rows, 0));
	buf_append_byte(out, 0);
	rc = rows_close(rows, msg);
	return rc == OK ? buf_check(out) : rc;
}

/* What is held of each space: two offices that show the same digest hold the same. */
static enum err spaces_json(struct context *ctx, json_t **out, struct errmsg *msg)
{
	json_t *array = json_array();
	size_t count;
	const struct space_id *spaces = replica_spaces(ctx->replica, &count);

	for (size_t i = 0; i < count; i++) {
		const struct vv *vv = replica_vv(ctx->replica, &spaces[i]);
		char id[ID_TEXT_SIZE], digest[2 * VV_DIGEST_BYTES + 1];
		uint8_t bytes[VV_DIGEST_BYTES];
		json_int_t changesets = 0;

		replica_digest(ctx->replica, &spaces[i], bytes);
		hex_encode(digest, bytes_of(bytes, sizeof(bytes)));
		for (size_t k = 0; k < vv->count; k++)
			changesets += (json_int_t)vv->entries[k].seq;
		json_array_append_new(array, json_pack("{s:s, s:I, s:s}", "id",
						       id_text(spaces[i].bytes, id), "changesets",
						       changesets, "digest", digest));
	}
	if (json_array_size(array) != count) {
		json_decref(array);
		return no_memory(msg);
	}
	*out = array;
	return OK;
}

/* A daemon knows only what those lack that it has met since its start. */
static int64_t most_unsent(const json_t *daemon)
{
	const json_t *peers = json_object_get(daemon, "peers");
	size_t count = json_array_size(peers);
	int64_t most = daemon && count == 0 ? 0 : -1;

	for (size_t i = 0; i < count; i++) {
		const json_t *n = json_object_get(json_array_get(peers, i), "to_send");

		if (json_is_integer(n) && json_integer_value(n) > most)
			most = json_integer_value(n);
	}
	return most;
}

static enum err find_scrub(struct context *ctx, struct scrub_state **out, struct errmsg *msg)
{
	struct scrub_state *state = calloc(1, sizeof(*state));
	enum err rc = state ? scrub_look(ctx->replica, state, NULL) : no_memory(msg);

	if (rc == OK) {
		*out = state;
		return OK;
	}
	free(state);
	return state ? OK : rc;
}

/* What is held here can be told while it is silent. */
static enum err find_daemon(struct context *ctx, struct facts *f, struct errmsg *msg)
{
	enum err rc = ask_daemon(ctx, CONTROL_STATUS, &f->daemon, msg);

	if (rc != ERR_BUSY)
		return rc;
	f->silence = *msg;
	return OK;
}

static enum err gather(struct facts *f, struct context *ctx, bool wants_hash, struct errmsg *msg)
{
	uint8_t hash[STATE_HASH_BYTES];
	enum err rc = find_organisation(ctx, &f->organisation, msg);

	f->self = replica_self(ctx->replica);
	id_text(replica_id(ctx->replica)->bytes, f->replica);
	if (rc == OK)
		rc = replica_stats(ctx->replica, &f->stats, msg);
	if (rc == OK)
		rc = standing_look(&f->standing, ctx, msg);
	if (rc == OK)
		rc = find_scrub(ctx, &f->scrub, msg);
	if (rc == OK && wants_hash)
		rc = replica_state_hash(ctx->replica, hash, msg);
	if (rc == OK && wants_hash)
		hex_encode(f->hash, bytes_of(hash, sizeof(hash)));
	if (rc == OK && wants_hash)
		rc = spaces_json(ctx, &f->spaces, msg);
	if (rc == OK)
		rc = find_daemon(ctx, f, msg);
	f->unsent = most_unsent(f->daemon);
	return rc;
}

static const char *office_code(const struct facts *f)
{
	return f->self ? f->self->office_code : "";
}

static json_t *facts_json(struct context *ctx, const struct facts *f)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:O?}",
		"organisation", (const char *)f->organisation.data, "office", office_code(f),
		"member", err_name(f->standing.member), "replica", f->replica, "folder",
		ctx->folder.path, "changesets", (json_int_t)f->stats.changesets, "feeds",
		(json_int_t)f->stats.feeds, "spaces", (json_int_t)f->stats.spaces, "records",
		(json_int_t)f->stats.records, "conflicts", (json_int_t)f->stats.conflicts,
		"quarantined", (json_int_t)f->standing.cut, "forks",
		(json_int_t)f->standing.forked_feeds, "database_bytes",
		(json_int_t)(f->stats.database_bytes + f->stats.wal_bytes), "unsent",
		f->unsent < 0 ? json_null() : json_integer(f->unsent), "daemon", f->daemon);

	if (json && f->scrub)
		json_object_set_new(json, "scrub", damage_view_json(f->scrub));
	if (json && f->hash[0])
		json_object_set_new(json, "state_hash", json_string(f->hash));
	if (json && f->spaces)
		json_object_set(json, "space_digests", f->spaces);
	return json;
}

static void line(const char *name, const char *value)
{
	if (*value)
		output_line(stdout, "%-*s%s", width_for_printf(name, LABEL_COLUMNS), name, value);
}

/* Only what somebody must do something about. */
static void print_disk(const json_t *disk)
{
	char text[256];

	if (!disk || strcmp(text_of(disk, "room"), "ample") == 0)
		return;
	snprintf(text, sizeof(text), _("%lld MB free: what peers send waits until there is room"),
		 (long long)json_integer_value(json_object_get(disk, "free_bytes")) >> 20);
	line(_("disk"), text);
}

/* Only what somebody should look at. */
static void print_standing(const struct standing *s)
{
	const char *advice = exit_advice(s->member);
	char text[256];

	if (s->member != OK)
		line(_("member"), s->why.text);
	if (s->member != OK && advice)
		line("", advice);
	snprintf(text, sizeof(text),
		 P_("%llu changeset: huitong quarantine", "%llu changesets: huitong quarantine",
		    s->cut),
		 (unsigned long long)s->cut);
	line(_("quarantine"), s->cut_feeds ? text : "");
	snprintf(text, sizeof(text),
		 P_("%zu feed wrote a changeset twice: huitong trust log",
		    "%zu feeds wrote a changeset twice: huitong trust log", s->forked_feeds),
		 s->forked_feeds);
	line(_("forks"), s->forked_feeds ? text : "");
}

static void print_damage(const struct damage_list *l)
{
	char text[DAMAGE_VIEW_BYTES];

	for (size_t i = 0; i < l->count; i++) {
		damage_view(text, &l->list[i]);
		line(_("damage"), text);
		line("", damage_prospect(&l->list[i]));
	}
	line(_("damage"), l->has_more ? _("and more than that") : "");
}

static void print_daemon(const struct facts *f)
{
	const json_t *peers = json_object_get(f->daemon, "peers");
	size_t in_sync = 0;
	char text[256];

	if (!f->daemon) {
		line(_("daemon"), f->silence.code ? _("silent") : _("not running: huitong serve"));
		return;
	}
	for (size_t i = 0; i < json_array_size(peers); i++)
		in_sync += strcmp(text_of(json_array_get(peers, i), "state"), "in-sync") == 0;
	snprintf(text, sizeof(text), _("process %lld, %zu of %zu peers in sync%s"),
		 (long long)json_integer_value(json_object_get(f->daemon, "pid")), in_sync,
		 json_array_size(peers),
		 json_is_true(json_object_get(f->daemon, "paused")) ? _(", paused") : "");
	line(_("daemon"), text);
	if (f->unsent < 0)
		snprintf(text, sizeof(text), "%s", _("unknown: no peer was met since the start"));
	else
		snprintf(text, sizeof(text), P_("%lld changeset", "%lld changesets", f->unsent),
			 (long long)f->unsent);
	line(_("unsent"), text);
	print_disk(json_object_get(f->daemon, "disk"));
}

static void print_facts(struct context *ctx, const struct facts *f)
{
	char text[256];

	line(_("organisation"), (const char *)f->organisation.data);
	line(_("office"), office_code(f));
	line(_("replica"), f->replica);
	line(_("folder"), ctx->folder.path);
	snprintf(text, sizeof(text), _("records: %llu, changesets: %llu, %.1f MB"),
		 (unsigned long long)f->stats.records, (unsigned long long)f->stats.changesets,
		 (double)(f->stats.database_bytes + f->stats.wal_bytes) / 1e6);
	line(_("holds"), text);
	snprintf(text, sizeof(text), "%llu%s", (unsigned long long)f->stats.conflicts,
		 f->stats.conflicts ? _(": huitong conflicts") : "");
	line(_("conflicts"), text);
	print_standing(&f->standing);
	if (f->scrub)
		print_damage(&f->scrub->damage);
	print_daemon(f);
	line(_("state hash"), f->hash);
	for (size_t i = 0; i < json_array_size(f->spaces); i++) {
		const json_t *space = json_array_get(f->spaces, i);

		snprintf(text, sizeof(text), _("%.12s holds %s, changesets: %lld"),
			 text_of(space, "id"), text_of(space, "digest"),
			 (long long)json_integer_value(json_object_get(space, "changesets")));
		line(_("space"), text);
	}
}

enum err cmd_status(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	struct facts f = { .unsent = -1 };
	enum err rc = gather(&f, ctx, args_has(args, "hash"), msg);

	if (rc == OK && ctx->is_json)
		rc = output_json(stdout, facts_json(ctx, &f), msg);
	else if (rc == OK)
		print_facts(ctx, &f);
	if (rc == OK && f.silence.code) {
		*msg = f.silence;
		rc = f.silence.code;
	}
	facts_release(&f);
	return rc;
}
