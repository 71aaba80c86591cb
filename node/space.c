#include "node/space.h"

#include <strings.h>

#include "node/i18n.h"
#include "node/ref.h"

enum { PREFIX_MIN = 4, ID_CHARS_SHOWN = 8 };

#define DIRECTORY_NAME "directory"

enum err space_of(struct context *ctx, uint16_t kind, const struct record_id *id,
		  struct space_id *out, struct errmsg *msg)
{
	struct record ignored;

	return replica_record(ctx->replica, kind, id, &ctx->arena, &ignored, out, msg);
}

/* The spaces of all collaborations that are not voided. */
static enum err only_one(struct context *ctx, struct space_id *out, struct errmsg *msg)
{
	static const char sql[] = "SELECT s.id, r.number, r.title FROM r_collaboration r "
				  "JOIN space_index s ON s.idx = r.space WHERE r.life <> 1 "
				  "ORDER BY r.number LIMIT 6";
	struct buf names = BUF_EMPTY;
	struct record_id found = { 0 };
	struct rows *rows;
	unsigned count = 0;
	enum err rc = rows_open(&rows, ctx->replica, sql, NULL, 0, msg);

	if (rc != OK)
		return rc;
	while (rows_next(rows)) {
		found = rows_id(rows, 0);
		buf_printf(&names, "%s%s %s", count++ ? ", " : "", rows_text(rows, 1),
			   rows_text(rows, 2));
	}
	rc = rows_close(rows, msg);
	if (rc == OK && count == 0)
		rc = errmsg_set(msg, ERR_NOT_FOUND,
				_("no collaboration here yet: huitong collab new TITLE"));
	if (rc == OK && count > 1)
		rc = errmsg_set(msg, ERR_AMBIGUOUS,
				_("several collaborations, say which by --collab: %.*s"),
				(int)names.size, (const char *)names.data);
	if (rc == OK)
		memcpy(out->bytes, found.bytes, ID_BYTES);
	buf_release(&names);
	return rc;
}

enum err space_chosen(struct context *ctx, const struct args *args, struct space_id *out,
		      struct errmsg *msg)
{
	const char *chosen = args_option(args, "collab");
	struct record_id id;
	enum err rc;

	if (!chosen)
		return only_one(ctx, out, msg);
	rc = ref_find_id(ctx, KIND_COLLABORATION, chosen, &id, msg);
	if (rc == OK)
		rc = space_of(ctx, KIND_COLLABORATION, &id, out, msg);
	return rc;
}

enum err space_find(struct context *ctx, const char *text, struct space_id *out, struct errmsg *msg)
{
	const struct trust *t = replica_trust(ctx->replica);
	size_t size = strlen(text), found = 0;
	struct record_id id;
	enum err rc;

	if (strcmp(text, DIRECTORY_NAME) == 0) {
		*out = replica_directory(ctx->replica);
		return OK;
	}
	for (size_t i = 0; t && i < t->space_count && size >= PREFIX_MIN; i++) {
		char hex[ID_TEXT_SIZE];

		if (strncasecmp(id_text(t->spaces[i].bytes, hex), text, size) == 0) {
			*out = t->spaces[i];
			found++;
		}
	}
	if (found == 1)
		return OK;
	if (found > 1)
		return errmsg_set(msg, ERR_AMBIGUOUS, _("\"%s\" fits several spaces"), text);
	rc = ref_find_id(ctx, KIND_COLLABORATION, text, &id, msg);
	return rc == OK ? space_of(ctx, KIND_COLLABORATION, &id, out, msg) : rc;
}

/* The first row's text, if there is any. */
static bool append_first(struct context *ctx, const char *sql, const struct space_id *space,
			 struct buf *out)
{
	struct value arg = value_bytes(bytes_of(space->bytes, ID_BYTES));
	size_t before = out->size;
	struct rows *rows;

	if (rows_open(&rows, ctx->replica, sql, &arg, 1, NULL) != OK)
		return false;
	if (rows_next(rows))
		buf_append_str(out, rows_text(rows, 0));
	return rows_close(rows, NULL) == OK && out->size > before;
}

void space_label(struct context *ctx, const struct space_id *space, struct buf *out)
{
	struct space_id directory = replica_directory(ctx->replica);
	char id[ID_TEXT_SIZE];

	if (space_id_cmp(space, &directory) == 0)
		buf_append_str(out, DIRECTORY_NAME);
	else if (!append_first(ctx,
			       "SELECT r.number FROM r_collaboration r JOIN space_index s "
			       "ON s.idx = r.space WHERE s.id = ? ORDER BY r.id LIMIT 1",
			       space, out) &&
		 !append_first(ctx,
			       "SELECT name FROM r_space WHERE space_id = ? ORDER BY id LIMIT 1",
			       space, out))
		buf_printf(out, "%.*s", ID_CHARS_SHOWN, id_text(space->bytes, id));
}

enum err space_offices(struct context *ctx, const uint8_t space[ID_BYTES], struct buf *out,
		       struct errmsg *msg)
{
	const struct trust *t = replica_trust(ctx->replica);
	size_t count = 0;

	for (size_t i = 0; t && i < t->grant_count; i++)
		if (memcmp(t->grants[i].space.bytes, space, ID_BYTES) == 0)
			buf_printf(out, "%s%s", count++ ? " " : "", t->grants[i].office_code);
	return buf_check(out);
}
