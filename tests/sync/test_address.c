/* sync/address: what people write is taken apart, or refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/address.h"

static void addresses_are_taken_apart(void **state)
{
	static const struct {
		const char *text;
		enum host_kind kind;
		const char *host;
		uint16_t port;
		const char *url;
	} cases[] = {
		{ "fra.example.org:7420", HOST_NAME, "fra.example.org", 7420,
		  "tcp://fra.example.org:7420" },
		{ "node_1:1", HOST_NAME, "node_1", 1, "tcp://node_1:1" },
		{ "10.0.0.1:65535", HOST_IPV4, "10.0.0.1", 65535, "tcp://10.0.0.1:65535" },
		{ "[2001:db8::1]:7420", HOST_IPV6, "2001:db8::1", 7420,
		  "tcp://[2001:db8::1]:7420" },
		{ "*:7420", HOST_ANY, "", 7420, "tcp://*:7420" },
		{ ":0", HOST_ANY, "", 0, "tcp://*:0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char url[ADDRESS_URL_MAX];
		struct errmsg msg;
		struct address a;

		assert_int_equal(address_parse_listen(&a, cases[i].text, &msg), OK);
		assert_int_equal(a.kind, cases[i].kind);
		assert_string_equal(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
		address_url(&a, "tcp", url);
		assert_string_equal(url, cases[i].url);
		assert_int_equal(address_parse(&a, cases[i].text, &msg),
				 cases[i].kind == HOST_ANY ? ERR_INVALID : OK);
	}
}

static void what_is_no_address_is_refused_and_leaves_no_trace(void **state)
{
	static const char *const texts[] = {
		"",          "host",        "host:",   "host:x",   "host:70000", "host:000080",
		"host:-1",   "host: 1",     "host:1 ", "::1:7420", "[::1]",      "[::g]:1",
		"[host]:1",  "a b:1",       "a/b:1",   "-a:1",     "http://a:1", "a:1:2",
		"user@a:10", "[1.2.3.4]:1",
	};
	char long_text[400];
	struct errmsg msg;
	struct address a, before;

	memset(&before, 0x5a, sizeof(before));
	memcpy(&a, &before, sizeof(a));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (address_parse_listen(&a, texts[i], &msg) != ERR_INVALID)
			fail_msg("accepted: %s", texts[i]);
	memset(long_text, 'a', sizeof(long_text));
	strcpy(long_text + sizeof(long_text) - 4, ":80");
	assert_int_equal(address_parse_listen(&a, long_text, &msg), ERR_INVALID);
	assert_memory_equal(&a, &before, sizeof(a));
}

static void port_zero_can_be_listened_on_only(void **state)
{
	struct errmsg msg;
	struct address a;

	assert_int_equal(address_parse_listen(&a, "127.0.0.1:0", &msg), OK);
	assert_int_equal(address_parse(&a, "127.0.0.1:0", &msg), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_taken_apart),
		cmocka_unit_test(what_is_no_address_is_refused_and_leaves_no_trace),
		cmocka_unit_test(port_zero_can_be_listened_on_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
