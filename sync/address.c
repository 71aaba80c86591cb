#include "sync/address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A host name by RFC 1123, and the underscore that real networks use. */
static bool is_host_name(const char *host)
{
	if (!is_letter_or_digit(host[0]))
		return false;
	for (const char *at = host; *at; at++)
		if (!is_letter_or_digit(*at) && *at != '-' && *at != '.' && *at != '_')
			return false;
	return true;
}

static bool parse_port(const char *text, uint16_t *out)
{
	size_t digit_count = strspn(text, "0123456789");
	unsigned long port = 0;

	if (digit_count == 0 || digit_count > PORT_DIGITS_MAX || text[digit_count])
		return false;
	while (*text)
		port = port * 10 + (unsigned long)(*text++ - '0');
	if (port > PORT_MAX)
		return false;
	*out = (uint16_t)port;
	return true;
}

static bool classify(struct address *a, bool in_brackets)
{
	struct in6_addr ignored;

	if (in_brackets)
		a->kind = HOST_IPV6;
	else if (!a->host[0] || strcmp(a->host, "*") == 0)
		a->kind = HOST_ANY;
	else if (inet_pton(AF_INET, a->host, &ignored) == 1)
		a->kind = HOST_IPV4;
	else
		a->kind = HOST_NAME;
	if (a->kind == HOST_ANY)
		a->host[0] = '\0';
	if (a->kind == HOST_IPV6)
		return inet_pton(AF_INET6, a->host, &ignored) == 1;
	return a->kind != HOST_NAME || is_host_name(a->host);
}

static enum err parse(struct address *out, const char *text, struct errmsg *msg)
{
	struct address a = { 0 };
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t host_size;
	bool in_brackets;

	if (!colon || !parse_port(colon + 1, &a.port))
		return errmsg_set(msg, ERR_INVALID,
				  "address \"%s\": a port from 0 to 65535 is missing after a colon",
				  text);
	host_size = (size_t)(colon - host);
	in_brackets = host_size >= 2 && host[0] == '[' && host[host_size - 1] == ']';
	if (in_brackets) {
		host++;
		host_size -= 2;
	}
	if (host_size > HOST_TEXT_MAX)
		return errmsg_set(msg, ERR_INVALID,
				  "address \"%.40s...\": the host is longer than %d", text,
				  HOST_TEXT_MAX);
	memcpy(a.host, host, host_size);
	if (!classify(&a, in_brackets))
		return errmsg_set(msg, ERR_INVALID,
				  "address \"%s\": not a host; an IPv6 address stands in brackets",
				  text);
	*out = a;
	return OK;
}

enum err address_parse(struct address *out, const char *text, struct errmsg *msg)
{
	struct address a;
	enum err rc = parse(&a, text, msg);

	if (rc)
		return rc;
	if (a.kind == HOST_ANY || a.port == 0)
		return errmsg_set(msg, ERR_INVALID,
				  "address \"%s\": a host and a port are needed to dial it", text);
	*out = a;
	return OK;
}

enum err address_parse_listen(struct address *out, const char *text, struct errmsg *msg)
{
	return parse(out, text, msg);
}

void address_url(const struct address *a, const char *scheme, char out[ADDRESS_URL_MAX])
{
	bool in_brackets = a->kind == HOST_IPV6;

	snprintf(out, ADDRESS_URL_MAX, "%s://%s%s%s:%u", scheme, in_brackets ? "[" : "",
		 a->kind == HOST_ANY ? "*" : a->host, in_brackets ? "]" : "", a->port);
}
