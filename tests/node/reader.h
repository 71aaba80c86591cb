/* A reader of dates in some zone, at one moment. For cmocka tests. */
#ifndef HT_TESTS_NODE_READER_H
#define HT_TESTS_NODE_READER_H

#include "node/when.h"

/* Friday, 2026-09-18 02:00 UTC: in Shanghai 10:00, in New York still Thursday, 22:00. */
#define NOW_S INT64_C(1789696800)

static struct zone_db *zones;

static int setup(void **state)
{
	return zone_db_new(&zones, NULL, NULL);
}

static int teardown(void **state)
{
	zone_db_free(zones);
	return 0;
}

static struct when_reader reader_in(const char *zone)
{
	struct when_reader r = { 0 };
	struct errmsg msg = { 0 };

	if (when_reader_init(&r, zones, zone, NOW_S, &msg))
		fail_msg("%s", msg.text);
	return r;
}

#endif
