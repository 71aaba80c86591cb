#include "node/space.h"

#include "node/i18n.h"
#include "node/ref.h"

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

enum err space_offices(struct context *ctx, const uint8_t space[ID_BYTES], struct buf *out,
		       struct errmsg *msg)
{
	static const char sql[] =
		"SELECT DISTINCT o.code FROM r_space p "
		"JOIN element e ON e.record = p.id AND e.kind = ?2 AND e.field = ?3 "
		"JOIN r_office o ON o.id = e.value "
		"WHERE p.space_id = ?1 ORDER BY o.code";
	struct value args[] = { value_bytes(bytes_of(space, ID_BYTES)), value_int(KIND_SPACE),
				value_int(SPACE_OFFICES) };
	struct rows *rows;
	size_t count = 0;
	enum err rc = rows_open(&rows, ctx->replica, sql, args, 3, msg);

	if (rc != OK)
		return rc;
	while (rows_next(rows))
		buf_printf(out, "%s%s", count++ ? " " : "", rows_text(rows, 0));
	return rows_close(rows, msg);
}
