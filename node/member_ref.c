#include "node/member_ref.h"

#include <strings.h>

#include "node/i18n.h"
#include "node/ref.h"
#include "node/sys_error.h"

enum { PREFIX_MIN = 4, ID_CHARS_SHOWN = 8 };

static size_t same_chars(const char *a, const char *b)
{
	size_t count = 0;

	while (a[count] && a[count] == b[count])
		count++;
	return count;
}

/* Nodes that were let in at the same time have ids that begin alike. */
const char *member_label(struct context *ctx, char out[MEMBER_LABEL_MAX], const char *office_code,
			 const struct record_id *node)
{
	const struct trust *t = replica_trust(ctx->replica);
	char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	size_t shown = 0;

	id_text(node->bytes, id);
	for (size_t i = 0; t && i < t->node_count; i++) {
		size_t same = same_chars(id, id_text(t->nodes[i].node.bytes, other));

		if (strcmp(t->nodes[i].office_code, office_code) != 0 || !id[same])
			continue;
		shown = shown < ID_CHARS_SHOWN ? ID_CHARS_SHOWN : shown;
		shown = shown <= same ? same + 1 : shown;
	}
	snprintf(out, MEMBER_LABEL_MAX, "%s%s%.*s", office_code, shown ? " " : "", (int)shown, id);
	return out;
}

const struct member *member_nth(struct context *ctx, size_t i)
{
	const struct trust *t = replica_trust(ctx->replica);

	if (!t || i >= t->node_count)
		return NULL;
	return replica_member_by_replica(ctx->replica, &t->nodes[i].current);
}

const struct member *member_by_node(struct context *ctx, const struct record_id *node)
{
	const struct trust *t = replica_trust(ctx->replica);
	const struct trust_node *found = t ? trust_node(t, node) : NULL;

	return found ? replica_member_by_replica(ctx->replica, &found->current) : NULL;
}

static bool begins_with(const uint8_t id[ID_BYTES], const char *prefix)
{
	char text[ID_TEXT_SIZE];

	return strncasecmp(id_text(id, text), prefix, strlen(prefix)) == 0;
}

/* By the id of the node or of any of its epochs. */
static bool has_id(struct context *ctx, const struct member *m, const char *prefix)
{
	const struct trust *t = replica_trust(ctx->replica);

	if (strlen(prefix) < PREFIX_MIN)
		return false;
	if (begins_with(m->node.bytes, prefix))
		return true;
	for (size_t i = 0; t && i < t->epoch_count; i++)
		if (record_id_cmp(&t->epochs[i].node, &m->node) == 0 &&
		    begins_with(t->epochs[i].replica.bytes, prefix))
			return true;
	return false;
}

static bool is_of_office(const struct member *m, const char *code, bool is_former)
{
	return m->is_revoked == is_former && strcasecmp(m->office_code, code) == 0;
}

/* The only one of these for which the test holds; NULL and the count otherwise. */
static const struct member *only(struct context *ctx, const char *text,
				 bool (*fits)(struct context *ctx, const struct member *m,
					      const char *text),
				 size_t *found)
{
	const struct member *one = NULL, *m;

	*found = 0;
	for (size_t i = 0; (m = member_nth(ctx, i)); i++)
		if (fits(ctx, m, text)) {
			one = m;
			(*found)++;
		}
	return *found == 1 ? one : NULL;
}

static bool fits_office(struct context *ctx, const struct member *m, const char *text)
{
	return is_of_office(m, text, false);
}

static bool fits_former(struct context *ctx, const struct member *m, const char *text)
{
	return is_of_office(m, text, true);
}

static enum err by_name(struct context *ctx, const char *text, const struct member **out,
			struct errmsg *msg)
{
	struct record_id node;
	enum err rc = ref_find_id(ctx, KIND_NODE, text, &node, msg);

	if (rc != OK)
		return rc;
	*out = member_by_node(ctx, &node);
	if (!*out)
		return errmsg_set(msg, ERR_NOT_FOUND, _("%s is no node of this organisation"),
				  text);
	return OK;
}

enum err member_find(struct context *ctx, const char *text, const struct member **out,
		     struct errmsg *msg)
{
	const struct member *self = replica_self(ctx->replica);
	const struct member *found;
	size_t count;

	if (strcmp(text, "self") == 0 && !self)
		return errmsg_set(msg, ERR_NOT_FOUND, _("this node is no member yet"));
	found = strcmp(text, "self") == 0 ? self : only(ctx, text, has_id, &count);
	if (!found && count == 0)
		found = only(ctx, text, fits_office, &count);
	if (!found && count == 0)
		found = only(ctx, text, fits_former, &count);
	if (!found && count > 1)
		return errmsg_set(msg, ERR_AMBIGUOUS,
				  _("\"%s\" fits %zu nodes: huitong members shows their ids"), text,
				  count);
	if (!found)
		return by_name(ctx, text, out, msg);
	*out = found;
	return OK;
}

/* All nodes of the office, members or former ones, as ids; none: *count is 0. */
static enum err nodes_of_office(struct context *ctx, const char *code, bool are_former,
				struct record_id **out, size_t *count, struct errmsg *msg)
{
	const struct trust *t = replica_trust(ctx->replica);
	struct record_id *ids = arena_array(&ctx->arena, t ? t->node_count : 0, sizeof(*ids));
	const struct member *m;

	if (!ids)
		return no_memory(msg);
	*count = 0;
	for (size_t i = 0; (m = member_nth(ctx, i)); i++)
		if (is_of_office(m, code, are_former))
			ids[(*count)++] = m->node;
	*out = ids;
	return OK;
}

enum err member_find_all(struct context *ctx, const char *text, struct record_id **out,
			 size_t *count, struct errmsg *msg)
{
	const struct member *one;
	enum err rc = nodes_of_office(ctx, text, false, out, count, msg);

	if (rc == OK && *count == 0)
		rc = nodes_of_office(ctx, text, true, out, count, msg);
	if (rc != OK || *count)
		return rc;
	*count = 1;
	*out = arena_alloc(&ctx->arena, sizeof(**out));
	if (!*out)
		return no_memory(msg);
	rc = member_find(ctx, text, &one, msg);
	if (rc == OK)
		**out = one->node;
	return rc;
}
