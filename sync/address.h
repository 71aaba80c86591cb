/* Network addresses as people write them: "host:port", "[2001:db8::1]:7420".
 *
 * The host is a name, an IPv4 address, or an IPv6 address in brackets; for
 * listening it may be "*" or nothing, which is every address of the machine. */
#ifndef HT_SYNC_ADDRESS_H
#define HT_SYNC_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

enum { HOST_TEXT_MAX = 253 }; /* RFC 1035 §2.3.4, without the root's dot */

enum host_kind { HOST_ANY, HOST_NAME, HOST_IPV4, HOST_IPV6 };

struct address {
	enum host_kind kind;
	char host[HOST_TEXT_MAX + 1]; /* without brackets; "" for HOST_ANY */
	uint16_t port;
};

/* An address to dial: a host and a port from 1. ERR_INVALID says what is wrong. */
MUST_CHECK enum err address_parse(struct address *out, const char *text, struct errmsg *msg);

/* An address to listen on: any host, and port 0 for one that is free. */
MUST_CHECK enum err address_parse_listen(struct address *out, const char *text, struct errmsg *msg);

/* "scheme://host:port", as nng takes it. */
enum { ADDRESS_URL_MAX = HOST_TEXT_MAX + 32 };
void address_url(const struct address *a, const char *scheme, char out[ADDRESS_URL_MAX]);

#endif
