/* core/record: whatever the order of arrival, as long as it is causal, one
 * record comes out, and it is the one of a naive reference model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/record.h"
#include "tests/support/prng.h"
#include "tests/support/same_record.h"

enum { REPLICAS = 4, WRITES_MAX = 60 };

/* One op in a history, alone in its changeset. */
struct write {
	struct stamp stamp;
	struct op op;
	struct target targets[WRITES_MAX], observed[REPLICAS];
	uint64_t seen; /* the writes its author had, as bits */
};

struct history {
	struct write writes[WRITES_MAX];
	size_t count;
	uint64_t held[REPLICAS]; /* by each replica */
	struct hlc clocks[REPLICAS];
	uint64_t seqs[REPLICAS];
	struct prng *prng;
};

/* The reference: nothing but sets of writes. */

static struct replica_id replica_of(unsigned i)
{
	struct replica_id id = { { 0 } };

	/* The order of ids is not the order of numbers. */
	id.bytes[0] = (uint8_t)(i * 177 + 50);
	return id;
}

static bool is_void(const struct write *w)
{
	return w->op.verb == VERB_VOID;
}

static bool names(const struct write *w, const struct dot *dot)
{
	for (size_t i = 0; i < w->op.target_count; i++)
		if (dot_cmp(&w->targets[i].dot, dot) == 0)
			return true;
	return false;
}

/* Of these writes, `i` is still current: nobody named it in the same place. */
static bool is_current(const struct history *h, uint64_t held, size_t i)
{
	const struct write *w = &h->writes[i];

	if (!(held >> i & 1) || w->op.verb == VERB_REVIVE)
		return false;
	for (size_t k = 0; k < h->count; k++)
		if ((held >> k & 1) && k != i && h->writes[k].op.field == w->op.field &&
		    names(&h->writes[k], &w->stamp.dot))
			return false;
	return true;
}

static bool void_covers(const struct write *v, const struct dot *dot)
{
	for (size_t i = 0; i < v->op.observed_count; i++)
		if (replica_id_cmp(&v->observed[i].dot.replica, &dot->replica) == 0)
			return dot->seq <= v->observed[i].dot.seq;
	return false;
}

static enum record_life model_life(const struct history *h, uint64_t held)
{
	bool any_void = false, any_uncovered = false;

	for (size_t i = 0; i < h->count; i++)
		any_void |= is_current(h, held, i) && is_void(&h->writes[i]);
	for (size_t i = 0; i < h->count; i++) {
		bool covered = false;

		if (!is_current(h, held, i) || is_void(&h->writes[i]))
			continue;
		for (size_t k = 0; k < h->count; k++)
			covered |= is_current(h, held, k) && is_void(&h->writes[k]) &&
				   void_covers(&h->writes[k], &h->writes[i].stamp.dot);
		any_uncovered |= !covered;
	}
	if (!any_void)
		return RECORD_LIVE;
	return any_uncovered ? RECORD_REVIVED : RECORD_VOID;
}

static int model_rank(const struct write *w)
{
	const struct field *field = kind_field(schema_kind(KIND_ACTION), w->op.field);

	return field->merge == MERGE_STATE ? field->machine->rank[state_to(&w->op.value)] : 0;
}

/* The write that shows, or -1. */
static int model_shown(const struct history *h, uint64_t held, uint8_t field)
{
	int best = -1;

	for (size_t i = 0; i < h->count; i++) {
		const struct write *w = &h->writes[i], *b = best < 0 ? NULL : &h->writes[best];

		if (w->op.field != field || !is_current(h, held, i))
			continue;
		if (!b || model_rank(w) > model_rank(b) ||
		    (model_rank(w) == model_rank(b) && stamp_cmp(&w->stamp, &b->stamp) > 0))
			best = (int)i;
	}
	return best;
}

/* Histories. */

static const uint8_t fields[] = { ACTION_NUMBER, ACTION_TITLE, ACTION_STATE };

/* A write that replaces all that its author sees in the same place. */
static void target_current(struct history *h, struct write *w, uint64_t held)
{
	for (size_t i = 0; i < h->count; i++) {
		bool same_place = h->writes[i].op.field == w->op.field;

		if (same_place && is_current(h, held, i))
			w->targets[w->op.target_count++].dot = h->writes[i].stamp.dot;
	}
	w->op.targets = w->targets;
}

static void observe_held(struct history *h, struct write *w, uint64_t held)
{
	for (unsigned r = 0; r < REPLICAS; r++) {
		struct dot newest = { replica_of(r), 0 };

		for (size_t i = 0; i < h->count; i++) {
			const struct dot *dot = &h->writes[i].stamp.dot;

			if ((held >> i & 1) && dot->seq > newest.seq &&
			    replica_id_cmp(&dot->replica, &newest.replica) == 0)
				newest = *dot;
		}
		if (newest.seq)
			w->observed[w->op.observed_count++].dot = newest;
	}
	w->op.observed = w->observed;
}

static struct write *add_write(struct history *h, unsigned replica, uint8_t field, enum verb verb,
			       struct value value, uint64_t wall_ms)
{
	struct write *w = &h->writes[h->count];
	uint64_t held = h->held[replica];

	memset(w, 0, sizeof(*w));
	w->seen = held;
	w->op.kind = KIND_ACTION;
	w->op.field = field;
	w->op.verb = (uint8_t)verb;
	w->op.value = value;
	target_current(h, w, held);
	if (verb == VERB_SET && w->op.target_count)
		w->op.verb = VERB_REPLACE;
	if (verb == VERB_VOID)
		observe_held(h, w, held);
	w->stamp.hlc = hlc_now(&h->clocks[replica], wall_ms);
	w->stamp.dot = (struct dot){ replica_of(replica), ++h->seqs[replica] };
	h->held[replica] |= UINT64_C(1) << h->count++;
	return w;
}

static void pull(struct history *h, unsigned to, unsigned from)
{
	h->held[to] |= h->held[from];
	hlc_observe(&h->clocks[to], h->clocks[from].last);
}

static void random_write(struct history *h)
{
	unsigned replica = (unsigned)prng_below(h->prng, REPLICAS);
	uint8_t field = fields[prng_below(h->prng, 3)];
	/* Clocks that disagree by more than an edit takes. */
	uint64_t wall_ms = 1000000 + 10 * h->count + 200 * replica + prng_below(h->prng, 100);
	uint64_t kind = prng_below(h->prng, 10);

	if (kind == 0)
		add_write(h, replica, 0, VERB_VOID, value_nil(), wall_ms);
	else if (kind == 1)
		add_write(h, replica, 0, VERB_REVIVE, value_nil(), wall_ms);
	else if (field == ACTION_STATE)
		add_write(h, replica, field, VERB_SET,
			  state_step((unsigned)prng_below(h->prng, 5),
				     (unsigned)prng_below(h->prng, 5)),
			  wall_ms);
	else
		add_write(h, replica, field, VERB_SET,
			  value_str(&"abcdefgh"[prng_below(h->prng, 8)]), wall_ms);
}

static void random_history(struct history *h, struct prng *prng, size_t count)
{
	memset(h, 0, sizeof(*h));
	h->prng = prng;
	while (h->count < count) {
		if (prng_chance(prng, 40))
			pull(h, (unsigned)prng_below(prng, REPLICAS),
			     (unsigned)prng_below(prng, REPLICAS));
		else
			random_write(h);
	}
}

static uint64_t all_of(const struct history *h)
{
	return (UINT64_C(1) << h->count) - 1;
}

/* Comparing. */

static void assert_matches_model(const struct history *h, const struct record *rec)
{
	const struct kind *kind = schema_kind(KIND_ACTION);
	uint64_t held = all_of(h);
	size_t current = 0, voids = 0;

	assert_int_equal(record_life(rec), model_life(h, held));
	for (size_t i = 0; i < h->count; i++) {
		voids += is_current(h, held, i) && is_void(&h->writes[i]);
		current += is_current(h, held, i) && !is_void(&h->writes[i]);
	}
	assert_int_equal(rec->count, current);
	assert_int_equal(rec->void_count, voids);
	for (size_t f = 0; f < sizeof(fields); f++) {
		const struct entry *shown = record_shown(rec, fields[f]);
		int expected = model_shown(h, held, fields[f]);

		assert_int_equal(shown == NULL, expected < 0);
		if (shown) {
			assert_int_equal(stamp_cmp(&shown->stamp, &h->writes[expected].stamp), 0);
			assert_true(value_equal(&shown->value, &h->writes[expected].op.value));
		}
	}
	for (size_t i = 1; i < rec->count; i++) {
		const struct entry *a = &rec->entries[i - 1], *b = &rec->entries[i];

		assert_true(a->field <= b->field);
		if (a->field == b->field)
			assert_true(entry_cmp(kind_field(kind, a->field), a, b) < 0);
	}
}

static void begin(struct record *rec, struct arena *arena)
{
	struct record_id id = { { 1 } };

	record_init(rec, schema_kind(KIND_ACTION), &id, arena);
}

static void apply(struct record *rec, const struct write *w)
{
	assert_int_equal(record_apply(rec, &w->stamp, &w->op), OK);
}

/* In the order of writing. */
static void apply_all(const struct history *h, struct record *rec, struct arena *arena)
{
	begin(rec, arena);
	for (size_t i = 0; i < h->count; i++)
		apply(rec, &h->writes[i]);
}

/* Some write whose past is placed, at random. */
static size_t pick_ready(const struct history *h, uint64_t placed, struct prng *prng)
{
	size_t ready[WRITES_MAX], count = 0;

	for (size_t i = 0; i < h->count; i++)
		if (!(placed >> i & 1) && (h->writes[i].seen & ~placed) == 0)
			ready[count++] = i;
	return ready[prng_below(prng, count)];
}

static void apply_in_random_order(const struct history *h, struct record *rec, struct arena *arena,
				  struct prng *prng)
{
	uint64_t placed = 0;

	begin(rec, arena);
	while (placed != all_of(h)) {
		size_t i = pick_ready(h, placed, prng);

		apply(rec, &h->writes[i]);
		placed |= UINT64_C(1) << i;
	}
}

static void any_causal_order_gives_the_same_record(void **state)
{
	struct history *h = malloc(sizeof(*h));
	struct arena arena = ARENA_EMPTY;
	struct prng prng;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 300; round++) {
		struct record first, other;

		arena_reset(&arena);
		random_history(h, &prng, 1 + prng_below(&prng, WRITES_MAX - 1));
		apply_all(h, &first, &arena);
		assert_matches_model(h, &first);
		for (int order = 0; order < 10; order++) {
			apply_in_random_order(h, &other, &arena, &prng);
			assert_same_record(&first, &other);
		}
	}
	arena_release(&arena);
	free(h);
}

static void apply_every_order(const struct history *h, const struct record *expected, size_t *order,
			      size_t placed_count, uint64_t placed, size_t *orders)
{
	if (placed == all_of(h)) {
		struct arena arena = ARENA_EMPTY;
		struct record rec;

		begin(&rec, &arena);
		for (size_t i = 0; i < h->count; i++)
			apply(&rec, &h->writes[order[i]]);
		assert_same_record(expected, &rec);
		arena_release(&arena);
		++*orders;
		return;
	}
	for (size_t i = 0; i < h->count; i++) {
		if ((placed >> i & 1) || (h->writes[i].seen & ~placed) != 0)
			continue;
		order[placed_count] = i;
		apply_every_order(h, expected, order, placed_count + 1, placed | UINT64_C(1) << i,
				  orders);
	}
}

static void every_causal_order_of_small_histories_gives_the_same_record(void **state)
{
	struct history *h = malloc(sizeof(*h));
	struct arena arena = ARENA_EMPTY;
	struct prng prng;
	size_t orders = 0;

	prng_init(&prng, prng_seed_from_environment());
	for (int round = 0; round < 60; round++) {
		struct record expected;
		size_t order[WRITES_MAX];

		arena_reset(&arena);
		random_history(h, &prng, 6);
		apply_all(h, &expected, &arena);
		assert_matches_model(h, &expected);
		apply_every_order(h, &expected, order, 0, 0, &orders);
	}
	assert_true(orders > 600);
	arena_release(&arena);
	free(h);
}

/* One by one. */

struct small {
	struct history h;
	struct arena arena;
	struct record rec;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct small));
	return 0;
}

static int tear_down(void **state)
{
	struct small *s = *state;

	arena_release(&s->arena);
	free(s);
	return 0;
}

static void set(struct small *s, unsigned replica, uint8_t field, const char *text, uint64_t ms)
{
	add_write(&s->h, replica, field, VERB_SET, value_str(text), ms);
}

static void step(struct small *s, unsigned replica, unsigned from, unsigned to, uint64_t ms)
{
	add_write(&s->h, replica, ACTION_STATE, VERB_SET, state_step(from, to), ms);
}

static const struct record *result(struct small *s)
{
	apply_all(&s->h, &s->rec, &s->arena);
	assert_matches_model(&s->h, &s->rec);
	return &s->rec;
}

static const struct field *field_of(uint8_t number)
{
	return kind_field(schema_kind(KIND_ACTION), number);
}

static void assert_shows(const struct record *rec, uint8_t field, const char *text)
{
	assert_true(bytes_equal(record_shown(rec, field)->value.bytes, bytes_of_str(text)));
}

static void concurrent_values_are_all_kept_and_the_latest_shows(void **state)
{
	struct small *s = *state;
	const struct record *rec;
	size_t count;

	set(s, 0, ACTION_TITLE, "late", 9);
	set(s, 1, ACTION_TITLE, "early", 5);
	set(s, 2, ACTION_TITLE, "middle", 7);
	rec = result(s);
	assert_shows(rec, ACTION_TITLE, "late");
	assert_non_null(record_values(rec, ACTION_TITLE, &count));
	assert_int_equal(count, 3);
	assert_true(record_has_conflict(rec, field_of(ACTION_TITLE)));
}

static void later_write_that_saw_them_ends_the_conflict(void **state)
{
	struct small *s = *state;
	const struct record *rec;

	set(s, 0, ACTION_TITLE, "a", 9);
	set(s, 1, ACTION_TITLE, "b", 5);
	pull(&s->h, 2, 0);
	pull(&s->h, 2, 1);
	set(s, 2, ACTION_TITLE, "c", 1); /* a slow clock does not make it lose */
	rec = result(s);
	assert_shows(rec, ACTION_TITLE, "c");
	assert_int_equal(rec->count, 1);
	assert_false(record_has_conflict(rec, field_of(ACTION_TITLE)));
}

static void equal_stamps_are_ordered_by_replica(void **state)
{
	struct small *s = *state;
	struct stamp one, two;

	set(s, 0, ACTION_TITLE, "a", 5);
	set(s, 1, ACTION_TITLE, "b", 5);
	one = s->h.writes[0].stamp;
	two = s->h.writes[1].stamp;
	assert_int_equal(hlc_cmp(one.hlc, two.hlc), 0);
	assert_shows(result(s), ACTION_TITLE, stamp_cmp(&one, &two) > 0 ? "a" : "b");
}

static void lww_fields_have_no_conflict(void **state)
{
	struct small *s = *state;
	const struct record *rec;

	set(s, 0, ACTION_NUMBER, "AI-1", 5);
	set(s, 1, ACTION_NUMBER, "AI-2", 6);
	rec = result(s);
	assert_shows(rec, ACTION_NUMBER, "AI-2");
	assert_false(record_has_conflict(rec, field_of(ACTION_NUMBER)));
}

static void same_value_from_two_is_no_conflict(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "same", 5);
	set(s, 1, ACTION_TITLE, "same", 6);
	assert_false(record_has_conflict(result(s), field_of(ACTION_TITLE)));
}

static void concurrent_steps_show_by_rank(void **state)
{
	static const struct {
		unsigned a, b, shown;
		bool conflict;
	} cases[] = {
		{ ACTION_DOING, ACTION_BLOCKED, ACTION_BLOCKED, false },
		{ ACTION_BLOCKED, ACTION_DOING, ACTION_BLOCKED, false },
		{ ACTION_DONE, ACTION_BLOCKED, ACTION_DONE, false },
		{ ACTION_DONE, ACTION_DOING, ACTION_DONE, false },
		{ ACTION_CANCELLED, ACTION_DOING, ACTION_CANCELLED, false },
		{ ACTION_OPEN, ACTION_DONE, ACTION_OPEN, false }, /* reopen beats close */
		{ ACTION_CANCELLED, ACTION_OPEN, ACTION_OPEN, false },
		{ ACTION_DONE, ACTION_CANCELLED, ACTION_CANCELLED, true }, /* the later one */
		{ ACTION_CANCELLED, ACTION_DONE, ACTION_DONE, true },
		{ ACTION_DONE, ACTION_DONE, ACTION_DONE, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct small s = { .arena = ARENA_EMPTY };
		const struct record *rec;

		step(&s, 0, ACTION_OPEN, cases[i].a, 5);
		step(&s, 1, ACTION_OPEN, cases[i].b, 6);
		rec = result(&s);
		assert_int_equal(record_state(rec, field_of(ACTION_STATE)), cases[i].shown);
		assert_int_equal(record_has_conflict(rec, field_of(ACTION_STATE)),
				 cases[i].conflict);
		arena_release(&s.arena);
	}
}

static void record_without_steps_is_in_the_initial_state(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "a", 5);
	assert_int_equal(record_state(result(s), field_of(ACTION_STATE)), ACTION_OPEN);
}

static void void_hides_what_it_has_seen(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "a", 5);
	add_write(&s->h, 0, 0, VERB_VOID, value_nil(), 6);
	assert_int_equal(record_life(result(s)), RECORD_VOID);
	add_write(&s->h, 0, 0, VERB_REVIVE, value_nil(), 7);
	assert_int_equal(record_life(result(s)), RECORD_LIVE);
}

static void concurrent_edit_keeps_a_voided_record_alive(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "a", 5);
	pull(&s->h, 1, 0);
	add_write(&s->h, 0, 0, VERB_VOID, value_nil(), 6);
	set(s, 1, ACTION_TITLE, "b", 4);
	assert_int_equal(record_life(result(s)), RECORD_REVIVED);

	/* Who has seen both can void it for good. */
	pull(&s->h, 0, 1);
	add_write(&s->h, 0, 0, VERB_VOID, value_nil(), 8);
	assert_int_equal(record_life(result(s)), RECORD_VOID);
	assert_int_equal(s->rec.void_count, 1);
}

static void two_voids_cover_what_either_has_seen(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "a", 5);
	pull(&s->h, 1, 0);
	set(s, 1, ACTION_NUMBER, "n", 6);
	set(s, 0, ACTION_DELIVERABLE, "d", 6);
	add_write(&s->h, 0, 0, VERB_VOID, value_nil(), 7);
	assert_int_equal(record_life(result(s)), RECORD_REVIVED);
	add_write(&s->h, 1, 0, VERB_VOID, value_nil(), 7);
	assert_int_equal(record_life(result(s)), RECORD_VOID);
	assert_int_equal(s->rec.void_count, 2);
	/* To revive it both have to be taken back. */
	add_write(&s->h, 1, 0, VERB_REVIVE, value_nil(), 8);
	assert_int_equal(record_life(result(s)), RECORD_REVIVED);
	pull(&s->h, 0, 1);
	add_write(&s->h, 0, 0, VERB_REVIVE, value_nil(), 9);
	assert_int_equal(record_life(result(s)), RECORD_LIVE);
}

static void void_concurrent_with_a_revival_holds(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "a", 5);
	add_write(&s->h, 0, 0, VERB_VOID, value_nil(), 6);
	pull(&s->h, 1, 0);
	add_write(&s->h, 0, 0, VERB_VOID, value_nil(), 7);
	add_write(&s->h, 1, 0, VERB_REVIVE, value_nil(), 8);
	assert_int_equal(record_life(result(s)), RECORD_VOID);
}

static void unknown_fields_change_nothing(void **state)
{
	struct small *s = *state;

	set(s, 0, ACTION_TITLE, "a", 5);
	set(s, 0, 200, "of a newer version", 6);
	apply_all(&s->h, &s->rec, &s->arena);
	assert_int_equal(s->rec.count, 1);
}

static void too_many_values_are_noticed(void **state)
{
	struct small *s = *state;
	struct write w = { .op = { .field = ACTION_TITLE, .verb = VERB_SET } };

	begin(&s->rec, &s->arena);
	for (size_t count = 0; count <= RECORD_ENTRIES_MAX; count++) {
		assert_false(record_is_over(&s->rec));
		memcpy(w.stamp.dot.replica.bytes, &count, sizeof(count));
		w.stamp.dot.seq = 1;
		assert_int_equal(record_apply(&s->rec, &w.stamp, &w.op), OK);
	}
	assert_true(record_is_over(&s->rec));
}

/* One that names nothing can't pile up values. */
static void replica_replaces_what_it_wrote_before(void **state)
{
	struct small *s = *state;
	struct write w = { .op = { .field = ACTION_TITLE, .verb = VERB_SET } };

	begin(&s->rec, &s->arena);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		w.stamp.dot.seq = seq;
		assert_int_equal(record_apply(&s->rec, &w.stamp, &w.op), OK);
	}
	assert_int_equal(s->rec.count, 1);
	assert_int_equal(s->rec.entries[0].stamp.dot.seq, 3);
	w.op.field = ACTION_DELIVERABLE;
	assert_int_equal(record_apply(&s->rec, &w.stamp, &w.op), OK);
	assert_int_equal(s->rec.count, 2);
	w.op = (struct op){ .verb = VERB_VOID };
	for (w.stamp.dot.seq = 4; w.stamp.dot.seq < 7; w.stamp.dot.seq++)
		assert_int_equal(record_apply(&s->rec, &w.stamp, &w.op), OK);
	assert_int_equal(s->rec.void_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		cmocka_unit_test(any_causal_order_gives_the_same_record),
		cmocka_unit_test(every_causal_order_of_small_histories_gives_the_same_record),
		TEST(concurrent_values_are_all_kept_and_the_latest_shows),
		TEST(later_write_that_saw_them_ends_the_conflict),
		TEST(equal_stamps_are_ordered_by_replica),
		TEST(lww_fields_have_no_conflict),
		TEST(same_value_from_two_is_no_conflict),
		TEST(concurrent_steps_show_by_rank),
		TEST(record_without_steps_is_in_the_initial_state),
		TEST(void_hides_what_it_has_seen),
		TEST(concurrent_edit_keeps_a_voided_record_alive),
		TEST(two_voids_cover_what_either_has_seen),
		TEST(void_concurrent_with_a_revival_holds),
		TEST(unknown_fields_change_nothing),
		TEST(too_many_values_are_noticed),
		TEST(replica_replaces_what_it_wrote_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
