/* The worlds that most tests of the engine begin with. For cmocka tests. */
#ifndef HT_TESTS_SYNC_OFFICES_H
#define HT_TESTS_SYNC_OFFICES_H

#include "tests/sync/world.h"

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

/* Two offices that share a space; the second one dials the first. */
struct two {
	struct world world;
	struct site *sha, *fra;
	struct space_id space;
};

static inline void two_init(struct two *t)
{
	world_init(&t->world);
	t->sha = world_add_office(&t->world, "SHA");
	t->fra = world_add_office(&t->world, "FRA");
	t->space = office_share(&t->sha->office);
	site_dials(t->fra, t->sha);
}

/* Three offices in a row that share a space: the first and the last don't talk. */
struct row {
	struct world world;
	struct site *sha, *fra, *nyc;
	struct space_id space;
};

static inline void row_init(struct row *t)
{
	world_init(&t->world);
	t->sha = world_add_office(&t->world, "SHA");
	t->fra = world_add_office(&t->world, "FRA");
	t->nyc = world_add_office(&t->world, "NYC");
	t->space = office_share(&t->sha->office);
	office_pull_statements(&t->fra->office, &t->sha->office);
	office_pull_statements(&t->nyc->office, &t->sha->office);
	site_dials(t->sha, t->fra);
	site_dials(t->nyc, t->fra);
}

static inline void assert_in_sync(const struct site *a, const char *code)
{
	assert_int_equal(site_peer(a, code).state, PEER_IN_SYNC);
	assert_true(engine_is_idle(a->engine));
}

#endif
