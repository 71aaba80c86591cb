#include "node/ref.h"

#include <ctype.h>
#include <stdlib.h>

#include "node/i18n.h"

/* What people call a record of each kind: columns of its table. */
static const struct naming {
	uint16_t kind;
	const char *word;   /* N_(), the kind's own name */
	const char *number; /* unique, upper-case, or NULL */
	const char *name;   /* or NULL */
} namings[] = {
	{ KIND_ORGANISATION, N_("organisation"), NULL, "name" },
	{ KIND_OFFICE, N_("office"), "code", "name" },
	{ KIND_NODE, N_("node"), NULL, "name" },
	{ KIND_PERSON, N_("person"), NULL, "name" },
	{ KIND_SPACE, N_("space"), NULL, "name" },
	{ KIND_COLLABORATION, N_("collaboration"), "number", "title" },
	{ KIND_MEETING, N_("meeting"), "number", "title" },
	{ KIND_TOPIC, N_("topic"), NULL, "title" },
	{ KIND_MINUTES, N_("minutes"), "number", NULL },
	{ KIND_BLOCK, N_("block of minutes"), NULL, NULL },
	{ KIND_ACTION, N_("action item"), "number", "title" },
};

enum { CANDIDATES_MAX = 6, CANDIDATE_NAME_MAX = 64, ID_CHARS_MIN = 4, ID_CHARS_SHOWN = 8 };

struct candidate {
	struct ref ref;
	char name[CANDIDATE_NAME_MAX];
};

struct search {
	struct context *ctx;
	uint16_t kind; /* 0: any */
	const char *text;
	struct candidate found[CANDIDATES_MAX];
	size_t count; /* may be more than were kept */
};

static const struct naming *find_naming(uint16_t kind)
{
	for (size_t i = 0; i < sizeof(namings) / sizeof(namings[0]); i++)
		if (namings[i].kind == kind)
			return &namings[i];
	return NULL;
}

static void keep(struct search *s, uint16_t kind, struct rows *rows)
{
	struct candidate *c;

	if (s->count++ >= CANDIDATES_MAX)
		return;
	c = &s->found[s->count - 1];
	c->ref = (struct ref){ kind, rows_id(rows, 0) };
	snprintf(c->name, sizeof(c->name), "%s",
		 *rows_text(rows, 1) ? rows_text(rows, 1) : _(find_naming(kind)->word));
}

/* Add the records of one kind for which the condition holds. */
static enum err collect(struct search *s, const struct naming *naming, const char *condition,
			const struct value *args, size_t arg_count, struct errmsg *msg)
{
	const char *label = naming->number ? naming->number : naming->name;
	struct rows *rows;
	char sql[512];
	enum err rc;

	snprintf(sql, sizeof(sql), "SELECT id, %s FROM r_%s WHERE %s LIMIT %d",
		 label ? label : "''", schema_kind(naming->kind)->name, condition,
		 CANDIDATES_MAX + 1);
	rc = rows_open(&rows, s->ctx->replica, sql, args, arg_count, msg);
	if (rc != OK)
		return rc;
	while (rows_next(rows))
		keep(s, naming->kind, rows);
	return rows_close(rows, msg);
}

static enum err by_number(struct search *s, const struct naming *naming, struct errmsg *msg)
{
	char upper[NUMBER_TEXT_MAX];
	struct value args[2];
	char condition[128];
	size_t size = strlen(s->text);

	if (!naming->number || size >= sizeof(upper) || (!s->kind && !strchr(s->text, '-')))
		return OK;
	for (size_t i = 0; i <= size; i++)
		upper[i] = (char)toupper((unsigned char)s->text[i]);
	args[0] = value_str(s->text);
	args[1] = value_str(upper);
	snprintf(condition, sizeof(condition), "%s IN (?1, ?2)", naming->number);
	return collect(s, naming, condition, args, 2, msg);
}

static enum err by_name(struct search *s, const struct naming *naming, struct errmsg *msg)
{
	struct value arg = value_str(s->text);
	char condition[128];

	if (!s->kind || !naming->name)
		return OK;
	snprintf(condition, sizeof(condition), "%s = ?1 AND life <> %d", naming->name, RECORD_VOID);
	return collect(s, naming, condition, &arg, 1, msg);
}

static enum err by_id(struct search *s, const struct naming *naming, struct errmsg *msg)
{
	struct record_id low, high;
	char text[ID_TEXT_SIZE];
	struct value args[2];
	size_t size = strlen(s->text);

	if (size < ID_CHARS_MIN || size > 2 * ID_BYTES)
		return OK;
	memset(text, '0', 2 * ID_BYTES);
	text[2 * ID_BYTES] = 0;
	memcpy(text, s->text, size);
	if (hex_decode(low.bytes, ID_BYTES, text) != OK)
		return OK;
	memset(text + size, 'f', 2 * ID_BYTES - size);
	if (hex_decode(high.bytes, ID_BYTES, text) != OK)
		return OK;
	args[0] = value_ref(&low);
	args[1] = value_ref(&high);
	return collect(s, naming, "id BETWEEN ?1 AND ?2", args, 2, msg);
}

static enum err by_beginning(struct search *s, const struct naming *naming, struct errmsg *msg)
{
	struct value arg = value_str(s->text);
	char condition[160];

	if (!s->kind || !naming->name || !s->text[0])
		return OK;
	snprintf(condition, sizeof(condition),
		 "substr(%s, 1, length(?1)) = ?1 COLLATE NOCASE AND life <> %d", naming->name,
		 RECORD_VOID);
	return collect(s, naming, condition, &arg, 1, msg);
}

/* The first that finds anything decides. */
static enum err (*const ways[])(struct search *, const struct naming *, struct errmsg *) = {
	by_number,
	by_name,
	by_id,
	by_beginning,
};

static enum err search(struct search *s, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]) && s->count == 0; way++)
		for (size_t i = 0; i < sizeof(namings) / sizeof(namings[0]) && rc == OK; i++)
			if (!s->kind || namings[i].kind == s->kind)
				rc = ways[way](s, &namings[i], msg);
	return rc;
}

static size_t same_chars(const struct record_id *x, const struct record_id *y)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	size_t same = 0;

	id_text(x->bytes, a);
	id_text(y->bytes, b);
	while (a[same] && a[same] == b[same])
		same++;
	return same;
}

/* Hex digits by which the shown candidates differ. */
static int distinct_chars(const struct search *s)
{
	size_t most = ID_CHARS_SHOWN;

	for (size_t i = 1; i < s->count && i < CANDIDATES_MAX; i++)
		for (size_t k = 0; k < i; k++) {
			size_t same = same_chars(&s->found[k].ref.id, &s->found[i].ref.id);

			most = same + 1 > most ? same + 1 : most;
		}
	return (int)most;
}

static enum err ambiguous(const struct search *s, struct errmsg *msg)
{
	struct buf list = BUF_EMPTY;
	char id[ID_TEXT_SIZE];
	int chars = distinct_chars(s);

	for (size_t i = 0; i < s->count && i < CANDIDATES_MAX; i++)
		buf_printf(&list, "%s%s (%.*s)", i ? ", " : "", s->found[i].name, chars,
			   id_text(s->found[i].ref.id.bytes, id));
	if (s->count > CANDIDATES_MAX)
		buf_append_str(&list, ", …");
	errmsg_set(msg, ERR_AMBIGUOUS, _("\"%s\" fits several: %.*s"), s->text, (int)list.size,
		   (const char *)list.data);
	buf_release(&list);
	return ERR_AMBIGUOUS;
}

static enum err missing(const struct search *s, struct errmsg *msg)
{
	if (!s->kind)
		return errmsg_set(msg, ERR_NOT_FOUND, _("no record \"%s\""), s->text);
	return errmsg_set(msg, ERR_NOT_FOUND, _("no %s \"%s\""), _(find_naming(s->kind)->word),
			  s->text);
}

/* "MN-SHA-2026-0001/3": the block at that place. */
static enum err find_block(struct context *ctx, const char *text, const char *slash,
			   struct ref *out, struct errmsg *msg)
{
	long place = strtol(slash + 1, NULL, 10);
	char number[NUMBER_TEXT_MAX];
	struct value args[2];
	struct record_id minutes, block = { 0 };
	struct rows *rows;
	enum err rc;

	snprintf(number, sizeof(number), "%.*s", (int)(slash - text), text);
	rc = ref_find_id(ctx, KIND_MINUTES, number, &minutes, msg);
	if (rc != OK)
		return rc;
	args[0] = value_ref(&minutes);
	args[1] = value_int(place - 1);
	rc = rows_open(&rows, ctx->replica,
		       "SELECT id FROM r_block WHERE minutes = ?1 AND life <> 1 "
		       "ORDER BY position, id LIMIT 1 OFFSET max(?2, 0)",
		       args, 2, msg);
	if (rc != OK)
		return rc;
	if (rows_next(rows))
		block = rows_id(rows, 0);
	rc = rows_close(rows, msg);
	if (rc == OK && (place < 1 || record_id_is_nil(&block)))
		rc = errmsg_set(msg, ERR_NOT_FOUND, _("%s has no block %s"), number, slash + 1);
	if (rc == OK)
		*out = (struct ref){ KIND_BLOCK, block };
	return rc;
}

enum err ref_find(struct context *ctx, uint16_t kind, const char *text, struct ref *out,
		  struct errmsg *msg)
{
	struct search s = { .ctx = ctx, .kind = kind, .text = text };
	const struct member *self = replica_self(ctx->replica);
	const char *slash = strchr(text, '/');
	enum err rc;

	if (kind == KIND_NODE && self && strcmp(text, "self") == 0) {
		*out = (struct ref){ KIND_NODE, self->node };
		return OK;
	}
	if (slash && (kind == KIND_BLOCK || kind == 0))
		return find_block(ctx, text, slash, out, msg);
	rc = search(&s, msg);
	if (rc != OK)
		return rc;
	if (s.count == 0)
		return missing(&s, msg);
	if (s.count > 1)
		return ambiguous(&s, msg);
	*out = s.found[0].ref;
	return OK;
}

enum err ref_find_id(struct context *ctx, uint16_t kind, const char *text, struct record_id *out,
		     struct errmsg *msg)
{
	struct ref found;
	enum err rc = ref_find(ctx, kind, text, &found, msg);

	if (rc == OK)
		*out = found.id;
	return rc;
}

/* The first row's text, or nothing. */
static enum err append_text(struct context *ctx, const char *sql, const struct record_id *id,
			    struct buf *out, struct errmsg *msg)
{
	struct value arg = value_ref(id);
	struct rows *rows;
	enum err rc = rows_open(&rows, ctx->replica, sql, &arg, 1, msg);

	if (rc != OK)
		return rc;
	if (rows_next(rows))
		buf_append_str(out, rows_text(rows, 0));
	return rows_close(rows, msg);
}

/* The number of its minutes and its place in them. */
static enum err label_block(struct context *ctx, const struct record_id *id, struct buf *out,
			    struct errmsg *msg)
{
	static const char sql[] = "SELECT m.number || '/' || (SELECT count(*) FROM r_block a WHERE "
				  "a.minutes = b.minutes AND a.life <> 1 AND "
				  "(a.position, a.id) <= (b.position, b.id)) "
				  "FROM r_block b JOIN r_minutes m ON m.id = b.minutes WHERE b.id "
				  "= ?1 AND b.life <> 1";

	return append_text(ctx, sql, id, out, msg);
}

static enum err label_named(struct context *ctx, const struct naming *naming,
			    const struct record_id *id, struct buf *out, struct errmsg *msg)
{
	const char *first = naming->number ? naming->number : naming->name;
	char sql[160];

	if (!first)
		return OK;
	snprintf(sql, sizeof(sql), "SELECT coalesce(%s, %s) FROM r_%s WHERE id = ?", first,
		 naming->name ? naming->name : first, schema_kind(naming->kind)->name);
	return append_text(ctx, sql, id, out, msg);
}

enum err ref_label(struct context *ctx, uint16_t kind, const struct record_id *id, struct buf *out,
		   struct errmsg *msg)
{
	const struct naming *naming = find_naming(kind);
	size_t before = out->size;
	char text[ID_TEXT_SIZE];
	enum err rc = OK;

	if (kind == KIND_BLOCK)
		rc = label_block(ctx, id, out, msg);
	else if (naming)
		rc = label_named(ctx, naming, id, out, msg);
	if (rc == OK && out->size == before)
		buf_printf(out, "%.12s", id_text(id->bytes, text));
	return rc;
}
