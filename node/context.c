#include "node/context.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "node/args.h"
#include "node/i18n.h"
#include "node/ref.h"
#include "node/rotation.h"
#include "node/swap.h"
#include "node/sys_error.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static void fill(void *ctx, uint8_t *out, size_t size)
{
	randombytes_buf(out, size);
}

struct dice system_dice(void)
{
	return (struct dice){ .fill = fill };
}

uint64_t system_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What another key signs, no office would accept. */
static enum err check_key(const struct context *ctx, struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);

	if (!self ||
	    memcmp(self->identity.sign_key, ctx->identity.sign_public, SIGN_PUBLIC_BYTES) == 0)
		return OK;
	return errmsg_set(msg, ERR_KEY, _("%s is not the key of this replica"),
			  ctx->folder.identity);
}

/* An empty file, which has an inode from now on. */
static enum err create_file(const char *path, struct errmsg *msg)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return sys_error(path, msg);
	close(fd);
	return OK;
}

enum err context_open_replica(struct context *ctx, bool create, bool read_only, struct errmsg *msg)
{
	struct replica_config config = {
		.path = ctx->folder.database,
		.create = create,
		.read_only = read_only,
		.sign_secret = read_only ? NULL : ctx->identity.sign_secret,
		.dice = system_dice(),
		.now_ms = ctx->now_ms,
		.mark = &ctx->mark.port,
	};
	/* SQLite would only say that it can't open something. */
	enum err rc = read_only ? OK : folder_check_writable(&ctx->folder, msg);

	mark_file_init(&ctx->mark, ctx->folder.mark);
	if (rc == OK && create)
		rc = create_file(ctx->folder.database, msg);
	if (rc == OK && !read_only)
		rc = machine_read(ctx->machine, MACHINE_ID_FILE, ctx->folder.database, msg);
	config.machine = bytes_of_str(ctx->machine);
	if (rc == OK)
		rc = replica_open(&ctx->replica, &config, msg);
	if (rc == OK && !read_only && !create) /* who begins may begin with another key */
		rc = check_key(ctx, msg);
	return rc;
}

unsigned context_days_ahead(const struct context *ctx)
{
	struct hlc_stamp clock = replica_clock(ctx->replica);

	if (!hlc_is_future(clock, ctx->now_ms))
		return 0;
	return (unsigned)((hlc_wall_ms(clock) - ctx->now_ms) / DAY_MS);
}

/* The clock was ahead once: whoever writes should know that nobody will read it soon. */
static void warn_if_ahead(const struct context *ctx)
{
	unsigned days = context_days_ahead(ctx);

	if (days)
		fprintf(stderr,
			P_("huitong: stamps run %u day ahead of the clock; other offices wait as "
			   "long for what you record (huitong doctor)\n",
			   "huitong: stamps run %u days ahead of the clock; other offices wait as "
			   "long for what you record (huitong doctor)\n",
			   days),
			days);
}

/* Finish what a process that was killed has begun. */
static enum err settle(struct context *ctx, struct errmsg *msg)
{
	enum err rc = swap_settle(&ctx->folder, msg);

	return rc == OK ? rotation_settle(ctx, msg) : rc;
}

/* What the needs ask for beside the folder. */
static enum err open_for(struct context *ctx, enum command_needs needs, struct errmsg *msg)
{
	enum err rc = OK;

	if (needs >= NEEDS_FOLDER)
		rc = settle(ctx, msg);
	if (rc == OK && needs >= NEEDS_FOLDER)
		rc = zone_db_new(&ctx->zones, NULL, msg);
	if (rc == OK && needs >= NEEDS_REPLICA)
		rc = folder_check(&ctx->folder, msg);
	if (rc == OK && needs == NEEDS_EDITING)
		rc = identity_load(&ctx->identity, ctx->folder.identity, msg);
	if (rc == OK && needs >= NEEDS_REPLICA)
		rc = context_open_replica(ctx, false, needs == NEEDS_REPLICA, msg);
	return rc;
}

enum err context_open(struct context *ctx, const struct args *args, struct errmsg *msg)
{
	enum command_needs needs = args->command->needs;
	enum err rc = OK;

	*ctx = (struct context){ .now_ms = system_now_ms(),
				 .is_json = args_has(args, "json"),
				 .as = args_option(args, "as"),
				 .mark.fd = -1,
				 .arena = ARENA_EMPTY };
	if (needs >= NEEDS_FOLDER)
		rc = folder_locate(&ctx->folder, args_option(args, "replica"), msg);
	if (rc == OK)
		rc = open_for(ctx, needs, msg);
	if (rc == OK && needs == NEEDS_EDITING)
		warn_if_ahead(ctx);
	return rc;
}

void context_let_go(struct context *ctx)
{
	replica_close(ctx->replica);
	ctx->replica = NULL;
	mark_file_release(&ctx->mark);
	zone_db_free(ctx->zones);
	ctx->zones = NULL;
	ctx->reader = (struct when_reader){ 0 };
	identity_clear(&ctx->identity);
}

enum err context_take_again(struct context *ctx, struct errmsg *msg)
{
	ctx->now_ms = system_now_ms();
	return open_for(ctx, NEEDS_EDITING, msg);
}

void context_close(struct context *ctx)
{
	context_let_go(ctx);
	arena_release(&ctx->arena);
	buf_release(&ctx->advice);
}

void context_advise(struct context *ctx, const char *fmt, ...)
{
	char *line = NULL;
	va_list args;
	int size;

	va_start(args, fmt);
	size = vasprintf(&line, fmt, args);
	va_end(args);
	if (size < 0)
		return;
	buf_printf(&ctx->advice, "%s\n", line);
	free(line);
}

enum err context_author(struct context *ctx, struct record_id *out, struct errmsg *msg)
{
	const char *variable = getenv("HUITONG_PERSON");
	struct buf setting = BUF_EMPTY;
	enum err rc = OK;

	if (ctx->as)
		return ref_find_id(ctx, KIND_PERSON, ctx->as, out, msg);
	if (variable && *variable)
		return ref_find_id(ctx, KIND_PERSON, variable, out, msg);
	rc = replica_setting(ctx->replica, SETTING_PERSON, &setting, msg);
	if (rc == ERR_NOT_FOUND) {
		*out = (struct record_id){ 0 };
		return OK;
	}
	buf_append_byte(&setting, 0);
	if (rc == OK)
		rc = buf_check(&setting);
	if (rc == OK && hex_decode(out->bytes, ID_BYTES, (const char *)setting.data) != OK)
		rc = errmsg_set(msg, ERR_CORRUPT, _("the setting \"%s\" is not an id"),
				SETTING_PERSON);
	buf_release(&setting);
	return rc;
}

/* The first row's text; "" when there is none. */
static enum err query_zone(struct context *ctx, const char *sql, const struct record_id *id,
			   char out[ZONE_NAME_BYTES], struct errmsg *msg)
{
	struct value arg = value_ref(id);
	struct rows *rows;
	enum err rc = rows_open(&rows, ctx->replica, sql, &arg, 1, msg);

	out[0] = 0;
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		snprintf(out, ZONE_NAME_BYTES, "%s", rows_text(rows, 0));
	return rows_close(rows, msg);
}

/* The author's own zone, else that of the office which this node belongs to. */
static enum err zone_in_directory(struct context *ctx, char out[ZONE_NAME_BYTES],
				  struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	struct record_id author;
	enum err rc = context_author(ctx, &author, msg);

	out[0] = 0;
	if (rc == OK && !record_id_is_nil(&author))
		rc = query_zone(ctx, "SELECT zone FROM r_person WHERE id = ?", &author, out, msg);
	if (rc == OK && !*out && self)
		rc = query_zone(ctx, "SELECT zone FROM r_office WHERE id = ?", &self->office, out,
				msg);
	return rc;
}

enum err context_reader(struct context *ctx, const struct when_reader **out, struct errmsg *msg)
{
	const char *variable = getenv("TZ");
	char zone[ZONE_NAME_BYTES] = "";
	enum err rc = OK;

	if (!ctx->reader.zones) {
		if (!(variable && *variable) && ctx->replica)
			rc = zone_in_directory(ctx, zone, msg);
		if (rc == OK)
			rc = when_reader_init(&ctx->reader, ctx->zones, *zone ? zone : NULL,
					      (int64_t)(ctx->now_ms / 1000), msg);
	}
	if (rc == OK)
		*out = &ctx->reader;
	return rc;
}
