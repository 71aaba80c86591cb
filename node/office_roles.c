#include "node/office_roles.h"

#include <strings.h>

#include "node/i18n.h"

enum { ITEM_MAX = 64 };

enum err office_code_of(struct context *ctx, const char *text, char out[OFFICE_CODE_MAX + 1],
			struct errmsg *msg)
{
	size_t count;
	const struct member *list = replica_members(ctx->replica, &count);

	for (size_t i = 0; i < count; i++)
		if (strcasecmp(list[i].office_code, text) == 0) {
			memcpy(out, list[i].office_code, OFFICE_CODE_MAX + 1);
			return OK;
		}
	return errmsg_set(msg, ERR_NOT_FOUND,
			  _("no office \"%s\" with a node: huitong office list"), text);
}

enum err office_roles_put(struct office_roles *roles, const char *code, enum role role,
			  struct errmsg *msg)
{
	size_t at = 0;

	while (at < roles->count && strcmp(roles->list[at].office_code, code) < 0)
		at++;
	if (at == roles->count || strcmp(roles->list[at].office_code, code) != 0) {
		if (roles->count == SPACE_OFFICES_MAX)
			return errmsg_set(msg, ERR_LIMIT, _("more than %d offices"),
					  SPACE_OFFICES_MAX);
		memmove(&roles->list[at + 1], &roles->list[at],
			(roles->count - at) * sizeof(roles->list[0]));
		roles->count++;
		snprintf(roles->list[at].office_code, sizeof(roles->list[at].office_code), "%s",
			 code);
	}
	roles->list[at].role = role;
	return OK;
}

/* "FRA" or "NYC:reader" */
static enum err parse_one(struct office_roles *out, struct context *ctx, char *item,
			  struct errmsg *msg)
{
	char *colon = strchr(item, ':');
	enum role role = colon ? role_named(colon + 1) : ROLE_EDITOR;
	char code[OFFICE_CODE_MAX + 1];
	enum err rc;

	if (role == ROLE_COUNT || role == ROLE_NONE)
		return errmsg_set(msg, ERR_INVALID,
				  _("--offices: \"%s\" is not reader, editor or manager"),
				  colon + 1);
	if (colon)
		*colon = '\0';
	rc = office_code_of(ctx, item, code, msg);
	return rc == OK ? office_roles_put(out, code, role, msg) : rc;
}

enum err office_roles_parse(struct office_roles *out, struct context *ctx, const char *text,
			    struct errmsg *msg)
{
	enum err rc = OK;

	while (*text && rc == OK) {
		size_t size = strcspn(text, ", ");
		char item[ITEM_MAX];

		snprintf(item, sizeof(item), "%.*s", (int)size, text);
		text += size;
		text += strspn(text, ", ");
		if (size)
			rc = parse_one(out, ctx, item, msg);
	}
	return rc;
}

enum err office_roles_all(struct office_roles *out, struct context *ctx, struct errmsg *msg)
{
	size_t count;
	const struct member *list = replica_members(ctx->replica, &count);
	enum err rc = OK;

	for (size_t i = 0; i < count && rc == OK; i++)
		rc = office_roles_put(out, list[i].office_code, ROLE_EDITOR, msg);
	return rc;
}
