/* core without memory: whichever allocation fails, the call says so, leaves
 * nothing behind, and works when there is memory again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/office.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED

int main(void)
{
	return 77; /* sanitizers replace malloc themselves */
}

#else

/* glibc's own allocator, under the names it keeps for programs that replace it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

/* Allocations to go until one fails; 0: none will. */
static long countdown;
static long live_count;

static bool fails_now(void)
{
	return countdown > 0 && --countdown == 0;
}

static void *count(void *block)
{
	live_count += block != NULL;
	return block;
}

void *malloc(size_t size)
{
	return fails_now() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t number, size_t size)
{
	return fails_now() ? NULL : count(__libc_calloc(number, size));
}

void *realloc(void *block, size_t size)
{
	void *moved = fails_now() ? NULL : __libc_realloc(block, size);

	return block ? moved : count(moved);
}

void free(void *block)
{
	live_count -= block != NULL;
	__libc_free(block);
}

struct world {
	struct office a, b;
	struct space_id space;
	struct record_id action;
	struct arena arena;
	struct sealed *log;
	size_t log_count;
	struct replica *opened;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct value title = value_str("Review the contract");

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	office_found(&w->a, "SHA");
	office_join(&w->b, &w->a, "FRA");
	w->space = office_share(&w->a);
	w->action = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	office_sync(&w->a, &w->b);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	arena_release(&w->arena);
	free(w);
	return 0;
}

/* Run `attempt` with the first allocation failing, then the second, and so on,
 * later with ever longer strides, until it gets through without one. Returns
 * how many allocations that took. */
static long fail_each(struct world *w, enum err (*attempt)(struct world *))
{
	for (long k = 1;; k += 1 + k / 64) {
		bool reached;
		enum err rc;

		countdown = k;
		rc = attempt(w);
		reached = countdown == 0;
		countdown = 0;
		if (!reached) {
			assert_int_equal(rc, OK);
			return k - 1;
		}
		/* Some allocations only make things faster: SQLite goes on without. */
		if (rc != ERR_NOMEM && rc != OK)
			fail_msg("allocation %ld: %s", k, err_name(rc));
	}
}

static enum err edit_once(struct world *w)
{
	struct value title = value_str("edited"), entry = value_str("entry");
	struct replica *r = w->a.replica;
	struct edit *e = NULL;
	struct record_id id;
	enum err rc = replica_begin(r, NULL);

	if (rc == OK)
		rc = edit_open(&e, r, &w->space, NULL, w->a.now_ms++, NULL);
	if (rc == OK)
		rc = edit_set(e, KIND_ACTION, &w->action, ACTION_TITLE, &title, NULL);
	if (rc == OK)
		rc = edit_add(e, KIND_ACTION, &w->action, ACTION_PROGRESS, &entry, NULL);
	if (rc == OK) {
		id = edit_create(e);
		rc = edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &title, NULL);
	}
	if (rc == OK)
		rc = edit_seal(e, NULL);
	else
		edit_drop(e);
	if (rc == OK)
		return replica_commit(r, NULL);
	replica_rollback(r);
	return rc;
}

static void edits_fail_whole(void **state)
{
	struct world *w = *state;

	assert_true(fail_each(w, edit_once) > 20);
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

static enum err receive_all(struct world *w)
{
	struct receipt receipt;

	return replica_receive(w->b.replica, &w->space, w->log, w->log_count, w->b.now_ms, &receipt,
			       NULL);
}

static void receiving_fails_whole(void **state)
{
	struct world *w = *state;
	struct value value = value_str("concurrent");

	office_set(&w->b, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_set(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_void(&w->a, &w->space, KIND_ACTION, &w->action);
	w->log = office_log(&w->a, &w->space, &w->arena, &w->log_count);
	assert_true(fail_each(w, receive_all) > 20);
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

static enum err read_all(struct world *w)
{
	struct arena arena = ARENA_EMPTY;
	struct verify_report report;
	struct element *elements;
	struct sealed *list;
	struct record rec;
	size_t count;
	bool more;
	enum err rc = replica_missing(w->a.replica, &w->space, &VV_EMPTY, SIZE_MAX, 100, &arena,
				      &list, &count, &more, NULL);

	if (rc == OK)
		rc = replica_record(w->a.replica, KIND_ACTION, &w->action, &arena, &rec, NULL,
				    NULL);
	if (rc == OK)
		rc = replica_elements(w->a.replica, KIND_ACTION, &w->action, ACTION_PROGRESS,
				      &arena, &elements, &count, NULL);
	if (rc == OK)
		rc = replica_verify(w->a.replica, &report, NULL, NULL, NULL);
	arena_release(&arena);
	return rc;
}

static void reading_and_verifying_say_so(void **state)
{
	struct world *w = *state;

	assert_int_equal(edit_once(w), OK);
	assert_true(fail_each(w, read_all) > 20);
	assert_true(office_agrees(&w->a, &w->a));
}

static enum err open_and_close(struct world *w)
{
	struct replica_config config = { .path = ":memory:",
					 .create = true,
					 .sign_secret = w->a.sign_secret,
					 .dice = prng_dice(&w->a.prng),
					 .now_ms = OFFICE_NOW_MS };
	struct replica *r = NULL;
	enum err rc = replica_open(&r, &config, NULL);

	replica_close(r);
	return rc;
}

static enum err open_without_a_leak(struct world *w)
{
	long before = live_count;
	enum err rc = open_and_close(w);

	assert_int_equal(live_count, before);
	return rc;
}

static void opening_leaves_nothing(void **state)
{
	assert_int_equal(open_and_close(*state), OK); /* what SQLite keeps for good */
	assert_true(fail_each(*state, open_without_a_leak) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(edits_fail_whole),
		TEST(receiving_fails_whole),
		TEST(reading_and_verifying_say_so),
		TEST(opening_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
