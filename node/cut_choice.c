#include "node/cut_choice.h"

#include <stdlib.h>
#include <strings.h>

#include "node/i18n.h"
#include "node/space.h"

enum { PREFIX_MIN = 4, SPACE_TEXT_MAX = 256 };

/* What --at says. */
struct wish {
	char replica[ID_TEXT_SIZE]; /* the beginning of its id, or "" */
	struct space_id space;
	uint64_t seq;
};

static enum err parse(struct context *ctx, const char *text, struct wish *out, struct errmsg *msg)
{
	const char *slash = strchr(text, '/');
	const char *space = slash ? slash + 1 : text;
	const char *colon = strrchr(space, ':');
	size_t prefix = slash ? (size_t)(slash - text) : 0;
	char name[SPACE_TEXT_MAX], *end = NULL;

	out->seq = colon ? strtoull(colon + 1, &end, 10) : 0;
	if (!colon || end == colon + 1 || *end || strchr("+-", colon[1]) ||
	    colon - space >= SPACE_TEXT_MAX || (slash && prefix < PREFIX_MIN) ||
	    prefix > 2 * ID_BYTES)
		return errmsg_set(msg, ERR_INVALID,
				  _("--at: \"%s\" is not SPACE:SEQ or REPLICA/SPACE:SEQ"), text);
	snprintf(out->replica, sizeof(out->replica), "%.*s", (int)prefix, text);
	snprintf(name, sizeof(name), "%.*s", (int)(colon - space), space);
	return space_find(ctx, name, &out->space, msg);
}

static bool fits(const struct cut *cut, const struct wish *wish)
{
	char id[ID_TEXT_SIZE];

	return space_id_cmp(&cut->space, &wish->space) == 0 &&
	       strncasecmp(id_text(cut->replica.bytes, id), wish->replica, strlen(wish->replica)) ==
		       0;
}

static enum err find(struct cut *cuts, size_t count, const struct wish *wish, const char *text,
		     struct cut **out, struct errmsg *msg)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if (fits(&cuts[i], wish)) {
			*out = &cuts[i];
			found++;
		}
	if (found == 0)
		return errmsg_set(msg, ERR_NOT_FOUND, _("--at %s: nothing of it is held there"),
				  text);
	if (found > 1)
		return errmsg_set(msg, ERR_AMBIGUOUS,
				  _("--at %s: several replicas wrote there, say which: "
				    "REPLICA/SPACE:SEQ (huitong members --json shows them)"),
				  text);
	if (wish->seq > (*out)->seq)
		return errmsg_set(msg, ERR_LIMIT, _("--at %s: only %llu are held here"), text,
				  (unsigned long long)(*out)->seq);
	return OK;
}

static enum err lower(struct context *ctx, struct cut *cut, uint64_t seq, struct errmsg *msg)
{
	struct dot dot = { cut->replica, seq };
	struct witness witness;
	struct told told;
	enum err rc = replica_tell(ctx->replica, &cut->space, &dot, &ctx->arena, &told, msg);

	if (rc != OK)
		return rc;
	told_witness(&witness, &told);
	witness_link(cut->link, &witness, &cut->space, &cut->replica, seq);
	cut->seq = seq;
	return OK;
}

enum err cut_choose(struct context *ctx, const char *text, struct cut *cuts, size_t *count,
		    struct errmsg *msg)
{
	struct cut *cut = NULL;
	struct wish wish;
	enum err rc = parse(ctx, text, &wish, msg);

	if (rc == OK)
		rc = find(cuts, *count, &wish, text, &cut, msg);
	if (rc != OK || wish.seq == cut->seq)
		return rc;
	if (wish.seq)
		return lower(ctx, cut, wish.seq, msg);
	/* A feed that is not named counts not at all. */
	memmove(cut, cut + 1, (size_t)(cuts + *count - cut - 1) * sizeof(*cut));
	(*count)--;
	return OK;
}

enum err cut_choose_all(struct context *ctx, const struct args *args, struct cut *cuts,
			size_t *count, struct errmsg *msg)
{
	enum err rc = OK;

	for (size_t i = 0; i < args->option_count && rc == OK; i++)
		if (strcmp(args->options[i].name, "at") == 0)
			rc = cut_choose(ctx, args->options[i].value, cuts, count, msg);
	return rc;
}
