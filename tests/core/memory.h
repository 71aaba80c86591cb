/* Two offices that share a space, and what failing allocations must not change there. Include it
 * after cmocka.h. */
#ifndef HT_TESTS_CORE_MEMORY_H
#define HT_TESTS_CORE_MEMORY_H

#include <stdlib.h>

#include <unistd.h>

#include "core/limits.h"
#include "tests/support/office.h"
#include "tests/support/shortage.h"
#include "tests/support/tempdir.h"

/* What a replica is, as far as others can tell. */
struct snapshot {
	uint8_t state[STATE_HASH_BYTES];
	uint8_t directory[VV_DIGEST_BYTES], shared[VV_DIGEST_BYTES];
};

struct world {
	char folder[TEMPDIR_BYTES_MAX];
	struct office a, b; /* a in a file, b in memory */
	struct space_id space;
	struct record_id action, voided, block, person;
	struct arena arena;
	struct sealed *log;
	size_t log_count;
	struct snapshot before;
	unsigned number; /* of the attempt */
	long blocks;     /* before all */
	struct statement_list statements;
	bool has_no_statements; /* renew_b() leaves them out */
};

static inline char *world_path(const struct world *w, const char *name)
{
	static char path[256];

	return tempdir_path(path, sizeof(path), w->folder, name);
}

static inline struct snapshot snapshot_of(const struct world *w, const struct office *o)
{
	struct space_id directory = replica_directory(o->replica);
	struct snapshot s;

	OFFICE_MUST(replica_state_hash(o->replica, s.state, &msg));
	replica_digest(o->replica, &directory, s.directory);
	replica_digest(o->replica, &w->space, s.shared);
	return s;
}

/* A text that is stored and sent packed, and lies in pieces once it is edited. */
static inline struct value long_text(void)
{
	static char text[6000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	return value_text(bytes_of(text, sizeof(text)));
}

static inline int set_up(void **state)
{
	struct world *w;
	struct value title = value_str("Review the contract");
	struct value text = long_text();
	struct space_id directory;
	long blocks = shortage_blocks();

	w = calloc(1, sizeof(*w));
	w->blocks = blocks;
	tempdir_new(w->folder, sizeof(w->folder));
	office_open(&w->a, world_path(w, "a.db"), 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	directory = replica_directory(w->a.replica);
	w->person = office_create(&w->a, &directory, KIND_PERSON, PERSON_NAME, &title);
	w->action = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	w->voided = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	w->block = office_create(&w->a, &w->space, KIND_BLOCK, BLOCK_TEXT, &text);
	office_sync(&w->a, &w->b);
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;
	long blocks = w->blocks;

	office_close(&w->a);
	office_close(&w->b);
	arena_release(&w->arena);
	statement_list_release(&w->statements);
	tempdir_remove(w->folder);
	free(w);
	assert_int_equal(shortage_blocks(), blocks);
	return 0;
}

static inline void expect_same(const struct world *w, const struct office *o)
{
	struct snapshot now;
	bool changed;

	/* What could not be read for lack of memory is read now. */
	OFFICE_MUST(replica_refresh(o->replica, &changed, &msg));
	now = snapshot_of(w, o);
	assert_memory_equal(&now, &w->before, sizeof(now));
}

static inline void expect_agreement(struct world *w)
{
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

/* Other attempts than writing leave what they found. */
static inline void check_unchanged(void *ctx, enum err rc)
{
	struct world *w = ctx;

	expect_same(w, &w->a);
}

static inline long try_reading(struct world *w, enum err (*attempt)(void *ctx))
{
	const struct shortage_trial trial = { attempt, check_unchanged, w, 300 };

	w->before = snapshot_of(w, &w->a);
	return shortage_try(&trial);
}

/* ---- Work, and what is to be of it ---------------------------------------------- */

/* Every verb, on records new and old, small and large. */
static inline enum err write_first(struct world *w, struct edit *e)
{
	struct value title = value_str("edited"), text = long_text();
	struct value helper = value_ref(&w->person);
	struct record_id id = edit_create(e);
	enum err rc = edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &title, NULL);

	if (rc == OK)
		rc = edit_step(e, KIND_ACTION, &id, ACTION_STATE, ACTION_DOING, NULL);
	if (rc == OK)
		rc = edit_set(e, KIND_ACTION, &w->action, ACTION_TITLE, &title, NULL);
	if (rc == OK)
		rc = edit_add(e, KIND_ACTION, &w->action, ACTION_HELPERS, &helper, NULL);
	if (rc == OK)
		rc = edit_set(e, KIND_BLOCK, &w->block, BLOCK_TEXT, &text, NULL);
	return rc == OK ? edit_void(e, KIND_ACTION, &w->voided, NULL) : rc;
}

static inline enum err write_second(struct world *w, struct edit *e)
{
	struct value helper = value_ref(&w->person), entry = value_str("entry");
	enum err rc = edit_remove(e, KIND_ACTION, &w->action, ACTION_HELPERS, &helper, NULL);

	if (rc == OK)
		rc = edit_add(e, KIND_ACTION, &w->action, ACTION_PROGRESS, &entry, NULL);
	return rc == OK ? edit_revive(e, KIND_ACTION, &w->voided, NULL) : rc;
}

static inline enum err write_changeset(struct world *w,
				       enum err (*write)(struct world *w, struct edit *e))
{
	struct edit *e;
	enum err rc = edit_open(&e, w->a.replica, &w->space, NULL, w->a.now_ms++, NULL);

	if (rc != OK)
		return rc;
	rc = write(w, e);
	if (rc == OK)
		return edit_seal(e, NULL);
	edit_drop(e);
	return rc;
}

static inline enum err edit_once(void *ctx)
{
	struct world *w = ctx;
	struct replica *r = w->a.replica;
	char number[NUMBER_TEXT_MAX];
	enum err rc = replica_begin(r, NULL);

	if (rc == OK)
		rc = replica_number(r, KIND_ACTION, 2027, number, NULL);
	if (rc == OK)
		rc = write_changeset(w, write_first);
	if (rc == OK)
		rc = write_changeset(w, write_second);
	if (rc == OK)
		return replica_commit(r, NULL);
	replica_rollback(r);
	return rc;
}

/* What failed left no trace; what did not is there. */
static inline void check_edit(void *ctx, enum err rc)
{
	struct world *w = ctx;
	bool changed;
	struct snapshot now;

	OFFICE_MUST(replica_refresh(w->a.replica, &changed, &msg));
	now = snapshot_of(w, &w->a);
	assert_int_equal(memcmp(&now, &w->before, sizeof(now)) == 0, rc != OK);
	w->before = now;
}

static inline void check_blocks(void *ctx, enum err rc)
{
	struct world *w = ctx;
	static long before;

	if (w->number++ > 0)
		assert_int_equal(shortage_blocks(), before);
	before = shortage_blocks();
}

#endif
