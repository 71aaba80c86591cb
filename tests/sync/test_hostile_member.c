/* sync: a member with a valid key that says what it must not. It is refused by name, and two
 * honest offices go on as if it had said nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/wire.h"
#include "tests/sync/hostile.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* ---- Kinds of hostility ---------------------------------------------------------------- */

static void oversized(struct scene *s)
{
	static uint8_t bytes[CHANGESET_BYTES_MAX + 1];
	struct sealed sealed = forge_seal(&s->forge, bytes_of(bytes, sizeof(bytes)));

	eve_sends(s, &s->shared, &sealed, 1);
}

static void long_title(struct scene *s)
{
	char title[NAME_BYTES_MAX + 2];

	memset(title, 'x', sizeof(title));
	title[sizeof(title) - 1] = '\0';
	eve_sends_op(s, title_op(s, value_str(title)));
}

static void too_many_ops(struct scene *s)
{
	struct sealed sealed;
	struct buf body = BUF_EMPTY;

	wire_put_array(&body, 7);
	wire_put_uint(&body, CHANGESET_VERSION);
	wire_put_uint(&body, site_now(s->eve).wall_ms << 16);
	wire_put_uint(&body, 0);
	wire_put_array(&body, 0);
	wire_put_array(&body, 0);
	wire_put_array(&body, 1);
	wire_put_bin(&body, bytes_of(s->record.bytes, ID_BYTES));
	wire_put_array(&body, 1);
	wire_put_array(&body, 2 + 2 * (CHANGESET_OPS_MAX + 1));
	wire_put_uint(&body, 0);
	wire_put_uint(&body, KIND_ACTION);
	for (int i = 0; i <= CHANGESET_OPS_MAX; i++) {
		wire_put_uint(&body, ACTION_PROGRESS << 3 | VERB_ADD);
		wire_put_str(&body, bytes_of_str("."));
	}
	sealed = forge_seal(&s->forge, buf_bytes(&body));
	eve_sends(s, &s->shared, &sealed, 1);
	buf_release(&body);
}

static void too_deep(struct scene *s)
{
	uint8_t raw[NESTING_MAX + 2];
	struct op op =
		title_op(s, (struct value){ .type = VALUE_RAW, .bytes = { raw, sizeof(raw) } });

	memset(raw, 0x91, sizeof(raw)); /* an array of one */
	raw[sizeof(raw) - 1] = 1;
	op.field = 200; /* a newer schema's */
	eve_sends_op(s, op);
}

static void no_msgpack(struct scene *s)
{
	struct sealed sealed = forge_seal(&s->forge, bytes_of_str("\x97\x01 nonsense"));

	eve_sends(s, &s->shared, &sealed, 1);
}

static void ill_typed(struct scene *s)
{
	eve_sends_op(s, title_op(s, value_int(7)));
}

static void wrong_verb(struct scene *s)
{
	struct op op = title_op(s, value_str("x"));

	op.verb = VERB_ADD;
	eve_sends_op(s, op);
}

/* More of what can be said of a text: core/test_text_hostile. */
static void splice_past_the_end(struct scene *s)
{
	struct op op = title_op(s, value_str("x"));

	op.field = ACTION_DELIVERABLE;
	op.verb = VERB_SPLICE;
	op.edit = bytes_of("\x93\x04\x04\x05", 4); /* of a text of 4, insert 1 at 5 */
	eve_sends_op(s, op);
}

static void person_in_a_collaboration(struct scene *s)
{
	struct op op = title_op(s, value_str("Mallory"));

	op.kind = KIND_PERSON;
	op.field = PERSON_NAME;
	eve_sends_op(s, op);
}

static void action_in_the_directory(struct scene *s)
{
	s->forge.space = s->directory;
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void foreign_space(struct scene *s)
{
	s->forge.space = s->private;
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void space_of_nobody(struct scene *s)
{
	memset(s->forge.space.bytes, 9, ID_BYTES);
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void read_only_space(struct scene *s)
{
	s->forge.space = s->readable;
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void years_ahead(struct scene *s)
{
	struct sealed sealed = seal_op_at(s, title_op(s, value_str("tomorrow's news")),
					  site_now(s->eve).wall_ms + 3650 * DAY_MS);

	eve_sends(s, &s->shared, &sealed, 1);
}

static void stamp_goes_back(struct scene *s)
{
	uint64_t wall_ms = site_now(s->eve).wall_ms;
	struct sealed list[2];

	list[0] = seal_op_at(s, title_op(s, value_str("later")), wall_ms);
	list[1] = seal_op_at(s, title_op(s, value_str("sooner")), wall_ms - 1);
	eve_sends(s, &s->shared, list, 2);
}

static void stamp_before_its_past(struct scene *s)
{
	struct dot dep = { *replica_id(s->b->office.replica), 1 };
	struct op op = title_op(s, value_str("I saw that, years ago"));
	struct sealed sealed = forge_ops(&s->forge, OFFICE_NOW_MS - 3650 * DAY_MS, &dep, 1, &op, 1);

	eve_sends(s, &s->shared, &sealed, 1);
}

static void eve_sends_targets(struct scene *s, struct target target)
{
	struct op op = title_op(s, value_str("in place of that"));

	op.verb = VERB_REPLACE;
	op.targets = &target;
	op.target_count = 1;
	eve_sends_op(s, op);
}

static void target_not_written_yet(struct scene *s)
{
	eve_sends_targets(s, (struct target){ .dot = { *replica_id(s->b->office.replica), 99 } });
}

static void target_of_nobody(struct scene *s)
{
	eve_sends_targets(s, (struct target){ .dot = { { { 66 } }, 1 } });
}

/* It is in the log, but not what the op takes it for. */
static void target_of_another_record(struct scene *s)
{
	eve_sends_targets(s, (struct target){ .dot = { *replica_id(s->b->office.replica), 1 } });
}

static void gap(struct scene *s)
{
	struct sealed list[2];

	list[0] = seal_op(s, title_op(s, value_str("one")));
	list[1] = seal_op(s, title_op(s, value_str("two")));
	eve_sends(s, &s->shared, &list[1], 1);
}

static void broken_chain(struct scene *s)
{
	struct sealed list[2];

	list[0] = seal_op(s, title_op(s, value_str("one")));
	s->forge.head.link[0] ^= 1;
	list[1] = seal_op(s, title_op(s, value_str("two")));
	eve_sends(s, &s->shared, list, 2);
}

static void bad_signature(struct scene *s)
{
	static const uint8_t zeros[SIGNATURE_BYTES];
	struct sealed sealed = seal_op(s, title_op(s, value_str("unsigned")));

	sealed.signature = zeros;
	eve_sends(s, &s->shared, &sealed, 1);
}

/* Frankfurt's feed, signed by New York; goes on after `head`. */
static struct sealed seal_as_b(struct scene *s, struct feed_head head)
{
	s->forge.identity.replica = *replica_id(s->b->office.replica);
	s->forge.head = head;
	return seal_op_at(s, title_op(s, value_str("said Frankfurt")),
			  site_now(s->b).wall_ms + MINUTE_MS);
}

static void anothers_feed_goes_on(struct scene *s)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed forged, *log;
	struct feed_head head = { 0 };
	size_t count;

	log = office_log(&s->b->office, &s->shared, &arena, &count);
	for (size_t i = 0; i < count; i++) {
		if (replica_id_cmp(&log[i].replica, replica_id(s->b->office.replica)) != 0)
			continue;
		changeset_link(head.link, &s->shared, &log[i].replica, &head, log[i].body);
		memcpy(head.signature, log[i].signature, SIGNATURE_BYTES);
		head.seq++;
	}
	assert_int_not_equal(head.seq, 0);
	forged = seal_as_b(s, head);
	eve_sends(s, &s->shared, &forged, 1);
	arena_release(&arena);
}

/* Shanghai holds another one with that number, asks for the proof, and gets none. */
static void anothers_feed_told_differently(struct scene *s)
{
	struct sealed forged = seal_as_b(s, (struct feed_head){ 0 });

	s->mouth.has_tell = true;
	s->mouth.tell = (struct message_tell){ .space = s->shared,
					       .dot = { forged.replica, 1 },
					       .told = { .body = forged.body } };
	memcpy(s->mouth.tell.told.signature, forged.signature, SIGNATURE_BYTES);
	eve_sends(s, &s->shared, &forged, 1);
	assert_int_equal(s->mouth.asked_count, 1);
}

static void feed_of_a_stranger(struct scene *s)
{
	s->forge.identity.replica.bytes[0] ^= 1;
	eve_sends_op(s, title_op(s, value_str("who am I")));
}

/* ---- What comes of it ------------------------------------------------------------------ */

static void bad_changesets_are_refused_by_name(void **state)
{
	static const struct hostility cases[] = {
		CASE(oversized, REFUSED("limit", "message changes: limit")),
		CASE(too_many_ops, REFUSED("limit", "changeset: a malformed body of 30042 bytes")),
		CASE(long_title,
		     REFUSED("limit", "action_item.title: 257 bytes, the limit is 256")),
		CASE(too_deep, REFUSED("limit", "changeset: a malformed body of 58 bytes")),
		CASE(no_msgpack, REFUSED("format", "changeset: a malformed body of 11 bytes")),
		CASE(ill_typed, REFUSED("invalid", "action_item.title: a value of the wrong type")),
		CASE(wrong_verb, REFUSED("invalid", "action_item.title: a verb that does not fit")),
		CASE(splice_past_the_end,
		     REFUSED("invalid", "action_item.deliverable: run 0 of a text's edit, 1 at 5")),
		CASE(person_in_a_collaboration,
		     REFUSED("invalid", "person: a record of this kind")),
		CASE(action_in_the_directory, REFUSED("invalid", "action_item: a record of this")),
		CASE(foreign_space, REFUSED("grant", "space ")),
		CASE(space_of_nobody, REFUSED("grant", "space 09090909 is not shared between us")),
		CASE(years_ahead, "WARN warning NYC: held back: changes of replica ",
		     ": they are dated too far in the future"),
		CASE(stamp_goes_back, REFUSED_AT("invalid", "/2: its stamp does not grow")),
		CASE(stamp_before_its_past,
		     REFUSED_AT("invalid", "/1: its stamp is not after its dependency's")),
		CASE(target_not_written_yet,
		     REFUSED_AT("causal-gap", "/1: what it depends on is missing: ")),
		CASE(target_of_nobody,
		     REFUSED_AT("causal-gap", "/1: what it depends on is missing: 42000000/1")),
		CASE(gap, REFUSED_AT("chain", "/2: it does not continue its feed")),
		CASE(broken_chain, REFUSED_AT("signature", "/2: its signature does not verify")),
		CASE(bad_signature, REFUSED_AT("signature", "/1: its signature does not verify")),
		CASE(anothers_feed_goes_on,
		     REFUSED_AT("signature", "/2: its signature does not verify")),
		CASE(anothers_feed_told_differently,
		     REFUSED_AT("signature", "/1 was told with other bytes")),
		CASE(feed_of_a_stranger,
		     REFUSED_AT("unknown-replica", "/1: no statement names its replica")),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(&cases[i]);
}

/* A reader's are kept and passed on, since a peer may know of a grant that we don't. */
static void changesets_of_a_reader_count_nowhere(void **state)
{
	struct standing before, after;
	struct scene s;

	scene_init(&s);
	before = standing_of(s.a);
	eve_calls(&s, s.a);
	read_only_space(&s);
	after = standing_of(s.a);
	assert_same_standing(&before, &after);
	after = standing_of(s.b);
	assert_same_standing(&before, &after);
	assert_honest_go_on(&s);
	scene_release(&s);
}

static void target_of_another_kind_replaces_nothing(void **state)
{
	struct scene s;

	scene_init(&s);
	eve_calls(&s, s.a);
	target_of_another_record(&s);
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* ---- Equivocation ---------------------------------------------------------------------------- */

static uint64_t held_of(const struct scene *s, const struct site *site)
{
	return vv_get(replica_vv(site->office.replica, &s->shared),
		      &s->eve->office.identity.replica);
}

/* One dot, one content for Shanghai and another for Frankfurt. */
static void equivocate(struct scene *s)
{
	struct sealed sealed;

	loopnet_cut(s->world.net, s->a->host, s->b->host, true);
	world_run(&s->world);
	sealed = seal_op(s, title_op(s, value_str("we agreed on ten")));
	eve_calls(s, s->a);
	eve_sends(s, &s->shared, &sealed, 1);
	s->forge.head = (struct feed_head){ 0 };
	sealed = seal_op(s, title_op(s, value_str("we agreed on two")));
	eve_calls(s, s->b);
	eve_sends(s, &s->shared, &sealed, 1);
	assert_int_equal(held_of(s, s->a), 1);
	assert_int_equal(held_of(s, s->b), 1);
	mouth_shut(&s->mouth);
	loopnet_cut(s->world.net, s->a->host, s->b->host, false);
}

static void two_contents_of_one_dot_are_proved_and_neither_counts(void **state)
{
	const struct replica_id *eve;
	struct scene s;

	scene_init(&s);
	eve = &s.eve->office.identity.replica;
	equivocate(&s);
	world_pass(&s.world, 10 * MINUTE_MS);
	assert_int_equal(trust_cut(replica_trust(s.a->office.replica), eve, &s.shared).cause,
			 CUT_FORKED);
	assert_int_equal(trust_cut(replica_trust(s.b->office.replica), eve, &s.shared).cause,
			 CUT_FORKED);
	assert_int_equal(trust_cut(replica_trust(s.a->office.replica), eve, &s.shared).seq, 0);
	assert_int_equal(office_count(&s.a->office, "SELECT count(*) FROM action_item WHERE title "
						    "LIKE 'we agreed%'"),
			 0);
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* ---- Rubbish in place of signatures ------------------------------------------------------------
 */

enum { RUN = 5, LONG_TEXT = 200 << 10 /* two of them close a message */ };

/* The last one is signed, and vouches for those before it (I-6): Shanghai takes them all. What it
 * sends to Frankfurt must not end before, or else Frankfurt blames Shanghai. */
static void rubbish_signatures_part_no_honest_offices(void **state)
{
	static char text[LONG_TEXT + 1];
	uint8_t rubbish[SIGNATURE_BYTES] = { 7 };
	struct sealed list[RUN];
	struct op op;
	struct scene s;

	memset(text, 'x', LONG_TEXT);
	scene_init(&s);
	loopnet_cut(s.world.net, s.a->host, s.b->host, true);
	world_run(&s.world);
	op = title_op(&s, value_str(text));
	op.field = 200; /* a newer schema's */
	for (size_t i = 0; i < RUN; i++) {
		list[i] = seal_op(&s, op);
		if (i == RUN - 1)
			break;
		list[i].signature = rubbish;
		memcpy(s.forge.head.signature, rubbish, SIGNATURE_BYTES);
	}
	eve_calls(&s, s.a);
	eve_sends(&s, &s.shared, list, RUN);
	assert_false(s.mouth.is_closed);
	loopnet_cut(s.world.net, s.a->host, s.b->host, false);
	world_pass(&s.world, 2 * MINUTE_MS);
	assert_int_equal(vv_get(replica_vv(s.b->office.replica, &s.shared), &list[0].replica), RUN);
	assert_true(office_agrees(&s.a->office, &s.b->office));
	assert_honest_go_on(&s);
	scene_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_changesets_are_refused_by_name),
		cmocka_unit_test(changesets_of_a_reader_count_nowhere),
		cmocka_unit_test(target_of_another_kind_replaces_nothing),
		cmocka_unit_test(two_contents_of_one_dot_are_proved_and_neither_counts),
		cmocka_unit_test(rubbish_signatures_part_no_honest_offices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
