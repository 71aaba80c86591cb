/* Addresses, of which members tell each other: what is accepted has a host and a port that
 * make one URL, and says the same when it is written again. */
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "sync/address.h"
#include "tests/fuzz/target.h"

enum { TEXT_MAX = HOST_TEXT_MAX + 16 };

static void require_same(const struct address *a, const struct address *b)
{
	require(a->kind == b->kind && a->port == b->port && strcmp(a->host, b->host) == 0);
}

static void require_comes_back(const struct address *a, bool is_dialled)
{
	char url[ADDRESS_URL_MAX], text[TEXT_MAX];
	struct address again;

	address_url(a, "tcp", url);
	require(strlen(url) < sizeof(url) - 1 && strncmp(url, "tcp://", 6) == 0);
	snprintf(text, sizeof(text), a->kind == HOST_IPV6 ? "[%s]:%u" : "%s:%u", a->host, a->port);
	require((is_dialled ? address_parse : address_parse_listen)(&again, text, NULL) == OK);
	require_same(a, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_EMPTY;
	struct address dialled, listening;
	struct errmsg msg = { .text = "" };

	buf_append(&text, data, size);
	buf_append_byte(&text, 0);
	if (address_parse(&dialled, (const char *)text.data, &msg) == OK) {
		require(dialled.kind != HOST_ANY && dialled.host[0] && dialled.port);
		require_comes_back(&dialled, true);
	} else {
		require(msg.text[0]);
	}
	if (address_parse_listen(&listening, (const char *)text.data, &msg) == OK) {
		require((listening.kind == HOST_ANY) == !listening.host[0]);
		require_comes_back(&listening, false);
	}
	buf_release(&text);
	return 0;
}
