/* node/config: what the file may say, and that a wrong line changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/config.h"
#include "tests/support/tempdir.h"

static enum err parse(struct config *c, const char *text, struct errmsg *msg)
{
	return config_parse(c, bytes_of_str(text), msg);
}

static void file_sets_what_it_names(void **state)
{
	struct errmsg msg = { 0 };
	struct config c;

	config_init(&c);
	assert_int_equal(parse(&c,
			       "# settings\r\n"
			       "\n"
			       "  listen =  *:7420 \t\n"
			       "peer=fra.example.org:7420\n"
			       "peer = [2001:db8::1]:1\r\n"
			       "dial = no\n"
			       "ballast = 16\n"
			       "low-water = 0\n"
			       "scrub = 12h\n"
			       "log-level = debug",
			       &msg),
			 OK);
	assert_string_equal(c.listen, "*:7420");
	assert_int_equal(c.peer_count, 2);
	assert_string_equal(c.peers[0], "fra.example.org:7420");
	assert_string_equal(c.peers[1], "[2001:db8::1]:1");
	assert_null(c.peers[2]);
	assert_false(c.dial);
	assert_int_equal(c.ballast_mib, 16);
	assert_int_equal(c.low_water_mib, 0);
	assert_int_equal(c.scrub_s, 12 * 3600);
	assert_int_equal(c.log_level, LOG_DEBUG);
	config_release(&c);
}

static void nothing_said_dials_and_tells_what_happens(void **state)
{
	struct errmsg msg = { 0 };
	struct config c;

	config_init(&c);
	assert_int_equal(parse(&c, "", &msg), OK);
	assert_string_equal(c.listen, "");
	assert_int_equal(c.peer_count, 0);
	assert_true(c.dial);
	assert_int_equal(c.ballast_mib, CONFIG_BALLAST_MIB);
	assert_int_equal(c.low_water_mib, CONFIG_LOW_WATER_MIB);
	assert_int_equal(c.scrub_s, CONFIG_SCRUB_S);
	assert_int_equal(c.log_level, LOG_INFO);
	config_release(&c);
}

static void wrong_line_is_named_and_nothing_changes(void **state)
{
	static const struct {
		const char *text;
		enum err expected;
		const char *said;
	} cases[] = {
		{ "listen = *:1\nlisten", ERR_INVALID, "line 2: " },
		{ "\n\ncolour = red", ERR_INVALID, "line 3: \"colour\"" },
		{ "listen = 7420", ERR_INVALID, "line 1: address" },
		{ "peer = a:1\npeer = *:7420", ERR_INVALID, "line 2: address" },
		{ "peer = a:0", ERR_INVALID, "line 1: address" },
		{ "dial = maybe", ERR_INVALID, "neither yes nor no" },
		{ "ballast = -1", ERR_INVALID, "\"-1\" is no number of MiB" },
		{ "ballast =", ERR_INVALID, "no number of MiB" },
		{ "low-water = 16 GB", ERR_INVALID, "no number of MiB" },
		{ "low-water = 99999999999999999999", ERR_INVALID, "no number of MiB" },
		{ "scrub = weekly", ERR_INVALID, "\"weekly\" is not like" },
		{ "log-level = loud", ERR_INVALID, "\"loud\"" },
		{ "= x", ERR_INVALID, "line 1: " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct errmsg msg = { 0 };
		struct config c;

		config_init(&c);
		assert_int_equal(parse(&c, "listen = 127.0.0.1:9\npeer = b:2", &msg), OK);
		assert_int_equal(parse(&c, cases[i].text, &msg), cases[i].expected);
		if (!strstr(msg.text, cases[i].said))
			fail_msg("\"%s\" does not say \"%s\"", msg.text, cases[i].said);
		assert_string_equal(c.listen, "127.0.0.1:9");
		assert_int_equal(c.peer_count, 1);
		assert_null(c.peers[1]);
		config_release(&c);
	}
}

static void limits_hold(void **state)
{
	struct buf text = BUF_EMPTY;
	struct errmsg msg = { 0 };
	struct config c;

	config_init(&c);
	for (int i = 0; i < CONFIG_PEERS_MAX; i++)
		buf_printf(&text, "peer = host-%d:7420\n", i);
	assert_int_equal(config_parse(&c, buf_bytes(&text), &msg), OK);
	assert_int_equal(c.peer_count, CONFIG_PEERS_MAX);
	assert_int_equal(parse(&c, "peer = one.more:1", &msg), ERR_LIMIT);
	buf_clear(&text);
	for (int i = 0; i < 600; i++)
		buf_append_byte(&text, '#');
	assert_int_equal(config_parse(&c, buf_bytes(&text), &msg), ERR_LIMIT);
	assert_int_equal(config_parse(&c, bytes_of("dial\0 = no", 10), &msg), ERR_INVALID);
	buf_release(&text);
	config_release(&c);
}

static void absent_file_says_nothing_and_a_large_one_is_refused(void **state)
{
	char dir[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];
	struct errmsg msg = { 0 };
	struct config c;
	FILE *file;

	tempdir_new(dir, sizeof(dir));
	tempdir_path(path, sizeof(path), dir, "huitong.conf");
	config_init(&c);
	assert_int_equal(config_load(&c, path, &msg), OK);
	file = fopen(path, "w");
	fputs("dial = no\nwrong", file);
	fclose(file);
	assert_int_equal(config_load(&c, path, &msg), ERR_INVALID);
	assert_non_null(strstr(msg.text, "huitong.conf, line 2: "));
	file = fopen(path, "w");
	for (int i = 0; i <= CONFIG_BYTES_MAX; i++)
		fputc('\n', file);
	fclose(file);
	assert_int_equal(config_load(&c, path, &msg), ERR_LIMIT);
	config_release(&c);
	tempdir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_sets_what_it_names),
		cmocka_unit_test(nothing_said_dials_and_tells_what_happens),
		cmocka_unit_test(wrong_line_is_named_and_nothing_changes),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(absent_file_says_nothing_and_a_large_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
