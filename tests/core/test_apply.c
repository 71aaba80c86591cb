/* core/apply: offices that hold the same changesets have the same state,
 * however they came by them, and the inbox follows the records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/replica_impl.h"
#include "tests/support/office.h"

enum { OFFICES = 3, RECORDS = 4 };

struct world {
	struct office offices[OFFICES];
	struct space_id space;
	struct record_id records[RECORDS], people[3];
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	for (unsigned i = 0; i < OFFICES; i++)
		office_open(&w->offices[i], NULL, i + 1);
	w->space = UNITE(&w->offices[0], &w->offices[1], &w->offices[2]);
	for (unsigned i = 0; i < RECORDS; i++)
		w->records[i] = office_item(&w->offices[0], &w->space, "Review the contract");
	memset(w->people, 7, sizeof(w->people));
	for (unsigned i = 0; i < 3; i++)
		w->people[i].bytes[15] = (uint8_t)i;
	for (unsigned i = 1; i < OFFICES; i++)
		office_pull(&w->offices[i], &w->offices[0]);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < OFFICES; i++)
		office_close(&w->offices[i]);
	free(w);
	return 0;
}

static void sync_all(struct world *w)
{
	for (int round = 0; round < 2; round++)
		for (unsigned i = 1; i < OFFICES; i++)
			office_sync(&w->offices[0], &w->offices[i]);
}

static void assert_all_agree(struct world *w)
{
	for (unsigned i = 1; i < OFFICES; i++)
		assert_true(office_agrees(&w->offices[0], &w->offices[i]));
}

/* What the inbox says of a record's field; field 0 is its life. */
static bool is_marked(struct office *o, const struct record_id *id, uint8_t field)
{
	struct value args[] = { value_ref(id), value_int(field) };
	struct rows *rows;
	bool marked;

	OFFICE_MUST(rows_open(&rows, o->replica,
			      "SELECT 1 FROM conflict WHERE record = ?1 AND field = ?2", args, 2,
			      &msg));
	marked = rows_next(rows);
	OFFICE_MUST(rows_close(rows, &msg));
	return marked;
}

static void load(struct office *o, const struct record_id *id, struct arena *arena,
		 struct record *out)
{
	OFFICE_MUST(replica_record(o->replica, KIND_ACTION, id, arena, out, NULL, &msg));
}

static void assert_inbox_follows(struct office *o, const struct record_id *id)
{
	const struct kind *kind = schema_kind(KIND_ACTION);
	struct arena arena = ARENA_EMPTY;
	struct record rec;

	load(o, id, &arena, &rec);
	assert_int_equal(is_marked(o, id, 0), record_life(&rec) == RECORD_REVIVED);
	for (size_t i = 0; i < kind->field_count; i++)
		if (merge_is_register(kind->fields[i].merge))
			assert_int_equal(is_marked(o, id, kind->fields[i].number),
					 record_has_conflict(&rec, &kind->fields[i]));
	arena_release(&arena);
}

/* Any edit that the record allows at the moment. */
static enum err try_random_edit(struct world *w, struct office *o, struct prng *prng,
				struct edit *e, struct errmsg *why)
{
	const struct record_id *id = &w->records[prng_below(prng, RECORDS)];
	struct value person = value_ref(&w->people[prng_below(prng, 3)]);
	struct value text = value_str(&"abcdefgh"[prng_below(prng, 8)]);

	switch (prng_below(prng, 9)) {
	case 0: return edit_void(e, KIND_ACTION, id, why);
	case 1: return edit_revive(e, KIND_ACTION, id, why);
	case 2: return edit_add(e, KIND_ACTION, id, ACTION_CC, &person, why);
	case 3: return edit_remove(e, KIND_ACTION, id, ACTION_CC, &person, why);
	case 4: return edit_add(e, KIND_ACTION, id, ACTION_PROGRESS, &text, why);
	case 5: return edit_set(e, KIND_ACTION, id, ACTION_OWNER, &person, why);
	case 6: return edit_set(e, KIND_ACTION, id, ACTION_NUMBER, &text, why);
	case 7:
		return edit_step(e, KIND_ACTION, id, ACTION_STATE, (unsigned)prng_below(prng, 5),
				 why);
	default: return edit_set(e, KIND_ACTION, id, ACTION_TITLE, &text, why);
	}
}

static void random_edit(struct world *w, struct office *o, struct prng *prng)
{
	struct edit *e = office_edit(o, &w->space);
	uint64_t ops = 1 + prng_below(prng, 4);
	struct errmsg why;

	for (uint64_t i = 0; i < ops; i++) {
		enum err rc = try_random_edit(w, o, prng, e, &why);

		assert_true(rc == OK || rc == ERR_INVALID || rc == ERR_NOT_FOUND);
	}
	office_seal(o, e);
	/* Clocks that disagree: what counts is who has seen what. */
	o->now_ms += prng_below(prng, 5000);
}

static void offices_with_the_same_changesets_agree(void **state)
{
	struct world *w = *state;
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int turn = 0; turn < 300; turn++) {
		struct office *o = &w->offices[prng_below(&prng, OFFICES)];

		if (prng_chance(&prng, 70))
			random_edit(w, o, &prng);
		else
			office_pull(o, &w->offices[prng_below(&prng, OFFICES)]);
	}
	sync_all(w);
	assert_all_agree(w);
	for (unsigned i = 0; i < OFFICES; i++)
		for (unsigned k = 0; k < RECORDS; k++)
			assert_inbox_follows(&w->offices[i], &w->records[k]);
}

/* A log in another causal order: the feeds' next changesets, drawn at random.
 * Who is refused for what it depends on waits. */
static void deliver_in_random_order(struct office *to, const struct space_id *space,
				    const struct sealed *list, size_t count, struct prng *prng)
{
	bool *done = calloc(count, sizeof(*done));
	size_t left = count;

	while (left > 0) {
		size_t i = prng_below(prng, count);
		struct receipt receipt;
		struct errmsg why;
		enum err rc;

		if (done[i])
			continue;
		rc = replica_receive(to->replica, space, &list[i], 1, to->now_ms, &receipt, &why);
		if (rc == OK) {
			done[i] = true;
			left--;
		} else {
			assert_true(rc == ERR_CHAIN || rc == ERR_CAUSAL);
		}
	}
	free(done);
}

static void order_of_arrival_does_not_show(void **state)
{
	struct world *w = *state;
	struct arena arena = ARENA_EMPTY;
	struct sealed *list;
	struct prng prng;
	size_t count;

	prng_init(&prng, prng_seed_from_environment());
	for (int turn = 0; turn < 40; turn++)
		random_edit(w, &w->offices[prng_below(&prng, OFFICES)], &prng);
	sync_all(w);
	for (int turn = 0; turn < 10; turn++)
		random_edit(w, &w->offices[prng_below(&prng, OFFICES)], &prng);
	sync_all(w);
	list = office_log(&w->offices[0], &w->space, &arena, &count);
	for (int order = 0; order < 5; order++) {
		struct office fresh;
		struct space_id directory = replica_directory(w->offices[0].replica);
		struct sealed *members;
		size_t member_count;

		office_open(&fresh, NULL, 100);
		OFFICE_MUST(replica_join(fresh.replica, replica_org(w->offices[0].replica), &msg));
		office_pull_statements(&fresh, &w->offices[0]);
		members = office_log(&w->offices[0], &directory, &arena, &member_count);
		for (size_t i = 0; i < member_count; i++) {
			struct receipt receipt;

			OFFICE_MUST(replica_receive(fresh.replica, &directory, &members[i], 1,
						    fresh.now_ms + 1000, &receipt, &msg));
		}
		fresh.now_ms = w->offices[0].now_ms + 1000000;
		deliver_in_random_order(&fresh, &w->space, list, count, &prng);
		assert_true(office_agrees(&w->offices[0], &fresh));
		office_close(&fresh);
	}
	arena_release(&arena);
}

static void conflict_is_marked_until_somebody_chooses(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	struct value of_a = value_str("title of a"), of_b = value_str("title of b");
	const struct record_id *id = &w->records[0];

	office_set(a, &w->space, KIND_ACTION, id, ACTION_TITLE, &of_a);
	office_set(b, &w->space, KIND_ACTION, id, ACTION_TITLE, &of_b);
	assert_false(is_marked(a, id, ACTION_TITLE));
	sync_all(w);
	assert_true(is_marked(a, id, ACTION_TITLE));
	assert_true(is_marked(b, id, ACTION_TITLE));
	assert_int_equal(office_count(a, "SELECT count(*) FROM action_item WHERE conflict"), 1);
	assert_all_agree(w);

	office_set(b, &w->space, KIND_ACTION, id, ACTION_TITLE, &of_a);
	sync_all(w);
	assert_false(is_marked(a, id, ACTION_TITLE));
	assert_int_equal(office_count(a, "SELECT count(*) FROM action_item WHERE conflict"), 0);
	assert_all_agree(w);
}

static void done_and_cancelled_at_once_is_a_conflict(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	const struct record_id *id = &w->records[0];

	office_step(a, &w->space, KIND_ACTION, id, ACTION_STATE, ACTION_DONE);
	office_step(b, &w->space, KIND_ACTION, id, ACTION_STATE, ACTION_CANCELLED);
	sync_all(w);
	assert_true(is_marked(a, id, ACTION_STATE));
	office_step(b, &w->space, KIND_ACTION, id, ACTION_STATE, ACTION_OPEN);
	sync_all(w);
	assert_false(is_marked(a, id, ACTION_STATE));
	assert_all_agree(w);
}

/* Who has seen all that was written beside a void may void it once more. */
static void assert_void_ends_it(struct world *w, const struct record_id *id)
{
	struct office *a = &w->offices[0], *b = &w->offices[1];

	office_void(a, &w->space, KIND_ACTION, id);
	sync_all(w);
	assert_false(is_marked(b, id, 0));
	assert_int_equal(office_count(b, "SELECT count(*) FROM action_item WHERE voided"), 1);
	assert_all_agree(w);
}

static void edit_concurrent_with_a_void_is_marked(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	struct value value = value_str("still needed");
	const struct record_id *id = &w->records[0];

	office_void(a, &w->space, KIND_ACTION, id);
	office_set(b, &w->space, KIND_ACTION, id, ACTION_DELIVERABLE, &value);
	sync_all(w);
	assert_true(is_marked(a, id, 0));
	assert_void_ends_it(w, id);
}

static void addition_concurrent_with_a_removal_stays(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	struct value person = value_ref(&w->people[0]);
	const struct record_id *id = &w->records[0];

	office_add(a, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	sync_all(w);
	office_remove(a, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	office_add(b, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	sync_all(w);
	assert_int_equal(office_elements(a, id, ACTION_CC), 1);
	assert_all_agree(w);
	office_remove(a, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	sync_all(w);
	assert_int_equal(office_elements(b, id, ACTION_CC), 0);
	assert_all_agree(w);
}

static void addition_concurrent_with_a_void_keeps_the_record_alive(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	struct value entry = value_str("half done");
	const struct record_id *id = &w->records[0];

	office_void(a, &w->space, KIND_ACTION, id);
	office_add(b, &w->space, KIND_ACTION, id, ACTION_PROGRESS, &entry);
	sync_all(w);
	assert_true(is_marked(a, id, 0));
	assert_int_equal(office_count(a, "SELECT count(*) FROM action_item WHERE voided"), 0);
	assert_all_agree(w);

	assert_void_ends_it(w, id);
}

/* What was voided is written by a node that counts no more; the void and the addition,
 * of one changeset, still do. */
static void addition_beside_a_void_keeps_alive_what_is_gone_otherwise(void **state)
{
	struct world *w = *state;
	struct office *o = &w->offices[0];
	struct record_id id = office_item(&w->offices[1], &w->space, "soon gone");
	struct statement s = { .type = STATEMENT_REVOKE };
	struct value entry = value_str("not without this");
	struct edit *e;

	office_pull(o, &w->offices[1]);
	e = office_edit(o, &w->space);
	OFFICE_MUST(edit_void(e, KIND_ACTION, &id, &msg));
	OFFICE_MUST(edit_add(e, KIND_ACTION, &id, ACTION_PROGRESS, &entry, &msg));
	office_seal(o, e);
	assert_true(is_marked(o, &id, 0));
	s.u.revoke.node =
		replica_member_by_replica(o->replica, replica_id(w->offices[1].replica))->node;
	OFFICE_MUST(replica_state(o->replica, &s, NULL, 0, o->now_ms++, &msg));
	assert_true(is_marked(o, &id, 0));
}

static void both_may_remove_the_same_element(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	struct value person = value_ref(&w->people[0]);
	const struct record_id *id = &w->records[0];

	office_add(a, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	sync_all(w);
	office_remove(a, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	office_remove(b, &w->space, KIND_ACTION, id, ACTION_CC, &person);
	sync_all(w);
	assert_int_equal(office_elements(a, id, ACTION_CC), 0);
	assert_all_agree(w);
}

static void log_entries_come_in_the_order_of_their_stamps(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0], *b = &w->offices[1];
	const struct record_id *id = &w->records[0];
	struct value value;
	struct arena arena = ARENA_EMPTY;
	struct element *list;
	size_t count;

	a->now_ms += 500000;
	value = value_str("second");
	office_add(a, &w->space, KIND_ACTION, id, ACTION_PROGRESS, &value);
	value = value_str("first");
	office_add(b, &w->space, KIND_ACTION, id, ACTION_PROGRESS, &value);
	sync_all(w);
	value = value_str("third");
	office_add(b, &w->space, KIND_ACTION, id, ACTION_PROGRESS, &value);
	sync_all(w);
	OFFICE_MUST(replica_elements(a->replica, KIND_ACTION, id, ACTION_PROGRESS, &arena, &list,
				     &count, &msg));
	assert_int_equal(count, 3);
	assert_true(bytes_equal(list[0].value.bytes, bytes_of_str("first")));
	assert_true(bytes_equal(list[1].value.bytes, bytes_of_str("second")));
	assert_true(bytes_equal(list[2].value.bytes, bytes_of_str("third")));
	arena_release(&arena);
}

static void same_record_in_two_spaces_is_two(void **state)
{
	struct world *w = *state;
	struct office *a = &w->offices[0];
	struct space_id other = office_share(a);
	struct value here = value_str("here"), there = value_str("there");

	office_set(a, &w->space, KIND_ACTION, &w->records[0], ACTION_TITLE, &here);
	office_set(a, &other, KIND_ACTION, &w->records[0], ACTION_TITLE, &there);
	sync_all(w);
	assert_int_equal(office_count(a, "SELECT count(*) FROM action_item WHERE title IN "
					 "('here', 'there')"),
			 2);
	assert_all_agree(w);
}

/* ---- A full record ------------------------------------------------------------- */

struct writing {
	struct op op;
	struct stamp stamp;
};

/* A value of the title by a replica that has a number, in place of another's. */
static struct writing title_by(const struct world *w, uint32_t number, const struct target *target)
{
	struct writing x = { { .record = w->records[0],
			       .kind = KIND_ACTION,
			       .field = ACTION_TITLE,
			       .verb = target ? VERB_REPLACE : VERB_SET,
			       .targets = target,
			       .target_count = target != NULL,
			       .value = value_str("mine") },
			     { { UINT64_C(9) << 16 | number }, { { { 0 } }, 1 } } };

	memcpy(x.stamp.dot.replica.bytes, &number, sizeof(number));
	return x;
}

static struct target target_by(const struct world *w, uint32_t number)
{
	return (struct target){ title_by(w, number, NULL).stamp.dot, 0 };
}

typedef enum err applying(struct store *s, uint32_t space, const struct stamp *stamp,
			  const struct changeset *cs, struct arena *arena, struct errmsg *msg);

static enum err apply_title(struct world *w, uint32_t number, const struct target *target,
			    applying *apply)
{
	struct replica *r = w->offices[0].replica;
	struct writing x = title_by(w, number, target);
	struct changeset cs = { .ops = &x.op, .op_count = 1 };
	uint32_t intern;

	OFFICE_MUST(store_intern(r->store, &x.stamp.dot.replica, &intern, &msg));
	arena_reset(&r->arena);
	return apply(r->store, replica_space(r, &w->space)->idx, &x.stamp, &cs, &r->arena, NULL);
}

static void fill(struct world *w)
{
	struct replica *r = w->offices[0].replica;
	uint32_t space = replica_space(r, &w->space)->idx, intern;
	struct record rec;

	arena_reset(&r->arena);
	OFFICE_MUST(store_record_load(r->store, space, schema_kind(KIND_ACTION), &w->records[0],
				      &r->arena, &rec, &msg));
	for (uint32_t i = 1; rec.count < RECORD_ENTRIES_MAX; i++) {
		struct writing x = title_by(w, i, NULL);

		OFFICE_MUST(store_intern(r->store, &x.stamp.dot.replica, &intern, &msg));
		OFFICE_MUST(record_apply(&rec, &x.stamp, &x.op));
	}
	OFFICE_MUST(store_record_update(r->store, space, &rec, true, &msg));
}

static void full_record_takes_what_makes_it_no_fuller(void **state)
{
	struct world *w = *state;
	struct target third = target_by(w, 3), fourth = target_by(w, 4);

	OFFICE_MUST(replica_begin(w->offices[0].replica, &msg));
	fill(w);
	assert_int_equal(apply_title(w, 5000, NULL, apply_check), ERR_LIMIT);
	assert_int_equal(apply_title(w, 5001, &third, apply_check), OK);
	assert_int_equal(apply_title(w, 5001, &third, apply_changeset), OK);
	assert_int_equal(apply_title(w, 5002, NULL, apply_changeset), ERR_LIMIT);
	/* What is in the log already passes, in whatever order. */
	assert_int_equal(apply_title(w, 5003, NULL, apply_again), OK);
	assert_int_equal(apply_title(w, 5004, &fourth, apply_changeset), OK);
	replica_rollback(w->offices[0].replica);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(offices_with_the_same_changesets_agree),
		TEST(order_of_arrival_does_not_show),
		TEST(conflict_is_marked_until_somebody_chooses),
		TEST(done_and_cancelled_at_once_is_a_conflict),
		TEST(edit_concurrent_with_a_void_is_marked),
		TEST(addition_concurrent_with_a_removal_stays),
		TEST(addition_concurrent_with_a_void_keeps_the_record_alive),
		TEST(addition_beside_a_void_keeps_alive_what_is_gone_otherwise),
		TEST(both_may_remove_the_same_element),
		TEST(log_entries_come_in_the_order_of_their_stamps),
		TEST(same_record_in_two_spaces_is_two),
		TEST(full_record_takes_what_makes_it_no_fuller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
