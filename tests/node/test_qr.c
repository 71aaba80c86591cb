/* node/qr: what a reader of QR codes looks for first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/qr.h"

enum { QUIET = 4, FINDER = 7, SIDE_MAX = 256 };

struct picture {
	bool is_light[SIDE_MAX][SIDE_MAX];
	size_t width, height;
};

/* Back from half blocks to modules. */
static struct picture read_picture(const struct buf *text)
{
	static const struct {
		const char *block;
		bool upper, lower;
	} blocks[] = { { " ", false, false },
		       { "▄", false, true },
		       { "▀", true, false },
		       { "█", true, true } };
	struct picture p = { .width = 0 };
	const char *at = (const char *)text->data, *end = at + text->size;
	size_t x = 0;

	while (at < end) {
		if (*at == '\n') {
			assert_true(p.width == 0 || p.width == x);
			p.width = x;
			p.height += 2;
			x = 0;
			at++;
			continue;
		}
		for (size_t i = 0; i < 4; i++)
			if (strncmp(at, blocks[i].block, strlen(blocks[i].block)) == 0) {
				p.is_light[p.height][x] = blocks[i].upper;
				p.is_light[p.height + 1][x++] = blocks[i].lower;
				at += strlen(blocks[i].block);
				break;
			}
		assert_true(x < SIDE_MAX);
	}
	return p;
}

static void assert_finder(const struct picture *p, size_t left, size_t top)
{
	static const char finder[FINDER][FINDER + 1] = { "#######", "#.....#", "#.###.#", "#.###.#",
							 "#.###.#", "#.....#", "#######" };

	for (size_t y = 0; y < FINDER; y++)
		for (size_t x = 0; x < FINDER; x++)
			assert_int_equal(p->is_light[top + y][left + x], finder[y][x] == '.');
}

static void code_has_its_quiet_zone_and_finders(void **state)
{
	struct buf text = BUF_EMPTY;
	struct picture p;

	assert_int_equal(qr_render(&text, "huitong1:abcdefgh", false, NULL), OK);
	p = read_picture(&text);
	assert_true(p.height == p.width || p.height == p.width + 1);
	for (size_t i = 0; i < p.width; i++)
		for (size_t edge = 0; edge < QUIET; edge++) {
			assert_true(p.is_light[edge][i] && p.is_light[i][edge]);
			assert_true(p.is_light[p.width - 1 - edge][i]);
			assert_true(p.is_light[i][p.width - 1 - edge]);
		}
	assert_finder(&p, QUIET, QUIET);
	assert_finder(&p, p.width - QUIET - FINDER, QUIET);
	assert_finder(&p, QUIET, p.width - QUIET - FINDER);
	buf_release(&text);
}

static void ticket_fits_on_a_terminal(void **state)
{
	char ticket[321] = "huitong1:";
	struct buf text = BUF_EMPTY;
	struct picture p;

	memset(ticket + 9, 'x', sizeof(ticket) - 10);
	assert_int_equal(qr_render(&text, ticket, false, NULL), OK);
	p = read_picture(&text);
	assert_true(p.width <= 80);
	buf_release(&text);
}

static void colours_stand_around_each_line(void **state)
{
	struct buf plain = BUF_EMPTY, coloured = BUF_EMPTY;
	size_t lines = 0, starts = 0;

	assert_int_equal(qr_render(&plain, "x", false, NULL), OK);
	assert_int_equal(qr_render(&coloured, "x", true, NULL), OK);
	buf_append_byte(&coloured, 0);
	for (size_t i = 0; i < plain.size; i++)
		lines += plain.data[i] == '\n';
	for (const char *at = (char *)coloured.data; (at = strstr(at, "\x1b[40;97m")); at++)
		starts++;
	assert_int_equal(starts, lines);
	assert_null(memchr(plain.data, '\x1b', plain.size));
	buf_release(&plain);
	buf_release(&coloured);
}

static void text_that_no_code_holds_is_refused(void **state)
{
	char endless[3000];
	struct buf text = BUF_EMPTY;

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(qr_render(&text, endless, false, NULL), ERR_LIMIT);
	assert_int_equal(text.size, 0);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_has_its_quiet_zone_and_finders),
		cmocka_unit_test(ticket_fits_on_a_terminal),
		cmocka_unit_test(colours_stand_around_each_line),
		cmocka_unit_test(text_that_no_code_holds_is_refused),
	};

	return cmocka_run_group_tests_name("node/qr", tests, NULL, NULL);
}
