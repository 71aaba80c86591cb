/* node/log: one line a happening, whatever its text holds, and no flood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "node/log.h"

/* 2026-11-22T03:00:00.123Z */
#define WALL_MS UINT64_C(1795316400123)

static void lines_are_whole_and_can_not_be_forged(void **state)
{
	static const struct {
		enum log_level level;
		const char *event, *peer, *detail;
		uint64_t suppressed;
		const char *line;
	} cases[] = {
		{ LOG_INFO, "session-open", "FRA", "", 0, "info session-open peer=FRA\n" },
		{ LOG_WARN, "x", "", "a b", 0, "warn x detail=\"a b\"\n" },
		{ LOG_ERROR, "x", "[::1]:1", "会同", 17,
		  "error x peer=[::1]:1 detail=\"会同\" suppressed=17\n" },
		{ LOG_DEBUG, "x", "A B", "say \"hi\\\"\n2026", 0,
		  "debug x peer=\"A B\" detail=\"say \\\"hi\\\\\\\"\\x0a2026\"\n" },
		{ LOG_INFO, "x", "", "\xff\xc3\x1b[31m", 0,
		  "info x detail=\"\\xff\\xc3\\x1b[31m\"\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf line = BUF_EMPTY;
		char expected[256];

		snprintf(expected, sizeof(expected), "2026-11-22T03:00:00.123Z %s", cases[i].line);
		log_format(&line, WALL_MS, cases[i].level, cases[i].event, cases[i].peer,
			   cases[i].detail, cases[i].suppressed);
		buf_append_byte(&line, 0);
		assert_string_equal((const char *)line.data, expected);
		buf_release(&line);
	}
}

struct capture {
	int fds[2];
	struct log log;
	struct now now;
	char text[65536];
};

static struct capture *capture_new(void)
{
	struct capture *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	assert_int_equal(pipe(c->fds), 0);
	log_init(&c->log, c->fds[1]);
	c->now = (struct now){ WALL_MS, 5000 };
	return c;
}

static void capture_free(struct capture *c)
{
	close(c->fds[0]);
	close(c->fds[1]);
	free(c);
}

/* Lines written since the last call; the text stays in c->text. */
static size_t written_lines(struct capture *c)
{
	size_t lines = 0;
	ssize_t size;

	assert_int_equal(write(c->fds[1], "\n", 1), 1); /* so that read() never waits */
	size = read(c->fds[0], c->text, sizeof(c->text) - 1);
	c->text[size - 1] = '\0';
	for (const char *at = c->text; (at = strchr(at, '\n')); at++)
		lines++;
	return lines;
}

static void what_repeats_is_counted_and_said_later(void **state)
{
	struct capture *c = capture_new();
	char peer[32];

	for (int i = 0; i < 100; i++) {
		snprintf(peer, sizeof(peer), "10.0.0.1:%d", 1000 + i);
		log_write(&c->log, c->now, LOG_WARN, "refused", peer, "no");
	}
	assert_int_equal(written_lines(c), LOG_BURST);
	log_write(&c->log, c->now, LOG_WARN, "refused", "10.0.0.2:1", "another peer");
	log_write(&c->log, c->now, LOG_WARN, "closed", "10.0.0.1:1", "another event");
	assert_int_equal(written_lines(c), 2);
	c->now.mono_ms += LOG_WINDOW_MS;
	log_write(&c->log, c->now, LOG_WARN, "refused", "10.0.0.1:7", "no");
	assert_int_equal(written_lines(c), 1);
	assert_non_null(strstr(c->text, "suppressed=90"));
	log_write(&c->log, c->now, LOG_WARN, "refused", "10.0.0.1:8", "no");
	assert_int_equal(written_lines(c), 1);
	assert_null(strstr(c->text, "suppressed"));
	capture_free(c);
}

static void many_sources_forget_the_quietest(void **state)
{
	struct capture *c = capture_new();
	char peer[32];

	for (int i = 0; i < 10 * LOG_SOURCES_MAX; i++) {
		c->now.mono_ms++;
		snprintf(peer, sizeof(peer), "peer-%d", i);
		log_write(&c->log, c->now, LOG_INFO, "x", peer, "");
	}
	assert_int_equal(written_lines(c), 10 * LOG_SOURCES_MAX);
	capture_free(c);
}

static void levels_below_are_not_written_and_debug_is_not_held_back(void **state)
{
	struct capture *c = capture_new();

	log_write(&c->log, c->now, LOG_DEBUG, "x", "", "");
	assert_int_equal(written_lines(c), 0);
	c->log.level = LOG_DEBUG;
	for (int i = 0; i < 3 * LOG_BURST; i++)
		log_write(&c->log, c->now, LOG_DEBUG, "x", "", "");
	assert_int_equal(written_lines(c), 3 * LOG_BURST);
	c->log.level = LOG_ERROR;
	log_write(&c->log, c->now, LOG_WARN, "x", "", "");
	assert_int_equal(written_lines(c), 0);
	capture_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_whole_and_can_not_be_forged),
		cmocka_unit_test(what_repeats_is_counted_and_said_later),
		cmocka_unit_test(many_sources_forget_the_quietest),
		cmocka_unit_test(levels_below_are_not_written_and_debug_is_not_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
