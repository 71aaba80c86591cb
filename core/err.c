#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/i18n.h"

static const char *const names[ERR_COUNT] = {
	[OK] = "ok",
	[ERR_NOMEM] = "memory",
	[ERR_IO] = "io",
	[ERR_FULL] = "disk-full",
	[ERR_READONLY] = "read-only",
	[ERR_BUSY] = "busy",
	[ERR_CORRUPT] = "corrupt",
	[ERR_KEY] = "key",
	[ERR_CLOCK] = "clock",
	[ERR_INVALID] = "invalid",
	[ERR_LIMIT] = "limit",
	[ERR_NOT_FOUND] = "not-found",
	[ERR_AMBIGUOUS] = "ambiguous",
	[ERR_EXISTS] = "exists",
	[ERR_FORMAT] = "format",
	[ERR_VERSION] = "version",
	[ERR_ORG] = "organisation",
	[ERR_HANDSHAKE] = "handshake",
	[ERR_SIGNATURE] = "signature",
	[ERR_CHAIN] = "chain",
	[ERR_CAUSAL] = "causal-gap",
	[ERR_FORK] = "fork",
	[ERR_FUTURE] = "future",
	[ERR_GRANT] = "grant",
	[ERR_REPLICA] = "unknown-replica",
	[ERR_AUTHORITY] = "authority",
	[ERR_REVOKED] = "revoked",
	[ERR_SUPERSEDED] = "superseded",
	[ERR_PROTOCOL] = "protocol",
	[ERR_TIMEOUT] = "timeout",
	[ERR_CLOSED] = "closed",
};

const char *err_name(enum err code)
{
	if ((unsigned)code >= ERR_COUNT)
		return "unknown";
	return names[code];
}

enum err err_from_name(const char *name)
{
	for (int i = 0; i < ERR_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum err)i;
	return ERR_PROTOCOL;
}

enum err errmsg_set(struct errmsg *msg, enum err code, const char *fmt, ...)
{
	va_list args;

	if (!msg)
		return code;
	msg->code = code;
	va_start(args, fmt);
	vsnprintf(msg->text, sizeof(msg->text), text_lookup(fmt), args);
	va_end(args);
	return code;
}

enum err errmsg_prefix(struct errmsg *msg, enum err code, const char *fmt, ...)
{
	char old[ERRMSG_BYTES_MAX];
	va_list args;
	size_t used;

	if (!msg)
		return code;
	memcpy(old, msg->text, sizeof(old));
	va_start(args, fmt);
	vsnprintf(msg->text, sizeof(msg->text), text_lookup(fmt), args);
	va_end(args);
	used = strlen(msg->text);
	snprintf(msg->text + used, sizeof(msg->text) - used, "%s", old);
	msg->code = code;
	return code;
}
