/* Which offices take part in a space, and as what: "SHA:manager,FRA,NYC:reader". */
#ifndef HT_NODE_OFFICE_ROLES_H
#define HT_NODE_OFFICE_ROLES_H

#include "node/context.h"

struct office_roles {
	struct office_role list[SPACE_OFFICES_MAX]; /* ascending by code */
	size_t count;
};

/* Codes with roles; who has none said is an editor. ERR_INVALID, ERR_NOT_FOUND for an
 * office that has no node, ERR_LIMIT. */
MUST_CHECK enum err office_roles_parse(struct office_roles *out, struct context *ctx,
				       const char *text, struct errmsg *msg);

/* Every office that has a node, as editors. */
MUST_CHECK enum err office_roles_all(struct office_roles *out, struct context *ctx,
				     struct errmsg *msg);

/* Add one, or give it another role. */
MUST_CHECK enum err office_roles_put(struct office_roles *roles, const char *code, enum role role,
				     struct errmsg *msg);

/* The code of an office with a node, as people type it: in any case. ERR_NOT_FOUND. */
MUST_CHECK enum err office_code_of(struct context *ctx, const char *text,
				   char out[OFFICE_CODE_MAX + 1], struct errmsg *msg);

#endif
