/* doctor: looks at everything this node stands on, changes nothing. */
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "core/limits.h"
#include "node/cmd.h"
#include "node/control.h"
#include "node/damage_view.h"
#include "node/i18n.h"
#include "node/left_over.h"
#include "node/output.h"
#include "node/ref.h"
#include "node/standing.h"
#include "node/width.h"

enum {
	GRADE_COLUMNS = 5,
	FREE_MB_LOW = 1024,
	FREE_MB_TOO_LOW = 64,
	SKEW_MS_MAX = 60 * 1000,
	TZDATA_YEARS_MAX = 1,
};

enum grade { GRADE_OK, GRADE_WARN, GRADE_FAIL };

struct finding {
	enum grade grade;
	char detail[ERRMSG_BYTES_MAX];
	const char *advice; /* translated; NULL: none */
};

struct doctor {
	struct context *ctx;
	struct identity identity; /* empty unless it could be loaded */
	bool has_identity;
	json_t *daemon; /* its status; NULL: none is running */
	unsigned counts[GRADE_FAIL + 1];
};

static void find(struct finding *f, enum grade grade, const char *advice, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static void find(struct finding *f, enum grade grade, const char *advice, const char *fmt, ...)
{
	va_list args;

	f->grade = grade;
	f->advice = advice;
	va_start(args, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, args);
	va_end(args);
}

static void find_error(struct finding *f, enum err code, const struct errmsg *msg)
{
	find(f, GRADE_FAIL, exit_advice(code), "%s", msg->text);
}

/* ---- The checks ---------------------------------------------------------- */

static void check_folder(struct doctor *d, struct finding *f)
{
	struct errmsg msg = { 0 };
	enum err rc = folder_check(&d->ctx->folder, &msg);

	if (rc != OK)
		find_error(f, rc, &msg);
	else if (!folder_is_private(&d->ctx->folder))
		find(f, GRADE_FAIL, _("chmod 700 it."), _("others may enter %s"),
		     d->ctx->folder.path);
	else
		find(f, GRADE_OK, NULL, "%s", d->ctx->folder.path);
}

static void check_key(struct doctor *d, struct finding *f)
{
	struct errmsg msg = { 0 };
	enum err rc = identity_load(&d->identity, d->ctx->folder.identity, &msg);

	d->has_identity = rc == OK;
	if (rc != OK)
		find_error(f, rc, &msg);
	else
		find(f, GRADE_OK, NULL, _("present, and only its owner can read it"));
}

static void check_replica(struct doctor *d, struct finding *f)
{
	struct replica_stats stats;
	struct errmsg msg = { 0 };
	enum err rc = context_open_replica(d->ctx, false, true, &msg);

	if (rc == OK)
		rc = replica_quick_check(d->ctx->replica, &msg);
	if (rc == OK)
		rc = replica_stats(d->ctx->replica, &stats, &msg);
	if (rc != OK)
		find_error(f, rc, &msg);
	else
		find(f, GRADE_OK, NULL,
		     P_("structure sound, %llu changeset (all of it: huitong verify)",
			"structure sound, %llu changesets (all of it: huitong verify)",
			stats.changesets),
		     (unsigned long long)stats.changesets);
}

static void check_membership(struct doctor *d, struct finding *f)
{
	const struct member *self = replica_self(d->ctx->replica);
	struct errmsg msg = { 0 };
	enum err rc = replica_check_member(d->ctx->replica, &msg);

	if (!replica_has_org(d->ctx->replica))
		find(f, GRADE_FAIL, _("Run huitong init or huitong join."),
		     _("belongs to no organisation yet"));
	else if (rc == ERR_REVOKED || rc == ERR_SUPERSEDED)
		find_error(f, rc, &msg);
	else if (!self)
		find(f, GRADE_WARN, _("Let huitong serve fetch the directory."),
		     _("not in its own directory yet"));
	else if (d->has_identity &&
		 memcmp(self->identity.sign_key, d->identity.sign_public, SIGN_PUBLIC_BYTES) != 0)
		find(f, GRADE_FAIL, exit_advice(ERR_KEY),
		     _("identity.key is not the key that the directory has for this node"));
	else
		find(f, GRADE_OK, NULL, _("a node of office %s"), self->office_code);
}

static void check_author(struct doctor *d, struct finding *f)
{
	struct record_id author;
	struct buf name = BUF_EMPTY;
	struct errmsg msg = { 0 };
	enum err rc = context_author(d->ctx, &author, &msg);

	if (rc == OK && !record_id_is_nil(&author))
		rc = ref_label(d->ctx, KIND_PERSON, &author, &name, &msg);
	if (rc != OK)
		find_error(f, rc, &msg);
	else if (record_id_is_nil(&author))
		find(f, GRADE_WARN, _("Say --as PERSON or set HUITONG_PERSON."),
		     _("what you record will bear no name"));
	else
		find(f, GRADE_OK, NULL, "%.*s", (int)name.size, (const char *)name.data);
	buf_release(&name);
}

static void check_clock(struct doctor *d, struct finding *f)
{
	const json_t *peers = json_object_get(d->daemon, "peers");
	const json_t *worst = NULL;
	json_int_t most = SKEW_MS_MAX;
	unsigned days = d->ctx->replica ? context_days_ahead(d->ctx) : 0;

	if (d->ctx->now_ms < WALL_MS_MIN) {
		find(f, GRADE_FAIL, exit_advice(ERR_CLOCK), _("it shows a time before 2020"));
		return;
	}
	if (days) {
		find(f, GRADE_FAIL,
		     _("Wait, or join again as a new node: see OPERATIONS, \"clocks\"."),
		     P_("it was ahead: other offices hold back what is recorded here for %u day",
			"it was ahead: other offices hold back what is recorded here for %u days",
			days),
		     days);
		return;
	}
	for (size_t i = 0; i < json_array_size(peers); i++) {
		const json_t *peer = json_array_get(peers, i);
		json_int_t skew = llabs(json_integer_value(json_object_get(peer, "skew_ms")));

		if (skew > most) {
			most = skew;
			worst = peer;
		}
	}
	if (worst)
		find(f, GRADE_WARN, _("Have both machines set their clocks by NTP."),
		     _("%lld s apart from %s"), (long long)most / 1000,
		     json_string_value(json_object_get(worst, "office")));
	else
		find(f, GRADE_OK, NULL, _("plausible"));
}

static void check_disk(struct doctor *d, struct finding *f)
{
	const json_t *disk = json_object_get(d->daemon, "disk");
	const char *room = json_string_value(json_object_get(disk, "room"));
	struct statvfs fs;
	unsigned long long free_mb;

	if (statvfs(d->ctx->folder.path, &fs) != 0) {
		find(f, GRADE_FAIL, NULL, "%s: %s", d->ctx->folder.path, strerror(errno));
		return;
	}
	free_mb = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
	if (room && strcmp(room, "ample") != 0) {
		find(f, GRADE_FAIL, _("Free space on that disk."),
		     _("%llu MB free: what peers send waits until there is room"), free_mb);
		return;
	}
	find(f,
	     free_mb < FREE_MB_TOO_LOW ? GRADE_FAIL
	     : free_mb < FREE_MB_LOW   ? GRADE_WARN
				       : GRADE_OK,
	     free_mb < FREE_MB_LOW ? _("Free space on that disk.") : NULL, _("%llu MB free"),
	     free_mb);
}

static void check_tzdata(struct doctor *d, struct finding *f)
{
	char version[ZONE_VERSION_BYTES];
	int64_t days = civil_days_from_s((int64_t)(d->ctx->now_ms / 1000));
	int year = civil_date_from_days(days).year;

	zone_db_version(d->ctx->zones, version);
	if (!*version)
		find(f, GRADE_WARN, _("Install the package tzdata."),
		     _("the time zone database does not tell its version"));
	else if (atoi(version) < year - TZDATA_YEARS_MAX)
		find(f, GRADE_WARN, _("Upgrade the package tzdata: zones change their laws."),
		     _("version %s is old"), version);
	else
		find(f, GRADE_OK, NULL, _("version %s"), version);
}

static void check_locale(struct doctor *d, struct finding *f)
{
	const char *codeset = nl_langinfo(CODESET);

	if (strcmp(codeset, "UTF-8") == 0)
		find(f, GRADE_OK, NULL, "%s", codeset);
	else
		find(f, GRADE_WARN, _("export LANG=C.UTF-8, or your own language's."),
		     _("%s: messages in other languages may come out wrong"), codeset);
}

static void check_daemon(struct doctor *d, struct finding *f)
{
	struct errmsg msg = { 0 };
	enum err rc = control_ask(d->ctx->folder.path, CONTROL_STATUS, &d->daemon, &msg);

	if (rc == ERR_NOT_FOUND)
		find(f, GRADE_WARN, _("Start it: huitong serve."),
		     _("not running: nothing is sent"));
	else if (rc != OK)
		find_error(f, rc, &msg);
	else if (json_is_true(json_object_get(d->daemon, "paused")))
		find(f, GRADE_WARN, _("huitong sync resume"), _("paused"));
	else
		find(f, GRADE_OK, NULL, _("process %lld"),
		     (long long)json_integer_value(json_object_get(d->daemon, "pid")));
}

static void check_peers(struct doctor *d, struct finding *f)
{
	const json_t *peers = json_object_get(d->daemon, "peers");
	size_t in_sync = 0;

	if (!d->daemon) {
		find(f, GRADE_WARN, NULL, _("only a running daemon knows"));
		return;
	}
	for (size_t i = 0; i < json_array_size(peers); i++) {
		const json_t *peer = json_array_get(peers, i);
		const char *state = json_string_value(json_object_get(peer, "state"));
		const char *error = json_string_value(json_object_get(peer, "last_error"));

		if (state && strcmp(state, "in-sync") == 0) {
			in_sync++;
		} else if (error && *error) {
			find(f, GRADE_WARN, _("huitong peers tells more."), "%s: %s",
			     json_string_value(json_object_get(peer, "office")), error);
			return;
		}
	}
	find(f, in_sync == json_array_size(peers) ? GRADE_OK : GRADE_WARN, NULL,
	     _("%zu of %zu in sync"), in_sync, json_array_size(peers));
}

static void check_conflicts(struct doctor *d, struct finding *f)
{
	struct replica_stats stats;
	struct errmsg msg = { 0 };
	enum err rc = replica_stats(d->ctx->replica, &stats, &msg);

	if (rc != OK)
		find_error(f, rc, &msg);
	else if (stats.conflicts)
		find(f, GRADE_WARN, _("huitong conflicts lists them."),
		     P_("%llu waits for a choice", "%llu wait for a choice", stats.conflicts),
		     (unsigned long long)stats.conflicts);
	else
		find(f, GRADE_OK, NULL, _("none"));
}

static void check_drafts(struct doctor *d, struct finding *f)
{
	const struct left_over *list;
	struct errmsg msg = { 0 };
	size_t count;
	enum err rc = left_over_list(d->ctx, &list, &count, &msg);

	if (rc != OK)
		find_error(f, rc, &msg);
	else if (count)
		find(f, GRADE_WARN, _("huitong drafts lists them."),
		     P_("%zu text was typed and is not stored",
			"%zu texts were typed and are not stored", count),
		     count);
	else
		find(f, GRADE_OK, NULL, _("none"));
}

static void check_quarantine(struct doctor *d, struct finding *f)
{
	struct standing standing;
	struct errmsg msg = { 0 };
	enum err rc = standing_look(&standing, d->ctx, &msg);

	if (rc != OK)
		find_error(f, rc, &msg);
	else if (standing.cut_feeds)
		find(f, GRADE_WARN, _("huitong quarantine lists them."),
		     P_("%llu changeset is held and left out",
			"%llu changesets are held and left out", standing.cut),
		     (unsigned long long)standing.cut);
	else
		find(f, GRADE_OK, NULL, _("empty"));
}

/* What the daemon's scrub has found; it is a while ago. */
static void check_damage(struct doctor *d, struct finding *f)
{
	struct scrub_state *state = calloc(1, sizeof(*state));
	const struct damage *first = state ? &state->damage.list[0] : NULL;
	struct errmsg msg = { 0 };
	char text[DAMAGE_VIEW_BYTES];
	enum err rc = state ? scrub_look(d->ctx->replica, state, &msg) : ERR_NOMEM;

	if (rc != OK) {
		find(f, GRADE_OK, NULL, _("the daemon has not looked for any yet"));
	} else if (state->damage.count) {
		damage_view(text, first);
		find(f, GRADE_FAIL, damage_prospect(first),
		     state->damage.count > 1 ? _("%s, and more: huitong status") : "%s", text);
	} else {
		find(f, GRADE_OK, NULL, _("none"));
	}
	free(state);
}

static void check_forks(struct doctor *d, struct finding *f)
{
	struct standing standing;
	struct errmsg msg = { 0 };
	enum err rc = standing_look(&standing, d->ctx, &msg);

	if (rc != OK)
		find_error(f, rc, &msg);
	else if (standing.forked_feeds)
		find(f, GRADE_WARN, _("A copy of a node wrote, too: see OPERATIONS, \"forks\"."),
		     P_("%zu feed has two branches", "%zu feeds have two branches",
			standing.forked_feeds),
		     standing.forked_feeds);
	else
		find(f, GRADE_OK, NULL, _("none"));
}

/* In this order: what comes later may stand on what came before. */
static const struct check {
	const char *name;
	bool needs_replica;
	void (*look)(struct doctor *d, struct finding *f);
} checks[] = {
	{ "folder", false, check_folder },        { "key", false, check_key },
	{ "replica", false, check_replica },      { "damage", true, check_damage },
	{ "membership", true, check_membership }, { "author", true, check_author },
	{ "daemon", false, check_daemon },        { "peers", true, check_peers },
	{ "clock", false, check_clock },          { "disk", false, check_disk },
	{ "tzdata", false, check_tzdata },        { "locale", false, check_locale },
	{ "conflicts", true, check_conflicts },   { "drafts", true, check_drafts },
	{ "quarantine", true, check_quarantine }, { "forks", true, check_forks },
};

/* ---- The report ---------------------------------------------------------- */

static void report(const struct check *check, const struct finding *f, json_t *array)
{
	static const char *const words[] = { N_("ok"), N_("warn"), N_("FAIL") };
	static const char *const keys[] = { "ok", "warn", "fail" };

	if (array) {
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s?}", "check",
						       check->name, "result", keys[f->grade],
						       "detail", f->detail, "advice", f->advice));
		return;
	}
	output_line(stdout, "%-*s %-11s %s", width_for_printf(_(words[f->grade]), GRADE_COLUMNS),
		    _(words[f->grade]), check->name, f->detail);
	if (f->grade != GRADE_OK && f->advice)
		output_line(stdout, "%-*s %-11s -> %s", GRADE_COLUMNS, "", "", f->advice);
}

static void examine(struct doctor *d, json_t *array)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct finding f = { .grade = GRADE_OK };

		if (checks[i].needs_replica && !d->ctx->replica)
			continue;
		checks[i].look(d, &f);
		report(&checks[i], &f, array);
		d->counts[f.grade]++;
	}
}

enum err cmd_doctor(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	json_t *array = ctx->is_json ? json_array() : NULL;
	struct doctor d = { .ctx = ctx };
	enum err rc = OK;

	examine(&d, array);
	if (array)
		rc = output_json(stdout, array, msg);
	if (rc == OK && d.counts[GRADE_FAIL])
		rc = errmsg_set(msg, ERR_IO,
				P_("%u check failed", "%u checks failed", d.counts[GRADE_FAIL]),
				d.counts[GRADE_FAIL]);
	identity_clear(&d.identity);
	json_decref(d.daemon);
	return rc;
}
