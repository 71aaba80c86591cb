/* Dates with zones as people type them, and walltimes of others: what is accepted can be shown
 * and means one instant. The zones are this machine's. */
#include <string.h>

#include "node/due.h"
#include "tests/fuzz/target.h"

#define NOW_S INT64_C(1789696800) /* 2026-09-18 02:00 UTC */

static void show(const struct when_reader *r, const struct walltime *w)
{
	char text[WHEN_TEXT_BYTES];
	struct due due;

	when_short(r, w, "SHA", text);
	require(strlen(text) < sizeof(text));
	when_short(r, w, NULL, text);
	when_full(r, w, text);
	when_caution(r, w, text);
	if (due_of(&due, r, w, NULL) == OK) {
		require(due.days >= 0);
		due_format(&due, r, text);
		require(text[0]);
	}
}

static void read_typed(const struct when_reader *r, const char *text)
{
	char written[WALLTIME_TEXT_BYTES];
	struct walltime due, again;
	struct errmsg msg = { .text = "" };

	if (due_parse(&due, r, text, &msg) != OK) {
		require(msg.text[0]);
		return;
	}
	walltime_format(written, &due);
	require(walltime_parse(&again, bytes_of_str(written)) == OK);
	show(r, &due);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone_db *zones;
	struct buf text = BUF_EMPTY;
	struct when_reader r = { 0 };
	struct walltime w;

	if (!zones)
		require(zone_db_new(&zones, NULL, NULL) == OK);
	require(when_reader_init(&r, zones, "Asia/Shanghai", NOW_S, NULL) == OK);
	buf_append(&text, data, size);
	if (walltime_parse(&w, buf_bytes(&text)) == OK)
		show(&r, &w);
	buf_append_byte(&text, 0);
	read_typed(&r, (const char *)text.data);
	buf_release(&text);
	return 0;
}
