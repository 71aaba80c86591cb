/* FRA has a database in a file, of which there may be copies, put back or going on beside it.
 * Include it after cmocka.h. */
#ifndef HT_TESTS_CORE_COPIES_H
#define HT_TESTS_CORE_COPIES_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/office.h"
#include "tests/support/tempdir.h"

struct world {
	struct office a, b;
	struct space_id space;
	char dir[128], path[200], copy[200];
	struct mark mark;
	bool has_mark;
	struct mark_port port;
	struct arena arena;
};

static inline int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	tempdir_path(w->copy, sizeof(w->copy), w->dir, "copy.db");
	office_open(&w->a, NULL, 1);
	office_open(&w->b, w->path, 2);
	w->space = UNITE(&w->a, &w->b);
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	arena_release(&w->arena);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static inline int64_t has_title(struct office *o, const char *title)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM action_item WHERE title = '%s'", title);
	return office_count(o, sql);
}

static inline void back_up(struct world *w)
{
	OFFICE_MUST(replica_backup(w->b.replica, w->copy, NULL, NULL, &msg));
}

/* The database is what it was at the backup. */
static inline void put_back(struct world *w)
{
	char path[310];

	office_close(&w->b);
	snprintf(path, sizeof(path), "%s-wal", w->path);
	unlink(path);
	snprintf(path, sizeof(path), "%s-shm", w->path);
	unlink(path);
	assert_int_equal(rename(w->copy, w->path), 0);
	office_reopen(&w->b);
}

static inline struct replica_id id_of(const struct office *o)
{
	return *replica_id(o->replica);
}

static inline void assert_same_everywhere(struct world *w)
{
	office_sync(&w->a, &w->b);
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

/* FRA and its copy both wrote; SHA heard the one, NYC the other. */
struct twins {
	struct office twin, c;
};

static inline void make_twins(struct world *w, struct twins *t)
{
	struct office copy = w->b;

	office_open(&t->c, NULL, 3);
	office_join(&t->c, &w->a, "NYC");
	office_grant(&w->a, &w->space, "NYC", ROLE_EDITOR);
	office_sync(&w->a, &w->b);
	office_sync(&w->a, &t->c);
	office_item(&w->b, &w->space, "shared");
	office_sync(&w->a, &w->b);
	office_sync(&w->a, &t->c);
	back_up(w);
	t->twin = copy;
	t->twin.root.secret = t->twin.root_secret;
	prng_init(&t->twin.prng, 77);
	snprintf(t->twin.path, sizeof(t->twin.path), "%s", w->copy);
	t->twin.replica = NULL;
	office_reopen(&t->twin);
	office_item(&w->b, &w->space, "by the one");
	office_item(&t->twin, &w->space, "by the other");
	office_pull(&w->a, &w->b);
	office_pull(&t->c, &t->twin);
}

static inline void prove_at(struct world *w, struct office *o, const struct office *other,
			    const struct replica_id *replica, uint64_t seq)
{
	struct dot dot = { *replica, seq };
	struct witness theirs;
	struct told told;

	OFFICE_MUST(replica_tell(other->replica, &w->space, &dot, &w->arena, &told, &msg));
	told_witness(&theirs, &told);
	OFFICE_MUST(replica_prove_fork(o->replica, &w->space, &dot, &theirs, o->now_ms++, &msg));
}

static inline void prove(struct world *w, struct office *o, const struct office *other,
			 const struct replica_id *replica)
{
	prove_at(w, o, other, replica, 2);
}

/* It has other keys from now on, and is another node of the office. */
static inline void enrol_anew(struct world *w, struct office *o, uint64_t seed)
{
	struct admission admission = { .office_code = "FRA", .zone = "Europe/Berlin" };
	struct office fresh;
	struct errmsg why;

	office_open(&fresh, NULL, seed);
	memcpy(o->sign_secret, fresh.sign_secret, sizeof(fresh.sign_secret));
	memcpy(o->identity.noise_key, fresh.identity.noise_key, NOISE_KEY_BYTES);
	office_close(&fresh);
	office_reopen(o);
	OFFICE_MUST(replica_enrol_anew(o->replica, &msg));
	admission.node = replica_identity(o->replica, o->identity.noise_key);
	OFFICE_MUST(replica_admit(w->a.replica, &admission, w->a.now_ms++, &msg));
	office_pull(o, &w->a);
	assert_int_equal(replica_check_member(o->replica, &why), OK);
}

#endif
