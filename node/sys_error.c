#include "node/sys_error.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "node/i18n.h"

static const struct {
	int cause;
	enum err code;
} causes[] = {
	{ ENOSPC, ERR_FULL },      { EDQUOT, ERR_FULL },    { EROFS, ERR_READONLY },
	{ EACCES, ERR_READONLY },  { EPERM, ERR_READONLY }, { EEXIST, ERR_EXISTS },
	{ ENOENT, ERR_NOT_FOUND }, { ENOMEM, ERR_NOMEM },
};

enum err sys_error(const char *what, struct errmsg *msg)
{
	int cause = errno;
	enum err code = ERR_IO;

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].cause == cause)
			code = causes[i].code;
	return errmsg_set(msg, code, "%s: %s", what, strerror(cause));
}

enum err no_memory(struct errmsg *msg)
{
	return errmsg_set(msg, ERR_NOMEM, _("out of memory"));
}
