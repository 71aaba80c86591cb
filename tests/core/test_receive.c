/* core/receive: what a member may send and what is refused, by name and
 * without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/replica_impl.h"
#include "tests/support/forge.h"

#define HOUR_MS (UINT64_C(3600) * 1000)

/* `a` founded, `b` joined; `f` is a member that seals what we like. */
struct world {
	struct office a, b;
	struct space_id space, directory;
	struct forge f;
	struct record_id record;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	office_open(&w->a, NULL, 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	w->directory = replica_directory(w->a.replica);
	forge_open(&w->f, &w->a, &w->space, "NYC", 3);
	office_sync(&w->a, &w->b);
	memset(w->record.bytes, 7, ID_BYTES);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	forge_close(&w->f);
	free(w);
	return 0;
}

static struct op title_op(const struct world *w, const char *title)
{
	return (struct op){ .record = w->record,
			    .kind = KIND_ACTION,
			    .field = ACTION_TITLE,
			    .verb = VERB_SET,
			    .value = value_str(title) };
}

/* A changeset of one title, at this wall time. */
static struct sealed seal_title(struct world *w, uint64_t wall_ms, const char *title)
{
	struct op op = title_op(w, title);

	return forge_ops(&w->f, wall_ms, NULL, 0, &op, 1);
}

static enum err receive(struct office *o, const struct space_id *space, const struct sealed *list,
			size_t count, struct receipt *receipt, struct errmsg *why)
{
	*receipt = (struct receipt){ .applied = 99 };
	*why = (struct errmsg){ .text = "" };
	return replica_receive(o->replica, space, list, count, o->now_ms, receipt, why);
}

static void assert_taken(struct office *o, const struct space_id *space, const struct sealed *list,
			 size_t count)
{
	struct receipt receipt;
	struct errmsg why;

	if (receive(o, space, list, count, &receipt, &why) != OK)
		fail_msg("%s", why.text);
	assert_int_equal(receipt.applied, count);
}

struct trace {
	uint8_t hash[STATE_HASH_BYTES];
	uint8_t vv[VV_DIGEST_BYTES];
	int64_t changesets, feeds, replicas;
};

static struct trace trace_of(struct office *o, const struct space_id *space)
{
	struct trace t;

	memset(&t, 0, sizeof(t));
	OFFICE_MUST(replica_state_hash(o->replica, t.hash, &msg));
	replica_digest(o->replica, space, t.vv);
	t.changesets = office_count(o, "SELECT count(*) FROM changeset");
	t.feeds = office_count(o, "SELECT count(*) FROM feed");
	t.replicas = office_count(o, "SELECT count(*) FROM replica_index");
	return t;
}

/* Refused with this error, words, and not a trace. */
static void assert_refused(struct office *o, const struct space_id *space,
			   const struct sealed *list, size_t count, enum err rc)
{
	struct trace before = trace_of(o, space), after;
	struct receipt receipt;
	struct errmsg why;
	enum err got = receive(o, space, list, count, &receipt, &why);

	if (got != rc)
		fail_msg("expected %s, got %s: %s", err_name(rc), err_name(got), why.text);
	assert_int_equal(receipt.applied, 99);
	assert_int_not_equal(why.text[0], 0);
	after = trace_of(o, space);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void what_is_well_formed_is_taken_and_relayed(void **state)
{
	struct world *w = *state;
	struct sealed s = seal_title(w, OFFICE_NOW_MS, "from afar");

	assert_taken(&w->a, &w->space, &s, 1);
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
	assert_int_equal(
		office_count(&w->b, "SELECT count(*) FROM action_item WHERE title = 'from afar'"),
		1);
}

static void same_changeset_again_is_counted_not_stored(void **state)
{
	struct world *w = *state;
	struct sealed list[2];
	struct receipt receipt;
	struct errmsg why;

	list[0] = seal_title(w, OFFICE_NOW_MS, "one");
	list[1] = list[0];
	assert_int_equal(receive(&w->a, &w->space, list, 2, &receipt, &why), OK);
	assert_int_equal(receipt.applied, 1);
	assert_int_equal(receipt.duplicates, 1);
	assert_int_equal(receive(&w->a, &w->space, list, 1, &receipt, &why), OK);
	assert_int_equal(receipt.applied, 0);
	assert_int_equal(receipt.duplicates, 1);
}

static void other_bytes_under_the_same_dot_are_a_fork(void **state)
{
	struct world *w = *state;
	struct sealed first = seal_title(w, OFFICE_NOW_MS, "one"), second;
	uint8_t signature[SIGNATURE_BYTES];

	w->f.head = (struct feed_head){ 0 };
	second = seal_title(w, OFFICE_NOW_MS, "two");
	assert_taken(&w->a, &w->space, &first, 1);
	assert_refused(&w->a, &w->space, &second, 1, ERR_FORK);

	second = first;
	memcpy(signature, first.signature, SIGNATURE_BYTES);
	signature[5] ^= 1;
	second.signature = signature;
	assert_refused(&w->a, &w->space, &second, 1, ERR_FORK);
}

static void feed_with_a_gap_is_refused(void **state)
{
	struct world *w = *state;
	struct sealed list[2];

	list[0] = seal_title(w, OFFICE_NOW_MS, "one");
	list[1] = seal_title(w, OFFICE_NOW_MS + 1, "two");
	assert_refused(&w->a, &w->space, &list[1], 1, ERR_CHAIN);
	list[0].seq = 0;
	assert_refused(&w->a, &w->space, list, 1, ERR_CHAIN);
	list[0].seq = UINT64_MAX;
	assert_refused(&w->a, &w->space, list, 1, ERR_CHAIN);
	list[0].seq = 1;
	assert_taken(&w->a, &w->space, list, 2);
	list[0].seq = 0;
	assert_refused(&w->a, &w->space, list, 1, ERR_CHAIN);
}

static void stranger_is_refused(void **state)
{
	struct world *w = *state;
	struct sealed s = seal_title(w, OFFICE_NOW_MS, "who am I");

	s.replica.bytes[3] ^= 1;
	assert_refused(&w->a, &w->space, &s, 1, ERR_REPLICA);
	assert_refused(&w->a, &w->directory, &s, 1, ERR_REPLICA);
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct world *w = *state;
	struct sealed good = seal_title(w, OFFICE_NOW_MS, "intact"), bad = good;
	uint8_t body[256], signature[SIGNATURE_BYTES];
	struct receipt receipt;
	struct errmsg why;

	assert_true(good.body.size <= sizeof(body));
	bad.body.data = body;
	bad.signature = signature;
	memcpy(signature, good.signature, SIGNATURE_BYTES);
	for (size_t bit = 0; bit < 8 * good.body.size; bit++) {
		memcpy(body, good.body.data, good.body.size);
		body[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* A flip in the stamp may say "not before next year". */
		if (receive(&w->a, &w->space, &bad, 1, &receipt, &why) == OK)
			assert_int_equal(receipt.held_back, 1);
		assert_int_equal(replica_vv(w->a.replica, &w->space)->count, 0);
	}
	memcpy(body, good.body.data, good.body.size);
	for (size_t bit = 0; bit < 8 * SIGNATURE_BYTES; bit++) {
		memcpy(signature, good.signature, SIGNATURE_BYTES);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(receive(&w->a, &w->space, &bad, 1, &receipt, &why), ERR_SIGNATURE);
	}
	assert_taken(&w->a, &w->space, &good, 1);
}

static void changeset_holds_in_its_own_space_and_place_only(void **state)
{
	struct world *w = *state;
	struct space_id other = office_share(&w->a);
	struct sealed s = seal_title(w, OFFICE_NOW_MS, "here"), later;

	assert_refused(&w->a, &other, &s, 1, ERR_SIGNATURE);
	assert_taken(&w->a, &w->space, &s, 1);
	later = s;
	later.seq = 2; /* the same bytes once more: its stamp gives it away first */
	assert_refused(&w->a, &w->space, &later, 1, ERR_INVALID);
}

/* One signature vouches for a run: each inner one must be covered by it. */
static void relay_cant_spoil_an_inner_signature(void **state)
{
	struct world *w = *state;
	struct sealed list[3], spoilt[3];
	uint8_t signature[SIGNATURE_BYTES] = { 0 };

	for (unsigned i = 0; i < 3; i++)
		list[i] = seal_title(w, OFFICE_NOW_MS + i, "in a run");
	for (unsigned i = 0; i < 3; i++) {
		memcpy(spoilt, list, sizeof(list));
		spoilt[i].signature = signature;
		assert_refused(&w->a, &w->space, spoilt, 3, ERR_SIGNATURE);
	}
	assert_taken(&w->a, &w->space, list, 3);
}

static void one_bad_changeset_takes_the_list_with_it(void **state)
{
	struct world *w = *state;
	struct sealed list[3];

	list[0] = seal_title(w, OFFICE_NOW_MS, "good");
	list[1] = seal_title(w, OFFICE_NOW_MS + 1, "good");
	list[2] = forge_seal(&w->f, bytes_of_str("\x97\x01 nonsense"));
	assert_refused(&w->a, &w->space, list, 3, ERR_FORMAT);
	assert_taken(&w->a, &w->space, list, 2);
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

static void missing_dependency_is_refused(void **state)
{
	struct world *w = *state;
	struct value value = value_str("seen by the forger only");
	struct op op = title_op(w, "after that");
	struct dot dep = { .seq = 1 };
	struct sealed s;

	office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	dep.replica = *replica_id(w->b.replica);
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, &dep, 1, &op, 1);
	assert_refused(&w->a, &w->space, &s, 1, ERR_CAUSAL);
	office_pull(&w->a, &w->b);
	assert_taken(&w->a, &w->space, &s, 1);
}

/* Or else the order of arrival would show in the state. */
static void write_that_replaces_the_unseen_is_refused(void **state)
{
	struct world *w = *state;
	struct target target = { .dot.seq = 1 };
	struct op ops[] = {
		{ .field = ACTION_TITLE,
		  .verb = VERB_REPLACE,
		  .value = value_str("mine"),
		  .targets = &target,
		  .target_count = 1 },
		{ .field = ACTION_CC, .verb = VERB_REMOVE, .targets = &target, .target_count = 1 },
		{ .verb = VERB_VOID, .targets = &target, .target_count = 1 },
		{ .verb = VERB_VOID, .observed = &target, .observed_count = 1 },
		{ .verb = VERB_REVIVE, .targets = &target, .target_count = 1 },
		{ .kind = 999, .verb = VERB_REVIVE, .targets = &target, .target_count = 1 },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct feed_head head = w->f.head;
		struct sealed s;

		ops[i].record = w->record;
		ops[i].kind = ops[i].kind ? ops[i].kind : KIND_ACTION;
		target.dot.replica = *replica_id(w->b.replica);
		target.dot.seq = 1;
		s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, NULL, 0, &ops[i], 1);
		assert_refused(&w->a, &w->space, &s, 1, ERR_CAUSAL);

		/* Nor what it will write itself. */
		w->f.head = head;
		target.dot = (struct dot){ w->f.identity.replica, head.seq + 2 };
		s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, NULL, 0, &ops[i], 1);
		assert_refused(&w->a, &w->space, &s, 1, ERR_CAUSAL);
		w->f.head = head;
	}
}

static void stamps_must_grow_along_every_dependency(void **state)
{
	struct world *w = *state;
	struct value value = value_str("late");
	struct target target = { 0 };
	struct op op = title_op(w, "early"), replace = op;
	struct dot dep = { .seq = 1 };
	struct feed_head head;
	struct sealed s;

	w->b.now_ms = OFFICE_NOW_MS + HOUR_MS;
	office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	office_pull(&w->a, &w->b);
	s = seal_title(w, OFFICE_NOW_MS, "first");
	assert_taken(&w->a, &w->space, &s, 1);
	head = w->f.head;

	dep.replica = *replica_id(w->b.replica);
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS - 1, &dep, 1, &op, 1);
	assert_refused(&w->a, &w->space, &s, 1, ERR_INVALID);
	w->f.head = head;
	target.dot = dep;
	replace.verb = VERB_REPLACE;
	replace.targets = &target;
	replace.target_count = 1;
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS - 1, NULL, 0, &replace, 1);
	assert_refused(&w->a, &w->space, &s, 1, ERR_INVALID);
	w->f.head = head;
	s = seal_title(w, OFFICE_NOW_MS, "no later than the one before");
	assert_refused(&w->a, &w->space, &s, 1, ERR_INVALID);
	w->f.head = head;
	/* After the first of b's two, before the second: that is no dependency. */
	dep.seq = 1;
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS + 1, &dep, 1, &op, 1);
	assert_taken(&w->a, &w->space, &s, 1);
}

static void refused_changeset_does_not_move_our_clock(void **state)
{
	struct world *w = *state;
	struct value value = value_str("now");
	struct sealed s = seal_title(w, w->a.now_ms + 23 * HOUR_MS, "tomorrow");
	struct dot dep = { *replica_id(w->a.replica), 1 };
	struct op op = title_op(w, "in an hour");
	uint8_t signature[SIGNATURE_BYTES] = { 0 };

	s.signature = signature;
	assert_refused(&w->a, &w->space, &s, 1, ERR_SIGNATURE);
	office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &value);
	/* What comes after our edit need not be later than tomorrow. */
	w->f.head = (struct feed_head){ 0 };
	s = forge_ops(&w->f, w->a.now_ms + HOUR_MS, &dep, 1, &op, 1);
	assert_taken(&w->a, &w->space, &s, 1);
}

static void stamps_from_the_future_wait_with_what_depends_on_them(void **state)
{
	struct world *w = *state;
	struct dot dep = { .seq = 1 };
	struct op op = title_op(w, "depends");
	struct forge g;
	struct sealed list[4];
	struct receipt receipt;
	struct errmsg why;

	forge_open(&g, &w->a, &w->space, "LON", 4);
	list[0] = seal_title(w, w->a.now_ms + 25 * HOUR_MS, "the day after tomorrow");
	list[1] = seal_title(w, w->a.now_ms + 25 * HOUR_MS + 1, "and on");
	dep.replica = w->f.identity.replica;
	list[2] = forge_ops(&g, w->a.now_ms + 26 * HOUR_MS, &dep, 1, &op, 1);
	assert_int_equal(receive(&w->a, &w->space, list, 3, &receipt, &why), OK);
	assert_int_equal(receipt.applied, 0);
	assert_int_equal(receipt.held_back, 3);
	assert_memory_equal(&receipt.held_replica, &w->f.identity.replica, ID_BYTES);
	assert_int_equal(hlc_wall_ms(receipt.held_hlc), w->a.now_ms + 25 * HOUR_MS);
	assert_int_equal(replica_vv(w->a.replica, &w->space)->count, 0);
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));

	w->a.now_ms += 2 * HOUR_MS;
	assert_taken(&w->a, &w->space, list, 3);
	assert_true(office_agrees(&w->a, &w->a));
	forge_close(&g);
}

static void kinds_stay_in_their_space(void **state)
{
	struct world *w = *state;
	struct op op = title_op(w, "an action in the directory");
	struct sealed s;

	w->f.space = w->directory;
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, NULL, 0, &op, 1);
	assert_refused(&w->a, &w->directory, &s, 1, ERR_INVALID);

	w->f.space = w->space;
	w->f.head = (struct feed_head){ 0 };
	op.kind = KIND_PERSON;
	op.field = PERSON_NAME;
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, NULL, 0, &op, 1);
	assert_refused(&w->a, &w->space, &s, 1, ERR_INVALID);
}

static void values_that_the_schema_refuses_are_refused(void **state)
{
	struct world *w = *state;
	struct op cases[] = {
		{ .field = ACTION_TITLE, .verb = VERB_SET, .value = value_int(1) },
		{ .field = ACTION_TITLE, .verb = VERB_ADD, .value = value_str("x") },
		{ .field = ACTION_CC, .verb = VERB_SET, .value = value_str("x") },
		{ .field = ACTION_STATE, .verb = VERB_SET, .value = value_int(-1) },
		{ .field = ACTION_DUE, .verb = VERB_SET, .value = value_str("soon") },
		{ .field = ACTION_PROGRESS, .verb = VERB_REMOVE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sealed s;

		cases[i].record = w->record;
		cases[i].kind = KIND_ACTION;
		s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, NULL, 0, &cases[i], 1);
		assert_refused(&w->a, &w->space, &s, 1, ERR_INVALID);
		w->f.head = (struct feed_head){ 0 };
	}
}

/* A later schema has more of them: what we can't name shows nothing yet. */
static void choices_and_states_of_a_newer_schema_wait_in_the_log(void **state)
{
	struct world *w = *state;
	struct verify_report report;
	struct op ops[] = {
		{ .field = ACTION_TITLE, .verb = VERB_SET, .value = value_str("known") },
		{ .field = ACTION_PRIORITY, .verb = VERB_SET, .value = value_int(99) },
		{ .field = ACTION_STATE, .verb = VERB_SET, .value = state_step(0, 99) },
	};
	struct sealed s;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		ops[i].record = w->record;
		ops[i].kind = KIND_ACTION;
	}
	s = forge_ops(&w->f, OFFICE_NOW_MS + HOUR_MS, NULL, 0, ops, 3);
	assert_taken(&w->a, &w->space, &s, 1);
	assert_int_equal(office_count(&w->a, "SELECT count(*) FROM r_action_item WHERE title = "
					     "'known' AND priority IS NULL AND state IS NULL"),
			 1);
	OFFICE_MUST(replica_verify(w->a.replica, &report, NULL, NULL, &msg));
}

/* What a former node signed before it was revoked stays signed. */
static void feed_of_a_revoked_node_reaches_newcomers(void **state)
{
	struct world *w = *state;
	struct record_id node =
		replica_member_by_replica(w->a.replica, replica_id(w->b.replica))->node;
	struct statement revoke = { .type = STATEMENT_REVOKE };
	struct value name = value_str("written before");
	struct arena arena = ARENA_EMPTY;
	struct verify_report report;
	struct office newcomer;
	struct cut *cuts;
	struct errmsg why;

	office_create(&w->b, &w->directory, KIND_PERSON, PERSON_NAME, &name);
	office_sync(&w->a, &w->b);
	revoke.u.revoke.node = node;
	OFFICE_MUST(replica_cuts_of(w->a.replica, &node, NULL, &arena, &cuts,
				    &revoke.u.revoke.cut_count, &msg));
	revoke.u.revoke.cuts = cuts;
	OFFICE_MUST(replica_state(w->a.replica, &revoke, NULL, 0, w->a.now_ms, &msg));
	arena_release(&arena);
	assert_null(replica_member_by_noise_key(w->a.replica, w->b.identity.noise_key));
	OFFICE_MUST(replica_verify(w->a.replica, &report, NULL, NULL, &msg));

	office_open(&newcomer, NULL, 6);
	OFFICE_MUST(replica_join(newcomer.replica, replica_org(w->a.replica), &why));
	office_pull(&newcomer, &w->a);
	assert_true(office_agrees(&w->a, &newcomer));
	office_close(&newcomer);
}

/* Of a newer version: kept, relayed, and no harm to the rest of the changeset. */
static void unknown_kinds_and_fields_are_kept_and_relayed(void **state)
{
	struct world *w = *state;
	const uint8_t raw[] = { 0x92, 0xc3, 0x91, 0x05 };
	struct op ops[] = {
		{ .kind = KIND_ACTION,
		  .field = ACTION_TITLE,
		  .verb = VERB_SET,
		  .value = value_str("known") },
		{ .kind = KIND_ACTION, .field = 200, .verb = VERB_SET, .value = value_int(-5) },
		{ .kind = KIND_ACTION,
		  .field = 201,
		  .verb = VERB_ADD,
		  .value = { .type = VALUE_RAW, .bytes = { raw, sizeof(raw) } } },
		{ .kind = 4711, .field = 3, .verb = VERB_SET, .value = value_str("new") },
	};
	struct arena arena = ARENA_EMPTY;
	struct sealed s, *list;
	size_t count;

	for (size_t i = 0; i < 4; i++)
		ops[i].record = w->record;
	s = forge_ops(&w->f, OFFICE_NOW_MS, NULL, 0, ops, 4);
	assert_taken(&w->a, &w->space, &s, 1);
	office_pull(&w->b, &w->a);
	assert_true(office_agrees(&w->a, &w->b));
	assert_int_equal(
		office_count(&w->b, "SELECT count(*) FROM action_item WHERE title = 'known'"), 1);
	list = office_log(&w->b, &w->space, &arena, &count);
	assert_int_equal(count, 1);
	assert_true(bytes_equal(list[0].body, s.body));
	assert_memory_equal(list[0].signature, s.signature, SIGNATURE_BYTES);
	arena_release(&arena);
}

static void replica_of_nobody_takes_nothing(void **state)
{
	struct world *w = *state;
	struct sealed s = seal_title(w, OFFICE_NOW_MS, "hello");
	struct office nobody;
	struct receipt receipt;
	struct errmsg why;

	office_open(&nobody, NULL, 5);
	assert_int_equal(receive(&nobody, &w->space, &s, 1, &receipt, &why), ERR_ORG);
	office_close(&nobody);
}

static void newcomer_takes_nothing_before_the_statements(void **state)
{
	struct world *w = *state;
	struct arena arena = ARENA_EMPTY;
	struct office other, newcomer;
	struct sealed *list;
	size_t count;

	office_open(&other, NULL, 5);
	office_open(&newcomer, NULL, 6);
	office_found(&other, "EVL");
	OFFICE_MUST(replica_join(newcomer.replica, replica_org(w->a.replica), &msg));
	w->f.space = replica_directory(other.replica);
	list = office_log(&other, &w->f.space, &arena, &count);
	assert_refused(&newcomer, &w->directory, list, 1, ERR_REPLICA);
	list = office_log(&w->a, &w->directory, &arena, &count);
	assert_refused(&newcomer, &w->directory, list, 1, ERR_REPLICA);
	office_pull_statements(&newcomer, &w->a);
	assert_taken(&newcomer, &w->directory, list, count);
	arena_release(&arena);
	office_close(&other);
	office_close(&newcomer);
}

/* A newcomer whose clock is days behind: it waits, and says it is sound. */
static void directory_from_the_future_waits(void **state)
{
	struct world *w = *state;
	struct value name = value_str("Anna");
	struct arena arena = ARENA_EMPTY;
	struct office newcomer;
	struct sealed *list;
	struct receipt receipt;
	struct errmsg why;
	struct verify_report report;
	size_t count;

	office_create(&w->b, &w->directory, KIND_PERSON, PERSON_NAME, &name);
	office_sync(&w->a, &w->b);
	office_open(&newcomer, NULL, 6);
	newcomer.now_ms -= 48 * HOUR_MS;
	OFFICE_MUST(replica_join(newcomer.replica, replica_org(w->a.replica), &msg));
	office_pull_statements(&newcomer, &w->a);
	list = office_log(&w->a, &w->directory, &arena, &count);
	assert_int_equal(receive(&newcomer, &w->directory, list, count, &receipt, &why), OK);
	assert_int_equal(receipt.held_back, count);
	OFFICE_MUST(replica_verify(newcomer.replica, &report, NULL, NULL, &msg));
	newcomer.now_ms += 48 * HOUR_MS;
	assert_taken(&newcomer, &w->directory, list, count);
	arena_release(&arena);
	office_close(&newcomer);
}

/* As after a damaged row gave a feed to somebody else. */
static void feed_that_is_here_under_an_unknown_replica_is_refused(void **state)
{
	struct world *w = *state;
	struct sealed s = seal_title(w, OFFICE_NOW_MS, "a title");
	struct feed *feed;

	s.replica.bytes[0] ^= 1;
	OFFICE_MUST(replica_begin(w->a.replica, &msg));
	OFFICE_MUST(replica_feed_add(w->a.replica, &w->space, &s.replica, &feed, &msg));
	OFFICE_MUST(replica_commit(w->a.replica, &msg));
	assert_refused(&w->a, &w->space, &s, 1, ERR_REPLICA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(what_is_well_formed_is_taken_and_relayed),
		TEST(same_changeset_again_is_counted_not_stored),
		TEST(other_bytes_under_the_same_dot_are_a_fork),
		TEST(feed_with_a_gap_is_refused),
		TEST(stranger_is_refused),
		TEST(feed_that_is_here_under_an_unknown_replica_is_refused),
		TEST(every_flipped_bit_is_noticed),
		TEST(changeset_holds_in_its_own_space_and_place_only),
		TEST(relay_cant_spoil_an_inner_signature),
		TEST(one_bad_changeset_takes_the_list_with_it),
		TEST(missing_dependency_is_refused),
		TEST(write_that_replaces_the_unseen_is_refused),
		TEST(stamps_must_grow_along_every_dependency),
		TEST(refused_changeset_does_not_move_our_clock),
		TEST(stamps_from_the_future_wait_with_what_depends_on_them),
		TEST(kinds_stay_in_their_space),
		TEST(values_that_the_schema_refuses_are_refused),
		TEST(choices_and_states_of_a_newer_schema_wait_in_the_log),
		TEST(feed_of_a_revoked_node_reaches_newcomers),
		TEST(unknown_kinds_and_fields_are_kept_and_relayed),
		TEST(replica_of_nobody_takes_nothing),
		TEST(newcomer_takes_nothing_before_the_statements),
		TEST(directory_from_the_future_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
